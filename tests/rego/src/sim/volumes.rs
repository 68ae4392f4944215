//! Volumes: mounts of the container, storages of the sandbox, and the files that the shim copies in beforehand.

use super::env::{contents, field, list, text};
use super::{Container, Sim};
use crate::images::Image;
use serde_json::{json, Value as Json};

pub const SHARED: &str = "/run/kata-containers/shared/containers/";
const STORAGE: &str = "/run/kata-containers/sandbox/storage/";
const CHUNK: u64 = 1 << 20;
const DIR: u32 = 0o40000;
const LINK: u32 = 0o120777;
const FILE: u32 = 0o100000;

/// All that the volumes of one container come to.
#[derive(Default)]
pub struct Volumes {
	pub mounts: Vec<Json>,
	pub storages: Vec<Json>,
	pub devices: Vec<Json>,
	pub linux_devices: Vec<Json>,
	/// CopyFile requests before the container is created.
	pub copies: Vec<Json>,
	/// CopyFile requests when Kubernetes updates a volume later.
	pub updates: Vec<Json>,
	pub propagation: &'static str,
}

enum Volume {
	/// Files by path, size and mode, in kubelet's atomic layout.
	Atomic(Vec<(String, u64, u32)>),
	Block {
		memory: bool,
	},
	Claim,
	Guest(String),
}

/// Name, size and mode of what kubelet and containerd put beside the volumes.
const OWN: [(&str, u64, u32); 4] = [
	("/etc/hosts", 208, 0o644),
	("/dev/termination-log", 0, 0o666),
	("/etc/hostname", 6, 0o644),
	("/etc/resolv.conf", 110, 0o644),
];

pub fn volumes(sim: &Sim, c: &Container, image: &Image) -> Result<Volumes, String> {
	let mut v = Volumes::default();
	let mut ordered = Vec::new();
	for m in list(&c.spec["volumeMounts"]) {
		ordered.push(mounted(sim, c, m, &mut v)?);
	}
	for path in image.config["Volumes"].as_object().into_iter().flatten().map(|(p, _)| collapsed(p))
	{
		if !ordered.iter().any(|m| m["destination"] == path.as_str()) {
			v.copies.push(sim.copy(&sim.copied(c, &path), "Directory", None, 0, DIR | 0o755, 0));
			ordered.push(bind(&path, &sim.copied(c, &path), "rprivate", "rw"));
		}
	}
	// the pod's own mounts take the places of all that follow, but for the termination log's
	let own: Vec<_> = ordered.iter().map(|m| text(&m["destination"])).collect();
	let taken = |at: &str| own.iter().any(|o| o == at);
	let spec = sim.spec();
	let token = "/var/run/secrets/kubernetes.io/serviceaccount";
	if spec["automountServiceAccountToken"] != false && !taken(token) {
		let files = [("ca.crt", 1107), ("namespace", sim.namespace.len() as u64), ("token", 1204)];
		atomic(sim, c, token, &files.map(|(n, s)| (n.to_string(), s, 0o644)), &mut v);
		ordered.push(bind(token, &sim.copied(c, token), "rprivate", "ro"));
	}
	let log = c.spec["terminationMessagePath"].as_str().unwrap_or(OWN[1].0);
	let root = if c.read_only { "ro" } else { "rw" };
	for ((name, size, mode), mode_of_mount) in OWN.into_iter().zip(["rw", "rw", root, root]) {
		let name = if name == OWN[1].0 { log } else { name };
		if name != log && taken(name) {
			continue;
		}
		let path = sim.copied(c, name);
		v.copies.push(sim.copy(&path, "Regular", None, size, FILE | mode, 0));
		ordered.push(bind(name, &path, "rprivate", mode_of_mount));
	}
	ordered.push(json!({"destination": "/dev/shm", "source": "/run/kata-containers/sandbox/shm", "type_": "bind", "options": ["rbind"]}));
	for m in list(&sim.world.settings["mounts"]).filter(|_| sim.modern) {
		if !ordered.iter().any(|o| o["destination"] == m["destination"]) {
			ordered.push(json!({"destination": m["destination"], "source": m["source"], "type_": m["type"], "options": m["options"]}));
		}
	}
	ordered.sort_by_key(|m| text(&m["destination"]).matches('/').count());
	let mut at = std::collections::HashSet::new();
	ordered.retain(|m| m["destination"] == log || at.insert(text(&m["destination"])));
	v.mounts = ordered;
	for d in list(&c.spec["volumeDevices"]) {
		block_device(c, &text(&d["devicePath"]), &mut v);
	}
	Ok(v)
}

/// Without doubled slashes or one at the end.
fn collapsed(path: &str) -> String {
	path.split('/').filter(|p| !p.is_empty()).map(|p| format!("/{p}")).collect()
}

fn bind(destination: &str, source: &str, propagation: &str, mode: &str) -> Json {
	json!({"destination": destination, "source": source, "type_": "bind", "options": ["rbind", propagation, mode]})
}

