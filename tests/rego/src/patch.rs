//! JSON Patch (RFC 6902) as the agent applies it to its state: in order, strictly, all or nothing.

use serde_json::Value as Json;

/// Returns the patched document; the one given is left alone, so a failing patch changes nothing.
pub fn patched(doc: &Json, ops: &[Json]) -> Result<Json, String> {
	let mut doc = doc.clone();
	for op in ops {
		apply(&mut doc, op).map_err(|e| format!("patch {op}: {e}"))?;
	}
	Ok(doc)
}

fn apply(doc: &mut Json, op: &Json) -> Result<(), String> {
	let text = |k: &str| op.get(k).and_then(Json::as_str).ok_or(format!("no {k}"));
	let value = || op.get("value").cloned().ok_or("no value".to_string());
	let path = tokens(text("path")?)?;
	match text("op")? {
		"add" => add(doc, &path, value()?),
		"remove" => remove(doc, &path).map(drop),
		"replace" => {
			*find(doc, &path)? = value()?;
			Ok(())
		}
		"test" if *find(doc, &path)? == value()? => Ok(()),
		"test" => Err("test failed".into()),
		"copy" => {
			let v = find(doc, &tokens(text("from")?)?)?.clone();
			add(doc, &path, v)
		}
		"move" => {
			let from = tokens(text("from")?)?;
			if path.len() > from.len() && path.starts_with(&from) {
				return Err("moves a value into itself".into());
			}
			let v = remove(doc, &from)?;
			add(doc, &path, v)
		}
		other => Err(format!("unknown op {other}")),
	}
}

/// The reference tokens of a JSON pointer (RFC 6901).
pub fn tokens(path: &str) -> Result<Vec<String>, String> {
	if path.is_empty() {
		return Ok(Vec::new());
	}
	let rest = path.strip_prefix('/').ok_or("path without /")?;
	Ok(rest.split('/').map(|t| t.replace("~1", "/").replace("~0", "~")).collect())
}

/// The pointer of a list of tokens.
pub fn pointer<S: AsRef<str>>(tokens: &[S]) -> String {
	tokens
		.iter()
		.map(|t| format!("/{}", t.as_ref().replace('~', "~0").replace('/', "~1")))
		.collect()
}

fn index(token: &str, len: usize) -> Result<usize, String> {
	let canonical =
		token == "0" || !token.starts_with('0') && token.bytes().all(|b| b.is_ascii_digit());
	match token.parse::<usize>() {
		Ok(i) if canonical && i < len => Ok(i),
		_ => Err(format!("no element {token}")),
	}
}

fn find<'a>(doc: &'a mut Json, path: &[String]) -> Result<&'a mut Json, String> {
	let mut at = doc;
	for t in path {
		at = match at {
			Json::Object(m) => m.get_mut(t).ok_or(format!("no member {t}"))?,
			Json::Array(a) => {
				let i = index(t, a.len())?;
				&mut a[i]
			}
			_ => return Err(format!("no member {t}")),
		};
	}
	Ok(at)
}

fn add(doc: &mut Json, path: &[String], v: Json) -> Result<(), String> {
	let Some((last, parent)) = path.split_last() else {
		*doc = v;
		return Ok(());
	};
	match find(doc, parent)? {
		Json::Object(m) => drop(m.insert(last.clone(), v)),
		Json::Array(a) if last == "-" => a.push(v),
		Json::Array(a) => a.insert(index(last, a.len() + 1)?, v),
		_ => return Err("parent holds no members".into()),
	}
	Ok(())
}

fn remove(doc: &mut Json, path: &[String]) -> Result<Json, String> {
	let Some((last, parent)) = path.split_last() else {
		return Err("removes the document".into());
	};
	match find(doc, parent)? {
		Json::Object(m) => m.remove(last).ok_or(format!("no member {last}")),
		Json::Array(a) => {
			let i = index(last, a.len())?;
			Ok(a.remove(i))
		}
		_ => Err("parent holds no members".into()),
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use serde_json::json;

	fn run(doc: Json, ops: Json) -> Result<Json, String> {
		patched(&doc, ops.as_array().unwrap())
	}

	#[test]
	fn every_op() {
		let ops = json!([{"op": "add", "path": "/p/a~1b~0", "value": [1]}, {"op": "add", "path": "/p/a~1b~0/-", "value": 2},
			{"op": "add", "path": "/p/a~1b~0/0", "value": 0}, {"op": "test", "path": "/p/a~1b~0", "value": [0, 1, 2]},
			{"op": "copy", "from": "/p/a~1b~0/2", "path": "/p/c"}, {"op": "move", "from": "/p/c", "path": "/p/d"},
			{"op": "replace", "path": "/p/d", "value": "x"}, {"op": "remove", "path": "/p/a~1b~0/1"}]);
		assert_eq!(run(json!({"p": {}}), ops).unwrap(), json!({"p": {"a/b~": [0, 2], "d": "x"}}));
	}

	#[test]
	fn strict() {
		for op in [
			json!({"op": "remove", "path": "/p/x"}),
			json!({"op": "replace", "path": "/p/x", "value": 1}),
			json!({"op": "add", "path": "/q/x", "value": 1}),
			json!({"op": "add", "path": "/a/2", "value": 1}),
			json!({"op": "remove", "path": "/a/00"}),
			json!({"op": "remove", "path": "/a/-"}),
			json!({"op": "test", "path": "/a", "value": []}),
			json!({"op": "add", "path": "p/x", "value": 1}),
			json!({"op": "move", "from": "/p", "path": "/p/x"}),
			json!({"op": "add", "path": "/p/x"}),
			json!({"op": "put", "path": "/p/x", "value": 1}),
			json!({"op": "copy", "from": "/z", "path": "/p/x"}),
		] {
			assert!(run(json!({"p": {}, "a": [1]}), json!([op])).is_err(), "{op}");
		}
	}
}
