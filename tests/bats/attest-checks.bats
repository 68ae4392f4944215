#!/usr/bin/env bats
# Every check of a verdict fails for its own reason: `rejects NAMES ...` is evidence for which exactly these fail.
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

snp_set() { # JQ: a set that the Milan is, changed
	set_of snp "$(jq --arg m "$MEASURED" ".snp[0] | .TrustedMeasurement = \$m | $1" k8s/examples/snp.json)"
}

# shellcheck disable=SC2034 # rejects takes what is in `after`
@test "SNP: who signed the report, and is it for this chip and firmware" {
	rejects snp.report.signer "$m" signer_info=0x1c
	rejects snp.report.signer "$m" signer_info=2
	rejects snp.report.tcb "$m" reported_tcb.snp=23
	rejects snp.report.tcb "$m" ucode=218
	rejects snp.report.chip_id "$m" chip_id=01
	rejects snp.product,snp.report.product "$m" cpuid_mod_id=0xff
	rejects snp.product,snp.report.product "$m" cpuid_mod_id=0x11
	after=(flip 144)
	rejects snp.report.signature "$m"
	after=(flip 672)
	rejects snp.report.signature "$m"
	after=(flip 744)
	rejects snp.report.signature "$m"
}

@test "SNP: the chain" {
	local f oid=1.3.6.1.4.1.3704.1
	for f in ark ask vcek; do
		copy_of milan
		flip "$dir/$f.der" -1
		rejects "snp.chain.${f/vcek/vek}" "$dir" # snp.chain.ark snp.chain.ask snp.chain.vek
	done
	# another family's intermediate, which has the same key here
	copy_of milan
	cp "$CHAINS/turin/ask.der" "$dir"
	rejects snp.chain.names,snp.product,snp.vek.product "$dir"
	chain milan "--ext=$oid.2=160547656E6F61"
	rejects snp.vek.product "$dir"
	chain milan "--ext=$oid.4="
	rejects snp.vek.extensions "$dir"
	chain milan "--ext=+$oid.3.1=020109"
	rejects snp.chain.vek,snp.vek.extensions "$dir"
	copy_of milan
	rm "$dir/vcek.key"
	openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$dir/vcek.key" 2>/dev/null
	"$SIM" --keys="$KEYS" snp "$dir"
	cp "$m/vcek.key" "$dir" # what signs the report; the certificate is of the other key
	rejects snp.vek.key "$dir"
	# a VLEK's report with a VCEK, and the other way round
	copy_of milan
	mv "$dir/vcek.der" "$dir/vlek.der"
	rejects snp.chain.names,snp.product,snp.vek.kind,snp.vek.product "$dir" signer_info=4
	copy_of vlek
	mv "$dir/vlek.der" "$dir/vcek.der"
	rejects snp.chain.names,snp.product,snp.vek.kind,snp.vek.product "$dir" signer_info=0
}

@test "SNP: the pinned root" {
	root() { echo --insecure-test-root="$CHAINS/tdx/root.der"; }
	rejects snp.chain.root "$m"
	root() { echo --crl=if-available; } # AMD's
	rejects snp.chain.root "$m"
}

@test "SNP: times and lists" {
	chain milan --not-after=2024-01-01T00:00:00Z --not-before=2023-01-01T00:00:00Z
	rejects snp.vek.validity "$dir"
	chain milan --ca-not-before=2035-01-01T00:00:00Z
	cp "$m/ark.der" "$dir"
	rejects snp.ask.validity "$dir"
	chain milan --ca-not-after=2024-01-01T00:00:00Z
	cp "$m/ask.der" "$dir"
	rejects snp.ark.validity "$dir"
	chain milan --revoked=ask
	rejects snp.crl.revoked "$dir"
	chain milan --revoked=ark
	rejects snp.crl.revoked "$dir"
	chain milan --crl-from=2024-01-01T00:00:00Z --crl-until=2024-02-01T00:00:00Z
	rejects snp.crl.validity "$dir"
	copy_of milan
	flip "$dir/crl.der" -1
	rejects snp.crl.signature "$dir"
	cp "$CHAINS/turin/crl.der" "$dir"
	rejects snp.crl.signature "$dir"
}

