#!/usr/bin/env bats
# As attest-checks.bats, for TDX: every check fails for its own reason.
load helpers
load attest

setup_file() {
	load helpers
	load attest
	make_chains
	# an other vendor, whose every signature is good
	"$SIM" tdx "$CHAINS/other"
}

setup() {
	t=$CHAINS/tdx
	XFAM=$(ctr-attest-verify --inspect <("$SIM" report "$t") | jq -r .claims.xfam)
}

# mix FILE...: in $dir, the chain without flaw but for these files of the chain in $from.
mix() {
	copy_of tdx
	for f; do cp "$from/$f" "$dir"; done
}

tdx_set() { # JQ: a set that the TD is, changed
	set_of tdx "$(jq --arg zero "$(printf '%096d' 0)" \
		"{MrTd: .mrtd, MrSeam: .mrseam, Rtmrs: [.rtmr0, .rtmr1, .rtmr2, \$zero], Xfam: \"$XFAM\"} | $1" "$t/tdx.json")"
}

# shellcheck disable=SC2034 # rejects takes what is in `after`
@test "TDX: the quote" {
	rejects tdx.qe.binding "$t" qe_report_data=07
	after=(flip 636) # signature
	rejects tdx.quote.signature "$t"
	after=(flip 184) # MRTD
	rejects tdx.quote.signature "$t"
	after=(flip 1154) # signature of the quoting enclave
	rejects tdx.qe.signature "$t"
}

@test "TDX: the quote's chain" {
	copy_of tdx
	flip_pem "$dir/pck_chain.pem"
	rejects tdx.pck.chain "$dir"
	chain tdx --not-after=2024-01-01T00:00:00Z --not-before=2023-01-01T00:00:00Z
	rejects tdx.pck.validity "$dir"
	chain tdx "--ext=1.2.840.113741.1.13.1="
	options+=(--tcb=if-available) # else nobody knows what to ask for
	rejects tdx.pck.extension "$dir"
	options=(--authenticity-only --crl=never)
	root() { echo --insecure-test-root="$CHAINS/other/root.der"; }
	from=$CHAINS/other
	mix {tcb_info,qe_identity}{.json,_chain.pem}
	rejects tdx.pck.root "$dir"
	mix tcb_info{.json,_chain.pem}
	rejects tdx.pck.root,tdx.qe_identity.root "$dir"
}

@test "TDX: the pinned root" {
	root() { echo --crl=if-available; } # Intel's
	rejects tdx.pck.root,tdx.qe_identity.root,tdx.tcb_info.root "$t"
}

@test "TDX: revocation lists" {
	from=$CHAINS/other
	mix root_crl.der
	rejects tdx.crl.root "$dir"
	mix pck_crl.der
	rejects tdx.crl.pck "$dir"
	chain tdx --crl-from=2024-01-01T00:00:00Z --crl-until=2024-02-01T00:00:00Z
	from=$dir
	mix root_crl.der
	rejects tdx.crl.root.validity "$dir"
	mix pck_crl.der
	rejects tdx.crl.pck.validity "$dir"
	chain tdx --revoked=ca
	rejects tdx.revoked.pck_ca "$dir"
	chain tdx --revoked=pck
	rejects tdx.revoked.pck "$dir"
	chain tdx --revoked=tcb
	rejects tdx.revoked.qe_identity_signer,tdx.revoked.tcb_info_signer "$dir"
	from=$dir
	mix root_crl.der tcb_info_chain.pem
	rejects tdx.revoked.tcb_info_signer "$dir"
	mix root_crl.der qe_identity_chain.pem
	rejects tdx.revoked.qe_identity_signer "$dir"
}

