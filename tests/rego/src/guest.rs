//! The part of the guest's file system that CopyFile writes to, to tell where a file really lands.

use serde_json::Value as Json;
use std::collections::BTreeMap;

/// Links by path, both relative to the shared directory; nothing else steers a path.
#[derive(Clone, Default)]
pub struct Guest {
	links: BTreeMap<Vec<String>, String>,
}

fn parts(path: &str) -> Vec<String> {
	path.split('/').filter(|p| !p.is_empty() && *p != ".").map(String::from).collect()
}

impl Guest {
	/// Carries out an allowed request. Fails with the reason if that broke a promise: a file left the volume that its path
	/// names, a link leads out of its volume, or something stands in for the volume itself that is not to.
	pub fn copy(&mut self, path: &str, file_type: &str, target: &str) -> Result<(), String> {
		let literal = parts(path);
		let Some((name, parent)) = literal.split_last() else {
			return Err("replaces the shared directory".into());
		};
		if literal.iter().any(|p| p == "..") {
			return Err("climbs".into());
		}
		let mut at = self.resolve(&[], parent, 0)?;
		at.push(name.clone());
		if at[0] != literal[0] {
			return Err(format!("lands in {}", at.join("/")));
		}
		if file_type == "Symlink" {
			let leads = self.resolve(&at[..at.len() - 1], &parts(target), 0)?;
			if at.len() == 1 || target.starts_with('/') || leads.first() != Some(&at[0]) {
				return Err(format!("link leads to /{}", leads.join("/")));
			}
			self.remove(&at);
			self.links.insert(at, target.into());
		} else if file_type == "Regular" {
			self.remove(&at);
		}
		Ok(())
	}

	/// Follows links; never leaves the shared directory, as the agent sees to.
	fn resolve(
		&self,
		from: &[String],
		path: &[String],
		depth: usize,
	) -> Result<Vec<String>, String> {
		let mut at = from.to_vec();
		for p in path {
			if p == ".." {
				at.pop();
				continue;
			}
			at.push(p.clone());
			if let Some(target) = self.links.get(&at) {
				if depth > 8 {
					return Ok(at); // a loop: the agent fails, nothing is written
				}
				at.pop();
				let from = if target.starts_with('/') { &[][..] } else { &at[..] };
				at = self.resolve(from, &parts(target), depth + 1)?;
			}
		}
		Ok(at)
	}

	fn remove(&mut self, at: &[String]) {
		self.links.retain(|l, _| !l.starts_with(at));
	}
}

/// The fields of a CopyFile request that matter here; None if it is outside of the shared directory.
pub fn fields(request: &Json) -> Option<(&str, &str, &str)> {
	let path = request["path"].as_str()?.strip_prefix(crate::sim::SHARED)?;
	Some((
		path,
		request["file_type"].as_str()?,
		request["symlink_target"].as_str().unwrap_or_default(),
	))
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn ordinary_volume() {
		let mut g = Guest::default();
		for (path, kind, target) in [
			("a", "Directory", ""),
			("a/..1/k", "Regular", ""),
			("a/..data", "Symlink", "..1"),
			("a/k", "Symlink", "..data/k"),
			("a/..data/k", "Regular", ""),
		] {
			assert_eq!(g.copy(path, kind, target), Ok(()), "{path}");
		}
	}

	#[test]
	fn escapes() {
		for pair in [
			[("a/l", "Symlink", ".."), ("a/l/b", "Regular", "")],
			[("a/l", "Symlink", "../b"), ("a/l/x", "Regular", "")],
			[("a", "Symlink", "b"), ("a/x", "Regular", "")],
			[("a/l", "Symlink", "/b"), ("a/l/x", "Regular", "")],
			[("a/d", "Symlink", "e/../.."), ("a/d/x", "Regular", "")],
			[("a/x", "Directory", ""), ("a/../b", "Regular", "")],
		] {
			let mut g = Guest::default();
			assert!(pair.iter().any(|(p, k, t)| g.copy(p, k, t).is_err()), "{pair:?}");
		}
	}
}
