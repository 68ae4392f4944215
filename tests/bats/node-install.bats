#!/usr/bin/env bats
# ctr-node-install: nodes as found in the wild, and everything that can go wrong on them.
load helpers
load node-install

setup() {
	in_new_place "$BATS_TEST_TMPDIR"
	runtime
	wild kubeadm
	play_systemctl
}

# --- in the wild ---

@test "lesson: byte-equal uninstall: each node in the wild, installed, again without a change, and out again" {
	local k
	for k in $WILD; do
		echo "# $k"
		wild "$k"
		: >calls
		tree >before
		run -0 install
		[ "$(restarts)" -eq 1 ]
		grep -q "containerd.runtimes.kata-cc\]" "$conf"
		tree >between
		ok install
		[ "$(restarts)" -eq 0 ]
		tree | diff between -
		ok ctr-node-install status --root node
		jq -e '.versions | length == 1 and all(.active and .drift == [])' <<<"$output"
		run -0 uninstall kata-cc
		[ "$(restarts)" -eq 1 ]
		tree | diff before -
	done
}

# Python reads TOML with another implementation.
says_the_same_and_ours() { # BEFORE AFTER
	python3 - "$1" "$2" <<-'EOF'
		import sys, tomllib
		def read(p):
		    return tomllib.loads(open(p, "rb").read().decode())
		before, after = read(sys.argv[1]), read(sys.argv[2])
		cri = {1: "cri", 2: "io.containerd.grpc.v1.cri", 3: "io.containerd.cri.v1.runtime"}[after.get("version", 1)]
		ours = after["plugins"][cri]["containerd"]["runtimes"].pop("kata-cc")
		assert ours["runtime_type"] == "io.containerd.kata.v2", ours
		assert ours["options"]["ConfigPath"].endswith("/etc/configuration.toml"), ours
		if not before:
		    del after["version"]
		if "runtimes" not in before.get("plugins", {}).get(cri, {}).get("containerd", {}) and cri[-1] == "i" and after.get("version") != 3:
		    assert after["plugins"][cri]["containerd"]["runtimes"].pop("runc") == {"runtime_type": "io.containerd.runc.v2"}
		def prune(t):
		    return {k: v for k, v in ((k, prune(v) if isinstance(v, dict) else v) for k, v in t.items()) if v != {}}
		assert prune(before) == prune(after), (before, after)
	EOF
}

@test "another reader of TOML finds what was there, and the handler" {
	command -v python3 || skip "python3 is absent"
	local k
	for k in kubeadm eks gke aks microk8s nvidia empty comments imports_v2 schema1; do
		echo "# $k"
		wild "$k"
		cp "$conf" was
		run -0 install
		says_the_same_and_ours was "$conf"
	done
}

@test "lesson: containerd 1.x keeps its default runtime when ours is the first that is named" {
	command -v containerd || skip "containerd is absent"
	local k
	for k in empty absent schema1 comments; do
		wild "$k"
		run -0 install
		containerd --config "$conf" config dump 2>/dev/null | grep -A14 'runtimes.runc\]' | grep '"io.containerd.runc.v2"'
	done
}

@test "containerd itself reads it: the handler is there, nothing else is another" {
	command -v containerd || skip "containerd is absent"
	local k
	for k in kubeadm gke aks nvidia schema1 absent empty comments; do
		echo "# $k"
		wild "$k"
		[ -e "$conf" ] || mkdir -p "${conf%/*}"
		# an absent file stands for the defaults of schema 2
		{ [ ! -s "$conf" ] && echo 'version = 2' || cat "$conf"; } >was
		containerd --config was config dump >was.dump 2>/dev/null
		[ "$k" != absent ] || rmdir "${conf%/*}"
		run -0 install
		containerd --config "$conf" config dump >is.dump 2>/dev/null
		grep -A40 'runtimes.kata-cc\]' is.dump | grep 'runtime_path = "/opt/ctr/kata-cc-'
		grep -A2 'runtimes.kata-cc.options' is.dump | grep 'ConfigPath = "/opt/ctr/kata-cc-'
		# what is zero may be left out
		diff was.dump is.dump | grep '^<' | grep -vE 'imports|= (""|0|false|\[\])$' && fail "$k: lines are gone"
		# the section of our handler alone is new
		diff was.dump is.dump | grep '^>' | grep -o '\[.*\]$' | grep '^\[plugins' | grep -v 'runtimes\.kata-cc' && fail "$k: more is new"
	done
	true
}

