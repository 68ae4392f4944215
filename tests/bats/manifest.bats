#!/usr/bin/env bats
# ctr-manifest: from annotated YAML to a manifest, and what can be asked of one.
load helpers

setup() {
	cd "$BATS_TEST_TMPDIR" || exit
	keys=$BATS_FILE_TMPDIR/keys
	ref=$TOP/k8s/examples/snp.json
}

setup_file() {
	mkdir "$BATS_FILE_TMPDIR/keys"
	cd "$BATS_FILE_TMPDIR/keys" || exit
	openssl ecparam -name secp384r1 -genkey -out ec-old.pem
	openssl pkcs8 -topk8 -nocrypt -in ec-old.pem -out ec.pem
	openssl ec -in ec-old.pem -pubout -out ec.pub 2>/dev/null
	openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out p256.pem
	openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-521 -out p521.pem
	openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:secp256k1 -out k1.pem
	openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa.pem
	openssl rsa -in rsa.pem -traditional -out rsa-old.pem 2>/dev/null
	openssl rsa -in rsa.pem -pubout -out rsa.pub 2>/dev/null
	openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024 -out small.pem
	openssl pkcs8 -topk8 -in ec.pem -passout pass:x -out locked.pem
	openssl genpkey -algorithm ed25519 -out ed.pem
	openssl ec -in ec.pem -pubout -conv_form compressed -out ec-compressed.pub 2>/dev/null
	openssl ec -in ec.pem -param_enc explicit -out ec-explicit.pem 2>/dev/null
}

sha() { sha256sum | cut -d' ' -f1; }

# deployment NAME POLICY [ANNOTATION...]: the object, its pod with the policy in the plain form.
deployment() {
	local name=$1 policy=$2 a
	shift 2
	printf -- '---\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: %s\nspec:\n  template:\n' "$name"
	printf '    metadata:\n      annotations:\n'
	for a; do printf '        %s\n' "$a"; done
	printf '        io.katacontainers.config.agent.policy: %s\n' "$(printf %s "$policy" | base64 -w0)"
	printf '    spec: {runtimeClassName: contrast-cc, containers: []}\n'
}

initdata() { # POLICY
	printf 'version = "0.1.0"\nalgorithm = "sha256"\n\n[data]\n"policy.rego" = '"'''\n%s'''\n" "$1"
}

pod() { # NAME POLICY: a Pod with initdata
	printf -- '---\napiVersion: v1\nkind: Pod\nmetadata:\n  name: %s\n  namespace: shop\n  annotations:\n' "$1"
	printf '    io.katacontainers.config.hypervisor.cc_init_data: %s\nspec: {}\n' \
		"$(initdata "$2" | gzip -n | base64 -w0)"
}

coordinator() {
	deployment coordinator 'package c' 'contrast.edgeless.systems/pod-role: coordinator'
}

app() {
	coordinator
	deployment web 'package web'
	pod db 'package db'
}

# generate ARGUMENT...: a manifest of app with all it needs.
# shellcheck disable=SC2120 # mostly without any
generate() {
	app | ctr-manifest -q -r "$ref" -w "$keys/ec.pub" -s "$keys/rsa.pub" "$@"
}

# said ID: a warning with this id is on stderr (with --errors=json).
said() { jq -es --arg id "$1" 'any(.level == "warning" and .id == $id)' <<<"$stderr" >/dev/null || fail "$1: $stderr"; }

# with_json FILTER: snp.json, or the file in $ref, changed.
with_json() { jq "$@" "$ref"; }

@test "a manifest has each policy's hash, names, secret and role" {
	app >a.yaml
	ok ctr-manifest -q -r "$ref" -w "$keys/ec.pub" a.yaml
	web=$(printf 'package web' | sha) db=$(initdata 'package db' | sha) c=$(printf 'package c' | sha)
	jq -e --arg web "$web" --arg db "$db" --arg c "$c" '.Policies == {
		($web): {SANs: ["web", "*"], WorkloadSecretID: "apps/v1/Deployment/default/web"},
		($db): {SANs: ["db", "*"], WorkloadSecretID: "core/v1/Pod/shop/db"},
		($c): {SANs: ["coordinator", "*"], WorkloadSecretID: "apps/v1/Deployment/default/coordinator", Role: "coordinator"}
	}' <<<"$output"
	[ "$(jq -r '.Policies | keys_unsorted[]' <<<"$output")" = "$(jq -r '.Policies | keys[]' <<<"$output")" ]
	jq -e '.ReferenceValues.snp[0].MinimumTCB.SNPVersion == 24' <<<"$output"
	[ "$(jq -r '.WorkloadOwnerKeyDigests[]' <<<"$output")" = "$(openssl pkey -pubin -in "$keys/ec.pub" -outform der | sha)" ]
}

