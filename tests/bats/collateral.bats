#!/usr/bin/env bats
# lib/collateral.c against tests/sim/vendord, which stands in for AMD's KDS and Intel's PCS. The items are made up; what
# says whether they are valid, and until when, is in tests/sim/collget.

load helpers

setup_file() {
	cd "$BATS_TEST_DIRNAME/../.." || return 1
	export D=$BATS_FILE_TMPDIR GET=$BUILD/sim/collget T=$BATS_FILE_TMPDIR/tree
	export http_proxy=http://127.0.0.1:1 https_proxy=http://127.0.0.1:1 # must not be looked at
	make_tree
	report >"$D/report"
	report 1a0 "$(printf '%0128d' 0)" >"$D/masked"
	report 48 04 >"$D/vlek"
	report 48 1c >"$D/unsigned"
	report 0 02 188 0000 >"$D/v2"
	{
		xxd -r -p <<<0400020081000000
		head -c 700 /dev/zero
	} >"$D/quote"
	"$BUILD/sim/vendord" "$T" >"$D/sim.log" 3>&- &
	echo $! >"$D/pid"
	for _ in {1..100}; do
		grep -q PORT= "$D/sim.log" && break
		sleep 0.1
	done
	export "$(head -n 1 "$D/sim.log")"
	export H=http://127.0.0.1:$PORT
}

teardown_file() {
	kill "$(cat "$D/pid")"
}

