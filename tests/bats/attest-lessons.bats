#!/usr/bin/env bats
# What bit others, asked of ctr-attest-verify.
# shellcheck disable=SC2016
load helpers
load attest

setup_file() {
	load helpers
	load attest
	make_chains
}

setup() {
	m=$CHAINS/milan t=$CHAINS/tdx
}

# names FILTER: of the checks in $output, those of a list that is not there in full.
names() {
	jq -r "[.checks[] | select($1).name | if . == \"snp.crl\" then \"signature\", \"revoked\", \"validity\" | \"snp.crl.\" + . else . end]
		| unique[]" <<<"$output"
}

demands() {
	jq -n --arg m "$MEASURED" '("0" * 96) as $z | {expect_report_data: ("0" * 128), expect_measurement: $m, expect_host_data: ("0" * 64),
		expect_id_key_digest: $z, expect_author_key_digest: $z, expect_family_id: ("0" * 32), expect_image_id: ("0" * 32),
		expect_report_id: ("0" * 64), expect_report_id_ma: ("f" * 64), expect_chip_id: ("0" * 128), vmpl: 0, min_tcb: {snp: 1},
		min_launch_tcb: {snp: 1}, min_guest_svn: 1, min_version: "1.0", min_policy_abi: "1.0", policy_require: 1, platform_require: 1,
		require_launch_mit: 1, require_current_mit: 1, require_id_block: true, require_author_key: true, trusted_id_keys: [$z],
		expect_reportdata: ("0" * 128), expect_mrtd: $z, expect_rtmr0: $z, expect_rtmr1: $z, expect_rtmr2: $z, expect_rtmr3: $z,
		expect_mrseam: $z, expect_mrsignerseam: $z, expect_mrconfigid: $z, expect_mrowner: $z, expect_mrownerconfig: $z,
		expect_tdattr: ("0" * 16), expect_xfam: ("0" * 16), refuse_advisories: ["A"], min_tcb_eval: 1, allow_migratable: false,
		min_tee_tcb_svn: "01000000000000000000000000000000", require_sept_ve_disable: true, refuse_service_td: true,
		require_memory_integrity: true, require_smt_disabled: true, require_static_platform: true}'
}

@test "lesson: the verdict lists what was not checked" {
	local d
	demands >"$BATS_TEST_TMPDIR/demands"
	for d in "$m" "$t"; do
		mint "$d" >"$BATS_TEST_TMPDIR/ev"
		verify 1 "$d" --authenticity-only --appraisal "$BATS_TEST_TMPDIR/demands" "$BATS_TEST_TMPDIR/ev"
		names '.result != "skipped"' >"$BATS_TEST_TMPDIR/made"
		verify 0 "$d" --authenticity-only --crl=never --tcb=if-available "$BATS_TEST_TMPDIR/ev"
		names true >"$BATS_TEST_TMPDIR/listed"
		# whatever could be asked for is there, as skipped when it was not
		comm -23 "$BATS_TEST_TMPDIR/made" "$BATS_TEST_TMPDIR/listed" >"$BATS_TEST_TMPDIR/missing"
		[ ! -s "$BATS_TEST_TMPDIR/missing" ] || fail "$(<"$BATS_TEST_TMPDIR/missing")"
		that 'all(.checks[] | select(.result == "skipped"); .detail != "")'
		that '[.checks[] | select(.result == "skipped")] | length > 15'
	done
	# a broken part leaves the rest to see: nothing is silently left out
	mint "$m" cpuid_mod_id=0xff >"$BATS_TEST_TMPDIR/ev"
	verify 1 "$m" --authenticity-only "$BATS_TEST_TMPDIR/ev"
	that '[.checks[] | select(.result == "skipped").name] | contains(["snp.tcb.order", "snp.tcb.provisional", "snp.reported_tcb", "snp.launch_tcb"])'
	mint "$m" >"$BATS_TEST_TMPDIR/ev"
	verify 0 "$m" --authenticity-only "$BATS_TEST_TMPDIR/ev"
	that '[.checks[] | select(.result == "skipped").name] | contains(["snp.product", "snp.chip_id.allowed", "snp.measurement"])'
}

