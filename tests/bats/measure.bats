#!/usr/bin/env bats
# ctr-manifest measure, and reference values from a CoRIM; ctr-attest-verify eventlog and idblock.
load helpers

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	local x
	for x in firmware igvm igvm2 pe; do
		# shellcheck disable=SC2094 # a kind, and a file of that name
		"$BUILD/sim/mkguest" "$x" >"$x"
	done
	printf initrd >initrd
}

measure() { ctr-manifest measure "$@"; }
kernel=(--kernel pe --initrd initrd --append console=hvc0)
milan=(--vcpus 1 --vcpu-type EPYC-Milan)

@test "measure: the launch digest of firmware, alone and with a kernel" {
	ok measure snp --ovmf firmware "${milan[@]}" --digest
	[ "$output" = aac425e9171f39d0995ed9aeee0a114c07ffcb13720ce16736a8cba354ffa3b2bb54db1c6f7194097ae98f2ae2c2c54e ]
	ok measure snp --ovmf firmware --vcpus 1 --vcpu-sig 0xA00F11 --digest
	[[ $output == aac425e9* ]]
	ok measure snp --ovmf - --vcpus 2 --vcpu-type EPYC-Genoa-v1 "${kernel[@]}" --digest <firmware
	[ "$output" = da1882f587935f87681ee45d611e9d82b882c9f2a3552f42c642c1dc620f2114ab1cb21e77f841789776f1c24c8b57ac ]
	ok measure snp --ovmf firmware --vcpus 2 --vcpu-type EPYC-Genoa --kernel pe --digest
	[ "$output" = 33844d8019ac2dcf845aa5e4aa0b786d719dc68e0ee74c7c51df159d9263a9dddbaf25b62bee7272cc5982809961459f ]
}

@test "measure: each VMM measures otherwise" {
	ok measure snp --ovmf firmware --vcpus 2 --vcpu-type EPYC --vmm ec2 --digest
	[[ $output == 626a3b17* ]]
	ok measure snp --ovmf firmware --vcpus 2 --vcpu-type EPYC --vmm gce --digest
	[[ $output == b159fb96* ]]
}

@test "measure: the digest of the firmware's pages is a seed for the rest" {
	seed=$(measure snp --ovmf firmware --firmware-only --digest)
	ok measure snp --ovmf firmware "${milan[@]}" --ovmf-digest "$seed" --digest
	[[ $output == aac425e9* ]]
	refuses 2 usage ctr-manifest measure snp --errors=json --ovmf firmware --firmware-only
	refuses 2 usage ctr-manifest measure snp --errors=json --ovmf firmware "${milan[@]}" --ovmf-digest 00
}

@test "measure: an IGVM file, with both kinds of zero pages" {
	for x in igvm igvm2; do
		ok measure snp --igvm "$x" --digest
		[[ $output == 334e71c5* ]]
		ok measure snp --igvm "$x" --digest --native-zero
		[[ $output == c6019c4f* ]]
	done
}

@test "measure: the result is a set that a manifest takes" {
	measure snp --ovmf firmware "${milan[@]}" --platform Metal-QEMU-SNP >set.json
	jq -e '.snp[0] | .ProductName == "Milan" and .Platform == "Metal-QEMU-SNP" and .GuestPolicy == null and
		.MinimumTCB.SNPVersion == null and (.TrustedMeasurement | startswith("aac425e9"))' set.json
	measure snp --igvm igvm --product Turin >turin.json
	measure tdx --tdvf firmware >tdx.json
	cat >pod.yaml <<-'Y'
		apiVersion: v1
		kind: Pod
		metadata:
		  name: a
		  annotations:
		    io.katacontainers.config.agent.policy: cGFja2FnZSBhZ2VudF9wb2xpY3kK
		spec:
		  containers: [{name: a, image: a}]
	Y
	ok ctr-manifest -q -r set.json -r turin.json -r tdx.json pod.yaml
	jq -e '.ReferenceValues | (.snp | length) == 2 and .tdx[0].Rtmrs == [null, null, null, null]' <<<"$output"
}

@test "measure: the product is told by the model, or must be given" {
	refuses 2 usage ctr-manifest measure snp --errors=json --igvm igvm
	refuses 2 usage ctr-manifest measure snp --errors=json --ovmf firmware --vcpus 1 --vcpu-type EPYC-v4
	refuses 2 usage ctr-manifest measure snp --errors=json --igvm igvm --product Rome
	ok measure snp --ovmf firmware --vcpus 1 --vcpu-type EPYC-Turin-v1
	[[ $output == *'"ProductName": "Turin"'* ]]
}

@test "measure: MRTD by either order of pages" {
	ok measure tdx --tdvf firmware --digest
	[[ $output == da0688e5* ]]
	ok measure tdx --tdvf firmware --digest --page-order section
	[[ $output == 99da4674* ]]
}

