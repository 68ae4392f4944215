#!/usr/bin/env bats
# shellcheck disable=SC2016 # commands for another shell
# What README "Deploy" and ctr-deploy(7) tell a newcomer to type, on a played cluster; and deploy.mk.
load helpers
load deploy

setup() { make_cluster; }
teardown() { end_cluster; }

# The commands of that section of README.md.
readme() {
	awk '/^## / { on = $2 == "Deploy" } on && sub(/^       /, "")' "$TOP/README.md"
}

# A guest's files, and machines that were started with them.
make_guest() {
	"$BUILD/sim/mkguest" firmware >OVMF.fd
	"$BUILD/sim/mkguest" pe >kata-kernel
	echo initrd >kata-initrd
	echo console=hvc0 >kata-cmdline
	ctr-manifest measure snp --ovmf OVMF.fd --kernel kata-kernel --initrd kata-initrd --append "$(<kata-cmdline)" \
		--vcpus 1 --vcpu-type EPYC-Milan --digest >"$CLUSTER/measurement"
}

# around FILE: runs its commands as a user's shell does; what belongs to this machine is put around them
around() {
	cat >around <<-'EOS'
		make() { command make -C "$TOP" -o all "$@" >/dev/null; }
		ctr-policygen() { command ctr-policygen -q --image-layout "$BUILD/images" --skip-initializer "$@"; }
		ctr-attest-verify() {
			command ctr-attest-verify --no-cache --collateral "$CLUSTER/machine" \
				--insecure-test-root "$CLUSTER/machine/ark.der" "$@"
		}
	EOS
	export TOP
	run bash -euo pipefail <(cat around "$1")
	[ "$status" -eq 0 ] || fail "$output"
}

@test "README: a newcomer with a cluster follows Deploy and nothing else" {
	export HOME=$BATS_TEST_TMPDIR/home
	make_guest
	rm -r coordinator.yaml snp.json ctr/policygen.options "$CLUSTER/bin/ctr-deploy"
	# images that are no registry's
	printf '#!/bin/sh\nexec %s/ctr-policygen -q --image-layout %s/images "$@"\n' "$BIN" "$BUILD" >"$CLUSTER/bin/ctr-policygen"
	chmod +x "$CLUSTER/bin/ctr-policygen"
	readme >commands
	[ "$(grep -c ctr-deploy commands)" -ge 6 ] && grep -q '^make install' commands && grep -q 'kubectl apply -k' commands
	# the programs are those under test; somebody works on the application, and a Coordinator restarts
	sed -i -e '/^export PATH=/s/$/; PATH=$CLUSTER\/bin:$BIN:$PATH/' \
		-e "/ctr-deploy.* update/i sed -i s/--wait=5/--wait=0/ app.yaml" \
		-e '/ctr-deploy.* recover/i kubectl delete pod/coordinator-0' commands
	around commands
	[ "$(find ctr/verified/manifests -type f | wc -l)" -eq 2 ]
	[[ $output == *recovered:* && $output == *'coordinator-0 deleted'* ]]
	[ -x "$HOME/.local/bin/ctr-deploy" ] && [ -s "$HOME/.local/share/man/man7/ctr-deploy.7" ]
	make -C "$TOP" uninstall PREFIX="$HOME/.local" >/dev/null
	[ -z "$(find "$HOME/.local" -type f)" ]
}

@test "the examples of ctr-deploy(7) run, in their order" {
	examples ctr-deploy.7 >commands
	[ "$(grep -c '^ctr-deploy' commands)" -ge 18 ]
	sed -i -e 's,-k ctr/k8s,-k "$TOP/k8s",' -e 's,\$url,http://127.0.0.1:$(<"$CLUSTER/api"),' \
		-e '/--refresh/s/$/; sed -i s,--wait=5,--wait=0, app.yaml/' -e '/SNPVersion/s/25/24/' commands
	around commands
	[ "$(find ctr/verified/manifests -type f | wc -l)" -eq 5 ]
	cmp theirs/coordinator-root-ca.pem ctr/verified/coordinator-root-ca.pem
}

@test "deploy.mk: make does what is left to do" {
	printf '%s\n' 'CTR_YAML := coordinator.yaml app.yaml' 'CTR_REFS := snp.json' 'CTR_FLAGS := -n shop' \
		"include $TOP/k8s/deploy.mk" >Makefile
	ok_make() { run env -u MAKEFLAGS make "$@" && [ "$status" -eq 0 ] || fail "$output"; }
	ok_make ctr-up
	ok_make ctr-verify
	: >"$CLUSTER/calls"
	ok_make ctr-up
	[ ! -s "$CLUSTER/calls" ]
	sed -i 's/--wait=5/--wait=0/' app.yaml
	ok_make ctr-up
	[[ $(cut -d' ' -f3 "$CLUSTER/calls" | uniq | paste -sd' ') == 'port-forward apply' ]]
	kubectl delete pod/coordinator-0
	ok_make ctr-recover
	ok_make ctr-remove
	run make ctr-verify CTR_FLAGS='--timeout 0'
	[ "$status" -ne 0 ]
}

# The real one knows each verb and option: it fails for want of a cluster, not of them.
@test "the kubectl commands are what kubectl takes" {
	local real words
	PATH=${PATH#"$CLUSTER/bin:"}
	real=$(command -v kubectl) || skip "kubectl is absent"
	printf 'apiVersion: v1\nkind: List\nitems: []\n' >empty.yaml
	while read -r words; do
		# shellcheck disable=SC2086 # words on purpose
		run env KUBECONFIG=/dev/null "$real" --server=http://127.0.0.1:1 -n shop $words
		[[ $output == *refused* || $output == *'o objects passed'* ]] || fail "$words: $output"
	done <<-'EOS'
		port-forward --address 127.0.0.1 pod/coordinator-0 :1314
		apply --validate=false -f empty.yaml
		scale --replicas=3 deployment/web
		rollout status --timeout=1s deployment/web
		delete --ignore-not-found -f empty.yaml
		delete pod/coordinator-0
		get pods
		create namespace shop
	EOS
}
