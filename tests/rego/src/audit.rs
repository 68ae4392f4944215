//! The mutation audit: every request that differs from a right one, and every sequence that does, is to be denied, save
//! what allowed-mutations.json lists with a reason.

use crate::{
	agent::{Agent, Release},
	files,
	life::{self, App},
	mutate, order, patch, read,
	sim::{Step, SHARED},
	tally::Tally,
	Opts,
};
use serde_json::Value as Json;
use std::collections::{hash_map::DefaultHasher, BTreeMap, HashMap, HashSet};
use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::Mutex;

/// The reviewed list: `*` in a part of the path stands for anything, `**` at the end for all that follows;
/// kind and op are lists of words or `*`.
pub struct Listed {
	entries: Vec<(Json, AtomicUsize)>,
}

impl Listed {
	fn load(file: &str) -> Result<Listed, String> {
		let list: Vec<Json> =
			serde_json::from_str(&read(file)?).map_err(|e| format!("{file}: {e}"))?;
		match list.iter().find(|e| e["reason"].as_str().is_none_or(str::is_empty)) {
			Some(e) => Err(format!("{file}: no reason: {e}")),
			None => {
				Ok(Listed { entries: list.into_iter().map(|e| (e, AtomicUsize::new(0))).collect() })
			}
		}
	}

	fn covers(&self, kind: &str, path: &[String], op: &str) -> bool {
		let hit = self.entries.iter().find(|(e, _)| {
			let text = |k: &str| e[k].as_str().unwrap_or_default();
			let words = |k: &str, word: &str| {
				text(k) == "*" || text(k).split_whitespace().any(|w| w == word)
			};
			words("kind", kind)
				&& words("op", op)
				&& fits(&patch::tokens(text("path")).unwrap_or_default(), path)
		});
		hit.map(|(_, n)| n.fetch_add(1, Relaxed)).is_some()
	}
}

fn fits(pattern: &[String], path: &[String]) -> bool {
	match (pattern.split_first(), path.split_first()) {
		(None, None) => true,
		(Some((p, [])), _) if p == "**" => true,
		(Some((p, pattern)), Some((t, path))) => globbed(p, t) && fits(pattern, path),
		_ => false,
	}
}

/// Whether a mount lies over an earlier one: that has its own name in findings, for it is more than another order.
fn hides(request: &Json) -> bool {
	let mounts =
		request.pointer("/OCI/Mounts").and_then(Json::as_array).map_or(&[][..], Vec::as_slice);
	let at = |m: &Json| format!("{}/", m["destination"].as_str().unwrap_or_default());
	(0..mounts.len())
		.any(|i| mounts[i + 1..].iter().any(|later| at(&mounts[i]).starts_with(&at(later))))
}

/// `*` stands for any text.
fn globbed(pattern: &str, text: &str) -> bool {
	match pattern.split_once('*') {
		None => pattern == text,
		Some((head, rest)) => text.strip_prefix(head).is_some_and(|t| {
			(0..=t.len()).any(|i| t.is_char_boundary(i) && globbed(rest, &t[i..]))
		}),
	}
}

/// The path with names instead of indices where elements have some: variables, mounts, storages, masked paths. For copies
/// it begins with the base name of the volume or file, and the type.
fn labelled(request: &Json, path: &[String]) -> Vec<String> {
	let name = |i: usize| {
		let element = request.pointer(&patch::pointer(&path[..=i]))?;
		match path[..i].last()?.as_str() {
			"Env" => element.as_str()?.split('=').next(),
			"Mounts" => element["destination"].as_str(),
			"storages" => element["driver"].as_str(),
			"MaskedPaths" | "ReadonlyPaths" => element.as_str(),
			_ => None,
		}
	};
	let base = request["path"].as_str().and_then(|p| p.get(SHARED.len() + 82..)?.split('/').next());
	let file_type = request["file_type"].as_str();
	base.into_iter()
		.chain(file_type)
		.chain(path.iter().enumerate().map(|(i, t)| name(i).unwrap_or(t)))
		.map(String::from)
		.collect()
}

