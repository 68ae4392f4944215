//! Environment, command line and references as kubelet resolves them and containerd merges them.

use super::{Container, Sim};
use crate::images::Image;
use serde_json::Value as Json;

type Pairs = Vec<(String, String)>;

/// What a container is told: the process environment, and the command line that uses it.
pub struct Told {
	pub env: Vec<String>,
	pub args: Vec<String>,
	/// The literal `env` entries of the pod, which is what exec probes are expanded by.
	pub literal: Pairs,
}

pub fn tell(sim: &Sim, c: &Container, image: &Image) -> Result<Told, String> {
	let services = services(sim);
	let mut own: Pairs = env_from(sim, c)?;
	let mut earlier: Pairs = Vec::new();
	for e in list(&c.spec["env"]) {
		let name = e["name"].as_str().unwrap_or_default();
		let value = match &e["valueFrom"] {
			Json::Null => Some(expand(e["value"].as_str().unwrap_or_default(), |n| {
				get(&earlier, n).or(get(&services, n))
			})),
			from => value_from(sim, c, from)?,
		};
		if let Some(v) = value {
			set(&mut earlier, name, &v);
			set(&mut own, name, &v);
		}
	}
	let mut all = services.clone();
	own.iter().for_each(|(k, v)| set(&mut all, k, v));
	let literal = list(&c.spec["env"]).map(|e| (text(&e["name"]), text(&e["value"]))).collect();
	Ok(Told { env: merge(sim, c, image, &own, &services), args: args(c, image, &all), literal })
}

fn merge(sim: &Sim, c: &Container, image: &Image, own: &Pairs, services: &Pairs) -> Vec<String> {
	let from_image = image.strings("Env");
	let from_image: Pairs = from_image
		.iter()
		.filter_map(|e| e.split_once('='))
		.map(|(k, v)| (k.into(), v.into()))
		.collect();
	let mut env: Pairs = Vec::new();
	let default = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".to_string();
	set(&mut env, "PATH", &get(&from_image, "PATH").unwrap_or(default));
	set(&mut env, "HOSTNAME", &sim.hostname);
	if c.spec["tty"] == true {
		set(&mut env, "TERM", "xterm");
	}
	let mut rest = services.clone();
	if sim.modern {
		rest.reverse();
	}
	rest.retain(|(k, _)| get(own, k).is_none());
	from_image.iter().chain(own).chain(&rest).for_each(|(k, v)| set(&mut env, k, v));
	env.into_iter().map(|(k, v)| format!("{k}={v}")).collect()
}

fn args(c: &Container, image: &Image, vars: &Pairs) -> Vec<String> {
	let given = |key: &str| {
		strings(&c.spec[key]).iter().map(|a| expand(a, |n| get(vars, n))).collect::<Vec<_>>()
	};
	let (command, args) = (given("command"), given("args"));
	match (command.is_empty(), args.is_empty()) {
		(false, _) => [command, args].concat(),
		(true, false) => [image.strings("Entrypoint"), args].concat(),
		(true, true) => [image.strings("Entrypoint"), image.strings("Cmd")].concat(),
	}
}

/// The variables of the services in the namespace; one of them is in no manifest.
fn services(sim: &Sim) -> Pairs {
	let host =
		|n: usize| if sim.modern { format!("fd00:10:96::{n:x}") } else { format!("10.96.0.{n}") };
	let mut found =
		vec![("kubernetes".to_string(), vec![("https".to_string(), "TCP".to_string(), 443)], 1)];
	if sim.spec()["enableServiceLinks"] != false {
		found.push((
			"legacy-cache".into(),
			vec![(String::new(), "TCP".into(), 6379), ("stats".into(), "UDP".into(), 6380)],
			7,
		));
		for (n, s) in sim
			.docs
			.iter()
			.filter(|d| d["kind"] == "Service" && d["spec"]["clusterIP"] != "None")
			.enumerate()
		{
			let port = |p: &Json| {
				(
					text(&p["name"]),
					p["protocol"].as_str().unwrap_or("TCP").into(),
					p["port"].as_i64().unwrap_or(0),
				)
			};
			found.push((
				text(&s["metadata"]["name"]),
				list(&s["spec"]["ports"]).map(port).collect(),
				20 + n,
			));
		}
	}
	found.iter().flat_map(|(name, ports, n)| service(name, ports, &host(*n))).collect()
}

