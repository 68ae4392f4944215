//! Kubernetes objects: documents of a stream and the pods in them.

use serde::Deserialize;
use serde_json::Value as Json;

/// All objects of a YAML stream, Lists taken apart.
pub fn documents(text: &str) -> Result<Vec<Json>, String> {
	let mut all = Vec::new();
	for doc in serde_yaml_ng::Deserializer::from_str(text) {
		let doc = Json::deserialize(doc).map_err(|e| e.to_string())?;
		match doc["items"].as_array() {
			Some(items) if doc["kind"].as_str().is_some_and(|k| k.ends_with("List")) => {
				all.extend(items.iter().cloned())
			}
			_ if doc.is_null() => (),
			_ => all.push(doc),
		}
	}
	Ok(all)
}

/// A pod, or the template that a controller makes pods of.
#[derive(Clone)]
pub struct Pod {
	pub kind: String,
	/// The object, for its name and what its kind adds.
	pub object: Json,
	pub metadata: Json,
	pub spec: Json,
}

/// The pods of a stream, in its order.
pub fn pods(documents: &[Json]) -> Vec<Pod> {
	let pod = |object: &Json| {
		let template = match object["kind"].as_str()? {
			"Pod" => object,
			"CronJob" => &object["spec"]["jobTemplate"]["spec"]["template"],
			_ => &object["spec"]["template"],
		};
		let spec = template.get("spec").filter(|s| s.get("containers").is_some())?.clone();
		let kind = object["kind"].as_str()?.into();
		Some(Pod { kind, object: object.clone(), metadata: template["metadata"].clone(), spec })
	};
	documents.iter().filter_map(pod).collect()
}