@test "files, standard input, lists and JSON give the same" {
	app >a.yaml
	generate >want
	ctr-manifest -q -r "$ref" -w "$keys/ec.pub" -s "$keys/rsa.pub" - <a.yaml | cmp - want
	coordinator >1.yaml
	{ deployment web 'package web'; pod db 'package db'; } >2.yaml
	ctr-manifest -q -r "$ref" -w "$keys/ec.pub" -s "$keys/rsa.pub" 1.yaml 2.yaml | cmp - want
	{
		printf 'apiVersion: v1\nkind: List\nitems:\n'
		sed 's/^/  /; s/^  ---$/-/' a.yaml
	} >list.yaml
	ctr-manifest -q -r "$ref" -w "$keys/ec.pub" -s "$keys/rsa.pub" list.yaml | cmp - want
}

@test "same input, same bytes, whatever the locale and the order of the files" {
	generate >want
	for i in 1 2 3; do LC_ALL=de_DE.UTF-8 TZ=Asia/Tokyo generate | cmp - want; done
	{ pod db 'package db'; deployment web 'package web'; coordinator; } |
		ctr-manifest -q -r "$ref" -w "$keys/ec.pub" -s "$keys/rsa.pub" | cmp - want
}

@test "the workload secret ID comes from the pod, then from the controller" {
	deployment web 'package web' 'contrast.edgeless.systems/workload-secret-id: mine' >a.yaml
	ok ctr-manifest -q a.yaml
	jq -e '.Policies[].WorkloadSecretID == "mine"' <<<"$output"
	deployment web 'package web' | sed 's,^  name: web,&\n  annotations: {contrast.edgeless.systems/workload-secret-id: outer},' >a.yaml
	ok ctr-manifest -q a.yaml
	jq -e '.Policies[].WorkloadSecretID == "outer"' <<<"$output"
}

@test "generateName names the pods without its dash" {
	pod web- 'package w' | sed 's/ name: / generateName: /' >a.yaml
	ok ctr-manifest -q a.yaml
	jq -e '.Policies[] == {SANs: ["web", "*"], WorkloadSecretID: "core/v1/Pod/shop/web-"}' <<<"$output"
}

@test "two pods with one policy share names, or conflict" {
	id='contrast.edgeless.systems/workload-secret-id: both'
	{ deployment a 'package p' "$id"; deployment b 'package p' "$id"; } >a.yaml
	ok ctr-manifest -q a.yaml
	jq -e '.Policies[] == {SANs: ["a", "*", "b"], WorkloadSecretID: "both"}' <<<"$output"
	{ deployment a 'package p'; deployment b 'package p'; } >a.yaml
	refuses 3 policy.conflict ctr-manifest --errors=json a.yaml
	[[ $stderr == *"Deployment a at a.yaml:10"* && $stderr == *'"line":21'* ]]
	{ deployment a 'package p' "$id"; deployment b 'package p' "$id" 'contrast.edgeless.systems/pod-role: coordinator'; } >a.yaml
	refuses 3 policy.conflict ctr-manifest --errors=json a.yaml
}

@test "a confidential pod without a policy is an error, another is left out" {
	printf 'apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {runtimeClassName: kata-cc-isolation}\n' >a.yaml
	refuses 3 policy.missing ctr-manifest --errors=json a.yaml
	[[ $stderr == *'"where":"a.yaml","line":4'* ]]
	{ printf 'apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {}\n'; deployment web 'package w'; } >a.yaml
	run -0 --separate-stderr ctr-manifest -v -r "$ref" --disable-updates a.yaml
	[[ $stderr == *"Pod p: not confidential, left out"* ]]
	jq -e '.Policies | length == 1' <<<"$output"
}