@test "lesson: a policy that pinned nothing still said yes" {
	local a=$BATS_TEST_TMPDIR/a
	mint "$m" >"$BATS_TEST_TMPDIR/ev"
	refuses 2 usage ctr-attest-verify --errors=json "$BATS_TEST_TMPDIR/ev"
	for q in '{}' '{"vmpl": 0}' '{"min_tcb": {"snp": 24}}' '{"expect_rtmr0": "'"$(printf '%096d' 0)"'"}'; do
		echo "$q" >"$a"
		refuses 3 appraisal.pins-nothing ctr-attest-verify --errors=json --appraisal "$a" "$BATS_TEST_TMPDIR/ev"
	done
	# a list without a key would be one that lets every key in
	echo '{"trusted_id_keys": []}' >"$a"
	refuses 3 appraisal.value ctr-attest-verify --errors=json --appraisal "$a" "$BATS_TEST_TMPDIR/ev"
	echo '{}' >"$BATS_TEST_TMPDIR/refs"
	verify 1 "$m" --reference-values "$BATS_TEST_TMPDIR/refs" "$BATS_TEST_TMPDIR/ev"
	[ "$(failed)" = reference_values ]
	# what is left open in a set matches nothing
	jq '.snp[0].TrustedMeasurement = null' k8s/examples/snp.json >"$BATS_TEST_TMPDIR/refs"
	verify 1 "$m" --reference-values "$BATS_TEST_TMPDIR/refs" "$BATS_TEST_TMPDIR/ev"
	[ "$(failed)" = snp.measurement ]
	# and who is only asked whether it is genuine says that nobody looked at the guest
	verify 0 "$m" --authenticity-only "$BATS_TEST_TMPDIR/ev"
	that '.checks[] | select(.name == "snp.measurement") | .result == "skipped"'
}

@test "lesson: a policy that holds one kind of guest lets nothing in of the other" {
	echo '{"expect_measurement": "'"$MEASURED"'"}' >"$BATS_TEST_TMPDIR/a"
	verify 0 "$m" --appraisal "$BATS_TEST_TMPDIR/a" <(mint "$m")
	verify 1 "$t" --appraisal "$BATS_TEST_TMPDIR/a" <(mint "$t")
	[ "$(failed)" = appraisal.pins ]
	echo "{\"expect_mrtd\": $(jq .mrtd "$t/tdx.json")}" >"$BATS_TEST_TMPDIR/a"
	verify 0 "$t" --appraisal "$BATS_TEST_TMPDIR/a" <(mint "$t")
	verify 1 "$m" --appraisal "$BATS_TEST_TMPDIR/a" <(mint "$m")
	[ "$(failed)" = appraisal.pins ]
}

@test "lesson: debug is refused unless the manifest says so" {
	local refs=$BATS_TEST_TMPDIR/refs s
	s=$(jq --arg m "$MEASURED" '.snp[0].TrustedMeasurement = $m' k8s/examples/snp.json)
	mint "$m" policy=0xb0000 >"$BATS_TEST_TMPDIR/ev"
	verify 1 "$m" --authenticity-only "$BATS_TEST_TMPDIR/ev"
	that '.checks[] | select(.name == "snp.policy.debug") | .result == "fail" and .expected == "off" and .found == "ON" and .detail != ""'
	echo "$s" >"$refs"
	verify 1 "$m" --reference-values "$refs" "$BATS_TEST_TMPDIR/ev"
	[ "$(failed)" = snp.policy.debug ]
	# what somebody else allows is not what the manifest says
	echo '{"allow_debug": true}' >"$BATS_TEST_TMPDIR/a"
	verify 1 "$m" --reference-values "$refs" --appraisal "$BATS_TEST_TMPDIR/a" "$BATS_TEST_TMPDIR/ev"
	[ "$(failed)" = snp.policy.debug ]
	jq '.snp[0].GuestPolicy.Debug = true' <<<"$s" >"$refs"
	verify 0 "$m" --reference-values "$refs" "$BATS_TEST_TMPDIR/ev"
	mint "$t" tdattributes=0x10000001 >"$BATS_TEST_TMPDIR/ev"
	verify 1 "$t" --authenticity-only "$BATS_TEST_TMPDIR/ev"
	[ "$(failed)" = tdx.tdattributes.debug ]
}

