#!/usr/bin/env bats
# ctr-attest-verify against tests/sim/vendord, which serves what simchain made as AMD's KDS and Intel's PCS would. What
# concerns single answers is in collateral.bats.
# shellcheck disable=SC2016
load helpers
load attest

setup_file() {
	load helpers
	load attest
	export D=$BATS_FILE_TMPDIR T=$BATS_FILE_TMPDIR/tree
	export http_proxy=http://127.0.0.1:1 no_proxy=127.0.0.1
	make_chains
	for c in milan turin tdx; do
		tests/sim/kds-tree "$CHAINS/$c" "$T/good"
	done
	"$BUILD/sim/vendord" "$T" >"$D/sim.log" 3>&- &
	echo $! >"$D/pid"
	for _ in {1..100}; do
		grep -q PORT= "$D/sim.log" && break
		sleep 0.1
	done
	export "$(head -n 1 "$D/sim.log")"
	export H=http://127.0.0.1:$PORT
	lean "$CHAINS/milan" >"$D/milan"
	lean "$CHAINS/turin" >"$D/turin"
	"$SIM" report "$CHAINS/tdx" >"$D/tdx"
}

teardown_file() {
	kill "$(cat "$D/pid")"
}

setup() {
	m=$CHAINS/milan t=$CHAINS/tdx cache=$BATS_TEST_TMPDIR/cache from=good
}

# lean DIR: the report, with the authorities that nobody would give for a simulated root.
lean() {
	"$SIM" report "$1" >"$BATS_FILE_TMPDIR/lean"
	ctr-attest-verify bundle --ask "$1/ask.der" --ark "$1/ark.der" "$BATS_FILE_TMPDIR/lean"
}

# ask STATUS HOW DIR OPTION...: verifies, with services that serve the tree of $from and behave as HOW says.
ask() {
	local want=$1 how=$2 d=$3
	shift 3
	seen=$(wc -l <"$D/sim.log")
	run "-$want" --separate-stderr ctr-attest-verify --errors=json --cache "$cache" --kds-url "$how/$from" \
		--pcs-url "$how/$from" "$(root "$d")" --authenticity-only "$@"
}

asked() {
	[ "$(tail -n "+$((seen + 1))" "$D/sim.log" | wc -l)" -eq "$1" ] || fail "$(tail -n "+$((seen + 1))" "$D/sim.log")"
}

# serve NAME DIR: its tree, for $from.
serve() {
	from=$1
	rm -rf "${T:?}/$1"
	tests/sim/kds-tree "$2" "$T/$1"
}

# the last word on stderr is this id, and says this
says() {
	jq -es --arg id "$1" --arg text "$2" 'last | .id == $id and (.message | contains($text))' <<<"$stderr" >/dev/null ||
		fail "$stderr"
}

@test "the first run fetches, the second makes no request" {
	ask 0 "$H/ok" "$m" "$D/milan"
	asked 2 # certificate and list
	that '.verdict == "accepted" and .claims.signing_key.kind == "vcek" and (.checks[] | select(.name == "snp.crl.revoked") | .result == "pass")'
	ask 0 "$H/ok" "$m" "$D/milan"
	asked 0
	that '.checks[] | select(.name == "snp.crl.revoked") | .result == "pass"'
	ask 0 "$H/ok" "$CHAINS/turin" "$D/turin"
	asked 2
	ask 0 "$H/ok" "$t" "$D/tdx"
	asked 4
	that '.verdict == "accepted" and .tcb_status == "UpToDate" and all(.checks[] | select(.name | startswith("tdx.revoked")); .result == "pass")'
	ask 0 "$H/ok" "$t" "$D/tdx"
	asked 0
	ask 0 "$H/ok" "$t" --no-cache "$D/tdx"
	asked 4
}

@test "a chip of its own, a TCB of its own: what is cached is of the one that was asked for" {
	ask 0 "$H/ok" "$m" "$D/milan"
	chain other --tcb=ucode=220 --chip-id="$(printf '%0128x' 1)"
	serve other "$dir"
	ask 0 "$H/ok" "$dir" <(lean "$dir")
	asked 1 # the list is the product's
	that '.claims.signing_key.tcb.ucode == 220'
	# the platform's firmware went back: there is no certificate for that
	ask 4 "$H/ok" "$dir" --no-cache --kds-url "$H/ok/good" <(lean "$dir")
	says collateral.missing "$H/ok/good/vcek/v1/Milan/"
}

@test "lists are not asked for when they are not wanted" {
	ask 0 "$H/ok" "$m" --crl=never "$D/milan"
	asked 1
	that '.checks[] | select(.name == "snp.crl") | .result == "skipped" and .detail == "not asked for"'
	ask 0 "$H/ok" "$t" --crl=never "$D/tdx"
	asked 2
	ask 0 "$H/ok" "$t" --tcb=if-available --crl=never "$D/tdx"
	asked 0
}

