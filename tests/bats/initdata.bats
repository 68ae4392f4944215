#!/usr/bin/env bats
# ctr-initdata: the program that ships, with a kernel that is played (tests/sim/inguest), and the same objects with the
# simulated platform. Step 6 of the trust chain: what the agent enforces is what the report says, or there is nothing to
# enforce.
load helpers

setup_file() {
	load helpers
	export SIM=$BUILD/sim/simchain KEYS=$BUILD/sim/keys CHAINS=$BATS_FILE_TMPDIR/chains
	[ -f "$KEYS/asvk.key" ] || "$SIM" keys "$KEYS"
	"$SIM" --keys="$KEYS" snp "$CHAINS/snp"
	"$SIM" tdx "$CHAINS/tdx"
	local status=0
	"$BUILD/sim/inguest" "sim:$CHAINS/snp" true || status=$?
	export NOTIFY=$((status != 77))
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	printf 'package agent_policy\n\ndefault CreateContainerRequest := false\n' >policy.rego
	printf '[token_configs]\n' >aa.toml
	printf '{"auths": {}}' >auth.json
	ctr-initdata build --policy policy.rego --file aa.toml=aa.toml --file auth.json=auth.json >doc.toml
	ctr-initdata build --policy policy.rego --file aa.toml=aa.toml --file auth.json=auth.json --disk >disk
	digest=$(sha256sum <doc.toml | cut -d' ' -f1)
	snp=sim:$CHAINS/snp,host_data=$digest tdx=sim:$CHAINS/tdx,mrconfigid=$digest
}

# played COMMAND...: with the program that knows the simulated platform first in PATH.
played() { PATH=$BUILD/sim:$PATH "$@"; }

# shipped SPEC COMMAND...: with the program that ships, in a guest with this platform.
shipped() { "$BUILD/sim/inguest" "$@"; }

# accepts --platform SPEC [OPTION...]: verified, without a word, and what was written is what was measured.
accepts() {
	rm -rf out
	if [ "$NOTIFY" = 1 ]; then
		ok shipped "$2" ctr-initdata verify --output out "${@:3}"
		[ -z "$output" ] && [ -e out/policy.rego ]
		rm -rf out
	fi
	played ok ctr-initdata verify --output out "$@"
	[ -z "$output" ]
}

# rejects STATUS ID --platform SPEC [OPTION...]: for this reason, and nothing was written, not even in part.
rejects() {
	rm -rf out
	[ "$NOTIFY" = 0 ] || refuses "$1" "${really:-$2}" shipped "$4" ctr-initdata verify --errors=json --output out "${@:5}"
	[ -z "$(compgen -G 'out*')" ]
	played refuses "$1" "$2" ctr-initdata verify --errors=json --output out "${@:3}"
	[ -z "$(compgen -G 'out*')" ]
}

# le N: eight bytes, the least significant first.
le() {
	local i
	for i in 0 1 2 3 4 5 6 7; do printf %02x $(($1 >> 8 * i & 255)); done | xxd -r -p
}

# disk_of [LENGTH]: standard input, gzip data or what stands for it, as a disk.
disk_of() {
	cat >data
	printf initdata
	le "${1:-$(stat -c %s data)}"
	cat data
	head -c $(((512 - (16 + $(stat -c %s data)) % 512) % 512)) /dev/zero
}

# document: standard input as a disk, with the report that would go with it in $snp.
document() {
	cat >other.toml
	gzip -n <other.toml | disk_of >other
	snp=sim:$CHAINS/snp,host_data=$(sha256sum <other.toml | cut -d' ' -f1)
}

# --- build, inspect ---