@test "measure: RTMRs are left open, with a warning, until versions are known" {
	run -0 --separate-stderr measure tdx --tdvf firmware "${kernel[@]}"
	[[ $stderr == *"RTMR1 is left open"*"RTMR2 is left open"* ]]
	jq -e '.tdx[0].Rtmrs[:3] == [null, null, null] and (.tdx[0].Rtmrs[3] | test("^0{96}$"))' <<<"$output"
	ok measure tdx --tdvf firmware "${kernel[@]}" --kernel-unchanged --rtmr1-separator yes --initrd-word first
	jq -e '.tdx[0].Rtmrs | .[0] == null and (.[1] | startswith("6ff04189")) and (.[2] | startswith("c6bc8e0a"))' <<<"$output"
	ok measure tdx --tdvf firmware "${kernel[@]}" --kernel-unchanged --rtmr1-separator no --initrd-word last
	jq -e '.tdx[0].Rtmrs | (.[1] | startswith("6ff04189") | not) and (.[2] | startswith("8af42a29"))' <<<"$output"
}

wrong() { # TEXT ARGUMENT...: a usage error that says this
	local text=$1
	shift
	refuses 2 usage ctr-manifest measure "${@:1:1}" --errors=json "${@:2}"
	[[ $stderr == *"$text"* ]] || fail "expected '$text': $stderr"
}

@test "measure: options that do not go together" {
	fw=(snp --ovmf firmware)
	td=(tdx --tdvf firmware)
	wrong "one kind of guest"
	wrong "unknown kind of guest" sgx --ovmf firmware
	wrong "--ovmf or --igvm is missing" snp
	wrong "--tdvf is missing" tdx
	wrong "--tdvf does not go with snp" "${fw[@]}" --tdvf firmware
	wrong "--ovmf does not go with snp --igvm" "${fw[@]}" --igvm igvm
	wrong "--vcpus does not go with snp --igvm" snp --igvm igvm --vcpus 1
	wrong "--vcpus does not go with tdx" "${td[@]}" --vcpus 1
	wrong "--vcpus and one of --vcpu-type and --vcpu-sig" "${fw[@]}" --digest
	wrong "--vcpus and one of --vcpu-type and --vcpu-sig" "${fw[@]}" --digest --vcpus 1
	wrong "--vcpus and one of --vcpu-type and --vcpu-sig" "${fw[@]}" --digest --vcpus 1 --vcpu-type EPYC --vcpu-sig 1
	for x in Xeon EPYC-v EPYC-v0 EPYC-v10 EPYC-Milan-x; do
		wrong "--vcpu-type=$x: not known" "${fw[@]}" --digest --vcpus 1 --vcpu-type $x
	done
	wrong "--vmm=xen" "${fw[@]}" --digest --vcpus 1 --vcpu-type EPYC --vmm xen
	wrong "need --kernel" "${fw[@]}" "${milan[@]}" --append x
	wrong "need --kernel" "${td[@]}" --initrd initrd
	wrong "--page-order=x" "${td[@]}" --page-order x
	wrong "--initrd-word needs --initrd" "${td[@]}" --kernel pe --initrd-word first
	wrong "need --kernel" "${td[@]}" --kernel-unchanged
	wrong "need --kernel" "${td[@]}" --rtmr1-separator no
	wrong "printable ASCII" "${td[@]}" --kernel pe --append $'a\tb'
	wrong "--ovmf is given twice" "${fw[@]}" --ovmf firmware
	wrong "exclude each other" "${fw[@]}" --firmware-only --digest --ovmf-digest 00
}

@test "measure: numbers" {
	number() { refuses 2 number ctr-manifest measure snp --errors=json --digest --ovmf firmware "$@"; }
	number --vcpus 0 --vcpu-type EPYC
	number --vcpus 4097 --vcpu-type EPYC
	number --vcpus 1 --vcpu-sig 123456789
	number --vcpus 1 --vcpu-sig 0x
	number "${milan[@]}" --guest-features 1g
	number "${milan[@]}" --guest-features 12345678901234567
}

@test "measure: broken input and what is not there" {
	head -c 4096 firmware >first-page
	head -c 5000 firmware >part
	: >empty
	refuses 3 firmware.table ctr-manifest measure snp --errors=json --ovmf first-page "${milan[@]}"
	refuses 3 firmware.size ctr-manifest measure snp --errors=json --ovmf part "${milan[@]}"
	refuses 3 firmware.size ctr-manifest measure tdx --errors=json --tdvf empty
	refuses 3 igvm.header ctr-manifest measure snp --errors=json --igvm firmware --digest
	refuses 3 kernel.pe ctr-manifest measure tdx --errors=json --tdvf firmware --kernel initrd --kernel-unchanged --rtmr1-separator no
	refuses 4 open ctr-manifest measure snp --errors=json --ovmf absent "${milan[@]}"
	refuses 4 open ctr-manifest measure snp --errors=json --ovmf firmware "${milan[@]}" --kernel absent
	truncate -s 65M big
	refuses 3 limit ctr-manifest measure snp --errors=json --ovmf big "${milan[@]}"
	truncate -s 4097M big
	refuses 3 limit ctr-manifest measure snp --errors=json --ovmf firmware "${milan[@]}" --kernel big
}

