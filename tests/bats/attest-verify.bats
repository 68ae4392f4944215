#!/usr/bin/env bats
# ctr-attest-verify: the ways to ask, the forms of evidence, the exit statuses.
# shellcheck disable=SC2016
load helpers
load attest

setup_file() {
	load helpers
	load attest
	make_chains
	mint "$CHAINS/milan" report_data="$DATA" >"$BATS_FILE_TMPDIR/snp"
	mint "$CHAINS/tdx" report_data="$DATA" >"$BATS_FILE_TMPDIR/tdx"
	sets >"$BATS_FILE_TMPDIR/refs"
	manifest >"$BATS_FILE_TMPDIR/manifest"
}

setup() {
	m=$CHAINS/milan t=$CHAINS/tdx snp=$BATS_FILE_TMPDIR/snp tdx=$BATS_FILE_TMPDIR/tdx
	refs=$BATS_FILE_TMPDIR/refs manifest=$BATS_FILE_TMPDIR/manifest
}

COORDINATOR=$(printf '%064x' 0xc0) WEB=$(printf '%064x' 0x3eb)

# Three sets for SNP, of which the last is what the simulated machines are; one for TDX.
sets() {
	jq --arg m "$MEASURED" --slurpfile t "$CHAINS/tdx/tdx.json" '.snp[0] as $s | {
		snp: [($s | .TrustedMeasurement |= "07" + .[2:]), ($s | .TrustedMeasurement = $m | .MinimumTCB.SNPVersion = 99),
			($s | .TrustedMeasurement = $m)],
		tdx: [$t[0] | {MrTd: .mrtd, MrSeam: .mrseam, Rtmrs: [.rtmr0, .rtmr1, .rtmr2, "0" * 96], Xfam: "e702060000000000"}]}' \
		k8s/examples/snp.json
}

manifest() {
	sets | jq --arg c "$COORDINATOR" --arg w "$WEB" '{ReferenceValues: ., Policies: {
		($c): {SANs: ["coordinator"], Role: "coordinator"}, ($w): {SANs: ["web"]}}}'
}

@test "a manifest: any listed policy, one policy, the coordinator's" {
	mint "$m" host_data="$WEB" report_data="$DATA" >"$BATS_TEST_TMPDIR/web"
	mint "$m" host_data="$COORDINATOR" report_data="$DATA" >"$BATS_TEST_TMPDIR/coordinator"
	mint "$t" mrconfigid="$WEB" report_data="$DATA" >"$BATS_TEST_TMPDIR/web-tdx"
	local q=(--manifest "$manifest" --report-data "$DATA")
	verify 0 "$m" "${q[@]}" "$BATS_TEST_TMPDIR/web"
	[ -z "$stderr" ]
	that '.verdict == "accepted" and .tee == "snp" and .product == "Milan" and .matched_reference_value == 2'
	that --arg w "$WEB" '.claims.authenticated and .claims.host_data == $w'
	verify 0 "$m" "${q[@]}" --role coordinator "$BATS_TEST_TMPDIR/coordinator"
	verify 1 "$m" "${q[@]}" --role coordinator "$BATS_TEST_TMPDIR/web"
	[ "$(failed)" = policy.role ]
	verify 0 "$m" "${q[@]}" --policy-hash "$WEB" "$BATS_TEST_TMPDIR/web"
	verify 1 "$m" "${q[@]}" --policy-hash "$WEB" "$BATS_TEST_TMPDIR/coordinator"
	that '[.checks[] | select(.name == "snp.host_data" and .result == "fail")] | length == 3'
	verify 1 "$m" "${q[@]}" "$snp"
	[ "$(failed)" = policy.listed ]
	verify 0 "$t" "${q[@]}" "$BATS_TEST_TMPDIR/web-tdx"
	that '.verdict == "accepted" and .tee == "tdx" and .matched_reference_value == 0 and .tcb_status == "UpToDate"'
	# MRCONFIGID has 16 bytes more: they are zero, or it is something else
	mint "$t" mrconfigid="${WEB}01" report_data="$DATA" >"$BATS_TEST_TMPDIR/longer"
	verify 1 "$t" "${q[@]}" "$BATS_TEST_TMPDIR/longer"
	[ "$(failed)" = policy.listed ]
	verify 1 "$m" --manifest "$manifest" --report-data "${DATA/5117/5118}" "$BATS_TEST_TMPDIR/web"
	[ "$(failed)" = snp.measurement,snp.report_data,snp.reported_tcb ]
}

