#!/usr/bin/env bats
# shellcheck disable=SC2016 # what looks like shell is YAML or jq
# What a policy holds of volumes: mounts, files with their sizes, devices.
load helpers
load policygen

# mounted VOLUME MOUNT: a pod with one volume, mounted (lines of flow YAML without braces)
mounted() { pod "volumes: [{name: v, $1}]" "volumeMounts: [{name: v, mountPath: /v${2:+, $2}}]"; }

@test "emptyDir: on an encrypted device, or in memory" {
	mounted 'emptyDir: {}' | holds '$c.m == {"/v": ["E:v", "rw"]} and .v == {}'
	mounted 'emptyDir: {sizeLimit: 1Gi}' 'readOnly: true' | holds '$c.m == {"/v": ["E:v", "ro"]}'
	mounted 'emptyDir: {medium: Memory}' | holds '$c.m == {"/v": ["/run/kata-containers/sandbox/ephemeral/v", "rw"]}'
	mounted 'emptyDir: {medium: ""}' | holds '$c.m["/v"][0] == "E:v"'
	pod 'volumes: [{name: v}]' 'volumeMounts: [{name: v, mountPath: /v}]' | holds '$c.m["/v"][0] == "E:v"'
	mounted 'emptyDir:' | holds '$c.m["/v"][0] == "E:v"'
}

@test "a ConfigMap's files, with their sizes in bytes" {
	{
		mounted 'configMap: {name: m}'
		configmap m 'data: {a: "héllo", empty: ""}' 'binaryData: {b: AAECAw==}'
	} | holds '.v == {v: {k: "v", f: {a: 6, empty: 0, b: 4}}} and $c.m == {"/v": ["S", "ro", "v"]}'
	{
		mounted 'configMap: {name: m, items: [{key: a, path: x/y.conf}, {key: a, path: z}], defaultMode: 256}'
		configmap m 'data: {a: "12345", b: "1"}'
	} | holds '.v == {v: {k: "v", f: {"x/y.conf": 5, z: 5}}}'
}

@test "a Secret's files: decoded, stringData before data" {
	{
		mounted 'secret: {secretName: s}'
		secret s 'data: {a: YWJj, b: AA==}' 'stringData: {a: longer, c: x}'
	} | holds '.v.v.f == {a: 6, b: 1, c: 1}'
}

@test "what is not in the stream has any size, and any plain name" {
	mounted 'configMap: {name: m}' | holds '.v.v.f == {"*": -1}'
	mounted 'secret: {secretName: s, items: [{key: k, path: p}]}' | holds '.v.v.f == {p: -1}'
	mounted 'configMap: {name: m, optional: true}' | holds '.v.v.f == {}'
	mounted 'secret: {secretName: s, optional: true}' | holds '.v.v.f == {}'
	mounted 'configMap: {name: kube-root-ca.crt}' | holds '.v.v.f == {"ca.crt": -1}'
}

@test "projected: the files of all sources, the later wins" {
	{
		mounted 'projected: {sources: [{configMap: {name: m}}, {secret: {name: s, items: [{key: a, path: a}]}},
  {downwardAPI: {items: [{path: labels, fieldRef: {fieldPath: metadata.labels}}]}},
  {serviceAccountToken: {path: token}}, {clusterTrustBundle: {name: x, path: ca}}]}'
		configmap m 'data: {a: "1", b: "2"}'
		secret s 'data: {a: YWJj}'
	} | holds '.v.v.f == {a: 3, b: 1, labels: -1, token: -1, ca: -1}'
	mounted 'downwardAPI: {items: [{path: a/labels, fieldRef: {fieldPath: metadata.labels}}]}' | holds '.v.v.f == {"a/labels": -1}'
}

@test "a key that is not there is refused, unless optional" {
	{
		mounted 'configMap: {name: m, items: [{key: none, path: x}]}'
		configmap m 'data: {a: "1"}'
	} >"$BATS_TEST_TMPDIR/in"
	refuses 3 config.key "${gen[@]}" "$BATS_TEST_TMPDIR/in"
	jq -es 'last | .line == 8 and (.message | test("Pod ns/p.*none"))' <<<"$stderr"
	sed 's/name: m, items/name: m, optional: true, items/' "$BATS_TEST_TMPDIR/in" | holds '.v.v.f == {}'
}

@test "one file by subPath" {
	{
		mounted 'configMap: {name: m}' 'subPath: a'
		configmap m 'data: {a: "123", b: "1"}'
	} | holds '.v == {"v/a": {k: "f", n: 3}} and $c.m == {"/v": ["S", "ro", "v/a"]}'
	mounted 'secret: {secretName: s}' 'subPath: k' | holds '.v == {"v/k": {k: "f", n: -1}}'
	for p in .. ../x a/b ..data /a; do
		mounted 'secret: {secretName: s}' "subPath: $p" >"$BATS_TEST_TMPDIR/in"
		refuses 3 mount.sub-path "${gen[@]}" "$BATS_TEST_TMPDIR/in"
	done
	{
		mounted 'configMap: {name: m}' 'subPath: none'
		configmap m 'data: {a: "123"}'
	} >"$BATS_TEST_TMPDIR/in"
	refuses 3 mount.sub-path "${gen[@]}" "$BATS_TEST_TMPDIR/in"
}

