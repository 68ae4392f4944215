#!/usr/bin/env bats
# shellcheck disable=SC2016 # what looks like shell is YAML or jq
# What ctr-policygen refuses: status, id, position and the object's name, and never a byte on stdout.
load helpers
load policygen

# refused ID LINE SPEC CONTAINER: status 3 at this line (0: whatever), naming the pod.
refused() {
	pod "$3" "${4-}" >"$BATS_TEST_TMPDIR/in"
	refuses 3 "$1" "${gen[@]}" "$BATS_TEST_TMPDIR/in"
	jq -es --argjson line "$2" 'last | ($line == 0 or .line == $line) and .column > 0 and (.message | test("Pod ns/p"))' \
		<<<"$stderr" >/dev/null || fail "$stderr"
}

warned() { # ID SPEC CONTAINER
	run -0 --separate-stderr "${loud[@]}" <<<"$(pod "$2" "${3-}")"
	jq -es --arg id "$1" 'any(.id == $id and .level == "warning" and .line > 0)' <<<"$stderr" >/dev/null || fail "$stderr"
	ok "${gen[@]}" <<<"$(pod "$2" "${3-}")"
}

@test "refuses fields of the pod that would weaken the policy" {
	for f in 'hostPID: true' 'hostIPC: true' 'hostNetwork: true' 'hostUsers: false' 'hostUsers: no' 'hostPID: on' 'hostPID: "true"' 'setHostnameAsFQDN: true' \
		'ephemeralContainers: [{name: x}]' 'resourceClaims: [{name: x}]' 'os: {name: windows}' \
		'securityContext: {supplementalGroupsPolicy: Strict}' 'securityContext: {windowsOptions: {hostProcess: true}}'; do
		refused field.refused 8 "$f"
	done
}

@test "takes the same fields where they say nothing" {
	for f in 'hostPID: false' 'hostNetwork: null' 'hostUsers: true' 'hostIPC: no' 'hostNetwork: Off' 'hostUsers: yes' 'os: {name: linux}' 'ephemeralContainers: []' \
		'securityContext: {supplementalGroupsPolicy: Merge}'; do
		ok "${gen[@]}" <<<"$(pod "$f")"
	done
}

@test "refuses volumes that the host would fill, and kinds that it does not know" {
	refused volume.host-path 8 'volumes: [{name: v, hostPath: {path: /var/log}}]'
	refused volume.host-path 8 'volumes: [{name: v, hostPath: {path: /dev/../etc}}]'
	refused volume.host-path 8 'volumes: [{name: v, hostPath: {path: /dev}}]'
	refused volume.kind 8 'volumes: [{name: v, nfs: {server: x, path: /}}]'
	refused volume.kind 8 'volumes: [{name: v, emptyDir: {}, secret: {secretName: x}}]'
	refused volume.medium 8 'volumes: [{name: v, emptyDir: {medium: HugePages}}]'
	refused volume.duplicate 8 'volumes: [{name: v}, {name: v}]'
	refused volume.path 8 'volumes: [{name: v, configMap: {name: m, items: [{key: k, path: ../k}]}}]'
	refused volume.path 8 'volumes: [{name: v, configMap: {name: m, items: [{key: k, path: a/../../k}]}}]'
	refused volume.path 8 'volumes: [{name: v, downwardAPI: {items: [{path: /etc/passwd}]}}]'
}

@test "refuses mounts that leave their volume or hide what they are" {
	v='volumes: [{name: v, emptyDir: {}}, {name: m, configMap: {name: m}}]'
	refused mount.sub-path 0 "$v" 'volumeMounts: [{name: v, mountPath: /a, subPath: ../b}]'
	refused mount.sub-path 0 "$v" 'volumeMounts: [{name: v, mountPath: /a, subPath: b}]'
	refused mount.sub-path 0 "$v" 'volumeMounts: [{name: m, mountPath: /a, subPath: ..data/b}]'
	refused mount.sub-path 0 "$v" 'volumeMounts: [{name: v, mountPath: /a, subPathExpr: $(X)}]'
	refused mount.path 0 "$v" 'volumeMounts: [{name: v, mountPath: a}]'
	refused mount.path 0 "$v" 'volumeMounts: [{name: v, mountPath: /a/../b}]'
	refused mount.path 0 "$v" 'volumeMounts: [{name: v, mountPath: /}]'
	refused mount.volume 0 "$v" 'volumeMounts: [{name: w, mountPath: /a}]'
	refused mount.duplicate 0 "$v" 'volumeMounts: [{name: v, mountPath: /a}, {name: v, mountPath: /a/}]'
	refused mount.propagation 0 "$v" 'volumeMounts: [{name: v, mountPath: /a, mountPropagation: Bidirectional}]'
	refused mount.propagation 0 "$v" 'volumeMounts: [{name: v, mountPath: /a, mountPropagation: Sideways}]'
	refused field.refused 0 "$v" 'volumeMounts: [{name: v, mountPath: /a, recursiveReadOnly: Enabled}]'
	v='volumes: [{name: v, persistentVolumeClaim: {claimName: x}}]'
	refused device.path 0 "$v" 'volumeDevices: [{name: v, devicePath: /dev/trusted_store}]'
	refused device.path 0 "$v" 'volumeDevices: [{name: v, devicePath: /etc/x}]'
	refused mount.volume 0 '' 'volumeDevices: [{name: v, devicePath: /dev/x}]'
}

