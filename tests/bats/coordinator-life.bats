#!/usr/bin/env bats
# The life of a deployment with the tools that users have: set, join, verify, update, restart, recover.
load helpers
load attest
load coordinator

setup() {
	make_deployment
	mkdir policies
	for name in coordinator web db; do cp $name.policy "policies/$(hash_of $name.policy).rego"; done
	trust=(--no-cache --collateral "$m" "$(root "$m")")
}

# set_by STATUS MANIFEST [OPTION...]
set_by() {
	run "-$1" --separate-stderr ctr-manifest set --errors=json "${trust[@]}" --coordinator "$api" --policies policies "${@:3}" <"$2"
}

# joins STATUS POLICY DIR [OPTION...]: with the Initializer
joins() {
	run "-$1" --separate-stderr ctr-initializer --errors=json --coordinator "$api" --platform "$(machine "$2")" --output "$3" "${@:4}"
}

@test "set, join, verify; update by its owner; restart and recover: secrets and root stay" {
	starts
	set_by 0 manifest.json --seed-shares-out shares.json
	verifies 0 manifest.json --output one
	joins 0 web.policy web
	openssl verify -x509_strict -CAfile one/coordinator-root-ca.pem -untrusted web/tls-config/certChain.pem web/tls-config/certChain.pem
	openssl verify -x509_strict -CAfile one/mesh-ca.pem web/tls-config/certChain.pem
	cmp web/tls-config/coordinator-root-ca.pem one/coordinator-root-ca.pem
	cp web/secrets/workload-secret-seed secret
	permit '.Policies |= map_values(.SANs += ["second"])' >second.json
	set_by 1 second.json --workload-owner-key other.pem
	set_by 0 second.json --workload-owner-key owner.pem
	verifies 0 second.json --output two
	cmp one/coordinator-root-ca.pem two/coordinator-root-ca.pem
	run ! cmp one/mesh-ca.pem two/mesh-ca.pem

	stops
	starts
	asks 412 "$probes/probe/readiness"
	asks 200 "$probes/probe/liveness"
	pod 1 web.policy
	[[ $stderr == *needs_recovery* ]]
	sets 412 second.json "$none"
	refused needs_recovery
	verifies 1 second.json
	recovers 0 second.json
	verifies 0 second.json --coordinator-root-ca one/coordinator-root-ca.pem
	asks 200 "$probes/probe/readiness"
	recovers 1 second.json
	[[ $stderr == *already_recovered* || $stderr == *coordinator.* ]]
	verifies 0 second.json --output three
	cmp one/coordinator-root-ca.pem three/coordinator-root-ca.pem
	joins 0 web.policy again
	cmp secret again/secrets/workload-secret-seed
	# and it goes on from there
	permit '.Policies |= map_values(.SANs += ["third"])' >third.json
	set_by 0 third.json --workload-owner-key owner.pem
	verifies 0 third.json
}

@test "lesson: a recovering Coordinator authenticates the seed, and who sends it" {
	starts
	set_by 0 manifest.json --seed-shares-out shares.json
	stops
	starts
	# another deployment's seed: its shares open, but it did not sign this history
	cp shares.json own.json
	head -c 64 /dev/urandom >seed
	jq --rawfile s <(openssl pkeyutl -encrypt -inkey share.pem -pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:sha256 \
		-pkeyopt rsa_mgf1_md:sha256 -pkeyopt rsa_oaep_label:"$(printf seedshare | xxd -p)" -in seed | base64 -w0) \
		'.SeedShares[0].EncryptedSeed = $s' own.json >shares.json
	recovers 1 manifest.json
	[ "$(jq -r .id <<<"$(logged coord.seed)")" = coord.seed ]
	# the right seed from somebody who is no seed share owner
	cp own.json shares.json
	asks 412 "$probes/probe/readiness"
	recovers 0 manifest.json
}

