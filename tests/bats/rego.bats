#!/usr/bin/env bats
# The judge of policies, judged: it finds what is wrong with policies that are known to be.
load helpers

setup_file() {
	command -v cargo >/dev/null || skip "cargo is absent"
	tests/rego/run images "$BATS_FILE_TMPDIR/images"
}

# generator RULES: a ctr-policygen that puts this policy on every pod of the files it is given.
generator() {
	mkdir "$BATS_TEST_TMPDIR/bin"
	printf 'package agent_policy\nimport rego.v1\ndefault AllowRequestsFailingPolicy := false\n%s\n' "$1" >"$BATS_TEST_TMPDIR/policy"
	cat >"$BATS_TEST_TMPDIR/bin/ctr-policygen" <<-EOF
		#!/bin/sh
		policy=\$(base64 -w0 "$BATS_TEST_TMPDIR/policy")
		pin=\$(jq -r '.manifests[0].digest' "$BATS_FILE_TMPDIR/images/busybox-1.36/index.json")
		for f; do :; done
		sed "s|^metadata:|&\n  annotations: {io.katacontainers.config.agent.policy: \$policy}|; s|busybox:1.36|&@\$pin|" "\$f"
	EOF
	chmod +x "$BATS_TEST_TMPDIR/bin/ctr-policygen"
	export BIN=$BATS_TEST_TMPDIR/bin
}

# app: the smallest application, in $apps.
app() {
	apps=$BATS_TEST_TMPDIR/apps
	mkdir -p "$apps/small"
	cat >"$apps/small/pod.yaml" <<-EOF
		apiVersion: v1
		kind: ConfigMap
		metadata:
		  name: conf
		data: {key: value}
		---
		apiVersion: v1
		kind: Pod
		metadata:
		  name: small
		spec:
		  automountServiceAccountToken: false
		  containers:
		  - name: main
		    image: registry.example/busybox:1.36
		    volumeMounts: [{name: conf, mountPath: /conf}]
		  volumes: [{name: conf, configMap: {name: conf}}]
	EOF
}

# Everything that a life needs, without a look at it.
everything() {
	local k
	for k in CreateSandbox CreateContainer CopyFile StartContainer RemoveContainer DestroySandbox SignalProcess WaitProcess StatsContainer \
		UpdateInterface UpdateRoutes AddARPNeighbors GuestDetails GetOOMEvent; do
		echo "${k}Request := true"
	done
}

@test "the judge's own parts" {
	CARGO_TARGET_DIR=$BUILD/rego run -0 cargo test --quiet --locked --release --manifest-path tests/rego/Cargo.toml
}

@test "check names what is unused, shadowed or missing in the agent" {
	printf '%s\n' 'package agent_policy' 'import rego.v1' 'CreateSandboxRequest if {' 'x := 1' 'count := 2' 'time.now_ns() > count' '}' \
		>"$BATS_TEST_TMPDIR/p.rego"
	run -1 tests/rego/run check "$BATS_TEST_TMPDIR/p.rego"
	[[ $output == *":4:1: variable x is not used"* ]]
	[[ $output == *":5:1: variable count shadows another name"* ]]
	[[ $output == *"no function time.now_ns in the agent"* ]]
}

@test "cases are replayed from anywhere, read-only, and counted" {
	generator 'StartContainerRequest := true'
	mkdir -p "$BATS_TEST_TMPDIR/cases/one"
	printf 'kind: Pod\nmetadata:\n  name: x\nspec: {containers: []}\n' >"$BATS_TEST_TMPDIR/cases/one/pod.yaml"
	jq -n '{cases: [{description: "right", allowed: true, kind: "StartContainerRequest", request: {}},
		{description: "undefined is denied", allowed: false, kind: "SetPolicyRequest", request: {}},
		{description: "wrong", allowed: false, kind: "StartContainerRequest", request: {}, continue: true}]}' \
		>"$BATS_TEST_TMPDIR/cases/one/testcases.json"
	chmod -R a-w "$BATS_TEST_TMPDIR/cases"
	cd /
	run -1 "$TOP/tests/rego/run" "$BATS_TEST_TMPDIR/cases" --images "$BATS_FILE_TMPDIR/images"
	[ "${lines[0]}" = "not ok: one: wrong: allowed (expected denied)" ]
	[ "${lines[1]}" = "2 passed, 1 failed" ]
}

