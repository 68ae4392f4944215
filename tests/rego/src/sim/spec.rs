//! CreateContainer and ExecProcess requests, as containerd and the shim form them.

use super::env::{self, list, strings, text, Told};
use super::volumes::{self, Volumes};
use super::{Container, Sim};
use crate::images::{self, Image};
use serde_json::{json, Value as Json};

const DEFAULT_CAPS: &str = "CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT KILL AUDIT_WRITE";
const MORE_CAPS: &str = "DAC_READ_SEARCH LINUX_IMMUTABLE NET_BROADCAST NET_ADMIN IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_PTRACE SYS_PACCT \
	SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG LEASE AUDIT_CONTROL MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM \
	BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE";
const MASKED: &str = "/proc/asound /proc/acpi /proc/kcore /proc/keys /proc/latency_stats /proc/timer_list /proc/timer_stats /proc/sched_debug \
	/proc/scsi /sys/firmware";
const MASKED_NEWER: &str = "/sys/devices/virtual/powercap /proc/interrupts";
const READONLY: &str = "/proc/bus /proc/fs /proc/irq /proc/sys /proc/sysrq-trigger";

/// A container about to be created, with all that goes before and comes after.
pub struct Made {
	pub create: Json,
	pub volumes: Volumes,
	pub told: Told,
}

pub fn container(sim: &Sim, c: &Container) -> Result<Made, String> {
	let image = images::find(&sim.world.images, &text(&c.spec["image"]))?;
	let told = env::tell(sim, c, &image)?;
	let mut volumes = volumes::volumes(sim, c, &image)?;
	let mut annotations = annotations(sim, c);
	let devices = gpus(sim, c, &mut annotations);
	let reference = text(&annotations["io.kubernetes.cri.image-name"]);
	let mut storages = vec![guest_pull(c, &reference, &annotations)];
	storages.append(&mut volumes.storages);
	let process = json!({"Terminal": c.spec["tty"] == true, "ConsoleSize": null, "User": user(sim, c, &image), "Args": told.args,
		"Env": told.env, "Cwd": cwd(c, &image), "Capabilities": capabilities(sim, c), "Rlimits": [],
		"NoNewPrivileges": c.security("allowPrivilegeEscalation") == &json!(false),
		"ApparmorProfile": if sim.modern { "" } else { "cri-containerd.apparmor.d" }, "OOMScoreAdj": 1000, "SelinuxLabel": ""});
	let privileged = c.privileged();
	let mut mounts = system_mounts(privileged);
	let mut cgroup =
		vec!["nosuid", "noexec", "nodev", "relatime", if privileged { "rw" } else { "ro" }];
	if sim.modern {
		cgroup.extend(["nsdelegate", "memory_recursiveprot"]);
	}
	mounts.push(json!({"destination": "/sys/fs/cgroup", "source": "cgroup", "type_": "cgroup", "options": cgroup}));
	mounts.retain(|m| !volumes.mounts.iter().any(|v| v["destination"] == m["destination"]));
	mounts.append(&mut volumes.mounts);
	let mut linux = linux(sim, c, privileged || c.security("procMount") == "Unmasked");
	linux["Devices"] = volumes.linux_devices.clone().into();
	linux["RootfsPropagation"] = volumes.propagation.into();
	let spec = json!({"Version": if sim.modern { "1.2.0" } else { "1.1.0" }, "Process": process, "Root": {"Path": root(c), "Readonly": c.read_only},
		"Hostname": if sim.modern { sim.hostname.as_str() } else { "" }, "Mounts": mounts, "Hooks": null, "Annotations": annotations, "Linux": linux,
		"Solaris": null, "Windows": null});
	let mut create = request(c, spec, storages);
	create["sandbox_pidns"] = (sim.spec()["shareProcessNamespace"] == true).into();
	create["devices"] = [volumes.devices.clone(), devices].concat().into();
	Ok(Made { create, volumes, told })
}

