//! Wrong requests out of a right one: each value changed in every way that its type allows.

use crate::patch::pointer;
use serde_json::{json, Value as Json};

type Path = Vec<String>;

/// Calls `f` with path, operation and request for each mutation of `request`, which is as before at the end.
pub fn each(request: &mut Json, f: &mut dyn FnMut(&[String], &'static str, &Json)) {
	let mut all = Vec::new();
	collect(request, &mut Vec::new(), &mut all);
	for (path, variants) in all {
		let at = pointer(&path);
		for (suffix, op, value) in variants {
			let place = request.pointer_mut(&at).expect("path of this request");
			let right = std::mem::replace(place, value);
			f(&[path.clone(), suffix].concat(), op, request);
			*request.pointer_mut(&at).expect("path of this request") = right;
		}
	}
}

type Variants = Vec<(Path, &'static str, Json)>;

fn collect(value: &Json, path: &mut Path, all: &mut Vec<(Path, Variants)>) {
	let name = path.last().map_or("", String::as_str);
	all.push((path.clone(), variants(name, value)));
	let members: Vec<(String, &Json)> = match value {
		Json::Array(a) => a.iter().enumerate().map(|(i, v)| (i.to_string(), v)).collect(),
		Json::Object(m) => m.iter().map(|(k, v)| (k.clone(), v)).collect(),
		_ => Vec::new(),
	};
	for (key, member) in members {
		path.push(key);
		collect(member, path, all);
		path.pop();
	}
}

fn variants(name: &str, value: &Json) -> Variants {
	let mut v: Variants = match value {
		Json::String(s) => return string(s),
		Json::Null => vec![(vec![], "fill", json!({})), (vec![], "type", json!("x"))],
		Json::Bool(b) => vec![(vec![], "flip", json!(!b)), (vec![], "type", json!("x"))],
		Json::Number(n) => {
			let n = n.as_i64().unwrap_or(0);
			vec![
				(vec![], "inc", json!(n + 1)),
				(vec![], "dec", json!(n - 1)),
				(vec![], "type", json!("x")),
			]
		}
		Json::Array(a) => array(a),
		Json::Object(m) if ["Annotations", "Sysctl", "metadata"].contains(&name) => map(m),
		Json::Object(_) => vec![],
	};
	if !value.is_null() && !name.is_empty() {
		v.push((vec![], "null", Json::Null));
	}
	v
}

fn string(s: &str) -> Variants {
	let mut v: Variants = vec![(vec![], "null", Json::Null), (vec![], "type", json!(7))];
	let swapped: String = s
		.chars()
		.map(|c| if c.is_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() })
		.collect();
	for (op, text) in [
		("suffix", format!("{s}x")),
		("prefix", format!("x{s}")),
		("climb", format!("{s}/..")),
		("slash", s.replacen('/', "//", 1)),
		("case", swapped),
		("empty", String::new()),
		("newline", format!("{s}\n")),
	] {
		if text != s && (s.contains('/') || !["climb", "slash"].contains(&op)) {
			v.push((vec![], op, json!(text)));
		}
	}
	if let Some(inner) =
		s.strip_prefix("image_guest_pull=").and_then(|t| serde_json::from_str::<Json>(t).ok())
	{
		let mut inner = inner;
		each(&mut inner, &mut |path, op, changed| {
			v.push((path.to_vec(), op, json!(format!("image_guest_pull={changed}"))))
		});
	}
	v
}

fn array(a: &[Json]) -> Variants {
	let mut v: Variants = Vec::new();
	let mut with = |path: Path, op, f: &dyn Fn(&mut Vec<Json>)| {
		let mut changed = a.to_vec();
		f(&mut changed);
		if changed != a {
			v.push((path, op, Json::Array(changed)));
		}
	};
	for i in 0..a.len() {
		let at = || vec![i.to_string()];
		with(at(), "remove", &|c| drop(c.remove(i)));
		with(at(), "double", &|c| c.push(a[i].clone()));
		with(at(), "move", &|c| c.swap(i, (i + 1) % a.len()));
	}
	with(vec![], "foreign", &|c| c.push(a.last().map_or(json!("foreign"), foreign)));
	with(vec![], "clear", &|c| c.clear());
	v
}

/// Like the value, but another.
fn foreign(like: &Json) -> Json {
	match like {
		Json::String(s) => json!(format!("FOREIGN_{s}")),
		Json::Number(n) => json!(n.as_i64().unwrap_or(0) + 4711),
		Json::Object(m) => m
			.iter()
			.map(|(k, v)| (k.clone(), if v.is_string() { foreign(v) } else { v.clone() }))
			.collect(),
		other => other.clone(),
	}
}

fn map(m: &serde_json::Map<String, Json>) -> Variants {
	let mut v: Variants = Vec::new();
	for key in m.keys() {
		let mut less = m.clone();
		less.remove(key);
		v.push((vec![key.clone()], "drop", Json::Object(less)));
	}
	let mut more = m.clone();
	more.insert("foreign".into(), json!("x"));
	v.push((vec![], "extra", Json::Object(more)));
	v
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn all_differ_and_the_request_stays() {
		let right = json!({"a": ["x", "y"], "p": "/x/y", "Annotations": {"k": "v"}, "n": 1, "b": false, "z": null, "s": {"t": "image_guest_pull={\"metadata\":{\"k\":\"v\"}}"}});
		let (mut request, mut seen) = (right.clone(), Vec::new());
		each(&mut request, &mut |path, op, wrong| {
			assert_ne!(*wrong, right, "{path:?} {op}");
			seen.push(format!("{} {op}", pointer(path)));
		});
		assert_eq!(request, right);
		for one in [
			"/p climb",
			"/p slash",
			"/a/0 remove",
			"/a/1 double",
			"/a/0 move",
			"/a foreign",
			"/Annotations/k drop",
			"/Annotations extra",
			"/n inc",
			"/b flip",
			"/z fill",
			"/s/t/metadata/k drop",
			"/s/t/metadata/k suffix",
		] {
			assert!(seen.contains(&one.to_string()), "{one} is not among {seen:?}");
		}
	}
}
