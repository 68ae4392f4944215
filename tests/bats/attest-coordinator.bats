#!/usr/bin/env bats
# ctr-attest-verify --response: a Coordinator's answer that was saved, against the manifest that it should enforce.
load helpers
load attest

setup_file() {
	make_chains
}

setup() {
	m=$CHAINS/milan
	nonce=$(printf '%064x' 0xc0ffee)
	cd "$BATS_TEST_TMPDIR" || return
	printf 'the policy of the Coordinator' >coordinator.policy
	printf 'the policy of a pod' >pod.policy
	chash=$(sha256sum <coordinator.policy | cut -c1-64) phash=$(sha256sum <pod.policy | cut -c1-64)
	permit coordinator >manifest.json
	permit '' >older.json
	cp "$m/ark.der" root.der
	openssl x509 -inform der -in "$m/ark.der" -out root.pem
	openssl x509 -inform der -in "$m/ask.der" -out mesh.pem
	key=$(printf '%064x' 0xaa)
}

# permit ROLE: a manifest for the simulated machine, with that role for the Coordinator's policy.
permit() {
	jq -n --arg c "$chash" --arg p "$phash" --arg role "$1" --arg m "$(ctr-attest-verify --inspect <("$SIM" report "$m") | jq -r .claims.measurement)" '
		{Policies: {($c): ({SANs: ["coordinator"], WorkloadSecretID: ""} + (if $role == "" then {} else {Role: $role} end)),
			($p): {SANs: ["pod", "*"], WorkloadSecretID: "v1/Pod/ns/pod"}},
		 ReferenceValues: {snp: [{ProductName: "Milan", TrustedMeasurement: $m,
			MinimumTCB: {BootloaderVersion: 0, TEEVersion: 0, SNPVersion: 0, MicrocodeVersion: 0},
			GuestPolicy: {SMT: true}, PlatformInfo: {SMTEnabled: true, TSMEEnabled: true, ECCEnabled: false}, AllowedChipIDs: []}]},
		 WorkloadOwnerKeyDigests: [], SeedshareOwnerPubKeys: []}'
}

# answer [OPTION...]: by the machine with the Coordinator's policy; $history, $signer
answer() {
	local f args=()
	for f in ${history-older.json manifest.json}; do args+=(--manifest "$f"); done
	"$BUILD/sim/answer" --platform "${signer-sim:$m,host_data=$chash}" --nonce "$nonce" "${args[@]}" \
		--policy coordinator.policy --policy pod.policy --root-ca root.pem --mesh-ca mesh.pem --hpke-key "$key" "$@" >response.json
}

# served [OPTION...]: the same answers on loopback, at $at; ends with the test.
served() {
	coproc "$BUILD/sim/answer" --serve "$@" --platform "sim:$m,host_data=$chash" --nonce "$nonce" --manifest older.json --manifest manifest.json \
		--policy coordinator.policy --policy pod.policy --root-ca root.pem --mesh-ca mesh.pem --hpke-key "$key"
	read -r line <&"${COPROC[0]}"
	at=http://127.0.0.1:${line#PORT=} pid=$COPROC_PID
}

teardown() {
	[ -z "${pid-}" ] || kill "$pid"
}

# asks STATUS WHERE [OPTION...]
asks() {
	run "-$1" --separate-stderr ctr-attest-verify --errors=json --no-cache --collateral "$m" "$(root "$m")" --manifest manifest.json \
		--coordinator "$at/$2" "${@:3}"
}

# check STATUS [OPTION...]
check() { verify "$1" "$m" --response response.json --nonce "$nonce" --manifest manifest.json "${@:2}"; }

@test "an answer is verified, and what it brings is written" {
	answer
	check 0 --output out
	that '.verdict == "accepted" and all(.checks[] | select(.name | startswith("coordinator.")); .result == "pass")'
	that '[.checks[].name] | index("policy.role") != null and index("snp.report_data") != null'
	cmp out/coordinator-root-ca.pem root.pem
	cmp out/mesh-ca.pem mesh.pem
	cmp "out/policies/$phash" pod.policy
	cmp "out/manifests/000001-$(sha256sum <manifest.json | cut -c1-64)" manifest.json
	[ "$(find out -type f | wc -l)" = 6 ]
}

@test "what the evidence is not bound to is refused" {
	for lie in root mesh key; do
		answer --lie "$lie"
		check 1 --output out
		[ "$(failed)" = snp.report_data ] || fail "$lie: $(failed)"
	done
	answer
	nonce=$(printf '%064x' 0xbad)
	check 1 --output out # an answer to another's question
	[ "$(failed)" = snp.report_data ]
	[ ! -e out ]
}

@test "lesson: a rolled-back or reordered history is refused" {
	history='manifest.json older.json' answer
	check 1
	[ "$(failed)" = coordinator.manifest ]
	answer
	jq -c '.manifests |= reverse' response.json >swapped && mv swapped response.json
	refuses 3 answer.history ctr-attest-verify --errors=json --offline --response response.json --nonce "$nonce" --manifest manifest.json
	answer
	jq -c '.manifests |= .[1:]' response.json >shorter && mv shorter response.json
	refuses 3 answer.history ctr-attest-verify --errors=json --offline --response response.json --nonce "$nonce" --manifest manifest.json
}

