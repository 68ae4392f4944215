package agent_policy

import rego.v1

# The rules of every policy; rego-minify makes them small. The pod's data follows in the rule `d`, written by policy.c:
#   d.n, d.hr, d.ns    patterns of pod name, hostname, namespace; d.h the hostname when the pod states one
#   d.o, d.c           init containers in order; all containers by name, the sandbox under ""
#   d.v, d.fg, d.sc    volumes by name, fsGroup or null, sysctls; d.an annotations that are passed on
#   d.log, d.x, d.xe, d.xm   settings: logs readable; commands, variables, mounts that every container may have
# State (data.pstate):
#   sb, h, n, ns, u    sandbox id, hostname, pod name, namespace, uid: first seen, then fixed
#   c                  containers by id: n name (null: gave way to another), e environment
#   i                  by name: 0 created, 1 started, 2 removed after a start
#   v, if, ip          mount point by volume; interfaces by name; the pod's addresses
#
# A wanted value is any JSON, or {"r": pattern}: then the text, or the JSON of what is no text, matches all of it, with
# {{n}} {{s}} {{u}} {{h}} filled in from the state. A check is true, or prints one line
# `WORD: FIELD: expected X, found Y` and is false. What is undefined is refused too.

j(parts) := concat("", parts)

q(x) := substring(json.marshal(x), 0, 80)

no(f, w, x) := false if print(j([substring(f, 0, 110), ": expected ", q(w), ", found ", q(x)]))

g(o, k, x) := object.get(o, k, x)

st(k) := g(data.pstate, k, "")

part(k) := g(data.pstate, k, {})

# Every character that could mean something in a pattern.
esc(s) := regex.replace(s, `[!-/:-@\[-^{-~]`, `\$0`)

text(x) := x if is_string(x)

else := json.marshal(x)

fits(w, x) if w == x

fits(w, x) if regex.match(j(["^(", strings.replace_n({"{{n}}": esc(st("n")), "{{s}}": st("ns"), "{{u}}": st("u"), "{{h}}": esc(st("h"))}, w.r), ")$"]), text(x))

is(f, w, x) if fits(w, x)

else := no(f, w, x)

# Two objects, field by field; a set stands for a field that must not be there, as no request can hold one.
ok(f, want, got) if {
	every k in object.keys(want) | object.keys(got) { is(j([f, substring(k, 0, 60)]), g(want, k, {0}), g(got, k, {})) }
}

less(x, keys) := object.remove(x, keys)

at(f, k) := j([f, "[", substring(json.marshal(k), 0, 60), "]"])

put(path, x) := {"op": "add", "path": concat("/", array.concat(["/pstate"], path)), "value": x}

allow(ops) := {"allowed": true, "ops": ops}

hex := `[0-9a-f]{64}`

uuid := `[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`

# ---- sandbox

CreateSandboxRequest := allow([
	put(["sb"], input.sandbox_id),
	put(["h"], input.hostname),
	put(["c"], {}),
	put(["i"], {}),
	put(["v"], {}),
]) if {
	is("sandbox: earlier sandbox", "", st("sb"))
	ok("sandbox: ", {
		"hostname": {"r": d.hr}, "sandbox_id": {"r": hex}, "dns": {"r": `.{0,9999}`},
		"sandbox_pidns": false, "guest_hook_path": "", "kernel_modules": [],
	}, less(input, ["storages"]))
	is("sandbox: count(storages)", 1, count(input.storages))
	ok("sandbox: storages[0].", {
		"driver": "ephemeral", "driver_options": [], "source": "shm", "fstype": "tmpfs", "mount_point": shm,
		"options": {"r": `\["noexec","nosuid","nodev","mode=1777","size=[0-9]{1,12}"\]`}, "fs_group": null, "shared": false,
	}, input.storages[0])
} else := false

shm := "/run/kata-containers/sandbox/shm"

# ---- containers