@test "build: the exact bytes, and always the same" {
	ok ctr-initdata build --policy policy.rego --file aa.toml=aa.toml
	printf '%s\n' "$output" | diff - <(printf '%s\n' 'version = "0.1.0"' 'algorithm = "sha256"' '' '[data]' \
		'"policy.rego" = '"'''" "$(<policy.rego)" "'''" '"aa.toml" = '"'''" '[token_configs]' "'''")
	for form in --disk --annotation --digest; do
		cmp <(ctr-initdata build --policy policy.rego $form) <(ctr-initdata build --file policy.rego=- $form <policy.rego)
	done
	ok ctr-initdata build --policy policy.rego --digest
	[ "$output" = "$(ctr-initdata build --policy policy.rego | sha256sum | cut -d' ' -f1)" ]
	[ "$(ctr-initdata build --policy policy.rego --annotation | base64 -d | zcat | sha256sum)" = \
		"$(ctr-initdata build --policy policy.rego | sha256sum)" ]
}

@test "build: each algorithm, over the document that names it" {
	local a
	for a in 256 384 512; do
		ok ctr-initdata build --policy policy.rego --algorithm "sha$a" --digest
		[ "$output" = "$(ctr-initdata build --policy policy.rego --algorithm "sha$a" | sha${a}sum | cut -d' ' -f1)" ]
	done
}

@test "build: digests of every length as coreutils has them" {
	local n a
	for n in 1 2 {50..66} {110..132} 1000 100000; do
		head -c "$n" /dev/zero | tr '\0' x >p
		for a in 256 384 512; do
			[ "$(ctr-initdata build -p p -a "sha$a" --digest)" = \
				"$(ctr-initdata build -p p -a "sha$a" | sha${a}sum | cut -d' ' -f1)" ]
		done
	done
}

@test "build: the disk is what its guest reads" {
	[ "$(head -c 8 disk)" = initdata ]
	[ $(($(stat -c %s disk) % 512)) -eq 0 ]
	cmp <(tail -c +17 disk | zcat 2>/dev/null) doc.toml
	ctr-initdata inspect disk | jq -e '.form == "disk"'
}

@test "build: what the guest would refuse is not made" {
	refuses 3 initdata.policy ctr-initdata build --errors=json
	refuses 3 initdata.policy ctr-initdata build --errors=json --file aa.toml=aa.toml
	refuses 3 initdata.policy ctr-initdata build --errors=json --policy /dev/null
	refuses 3 initdata.text ctr-initdata build --errors=json --policy - <<<$'\xff'
	refuses 3 initdata.text ctr-initdata build --errors=json -p policy.rego -f b=- < <(printf 'a\0b')
	refuses 3 initdata.toml ctr-initdata build --errors=json --policy policy.rego --policy policy.rego
	for name in ../x /x x/y . .. .x initdata.toml 'a b' $'a\nb' é; do
		refuses 3 "$([ "$name" = $'a\nb' ] && echo initdata.toml || echo initdata.name)" \
			ctr-initdata build --errors=json --policy policy.rego --file "$name=aa.toml"
	done
	refuses 3 limit ctr-initdata build --errors=json --policy - < <(head -c 17M /dev/zero | tr '\0' x)
	refuses 2 usage ctr-initdata build --errors=json --policy policy.rego --algorithm md5
	refuses 2 usage ctr-initdata build --errors=json --policy policy.rego --file x
	refuses 2 usage ctr-initdata build --errors=json --policy policy.rego --file =x
	refuses 2 usage ctr-initdata build --errors=json --policy policy.rego --disk --digest
	refuses 2 usage ctr-initdata build --errors=json --policy policy.rego x
	refuses 4 open ctr-initdata build --errors=json --policy nowhere
}

@test "inspect: a document, an annotation and a disk say the same" {
	local form
	for form in '' --annotation --disk; do
		# shellcheck disable=SC2086 # none or one word
		ctr-initdata build -p policy.rego -f aa.toml=aa.toml -f auth.json=auth.json $form >x
		ok ctr-initdata inspect x
		jq -e --arg d "$digest" --arg s "$(sha256sum <aa.toml | cut -d' ' -f1)" --argjson n "$(stat -c %s doc.toml)" '
			.digest == $d and .host_data == $d and .mrconfigid == $d + "0" * 32 and .algorithm == "sha256" and
			.bytes == $n and [.entries[].name] == ["policy.rego", "aa.toml", "auth.json"] and
			.entries[1].sha256 == $s and .entries[1].bytes == 16' <<<"$output"
	done
	ok ctr-initdata inspect --policy policy.rego
	jq -e --arg d "$(sha256sum <policy.rego | cut -d' ' -f1)" '.form == "policy" and .host_data == $d' <<<"$output"
}