@test "another machine, another pod, another manifest" {
	signer=sim:$m,host_data=$phash answer
	check 1
	[ "$(failed)" = policy.role ]
	signer=sim:$m,host_data=07 answer
	check 1
	[ "$(failed)" = policy.listed,policy.role ]
	signer=sim:$m,host_data=$chash,policy=0xb0000 answer
	check 1
	[ "$(failed)" = snp.policy.debug ]
	answer
	jq . manifest.json | sed 's/pod/pot/' >other.json
	verify 1 "$m" --response response.json --nonce "$nonce" --manifest other.json
	[ "$(failed)" = coordinator.manifest ]
}

@test "policies and certificates must be there" {
	printf 'another policy' >pod.policy
	answer
	check 1
	[ "$(failed)" = coordinator.policies ]
	that '.checks[] | select(.name == "coordinator.policies") | .found == "1 of 2 missing" and .detail == "'"$phash"'"'
	printf 'the policy of a pod' >pod.policy
	echo none >mesh.pem
	answer
	check 1
	[ "$(failed)" = coordinator.mesh_ca ]
}

@test "a Coordinator that waits for recovery has nothing to show" {
	"$BUILD/sim/answer" --platform "sim:$m,host_data=$chash" --nonce "$nonce" --hpke-key "$key" >response.json
	jq -e 'keys == ["evidence", "hpke_pub_key", "version"]' response.json
	check 1
	[ "$(failed)" = coordinator.manifest,coordinator.mesh_ca,coordinator.policies,coordinator.root_ca ]
}

@test "malformed answers, each for its own reason" {
	wrong() { # ID FILTER
		answer
		jq -c "$2" response.json >changed
		refuses 3 "$1" ctr-attest-verify --errors=json --offline --response changed --nonce "$nonce" --manifest manifest.json
	}
	wrong json.unknown '.more = 1'
	wrong json.missing 'del(.evidence)'
	wrong json.type '.manifests = "x"'
	wrong base64 '.root_ca = "%"'
	wrong answer.version '.version = "v2"'
	wrong answer.size '.hpke_pub_key = "AAAA"'
	wrong answer.size '.mesh_ca = ""'
	wrong answer.history 'del(.manifests) | del(.transition_hash)'
	wrong answer.history 'del(.transition_hash)'
	wrong evidence.form '.evidence = "AAAA"'
}

@test "a Coordinator is asked with a nonce of its own each time" {
	served
	asks 0 ok --output out
	first=$(jq -r .claims.report_data <<<"$output")
	cmp out/mesh-ca.pem mesh.pem
	asks 0 ok/ -q
	[ "$(jq -r .claims.report_data <<<"$output")" != "$first" ]
	asks 1 replay --output replayed
	[ "$(failed)" = snp.report_data ]
	[ ! -e replayed ]
}

@test "a Coordinator that refuses, answers garbage or is not there" {
	served
	says() { # STATUS ID WHERE
		refuses "$1" "$2" ctr-attest-verify --errors=json --no-cache --manifest manifest.json --coordinator "$3"
	}
	says 4 coordinator.refused "$at/recovery"
	[[ $stderr == *needs_recovery*"no seed yet"* ]]
	says 4 coordinator.refused "$at/none"
	[[ $stderr == *"status 404"* ]]
	says 3 json.syntax "$at/garbage"
	says 4 http.connect http://127.0.0.1:1
	[[ $stderr == *127.0.0.1:1/v1/attest* ]]
	says 3 http.url ftp://x
	says 2 usage ''
}

@test "usage: what goes together" {
	answer
	while read -r -a q; do
		refuses 2 usage ctr-attest-verify --errors=json --offline "${q[@]}"
	done <<-END
		--response response.json --manifest manifest.json
		--response response.json --nonce $nonce
		--response response.json --nonce 00 --manifest manifest.json
		--nonce $nonce --manifest manifest.json
		--output out --authenticity-only
		--coordinator http://x --manifest manifest.json
		--response response.json --nonce $nonce --manifest manifest.json --coordinator http://x
		--response response.json --nonce $nonce --manifest manifest.json file
		--response response.json --nonce $nonce --manifest manifest.json --report-data $DATA
		--response response.json --nonce $nonce --manifest manifest.json --batch
	END
}

@test "a front end that ends TLS, and a proxy on the way to it, change nothing" {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out cert.pem -subj /CN=front -days 2 \
		-addext subjectAltName=IP:127.0.0.1 2>/dev/null
	served --tls "$PWD"
	at=https${at#http}
	asks 0 ok --ca-file cert.pem
	# whose certificate nobody knows is not talked to: not for the answer's sake, but the user asked for it
	asks 4 ok
	[ "$(jq -rs 'last.id' <<<"$stderr")" = http.tls ]
	"$BUILD/sim/tunnel" >tunnel 3>&- &
	tunnel=$!
	until grep -q PORT= tunnel; do sleep 0.05; done
	HTTPS_PROXY=http://127.0.0.1:$(sed -n 's/PORT=//p' tunnel) asks 0 ok --ca-file cert.pem
	kill "$tunnel"
	[ "$(grep -c CONNECT tunnel)" = 1 ]
	# and a proxy that is not there is said
	HTTPS_PROXY=http://127.0.0.1:1 asks 4 ok --ca-file cert.pem
	[ "$(jq -rs 'last.id' <<<"$stderr")" = http.connect ]
}