@test "a dry run prints a diff that makes the change, and writes nothing" {
	local k
	for k in kubeadm aks comments absent k3s rke2; do
		echo "# $k"
		wild "$k"
		tree >before
		run -0 --separate-stderr install --dry-run
		tree | diff before -
		[ ! -s calls ]
		printf '%s\n' "$output" >change
		cp -r node copy
		(cd copy && git init -q && git apply --whitespace=nowarn ../change)
		run -0 install
		cmp "$conf" "copy/${conf#node/}"
		cmp node/opt/ctr/kata-cc-*/etc/configuration.toml copy/opt/ctr/kata-cc-*/etc/configuration.toml
		tree >before
		run -0 --separate-stderr install --dry-run
		[ -z "$output" ]
		run -0 --separate-stderr uninstall --dry-run kata-cc
		[[ $output == *"-# ctr-node-install: begin handler:kata-cc"* ]]
		tree | diff before -
		rm -rf copy
		: >calls
	done
}

# --- lessons ---

@test "lesson: modes and umask" {
	local u
	for u in 0 077; do
		wild eks
		chmod 666 "$conf"
		(umask $u && install)
		[ "$(stat -c %a "$conf")" = 644 ]
		[ -z "$(find node/opt/ctr node/etc -perm /022 ! -type l)" ]
		[ "$(stat -c %a node/opt/ctr/kata-cc-*/bin/containerd-shim-kata-v2)" = 755 ]
		[ "$(stat -c %a node/opt/ctr/kata-cc-*/share/kata-kernel)" = 644 ]
		[ -z "$(find node/opt/ctr -type d ! -perm 755)" ]
		tree >"modes$u"
	done
	diff <(sed 's/backup-[0-9TZ]*/backup/' modes0) <(sed 's/backup-[0-9TZ]*/backup/' modes077)
	wild gke
	run -0 install
	[ "$(stat -c %a "$conf")" = 600 ]
}

@test "lesson: an absent configuration is made, and goes again" {
	wild absent
	tree >before
	run -0 install
	[ "$(stat -c %a node/etc/containerd)" = 755 ]
	[ "$(stat -c %a "$conf")" = 644 ]
	# containerd takes a file without a version for schema 1
	[ "$(grep -c '^version = 2$' "$conf")" -eq 1 ]
	run -0 uninstall kata-cc
	tree | diff before -
	# others' words in a file that we made stay, and keep the schema that they were written in
	for n in absent empty 'words alone' 'without an end'; do
		if [ "$n" = absent ]; then wild absent; else wild empty; fi
		case $n in
		words*) printf '# mine\n' >"$conf" ;;
		without*) printf '# mine' >"$conf" ;;
		esac
		run -0 install
		printf '[debug]\n  level = "warn"\n' >>"$conf"
		run -0 uninstall kata-cc
		grep -q 'level = "warn"' "$conf"
		[ "$(grep -c '^version = 2$' "$conf")" -eq 1 ]
		run ! grep kata-cc "$conf"
		cp "$conf" before
		run -0 install
		run -0 uninstall kata-cc
		cmp before "$conf"
	done
}