/// The pause container.
pub fn sandbox(sim: &Sim, c: &Container) -> Json {
	let id = |name: &str| sim.spec()["securityContext"][name].as_u64();
	let (uid, gid) = match (id("runAsUser"), id("runAsGroup")) {
		(None, None) => (65535, 65535),
		(uid, gid) => (uid.unwrap_or(65535), gid.unwrap_or(0)),
	};
	let mut annotations = annotations(sim, c);
	for (key, value) in [
		("sandbox-cpu-period", "100000"),
		("sandbox-cpu-quota", "0"),
		("sandbox-cpu-shares", "2"),
		("sandbox-memory", "0"),
	] {
		annotations[format!("io.kubernetes.cri.{key}")] = value.into();
	}
	let uuid = sim.uuid("netns");
	annotations["io.kubernetes.cri.sandbox-log-directory"] =
		format!("/var/log/pods/{}_{}_{}", sim.namespace, sim.name, sim.uid).into();
	annotations["nerdctl/network-namespace"] = format!("/var/run/netns/cni-{uuid}").into();
	if sim.modern {
		annotations["io.kubernetes.cri.podsandbox.image-name"] =
			"registry.k8s.io/pause:3.10".into();
	}
	let process = json!({"Terminal": false, "ConsoleSize": null, "User": {"UID": uid, "GID": gid, "AdditionalGids": [gid], "Username": ""},
		"Args": ["/pause"], "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"], "Cwd": "/",
		"Capabilities": capabilities(sim, c), "Rlimits": [], "NoNewPrivileges": true, "ApparmorProfile": "", "OOMScoreAdj": -998, "SelinuxLabel": ""});
	let spec = sim.spec();
	let any = ["initContainers", "containers"]
		.iter()
		.flat_map(|k| list(&spec[*k]))
		.any(|c| c["securityContext"]["privileged"] == true);
	let mut mounts = system_mounts(any && !sim.modern);
	mounts.push(json!({"destination": "/dev/shm", "source": "/run/kata-containers/sandbox/shm", "type_": "bind", "options": ["rbind"]}));
	mounts.push(json!({"destination": "/etc/resolv.conf", "source": sim.copied(c, "/etc/resolv.conf"), "type_": "bind",
		"options": ["rbind", "ro", "nosuid", "nodev", "noexec"]}));
	let mut linux = linux(sim, c, false);
	if sim.modern {
		linux["Sysctl"] = json!({"net.ipv4.ip_unprivileged_port_start": "0", "net.ipv4.ping_group_range": "0 2147483647"});
	}
	for s in list(&spec["securityContext"]["sysctls"]) {
		linux["Sysctl"][text(&s["name"])] = s["value"].clone();
	}
	let storages = vec![guest_pull(c, "pause", &annotations)];
	let oci = json!({"Version": if sim.modern { "1.2.0" } else { "1.1.0" }, "Process": process, "Root": {"Path": root(c), "Readonly": true},
		"Hostname": sim.hostname, "Mounts": mounts, "Hooks": null, "Annotations": annotations, "Linux": linux, "Solaris": null, "Windows": null});
	request(c, oci, storages)
}

/// A command inside a running container.
pub fn exec(sim: &Sim, c: &Container, create: &Json, args: &[String], n: usize) -> Json {
	let mut process = create["OCI"]["Process"].clone();
	process["Args"] = json!(args);
	process["Terminal"] = false.into();
	process["ApparmorProfile"] = "".into();
	process["OOMScoreAdj"] = 0.into();
	if !sim.modern {
		process["Capabilities"] = Json::Null;
		process["NoNewPrivileges"] = false.into();
	}
	json!({"container_id": c.id, "exec_id": sim.uuid(&format!("exec {} {n}", c.id)), "string_user": null, "process": process,
		"stdin_port": 0, "stdout_port": 0, "stderr_port": 0})
}

fn request(c: &Container, oci: Json, storages: Vec<Json>) -> Json {
	json!({"container_id": c.id, "exec_id": c.id, "string_user": null, "devices": [], "storages": storages, "OCI": oci, "sandbox_pidns": false,
		"shared_mounts": [], "stdin_port": 0, "stdout_port": 0, "stderr_port": 0})
}

fn root(c: &Container) -> String {
	format!("/run/kata-containers/{}/rootfs", c.id)
}

fn guest_pull(c: &Container, source: &str, annotations: &Json) -> Json {
	let option = format!("image_guest_pull={}", json!({"metadata": annotations}));
	json!({"driver": "image_guest_pull", "driver_options": [option], "source": source, "fstype": "overlay", "options": [], "mount_point": root(c),
		"fs_group": null, "shared": false})
}