@test "refuses variables that it cannot work out" {
	refused config.missing 13 '' $'env:\n- name: A\n  valueFrom: {configMapKeyRef: {name: m, key: k}}'
	refused config.missing 0 '' 'env: [{name: A, valueFrom: {secretKeyRef: {name: m, key: k}}}]'
	refused config.missing 0 '' 'envFrom: [{secretRef: {name: m}}]'
	refused env.from 0 '' 'envFrom: [{}]'
	refused env.from 0 '' 'env: [{name: A, value: x, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]'
	refused env.from 0 '' 'env: [{name: A, valueFrom: {vaultRef: {x: y}}}]'
	refused env.field 0 '' 'env: [{name: A, valueFrom: {fieldRef: {fieldPath: spec.secret}}}]'
	refused env.resource 0 '' 'env: [{name: A, valueFrom: {resourceFieldRef: {resource: cpu}}}]'
	refused env.resource 0 '' 'env: [{name: A, valueFrom: {resourceFieldRef: {resource: limits.cpu, containerName: other}}}]'
	refused env.name 0 '' 'env: [{name: "A=B", value: x}]'
	refused yaml.type 0 '' 'env: [{name: A, value: 1}]'
}

@test "a missing key names the object and the place" {
	{
		pod '' 'env: [{name: A, valueFrom: {configMapKeyRef: {name: m, key: other}}}]'
		printf -- '---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: m, namespace: ns}\ndata: {k: v}\n'
	} >"$BATS_TEST_TMPDIR/in"
	refuses 3 config.key "${gen[@]}" "$BATS_TEST_TMPDIR/in"
	jq -es 'last | .line == 11 and (.message | test("Pod ns/p.*other"))' <<<"$stderr"
}

@test "optional references may be missing" {
	ok "${gen[@]}" <<<"$(pod '' 'env: [{name: A, valueFrom: {configMapKeyRef: {name: m, key: k, optional: true}}}]
envFrom: [{secretRef: {name: s, optional: true}}]')"
}

@test "refuses users, capabilities and quantities that are none" {
	refused security.capability 0 '' 'securityContext: {capabilities: {add: [NET_EVERYTHING]}}'
	refused quantity 0 '' 'resources: {limits: {nvidia.com/pgpu: lots}}'
	refused yaml.range 0 '' 'securityContext: {runAsUser: -1}'
	printf '{"image_accounts": false}' >"$BATS_TEST_TMPDIR/s"
	image=registry.example/web:1.25 pod >"$BATS_TEST_TMPDIR/in"
	refuses 3 user.unknown "${gen[@]}" --settings "$BATS_TEST_TMPDIR/s" "$BATS_TEST_TMPDIR/in"
}

@test "refuses images that are not there, not named well, or not what their digest says" {
	for i in registry.example/none:1 registry.example/tools@sha256:$(printf '%064d' 1); do
		image=$i pod >"$BATS_TEST_TMPDIR/in"
		refuses 4 image.missing "${gen[@]}" "$BATS_TEST_TMPDIR/in"
		[[ $stderr == *"Pod ns/p"* ]]
	done
	image='Registry.Example/UPPER' refused image.ref 10 ''
	cp -r "$IMAGES" "$BATS_TEST_TMPDIR/images"
	blob=$(jq -r '.manifests[0].digest' "$BATS_TEST_TMPDIR/images/tools/index.json")
	sed -i 's/application/bpplication/' "$BATS_TEST_TMPDIR/images/tools/blobs/sha256/${blob#sha256:}"
	pod >"$BATS_TEST_TMPDIR/in"
	refuses 3 image.digest ctr-policygen --errors=json -q --skip-initializer --image-layout "$BATS_TEST_TMPDIR/images" \
		"$BATS_TEST_TMPDIR/in"
}