/// What was asked of one application, and what should not have been allowed, each once with its number.
pub struct Findings<'a> {
	listed: &'a Listed,
	pub asked: usize,
	/// Sequences of two copies that the policy allows.
	pub pairs: usize,
	covered: usize,
	wordless: usize,
	pub wrong: BTreeMap<String, usize>,
}

impl Findings<'_> {
	/// Takes the answer to a wrong request.
	pub fn note(&mut self, allowed: bool, kind: &str, path: &[String], op: &str) {
		self.asked += 1;
		if allowed && self.listed.covers(kind, path, op) {
			self.covered += 1;
		} else if allowed {
			*self
				.wrong
				.entry(format!("{kind} {} {op}: allowed (expected denied)", starred(path)))
				.or_default() += 1;
		}
	}
}

/// `ctr-rego audit APPS ALLOWED.json --images DIR [NAME...]`
pub fn run(o: &Opts) -> Result<bool, String> {
	let listed = Listed::load(o.operand(1)?)?;
	let names = Opts { operands: [&o.operands[..1], &o.operands[2..]].concat(), ..o.clone() };
	let mut apps = Vec::new();
	for folder in life::folders(&names)? {
		apps.extend(life::apps(o, &folder)?);
	}
	let plans = plan(&apps);
	let (next, reports) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
	std::thread::scope(|s| {
		for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
			s.spawn(|| {
				while let Some((n, app)) =
					Some(next.fetch_add(1, Relaxed)).and_then(|n| Some((n, apps.get(n)?)))
				{
					let report = audit(app, o.engine(), &plans[n], &listed);
					reports.lock().expect("no thread panicked").insert(n, report);
				}
			});
		}
	});
	let mut tally = Tally::default();
	for (n, report) in reports.into_inner().expect("no thread panicked") {
		match report {
			Ok(f) => summarise(&apps[n], &f, &mut tally),
			Err(e) => tally.check(&apps[n].title(), Err(e)),
		}
	}
	let unused =
		listed.entries.iter().filter(|(_, n)| n.load(Relaxed) == 0 && o.operands.len() == 2);
	unused.for_each(|(e, _)| tally.check(&o.operands[1], Err(format!("matches nothing: {e}"))));
	Ok(tally.close())
}

fn summarise(app: &App, f: &Findings, tally: &mut Tally) {
	println!(
		"{}: {} wrong requests, {} allowed as listed, {} denied without words, {} pairs of copies",
		app.title(),
		f.asked,
		f.covered,
		f.wordless,
		f.pairs
	);
	f.wrong.iter().for_each(|(what, n)| println!("not ok: {}: {what} ({n})", app.title()));
	let failed: usize = f.wrong.values().sum();
	tally.add(f.asked + f.pairs - failed, failed);
}

/// Which mutations of an application are worth a question, in the order of their making: not what was asked before of
/// a container of the same role, be it of another application, with the same surroundings but for random names.
fn plan(apps: &[App]) -> Vec<Vec<bool>> {
	let mut seen = HashSet::new();
	let one = |app: &App| {
		let (mut plan, mut shapes) = (Vec::new(), HashSet::new());
		let rules = own_rules(&app.policy);
		for step in app.steps.iter().filter(|s| !s.optional && shapes.insert(shape(s))) {
			let mut elements = HashMap::new();
			mutate::each(&mut step.request.clone(), &mut |path, op, wrong| {
				let mut h = DefaultHasher::new();
				(&step.kind, step.role, starred(path), op).hash(&mut h);
				if judged_by_own_rules(&step.kind, path) {
					rules.hash(&mut h);
				}
				if !["null", "type", "fill"].contains(&op) {
					surroundings(step, path, &mut elements).hash(&mut h);
					let value = wrong
						.pointer(&patch::pointer(path))
						.filter(|v| !v.is_array() && !v.is_object());
					named(value.and_then(Json::as_str).unwrap_or_default()).hash(&mut h);
				}
				plan.push(seen.insert(h.finish()));
			});
		}
		plan
	};
	apps.iter().map(one).collect()
}

/// The rules that only some policies have, of devices, storages in memory and commands: they stand behind the data, whose
/// further lines begin with no letter.
fn own_rules(policy: &str) -> Vec<&str> {
	let rest = policy.lines().skip_while(|l| !l.starts_with("d:=")).skip(1);
	rest.filter(|l| l.starts_with(|c: char| c.is_ascii_alphabetic())).collect()
}