@test "lesson: each failure has code, field, expected, found and remedy" {
	mint "$m" reported_tcb.snp=23 committed_tcb.snp=23 current_tcb.snp=23 launch_tcb.snp=23 >"$BATS_TEST_TMPDIR/ev"
	echo '{"min_tcb": {"snp": 24, "bl": 5}}' >"$BATS_TEST_TMPDIR/a"
	verify 1 "$m" --authenticity-only --appraisal "$BATS_TEST_TMPDIR/a" "$BATS_TEST_TMPDIR/ev"
	that '.checks[] | select(.name == "snp.reported_tcb") | .result == "fail" and .expected == "bl 5, snp 24"
		and .found == "bl 4, tee 0, snp 23, ucode 219"
		and (.detail | test("boot loader is older than the minimum; SNP firmware is older than the minimum: update the host"))'
	jq -es 'last | .id == "snp.report.tcb" and .status == 1 and .message != ""' <<<"$stderr"
	run -1 --separate-stderr ctr-attest-verify --offline --no-cache --collateral "$m" "$(root "$m")" --authenticity-only "$BATS_TEST_TMPDIR/ev"
	[[ $stderr == *"snp.report.tcb: expected bl 4, tee 0, snp 24, ucode 219, found bl 4, tee 0, snp 23, ucode 219"* ]]
}

@test "lesson: an all-zero chip id has its own message" {
	refuses 4 collateral.chip-id ctr-attest-verify --errors=json --no-cache --authenticity-only --kds-url=http://127.0.0.1:1 \
		<("$SIM" report "$m" chip_id=00)
	mint "$m" chip_id=00 >"$BATS_TEST_TMPDIR/ev"
	verify 1 "$m" --authenticity-only "$BATS_TEST_TMPDIR/ev"
	that '.checks[] | select(.name == "snp.report.chip_id") | .result == "fail" and .found == "zero" and (.detail | test("MASK_CHIP_ID"))'
}

@test "lesson: any genuine machine accepted" {
	local refs=$BATS_TEST_TMPDIR/refs id
	id=$(jq -r .chip_id "$m/snp.json")
	chain milan --chip-id="$(printf '%0128x' 1)"
	jq --arg m "$MEASURED" --arg id "$id" '.snp[0] |= (.TrustedMeasurement = $m | .AllowedChipIDs = [$id])' k8s/examples/snp.json >"$refs"
	verify 0 "$m" --reference-values "$refs" <(mint "$m")
	verify 1 "$dir" --reference-values "$refs" <(mint "$dir")
	[ "$(failed)" = snp.chip_id.allowed ]
	that '.claims.authenticated'
	jq 'del(.snp[0].AllowedChipIDs)' "$refs" >"$refs.any"
	verify 0 "$dir" --reference-values "$refs.any" <(mint "$dir")
}

