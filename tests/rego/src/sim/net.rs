//! The network calls of two usual CNIs: a bridge with a route to its subnet, and a point-to-point link with a fixed gateway.

use serde_json::{json, Value as Json};

/// Kinds and requests, in order.
pub fn requests(modern: bool, addresses: &[&str]) -> Vec<(&'static str, Json)> {
	let address = |a: &&str| json!({"family": i32::from(a.contains(':')), "address": a, "mask": if a.contains(':') { "128" } else if modern { "32" } else { "24" }});
	let mac = if modern { "1e:0f:22:a0:71:5c" } else { "66:74:9f:6a:96:01" };
	let interface = json!({"device": "eth0", "name": "eth0", "IPAddresses": addresses.iter().map(address).collect::<Vec<_>>(),
		"mtu": if modern { 1480 } else { 1450 }, "hwAddr": mac, "devicePath": "02/00", "type_": if modern { "tap" } else { "virtual" }, "raw_flags": 0});
	let route = |dest: &str, gateway: &str, scope: i32, family: i32| {
		json!({"dest": dest, "gateway": gateway, "device": "eth0", "source": "",
		"scope": scope, "family": family, "flags": 0, "mtu": 0})
	};
	let neighbor = |family: i32, address: &str, lladdr: &str, state: i32| {
		json!({"toIPAddress": {"family": family, "address": address, "mask": ""},
		"device": "eth0", "lladdr": lladdr, "state": state, "flags": if family == 1 { 128 } else { 0 }})
	};
	let (routes, neighbors) = if modern {
		(
			json!([
				route("169.254.1.1/32", "", 253, 0),
				route("", "169.254.1.1", 0, 0),
				route("", "fe80::ecee:eeff:feee:eeee", 0, 1)
			]),
			json!([
				neighbor(0, "169.254.1.1", "ee:ee:ee:ee:ee:ee", 128),
				neighbor(1, "fe80::ecee:eeff:feee:eeee", "ee:ee:ee:ee:ee:ee", 128)
			]),
		)
	} else {
		(
			json!([route("", "10.244.0.1", 0, 0), route("10.244.0.0/16", "10.244.0.1", 0, 0)]),
			json!([neighbor(0, "10.244.0.1", "0a:58:0a:f4:00:01", 2)]),
		)
	};
	vec![
		("UpdateInterfaceRequest", json!({"interface": interface})),
		("UpdateRoutesRequest", json!({"routes": {"Routes": routes}})),
		("AddARPNeighborsRequest", json!({"neighbors": {"ARPNeighbors": neighbors}})),
	]
}