@test "lesson: schema 1 to 4: each has its own names, and keeps them" {
	local v name
	for v in '' 1 2 3 4; do
		case ${v:-1} in
		1) name='cri' ;;
		2) name='"io.containerd.grpc.v1.cri"' ;;
		*) name='"io.containerd.cri.v1.runtime"' ;;
		esac
		wild kubeadm
		printf '%soom_score = 1\n' "${v:+version = $v$'\n'}" >"$conf"
		tree >before
		run -0 install
		grep -qF "[plugins.$name.containerd.runtimes.kata-cc]" "$conf"
		[ "$(grep -o 'plugins\.[^ ]*kata-cc\]' "$conf")" = "plugins.$name.containerd.runtimes.kata-cc]" ]
		[ "$(grep '^version' "$conf" || true)" = "${v:+version = $v}" ]
		run -0 uninstall kata-cc
		tree | diff before -
	done
	wild kubeadm
	echo 'version = 5' >"$conf"
	refuses 3 containerd.version ctr-node-install install --root node --config runtime.json --errors=json
}

@test "lesson: dangling imports are reported, not made" {
	wild imports
	rm node/etc/containerd/base.toml
	tree >before
	refuses 3 containerd.import ctr-node-install install --root node --config runtime.json --errors=json
	[[ $stderr == *"/etc/containerd/base.toml"* ]]
	tree | diff before -
	printf 'version = 2\nimports = [1]\n' >node/etc/containerd/config.toml
	refuses 3 json.type ctr-node-install install --root node --config runtime.json --errors=json
	printf 'version = 2\nimports = "x"\n' >node/etc/containerd/config.toml
	refuses 3 containerd.import ctr-node-install install --root node --config runtime.json --errors=json
}

@test "lesson: two releases side by side, neither takes from the other" {
	wild kubeadm
	tree >before
	run -0 install
	tree >first
	handler=kata-two release=2 runtime two.json
	rm -rf rt
	handler=kata-two release=2 runtime two.json qemu-tdx
	config=two.json run -0 install
	ok ctr-node-install status --root node
	jq -e '[.versions[] | [.handler, .active]] == [["kata-cc", true], ["kata-two", true]]' <<<"$output"
	run -0 uninstall kata-cc
	grep -q runtimes.kata-two "$conf"
	run ! grep -q kata-cc "$conf"
	ok ctr-node-install status --root node
	run -0 uninstall kata-two
	tree | diff before -
	wild kubeadm
	rm -rf rt
	runtime
	run -0 install
	rm -rf rt
	handler=kata-two release=2 runtime two.json qemu-tdx
	config=two.json run -0 install
	run -0 uninstall kata-two
	tree | grep -v backup | diff <(grep -v backup first) -
}

@test "lesson: an upgrade keeps the older version until nothing uses it" {
	run -0 install
	local old
	old=$(cd node/opt/ctr && echo kata-cc-*)
	rm -rf rt
	release=2 runtime
	: >calls
	run -0 install
	[ "$(restarts)" -eq 1 ]
	[ -d "node/opt/ctr/$old" ]
	[ "$(grep -c 'begin handler:kata-cc' "$conf")" -eq 1 ]
	run ! grep -q "$old" "$conf"
	mkdir proc/77
	printf 'qemu\0-bios\0/opt/ctr/%s/share/OVMF.fd\0' "$old" >proc/77/cmdline
	run -0 ctr-node-install gc --root node --proc proc
	[[ $output == *"stays: a sandbox runs from it"* ]]
	[ -d "node/opt/ctr/$old" ]
	rm -r proc/77
	ok ctr-node-install gc --root node --proc proc --dry-run
	[ "$output" = "/opt/ctr/$old" ] && [ -d "node/opt/ctr/$old" ]
	ok ctr-node-install gc --root node --proc proc
	[ "$output" = "/opt/ctr/$old" ] && [ ! -e "node/opt/ctr/$old" ]
	ok ctr-node-install status --root node
	ok ctr-node-install gc --root node --proc proc
	[ -z "$output" ]
}

@test "gc deletes nothing when it cannot know what runs" {
	run -0 install
	rm -rf rt
	release=2 runtime
	run -0 install
	rm -r proc/1
	refuses 4 proc ctr-node-install gc --root node --proc proc --errors=json
	[ "$(find node/opt/ctr -maxdepth 1 -name 'kata-cc-*' | wc -l)" -eq 2 ]
}

@test "lesson: an import does not take the place of containerd 1.x's whole CRI section" {
	wild imports_v2
	run -0 install
	[ -z "$(ls node/etc/containerd/conf.d)" ]
	grep -q runtimes.kata-cc node/etc/containerd/config.toml
}

