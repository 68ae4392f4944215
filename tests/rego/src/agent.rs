//! The agent's side of a policy: loads it into the engine, asks it, keeps the state between requests.

use crate::patch;
use serde_json::{json, Value as Json};

/// What became of a request. `words` is all that the policy printed, as it stands in the denial.
pub struct Answer {
	pub allowed: bool,
	pub words: String,
	/// Why there was no proper answer: undefined, an evaluation error, a patch that failed.
	pub fault: Option<String>,
}

impl Answer {
	/// One line for a person.
	pub fn why(&self) -> String {
		match &self.fault {
			Some(f) => {
				format!("{} [{}]", self.words, f.split_whitespace().collect::<Vec<_>>().join(" "))
			}
			None => self.words.clone(),
		}
	}
}

/// Which engine an agent has: today's, or that of agents from before April 2026.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum Release {
	New,
	Old,
}

impl Release {
	pub const ALL: [Release; 2] = [Release::New, Release::Old];

	/// Runs a check, and says in its failure if the engine was the older one.
	pub fn check<T>(self, run: impl FnOnce(Release) -> Result<T, String>) -> Result<T, String> {
		run(self).map_err(|e| match self {
			Release::New => e,
			Release::Old => format!("older engine: {e}"),
		})
	}
}

#[derive(Clone)]
enum Engine {
	New(regorus::Engine),
	Old(regorus_old::Engine),
}

/// The two have one interface in two crates: evaluates an expression with `$e` as the engine and `rego` as its crate.
macro_rules! with {
	($engine:expr, $e:ident => $do:expr) => {
		match $engine {
			Engine::New($e) => {
				#[allow(unused_imports)]
				use regorus as rego;
				$do
			}
			Engine::Old($e) => {
				#[allow(unused_imports)]
				use regorus_old as rego;
				$do
			}
		}
	};
}

#[derive(Clone)]
pub struct Agent {
	engine: Engine,
	data: Json,
}

impl Agent {
	/// Fails if the engine refuses the text, or if the policy would let failing requests pass.
	pub fn load(policy: &str, release: Release) -> Result<Agent, String> {
		let mut engine = match release {
			Release::New => Engine::New(regorus::Engine::new()),
			Release::Old => Engine::Old(regorus_old::Engine::new()),
		};
		let package = with!(&mut engine, e => {
			e.set_strict_builtin_errors(false); // as the agent does: a builtin that fails is undefined
			e.set_gather_prints(true);
			e.add_policy("agent_policy".into(), policy.into()).map_err(|e| e.to_string())?
		});
		if package != "data.agent_policy" {
			return Err(format!("package is {package} (expected data.agent_policy)"));
		}
		let mut agent = Agent { engine, data: Json::Null };
		agent.set_data(json!({"pstate": {}}))?;
		match agent.query("AllowRequestsFailingPolicy", &json!({}))? {
			None | Some(Json::Bool(false)) => Ok(agent),
			Some(v) => Err(format!("AllowRequestsFailingPolicy is {v} (expected false)")),
		}
	}

	/// Asks and, if allowed, takes over the state that the policy wants.
	pub fn ask(&mut self, kind: &str, request: &Json) -> Answer {
		let (mut answer, data) = self.answer(kind, request);
		if let Some(Err(e)) = data.map(|d| self.set_data(d)) {
			answer = Answer { allowed: false, fault: Some(e), ..answer };
		}
		answer
	}

	/// Asks, but leaves the state alone.
	pub fn judge(&mut self, kind: &str, request: &Json) -> Answer {
		self.answer(kind, request).0
	}

	pub fn state(&self) -> &Json {
		&self.data
	}

	fn answer(&mut self, kind: &str, request: &Json) -> (Answer, Option<Json>) {
		let value = self.query(kind, request);
		let words = with!(&mut self.engine, e => e.take_prints().unwrap_or_default());
		let words = words.iter().map(|w| printed(w)).collect::<Vec<_>>().join(" ");
		match value.and_then(|v| self.meaning(v)) {
			Ok((allowed, data)) => (Answer { allowed, words, fault: None }, data),
			Err(e) => (Answer { allowed: false, words, fault: Some(e) }, None),
		}
	}

