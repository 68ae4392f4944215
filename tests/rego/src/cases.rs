//! Replays cases: requests with the answer that any correct policy for the pod beside them gives.

use crate::{
	agent::{Agent, Release},
	generate, kube, read,
	tally::Tally,
	Opts,
};
use serde_json::Value as Json;
use std::path::Path;

pub fn run(o: &Opts) -> Result<bool, String> {
	let dir = Path::new(o.operand(0)?);
	let entries = std::fs::read_dir(dir).map_err(|e| format!("{}: {e}", dir.display()))?;
	let mut folders: Vec<_> =
		entries.flatten().map(|e| e.path()).filter(|p| p.join("testcases.json").exists()).collect();
	folders.sort();
	let mut tally = Tally::default();
	for folder in folders {
		let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
		if let Err(e) = replay(o, &folder, &name, &mut tally) {
			tally.check(&name, Err(e));
		}
	}
	Ok(tally.close())
}

fn replay(o: &Opts, folder: &Path, name: &str, tally: &mut Tally) -> Result<(), String> {
	let text = read(folder.join("testcases.json"))?;
	let script: Json = serde_json::from_str(&text).map_err(|e| format!("testcases.json: {e}"))?;
	let yaml = generate::annotated(o, &["--skip-initializer".into()], &generate::inputs(folder)?)?;
	let policy = generate::policy(only_pod(&kube::pods(&kube::documents(&yaml)?))?)?;
	let cases = script["cases"].as_array().ok_or("testcases.json: no cases")?;
	let mut results = vec![Ok(()); cases.len()];
	for engine in o.engines() {
		let answers = engine.check(|e| answers(&policy, e, &script["setup"], cases))?;
		for (result, answer) in results.iter_mut().zip(answers) {
			*result = std::mem::replace(result, Ok(())).and(engine.check(|_| answer));
		}
	}
	for (case, result) in cases.iter().zip(results) {
		let label = format!("{name}: {}", case["description"].as_str().unwrap_or_default());
		tally.check(&label, result);
	}
	Ok(())
}

type Answers = Vec<Result<(), String>>;

/// How the cases went with one engine. Fails if the requests that come before them are denied.
fn answers(policy: &str, engine: Release, setup: &Json, cases: &[Json]) -> Result<Answers, String> {
	let fresh = Agent::load(policy, engine)?;
	let mut agent = fresh.clone();
	let mut all = Vec::new();
	for case in cases {
		if case["continue"] != true {
			agent = fresh.clone();
			for step in setup.as_array().into_iter().flatten() {
				let a = agent.ask(step["kind"].as_str().unwrap_or_default(), &step["request"]);
				if !a.allowed {
					return Err(format!("setup {} denied: {}", step["kind"], a.why()));
				}
			}
		}
		let a = agent.ask(case["kind"].as_str().unwrap_or_default(), &case["request"]);
		let right = case["allowed"].as_bool().ok_or("testcases.json: case without answer")?;
		all.push(match a.allowed {
			allowed if allowed == right => Ok(()),
			true => Err("allowed (expected denied)".into()),
			false => Err(format!("denied: {}", a.why())),
		});
	}
	Ok(all)
}

fn only_pod(pods: &[kube::Pod]) -> Result<&kube::Pod, String> {
	match pods {
		[pod] => Ok(pod),
		_ => Err(format!("{} pods (expected one)", pods.len())),
	}
}
