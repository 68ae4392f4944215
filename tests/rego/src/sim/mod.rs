//! Kubelet, containerd and the shim: from a pod as it is applied to the requests that its agent gets, first to last.
//! Written from the interface's description alone; two profiles cover what it leaves open.

mod env;
mod net;
mod spec;
mod volumes;

use crate::{images, kube::Pod};
use env::{list, strings, text};
use serde_json::{json, Value as Json};
pub use volumes::SHARED;

const COMPLETION_INDEX: &str = "3";

/// One request. `container` is the name in the pod, "" for the sandbox; an optional one may be denied.
#[derive(Clone)]
pub struct Step {
	pub kind: String,
	pub request: Json,
	pub container: String,
	/// "sandbox", "init", "sidecar" or "app".
	pub role: &'static str,
	pub optional: bool,
}

/// What a life depends on beside the objects.
#[derive(Default)]
pub struct World {
	/// The directory of image layouts.
	pub images: String,
	/// The settings that the policy was made with: what they allow happens.
	pub settings: Json,
	/// `env`: the variables that a webhook adds to every container; `retry`: containers whose every creation succeeds in
	/// the guest only for the runtime to give it up, so that it is repeated.
	pub events: Json,
}

/// One run of a container.
pub struct Container {
	pub id: String,
	pub name: String,
	pub spec: Json,
	pub read_only: bool,
	pod_security: Json,
}

impl Container {
	fn new(sim_seed: &str, spec: &Json, pod: &Json, run: usize) -> Container {
		let name = text(&spec["name"]);
		Container {
			id: images::sha256(format!("{sim_seed} container {name} {run}").as_bytes()),
			name,
			spec: spec.clone(),
			read_only: spec["securityContext"]["readOnlyRootFilesystem"] == true,
			pod_security: pod["securityContext"].clone(),
		}
	}

	/// A member of the container's security context, or else of the pod's.
	fn security(&self, key: &str) -> &Json {
		Some(&self.spec["securityContext"][key])
			.filter(|v| !v.is_null())
			.unwrap_or(&self.pod_security[key])
	}

	fn privileged(&self) -> bool {
		self.spec["securityContext"]["privileged"] == true
	}
}

pub struct Sim<'a> {
	pub pod: &'a Pod,
	pub docs: &'a [Json],
	pub world: &'a World,
	/// containerd 2 with the newer shim's habits; else containerd 1.7 with the Go shim.
	pub modern: bool,
	pub name: String,
	pub namespace: String,
	pub uid: String,
	pub hostname: String,
	pub sandbox: Container,
	seed: String,
	runs: usize,
	steps: Vec<Step>,
}

/// What a controller adds to the template of its pods, and a webhook to the pods.
fn owned(mut pod: Pod, webhook: &Json) -> Pod {
	for (name, value) in webhook.as_object().into_iter().flatten() {
		variable(&mut pod, &json!({"name": name, "value": value}));
	}
	if pod.object["spec"]["completionMode"] == "Indexed" {
		let key = "batch.kubernetes.io/job-completion-index";
		pod.metadata["annotations"][key] = COMPLETION_INDEX.into();
		pod.metadata["labels"][key] = COMPLETION_INDEX.into();
		let from = json!({"name": "JOB_COMPLETION_INDEX", "valueFrom": {"fieldRef": {"fieldPath": format!("metadata.annotations['{key}']")}}});
		variable(&mut pod, &from);
	}
	pod
}

/// Adds a variable to each container that has none of the name.
fn variable(pod: &mut Pod, from: &Json) {
	for key in ["initContainers", "containers"] {
		for c in pod.spec.get_mut(key).and_then(Json::as_array_mut).into_iter().flatten() {
			if !list(&c["env"]).any(|e| e["name"] == from["name"]) {
				c["env"] = list(&c["env"]).cloned().chain([from.clone()]).collect();
			}
		}
	}
}