fn service(name: &str, ports: &[(String, String, i64)], ip: &str) -> Pairs {
	let x = name.to_uppercase().replace('-', "_");
	let shown = if ip.contains(':') { format!("[{ip}]") } else { ip.to_string() };
	let mut vars = vec![
		(format!("{x}_SERVICE_HOST"), ip.to_string()),
		(format!("{x}_SERVICE_PORT"), ports[0].2.to_string()),
	];
	for (i, (port, protocol, n)) in ports.iter().enumerate() {
		let url = format!("{}://{shown}:{n}", protocol.to_lowercase());
		let p = format!("{x}_PORT_{n}_{protocol}");
		if !port.is_empty() {
			vars.push((
				format!("{x}_SERVICE_PORT_{}", port.to_uppercase().replace('-', "_")),
				n.to_string(),
			));
		}
		if i == 0 {
			vars.push((format!("{x}_PORT"), url.clone()));
		}
		vars.extend([
			(p.clone(), url),
			(format!("{p}_PROTO"), protocol.to_lowercase()),
			(format!("{p}_PORT"), n.to_string()),
			(format!("{p}_ADDR"), ip.to_string()),
		]);
	}
	vars
}

fn env_from(sim: &Sim, c: &Container) -> Result<Pairs, String> {
	let mut vars = Vec::new();
	for e in list(&c.spec["envFrom"]) {
		let (kind, r) = if e["configMapRef"].is_null() {
			("Secret", &e["secretRef"])
		} else {
			("ConfigMap", &e["configMapRef"])
		};
		let Some(object) = sim.object(kind, &text(&r["name"])) else {
			if r["optional"] == true {
				continue;
			}
			return Err(format!("no {kind} {}", r["name"]));
		};
		for (key, value) in contents(object) {
			let name = format!("{}{key}", text(&e["prefix"]));
			let valid = |b: u8| b.is_ascii_alphanumeric() || b"_-.".contains(&b);
			if name.bytes().all(valid) && !name.starts_with(|ch: char| ch.is_ascii_digit()) {
				set(&mut vars, &name, &String::from_utf8_lossy(&value));
			}
		}
	}
	Ok(vars)
}

/// Keys and contents of a ConfigMap or Secret.
pub fn contents(object: &Json) -> Vec<(String, Vec<u8>)> {
	let secret = object["kind"] == "Secret";
	let mut all: Vec<(String, Vec<u8>)> = Vec::new();
	for (member, base64) in [("data", secret), ("binaryData", true), ("stringData", false)] {
		for (key, value) in object[member].as_object().into_iter().flatten() {
			let value = value.as_str().unwrap_or_default().as_bytes();
			let bytes = if base64 {
				data_encoding::BASE64.decode(value).unwrap_or_default()
			} else {
				value.to_vec()
			};
			all.retain(|(k, _)| k != key);
			all.push((key.clone(), bytes));
		}
	}
	all
}

fn value_from(sim: &Sim, c: &Container, from: &Json) -> Result<Option<String>, String> {
	for (member, kind) in [("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")] {
		let Some(r) = from.get(member) else { continue };
		let all = sim.object(kind, &text(&r["name"])).map(contents).unwrap_or_default();
		return match all.into_iter().find(|(k, _)| *k == text(&r["key"])) {
			Some((_, v)) => Ok(Some(String::from_utf8_lossy(&v).into_owned())),
			None if r["optional"] == true => Ok(None),
			None => Err(format!("{kind} {} has no key {}", r["name"], r["key"])),
		};
	}
	match from.get("resourceFieldRef") {
		Some(r) => Ok(Some(resource(sim, c, r))),
		None => field(sim, &text(&from["fieldRef"]["fieldPath"])).map(Some),
	}
}

/// The value of a downward API field.
pub fn field(sim: &Sim, path: &str) -> Result<String, String> {
	let keyed =
		|what: &str| path.strip_prefix(what).and_then(|r| r.strip_suffix("']")).map(String::from);
	Ok(match path {
		"metadata.name" => sim.name.clone(),
		"metadata.namespace" => sim.namespace.clone(),
		"metadata.uid" => sim.uid.clone(),
		"spec.nodeName" => "worker-1.example".into(),
		"spec.serviceAccountName" => {
			sim.spec()["serviceAccountName"].as_str().unwrap_or("default").into()
		}
		"status.hostIP" | "status.hostIPs" => "192.0.2.10".into(),
		"status.podIP" => sim.addresses()[0].into(),
		"status.podIPs" => sim.addresses().join(","),
		_ => match (keyed("metadata.labels['"), keyed("metadata.annotations['")) {
			(Some(k), _) => text(&sim.pod.metadata["labels"][k]),
			(_, Some(k)) => text(&sim.pod.metadata["annotations"][k]),
			_ => return Err(format!("unknown field {path}")),
		},
	})
}

