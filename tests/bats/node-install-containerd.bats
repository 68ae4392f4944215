#!/usr/bin/env bats
# ctr-node-install and the real containerd: it reads the configuration first, is restarted for real, and lists the
# handler. CONTAINERD=PROGRAM takes another one than Debian's, SCHEMA=N another schema of 2.x.
load helpers
load node-install

setup() {
	in_new_place "$BATS_TEST_TMPDIR"
	CONTAINERD=${CONTAINERD:-$(command -v containerd || true)}
	[ "$CONTAINERD" ] || skip "containerd is absent"
	[ "$(id -u)" -eq 0 ] || skip "needs root for chroot"
	runtime
	rm -rf node
	mkdir -p node/etc/containerd node/opt
	conf=node/etc/containerd/config.toml
	put_containerd
	case $("$CONTAINERD" --version) in
	*' v2'* | *' 2.'*) schema=${SCHEMA:-3} cri=io.containerd.cri.v1.runtime ;;
	*) schema=2 cri=io.containerd.grpc.v1.cri ;;
	esac
}

teardown() {
	[ ! -e containerd.pid ] || kill -9 "$(cat containerd.pid)" 2>/dev/null || true
}

# The program, and what it is linked with, on the node.
put_containerd() {
	local lib
	mkdir -p node/usr/bin
	cp "$CONTAINERD" node/usr/bin/containerd
	# a node's path is one of ours too, so that what runs outside of it finds what it names
	mkdir -p "node$PWD"
	ln -s / "node$PWD/node"
	for lib in $(ldd "$CONTAINERD" 2>/dev/null | grep -o '/[^ ]*'); do
		mkdir -p "node${lib%/*}"
		cp -L "$lib" "node$lib"
	done
}

# A configuration with which it runs here, beside whatever else does.
daemon_conf() {
	local d=$PWD/node
	cat <<-EOF2
		version = $schema
		root = "$d/var"
		state = "$d/run"
		# what does not work everywhere
		disabled_plugins = ["io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs",
		  "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.blockfile", "io.containerd.nri.v1.nri"]

		[grpc]
		  address = '$d/run/c.sock'
		[ttrpc]
		  address = "$d/run/c.ttrpc"
		[plugins."$cri"]
		  disable_apparmor = true
		[plugins."$cri".containerd]
		  default_runtime_name = "runc"
		[plugins."$cri".containerd.runtimes.runc]
		  runtime_type = "io.containerd.runc.v2"
		[plugins."$cri".cni]
		  conf_dir = "$d/cni"
	EOF2
	[ "$schema" -eq 2 ] || printf '[plugins."io.containerd.cri.v1.images"]\n  snapshotter = "native"\n'
}

play_daemon() {
	daemon_conf >"$conf"
	[ "$schema" -ne 4 ] || sed -i -E 's/^\[(grpc|ttrpc)\]/[plugins."io.containerd.server.v1.\1"]/' "$conf"
	[ "$schema" -ne 2 ] || sed -i 's/^  default_runtime_name.*/&\n  snapshotter = "native"/' "$conf"
	cat >systemctl <<-EOF2
		#!/bin/bash
		echo "\$*" >>"$PWD/calls"
		[ "\$1" = restart ] || { kill -0 "\$(cat "$PWD/containerd.pid")"; exit; }
		[ ! -e "$PWD/containerd.pid" ] || kill -9 "\$(cat "$PWD/containerd.pid")"
		rm -f "$PWD/node/run/c.sock"
		# the daemon that is asked for, or one that goes on with what it had
		"$CONTAINERD" --config "\$(cat "$PWD/runs" 2>/dev/null || echo "$PWD/$conf")" >"$PWD/daemon.log" 2>&1 3>&- &
		echo \$! >"$PWD/containerd.pid"
		for _ in {1..100}; do
			[ ! -S "$PWD/node/run/c.sock" ] || exit 0
			kill -0 "\$(cat "$PWD/containerd.pid")" || exit 1
			sleep 0.1
		done
		exit 1
	EOF2
	chmod +x systemctl
	./systemctl restart first || { grep -q 'operation not permitted' daemon.log && skip "no containerd in this container"; cat daemon.log; return 1; }
	: >calls
}

waits() { # as install and uninstall, but the handler is waited for
	ctr-node-install "$1" --root node --systemctl "$PWD/systemctl" --timeout 20 "${@:2}"
}

same_but_ours() { # BEFORE AFTER CRI: two dumps, read by another reader of TOML
	python3 - "$@" <<-'EOF2'
		import sys, tomllib
		before, after = (tomllib.loads(open(p).read()) for p in sys.argv[1:3])
		cri = sys.argv[3]
		ours = after["plugins"][cri]["containerd"]["runtimes"].pop("kata-cc")
		assert ours["runtime_type"] == "io.containerd.kata.v2", ours
		assert ours["runtime_path"].endswith("/bin/containerd-shim-kata-v2"), ours
		assert ours["options"]["ConfigPath"].endswith("/etc/configuration.toml"), ours
		before.pop("imports", 0), after.pop("imports", 0)
		assert before == after, [(k, before.get(k), after.get(k)) for k in before if before.get(k) != after.get(k)]
	EOF2
}

