#!/usr/bin/env bats
# What the data section of a policy says of volumes, names and settings; policygen-values.bats and policygen-security.bats
# have the rest. Beside the engine's tests in tests/rego these show single values.
load helpers

# The data of the policy for the YAML on stdin, as one line.
data() {
	ctr-policygen -q --skip-initializer --format policy --image-layout "$IMAGES" "$@" |
		grep -oE 'agent\.policy"?: *"?[A-Za-z0-9+/=]+' | sed 's/.*[: "]//' | base64 -d | sed -n '/^d:=/,/^[a-zA-Z]*(/p' | tr -d '\n'
}

# A pod with the container's further lines $1 and the spec's $2.
pod() {
	printf 'apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\n  namespace: ns\n  labels: {app: web}\nspec:\n  runtimeClassName: contrast-cc\n'
	[ -z "${2-}" ] || printf '  %s\n' "${2//$'\n'/$'\n'  }"
	printf '  containers:\n  - name: c\n    image: %s\n' "${image-registry.example/tools:1.0}"
	[ -z "${1-}" ] || printf '    %s\n' "${1//$'\n'/$'\n'    }"
}

has() { # TEXT CONTAINER [SPEC [MORE DOCUMENTS]]: the data has the text
	run -0 data < <(pod "$2" "${3-}"; [ -z "${4-}" ] || printf -- '---\n%s\n' "$4")
	[[ $output == *"$1"* ]] || fail "expected $1 in $output"
}

map='apiVersion: v1
kind: ConfigMap
metadata: {name: m, namespace: ns}
data: {A: from-map, B: "2", "1bad": x, c.conf: "12345"}
binaryData: {raw: AAEC}'
@test "volumes: what the host copies, with sizes" {
	v() { has "\"v\":{\"v\":$1}" 'volumeMounts: [{name: v, mountPath: /v}]' "volumes: [{name: v, $2}]" "$map"; }
	v '{"k":"v","f":{"A":8,"B":1,"1bad":1,"c.conf":5,"raw":3}}' 'configMap: {name: m}'
	v '{"k":"v","f":{"x/y":5}}' 'configMap: {name: m, items: [{key: c.conf, path: x/y}]}'
	v '{"k":"v","f":{"*":-1}}' 'secret: {secretName: other}'
	v '{"k":"v","f":{}}' 'secret: {secretName: other, optional: true}'
	v '{"k":"d"}' 'persistentVolumeClaim: {claimName: x}'
	v '{"k":"v","f":{"token":-1,"A":8,"labels":-1}}' 'projected: {sources: [{serviceAccountToken: {path: token}}, {configMap: {name: m, items: [{key: A, path: A}]}}, {downwardAPI: {items: [{path: labels, fieldRef: {fieldPath: metadata.labels}}]}}]}'
	has '"/v/c":["S","ro","m/c.conf"]' 'volumeMounts: [{name: m, mountPath: /v/c, subPath: c.conf}]' 'volumes: [{name: m, configMap: {name: m}}]' "$map"
	has '"m/c.conf":{"k":"f","n":5}' 'volumeMounts: [{name: m, mountPath: /v/c, subPath: c.conf}]' 'volumes: [{name: m, configMap: {name: m}}]' "$map"
}

@test "volumes: of the guest" {
	has '"/v":["E:v","rw"]' 'volumeMounts: [{name: v, mountPath: /v/}]' 'volumes: [{name: v, emptyDir: {}}]'
	has '"/v":["/run/kata-containers/sandbox/ephemeral/v","ro"]' 'volumeMounts: [{name: v, mountPath: //v, readOnly: true}]' 'volumes: [{name: v, emptyDir: {medium: Memory}}]'
	has '"mp":{"/v":"rslave"}' 'volumeMounts: [{name: v, mountPath: /v, mountPropagation: HostToContainer}]' 'volumes: [{name: v, emptyDir: {}}]'
	has '"dev":["/dev/x"]' 'volumeDevices: [{name: v, devicePath: /dev/x}]' 'volumes: [{name: v, persistentVolumeClaim: {claimName: x}}]'
}

@test "service account token: the pod's word, then the account's" {
	has '"sa":false' '' 'automountServiceAccountToken: false'
	has '"sa":false' '' '' 'apiVersion: v1
kind: ServiceAccount
metadata: {name: default, namespace: ns}
automountServiceAccountToken: false'
	run -0 data < <(pod)
	[[ $output != *'"sa"'* ]]
}

@test "names by kind, cut as Kubernetes cuts them" {
	name() { # KIND API NAME MATCHING NOT-MATCHING
		run -0 data < <(printf 'apiVersion: %s\nkind: %s\nmetadata: {name: %s, namespace: ns}\nspec:\n  template:\n    spec:\n      runtimeClassName: contrast-cc\n      containers: [{name: c, image: "registry.example/tools:1.0"}]\n' "$2" "$1" "$3")
		[[ $output =~ \"n\":\"([^\"]*)\" ]]
		pattern=${BASH_REMATCH[1]//\\\\/\\}
		grep -qxP "$pattern" <<<"$4" || fail "$4 does not match $pattern"
		! grep -qxP "$pattern" <<<"$5" || fail "$5 matches $pattern"
	}
	long=$(printf 'a%.0s' $(seq 50))
	name Deployment apps/v1 web web-5d4f8c7b9d-x2k4l web-5d4f8c7b9d-x2k4e
	name Deployment apps/v1 "$long" "$long-5d4f8c7x2k4l" "$long-5d4f8c7b-x2k4"
	name DaemonSet apps/v1 web web-x2k4l web-x2k4l-x2k4l
	name StatefulSet apps/v1 web web-11 web-a
	name Job batch/v1 web web-3-x2k4l web-3-3-x2k4l
	name ReplicaSet apps/v1 a.b a.b-x2k4l axb-x2k4l
}

@test "settings: logs, commands, variables, mounts" {
	printf '{"read_logs": true, "exec": [["a", "b"]], "env": {"E": "x[0-9]"}, "mounts": [{"destination": "/m", "type": "bind", "source": "/s", "options": ["ro"]}]}' >"$BATS_TEST_TMPDIR/s"
	run -0 data --settings "$BATS_TEST_TMPDIR/s" < <(pod)
	[[ $output == *'"log":true,"x":[["a","b"]],"xe":{"E":{"x[0-9]"}},"xm":{"/m":{"destination":"/m","source":"/s","type_":"bind","options":["ro"]}}'* ]] || fail "$output"
}