@test "input without any policy is an error" {
	printf 'apiVersion: v1\nkind: Service\nmetadata: {name: s}\n' >a.yaml
	refuses 3 policy.none ctr-manifest --errors=json a.yaml
	refuses 3 policy.none ctr-manifest --errors=json /dev/null
}

@test "broken annotations are refused at their place" {
	broken() { # ID SED
		app | sed "$2" >a.yaml
		refuses 3 "$1" ctr-manifest --errors=json a.yaml
		[[ $stderr == *'"where":"a.yaml","line":'* ]] || fail "$stderr"
	}
	broken initdata.base64 's/\(agent.policy: \)/\1x!/'
	broken initdata.gzip 's/\(cc_init_data: \).*/\1QUJD/'
	broken initdata.toml "s,\(cc_init_data: \).*,\1$(printf 'x' | gzip -n | base64 -w0),"
	broken initdata.version "s,\(cc_init_data: \).*,\1$(initdata a | sed 's/0.1.0/9/' | gzip -n | base64 -w0),"
	broken initdata.algorithm "s,\(cc_init_data: \).*,\1$(initdata a | sed 's/sha256/md5/' | gzip -n | base64 -w0),"
	broken initdata.policy "s,\(cc_init_data: \).*,\1$(initdata a | sed 's/policy.rego/x/' | gzip -n | base64 -w0),"
	broken initdata.policy 's/\(agent.policy: \).*/\1""/'
	broken policy.role 's/\(pod-role: \).*/\1boss/'
	broken policy.twice 's/^\( *\)\(io.katacontainers.config.agent.policy: .*\)/\1\2\n\1io.katacontainers.config.hypervisor.cc_init_data: x/'
	broken yaml.type 's/\(agent.policy: \).*/\1true/'
}

@test "a policy on the controller instead of its template is refused" {
	printf 'apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: w\n  annotations: {io.katacontainers.config.agent.policy: eA==}\nspec: {template: {spec: {}}}\n' >a.yaml
	refuses 3 policy.misplaced ctr-manifest --errors=json a.yaml
}

@test "keys: private and public, old and new form, are one entry" {
	deployment web 'package w' >a.yaml
	for k in ec.pub ec.pem ec-old.pem ec-compressed.pub; do
		ctr-manifest -q -w "$keys/$k" a.yaml | jq -r '.WorkloadOwnerKeyDigests[]'
	done | uniq | wc -l | grep -qx 1
	for k in rsa.pub rsa.pem rsa-old.pem; do
		ctr-manifest -q -s "$keys/$k" a.yaml | jq -r '.SeedshareOwnerPubKeys[]'
	done | uniq >seed
	[ "$(wc -l <seed)" = 1 ]
	xxd -r -p seed | openssl rsa -RSAPublicKey_in -inform der -noout 2>/dev/null
	ok ctr-manifest -q -w "$keys/ec.pub" -w "$keys/p256.pem" -w "$keys/p521.pem" -w "$keys/ec.pem" a.yaml
	jq -e '.WorkloadOwnerKeyDigests | length == 3' <<<"$output"
}

@test "keys that are none, locked, of another kind or too small are refused" {
	deployment web 'package w' >a.yaml
	refuses 3 key.pem ctr-manifest --errors=json -w a.yaml a.yaml
	refuses 3 key.pem ctr-manifest --errors=json -w "$keys/locked.pem" a.yaml
	refuses 3 key.kind ctr-manifest --errors=json -w "$keys/rsa.pub" a.yaml
	refuses 3 key.kind ctr-manifest --errors=json -w "$keys/k1.pem" a.yaml
	refuses 3 key.kind ctr-manifest --errors=json -w "$keys/ed.pem" a.yaml
	refuses 3 key.kind ctr-manifest --errors=json -w "$keys/ec-explicit.pem" a.yaml
	refuses 3 key.kind ctr-manifest --errors=json -s "$keys/ec.pub" a.yaml
	refuses 3 key.rsa ctr-manifest --errors=json -s "$keys/small.pem" a.yaml
	refuses 4 open ctr-manifest --errors=json -w nowhere a.yaml
}

