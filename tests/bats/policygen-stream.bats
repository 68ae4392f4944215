#!/usr/bin/env bats
# shellcheck disable=SC2016 # what looks like shell is YAML or jq
# Streams in and out: every byte that need not change stays, whatever form the input has, and nothing stays behind.
load helpers
load policygen

setup() {
	cd "$BATS_TEST_TMPDIR" || exit
}

# adds_only FILE [ARGUMENT...]: lines are only added, but for those that gain a digest, a class or a first entry; the
# added ones have the file's line ends; a second run changes nothing.
adds_only() {
	local in=$1
	shift
	"${adds[@]}" "$@" "$in" >once
	! cmp -s "$in" once || fail "$in: nothing was added"
	diff "$in" once | sed -n 's/^< //p' | grep -vE 'image:|runtimeClassName:|(annotations|initContainers|volumes|metadata|volumeMounts):|^ *[{[]|[]}]$' &&
		fail "$in: changed"
	"${adds[@]}" "$@" once | cmp - once
}

@test "every example and every application of the rego tests: only additions" {
	for f in "$TOP"/k8s/{coordinator,examples/agent,examples/db,examples/web}.yaml; do
		adds_only "$f"
	done
	for f in "$TOP"/tests/rego/apps/*/pod.yaml; do
		# no images here: a bare one for each reference
		grep -ohE 'image: *[^ },]+' "$f" | sed 's/image: *//; s/"//g' | sort -u | while read -r i; do mkimage "$i" '{"Cmd": ["x"], "User": "1"}'; done
		layouts=()
		for i in images/*; do layouts+=(--image-layout "$i"); done
		adds_only "$f" "${layouts[@]}"
	done
}

@test "anchors, aliases and merge keys stay" {
	cat >in <<-'YAML'
		apiVersion: v1
		kind: Pod
		metadata: {name: p, namespace: ns}
		spec:
		  runtimeClassName: contrast-cc
		  x-common: &common
		    image: registry.example/tools:1.0   # once
		    env: &env
		    - {name: A, value: "1"}
		  containers:
		  - name: c
		    image: registry.example/tools:1.0
		    env: *env
		  - <<: *common
		    name: d
	YAML
	"${gen[@]}" --format policy in | tee once | policies | policy_data | jq -e '.c.c.e.A == "1" and .c.d.e.A == "1"'
	grep -q '<<: \*common' once
	grep -q 'env: \*env' once
	"${gen[@]}" --format policy once | cmp - once
}

@test "comments, blank lines, quoting and odd indentation stay" {
	cat >in <<-'YAML'
		# head

		---   # the marker's own
		kind:   Pod   # out of order
		"apiVersion": 'v1'
		metadata:
		      name: p

		      annotations:
		            note: |
		               kept

		               as it is
		      namespace: ns
		spec:
		    # indented list
		    containers:
		        -   name: c
		            image: registry.example/tools:1.0

		            # behind
		    runtimeClassName: contrast-cc
		...
		# tail
	YAML
	adds_only in
	grep -c . once
}

@test "CRLF, no line end at the end of the file, a byte order mark" {
	pod | sed 's/$/\r/' >in
	adds_only in
	[ "$(grep -c $'\r$' once)" -eq "$(wc -l <once)" ]
	pod | head -c -1 >in
	adds_only in
	{ printf '\xef\xbb\xbf' && pod; } >in
	adds_only in
	[ "$(head -c 3 once | od -An -tx1)" = " ef bb bf" ]
}

@test "JSON: on one line, indented, with unicode; several texts" {
	printf '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p","labels":{"x":"\\u00e9\\ud83d\\ude00"}},"spec":{"runtimeClassName":"contrast-cc","containers":[{"name":"c","image":"registry.example/tools:1.0"}]}}' >in
	"${adds[@]}" in >once
	jq -e '.metadata.labels.x == "é😀" and .spec.initContainers[0].image' once
	grep -q 'u00e9' once
	"${adds[@]}" once | cmp - once
	jq . in >pretty
	"${adds[@]}" pretty >once
	jq -e . once
	jq -S 'del(.metadata.annotations)' once | cmp - <("${adds[@]}" in | jq -S 'del(.metadata.annotations)')
	{ cat in && printf '\n' && cat in; } >two
	"${adds[@]}" two | jq -es 'length == 2 and .[0] == .[1]'
}

@test "lists: nested, typed, of JSON, with items that pass untouched" {
	{
		printf 'apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: List\n  items:\n'
		pod | sed 's/^/    /; 1s/^   /  -/'
		printf -- '- {apiVersion: v1, kind: Service, metadata: {name: s}, spec:   {ports: []}}\n'
	} >in
	adds_only in
	grep -qF 'spec:   {ports: []}}' once
	{
		printf 'apiVersion: v1\nkind: PodList\nitems:\n'
		pod | sed '/^apiVersion/d; /^kind/d' | sed 's/^/  /; 1s/^ /-/'
	} >in
	adds_only in
	kubectl_json=$(jq -nc --argjson o "$(printf '%s' '{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"w"},"spec":{"template":{"metadata":{"creationTimestamp":null},"spec":{"runtimeClassName":"contrast-cc","containers":[{"name":"c","image":"registry.example/tools:1.0"}]}}}}')" '{apiVersion: "v1", kind: "List", items: [$o, $o]}')
	"${adds[@]}" <<<"$kubectl_json" | jq -e '[.items[].spec.template.metadata.annotations | length] == [1, 1]'
}

@test "the other kinds pass byte for byte, malformed pods of another API group too" {
	cat >in <<-'YAML'
		apiVersion: v1
		kind: PodTemplate
		metadata: {name: t}
		template: {spec: {runtimeClassName: contrast-cc, hostPID: true}}
		---
		apiVersion: example.com/v1
		kind: Pod
		spec: [this, is, no, pod]
		---
		apiVersion: apiextensions.k8s.io/v1
		kind: CustomResourceDefinition
		metadata:
		  name: widgets.example.com
		spec:
		  versions: [{name: v1, schema: {openAPIV3Schema: {type: object, properties: {spec: {type: string}}}}}]
		---
		---
		# nothing
		---
		apiVersion: v1
		kind: Secret
		metadata: {name: s}
		data: {k:   "!!! not base64, but no pod asks"}
	YAML
	"${adds[@]}" --all in | cmp - in
}

@test "pods that are left alone may hold anything" {
	class=runc image='Not An Image' pod $'hostPID: true\nvolumes: [{name: X, nfs: {}}]' >in
	"${adds[@]}" in | cmp - in
}

@test "files are joined so that each keeps its documents" {
	local o='{"apiVersion": "v1", "kind": "X"}' a b
	printf '%s' "$o" >bare
	printf '# comment\n' >comment
	printf '\n\n' >blank
	printf -- '---\n' >marker
	printf '%s\n...\n' "$o" >ended
	printf '%%YAML 1.1\n---\n%s\n' "$o" >directive
	printf '# c\n%%YAML 1.1\n---\n%s\n' "$o" >comment-directive
	printf '# c\n---\n%s\n' "$o" >comment-marker
	for a in bare comment blank marker ended directive; do
		for b in bare comment blank marker ended directive comment-directive comment-marker; do
			ok "${gen[@]}" "$a" "$b"
			"${gen[@]}" "$a" "$b" >out
			"${gen[@]}" out | cmp - out || fail "$a $b"
			[ "$(grep -cF "$o" out)" -eq "$(cat "$a" "$b" | grep -oF "$o" | wc -l)" ] || fail "$a $b"
		done
	done
	[ "$("${gen[@]}" bare bare)" = "$o"$'\n---\n'"$o" ]
	[ "$("${gen[@]}" ended comment-marker)" = "$o"$'\n...\n# c\n---\n'"$o" ]
}

@test "operands: - is standard input, also twice; a file twice; after --" {
	pod >in
	pod | sed 's/name: p/name: q/' >-x
	ok "${gen[@]}" - - in < <(pod)
	[ "$(grep -c cc_init_data <<<"$output")" -eq 2 ]
	ok "${gen[@]}" in in
	[ "$(grep -c cc_init_data <<<"$output")" -eq 2 ]
	ok "${gen[@]}" -- -x
	[[ $output == *"name: q"* ]]
	cmp <("${gen[@]}" <in) <("${gen[@]}" in)
}

@test "positions are those of the file, in a later document and file" {
	pod >first
	{ configmap m 'data: {}' && echo --- && pod 'hostPID: true'; } >second
	refuses 3 field.refused "${gen[@]}" first second
	jq -es 'last | .where == "second" and .line == 14 and .column == 12' <<<"$stderr"
	refuses 3 field.refused "${gen[@]}" <second
	jq -es 'last | .where == "standard input" and .line == 14' <<<"$stderr"
	run -3 --separate-stderr "${gen[@]}" --errors=text first second
	[[ $stderr == "ctr-policygen: second:14:12: Pod ns/p: hostPID: "* ]]
}

@test "what cannot be read or written is status 4, and nothing is on stdout" {
	refuses 4 open "${gen[@]}" /nonexistent/file
	refuses 4 read "${gen[@]}" /
	pod >in
	run -4 --separate-stderr bash -c '"$@" >/dev/full' _ "${gen[@]}" in
	jq -es 'last | .id == "write"' <<<"$stderr"
	run -4 --separate-stderr bash -c '"$@" <&-' _ "${gen[@]}"
	[ -z "$output" ]
	run -4 --separate-stderr bash -c '"$@" >&-' _ "${gen[@]}" in
	run -0 bash -o pipefail -c '"$@" | head -c 0; exit 0' _ "${gen[@]}" in
}

@test "NUL bytes, other encodings and control characters are refused" {
	for t in 'a: \0\n' '\0' 'a: "\x01"\n' 'a: \xff\n' '\xff\xfea\0:\0 \0b\0' 'a: \xc3\n' 'a: \xed\xa0\x80\n'; do
		printf %b "$t" >in
		run -3 --separate-stderr "${gen[@]}" in
		[ -z "$output" ]
		jq -es 'last | (.id | startswith("yaml.")) and .line == 1' <<<"$stderr" >/dev/null || fail "$t: $stderr"
	done
}

@test "endless input ends at a limit, each kind with its own message" {
	[ ! "${SAN:-}" ] || skip "takes long with sanitizers"
	endless() { # MESSAGE COMMAND...
		local message=$1
		shift
		run -3 --separate-stderr timeout 60 "${gen[@]}" < <("$@")
		[ -z "$output" ]
		jq -es --arg m "$message" 'last | .id == "limit" and (.message | test("standard input: " + $m))' <<<"$stderr" || fail "$stderr"
	}
	endless 'a document larger than 268435456 bytes' cat /dev/zero
	endless 'a document larger than 268435456 bytes' yes "$(printf '# %04000d' 0)"
	endless 'more than 1000000 documents' yes $'k: v\n---'
	endless 'more than 1000000 documents' yes '{}'
}

@test "more variables or files than a policy can hold are refused" {
	{
		pod '' 'envFrom: [{configMapRef: {name: m}}]'
		configmap m data:
		seq 10001 | sed 's/.*/  k&: "&"/'
	} >in
	refuses 3 limit "${gen[@]}" in
	[[ $stderr == *"Pod ns/p: more than 10000 variables"* ]]
	sed "s/envFrom.*/volumeMounts: [{name: v, mountPath: \/v}]/; s/  containers:/  volumes: [{name: v, configMap: {name: m}}]\n&/" in >files
	refuses 3 limit "${gen[@]}" files
	[[ $stderr == *"Pod ns/p: more than 10000 files"* ]]
	# and within the limits
	head -n -10 in >fewer
	head -n -1 files >fewer-files
	ok "${gen[@]}" fewer
	ok "${gen[@]}" fewer-files
}

