#!/usr/bin/env bats
# What tests/sim makes stands on its own feet: certificates, lists, reports and quotes as openssl sees them.
load helpers

setup_file() {
	load helpers
	export SIM=$BUILD/sim/simchain KEYS=$BUILD/sim/keys CHAINS=$BATS_FILE_TMPDIR
	[ -f "$KEYS/asvk.key" ] || "$SIM" keys "$KEYS"
	"$SIM" --keys="$KEYS" snp "$CHAINS/milan"
	"$SIM" --keys="$KEYS" --product=Turin snp "$CHAINS/turin"
	"$SIM" --keys="$KEYS" --vlek --revoked=ask snp "$CHAINS/vlek"
	"$SIM" tdx "$CHAINS/tdx"
}

# A piece of a file: FILE OFFSET LENGTH.
cut_out() {
	dd if="$1" iflag=skip_bytes,count_bytes skip="$2" count="$3" status=none
}

# r and s, big-endian hexadecimal, as the DER that openssl wants.
der_signature() { # R S FILE
	printf 'asn1=SEQUENCE:s\n[s]\nr=INTEGER:0x%s\ns=INTEGER:0x%s\n' "$1" "$2" >"$BATS_TEST_TMPDIR/conf"
	openssl asn1parse -genconf "$BATS_TEST_TMPDIR/conf" -noout -out "$3"
}

hex() {
	xxd -p | tr -d '\n'
}

# Little-endian bytes on standard input as a number.
le() {
	hex | tac -rs .. | tr -d '\n'
}

public() { # CERTIFICATE: its key in PEM
	openssl x509 -in "$1" -noout -pubkey
}

# Is the report signed by the key of the certificate?
snp_signed() { # REPORT CERTIFICATE
	cut_out "$1" 0 672 >"$BATS_TEST_TMPDIR/signed"
	der_signature "$(cut_out "$1" 672 72 | le)" "$(cut_out "$1" 744 72 | le)" "$BATS_TEST_TMPDIR/sig"
	public "$2" >"$BATS_TEST_TMPDIR/key"
	openssl dgst -sha384 -verify "$BATS_TEST_TMPDIR/key" -signature "$BATS_TEST_TMPDIR/sig" "$BATS_TEST_TMPDIR/signed"
}

# Does openssl find these bytes as the value of the extension?
extension() { # CERTIFICATE OID HEX
	[ "$(openssl asn1parse -in "$1" | grep -A1 ":$2\$" | sed -n 's/.*\[HEX DUMP\]://p')" = "$3" ] ||
		fail "$2: $(openssl asn1parse -in "$1" | grep -A1 ":$2\$")"
}

to_pem() { # DIR
	local f
	for f in ark ask vcek vlek root; do
		[ ! -f "$1/$f.der" ] || openssl x509 -inform der -in "$1/$f.der" -out "$1/$f.pem"
	done
}