@test "lesson: no restart without a change, and k3s is announced" {
	wild k3s
	run -0 --separate-stderr install
	[[ $stderr == *"k3s.service is restarted"*"the API"* ]]
	[ "$(restarts)" -eq 1 ]
	ok install
	[ "$(cat calls)" = "" ]
	run -0 --separate-stderr env ACTIVE=none ctr-node-install uninstall --root node --systemctl "$PWD/systemctl" --no-wait \
		--proc proc kata-cc
	[[ $stderr == *"no unit of k3s is active"* ]]
	[ "$(restarts)" -eq 0 ]
}

@test "a restart that fails puts the configuration back, and restarts with that" {
	cp "$conf" was
	cat >systemctl <<-'EOF'
		#!/bin/sh
		echo "$*" >>"$CALLS"
		[ "$1" != restart ] || ! grep -q kata-cc node/etc/containerd/config.toml
	EOF
	refuses 4 restart ctr-node-install install --root node --config runtime.json --systemctl "$PWD/systemctl" --no-wait --errors=json
	[[ $stderr == *"is as it was and runs again"* ]]
	cmp "$conf" was
	[ "$(restarts)" -eq 2 ]
	[ ! -e node/opt/ctr/.state/pending.json ]
	play_systemctl
	ok install
	[ "$(restarts)" -eq 1 ]
	# out: what was installed stays when containerd does not take the change
	cp "$conf" was
	touch broken
	refuses 4 restart ctr-node-install uninstall --root node --systemctl "$PWD/systemctl" --no-wait --proc proc --errors=json kata-cc
	[[ $stderr == *"the restart failed again"* ]]
	cmp "$conf" was
	ls node/opt/ctr/kata-cc-*/bin/containerd-shim-kata-v2
	run -1 ctr-node-install status --root node
	rm broken
	ok install
	[ "$(restarts)" -ge 1 ]
	ok ctr-node-install status --root node
}

@test "a file that was made for us is deleted when the restart fails" {
	wild absent
	touch broken
	refuses 4 restart ctr-node-install install --root node --config runtime.json --systemctl "$PWD/systemctl" --no-wait --errors=json
	[ ! -e node/etc/containerd/config.toml ]
}

# --- drift ---

@test "status finds drift: bytes, modes, files, the configuration, a lost version; install repairs" {
	run -0 install
	local dir c
	dir=$(echo node/opt/ctr/kata-cc-*)
	tree | grep -v backup >sound
	for c in "echo x >>$dir/share/OVMF.fd" "chmod 600 $dir/share/kata-kernel" "rm $dir/bin/qemu-system-x86_64" \
		"sed -i s/512/513/ $dir/etc/configuration.toml" "sed -i s/pod_annotations/pod_annotation/ $conf" "rm -r $dir" \
		"echo x >$dir/install.json"; do
		echo "# $c"
		eval "$c"
		run -1 --separate-stderr ctr-node-install status --root node --errors=json
		jq -e '[.versions[].drift[], .dangling[]] | length > 0' <<<"$output"
		jq -e '.id == "status.drift"' <<<"$stderr"
		run -0 install
		ok ctr-node-install status --root node
		tree | grep -v backup | diff sound -
	done
}

@test "nothing installed is no drift, and nothing to take out" {
	tree >before
	ok ctr-node-install status --root node
	jq -e '.versions == []' <<<"$output"
	run -0 uninstall --all
	run -0 uninstall kata-cc
	[ ! -s calls ]
	tree | diff before -
}

@test "others' changes after the installation stay when it goes" {
	run -0 install
	printf '[debug.x]\n  a = 1\n' >>"$conf"
	sed -i 's/^oom_score = 0/oom_score = -1 # mine/' "$conf"
	run -0 install
	run -0 uninstall --all
	grep -q 'oom_score = -1 # mine' "$conf"
	tail -n 2 "$conf" | grep -q 'a = 1'
	run ! grep -q kata-cc "$conf"
	[ ! -e node/opt/ctr ]
}

