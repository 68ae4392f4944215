# A node to install on, for node-install*.bats. Each test has its own in $N.
# shellcheck shell=bash

# runtime [FILE [PLATFORM]]: what a release brings, in rt/, and its configuration in FILE.
runtime() {
	local f p path=${1:-runtime.json} platform=${2:-qemu-snp} files=''
	mkdir -p rt
	for f in bin/containerd-shim-kata-v2 bin/qemu-system-x86_64 share/OVMF.fd share/kata-kernel share/kata-initrd \
		share/kata-containers.img; do
		p=rt/${f##*/}
		[ -f "$p" ] || echo "${f##*/} ${release-1}" >"$p"
		files+=$(jq -n --arg url "file://$PWD/$p" --arg path "@@runtimeBase@@/$f" \
			--arg sri "sha256-$(openssl dgst -sha256 -binary "$p" | base64 -w0)" \
			'{url: $url, path: $path, integrity: $sri}')
	done
	jq -s --arg h "${handler-kata-cc}" --arg p "$platform" '{runtimeHandlerName: $h, platform: $p, files: .}' \
		<<<"$files" >"$path"
}

# play_systemctl: one that knows the units in $ACTIVE, writes each call to $CALLS, and fails to restart while "broken" exists.
play_systemctl() {
	cat >systemctl <<-'EOF'
		#!/bin/sh
		echo "$*" >>"$CALLS"
		case $1 in
		is-active) case " $ACTIVE " in *" $2 "*) exit 0 ;; esac; exit 3 ;;
		restart) [ ! -e broken ] || exit 1 ;;
		esac
	EOF
	chmod +x systemctl
	export CALLS=$PWD/calls ACTIVE=${ACTIVE-containerd.service}
	: >calls
}

restarts() { # how many there were; forgets them
	grep -c '^restart' calls || true
	: >calls
}

install() {
	ctr-node-install install --root node --config "${config-runtime.json}" --systemctl "$PWD/systemctl" --no-wait "$@"
}

uninstall() {
	ctr-node-install uninstall --root node --systemctl "$PWD/systemctl" --no-wait --proc "$PWD/proc" "$@"
}

# tree: every file of the node with its mode and bytes, links and directories too.
tree() {
	(cd node && find . -printf '%p %y %m %l\n' | sort && find . -type f -exec sha256sum {} + | sort)
}

# in_new_place DIRECTORY: there, with a /proc where nothing runs
in_new_place() {
	cd "$1" || return
	mkdir -p proc/1
	printf 'init\0' >proc/1/cmdline
}

# wild NAME: a node as that distribution leaves it, written from public descriptions of them. "$conf" is the file
# that changes, $ACTIVE the unit.
wild() {
	rm -rf node
	mkdir -p node/opt node/etc/containerd
	conf=node/etc/containerd/config.toml
	ACTIVE=containerd.service
	"wild_$1"
	export ACTIVE
}

