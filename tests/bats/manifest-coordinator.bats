#!/usr/bin/env bats
# ctr-manifest set, recover, get: against a stand-in for a Coordinator, and for whoever is in between.
load helpers
load attest

setup_file() {
	make_chains
	cd "$BATS_FILE_TMPDIR" || return
	for k in owner stranger; do ctr-manifest keygen workload-owner --out $k.pem; done
	openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out seed.pem
	openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out other-seed.pem
	"$BUILD/sim/answer" --print-root >root-ca.pem
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=other -days 2 -addext keyUsage=critical,keyCertSign,cRLSign \
		-keyout /dev/null -out other-ca.pem 2>/dev/null
	openssl x509 -inform der -in "$CHAINS/milan/ask.der" -out mesh-ca.pem
}

setup() {
	m=$CHAINS/milan k=$BATS_FILE_TMPDIR
	nonce=$(printf '%064x' 0xc0ffee) key=$(printf '%064x' 0xaa)
	cd "$BATS_TEST_TMPDIR" || return
	mkdir policies
	printf 'package coordinator' >coordinator.rego
	printf 'package pod' >pod.rego
	chash=$(sha256sum <coordinator.rego | cut -c1-64) phash=$(sha256sum <pod.rego | cut -c1-64)
	cp coordinator.rego "policies/$chash.rego"
	cp pod.rego "policies/$phash.rego"
	manifest pod >manifest.json
	manifest older >older.json
	manifest rival >rival.json
	shares
}

teardown() {
	[ -z "${pid-}" ] || kill "$pid"
}

# manifest NAME [FILTER]: for the simulated machine; NAME tells them apart.
manifest() {
	jq -n --arg c "$chash" --arg p "$phash" --arg name "$1" --arg m "$(ctr-attest-verify --inspect <("$SIM" report "$m") | jq -r .claims.measurement)" \
		--arg o "$(openssl pkey -in "$k/owner.pem" -pubout -outform der | sha256sum | cut -c1-64)" \
		--arg s "$(openssl rsa -in "$k/seed.pem" -RSAPublicKey_out -outform der 2>/dev/null | xxd -p | tr -d '\n')" '
		{Policies: {($c): {SANs: ["coordinator"], WorkloadSecretID: "", Role: "coordinator"}, ($p): {SANs: [$name, "*"], WorkloadSecretID: "v1/Pod/ns/pod"}},
		 ReferenceValues: {snp: [{ProductName: "Milan", TrustedMeasurement: $m,
			MinimumTCB: {BootloaderVersion: 0, TEEVersion: 0, SNPVersion: 0, MicrocodeVersion: 0},
			GuestPolicy: {SMT: true}, PlatformInfo: {SMTEnabled: true, TSMEEnabled: true, ECCEnabled: false}, AllowedChipIDs: []}]},
		 WorkloadOwnerKeyDigests: [$o], SeedshareOwnerPubKeys: [$s]}'"${2:+ | $2}"
}

# shares: what a Coordinator would have made of a seed of zeros.
shares() {
	head -c 64 /dev/zero | openssl pkeyutl -encrypt -inkey "$k/seed.pem" -pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:sha256 \
		-pkeyopt rsa_mgf1_md:sha256 -pkeyopt rsa_oaep_label:"$(printf seedshare | xxd -p)" | base64 -w0 >seed.b64
	jq -n --arg k "$(jq -r '.SeedshareOwnerPubKeys[0]' manifest.json)" --rawfile e seed.b64 --arg s "$(head -c 32 /dev/zero | base64)" \
		'{SeedShares: [{PublicKey: $k, EncryptedSeed: $e}], Salt: $s}' >made.json
}

# coordinator [MANIFEST...]: serves on loopback at $at, with that history; $signer
coordinator() {
	local f args=()
	for f; do args+=(--manifest "$f"); done
	[ -z "${pid-}" ] || kill "$pid"
	: >requests
	"$BUILD/sim/answer" --serve --platform "${signer-sim:$m,host_data=$chash}" --nonce "$nonce" "${args[@]}" \
		--policy coordinator.rego --policy pod.rego --root-ca "${root_ca-$k/root-ca.pem}" --mesh-ca "$k/mesh-ca.pem" --hpke-key "$key" \
		--rival rival.json --seed-shares made.json --other-ca "$k/other-ca.pem" \
		>requests 3>&- &
	pid=$!
	until grep -q PORT= requests; do sleep 0.05; done
	at=http://127.0.0.1:$(sed -n s/PORT=//p requests)
}

# asked_for: the paths that were.
asked_for() {
	sed -n 's/^coordinator POST \([^ ]*\) .*/\1/p' requests
}