@test "a link of the node does not lead out of it" {
	wild eks
	mv node/etc/containerd node/etc/elsewhere
	ln -s /etc/elsewhere node/etc/containerd
	run -0 install
	grep -q kata-cc node/etc/elsewhere/config.toml
	[ -L node/etc/containerd ]
	wild eks
	ln -sf /etc/passwd "$conf"
	refuses 4 node.path ctr-node-install install --root node --config runtime.json --errors=json
}

@test "a snapshotter's proxy plugin comes and goes with the handlers" {
	local k
	jq '.snapshotter = { name: "nydus-cc", address: "/run/nydus/grpc.sock" }' runtime.json >snap.json
	for k in kubeadm eks rke2 schema1; do
		wild "$k"
		tree >before
		config=snap.json run -0 install
		grep -q '^\[proxy_plugins.nydus-cc\]' "$conf"
		grep -q '  snapshotter = "nydus-cc"' "$conf"
		run -0 uninstall kata-cc
		tree | diff before -
	done
}

# --- the platforms ---

@test "each platform's configuration has what it needs, from files that are there" {
	command -v python3 || skip "python3 is absent"
	local p
	for p in qemu-snp qemu-snp-gpu qemu-tdx qemu-tdx-gpu clh-snp clh-snp-gpu; do
		wild eks
		runtime x.json "$p"
		jq --arg u "file://$PWD/rt/OVMF.fd" '.debug = true | .kernelParams = "a=\"b\"" | .files +=
			[["bin/cloud-hypervisor", "share/kata-containers-igvm.img"][] | {url: $u, path: "@@runtimeBase@@/\(.)"}]' \
			x.json >y.json
		config=y.json run -0 install
		python3 - "$p" node/opt/ctr/kata-cc-*/etc/configuration.toml <<-'EOF'
			import os, sys, tomllib
			platform, path = sys.argv[1:]
			t = tomllib.load(open(path, "rb"))
			(name, h), = t["hypervisor"].items()
			assert name == platform.split("-")[0]
			assert h["confidential_guest"] and h["shared_fs"] == "none" and h["enable_debug"]
			assert h.get("sev_snp_guest", False) == ("snp" in platform)
			assert ("tdx_quote_generation_service_socket_port" in h) == ("tdx" in platform)
			assert ("cold_plug_vfio" in h) == platform.endswith("gpu")
			assert ("igvm" in h) == (name == "clh") and ("firmware" in h) == (name == "qemu")
			assert h["kernel_params"] == 'a="b"' and h["valid_hypervisor_paths"] == [h["path"]]
			for k in "path", "kernel", "initrd", "image", "igvm", "firmware":
			    assert k not in h or os.path.isfile("node" + h[k]), k
		EOF
	done
}

# --- what is refused, and that nothing is written then ---

bad() { # ID JQ-FILTER [STATUS]
	jq "$2" runtime.json >bad.json
	refuses "${3-3}" "$1" ctr-node-install install --root node --config bad.json --systemctl "$PWD/systemctl" --no-wait --errors=json
	tree | diff before -
}