@test "a policy that allows failing requests does not load" {
	generator 'StartContainerRequest := true'
	sed -i 's/:= false/:= true/' "$BATS_TEST_TMPDIR/policy"
	app
	run -1 tests/rego/run life "$apps" --images "$BATS_FILE_TMPDIR/images"
	[[ $output == *"AllowRequestsFailingPolicy is true (expected false)"* ]]
}

@test "a life is lived, and one that is denied is told with its step" {
	generator "$(everything)"
	app
	run -0 tests/rego/run life "$apps" --images "$BATS_FILE_TMPDIR/images"
	[ "${lines[-1]}" = "3 passed, 0 failed" ]
	sed -i /CopyFile/d "$BATS_TEST_TMPDIR/policy"
	run -1 tests/rego/run life "$apps" --images "$BATS_FILE_TMPDIR/images"
	[[ ${lines[0]} == "not ok: small (containerd 1.7): step 6 of "*", CopyFileRequest : denied: "* ]]
}

@test "the engine of older agents judges too" {
	generator "$(everything | sed 's/^\(GetOOMEventRequest\) := true/\1 if true/')"
	sed -i '/^import/d' "$BATS_TEST_TMPDIR/policy" # the newer engine needs none
	app
	run -1 tests/rego/run life "$apps" --images "$BATS_FILE_TMPDIR/images"
	[[ $output == *"not ok: small (containerd 1.7): older engine: "* && ${lines[-1]} == "0 passed, 3 failed" ]]
	run -0 tests/rego/run life "$apps" --images "$BATS_FILE_TMPDIR/images" --engine new
	[ "${lines[-1]}" = "3 passed, 0 failed" ]
	run -2 tests/rego/run life "$apps" --images "$BATS_FILE_TMPDIR/images" --engine none
}

@test "lesson: mutation tests: a policy that allows everything fails the audit" {
	generator "$(everything)"
	app
	echo '[]' >"$BATS_TEST_TMPDIR/allowed.json"
	run -1 tests/rego/run audit "$apps" "$BATS_TEST_TMPDIR/allowed.json" --images "$BATS_FILE_TMPDIR/images"
	[[ $output == *"CreateContainerRequest /storages/image_guest_pull/source suffix: allowed"* ]] || [[ $output == *"/storages/*/source suffix: allowed"* ]]
	[[ $output == *"CreateSandboxRequest /sandbox repeat: allowed"* ]]
	[[ $output == *"CreateContainerRequest /sandbox skip: allowed"* ]]
}

@test "lesson: model sequences of requests: a link first, then a write through it" {
	generator "$(everything | sed '/CopyFile/d')
	CopyFileRequest if regex.match(\`-(hosts|hostname|resolv.conf|termination-log)\$\`, input.path)
	CopyFileRequest if regex.match(\`-conf(/\.\.[0-9_.]+(/key)?|/\.\.data|/key|/x(/x)?)?\$\`, input.path)"
	app
	echo '[]' >"$BATS_TEST_TMPDIR/allowed.json"
	run -1 tests/rego/run audit "$apps" "$BATS_TEST_TMPDIR/allowed.json" --images "$BATS_FILE_TMPDIR/images"
	local id='[0-9a-f]{64}-[0-9a-f]{16}'
	[[ $output =~ files:\ \"Symlink\"\ $id-conf/x\ \"\.\.\",\ then\ \"Regular\"\ $id-conf/x/x\ null:\ link\ leads\ to ]]
}

@test "an entry of the list that matches nothing is a failure" {
	generator "$(everything)"
	app
	echo '[{"kind": "SetPolicyRequest", "path": "/policy", "op": "*", "reason": "none"}]' >"$BATS_TEST_TMPDIR/allowed.json"
	run -1 tests/rego/run audit "$apps" "$BATS_TEST_TMPDIR/allowed.json" --images "$BATS_FILE_TMPDIR/images"
	[[ $output == *"matches nothing: "*SetPolicyRequest* ]]
}