@test "a store that was changed, cut, emptied or set back is refused or told" {
	starts
	set_by 0 manifest.json --seed-shares-out shares.json
	cp -r store first
	verifies 0 manifest.json --output known
	cp known/coordinator-root-ca.pem known.pem
	permit '.Policies |= map_values(.SANs += ["second"])' >second.json
	set_by 0 second.json --workload-owner-key owner.pem

	# set back while it runs: the next update notices, what is served stays
	cp first/transitions/latest store/transitions/latest
	permit '.Policies |= map_values(.SANs += ["third"])' >third.json
	set_by 4 third.json --workload-owner-key owner.pem
	[ "$(jq -r .id <<<"$(logged history.rollback)")" = history.rollback ]
	verifies 0 second.json
	stops

	# not signed by this seed, or not what the hashes say
	for broken in cut changed blob policies huge gone; do
		want=4
		rm -rf store
		cp -r first store
		case $broken in
		cut) want=1 && truncate -s -1 store/transitions/latest ;;
		changed) want=1 && flip store/transitions/latest 20 ;;
		blob) flip "$(echo store/manifests/*)" 5 ;;
		policies) flip "$(echo store/policies/*)" 30 ;;
		huge) truncate -s 3G "$(echo store/policies/*)" ;;
		gone) rm "$(echo store/policies/*)" ;;
		esac
		starts
		recovers "$want" manifest.json
		asks 412 "$probes/probe/readiness"
		posts 200 /v1/attest '{"nonce":"'"$(printf '%032d' 0 | base64 -w0)"'"}'
		jq -e 'has("manifests") | not' reply
		stops
	done

	# emptied: a new deployment, which clients who know their root CA tell from theirs
	rm -rf store
	starts
	set_by 0 manifest.json --seed-shares-out other-shares.json
	verifies 0 manifest.json --output out
	verifies 1 manifest.json --coordinator-root-ca known.pem
	[ "$(failed)" = coordinator.root_ca.pinned ]
	stops
}

# dies_at CALL N: the update to second.json, with the Coordinator killed at the n-th such call of a thread; fails when it
# got through. strace counts each call by itself.
dies_at() {
	local code tracer
	rm -rf store
	cp -r start store
	starts
	recovers 0 manifest.json
	strace -f -qq -p "$pid" -o trace -e signal=none -e "trace=$1" -e "inject=$1:signal=KILL:when=$2" 3>&- &
	tracer=$!
	attached
	code=$(curl -s -o reply -w '%{http_code}' -H 'Content-Type: application/json' --data-binary @request "$api/v1/manifest") || true
	if [ "$code" = 200 ]; then
		kill "$tracer"
		wait "$tracer" || true
		stops
		return 1
	fi
	wait "$pid" || true
	wait "$tracer" || true
	pid=
}

@test "killed at any system call that changes something, the store has the old manifest or the new one" {
	starts
	set_by 0 manifest.json --seed-shares-out shares.json
	stops
	permit '.Policies |= map_values(.SANs += ["second"])' >second.json
	manifest_request second.json "$(next manifest.json "$none")" owner.pem >request
	cp -r store start
	died=()
	for call in openat write fsync syncfs renameat linkat unlinkat; do
		for ((n = 1; n < 100; n++)); do
			dies_at "$call" "$n" || break
			died+=("$call")
			starts
			# exactly one of the two is what it can be recovered to
			recovers 0 manifest.json || true
			if [ "$status" -eq 0 ]; then verifies 0 manifest.json; else verifies 0 second.json; fi
			stops
		done
		[ "$n" -lt 100 ]
		# each of them has its part in an update
		[[ " ${died[*]} " == *" $call "* ]] || fail "no $call: ${died[*]}"
	done
}

@test "a full disk: the update is not taken, what was active is served, and it works when there is room" {
	starts
	sets 200 manifest.json "$none"
	t=$(next manifest.json "$none")
	permit ".Policies[\"$(hash_of stranger.policy)\"] = {SANs: [\"new\"], WorkloadSecretID: \"\"}" >second.json
	strace -f -qq -p "$pid" -o trace -e signal=none -P "$PWD/store/policies/$(next second.json "$t")" -e trace=write \
		-e inject=write:error=ENOSPC 3>&- &
	tracer=$!
	attached
	export policies="coordinator web db stranger"
	sets 500 second.json "$t" owner.pem
	refused internal
	grep -q ENOSPC trace
	[ "$(jq -r .id <<<"$(logged store.write)")" = store.write ]
	verifies 0 manifest.json
	pod 1 stranger.policy
	pod 0 web.policy
	kill "$tracer"
	wait "$tracer" || true
	sets 200 second.json "$t" owner.pem
	verifies 0 second.json
	pod 0 stranger.policy
}