@test "refuses objects that are none" {
	for t in 'kind: Pod' 'apiVersion: v1' '[1, 2]' 'apiVersion: apps/v1beta1
kind: Deployment
metadata: {name: x}
spec: {}' 'apiVersion: v1
kind: Pod
metadata: {name: "Not a name"}
spec: {}' 'apiVersion: apps/v1
kind: Deployment
metadata: {name: x}
spec: {}'; do
		run -3 --separate-stderr "${gen[@]}" <<<"$t"
		[ -z "$output" ]
		jq -es 'last | .id | startswith("k8s.")' <<<"$stderr" >/dev/null || fail "$t: $stderr"
	done
}

@test "refuses broken YAML with line and column" {
	refuses 3 yaml.syntax "${gen[@]}" <<<$'a: 1\nb: [\n'
	refuses 3 yaml.duplicate "${gen[@]}" <<<$'a: 1\nb: 2\na: 3'
	jq -es 'last | .line == 3 and .column == 1' <<<"$stderr"
	refuses 3 yaml.utf8 "${gen[@]}" < <(printf 'a: \xff\n')
	refuses 3 yaml.alias "${gen[@]}" < <(
		printf 'a: &a [x,x,x,x,x,x,x,x,x]\n'
		for i in b c d e f g h i j; do
			p=$(tr b-j a-i <<<$i)
			printf '%s: &%s [*%s,*%s,*%s,*%s,*%s,*%s,*%s,*%s,*%s]\n' $i $i "$p" "$p" "$p" "$p" "$p" "$p" "$p" "$p" "$p"
		done
	)
}

@test "a mistake anywhere means no output at all" {
	{
		pod
		printf -- '---\n'
		pod 'hostPID: true'
	} >"$BATS_TEST_TMPDIR/in"
	refuses 3 field.refused "${gen[@]}" "$BATS_TEST_TMPDIR/in"
}

@test "refuses two objects of one name" {
	m=$'apiVersion: v1\nkind: Secret\nmetadata: {name: m, namespace: ns}'
	refuses 3 refs.duplicate "${gen[@]}" < <(
		printf '%s\n---\n%s\n---\n' "$m" "$m"
		pod '' 'envFrom: [{secretRef: {name: m}}]'
	)
}

@test "refuses what stands in the way of what it adds" {
	refuses 3 inject.volume "${adds[@]}" <<<"$(pod 'volumes: [{name: contrast-secrets, secret: {secretName: x}}]')"
	refuses 3 inject.mount "${adds[@]}" <<<"$(pod 'volumes: [{name: v, emptyDir: {}}]' 'volumeMounts: [{name: v, mountPath: /contrast}]')"
	refuses 3 inject.secure-pv "${adds[@]}" <<<"$(pod | sed 's|^spec:|  annotations: {contrast.edgeless.systems/secure-pv: nothing}\nspec:|')"
	refuses 3 policy.form "${gen[@]}" <<<"$(pod | sed 's|^spec:|  annotations: {io.katacontainers.config.agent.policy: AA==}\nspec:|')"
}

# named NAME: a pod with this name wherever the policy has a key of the user's, one document a place. (Names of variables
# have a limit of their own.)
named() {
	pod '' "volumeMounts: [{name: v, mountPath: \"/$1\"}]" | sed "s|  containers:|  volumes: [{name: v}]\n&|" && echo ---
	pod "securityContext: {sysctls: [{name: \"$1\", value: \"1\"}]}" && echo ---
	pod | sed '/^spec:/,$d' && printf '  annotations: {"io.katacontainers.%s": x}\n' "$1" && pod | sed -n '/^spec:/,$p' && echo ---
	pod 'volumes: [{name: v, secret: {secretName: s}}]' "volumeMounts: [{name: v, mountPath: /v, subPath: \"$1\"}]" && echo ---
	pod 'volumes: [{name: v, configMap: {name: m}}]' 'volumeMounts: [{name: v, mountPath: /v}]'
	configmap m "data: {\"$1\": x}"
}

