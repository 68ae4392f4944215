#!/usr/bin/env bats
# ctr-node-install check-node, over trees that are played: the program with devices that are files (tests/sim/lib/hostio.c).
load helpers

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	check=("$BUILD/sim/ctr-node-install" check-node --root node)
}

put() { # FILE TEXT
	mkdir -p "node/$(dirname "$1")"
	printf '%s' "$2" >"node/$1"
}

# status [NAME=VALUE...]: what the firmware says; TCBs are of Genoa: boot loader, TEE, 4 reserved, SNP, microcode
status() {
	local major=01 minor=37 state=01 rmp=01 masks=00 tcb=0a0000000000171e "$@"
	xxd -r -p <<<"$major$minor$state${rmp}15000000${masks}00000003000000$tcb$tcb" >node/dev/sev
}

cpu() { # VENDOR FAMILY MODEL FLAGS
	put proc/cpuinfo "$(printf 'processor\t: 0\nvendor_id\t: %s\ncpu family\t: %s\nmodel\t\t: %s\nmodel name\t: X\nflags\t\t: fpu %s sse\nbugs\t\t:\n\nprocessor\t: 1\nflags\t\t: sev_snp tdx_host_platform\n' "$@")"
}

snp() { # a node on which SNP is usable
	rm -rf node
	cpu AuthenticAMD 25 17 'sev sev_es sev_snp debug_swap'
	put proc/cmdline $'BOOT_IMAGE=/vmlinuz root=/dev/sda1 iommu=nopt quiet\n'
	mkdir -p node/sys/class/iommu node/sys/devices/pci/iommu/ivhd0
	ln -s ../../devices/pci/iommu/ivhd0 node/sys/class/iommu/ivhd0
	local p
	for p in sev sev_es sev_snp; do put sys/module/kvm_amd/parameters/$p $'Y\n'; done
	put sys/fs/cgroup/misc.capacity $'sev 410\nsev_es 99\n'
	put dev/kvm '12 1d'
	status
}

tdx() { # one on which TDX is
	rm -rf node
	cpu GenuineIntel 6 207 'ss movdir64b tdx_host_platform'
	put sys/module/kvm_intel/parameters/tdx $'Y\n'
	put sys/fs/cgroup/misc.capacity $'tdx 31\n'
	put dev/kvm '12 21'
	put dev/sgx_enclave ''
	put dev/sgx_provision ''
	put proc/1/comm $'systemd\n'
	put proc/812/comm $'qgs\n'
}

# rejects NAME: this check alone fails, and it says what to do; the answer is no.
# shellcheck disable=SC2154
rejects() {
	run -1 --separate-stderr "${check[@]}" --errors=json "${more[@]}"
	jq -e --arg n "$1" '.usable == false and ([.checks[] | select(.result == "fail") | .name] | unique == [$n]) and
		([.checks[] | select(.result == "fail") | .detail != "" and .found != "" or .name == "snp.reported_tcb"] | all)' \
		<<<"$output" >/dev/null || fail "expected $1 alone: $(jq -c '[.checks[] | select(.result != "pass")]' <<<"$output")"
	jq -es --arg n "$1" 'last | .id == $n and .status == 1' <<<"$stderr"
}

more=()

manifest() { # MINIMUM OF THE BOOT LOADER [PRODUCT]
	jq -n --argjson bl "$1" --arg p "${2-Genoa}" '{Policies: {}, ReferenceValues: {snp: [{ProductName: $p, TrustedMeasurement: null,
		MinimumTCB: {BootloaderVersion: $bl, TEEVersion: 0, SNPVersion: 23, MicrocodeVersion: 30}}]}, WorkloadOwnerKeyDigests: [],
		SeedshareOwnerPubKeys: []}' >manifest.json
}

@test "a node that can: every check is made and passes, by itself and for a runtime's platform" {
	snp
	ok "${check[@]}"
	jq -e '.platform == "snp" and .usable and ([.checks[] | select(.result != "pass") | .name] == ["snp.reported_tcb"])' <<<"$output"
	manifest 10
	ok "${check[@]}" --manifest manifest.json
	jq -e '.usable and all(.checks[]; .result == "pass")' <<<"$output"
	ok "${check[@]}" --platform clh-snp-gpu
	tdx
	ok "${check[@]}"
	jq -e '.platform == "tdx" and .usable and ([.checks[] | select(.result != "pass") | .name] == ["tdx.tcb"])' <<<"$output"
	ok "${check[@]}" --platform qemu-tdx
}