@test "ten times the documents take no more memory" {
	[ ! "${SAN:-}" ] || skip "sanitizers have their own idea of memory"
	local n
	for n in 200 2000; do
		for i in $(seq $n); do
			printf -- '---\napiVersion: v1\nkind: Service\nmetadata: {name: s%d}\nspec: {note: "%0900d"}\n' "$i" 0
		done >services.$n
		for i in $(seq $((n / 10))); do echo --- && pod | sed "s/name: p/name: p$i/"; done >pods.$n
		env time -f %M -o services.peak.$n "${gen[@]}" services.$n | cmp - services.$n
		env time -f %M -o pods.peak.$n "${gen[@]}" services.$n pods.$n >out
		[ "$(grep -c cc_init_data out)" -eq $((n / 10)) ]
	done
	for i in services pods; do
		[ $(($(cat $i.peak.2000) * 10)) -lt $(($(cat $i.peak.200) * 15)) ] || fail "$i: $(cat $i.peak.*)"
	done
}

@test "interrupted, it ends by the signal, says nothing and leaves no file behind" {
	mkfifo pipe
	pod >in
	seq -f '# %0100g' 20000 >>in # beyond what stays in memory
	env --default-signal=INT "${gen[@]}" in pipe >out 2>err 3>&- &
	exec 4>pipe # which waits until the tool opens it
	readlink "/proc/$!/fd/"* | grep -E '^/tmp/.* \(deleted\)$' # what it keeps there has no name, for any signal
	kill -INT $!
	status=0
	wait $! || status=$?
	exec 4>&-
	[ "$status" -eq 130 ]
	[ ! -s out ]
	[ ! -s err ]
	[ -z "$(find /tmp -maxdepth 1 -name 'ctr-*' -newer in 2>/dev/null)" ]
}