CreateContainerRequest := allow(array.concat(ops, [
	put(["c", id], {"n": n, "e": input.OCI.Process.Env}),
	put(["i", n], 0),
	put(["v"], vols),
])) if {
	a := input.OCI.Annotations
	n := who(a)
	c := known(n)
	ops := identity(n, c, a)
	is("order: running instance", true, g(part("i"), n, 0) != 1)
	is("order: not done before", [], [m | some i, m in d.o; i < c.i; not done(m)])
	is("order: created after it", [], [m | some m, _ in part("i"); c.k == "i"; d.c[m].i > c.i])
	ok("linux: ", {
		"container_id": {"r": hex}, "exec_id": id, "string_user": null, "shared_mounts": [], "stdin_port": 0,
		"stdout_port": 0, "stderr_port": 0, "sandbox_pidns": g(c, "pid", false),
	}, less(input, ["devices", "storages", "OCI"]))
	ok("linux: OCI.", {
		"Version": {"r": `1\.[0-9]{1,3}\.[0-9]{1,3}`}, "Hostname": {"r": "|{{h}}"}, "Hooks": null, "Solaris": null, "Windows": null,
	}, less(input.OCI, ["Process", "Root", "Mounts", "Annotations", "Linux"]))
	ok("image: Root.", {"Path": root, "Readonly": g(c, "ro", false)}, input.OCI.Root)
	image(c, a)
	p := input.OCI.Process
	ok("process: ", {
		"Terminal": g(c, "tty", false), "Args": c.a, "Cwd": c.cwd, "Rlimits": [], "SelinuxLabel": "",
		"NoNewPrivileges": g(c, "nnp", false), "ApparmorProfile": apparmor, "OOMScoreAdj": oom,
		"ConsoleSize": {true: {"r": ".*"}, false: null}[g(c, "tty", false)],
	}, less(p, ["Env", "User", "Capabilities"]))
	user(c, p.User)
	caps(c, p.Capabilities)
	env(c, p.Env)
	vols := mounts(c)
	devices(c, a)
	linux(c, input.OCI.Linux)
} else := false

id := input.container_id

root := j(["/run/kata-containers/", id, "/rootfs"])

cri := "io.kubernetes.cri."

kata := "io.katacontainers.pkg.oci."

apparmor := {"r": `(cri-containerd\.apparmor\.d)?`}

oom := {"r": "-?([0-9]{1,3}|1000)"}

# "" for the sandbox, else the container's name. Both type annotations must say the same.
who(a) := "" if [a[j([cri, "container-type"])], a[j([kata, "container_type"])]] == ["sandbox", "pod_sandbox"]

else := a[j([cri, "container-name"])] if [a[j([cri, "container-type"])], a[j([kata, "container_type"])]] == ["container", "pod_container"]

else := no("identity: Annotations.container-type", "sandbox or container", "another")

known(n) := d.c[n] if d.c[n]

else := no("identity: Annotations.container-name", "a container of the pod", n)

done(m) if part("i")[m] == {"i": 2, "s": 1}[d.c[m].k]

# The sandbox comes first, once, and fixes name, namespace and uid; others have its. Yields what is to be stored.
identity("", _, a) := [
	put(["n"], name),
	put(["ns"], a[j([cri, "sandbox-namespace"])]),
	put(["u"], a[j([cri, "sandbox-uid"])]),
] if {
	is("order: sandbox container", "", st("n"))
	is("identity: container_id", st("sb"), id)
	name := a[j([cri, "sandbox-name"])]
	notes(a, {
		"container-type": "sandbox", "sandbox-name": {"r": d.n}, "sandbox-namespace": {"r": d.ns}, "sandbox-uid": {"r": uuid},
	}, object.union({"nerdctl/network-namespace": {"r": "/var/run/netns/cni-[0-9a-f-]{36}"}}, {j([cri, k]): {"r": v} | some k, v in {
		"podsandbox.image-name": `[-a-zA-Z0-9._:/@]{1,512}`,
		"sandbox-cpu-period": int, "sandbox-cpu-quota": int, "sandbox-cpu-shares": int, "sandbox-memory": int,
		"sandbox-log-directory": `/var/log/pods/[a-z0-9.-]+_[a-z0-9.-]+_[0-9a-f-]{36}`,
	}}))
	is("identity: hostname", g(d, "h", trim_right(substring(name, 0, 63), "-.")), st("h"))
}

int := "-?[0-9]{1,20}"

