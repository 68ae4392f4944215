//! The mutation audit: every request that differs from a right one, and every sequence that does, is to be denied, save
//! what allowed-mutations.json lists with a reason.

use crate::{agent::Agent, files, life::{self, App}, mutate, patch, read, sim::Step, tally::Tally, Opts};
use serde_json::Value as Json;
use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::Mutex;

/// Requests whose order matters.
const ORDERED: [&str; 9] = ["UpdateInterfaceRequest", "UpdateRoutesRequest", "AddARPNeighborsRequest", "CreateSandboxRequest", "CopyFileRequest",
	"CreateContainerRequest", "ExecProcessRequest", "RemoveContainerRequest", "DestroySandboxRequest"];

/// The reviewed list: kind, path and op are patterns, `*` for one part and `**` at the end for the rest.
pub struct Listed {
	entries: Vec<(Json, AtomicUsize)>,
}

impl Listed {
	fn load(file: &str) -> Result<Listed, String> {
		let list: Vec<Json> = serde_json::from_str(&read(file)?).map_err(|e| format!("{file}: {e}"))?;
		match list.iter().find(|e| e["reason"].as_str().is_none_or(str::is_empty)) {
			Some(e) => Err(format!("{file}: no reason: {e}")),
			None => Ok(Listed { entries: list.into_iter().map(|e| (e, AtomicUsize::new(0))).collect() }),
		}
	}

	fn covers(&self, kind: &str, path: &[String], op: &str) -> bool {
		let hit = self.entries.iter().find(|(e, _)| {
			let text = |k: &str| e[k].as_str().unwrap_or_default();
			let words = |k: &str, word: &str| text(k) == "*" || text(k).split_whitespace().any(|w| w == word);
			words("kind", kind) && words("op", op) && fits(&patch::tokens(text("path")).unwrap_or_default(), path)
		});
		hit.map(|(_, n)| n.fetch_add(1, Relaxed)).is_some()
	}
}

fn fits(pattern: &[String], path: &[String]) -> bool {
	match (pattern.split_first(), path.split_first()) {
		(None, None) => true,
		(Some((p, [])), _) if p == "**" => true,
		(Some((p, pattern)), Some((t, path))) => (p == "*" || p == t) && fits(pattern, path),
		_ => false,
	}
}

/// What was asked of one application, and what should not have been allowed, each once with its number.
pub struct Findings<'a> {
	listed: &'a Listed,
	pub asked: usize,
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
			let starred: Vec<&str> = path.iter().map(|t| if t.bytes().all(|b| b.is_ascii_digit()) { "*" } else { t }).collect();
			*self.wrong.entry(format!("{kind} {} {op}: allowed (expected denied)", patch::pointer(&starred))).or_default() += 1;
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
	let (next, reports) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
	std::thread::scope(|s| {
		for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
			s.spawn(|| {
				while let Some((n, app)) = Some(next.fetch_add(1, Relaxed)).and_then(|n| Some((n, apps.get(n)?))) {
					let report = audit(app, &listed);
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
	let unused = listed.entries.iter().filter(|(_, n)| n.load(Relaxed) == 0 && o.operands.len() == 2);
	unused.for_each(|(e, _)| tally.check(&o.operands[1], Err(format!("matches nothing: {e}"))));
	Ok(tally.close())
}

fn summarise(app: &App, f: &Findings, tally: &mut Tally) {
	println!("{}: {} wrong requests, {} allowed as listed, {} denied without words", app.title(), f.asked, f.covered, f.wordless);
	f.wrong.iter().for_each(|(what, n)| println!("not ok: {}: {what} ({n})", app.title()));
	let failed: usize = f.wrong.values().sum();
	tally.add(f.asked - failed, failed);
}

fn audit<'a>(app: &App, listed: &'a Listed) -> Result<Findings<'a>, String> {
	let mut f = Findings { listed, asked: 0, covered: 0, wordless: 0, wrong: BTreeMap::new() };
	let fresh = Agent::load(&app.policy)?;
	let mut agent = fresh.clone();
	let (mut seen, mut before) = (HashSet::new(), None::<(Agent, &Step)>);
	for (n, step) in app.steps.iter().enumerate().filter(|(_, s)| !s.optional) {
		let ordered = ORDERED.contains(&step.kind.as_str());
		if seen.insert(shape(step)) {
			values(&mut agent, step, &mut f);
			if let (true, Some((earlier, other))) = (ordered, &mut before) {
				f.note(earlier.judge(&step.kind, &step.request).allowed, &step.kind, &[other.kind.clone()], "early");
			}
		}
		let earlier = agent.clone();
		let a = agent.ask(&step.kind, &step.request);
		if !a.allowed {
			return Err(format!("step {n}, {} {}: denied: {}", step.kind, step.container, a.why()));
		}
		if ordered {
			f.note(agent.judge(&step.kind, &step.request).allowed, &step.kind, &[], "repeat");
			before = Some((earlier, step));
		}
	}
	shortened(app, &fresh, &mut f);
	files::audit(app, &fresh, &mut f)?;
	Ok(f)
}

/// Steps that ask the same thing of the policy are mutated once.
fn shape(step: &Step) -> String {
	let detail = match step.kind.as_str() {
		"CopyFileRequest" => step.request["path"].as_str().map_or("", |p| &p[crate::sim::SHARED.len() + 82..]).to_string() + &step.request["file_type"].to_string(),
		"ExecProcessRequest" => step.request["process"]["Args"].to_string(),
		_ => String::new(),
	};
	format!("{} {} {detail}", step.kind, step.container)
}

fn values(agent: &mut Agent, step: &Step, f: &mut Findings) {
	let mut request = step.request.clone();
	mutate::each(&mut request, &mut |path, op, wrong| {
		let a = agent.judge(&step.kind, wrong);
		f.wordless += usize::from(!a.allowed && a.words.is_empty());
		f.note(a.allowed, &step.kind, path, op);
	});
}

/// Leaves out CreateSandbox, the sandbox container or an init container: the next creation is to be denied.
fn shortened(app: &App, fresh: &Agent, f: &mut Findings) {
	let creations: Vec<&str> = app.steps.iter().filter(|s| s.kind == "CreateContainerRequest").map(|s| s.container.as_str()).collect();
	let first_app = creations.iter().position(|c| app.first_container == *c).unwrap_or(0);
	let mut without: Vec<(&str, &str)> = vec![("", "CreateSandboxRequest")];
	without.extend(creations[..first_app].iter().map(|c| (*c, "CreateContainerRequest")));
	for (container, kind) in without {
		let mut agent = fresh.clone();
		let skipped = |s: &Step| s.container == container && (kind == s.kind || kind == "CreateContainerRequest" && s.request["container_id"].is_string());
		let (mut gone, mut allowed) = (false, true);
		for s in app.steps.iter().filter(|s| !s.optional) {
			if skipped(s) {
				gone = true;
				continue;
			}
			allowed = agent.ask(&s.kind, &s.request).allowed;
			if gone && s.kind == "CreateContainerRequest" {
				break;
			}
		}
		f.note(allowed, kind, &[container.to_string()], "skip");
	}
}
