#!/usr/bin/env bats
# scripts/build-images: the same twice; and the images run as their pods in k8s say, with nothing but what is in them.
load helpers

setup_file() {
	[ -z "${SAN-}" ] && [ "$(id -u)" -eq 0 ] || return 0
	scripts/build-images "$BATS_FILE_TMPDIR/images" >"$BATS_FILE_TMPDIR/built"
	for i in "$BATS_FILE_TMPDIR"/images/*; do
		unpack "$i" "$BATS_FILE_TMPDIR/roots/${i##*/}"
	done
}

setup() {
	pid=
	[ -z "${SAN-}" ] || skip "sanitized programs are for no image"
	[ "$(id -u)" -eq 0 ] || skip "needs root for chroot"
	images=$BATS_FILE_TMPDIR/images roots=$BATS_FILE_TMPDIR/roots built=$BATS_FILE_TMPDIR/built
	cd "$BATS_TEST_TMPDIR" || return
}

teardown() {
	[ -z "$pid" ] || kill -KILL "$pid"
}

blob() { echo "$1/blobs/sha256/${2#sha256:}"; }

manifest() { blob "$1" "$(jq -r '.manifests[0].digest' "$1/index.json")"; }

unpack() { # LAYOUT DIRECTORY
	local layer
	mkdir -p "$2"
	for layer in $(jq -r '.layers[].digest' "$(manifest "$1")"); do
		tar -xf "$(blob "$1" "$layer")" -C "$2"
	done
}

@test "built again, under another umask, name and time zone, they have the same digests; each is small" {
	ln -s "$BUILD" elsewhere
	(umask 077 && BUILD=$PWD/elsewhere TZ=Asia/Tokyo "$TOP/scripts/build-images" again) | cmp - "$built"
	[ "$(sed 's,.*/,,; s,:.*,,' "$built" | tr '\n' ' ')" = 'cli coordinator initializer mesh-proxy node-installer ' ]
	awk '$2 > 12 * 1024 * 1024 { print; bad = 1 } END { exit bad }' "$built"
	sed 's/^/# /' "$built" >&3
}

@test "nothing in them names a directory of this machine, and nobody but the owner writes" {
	run ! grep -rlF -e "$TOP" -e "$BUILD" "$roots"
	[ -z "$(find "$roots" -mindepth 2 ! -type l -perm /022 ! -name tmp)" ]
	[ -z "$(find "$roots" -mindepth 2 -perm /6000)" ]
	for p in ctr libc6 libcurl4; do
		[ -s "$roots/coordinator/usr/share/doc/$p/copyright" ]
	done
}

@test "name and time are settings; what is missing ends the build" {
	SOURCE_DATE_EPOCH=86400 REGISTRY=registry.mine/ctr "$TOP/scripts/build-images" out node-installer >other
	[[ $(<other) == *' registry.mine/ctr/node-installer:'* ]]
	! grep -q "^$(cut -d' ' -f1 other)" "$built" || fail "another time, the same digest"
	mkdir -p b/bin
	ln -s "$BIN/ctr-manifest" b/bin
	run -1 env BUILD="$PWD/b" "$TOP/scripts/build-images" none cli
	[[ $output == *"ctr-attest-verify is not here"* ]]
	[ ! -e none/cli ]
}

@test "each program of ours starts in its image, and finds the libraries that it opens" {
	for p in "$roots"/*/bin/ctr-*; do
		[ "${p##*/}" = ctr-mesh-proxy ] || chroot --userspec=65532:65532 "${p%/bin/*}" "/bin/${p##*/}" --version
	done
	for p in haproxy\ -v nft\ -v; do
		# shellcheck disable=SC2086 # words on purpose
		chroot "$roots/mesh-proxy" /bin/$p
	done
	printf 'apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {runtimeClassName: contrast-cc, containers: [{name: c, image: "127.0.0.1:9/x:1"}]}\n' >pod.yaml
	refuses 4 registry.connect chroot "$roots/cli" /bin/ctr-policygen --errors=json --no-cache --skip-initializer <pod.yaml
	refuses 4 open chroot "$roots/initializer" /bin/ctr-initializer cryptsetup --errors=json --device /dev/null --mount /mnt
	run -2 chroot "$roots/mesh-proxy" /bin/ctr-mesh-proxy neither
	[[ $output == *'unknown proxy'* ]]
	# all that the sidecar calls
	for p in $(grep -oE '\b(ctr-mesh-config|nft|haproxy|readlink|ln|sha256sum|sed|tr|getent|cut|sort|grep|sleep|rm|mkdir|chmod)\b' \
		"$TOP/k8s/mesh/entry" | sort -u) test; do
		[ -x "$roots/mesh-proxy/bin/$p" ] || fail "$p"
	done
}

