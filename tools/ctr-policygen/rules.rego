package agent_policy

import rego.v1

# The rules of every policy; rego-minify makes them small. The pod's data follows in the rule `d`, written by policy.c:
#   d.n, d.hr, d.ns    patterns of pod name, hostname, namespace; d.h the hostname when the pod states one
#   d.o, d.c           init containers in order; all containers by name, the sandbox under ""
#   d.v, d.fg, d.sc    volumes by name, fsGroup or null, sysctls; d.an annotations that are passed on
#   d.log, d.x, d.xe, d.xm   settings: logs readable; commands, variables, mounts that every container may have
# State (data.pstate):
#   sb, h, n, ns, u    sandbox id, hostname, pod name, namespace, uid: first seen, then fixed
#   c                  containers by id: n name, e environment; 0 for a spent id
#   i                  by name: 0 created, 1 started, 2 removed after a start
#   v, if, ip          mount point by volume; interfaces by name; the pod's addresses
#
# A wanted value is any JSON, or {pattern}, a set of one: then the text, or the JSON of what is no text, matches all of it,
# with {{n}} {{s}} {{u}} {{h}} filled in from the state, @ for a hexadecimal digit, % for a decimal one. A check is true, or prints one line
# `WORD: FIELD: expected X, found Y` and is false. What is undefined is refused too.

j(parts) := concat("", parts)

q(x) := substring(json.marshal(x), 0, 80)

no(f, w, x) := false if print(j([f, ": expected ", q(w), ", found ", q(x)]))

g(o, k, x) := object.get(o, k, x)

st(k) := g(data.pstate, k, "")

ids := g(data.pstate, "c", {})

steps := g(data.pstate, "i", {})

# Every character that could mean something in a pattern.
esc(s) := regex.replace(s, `[!-/:-@\[-^{-~]`, `\$0`)

text(x) := x if is_string(x)

else := json.marshal(x) if x != null

fits(w, x) if w == x

fits(w, x) if {
	is_set(w)
	some p in w
	regex.match(j(["^(", strings.replace_n({
		"{{n}}": esc(st("n")), "{{s}}": st("ns"), "{{u}}": st("u"), "{{h}}": esc(st("h")), "@": "[0-9a-f]", "%": "[0-9]",
	}, p), ")$"]), text(x))
}

is(f, w, x) if fits(w, x)

else := no(f, w, x)

# Two objects, field by field, none more and none less: set() is fitted by nothing, a line end by no pattern of ours.
ok(f, want, got) if {
	every k in object.keys(want) | object.keys(got) { is(j([f, substring(k, 0, 60)]), g(want, k, set()), g(got, k, "\n")) }
}

less(x, keys) := object.remove(x, split(keys, " "))

both(x, y) := object.union(x, y)

cat(x, y) := array.concat(x, y)

oci := input.OCI

at(f, k) := j([f, "[", substring(json.marshal(k), 0, 60), "]"])

# Merges x into the state, as deep as it goes.
allow(x) := {"allowed": true, "ops": [{"op": "add", "path": "/pstate", "value": both(data.pstate, x)}]}

hex := `@{64}`

uuid := `@{8}(-@{4}){3}-@{12}`

# ---- sandbox

CreateSandboxRequest := allow({"sb": input.sandbox_id, "h": input.hostname}) if {
	is("sandbox: earlier", "", st("sb"))
	ok("sandbox: ", {
		"hostname": {g(d, "hr", d.n)}, "sandbox_id": {hex}, "dns": {".*"},
		"sandbox_pidns": false, "guest_hook_path": "", "kernel_modules": [],
	}, less(input, "storages"))
	is("storages: count", 1, count(input.storages))
	storage_is("storages: ", {
		"driver": "ephemeral", "source": "shm", "fstype": "tmpfs", "mount_point": shm,
		"options": {`\["noexec","nosuid","nodev","mode=1777","size=%{1,12}"\]`},
	}, input.storages[0])
} else := false

storage_is(f, want, s) if ok(f, both({"driver_options": [], "options": [], "fs_group": null, "shared": false}, want), s)

