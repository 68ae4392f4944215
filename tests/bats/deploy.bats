#!/usr/bin/env bats
# scripts/deploy.sh on a played cluster: the life of a deployment, and what must not happen.
load helpers
load deploy

setup_file() {
	export SHARE_KEY=$BATS_FILE_TMPDIR/share.pem
	(umask 077 && openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$SHARE_KEY" 2>/dev/null)
}

setup() {
	make_cluster
	cp -p "$SHARE_KEY" ctr/share.pem
}
teardown() { end_cluster; }

# deploy STATUS ARGUMENT...
deploy() {
	local want=$1
	shift
	run --separate-stderr ctr-deploy --timeout "${patience-60}" "$@"
	[ "$status" -eq "$want" ] || fail "$* ends with $status" "$output" "$stderr"
}

up() { deploy 0 up -r snp.json coordinator.yaml app.yaml; }

# nothing_sent: no manifest is active at the Coordinator, and there is nothing that would claim it
nothing_sent() {
	[ ! -e ctr/verified ] && [ ! -e ctr/shares.json ]
	run -1 grep manifest.set "$CLUSTER/pods/coordinator-0/log"
}

joins() { # POD
	local i
	for ((i = 0; i < 500; i++)); do
		[ ! -s "$CLUSTER/pods/$1/contrast/tls-config/certChain.pem" ] || return 0
		sleep 0.02
	done
	fail "$1 does not join" "$(<"$CLUSTER/pods/$1/log")"
}

@test "the first time: keys, manifest, Coordinator and pods; what is secret is the user's alone" {
	up
	joins web-0
	joins db-0
	[ "$(stat -c %a ctr/owner.pem ctr/share.pem ctr/shares.json | sort -u)" = 600 ]
	cmp ctr/verified/mesh-ca.pem "$CLUSTER/pods/web-0/contrast/tls-config/mesh-ca.pem"
	jq -e '.verdict == "accepted"' ctr/verdict.json >/dev/null
	http_proxy=http://127.0.0.1:1 deploy 0 verify # which does not lead to a port that is forwarded
	# again, each step alone: nothing changes
	cp -a ctr before
	deploy 0 generate coordinator.yaml app.yaml
	deploy 0 apply
	deploy 0 set
	deploy 0 verify
	cp before/verdict.json ctr/ # it has another nonce
	diff -r before ctr
	up
	[ "$(grep -c manifest.set "$CLUSTER/pods/coordinator-0/log")" -eq 1 ]
}

@test "scaling needs no other manifest: policies do not depend on numbers" {
	up
	cp ctr/manifest.json manifest.json
	deploy 0 scale deployment/web 3
	joins web-2
	sed -i 's/replicas: 2/replicas: 3/' app.yaml
	deploy 0 generate coordinator.yaml app.yaml
	cmp manifest.json ctr/manifest.json
	deploy 2 scale web 3
	deploy 2 scale deployment/web -1
}

@test "an update is set, with the owner's key and after the history that was verified, before it is applied" {
	up
	joins web-0
	sed -i 's/--wait=5/--wait=0/' app.yaml
	: >"$CLUSTER/calls"
	deploy 0 update coordinator.yaml app.yaml
	[[ $(cut -d' ' -f1 "$CLUSTER/calls" | uniq | paste -sd' ') == 'port-forward apply' ]]
	joins web-0
	[ "$(find ctr/verified/manifests -type f | wc -l)" -eq 2 ]
	cmp ctr/verified/mesh-ca.pem "$CLUSTER/pods/web-0/contrast/tls-config/mesh-ca.pem"

	ctr-manifest keygen workload-owner --out stranger.pem
	sed -i 's/--wait=0/--wait=1/' app.yaml
	deploy 0 generate coordinator.yaml app.yaml
	deploy 1 set -w stranger.pem --errors=json
	[[ $stderr == *coordinator.refused* ]]
	deploy 1 verify # what was generated is not enforced
	[[ $stderr == *coordinator.manifest* ]]
	deploy 0 set
}

@test "somebody else's update in between is not built upon" {
	up
	cp -r ctr other
	ctr-manifest keygen workload-owner --out second.pem
	ctr-manifest -q -m other/manifest.json -w second.pem other/annotated.yaml >m && mv m other/manifest.json
	deploy 0 -d other set
	sed -i 's/--wait=5/--wait=0/' app.yaml
	deploy 0 generate coordinator.yaml app.yaml
	deploy 1 set --errors=json
	[[ $stderr == *set.previous* ]]
}

@test "the owner's key is replaced: signed with the old one, and it is worth nothing then" {
	up
	mv ctr/owner.pem old.pem
	jq '.WorkloadOwnerKeyDigests = []' ctr/manifest.json >m && mv m ctr/manifest.json
	deploy 4 generate coordinator.yaml app.yaml
	[[ $stderr == *'ctr/owner.pem is not there'* ]]
	ctr-manifest keygen workload-owner --out ctr/owner.pem
	deploy 0 generate coordinator.yaml app.yaml
	deploy 0 set -w old.pem
	sed -i 's/--wait=5/--wait=0/' app.yaml
	deploy 0 generate coordinator.yaml app.yaml
	deploy 1 set -w old.pem --errors=json
	[[ $stderr == *coordinator.refused* ]]
	deploy 0 set
}

@test "a Coordinator that restarted gets the seed back, once; its root CA is that of before" {
	up
	joins db-0
	deploy 0 recover
	[[ $stderr == *'nothing to recover'* ]]
	cp "$CLUSTER/pods/db-0/contrast/secrets/workload-secret-seed" secret
	kubectl delete pod/coordinator-0
	deploy 1 verify
	mv ctr/shares.json .
	deploy 4 recover
	[[ $stderr == *'shares.json is not there'* ]]
	mv shares.json ctr/
	deploy 0 recover
	deploy 0 verify
	kubectl scale --replicas=2 statefulset/db
	joins db-1
	cmp secret "$CLUSTER/pods/db-1/contrast/secrets/workload-secret-seed"
}

@test "the Coordinator is updated: first both are permitted, then the new one alone" {
	up
	cp "$CLUSTER/pods/coordinator-0/policy" old
	sed 's/--log=json/--log=text/' coordinator.yaml >new.yaml
	cp ctr/annotated.yaml before.yaml
	deploy 0 generate -k before.yaml new.yaml app.yaml
	[[ $output == *'2 policies have the role coordinator'* ]]
	deploy 0 set
	deploy 0 apply
	run -1 cmp "$CLUSTER/pods/coordinator-0/policy" old
	deploy 0 recover
	deploy 0 generate new.yaml app.yaml
	deploy 0 set
	[ "$(find ctr/verified/manifests -type f | wc -l)" -eq 3 ]
	run -1 grep "$(<old)" ctr/manifest.json
}

@test "a Coordinator with another policy gets no manifest, and no seed" {
	deploy 0 generate -r snp.json coordinator.yaml app.yaml
	sed 's/--log=json/--log=text/' coordinator.yaml >other.yaml
	cp -r ctr other
	deploy 0 -d other generate -r snp.json other.yaml app.yaml
	kubectl apply -f other/annotated.yaml
	deploy 1 set --errors=json
	[[ $stderr == *policy.listed* ]]
	deploy 1 verify
	nothing_sent

	deploy 0 apply # the right one
	deploy 0 set
	kubectl apply -f other/annotated.yaml
	deploy 1 recover --errors=json
	[[ $stderr == *policy.listed* ]]
	run -1 grep '"id":"recovered"' "$CLUSTER/pods/coordinator-0/log"
}

@test "a manifest that somebody set before ours is no beginning" {
	deploy 0 generate -r snp.json coordinator.yaml app.yaml
	cp -r ctr other
	jq '(.Policies[] | select(.Role != "coordinator")).SANs = ["theirs"]' ctr/manifest.json >other/manifest.json
	deploy 0 apply
	deploy 0 -d other set
	deploy 1 set --errors=json
	[[ $stderr == *set.previous* ]]
	# nor when they went on to set ours, by a key that it names too
	deploy 0 -d other generate coordinator.yaml app.yaml
	cp ctr/manifest.json other/
	deploy 0 -d other set
	deploy 1 verify
	[[ $stderr == *'somebody set other manifests before'* ]]
	[ ! -e ctr/verified ]
}

@test "a Coordinator with another seed is not ours, whatever manifest it enforces" {
	up
	rm -r "$CLUSTER/pods/coordinator-0/store"
	kubectl delete pod/coordinator-0
	cp -r ctr "once again"
	rm -r "once again/verified" "once again/shares.json"
	deploy 0 -d "once again" set
	deploy 1 verify
	[[ $stderr == *coordinator.root_ca.pinned* ]]
	deploy 1 set --errors=json
	[[ $stderr == *coordinator.root_ca.pinned* ]]
}

@test "what was interrupted after the Coordinator took the manifest is completed" {
	deploy 0 generate -r snp.json coordinator.yaml app.yaml
	deploy 0 apply
	deploy 0 set
	rm -r ctr/verified
	deploy 0 set
	[ -s ctr/verified/mesh-ca.pem ]
	sed -i 's/--wait=5/--wait=0/' app.yaml
	cp -r ctr/verified before
	deploy 0 update coordinator.yaml app.yaml
	rm -r ctr/verified && mv before ctr/verified
	deploy 0 set
	[ "$(find ctr/verified/manifests -type f | wc -l)" -eq 2 ]
	[ "$(grep -c manifest.set "$CLUSTER/pods/coordinator-0/log")" -eq 2 ]
}

@test "a manifest that is not complete goes nowhere" {
	jq '.snp[0].MinimumTCB = null' snp.json >open.json
	deploy 1 up -r open.json coordinator.yaml app.yaml
	[[ $output == *MinimumTCB* ]]
	[ ! -e "$CLUSTER/calls" ]
	deploy 1 set
	[ ! -e "$CLUSTER/calls" ]
}

@test "removal deletes nothing that is here" {
	up
	cp -r ctr before
	deploy 0 remove
	[[ $stderr == *'without a share the secrets are lost'* ]]
	diff -r before ctr
	[ -z "$(find "$CLUSTER/pods" -name pid)" ]
	deploy 0 remove
}

@test "kubectl that fails, or forwards to nowhere, is the end" {
	deploy 0 generate -r snp.json coordinator.yaml app.yaml
	deploy 0 apply
	patience=0 PLAY=refused deploy 4 verify
	[[ $stderr == *forbidden*'no Coordinator answers'* ]]
	patience=0 PLAY=ends deploy 4 set
	[[ $stderr == *'no Coordinator answers'* ]]
	patience=0 deploy 4 --pod coordinator-1 set
	[[ $stderr == *'not found'* ]]
	nothing_sent
	deploy 4 --coordinator http://127.0.0.1:1 verify
	export PATH=$BATS_TEST_TMPDIR/none:$PATH
	mkdir "$BATS_TEST_TMPDIR/none"
	printf '#!/bin/sh\necho no cluster >&2\nexit 7\n' >"$BATS_TEST_TMPDIR/none/kubectl"
	chmod +x "$BATS_TEST_TMPDIR/none/kubectl"
	deploy 7 up coordinator.yaml app.yaml
	[[ $stderr == *'no cluster'* ]]
	nothing_sent
}

# ends_by SIGNAL PID: with this status, and nothing is left of its session
ends_by() {
	local status=0
	kill "-$1" "$2"
	wait "$2" || status=$?
	[ "$status" -eq $((128 + $(kill -l "$1"))) ] || fail "$1: ends with $status"
	status=$(ps -o args= -s "$2" | awk '!/defunct/')
	[ -z "$status" ] || fail "$1: left: $status"
}

@test "a signal ends all of it, at once, and the next run goes on" {
	local signal
	deploy 0 generate -r snp.json coordinator.yaml app.yaml
	deploy 0 apply
	for signal in INT TERM HUP; do
		: >"$CLUSTER/calls"
		PLAY=silent setsid env --default-signal=INT ctr-deploy set 3>&- 2>/dev/null &
		while [ ! -s "$CLUSTER/calls" ]; do sleep 0.02; done
		ends_by "$signal" "$!"
	done
	nothing_sent
	# a Coordinator that takes the connection and says nothing: a tool waits
	kill -STOP "$(<"$CLUSTER/pods/coordinator-0/pid")"
	setsid ctr-deploy --coordinator "http://127.0.0.1:$(<"$CLUSTER/api")" verify 3>&- 2>/dev/null &
	until pgrep -s "$!" ctr-attest; do sleep 0.02; done
	ends_by TERM "$!"
	kill -CONT "$(<"$CLUSTER/pods/coordinator-0/pid")"
	deploy 0 set
}

@test "usage" {
	ok ctr-deploy --help
	[[ $output == *'example: ctr-deploy '* ]]
	for words in '' 'frob' '--frob' '-d' 'apply x' '--timeout 1s verify' 'generate -r'; do
		# shellcheck disable=SC2086 # words on purpose
		run -2 --separate-stderr ctr-deploy $words
		[[ $stderr == *'usage: ctr-deploy '* ]]
	done
	run -4 --separate-stderr ctr-deploy -d none apply
	[[ $stderr == *'none/annotated.yaml is not there'* ]]
}