	/// Allowed or not, and the new state if it changes.
	fn meaning(&self, value: Option<Json>) -> Result<(bool, Option<Json>), String> {
		let value = value.ok_or("undefined")?;
		match (&value, value.get("allowed"), value.get("ops")) {
			(Json::Bool(b), ..) => Ok((*b, None)),
			(_, Some(Json::Bool(b)), None | Some(Json::Null)) => Ok((*b, None)),
			(_, Some(Json::Bool(false)), Some(Json::Array(_))) => Ok((false, None)),
			(_, Some(Json::Bool(true)), Some(Json::Array(ops))) => {
				Ok((true, Some(patch::patched(&self.data, ops)?)))
			}
			_ => Err(format!("unfit answer {value}")),
		}
	}

	/// The value of an entry point, None if it is undefined.
	fn query(&mut self, kind: &str, request: &Json) -> Result<Option<Json>, String> {
		with!(&mut self.engine, e => {
			e.set_input(request.clone().into());
			let results = e.eval_query(format!("data.agent_policy.{kind}"), false);
			match results.map_err(|e| e.to_string())?.result.as_slice() {
				[r] => match r.expressions.as_slice() {
					[e] if e.value == rego::Value::Undefined => Ok(None),
					[e] => serde_json::to_value(&e.value).map(Some).map_err(|e| e.to_string()),
					_ => Err("more than one expression".into()),
				},
				_ => Ok(None),
			}
		})
	}

	fn set_data(&mut self, data: Json) -> Result<(), String> {
		with!(&mut self.engine, e => {
			e.clear_data();
			e.add_data(data.clone().into()).map_err(|e| e.to_string())?;
		});
		self.data = data;
		Ok(())
	}
}

/// The engine puts source and line in front of what it gathers; only the text is of interest here.
fn printed(line: &str) -> &str {
	line.splitn(3, ':').nth(2).map_or(line, str::trim_start)
}

#[cfg(test)]
mod tests {
	use super::*;

	const HEAD: &str =
		"package agent_policy\nimport rego.v1\ndefault AllowRequestsFailingPolicy := false\n";

	fn each(rules: &str, test: impl Fn(Agent)) {
		for r in Release::ALL {
			test(Agent::load(&format!("{HEAD}{rules}"), r).unwrap());
		}
	}

	#[test]
	fn answers() {
		let rules =
			"T := true\nF := false\nO := {\"allowed\": true}\nX := 1\nY := {\"allowed\": 1}\n";
		each(rules, |mut a| {
			for (kind, allowed, fault) in [
				("T", true, false),
				("F", false, false),
				("O", true, false),
				("X", false, true),
				("Y", false, true),
				("None", false, true),
			] {
				let r = a.ask(kind, &json!({}));
				assert_eq!((r.allowed, r.fault.is_some()), (allowed, fault), "{kind}: {}", r.why());
			}
		});
	}

	#[test]
	fn state_and_words() {
		let op = |op: &str, rest: &str| {
			format!("{{\"allowed\": true, \"ops\": [{{\"op\": \"{op}\", \"path\": \"/pstate/a\"{rest}}}]}}\n")
		};
		let guard = "default G := false\nG if data.pstate.a == 1\nG if {\n\tprint(\"order: x:\", 1, \"y\")\n\tfalse\n}\n";
		let (add, remove) = (op("add", ", \"value\": input.v"), op("remove", ""));
		each(&format!("A := {add}R := {remove}{guard}"), |mut a| {
			assert_eq!(a.ask("G", &json!({})).words, "order: x: 1 y");
			assert!(!a.ask("R", &json!({})).allowed);
			assert!(a.judge("A", &json!({"v": 1})).allowed && !a.judge("G", &json!({})).allowed);
			assert!(a.ask("A", &json!({"v": 1})).allowed && a.ask("G", &json!({})).allowed);
			assert!(a.ask("R", &json!({})).allowed && a.state() == &json!({"pstate": {}}));
		});
	}

	#[test]
	fn failing_builtins_are_undefined() {
		each("U if to_number(\"x\")\nN if not to_number(\"x\")\n", |mut a| {
			assert!(!a.ask("U", &json!({})).allowed && a.ask("N", &json!({})).allowed);
		});
	}

	#[test]
	fn refuses_to_load() {
		let fails = |text: &str| Release::ALL.iter().all(|r| Agent::load(text, *r).is_err());
		assert!(fails("package agent_policy\nAllowRequestsFailingPolicy := true\n"));
		assert!(fails("package other\nX := true\n"));
		// The older engine has no limit there.
		let long = format!("{HEAD}X := \"{}\"\n", "a".repeat(1100));
		assert!(Agent::load(&long, Release::New).is_err());
	}
}