@test "a bad configuration: one error, nothing written" {
	tree >before
	bad json.missing 'del(.runtimeHandlerName)'
	bad json.unknown '.file = []'
	bad json.type '.debug = 1'
	bad config.handler '.runtimeHandlerName = "Kata"'
	bad config.handler '.runtimeHandlerName = "../x"'
	bad config.platform '.platform = "qemu"'
	bad config.snapshotter '.snapshotter = { name: "a b" }'
	bad config.snapshotter '.snapshotter = { name: "a", address: "tcp:1" }'
	bad config.value '.kernelParams = "a\nb"'
	# shellcheck disable=SC2016 # a variable of jq's
	bad config.value '.files = [range(65) as $i | .files[0] | .path += "-\($i)"]'
	bad config.url '.files[0].url = "http://x/y"'
	bad config.url '.files[0].url = "oci://x/y"'
	bad config.path '.files[0].path = "/etc/passwd"'
	bad config.path '.files[0].path = "@@runtimeBase@@/../x"'
	bad config.path '.files[0].path = "@@runtimeBase@@/bin/"'
	bad config.path '.files[0].path = "@@runtimeBase@@/etc/configuration.toml"'
	bad config.path '.files[0].path = "@@runtimeBase@@/install.json/x"'
	bad config.path '.files += [.files[0]]'
	bad config.path '.files += [.files[0] | .path += "/x"]'
	bad config.mode '.files[0].mode = "755"'
	bad config.mode '.files[0].mode = "4755"'
	bad config.mode '.files[0].mode = "0777"'
	bad config.integrity '.files[0].integrity = "md5-AAAA"'
	bad config.integrity '.files[0].integrity = "sha256-AAAA"'
	bad config.integrity '.files[0] |= (.url = "https://x/y" | del(.integrity))'
	bad config.file 'del(.files[2])'
	bad integrity '.files[0].integrity = "sha256-" + ("A" * 43) + "="' 1
	bad open '.files[0].url = "file:///nonexistent"' 4
	echo '{' >bad.json
	refuses 3 json.syntax ctr-node-install install --root node --config bad.json --errors=json
	refuses 2 usage ctr-node-install install --root node --errors=json
	refuses 2 usage ctr-node-install install --root node --config bad.json --errors=json --kind x
	refuses 2 usage ctr-node-install uninstall --errors=json --root node
	refuses 2 usage ctr-node-install uninstall --errors=json --root node ../x
	refuses 2 usage ctr-node-install --errors=json frobnicate
	refuses 4 root ctr-node-install status --errors=json --root nowhere
}

bad_conf() { # ID TEXT
	printf '%b' "$2" >"$conf"
	tree >before
	refuses 3 "$1" ctr-node-install install --root node --config runtime.json --systemctl "$PWD/systemctl" --no-wait --errors=json
	tree | diff before -
	[ ! -s calls ]
}

@test "a configuration of containerd's that we do not understand: one error, nothing written" {
	local mark='# ctr-node-install: begin handler:x'
	bad_conf toml 'version = 2\n[a\n'
	bad_conf toml 'version = 2\nversion = 2\n'
	bad_conf toml 'version = 2\nplugins = {}\n'
	bad_conf toml 'version = 2\nx = "\xff"\n'
	bad_conf containerd.version 'version = 7\n'
	bad_conf containerd.taken 'version = 2\n[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.kata-cc]\n'
	bad_conf owned "version = 2\n$mark\n"
	bad_conf containerd.entangled "version = 2\n$mark\n[a]\n# ctr-node-install: end handler:x\nb = 1\n"
	wild imports
	echo '[' >node/etc/containerd/conf.d/20-b.toml
	refuses 3 toml ctr-node-install install --root node --config runtime.json --errors=json
	wild imports
	echo '[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.kata-cc]' >>node/etc/containerd/config.toml
	refuses 3 containerd.taken ctr-node-install install --root node --config runtime.json --errors=json
	wild k3s
	rm node/var/lib/rancher/k3s/agent/etc/containerd/config.toml
	refuses 4 node.config ctr-node-install install --root node --config runtime.json --errors=json
	wild eks
	truncate -s 2M "$conf"
	refuses 3 limit ctr-node-install install --root node --config runtime.json --errors=json
}

@test "one run at a time" {
	run -0 install
	rm -rf rt
	release=2 runtime
	exec 7<node/opt/ctr/.state
	flock -n 7
	refuses 4 busy ctr-node-install install --root node --config runtime.json --errors=json
	refuses 4 busy ctr-node-install uninstall --root node --errors=json kata-cc
	exec 7<&-
	run -0 install
}

@test "the page's examples run" {
	local n=0
	while read -r line; do
		echo "# $line"
		run -0 bash -c "${line/uninstall/uninstall --proc proc}"
		n=$((n + 1))
	done < <(examples ctr-node-install.8 | grep '^ctr-')
	[ "$n" -eq 5 ]
	[ ! -e node/opt/ctr ]
}