@test "updates can be disabled, and never are by accident" {
	deployment web 'package w' >a.yaml
	run -0 --separate-stderr ctr-manifest --errors=json -r "$ref" a.yaml
	said manifest.no-owner
	ok ctr-manifest -r "$ref" --disable-updates a.yaml
	jq -e '.WorkloadOwnerKeyDigests == []' <<<"$output"
	refuses 2 usage ctr-manifest --errors=json --disable-updates -w "$keys/ec.pub" a.yaml
}

@test "reference values of several files add up" {
	with_json '{ReferenceValues: {tdx: [{Platform: "x"}]}}' >tdx.json
	ok generate -r tdx.json
	jq -e '.ReferenceValues | (.snp | length == 1) and (.tdx | length == 1)' <<<"$output"
	jq -e '.ReferenceValues.tdx[0] == {Platform: "x", MrTd: null, MrSeam: null, Rtmrs: [null, null, null, null], Xfam: null, AllowedPIIDs: []}' <<<"$output"
	with_json '{ReferenceValues: ., Policies: {}}' >m.json
	refuses 3 json.unknown generate --errors=json -r m.json
	with_json '.snp[0].Foo = 1' >bad.json
	refuses 3 json.unknown generate --errors=json -r bad.json
	[[ $stderr == *'"where":"$.snp[0].Foo"'*bad.json* ]]
}

@test "without reference values there is a warning" {
	deployment web 'package w' >a.yaml
	run -0 --separate-stderr ctr-manifest --errors=json --disable-updates a.yaml
	said manifest.no-reference-values
}

@test "a patch reaches the sets that its tests hold for" {
	with_json '.snp[0].MinimumTCB = null | .snp[1] = (.snp[0] | .ProductName = "Genoa")' >two.json
	ref=two.json
	cat >patch.json <<-'END'
		[{"op": "test", "path": "/ProductName", "value": "Genoa"},
		 {"op": "test", "path": "/MinimumTCB/TEEVersion", "value": null},
		 {"op": "replace", "path": "/MinimumTCB", "value": {"BootloaderVersion": 9, "TEEVersion": 0, "SNPVersion": 23, "MicrocodeVersion": 72}}]
	END
	ok generate --patch patch.json
	jq -e '.ReferenceValues.snp | .[0].MinimumTCB.SNPVersion == null and .[1].MinimumTCB.SNPVersion == 23' <<<"$output"
	jq '[., [{"op": "replace", "path": "/MinimumTCB/SNPVersion", "value": 5}]]' patch.json >list.json
	ok generate --patch list.json
	jq -e '.ReferenceValues.snp | map(.MinimumTCB.SNPVersion) == [5, 5]' <<<"$output"
}

@test "a patch that fails otherwise, or breaks a set, is an error" {
	echo '[{"op": "remove", "path": "/Nothing"}]' >p.json
	refuses 3 patch.target generate --errors=json --patch p.json
	echo '[{"op": "add", "path": "/Nothing", "value": 1}]' >p.json
	refuses 3 json.unknown generate --errors=json --patch p.json
	echo '[{"op": "add", "path": "Nothing", "value": 1}]' >p.json
	refuses 3 patch.pointer generate --errors=json --patch p.json
	echo '[{"op": "increase", "path": ""}]' >p.json
	refuses 3 patch.form generate --errors=json --patch p.json
	echo '{}' >p.json
	refuses 3 json.type generate --errors=json --patch p.json
}

