#!/usr/bin/env bats
# ctr-attest-verify --ear: the verdict as an attestation result, bare and signed.
load helpers
load attest

setup_file() {
	make_chains
}

setup() {
	m=$CHAINS/milan t=$CHAINS/tdx
	cd "$BATS_TEST_TMPDIR" || return
	mint "$m" >snp
	mint "$t" >tdx
	measurement=$(ctr-attest-verify --inspect snp | jq -r .claims.measurement)
}

vector='.submods[]["ear.trustworthiness-vector"]'

# ear STATUS DIR OPTION...: the claims in $output.
ear() { verify "$1" "$2" --ear "${@:3}"; }

@test "a genuine report of any guest affirms nothing" {
	ear 0 "$m" --authenticity-only --at 2026-11-25T00:00:00Z snp
	that '.eat_profile == "tag:github.com,2023:veraison/ear" and .iat == 1795564800 and .["ear.verifier-id"].build != ""'
	that '.submods.snp["ear.status"] == "none" and '"$vector"' == {"instance-identity": 2, hardware: 2, "runtime-opaque": 2}'
	that '.submods.snp["ear.veraison.annotated-evidence"].verdict == "accepted" and (.eat_nonce | length) == 128'
	ear 0 "$t" --authenticity-only tdx
	that '.submods.tdx["ear.status"] == "none"'
}

@test "what the policy asks for is affirmed, or what is wrong is told by kind" {
	jq -n --arg m "$measurement" '{expect_measurement: $m, expect_host_data: ("00" * 32)}' >policy
	mint "$m" host_data=00 >evidence
	ear 0 "$m" --appraisal policy evidence
	that '.submods.snp["ear.status"] == "affirming" and ('"$vector"' | .executables == 3 and .configuration == 2)'
	told() { # FILTER FIELD...
		mint "$m" host_data=00 "${@:2}" >evidence
		ear 1 "$m" --appraisal policy evidence
		that '.submods.snp["ear.status"] == "contraindicated" and ('"$vector | $1)"
	}
	told '.executables == 33' measurement=07
	told '.configuration == 32' host_data=07
	told '.["runtime-opaque"] == 96' policy=0xb0000
	told '.hardware == 32' current_tcb=ff
	told '. == {"instance-identity": 99, hardware: 97}' chip_id=07
	that 'has("eat_nonce") | not'
}

# unurl TEXT FILE: base64url without padding.
unurl() {
	local n=${1//-/+}
	n=${n//_/\/}
	while [ $((${#n} % 4)) -ne 0 ]; do n+='='; done
	base64 -d <<<"$n" >"$2"
}

# A token on standard input: header, claims, signed, and the signature as the DER that openssl wants.
open_jwt() {
	local h p s n
	IFS=. read -r h p s
	printf '%s.%s' "$h" "$p" >signed
	unurl "$h" header
	unurl "$p" claims
	unurl "$s" rs
	n=$(($(stat -c %s rs) / 2))
	printf 'asn1=SEQUENCE:s\n[s]\nr=INTEGER:0x%s\ns=INTEGER:0x%s\n' "$(head -c "$n" rs | xxd -p | tr -d '\n')" \
		"$(tail -c "$n" rs | xxd -p | tr -d '\n')" >sig.conf
	openssl asn1parse -genconf sig.conf -noout -out sig.der
}

@test "a token is signed by the key, with the algorithm of its curve" {
	local curve alg hash
	while read -r curve alg hash; do
		openssl ecparam -name "$curve" -genkey -noout -out key.pem
		openssl ec -in key.pem -pubout -out pub.pem 2>/dev/null
		verify 0 "$m" --ear-key key.pem --authenticity-only snp
		open_jwt <<<"$output"
		[ "$(jq -r .alg header)" = "$alg" ]
		jq -e '.submods.snp["ear.status"] == "none"' claims
		openssl dgst "-$hash" -verify pub.pem -signature sig.der signed
	done <<-END
		prime256v1 ES256 sha256
		secp384r1 ES384 sha384
	END
}

@test "another key is refused before anything is verified" {
	openssl ecparam -name secp521r1 -genkey -noout -out big.pem
	openssl genrsa -out rsa.pem 2048 2>/dev/null
	for k in big.pem rsa.pem; do
		refuses 3 key.kind ctr-attest-verify --errors=json --offline --ear-key "$k" --authenticity-only snp
	done
	echo none >none
	refuses 3 key.pem ctr-attest-verify --errors=json --offline --ear-key none --authenticity-only snp
	refuses 4 open ctr-attest-verify --errors=json --offline --ear-key absent --authenticity-only snp
}