@test "reference values: the set that matched, else what each one would have it be" {
	verify 0 "$m" --reference-values "$refs" --report-data "$DATA" "$snp"
	that '.matched_reference_value == 2 and all(.checks[]; .result != "fail")'
	that '[.checks[].reference_value | numbers] | unique == [2]' # those of the others are not shown
	jq 'del(.snp[2])' "$refs" >"$BATS_TEST_TMPDIR/two"
	verify 1 "$m" --reference-values "$BATS_TEST_TMPDIR/two" --report-data "$DATA" "$snp"
	that --arg m "$MEASURED" '[.checks[] | select(.result == "fail")] | length == 2 and
		(.[0] | .name == "snp.measurement" and .reference_value == 0 and .found == $m and (.expected | startswith("07"))) and
		(.[1] | .name == "snp.reported_tcb" and .reference_value == 1 and .expected == "bl 4, tee 0, snp 99, ucode 219"
			and .found == "bl 4, tee 0, snp 24, ucode 219" and (.detail | test("SNP firmware is older than the minimum")))'
	# several files are one list
	jq '{snp: [.snp[2]]}' "$refs" >"$BATS_TEST_TMPDIR/third"
	verify 0 "$m" --reference-values "$BATS_TEST_TMPDIR/two" --reference-values "$BATS_TEST_TMPDIR/third" --report-data "$DATA" "$snp"
	that '.matched_reference_value == 2'
}

@test "an appraisal, alone and with what the command line asks" {
	echo '{"expect_measurement": "'"$MEASURED"'", "min_tcb": {"snp": 24}}' >"$BATS_TEST_TMPDIR/a"
	verify 0 "$m" --appraisal "$BATS_TEST_TMPDIR/a" --report-data "$DATA" "$snp"
	that '.matched_reference_value == null'
	verify 1 "$m" --appraisal "$BATS_TEST_TMPDIR/a" --report-data "${DATA/5117/5118}" "$snp"
	[ "$(failed)" = snp.report_data ]
	verify 1 "$m" --appraisal "$BATS_TEST_TMPDIR/a" --report-data "$DATA" --policy-hash "$WEB" "$snp"
	[ "$(failed)" = snp.host_data ]
	# with a manifest it is asked for besides
	echo '{"min_tcb": {"snp": 25}}' >"$BATS_TEST_TMPDIR/a"
	verify 1 "$m" --appraisal "$BATS_TEST_TMPDIR/a" --reference-values "$refs" --report-data "$DATA" "$snp"
	that '[.checks[] | select(.name == "snp.reported_tcb") | .expected] == ["bl 4, tee 0, snp 25, ucode 219",
		"bl 4, tee 0, snp 99, ucode 219", "bl 4, tee 0, snp 25, ucode 219"]'
}

@test "inspect believes nothing" {
	ok ctr-attest-verify --inspect "$snp"
	that '.tee == "snp" and .claims.authenticated == false and .evidence.report == 1184 and .claims.reported_tcb.snp == 24'
	that 'has("verdict") or has("checks") | not'
	ok ctr-attest-verify --inspect "$tdx"
	that '.tee == "tdx" and .claims.authenticated == false'
	verify 0 "$m" --authenticity-only "$snp"
	that '.claims.authenticated and .claims.signing_key.kind == "vcek"'
	"$SIM" report "$m" >"$BATS_TEST_TMPDIR/r"
	flip "$BATS_TEST_TMPDIR/r" 700
	verify 1 "$m" --authenticity-only <(bundle "$m" "$BATS_TEST_TMPDIR/r")
	that '.claims.authenticated == false'
}

