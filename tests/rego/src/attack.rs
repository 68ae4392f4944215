//! Attacks: a life cycle up to some point, then a wrong request or a sequence of them. One of them must be denied, in
//! words that name the guarantee, the field, what was expected and what was found.

use crate::{
	agent::{Agent, Release},
	life::{self, App},
	patch, read,
	sim::{Step, SHARED},
	tally::Tally,
	Opts,
};
use regex::Regex;
use serde_json::Value as Json;
use std::collections::{BTreeMap, HashMap};

/// `ctr-rego attack APPS ATTACKS.json --images DIR`; an attack with `modern` is meant for one of the profiles.
pub fn run(o: &Opts) -> Result<bool, String> {
	let attacks: Vec<Json> = serde_json::from_str(&read(o.operand(1)?)?)
		.map_err(|e| format!("{}: {e}", o.operands[1]))?;
	let mut tally = Tally::default();
	let mut apps: HashMap<String, Vec<(App, Lived)>> = HashMap::new();
	for attack in &attacks {
		let name = attack["app"].as_str().ok_or(format!("attack without app: {attack}"))?;
		if !apps.contains_key(name) {
			let own = life::apps(o, &std::path::Path::new(o.operand(0)?).join(name))?;
			apps.insert(name.into(), own.into_iter().map(|a| (a, Lived::default())).collect());
		}
		let one = attack["modern"].as_bool();
		let mine = apps.get_mut(name).into_iter().flatten();
		for (app, lived) in mine.filter(|(a, _)| one.is_none_or(|m| m == a.modern)) {
			let title = format!(
				"{}: guarantee {}: {}",
				app.title(),
				attack["guarantee"],
				attack["name"].as_str().unwrap_or_default()
			);
			let repels = |r: Release| r.check(|r| repelled(app, lived, attack, r));
			tally.check(&title, o.engines().into_iter().try_for_each(repels));
		}
	}
	Ok(tally.close())
}

/// Agents that have lived up to some step, for attacks to go on from.
#[derive(Default)]
struct Lived(HashMap<Release, BTreeMap<usize, Agent>>);

impl Lived {
	fn until(&mut self, at: usize, app: &App, engine: Release) -> Result<Agent, String> {
		let known = self.0.entry(engine).or_default();
		let (from, mut agent) = match known.range(..=at).next_back() {
			Some((n, agent)) => (*n, agent.clone()),
			None => (0, Agent::load(&app.policy, engine)?),
		};
		for step in app.steps[from..at].iter().filter(|s| !s.optional) {
			let a = agent.ask(&step.kind, &step.request);
			if !a.allowed {
				return Err(format!("before the attack: {} denied: {}", step.kind, a.why()));
			}
		}
		known.insert(at, agent.clone());
		Ok(agent)
	}
}

fn repelled(app: &App, lived: &mut Lived, attack: &Json, engine: Release) -> Result<(), String> {
	let at = position(app, &attack["at"])?;
	let mut agent = lived.until(at, app, engine)?;
	let one = [attack.clone()];
	for item in attack["sequence"].as_array().map_or(&one[..], Vec::as_slice) {
		let (kind, request) = form(app, at, item)?;
		let a = agent.ask(&kind, &request);
		if item["setup"] == true && !a.allowed {
			return Err(format!("before the attack: {kind} denied: {}", a.why()));
		}
		if !a.allowed {
			return readable(&a.words, &request)
				.and_then(|()| named(&a.words, &attack["reason"]))
				.map_err(|e| format!("{e}: {}", a.why()));
		}
	}
	Err("allowed (expected denied)".into())
}

/// The index of the step that a selector names: {"kind", "container"?, "has"?, "nth"?}; the last one is nth -1.
fn position(app: &App, at: &Json) -> Result<usize, String> {
	let fits = |s: &Step| {
		at["kind"] == s.kind.as_str()
			&& at["container"].as_str().is_none_or(|c| c == s.container)
			&& at["has"].as_str().is_none_or(|h| s.request.to_string().contains(h))
	};
	let found: Vec<usize> =
		app.steps.iter().enumerate().filter(|(_, s)| fits(s)).map(|(n, _)| n).collect();
	let nth = at["nth"].as_i64().unwrap_or(0);
	let index = if nth < 0 { found.len() as i64 + nth } else { nth };
	found.get(index as usize).copied().ok_or(format!("broken attack: no step {at}"))
}

/// The request of an item: one of the life's or one given in full, patched.
fn form(app: &App, at: usize, item: &Json) -> Result<(String, Json), String> {
	let from = if item["at"].is_null() { at } else { position(app, &item["at"])? };
	let step = &app.steps[from];
	let kind = item["kind"].as_str().unwrap_or(&step.kind).to_string();
	let mut request = item.get("request").cloned().unwrap_or_else(|| step.request.clone());
	if item.get("request").is_some() {
		fill(&mut request, app, &step.request, "");
	}
	for op in item["patch"].as_array().into_iter().flatten() {
		request =
			patched(app, &step.request, &request, op).map_err(|e| format!("broken attack: {e}"))?;
	}
	Ok((kind, request))
}