shm := "/run/kata-containers/sandbox/shm"

# ---- containers

CreateContainerRequest := allow(both(new, {"c": both(stale, {id: {"n": n, "e": oci.Process.Env}}), "i": {n: 0}, "v": vols})) if {
	a := oci.Annotations
	n := who(a)
	c := known(n)
	new := identity(n, c, a)
	is("order: not running", true, g(steps, n, 0) != 1)
	is("order: not done", [], [m | some i, m in d.o; i < c.i; not done(m)])
	is("order: created after it", [], [m | some m, _ in steps; c.k == "i"; d.c[m].i > c.i])
	ok("identity: ", both(calls, {"container_id": {hex}, "exec_id": id, "shared_mounts": [], "sandbox_pidns": c.pid}), less(input, "devices storages OCI"))
	ok("linux: ", {
		"Version": {`1\.%{1,3}\.%{1,3}`}, "Hostname": {"|{{h}}"}, "Hooks": null, "Solaris": null, "Windows": null,
	}, less(oci, "Process Root Mounts Annotations Linux"))
	ok("image: Root.", {"Path": root, "Readonly": c.ro}, oci.Root)
	image(c, a)
	p := oci.Process
	ok("process: ", process(c, {
		"Terminal": c.tty, "Args": c.a, "NoNewPrivileges": c.nnp, "ConsoleSize": {true: p.ConsoleSize, false: null}[c.tty],
	}), less(p, "Env User Capabilities"))
	user(c, p.User)
	caps(c, p.Capabilities)
	env(c, p.Env)
	vols := mounts(c)

	# A creation that never started gives way: its id is spent.
	stale := {i: 0 | some i, x in ids; x.n == n}
	devices(c, a)
	linux(c, oci.Linux)
} else := false

id := input.container_id

root := j(["/run/kata-containers/", id, "/rootfs"])

cri := "io.kubernetes.cri."

kata := "io.katacontainers.pkg.oci."

process(c, more) := both({
	"Cwd": c.cwd, "Rlimits": [], "SelinuxLabel": "", "ApparmorProfile": {`(cri-containerd\.apparmor\.d)?`}, "OOMScoreAdj": {"-?(%{1,3}|1000)"},
}, more)

calls := {"string_user": null, "stdin_port": 0, "stdout_port": 0, "stderr_port": 0}

# What a container's data need not say.
containers := {n: both({
	"ro": false, "tty": false, "nnp": false, "pid": false, "in": false, "raw": false, "sa": true, "rw": "ro", "rp": "", "svc": "[A-Z][A-Z0-9_]{0,62}",
	"tp": "/dev/termination-log", "m": {}, "mp": {}, "cwd": "/", "gpu": 0, "dev": [], "x": [],
	"cap": "CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT KILL AUDIT_WRITE",
}, c) | some n, c in d.c}

# "" for the sandbox, else the container's name.
who(a) := x if x := {"sandbox": "", "container": g(a, j([cri, "container-name"]), 0)}[a[j([cri, "container-type"])]]

else := no("identity: container-type", "sandbox or container", "another")

known(n) := containers[n] if containers[n]

else := no("identity: container-name", "a container of the pod", n)

done(m) if steps[m] == {"i": 2, "s": 1}[d.c[m].k]

# The sandbox comes first, once, and fixes name, namespace and uid; others have its. Yields what is to be stored.
identity("", _, a) := {"n": name, "ns": a[j([cri, "sandbox-namespace"])], "u": a[j([cri, "sandbox-uid"])]} if {
	is("order: sandbox container", "", st("n"))
	is("identity: container_id", st("sb"), id)
	name := a[j([cri, "sandbox-name"])]
	notes(a, {
		"container-type": "sandbox", "sandbox-name": {d.n}, "sandbox-namespace": {d.ns}, "sandbox-uid": {uuid},
	}, {k: {`[-a-zA-Z0-9._:/\x40]{1,512}`} | some k, _ in a; fits({`nerdctl/network-namespace|io\.kubernetes\.cri\.(podsandbox\.image-name|sandbox-(cpu-(period|quota|shares)|memory|log-directory))`}, k)})
	is("identity: hostname", g(d, "h", trim_right(substring(name, 0, 63), "-.")), st("h"))
}

