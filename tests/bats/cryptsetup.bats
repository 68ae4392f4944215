#!/usr/bin/env bats
# ctr-initializer cryptsetup: what happens to a device. What needs device mapper is tried where the kernel has it; the
# steps around it are in tests/unit/test_volume.c.
load helpers

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	PATH=$PATH:/usr/sbin:/sbin
	mkdir -p contrast/secrets mnt
	printf 'ab%.0s' {1..64} >contrast/secrets/workload-secret-seed
	truncate -s 64M device
}

teardown() {
	! mountpoint -q mnt || umount mnt
	[ ! -e /dev/mapper/bats-volume ] || cryptsetup close bats-volume
	[ -z "${loop-}" ] || losetup -d "$loop"
}

# volume [OPTION...]
volume() {
	ctr-initializer cryptsetup --errors=json --output contrast --device "${loop:-device}" --mount mnt --name bats-volume "$@"
}

mapper() {
	[ -e /sys/class/misc/device-mapper ] || skip "no device mapper in this kernel"
	loop=$(losetup -f --show device) || skip "no loop device"
}

@test "usage" {
	refuses 2 usage ctr-initializer cryptsetup --errors=json --device device
	refuses 2 usage ctr-initializer cryptsetup --errors=json --mount mnt
	refuses 2 usage volume operand
	refuses 2 usage volume --format --existing
	refuses 2 usage volume --name ../x
	refuses 2 usage volume --name ''
	refuses 2 usage ctr-initializer cryptsetup --errors=json --device device --mount / --output contrast
}

@test "a foreign file system, partition table or volume is left alone" {
	for make in 'mkfs.ext4 -q device' 'mkswap -q device' 'printf "\\x55\\xaa" | dd of=device bs=1 seek=510 conv=notrunc status=none' \
		'printf secret | cryptsetup luksFormat -q --type luks1 --pbkdf-force-iterations 1000 device -'; do
		truncate -s 0 device
		truncate -s 64M device
		bash -c "$make"
		sum=$(sha256sum device)
		refuses 1 volume.foreign volume || fail "$make"
		refuses 1 volume.empty volume --existing
		[ "$(sha256sum device)" = "$sum" ]
	done
}

@test "lesson: a LUKS2 header that is not ours is refused, with key slots or another cipher" {
	for cipher in aes-xts-plain64 aes-cbc-essiv:sha256; do
		printf secret | cryptsetup luksFormat -q --type luks2 -c "$cipher" -s 256 --pbkdf pbkdf2 --pbkdf-force-iterations 1000 device -
		sum=$(sha256sum device)
		refuses 1 luks.header volume
		refuses 1 luks.header volume --existing
		[ "$(sha256sum device)" = "$sum" ]
	done
}

@test "a device that is no use, no device, no secret" {
	refuses 1 volume.empty volume --existing
	truncate -s 1M device
	refuses 1 volume.size volume
	rm device
	refuses 4 open volume
	truncate -s 64M device
	echo xyz >contrast/secrets/workload-secret-seed
	refuses 3 hex volume
	rm contrast/secrets/workload-secret-seed
	refuses 4 open volume
	jq -se 'last.fix | contains("WorkloadSecretID")' <<<"$stderr"
	cmp -n 65536 device /dev/zero
}

@test "without libcryptsetup it says so" {
	mkdir lib
	echo none >lib/libcryptsetup.so.12
	LD_LIBRARY_PATH=lib refuses 4 luks.library volume
}

@test "where nothing can be mapped it says so, and leaves nothing that looks like a volume" {
	[ ! -e /sys/class/misc/device-mapper ] || skip "this kernel has device mapper"
	refuses 4 luks.open volume
	jq -se 'last.fix | contains("device mapper")' <<<"$stderr"
	never_luks
	refuses 4 luks.open volume # it begins again
	never_luks
}

never_luks() {
	! cryptsetup isLuks device || fail "a header"
	[[ $(head -c 47 device) == "ctr-initializer: a volume that is not finished"* ]]
}

@test "--ready says whether a volume is mounted" {
	refuses 1 volume.ready ctr-initializer cryptsetup --errors=json --ready mnt
	refuses 1 volume.ready ctr-initializer cryptsetup --errors=json --ready /proc
	refuses 1 volume.ready ctr-initializer cryptsetup --errors=json --ready absent
}

@test "--stay: the volume is there until TERM" {
	mapper
	ctr-initializer cryptsetup --output contrast --device "$loop" --mount mnt --name bats-volume --stay 3>&- &
	for _ in {1..100}; do
		! ctr-initializer cryptsetup --ready mnt 2>/dev/null || break
		sleep .1
	done
	ctr-initializer cryptsetup --ready mnt
	kill "$!"
	wait "$!"
	never mountpoint -q mnt
	[ ! -e /dev/mapper/bats-volume ]
}

@test "a volume is made, mounted, and found again" {
	mapper
	for integrity in '' --integrity; do
		truncate -s 0 device && truncate -s 64M device && losetup -c "$loop"
		volume $integrity
		mountpoint -q mnt
		echo data >mnt/file
		volume $integrity # is done already
		umount mnt
		volume $integrity # is mapped already
		umount mnt
		cryptsetup close bats-volume
		volume $integrity --existing
		[ "$(<mnt/file)" = data ]
		umount mnt
		cryptsetup close bats-volume
		refuses 1 luks.key volume $integrity --name other
		never grep -q data device
	done
}

@test "with --integrity a changed sector is an error, never other data" {
	mapper
	volume --integrity
	dd if=/dev/urandom of=mnt/file bs=1M count=4 status=none
	sum=$(sha256sum <mnt/file)
	umount mnt
	cryptsetup close bats-volume
	for at in {20..60..2}; do
		printf 'x%.0s' {1..64} | dd of=device bs=1 seek=$((at << 20)) conv=notrunc status=none
	done
	run volume --integrity
	[ "$status" -eq 0 ] || return 0
	if cp mnt/file copy; then [ "$(sha256sum <copy)" = "$sum" ]; fi
}

never() {
	! "$@" || fail "not expected: $*"
}