/// The whole life of a pod.
pub fn life(pod: &Pod, docs: &[Json], world: &World, modern: bool) -> Result<Vec<Step>, String> {
	let pod = &owned(pod.clone(), &world.events["env"]);
	let mut sim = Sim::new(pod, docs, world, modern);
	sim.start();
	let restarts = sim.spec()["restartPolicy"] != "Never";
	let mut running = Vec::new();
	for (n, c) in list(&pod.spec["initContainers"]).enumerate() {
		if modern && n == 0 && c["restartPolicy"] != "Always" && restarts {
			let failed = sim.run(c)?;
			sim.end(failed, false)?;
		}
		let run = sim.run(c)?;
		if c["restartPolicy"] == "Always" {
			running.push(run);
		} else {
			sim.end(run, false)?;
		}
	}
	let sidecars = running.len();
	for c in list(&pod.spec["containers"]) {
		running.push(sim.run(c)?);
	}
	for run in &running {
		sim.live(run);
	}
	for n in (0..running.len()).filter(|n| restarts && (*n == sidecars || modern)) {
		let again = running[n].0.spec.clone();
		sim.end(running.remove(n), true)?;
		running.insert(n, sim.run(&again)?);
	}
	while let Some(run) = running.pop() {
		sim.end(run, pod.spec["restartPolicy"].is_null())?;
	}
	sim.stop();
	Ok(sim.steps)
}

type Run = (Container, spec::Made);

impl<'a> Sim<'a> {
	fn new(pod: &'a Pod, docs: &'a [Json], world: &'a World, modern: bool) -> Sim<'a> {
		let seed = format!(
			"{} {} {} {modern}",
			pod.kind, pod.object["metadata"]["name"], pod.object["metadata"]["generateName"]
		);
		let name = pod_name(pod, modern);
		let own = json!({"name": "", "image": "pause"});
		let sandbox = Container::new(&seed, &own, &json!({}), 0);
		let cut = |s: &str| {
			s.chars().take(63).collect::<String>().trim_end_matches(['-', '.']).to_string()
		};
		let hostname = cut(pod.spec["hostname"].as_str().unwrap_or(&name));
		let namespace = pod.object["metadata"]["namespace"].as_str().unwrap_or("prod").into();
		let mut sim = Sim {
			pod,
			docs,
			world,
			modern,
			name,
			namespace,
			uid: String::new(),
			hostname,
			sandbox,
			seed,
			runs: 0,
			steps: Vec::new(),
		};
		sim.uid = sim.uuid("pod");
		sim
	}

	fn spec(&self) -> &'a Json {
		&self.pod.spec
	}