fn mounted(sim: &Sim, c: &Container, m: &Json, v: &mut Volumes) -> Result<Json, String> {
	let (path, name) = (text(&m["mountPath"]), text(&m["name"]));
	let path = collapsed(&path);
	let propagation = match m["mountPropagation"].as_str() {
		Some("Bidirectional") => "rshared",
		Some("HostToContainer") => "rslave",
		_ => "rprivate",
	};
	if propagation != "rprivate" && v.propagation != "rshared" {
		v.propagation = propagation;
	}
	let volume = volume(sim, &name)?;
	let read_only = m["readOnly"] == true || matches!(volume, Volume::Atomic(_));
	let sub_path = text(&m["subPath"]);
	let source = match volume {
		Volume::Atomic(files) if !sub_path.is_empty() => {
			v.copies.push(single(sim, c, &path, &files, &sub_path)?);
			sim.copied(c, &path)
		}
		_ if !sub_path.is_empty() => return Err(format!("{path}: subPath of no file")),
		Volume::Atomic(files) => {
			atomic(sim, c, &path, &files, v);
			sim.copied(c, &path)
		}
		Volume::Claim => {
			claim(sim, &sim.copied(c, &path), v);
			sim.copied(c, &path)
		}
		Volume::Guest(p) => p,
		Volume::Block { memory } => {
			let storage = empty_dir(sim, &name, memory);
			let at = text(&storage["mount_point"]);
			v.storages.push(storage);
			at
		}
	};
	Ok(bind(&path, &source, propagation, if read_only { "ro" } else { "rw" }))
}

fn volume(sim: &Sim, name: &str) -> Result<Volume, String> {
	let Some(v) = list(&sim.spec()["volumes"]).find(|v| v["name"] == name) else {
		return Ok(Volume::Claim); // of a StatefulSet's volumeClaimTemplates
	};
	if let Some(e) = v.get("emptyDir") {
		return Ok(Volume::Block { memory: e["medium"] == "Memory" });
	}
	if let Some(h) = v.get("hostPath") {
		let path = text(&h["path"]);
		let guest = path.starts_with("/dev/") || path.starts_with("/sys/");
		return Ok(if guest { Volume::Guest(path) } else { Volume::Claim });
	}
	if v.get("persistentVolumeClaim").is_some() || v.get("ephemeral").is_some() {
		return Ok(Volume::Claim);
	}
	let mut files = Vec::new();
	if let Some(p) = v.get("projected") {
		for source in list(&p["sources"]) {
			collect(sim, source, &p["defaultMode"], &mut files)?;
		}
	} else {
		collect(sim, v, &Json::Null, &mut files)?;
	}
	files.sort();
	Ok(Volume::Atomic(files))
}

/// The files of one source; `mode` is the projected volume's, which else stands with the source.
fn collect(
	sim: &Sim,
	source: &Json,
	mode: &Json,
	files: &mut Vec<(String, u64, u32)>,
) -> Result<(), String> {
	for (member, kind) in [("configMap", "ConfigMap"), ("secret", "Secret")] {
		let Some(s) = source.get(member) else { continue };
		let name = s["name"].as_str().or(s["secretName"].as_str()).unwrap_or_default();
		let mode = mode.as_u64().or(s["defaultMode"].as_u64()).unwrap_or(0o644);
		let Some(object) = sim.object(kind, name) else {
			return if s["optional"] == true { Ok(()) } else { Err(format!("no {kind} {name}")) };
		};
		for (key, bytes) in contents(object) {
			let item = list(&s["items"]).find(|i| i["key"] == key.as_str());
			if s.get("items").is_none() || item.is_some() {
				let path = item.map_or(key, |i| text(&i["path"]));
				files.push((
					path,
					bytes.len() as u64,
					item.and_then(|i| i["mode"].as_u64()).unwrap_or(mode) as u32,
				));
			}
		}
	}
	if let Some(d) = source.get("downwardAPI") {
		for item in list(&d["items"]) {
			let size = match item["fieldRef"]["fieldPath"].as_str() {
				Some("metadata.labels" | "metadata.annotations") => 61,
				Some(path) => field(sim, path)?.len() as u64,
				None => 1,
			};
			let mode = item["mode"]
				.as_u64()
				.or(mode.as_u64())
				.or(d["defaultMode"].as_u64())
				.unwrap_or(0o644);
			files.push((text(&item["path"]), size, mode as u32));
		}
	}
	if let Some(t) = source.get("serviceAccountToken") {
		files.push((text(&t["path"]), 1204, mode.as_u64().unwrap_or(0o644) as u32));
	}
	Ok(())
}