identity(n, c, a) := stale if {
	n != ""
	stale := [put(["c", i], {"n": null}) | some i, x in part("c"); x.n == n]
	is("order: sandbox container", true, st("n") != "")
	is("identity: container_id", null, g(part("c"), id, null))
	gpus := {k: {"r": "nvidia.com/gpu=[0-9]{1,4}"} | some k, _ in a; c.gpu; regex.match(`^cdi\.k8s\.io/vfio[0-9]{1,4}$`, k)}
	notes(a, {
		"container-type": "container", "container-name": n, "image-name": c.img,
		"sandbox-name": st("n"), "sandbox-namespace": st("ns"), "sandbox-uid": st("u"),
	}, object.union(
		{j(["io.kubernetes.container.terminationMessagePolicy"]): {"r": "File|FallbackToLogsOnError"}},
		gpus,
	))
}

# Annotations that must be there, those that may.
notes(a, must, may) if {
	ok("identity: Annotations.", object.union(object.filter(object.union(may, g(d, "an", {})), object.keys(a)), object.union({j([cri, k]): v | some k, v in must}, {
		j([cri, "sandbox-id"]): st("sb"),
		j([kata, "container_type"]): j(["pod_", must["container-type"]]),
		j([kata, "bundle_path"]): {"r": j([`/run(/k3s)?/containerd/io\.containerd\.runtime\.v2\.task/k8s\.io/`, id])},
	})), a)
}

image(c, a) if {
	s := [x | some x in input.storages; x.driver == "image_guest_pull"]
	is("image: count(storages)", 1, count(s))

	# The agent decides by this copy of the annotations whether it pulls at all.
	ok("image: storages.", {
		"driver": "image_guest_pull", "source": c.img, "fstype": "overlay", "options": [], "mount_point": root,
		"fs_group": null, "shared": false, "driver_options": [{"metadata": a}],
	}, object.union(s[0], {"driver_options": [json.unmarshal(trim_prefix(x, "image_guest_pull=")) | some x in s[0].driver_options; startswith(x, "image_guest_pull=")]}))
	is("image: count(driver_options)", 1, count(s[0].driver_options))
}

user(c, u) if ok("user: ", {"UID": c.u[0], "GID": c.u[1], "AdditionalGids": c.u[2], "Username": ""}, object.union(u, {"AdditionalGids": sort(u.AdditionalGids)}))

caps(c, p) if {
	all := sort(split(g(c, "cap", "CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT KILL AUDIT_WRITE"), " "))
	have := {k: bare(v) | some k, v in p}
	ok("process: Capabilities.", {"Bounding": all, "Effective": all, "Permitted": all, "Ambient": [], "Inheritable": []}, have)
}

bare(v) := sort([trim_prefix(x, "CAP_") | some x in v])

# ---- environment: never prints a value

env(c, e) if {
	vars := [[p[0], concat("=", array.slice(p, 1, count(p)))] | some x in e; p := split(x, "=")]
	names := {v[0] | some v in vars}
	is("env: count of distinct names", count(e), count(names))
	is("env: Process.Env missing", [], [k | some k, _ in c.e; not k in names])
	every v in vars { variable(c, v[0], v[1]) }
}

variable(c, k, x) if fits(c.e[k], x)

else := no(at("env: Process.Env", k), "the value of the pod", "another") if c.e[k]

else if fits(d.xe[k], x)

else if regex.match(j(["^", g(c, "svc", "[A-Z][A-Z0-9_]{0,62}"), "_(", service, ")$"]), j([k, "=", x]))

else := no(at("env: Process.Env", k), "unset", "set")

host := `([0-9]{1,3}(\.[0-9]{1,3}){3}|[0-9a-f:]{2,39}|\[[0-9a-f:]{2,39}\])`

service := j([
	"SERVICE_HOST=", host, "|SERVICE_PORT(_[A-Z0-9_]{1,63})?=", port, "|PORT(", proto, ")?=(tcp|udp|sctp)://", host, ":", port,
	"|PORT", proto, "_(PROTO=(tcp|udp|sctp)|PORT=", port, "|ADDR=", host, ")",
])

port := "[0-9]{1,5}"

proto := j(["_", port, "_(TCP|UDP|SCTP)"])

# ---- mounts and the storages behind them; yields the new volume table
# Bind sources: S copied by the host, E: or M: with a volume's name (emptyDir on an encrypted device, in memory), or a path.