	fn spec_of(&self, container: &str) -> &'a Json {
		let all =
			["initContainers", "containers"].into_iter().flat_map(|k| list(&self.pod.spec[k]));
		all.into_iter().find(|c| c["name"] == container).unwrap_or(&Json::Null)
	}

	fn object(&self, kind: &str, name: &str) -> Option<&'a Json> {
		self.docs.iter().find(|d| d["kind"] == kind && d["metadata"]["name"] == name)
	}

	fn fs_group(&self) -> u64 {
		self.pod.spec["securityContext"]["fsGroup"].as_u64().unwrap_or(0)
	}

	fn addresses(&self) -> &'static [&'static str] {
		if self.modern {
			&["10.8.3.17", "fd00:8::3:11"]
		} else {
			&["10.244.0.14"]
		}
	}

	fn uuid(&self, what: &str) -> String {
		let h = images::sha256(format!("{} {what}", self.seed).as_bytes());
		format!("{}-{}-4{}-a{}-{}", &h[..8], &h[8..12], &h[13..16], &h[17..20], &h[20..32])
	}

	/// Where the shim copies the source of a mount.
	fn copied(&self, c: &Container, destination: &str) -> String {
		let random = images::sha256(format!("{} {destination}", c.id).as_bytes());
		format!(
			"{SHARED}{}-{}-{}",
			c.id,
			&random[..16],
			destination.rsplit('/').next().unwrap_or_default()
		)
	}

	fn copy(
		&self,
		path: &str,
		file_type: &str,
		target: Option<&str>,
		size: u64,
		mode: u32,
		gid: u64,
	) -> Json {
		let dir_mode: u64 = if self.modern { 0o750 } else { 2147484136 };
		json!({"path": path, "file_type": file_type, "symlink_target": target, "file_size": size, "file_mode": mode, "dir_mode": dir_mode,
			"uid": 0, "gid": gid, "offset": 0})
	}

	fn step(&mut self, kind: &str, container: &str, request: Json) {
		let optional = kind == "ReadStreamRequest";
		let role = self.role(container);
		self.steps.push(Step {
			kind: kind.into(),
			request,
			container: container.into(),
			role,
			optional,
		});
	}

	fn role(&self, container: &str) -> &'static str {
		let init = list(&self.pod.spec["initContainers"]).find(|c| c["name"] == container);
		match init.map(|c| c["restartPolicy"] == "Always") {
			Some(true) => "sidecar",
			Some(false) => "init",
			None if container.is_empty() => "sandbox",
			None => "app",
		}
	}

	fn start(&mut self) {
		for (kind, request) in net::requests(self.modern, self.addresses()) {
			self.step(kind, "", request);
		}
		let shm = json!({"driver": "ephemeral", "driver_options": [], "source": "shm", "fstype": "tmpfs", "mount_point": "/run/kata-containers/sandbox/shm",
			"options": ["noexec", "nosuid", "nodev", "mode=1777", "size=67108864"], "fs_group": null, "shared": false});
		let create = json!({"hostname": self.hostname, "dns": ["search prod.svc.cluster.local svc.cluster.local", "nameserver 10.96.0.10", "options ndots:5"],
			"storages": [shm], "sandbox_pidns": false, "sandbox_id": self.sandbox.id, "guest_hook_path": "", "kernel_modules": []});
		self.step("CreateSandboxRequest", "", create);
		self.step(
			"GuestDetailsRequest",
			"",
			json!({"mem_block_size": true, "mem_hotplug_probe": true}),
		);
		self.step("GetOOMEventRequest", "", json!({}));
		let resolv = self.copy(
			&self.copied(&self.sandbox, "/etc/resolv.conf"),
			"Regular",
			None,
			98,
			0o100644,
			0,
		);
		self.step("CopyFileRequest", "", resolv);
		let pause = spec::sandbox(self, &self.sandbox);
		self.step("CreateContainerRequest", "", pause);
		self.calls("", &self.sandbox.id.clone());
	}

	/// What follows every creation.
	fn calls(&mut self, name: &str, id: &str) {
		self.step("StartContainerRequest", name, json!({"container_id": id}));
		self.step("WaitProcessRequest", name, json!({"container_id": id, "exec_id": id}));
		for _ in ["stdout", "stderr"] {
			self.step(
				"ReadStreamRequest",
				name,
				json!({"container_id": id, "exec_id": id, "len": 32768}),
			);
		}
		self.step("StatsContainerRequest", name, json!({"container_id": id}));
	}

	/// Copies and creates a container.
	fn create(&mut self, spec: &Json) -> Result<Run, String> {
		self.runs += 1;
		let c = Container::new(&self.seed, spec, self.spec(), self.runs);
		let mut made = spec::container(self, &c)?;
		for copy in std::mem::take(&mut made.volumes.copies) {
			self.step("CopyFileRequest", &c.name, copy);
		}
		self.step("CreateContainerRequest", &c.name, made.create.clone());
		Ok((c, made))
	}

	/// Creates and starts a container, if need be at the second attempt; some runtimes remove what came of the first.
	fn run(&mut self, spec: &Json) -> Result<Run, String> {
		let (mut c, mut made) = self.create(spec)?;
		if list(&self.world.events["retry"]).any(|name| *name == c.name) {
			if self.modern {
				self.remove(&c);
			}
			(c, made) = self.create(spec)?;
		}
		if !spec["resources"]["limits"]["cpu"].is_null() && !self.modern {
			self.step(
				"OnlineCPUMemRequest",
				&c.name,
				json!({"wait": false, "nb_cpus": 1, "cpu_only": false}),
			);
		}
		self.calls(&c.name, &c.id);
		if spec["tty"] == true {
			self.step(
				"TtyWinResizeRequest",
				&c.name,
				json!({"container_id": c.id, "exec_id": c.id, "row": 24, "column": 80}),
			);
		}
		if spec["stdin"] == true {
			self.step(
				"WriteStreamRequest",
				&c.name,
				json!({"container_id": c.id, "exec_id": c.id, "data": [108, 115, 10]}),
			);
			self.step("CloseStdinRequest", &c.name, json!({"container_id": c.id, "exec_id": c.id}));
		}
		self.exec(&c, &made, &strings(&spec["lifecycle"]["postStart"]["exec"]["command"]));
		Ok((c, made))
	}

	/// Probes, the commands that a person may run, and an update of the volumes that Kubernetes updates.
	fn live(&mut self, (c, made): &Run) {
		for probe in ["startupProbe", "readinessProbe", "livenessProbe"] {
			let command = strings(&c.spec[probe]["exec"]["command"]);
			self.exec(c, made, &env::probe(&made.told, &command));
		}
		for command in list(&self.world.settings["exec"]) {
			self.exec(c, made, &strings(command));
		}
		for copy in &made.volumes.updates {
			self.step("CopyFileRequest", &c.name, copy.clone());
		}
		self.step("StatsContainerRequest", &c.name, json!({"container_id": c.id}));
	}

	fn exec(&mut self, c: &Container, made: &spec::Made, args: &[String]) {
		if args.is_empty() {
			return;
		}
		let request = spec::exec(self, c, &made.create, args, self.steps.len());
		let exec_id = request["exec_id"].clone();
		self.step("ExecProcessRequest", &c.name, request);
		self.step("WaitProcessRequest", &c.name, json!({"container_id": c.id, "exec_id": exec_id}));
		self.step(
			"ReadStreamRequest",
			&c.name,
			json!({"container_id": c.id, "exec_id": exec_id, "len": 32768}),
		);
		self.step(
			"SignalProcessRequest",
			&c.name,
			json!({"container_id": c.id, "exec_id": exec_id, "signal": 9}),
		);
	}

	/// Ends a container, by force or because its process is done.
	fn end(&mut self, (c, made): Run, killed: bool) -> Result<(), String> {
		if killed {
			self.exec(&c, &made, &strings(&c.spec["lifecycle"]["preStop"]["exec"]["command"]));
			self.step(
				"SignalProcessRequest",
				&c.name,
				json!({"container_id": c.id, "exec_id": c.id, "signal": 15}),
			);
			self.step(
				"SignalProcessRequest",
				&c.name,
				json!({"container_id": c.id, "exec_id": "", "signal": 9}),
			);
		}
		self.remove(&c);
		Ok(())
	}

	fn remove(&mut self, c: &Container) {
		self.step("RemoveContainerRequest", &c.name, json!({"container_id": c.id, "timeout": 0}));
	}

	fn stop(&mut self) {
		let id = self.sandbox.id.clone();
		self.step(
			"SignalProcessRequest",
			"",
			json!({"container_id": id, "exec_id": id, "signal": 9}),
		);
		self.step("RemoveContainerRequest", "", json!({"container_id": id, "timeout": 0}));
		self.step("DestroySandboxRequest", "", json!({}));
	}
}

/// The name that the pod's owner gives it.
fn pod_name(pod: &Pod, modern: bool) -> String {
	let meta = &pod.object["metadata"];
	let name = text(&meta["name"]);
	let random = if modern { "x7k9q" } else { "2bw4z" };
	match pod.kind.as_str() {
		"Pod" if name.is_empty() => format!("{}{random}", text(&meta["generateName"])),
		"Pod" => name,
		"Deployment" => format!("{name}-{}-{random}", if modern { "7c5ddbdf54" } else { "6f8" }),
		"StatefulSet" => format!("{name}-{}", if modern { 11 } else { 0 }),
		"Job" if pod.object["spec"]["completionMode"] == "Indexed" => {
			format!("{name}-{COMPLETION_INDEX}-{random}")
		}
		"CronJob" => format!("{name}-29{}-{random}", if modern { "381420" } else { "0" }),
		_ => format!("{name}-{random}"),
	}
}