@test "ctr-manifest takes what comes out" {
	cat "$TOP"/k8s/{coordinator,examples/*}.yaml | "${adds[@]}" >annotated
	for format in initdata policy; do
		cat "$TOP"/k8s/{coordinator,examples/*}.yaml | "${adds[@]}" --format $format | ctr-manifest -q >m.json
		jq -e '.Policies | length == 6 and ([.[] | select(.Role == "coordinator")] | length) == 1 and ([.[] | select(.WorkloadSecretID == "shop-database")] | length) == 1' m.json
	done
}

@test "only the policy's form that was asked for, and never both" {
	pod >in
	"${gen[@]}" --format policy in >p
	"${gen[@]}" in >i
	refuses 3 policy.form "${gen[@]}" p
	refuses 3 policy.form "${gen[@]}" --format policy i
	"${gen[@]}" --format policy p | cmp - p
	"${gen[@]}" i | cmp - i
}

@test "an old policy is replaced, in its place" {
	pod | sed 's|^spec:|  annotations:\n    a: b\n    io.katacontainers.config.hypervisor.cc_init_data: "b2xk"\n    z: y\nspec:|' >in
	"${gen[@]}" in >out
	[ "$(wc -l <in)" -eq "$(wc -l <out)" ]
	grep -qE '^    io.katacontainers.config.hypervisor.cc_init_data: "?H4sI[A-Za-z0-9+/]+=*"?$' out
}

@test "usage: abbreviations, values, unknown options" {
	refuses 2 usage "${gen[@]}" --runtime-cl=x
	refuses 2 usage "${gen[@]}" --no-pi
	refuses 2 usage "${gen[@]}" --all=yes
	refuses 2 usage "${gen[@]}" --format
	refuses 2 usage "${gen[@]}" --format=
	refuses 2 usage "${gen[@]}" -x
	mapfile -t many < <(seq -f --runtime-class=%g 33)
	refuses 2 usage "${gen[@]}" "${many[@]}"
	ok "${gen[@]}" "${many[@]:1}" /dev/null
	refuses 2 usage "${gen[@]}" --errors=xml
}