expected(c) := object.union({
	"/proc": ["proc", "proc", safe],
	"/dev": ["tmpfs", "tmpfs", ["nosuid", "strictatime", "mode=755", "size=65536k"]],
	"/dev/pts": ["devpts", "devpts", ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]],
	"/dev/mqueue": ["mqueue", "mqueue", safe],
	"/sys": ["sysfs", "sysfs", {"r": j([`\["nosuid","noexec","nodev","`, g(c, "rw", "ro"), `"\]`])}],
	"/dev/shm": ["bind", shm, ["rbind"]],
}, object.union(kubelet(c), {k: ["bind", m[0], ["rbind", m[2], m[1]]] | some k, m in c.m}))

safe := ["nosuid", "noexec", "nodev"]

kubelet(c) := {"/etc/resolv.conf": ["bind", "S", ["rbind", "ro", "nosuid", "nodev", "noexec"]]} if c.k == "p"

else := object.union(copies, cgroup) if {
	own := {true: "ro", false: "rw"}[g(c, "ro", false)]
	files := object.union({"/etc/hosts": "rw", g(c, "tp", "/dev/termination-log"): "rw", "/etc/hostname": own, "/etc/resolv.conf": own}, {k: "ro" | some k in [token]; g(c, "sa", true)})
	copies := {k: ["bind", "S", ["rbind", "rprivate", v]] | some k, v in files}
	cgroup := {"/sys/fs/cgroup": ["cgroup", "cgroup", {"r": j([`\["nosuid","noexec","nodev","relatime","`, g(c, "rw", "ro"), `"(,"(nsdelegate|memory_recursiveprot)")*\]`])}]}
}

token := "/var/run/secrets/kubernetes.io/serviceaccount"

base(path) := x[count(x) - 1] if x := split(path, "/")

shared := "/run/kata-containers/shared/containers/"

source(w, k) := {"r": j([shared, id, "-[0-9a-f]{16}-", esc(base(k))])} if w == "S"

else := {"r": `/run/kata-containers/sandbox/storage/[-A-Za-z0-9_]{1,128}={0,2}`} if startswith(w, "E:")

else := j(["/run/kata-containers/sandbox/ephemeral/", substring(w, 2, -1)]) if startswith(w, "M:")

else := w

mounts(c) := vols if {
	want := expected(c)
	ms := [m | some m in input.OCI.Mounts; g(d.xm, m.destination, 0) != m]
	places := [m.destination | some m in ms]
	is("mounts: destinations", sort([k | some k, _ in want]), sort(places))
	every m in ms {
		w := want[m.destination]
		ok(at("mounts: ", m.destination), {"destination": m.destination, "type_": w[0], "source": source(w[1], m.destination), "options": w[2]}, m)
	}
	is("mounts: hidden by a later one", [], [x | some i, x in places; some k, y in places; k > i; startswith(x, j([y, "/"]))])
	uses := [[w, m.source] | some m in ms; w := want[m.destination][1]; regex.match("^[EM]:", w)]
	pairs := {u | some u in uses}

	# One volume has one place, and one place one volume, over the life of the pod.
	old := {[v, m] | some v, m in part("v")}
	is("storage: places of volumes", [], [u | some u in pairs | old; some y in pairs | old; u != y; count({u[0], u[1], y[0], y[1]}) < 4])
	rest := [s | some s in input.storages; s.driver != "image_guest_pull"]
	is("storage: mount_point", sort([u[1] | some u in uses]), sort([s.mount_point | some s in rest]))
	vols := object.union(part("v"), {u[0]: u[1] | some u in pairs})
	every s in rest { storage(s, startswith(s.mount_point, "/run/kata-containers/sandbox/s")) }
}

group := null if d.fg == null

else := {"group_id": d.fg, "group_change_policy": 0}

storage(s, true) if ok("storage: ", {
	"driver": {"r": "blk|scsi"}, "driver_options": ["encryption_key=ephemeral", "create_filesystem"], "fstype": "ext4", "options": [],
	"source": {"r": "[0-9a-f]{2}(/[0-9a-f]{2}){0,7}|[0-9]{1,3}:[0-9]{1,5}"}, "fs_group": group, "shared": true,
	"mount_point": j(["/run/kata-containers/sandbox/storage/", base64url.encode(s.source)]),
}, s)