@test "429, then an answer" {
	ask 0 "$H/busy" "$m" --crl=never "$D/milan"
	asked 2
	ask 4 "$H/limited" "$CHAINS/turin" --crl=never "$D/turin"
	says collateral.rate-limited "$H/limited/good/vcek/v1/Turin/c0ffee5117c0ffee?fmcSPL=01&blSPL=01&teeSPL=01&snpSPL=04&ucodeSPL=81"
	[ -z "$output" ]
}

@test "nobody there: the message has the URL" {
	local gone=http://127.0.0.1:1
	ask 4 "$gone" "$m" "$D/milan"
	[ -z "$output" ]
	says collateral.missing "$gone/good/vcek/v1/Milan/$(jq -r .chip_id "$m/snp.json")?blSPL=04&teeSPL=00&snpSPL=24&ucodeSPL=219"
	ask 4 "$gone" "$t" "$D/tdx"
	[ -z "$output" ]
	says collateral.missing "$gone/good/tdx/certification/v4/tcb?fmspc=90c06f000000"
}

@test "nobody there: what is cached is enough" {
	local gone=http://127.0.0.1:1
	ask 0 "$H/ok" "$m" "$D/milan"
	ask 0 "$H/ok" "$t" "$D/tdx"
	ask 0 "$gone" "$m" "$D/milan"
	ask 0 "$gone" "$t" "$D/tdx"
	that '.tcb_status == "UpToDate"'
	# a list that one may do without is a skipped check, with a warning
	rm "$cache"/crl-*
	ask 0 "$gone" "$m" "$D/milan"
	that '.checks[] | select(.name == "snp.crl") | .result == "skipped"'
	[[ $stderr == *'"level":"warning"'*"$gone/good/vcek/v1/Milan/crl"* ]]
	ask 4 "$H/gone" "$m" --crl=required "$D/milan"
	says collateral.missing "$H/gone/good/vcek/v1/Milan/crl"
}

@test "revoked: intermediate of AMD, CA and leaf and signer of Intel" {
	local which
	chain milan --revoked=ask
	serve revoked "$dir"
	ask 1 "$H/ok" "$dir" <(lean "$dir")
	[ "$(failed)" = snp.crl.revoked ]
	for which in ca:pck_ca pck:pck tcb:qe_identity_signer,tdx.revoked.tcb_info_signer; do
		chain tdx --revoked="${which%:*}"
		serve revoked "$dir"
		ask 1 "$H/ok" "$dir" --no-cache <("$SIM" report "$dir")
		[ "$(failed)" = "tdx.revoked.${which#*:}" ]
	done
	chain tdx --processor --revoked=pck
	serve revoked "$dir"
	ask 1 "$H/ok" "$dir" --no-cache <("$SIM" report "$dir")
	[ "$(failed)" = tdx.revoked.pck ]
}

# dates NAME: the failed check says until when, and which time was looked at.
dates() {
	[[ ,$(failed), == *",$1,"* ]] || fail "$(failed)"
	that --arg n "$1" '.checks[] | select(.name == $n) | .expected == "2024-01-01T00:00:00Z to 2024-02-01T00:00:00Z"
		and (.found | startswith(now | strftime("%Y-%m-%dT"))) and (.detail | contains("expired"))'
}

@test "expired lists and expired TCB info are rejected, with the date" {
	chain milan --crl-from=2024-01-01T00:00:00Z --crl-until=2024-02-01T00:00:00Z
	serve old "$dir"
	ask 1 "$H/ok" "$dir" <(lean "$dir")
	dates snp.crl.validity
	[ ! -e "$cache/crl-vcek-Milan.der" ] # not kept
	# as of then it was good
	chain milan --crl-from=2024-01-01T00:00:00Z --crl-until=2024-02-01T00:00:00Z --not-before=2023-01-01T00:00:00Z
	serve old "$dir"
	ask 0 "$H/ok" "$dir" --at=2024-01-15T00:00:00Z --no-cache <(lean "$dir")
	that '.verified_at == "2024-01-15T00:00:00Z" and .verified_at_given'
	chain tdx --issue-date=2024-01-01T00:00:00Z --next-update=2024-02-01T00:00:00Z
	serve old "$dir"
	ask 1 "$H/ok" "$dir" <("$SIM" report "$dir")
	dates tdx.tcb_info.validity
	dates tdx.qe_identity.validity
	[ ! -e "$cache/tcb_info-90c06f000000.json" ]
	chain tdx --crl-from=2024-01-01T00:00:00Z --crl-until=2024-02-01T00:00:00Z
	serve old "$dir"
	ask 1 "$H/ok" "$dir" --no-cache <("$SIM" report "$dir")
	dates tdx.crl.root.validity
	dates tdx.crl.pck.validity
}

@test "what is cached is verified again when it is read" {
	ask 0 "$H/ok" "$m" "$D/milan"
	chain milan --revoked=ask
	cp "$dir/crl.der" "$cache/crl-vcek-Milan.der"
	ask 1 "$H/ok" "$m" "$D/milan"
	asked 0
	[ "$(failed)" = snp.crl.revoked ]
	flip "$cache/crl-vcek-Milan.der" -1
	ask 1 "$H/ok" "$m" "$D/milan"
	[[ $(failed) == *snp.crl.signature* ]]
}