# --- CoRIM ---

corims=tests/fuzz/corpus/corim

pod() {
	printf '%s\n' 'apiVersion: v1' 'kind: Pod' 'metadata: {name: a, annotations: {io.katacontainers.config.agent.policy: cGFja2FnZQo=}}' \
		'spec: {containers: [{name: a, image: a}]}'
}

@test "corim: unsigned ones, when that is said" {
	pod >pod.yaml
	ok ctr-manifest -q --corim "$TOP/$corims/snp" --corim "$TOP/$corims/tdx" --corim-unsigned --corim-product Milan pod.yaml
	jq -e '.ReferenceValues | .snp[0].TrustedMeasurement == "05" * 48 and .snp[0].MinimumTCB.SNPVersion == 22 and
		.snp[0].AllowedChipIDs == ["63" * 64] and .tdx[0].MrTd == "07" * 48 and .tdx[0].MrSeam == "0a" * 48 and
		.tdx[0].Rtmrs == [null, "08" * 48, "09" * 48, null]' <<<"$output"
	refuses 1 corim.unsigned ctr-manifest --errors=json --corim "$TOP/$corims/tdx" pod.yaml
	refuses 2 corim.product ctr-manifest --errors=json --corim "$TOP/$corims/snp" --corim-unsigned pod.yaml
	refuses 2 usage ctr-manifest --errors=json --corim-unsigned pod.yaml
	refuses 2 usage ctr-manifest --errors=json --corim "$TOP/$corims/snp" --corim-product Rome pod.yaml
}

@test "corim: a signed one needs the key of its signer" {
	pod >pod.yaml
	openssl ecparam -name prime256v1 -genkey -noout -out key.pem
	refuses 1 corim.key ctr-manifest --errors=json --corim "$TOP/$corims/signed" pod.yaml
	refuses 1 corim.key ctr-manifest --errors=json --corim "$TOP/$corims/signed" --corim-unsigned pod.yaml
	refuses 1 cose.signature ctr-manifest --errors=json --corim "$TOP/$corims/signed" --corim-key key.pem pod.yaml
	refuses 3 key.pem ctr-manifest --errors=json --corim "$TOP/$corims/signed" --corim-key pod.yaml pod.yaml
	refuses 3 cbor.short ctr-manifest --errors=json --corim /dev/null --corim-unsigned pod.yaml
}

# --- ctr-attest-verify ---

log() { echo "$TOP/tests/fuzz/corpus/eventlog/$1"; }

@test "eventlog: the replay, what it compares with, and what is bound" {
	ok ctr-attest-verify eventlog "$(log log)"
	jq -e '.events == 4 and .matches == null and .log[1].extended == false and .log[0].data_bound and
		.log[2].type == "EV_EFI_ACTION" and .bytes_used == 527' <<<"$output"
	rtmrs=$(jq -r '.rtmr | join(",")' <<<"$output")
	ok ctr-attest-verify eventlog --rtmrs "$rtmrs" "$(log filled)"
	jq -e '.matches and .bytes_used == 527' <<<"$output"
	ok ctr-attest-verify eventlog --rtmrs "$rtmrs" <"$(log log)"
	run -1 --separate-stderr ctr-attest-verify eventlog --rtmrs "${rtmrs%?}$((${rtmrs: -1} == 0))" "$(log log)"
	[[ $stderr == *"does not end with RTMR3"* ]]
	jq -e '.matches == false' <<<"$output"
}

@test "eventlog: the registers of a quote" {
	for v in 4 5; do
		run -1 --separate-stderr ctr-attest-verify eventlog --quote "$(log quote$v)" "$(log log)"
		[[ $stderr == *"does not end with RTMR0"* ]]
		jq -e '.matches == false' <<<"$output"
	done
	refuses 3 eventlog.quote ctr-attest-verify eventlog --errors=json --quote "$(log log)" "$(log log)"
}

@test "eventlog: refusals" {
	refuses 3 eventlog.header ctr-attest-verify eventlog --errors=json /dev/null
	head -c 500 "$(log log)" >short
	refuses 3 eventlog.event ctr-attest-verify eventlog --errors=json short
	refuses 4 open ctr-attest-verify eventlog --errors=json absent
	refuses 2 usage ctr-attest-verify eventlog --errors=json --rtmrs 00,00,00,00 "$(log log)"
	refuses 2 usage ctr-attest-verify eventlog --errors=json "$(log log)" "$(log log)"
	refuses 2 usage ctr-attest-verify --errors=json
}