@test "merge keeps names, secrets, reference values and keys" {
	generate | jq '(.Policies[] | select(.SANs[0] == "web")) |= (.SANs = ["web", "203.0.113.34"] | .WorkloadSecretID = "kept")' |
		jq '.ReferenceValues.snp[0] |= (.MinimumTCB.SNPVersion = 99 | .AllowedChipIDs = ["'"$(printf '%0128d' 7)"'"])' >old.json
	app >a.yaml
	ok ctr-manifest --merge old.json a.yaml
	jq -e --slurpfile old old.json '. == $old[0]' <<<"$output"
	# new reference values win, but for what they leave open
	with_json '.snp[0].MinimumTCB = {BootloaderVersion: 1}' >new.json
	ok ctr-manifest --merge old.json -r new.json -w "$keys/p256.pem" a.yaml
	jq -e '.ReferenceValues.snp[0] | .MinimumTCB.BootloaderVersion == 1 and .MinimumTCB.SNPVersion == 99 and (.AllowedChipIDs | length == 1)' <<<"$output"
	jq -e '.WorkloadOwnerKeyDigests | length == 2' <<<"$output"
	ok ctr-manifest --merge old.json --disable-updates a.yaml
	jq -e '.WorkloadOwnerKeyDigests == [] and (.SeedshareOwnerPubKeys | length == 1)' <<<"$output"
}

@test "merge follows a workload whose policy changed" {
	generate | jq '(.Policies[] | select(.SANs[0] == "web").SANs) = ["web", "spiffe://a/b"]' >old.json
	{ coordinator; deployment web 'package web2'; } >a.yaml
	run -0 --separate-stderr ctr-manifest --errors=json --merge old.json a.yaml
	jq -e --arg h "$(printf 'package web2' | sha)" '.Policies[$h].SANs == ["web", "spiffe://a/b"]' <<<"$output"
	jq -e '.Policies | length == 2' <<<"$output"
	said merge.dropped # db is gone
}

@test "merge never takes over a role" {
	generate | jq '(.Policies[] | select(.SANs[0] == "web")).Role = "coordinator"' >old.json
	app | ctr-manifest -q --merge old.json | jq -e '[.Policies[].Role | select(.)] | length == 1'
}

@test "check says yes to a good manifest" {
	generate >m.json
	ok ctr-manifest check m.json
	[[ $output == 'note: $.ReferenceValues.snp[0].AllowedChipIDs: '* ]]
	ok ctr-manifest check --json <m.json
	jq -e '.valid and (.findings | length == 1)' <<<"$output"
}

# finds STATUS KIND ID FILTER: a good manifest changed by the filter has that finding.
finds() {
	jq "$4" good.json >m.json
	run "-$1" --separate-stderr ctr-manifest check --json m.json
	jq -e --arg kind "$2" --arg id "$3" 'any(.findings[]; .kind == $kind and .id == $id)' <<<"$output" >/dev/null ||
		fail "$4: $output"
	jq -e --argjson v "$([ "$1" = 0 ] && echo true || echo false)" '.valid == $v' <<<"$output" >/dev/null
	[ "$1" = 0 ] || [[ $stderr == *"not fit for use"* ]]
}

@test "check finds what is wrong, open and weak" {
	with_json '.tdx = [{MrTd: ("1" * 96), MrSeam: ("1" * 96), Rtmrs: [("1" * 96), ("1" * 96), ("1" * 96), ("0" * 96)], Xfam: "e71a060000000000"}]' >both.json
	ref=both.json
	generate >good.json
	ctr-manifest check good.json
	finds 1 invalid check.coordinator 'del(.Policies[].Role)'
	finds 0 weak check.coordinators '.Policies[].Role = "coordinator"'
	finds 1 invalid check.pins-nothing '.ReferenceValues = {}'
	finds 1 invalid check.pins-nothing '.ReferenceValues.snp[0].TrustedMeasurement = "0" * 96'
	finds 1 invalid check.pins-nothing '.ReferenceValues.tdx[0].MrTd = "0" * 96'
	finds 1 invalid check.pins-nothing '.ReferenceValues.tdx[0].MrSeam = "0" * 96'
	finds 1 missing check.missing '.ReferenceValues.snp[0].MinimumTCB.MicrocodeVersion = null'
	finds 1 missing check.missing '.ReferenceValues.snp[0].TrustedMeasurement = null'
	finds 1 missing check.missing 'del(.ReferenceValues.snp[0].GuestPolicy)'
	finds 1 missing check.missing '.ReferenceValues.snp[0].PlatformInfo = null'
	finds 1 missing check.missing '.ReferenceValues.snp[0].ProductName = "Turin"' # its FMC version
	finds 1 missing check.missing '.ReferenceValues.tdx[0].MrSeam = ""'
	finds 1 missing check.missing '.ReferenceValues.tdx[0].Rtmrs[3] = null'
	finds 1 missing check.missing 'del(.ReferenceValues.tdx[0].Xfam)'
	finds 0 weak check.debug '.ReferenceValues.snp[0].GuestPolicy.Debug = true'
	finds 0 weak check.migration '.ReferenceValues.snp[0].GuestPolicy.MigrateMA = true'
	finds 0 weak check.minimum-tcb '.ReferenceValues.snp[0].MinimumTCB.SNPVersion = 0'
	finds 0 weak check.rtmr '.ReferenceValues.tdx[0].Rtmrs[1, 2] = "0" * 96'
	finds 0 note check.no-owner '.WorkloadOwnerKeyDigests = []'
	finds 0 note check.no-recovery '.SeedshareOwnerPubKeys = []'
	finds 0 note check.no-name '.Policies[].SANs = []'
	finds 0 note check.shared-secret '.Policies[].WorkloadSecretID = "one"'
	finds 0 note check.any-chip '.'
}

