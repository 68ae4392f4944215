#!/usr/bin/env bats
# ctr-attest-verify fetch, from stand-ins for AMD's and Intel's services with throw-away chains, to a verdict offline.
load helpers

setup_file() {
	load helpers
	export SIM=$BUILD/sim/simchain KEYS=$BUILD/sim/keys D=$BATS_FILE_TMPDIR
	[ -f "$KEYS/asvk.key" ] || "$SIM" keys "$KEYS"
	"$SIM" --keys="$KEYS" snp "$D/milan"
	"$SIM" --keys="$KEYS" --product=Turin snp "$D/turin"
	"$SIM" --keys="$KEYS" --vlek snp "$D/vlek"
	"$SIM" tdx "$D/tdx"
	"$SIM" --processor --fmspc=00906ed50000 --next-update=2020-01-01T00:00:00Z --issue-date=2019-12-01T00:00:00Z tdx "$D/old"
	for c in milan turin vlek tdx old; do
		"$SIM" report "$D/$c" >"$D/$c/report"
		tests/sim/kds-tree "$D/$c" "$D/tree-$c"
	done
	"$BUILD/sim/vendord" "$D" >"$D/sim.log" 3>&- &
	echo $! >"$D/pid"
	for _ in {1..100}; do
		grep -q PORT= "$D/sim.log" && break
		sleep 0.1
	done
	export H
	H=http://127.0.0.1:$(sed -n 's/^PORT=//p' "$D/sim.log")/ok
}

teardown_file() {
	kill "$(cat "$D/pid")"
}

# fetch CHAIN OUT [ARGUMENT]...
fetch() {
	local url=$H/tree-$1
	ok ctr-attest-verify fetch --collateral "$2" --kds-url "$url" --pcs-url "$url" "${@:3}" "$D/$1/report"
}

# genuine ROOT FILE: verified, with lists, trusting that root alone
genuine() {
	run -0 --separate-stderr ctr-attest-verify -q --authenticity-only --crl required --insecure-test-root "$1" "$2"
	[ "$(jq -r .verdict <<<"$output")" = accepted ]
}

@test "SNP: fetched, bundled, verified" {
	local c dir leaf
	for c in milan turin; do
		dir=$BATS_TEST_TMPDIR/$c
		fetch "$c" "$dir"
		[ "$(sort <<<"$output")" = "$(cd "$dir" && printf '%s\n' * | sort)" ]
		[ "$(wc -l <<<"$output")" -eq 4 ]
		leaf=$(echo "$dir"/vcek-*)
		cmp "$leaf" "$D/$c/vcek.der"
		cmp "$dir"/ark-* "$D/$c/ark.der"
		ctr-attest-verify bundle --vek "$leaf" --ask "$dir"/ask-* --ark "$dir"/ark-* --crl "$dir"/crl-* \
			"$D/$c/report" >"$BATS_TEST_TMPDIR/evidence"
		genuine "$D/$c/ark.der" "$BATS_TEST_TMPDIR/evidence"
	done
}

@test "TDX: fetched, bundled, verified" {
	local dir=$BATS_TEST_TMPDIR/dir
	fetch tdx "$dir"
	[ "$(wc -l <<<"$output")" -eq 7 ]
	cmp "$dir/tcb_info-90c06f000000.json" "$D/tdx/tcb_info.json"
	cmp "$dir/tcb_info_chain-90c06f000000.pem" "$D/tdx/tcb_info_chain.pem"
	cmp "$dir/pck_crl_chain-platform.pem" "$D/tdx/pck_crl_chain.pem"
	ctr-attest-verify bundle --tcb-info "$dir"/tcb_info-* --tcb-info-chain "$dir"/tcb_info_chain-* \
		--qe-identity "$dir/qe_identity.json" --qe-identity-chain "$dir/qe_identity_chain.pem" \
		--pck-crl "$dir"/pck_crl-* --pck-crl-chain "$dir"/pck_crl_chain-* --root-crl "$dir/root_crl.der" \
		"$D/tdx/report" >"$BATS_TEST_TMPDIR/evidence"
	genuine "$D/tdx/root.der" "$BATS_TEST_TMPDIR/evidence"
}

# verdict STATUS ROOT ARGUMENT...: is it genuine, trusting that root alone?
verdict() {
	run "-$1" --separate-stderr ctr-attest-verify --errors=json -q --authenticity-only --crl required \
		--insecure-test-root "$2" "${@:3}"
}

@test "fetched ahead, verified offline from the directory alone" {
	local c dir root
	for c in milan turin tdx; do
		dir=$BATS_TEST_TMPDIR/$c root=$D/$c/ark.der
		[ "$c" != tdx ] || root=$D/tdx/root.der
		fetch "$c" "$dir"
		verdict 0 "$root" --offline --no-cache --collateral "$dir" "$D/$c/report"
		[ "$(jq -r .verdict <<<"$output")" = accepted ]
		verdict 4 "$root" --offline --no-cache "$D/$c/report"
		[[ ${stderr_lines[-1]} == *'"id":"collateral.offline"'* ]]
	done
}

@test "the directory of a chain itself, with its plain names, is one to verify from" {
	verdict 0 "$D/milan/ark.der" --offline --no-cache --collateral "$D/milan" "$D/milan/report"
	verdict 0 "$D/tdx/root.der" --offline --no-cache --collateral "$D/tdx" "$D/tdx/report"
}

@test "a verification fetches, the next one has it from the cache" {
	local url=$H/tree-tdx seen
	verdict 0 "$D/tdx/root.der" --pcs-url "$url" "$D/tdx/report"
	seen=$(wc -l <"$D/sim.log")
	verdict 0 "$D/tdx/root.der" --pcs-url "$url" "$D/tdx/report"
	verdict 0 "$D/tdx/root.der" --offline "$D/tdx/report"
	[ "$(wc -l <"$D/sim.log")" -eq "$seen" ]
}