fn annotations(sim: &Sim, c: &Container) -> Json {
	let bundle = format!("/run/containerd/io.containerd.runtime.v2.task/k8s.io/{}", c.id);
	let mut a = json!({"io.katacontainers.pkg.oci.bundle_path": bundle, "io.katacontainers.pkg.oci.container_type": "pod_sandbox",
		"io.kubernetes.cri.container-type": "sandbox", "io.kubernetes.cri.sandbox-id": sim.sandbox.id, "io.kubernetes.cri.sandbox-name": sim.name,
		"io.kubernetes.cri.sandbox-namespace": sim.namespace, "io.kubernetes.cri.sandbox-uid": sim.uid});
	if c.id != sim.sandbox.id {
		a["io.katacontainers.pkg.oci.container_type"] = "pod_container".into();
		a["io.kubernetes.cri.container-type"] = "container".into();
		a["io.kubernetes.cri.container-name"] = c.name.clone().into();
		a["io.kubernetes.cri.image-name"] = normalised(&text(&c.spec["image"])).into();
		if sim.modern {
			let path = c.spec["terminationMessagePath"].as_str().unwrap_or("/dev/termination-log");
			a["io.kubernetes.container.terminationMessagePath"] = path.into();
			a["io.kubernetes.container.terminationMessagePolicy"] =
				c.spec["terminationMessagePolicy"].as_str().unwrap_or("File").into();
		}
	}
	a
}

/// As containerd names an image: with its host, without a tag beside the digest.
fn normalised(reference: &str) -> String {
	let (name, digest) = reference.split_once('@').unwrap_or((reference, ""));
	let slash = name.rfind('/').map_or(0, |i| i + 1);
	let name = name[slash..].rfind(':').map_or(name, |i| &name[..slash + i]);
	let host =
		name.split_once('/').is_some_and(|(h, _)| h.contains(['.', ':']) || h == "localhost");
	match (host, name.contains('/')) {
		(true, _) => format!("{name}@{digest}"),
		(false, true) => format!("docker.io/{name}@{digest}"),
		(false, false) => format!("docker.io/library/{name}@{digest}"),
	}
}

fn gpus(sim: &Sim, c: &Container, annotations: &mut Json) -> Vec<Json> {
	let mut names = strings(&sim.world.settings["gpu_resources"]);
	if names.is_empty() {
		names.push("nvidia.com/pgpu".into());
	}
	let wanted = |name: &String| {
		let n = &c.spec["resources"]["limits"][name];
		n.as_u64().or(n.as_str().and_then(|s| s.parse().ok())).unwrap_or(0)
	};
	let n: u64 = names.iter().map(wanted).sum();
	(0..n).map(|i| {
		annotations[format!("cdi.k8s.io/vfio{}", i + 3)] = format!("nvidia.com/gpu={i}").into();
		json!({"id": format!("vfio{}", i + 3), "type_": "vfio-pci-gk", "vm_path": "", "container_path": format!("/dev/vfio/devices/vfio{}", i + 3),
			"options": [format!("0000:{:02x}:00.0=0{i}/00", 0x41 + i)]})
	}).collect()
}

fn cwd(c: &Container, image: &Image) -> String {
	let given = [c.spec["workingDir"].as_str(), image.config["WorkingDir"].as_str()];
	given.into_iter().flatten().find(|d| !d.is_empty()).unwrap_or("/").into()
}

fn user(sim: &Sim, c: &Container, image: &Image) -> Json {
	let passwd = image.accounts("etc/passwd");
	let number = |s: Option<&&str>| s.and_then(|s| s.parse::<u64>().ok());
	let from_image = text(&image.config["User"]);
	let from_image = from_image.split(':').next().unwrap_or_default();
	let by_name = passwd.iter().find(|l| l[0] == from_image).and_then(|l| number(l.get(2)));
	let uid = c.security("runAsUser").as_u64().or(from_image.parse().ok()).or(by_name).unwrap_or(0);
	let line = passwd.iter().find(|l| number(l.get(2)) == Some(uid));
	let gid =
		c.security("runAsGroup").as_u64().or(line.and_then(|l| number(l.get(3)))).unwrap_or(0);
	let mut groups = vec![gid];
	for g in image.accounts("etc/group") {
		let member = line.is_some_and(|l| {
			g[0] != l[0] && g.get(3).is_some_and(|m| m.split(',').any(|m| m == l[0]))
		});
		groups.extend(number(g.get(2)).filter(|_| member));
	}
	let pod = &sim.spec()["securityContext"];
	groups.extend(pod["fsGroup"].as_u64());
	groups.extend(list(&pod["supplementalGroups"]).filter_map(Json::as_u64));
	let mut unique: Vec<u64> = Vec::new();
	groups.into_iter().for_each(|g| {
		if !unique.contains(&g) {
			unique.push(g)
		}
	});
	if sim.modern {
		unique.reverse();
	}
	json!({"UID": uid, "GID": gid, "AdditionalGids": unique, "Username": ""})
}

