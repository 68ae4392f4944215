#!/usr/bin/env bats
# ctr-node-install and systemd over D-Bus: a bus of its own, where a stand-in plays systemd; and by program.
load helpers
load node-install

setup() {
	in_new_place "$BATS_TEST_TMPDIR"
	runtime
	wild kubeadm
}

teardown() {
	local p
	for p in *.pid; do
		[ ! -e "$p" ] || kill "$(cat "$p")" 2>/dev/null || true
	done
}

# play_bus UNIT...: the node's system bus, and systemd on it, with these units active.
play_bus() {
	command -v dbus-daemon || skip "dbus-daemon is absent"
	mkdir -p node/run/dbus units
	rm -f address ready
	cat >bus.conf <<-EOF2
		<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
		 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
		<busconfig>
		  <type>custom</type>
		  <listen>unix:path=$PWD/node/run/dbus/system_bus_socket</listen>
		  <auth>EXTERNAL</auth>
		  <policy context="default"><allow own="*"/><allow send_destination="*"/><allow receive_sender="*"/></policy>
		</busconfig>
	EOF2
	dbus-daemon --config-file=bus.conf --nofork --print-address=1 >address 2>bus.log 3>&- &
	echo $! >bus.pid
	for u; do
		echo active >"units/$u"
	done
	: >units/calls
	for _ in {1..100}; do
		[ ! -s address ] || break
		sleep 0.1
	done
	"$BUILD/sim/systemd" "unix:path=$PWD/node/run/dbus/system_bus_socket" "$PWD/units" >ready 2>systemd.log 3>&- &
	echo $! >systemd.pid
	for _ in {1..100}; do
		[ ! -s ready ] || return 0
		sleep 0.1
	done
	cat bus.log systemd.log
	false
}

over_bus() { # COMMAND...: nothing that is called systemctl or nsenter may be called
	mkdir -p none
	printf '#!/bin/sh\necho called >>"%s/called"\nexit 1\n' "$PWD" >none/systemctl
	chmod +x none/systemctl
	cp none/systemctl none/nsenter
	PATH=$PWD/none:$PATH ctr-node-install "$1" --root node --no-wait "${@:2}"
}

@test "a restart over D-Bus: the unit that is active, and no program is called" {
	play_bus containerd.service
	run -0 over_bus install --config runtime.json
	[ "$(cat units/calls)" = containerd.service ]
	ok over_bus install --config runtime.json
	[ "$(cat units/calls)" = containerd.service ]
	run -0 over_bus uninstall --proc proc kata-cc
	[ "$(grep -c . units/calls)" -eq 2 ]
	[ ! -e called ]
}

@test "over D-Bus nothing is needed but to be root: no capability, no program" {
	setpriv --bounding-set=-all true 2>/dev/null || skip "no capabilities to drop here"
	play_bus containerd.service
	PATH=$PWD/none:$PATH run -0 setpriv --bounding-set=-all "$BIN/ctr-node-install" install --root node --no-wait \
		--config runtime.json
	[ "$(cat units/calls)" = containerd.service ]
	run -0 setpriv --bounding-set=-all "$BIN/ctr-node-install" uninstall --root node --no-wait --proc proc kata-cc
	[ ! -e node/opt/ctr ]
}

