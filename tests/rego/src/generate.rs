//! Calls ctr-policygen and takes the policy off the pod.

use crate::{kube, Opts};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The YAML files of a directory, pod.yaml first, so that messages name it.
pub fn inputs(dir: &Path) -> Result<Vec<PathBuf>, String> {
	let entries = std::fs::read_dir(dir).map_err(|e| format!("{}: {e}", dir.display()))?;
	let mut files: Vec<_> = entries
		.flatten()
		.map(|e| e.path())
		.filter(|p| p.extension().is_some_and(|x| x == "yaml"))
		.collect();
	files.sort_by_key(|p| (p.file_name().is_none_or(|n| n != "pod.yaml"), p.clone()));
	Ok(files)
}

/// What ctr-policygen makes of these files.
pub fn annotated(o: &Opts, options: &[String], files: &[PathBuf]) -> Result<String, String> {
	let tool = Path::new(&std::env::var("BIN").unwrap_or("build/bin".into())).join("ctr-policygen");
	let mut command = Command::new(&tool);
	command.args([
		"--format",
		"policy",
		"--image-layout",
		o.images.as_deref().ok_or("--images is missing")?,
	]);
	if let Some(s) = &o.settings {
		command.args(["--settings", s]);
	}
	let out = command
		.args(options)
		.args(files)
		.output()
		.map_err(|e| format!("{}: {e}", tool.display()))?;
	if !out.status.success() {
		return Err(format!(
			"ctr-policygen: {}: {}",
			out.status,
			String::from_utf8_lossy(&out.stderr).trim()
		));
	}
	String::from_utf8(out.stdout).map_err(|e| e.to_string())
}

/// The policy text on a pod.
pub fn policy(pod: &kube::Pod) -> Result<String, String> {
	let text = pod.metadata["annotations"]["io.katacontainers.config.agent.policy"].as_str();
	let bytes = data_encoding::BASE64.decode(text.ok_or("pod without policy")?.as_bytes());
	String::from_utf8(bytes.map_err(|e| e.to_string())?).map_err(|e| e.to_string())
}