fn capabilities(sim: &Sim, c: &Container) -> Json {
	let all = || DEFAULT_CAPS.split_whitespace().chain(MORE_CAPS.split_whitespace());
	let (add, drop) = (
		strings(&c.spec["securityContext"]["capabilities"]["add"]),
		strings(&c.spec["securityContext"]["capabilities"]["drop"]),
	);
	let is = |l: &[String], what: &str| l.iter().any(|n| n.trim_start_matches("CAP_") == what);
	let mut caps: Vec<&str> = DEFAULT_CAPS.split_whitespace().collect();
	if c.privileged() || is(&add, "ALL") {
		caps = all().collect();
	}
	if !c.privileged() {
		if is(&drop, "ALL") {
			caps.clear();
		}
		caps.extend(
			all().filter(|n| is(&add, n)).filter(|n| !caps.contains(n)).collect::<Vec<_>>(),
		);
		caps.retain(|n| !is(&drop, n));
	}
	let mut caps: Vec<String> = caps.iter().map(|n| format!("CAP_{n}")).collect();
	if sim.modern {
		caps.reverse();
	}
	json!({"Bounding": caps, "Effective": caps, "Inheritable": [], "Permitted": caps, "Ambient": []})
}

fn system_mounts(writable: bool) -> Vec<Json> {
	let sys = format!("nosuid noexec nodev {}", if writable { "rw" } else { "ro" });
	[("/proc", "proc", "nosuid noexec nodev"), ("/dev", "tmpfs", "nosuid strictatime mode=755 size=65536k"),
		("/dev/pts", "devpts", "nosuid noexec newinstance ptmxmode=0666 mode=0620 gid=5"), ("/dev/mqueue", "mqueue", "nosuid noexec nodev"),
		("/sys", "sysfs", sys.as_str())].map(|(at, kind, options)| {
		json!({"destination": at, "source": kind, "type_": kind, "options": options.split(' ').collect::<Vec<_>>()})
	}).into()
}

fn linux(sim: &Sim, c: &Container, unmasked: bool) -> Json {
	let words = |s: &str| {
		if unmasked {
			Vec::new()
		} else {
			s.split_whitespace().map(String::from).collect()
		}
	};
	let mut masked: Vec<String> = words(MASKED);
	if sim.modern {
		masked.extend(words(MASKED_NEWER));
	}
	let memory = if sim.modern {
		Json::Null
	} else {
		json!({"Limit": 0, "Reservation": 0, "Swap": 0, "Kernel": 0, "KernelTCP": 0, "Swappiness": 0, "DisableOOMKiller": false})
	};
	let path = format!(
		"kubepods-besteffort-pod{}.slice:cri-containerd:{}",
		sim.uid.replace('-', "_"),
		c.id
	);
	json!({"UIDMappings": [], "GIDMappings": [], "Sysctl": {}, "Resources": {"Devices": [], "Memory": memory, "CPU": {"Shares": 2, "Quota": 0,
		"Period": 100000, "RealtimeRuntime": 0, "RealtimePeriod": 0, "Cpus": "", "Mems": ""}, "Pids": null, "BlockIO": null, "HugepageLimits": [],
		"Network": null}, "CgroupsPath": path, "Namespaces": [{"Type": "ipc", "Path": ""}, {"Type": "uts", "Path": ""}, {"Type": "mount", "Path": ""}],
		"Devices": [], "Seccomp": null, "RootfsPropagation": "", "MaskedPaths": masked, "ReadonlyPaths": words(READONLY), "MountLabel": "", "IntelRdt": null})
}

#[cfg(test)]
mod tests {
	#[test]
	fn names_of_images() {
		for (from, to) in [
			("busybox:1@sha256:a", "docker.io/library/busybox@sha256:a"),
			("org/x@sha256:a", "docker.io/org/x@sha256:a"),
			("r.example:5000/x:1@sha256:a", "r.example:5000/x@sha256:a"),
			("localhost/x@sha256:a", "localhost/x@sha256:a"),
		] {
			assert_eq!(super::normalised(from), to);
		}
	}
}