@test "the real containerd: it is restarted, lists the handler, and all else is as it was" {
	command -v python3 || skip "python3 is absent"
	play_daemon
	cp "$conf" was
	chroot node /usr/bin/containerd --config /etc/containerd/config.toml config dump >was.dump
	run -0 waits install --config runtime.json
	[ "$(restarts)" -eq 1 ]
	grep -q kata-cc "$conf"
	chroot node /usr/bin/containerd --config /etc/containerd/config.toml config dump >is.dump
	same_but_ours was.dump is.dump "$cri"
	ok waits install --config runtime.json
	[ "$(restarts)" -eq 0 ]
	# another version: the daemon has to have that one's configuration
	rm -rf rt
	release=2 runtime
	if setpriv --bounding-set=-all true 2>/dev/null; then
		# the page says what a pod needs: without that nothing is put in place
		refuses 4 containerd.check setpriv --bounding-set=-all "$BIN/ctr-node-install" install --errors=json --root node \
			--systemctl "$PWD/systemctl" --config runtime.json
		run -0 setpriv --bounding-set=-all,+sys_chroot "$BIN/ctr-node-install" install --root node --systemctl "$PWD/systemctl" \
			--timeout 20 --config runtime.json
	else
		run -0 waits install --config runtime.json
	fi
	[ "$(restarts)" -eq 1 ]
	run -0 waits uninstall --proc proc kata-cc
	cmp "$conf" was
	[ "$(restarts)" -eq 1 ]
}

@test "a daemon that does not list the handler: the configuration is put back" {
	play_daemon
	cp "$conf" was
	cp "$conf" old.toml
	echo "$PWD/old.toml" >runs
	refuses 4 restart.handler ctr-node-install install --errors=json --root node --systemctl "$PWD/systemctl" --timeout 1 --config runtime.json
	[[ $stderr == *"it is not listed"*"is as it was and runs again"* ]]
	cmp "$conf" was
	[ "$(restarts)" -eq 2 ]
	rm runs
	run -0 waits install --config runtime.json
	# one that goes on with the older version
	cp "$conf" old.toml
	cp "$conf" was
	echo "$PWD/old.toml" >runs
	rm -rf rt
	release=2 runtime
	refuses 4 restart.handler ctr-node-install install --errors=json --root node --systemctl "$PWD/systemctl" --timeout 1 --config runtime.json
	[[ $stderr == *"it is listed with another configuration"* ]]
	cmp "$conf" was
	refuses 4 restart.handler ctr-node-install uninstall --errors=json --root node --systemctl "$PWD/systemctl" --timeout 1 --proc proc kata-cc
	[[ $stderr == *"it is still listed"* ]]
	cmp "$conf" was
	# nobody at the socket, or nobody who speaks gRPC
	printf '#!/bin/sh\nrm -f node/run/c.sock\n' >systemctl
	refuses 4 restart.handler ctr-node-install install --errors=json --root node --systemctl "$PWD/systemctl" --timeout 1 --config runtime.json
	[[ $stderr == *"No such file"* ]]
	cmp "$conf" was
}

check_only() { # IMPORTS of the configuration: with the program, without a daemon
	printf 'version = %d\nimports = [%s]\n' "$schema" "$1" >"$conf"
	rm -rf node/opt/ctr
	ctr-node-install install --root node --no-restart --config runtime.json
}

@test "lesson: edits that broke the configuration: what containerd itself refuses is not put in place" {
	local k
	printf 'version = %d\nroot = 5\n' "$schema" >"$conf"
	cp "$conf" was
	refuses 3 containerd.check ctr-node-install install --errors=json --root node --no-restart --config runtime.json
	[[ $stderr == *"/usr/bin/containerd does not take"* ]]
	cmp "$conf" was
	[ "$(ls -A node/etc/containerd)" = config.toml ]
	[ ! -e node/opt/ctr/.state/pending.json ]
	# one that cannot be run, one that is silent, one that says something else, one that does not end
	for k in '#!/nonexistent' '' '#!/bin/true' '#!/bin/cat /etc/containerd/config.toml'; do
		printf '%s\n' "$k" >node/usr/bin/containerd
		refuses 4 containerd.check ctr-node-install install --errors=json --root node --no-restart --config runtime.json
		cmp "$conf" was
	done
	rm -rf node/bin && mkdir node/bin && cp "$(command -v busybox || echo /bin/true)" node/bin/true
	printf '#!/bin/true\n' >node/usr/bin/containerd
	refuses 3 containerd.check ctr-node-install install --errors=json --root node --no-restart --config runtime.json
	[[ $stderr == *"reads the changed configuration, but not the handler kata-cc"* ]]
	cmp "$conf" was
	rm node/usr/bin/containerd
	run -0 ctr-node-install install --root node --no-restart --config runtime.json
}

@test "the check reads imports as they will be: relative ones, drop-ins, and a whole directory" {
	mkdir node/etc/containerd/more
	printf 'version = %d\noom_score = 7\n' "$schema" >node/etc/containerd/base.toml
	run -0 check_only '"base.toml"'
	grep -q kata-cc "$conf"
	# what is imported counts
	echo 'oom_score = "x"' >node/etc/containerd/base.toml
	printf 'version = %d\nimports = ["base.toml"]\n' "$schema" >"$conf"
	rm -rf node/opt/ctr
	refuses 3 containerd.check ctr-node-install install --errors=json --root node --no-restart --config runtime.json
	[ "$schema" -ge 3 ] || return 0
	printf 'version = %d\noom_score = 7\n' "$schema" >node/etc/containerd/base.toml
	run -0 check_only '"base.toml", "/etc/containerd/more/*.toml"'
	[ "$(ls -A node/etc/containerd/more)" = ctr-node-install-kata-cc.toml ]
	# an upgrade: the older drop-in is still there while the new one is looked at
	rm -rf rt
	release=2 runtime
	run -0 ctr-node-install install --root node --no-restart --config runtime.json
	[ -z "$(find node/opt/ctr/.state -name '*tmp*')" ]
	run -0 ctr-node-install uninstall --root node --no-restart --proc proc kata-cc
	[ -z "$(ls -A node/etc/containerd/more)" ]
}