@test "SNP: the chain holds, RSA-PSS all the way" {
	local kind c
	for kind in milan:vcek turin:vcek vlek:vlek; do
		c=$CHAINS/${kind%:*} kind=${kind#*:}
		to_pem "$c"
		openssl verify -CAfile "$c/ark.pem" -untrusted "$c/ask.pem" "$c/$kind.pem"
		for f in ark ask "$kind"; do
			[ "$(openssl x509 -in "$c/$f.pem" -noout -text | grep -c 'Signature Algorithm: rsassaPss')" = 2 ]
			openssl x509 -in "$c/$f.pem" -noout -text | grep 'Salt Length: 0x30'
		done
		[ "$(openssl x509 -in "$c/$kind.pem" -noout -serial)" = serial=00 ]
		cmp <(cat "$c/ask.pem" "$c/ark.pem") "$c/cert_chain.pem"
	done
	openssl x509 -in "$CHAINS/milan/ark.pem" -noout -text | grep 'Public-Key: (4096 bit)'
	openssl x509 -in "$CHAINS/vlek/ask.pem" -noout -subject | grep 'CN = SEV-VLEK-Milan'
}

@test "SNP: a changed certificate breaks the chain" {
	local c=$CHAINS/milan
	to_pem "$c"
	openssl x509 -in "$c/vcek.pem" -outform der | sed 's/SEV-VCEK/SEV-VLEK/' >"$BATS_TEST_TMPDIR/bad.der"
	run ! openssl verify -CAfile "$c/ark.pem" -untrusted "$c/ask.pem" "$BATS_TEST_TMPDIR/bad.der"
	[[ $output == *"certificate signature failure"* ]]
}

@test "SNP: the leaf's extensions" {
	local oid=1.3.6.1.4.1.3704.1 c=$CHAINS
	to_pem "$c/milan" && to_pem "$c/turin" && to_pem "$c/vlek"
	extension "$c/milan/vcek.pem" $oid.1 020100
	extension "$c/milan/vcek.pem" $oid.2 16084D696C616E2D4230
	extension "$c/milan/vcek.pem" $oid.3.1 020104
	extension "$c/milan/vcek.pem" $oid.3.3 020118
	extension "$c/milan/vcek.pem" $oid.3.8 020200DB
	extension "$c/milan/vcek.pem" $oid.3.9 ''
	extension "$c/milan/vcek.pem" $oid.5 ''
	extension "$c/milan/vcek.pem" $oid.4 "$(jq -r .chip_id "$c/milan/snp.json" | tr a-f A-F)"
	extension "$c/turin/vcek.pem" $oid.1 020101
	extension "$c/turin/vcek.pem" $oid.3.4 ''
	extension "$c/turin/vcek.pem" $oid.3.9 020101
	extension "$c/turin/vcek.pem" $oid.4 C0FFEE5117C0FFEE
	extension "$c/vlek/vlek.pem" $oid.2 16054D696C616E
	extension "$c/vlek/vlek.pem" $oid.4 ''
	extension "$c/vlek/vlek.pem" $oid.5 1610434E3D636C6F75642E6578616D706C65
}

@test "SNP: the revocation list is the ARK's" {
	local c
	for c in milan vlek; do
		to_pem "$CHAINS/$c"
		openssl crl -inform der -in "$CHAINS/$c/crl.der" -CAfile "$CHAINS/$c/ark.pem" -noout -verify 2>&1 | grep 'verify OK'
	done
	openssl crl -inform der -in "$CHAINS/milan/crl.der" -noout -text | grep 'No Revoked'
	openssl crl -inform der -in "$CHAINS/vlek/crl.der" -noout -text | grep 'Serial Number: 010101'
}

@test "SNP: reports of all layouts are signed by the leaf" {
	local c r=$BATS_TEST_TMPDIR/report
	for c in milan turin vlek; do
		to_pem "$CHAINS/$c"
		for v in 2 3 4 5; do
			"$SIM" report "$CHAINS/$c" version=$v host_data=ab "report_data=$v$v" >"$r"
			[ "$(stat -c %s "$r")" = 1184 ]
			[ "$(cut_out "$r" 0 1 | hex)" = 0$v ]
			snp_signed "$r" "$CHAINS/$c/$(cd "$CHAINS/$c" && echo v*.pem)"
			[ -z "$(cut_out "$r" 816 368 | tr -d '\0')" ]
		done
	done
	# one bit less
	printf '\xaa' | dd of="$r" bs=1 seek=192 conv=notrunc status=none
	run ! snp_signed "$r" "$CHAINS/vlek/vlek.pem"
	[[ $output == *"Verification failure"* ]]
	# who says that there is no key has no signature
	"$SIM" report "$CHAINS/milan" signer_info=0x1c >"$r"
	[ -z "$(cut_out "$r" 672 512 | tr -d '\0')" ]
	"$SIM" report "$CHAINS/milan" signer_info=2 >"$r"
	[ -z "$(cut_out "$r" 672 512 | tr -d '\0')" ]
}

@test "TDX: chains, lists, collateral" {
	local c=$CHAINS/tdx
	to_pem "$c"
	openssl verify -CAfile "$c/root.pem" -untrusted "$c/pck_chain.pem" "$c/pck_chain.pem"
	openssl verify -CAfile "$c/root.pem" "$c/tcb_info_chain.pem"
	openssl crl -inform der -in "$c/root_crl.der" -CAfile "$c/root.pem" -noout -verify 2>&1 | grep 'verify OK'
	openssl crl -inform der -in "$c/pck_crl.der" -CAfile <(cat "$c/pck_crl_chain.pem") -noout -verify 2>&1 | grep 'verify OK'
	public "$c/tcb_info_chain.pem" >"$BATS_TEST_TMPDIR/key"
	for f in tcb_info:tcbInfo qe_identity:enclaveIdentity; do
		# the inner object as it stands in the text
		sed -E "s/^\{\"${f#*:}\":(.*),\"signature\":\"[0-9a-f]*\"\}\$/\1/" "$c/${f%:*}.json" |
			tr -d '\n' >"$BATS_TEST_TMPDIR/inner"
		jq -e . "$BATS_TEST_TMPDIR/inner" >/dev/null
		sig=$(jq -r .signature "$c/${f%:*}.json")
		der_signature "${sig:0:64}" "${sig:64}" "$BATS_TEST_TMPDIR/sig"
		openssl dgst -sha256 -verify "$BATS_TEST_TMPDIR/key" -signature "$BATS_TEST_TMPDIR/sig" "$BATS_TEST_TMPDIR/inner"
	done
}

@test "TDX: what can be revoked is" {
	local which c=$BATS_TEST_TMPDIR list
	for which in ca:root_crl tcb:root_crl pck:pck_crl; do
		"$SIM" --keys="$CHAINS/tdx" --revoked="${which%:*}" tdx "$c"
		list=$(openssl crl -inform der -in "$c/${which#*:}.der" -noout -text)
		case $which in
		ca:*) serial=$(sed 1,/END/d "$c/pck_chain.pem" | openssl x509 -noout -serial) ;;
		tcb:*) serial=$(openssl x509 -in "$c/tcb_info_chain.pem" -noout -serial) ;;
		pck:*) serial=$(openssl x509 -in "$c/pck_chain.pem" -noout -serial) ;;
		esac
		[[ $list == *"Serial Number: ${serial#serial=}"* ]]
	done
}