@test "what a machine issues is what verifies" {
	local dir=$m
	for dir in "$m" "$CHAINS/turin" "$CHAINS/vlek" "$t"; do
		ctr-attest-verify --issue --report-data "$DATA" --platform "sim:$dir" >"$BATS_TEST_TMPDIR/ev"
		echo '{"expect_report_data": "'"$DATA"'", "expect_reportdata": "'"$DATA"'"}' >"$BATS_TEST_TMPDIR/a"
		verify 0 "$dir" --authenticity-only --appraisal "$BATS_TEST_TMPDIR/a" "$BATS_TEST_TMPDIR/ev"
		# a machine that lies
		ctr-attest-verify --issue --report-data "$DATA" --platform "sim:$dir,report_data=07" >"$BATS_TEST_TMPDIR/ev"
		verify 1 "$dir" --authenticity-only --report-data "$DATA" "$BATS_TEST_TMPDIR/ev"
		[[ $(failed) == *.report*data ]]
	done
}

@test "forms: CBOR, bare report and quote, hexadecimal, base64; file and standard input" {
	local f d
	for d in "$m" "$t"; do
		"$SIM" report "$d" >"$BATS_TEST_TMPDIR/raw"
		bundle "$d" "$BATS_TEST_TMPDIR/raw" >"$BATS_TEST_TMPDIR/cbor"
		for f in raw cbor; do
			xxd -p "$BATS_TEST_TMPDIR/$f" >"$BATS_TEST_TMPDIR/$f.hex"
			base64 "$BATS_TEST_TMPDIR/$f" >"$BATS_TEST_TMPDIR/$f.base64"
			base64 -w0 "$BATS_TEST_TMPDIR/$f" >"$BATS_TEST_TMPDIR/$f.base64-line"
		done
		for f in "$BATS_TEST_TMPDIR"/{raw,cbor}*; do
			ok ctr-attest-verify --inspect "$f"
			that '.claims.authenticated == false'
			ok ctr-attest-verify --inspect - <"$f"
			[[ $f != *cbor* ]] || verify 0 "$d" --authenticity-only <"$f"
		done
	done
	verify 0 "$t" --authenticity-only "$BATS_TEST_TMPDIR/raw.hex" # a quote has its chain
	# a bare report finds all of its endorsements in the directory
	verify 0 "$m" --authenticity-only <("$SIM" report "$m")
}

@test "usage errors: 2, nothing on standard output, the usage line" {
	local q
	while read -r -a q; do
		refuses 2 usage ctr-attest-verify --errors=json "${q[@]}" </dev/null
		run -2 --separate-stderr ctr-attest-verify "${q[@]}" </dev/null
		[[ $stderr == *"usage: ctr-attest-verify"* ]]
	done <<-END

		--no-such-option
		--authenticity-only --inspect
		--manifest=$manifest --authenticity-only
		--reference-values=$refs --inspect
		--issue --inspect
		--issue
		--issue --report-data=$DATA file
		--authenticity-only --report-data=0102
		--authenticity-only --report-data=${DATA}00
		--authenticity-only --report-data=x${DATA:1}
		--authenticity-only --policy-hash=00
		--authenticity-only --crl=perhaps
		--authenticity-only --tcb=perhaps
		--authenticity-only --at=yesterday
		--authenticity-only --at=2026-02-30T00:00:00Z
		--manifest=$manifest --role=owner
		--reference-values=$refs --role=coordinator
		--authenticity-only one two
		--authenticity-only --batch one
		fetch
	END
	refuses 2 number ctr-attest-verify --errors=json --authenticity-only --warn-days=-1
	refuses 2 number ctr-attest-verify --errors=json --authenticity-only --warn-days=3651
	refuses 2 platform.spec ctr-attest-verify --errors=json --issue --report-data "$DATA" --platform=tpm
	refuses 2 collateral.url ctr-attest-verify --errors=json --authenticity-only --kds-url=ftp://h/ "$snp"
}