command() { # WORD HOW: the words that all calls begin with, in $cmd
	cmd=(ctr-manifest "$1" --errors=json --no-cache --collateral "$m" "$(root "$m")" --coordinator "$at/$2")
}

# sets STATUS HOW [OPTION...]
sets() {
	command set "$2"
	run "-$1" --separate-stderr "${cmd[@]}" --policies policies "${@:3}"
}

# says ID: the error that ended it.
says() {
	jq -es --arg id "$1" 'last | .level == "error" and .id == $id' <<<"$stderr" >/dev/null || fail "expected $1: $stderr"
}

# t FILE...: the transition hash of such a history
t() {
	local f t
	t=$(printf '%064d' 0)
	for f; do t=$(printf %s "$(sha256sum <"$f" | cut -c1-64)$t" | xxd -r -p | sha256sum | cut -c1-64); done
	echo "$t"
}

@test "a first manifest: set, its seed shares written, its CAs printed" {
	coordinator
	sets 0 ok -o shares.json <manifest.json
	that ".transition_hash == \"$(t manifest.json)\" and .generation == 1"
	jq -j .root_ca <<<"$output" | cmp - "$k/root-ca.pem"
	jq -j .mesh_ca <<<"$output" | cmp - "$k/mesh-ca.pem"
	cmp shares.json made.json
	[ "$(stat -c %a shares.json)" = 600 ]
	[ -z "$stderr" ]
	[ "$(asked_for | tr '\n' ' ')" = '/ok/v1/attest /ok/v1/manifest /ok/v1/attest ' ]
}

@test "a manifest without seed share owners is set with a warning" {
	coordinator
	sets 0 ok <<<"$(manifest pod '.SeedshareOwnerPubKeys = []')"
	jq -e '.id == "set.no-recovery" and .level == "warning"' <<<"$stderr"
}

@test "an update follows what is there, signed by an owner; the root CA stays" {
	coordinator older.json
	sets 0 ok -w "$k/owner.pem" --coordinator-root-ca "$k/root-ca.pem" --previous-transition-hash "$(t older.json)" manifest.json
	that ".transition_hash == \"$(t older.json manifest.json)\" and .generation == 2"
	command get ok
	ok "${cmd[@]}" -m manifest.json -o got.json
	cmp got.json manifest.json
}

@test "a stranger's signature, none, and one by an owner of the new manifest only" {
	coordinator older.json
	sets 1 ok -w "$k/stranger.pem" manifest.json
	says coordinator.refused
	[[ $stderr == *permission_denied* ]]
	sets 1 ok manifest.json
	says coordinator.refused
	manifest theirs ".WorkloadOwnerKeyDigests = [\"$(openssl pkey -in "$k/stranger.pem" -pubout -outform der | sha256sum | cut -c1-64)\"]" >theirs.json
	sets 1 ok -w "$k/stranger.pem" theirs.json
	says coordinator.refused
	[ -z "$output" ]
}

@test "lesson: seed shares are never lost" {
	coordinator
	sets 2 ok <manifest.json
	[[ $stderr == *--seed-shares-out* ]]
	touch shares.json
	sets 4 ok -o shares.json <manifest.json
	says seedshare.exists
	sets 4 ok -o no/such/shares.json <manifest.json
	says write
	# nothing was sent, and nothing is left
	asked_for | grep manifest && fail sent
	[ ! -e no ]
	# a disk that is full only now: standard output has them
	mkfifo kept-pipe
	cat kept-pipe >kept &
	(
		trap '' XFSZ
		ulimit -f 0
		command set ok
		"${cmd[@]}" -p policies -o shares3.json <manifest.json 2>&3
	) 3>&1 >kept-pipe | cat >said
	wait $!
	jq -e '.id == "write" and (.fix | contains("standard output"))' said
	cmp kept made.json
	coordinator
	sets 1 shareless -o shares2.json <manifest.json
	says seedshare.missing
	[ ! -e shares2.json ]
}