@test "rejects: each thing that SNP needs, alone and with what to do" {
	snp && cpu AuthenticAMD 25 17 'sev_snp hypervisor' && rejects cpu.bare_metal
	snp && cpu AuthenticAMD 23 49 sev_snp && rejects cpu.product
	snp && cpu AuthenticAMD 25 17 'sev_snpx xsev_snp sev_sn' && rejects cpu.sev_snp
	snp && rm node/sys/class/iommu/ivhd0 && rejects kernel.iommu
	local word p
	for word in iommu=pt amd_iommu=off sev=nosnp amd_iommu=pgtbl_v2 kvm_amd.sev_snp=0; do
		snp && put proc/cmdline "quiet $word"$'\n' && rejects kernel.cmdline
	done
	for p in sev sev_es sev_snp; do
		snp && put sys/module/kvm_amd/parameters/$p $'N\n' && rejects kvm.$p
		snp && rm node/sys/module/kvm_amd/parameters/$p && rejects kvm.$p
	done
	snp && put sys/fs/cgroup/misc.capacity $'sev 509\nsev_es 0\n' && rejects kvm.asids
	snp && put sys/fs/cgroup/misc.capacity $'sev 509\n' && rejects kvm.asids
	snp && put dev/kvm '12 2f' && rejects kvm.snp_guests
	snp && rm node/dev/kvm && rejects kvm.device
	snp && put dev/kvm 'no device' && rejects kvm.device
	snp && rm node/dev/sev && rejects sev.device
	snp && put dev/sev '' && rejects sev.device
	jq -e '.message | contains("does not know")' <<<"$stderr"
	snp && put dev/sev X && rejects sev.device
	jq -e '.message | contains("error 0x58")' <<<"$stderr"
	snp && status state=00 && rejects sev.state
	snp && status state=07 && rejects sev.device
	snp && status rmp=fe && rejects sev.rmp
	snp && status minor=32 && rejects sev.firmware
	snp && status masks=02 && rejects sev.mask_chip_key
	snp && status masks=01 && rejects sev.chip_id
	snp && status masks=f5 && ok "${check[@]}" # a VLEK, and bits that are not known
}

@test "rejects: a firmware older than the reference values, and none for this product" {
	snp
	manifest 11
	more=(--manifest manifest.json)
	rejects snp.reported_tcb
	jq -e '.checks[] | select(.name == "snp.reported_tcb") | .expected == "bl 11, tee 0, snp 23, ucode 30" and .reference_value == 0 and
		(.detail | contains("update the host"))' <<<"$output"
	manifest null
	rejects snp.reported_tcb
	manifest 1 Milan
	rejects reference_values
	# any of several will do
	manifest 11
	jq '.ReferenceValues.snp += [.ReferenceValues.snp[0] | .MinimumTCB.BootloaderVersion = 9]' manifest.json >two && mv two manifest.json
	ok "${check[@]}" "${more[@]}"
	status tcb=0a01000000001716
	rejects snp.reported_tcb
	status tcb=0a00010000001720 # a byte that is reserved
	rejects snp.reported_tcb
}

@test "rejects: each thing that TDX needs, alone and with what to do" {
	tdx && cpu GenuineIntel 6 207 'tdx_host_platform hypervisor' && rejects cpu.bare_metal
	tdx && cpu GenuineIntel 6 106 ss && rejects cpu.tdx
	tdx && put sys/module/kvm_intel/parameters/tdx $'N\n' && rejects kvm.tdx
	tdx && put sys/fs/cgroup/misc.capacity $'tdx 0\n' && rejects kvm.key_ids
	tdx && put dev/kvm '12 1f' && rejects kvm.tdx_guests
	tdx && rm node/dev/sgx_enclave && rejects sgx.enclave
	tdx && rm node/dev/sgx_provision && rejects sgx.provision
	tdx && put proc/812/comm $'qgsx\n' && rejects tdx.quote_service
	tdx
	run -1 --separate-stderr "${check[@]}" --platform snp
	jq -e '.usable == false and .checks[0].name == "cpu.vendor" and .checks[0].result == "fail"' <<<"$output"
}

@test "what is no node is no answer" {
	snp
	rm node/proc/cpuinfo
	refuses 4 open "${check[@]}" --errors=json
	put proc/cpuinfo $'processor : 0\nBogoMIPS : 2\n'
	refuses 3 cpuinfo "${check[@]}" --errors=json
	snp
	echo '{"x": 1}' >manifest.json
	refuses 3 json.unknown "${check[@]}" --errors=json --manifest manifest.json
	refuses 2 usage "${check[@]}" --errors=json --platform sgx
	refuses 2 usage "${check[@]}" --errors=json x
}

@test "a link of the node does not lead out of it, and nothing is written" {
	snp
	ln -sf "$PWD/outside" node/dev/sev
	cp node/dev/kvm outside
	rejects sev.device
	snp
	find node -printf '%p %s %T@\n' | sort >before
	ok "${check[@]}"
	find node -printf '%p %s %T@\n' | sort | diff before -
}

@test "the real devices: files are none" {
	snp
	check=(ctr-node-install check-node --root node)
	run -1 --separate-stderr "${check[@]}"
	jq -e '[.checks[] | select(.result == "fail") | .name] == ["kvm.device", "sev.device"]' <<<"$output"
}