wild_kubeadm() {
	cat >"$conf" <<-'EOF'
		disabled_plugins = []
		imports = []
		oom_score = 0
		plugin_dir = ""
		required_plugins = []
		root = "/var/lib/containerd"
		state = "/run/containerd"
		version = 2

		[cgroup]
		  path = ""

		[debug]
		  address = ""
		  gid = 0

		[grpc]
		  address = "/run/containerd/containerd.sock"
		  max_recv_message_size = 16777216

		[plugins]

		  [plugins."io.containerd.gc.v1.scheduler"]
		    deletion_threshold = 0
		    schedule_delay = "0s"

		  [plugins."io.containerd.grpc.v1.cri"]
		    sandbox_image = "registry.k8s.io/pause:3.6"

		    [plugins."io.containerd.grpc.v1.cri".containerd]
		      default_runtime_name = "runc"
		      snapshotter = "overlayfs"

		      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes]

		        [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
		          runtime_type = "io.containerd.runc.v2"

		          [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
		            SystemdCgroup = true

		[timeouts]
		  "io.containerd.timeout.shim.cleanup" = "5s"
	EOF
}

wild_eks() {
	cat >"$conf" <<-'EOF'
		version = 3
		root = "/var/lib/containerd"
		state = "/run/containerd"

		[grpc]
		address = "/run/containerd/containerd.sock"

		[plugins.'io.containerd.cri.v1.images']
		discard_unpacked_layers = true

		[plugins.'io.containerd.cri.v1.images'.pinned_images]
		sandbox = "localhost/kubernetes/pause"

		[plugins."io.containerd.cri.v1.runtime".containerd]
		default_runtime_name = "runc"

		[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
		runtime_type = "io.containerd.runc.v2"
		base_runtime_spec = "/etc/containerd/base-runtime-spec.json"

		[plugins."io.containerd.cri.v1.runtime".cni]
		bin_dir = "/opt/cni/bin"
		conf_dir = "/etc/cni/net.d"
	EOF
}

wild_gke() {
	cat >"$conf" <<-'EOF'
		version = 2
		required_plugins = ["io.containerd.grpc.v1.cri"]
		# Kubernetes doesn't use containerd restart manager.
		disabled_plugins = ["io.containerd.internal.v1.restart"]
		oom_score = -999
		[debug]
		  level = "info"
		[plugins."io.containerd.grpc.v1.cri"]
		  stream_server_address = "127.0.0.1"
		  max_container_log_line_size = 262144
		[plugins."io.containerd.grpc.v1.cri".containerd]
		  default_runtime_name = "runc"
		  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.gvisor]
		    runtime_type = "io.containerd.runsc.v1"
		    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.gvisor.options]
		      TypeUrl = "io.containerd.runsc.v1.options"
		      ConfigPath = "/run/containerd/runsc/config.toml"
		[proxy_plugins]
		  [proxy_plugins.gcfs]
		    type = "snapshot"
		    address = "/run/containerd-gcfs-grpc/containerd-gcfs-grpc.sock"
	EOF
	chmod 600 "$conf"
}

wild_aks() {
	cat >"$conf" <<-'EOF'
		version = 2
		oom_score = -999
		[plugins."io.containerd.grpc.v1.cri"]
		  sandbox_image = "mcr.microsoft.com/oss/kubernetes/pause:3.6"
		  [plugins."io.containerd.grpc.v1.cri".containerd]
		    default_runtime_name = "runc"
		    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
		      runtime_type = "io.containerd.runc.v2"
		    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
		      BinaryName = "/usr/bin/runc"
		      SystemdCgroup = true
		    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.untrusted]
		      runtime_type = "io.containerd.runc.v2"
		  [plugins."io.containerd.grpc.v1.cri".registry]
		    config_path = "/etc/containerd/certs.d"
		  [plugins."io.containerd.grpc.v1.cri".registry.headers]
		    X-Meta-Source-Client = ["azure/aks"]
		[metrics]
		  address = "0.0.0.0:10257"
	EOF
	printf '  grpc_histogram = false' >>"$conf" # no line end
}

rancher() { # DIRECTORY SCHEMA
	mkdir -p "node/var/lib/rancher/$1/agent/etc/containerd"
	conf=node/var/lib/rancher/$1/agent/etc/containerd
	printf '# File generated by %s. DO NOT EDIT. Use config.toml.tmpl instead.\nversion = %s\n' "$1" "$2" >"$conf/config.toml"
}

wild_k3s() { # 1.x, without a template
	rancher k3s 2
	ACTIVE=k3s.service
	conf+=/config.toml.tmpl
}

wild_k3s_v3() {
	rancher k3s 3
	ACTIVE=k3s-agent.service
	conf+=/config-v3.toml.tmpl
	printf '%s\n' '{{- /* ours */ -}}' '{{ template "base" . }}' '' "[plugins.'io.containerd.cri.v1.images'.registry]" \
		'  config_path = "{{ if .X }}/a{{ else }}/b{{ end }}"' >"$conf"
}

wild_k3s_imports() {
	rancher k3s 3
	ACTIVE=k3s.service
	echo "imports = [\"/${conf#node/}/config-v3.toml.d/*.toml\"]" >>"$conf/config.toml"
	conf+=/config-v3.toml.d/ctr-node-install-kata-cc.toml
}