storage(s, false) if ok("storage: ", {
	"driver": "ephemeral", "driver_options": [], "source": "tmpfs", "fstype": "tmpfs", "shared": false, "mount_point": s.mount_point,
	"options": {"r": j([`\[("fsgid=`, text(d.fg), `")?\]`])}, "fs_group": {"r": j(["null|", esc(json.marshal(group))])},
}, s)

# ---- devices: block claims, and GPUs when they are plugged in later

devices(c, a) if {
	keys := [trim_prefix(k, "cdi.k8s.io/") | some k, _ in a; startswith(k, "cdi.k8s.io/")]
	is("devices: count of GPU annotations", g(c, "gpu", 0), count({x | some k, x in a; startswith(k, "cdi.k8s.io/")}))
	is("devices: count of GPUs", g(c, "gpu", 0), count(keys))
	hot := [x | some x in input.devices; startswith(x.container_path, vfio)]
	disks := g(c, "dev", [])
	is("devices: container_path", sort(array.concat(disks, [j([vfio, k]) | some k in keys; hot != []])), sort([x.container_path | some x in input.devices]))
	is("devices: distinct GPUs", count(hot), count({x.options | some x in hot}))
	every x in input.devices { device(x, startswith(x.container_path, vfio)) }
	is("devices: Linux.Devices", [[p, "b"] | some p in sort(disks)], sort([[x.Path, x.Type] | some x in input.OCI.Linux.Devices]))
}

vfio := "/dev/vfio/devices/"

device(x, true) if ok("devices: ", {
	"id": trim_prefix(x.container_path, vfio), "type_": "vfio-pci-gk", "vm_path": "", "container_path": x.container_path,
	"options": {"r": `\["[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]=[0-9a-f]{2}(/[0-9a-f]{2}){0,3}"\]`},
}, x)

device(x, false) if ok("devices: ", {
	"id": address, "type_": {"r": "blk|scsi|mmioblk|blk-ccw|nvdimm"}, "vm_path": address, "container_path": x.container_path, "options": [],
}, x)

address := {"r": `[-0-9a-zA-Z:/._]{0,64}`}

# ---- linux

linux(c, l) if {
	ok("linux: ", {
		"UIDMappings": [], "GIDMappings": [], "Seccomp": null, "RootfsPropagation": g(c, "rp", ""), "MountLabel": "", "IntelRdt": null,
		"CgroupsPath": {"r": `([-A-Za-z0-9_:/]|\.[-A-Za-z0-9_:])*`}, "Namespaces": [["ipc", ""], ["mount", ""], ["uts", ""]],
	}, object.union(less(l, ["Sysctl", "Resources", "Devices", "MaskedPaths", "ReadonlyPaths"]), {"Namespaces": sort([[replace(x.Type, "mnt", "mount"), x.Path] | some x in l.Namespaces])}))
	ok("linux: Resources.", {"Devices": [], "Pids": null, "BlockIO": null, "Network": null}, less(l.Resources, ["Memory", "CPU", "HugepageLimits"]))
	is("linux: Sysctl", {}, less(l.Sysctl, [k | some k, v in object.union(d.sc, {"net.ipv4.ip_unprivileged_port_start": "0", "net.ipv4.ping_group_range": "0 2147483647"}); c.k == "p"; l.Sysctl[k] == v]))
	is("linux: Sysctl missing", [], [k | some k, _ in d.sc; c.k == "p"; not l.Sysctl[k]])
	all := array.concat(l.MaskedPaths, l.ReadonlyPaths)
	masks(c, l, all)
}

masks(c, l, all) if is("linux: MaskedPaths", c.raw, array.concat(all, l.MaskedPaths) == [])

else if {
	not c.raw
	is("linux: MaskedPaths missing", [], [x | some x in split("proc/acpi proc/asound proc/kcore proc/keys proc/latency_stats proc/timer_list proc/timer_stats proc/sched_debug proc/scsi sys/firmware", " "); not j(["/", x]) in l.MaskedPaths])
	is("linux: ReadonlyPaths missing", [], [x | some x in split("bus fs irq sys sysrq-trigger", " "); not j(["/proc/", x]) in all])
	every x in all { is("linux: MaskedPaths", {"r": `/(proc|sys)(/[-a-z0-9_]+)+`}, x) }
}

# ---- life

known_id(word) := x if x := part("c")[id]

else := no(j([word, ": container_id"]), "a container that was created", id)

