#!/usr/bin/env bats
# shellcheck disable=SC2016 # what looks like shell is YAML or jq
# ctr-policygen as a filter: what it takes, what it changes and, above all, what it leaves alone.
load helpers
load policygen
gen=("${adds[@]}")

# Adds lines, and changes no line but those that gain a digest or a runtime class.
only_additions() { # BEFORE AFTER
	diff "$1" "$2" | sed -n 's/^< //p' | while IFS= read -r line; do
		[[ $line =~ image:|\"image\":|runtimeClassName|annotations:\ \{\}|initContainers: ]] ||
			fail "changed: $line"
	done
}

@test "the examples: only additions, and a second run changes nothing" {
	cat k8s/coordinator.yaml k8s/examples/*.yaml >"$BATS_TEST_TMPDIR/in"
	"${gen[@]}" "$BATS_TEST_TMPDIR/in" >"$BATS_TEST_TMPDIR/once"
	only_additions "$BATS_TEST_TMPDIR/in" "$BATS_TEST_TMPDIR/once"
	"${gen[@]}" "$BATS_TEST_TMPDIR/once" | cmp - "$BATS_TEST_TMPDIR/once"
}

@test "kinds without pods, unknown kinds and custom resources pass byte for byte" {
	cat >"$BATS_TEST_TMPDIR/in" <<'YAML'
# a comment   
apiVersion: v1
kind: Service
metadata: {name: s,   labels: {a: 'b'}}
spec:
    ports: [ {port: 80} ]
---
apiVersion: example.com/v1
kind: Deployment     # not the one of apps/v1
metadata:
  name: mine
spec: {template: {spec: {runtimeClassName: contrast-cc}}}
...
---
apiVersion: example.com/v1
kind: Widget
spec: |
  --- not a marker, it is indented
  tail
YAML
	"${gen[@]}" "$BATS_TEST_TMPDIR/in" | cmp - "$BATS_TEST_TMPDIR/in"
}

@test "CRLF line ends survive, and added lines have them too" {
	pod | sed 's/$/\r/' >"$BATS_TEST_TMPDIR/in"
	"${gen[@]}" "$BATS_TEST_TMPDIR/in" >"$BATS_TEST_TMPDIR/out"
	only_additions "$BATS_TEST_TMPDIR/in" "$BATS_TEST_TMPDIR/out"
	[ "$(grep -c $'\r$' "$BATS_TEST_TMPDIR/out")" = "$(wc -l <"$BATS_TEST_TMPDIR/out")" ]
}

@test "flow style and JSON stay what they are" {
	echo '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":{"runtimeClassName":"contrast-cc","containers":[{"name":"c","image":"registry.example/tools:1.0","command":["sh"]}]}}' >"$BATS_TEST_TMPDIR/in"
	ok "${gen[@]}" "$BATS_TEST_TMPDIR/in"
	jq -e '.spec.initContainers[0].name == "contrast-initializer" and .metadata.annotations' <<<"$output"
	[ "$(wc -l <<<"$output")" -eq 1 ]
}

@test "JSON texts one after another are documents" {
	for n in a b; do
		printf '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"%s"},"spec":{"runtimeClassName":"contrast-cc","containers":[{"name":"c","image":"registry.example/tools:1.0"}]}}\n' $n
	done >"$BATS_TEST_TMPDIR/in"
	ok "${gen[@]}" "$BATS_TEST_TMPDIR/in"
	[ "$(jq -s 'map(select(.metadata.annotations)) | length' <<<"$output")" = 2 ]
}

@test "every kind of controller gets the policy on its pod template" {
	for k in apps/v1:Deployment apps/v1:ReplicaSet v1:ReplicationController apps/v1:StatefulSet apps/v1:DaemonSet batch/v1:Job; do
		cat >"$BATS_TEST_TMPDIR/in" <<-YAML
			apiVersion: ${k%:*}
			kind: ${k#*:}
			metadata: {name: x, namespace: ns}
			spec:
			  template:
			    spec:
			      runtimeClassName: kata-cc-isolation
			      containers: [{name: c, image: "registry.example/tools:1.0"}]
		YAML
		ok "${gen[@]}" "$BATS_TEST_TMPDIR/in"
		[[ $output == *"  template:"*"metadata:"*"cc_init_data"* ]] || fail "$k: $output"
	done
	cat >"$BATS_TEST_TMPDIR/in" <<-YAML
		apiVersion: batch/v1
		kind: CronJob
		metadata: {name: x, namespace: ns}
		spec:
		  jobTemplate:
		    spec:
		      template:
		        spec:
		          runtimeClassName: contrast-cc
		          containers: [{name: c, image: "registry.example/tools:1.0"}]
	YAML
	ok "${gen[@]}" "$BATS_TEST_TMPDIR/in"
	[[ $output == *"      template:"*"metadata:"*"cc_init_data"* ]]
}

@test "a List is gone through" {
	{
		printf 'apiVersion: v1\nkind: List\nitems:\n'
		pod | sed 's/^/  /; 1s/^ /-/'
	} >"$BATS_TEST_TMPDIR/in"
	ok "${gen[@]}" "$BATS_TEST_TMPDIR/in"
	[[ $output == *cc_init_data* ]]
}

@test "only pods of the runtime classes are taken, and the others named with -v" {
	class=runc pod >"$BATS_TEST_TMPDIR/in"
	run -0 --separate-stderr "${loud[@]}" -v "$BATS_TEST_TMPDIR/in"
	[ "$output" = "$(class=runc pod)" ]
	[[ $stderr == *"Pod ns/p: left alone"* ]]
	ok "${gen[@]}" --runtime-class run "$BATS_TEST_TMPDIR/in"
	[[ $output == *cc_init_data* ]]
	pod | "${gen[@]}" --runtime-class other | cmp - <(pod)
}

@test "--all takes every pod and adds the class; --runtime-handler sets it" {
	pod | grep -v runtimeClassName >"$BATS_TEST_TMPDIR/in"
	ok "${gen[@]}" --all "$BATS_TEST_TMPDIR/in"
	[[ $output == *"runtimeClassName: contrast-cc"*cc_init_data* || $output == *cc_init_data*"runtimeClassName: contrast-cc"* ]]
	ok "${gen[@]}" --runtime-handler contrast-cc-k8s-qemu-snp-1a2b <<<"$(pod)"
	[[ $output == *"runtimeClassName: contrast-cc-k8s-qemu-snp-1a2b"* ]]
}

@test "Initializer, cryptsetup and mesh come first, in this order, once" {
	pod | sed 's|^spec:|  annotations:\n    contrast.edgeless.systems/servicemesh-ingress: "w#80#true"\n    contrast.edgeless.systems/secure-pv: disk:state\nspec:\n  volumes:\n  - name: disk\n    persistentVolumeClaim: {claimName: x}\n  initContainers:\n  - name: own\n    image: registry.example/tools:1.0|' >"$BATS_TEST_TMPDIR/in"
	"${gen[@]}" "$BATS_TEST_TMPDIR/in" >"$BATS_TEST_TMPDIR/out"
	run -0 awk '/^  - name: / { print $3 }' <(sed -n '/initContainers/,/^  containers/p' "$BATS_TEST_TMPDIR/out")
	[ "$output" = $'contrast-initializer\ncontrast-cryptsetup\ncontrast-service-mesh\nown' ] || fail "$output"
	"${gen[@]}" "$BATS_TEST_TMPDIR/out" | cmp - "$BATS_TEST_TMPDIR/out"
}

@test "no container is added where option, annotation or role say so" {
	ok "${gen[@]}" --skip-initializer <<<"$(pod)"
	[[ $output != *contrast-initializer* ]]
	for a in 'contrast.edgeless.systems/skip-initializer: "true"' 'contrast.edgeless.systems/pod-role: coordinator'; do
		ok "${gen[@]}" <<<"$(pod | sed "s|^spec:|  annotations:\n    $a\nspec:|")"
		[[ $output != *contrast-initializer* && $output == *cc_init_data* ]]
	done
}

@test "images are pinned, and left with --no-pin" {
	ok "${gen[@]}" --skip-initializer <<<"$(pod)"
	[[ $output =~ "image: registry.example/tools:1.0@sha256:"[0-9a-f]{64} ]]
	ok "${gen[@]}" --skip-initializer --no-pin <<<"$(pod)"
	[[ $output == *'image: registry.example/tools:1.0' ]]
}

@test "both formats carry the same policy, and ctr-manifest takes either" {
	pod | "${gen[@]}" --format policy | policies >"$BATS_TEST_TMPDIR/a"
	pod | "${gen[@]}" >"$BATS_TEST_TMPDIR/init"
	mkdir "$BATS_TEST_TMPDIR/p"
	ctr-manifest policies -o "$BATS_TEST_TMPDIR/p" "$BATS_TEST_TMPDIR/init"
	cmp "$BATS_TEST_TMPDIR/a" "$BATS_TEST_TMPDIR"/p/*.rego
	pod | "${gen[@]}" --format policy | ctr-manifest -q | jq -e '.Policies | length == 1'
}

@test "several files are one stream, with a marker between" {
	pod >"$BATS_TEST_TMPDIR/a"
	printf 'apiVersion: v1\nkind: Namespace\nmetadata: {name: ns}' >"$BATS_TEST_TMPDIR/b"
	ok "${gen[@]}" "$BATS_TEST_TMPDIR/b" - "$BATS_TEST_TMPDIR/a" <<<"$(class=runc pod)"
	[ "$(grep -c '^---$' <<<"$output")" = 2 ]
	[ "$(grep -c cc_init_data <<<"$output")" = 1 ]
}

@test "nothing in, nothing out" {
	ok "${gen[@]}" /dev/null
	[ -z "$output" ]
	printf '# only a comment\n' | "${gen[@]}" | cmp - <(printf '# only a comment\n')
}

@test "a ConfigMap is found wherever it stands in the stream" {
	{
		pod | sed '$a\    env:\n    - name: A\n      valueFrom: {configMapKeyRef: {name: m, key: k}}'
		printf -- '---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: m, namespace: ns}\ndata: {k: found-here}\n'
	} >"$BATS_TEST_TMPDIR/in"
	run -0 policies < <("${gen[@]}" --format policy "$BATS_TEST_TMPDIR/in")
	[[ $output == *'"A":"found-here"'* ]]
}

@test "a full disk is status 4" {
	run -4 bash -c 'printf "# x\n" | ctr-policygen -q --errors=json >/dev/full'
	[[ $output == *'"id":"write"'* ]]
}

@test "lesson: determinism" {
	"${gen[@]}" k8s/coordinator.yaml k8s/examples/*.yaml >"$BATS_TEST_TMPDIR/a"
	for locale in C C.UTF-8 tr_TR.UTF-8; do
		LC_ALL=$locale taskset -c 0 "${gen[@]}" --no-cache k8s/coordinator.yaml k8s/examples/*.yaml | cmp - "$BATS_TEST_TMPDIR/a"
		LC_ALL=$locale "${gen[@]}" --cache "$BATS_TEST_TMPDIR/new-$locale" k8s/coordinator.yaml k8s/examples/*.yaml | cmp - "$BATS_TEST_TMPDIR/a"
	done
}

@test "lesson: policy beyond the annotation limit" {
	{
		pod
		printf '    env:\n'
		for i in $(seq 60); do
			printf '    - name: V%d\n      value: ' "$i"
			head -c 6000 /dev/urandom | base64 -w 0
			echo
		done
	} >"$BATS_TEST_TMPDIR/in"
	refuses 3 policy.too-large "${gen[@]}" "$BATS_TEST_TMPDIR/in"
	[[ $stderr == *"Pod ns/p"*262144* ]]
}

@test "lesson: a kilobyte-long variable" {
	{
		pod
		printf '    env:\n    - name: LONG\n      value: "'
		for i in $(seq 200); do printf 'brand=tesla,driver>=%d \\"é ' "$i"; done
		printf '"\n'
	} >"$BATS_TEST_TMPDIR/in"
	"${gen[@]}" --format policy "$BATS_TEST_TMPDIR/in" | policies >"$BATS_TEST_TMPDIR/p"
	[ "$(longest <"$BATS_TEST_TMPDIR/p")" -lt 1000 ]
	grep -q 'concat("",\[' "$BATS_TEST_TMPDIR/p"
}

@test "lesson: image VOLUME without a mount" {
	image=registry.example/postgres:16 pod >"$BATS_TEST_TMPDIR/in"
	run -0 --separate-stderr "${loud[@]}" --format policy "$BATS_TEST_TMPDIR/in"
	[[ $stderr == *image.volume* ]]
	policies <<<"$output" | grep -qF '"!":{"k":"e"}'
}

@test "an ordinary policy is below 16 KiB" {
	# two containers with configuration, scratch space and a probe, the Initializer in front
	cat >"$BATS_TEST_TMPDIR/in" <<-YAML
		apiVersion: apps/v1
		kind: Deployment
		metadata: {name: web, namespace: shop}
		spec:
		  template:
		    metadata:
		      labels: {app: web}
		    spec:
		      runtimeClassName: contrast-cc
		      containers:
		      - name: app
		        image: registry.example/web:1.25
		        args: [web, --port, "8080"]
		        env:
		        - {name: MODE, value: production}
		        - name: POD
		          valueFrom: {fieldRef: {fieldPath: metadata.name}}
		        readinessProbe: {exec: {command: [test, -f, /ready]}}
		        volumeMounts:
		        - {name: conf, mountPath: /etc/app, readOnly: true}
		        - {name: tmp, mountPath: /tmp}
		      - name: log
		        image: registry.example/tools:1.0
		        command: [tail, -f, /tmp/log]
		        volumeMounts:
		        - {name: tmp, mountPath: /tmp}
		      volumes:
		      - name: conf
		        configMap: {name: conf}
		      - name: tmp
		        emptyDir: {}
		---
		apiVersion: v1
		kind: ConfigMap
		metadata: {name: conf, namespace: shop}
		data: {a.conf: "hello"}
	YAML
	run -0 policies < <("${gen[@]}" --format policy "$BATS_TEST_TMPDIR/in")
	[ "${#output}" -lt 16384 ] || fail "${#output}"
}

@test "--explain says what a pod may do, and shows no value" {
	ok "${gen[@]}" --explain web k8s/examples/web.yaml
	[[ $output == *"Deployment shop/web"*"sidecar contrast-service-mesh"*"LOG_LEVEL"* ]]
	[[ $output != *"127.137.0.1:5432"* ]]
	refuses 3 explain.missing "${gen[@]}" --explain nobody k8s/examples/web.yaml
}

@test "the examples of the manual page run" {
	ln -s "$TOP/k8s" "$BATS_TEST_TMPDIR"
	ln -s "$BUILD" "$BATS_TEST_TMPDIR/build"
	cd "$BATS_TEST_TMPDIR"
	examples ctr-policygen.1 >commands
	[ "$(grep -c 'ctr-policygen' commands)" = 3 ]
	run -0 bash -eo pipefail commands
	jq -e '.Policies | length > 0' manifest.json
	[ -s annotated.yaml ]
}