@test "TDX: TCB info" {
	from=$CHAINS/other options+=(--crl=never)
	mix tcb_info{.json,_chain.pem}
	rejects tdx.tcb_info.root,tdx.tcb_status "$dir"
	mix tcb_info.json
	rejects tdx.tcb_info.signature,tdx.tcb_status "$dir"
	copy_of tdx
	sed -i 's/"svn":4/"svn":3/' "$dir/tcb_info.json"
	rejects tdx.tcb_info.signature,tdx.tcb_status "$dir"
	copy_of tdx
	flip_pem "$dir/tcb_info_chain.pem"
	rejects tdx.tcb_info.chain,tdx.tcb_status "$dir"
	chain tdx --ca-not-after=2024-01-01T00:00:00Z
	from=$dir
	mix tcb_info_chain.pem
	rejects tdx.tcb_info.chain.validity "$dir"
	chain tdx --issue-date=2024-01-01T00:00:00Z --next-update=2024-02-01T00:00:00Z
	from=$dir
	mix tcb_info.json
	rejects tdx.tcb_info.validity "$dir"
	chain tdx --fmspc=00906ed50000
	from=$dir
	mix tcb_info.json
	rejects tdx.tcb_info.fmspc,tdx.tcb_status "$dir"
	chain tdx --pceid=0100
	from=$dir
	mix tcb_info.json
	rejects tdx.tcb_info.pceid,tdx.tcb_status "$dir"
}

@test "TDX: QE identity" {
	from=$CHAINS/other options+=(--crl=never)
	mix qe_identity{.json,_chain.pem}
	rejects tdx.qe_identity.root,tdx.tcb_status "$dir"
	mix qe_identity.json
	rejects tdx.qe_identity.signature,tdx.tcb_status "$dir"
	copy_of tdx
	flip_pem "$dir/qe_identity_chain.pem"
	rejects tdx.qe_identity.chain,tdx.tcb_status "$dir"
	chain tdx --ca-not-after=2024-01-01T00:00:00Z
	from=$dir
	mix qe_identity_chain.pem
	rejects tdx.qe_identity.chain.validity "$dir"
	chain tdx --issue-date=2024-01-01T00:00:00Z --next-update=2024-02-01T00:00:00Z
	from=$dir
	mix qe_identity.json
	rejects tdx.qe_identity.validity "$dir"
}

@test "lesson: the QE identity was never verified" {
	rejects tdx.qe.miscselect,tdx.tcb_status "$t" qe_miscselect=1
	rejects tdx.qe.attributes,tdx.tcb_status "$t" qe_attributes=13
	rejects tdx.qe.mrsigner,tdx.tcb_status "$t" qe_mrsigner=07
	rejects tdx.qe.isvprodid,tdx.tcb_status "$t" qe_isvprodid=1
	rejects tdx.qe.level,tdx.tcb_status "$t" qe_isvsvn=3
}

@test "TDX: module and platform" {
	rejects tdx.module,tdx.tcb_status "$t" tee_tcb_svn=0b0304
	rejects tdx.module.mrsigner,tdx.tcb_status "$t" mrsignerseam=07
	rejects tdx.module.attributes,tdx.module.reserved,tdx.tcb_status "$t" seamattributes=1
	jq -c '.tcbInfo | .tdxModuleIdentities[0].attributesMask = "0000000000000000"' "$t/tcb_info.json" >"$BATS_TEST_TMPDIR/info"
	chain tdx --tcb-info="$BATS_TEST_TMPDIR/info"
	rejects tdx.module.reserved,tdx.tcb_status "$dir" seamattributes=1
	jq -c '.tcbInfo | .tdxModuleIdentities[0].attributes = "0100000000000000"' "$t/tcb_info.json" >"$BATS_TEST_TMPDIR/info"
	chain tdx --tcb-info="$BATS_TEST_TMPDIR/info"
	rejects tdx.module.attributes,tdx.tcb_status "$dir"
	rejects tdx.module.level,tdx.tcb_status "$t" tee_tcb_svn=010104
	rejects tdx.tcb.level,tdx.tcb_status "$t" tee_tcb_svn=0b0102
	rejects tdx.tdattributes.debug "$t" tdattributes=0x10000001
	rejects tdx.tdattributes.reserved "$t" tdattributes=0x10000002
	rejects tdx.xfam.known "$t" xfam=0x602e5
	rejects tdx.xfam.known "$t" xfam=0x602ef
}

