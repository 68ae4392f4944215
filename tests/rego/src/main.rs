//! Judges the policies of ctr-policygen with the engine that the Kata agent runs; tests/rego/run builds and calls it.

mod agent;
mod attack;
mod audit;
mod cases;
mod check;
mod files;
mod generate;
mod guest;
mod images;
mod kube;
mod life;
mod mutate;
mod order;
mod patch;
mod sim;
mod tally;
mod tar;

use agent::{Agent, Release};
use serde_json::{json, Value as Json};
use std::process::ExitCode;

const USAGE: &str = "usage: ctr-rego cases DIR --images DIR                    requests with stated answers
       ctr-rego life APPS --images DIR [NAME...]            whole lives of applications are allowed
       ctr-rego attack APPS ATTACKS --images DIR            attacks are denied for the right reason
       ctr-rego audit APPS ALLOWED --images DIR [NAME...]   whatever is not right is denied
       ctr-rego check POLICY...                             what opa check --strict would say
       ctr-rego eval POLICY REQUESTS                        answers to a stream of requests
       ctr-rego requests ANNOTATED --images DIR [2]         the requests of a pod's life
       ctr-rego images DIR                                  writes the images of the applications
--settings FILE goes to ctr-policygen; --engine old|new: of agents before April 2026 or after (cases, life, attack and check
ask both unless told, the others the new one); BIN names the directory of ctr-policygen (default build/bin).";

/// The options that all subcommands share; the rest are operands.
#[derive(Clone)]
pub struct Opts {
	pub operands: Vec<String>,
	pub images: Option<String>,
	pub settings: Option<String>,
	pub engine: Option<Release>,
}

impl Opts {
	fn parse(mut args: impl Iterator<Item = String>) -> Result<Opts, String> {
		let mut o = Opts { operands: Vec::new(), images: None, settings: None, engine: None };
		while let Some(a) = args.next() {
			let mut value = || args.next().ok_or(format!("{a} needs a value"));
			match a.as_str() {
				"--images" => o.images = Some(value()?),
				"--settings" => o.settings = Some(value()?),
				"--engine" => {
					o.engine = Some(match value()?.as_str() {
						"new" => Release::New,
						"old" => Release::Old,
						other => return Err(format!("no engine {other}")),
					})
				}
				_ if a.starts_with('-') => return Err(format!("unknown option {a}")),
				_ => o.operands.push(a),
			}
		}
		Ok(o)
	}

	/// The engines to ask.
	pub fn engines(&self) -> Vec<Release> {
		self.engine.map_or(Release::ALL.to_vec(), |r| vec![r])
	}

	/// The engine of what asks only one.
	pub fn engine(&self) -> Release {
		self.engine.unwrap_or(Release::New)
	}

	pub fn operand(&self, i: usize) -> Result<&str, String> {
		self.operands.get(i).map(String::as_str).ok_or(USAGE.to_string())
	}
}

pub fn read(path: impl AsRef<std::path::Path>) -> Result<String, String> {
	std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.as_ref().display()))
}

/// Answers a stream of {"kind","request"} as JSON lines.
fn eval(o: &Opts) -> Result<bool, String> {
	let mut agent = Agent::load(&read(o.operand(0)?)?, o.engine())?;
	let text = read(o.operand(1)?)?;
	for item in serde_json::Deserializer::from_str(&text).into_iter::<Json>() {
		let item = item.map_err(|e| e.to_string())?;
		let kind = item["kind"].as_str().ok_or("request without kind")?;
		let a = agent.ask(kind, &item["request"]);
		println!(
			"{}",
			json!({"kind": kind, "allowed": a.allowed, "words": a.words, "fault": a.fault})
		);
	}
	Ok(true)
}

fn main() -> ExitCode {
	let mut args = std::env::args().skip(1);
	let command = args.next().unwrap_or_default();
	let result = Opts::parse(args).and_then(|o| match command.as_str() {
		"attack" => attack::run(&o),
		"audit" => audit::run(&o),
		"cases" => cases::run(&o),
		"check" => check::run(&o),
		"eval" => eval(&o),
		"images" => images::run(&o),
		"life" => life::run(&o),
		"requests" => life::requests(&o),
		_ => Err(USAGE.into()),
	});
	match result {
		Ok(true) => ExitCode::SUCCESS,
		Ok(false) => ExitCode::FAILURE,
		Err(e) => {
			eprintln!("ctr-rego: {e}");
			ExitCode::from(2)
		}
	}
}