@test "the units of a kind are tried in order" {
	wild k3s
	play_bus k3s-agent.service containerd.service
	run -0 --separate-stderr over_bus install --config runtime.json
	[ "$(cat units/calls)" = k3s-agent.service ]
	[[ $stderr == *"k3s-agent.service is restarted"* ]]
	wild rke2
	rm units/*.service
	teardown
	play_bus rke2-server.service
	run -0 over_bus install --config runtime.json
	[ "$(cat units/calls)" = rke2-server.service ]
	rm units/*.service
	run -0 --separate-stderr over_bus uninstall --proc proc kata-cc
	[[ $stderr == *"no unit of rke2 is active"* ]]
}

rolled_back() { # MODE: the restart goes wrong so; the file is as it was
	echo "# $1"
	cp "$conf" was
	echo "$1" >units/mode
	: >units/calls
	refuses 4 restart over_bus install --config runtime.json --timeout 1 --errors=json
	cmp "$conf" was
	[ "$(grep -c . units/calls)" -eq 2 ]
	echo active >units/containerd.service
}

@test "a restart that fails, is denied, hangs or leaves the unit dead: the configuration is put back" {
	play_bus containerd.service
	rolled_back failed
	[[ $stderr == *"does not come back (failed)"*"the restart failed again"* ]]
	rolled_back deny
	[[ $stderr == *"Not for you"* ]]
	rolled_back hang
	[[ $stderr == *"not restarted in time (1 s)"* ]]
	rolled_back gone
	[[ $stderr == *"does not come back (failed)"* ]]
	# what an earlier run left is completed
	run -1 ctr-node-install status --root node
	rm units/mode
	run -0 over_bus install --config runtime.json
	ok ctr-node-install status --root node
}

@test "a restart that fails with the change alone: the unit runs again with what was" {
	play_bus containerd.service
	cp "$conf" was
	printf '#!/bin/sh\n! grep -q kata-cc "%s"\n' "$PWD/$conf" >units/hook
	chmod +x units/hook
	refuses 4 restart over_bus install --config runtime.json --errors=json
	[[ $stderr == *"is as it was and runs again"* ]]
	cmp "$conf" was
	[ "$(cat units/containerd.service)" = active ]
	[ ! -e node/opt/ctr/.state/pending.json ]
}

@test "a unit that failed is restarted too: perhaps the change kept it from running" {
	play_bus containerd.service
	local state
	for state in failed activating; do
		wild_absent 2>/dev/null || rm -rf node/etc/containerd
		: >units/calls
		echo "$state" >units/containerd.service
		run -0 over_bus install --config runtime.json
		[ "$(cat units/calls)" = containerd.service ]
		rm -rf node/opt/ctr
	done
	# the program says it by a word
	wild kubeadm
	play_systemctl
	# shellcheck disable=SC2016 # for the script
	sed -i '2a [ "$1" != is-active ] || [ -e up ] || { echo failed; exit 3; }\n[ "$1" != restart ] || touch up' systemctl
	run -0 install
	[ "$(restarts)" -eq 1 ]
}

@test "a bus without systemd is an error, and nothing is restarted" {
	play_bus containerd.service
	kill "$(cat systemd.pid)"
	while kill -0 "$(cat systemd.pid)" 2>/dev/null; do sleep 0.1; done
	cp "$conf" was
	refuses 4 restart over_bus install --config runtime.json --errors=json
	[[ $stderr == *containerd.service*org.freedesktop.systemd1* ]]
	cmp "$conf" was
	[ ! -e called ]
}

@test "without a bus systemctl is called in the node's namespaces" {
	local p
	mkdir -p none node/run/dbus
	# shellcheck disable=SC2016 # for the script
	printf '#!/bin/sh\necho "$0 $*" >>"%s"\n' "$PWD/called" >none/nsenter
	chmod +x none/nsenter
	PATH=$PWD/none:$PATH run -0 --separate-stderr ctr-node-install install --root node --no-wait --config runtime.json -v
	[[ $stderr == *"no D-Bus: "* ]]
	[ "$(grep -c 'nsenter --target 1 --mount -- systemctl restart containerd.service$' called)" -eq 1 ]
	# a file in its place, or a link out of the node, is no bus
	for p in 'touch node/run/dbus/system_bus_socket' 'ln -sf /run/dbus/system_bus_socket node/run/dbus/system_bus_socket'; do
		eval "$p"
		: >called
		PATH=$PWD/none:$PATH run -0 ctr-node-install uninstall --root node --no-wait --proc proc kata-cc
		PATH=$PWD/none:$PATH run -0 ctr-node-install install --root node --no-wait --config runtime.json
		[ "$(grep -c 'restart' called)" -eq 2 ]
	done
}

@test "systemctl that hangs is given up" {
	# shellcheck disable=SC2016 # for the script
	printf '#!/bin/sh\n[ "$1" != restart ] || exec sleep 1000\n' >systemctl
	chmod +x systemctl
	cp "$conf" was
	refuses 4 restart ctr-node-install install --root node --systemctl "$PWD/systemctl" --timeout 1 --config runtime.json --errors=json
	[[ $stderr == *"no answer in time (1 s)"* ]]
	cmp "$conf" was
	refuses 2 number ctr-node-install install --errors=json --root node --timeout 0 --config runtime.json
	refuses 2 number ctr-node-install install --errors=json --root node --timeout 1h --config runtime.json --errors=json
}