@test "lesson: who does not know the platform's state knows no advisories" {
	mint "$t" >"$BATS_TEST_TMPDIR/ev"
	mkdir "$BATS_TEST_TMPDIR/none"
	cp "$t/root.der" "$BATS_TEST_TMPDIR/none"
	verify 0 "$BATS_TEST_TMPDIR/none" --authenticity-only --tcb=if-available "$BATS_TEST_TMPDIR/ev"
	that '.tcb_status == null'
	echo '{"refuse_advisories": ["INTEL-SA-00001"]}' >"$BATS_TEST_TMPDIR/a"
	verify 1 "$BATS_TEST_TMPDIR/none" --authenticity-only --tcb=if-available --appraisal "$BATS_TEST_TMPDIR/a" "$BATS_TEST_TMPDIR/ev"
	[ "$(failed)" = tdx.advisories ]
}

@test "lesson: a TCB change cut off machines unnoticed" {
	local soon
	soon=$(date -u -d '+3 days' +%Y-%m-%dT%H:%M:%SZ)
	expires() { # DIR ITEM OPTION...
		verify 0 "$1" --authenticity-only "${@:3}" <(mint "$1")
		jq -es --arg i "$2" 'any(.id == "collateral.expires" and .level == "warning" and (.message | startswith($i)))' <<<"$stderr" \
			>/dev/null || fail "$2: $stderr"
		that --arg i "$2" --arg at "$soon" '.collateral_expires == $at and .collateral_expires_first == $i'
	}
	chain milan --crl-until="$soon"
	expires "$dir" CRL
	verify 0 "$dir" --authenticity-only --warn-days=2 <(mint "$dir")
	[ -z "$stderr" ]
	verify 0 "$dir" --authenticity-only --warn-days=0 <(mint "$dir")
	[ -z "$stderr" ]
	# each by itself
	chain milan --not-after="$soon" --crl-until="$soon" --ca-not-after="$soon"
	verify 0 "$dir" --authenticity-only <(mint "$dir")
	jq -es '[.[] | select(.id == "collateral.expires") | .message | sub(" expires.*"; "")] | sort ==
		["ARK", "ASK or ASVK", "CRL", "VCEK or VLEK"]' <<<"$stderr"
	chain tdx --not-after="$soon" --crl-until="$soon" --next-update="$soon" --ca-not-after="$soon"
	verify 0 "$dir" --authenticity-only <(mint "$dir")
	jq -es '[.[] | select(.id == "collateral.expires") | .message | sub(" expires.*"; "")] | sort ==
		["PCK chain", "pck_crl", "qe_identity", "qe_identity_chain", "root_crl", "tcb_info", "tcb_info_chain"]' <<<"$stderr"
	chain milan --not-after="$soon"
	expires "$dir" 'VCEK or VLEK'
	verify 0 "$m" --authenticity-only <(mint "$m")
	[ -z "$stderr" ]
	expires_tdx() { # ITEM FILE OPTION...
		copy_of tdx
		local whole=$dir
		chain tdx "${@:3}"
		cp "$dir/$2" "$whole"
		expires "$whole" "$1"
	}
	expires_tdx tcb_info tcb_info.json --next-update="$soon"
	expires_tdx qe_identity qe_identity.json --next-update="$soon"
	expires_tdx root_crl root_crl.der --crl-until="$soon"
	expires_tdx pck_crl pck_crl.der --crl-until="$soon"
	expires_tdx tcb_info_chain tcb_info_chain.pem --ca-not-after="$soon"
}

@test "a quoting enclave without its identity must still be Intel's" {
	local f
	for f in qe_mrsigner=07 qe_isvprodid=1 qe_attributes=17; do
		mint "$t" "$f" >"$BATS_TEST_TMPDIR/e"
		verify 1 "$BATS_TEST_TMPDIR" "$(root "$t")" --authenticity-only --tcb=if-available --crl=never "$BATS_TEST_TMPDIR/e"
		[[ $(failed) == tdx.qe.* ]] || fail "$f: $(failed)"
		that '.claims.authenticated == false'
	done
	mint "$t" >"$BATS_TEST_TMPDIR/e"
	verify 0 "$BATS_TEST_TMPDIR" "$(root "$t")" --authenticity-only --tcb=if-available --crl=never "$BATS_TEST_TMPDIR/e"
}