@test "a name too long for a line of the policy is refused, wherever it stands" {
	local long places=0 doc
	cd "$BATS_TEST_TMPDIR"
	for long in "$(printf '%0900d' 0)" "$(printf '%0450d' 0 | sed 's/0/\\"/g')" "$(printf '%0450d' 0 | sed 's/0/é/g')"; do
		named "$long" | sed 's/^---$/&\n/' | csplit -zsf doc- - '/^---$/' '{*}'
		# a ConfigMap is no place of its own
		cat doc-05 >>doc-04 && rm doc-05
		for doc in doc-*; do
			refuses 3 policy.key "${gen[@]}" "$doc"
			jq -es 'last | .line > 0 and (.message | test("Pod ns/p: .* too long"))' <<<"$stderr" || fail "$doc: $stderr"
			places=$((places + 1))
		done
		rm doc-*
	done
	[ $places -eq 15 ]
	pod '' "env: [{name: \"$(printf '%0450d' 0 | sed 's/0/\\"/g')\", value: x}]" >doc
	refuses 3 policy.key "${gen[@]}" doc
	pod '' "env: [{name: $(printf '%0513d' 0 | tr 0 x), value: x}]" >doc
	refuses 3 env.name "${gen[@]}" doc
	mkimage local/names:1 "$(jq -n --arg s "$(printf '%0900d' 0)" '{Cmd: ["x"], Env: ["\($s)=1"]}')"
	image=local/names:1 pod >doc
	refuses 3 policy.key "${gen[@]}" doc
	mkimage local/names:2 "$(jq -n --arg s "$(printf '%0900d' 0)" '{Cmd: ["x"], Volumes: {"/\($s)": {}}}')"
	image=local/names:2 pod >doc
	refuses 3 policy.key "${gen[@]}" doc
}

@test "a name that just fits keeps the lines of the policy below 1,000 bytes" {
	local long
	for long in "$(printf '%0820d' 0)" "$(printf '%0410d' 0 | sed 's/0/\\"/g')" "$(printf '%0410d' 0 | sed 's/0/é/g')"; do
		named "$long" | "${gen[@]}" --format policy | policies >"$BATS_TEST_TMPDIR/p"
		[ "$(grep -c '^d:=' "$BATS_TEST_TMPDIR/p")" -eq 5 ]
		[ "$(longest <"$BATS_TEST_TMPDIR/p")" -lt 1000 ]
		[ "$(longest <"$BATS_TEST_TMPDIR/p")" -gt 820 ]
	done
}