wild_rke2() {
	rancher rke2 2
	ACTIVE=rke2-server.service
	conf+=/config.toml.tmpl
	printf 'version = 2\n[plugins."io.containerd.internal.v1.opt"]\n  path = "{{ .NodeConfig.Containerd.Opt }}"' >"$conf"
}

wild_microk8s() {
	mkdir -p node/var/snap/microk8s/6809/args
	ln -s 6809 node/var/snap/microk8s/current
	conf=node/var/snap/microk8s/6809/args/containerd-template.toml
	ACTIVE=snap.microk8s.daemon-containerd.service
	cat >"$conf" <<-'EOF'
		# Use config version 2 to enable new configuration fields.
		version = 2
		oom_score = 0

		[grpc]
		  uid = 0
		  gid = 0

		[plugins]
		  [plugins."io.containerd.grpc.v1.cri"]
		    sandbox_image = "registry.k8s.io/pause:3.7"
		    [plugins."io.containerd.grpc.v1.cri".containerd]
		      snapshotter = "${SNAPSHOTTER}"
		      default_runtime_name = "${RUNTIME}"
		      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
		        runtime_type = "${RUNTIME_TYPE}"
	EOF
}

wild_k0s() {
	mkdir -p node/etc/k0s
	printf '# k0s_managed=true\nversion = 2\nimports = [\n\t"/run/k0s/containerd-cri.toml",\n]\n' >node/etc/k0s/containerd.toml
	ACTIVE=k0sworker.service
	conf=node/etc/k0s/containerd.d/ctr-node-install-kata-cc.toml
}

wild_nvidia() { # as its toolkit writes it: one table after the other, no comments
	cat >"$conf" <<-'EOF'
		accept-nvidia-visible-devices-as-volume-mounts = true
		version = 2

		[plugins]

		  [plugins."io.containerd.grpc.v1.cri"]

		    [plugins."io.containerd.grpc.v1.cri".containerd]
		      default_runtime_name = "nvidia"

		      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes]

		        [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.nvidia]
		          privileged_without_host_devices = false
		          runtime_engine = ""
		          runtime_root = ""
		          runtime_type = "io.containerd.runc.v2"

		          [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.nvidia.options]
		            BinaryName = "/usr/local/nvidia/toolkit/nvidia-container-runtime"
	EOF
}

wild_empty() {
	: >"$conf"
}

wild_absent() {
	rmdir node/etc/containerd
}

wild_comments() { # and carriage returns, tabs, blank lines at the end
	printf '#\r\n# do not touch!\t\r\n\r\nversion = 2 # two\r\n\t[ plugins . "io.containerd.grpc.v1.cri" ] # [not.a.table]\r\nsandbox_image = """\r\n[also.not]\r\n"""\r\nx = [ # a\r\n 1, # ] b\r\n]\r\n\r\n\r\n# end' >"$conf"
}

wild_imports() {
	mkdir -p node/etc/containerd/conf.d
	printf 'version = 3\nimports = ["/etc/containerd/conf.d/*.toml", "base.toml"]\n' >"$conf"
	echo 'version = 2' >node/etc/containerd/base.toml
	echo 'oom_score = 1' >node/etc/containerd/conf.d/10-a.toml
	conf=node/etc/containerd/conf.d/ctr-node-install-kata-cc.toml
}

wild_imports_v2() { # where imports are not merged but take the place of a whole plugin
	mkdir -p node/etc/containerd/conf.d
	printf 'version = 2\nimports = ["/etc/containerd/conf.d/*.toml"]\n' >"$conf"
}

wild_schema1() {
	printf 'oom_score = 0\n[plugins.cri.containerd]\n  snapshotter = "overlayfs"\n' >"$conf"
}

# shellcheck disable=SC2034 # for the tests
WILD='kubeadm eks gke aks k3s k3s_v3 k3s_imports rke2 microk8s k0s nvidia empty absent comments imports imports_v2 schema1'
