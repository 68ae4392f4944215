#!/usr/bin/env bats
# ctr-initializer: a pod joins the mesh, against a Coordinator of tests/sim/joind.
load helpers
load attest

SECRET=$(printf 'a7%.0s' {1..64}) SECRET2=$(printf 'b7%.0s' {1..64})

setup_file() {
	export CHAIN=$BATS_FILE_TMPDIR/milan
	[ -f "$KEYS/asvk.key" ] || "$SIM" keys "$KEYS"
	"$SIM" --keys="$KEYS" snp "$CHAIN"
	serve "$BATS_FILE_TMPDIR" --platform "sim:$CHAIN"
	echo "$at" >"$BATS_FILE_TMPDIR/at"
	echo "$joind" >"$BATS_FILE_TMPDIR/pid"
}

teardown_file() {
	kill "$(<"$BATS_FILE_TMPDIR/pid")"
}

setup() {
	at=$(<"$BATS_FILE_TMPDIR/at")
	out=$BATS_TEST_TMPDIR/contrast tls=$BATS_TEST_TMPDIR/contrast/tls-config
	seed=$out/secrets/workload-secret-seed
	cd "$BATS_TEST_TMPDIR" || return
}

teardown() {
	[ -z "${sidecar-}" ] || kill -9 "$sidecar" || true
	[ -z "${joind-}" ] || kill "$joind"
}

# serve DIR OPTION...: a Coordinator of its own at $at, its log and root.pem in DIR.
serve() {
	"$BUILD/sim/joind" --out "$1" "${@:2}" >"$1/log" 2>&1 3>&- &
	joind=$!
	until_true grep -q PORT= "$1/log"
	at=http://127.0.0.1:$(sed -n s/PORT=//p "$1/log")
}

# until_true COMMAND...: within ten seconds.
until_true() {
	for _ in {1..200}; do
		! "$@" 2>/dev/null || return 0
		sleep .05
	done
	fail "never: $*"
}

# never COMMAND...: it fails.
never() {
	! "$@" || fail "not expected: $*"
}

# join HOW [OPTION...]
join() {
	ctr-initializer --errors=json --platform "sim:$CHAIN" --coordinator "$at/$1" --output "$out" --timeout 20 "${@:2}"
}

# no_output: nothing for a reader.
no_output() {
	[ ! -e "$tls" ] && [ ! -e "$seed" ]
}

# whole DIR: key, certificate and CAs of one join.
whole() {
	diff <(openssl pkey -in "$1/tls-config/key.pem" -pubout) <(openssl x509 -in "$1/tls-config/certChain.pem" -noout -pubkey)
	openssl verify -x509_strict -CAfile "$1/tls-config/mesh-ca.pem" "$1/tls-config/certChain.pem"
	openssl verify -x509_strict -CAfile "$1/tls-config/coordinator-root-ca.pem" \
		-untrusted "$1/tls-config/certChain.pem" "$1/tls-config/certChain.pem"
}

@test "a pod joins: certificate, key, CAs and secret" {
	ok join ok
	[ -z "$output" ]
	whole "$out"
	cmp "$tls/coordinator-root-ca.pem" "$BATS_FILE_TMPDIR/root.pem"
	[ "$(<"$seed")" = "$SECRET" ]
	[ "$(stat -L -c %a "$seed" "$tls/key.pem" "$tls/certChain.pem" "$tls" "$out" | xargs)" = '400 400 444 755 755' ]
	[ "$(find "$out/" -type f | wc -l)" = 5 ]
}

@test "a workload without a secret gets none, and a new join takes the place of the old one" {
	ok join nosecret
	whole "$out"
	[ ! -e "$seed" ] && [ -d "$out/secrets" ]
	cp "$tls/key.pem" before
	ok join ok
	whole "$out"
	never cmp -s before "$tls/key.pem"
	[ "$(<"$seed")" = "$SECRET" ]
	# what was there before is kept for who reads it now, no more than that
	ok join ok
	[ "$(find "$out/" -name '..ctr-*' | wc -l)" = 2 ]
}

@test "a secret that is as before stays the same file; another one is said" {
	ok join ok
	inode=$(stat -L -c %i "$seed")
	ok join ok
	[ "$(stat -L -c %i "$seed")" = "$inode" ]
	run -0 --separate-stderr join secret2
	jq -e '.id == "join.secret" and .level == "warning"' <<<"$stderr"
	[ "$(<"$seed")" = "$SECRET2" ]
}

@test "a group may read key and secret" {
	ok join ok --group "$(id -g)"
	[ "$(stat -L -c '%a %g' "$seed" "$tls/key.pem" "$tls/mesh-ca.pem" | xargs)" = "440 $(id -g) 440 $(id -g) 444 $(id -g)" ]
	refuses 2 number join ok --group nobody
}