# report [OFFSET HEX]...: an SNP report of version 3 by a Milan, with these bytes (offsets in hexadecimal)
report() {
	local raw=$BATS_FILE_TMPDIR/raw
	head -c 1184 /dev/zero >"$raw"
	set -- 0 03 a 03 34 01 180 04000000000018db 188 1901 1a0 "$CHIP" 2a0 01 2e8 01 "$@"
	while [ $# -gt 0 ]; do
		xxd -r -p <<<"$2" | dd of="$raw" bs=1 seek=$((16#$1)) conv=notrunc status=none
		shift 2
	done
	cat "$raw"
}
CHIP=$(printf '5a%.0s' {1..64})
TCB='blSPL=04&teeSPL=00&snpSPL=24&ucodeSPL=219'
VCEK=vcek-Milan-$CHIP-bl04-tee00-snp24-ucode219.der

certificate() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout /dev/null -subj "/CN=$1" \
		-days 2 2>/dev/null
}

# item TARGET TEXT [HEADER]
item() {
	mkdir -p "$T/$(dirname "$1")"
	printf %s "$2" >"$T/$1"
	[ $# -lt 3 ] || printf '%s: -----BEGIN%%20CERTIFICATE-----%%0A%s\n' "$3" "${2//[^a-z]/}" >"$T/$1.headers"
}

make_tree() {
	item "vcek/v1/Milan/$CHIP?$TCB" '0vcek until=2000'
	item vcek/v1/Milan/crl '0crl until=2000'
	item vlek/v1/Milan/crl '0vlekcrl until=2000'
	{
		certificate one
		certificate two
	} >"$T/vcek/v1/Milan/cert_chain"
	item 'tdx/certification/v4/tcb?fmspc=90c06f000000' '{"tcb": "until=2000"}' TCB-Info-Issuer-Chain
	item tdx/certification/v4/qe/identity '{"qe": "until=2000"}' SGX-Enclave-Identity-Issuer-Chain
	item 'sgx/certification/v4/pckcrl?ca=platform&encoding=der' '0pckcrl until=2000' SGX-PCK-CRL-Issuer-Chain
	item 'sgx/certification/v4/pckcrl?ca=processor&encoding=der' "$(printf 0processor | xxd -p)" \
		SGX-PCK-CRL-Issuer-Chain
	item sgx/certification/v4/rootcacrl "$(printf '0root until=2000' | xxd -p)"
	item IntelSGXRootCA.der '0intelroot until=2000'
}

# get STATUS ARGUMENT...: runs collget; the cache is the test's own unless one is named before
get() {
	local want=$1
	shift
	seen=$(wc -l <"$D/sim.log")
	run "-$want" --separate-stderr "$GET" --errors=json --tries 2 --kds "$H/ok" --pcs "$H/ok" "$@"
}

cached() {
	get "$1" --cache "$BATS_TEST_TMPDIR/cache" "${@:2}"
}

asked() {
	tail -n "+$((seen + 1))" "$D/sim.log"
}

asked_times() {
	[ "$(asked | wc -l)" -eq "$1" ]
}

id() {
	[[ ${stderr_lines[-1]} == *"\"id\":\"$1\""* ]]
}

says() {
	[[ $stderr == *"$1"* ]]
}

# written NAME SECONDS: when the file in the cache was written
written() {
	touch -d "@$2" "$BATS_TEST_TMPDIR/cache/$1"
}

@test "the first run fetches, the second does not" {
	cached 0 "$D/report"
	[ "${lines[0]}" = 'vcek 0vcek until=2000' ]
	[ "${lines[1]}" = 'crl 0crl until=2000' ]
	asked_times 2
	asked | grep -qxF "vendor GET /ok/vcek/v1/Milan/$CHIP?$TCB auth=none range="
	written "$VCEK" 900
	written crl-vcek-Milan.der 900
	cached 0 "$D/report"
	[ "${lines[0]}" = 'vcek 0vcek until=2000' ]
	[ "${#lines[@]}" -eq 2 ]
	asked_times 0
	[ "$(stat -c %a "$BATS_TEST_TMPDIR/cache" "$BATS_TEST_TMPDIR/cache/$VCEK" | tr '\n' ' ')" = '700 600 ' ]
}

@test "TDX: bodies, chains from headers, lists of a PCCS in hexadecimal" {
	cached 0 --fmspc 90c06f000000 "$D/quote"
	[ "${lines[0]}" = 'tcb_info {"tcb": "until=2000"}' ]
	[ "${lines[1]}" = 'tcb_info_chain -----BEGIN CERTIFICATE-----\x0atcbuntil' ]
	[ "${lines[2]}" = 'qe_identity {"qe": "until=2000"}' ]
	[ "${lines[3]}" = 'qe_identity_chain -----BEGIN CERTIFICATE-----\x0aqeuntil' ]
	[ "${lines[4]}" = 'pck_crl 0pckcrl until=2000' ]
	[ "${lines[6]}" = 'root_crl 0root until=2000' ]
	asked_times 4
	get 0 --fmspc 90c06f000000 --processor --root-crl "$H/ok/IntelSGXRootCA.der" "$D/quote"
	[ "${lines[4]}" = 'pck_crl 0processor' ]
	[ "${lines[6]}" = 'root_crl 0intelroot until=2000' ]
	get 0 --fmspc 90c06f000000 --crl never "$D/quote"
	[ "${#lines[@]}" -eq 4 ]
	asked_times 2
}

@test "what the evidence has is not asked for; the chain only when wanted" {
	get 0 --crl never --chain "$D/report"
	[[ ${lines[1]} == 'ask 0'* && ${lines[2]} == 'ark 0'* ]]
	asked_times 2
	asked | grep -q ' /ok/vcek/v1/Milan/cert_chain '
	get 0 --crl never "$D/unsigned"
	[ -z "$output" ]
	asked_times 0
}

@test "a directory comes first: full names, plain names, links" {
	dir=$BATS_TEST_TMPDIR/dir
	mkdir "$dir"
	printf '0mine until=2000' >"$dir/data"
	ln -s data "$dir/$VCEK"
	printf '0list' >"$dir/crl.der"
	get 0 --collateral "$dir" --offline "$D/report"
	[ "${lines[0]}" = 'vcek 0mine until=2000' ]
	[ "${lines[1]}" = 'crl 0list' ]
	printf '0bad' >"$dir/$VCEK"
	get 0 --collateral "$dir" "$D/report"
	[ "${lines[0]}" = 'vcek 0vcek until=2000' ] # a better one was to be had
	asked_times 1
	get 0 --collateral "$dir" --offline "$D/report"
	[ "${lines[0]}" = 'vcek 0bad' ] # the verifier will say why
	says 'not asked for vcek'
	get 4 --collateral "$dir/none" "$D/report"
	id open
	mkdir "$dir/ask.der"
	get 4 --collateral "$dir" --chain "$D/report"
	id read
}

@test "a directory filled here answers offline" {
	dir=$BATS_TEST_TMPDIR/dir
	get 0 --save "$dir" --chain "$D/report"
	[ "$(grep -c ^saved <<<"$output")" -eq 4 ]
	want=$(grep -v ^saved <<<"$output")
	get 0 --collateral "$dir" --offline --chain "$D/report"
	[ "$output" = "$want" ]
	[ "$(cd "$dir" && echo *)" = "ark-Milan.der ask-Milan.der crl-vcek-Milan.der $VCEK" ]
	get 0 --save "$dir" --fmspc 90c06f000000 "$D/quote"
	[ "$(grep -c ^saved <<<"$output")" -eq 7 ]
	get 0 --collateral "$dir" --offline --fmspc 90c06f000000 "$D/quote"
	[ "${#lines[@]}" -eq 7 ]
}

@test "a directory's CAs are used without being asked for" {
	dir=$BATS_TEST_TMPDIR/dir
	mkdir "$dir"
	printf 0ask >"$dir/ask.der"
	cached 0 --collateral "$dir" --crl never "$D/report"
	[ "${lines[1]}" = 'ask 0ask' ]
	[ "${#lines[@]}" -eq 2 ]
	asked_times 1
	printf 0otherside >"$dir/asvk-Milan.der"
	printf 0leaf >"$dir/vlek.der"
	get 0 --collateral "$dir" --crl never "$D/vlek"
	[ "${lines[1]}" = 'ask 0otherside' ]
	asked_times 0
}

@test "429, then an answer" {
	get 0 --kds "$H/busy" --crl never "$D/report"
	[ "${lines[0]}" = 'vcek 0vcek until=2000' ]
	asked_times 2
	get 4 --kds "$H/limited" --crl never "$D/report"
	id collateral.rate-limited
	says "$H/limited/vcek/v1/Milan/$CHIP?$TCB"
	asked_times 2
}

@test "nobody there: the cache helps, else the message names the URL" {
	cached 0 "$D/report"
	written "$VCEK" 0
	written crl-vcek-Milan.der 900
	for how in http://127.0.0.1:1 "$H/down"; do
		cached 0 --kds "$how" --at 1900 "$D/report" # near its end, so it is asked for anew
		[ "${lines[0]}" = 'vcek 0vcek until=2000' ]
		says '"level":"warning"'
		cached 4 --kds "$how" --at 2000 "$D/report" # over
		id collateral.missing
		says "$how/vcek/v1/Milan/$CHIP?$TCB: "
	done
	get 4 --kds http://127.0.0.1:1 "$D/report"
	id collateral.missing
	says "http://127.0.0.1:1/vcek/v1/Milan/$CHIP?$TCB: "
	get 4 --kds "$H/dead" --total 1 --tries 1 "$D/report"
	id collateral.missing
}

@test "a list that one may do without" {
	rm "$T/vlek/v1/Milan/crl"
	mkdir "$BATS_TEST_TMPDIR/dir"
	printf 0leaf >"$BATS_TEST_TMPDIR/dir/vlek.der"
	get 0 --collateral "$BATS_TEST_TMPDIR/dir" --crl available "$D/vlek"
	[ "$output" = 'vlek 0leaf' ]
	says "$H/ok/vlek/v1/Milan/crl"
	get 4 --collateral "$BATS_TEST_TMPDIR/dir" --crl required "$D/vlek"
	id collateral.missing
	item vlek/v1/Milan/crl '0vlekcrl until=2000'
	get 0 --collateral "$BATS_TEST_TMPDIR/dir" --crl required "$D/vlek"
	[ "${lines[1]}" = 'crl 0vlekcrl until=2000' ]
}

@test "a cached item is fetched anew before it ends, and when it is damaged" {
	cached 0 --crl never "$D/report"
	written "$VCEK" 1000
	item "vcek/v1/Milan/$CHIP?$TCB" '0newer until=3000'
	cached 0 --crl never --at 1799 "$D/report"
	[ "$output" = 'vcek 0vcek until=2000' ]
	asked_times 0
	cached 0 --crl never --at 1800 "$D/report"
	[ "$output" = 'vcek 0newer until=3000' ]
	asked_times 1
	printf 0bad >"$BATS_TEST_TMPDIR/cache/$VCEK"
	cached 0 --crl never "$D/report"
	[ "$output" = 'vcek 0newer until=3000' ]
	asked_times 1
	ln -sf /dev/zero "$BATS_TEST_TMPDIR/cache/$VCEK"
	cached 0 --crl never "$D/report"
	[ "$output" = 'vcek 0newer until=3000' ]
	# what is not valid is not kept, nor preferred to what is
	item "vcek/v1/Milan/$CHIP?$TCB" '0bad'
	written "$VCEK" 0
	cached 0 --crl never --at 2900 "$D/report"
	[ "$output" = 'vcek 0newer until=3000' ]
	asked_times 1
	grep -q newer "$BATS_TEST_TMPDIR/cache/$VCEK"
	item "vcek/v1/Milan/$CHIP?$TCB" '0vcek until=2000'
}

@test "that there is none is remembered for a minute" {
	rm "$T/vcek/v1/Milan/crl"
	cached 4 "$D/report"
	id collateral.missing
	says "$H/ok/vcek/v1/Milan/crl: status 404"
	cached 4 "$D/report"
	id collateral.missing
	says "$H/ok/vcek/v1/Milan/crl"
	asked_times 0
	touch -d '61 seconds ago' "$BATS_TEST_TMPDIR/cache/crl-vcek-Milan.der.none"
	cached 4 "$D/report"
	asked_times 1
	item vcek/v1/Milan/crl '0crl until=2000'
	touch -d '1 hour' "$BATS_TEST_TMPDIR/cache/crl-vcek-Milan.der.none" # a clock that was wrong
	cached 0 "$D/report"
	[ ! -e "$BATS_TEST_TMPDIR/cache/crl-vcek-Milan.der.none" ]
	cached 4 --kds "$H/gone" --crl required --cache "$BATS_TEST_TMPDIR/other" "$D/report"
	id collateral.missing
}

@test "runs at one time share one fetch" {
	seen=$(wc -l <"$D/sim.log")
	for i in {1..6}; do
		"$GET" --kds "$H/slow" --cache "$BATS_TEST_TMPDIR/cache" --crl never "$D/report" \
			>"$BATS_TEST_TMPDIR/$i" 3>&- &
	done
	wait
	asked_times 1
	for i in {1..6}; do
		grep -qx 'vcek 0vcek until=2000' "$BATS_TEST_TMPDIR/$i"
	done
}

@test "offline: no socket, nor the library that could open one" {
	cached 0 "$D/report"
	traced "$BATS_TEST_TMPDIR/trace" "$GET" --offline --kds "$H/ok" --cache "$BATS_TEST_TMPDIR/cache" \
		--at 1999 "$D/report" >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/out")" -eq 2 ]
	[ ! -s "$BATS_TEST_TMPDIR/err" ]
	run -4 --separate-stderr traced "$BATS_TEST_TMPDIR/trace2" "$GET" --errors=json --offline "$D/report"
	id collateral.offline
	says "https://kdsintf.amd.com/vcek/v1/Milan/$CHIP?$TCB"
	grep -q 'execve(' "$BATS_TEST_TMPDIR/trace2"
	run -1 grep -E 'socket\(|libcurl' "$BATS_TEST_TMPDIR/trace" "$BATS_TEST_TMPDIR/trace2"
}

@test "what no service can be asked for" {
	get 4 "$D/vlek"
	id collateral.vlek
	get 4 "$D/v2"
	id collateral.product
	asked_times 0
}

@test "lesson: timeout for a 404 on an all-zero chip id" {
	get 4 "$D/masked"
	id collateral.chip-id
	says CHIP_ID
	asked_times 0
	mkdir "$BATS_TEST_TMPDIR/dir"
	printf 0given >"$BATS_TEST_TMPDIR/dir/vcek.der"
	get 0 --collateral "$BATS_TEST_TMPDIR/dir" --crl never "$D/masked"
	[ "$output" = 'vcek 0given' ]
}

@test "answers that are none" {
	for how in empty huge; do
		get 4 --kds "$H/$how" "$D/report"
		id collateral.answer
		says "$H/$how/vcek"
	done
	get 4 --pcs "$H/bare" --fmspc 90c06f000000 "$D/quote"
	id collateral.answer
	says TCB-Info-Issuer-Chain
	for text in '' '[]' '0der'; do
		item 'tdx/certification/v4/tcb?fmspc=000000000001' "$text" TCB-Info-Issuer-Chain
		get 4 --fmspc 000000000001 "$D/quote"
		id collateral.answer
	done
	for head in '' -----BEGIN%20CERT -----BEGIN%20CERTIFICATE-----%0 -----BEGIN%20CERTIFICATE-----%00; do
		item 'tdx/certification/v4/tcb?fmspc=000000000002' '{}'
		echo "TCB-Info-Issuer-Chain: $head" >"$T/tdx/certification/v4/tcb?fmspc=000000000002.headers"
		get 4 --fmspc 000000000002 "$D/quote"
		id collateral.answer
	done
	item "vcek/v1/Milan/$CHIP?$TCB" '<html>'
	get 4 --crl never "$D/report"
	id collateral.answer
	item "vcek/v1/Milan/$CHIP?$TCB" '0vcek until=2000'
	for text in 'no list' 308 3; do
		item vcek/v1/Milan/crl "$text"
		get 4 "$D/report"
		id collateral.answer
	done
	item vcek/v1/Milan/crl '0crl until=2000'
}

@test "base URLs" {
	for url in kdsintf.amd.com ftp://h/ 'http://h/?a=b' 'http://h#x'; do
		get 2 --kds "$url" "$D/report"
		id collateral.url
	done
	get 0 --kds "$H/ok//" --crl never "$D/report"
	[ "$output" = 'vcek 0vcek until=2000' ]
}

@test "a cache that others can write to is not used" {
	mkdir -m 777 "$BATS_TEST_TMPDIR/cache"
	cached 4 "$D/report"
	id cache.owner
	asked_times 0
}
