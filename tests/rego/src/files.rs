//! Copied files as sequences: whatever pairs of requests the policy allows, in the guest no file may leave its volume.

use crate::{
	agent::Agent,
	audit::Findings,
	guest::{self, Guest},
	life::App,
	sim::{Step, SHARED},
};
use serde_json::{json, Value as Json};
use std::collections::BTreeSet;

const TIME: &str = "..2026_08_22_10_04_14.370457833";
const TARGETS: [&str; 13] = [
	"",
	".",
	"..",
	"/",
	"..data",
	TIME,
	"../..",
	"..data/..",
	"..data/../..",
	"..2026_08_22_10_04_14.370457833/..",
	"sub",
	"..data/sub",
	"x",
];

/// A policy that allows more than this of the alphabet is no policy; its pairs are too many to try.
const LIMIT: usize = 1000;

/// Before each container is created and while it runs.
pub fn audit(app: &App, fresh: &Agent, f: &mut Findings) -> Result<(), String> {
	let mut agent = fresh.clone();
	let mut names = BTreeSet::new();
	for step in app.steps.iter().filter(|s| !s.optional) {
		let first = step.kind == "CreateContainerRequest" && names.insert(&step.container);
		if first {
			pairs(app, step, &agent, f);
		}
		agent.ask(&step.kind, &step.request);
		if first {
			pairs(app, step, &agent, f);
			frozen(app, step, &mut agent, f);
		}
	}
	Ok(())
}

fn pairs(app: &App, step: &Step, agent: &Agent, f: &mut Findings) {
	let all = alphabet(app, step);
	let allowed = |agent: &mut Agent| -> Vec<usize> {
		(0..all.len()).filter(|n| agent.judge("CopyFileRequest", &all[*n]).allowed).collect()
	};
	let singles = allowed(&mut agent.clone());
	f.asked += all.len();
	if singles.len() > LIMIT {
		f.wrong.insert(
			format!(
				"files: {} of {} copies allowed (expected at most {LIMIT})",
				singles.len(),
				all.len()
			),
			singles.len(),
		);
		return;
	}
	for first in &singles {
		let mut after = agent.clone();
		after.ask("CopyFileRequest", &all[*first]);
		let seconds =
			if after.state() == agent.state() { singles.clone() } else { allowed(&mut after) };
		f.pairs += seconds.len();
		for second in seconds {
			let mut guest = Guest::default();
			let broken = [&all[*first], &all[second]].iter().find_map(|r| {
				let Some((path, kind, target)) = guest::fields(r) else {
					return Some("is outside".to_string());
				};
				guest.copy(path, kind, target).err()
			});
			if let Some(why) = broken {
				let show = |r: &Json| {
					format!(
						"{} {} {}",
						r["file_type"],
						r["path"].as_str().unwrap_or_default().replace(SHARED, ""),
						r["symlink_target"]
					)
				};
				*f.wrong
					.entry(format!(
						"files: {}, then {}: {why}",
						show(&all[*first]),
						show(&all[second])
					))
					.or_default() += 1;
			}
		}
	}
}

/// Everything that may be tried in the volumes of a container, as directory, file, and link to each target.
fn alphabet(app: &App, step: &Step) -> Vec<Json> {
	let id = step.request["container_id"].as_str().unwrap_or_default();
	let copies = app.steps.iter().filter(|s| s.kind == "CopyFileRequest");
	let paths = copies
		.filter_map(|s| Some((s.request["path"].as_str()?.strip_prefix(SHARED)?, s)))
		.filter(|(p, _)| p.starts_with(id));
	let (mut bases, mut atomic): (BTreeSet<&str>, BTreeSet<&str>) = Default::default();
	let mut keys: BTreeSet<&str> = ["sub", "x"].into();
	for (path, s) in paths {
		let (base, key) = path.split_once('/').unwrap_or((path, ""));
		bases.insert(base);
		if s.request["file_type"] == "Symlink" {
			keys.insert(key);
			atomic.insert(base);
		}
	}
	let mut targets: BTreeSet<String> = TARGETS.iter().map(|t| t.to_string()).collect();
	targets.extend(bases.iter().take(2).map(|b| format!("../{b}")));
	targets.extend(keys.iter().map(|k| format!("..data/{k}")));
	let mut all = Vec::new();
	for base in &bases {
		let mut inner = vec![String::new(), "/..".into(), "/x".into()];
		if atomic.contains(base) {
			inner.extend([
				format!("/{TIME}"),
				"/..data".into(),
				format!("/{TIME}/sub/x"),
				"/..data/sub/x".into(),
			]);
		}
		for k in keys.iter().filter(|_| atomic.contains(base)) {
			inner.extend(
				["", TIME, "..data", "sub", "x"].map(|d| format!("/{d}/{k}").replace("//", "/")),
			);
		}
		inner.sort();
		inner.dedup();
		for path in inner.iter().map(|i| format!("{SHARED}{base}{i}")) {
			let request = |kind: &str, target: Json, mode: u32| {
				json!({"path": path, "file_type": kind, "symlink_target": target, "file_size": 0, "file_mode": mode,
				"dir_mode": 2147484136u64, "uid": 0, "gid": 0, "offset": 0})
			};
			all.push(request("Directory", Json::Null, 0o040755));
			all.push(request("Regular", Json::Null, 0o100644));
			all.extend(targets.iter().map(|t| request("Symlink", json!(t), 0o120777)));
		}
	}
	all
}

/// Once a container is created, only what Kubernetes updates may still be copied.
fn frozen(app: &App, step: &Step, agent: &mut Agent, f: &mut Findings) {
	let id = step.request["container_id"].as_str().unwrap_or_default();
	let copies: Vec<&Json> =
		app.steps.iter().filter(|s| s.kind == "CopyFileRequest").map(|s| &s.request).collect();
	let base = |r: &Json| {
		r["path"]
			.as_str()
			.and_then(|p| p[SHARED.len()..].split('/').next())
			.unwrap_or_default()
			.to_string()
	};
	let updated: BTreeSet<String> =
		copies.iter().filter(|r| r["file_type"] == "Symlink").map(|r| base(r)).collect();
	for r in copies.iter().filter(|r| base(r).starts_with(id) && !updated.contains(&base(r))) {
		let allowed = agent.judge("CopyFileRequest", r).allowed;
		f.note(allowed, "CopyFileRequest", &[base(r)[82..].to_string()], "frozen");
	}
}
