//! The audit of sequences: requests too early, twice, too late, or with one left out before them.

use crate::{agent::Agent, audit::Findings, life::App, sim::Step};

/// Requests whose order matters, against the one just before them.
const ORDERED: [&str; 9] = [
	"UpdateInterfaceRequest",
	"UpdateRoutesRequest",
	"AddARPNeighborsRequest",
	"CreateSandboxRequest",
	"CopyFileRequest",
	"CreateContainerRequest",
	"ExecProcessRequest",
	"RemoveContainerRequest",
	"DestroySandboxRequest",
];

/// Points in a life that a creation is tried at: before each of these.
const POINTS: [&str; 3] =
	["CreateSandboxRequest", "CreateContainerRequest", "RemoveContainerRequest"];

pub fn audit(app: &App, fresh: &Agent, f: &mut Findings) {
	let mut agent = fresh.clone();
	let mut points: Vec<(Agent, &Step)> = Vec::new();
	let mut before: Option<(Agent, &Step)> = None;
	for step in app.steps.iter().filter(|s| !s.optional) {
		if !ORDERED.contains(&step.kind.as_str()) {
			agent.ask(&step.kind, &step.request);
			continue;
		}
		let here = agent.clone();
		if step.kind == "CreateContainerRequest" {
			// Before its own first creation a later run of a container is a first run, which is no fault.
			let fault = |o: &Step| o.kind != step.kind || o.container != step.container;
			points
				.iter_mut()
				.filter(|(_, o)| fault(o))
				.for_each(|(earlier, other)| early(earlier, other, step, f));
		} else if let Some((earlier, other)) = &mut before {
			early(earlier, other, step, f);
		}
		agent.ask(&step.kind, &step.request);
		f.note(
			agent.judge(&step.kind, &step.request).allowed,
			&step.kind,
			&[step.role.to_string()],
			"repeat",
		);
		if step.kind == "RemoveContainerRequest" {
			late(app, step, &mut agent, f);
		}
		// A later run of an init container is not waited for: the policy does not learn that the first one failed.
		let again = step.kind == "CreateContainerRequest"
			&& points.iter().any(|(_, s)| s.kind == step.kind && s.container == step.container);
		// What was given up before its start holds nobody back, so it need not be removed first.
		let given_up = step.kind == "RemoveContainerRequest" && !app.started(step);
		if POINTS.contains(&step.kind.as_str()) && !again && !given_up {
			points.push((here.clone(), step));
		}
		before = Some((here, step));
	}
	shortened(app, fresh, f);
}

/// The path of a finding is what should have come first: its kind, and whose it is.
fn early(earlier: &mut Agent, other: &Step, step: &Step, f: &mut Findings) {
	let whose = if other.container == step.container { "own" } else { other.role };
	f.note(
		earlier.judge(&step.kind, &step.request).allowed,
		&step.kind,
		&[other.kind.clone(), whose.into()],
		"early",
	);
}

/// What is asked of a container that has gone.
fn late(app: &App, removed: &Step, agent: &mut Agent, f: &mut Findings) {
	let of = |s: &&Step| s.request["container_id"] == removed.request["container_id"];
	for s in app
		.steps
		.iter()
		.filter(of)
		.filter(|s| s.kind == "ExecProcessRequest" || s.kind == "WriteStreamRequest")
	{
		f.note(agent.judge(&s.kind, &s.request).allowed, &s.kind, &[s.role.to_string()], "late");
	}
}

/// Leaves out CreateSandbox, the sandbox container or an init container: the next creation is to be denied.
fn shortened(app: &App, fresh: &Agent, f: &mut Findings) {
	let create = |s: &&Step| s.kind == "CreateContainerRequest" && s.role != "app";
	let mut without: Vec<&Step> =
		app.steps.iter().filter(|s| s.kind == "CreateSandboxRequest").collect();
	without.extend(app.steps.iter().filter(create));
	for left_out in without {
		let mut agent = fresh.clone();
		let skipped = |s: &Step| {
			s.kind == left_out.kind && s.container == left_out.container
				|| left_out.kind == "CreateContainerRequest"
					&& s.container == left_out.container
					&& !s.request["container_id"].is_null()
		};
		let mut gone = false;
		for s in app.steps.iter().filter(|s| !s.optional) {
			if skipped(s) {
				gone = true;
				continue;
			}
			let allowed = agent.ask(&s.kind, &s.request).allowed;
			if gone && s.kind == "CreateContainerRequest" {
				f.note(allowed, &left_out.kind, &[left_out.role.to_string()], "skip");
				break;
			}
		}
	}
}
