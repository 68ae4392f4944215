//! Replays cases: requests with the answer that any correct policy for the pod beside them gives.

use crate::{agent::Agent, generate, kube, read, tally::Tally, Opts};
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
	let fresh = Agent::load(&generate::policy(only_pod(&kube::pods(&kube::documents(&yaml)?))?)?)?;
	let mut agent = fresh.clone();
	for case in script["cases"].as_array().ok_or("testcases.json: no cases")? {
		if case["continue"] != true {
			agent = fresh.clone();
			for step in script["setup"].as_array().into_iter().flatten() {
				let a = agent.ask(step["kind"].as_str().unwrap_or_default(), &step["request"]);
				if !a.allowed {
					return Err(format!("setup {} denied: {}", step["kind"], a.why()));
				}
			}
		}
		let a = agent.ask(case["kind"].as_str().unwrap_or_default(), &case["request"]);
		let right = case["allowed"].as_bool().ok_or("testcases.json: case without answer")?;
		let wrong = || {
			if a.allowed {
				"allowed (expected denied)".into()
			} else {
				format!("denied: {}", a.why())
			}
		};
		let label = format!("{name}: {}", case["description"].as_str().unwrap_or_default());
		tally.check(&label, if a.allowed == right { Ok(()) } else { Err(wrong()) });
	}
	Ok(())
}

fn only_pod(pods: &[kube::Pod]) -> Result<&kube::Pod, String> {
	match pods {
		[pod] => Ok(pod),
		_ => Err(format!("{} pods (expected one)", pods.len())),
	}
}