@test "check --strict says no to what is weak" {
	generate | jq '.ReferenceValues.snp[0].GuestPolicy.Debug = true' >m.json
	run -0 --separate-stderr ctr-manifest check m.json
	[[ $output == *"weak: "*"DEBUG IS ALLOWED"* ]]
	run -1 --separate-stderr ctr-manifest check --strict m.json
	[[ $output == *"DEBUG IS ALLOWED"* && $stderr == *"1 weak"* ]]
}

@test "lesson: a policy that pinned nothing still said yes" {
	app >a.yaml
	ctr-manifest -q a.yaml >m.json
	run -1 --separate-stderr ctr-manifest check m.json
	[[ $output == *"invalid: \$.ReferenceValues: no reference values at all"* ]]
	echo '{"snp": [{"ProductName": "Milan"}]}' >empty.json
	ctr-manifest -q -r empty.json a.yaml >m.json
	run -1 --separate-stderr ctr-manifest check m.json
	[ "$(grep -c ^missing: <<<"$output")" = 7 ]
}

@test "lesson: output changed from run to run" {
	for i in $(seq 40); do deployment "app-$i" "package p$i"; done >a.yaml
	ctr-manifest -q -r "$ref" a.yaml >want
	tac_docs=$(awk 'BEGIN { RS = "---\n" } NR > 1 { d[NR] = $0 } END { for (i = NR; i > 1; i--) printf "---\n%s", d[i] }' a.yaml)
	ctr-manifest -q -r "$ref" <<<"$tac_docs" | cmp - want
}

@test "check refuses what is no manifest" {
	for m in 'x' '[]' '{"Policies": {"12": {}}}' '{"Foo": 1}' '{"SeedshareOwnerPubKeys": ["00"]}'; do
		echo "$m" >m.json
		run -3 --separate-stderr ctr-manifest check m.json
		[ -z "$output" ]
	done
	refuses 3 json.duplicate ctr-manifest check --errors=json <<<'{"Policies": {}, "Policies": {}}'
	echo '{"ReferenceValues": {"snp": [{"ProductName": "Milan", "TrustedMeasurement": "00"}]}}' >m.json
	refuses 3 json.hex ctr-manifest check --errors=json m.json
	[[ $stderr == *'"where":"$.ReferenceValues.snp[0].TrustedMeasurement"'* ]]
	refuses 2 usage ctr-manifest check --errors=json a b
}

@test "policies writes the Rego under the measured hash" {
	app >a.yaml
	ok ctr-manifest policies -o out/dir a.yaml
	[ "$(find out/dir -type f | wc -l)" = 3 ]
	[ "$(cat "out/dir/$(printf 'package web' | sha).rego")" = 'package web' ]
	[ "$(cat "out/dir/$(initdata 'package db' | sha).rego")" = 'package db' ]
	[[ $output == *"$(initdata 'package db' | sha)  Pod shop/db"* ]]
	[ "$(stat -c %a out/dir/*.rego | sort -u)" = 644 ]
	ctr-manifest -q a.yaml | jq -r '.Policies | keys[]' | sed 's/$/.rego/' | diff - <(ls out/dir)
	refuses 2 usage ctr-manifest policies --errors=json a.yaml
	refuses 4 mkdir ctr-manifest policies --errors=json -o /dev/null/x a.yaml
}