@test "an item of another issuer, or one that is over, does not pass" {
	local dir=$BATS_TEST_TMPDIR/dir
	fetch tdx "$dir"
	cp "$D/old/root_crl.der" "$dir/root_crl.der"
	verdict 1 "$D/tdx/root.der" --offline --no-cache --collateral "$dir" "$D/tdx/report"
	[[ ${stderr_lines[-1]} == *'"id":"tdx.crl.root"'* ]]
	verdict 1 "$D/old/root.der" --offline --no-cache --collateral "$D/old" "$D/old/report"
	[[ ${stderr_lines[-1]} == *'"id":"tdx.tcb_info.validity"'* ]]
}

@test "several reports, and one on standard input" {
	local dir=$BATS_TEST_TMPDIR/dir
	ok ctr-attest-verify fetch --collateral "$dir" --kds-url "$H/tree-milan" "$D/milan/report" "$D/milan/report"
	[ "${#lines[@]}" -eq 8 ]
	ok ctr-attest-verify fetch --collateral "$dir" --kds-url "$H/tree-turin" <"$D/turin/report"
	[ "${#lines[@]}" -eq 4 ]
	[ "$(printf '%s\n' "$dir"/* | wc -l)" -eq 8 ]
}

@test "collateral that is over is kept with a warning; the Processor CA's list" {
	local dir=$BATS_TEST_TMPDIR/dir url=$H/tree-old
	run -0 --separate-stderr ctr-attest-verify fetch --collateral "$dir" --pcs-url "$url" "$D/old/report"
	[[ $stderr == *'warning: tcb_info is not valid at this time'* ]]
	[[ $stderr == *'warning: qe_identity is not valid at this time'* ]]
	[ -f "$dir/pck_crl-processor.der" ]
	[ -f "$dir/tcb_info-00906ed50000.json" ]
}

@test "every kind of item that is over is named" {
	local c=$BATS_TEST_TMPDIR/chain from=2019-01-01T00:00:00Z until=2020-01-01T00:00:00Z
	local over=("--not-before=$from" "--not-after=$until" "--ca-not-before=$from" "--ca-not-after=$until" "--crl-from=$from"
		"--crl-until=$until" "--issue-date=$from" "--next-update=$until")
	"$SIM" --keys="$KEYS" "${over[@]}" snp "$c-snp"
	"$SIM" "${over[@]}" tdx "$c-tdx"
	for tee in snp tdx; do
		"$SIM" report "$c-$tee" >"$c-$tee/report"
		tests/sim/kds-tree "$c-$tee" "$D/tree-over"
		run -0 --separate-stderr ctr-attest-verify fetch --collateral "$c-out" --kds-url "$H/tree-over" \
			--pcs-url "$H/tree-over" "$c-$tee/report"
		[ "${#lines[@]}" -eq "${#stderr_lines[@]}" ]
		[ "$(grep -c 'is not valid at this time' <<<"$stderr")" -eq "${#lines[@]}" ]
	done
	[ "${#lines[@]}" -eq 7 ]
}

@test "a VLEK comes with the evidence" {
	local dir=$BATS_TEST_TMPDIR/dir
	refuses 4 collateral.vlek ctr-attest-verify fetch --errors=json --collateral "$dir" --kds-url "$H/tree-vlek" "$D/vlek/report"
	ctr-attest-verify bundle --vek "$D/vlek/vlek.der" "$D/vlek/report" >"$BATS_TEST_TMPDIR/evidence"
	ok ctr-attest-verify fetch --collateral "$dir" --kds-url "$H/tree-vlek" "$BATS_TEST_TMPDIR/evidence"
	[[ $output == vlek-Milan-*asvk-Milan.der*ark-Milan.der*crl-vlek-Milan.der ]]
}

@test "a report of version 2 takes its product from its leaf, or from an option" {
	local dir=$BATS_TEST_TMPDIR/dir v2=$BATS_TEST_TMPDIR/v2
	"$SIM" report "$D/milan" version=2 >"$v2"
	refuses 4 collateral.product ctr-attest-verify fetch --errors=json --collateral "$dir" --kds-url "$H/tree-milan" "$v2"
	ok ctr-attest-verify fetch --collateral "$dir" --kds-url "$H/tree-milan" --product Milan "$v2"
	[ "${#lines[@]}" -eq 4 ]
	ctr-attest-verify bundle --vek "$D/milan/vcek.der" "$v2" >"$BATS_TEST_TMPDIR/evidence"
	ok ctr-attest-verify fetch --collateral "$dir" --kds-url "$H/tree-milan" "$BATS_TEST_TMPDIR/evidence"
	[ "${#lines[@]}" -eq 4 ]
}

@test "refusals" {
	local dir=$BATS_TEST_TMPDIR/dir
	refuses 2 usage ctr-attest-verify fetch --errors=json "$D/milan/report"
	refuses 2 usage ctr-attest-verify fetch --errors=json --collateral "$dir" --product Rome "$D/milan/report"
	refuses 2 number ctr-attest-verify fetch --errors=json --collateral "$dir" --timeout 0 "$D/milan/report"
	refuses 3 evidence.form ctr-attest-verify fetch --errors=json --collateral "$dir" /dev/null
	refuses 4 collateral.missing ctr-attest-verify fetch --errors=json --collateral "$dir" --kds-url "$H/none" "$D/milan/report"
	head -c 700 "$D/tdx/report" >"$BATS_TEST_TMPDIR/cut"
	refuses 3 tdx.length ctr-attest-verify fetch --errors=json --collateral "$dir" "$BATS_TEST_TMPDIR/cut"
	[ ! -e "$dir" ]
}