@test "TDX: quotes are signed, bound and chained" {
	local c=$CHAINS/tdx q=$BATS_TEST_TMPDIR/quote t=$BATS_TEST_TMPDIR v body n
	for v in 4:632 5:702; do
		body=${v#*:} v=${v%:*}
		"$SIM" report "$c" "version=$v" trailing=70 mrconfigid=ab >"$q"
		n=$((16#$(cut_out "$q" "$body" 4 | le)))
		[ "$(stat -c %s "$q")" = $((body + 4 + n + 70)) ]
		cut_out "$q" 0 "$body" >"$t/body"
		cut_out "$q" $((body + 4)) "$n" >"$t/data"
		# the attestation key, as a public key of P-256
		{
			printf '3059301306072a8648ce3d020106082a8648ce3d03010703420004' | xxd -r -p
			cut_out "$t/data" 64 64
		} | openssl pkey -pubin -inform der -out "$t/att"
		der_signature "$(cut_out "$t/data" 0 32 | hex)" "$(cut_out "$t/data" 32 32 | hex)" "$t/sig"
		openssl dgst -sha256 -verify "$t/att" -signature "$t/sig" "$t/body"
		cut_out "$t/data" 134 384 >"$t/qe"
		der_signature "$(cut_out "$t/data" 518 32 | hex)" "$(cut_out "$t/data" 550 32 | hex)" "$t/sig"
		openssl x509 -in "$c/pck_chain.pem" -noout -pubkey >"$t/pck"
		openssl dgst -sha256 -verify "$t/pck" -signature "$t/sig" "$t/qe"
		[ "$(cut_out "$t/data" 582 2 | le)" = 0020 ]
		[ "$({ cut_out "$t/data" 64 64 && cut_out "$t/data" 584 32; } | sha256sum | cut -c1-64)" = "$(cut_out "$t/qe" 320 32 | hex)" ]
		[ "$(cut_out "$t/data" 616 2 | le)" = 0005 ]
		[ $((16#$(cut_out "$t/data" 618 4 | le))) = $((n - 622)) ]
		[ $((16#$(cut_out "$t/data" 130 4 | le))) = $((n - 134)) ]
		cmp <(cut_out "$t/data" 622 $((n - 622 - 1))) "$c/pck_chain.pem"
		[ "$(cut_out "$t/data" $((n - 1)) 1 | hex)" = 00 ]
	done
}

@test "flaws on purpose: extensions, validity, collateral" {
	local oid=1.3.6.1.4.1.3704.1 c=$BATS_TEST_TMPDIR/c x
	"$SIM" --keys="$KEYS" --ext=$oid.4= --ext=$oid.3.8=0201DB --ext=+$oid.3.1=020109 --ext=$oid.9=00 \
		--ca-not-after=2024-01-01T00:00:00Z --not-before=2026-01-01T00:00:00Z --not-after=2026-01-02T00:00:00Z snp "$c"
	to_pem "$c"
	extension "$c/vcek.pem" $oid.4 ''
	extension "$c/vcek.pem" $oid.3.8 0201DB
	extension "$c/vcek.pem" $oid.9 00
	extension "$c/vcek.pem" $oid.3.1 $'020104\n020109'
	openssl x509 -in "$c/ask.pem" -noout -enddate | grep 'Jan  1 00:00:00 2024 GMT'
	openssl x509 -in "$c/vcek.pem" -noout -enddate | grep 'Jan  2 00:00:00 2026 GMT'
	echo '{"id": "TDX" }' >"$c/info"
	"$SIM" --keys="$CHAINS/tdx" --tcb-info="$c/info" tdx "$c/tdx"
	x=$(<"$c/tdx/tcb_info.json")
	[[ $x == '{"tcbInfo":{"id": "TDX" },"signature":"'* ]]
	sig=$(jq -r .signature "$c/tdx/tcb_info.json")
	der_signature "${sig:0:64}" "${sig:64}" "$BATS_TEST_TMPDIR/sig"
	public "$c/tdx/tcb_info_chain.pem" >"$BATS_TEST_TMPDIR/key"
	printf '{"id": "TDX" }' | openssl dgst -sha256 -verify "$BATS_TEST_TMPDIR/key" -signature "$BATS_TEST_TMPDIR/sig"
}

@test "a directory is refused for what it lacks" {
	local d=$BATS_TEST_TMPDIR/d
	mkdir "$d"
	refuses 2 sim.dir "$SIM" --errors=json report "$d"
	echo '{}' | tee "$d/snp.json" >"$d/tdx.json"
	refuses 2 sim.dir "$SIM" --errors=json report "$d"
	rm "$d/tdx.json"
	refuses 4 open "$SIM" --errors=json report "$d"
	echo no key >"$d/vcek.key"
	refuses 3 key.pem "$SIM" --errors=json report "$d"
	openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$d/vcek.key" 2>/dev/null
	refuses 3 key.kind "$SIM" --errors=json report "$d"
	openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out "$d/vcek.key" 2>/dev/null
	ok "$SIM" report "$d" vmpl=1
	refuses 2 sim.field "$SIM" --errors=json report "$d" xfam=1
	refuses 2 sim.value "$SIM" --errors=json report "$d" vmpl=x
	echo '{"vmpl": 1, "vmpl": 2}' >"$d/snp.json"
	refuses 3 json.duplicate "$SIM" --errors=json report "$d"
	cp "$d/vcek.key" "$d/vlek.key"
	echo '{}' >"$d/snp.json"
	refuses 2 sim.dir "$SIM" --errors=json report "$d"
}

@test "KDS and PCS: files stand where they are asked for" {
	local out=$BATS_TEST_TMPDIR/out c
	for c in milan turin vlek tdx; do
		tests/sim/kds-tree "$CHAINS/$c" "$out"
	done
	cmp "$CHAINS/milan/vcek.der" "$out/vcek/v1/Milan/$(jq -r .chip_id "$CHAINS/milan/snp.json")?blSPL=04&teeSPL=00&snpSPL=24&ucodeSPL=219"
	cmp "$CHAINS/turin/vcek.der" "$out/vcek/v1/Turin/c0ffee5117c0ffee?fmcSPL=01&blSPL=01&teeSPL=01&snpSPL=04&ucodeSPL=81"
	cmp "$CHAINS/vlek/cert_chain.pem" "$out/vlek/v1/Milan/cert_chain"
	cmp "$CHAINS/vlek/crl.der" "$out/vlek/v1/Milan/crl"
	cmp "$CHAINS/tdx/pck_crl.der" "$out/sgx/certification/v4/pckcrl?ca=platform&encoding=der"
	cmp "$CHAINS/tdx/root_crl.der" "$out/IntelSGXRootCA.der"
	cmp "$CHAINS/tdx/qe_identity.json" "$out/tdx/certification/v4/qe/identity"
	cmp "$CHAINS/tdx/tcb_info.json" "$out/tdx/certification/v4/tcb?fmspc=90c06f000000"
	# the header, decoded again
	sed -n 's/^TCB-Info-Issuer-Chain: //p' "$out/tdx/certification/v4/tcb?fmspc=90c06f000000.headers" |
		sed 's/%/\\x/g' | xargs -0 printf '%b' | sed '$d' | cmp - "$CHAINS/tdx/tcb_info_chain.pem"
}