/// RFC 6902, with three conveniences: a path's `?text` is the first element that holds the text, values may name what
/// the life has chosen (`${id}`, `${old}` …; `${spent:NAME}` is an id that was created and never started), and `sub`
/// replaces a part of a string.
fn patched(app: &App, original: &Json, request: &Json, op: &Json) -> Result<Json, String> {
	let mut op = op.clone();
	for key in ["path", "from"] {
		if let Some(path) = op[key].as_str().filter(|p| p.starts_with('/')) {
			op[key] = resolve(request, path)?.into();
		}
	}
	let old = op["path"]
		.as_str()
		.and_then(|p| request.pointer(p))
		.and_then(Json::as_str)
		.unwrap_or_default()
		.to_string();
	if op["op"] == "sub" {
		let (from, to) =
			(op["from"].as_str().unwrap_or_default(), op["to"].as_str().unwrap_or_default());
		if from.is_empty() || !old.contains(from) {
			return Err(format!("{op}: nothing to replace"));
		}
		op = serde_json::json!({"op": "replace", "path": op["path"], "value": old.replace(from, to)});
	}
	fill(&mut op["value"], app, original, &old);
	let changed = patch::patched(request, &[op.clone()])?;
	if changed == *request {
		return Err(format!("{op}: changes nothing"));
	}
	Ok(changed)
}

fn resolve(request: &Json, path: &str) -> Result<String, String> {
	let (mut at, mut out) = (Some(request), Vec::new());
	for token in patch::tokens(path)? {
		let token = match (token.strip_prefix('?'), at.and_then(Json::as_array)) {
			(Some(text), Some(list)) => {
				let n = list.iter().position(|e| e.to_string().contains(text));
				n.ok_or(format!("{path}: no element with {text}"))?.to_string()
			}
			_ => token,
		};
		let next = patch::pointer(std::slice::from_ref(&token));
		at = at.and_then(|v| v.pointer(&next));
		out.push(token);
	}
	Ok(patch::pointer(&out))
}

/// Puts what the life has chosen into the strings of a value.
fn fill(value: &mut Json, app: &App, original: &Json, old: &str) {
	match value {
		Json::String(s) if s.contains("${") => {
			let id_of = |name: &str| {
				app.steps
					.iter()
					.filter(|s| s.kind == "StartContainerRequest" && s.container == name)
					.find_map(|s| s.request["container_id"].as_str())
			};
			let spent = |name: &str| {
				app.steps
					.iter()
					.filter(|s| s.kind == "CreateContainerRequest" && s.container == name)
					.find(|s| !app.started(s))
					.and_then(|s| s.request["container_id"].as_str())
			};
			let own = original["container_id"]
				.as_str()
				.or(original["path"].as_str().and_then(|p| p.strip_prefix(SHARED)?.get(..64)));
			let ip = app
				.steps
				.iter()
				.find_map(|s| s.request.pointer("/interface/IPAddresses/0/address")?.as_str());
			let mut text = s
				.replace("${old}", old)
				.replace("${ip}", ip.unwrap_or_default())
				.replace("${id}", own.unwrap_or_default())
				.replace("${sandbox}", id_of("").unwrap_or_default());
			for name in app.steps.iter().map(|s| &s.container) {
				text = text.replace(&format!("${{id:{name}}}"), id_of(name).unwrap_or_default());
				text = text.replace(&format!("${{spent:{name}}}"), spent(name).unwrap_or_default());
			}
			*s = text;
		}
		Json::Array(a) => a.iter_mut().for_each(|v| fill(v, app, original, old)),
		Json::Object(m) => m.values_mut().for_each(|v| fill(v, app, original, old)),
		_ => (),
	}
}

/// A denial is one line below 300 characters in the agreed form, and shows no value of an environment variable.
pub fn readable(words: &str, request: &Json) -> Result<(), String> {
	let form = "^(sandbox|identity|image|process|user|env|mounts|storages?|devices|linux|order|exec|stdin|logs|files|network|call): [^\n]+: expected [^\n]+, found [^\n]+$";
	if !Regex::new(form).is_ok_and(|r| r.is_match(words)) {
		return Err("words are not of the form `WORD: FIELD: expected X, found Y`".into());
	}
	if words.chars().count() >= 300 {
		return Err(format!("{} characters of words (expected below 300)", words.chars().count()));
	}
	let process =
		if request["process"].is_null() { &request["OCI"]["Process"] } else { &request["process"] };
	let values = process["Env"]
		.as_array()
		.into_iter()
		.flatten()
		.filter_map(|e| e.as_str()?.split_once('=').map(|(_, v)| v));
	match values
		.into_iter()
		.find(|v| v.len() > 5 && words.starts_with("env: ") && words.contains(v))
	{
		Some(_) => Err("words show the value of an environment variable".into()),
		None => Ok(()),
	}
}

fn named(words: &str, reason: &Json) -> Result<(), String> {
	let reason = reason.as_str().ok_or("broken attack: no reason")?;
	match Regex::new(reason).map_err(|e| format!("broken attack: {e}"))?.is_match(words) {
		true => Ok(()),
		false => Err(format!("denied for another reason than {reason}")),
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use serde_json::json;

	#[test]
	fn words() {
		let request = json!({"OCI": {"Process": {"Env": ["A=hunter2", "B=x"]}}});
		assert_eq!(readable("env: Process.Env[A]: expected unset, found set", &request), Ok(()));
		for wrong in [
			"",
			"denied",
			"env: A: expected x",
			"other: A: expected x, found y",
			"env: A: expected x, found y\n",
			"env: A: expected x, found hunter2",
			&format!("env: A: expected x, found {}", "y".repeat(300)),
		] {
			assert!(readable(wrong, &request).is_err(), "{wrong}");
		}
	}
}