@test "SNP: each value that can be asked for" {
	local v
	for v in report_data:64 measurement:48 host_data:32 id_key_digest:48 author_key_digest:48 family_id:16 image_id:16 \
		report_id:32 report_id_ma:32 chip_id:64; do
		asked "{\"expect_${v%:*}\": \"$(printf "%0$((2 * ${v#*:}))d" 7)\"}"
		rejects "snp.${v%:*}" "$m" # snp.report_data snp.measurement snp.host_data snp.id_key_digest snp.author_key_digest
		# snp.family_id snp.image_id snp.report_id snp.report_id_ma snp.chip_id
	done
}

@test "SNP: each demand of an appraisal" {
	local v k
	k=$(printf '%096d' 7)
	rejects snp.policy.debug "$m" policy=0xb0000
	rejects snp.policy.migrate_ma "$m" policy=0x70000
	rejects snp.tcb.order "$m" launch_tcb.snp=25
	rejects snp.tcb.provisional "$m" current_tcb.snp=25
	rejects snp.tcb.provisional "$m" current_build=30
	asked '{"allow_smt": false}'
	rejects snp.policy "$m"
	asked '{"policy_require": "0x100000"}'
	rejects snp.policy "$m"
	asked '{"min_policy_abi": "1.55"}'
	rejects snp.policy.abi "$m" policy=0x30136
	asked '{"vmpl": 0}'
	rejects snp.vmpl "$m" vmpl=1
	asked '{"platform_require": 2}'
	rejects snp.platform_info "$m"
	asked '{"platform_forbid": 1}'
	rejects snp.platform_info "$m"
	asked '{"min_guest_svn": 8}'
	rejects snp.guest_svn "$m" guest_svn=7
	asked '{"require_launch_mit": 5}'
	rejects snp.launch_mit_vector "$m" version=5 launch_mit_vector=4
	asked '{"require_current_mit": 5}'
	rejects snp.current_mit_vector "$m" version=5 current_mit_vector=1
	asked '{"require_id_block": true}'
	rejects snp.id_block "$m"
	asked "{\"trusted_id_keys\": [\"$k\"]}"
	rejects snp.id_key "$m" id_key_digest=08
	asked '{"require_author_key": true}'
	rejects snp.author_key "$m" author_key_digest=08
	asked "{\"trusted_author_keys\": [\"$k\"]}"
	rejects snp.author_key "$m" author_key_digest=08 signer_info=1
	for v in '"min_version": "1.56"' '"min_build": 30' '"min_version": "1.55", "min_build": 30'; do
		asked "{$v}"
		rejects snp.firmware "$m"
	done
	for v in bl:5 tee:1 snp:25 ucode:220 fmc:1; do
		asked "{\"min_tcb\": {\"${v%:*}\": ${v#*:}}}"
		rejects snp.reported_tcb "$m"
		asked "{\"min_launch_tcb\": {\"${v%:*}\": ${v#*:}}}"
		rejects snp.launch_tcb "$m"
	done
}

@test "SNP: each member of a reference value" {
	snp_set '.ProductName = "Genoa"'
	rejects snp.product "$m"
	snp_set '.AllowedChipIDs = ["'"$(printf '%0128d' 7)"'"]'
	rejects snp.chip_id.allowed "$m"
	snp_set '.TrustedMeasurement = "'"$(printf '%096d' 7)"'"'
	rejects snp.measurement "$m"
	snp_set '.TrustedMeasurement = null'
	rejects snp.measurement "$m"
	snp_set '.MinimumTCB.SNPVersion = 25'
	rejects snp.reported_tcb "$m"
	snp_set '.MinimumTCB.MicrocodeVersion = null'
	rejects snp.reported_tcb "$m"
	snp_set '.GuestPolicy.SMT = false'
	rejects snp.policy "$m"
	snp_set '.GuestPolicy = null'
	rejects snp.policy "$m"
	snp_set '.GuestPolicy.ABIMajor = 1'
	rejects snp.policy.abi "$m"
	snp_set '.PlatformInfo.SMTEnabled = false'
	rejects snp.platform_info "$m"
	snp_set '.PlatformInfo = null'
	rejects snp.platform_info "$m"
	snp_set '.MinimumMitigationVector = 3'
	rejects snp.current_mit_vector "$m" version=5 launch_mit_vector=3
	rejects snp.current_mit_vector,snp.launch_mit_vector "$m"
	snp_set .
	rejects snp.vmpl "$m" vmpl=2
	set_of tdx ''
	rejects reference_values "$m"
	set_of snp ''
	rejects reference_values "$t"
}

@test "the policy's hash and role" {
	jq --arg m "$MEASURED" '{ReferenceValues: (.snp[0].TrustedMeasurement = $m), Policies: {
		"'"$(printf '%064d' 7)"'": {"SANs": [], "Role": "coordinator"},
		"'"$(printf '%064d' 8)"'": {"SANs": []}}}' k8s/examples/snp.json >"$BATS_TEST_TMPDIR/manifest"
	options=(--manifest "$BATS_TEST_TMPDIR/manifest")
	rejects policy.listed "$m" host_data=0a
	options+=(--role coordinator)
	rejects policy.role "$m" "host_data=$(printf '%064d' 8)"
	rejects policy.listed,policy.role "$m"
	asked '{"expect_measurement": "'"$MEASURED"'"}'
	options=("${options[@]:1}")
	rejects appraisal.pins "$t"
}

@test "each check that the sources name has its rejection here" {
	local f want
	f=(lib/snp_verify.c lib/snp_chain.c lib/appraise_snp.c lib/tdx_verify.c lib/tdx_trust.c lib/appraise_tdx.c lib/verdict.c)
	want=$(
		# names of skipped checks alone are none that could fail
		grep -vhE 'ctr_check_skip|#include' "${f[@]}" | grep -ohE '"((snp|tdx|policy|appraisal)(\.[a-z0-9_]+)+|reference_values)"' | tr -d '"'
		sed -n 's/.*= ROW(\([a-z0-9_]*\)),/snp.\1/p' lib/appraise_snp.c
		sed -n 's/.*= ROW("\([a-z0-9_]*\)".*/tdx.\1/p' lib/appraise_tdx.c
	)
	[ "$(wc -l <<<"$want")" -gt 100 ]
	while read -r f; do
		grep -vE '^	+asked' tests/bats/attest-checks.bats tests/bats/attest-checks-tdx.bats |
			grep -qE "(rejects|#) .*\b${f//./\\.}([ ,]|\$)" || fail "$f: no rejection"
	done < <(sort -u <<<"$want")
}