fn judged_by_own_rules(kind: &str, path: &[String]) -> bool {
	let path = patch::pointer(path);
	kind == "ExecProcessRequest"
		|| ["/devices", "/storages", "/OCI/Annotations", "/OCI/Linux/Devices"]
			.iter()
			.any(|p| path.starts_with(p))
}

/// The outermost element of an array that a path leads into; for copies what is copied.
fn surroundings(step: &Step, path: &[String], elements: &mut HashMap<Vec<String>, u64>) -> u64 {
	let index = path.iter().position(|t| t.bytes().all(|b| b.is_ascii_digit()));
	let outermost = &path[..index.map_or(path.len(), |i| i + 1)];
	*elements.entry(outermost.to_vec()).or_insert_with(|| {
		let element = step.request.pointer(&patch::pointer(outermost)).unwrap_or(&Json::Null);
		let file = step.request["path"].as_str().map_or("", |p| {
			if p.contains("/..") {
				"in a volume"
			} else {
				&p[SHARED.len() + 82..]
			}
		});
		let mut h = DefaultHasher::new();
		(named(&element.to_string()), file, step.request["file_type"].as_str()).hash(&mut h);
		h.finish()
	})
}

/// Without random names, which are what has many hexadecimal digits.
fn named(text: &str) -> String {
	let hex =
		|word: &&str| word.len() >= 12 && word.bytes().all(|b| b.is_ascii_hexdigit() || b == b'_');
	text.split(['-', '/', '"', '\\', ':', '=', ' ']).filter(|w| !hex(w)).collect()
}

/// A pointer with `*` for indices.
fn starred(path: &[String]) -> String {
	patch::pointer(
		&path
			.iter()
			.map(|t| if t.bytes().all(|b| b.is_ascii_digit()) { "*" } else { t })
			.collect::<Vec<_>>(),
	)
}

fn audit<'a>(
	app: &App,
	engine: Release,
	plan: &[bool],
	listed: &'a Listed,
) -> Result<Findings<'a>, String> {
	let mut f =
		Findings { listed, asked: 0, pairs: 0, covered: 0, wordless: 0, wrong: BTreeMap::new() };
	let fresh = Agent::load(&app.policy, engine)?;
	let mut agent = fresh.clone();
	let (mut seen, mut plan) = (HashSet::new(), plan.iter());
	for (n, step) in app.steps.iter().enumerate().filter(|(_, s)| !s.optional) {
		if seen.insert(shape(step)) {
			values(&mut agent, step, &mut plan, &mut f);
		}
		let a = agent.ask(&step.kind, &step.request);
		if !a.allowed {
			return Err(format!("step {n}, {} {}: denied: {}", step.kind, step.container, a.why()));
		}
	}
	order::audit(app, &fresh, &mut f);
	files::audit(app, &fresh, &mut f)?;
	Ok(f)
}

/// Steps that ask the same thing of the policy are mutated once.
fn shape(step: &Step) -> String {
	let detail = match step.kind.as_str() {
		"CopyFileRequest" => {
			step.request["path"].as_str().map_or("", |p| &p[SHARED.len() + 82..]).to_string()
				+ &step.request["file_type"].to_string()
		}
		"ExecProcessRequest" => step.request["process"]["Args"].to_string(),
		_ => String::new(),
	};
	format!("{} {} {detail}", step.kind, step.container)
}

fn values(agent: &mut Agent, step: &Step, plan: &mut std::slice::Iter<bool>, f: &mut Findings) {
	mutate::each(&mut step.request.clone(), &mut |path, op, wrong| {
		if plan.next() != Some(&true) {
			return;
		}
		let a = agent.judge(&step.kind, wrong);
		f.wordless += usize::from(!a.allowed && a.words.is_empty());
		if a.allowed {
			f.note(
				true,
				&step.kind,
				&labelled(&step.request, path),
				if hides(wrong) { "hide" } else { op },
			);
		} else {
			f.note(false, &step.kind, path, op);
		}
	});
}