@test "refuses settings that are wrong, by path" {
	while IFS=$'\t' read -r id text; do
		printf '%s' "$text" >"$BATS_TEST_TMPDIR/s"
		refuses 3 "$id" "${gen[@]}" --settings "$BATS_TEST_TMPDIR/s" <<<"$(pod)"
		[[ $id == json.syntax || $id == json.duplicate ]] || jq -es 'last | .where | startswith("$")' <<<"$stderr" >/dev/null || fail "$stderr"
	done <<-'LIST'
		json.unknown	{"logs": true}
		json.type	{"read_logs": "yes"}
		json.duplicate	{"read_logs": true, "read_logs": false}
		settings.exec	{"exec": [[]]}
		settings.pattern	{"env": {"A": ".*"}}
		settings.pattern	{"env": {"A": "[^,]*"}}
		settings.pattern	{"env": {"A": "[\\s\\S]*"}}
		settings.pattern	{"env": {"A": "a)|(.*"}}
		settings.pattern	{"env": {"A": "(x"}}
		settings.pattern	{"env": {"A": "*"}}
		settings.pattern	{"env": {"A": "x\ny"}}
		settings.env	{"env": {"": "x"}}
		settings.env	{"env": {"A=B": "x"}}
		json.type	{"env": {"A": 1}}
		json.missing	{"mounts": [{}]}
		json.syntax	{
	LIST
	refuses 4 open "${gen[@]}" --settings /nonexistent <<<"$(pod)"
}

@test "refuses mounts in the settings that are no plain mounts" {
	local m='{destination: "/d", type: "bind", source: "/s", options: ["ro"]}' at=$BATS_TEST_TMPDIR/s key
	bad() { # JQ-PROGRAM that spoils $m, into a list
		jq -n "$m | $1 | {mounts: (if type == \"array\" then . else [.] end)}" >"$at"
		refuses 3 "${2:-settings.mount}" "${gen[@]}" --settings "$at" <<<"$(pod)"
		[[ $stderr == *'"where":"$.mounts'* ]] || fail "$1: $stderr"
	}
	for p in '' x / // /a/ //a /a//b /a/. /. /a/./b /a/.. /.. /a/../b; do
		bad ".destination = \"$p\""
		[ "$p" = x ] || bad ".source = \"$p\""
	done
	for p in S E: E:v Tmpfs tmp/fs './x' '.*' /run/kata-containers/sandbox/ephemeral/v /run/kata-containers/x; do
		bad ".source = \"$p\""
	done
	bad '[., .]'
	bad '[., (.source = "/other")]'
	bad '[range(257) as $i | .destination = "/d\($i)"]' limit
	bad '.destination = "/\("x" * 900)"'
	for key in destination type source options; do
		bad "del(.$key)" json.missing
		bad ".$key = 1" json.type
	done
	bad '.more = 1' json.unknown
	bad '.options = [1]' json.type
	# and these are
	jq -n "$m | {mounts: [., (.destination = \"/...\"), (.destination = \"/e\" | .source = \"tmpfs\" | .type = \"tmpfs\")]}" >"$at"
	ok "${gen[@]}" --settings "$at" <<<"$(pod)"
}

@test "names in the settings are held to the length of a line too" {
	local long
	long=$(printf '%0900d' 0)
	jq -n --arg s "$long" '{env: {($s): "x"}}' >"$BATS_TEST_TMPDIR/s"
	refuses 3 settings.env "${gen[@]}" --settings "$BATS_TEST_TMPDIR/s" <<<"$(pod)"
	jq -n --arg s "${long:80}" '{env: {($s): "x"}, mounts: [{destination: "/\($s)", type: "bind", source: "/\($s)", options: [$s]}]}' >"$BATS_TEST_TMPDIR/s"
	pod | "${gen[@]}" --format policy --settings "$BATS_TEST_TMPDIR/s" | policies >"$BATS_TEST_TMPDIR/p"
	[ "$(longest <"$BATS_TEST_TMPDIR/p")" -lt 1000 ]
	policy_data <"$BATS_TEST_TMPDIR/p" | jq -e --arg s "${long:80}" '.xe == {($s): {re: "x"}} and .xm["/\($s)"].source == "/\($s)"'
}

@test "signs that the rules read as digits are plain in the patterns of settings" {
	echo '{"env": {"A": "[a-z]{1,20}@example[.]com|100%"}}' >"$BATS_TEST_TMPDIR/s"
	pod | holds '.xe.A.re == "[a-z]{1,20}\\x40example[.]com|100\\x25"' --settings "$BATS_TEST_TMPDIR/s"
}

@test "refuses wrong usage" {
	refuses 2 usage "${gen[@]}" --form=policy
	refuses 2 usage "${gen[@]}" --format=yaml
	refuses 2 usage "${gen[@]}" --nonsense
	refuses 2 registry.mirror ctr-policygen -q --errors=json --mirror nowhere <<<"$(pod)"
	refuses 2 platform "${gen[@]}" --platform amiga <<<"$(pod)"
	refuses 4 open "${gen[@]}" /nonexistent
}

@test "warns of what people rely on and a policy does not hold" {
	warned field.ignored 'hostAliases: [{ip: 1.2.3.4, hostnames: [x]}]'
	warned field.ignored 'securityContext: {seccompProfile: {type: RuntimeDefault}}'
	warned field.unknown 'hostPdi: true'
	warned policy.host-content 'volumes: [{name: v, configMap: {name: m}}]' 'volumeMounts: [{name: v, mountPath: /m}]'
	warned config.absent 'volumes: [{name: v, secret: {secretName: m}}]' 'volumeMounts: [{name: v, mountPath: /m}]'
	warned policy.host-content 'volumes: [{name: v, persistentVolumeClaim: {claimName: m}}]' 'volumeMounts: [{name: v, mountPath: /m}]'
	warned volume.guest-path 'volumes: [{name: v, hostPath: {path: /dev/sev-guest}}]' 'volumeMounts: [{name: v, mountPath: /dev/sev-guest}]'
	image=registry.example/web:1.25 warned user.from-image ''
}

# N bytes of a file at random places replaced; sometimes the end cut off.
damage() { # FILE N
	local at size
	size=$(stat -c %s "$1")
	for _ in $(seq "$2"); do
		at=$(((RANDOM * 32768 + RANDOM) % size))
		{
			head -c $at "$1"
			printf %b "\\x$(printf %02x $((RANDOM % 256)))"
			tail -c +$((at + 2)) "$1"
		} >"$1.new"
		mv "$1.new" "$1"
	done
	[ $((RANDOM % 3)) -ne 0 ] || truncate -s $(((RANDOM * 32768 + RANDOM) % size)) "$1"
}

@test "damaged input ends in an answer, never in a crash" {
	RANDOM=${SEED:-7}
	for i in $(seq "${RUNS:-150}"); do
		cat k8s/coordinator.yaml k8s/examples/*.yaml >"$BATS_TEST_TMPDIR/in"
		damage "$BATS_TEST_TMPDIR/in" 3
		status=0
		"${adds[@]}" "$BATS_TEST_TMPDIR/in" >/dev/null 2>&1 || status=$?
		[[ $status == 0 || $status == 3 || $status == 4 ]] || fail "status $status, run $i"
	done
}
