#!/usr/bin/env bats
# What holds for every tool, and the scripts that judge the rest.
load helpers

each_tool() { # COMMAND...: runs it for each tool, the name as last argument
	local t
	for t in "$BIN"/*; do
		[ -x "$t" ] || skip "no tool is built"
		"$@" "${t##*/}" || fail "$*: ${t##*/}"
	done
}

helps() {
	ok "$1" --help
	[[ ${lines[0]} == "usage: $1 "* ]]
	[[ $output == *"example: "*"$1"* ]]
	[ "${#lines[@]}" -le 60 ]
}

@test "every tool has --help, with an example" {
	each_tool helps
}

versions() {
	ok "$1" --version
	[[ $output =~ ^$1\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
}

@test "every tool has --version" {
	each_tool versions
}

usage_error() { # OPTION TOOL
	run -2 --separate-stderr "$2" "$1"
	[ -z "$output" ]
	[[ $stderr == "$2: $1: "*"usage: $2 "* ]]
}

@test "an unknown option is a usage error" {
	each_tool usage_error --no-such-option
}

@test "an abbreviated long option is refused" {
	each_tool usage_error --hel
	each_tool usage_error --versio
}

full_disk() {
	run -4 --separate-stderr bash -c "$1 --help >/dev/full"
	[[ $stderr == *"standard output"* ]]
}

@test "a full disk is an error" {
	each_tool full_disk
}

no_descriptors() {
	run -4 bash -c "$1 --help <&- >&- 2>&-"
}

@test "closed standard descriptors are no crash and no success" {
	each_tool no_descriptors
}

small() {
	# the program itself, also when $BIN holds wrappers
	[ "$(stat -L -c %s "$BUILD/bin/$1")" -lt $((2 << 20)) ]
}

@test "every tool is below 2 MiB" {
	[ ! "${SAN:-}" ] || skip "built with sanitizers"
	ls "$BUILD"/bin/* || skip "no tool is built"
	cp -r "$BUILD/bin" "$BATS_TEST_TMPDIR"
	strip "$BATS_TEST_TMPDIR"/bin/*
	BUILD=$BATS_TEST_TMPDIR each_tool small
}

# --- scripts/layers ---

plant() { # PATH LINE...
	mkdir -p "$(dirname "$BATS_TEST_TMPDIR/$1")"
	printf '%s\n' "${@:2}" >"$BATS_TEST_TMPDIR/$1"
}

sound_tree() {
	plant lib/json.h ''
	plant lib/json.c '#include "json.h"' '#include <cjson/cJSON.h>' '#include <stdio.h>'
	plant tools/ctr-a/part.h '#include "json.h"'
	plant tools/ctr-a/main.c '#include "part.h"' '#include "json.h"'
	plant tools/ctr-b/part.h ''
	plant tests/unit/test_a.c '#include "tools/ctr-a/part.h"' '#include <yaml.h>'
}

@test "layers: a sound tree passes" {
	sound_tree
	run -0 scripts/layers "$BATS_TEST_TMPDIR"
	[ "$(grep -c '^ok' <<<"$output")" -eq 2 ]
}

violates() { # PATH LINE TEXT: one violation, named
	sound_tree
	plant "$1" "$2"
	run -1 scripts/layers "$BATS_TEST_TMPDIR"
	[[ $output == *"# $1 includes $3"* ]]
	rm "$BATS_TEST_TMPDIR/$1"
}

@test "layers: each wrong include is found" {
	violates lib/x.c '#include "../tools/ctr-a/part.h"' '"../tools/ctr-a/part.h" (tools/ctr-a/part.h)'
	violates lib/x.c '#include "tools/ctr-a/part.h"' '"tools/ctr-a/part.h"'
	violates lib/x.h '  #  include "../tests/t.h"' '"../tests/t.h"'
	violates tools/ctr-b/x.c '#include "../ctr-a/part.h"' '"../ctr-a/part.h"'
	violates tools/ctr-b/x.c '#include "part.c"' '"part.c"'
	violates tools/ctr-b/x.c '#include "absent.h"' '"absent.h" (nowhere)'
	violates lib/x.c '#include <cjson/cJSON.h>' '<cjson/cJSON.h>'
	violates tools/ctr-b/x.c '#include <yaml.h>' '<yaml.h>'
	violates tools/ctr-b/x.h '#include <openssl/evp.h>' '<openssl/evp.h>'
	violates lib/hash.h '#include <openssl/evp.h>' '<openssl/evp.h>'
	violates lib/x.c '#include <curl/curl.h>' '<curl/curl.h>'
}

# --- scripts/check: what it counts ---

judge() { # SCRIPT: scripts/check over a tree whose only unit test is a shell script of this text
	local tree=$BATS_TEST_TMPDIR/tree
	mkdir -p "$tree/scripts" "$tree/tests/unit" "$tree/build/unit"
	cp scripts/check "$tree/scripts"
	touch "$tree/tests/unit/test_x.c"
	printf '%s\n' "${allowed-}" >"$tree/tests/allowed-skips"
	printf '#!/bin/sh\n%s\n' "$1" >"$tree/build/unit/test_x"
	chmod +x "$tree/build/unit/test_x"
	run env -u VALGRIND CI="${ci-}" TIMEOUT=2 BUILD="$tree/build" "$tree/scripts/check" unit
	last=${lines[-1]}
}

@test "check: passed and failed tests are counted" {
	judge 'echo 1..2; echo "ok 1 - a"; echo "ok 2 - b"'
	[ "$status" -eq 0 ] && [ "$last" = "2 passed, 0 failed" ]
	judge 'echo 1..2; echo "ok 1 - a"; echo "not ok 2 - b"; echo "# why"; exit 1'
	[ "$status" -eq 1 ] && [ "$last" = "1 passed, 1 failed" ]
	[[ $output == *"# why"* && $output != *"ok 1 - a"* ]]
	judge 'echo "7 passed, 3 failed"; exit 1'
	[ "$status" -eq 1 ] && [ "$last" = "7 passed, 3 failed" ]
}

@test "check: a crash, a short plan, silence and a hang are failures" {
	judge 'echo 1..1; echo "ok 1 - a"; exit 99'
	[ "$status" -eq 1 ] && [ "$last" = "1 passed, 1 failed" ]
	judge 'echo 1..2; echo "ok 1 - a"'
	[ "$status" -eq 1 ] && [ "$last" = "1 passed, 1 failed" ]
	judge 'exit 0'
	[ "$status" -eq 1 ] && [ "$last" = "0 passed, 1 failed" ]
	judge 'echo 1..1; echo "ok 1 - a"; sleep 30'
	[ "$status" -eq 1 ] && [ "$last" = "1 passed, 1 failed" ]
	[[ $output == *"killed after 2 seconds"* ]]
}

@test "check: a skip is shown, and in CI failed unless it is listed" {
	local t='echo 1..2; echo "ok 1 - a"; echo "skip: x is absent"; echo "not ok 2 # SKIP b"'
	judge "$t"
	[ "$status" -eq 0 ] && [[ $output == *"skip  unit/x: b: x is absent"* ]]
	ci=true judge "$t"
	[ "$status" -eq 1 ] && [ "$last" = "1 passed, 1 failed" ]
	allowed=$'b\tx*\tno x here' ci=true judge "$t"
	[ "$status" -eq 0 ] && [ "$last" = "1 passed, 0 failed" ]
	allowed=$'c\t*\tno x here' ci=true judge "$t"
	[ "$status" -eq 1 ]
}

# --- the rest ---

@test "make-images writes the same bytes each time" {
	scripts/make-images "$BATS_TEST_TMPDIR/images"
	diff -r "$BATS_TEST_TMPDIR/images" "$IMAGES"
}

@test "install-deps is silent on a machine that has everything" {
	command -v dpkg-query >/dev/null || skip "no Debian"
	ok scripts/install-deps
	[ -z "$output" ]
}

@test "install and uninstall: programs, pages and k8s/, nothing else, nothing left" {
	[ ! "${SAN:-}${VALGRIND:-}" ] || skip "the plain build does this"
	ls "$BUILD"/bin/* || skip "no tool is built"
	make -s install DESTDIR="$BATS_TEST_TMPDIR/root" PREFIX=/usr BUILD="$BUILD"
	(cd "$BATS_TEST_TMPDIR/root/usr" && find . -type f | sort) >"$BATS_TEST_TMPDIR/found"
	{
		for t in "$BUILD"/bin/*; do echo "./bin/${t##*/}"; done
		for p in man/*.[1-8]; do echo "./share/man/man${p##*.}/${p##*/}"; done
		echo ./bin/ctr-deploy
		find k8s -type f -printf './share/ctr/%p\n'
	} | sort | diff - "$BATS_TEST_TMPDIR/found"
	make -s uninstall DESTDIR="$BATS_TEST_TMPDIR/root" PREFIX=/usr BUILD="$BUILD"
	[ -z "$(find "$BATS_TEST_TMPDIR/root" -type f)" ]
}