@test "diff is silent about equal manifests" {
	generate >a.json
	jq -c . a.json >b.json
	ok ctr-manifest diff a.json b.json
	[ -z "$output" ]
	ok ctr-manifest diff --json a.json b.json
	[ "$output" = '[]' ]
}

@test "diff follows workloads and names values" {
	generate >a.json
	{ coordinator; deployment web 'package web2'; deployment new 'package n'; } |
		ctr-manifest -q -r <(with_json '.snp[0].MinimumTCB.SNPVersion = 30') -w "$keys/p256.pem" -s "$keys/rsa.pub" >b.json
	run -1 --separate-stderr ctr-manifest diff a.json b.json
	w1=$(printf 'package web' | sha) w2=$(printf 'package web2' | sha)
	[[ $output == *"~ \$.Policies(apps/v1/Deployment/default/web): \"$w1\" -> \"$w2\""* ]]
	[[ $output == *"- \$.Policies.$(initdata 'package db' | sha): {"* ]]
	[[ $output == *"+ \$.Policies.$(printf 'package n' | sha): {"* ]]
	[[ $output == *'~ $.ReferenceValues.snp[0].MinimumTCB.SNPVersion: 24 -> 30'* ]]
	[[ $output == *'~ $.WorkloadOwnerKeyDigests[0]: '* ]]
	[ "${#lines[@]}" = 5 ]
	run -1 --separate-stderr ctr-manifest diff --json a.json b.json
	jq -e 'length == 5 and any(.[]; .change == "changed" and .path == "$.ReferenceValues.snp[0].MinimumTCB.SNPVersion" and .old == 24 and .new == 30)' <<<"$output"
	refuses 2 usage ctr-manifest diff --errors=json a.json
	refuses 4 open ctr-manifest diff --errors=json a.json nowhere
}

@test "diff names what a person edited in an entry" {
	generate >a.json
	jq '(.Policies[] | select(.SANs[0] == "web").SANs) += ["10.0.0.1"] | .Policies[].Role = "coordinator"' a.json >b.json
	run -1 --separate-stderr ctr-manifest diff a.json b.json
	[[ $output == *"+ \$.Policies.$(printf 'package web' | sha).SANs[2]: \"10.0.0.1\""* ]]
	[[ $output == *"+ \$.Policies.$(printf 'package web' | sha).Role: \"coordinator\""* ]]
}

@test "keygen makes keys that the manifest takes, and guards them" {
	ok ctr-manifest keygen --out owner.pem --pub owner.pub workload-owner
	[ "$(stat -c %a owner.pem)" = 600 ]
	openssl pkey -in owner.pem -noout -text | grep -q secp384r1
	grep -q 'BEGIN PRIVATE KEY' owner.pem
	openssl pkey -in owner.pem -pubout | cmp - owner.pub
	ok ctr-manifest keygen seedshare-owner --out seed.pem
	openssl pkey -in seed.pem -noout -text | grep -q '4096 bit'
	deployment web 'package w' >a.yaml
	ok ctr-manifest -q -w owner.pub -s seed.pem a.yaml
	refuses 4 key.exists ctr-manifest keygen --errors=json --out owner.pem workload-owner
	refuses 4 key.exists ctr-manifest keygen --errors=json --out new.pem --pub owner.pub workload-owner
	[ ! -e new.pem ]
	refuses 2 usage ctr-manifest keygen --errors=json
	refuses 2 usage ctr-manifest keygen --errors=json other
	refuses 2 usage ctr-manifest keygen workload-owner --errors=json seedshare-owner
	refuses 2 usage ctr-manifest keygen --errors=json --out x --pub x workload-owner
}

@test "keygen warns when others may read the key" {
	umask 022
	ctr-manifest keygen --errors=json workload-owner >open.pem 2>err
	jq -e '.id == "key.exposed"' err
	(umask 077 && ctr-manifest keygen workload-owner >closed.pem 2>err)
	[ ! -s err ]
	ctr-manifest keygen workload-owner 2>err | openssl pkey -noout
	[ ! -s err ]
}