@test "claims: a directory that the host fills, or a block device" {
	mounted 'persistentVolumeClaim: {claimName: x}' | holds '.v == {v: {k: "d"}} and $c.m == {"/v": ["S", "rw", "v"]}'
	mounted 'ephemeral: {volumeClaimTemplate: {spec: {}}}' | holds '.v == {v: {k: "d"}}'
	pod 'volumes: [{name: v, persistentVolumeClaim: {claimName: x}}]' 'volumeDevices: [{name: v, devicePath: /dev/x}]' |
		holds '$c.dev == ["/dev/x"] and .v == {} and ($c | has("m") | not)'
	controller StatefulSet s | sed 's|template:|volumeClaimTemplates: [{metadata: {name: v}}], template:|; s|tools:1.0"|&, volumeMounts: [{name: v, mountPath: /v}]|' |
		holds '.v == {v: {k: "d"}}'
}

@test "paths of the guest below /dev and /sys" {
	mounted 'hostPath: {path: /dev//sev-guest/}' | holds '$c.m == {"/v": ["/dev/sev-guest", "rw"]} and .v == {}'
	mounted 'hostPath: {path: /sys/kernel/config}' 'readOnly: true' | holds '$c.m == {"/v": ["/sys/kernel/config", "ro"]}'
}

@test "propagation: of the mount and of the root" {
	mounted 'emptyDir: {}' 'mountPropagation: None' | holds '$c | (has("mp") or has("rp")) | not'
	mounted 'emptyDir: {}' 'mountPropagation: HostToContainer' | holds '$c.mp == {"/v": "rslave"} and $c.rp == "rslave"'
	pod 'volumes: [{name: v, emptyDir: {}}, {name: w, emptyDir: {}}]' 'securityContext: {privileged: true}
volumeMounts: [{name: v, mountPath: /v, mountPropagation: Bidirectional}, {name: w, mountPath: /w, mountPropagation: HostToContainer}]' |
		holds '$c.mp == {"/v": "rshared", "/w": "rslave"} and $c.rp == "rshared"'
}

@test "termination path, and mounts written with stray slashes" {
	pod '' 'terminationMessagePath: /tmp/end' | holds '$c.tp == "/tmp/end"'
	pod '' 'terminationMessagePath: /dev/termination-log' | holds '$c | has("tp") | not'
	pod '' 'terminationMessagePath: ""' | holds '$c | has("tp") | not'
	pod 'volumes: [{name: v}]' 'volumeMounts: [{name: v, mountPath: //a//b/}]' | holds '$c.m | keys == ["/a/b"]'
}

@test "a termination path that is no clean path is refused" {
	for p in x /a/../b / /a/. '/a//b'; do
		pod '' "terminationMessagePath: $p" >"$BATS_TEST_TMPDIR/in"
		refuses 3 mount.path "${gen[@]}" "$BATS_TEST_TMPDIR/in"
		[[ $stderr == *"Pod ns/p"* ]]
	done
}

@test "a termination path where another mount is or will be is refused" {
	duplicate() {
		refuses 3 mount.duplicate "${gen[@]}" <<<"$1"
		jq -es --argjson line "$2" 'last | .line == $line and (.message | test("Pod ns/p.*terminationMessagePath"))' <<<"$stderr" >/dev/null || fail "$stderr"
	}
	for p in /etc/hosts /etc/hostname /etc/resolv.conf /var/run/secrets/kubernetes.io/serviceaccount \
		/proc /dev /dev/pts /dev/mqueue /dev/shm /sys /sys/fs/cgroup; do
		duplicate "$(pod '' "terminationMessagePath: $p")" 11
	done
	duplicate "$(pod 'volumes: [{name: v}]' $'volumeMounts: [{name: v, mountPath: /tmp/end/}]\nterminationMessagePath: /tmp/end')" 13
	duplicate "$(pod 'volumes: [{name: v}]' 'volumeMounts: [{name: v, mountPath: /dev/termination-log}]')" 10
	mkimage local/end:1 '{"Volumes": {"/tmp/end/": {}}, "Cmd": ["x"]}'
	duplicate "$(image=local/end:1 pod '' 'terminationMessagePath: /tmp/end')" 11
	# beside and below one
	pod 'volumes: [{name: v}]' $'volumeMounts: [{name: v, mountPath: /tmp}, {name: v, mountPath: /tmp/en}]\nterminationMessagePath: /tmp/end' |
		holds '$c.tp == "/tmp/end" and ($c.m | length) == 2'
	pod 'volumes: [{name: v}]' $'volumeMounts: [{name: v, mountPath: /dev/termination-log}]\nterminationMessagePath: /end' | holds '$c.tp == "/end"'
}