@test "TDX: statuses" {
	local s
	for s in status module-status qe-status; do
		chain tdx "--$s=OutOfDate"
		rejects tdx.tcb_status "$dir"
		chain tdx "--$s=Revoked"
		asked '{"accept_status": ["OutOfDate"]}'
		rejects tdx.tcb_status "$dir"
		options=(--authenticity-only)
	done
	asked '{"accept_status": []}'
	rejects tdx.tcb_status "$t"
}

@test "TDX: each value that can be asked for" {
	local v
	for v in reportdata:64 mrtd:48 rtmr0:48 rtmr1:48 rtmr2:48 rtmr3:48 mrseam:48 mrsignerseam:48 mrconfigid:48 mrowner:48 \
		mrownerconfig:48 tdattr:8 xfam:8; do
		asked "{\"expect_${v%:*}\": \"$(printf "%0$((2 * ${v#*:}))d" 7)\"}"
		v=${v%:*}
		rejects "tdx.${v/tdattr/tdattributes}" "$t" # tdx.reportdata tdx.mrtd tdx.rtmr0 tdx.rtmr1 tdx.rtmr2 tdx.rtmr3
		# tdx.mrseam tdx.mrsignerseam tdx.mrconfigid tdx.mrowner tdx.mrownerconfig tdx.tdattributes tdx.xfam
	done
}

@test "TDX: each demand of an appraisal" {
	asked '{"require_sept_ve_disable": true}'
	rejects tdx.tdattributes.sept_ve_disable "$t" tdattributes=0
	asked '{"allow_migratable": false}'
	rejects tdx.tdattributes.migratable "$t" tdattributes=0x30000000
	chain tdx --advisories=INTEL-SA-00007,INTEL-SA-00008
	asked '{"refuse_advisories": ["INTEL-SA-00001", "INTEL-SA-00008"]}'
	rejects tdx.advisories "$dir"
	chain tdx --eval=19
	from=$dir
	asked '{"min_tcb_eval": 19}'
	mix tcb_info.json
	rejects tdx.qe_identity.eval "$dir"
	mix qe_identity.json
	rejects tdx.tcb_info.eval "$dir"
	asked '{"min_tee_tcb_svn": "0c010000000000000000000000000000"}'
	rejects tdx.tee_tcb_svn "$t"
	asked '{"refuse_service_td": true}'
	rejects tdx.mrservicetd "$t" version=5 body_type=3 mrservicetd=07
	asked '{"require_memory_integrity": true}'
	rejects tdx.memory_integrity "$t"
	asked '{"require_smt_disabled": true}'
	rejects tdx.smt_disabled "$t"
	asked '{"require_static_platform": true}'
	rejects tdx.static_platform "$t"
	# a certificate of a processor CA says nothing of these
	chain tdx --processor
	rejects tdx.static_platform "$dir"
}

@test "TDX: each member of a reference value" {
	local v
	tdx_set .
	verify 0 "$t" "${options[@]}" <(mint "$t")
	for v in MrTd:mrtd MrSeam:mrseam Xfam:xfam; do
		tdx_set ".${v%:*} |= (.[2:] + \"07\")"
		rejects "tdx.${v#*:}" "$t"
		tdx_set ".${v%:*} = null"
		rejects "tdx.${v#*:}" "$t"
	done
	for v in 0 1 2 3; do
		tdx_set ".Rtmrs[$v] |= (.[2:] + \"07\")"
		rejects "tdx.rtmr$v" "$t"
	done
	tdx_set '.AllowedPIIDs = ["00112233445566778899aabbccddeef0"]'
	rejects tdx.piid "$t"
	tdx_set '.MemoryIntegrity = true'
	rejects tdx.memory_integrity "$t"
	tdx_set '.SMTDisabled = true'
	rejects tdx.smt_disabled "$t"
	tdx_set '.StaticPlatform = true'
	rejects tdx.static_platform "$t"
	tdx_set '.MinTCBEvaluationDataNumber = 19'
	rejects tdx.qe_identity.eval,tdx.tcb_info.eval "$t"
	tdx_set .
	rejects tdx.tdattributes.migratable "$t" tdattributes=0x30000000
	rejects tdx.mrservicetd "$t" version=5 body_type=3 mrservicetd=07
}
