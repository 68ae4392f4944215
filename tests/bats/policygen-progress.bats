#!/usr/bin/env bats
# --progress: what is said of the reading of layers, to whom, and how it makes way for other words.
load helpers
load policygen

# An image that takes over half a second to read: a few MB that unpack to much.
setup_file() {
	local dir=$BATS_FILE_TMPDIR/slow layer config manifest sum
	mkdir -p "$dir/blobs/sha256" "$BATS_FILE_TMPDIR/root"
	truncate -s 700M "$BATS_FILE_TMPDIR/root/zeros"
	tar --format=ustar --mtime=@0 -C "$BATS_FILE_TMPDIR/root" -cf - zeros |
		tee >(sha256sum >"$BATS_FILE_TMPDIR/sum") | gzip -n1 >"$BATS_FILE_TMPDIR/layer"
	read -r sum _ <"$BATS_FILE_TMPDIR/sum"
	layer=$(blob "$dir" <"$BATS_FILE_TMPDIR/layer")
	config=$(jq -n --arg d "sha256:$sum" '{architecture: "amd64", os: "linux", config: {Cmd: ["x"], User: "1", Volumes: {"/v": {}}},
		rootfs: {type: "layers", diff_ids: [$d]}}' | blob "$dir")
	manifest=$(jq -n --argjson c "$config" --argjson l "$layer" '{schemaVersion: 2,
		config: ($c + {mediaType: "application/vnd.oci.image.config.v1+json"}),
		layers: [$l + {mediaType: "application/vnd.oci.image.layer.v1.tar+gzip"}]}' | blob "$dir")
	jq -n --argjson m "$manifest" '{schemaVersion: 2, manifests: [$m + {
		mediaType: "application/vnd.oci.image.manifest.v1+json",
		annotations: {"org.opencontainers.image.ref.name": "local/slow:1"}}]}' >"$dir/index.json"
	echo '{"imageLayoutVersion":"1.0.0"}' >"$dir/oci-layout"
	image=local/slow:1 pod >"$BATS_FILE_TMPDIR/in"
}

setup() {
	cd "$BATS_FILE_TMPDIR" || exit
	# no cache: each run reads the layer
	slow=(ctr-policygen --offline --skip-initializer --no-cache --verity --image-layout slow)
}

# on_terminal COMMAND...: its stderr is a terminal, what it wrote there is in $said; stdout goes to the file out.
on_terminal() {
	local line
	printf -v line '%q ' "$@"
	script -qec "$line >out" /dev/null </dev/null >said
	said=$(<said)
}

# As a terminal shows it in the end: what stands behind the last carriage return of each line, trailing blanks gone.
shown() { sed 's/\r$//; s/.*\r//; s/ *$//' said; }

@test "on a terminal a line renews itself, and is gone before other words" {
	on_terminal "${slow[@]}" in
	[[ $said == *$'\rctr-policygen: '[0-9]*' of '[0-9]*' MiB, docker.io/local/slow:1'* ]] || fail "$said"
	# the warning of the image's VOLUME comes when the layers have been read
	[[ $(shown) == "ctr-policygen: in:"*"warning: "* && $(shown) != *MiB* ]] || fail "$(shown)"
	grep -q cc_init_data out
	"${slow[@]}" -q in | cmp - out
}

@test "nothing on a terminal with none, with -q, and for short work" {
	for how in --progress=none '-q --progress=text'; do
		# shellcheck disable=SC2086 # several words
		on_terminal "${slow[@]}" $how in
		[[ $said != *MiB* && $said != *progress* ]] || fail "$how: $said"
	done
	pod >in2
	on_terminal ctr-policygen --offline --skip-initializer --no-cache --image-layout "$IMAGES" in2
	[[ $said != *MiB* ]] || fail "$said"
}

@test "nothing where stderr is no terminal, unless it is asked for" {
	run -0 --separate-stderr "${slow[@]}" in
	[[ $stderr != *MiB* && $stderr == *warning* ]] || fail "$stderr"
	run -0 --separate-stderr "${slow[@]}" --progress=text in
	[[ $stderr == *' MiB, docker.io/local/slow:1'* ]] || fail "$stderr"
}

@test "json: an object a line, the last with all bytes; also for short work, and beside --errors=json" {
	run -0 --separate-stderr "${slow[@]}" --progress=json --errors=json in
	jq -es --argjson n "$(stat -c %s layer)" '[.[] | select(.level == "progress")]
		| length >= 2 and all(.tool == "ctr-policygen" and .what == "docker.io/local/slow:1" and .total == $n)
		and ([.[].done] | . == sort) and last.done == $n' <<<"$stderr" || fail "$stderr"
	jq -es 'any(.level == "warning")' <<<"$stderr"
	mkimage local/two:1 '{"Cmd": ["x"], "User": "1"}' 'root:x:0:0::/:\n'
	image=local/two:1 pod >"$BATS_TEST_TMPDIR/in"
	run -0 --separate-stderr ctr-policygen --offline --skip-initializer --no-cache --image-layout \
		"$BATS_TEST_TMPDIR/images/local_two_1" --progress=json --errors=json "$BATS_TEST_TMPDIR/in"
	jq -es '[.[] | select(.level == "progress")] | length == 1 and .[0].done == .[0].total' <<<"$stderr" || fail "$stderr"
}

@test "the output is the same, with and without" {
	pod >in2
	"${gen[@]}" --no-cache in2 >plain
	for how in text json none auto; do
		"${loud[@]}" --no-cache --progress=$how in2 2>/dev/null | cmp - plain
	done
}

@test "other words are refused" {
	refuses 2 usage "${gen[@]}" --progress=yes in
	refuses 2 usage "${gen[@]}" --progress= in
	refuses 2 usage "${gen[@]}" --progress
}