@test "a mount takes the place of the runtime's own" {
	for p in /proc /dev /dev/pts /dev/mqueue /dev/shm /sys /sys/fs/cgroup /etc/hosts /etc/hostname /etc/resolv.conf \
		/var/run/secrets/kubernetes.io/serviceaccount; do
		mounted 'emptyDir: {}' | sed "s|/v}|$p}|" | holds "\$c.m == {\"$p\": [\"E:v\", \"rw\"]}"
	done
}

@test "names of volumes are labels" {
	for n in '"!"' 'A' '"a/b"' '"a.b"' '""' "$(printf '%064d' 0 | tr 0 a)"; do
		pod "volumes: [{name: $n, emptyDir: {}}]" >"$BATS_TEST_TMPDIR/in"
		run -3 --separate-stderr "${gen[@]}" "$BATS_TEST_TMPDIR/in"
		[ -z "$output" ]
		jq -es 'last | (.id == "k8s.name" or .id == "k8s.missing") and .line == 8' <<<"$stderr" >/dev/null || fail "$stderr"
	done
}

@test "lesson: image VOLUME without a mount is held empty, and one beside a volume of its name refused" {
	mkimage local/vol:1 '{"Volumes": {"/data": {}, "//srv//db/": {}}, "Cmd": ["x"]}'
	image=local/vol:1 pod | holds '.v["!"] == {k: "e"} and $c.m == {"/data": ["S", "rw", "!"], "/srv/db": ["S", "rw", "!"]}'
	image=local/vol:1 pod 'volumes: [{name: v}]' 'volumeMounts: [{name: v, mountPath: /data}, {name: v, mountPath: /x/db}]' |
		holds '.v == {"!": {k: "e"}} and $c.m["/data"] == ["E:v", "rw"]'
	image=local/vol:1 pod 'volumes: [{name: v, configMap: {name: m}}]' 'volumeMounts: [{name: v, mountPath: /x/db}]' >"$BATS_TEST_TMPDIR/in"
	refuses 3 image.volume "${gen[@]}" "$BATS_TEST_TMPDIR/in"
	mkimage local/root:1 '{"Volumes": {"/": {}}, "Cmd": ["x"]}'
	image=local/root:1 pod >"$BATS_TEST_TMPDIR/in"
	refuses 3 image.volume "${gen[@]}" "$BATS_TEST_TMPDIR/in"
	mkimage local/up:1 '{"Volumes": {"/a/../etc": {}}, "Cmd": ["x"]}'
	image=local/up:1 pod >"$BATS_TEST_TMPDIR/in"
	refuses 3 image.volume "${gen[@]}" "$BATS_TEST_TMPDIR/in"
}

@test "GPUs: counted by extended resource" {
	pod '' 'resources: {limits: {nvidia.com/pgpu: 2}}' | holds '$c.gpu == 2'
	pod '' 'resources: {limits: {nvidia.com/pgpu: "1"}, requests: {nvidia.com/pgpu: 1}}' | holds '$c.gpu == 1'
	pod '' 'resources: {limits: {nvidia.com/GH100: 1}}' | holds '$c | has("gpu") | not'
	echo '{"gpu_resources": ["nvidia.com/GH100"]}' >"$BATS_TEST_TMPDIR/s"
	pod '' 'resources: {limits: {nvidia.com/GH100: 1}}' | holds '$c.gpu == 1' --settings "$BATS_TEST_TMPDIR/s"
	for n in 65 1.5 -1 x; do
		pod '' "resources: {limits: {nvidia.com/pgpu: $n}}" >"$BATS_TEST_TMPDIR/in"
		refuses 3 quantity "${gen[@]}" "$BATS_TEST_TMPDIR/in"
	done
}

@test "settings: what they allow is in the policy" {
	cat >"$BATS_TEST_TMPDIR/s" <<-'JSON'
		{"read_logs": true, "exec": [["/bin/sh", "-c", "x"]], "env": {"AZURE_X": "[a-z]{1,8}"},
		"mounts": [{"destination": "/etc/x", "type": "bind", "source": "/run/x", "options": ["rbind", "ro"]}]}
	JSON
	pod | holds '.log and .x == [["/bin/sh", "-c", "x"]] and .xe == {AZURE_X: {re: "[a-z]{1,8}"}}
		and .xm == {"/etc/x": {destination: "/etc/x", source: "/run/x", type_: "bind", options: ["rbind", "ro"]}}' --settings "$BATS_TEST_TMPDIR/s"
	pod | holds '.log == false and .x == [] and .xe == {} and .xm == {}'
	echo '{"pause_image": "registry.example/pause:3.9"}' >"$BATS_TEST_TMPDIR/s"
	pod | holds '.c[""].a == ["/pause"] and .c[""].u == [65535, 65535, [65535]]' --settings "$BATS_TEST_TMPDIR/s"
}