StartContainerRequest := allow([put(["i", x.n], 1)]) if {
	x := known_id("order")
	x.n != null
} else := false

RemoveContainerRequest := allow(array.concat([{"op": "remove", "path": j(["/pstate/c/", id])}], ops)) if {
	x := known_id("order")
	ops := [put(["i", k], 2) | some k, v in part("i"); k == x.n; v == 1]
} else := false

ExecProcessRequest if {
	x := known_id("exec")
	c := d.c[x.n]
	p := input.process
	command(c, p.Args)
	ok("exec: ", {
		"Terminal": false, "ConsoleSize": null, "Cwd": c.cwd, "SelinuxLabel": "", "Rlimits": [], "ApparmorProfile": apparmor,
		"OOMScoreAdj": oom, "NoNewPrivileges": {"r": j(["false|", text(g(c, "nnp", false))])}, "string_user": null,
		"stdin_port": 0, "stdout_port": 0, "stderr_port": 0, "exec_id": {"r": j([hex, "|", uuid])},
	}, object.union(less(p, ["Args", "Env", "User", "Capabilities"]), less(input, ["container_id", "process"])))
	user(c, p.User)
	is("exec: variables other than the container's", [], [split(v, "=")[0] | some v in p.Env; not v in x.e])
	is("exec: count(Env)", count(x.e), count({v | some v in p.Env}))
	every y in [y | some y in [p.Capabilities]; y != null] { caps(c, y) }
} else := false

command(c, a) if {
	some w in array.concat(g(c, "x", []), d.x)
	fits(w, a)
} else := no("exec: process.Args", "the command of a probe or hook", a)

stdin if is("stdin: container.stdin", true, g(d.c[known_id("stdin").n], "in", false))

else := false

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
	`([1-9][0-9]?|1[01][0-9]|12[0-689]|1[3-9][0-9]|2[01][0-9]|22[0-3])(\.(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])){3}`,
	`([23][0-9a-f]{3}|f[cd][0-9a-f]{2}|fe[89ab][0-9a-f])(::?(0|[1-9a-f][0-9a-f]{0,3})){0,7}(::)?`,
]

prefix := ["[89]|[12][0-9]|3[0-2]", "[89]|[1-9][0-9]|1[01][0-9]|12[0-8]"]

link := {"r": `[a-km-z][a-z0-9._-]{0,14}|l([a-np-z0-9._-][a-z0-9._-]{0,13}|o[a-z0-9._-]{1,13})?`}

# Not zero, not multicast.
mac := {"r": `(0[2468ace]|[1-9a-f][02468ace])(:[0-9a-f]{2}){5}|00(:00){0,4}:(0[1-9a-f]|[1-9a-f][0-9a-f])(:[0-9a-f]{2}){0,4}`}

small := {"r": "[0-9]{1,5}"}

own := g(data.pstate, "ip", [])

early if is("network: after the sandbox", "", st("sb"))

UpdateInterfaceRequest := allow([
	put(["if"], object.union(part("if"), {x.name: x.hwAddr})),
	put(["ip"], array.concat(own, ips)),
]) if {
	early
	x := input.interface
	ok("network: interface.", {
		"name": link, "device": link, "hwAddr": mac, "mtu": small, "raw_flags": {"r": "0|128"}, "type_": {"r": "[a-z0-9_-]{0,32}"},
		"devicePath": {"r": "([0-9a-f]{2}(/[0-9a-f]{2}){0,7})?"},
	}, less(x, ["IPAddresses"]))
	is("network: interface seen before", [], [k | some k, m in part("if"); count({k, m, x.name, x.hwAddr}) < 4])
	ips := [y.address | some y in x.IPAddresses]
	every y in x.IPAddresses { ok("network: interface.IPAddresses.", {"family": small, "address": {"r": ip[y.family]}, "mask": {"r": prefix[y.family]}}, y) }
} else := false

# Not to the pod's own addresses; link-local only to the gateway that stands for the host.
UpdateRoutesRequest if {
	early
	every r in input.routes.Routes {
		ok("network: route.", {
			"device": link, "dest": {"r": j(["(", ip[r.family], ")/(", prefix[r.family], ")|"])}, "gateway": {"r": j([ip[r.family], "|"])},
			"source": {"r": j(["|", esc(concat("|", own))])}, "scope": {"r": "0|253"}, "flags": {"r": "0|4"}, "mtu": small, "family": small,
		}, r)
		is("network: route.dest link-local", false, startswith(replace(r.dest, "169.254.1.1/32", ""), "169.254."))
		is("network: route.dest own address", false, split(r.dest, "/")[0] in own)
	}
} else := false