@test "a policy is made of the Coordinator's own image, and the Coordinator runs in it as its pod says" {
	ctr-policygen -q --offline --no-cache --image-layout "$images" "$TOP/k8s/coordinator.yaml" >annotated.yaml
	grep -q "image: registry.example/coordinator:.*@$(awk '$3 ~ /coordinator/ { print $1 }' "$built")$" annotated.yaml
	root=$roots/coordinator
	mkdir -p "$root/store" # there is no API server here
	"$BUILD/sim/simchain" --keys="$BUILD/sim/keys" snp "$root/chain"
	mapfile -t args < <(sed -n 's/^ *- "\?\(--[a-z]*=[^" ]*\).*/\1/p' "$TOP/k8s/coordinator.yaml" | sed s,kubernetes:,dir:/store,)
	[ "${#args[@]}" -eq 5 ]
	setpriv --bounding-set=-all,+sys_chroot --inh-caps=-all -- chroot "$root" /bin/ctr-coordinatord "${args[@]}" \
		--platform=sim:/chain --collateral=/chain --insecure-test-root=/chain/ark.der --listen=127.0.0.1:0 \
		--listen-probes=127.0.0.1:0 --listen-transit=127.0.0.1:0 2>log &
	pid=$!
	for ((i = 0; i < 600; i++)); do
		! grep -q '"id":"listening"' log || break
		kill -0 "$pid" || fail "$(cat log)"
		sleep 0.05
	done
	[[ $(grep '"id":"listening"' log) =~ probes\ ([0-9]+) ]] || fail "$(cat log)"
	curl -sf "http://127.0.0.1:${BASH_REMATCH[1]}/probe/liveness"
	kill -TERM "$pid"
	wait "$pid"
	pid=
}

@test "the sidecar's image sets the rules, and its proxy listens" {
	unshare --mount --net true 2>/dev/null || skip "no namespaces here"
	unshare --net nft list tables || skip "no nftables in this kernel"
	root=$roots/mesh-proxy tls=$roots/mesh-proxy/contrast/tls-config
	mkdir -p "$root"/{proc,dev} "$tls"
	printf '{"seed":"%s","salt":"%s"}' "$(openssl rand -hex 64)" "$(openssl rand -hex 32)" | ctr-ca mesh --output ca
	cp ca/mesh-ca.pem "$tls"
	openssl ecparam -name prime256v1 -genkey -noout -out "$tls/key.pem"
	openssl req -new -key "$tls/key.pem" -subj /CN=a | ctr-ca issue --ca ca --san a >"$tls/certChain.pem"
	caps=-all,+net_admin # and what containers have
	for c in chown dac_override fowner fsetid kill setgid setuid setpcap net_bind_service net_raw sys_chroot mknod audit_write setfcap; do
		caps+=,+$c
	done
	# shellcheck disable=SC2016 # for the other shell
	env -i PATH=/bin:/sbin CONTRAST_INGRESS_PROXY_CONFIG='web#8080#false' CONTRAST_EGRESS_PROXY_CONFIG= \
		unshare --mount --net sh -euc 'ip link set lo up
			mount -t proc proc "$1/proc"
			mount --bind /dev "$1/dev"
			exec setpriv --bounding-set="$2" --inh-caps=-all -- /usr/sbin/chroot "$1" /bin/ctr-mesh-proxy' - "$root" "$caps" \
		>log 2>&1 3>&- &
	pid=$!
	for ((i = 0; i < 600; i++)); do
		[ ! -e "$root/ready" ] || break
		kill -0 "$pid" || break
		sleep 0.05
	done
	! grep -q 'Could not process rule' log || skip "no transparent proxying in this kernel"
	[ -e "$root/ready" ] || fail "$(cat log)"
	nsenter --target "$pid" --net nft list table inet ctr_mesh | grep 'tproxy.*:15007'
	nsenter --target "$pid" --net ss -Hltn 'sport = :15006' | grep .
	kill -TERM "$pid"
	wait "$pid" || [ $? -eq 143 ]
	pid=
}

