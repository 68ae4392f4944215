#!/usr/bin/env bats
# ctr-node-install, killed at every system call that changes something.
load helpers
load node-install

calls='mkdir rename renameat2 unlink unlinkat rmdir write fchmod fsync'

setup() {
	# in memory where that is possible: thousands of fsyncs
	T=$(mktemp -d -p /dev/shm 2>/dev/null || mktemp -d -p "$BATS_TEST_TMPDIR")
	in_new_place "$T"
	ulimit -c 0
	runtime
	wild "${kind-aks}"
	play_systemctl
}

teardown() {
	cd / && rm -rf "$T"
}

# What the node runs with: the configuration is one that containerd reads, and names only what is there and whole.
works() {
	local dir
	cmp -s "$conf" seen || python3 -c 'import sys, tomllib; tomllib.loads(open(sys.argv[1], "rb").read().decode())' "$conf"
	cp "$conf" seen
	while read -r dir; do
		jq -r '.files[] | "\(.sha256)  \(.path)"' "node$dir/install.json" >sums
		(cd "node$dir" && sha256sum -c --quiet "$T/sums")
	done < <(grep -o '/opt/ctr/kata-cc-[0-9a-f]*' "$conf" | sort -u)
}

same_tree() { # FILE: but for backups, which have the time in their names
	tree | grep -v backup | diff <(grep -v backup "$1") -
}

# kills COMMAND...: from the same start, killed at the first mkdir, the second, and so on for each call (strace
# counts them apart); each time the node works, and the same command then completes to the tree in "goal".
kills() {
	local call n killed=0
	for call in $calls; do
		for ((n = 1; n < 200; n++)); do
			rm -rf node && cp -a start node
			rc=0
			strace -qq -o trace -e signal=none -e "trace=$call" -e "inject=$call:signal=KILL:when=$n" "$@" \
				>/dev/null 2>&1 || rc=$?
			[ "$rc" -ne 0 ] || break
			killed=$((killed + 1))
			works || fail "after a kill at $call $n: $(tail -n 2 trace)"
			run -0 "$@"
			works
			same_tree goal || fail "completed after a kill at $call $n: $(tail -n 2 trace)"
		done
		[ "$n" -lt 200 ]
	done
	echo "# killed $killed times"
	[ "$killed" -gt 20 ]
}

needs_all() {
	command -v python3 || skip "python3 is absent"
	[ ! "${SAN:-}" ] || skip "built with sanitizers"
}

@test "killed at any call of an installation, the node works and the next run completes" {
	needs_all
	cp -a node start
	run -0 install
	tree >goal
	kills ctr-node-install install --root node --config runtime.json --systemctl "$PWD/systemctl" --no-wait
}

@test "killed at any call of an upgrade, the node works and the next run completes" {
	needs_all
	run -0 install
	cp -a node start
	rm -rf rt
	release=2 runtime
	run -0 install
	tree >goal
	kills ctr-node-install install --root node --config runtime.json --systemctl "$PWD/systemctl" --no-wait
}

@test "killed at any call of a repair, the node works and the next run completes" {
	needs_all
	run -0 install
	tree >goal
	# a file that is in no record: only content counts for whether the node works
	chmod 600 node/opt/ctr/kata-cc-*/share/OVMF.fd
	cp -a node start
	kills ctr-node-install install --root node --config runtime.json --systemctl "$PWD/systemctl" --no-wait
}

@test "killed at any call of a removal, the node works and the next run completes" {
	needs_all
	tree >goal
	run -0 install
	cp -a node start
	kills ctr-node-install uninstall --root node --systemctl "$PWD/systemctl" --no-wait --proc proc kata-cc
}

@test "killed while containerd restarts, the next run restarts it, or goes back" {
	needs_all
	cp "$conf" was
	cp systemctl sound
	cat >systemctl <<-'EOF'
		#!/bin/sh
		case $1 in
		restart) kill -9 $PPID ;;
		esac
	EOF
	run -137 install
	works
	[ -e node/opt/ctr/.state/pending.json ]
	run -1 ctr-node-install status --root node
	cp -a node start
	cp sound systemctl
	run -0 install
	[ "$(restarts)" -eq 1 ]
	ok ctr-node-install status --root node
	rm -rf node && mv start node
	touch broken
	run -4 install
	cmp "$conf" was
}
