#!/usr/bin/env bats
# What endorses a pod's evidence, when the pod does not bring it: the Coordinator asks tests/sim/vendord, as AMD's KDS.
# shellcheck disable=SC2034 # for the helpers
load helpers
load attest
load coordinator

setup_file() {
	make_keys
	export D=$BATS_FILE_TMPDIR T=$BATS_FILE_TMPDIR/tree
	tests/sim/kds-tree "$CHAINS/milan" "$T/good"
	mkdir -p "$T/empty"
	"$BUILD/sim/vendord" "$T" >"$D/sim.log" 3>&- &
	echo $! >"$D/pid"
	until grep -q PORT= "$D/sim.log"; do sleep 0.1; done
	export "$(head -n 1 "$D/sim.log")"
	export H=http://127.0.0.1:$PORT
}

teardown_file() {
	kill "$(cat "$D/pid")"
}

# The pods' reports are of version 3: they say which product the list is of.
setup() {
	make_deployment
	fields=version=3
}

# online HOW TREE [OPTION...]: a Coordinator that has to ask, and a manifest on it
online() {
	before=$(grep -c crl "$D/sim.log") || true
	sources="--kds-url $H/$1/$2" starts "${@:3}"
	sets 200 manifest.json "$none"
}

# asked N: so often the list was asked for since then, by the Coordinator for itself too
asked() {
	local now
	now=$(grep -c crl "$D/sim.log")
	[ $((now - before)) -eq "$1" ] || fail "asked $((now - before)) times: $(grep crl "$D/sim.log")"
}

@test "the list of revoked chips is fetched for pods that bring none, once for many" {
	online ok good
	for _ in 1 2 3 4 5; do pod 0 web.policy; done
	asked 2 # for its own evidence, and for the pods'
}

@test "a pod on a revoked chip is refused, though only the vendor says so" {
	chain milan --revoked=ask
	"$TOP/tests/sim/kds-tree" "$dir" "$T/revoked"
	m=$dir
	online ok revoked
	pod 1 web.policy
	refused attestation_failed
	[[ $output == *snp.crl.revoked* ]]
}

@test "no list is to be had: joins go on, and do not ask each time; unless it is required" {
	online ok empty
	for _ in 1 2 3; do pod 0 web.policy; done
	asked 2
	stops
	rm -rf store
	online ok empty --crl=required
	pod 1 web.policy
	[[ $stderr == *503* ]] || fail "$stderr"
	jq -e '.code == "internal" and .status_code == 503' reply
}