@test "what cannot be read: 3, and nothing on standard output" {
	local q=(ctr-attest-verify --errors=json --offline --no-cache --collateral "$m" "$(root "$m")" --authenticity-only)
	refuses 3 evidence.form "${q[@]}" </dev/null
	refuses 3 evidence.form "${q[@]}" <<<"no evidence"
	"$SIM" report "$m" >"$BATS_TEST_TMPDIR/r"
	refuses 3 evidence.form "${q[@]}" < <(head -c 1183 "$BATS_TEST_TMPDIR/r")
	refuses 3 snp.version "${q[@]}" < <(bundle "$m" <("$SIM" report "$m" version=6))
	refuses 3 snp.field "${q[@]}" < <(bundle "$m" <("$SIM" report "$m" signature_algo=2))
	refuses 3 snp.reserved "${q[@]}" < <(bundle "$m" <("$SIM" report "$m" policy=0x10000))
	refuses 3 evidence.cbor "${q[@]}" < <(head -c 2000 "$snp")
	refuses 3 x509.der "${q[@]}" < <(ctr-attest-verify bundle --vcek=LICENSE "$BATS_TEST_TMPDIR/r")
	refuses 3 tdx.length ctr-attest-verify --errors=json --inspect < <("$SIM" report "$t" | head -c 3000)
	refuses 3 json.syntax ctr-attest-verify --errors=json --manifest LICENSE "$snp"
	echo '{"snp": [{"Unknown": 1}]}' >"$BATS_TEST_TMPDIR/refs"
	refuses 3 json.unknown ctr-attest-verify --errors=json --reference-values "$BATS_TEST_TMPDIR/refs" "$snp"
	echo '{"expect_measurement": "00"}' >"$BATS_TEST_TMPDIR/a"
	refuses 3 json.hex ctr-attest-verify --errors=json --appraisal "$BATS_TEST_TMPDIR/a" "$snp"
	refuses 3 x509.der ctr-attest-verify --errors=json --authenticity-only --insecure-test-root LICENSE "$snp"
}

@test "what is not there: 4, and nothing on standard output" {
	local q=(ctr-attest-verify --errors=json --offline --no-cache "$(root "$m")" --authenticity-only)
	refuses 4 open "${q[@]}" "$BATS_TEST_TMPDIR/absent"
	refuses 4 open "${q[@]}" --collateral "$BATS_TEST_TMPDIR/absent" "$BATS_TEST_TMPDIR/report"
	refuses 4 collateral.offline "${q[@]}" <("$SIM" report "$m")
	refuses 4 collateral.offline "${q[@]}" --crl=required "$snp"
	refuses 4 collateral.vlek "${q[@]}" <("$SIM" report "$m" signer_info=4)
	refuses 4 collateral.offline "${q[@]}" "$tdx"
	refuses 4 platform.open ctr-attest-verify --errors=json --issue --report-data "$DATA" --platform tdx-guest
	run -4 bash -c 'ctr-attest-verify --inspect "$1" >/dev/full' - "$snp"
	[[ $output == *"standard output"* ]]
}

@test "an option never takes the place of what the appraisal file asks for" {
	local other
	other=$(printf '%0128x' 7)
	conflict() { # MEMBER VALUE OPTION
		jq -n --arg k "$1" --arg v "$2" '{($k): $v}' >"$BATS_TEST_TMPDIR/a"
		refuses 2 usage ctr-attest-verify --errors=json --offline --authenticity-only --appraisal "$BATS_TEST_TMPDIR/a" "$3" LICENSE
	}
	conflict expect_report_data "$other" "--report-data=$DATA"
	conflict expect_reportdata "$other" "--report-data=$DATA"
	conflict expect_host_data "${other:0:64}" "--policy-hash=${DATA:64}"
	conflict expect_mrconfigid "${other:0:96}" "--policy-hash=${DATA:64}"
	# the same value twice is no conflict
	jq -n --arg v "$DATA" '{expect_report_data: $v}' >"$BATS_TEST_TMPDIR/a"
	refuses 3 evidence.form ctr-attest-verify --errors=json --offline --authenticity-only --appraisal "$BATS_TEST_TMPDIR/a" --report-data "$DATA" LICENSE
}