identity(n, c, a) := {} if {
	n != ""
	is("order: sandbox container", true, st("n") != "")
	is("identity: container_id", null, g(ids, id, null))
	notes(a, {
		"container-type": "container", "container-name": n, "image-name": c.img,
		"sandbox-name": st("n"), "sandbox-namespace": st("ns"), "sandbox-uid": st("u"),
	}, both({"io.kubernetes.container.terminationMessagePath": c.tp, "io.kubernetes.container.terminationMessagePolicy": {"File|FallbackToLogsOnError"}}, gpus(c, a)))
}

# Annotations that must be there, those that may.
notes(a, must, may) if {
	ok("identity: ", both(object.filter(both(may, g(d, "an", {})), object.keys(a)), both({j([cri, k]): v | some k, v in must}, {
		j([cri, "sandbox-id"]): st("sb"),
		j([kata, "container_type"]): j(["pod_", must["container-type"]]),
		j([kata, "bundle_path"]): {j([`/run(/k3s)?/containerd/io\.containerd\.runtime\.v2\.task/k8s\.io/`, id])},
	})), a)
}

guest_pull(c, a) if {
	s := [x | some x in input.storages; x.driver == "image_guest_pull"]
	is("image: storages", 1, count(s))

	# The agent decides by this copy of the annotations whether it pulls at all.
	storage_is("image: ", {
		"driver": "image_guest_pull", "source": c.img, "fstype": "overlay", "mount_point": root, "driver_options": [{"metadata": a}],
	}, both(s[0], {"driver_options": [json.unmarshal(y) | some x in s[0].driver_options; startswith(x, "image_guest_pull="); y := trim_prefix(x, "image_guest_pull="); json.is_valid(y)]}))
	is("image: driver_options", 1, count(s[0].driver_options))
}

user(c, u) if ok("user: ", {"UID": c.u[0], "GID": c.u[1], "AdditionalGids": c.u[2], "Username": ""}, both(u, {"AdditionalGids": sort(u.AdditionalGids)}))

caps(c, p) if {
	all := sort([x | some x in split(c.cap, " "); x != ""])
	want := {"Bounding": all, "Effective": all, "Permitted": all, "Ambient": [], "Inheritable": []}
	ok("process: Capabilities.", want, {k: bare(p[k]) | some k, _ in want})
}

bare(v) := sort([trim_prefix(x, "CAP_") | some x in v])

# ---- environment: never prints a value

