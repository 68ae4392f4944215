//! Whole life cycles of the applications under apps/: every request is to be allowed.

use crate::{
	agent::{Agent, Release},
	check, generate, kube, read, sim,
	tally::Tally,
	Opts,
};
use serde_json::{json, Value as Json};
use std::path::Path;

/// An application with one of its pods, one runtime profile and the life that comes of them.
pub struct App {
	pub name: String,
	pub modern: bool,
	/// Whether the settings let the host read the output.
	pub logs: bool,
	pub policy: String,
	pub steps: Vec<sim::Step>,
}

impl App {
	/// Whether the container of a step is ever started.
	pub fn started(&self, of: &sim::Step) -> bool {
		let id = &of.request["container_id"];
		self.steps
			.iter()
			.any(|s| s.kind == "StartContainerRequest" && s.request["container_id"] == *id)
	}

	pub fn title(&self) -> String {
		format!("{} ({})", self.name, if self.modern { "containerd 2" } else { "containerd 1.7" })
	}
}

/// The directories below apps/, or the one named.
pub fn folders(o: &Opts) -> Result<Vec<std::path::PathBuf>, String> {
	let dir = Path::new(o.operand(0)?);
	let entries = std::fs::read_dir(dir).map_err(|e| format!("{}: {e}", dir.display()))?;
	let mut all: Vec<_> = entries.flatten().map(|e| e.path()).filter(|p| p.is_dir()).collect();
	all.retain(|p| o.operands.len() < 2 || o.operands[1..].iter().any(|n| p.ends_with(n)));
	all.sort();
	Ok(all)
}

fn json(path: impl AsRef<Path>) -> Result<Json, String> {
	let path = path.as_ref();
	serde_json::from_str(&read(path)?).map_err(|e| format!("{}: {e}", path.display()))
}

fn world(o: &Opts, events: Json) -> Result<sim::World, String> {
	let settings = o.settings.as_ref().map_or(Ok(json!({})), json)?;
	Ok(sim::World { images: o.images.clone().unwrap_or_default(), settings, events })
}

/// Generates the policy of an application and simulates its pods under both profiles. Beside the YAML files a folder
/// may have `options` and `settings.json` for the generator, and `events.json` for the life.
pub fn apps(o: &Opts, folder: &Path) -> Result<Vec<App>, String> {
	let mut o = o.clone();
	let file = |name: &str| Some(folder.join(name)).filter(|p| p.exists());
	if let Some(p) = file("settings.json") {
		o.settings = Some(p.to_string_lossy().into_owned());
	}
	let world = world(&o, file("events.json").map_or(Ok(Json::Null), json)?)?;
	let options = read(folder.join("options")).unwrap_or("--skip-initializer".into());
	let options: Vec<_> = options.lines().map(String::from).collect();
	let docs = kube::documents(&generate::annotated(&o, &options, &generate::inputs(folder)?)?)?;
	let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
	let mut apps = Vec::new();
	for pod in kube::pods(&docs) {
		for modern in [false, true] {
			apps.push(App {
				name: name.clone(),
				modern,
				logs: world.settings["read_logs"] == true,
				policy: generate::policy(&pod)?,
				steps: sim::life(&pod, &docs, &world, modern)?,
			});
		}
	}
	Ok(apps)
}

/// `ctr-rego requests FILE --images DIR`: the life of the pods in an annotated file, in the form that eval reads.
pub fn requests(o: &Opts) -> Result<bool, String> {
	let docs = kube::documents(&read(o.operand(0)?)?)?;
	let world = world(o, Json::Null)?;
	for pod in kube::pods(&docs) {
		for step in sim::life(&pod, &docs, &world, o.operands.len() > 1)? {
			println!(
				"{}",
				json!({"kind": step.kind, "container": step.container, "request": step.request})
			);
		}
	}
	Ok(true)
}

/// `ctr-rego life APPS --images DIR [NAME...]`
pub fn run(o: &Opts) -> Result<bool, String> {
	let mut tally = Tally::default();
	for folder in folders(o)? {
		match apps(o, &folder) {
			Ok(apps) => apps.iter().for_each(|app| {
				let lived = |r: &Release| r.check(|r| live(app, r));
				tally.check(&app.title(), o.engines().iter().try_for_each(lived));
				if !app.modern {
					tally
						.check(&format!("{}: strict", app.name), strict(&app.policy, &o.engines()));
				}
			}),
			Err(e) => tally.check(&folder.to_string_lossy(), Err(e)),
		}
	}
	Ok(tally.close())
}

/// Every request of a life is allowed; reading logs as the settings say.
fn live(app: &App, engine: Release) -> Result<(), String> {
	let mut agent = Agent::load(&app.policy, engine)?;
	for (n, step) in app.steps.iter().enumerate() {
		let a = agent.ask(&step.kind, &step.request);
		let at = || format!("step {n} of {}, {} {}", app.steps.len(), step.kind, step.container);
		match (step.optional, a.allowed) {
			(false, false) => return Err(format!("{}: denied: {}", at(), a.why())),
			(true, allowed) if allowed != app.logs => {
				return Err(format!(
					"{}: allowed is {allowed}, but read_logs is {}",
					at(),
					app.logs
				))
			}
			_ => (),
		}
	}
	Ok(())
}

fn strict(policy: &str, engines: &[Release]) -> Result<(), String> {
	match check::findings(policy, engines)? {
		found if found.is_empty() => Ok(()),
		found => Err(found.join("; ")),
	}
}