fn resource(sim: &Sim, c: &Container, r: &Json) -> String {
	let of = r["containerName"].as_str().map_or(&c.spec, |n| sim.spec_of(n));
	let path = text(&r["resource"]);
	let (kind, name) = path.split_once('.').unwrap_or_default();
	let stated = Some(&of["resources"][kind][name])
		.filter(|v| !v.is_null())
		.or(of["resources"].get("limits").map(|l| &l[name]));
	let node = if name == "cpu" { "7910m" } else { "31457280Ki" };
	let amount = stated.filter(|v| !v.is_null()).map_or(quantity(node), |v| quantity(&scalar(v)));
	let divisor = r.get("divisor").map_or(1.0, |d| quantity(&scalar(d)));
	format!("{}", (amount / if divisor == 0.0 { 1.0 } else { divisor } - 1e-9).ceil())
}

fn scalar(v: &Json) -> String {
	v.as_str().map_or_else(|| v.to_string(), String::from)
}

fn quantity(q: &str) -> f64 {
	let (number, unit) = q.split_at(q.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(q.len()));
	let scale = match unit {
		"m" => 1e-3,
		"" => 1.0,
		_ => {
			let power = "kMGTPE".find(&unit[..1].replace('K', "k")).map_or(0, |i| i as i32 + 1);
			if unit.ends_with('i') {
				1024f64.powi(power)
			} else {
				1000f64.powi(power)
			}
		}
	};
	number.parse::<f64>().unwrap_or(0.0) * scale
}

/// `$(NAME)` and `$$` in one pass; what is unknown stays as it stands.
pub fn expand(s: &str, value: impl Fn(&str) -> Option<String>) -> String {
	let (mut out, mut rest) = (String::new(), s);
	while let Some(at) = rest.find('$') {
		out.push_str(&rest[..at]);
		let tail = &rest[at + 1..];
		let name = tail.strip_prefix('(').and_then(|t| t.split_once(')'));
		(out, rest) = match name {
			_ if tail.starts_with('$') => (out + "$", &tail[1..]),
			Some((name, after)) => (out + &value(name).unwrap_or(format!("$({name})")), after),
			None => (out + "$", tail),
		};
	}
	out + rest
}

/// The command of an exec probe.
pub fn probe(told: &Told, command: &[String]) -> Vec<String> {
	command.iter().map(|a| expand(a, |n| get(&told.literal, n))).collect()
}

pub fn list(v: &Json) -> impl Iterator<Item = &Json> {
	v.as_array().into_iter().flatten()
}

pub fn text(v: &Json) -> String {
	v.as_str().unwrap_or_default().into()
}

pub fn strings(v: &Json) -> Vec<String> {
	list(v).map(text).collect()
}

fn get(vars: &Pairs, name: &str) -> Option<String> {
	vars.iter().rev().find(|(k, _)| k == name).map(|(_, v)| v.clone())
}

/// The last value wins, the first position stays.
fn set(vars: &mut Pairs, name: &str, value: &str) {
	match vars.iter_mut().find(|(k, _)| k == name) {
		Some((_, v)) => *v = value.into(),
		None => vars.push((name.into(), value.into())),
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn expansion() {
		let v = |n: &str| (n == "A").then(|| "1$(A)".to_string());
		for (from, to) in [
			("$(A)", "1$(A)"),
			("$$(A)", "$(A)"),
			("$(B)$", "$(B)$"),
			("$x$(A", "$x$(A"),
			("$$$(A)", "$1$(A)"),
			("$$$$", "$$"),
		] {
			assert_eq!(expand(from, v), to, "{from}");
		}
	}

	#[test]
	fn quantities() {
		for (q, n) in [
			("500m", 0.5),
			("1Gi", 1073741824.0),
			("2", 2.0),
			("1k", 1000.0),
			("1Ki", 1024.0),
			("1.5G", 1.5e9),
		] {
			assert_eq!(quantity(q), n, "{q}");
		}
	}
}