@test "inspect: what the registers hold of a longer digest" {
	ok ctr-initdata inspect - < <(ctr-initdata build -p policy.rego -a sha384)
	jq -e '(.digest | length) == 96 and .host_data == .digest[:64] and .mrconfigid == .digest' <<<"$output"
	ok ctr-initdata inspect - < <(ctr-initdata build -p policy.rego -a sha512)
	jq -e '(.digest | length) == 128 and .host_data == .digest[:64] and .mrconfigid == .digest[:96]' <<<"$output"
}

@test "inspect: what is none of them" {
	refuses 3 base64 ctr-initdata inspect --errors=json - <<<'H4sI!'
	refuses 3 initdata.gzip ctr-initdata inspect --errors=json - <<<H4sIAAAA
	refuses 3 initdata.toml ctr-initdata inspect --errors=json - <<<hello
	refuses 3 initdata.version ctr-initdata inspect --errors=json - </dev/null
	refuses 3 disk.length ctr-initdata inspect --errors=json - <<<initdata
	refuses 3 initdata.policy ctr-initdata inspect --errors=json --policy - </dev/null
	refuses 3 initdata.policy ctr-initdata inspect --errors=json --policy - <<<$'\xff'
	refuses 2 usage ctr-initdata inspect --errors=json a b
}

@test "what ctr-policygen annotates is what the guest reports" {
	cat >pod.yaml <<-'Y'
		apiVersion: v1
		kind: Pod
		metadata: {name: p, namespace: ns}
		spec:
		  runtimeClassName: contrast-cc
		  containers:
		  - {name: c, image: "registry.example/tools:1.0"}
	Y
	ctr-policygen -q --offline --skip-initializer --image-layout "$IMAGES" --format initdata pod.yaml >annotated.yaml
	grep -oE 'H4sI[A-Za-z0-9+/=]+' annotated.yaml >annotation
	[ -s annotation ]
	ctr-initdata inspect annotation >seen.json
	hash=$(jq -r .host_data seen.json)
	# its manifest has the same
	ctr-manifest policies -o policies annotated.yaml
	compgen -G "policies/*$hash*"
	# and so does the guest, whichever way the shim packs it
	base64 -d annotation | zcat >pod.toml
	gzip -9 <pod.toml | disk_of >pod.disk
	accepts --platform "sim:$CHAINS/snp,host_data=$hash" --device pod.disk
	cmp out/initdata.toml pod.toml
	# built from the policy alone, it is the same document
	cmp <(ctr-initdata build --policy out/policy.rego) pod.toml
	rejects 1 initdata.mismatch --platform "$snp" --device pod.disk
}

# --- verify ---

@test "verify: SNP and TDX, from a disk, a document and a policy" {
	local p
	for p in "$snp" "$tdx"; do
		accepts --platform "$p" --device disk
		[ "$(cd out && echo *)" = "aa.toml auth.json initdata.toml policy.rego" ]
		for f in policy.rego aa.toml auth.json; do cmp "out/$f" "$f"; done
		cmp out/initdata.toml doc.toml
		[ "$(stat -c %a out out/* | sort -u | xargs)" = "600 700" ]
		accepts --platform "$p" --initdata doc.toml
		cmp out/initdata.toml doc.toml
	done
	hash=$(sha256sum <policy.rego | cut -d' ' -f1)
	for p in "sim:$CHAINS/snp,host_data=$hash" "sim:$CHAINS/tdx,mrconfigid=$hash"; do
		accepts --platform "$p" --policy policy.rego
		[ "$(cd out && echo *)" = policy.rego ]
		cmp out/policy.rego policy.rego
	done
}