# An ID authentication page signed by the keys id.pem and author.pem, by other means: openssl and dd.
le72() { # HEX: 48 bytes, reversed, padded to 72
	printf '%s' "$1" | sed 's/../&\n/g' | tac | tr -d '\n' | xxd -r -p
	head -c 24 /dev/zero
}

amd_key() { # PEM: the key in AMD's form
	local point
	point=$(openssl ec -in "$1" -pubout -outform DER 2>/dev/null | tail -c 96 | xxd -p -c 96)
	printf '\2\0\0\0'
	le72 "${point:0:96}"
	le72 "${point:96}"
	head -c 880 /dev/zero
}

amd_sig() { # PEM FILE
	local r s
	openssl dgst -sha384 -sign "$1" "$2" >sig.der
	{ read -r r && read -r s; } < <(openssl asn1parse -inform DER -in sig.der | sed -n 's/.*INTEGER *://p')
	le72 "$(printf '%96s' "$r" | tr ' ' 0)"
	le72 "$(printf '%96s' "$s" | tr ' ' 0)"
	head -c 368 /dev/zero
}

block=(--launch-digest "$(printf 'ab%.0s' {1..48})" --policy 0x30000 --guest-svn 3)

make_page() {
	for k in id author; do openssl ecparam -name secp384r1 -genkey -noout -out $k.pem; done
	ctr-attest-verify idblock --id-key id.pem "${block[@]}" | jq -r .id_block | xxd -r -p >block
	amd_key id.pem >id.amd
	{
		printf '\1\0\0\0\1\0\0\0'
		head -c 56 /dev/zero
		amd_sig id.pem block
		cat id.amd
		head -c 60 /dev/zero
		amd_sig author.pem id.amd
		amd_key author.pem
		head -c 892 /dev/zero
	} >page
	[ "$(stat -c %s page)" = 4096 ]
}

@test "idblock: a block, the digests of keys, and a page that others signed" {
	make_page
	ok ctr-attest-verify idblock --id-key id.pem --author-key author.pem "${block[@]}" --auth page
	jq -e '.id_key_matches and .author_key_matches and .id_key_signature_verifies and .id_block_signature_verifies and
		.size == 4096 and .id_key_algo == 1 and .auth_key_algo == 1' <<<"$output"
	[ "$(jq -r .id_key_digest <<<"$output")" = "$(sha384sum <id.amd | cut -d' ' -f1)" ]
	[ "$(jq -r .id_block <<<"$output" | cut -c1-96)" = "$(printf 'ab%.0s' {1..48})" ]
	ok ctr-attest-verify idblock --id-key id.pem --author-key author.pem --auth page
	jq -e '.id_block_signature_verifies == null and .id_key_signature_verifies' <<<"$output"
}

not_for() { # MEMBER ARGUMENT...: the answer is no, for this reason alone
	local member=$1
	shift
	run -1 --separate-stderr ctr-attest-verify idblock "$@"
	jq -e --arg m "$member" '.[$m] == false' <<<"$output"
}

@test "idblock: what a page does not hold for" {
	make_page
	openssl ec -in id.pem -pubout -out id.pub
	not_for id_block_signature_verifies --id-key id.pub --author-key author.pem "${block[@]}" --family-id 000102030405060708090a0b0c0d0e0f --auth page
	not_for author_key_matches --id-key id.pem --author-key id.pub --auth page
	not_for id_key_matches --id-key author.pem --author-key author.pem --auth page
	cp page changed
	printf '\1' | dd of=changed bs=1 seek=1664 conv=notrunc status=none # a byte of the ID key's signature
	printf '\1' | dd of=changed bs=1 seek=1665 conv=notrunc status=none
	not_for id_key_signature_verifies --id-key id.pem --author-key author.pem --auth changed
	printf '\1' | dd of=changed bs=1 seek=8 conv=notrunc status=none
	refuses 3 idauth.reserved ctr-attest-verify idblock --errors=json --id-key id.pem --author-key author.pem --auth changed
	refuses 2 usage ctr-attest-verify idblock --errors=json --id-key id.pem --auth page # the author key is not optional
	refuses 2 usage ctr-attest-verify idblock --errors=json "${block[@]}"
	refuses 2 usage ctr-attest-verify idblock --errors=json --id-key id.pem
	refuses 2 usage ctr-attest-verify idblock --errors=json --id-key id.pem --auth page --author-key author.pem --guest-svn 1
	openssl ecparam -name prime256v1 -genkey -noout -out small.pem
	refuses 3 key.kind ctr-attest-verify idblock --errors=json --id-key small.pem "${block[@]}"
}