@test "a service that serves another's" {
	"$SIM" tdx "$BATS_TEST_TMPDIR/other"
	serve other "$BATS_TEST_TMPDIR/other"
	ask 1 "$H/ok" "$t" "$D/tdx"
	[ "$(failed)" = tdx.crl.pck,tdx.crl.root,tdx.qe_identity.root,tdx.tcb_info.root,tdx.tcb_status ]
	chain milan
	cp "$CHAINS/turin/vcek.der" "$dir"
	serve other "$dir"
	ask 1 "$H/ok" "$m" "$D/milan"
	[[ $(failed) == *snp.chain.names*snp.vek.product* ]]
}

@test "fetch fills a directory, which answers where there is no network" {
	local files=$BATS_TEST_TMPDIR/dir
	answers() {
		run -0 --separate-stderr ctr-attest-verify --offline --no-cache --collateral "$files" --crl=required --authenticity-only "$(root "$1")" "$2"
	}
	seen=$(wc -l <"$D/sim.log")
	ok ctr-attest-verify fetch --collateral "$files" --kds-url "$H/ok/good" --pcs-url "$H/ok/good" "$D/milan" "$D/turin" "$D/tdx"
	[[ $output == *tcb_info-90c06f000000.json* ]]
	asked 10 # two chains, too
	answers "$m" "$D/milan"
	answers "$CHAINS/turin" "$D/turin"
	answers "$t" "$D/tdx"
	that '.tcb_status == "UpToDate"'
	cmp "$files/tcb_info-90c06f000000.json" "$t/tcb_info.json" # byte for byte: it is signed
	refuses 4 collateral.missing ctr-attest-verify fetch --errors=json --collateral "$files" --pcs-url http://127.0.0.1:1 "$D/tdx"
	refuses 3 evidence.form ctr-attest-verify fetch --errors=json --collateral "$files" LICENSE
}

@test "lesson: offline modes that still opened sockets" {
	command -v strace >/dev/null || skip "strace is absent"
	local e tool
	for e in milan tdx; do
		tool=(ctr-attest-verify --errors=json --offline --authenticity-only --kds-url "$H/ok/good" --pcs-url "$H/ok/good")
		traced "$BATS_TEST_TMPDIR/trace" "${tool[@]}" --no-cache "$(root "$CHAINS/$e")" --collateral "$CHAINS/$e" "$D/$e" >"$BATS_TEST_TMPDIR/out"
		jq -e '.verdict == "accepted"' "$BATS_TEST_TMPDIR/out"
		run -4 --separate-stderr traced "$BATS_TEST_TMPDIR/trace2" "${tool[@]}" --cache "$cache" "$(root "$CHAINS/$e")" "$D/$e"
		says collateral.offline "$H/ok/good/"
		grep -q 'execve(' "$BATS_TEST_TMPDIR/trace" "$BATS_TEST_TMPDIR/trace2"
		run -1 grep -E 'socket\(|connect\(|libcurl' "$BATS_TEST_TMPDIR/trace" "$BATS_TEST_TMPDIR/trace2"
	done
	# and when it may, it does: else this test sees nothing
	traced "$BATS_TEST_TMPDIR/trace" ctr-attest-verify --authenticity-only --no-cache "$(root "$m")" --kds-url "$H/ok/good" "$D/milan" >"$BATS_TEST_TMPDIR/out"
	grep -q 'socket(' "$BATS_TEST_TMPDIR/trace"
}

@test "what the evidence has is not asked for" {
	ctr-attest-verify bundle --tcb-info="$t/tcb_info.json" --tcb-info-chain="$t/tcb_info_chain.pem" --qe-identity="$t/qe_identity.json" \
		--qe-identity-chain="$t/qe_identity_chain.pem" --pck-crl="$t/pck_crl.der" --root-crl="$t/root_crl.der" "$D/tdx" >"$BATS_TEST_TMPDIR/ev"
	# the list's own chain is that of the quote
	ask 0 "$H/ok" "$t" --offline --crl=required "$BATS_TEST_TMPDIR/ev"
	ctr-attest-verify bundle --vcek="$m/vcek.der" --crl="$m/crl.der" "$D/milan" >"$BATS_TEST_TMPDIR/ev"
	ask 0 "$H/ok" "$m" --offline --crl=required "$BATS_TEST_TMPDIR/ev"
}

@test "many at a time ask once" {
	seen=$(wc -l <"$D/sim.log")
	for _ in {1..12}; do echo "$D/milan"; done >"$BATS_TEST_TMPDIR/names"
	run -0 --separate-stderr ctr-attest-verify --batch --cache "$cache" --kds-url "$H/slow/good" "$(root "$m")" --authenticity-only \
		<"$BATS_TEST_TMPDIR/names"
	asked 2
	[ "$(jq -s 'map(select(.verdict == "accepted")) | length' <<<"$output")" = 12 ]
}
