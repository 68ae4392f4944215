//! Images as OCI layouts: writes the ones that the applications under apps/ use, reads what a runtime needs of them.

use crate::{read, tar, Opts};
use serde_json::{json, Value as Json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const ROOT: &str = "root:x:0:0:root:/root:/bin/sh\n";

/// Reference, configuration, layers from the lowest.
type Recipe = (&'static str, Json, Vec<Vec<(&'static str, &'static str)>>);

fn recipes() -> Vec<Recipe> {
	let plain = || vec![vec![("etc/passwd", ROOT), ("etc/group", "root:x:0:\n")]];
	let cuda = format!(
		"NVIDIA_REQUIRE_CUDA=cuda>=12.4 {}",
		"brand=tesla,driver>=470,driver<471 ".repeat(60)
	);
	vec![
		(
			"pause:3.10",
			json!({"User": "65535:65535", "Entrypoint": ["/pause"], "Env": [PATH]}),
			vec![vec![("pause", "")]],
		),
		(
			"busybox:1.36",
			json!({"Cmd": ["sh"], "Env": [PATH]}),
			vec![vec![("etc/passwd", ROOT), ("etc/group", "root:x:0:\nwheel:x:10:root\n")]],
		),
		(
			"nginx:1.27",
			json!({"Entrypoint": ["/docker-entrypoint.sh"], "Cmd": ["nginx", "-g", "daemon off;"],
			"Env": [PATH, "NGINX_VERSION=1.27.4", "PKG_RELEASE=1~bookworm"], "ExposedPorts": {"80/tcp": {}}}),
			plain(),
		),
		(
			"postgres:16",
			json!({"Entrypoint": ["docker-entrypoint.sh"], "Cmd": ["postgres"], "WorkingDir": "/",
			"Env": [PATH, "LANG=en_US.utf8", "PGDATA=/var/lib/postgresql/data"], "Volumes": {"/var/lib/postgresql/data": {}}}),
			vec![
				vec![("etc/passwd", ROOT), ("etc/group", "root:x:0:\n")],
				vec![("etc/passwd", "root:x:0:0::/root:/bin/sh\npostgres:x:999:999::/:/bin/sh\n")],
			],
		),
		(
			"redis:7",
			json!({"User": "999", "Entrypoint": ["redis-server"], "Env": [PATH, "REDIS_VERSION=7.4"], "WorkingDir": "/data",
			"Volumes": {"/data//": {}}}),
			vec![
				vec![
					("etc/passwd", "redis:x:998:998::/:/bin/sh\n"),
					("etc/group", "redis:x:998:\n"),
				],
				vec![
					("etc/passwd", "root:x:0:0::/root:/bin/sh\nredis:x:999:1000::/:/bin/sh\n"),
					("etc/.wh.group", ""),
				],
			],
		),
		(
			"app:2.1",
			json!({"User": "10001:10001", "Entrypoint": ["/srv/app", "--port=8080"], "Cmd": ["--verbose"], "WorkingDir": "/srv",
			"Env": ["PATH=/srv/bin:/usr/bin:/bin", "GREETING=a \"quoted\" \\ value", "EMPTY="]}),
			vec![vec![("etc/passwd", ROOT), ("etc/group", "root:x:0:\n")]],
		),
		(
			"cuda:12.4",
			json!({"Cmd": ["/bin/bash"], "Env": [PATH, cuda, "NVIDIA_VISIBLE_DEVICES=all"]}),
			plain(),
		),
		("initializer:1", json!({"Entrypoint": ["/initializer"], "Env": [PATH]}), plain()),
		("mesh-proxy:1", json!({"Entrypoint": ["/service-mesh"], "Env": [PATH]}), plain()),
	]
}

/// `ctr-rego images DIR`: writes every image below DIR, one layout each.
pub fn run(o: &Opts) -> Result<bool, String> {
	for (reference, config, layers) in recipes() {
		let dir = Path::new(o.operand(0)?).join(reference.replace(':', "-"));
		write(&dir, reference, config, &layers).map_err(|e| format!("{}: {e}", dir.display()))?;
	}
	Ok(true)
}

fn write(
	dir: &Path,
	reference: &str,
	config: Json,
	layers: &[Vec<(&str, &str)>],
) -> std::io::Result<()> {
	let blobs = dir.join("blobs/sha256");
	std::fs::create_dir_all(&blobs)?;
	let put = |bytes: &[u8], kind: &str| -> std::io::Result<Json> {
		let hex = sha256(bytes);
		std::fs::write(blobs.join(&hex), bytes)?;
		Ok(
			json!({"mediaType": format!("application/vnd.oci.image.{kind}"), "digest": format!("sha256:{hex}"), "size": bytes.len()}),
		)
	};
	let (mut stored, mut diffs) = (Vec::new(), Vec::new());
	for layer in layers {
		let (gz, tar) = tar::pack(layer);
		stored.push(put(&gz, "layer.v1.tar+gzip")?);
		diffs.push(format!("sha256:{}", sha256(&tar)));
	}
	let manifest = |architecture: &str| -> std::io::Result<Json> {
		let config = json!({"architecture": architecture, "os": "linux", "config": config, "rootfs": {"type": "layers", "diff_ids": diffs}});
		let config = put(config.to_string().as_bytes(), "config.v1+json")?;
		let text = json!({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "config": config, "layers": stored});
		let mut entry = put(text.to_string().as_bytes(), "manifest.v1+json")?;
		entry["platform"] = json!({"architecture": architecture, "os": "linux"});
		Ok(entry)
	};
	let mut entry = manifest("amd64")?;
	if reference.starts_with("nginx") {
		let index = json!({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [manifest("arm64")?, entry]});
		entry = put(index.to_string().as_bytes(), "index.v1+json")?;
	}
	entry["annotations"] =
		json!({"org.opencontainers.image.ref.name": format!("registry.example/{reference}")});
	let index = json!({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [entry]});
	std::fs::write(dir.join("index.json"), index.to_string())?;
	std::fs::write(dir.join("oci-layout"), "{\"imageLayoutVersion\":\"1.0.0\"}")
}

/// In hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
	data_encoding::HEXLOWER.encode(&Sha256::digest(bytes))
}

/// What a runtime knows of an image.
#[derive(Default)]
pub struct Image {
	/// The `config` member of the image configuration.
	pub config: Json,
	files: BTreeMap<String, String>,
}

impl Image {
	/// The fields of each line of /etc/passwd or /etc/group.
	pub fn accounts(&self, file: &str) -> Vec<Vec<&str>> {
		self.files
			.get(file)
			.map_or("", String::as_str)
			.lines()
			.map(|l| l.split(':').collect())
			.collect()
	}

	pub fn strings(&self, key: &str) -> Vec<String> {
		self.config[key]
			.as_array()
			.into_iter()
			.flatten()
			.filter_map(|v| v.as_str().map(String::from))
			.collect()
	}
}

/// Finds the image `…@sha256:<hex>` in a directory of layouts.
pub fn find(dir: &str, reference: &str) -> Result<Image, String> {
	let hex = reference.split_once("@sha256:").ok_or(format!("{reference} is not pinned"))?.1;
	let entries = std::fs::read_dir(dir).map_err(|e| format!("{dir}: {e}"))?;
	let blobs =
		entries.flatten().map(|e| e.path().join("blobs/sha256")).find(|p| p.join(hex).exists());
	load(&blobs.ok_or(format!("{reference} is in no layout"))?, hex)
}

fn load(blobs: &PathBuf, hex: &str) -> Result<Image, String> {
	let document = |hex: &str| -> Result<Json, String> {
		serde_json::from_str(&read(blobs.join(hex))?).map_err(|e| e.to_string())
	};
	let digest = |d: &Json| {
		d["digest"].as_str().unwrap_or_default().trim_start_matches("sha256:").to_string()
	};
	let manifest = document(hex)?;
	if let Some(list) = manifest["manifests"].as_array() {
		let ours = list.iter().find(|m| m["platform"]["architecture"] == "amd64");
		return load(blobs, &digest(ours.ok_or("no image for amd64")?));
	}
	let mut image = Image {
		config: document(&digest(&manifest["config"]))?["config"].take(),
		files: BTreeMap::new(),
	};
	for layer in manifest["layers"].as_array().into_iter().flatten() {
		let bytes = std::fs::read(blobs.join(digest(layer))).map_err(|e| e.to_string())?;
		for (name, content) in tar::unpack(&bytes)? {
			match name.replace("/.wh.", "/") {
				whited if whited != name => drop(image.files.remove(&whited)),
				_ => drop(image.files.insert(name, content)),
			}
		}
	}
	Ok(image)
}