# The pod of the DaemonSet on a played node: process 1 is another one, in the node's mounts, where systemctl is played.
@test "the installer's pod installs with the privileges that it has, and with none fewer; the other container sees it" {
	unshare --mount --pid --fork true 2>/dev/null || skip "no namespaces here"
	kubectl kustomize "$TOP/k8s" | /usr/bin/python3 -c 'import json, sys, yaml
for o in yaml.safe_load_all(sys.stdin): print(json.dumps(o))' >all.json
	for platform in snp tdx; do
		jq --arg name "ctr-node-install-$platform" \
			'select(.kind == "DaemonSet" and .metadata.name == $name).spec.template.spec' all.json >pod.json
		jq -e .hostPID pod.json
		config=$(jq -r '.volumes[1].configMap.name' pod.json)
		rm -rf root
		cp -a "$roots/node-installer" root
		# shellcheck disable=SC2046 # words on purpose
		cp --parents -Ln $(ldd /usr/bin/setpriv | grep -o ' */[^ ]*') /usr/bin/setpriv root # plays the container's runtime
		mkdir -p root/{host,config,proc,dev,runtime/{bin,share}} node/{opt,etc/containerd}
		: >node/etc/containerd/config.toml
		jq -j --arg name "$config" 'select(.metadata.name == $name).data["runtime.json"]' all.json >root/config/runtime.json
		for f in $(jq -r '.files[].url' root/config/runtime.json); do
			echo "$f" >"root/${f#file:///}"
		done
		mapfile -t install < <(jq -r '.initContainers[0].args[]' pod.json)
		mapfile -t status < <(jq -r '.containers[0].readinessProbe.exec.command[]' pod.json)
		mapfile -t caps < <(jq -r '.initContainers[0].securityContext.capabilities.add[] | ascii_downcase' pod.json)
		[ "${#caps[@]}" -eq 3 ]
		play_node
		for lack in "${caps[@]}"; do
			cp -a node start
			rc=0
			in_pod rw "$(printf '%s\n' "${caps[@]}" | grep -v "$lack")" /bin/ctr-node-install "${install[@]}" --errors=json 2>said || rc=$?
			[[ $rc -eq 4 && ! -e calls ]] || fail "not needed: $lack" "$(cat said)"
			[ "$(tail -n 1 said | jq -r .id)" = restart ]
			rm -rf node
			mv start node
		done
		# no containerd answers there
		in_pod rw "$(printf '%s\n' "${caps[@]}")" /bin/ctr-node-install "${install[@]}" --no-wait
		grep -qx 'restart containerd.service' calls
		in_pod ro '' "${status[@]}" >status.json
		jq -e --arg handler contrast-cc '.versions[0].handler == $handler and .versions[0].active' status.json
		echo more >>"node$(jq -r '.versions[0].directory' status.json)/share/kata-kernel"
		rc=0
		in_pod ro '' "${status[@]}" >status.json || rc=$?
		[ "$rc" -eq 1 ]
		rm -rf node calls
	done
}

play_node() {
	mkdir -p played
	printf '#!/bin/sh\necho "$*" >>%s/calls\n' "$PWD" >played/systemctl
	chmod +x played/systemctl
}

# in_pod rw|ro CAPABILITIES COMMAND...: in the image's root, which is read-only, with the node's at /host.
in_pod() {
	local how=$1 caps
	caps=$(printf '%s' "$2" | sed 's/^/,+/' | tr -d '\n')
	shift 2
	# shellcheck disable=SC2016 # for the other shell
	unshare --mount --pid --fork sh -euc '
		mount --bind root root
		mount -t proc proc root/proc
		mount --bind /dev root/dev
		mount --bind -o "$1" node root/host
		mount -o "remount,bind,$1" root/host
		mount -o remount,bind,ro root
		caps=$2 path=$PWD/played:/bin
		shift 2
		PATH=$path /usr/sbin/chroot root /usr/bin/setpriv --bounding-set="-all$caps" --inh-caps=-all -- "$@" || exit $?' \
		- "$how" "$caps" "$@"
}