@test "COORDINATOR_HOST names the Coordinator" {
	COORDINATOR_HOST=${at#http://} run -4 --separate-stderr ctr-initializer --platform "sim:$CHAIN" --output "$out" --timeout 1
	[[ $stderr == *"$at: status 404"* ]]
	COORDINATOR_HOST=localhost run -4 --separate-stderr ctr-initializer --platform "sim:$CHAIN" --output "$out" --timeout 1
	[[ $stderr == *localhost:1314* ]]
	COORDINATOR_HOST='a b' refuses 2 http.url ctr-initializer --errors=json --platform "sim:$CHAIN"
	refuses 2 http.url ctr-initializer --errors=json --coordinator ftp://x --platform "sim:$CHAIN"
}

@test "an answer that does not hold together is refused for its reason" {
	for c in otherkey:1:answer.key leafca:1:answer.leaf alone:1:answer.chain twocas:1:answer.chain otherca:1:x509.path \
		othermesh:1:x509.path otherroot:1:x509.path expired:1:x509.path future:1:x509.path nopem:3:x509.pem \
		garbage:3:json.unknown large:3:http.large sealedtoother:1:hpke.open; do
		IFS=: read -r how want id <<<"$c"
		refuses "$want" "$id" join "$how" --tries 1 || fail "$how"
		no_output
	done
}

@test "who is no Coordinator, or has no nonce, is waited for until the time is over" {
	for how in basic open nonces slow; do
		refuses 4 join.timeout join "$how" --timeout 1 || fail "$how"
		no_output
	done
	[[ $stderr == *"timed out"* ]] # slow
	at=http://127.0.0.1:1 refuses 4 join.timeout join ok --timeout 1
	[[ $stderr == *http.connect* ]]
}

@test "a refusal in the Coordinator's words ends it after some tries, a state that passes does not" {
	for how in attestation permission argument; do
		refuses 1 coordinator.refused join "$how" --tries 2 || fail "$how"
		[ "$(jq -s 'map(select(.level == "warning")) | length' <<<"$stderr")" = 1 ]
	done
	for how in recovery nomanifest internal; do
		refuses 4 join.timeout join "$how" --tries 1 --timeout 1 || fail "$how"
		jq -se 'all(.[:-1][]; .id == "coordinator.refused" and (.message | contains("next try in")))' <<<"$stderr"
	done
}

@test "failures of the server are tried again, each with a line" {
	run -0 --separate-stderr join flaky
	whole "$out"
	jq -se 'length == 2 and all(.[]; .level == "warning" and (.message | test("status 500.*next try in [0-9.]+ s")))' <<<"$stderr"
}

@test "a nonce that ran out is replaced at once" {
	ok join stale
	whole "$out"
}

@test "no platform: it fails at once" {
	refuses 4 platform.open ctr-initializer --errors=json --platform sev-guest --coordinator "$at/ok" --output "$out"
	refuses 2 platform.spec ctr-initializer --errors=json --platform x --coordinator "$at/ok" --output "$out"
}

@test "usage" {
	refuses 2 usage join ok --on-renew true
	refuses 2 usage join ok operand
	refuses 2 number join ok --timeout -1
	refuses 2 number join ok --tries x
}

@test "a directory that holds something else is left alone" {
	mkdir -p "$tls"
	echo mine >"$tls/key.pem"
	refuses 4 join.timeout join ok --timeout 1
	[[ $stderr == *output.foreign* ]]
	[ "$(<"$tls/key.pem")" = mine ]
	rm -r "$tls"
	ln -s ../elsewhere "$out/..data"
	refuses 4 join.timeout join ok --timeout 1
	[[ $stderr == *output.foreign* ]]
	[ "$(readlink "$out/..data")" = ../elsewhere ]
}

@test "killed at any step, the directory is whole or not there, and the next run puts it right" {
	export ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0 # which cannot run there
	for call in mkdir chmod fchmod fsync rename symlinkat renameat linkat unlinkat; do
		for n in {1..30}; do
			rm -rf "$out"
			[ $((n % 2)) = 0 ] || join ok # with and without a predecessor
			had=$(readlink "$out/..data" || true)
			strace -f -o /dev/null -e "trace=$call" -e "inject=$call:signal=KILL:when=$n" \
				ctr-initializer --platform "sim:$CHAIN" --coordinator "$at/ok" --output "$out" 2>/dev/null && break
			if [ -e "$tls" ] || [ "$had" ]; then
				whole "$out" || fail "$call $n"
				[ "$(<"$seed")" = "$SECRET" ] || fail "$call $n"
			else
				no_output
			fi
			ok join ok
			whole "$out"
			[ "$(find "$out/" -name '..next-*' | wc -l)" = 0 ]
			[ "$(find "$out/" -name '..ctr-*' | wc -l)" -le 2 ]
		done
		[ "$n" -lt 30 ] || fail "$call: no end"
	done
}

@test "lesson: key and secret are in two files and nowhere else" {
	export ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0
	run -0 strace -f -s 100000 -o trace ctr-initializer -vv --platform "sim:$CHAIN" --coordinator "$at/ok" --output "$out"
	[[ $output != *"$SECRET"* ]]
	key=$(sed -n 2p "$tls/key.pem")
	never grep -F -e "$SECRET" -e "$key" <<<"$output"
	# sent to nobody, written once each
	grep -E '^[0-9]+ +(send|sendto|sendmsg)\(' trace >sent
	never grep -F -e "$SECRET" -e "$key" sent
	[ "$(grep -cF "$SECRET" trace)" = 1 ]
	[ "$(grep -cF "$key" trace)" = 1 ]
	grep -q 'RLIMIT_CORE, {rlim_cur=0, rlim_max=0}' trace
	grep -q 'PR_SET_DUMPABLE, SUID_DUMP_DISABLE' trace
	never grep -q "$SECRET" "$BATS_FILE_TMPDIR/log"
}

# --- the sidecar ---

# stay HOW [OPTION...]: in the background as $sidecar, its words in the file said.
stay() {
	ctr-initializer -v --errors=json --platform "sim:$CHAIN" --coordinator "$at/$1" --output "$out" --renew "${@:2}" >said 2>&1 3>&- &
	sidecar=$!
	until_true grep -q 'join\.[dw]' said
}

changed() {
	[ "$(readlink "$out/..data")" != "$1" ]
}

@test "--renew: a certificate is renewed before it ends, the secret stays, the command runs" {
	serve . --platform "sim:$CHAIN" --life 4
	stay ok --on-renew 'echo "renewed" >>ran; exit 3'
	inode=$(stat -L -c %i "$seed")
	first=$(readlink "$out/..data")
	until_true changed "$first"
	whole "$out"
	[ "$(stat -L -c %i "$seed")" = "$inode" ]
	until_true grep -q on-renew said
	grep -q renewed ran
	jq -se 'any(.[]; .id == "join.on-renew" and .level == "warning" and (.message | contains("exit status 3")))' said
	second=$(readlink "$out/..data")
	until_true changed "$second"
	# the certificate that was there was never one that had ended
	openssl x509 -in "$tls/certChain.pem" -noout -checkend 0
}

@test "--ready: no certificate yet, one that is valid, one that has expired" {
	refuses 1 output.ready ctr-initializer --errors=json --ready --output "$out"
	[ ! -e "$out" ]
	serve . --platform "sim:$CHAIN" --life 2
	ok join ok
	run -0 ctr-initializer --ready --output "$out"
	[ "$output" = "" ]
	until_true never ctr-initializer -q --ready --output "$out"
	refuses 1 output.ready ctr-initializer --errors=json --ready --output "$out"
	[[ $stderr == *expired* ]]
	: >"$out/tls-config/certChain.pem" 2>/dev/null || { chmod u+w "$out/tls-config/certChain.pem"; : >"$out/tls-config/certChain.pem"; }
	run ! ctr-initializer --ready --output "$out"
}

@test "--renew: a new mesh CA is noticed, without a look it is not" {
	serve . --platform "sim:$CHAIN"
	stay ok --check 1
	cp "$tls/mesh-ca.pem" before
	first=$(readlink "$out/..data")
	kill -USR1 "$joind"
	until_true changed "$first"
	whole "$out"
	never cmp -s before "$tls/mesh-ca.pem"
	kill -9 "$sidecar"
	stay ok --check 0
	first=$(readlink "$out/..data")
	kill -USR1 "$joind"
	sleep 2
	never changed "$first"
	# lesson: renewal in place, at once when asked for
	kill -HUP "$sidecar"
	until_true changed "$first"
	whole "$out"
}

@test "--renew: what is there is used, and a Coordinator that is away does no harm" {
	ok join ok
	first=$(readlink "$out/..data")
	at=http://127.0.0.1:1 stay ok
	kill -HUP "$sidecar"
	until_true grep -q 'next try in' said
	never changed "$first"
	whole "$out"
}

@test "--renew: another root CA is refused, whoever answers" {
	ok join ok
	first=$(readlink "$out/..data")
	serve . --platform "sim:$CHAIN" # a deployment of its own
	stay ok
	kill -HUP "$sidecar"
	until_true grep -q join.root-ca said
	never changed "$first"
}

@test "--renew: who lies about the mesh CA is asked less and less" {
	serve . --platform "sim:$CHAIN"
	stay liar --check 1
	sleep 6
	[ "$(grep -c 'auth=contrast' log)" -le 4 ]
}

@test "--renew: TERM ends it at once, as process 1 too" {
	stay ok
	kill "$sidecar"
	wait "$sidecar"
	sidecar=
	rm -rf "$out"
	# in the middle of a request
	ctr-initializer --platform "sim:$CHAIN" --coordinator "$at/slow" --output "$out" 2>/dev/null &
	sleep .5
	kill "$!"
	status=0
	wait "$!" || status=$?
	[ "$status" = 4 ]
	no_output
}

# --- --verify-coordinator ---

# deployment: a manifest and a Coordinator that serves it.
deployment() {
	printf 'the policy of the Coordinator' >coordinator.policy
	printf 'the policy of a pod' >pod.policy
	chash=$(sha256sum <coordinator.policy | cut -c1-64) phash=$(sha256sum <pod.policy | cut -c1-64)
	jq -n --arg c "$chash" --arg p "$phash" --arg m "$(ctr-attest-verify --inspect <("$SIM" report "$CHAIN") | jq -r .claims.measurement)" '
		{Policies: {($c): {SANs: ["coordinator"], WorkloadSecretID: "", Role: "coordinator"},
			($p): {SANs: ["pod", "*"], WorkloadSecretID: "v1/Pod/ns/pod"}},
		 ReferenceValues: {snp: [{ProductName: "Milan", TrustedMeasurement: $m,
			MinimumTCB: {BootloaderVersion: 0, TEEVersion: 0, SNPVersion: 0, MicrocodeVersion: 0},
			GuestPolicy: {SMT: true}, PlatformInfo: {SMTEnabled: true, TSMEEnabled: true, ECCEnabled: false}, AllowedChipIDs: []}]},
		 WorkloadOwnerKeyDigests: [], SeedshareOwnerPubKeys: []}' >manifest.json
	serve . --platform "sim:$CHAIN,host_data=${1:-$chash}" --manifest manifest.json --policy coordinator.policy --policy pod.policy
	trust=(--offline --no-cache --collateral "$CHAIN" "$(root "$CHAIN")" --verify-coordinator)
}

@test "--verify-coordinator: the Coordinator of this manifest is trusted, no other" {
	deployment
	ok join ok "${trust[@]}" manifest.json
	whole "$out"
	rm -rf "$out"
	sed s/pod/pot/ manifest.json >other.json
	refuses 1 coordinator.manifest join ok --tries 1 "${trust[@]}" other.json
	no_output
	refuses 3 json.syntax join ok --tries 1 "${trust[@]}" coordinator.policy
	refuses 4 join.timeout join ok --timeout 1 "${trust[@]}" absent.json
	no_output
}

@test "--verify-coordinator: a man in the middle who answers with his own CAs is refused" {
	deployment
	refuses 1 x509.path join otherroot --tries 1 "${trust[@]}" manifest.json
	# certificates that fit each other, while the evidence is the true Coordinator's
	refuses 1 coordinator.root_ca.pinned join impostor --tries 1 "${trust[@]}" manifest.json
	no_output
	# unseen by who does not look
	ok join impostor
}

@test "--verify-coordinator: one without a manifest is refused" {
	deployment
	kill "$joind"
	serve . --platform "sim:$CHAIN,host_data=$chash"
	refuses 1 coordinator.manifest join ok --tries 1 "${trust[@]}" manifest.json
	no_output
}

@test "--verify-coordinator: a pod that is no Coordinator is refused" {
	deployment 07
	refuses 1 policy.listed join ok --tries 1 "${trust[@]}" manifest.json
	no_output
}

@test "the page's examples run" {
	deployment
	examples ctr-initializer.1 >commands
	[ "$(wc -l <commands)" = 5 ]
	# the same, with this Coordinator, platform and directory; what stays is ended, what needs a device is elsewhere
	sed -i -e '/cryptsetup/d' -e "s,http://coordinator:1314,$at/ok," -e "s,/contrast,$out," \
		-e "s,^ctr-initializer,& --platform sim:$CHAIN --output $out --coordinator $at/ok," \
		-e "s,--verify-coordinator,${trust[*]}," -e 's,^\(.*\)--renew,timeout --preserve-status 2 \1--renew,' commands
	run bash -eu commands
	[ "$status" -eq 0 ] || fail "$output" "$(<commands)"
}