/// Kubelet's atomic writer, as the shim walks it; an update is the same under a new time.
fn atomic(sim: &Sim, c: &Container, path: &str, files: &[(String, u64, u32)], v: &mut Volumes) {
	let base = sim.copied(c, path);
	let (group, extra) =
		(sim.fs_group(), if sim.fs_group() > 0 { (0o2110, 0o440) } else { (0, 0) });
	let dir = |p: &str, mode: u32| sim.copy(p, "Directory", None, 0, DIR | mode | extra.0, group);
	let walk = |time: &str, out: &mut Vec<Json>| {
		let stamped = format!("{base}/{time}");
		out.push(dir(&stamped, 0o755));
		for (n, (file, size, mode)) in files.iter().enumerate() {
			for at in file.match_indices('/').map(|(i, _)| &file[..=i]) {
				if !files[..n].iter().any(|(f, ..)| f.starts_with(at)) {
					out.push(dir(&format!("{stamped}/{}", &at[..at.len() - 1]), 0o755));
				}
			}
			out.push(sim.copy(
				&format!("{stamped}/{file}"),
				"Regular",
				None,
				*size,
				FILE | mode | extra.1,
				group,
			));
		}
		out.push(sim.copy(&format!("{base}/..data"), "Symlink", Some(time), 0, LINK, group));
		let mut firsts: Vec<&str> =
			files.iter().map(|(f, ..)| f.split('/').next().unwrap_or(f)).collect();
		firsts.dedup();
		for f in firsts {
			out.push(sim.copy(
				&format!("{base}/{f}"),
				"Symlink",
				Some(&format!("..data/{f}")),
				0,
				LINK,
				group,
			));
		}
	};
	v.copies.push(dir(&base, 0o777));
	walk("..2026_08_22_10_04_14.370457833", &mut v.copies);
	walk("..2026_08_23_23_59_59.1234567890", &mut v.updates);
}

/// One file by subPath: kubelet mounts the file itself, so the shim copies a plain file, once.
fn single(
	sim: &Sim,
	c: &Container,
	path: &str,
	files: &[(String, u64, u32)],
	sub_path: &str,
) -> Result<Json, String> {
	let (_, size, mode) =
		files.iter().find(|(f, ..)| f == sub_path).ok_or(format!("{path}: no file {sub_path}"))?;
	let mode = FILE | mode | if sim.fs_group() > 0 { 0o440 } else { 0 };
	Ok(sim.copy(&sim.copied(c, path), "Regular", None, *size, mode, sim.fs_group()))
}

/// A claim as a file system is copied once: some directories, a large file in pieces.
fn claim(sim: &Sim, base: &str, v: &mut Volumes) {
	let group = sim.fs_group();
	let extra = if group > 0 { (0o2070, 0o060) } else { (0, 0) };
	v.copies.push(sim.copy(base, "Directory", None, 0, DIR | 0o755 | extra.0, group));
	v.copies.push(sim.copy(
		&format!("{base}/lost+found"),
		"Directory",
		None,
		0,
		DIR | 0o700 | extra.0,
		group,
	));
	let size = 2 * CHUNK + 17;
	for offset in (0..size).step_by(CHUNK as usize) {
		let mut piece = sim.copy(
			&format!("{base}/data.bin"),
			"Regular",
			None,
			size,
			FILE | 0o644 | extra.1,
			group,
		);
		piece["offset"] = offset.into();
		v.copies.push(piece);
	}
}

fn empty_dir(sim: &Sim, name: &str, memory: bool) -> Json {
	let group = sim.fs_group();
	if memory {
		let options = if group > 0 { vec![format!("fsgid={group}")] } else { vec![] };
		return json!({"driver": "ephemeral", "driver_options": [], "source": "tmpfs", "fstype": "tmpfs", "options": options,
			"mount_point": format!("/run/kata-containers/sandbox/ephemeral/{name}"), "fs_group": null, "shared": false});
	}
	let slot = list(&sim.spec()["volumes"]).position(|v| v["name"] == name).unwrap_or(0);
	let source = if sim.modern { format!("02/{slot:02x}") } else { format!("{slot:02x}/0a") };
	let at = format!("{STORAGE}{}", data_encoding::BASE64URL.encode(source.as_bytes()));
	let fs_group =
		if group > 0 { json!({"group_id": group, "group_change_policy": 0}) } else { Json::Null };
	json!({"driver": "blk", "driver_options": ["encryption_key=ephemeral", "create_filesystem"], "source": source, "fstype": "ext4",
		"options": [], "mount_point": at, "fs_group": fs_group, "shared": true})
}

fn block_device(c: &Container, path: &str, v: &mut Volumes) {
	let n = v.devices.len();
	v.devices.push(json!({"id": format!("drive-{}{n}", &c.id[..12]), "type_": "blk", "vm_path": format!("/dev/vd{}", char::from(b'b' + n as u8)),
		"container_path": path, "options": []}));
	v.linux_devices.push(
		json!({"Path": path, "Type": "b", "Major": 259, "Minor": n, "FileMode": 432, "UID": 0, "GID": 0}),
	);
}