@test "verify: the longer digests, as the registers hold them" {
	local a h
	for a in 384 512; do
		ctr-initdata build -p policy.rego -a "sha$a" --disk >d
		h=$(ctr-initdata build -p policy.rego -a "sha$a" --digest)
		accepts --platform "sim:$CHAINS/snp,host_data=${h:0:64}" --device d
		accepts --platform "sim:$CHAINS/tdx,mrconfigid=${h:0:96}" --device d
		rejects 1 initdata.mismatch --platform "sim:$CHAINS/tdx,mrconfigid=${h:0:64}" --device d
		rejects 1 initdata.mismatch --platform "sim:$CHAINS/snp,host_data=${h:64:64}" --device d
	done
}

@test "verify: a changed byte, wherever in the document" {
	local i at
	for ((i = 0; i < $(stat -c %s doc.toml); i += 1)); do
		cp doc.toml bad.toml
		at=$(xxd -p -s "$i" -l 1 doc.toml)
		printf %02x $((16#$at ^ 1)) | xxd -r -p | dd of=bad.toml bs=1 seek="$i" conv=notrunc status=none
		rm -rf out
		PATH=$BUILD/sim:$PATH run ctr-initdata --platform "$snp" --initdata bad.toml --output out
		# it reads as something else, or does not read at all
		[[ $status == [13] ]] && [ ! -e out ] || fail "byte $i: $status $output"
	done
}

@test "verify: another policy than the measured one, and nothing measured" {
	ctr-initdata build --policy aa.toml --disk >other
	rejects 1 initdata.mismatch --platform "$snp" --device other
	rejects 1 initdata.mismatch --platform "$tdx" --device other
	rejects 1 initdata.mismatch --platform "$snp" --policy policy.rego
	rejects 1 initdata.mismatch --platform "sim:$CHAINS/snp,host_data=00" --device disk
	rejects 1 initdata.mismatch --platform "sim:$CHAINS/tdx,mrconfigid=00" --device disk
	# all of MRCONFIGID counts, the bytes behind a short digest too
	rejects 1 initdata.mismatch --platform "sim:$CHAINS/tdx,mrconfigid=${digest}01" --device disk
	rejects 1 initdata.mismatch --platform "sim:$CHAINS/tdx,mrconfigid=$digest$(printf '%030d' 0)01" --device disk
	# the policy's own hash is not that of the document
	rejects 1 initdata.mismatch --platform "sim:$CHAINS/snp,host_data=$(sha256sum <policy.rego | cut -d' ' -f1)" --device disk
	jq -e '.message | contains("HOSTDATA is")' <<<"$stderr" >/dev/null
}

@test "verify: the form of the disk" {
	rejects 3 disk.magic --platform "$snp" --device doc.toml
	rejects 3 disk.magic --platform "$snp" --device /dev/null
	rejects 3 disk.magic --platform "$snp" --device "$PWD"
	: >empty
	rejects 3 disk.magic --platform "$snp" --device empty
	sed 's/^initdata/initdatA/' disk >bad
	rejects 3 disk.magic --platform "$snp" --device bad
	printf initdata >bad
	rejects 3 disk.length --platform "$snp" --device bad
	head -c 511 disk >bad
	rejects 3 disk.length --platform "$snp" --device bad
	gzip -n <doc.toml >gz
	size=$(stat -c %s gz)
	for n in 0 498 4096 $((1 << 40)) -1; do
		disk_of "$n" <gz >bad
		rejects 3 disk.length --platform "$snp" --device bad
	done
	disk_of $((size - 6)) <gz >bad # the last of its bytes are zeros
	rejects 3 disk.padding --platform "$snp" --device bad
	disk_of $((size + 1)) <gz >bad
	rejects 3 initdata.gzip --platform "$snp" --device bad
	{ cat disk; head -c 511 /dev/zero; printf x; } >bad
	rejects 3 disk.padding --platform "$snp" --device bad
	head -c 19M /dev/zero >bad
	dd if=disk of=bad conv=notrunc status=none
	rejects 3 limit --platform "$snp" --device bad
	rejects 4 open --platform "$snp" --device nowhere
	# more zeros are a device with larger sectors
	{ cat disk; head -c 3584 /dev/zero; } >large
	accepts --platform "$snp" --device large
}

@test "verify: what is in the disk" {
	head -c 17M /dev/zero | gzip -n | disk_of >bomb
	rejects 3 initdata.gzip --platform "$snp" --device bomb
	{ gzip -n <doc.toml; printf x; } | disk_of >bad
	rejects 3 initdata.gzip --platform "$snp" --device bad
	{ gzip -n <doc.toml; gzip -n <doc.toml; } | disk_of >bad
	rejects 3 initdata.gzip --platform "$snp" --device bad
	gzip -n <doc.toml | head -c -9 | disk_of >bad
	rejects 3 initdata.gzip --platform "$snp" --device bad
	disk_of <doc.toml >bad
	rejects 3 initdata.gzip --platform "$snp" --device bad
}

@test "verify: a document that is measured and yet none" {
	document < <(printf 'version = "0.1.0"\nalgorithm = "sha256"\n[data]\n"policy.rego" = "\xff"\n')
	rejects 3 initdata.toml --platform "$snp" --device other
	document < <(sed 's/"0.1.0"/"0.2.0"/' doc.toml)
	rejects 3 initdata.version --platform "$snp" --device other
	document < <(sed 's/sha256/sha1/' doc.toml)
	rejects 3 initdata.algorithm --platform "$snp" --device other
	document < <(sed '/^algorithm/d' doc.toml)
	rejects 3 initdata.algorithm --platform "$snp" --device other
	document < <(sed 's/policy.rego/policy.reg/' doc.toml)
	rejects 3 initdata.policy --platform "$snp" --device other
	document < <(cat doc.toml; echo '"policy.rego" = "package agent_policy"')
	rejects 3 initdata.toml --platform "$snp" --device other
	for name in ../../etc/passwd /etc/passwd a/b .. . '' .bashrc initdata.toml 'a b' '\u0001' "\\\\"; do
		document < <(cat doc.toml; echo "\"$name\" = \"x\"")
		rejects 3 "$([ "$name" ] && echo initdata.name || echo initdata.toml)" --platform "$snp" --device other
	done
	# the bare form
	rejects 3 initdata.policy --platform "$snp" --policy /dev/null
	printf 'a\0b' >nul
	rejects 3 initdata.policy --platform "$snp" --policy nul
	head -c 17M /dev/zero >big
	rejects 3 limit --platform "$snp" --policy big
	rejects 3 limit --platform "$snp" --initdata big
}

@test "verify: a report that is not this guest's, or not fresh" {
	# the platforms of SNP look at that themselves, the simulated one is told to lie
	really=platform.report-data rejects 4 report.data --platform "$snp,report_data=ff" --device disk
	rejects 4 report.data --platform "$tdx,report_data=ff" --device disk
	rejects 3 snp.version --platform "$snp,version=9" --device disk
	rejects 3 snp.field --platform "$snp,vmpl=4" --device disk # asked for by the host
	# who may read the guest's memory is for the Coordinator to judge: this says only what was measured
	accepts --platform "$snp,policy=0xb0000" --device disk
	# it is asked for with a number that nobody knew before
	played traced trace ctr-initdata --platform "$snp" --device disk --output out2
	grep -q 'getrandom(.*, 64, 0) *= 64' trace
}

@test "verify: no report, no policy" {
	[ ! -e /dev/sev-guest ] && [ ! -e /dev/tdx_guest ] || skip "a confidential guest"
	refuses 4 platform.none ctr-initdata --errors=json --device disk --output out
	refuses 4 platform.open ctr-initdata --errors=json --platform tdx-guest --device disk --output out
	refuses 2 platform.spec ctr-initdata --errors=json --platform "$CHAINS" --device disk --output out
	[ ! -e out ]
}

@test "verify: no disk, no policy: there is no option to go on without" {
	rejects 4 disk.none --platform "$snp" --wait 0
	rejects 4 disk.none --platform "sim:$CHAINS/snp,host_data=00" --wait 1
	ctr-initdata --help >help
	run grep -iE 'none|skip|ignore|insecure|allow' help
	[ "$status" -eq 1 ]
}

@test "verify: the directory appears whole or not at all, and nothing in it is from elsewhere" {
	mkdir out
	played ok ctr-initdata --platform "$snp" --device disk --output out
	played refuses 4 output.exists ctr-initdata --errors=json --platform "$snp" --device disk --output out
	[ "$(echo out*)" = out ]
	rm -r out
	mkdir out
	echo 'package agent_policy' >out/policy.rego
	played refuses 4 output.exists ctr-initdata --errors=json --platform "$snp" --device disk --output out/
	[ "$(cd out && echo *)" = policy.rego ]
	rm -r out
	mkdir elsewhere
	ln -s elsewhere out
	played refuses 4 output.exists ctr-initdata --errors=json --platform "$snp" --device disk --output out
	[ -z "$(ls elsewhere)" ] && [ "$(echo out*)" = out ]
	rm out
	played ok ctr-initdata --platform "$snp" --device disk --output "$PWD/a/b/out///"
	cmp a/b/out/policy.rego policy.rego
	# each system call that writes, failed once: no directory, nothing left
	for call in mkdir openat write fchmod fsync rename; do
		for n in 1 2 3 4 5 6 7 8; do
			ASAN_OPTIONS=detect_leaks=0 PATH=$BUILD/sim:$PATH run strace -qqf -o trace -e inject="$call:error=ENOSPC:when=$n" \
				ctr-initdata --platform "$snp" --device disk --output torn/out
			[ "$status" -eq 4 ] || [ "$status" -eq 0 ] || fail "$call $n: $output"
			[ "$status" -eq 4 ] || [ -e torn/out ]
			# the last call makes it last: only then the whole may be there in spite of it
			[ ! -e torn ] || [ -z "$(ls -A torn)" ] ||
				[ "$(cd torn && echo * out/*)" = "out out/aa.toml out/auth.json out/initdata.toml out/policy.rego" ] ||
				fail "$call $n: $(ls -R torn)"
			rm -rf torn
		done
	done
}

@test "verify: each byte of the disk is read once" {
	played traced trace ctr-initdata --platform "$snp" --device disk --output out
	[ "$(grep -c 'openat(.*"disk"' trace)" = 1 ]
	sed -n '/openat(.*"disk"/,/close(/p' trace >reading
	grep -q 'read(' reading
	run ! grep -E 'lseek|pread|MAP_(SHARED|PRIVATE), [0-9]' reading
}

@test "lesson: mode 0666: modes are said, whatever the umask" {
	umask 0
	accepts --platform "$snp" --device disk
	[ "$(stat -c %a out out/* | sort -u | xargs)" = "600 700" ]
	rm -r out
	umask 0777
	PATH=$BUILD/sim:$PATH ctr-initdata --platform "$snp" --device disk --output a/out
	[ "$(stat -c %a a/out a/out/* | sort -u | xargs)" = "600 700" ]
	# the way there is not only ours
	[ "$(stat -c %a a)" = 755 ]
}

@test "verify: usage" {
	refuses 2 usage ctr-initdata --errors=json --device disk --policy policy.rego
	refuses 2 usage ctr-initdata --errors=json --initdata doc.toml --policy policy.rego
	refuses 2 usage ctr-initdata --errors=json disk
	refuses 2 number ctr-initdata --errors=json --wait x
	refuses 2 usage ctr-initdata --errors=json --no-such
}

@test "the examples of the page run" {
	examples ctr-initdata.8 | grep -v '^ctr-initdata verify' >commands # that one is for the guest
	[ "$(wc -l <commands)" -ge 5 ]
	bash -euo pipefail commands >seen
	tail -n 1 seen | grep -qx "$(ctr-initdata build --policy policy.rego --digest)"
}

@test "the page has each id that the program's own parts fail with" {
	local id
	grep -ohE '"(disk|initdata|report|output)\.[a-z-]+"' "$TOP"/tools/ctr-initdata/*.c "$TOP"/lib/initdata.c "$TOP"/lib/toml.c |
		tr -d '"' | grep -vE '\.[ch]$|initdata\.toml$' | sort -u >ids
	[ "$(wc -l <ids)" -ge 12 ]
	while read -r id; do
		grep -qE "^\.It Li .*\b$id\b" "$TOP/man/ctr-initdata.8" || fail "$id"
	done <ids
}

# --- the program that ships ---

@test "the program verifies with the kernel's interfaces, which are played" {
	[ "$NOTIFY" = 1 ] || skip "seccomp_unotify is absent"
	run -0 --separate-stderr shipped "$snp" ctr-initdata -v --errors=json --device disk --output out
	jq -e '.id == "initdata.verified" and (.message | contains("HOSTDATA"))' <<<"$stderr"
	cmp out/policy.rego policy.rego
	run -0 --separate-stderr shipped "$tdx" ctr-initdata -v --errors=json --device disk --output out2
	jq -e '.id == "initdata.verified" and (.message | contains("MRCONFIGID"))' <<<"$stderr"
	cmp out2/policy.rego policy.rego
	# every test above was made with it, too
	refuses 1 initdata.mismatch shipped "sim:$CHAINS/snp" ctr-initdata --errors=json --device disk --output out3
	[ ! -e out3 ]
}

@test "the program is static, below 1 MiB as it is built, and opens no socket" {
	[ ! "${SAN:-}${VALGRIND:-}" ] || skip "the plain build has it"
	[ "$(stat -L -c %s "$BUILD/bin/ctr-initdata")" -lt $((1 << 20)) ]
	run ldd "$BUILD/bin/ctr-initdata"
	[[ $output == *"statically linked"* || $output == *"not a dynamic executable"* ]]
	file -L "$BUILD/bin/ctr-initdata" | grep -q 'pie executable.*static-pie linked'
	traced trace ctr-initdata inspect disk
	run grep -E 'socket|connect|sendto' trace
	[ "$status" -eq 1 ]
	run ! traced trace ctr-initdata verify --device disk --output out
	run grep -E 'socket|connect|sendto' trace
	[ "$status" -eq 1 ]
}

@test "the program has no simulated platform to be talked into" {
	refuses 2 platform.spec ctr-initdata --errors=json --platform "$snp" --device disk --output out
	[ ! -e out ]
	[[ $stderr != *sim:DIR* ]]
	[ "${SAN:-}" ] || ! grep -qE 'snp\.json|vcek\.key' "$BUILD/bin/ctr-initdata"
}

@test "the unit halts the guest, and the agent needs it" {
	cd "$TOP/data/systemd" || return
	grep -qx 'FailureAction=poweroff-force' ctr-initdata.service
	grep -qx 'Before=kata-agent.service' ctr-initdata.service
	grep -qx 'RequiredBy=kata-agent.service' ctr-initdata.service
	grep -qx 'Requires=ctr-initdata.service' kata-agent.service.d/10-ctr-initdata.conf
	grep -qx 'After=ctr-initdata.service' kata-agent.service.d/10-ctr-initdata.conf
	# what it runs is an option that there is, and writes where the agent is told to look
	args=$(sed -n 's/^ExecStart=[^ ]*ctr-initdata //p' ctr-initdata.service | sed 's/--wait=[0-9]*/--wait=0/')
	# shellcheck disable=SC2086 # words on purpose
	run -4 --separate-stderr ctr-initdata $args
	grep -qx 'Environment=KATA_AGENT_POLICY_FILE=/run/confidential-containers/initdata/policy.rego' \
		kata-agent.service.d/10-ctr-initdata.conf
	ctr-initdata --help | grep -q /run/confidential-containers/initdata
	command -v systemd-analyze >/dev/null || skip "systemd-analyze is absent"
	sed "/^Documentation=/d; s,^ExecStart=[^ ]*,ExecStart=$BUILD/bin/ctr-initdata," ctr-initdata.service >"$BATS_TEST_TMPDIR/ctr-initdata.service"
	printf '[Service]\nExecStart=/bin/true\n' >"$BATS_TEST_TMPDIR/kata-agent.service"
	run systemd-analyze verify "$BATS_TEST_TMPDIR/ctr-initdata.service"
	[[ $output != *ctr-initdata* ]] || fail "$output"
}