@test "nothing is written when the input is bad at its end" {
	{ app; printf -- '---\nkind: [\n'; } >a.yaml
	run -3 --separate-stderr ctr-manifest a.yaml
	[ -z "$output" ]
	[[ $stderr == "ctr-manifest: a.yaml:"* ]]
}

@test "a full disk is an error for every result" {
	generate >m.json
	run -4 bash -c "ctr-manifest check m.json >/dev/full"
	app >a.yaml
	run -4 bash -c "ctr-manifest -q a.yaml >/dev/full"
	run -4 bash -c "ctr-manifest keygen workload-owner >/dev/full"
}

@test "whichever allocation fails, the answer is right or there is none" {
	[ -z "${SAN:-}" ] || skip "the sanitizer has an allocator of its own"
	cat >nomem.c <<-'END'
		#include <stddef.h>
		#include <stdlib.h>
		extern void *__libc_malloc(size_t), *__libc_realloc(void *, size_t), *__libc_calloc(size_t, size_t);
		static long count, at = -1;
		static int fails(void)
		{
			if (at < 0)
				at = atol(getenv("NOMEM"));
			return ++count == at;
		}
		void *malloc(size_t n) { return fails() ? NULL : __libc_malloc(n); }
		void *realloc(void *p, size_t n) { return fails() ? NULL : __libc_realloc(p, n); }
		void *calloc(size_t n, size_t m) { return fails() ? NULL : __libc_calloc(n, m); }
	END
	cc -shared -fPIC -fno-builtin -o nomem.so nomem.c
	app | ctr-manifest -q -r "$ref" >a.json
	jq '(.Policies | keys[0]) as $k | .Policies["'"$(printf %064d 1)"'"] = .Policies[$k] | del(.Policies[$k]) |
		.ReferenceValues.snp[0].AllowedChipIDs = ["'"$(printf %0128d 7)"'"]' a.json >b.json
	# OpenSSL itself may crash without memory: without keys these two do not need it
	for cmd in 'diff a.json b.json' 'check --json b.json'; do
		# shellcheck disable=SC2086 # words
		want=$(ctr-manifest $cmd 2>/dev/null) || [ $? = 1 ]
		hit=0
		for n in $(seq 400); do
			# shellcheck disable=SC2086
			got=$(NOMEM=$n LD_PRELOAD=$PWD/nomem.so ctr-manifest $cmd 2>err) && status=0 || status=$?
			case $status in
			0 | 1) [ "$got" = "$want" ] || fail "$cmd: $n: another answer" ;;
			4) hit=$((hit + 1)) && [ -z "$got" ] && grep -q 'out of memory' err ;;
			*) fail "$cmd: $n: status $status: $(cat err)" ;;
			esac
		done
		[ "$hit" -gt 50 ] || fail "$cmd: only $hit allocations"
	done
}

@test "100,000 policies make a manifest that loads in a second" {
	[ -z "${SAN:-}" ] || skip "times are not kept under sanitizers"
	seq 100000 | awk 'BEGIN { printf "{\"Policies\":{" }
		{ printf "%s\"%064x\":{\"SANs\":[\"w%d\",\"*\"],\"WorkloadSecretID\":\"id%d\"}", (NR > 1 ? "," : ""), $1 * 7919, $1, $1 }
		END { print "}}" }' >big.json
	run -1 timeout 3 ctr-manifest check big.json
	sed 's/w777"/x777"/' big.json >other.json
	run -1 --separate-stderr timeout 6 ctr-manifest diff big.json other.json
	[ "${#lines[@]}" = 1 ]
}

@test "the commands of the man page run" {
	app | tee annotated.yaml >new.yaml
	cp "$ref" snp.json
	"$BUILD/sim/mkguest" firmware >OVMF.fd
	"$BUILD/sim/mkguest" pe >vmlinuz
	examples ctr-manifest.1 >commands
	[ "$(wc -l <commands)" -ge 4 ]
	sed -i '/--coordinator/d' commands # manifest-live.bats
	while read -r line; do
		run bash -c "$line"
		[ "$status" -le 1 ] || fail "$line: $output"
	done <commands
}
