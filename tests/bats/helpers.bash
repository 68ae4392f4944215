# For every BATS file: "load helpers". The tools are first in PATH, the tree's top is the current directory, each
# test has an empty $BATS_TEST_TMPDIR, and SHARED names the reference data (which may be absent).
# shellcheck shell=bash
bats_require_minimum_version 1.5.0
export LC_ALL=C SHARED
TOP=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
cd "$TOP" || exit 1
BUILD=$(realpath -m "${BUILD:-$TOP/build}")
BIN=$(realpath "${BIN:-$BUILD/bin}")
SHARED=$(realpath -m "${SHARED:-../shared}")
PATH=$BIN:$BUILD/envoy:$PATH
XDG_CACHE_HOME=$BATS_FILE_TMPDIR/cache
export BUILD BIN PATH XDG_CACHE_HOME
unset REGISTRY_AUTH_FILE DOCKER_CONFIG NO_COLOR
# shellcheck disable=SC2034 # for the tests
IMAGES=$BUILD/images

# shared SUB: the path of reference data, in $data; skips the test when it is absent.
shared() {
	data=$SHARED/$1
	[ -e "$data" ] || skip "$1 is absent"
}

# ok COMMAND...: succeeds and says nothing on stderr; $output is stdout.
ok() {
	run -0 --separate-stderr "$@"
	[ -z "$stderr" ] || fail "stderr: $stderr"
}

# refuses STATUS ID TOOL --errors=json ARGUMENT...: this exit status, nothing on stdout, and the last word on
# stderr is an error with this stable id. A crash or another reason is no refusal.
refuses() {
	local want=$1 id=$2
	shift 2
	run "-$want" --separate-stderr "$@"
	[ -z "$output" ] || fail "stdout: $output"
	jq -es --arg id "$id" --argjson want "$want" \
		'last | .level == "error" and .id == $id and .status == $want and .message != ""' \
		<<<"$stderr" >/dev/null || fail "expected $id: $stderr"
}

# traced FILE COMMAND...: runs it under strace -f, the trace in FILE. A leak checker cannot run there.
traced() {
	local trace=$1
	shift
	ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0 strace -f -o "$trace" "$@"
}

# examples PAGE: the commands of its EXAMPLES, as a reader sees them.
examples() {
	mandoc -T ascii -O width=500 "$TOP/man/$1" | sed 's/.\x08//g' |
		awk '/^[A-Z]/ { on = /^EXAMPLES/ } on && sub(/^           /, "")' | sed 's/^[$#] //'
}

fail() {
	printf '%s\n' "$@" >&2
	return 1
}