AddARPNeighborsRequest if {
	early
	every x in input.neighbors.ARPNeighbors {
		y := x.toIPAddress
		ok("network: neighbor.", {
			"device": link, "lladdr": mac, "state": {"r": "2|128"}, "flags": {"r": "0|128"},
			"family": small, "address": {"r": ip[y.family]}, "mask": "",
		}, object.union(y, less(x, ["toIPAddress"])))
		is("network: neighbor own address", false, y.address in own)
	}
} else := false

# ---- files copied in: <shared>/<container id>-<16 hex>-<base>[/...]

CopyFileRequest if {
	ok("files: ", {"uid": 0, "gid": {"r": j(["0|", text(d.fg)])}, "dir_mode": {"r": "0|488|2147484136"}, "file_type": {"r": "Regular|Directory|Symlink"}}, less(input, ["path", "file_size", "file_mode", "offset", "symlink_target"]))

	# Type bits, and permissions without setuid; directories may be setgid and sticky.
	mode := {"Regular": [4294966784, 32768], "Directory": [4294965248, 16384], "Symlink": [4294966784, 40960]}[input.file_type]
	is("files: file_mode", mode[1], bits.and(input.file_mode, mode[0]))
	is("files: offset", {"r": "[0-9]{1,12}"}, input.offset)
	is("files: offset past file_size", false, input.offset > input.file_size)
	is("files: path", [], [x | some x in split(input.path, "/"); x in {".", ".."}])
	copied
} else := false

copied if {
	m := regex.find_all_string_submatch_n(j(["^", shared, "(", hex, `)-[0-9a-f]{16}-([^/]+)((/[^/]+)*)$`]), input.path, 1)[0]
	some n, c in d.c
	g(part("c"), m[1], {"n": n}).n == n
	some k, w in expected(c)
	w[1] == "S"
	base(k) == m[2]
	v := volume(c, k)
	count([1 | part("c")[m[1]].n == n; v.k != "v"]) == 0
	inside(v, array.slice(split(m[3], "/"), 1, 99), input.file_type, input.symlink_target)
} else := no("files: path, type, target, size", "as a volume of the pod has it", [substring(input.path, 125, -1), input.file_type, input.symlink_target, input.file_size])

# "f" one file, "e" held empty, "d" the host's copy of a directory, "v" files by key with their sizes.
# Once the container exists only "v", which Kubernetes updates, may change.
volume(c, k) := x if x := d.v[c.m[k][3]]

else := {"k": "v", "f": {"ca.crt": -1, "namespace": -1, "token": -1}} if k == token

else := {"k": "f"}

inside(v, [], "Regular", null) if {
	v.k == "f"
	sized(g(v, "n", -1))
}

inside(v, [], "Directory", null) if v.k != "f"

inside(v, r, t, null) if {
	v.k == "d"
	r != []
	t != "Symlink"
}

# As kubelet writes: <time>/key, ..data -> <time>, key -> ..data/key; keys may have directories.
inside(v, r, "Directory", null) if {
	v.k == "v"
	stamped(r[0])
	some k, _ in v.f
	startswith(k, concat("/", array.concat(array.slice(r, 1, 99), [""])))
}

inside(v, r, "Regular", null) if {
	stamped(r[0])
	some k, n in v.f
	named(k, concat("/", array.slice(r, 1, 99)))
	sized(n)
}

inside(v, ["..data"], "Symlink", t) if {
	v.k == "v"
	stamped(t)
}

inside(v, [x], "Symlink", t) if {
	t == j(["..data/", x])
	some k, _ in v.f
	named(split(k, "/")[0], x)
}

stamped(x) if regex.match(`^\.\.[0-9]{4}(_[0-9]{2}){5}\.[0-9]{1,10}$`, x)

named(k, x) if k == x

# "*" stands for keys that the generator could not know.
named("*", x) if regex.match(`^[-_a-zA-Z0-9][-._a-zA-Z0-9]{0,252}$`, x)

sized(n) if n == input.file_size

sized(-1) if input.file_size <= 1048576