env(c, e) if {
	vars := [[p[0], concat("=", array.slice(p, 1, count(p)))] | some x in e; p := split(x, "=")]
	names := [v[0] | some v in vars]
	is("env: twice", [], [x | some i, x in names; x in array.slice(names, 0, i)])
	want := both({"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}, c.e)
	is("env: missing", [], [k | some k, _ in want; not k in names])
	every v in vars { variable(c, want, v[0], v[1]) }
}

variable(c, want, k, x) if fits(want[k], x)

else := no(at("env: ", k), "the value of the pod", "another") if want[k]

else if fits(d.xe[k], x)

else if fits({j([c.svc, "_(", service, ")"])}, j([k, "=", x]))

else := no(at("env: ", k), "unset", "set")

host := `(%{1,3}(\.%{1,3}){3}|[0-9a-f:]{2,39}|\[[0-9a-f:]{2,39}\])`

service := j([
	"SERVICE_HOST=", host, "|SERVICE_PORT(_[A-Z0-9_]{1,63})?=", port, "|PORT(", proto, ")?=(tcp|udp|sctp)://", host, ":", port,
	"|PORT", proto, "_(PROTO=(tcp|udp|sctp)|PORT=", port, "|ADDR=", host, ")",
])

port := "%{1,5}"

proto := j(["_", port, "_(TCP|UDP|SCTP)"])

# ---- mounts and the storages behind them; yields the new volume table
# Bind sources: S copied by the host, E: with the name of an emptyDir on an encrypted device, or a path.

expected(c) := both({
	"/proc": ["proc", "proc", safe],
	"/dev": ["tmpfs", "tmpfs", ["nosuid", "strictatime", "mode=755", "size=65536k"]],
	"/dev/pts": ["devpts", "devpts", ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]],
	"/dev/mqueue": ["mqueue", "mqueue", safe],
	"/sys": ["sysfs", "sysfs", {j([`\["nosuid","noexec","nodev","`, c.rw, `"\]`])}],
	"/dev/shm": ["bind", shm, ["rbind"]],
}, both(kubelet(c), {k: ["bind", m[0], ["rbind", g(c.mp, k, "rprivate"), m[1]]] | some k, m in c.m}))

safe := ["nosuid", "noexec", "nodev"]

kubelet(c) := {"/etc/resolv.conf": ["bind", "S", ["rbind", "ro", "nosuid", "nodev", "noexec"]]} if c.k == "p"

else := both(copies, cgroup) if {
	rw := {true: "ro", false: "rw"}[c.ro]
	files := both({"/etc/hosts": "rw", c.tp: "rw", "/etc/hostname": rw, "/etc/resolv.conf": rw}, {k: "ro" | some k in [token]; c.sa})
	copies := {k: ["bind", "S", ["rbind", "rprivate", v]] | some k, v in files}
	cgroup := {"/sys/fs/cgroup": ["cgroup", "cgroup", {j([`\["nosuid","noexec","nodev","relatime","`, c.rw, `"(,"(nsdelegate|memory_recursiveprot)")*\]`])}]}
}

token := "/var/run/secrets/kubernetes.io/serviceaccount"

base(path) := x[count(x) - 1] if x := split(path, "/")

shared := "/run/kata-containers/shared/containers/"

# What the storage says of E is held below.
source(w, k) := {j([shared, id, "-@{16}-", esc(base(k))])} if w == "S"

else := {".*"} if startswith(w, "E:")

else := w

mounts(c) := vols if {
	ms := oci.Mounts
	places := [m.destination | some m in ms]

	# What the runtime may add has a place as the pod's own mounts have, and never one of theirs.
	want := both({k: [m.type_, m.source, m.options] | some k, m in d.xm; k in places}, expected(c))
	is("mounts: destinations", sort([k | some k, _ in want]), sort(places))
	every m in ms {
		w := want[m.destination]
		ok(at("mounts: ", m.destination), {"destination": m.destination, "type_": w[0], "source": source(w[1], m.destination), "options": w[2]}, m)
	}
	is("mounts: hidden", [], [x | some i, x in places; some k, y in places; k > i; startswith(x, j([y, "/"]))])
	uses := [[w, m.source] | some m in ms; w := want[m.destination][1]; regex.match("^(E:|/run/kata-containers/sandbox/eph)", w)]
	pairs := {u | some u in uses; u[0] != u[1]}

	# One volume has one place, and one place one volume, over the life of the pod.
	old := {[v, m] | some v, m in g(data.pstate, "v", {})}
	is("storages: place", [], [u | some u in pairs | old; some y in pairs | old; u != y; count({u[0], u[1], y[0], y[1]}) < 4])
	rest := [s | some s in input.storages; not of_image(s)]
	is("storages: source, mount_point", sort([u[1] | some u in uses]), sort([s.mount_point | some s in rest]))
	every u in uses {
		every s in rest { held(u, s) }
	}
	vols := both(g(data.pstate, "v", {}), {u[0]: u[1] | some u in pairs})
}

held(u, s) if u[1] != s.mount_point

else if storage(startswith(u[0], "E"), s)

group := null if d.fg == null

else := {"group_id": d.fg, "group_change_policy": 0}

storage(true, s) if storage_is("storages: ", {
	"driver": {"blk|scsi"}, "driver_options": ["encryption_key=ephemeral", "create_filesystem"], "fstype": "ext4",
	"source": {"@{2}(/@{2}){0,7}|%{1,3}:%{1,5}"}, "fs_group": group, "shared": true,
	"mount_point": j(["/run/kata-containers/sandbox/storage/", base64url.encode(s.source)]),
}, s)

# ---- linux

linux(c, l) if {
	ok("linux: ", {
		"UIDMappings": [], "GIDMappings": [], "Seccomp": null, "RootfsPropagation": c.rp, "MountLabel": "", "IntelRdt": null,
		"CgroupsPath": {`([-A-Za-z0-9_:/]|\.[-A-Za-z0-9_:])*`}, "Namespaces": [["ipc", ""], ["mount", ""], ["uts", ""]],
	}, both(less(l, "Sysctl Resources Devices MaskedPaths ReadonlyPaths"), {"Namespaces": sort([[replace(x.Type, "mnt", "mount"), x.Path] | some x in l.Namespaces])}))
	ok("linux: ", {"Devices": [], "Pids": null, "BlockIO": null, "Network": null}, less(l.Resources, "Memory CPU HugepageLimits"))
	is("linux: Sysctl", {true: both(object.filter({"net.ipv4.ip_unprivileged_port_start": "0", "net.ipv4.ping_group_range": "0 2147483647"}, object.keys(l.Sysctl)), d.sc), false: {}}[c.k == "p"], l.Sysctl)
	all := cat(l.MaskedPaths, l.ReadonlyPaths)
	masks(c, l, all)
}

masks(c, l, all) if {
	c.raw
	is("linux: MaskedPaths", [], cat(all, l.MaskedPaths))
} else if {
	c.raw == false
	is("linux: MaskedPaths", [], [x | some x in split("proc/acpi proc/asound proc/kcore proc/keys proc/latency_stats proc/timer_list proc/timer_stats proc/sched_debug proc/scsi sys/firmware", " "); not j(["/", x]) in l.MaskedPaths])
	is("linux: ReadonlyPaths", [], [x | some x in split("bus fs irq sys sysrq-trigger", " "); not j(["/proc/", x]) in all])
	every x in all { is("linux: MaskedPaths", {`/(proc|sys)(/[-a-z0-9_]+)+`}, x) }
}

# ---- life

running(word) := ids[id] if ids[id].n

else := no(j([word, ": container_id"]), "a container", id)

StartContainerRequest := allow({"i": {running("order").n: 1}})

RemoveContainerRequest := allow({"c": {id: 0}, "i": ended}) if {
	is("order: container_id", true, id in object.keys(ids))
	ended := {k: 2 | some k, v in steps; k == ids[id].n; v == 1}
} else := false

# Of the container's first process alone, not of a command that runs in it.
stdin if {
	is("stdin: container.stdin", true, containers[running("stdin").n]["in"])
	is("stdin: exec_id", id, input.exec_id)
} else := false

WriteStreamRequest := stdin

CloseStdinRequest := stdin

ReadStreamRequest if is("logs: read_logs", true, d.log)

else := false

DestroySandboxRequest := true

GetOOMEventRequest := true

GuestDetailsRequest := true

OnlineCPUMemRequest := true

RemoveStaleVirtiofsShareMountsRequest := true

SignalProcessRequest := true

StatsContainerRequest := true

TtyWinResizeRequest := true

WaitProcessRequest := true

AllowRequestsFailingPolicy := false

never := no("call: request", "no such call", "one")

AddSwapPathRequest := never

AddSwapRequest := never

GetDiagnosticDataRequest := never

GetIPTablesRequest := never

GetMetricsRequest := never

ListInterfacesRequest := never

ListRoutesRequest := never

MemAgentCompactConfig := never

MemAgentMemcgConfig := never

MemHotplugByProbeRequest := never

PauseContainerRequest := never

ReseedRandomDevRequest := never

ResizeVolumeRequest := never

ResumeContainerRequest := never

SetGuestDateTimeRequest := never

SetIPTablesRequest := never

SetPolicyRequest := never

StartTracingRequest := never

StopTracingRequest := never

UpdateContainerRequest := never

UpdateEphemeralMountsRequest := never

VolumeStatsRequest := never

# ---- network: before the sandbox only, and in canonical form, so that loopback has no other spelling

ip := [
	`([1-9]%?|1[01]%|12[0-689]|1[3-9]%|2[01]%|22[0-3])(\.(25[0-5]|2[0-4]%|1%{2}|[1-9]?%)){3}`,
	`([23]@{3}|f[cd]@{2}|fe[89ab]@)(::?(0|[1-9a-f]@{0,3})){0,7}(::)?`,
]

prefix := ["[89]|[12]%|3[0-2]", "[89]|[1-9]%|1[01]%|12[0-8]"]

# Nothing that begins with "lo".
link := {"([a-km-z]|l[a-np-z0-9])[a-z0-9._-]{0,13}"}

# No multicast. Loopback has the zero address, so that is put out of form first.
mac := {"@[02468ace](:@{2}){5}"}

nonzero(x) := replace(x, "00:00:00:00:00:00", "zero")

small := {"%{1,5}"}

mine := g(data.pstate, "ip", [])

early if is("network: after sandbox", "", st("sb"))

UpdateInterfaceRequest := allow({"if": {x.name: x.hwAddr}, "ip": cat(mine, ips)}) if {
	early
	x := input.interface
	ok("network: interface.", {
		"name": link, "device": link, "hwAddr": mac, "mtu": small, "raw_flags": {"0|128"}, "type_": {"[a-z0-9_-]{0,32}"},
		"devicePath": {"(@{2}(/@{2}){0,7})?"},
	}, both(less(x, "IPAddresses"), {"hwAddr": nonzero(x.hwAddr)}))
	is("network: interface", [], [k | some k, m in g(data.pstate, "if", {}); count({k, m, x.name, x.hwAddr}) < 4])
	ips := [y.address | some y in x.IPAddresses]
	every y in x.IPAddresses { ok("network: IPAddresses.", {"family": small, "address": {ip[y.family]}, "mask": {prefix[y.family]}}, y) }
} else := false

# Not to the pod's own addresses; link-local only to the gateway that stands for the host.
UpdateRoutesRequest if {
	early
	every r in input.routes.Routes {
		ok("network: route.", {
			"device": link, "dest": {j(["(", ip[r.family], ")/(", prefix[r.family], ")|"])}, "gateway": {j([ip[r.family], "|"])},
			"source": {j(["|", concat("|", [esc(x) | some x in mine])])}, "scope": {"0|253"}, "flags": {"0|4"}, "mtu": small, "family": small,
		}, r)
		is("network: route.dest", false, startswith(replace(r.dest, "169.254.1.1/32", ""), "169.254."))
		is("network: route.dest", false, split(r.dest, "/")[0] in mine)
	}
} else := false

AddARPNeighborsRequest if {
	early
	every x in input.neighbors.ARPNeighbors {
		y := x.toIPAddress
		ok("network: neighbor.", {
			"device": link, "lladdr": mac, "state": {"2|128"}, "flags": {"0|128"},
			"family": small, "address": {ip[y.family]}, "mask": "",
		}, both(less(x, "toIPAddress"), both(y, {"lladdr": nonzero(x.lladdr)})))
		is("network: neighbor", false, y.address in mine)
	}
} else := false

# ---- files copied in: <shared>/<container id>-<16 hex>-<base>[/...]

CopyFileRequest if {
	ok("files: ", {"uid": 0, "gid": {j(["0|", json.marshal(d.fg)])}, "dir_mode": {"0|488|2147484136"}, "file_type": {"Regular|Directory|Symlink"}}, less(input, "path file_size file_mode offset symlink_target"))

	# Type bits, and permissions without setuid; directories may be setgid and sticky.
	mode := {"Regular": [4294966784, 32768], "Directory": [4294965248, 16384], "Symlink": [4294966784, 40960]}[input.file_type]
	is("files: file_mode", mode[1], bits.and(input.file_mode, mode[0]))
	is("files: offset", {"%{1,12}"}, input.offset)
	is("files: offset", false, input.offset > input.file_size)
	is("files: path", [], [x | some x in split(input.path, "/"); x in {".", ".."}])
	copied
} else := false

copied if {
	m := regex.find_all_string_submatch_n(j(["^", shared, `([0-9a-f]{64})-[0-9a-f]{16}-([^/]+)(?:/([^/]+)((?:/[^/]+)*))?$`]), input.path, 1)[0]
	some n, c in containers
	g(ids, m[1], {"n": n}).n == n
	some k, w in expected(c)
	w[1] == "S"
	base(k) == m[2]
	v := volume(c, k)
	count([1 | ids[m[1]].n == n; v.k != "v"]) == 0
	inside(v, m[3], m[4], input.file_type, input.symlink_target)
} else := no("files: path", "as a volume of the pod has it", [substring(input.path, 125, -1), input.file_type, input.symlink_target, input.file_size])

# "f" one file, "e" held empty, "d" the host's copy of a directory, "v" files by key with their sizes.
# Once the container exists only "v", which Kubernetes updates, may change.
volume(c, k) := x if x := d.v[c.m[k][2]]

else := {"k": "v", "f": {"ca.crt": -1, "namespace": -1, "token": -1}} if k == token

else := {"k": "f"}

inside(v, "", "", "Regular", null) if {
	v.k == "f"
	sized(g(v, "n", -1))
}

inside(v, "", "", "Directory", null) if v.k != "f"

inside(v, x, _, t, null) if {
	v.k == "d"
	x != ""
	t != "Symlink"
}

# As kubelet writes: <time>/key, ..data -> <time>, key -> ..data/key; keys may have directories.
inside(v, x, y, "Directory", null) if {
	v.k == "v"
	stamped(x)
	some k in cat(["/"], [j(["/", w]) | some w, _ in v.f])
	startswith(k, j([y, "/"]))
}

inside(v, x, y, "Regular", null) if {
	stamped(x)
	some k, n in v.f
	named(k, substring(y, 1, -1))
	sized(n)
}

inside(v, "..data", "", "Symlink", t) if {
	v.k == "v"
	stamped(t)
}

inside(v, x, "", "Symlink", t) if {
	t == j(["..data/", x])
	some k, _ in v.f
	named(split(k, "/")[0], x)
}

stamped(x) if fits({`\.\.%{4}(_%{2}){5}\.%{1,10}`}, x)

named(k, x) if k == x

# "*" stands for keys that the generator could not know.
named("*", x) if fits({"[-_a-zA-Z0-9][-._a-zA-Z0-9]{0,252}"}, x)

sized(n) if n == input.file_size

sized(-1) if input.file_size <= 1048576

# Parts that only some pods need: policy.c appends those of the pod behind its data.
#% memory

storage(false, s) if {
	is("storages: fs_group", true, s.fs_group in [null, group])
	storage_is("storages: ", {
		"driver": "ephemeral", "source": "tmpfs", "fstype": "tmpfs", "mount_point": s.mount_point, "fs_group": s.fs_group,
		"options": {j([`\[("fsgid=`, json.marshal(d.fg), `")?\]`])},
	}, s)
}

#% no-verity

image(c, a) := guest_pull(c, a)

of_image(s) if s.driver == "image_guest_pull"

#% verity

# The host may bring the layers itself, on devices whose every block dm-verity checks, below a writable layer that the
# guest makes and encrypts. c.vr are the root hashes, lowest layer first.
image(c, a) := guest_pull(c, a) if count([1 | some s in input.storages; s.driver == "image_guest_pull"]) > 0

else := host_pull(c)

of_image(s) if s.driver in {"image_guest_pull", "erofs.multi-layer"}

host_pull(c) if {
	all := [s | some s in input.storages; of_image(s)]
	lower := array.slice(all, 0, count(all) - 1)
	is("image: layers", [j(["X-kata.dmverity.roothash=", x]) | some x in c.vr], [o | some s in lower; some o in s.options; startswith(o, "X-kata.dmverity.roothash=")])
	is("image: layers with dm-verity", count(c.vr), count([1 | some s in lower; "X-kata.dmverity-enabled=true" in s.options]))
	every s in lower {
		storage_is("image: ", {"driver": "erofs.multi-layer", "source": device, "fstype": "erofs", "mount_point": root, "options": s.options}, s)
		every o in s.options { is("image: options", {lower_option}, o) }
		is("image: options twice", count(s.options), count({split(o, "=")[0] | some o in s.options}))
	}
	upper := all[count(all) - 1]
	storage_is("image: ", {
		"driver": "erofs.multi-layer", "source": device, "fstype": "ext4", "mount_point": root,
		"driver_options": ["encryption_key=ephemeral", "create_filesystem"],
		"options": {`\["X-kata\.overlay-upper","X-kata\.multi-layer=true"(,"X-kata\.mkdir\.path=[-a-z0-9_/]{1,64}"){0,2}\]`},
	}, upper)
}

device := {"@{2}(/@{2}){0,7}|%{1,3}:%{1,5}"}

lower_option := `X-kata\.(overlay-lower|multi-layer=true|gpt-partitioned=true|partition-number=%{1,3}|dmverity-enabled=true|dmverity\.(roothash=@{64}|hashoffset=%{1,20}|no-superblock=(true|false)|salt=0{64}|blocksize=4096|hashsize=4096|algorithm=sha256|hashtype=1))`

#% no-devices

devices(_, _) if {
	is("devices: devices", [], input.devices)
	is("devices: Linux.Devices", [], oci.Linux.Devices)
}

gpus(_, _) := {}

#% devices

# Block claims, and GPUs when they are plugged in later.
devices(c, a) if {
	keys := [trim_prefix(k, "cdi.k8s.io/") | some k, _ in a; startswith(k, "cdi.k8s.io/")]
	is("devices: count of GPU annotations", c.gpu, count({x | some k, x in a; startswith(k, "cdi.k8s.io/")}))
	is("devices: count of GPUs", c.gpu, count(keys))
	hot := [x | some x in input.devices; startswith(x.container_path, vfio)]
	disks := c.dev
	is("devices: container_path", sort(cat(disks, [j([vfio, k]) | some k in keys; hot != []])), sort([x.container_path | some x in input.devices]))
	is("devices: distinct GPUs", count(hot), count({x.options | some x in hot}))
	every x in input.devices { device(x, startswith(x.container_path, vfio)) }
	is("devices: count of Linux.Devices", count(disks), count(oci.Linux.Devices))
	is("devices: Linux.Devices", [[p, "b"] | some p in sort(disks)], sort([[x.Path, x.Type] | some x in oci.Linux.Devices]))
}

vfio := "/dev/vfio/devices/"

device(x, true) if ok("devices: ", {
	"id": trim_prefix(x.container_path, vfio), "type_": "vfio-pci-gk", "vm_path": "", "container_path": x.container_path,
	"options": {`\["@{4}:@{2}:@{2}\.[0-7]=@{2}(/@{2}){0,3}"\]`},
}, x)

device(x, false) if ok("devices: ", {
	"id": address, "type_": {"blk|scsi|mmioblk|blk-ccw|nvdimm"}, "vm_path": address, "container_path": x.container_path, "options": [],
}, x)

address := {`[-0-9a-zA-Z:/._]{0,64}`}

gpus(c, a) := all if {
	all := {k: {"nvidia.com/gpu=%{1,4}"} | some k, _ in a; c.gpu > 0; fits({`cdi\.k8s\.io/vfio%{1,4}`}, k)}
}

#% no-exec

ExecProcessRequest := no("exec: process.Args", "no command", "one")

#% exec

ExecProcessRequest if {
	x := running("exec")
	c := containers[x.n]
	p := input.process
	command(c, p.Args)
	ok("exec: ", both(calls, process(c, {
		"Terminal": false, "ConsoleSize": null, "NoNewPrivileges": {j(["false|", text(c.nnp)])}, "exec_id": {j([hex, "|", uuid])},
	})), both(less(p, "Args Env User Capabilities"), less(input, "container_id process")))
	user(c, p.User)
	is("exec: Env is the container's", true, sort(x.e) == sort(p.Env))
	every y in [y | some y in [p.Capabilities]; y != null] { caps(c, y) }
} else := false

command(c, a) if {
	c.k != "p"
	some w in cat(c.x, d.x)
	fits(w, a)
} else := no("exec: process.Args", "the command of a probe or hook", a)