@test "no manifest is set before the Coordinator is verified by it" {
	signer=sim:$m,host_data=$phash coordinator
	sets 1 ok -o shares.json <manifest.json
	says policy.role
	sets 1 ok -o shares.json <<<"$(manifest x "del(.Policies[\"$phash\"])")"
	says policy.listed
	manifest debug '.ReferenceValues.snp[0].TrustedMeasurement = "'"$(printf '%096d' 1)"'"' >wrong.json
	sets 1 ok -o shares.json wrong.json
	says snp.measurement
	asked_for | grep v1/manifest && fail sent
	coordinator
	sets 1 replay -o shares.json manifest.json
	says snp.report_data
	asked_for | grep v1/manifest && fail sent
	[ ! -e shares.json ]
}

@test "policies: all that the manifest names, whole, before anything is asked" {
	at=http://127.0.0.1:1
	command set ok
	mv "policies/$phash.rego" there
	refuses 3 policy.absent "${cmd[@]}" --policies policies manifest.json
	[[ $stderr == *$phash* ]]
	printf changed >"policies/$phash.rego"
	refuses 3 policy.digest "${cmd[@]}" --policies policies manifest.json
	mv there "policies/$phash.rego"
	refuses 4 http.connect "${cmd[@]}" --policies policies manifest.json
	refuses 2 usage "${cmd[@]}" manifest.json
	refuses 2 usage "${cmd[@]}" --policies - <manifest.json
	refuses 4 open "${cmd[@]}" --policies nowhere manifest.json
}

# yaml FORM HASHES...: pods with these policies
pods() {
	local f
	for f in coordinator pod; do
		printf -- '---\napiVersion: v1\nkind: Pod\nmetadata:\n  name: %s\n  annotations:\n    %s\nspec: {}\n' $f "$("$1" $f.rego)"
	done
}

plain() { echo "io.katacontainers.config.agent.policy: $(base64 -w0 "$1")"; }
document() { printf 'version = "0.1.0"\nalgorithm = "sha256"\n\n[data]\n"policy.rego" = '"'''\n%s'''\n" "$(cat "$1")"; }
initdata() { echo "io.katacontainers.config.hypervisor.cc_init_data: $(document "$1" | gzip -n | base64 -w0)"; }

@test "policies from annotated YAML, and what is measured of an initdata document" {
	pods plain >pods.yaml
	coordinator
	command set ok
	run -0 --separate-stderr "${cmd[@]}" -p pods.yaml -o shares.json <manifest.json
	sed '/^---$/,$!d;1,/^---$/d;/^---$/,$d' pods.yaml >first.yaml
	refuses 3 policy.absent "${cmd[@]}" -p first.yaml manifest.json
	chash=$(document coordinator.rego | sha256sum | cut -c1-64) phash=$(document pod.rego | sha256sum | cut -c1-64)
	pods initdata >pods.yaml
	manifest initdata >manifest.json
	coordinator
	command set ok
	run -0 --separate-stderr "${cmd[@]}" -p pods.yaml -o more.json <manifest.json
	command get ok
	mkdir out
	ok "${cmd[@]}" -m manifest.json -o out
	document pod.rego | cmp - "out/policies/$phash"
	# as policygen writes it, the document can be made again of the Rego alone
	[ "$(ls out)" = $'coordinator-root-ca.pem\nmanifests\nmesh-ca.pem\npolicies' ]
}

@test "another update came first: refused, or set after it when asked" {
	coordinator older.json
	sets 1 late -w "$k/owner.pem" manifest.json
	says coordinator.refused
	[[ $stderr == *manifest_conflict* ]]
	coordinator older.json
	sets 0 late -w "$k/owner.pem" --retry-conflict manifest.json
	[[ $stderr == *set.conflict* ]]
	that ".transition_hash == \"$(t older.json rival.json manifest.json)\" and .generation == 3"
	sets 1 ok -w "$k/owner.pem" --previous-transition-hash "$(t older.json)" manifest.json
	says set.previous
	sets 2 ok --retry-conflict --previous-transition-hash "$(t older.json)" manifest.json
	sets 2 ok --previous-transition-hash 00 manifest.json
}

@test "somebody in between, who answers with another root CA or does nothing" {
	coordinator older.json
	sets 1 strange -w "$k/owner.pem" manifest.json
	says set.answer
	sets 1 forget -w "$k/owner.pem" older.json
	says coordinator.manifest
	[[ $stderr == *"after the manifest was set"* ]]
	[ -z "$output" ]
	sets 4 cut -w "$k/owner.pem" manifest.json
	[[ $stderr == *"may have been done"* ]]
	sets 4 none -w "$k/owner.pem" manifest.json
	says coordinator.refused
	sets 3 garbage -w "$k/owner.pem" manifest.json
	says json.syntax
}

@test "lesson: the root CA of a deployment stays" {
	coordinator older.json
	sets 1 ok -w "$k/owner.pem" --coordinator-root-ca "$k/other-ca.pem" manifest.json
	says coordinator.root_ca.pinned
	asked_for | grep v1/manifest && fail sent
	sets 1 moved -w "$k/owner.pem" manifest.json
	says coordinator.root_ca.pinned
	cat "$k/root-ca.pem" "$k/root-ca.pem" >two.pem
	sets 3 ok --coordinator-root-ca two.pem manifest.json
	says x509.pem
}

# recovers STATUS HOW [OPTION...]
recovers() {
	command recover "$2"
	run "-$1" --separate-stderr "${cmd[@]}" --seedshare-owner-key "${seed-$k/seed.pem}" --seed-shares made.json -m manifest.json "${@:3}"
}

@test "recovery: the share is opened, the Coordinator verified before and after" {
	coordinator older.json manifest.json
	recovers 0 waits
	[ -z "$output$stderr" ]
	[ "$(asked_for | tr '\n' ' ')" = '/waits/v1/attest /waits/v1/recover /waits/v1/attest ' ]
	recovers 1 waits # it serves now
	says coordinator.waits
	recovers 0 waits --force
	recovers 4 ok --force # a Coordinator that knows no such word
	says coordinator.refused
}

@test "recovery: nothing is given to whoever is not verified" {
	signer=sim:$m,host_data=$phash coordinator manifest.json
	recovers 1 waits
	says policy.role
	seed=$k/other-seed.pem recovers 1 waits
	says seedshare.none
	seed=$k/owner.pem recovers 3 waits
	says key.kind
	asked_for | grep v1/recover && fail sent
	command recover waits
	refuses 2 usage "${cmd[@]}"
	refuses 2 usage "${cmd[@]}" -s "$k/seed.pem" --seed-shares made.json -m manifest.json more
}

@test "recovery: another manifest or root CA afterwards is an alarm" {
	coordinator manifest.json older.json
	recovers 1 waits
	says coordinator.manifest
	[[ $stderr == *"after the recovery"* ]]
	cp "$k/other-ca.pem" root.pem
	root_ca=root.pem coordinator manifest.json
	recovers 1 waits # with another's seed
	says coordinator.root_ca.pinned
	[[ $stderr == *"after the recovery"* ]]
	recovers 1 waits --force
	says coordinator.root_ca.pinned
	[[ $stderr != *"after the recovery"* ]]
	[ "$(asked_for | grep -c v1/recover)" = 1 ]
}

@test "recovery: a seed of another deployment is not given away" {
	coordinator manifest.json
	recovers 1 waits --coordinator-root-ca "$k/other-ca.pem"
	says seedshare.root-ca
	[ -z "$(asked_for)" ]
	recovers 0 waits --coordinator-root-ca "$k/root-ca.pem"
}

@test "who owns a share can check that the shares are the deployment's" {
	coordinator
	sets 0 ok -o shares.json -s "$k/seed.pem" manifest.json
	sets 1 ok -o none.json -s "$k/other-seed.pem" manifest.json
	says seedshare.none
	sets 3 ok -o none.json -s "$k/owner.pem" manifest.json
	says key.kind
	root_ca=$k/other-ca.pem coordinator
	sets 1 ok -o shares2.json -s "$k/seed.pem" manifest.json
	says seedshare.root-ca
	cmp shares2.json made.json
}

@test "get: the active manifest, and whether anybody stands for it" {
	coordinator older.json manifest.json
	command get ok
	run -0 --separate-stderr ctr-manifest get --coordinator "$at/ok"
	[[ $stderr == *"nothing is verified"* ]]
	[ "$output" = "$(cat manifest.json)" ]
	ok "${cmd[@]}" -m older.json # any manifest that permits this Coordinator
	[ "$output" = "$(cat manifest.json)" ]
	mkdir out
	ok "${cmd[@]}" -m manifest.json -o out
	cmp out/mesh-ca.pem "$k/mesh-ca.pem"
	refuses 2 usage "${cmd[@]}" -o out
	refuses 2 usage "${cmd[@]}" --coordinator-root-ca "$k/root-ca.pem"
	refuses 2 usage "${cmd[@]}" file
	refuses 2 usage ctr-manifest get --errors=json
	refuses 1 coordinator.root_ca.pinned "${cmd[@]}" -m manifest.json --coordinator-root-ca "$k/other-ca.pem"
	command get replay
	refuses 1 snp.report_data "${cmd[@]}" -m manifest.json
	command get waits
	refuses 1 get.none "${cmd[@]}" -m manifest.json
}

@test "a proxy that the environment names is used" {
	coordinator older.json
	proxy=$at at=http://coordinator.invalid
	http_proxy=$proxy sets 0 ok -w "$k/owner.pem" manifest.json
	grep -q 'POST http://coordinator.invalid/ok/v1/manifest ' requests
	http_proxy=$proxy NO_PROXY=coordinator.invalid sets 4 ok -w "$k/owner.pem" manifest.json
	says http.connect
}

@test "a canary: no secret is in any output" {
	coordinator manifest.json
	command recover waits
	"${cmd[@]}" -v -v --seedshare-owner-key "$k/seed.pem" --seed-shares made.json -m manifest.json >said 2>&1
	key_line=$(sed -n 2p "$k/seed.pem")
	grep -F "$key_line" said && fail key
	grep -E 'AAAAAAAAAAAAAAAA|0000000000000000' said && fail seed
	true
}
