#!/usr/bin/env bats
# A Coordinator that restarted takes over the state of another one: --peer. A runs over ./store, B over ./b.
load helpers
load attest
load coordinator

setup() {
	make_deployment
	permit '.Policies |= map_values(.SANs += ["second"])' >second.json
	# shellcheck disable=SC2034 # what recovers and verifies take
	trust=(--no-cache --collateral "$m" "$(root "$m")")
	started=()
}

teardown() {
	[ ${#started[@]} -eq 0 ] || kill -KILL "${started[@]}" 2>/dev/null || true
}

# first [OPTION...]: A, which waits for a manifest, at $a
first() {
	starts "$@"
	started+=("$pid")
	a=$api a_pid=$pid
}

# deploys: manifest.json is set on A, whose store is copied to b; its seed shares are in shares.json
deploys() {
	sets 200 manifest.json "$none"
	jq -r .seed_shares_doc reply | base64 -d >shares.json
	cp -r store b
}

# second [OPTION...]: B starts, at $api
second() {
	store=b log=b.log
	starts "$@"
	started+=("$pid")
}

ready() { curl -sf -o /dev/null "$probes/probe/readiness"; }
waiting() { run ! ready; }

# said ID [URL]: B's log has it, of that peer
said() { grep -F "\"id\":\"$1\"" b.log | grep -F -e "${2-}"; }

# attested URL: what a Coordinator says of itself, without what differs each time
attested() {
	asks 200 -H 'Content-Type: application/json' -d '{"nonce":"'"$(printf '%032d' 0 | base64 -w0)"'"}' "$1/v1/attest"
	jq -S 'del(.evidence, .hpke_pub_key)' reply
}

# gives_away FILE: A's state, to one who may have it
gives_away() {
	api=$a pod 0 coordinator.policy --path /v1/mesh/recover --open
	xxd -r -p <<<"$output" >"$1"
}

# fakes [OPTION...]: at $fake, one with A's state who is a Coordinator to the hardware, and lies
fakes() {
	gives_away state.json
	"$BUILD/sim/peerd" --platform "$(machine coordinator.policy)" --state state.json >fakes 2>&1 3>&- &
	started+=("$!")
	eventually grep PORT fakes
	fake=http://127.0.0.1:$(sed -n 's/^PORT=//p' fakes)
}

@test "takes over: the same root CA, mesh CA, secrets; both certify pods for each other" {
	first
	deploys
	sets 200 second.json "$(next manifest.json "$none")" owner.pem
	rm -rf b
	cp -r store b
	attested "$a" >one
	pod 0 web.policy --open
	secret=$output
	pod 0 web.policy
	jq -r .cert_chain reply | base64 -d >a-chain.pem
	jq -r .mesh_ca reply | base64 -d >a-mesh.pem

	second --peer "$a/"
	eventually ready
	said recovered "$a"
	attested "$api" >two
	jq -e '.manifests | length == 2' two
	cmp one two
	verifies 0 second.json
	pod 0 web.policy --open
	[ "$output" = "$secret" ]
	pod 0 web.policy
	jq -r .cert_chain reply | base64 -d >b-chain.pem
	jq -r .mesh_ca reply | base64 -d >b-mesh.pem
	cmp a-mesh.pem b-mesh.pem
	openssl verify -x509_strict -CAfile a-mesh.pem b-chain.pem
	openssl verify -x509_strict -CAfile b-mesh.pem a-chain.pem

	# it goes on from there, and gives its state to others
	permit '.Policies |= map_values(.SANs += ["third"])' >third.json
	sets 200 third.json "$(next second.json "$(next manifest.json "$none")")" owner.pem
	pod 0 coordinator.policy --path /v1/mesh/recover --open
}

@test "no secret is in a log, or in what was stored" {
	first
	deploys
	gives_away state.json
	api=$a pod 0 web.policy --open
	echo "$output" >>canaries
	second --peer "$a"
	eventually ready
	for key in seed salt mesh_key; do
		jq -r ".$key" state.json
		jq -r ".$key" state.json | base64 -d | xxd -p | tr -d '\n'
		echo
	done >>canaries
	[ "$(wc -l <canaries)" -eq 7 ]
	grep -rF -f canaries log b.log b store && fail "a secret"
	grep -rF 'PRIVATE KEY' log b.log b store && fail "a key"
	true
}

@test "a peer that comes up later is found" {
	first
	deploys
	ends "$a_pid"
	second --peer "$a"
	eventually said http.connect "$a"
	waiting
	# A waits too: it has nothing to give; then its seed share owner comes
	(
		# shellcheck disable=SC2034 # what starts takes
		log=log store=store
		first --listen "${a#http://}"
		echo "$a_pid" >a.pid
	)
	started+=("$(cat a.pid)")
	eventually said coordinator.refused "$a"
	api=$a recovers 0 manifest.json
	kill -HUP "$pid"
	eventually ready
	said recovered "$a"
}

@test "lesson: CVE-2026-109359, histories are compared: a store that is behind waits" {
	first
	deploys
	sets 200 second.json "$(next manifest.json "$none")" owner.pem
	second --peer "$a"
	eventually said peer.newer "$a"
	waiting
	pod 1 web.policy
	[[ $stderr == *needs_recovery* ]]
	# the rest of it arrives
	cp -r store/. b
	kill -HUP "$pid"
	eventually ready
	verifies 0 second.json
}

@test "lesson: CVE-2026-109359, histories are compared: a peer that was set back, or went another way" {
	first
	deploys
	cp -r store old
	sets 200 second.json "$(next manifest.json "$none")" owner.pem
	rm -rf b
	cp -r store b
	ends "$a_pid"
	rm -rf store
	mv old store
	first
	recovers 0 manifest.json
	second --peer "$a"
	eventually said peer.older "$a"
	waiting
	# as long, and another
	permit '.Policies |= map_values(.SANs += ["other"])' >fork.json
	api=$a sets 200 fork.json "$(next manifest.json "$none")" owner.pem
	kill -HUP "$pid"
	eventually said peer.transition "$a"
	waiting
}

@test "a peer whose store was changed under it hands out nothing" {
	first
	deploys
	sets 200 second.json "$(next manifest.json "$none")" owner.pem
	cp b/transitions/latest store/transitions/latest
	second --peer "$a"
	eventually said coordinator.refused "$a"
	logged_a=$(grep history.rollback log)
	[[ $logged_a == */v1/mesh/recover* ]]
	waiting
}

@test "a peer that the manifest does not know, or that is no Coordinator by it, is refused" {
	for own in stranger.policy web.policy; do
		rm -rf store b b.log log
		unset log store
		first
		deploys
		own=coordinator.policy second --peer "$a"
		eventually said coord.evidence "$a"
		case $own in
		stranger.policy) said coord.evidence policy.listed ;;
		*) said coord.evidence policy.role ;;
		esac
		waiting
	done
}

@test "one that is no Coordinator by the peer's manifest gets nothing" {
	first
	deploys
	own=web.policy second --peer "$a"
	eventually said coordinator.refused "$a"
	said coordinator.refused attestation_failed
	waiting
	jq -es 'any(.[]; .id == "attestation.refused" and any(.failed[]; .name == "policy.role"))' log
}

@test "lesson: a seed from elsewhere is not authenticated: a peer with its own seed and the same manifest" {
	first
	deploys
	ends "$a_pid"
	rm -rf store
	first
	sets 200 manifest.json "$none"
	second --peer "$a"
	eventually said coord.seed "$a"
	waiting
}

@test "each lie of a peer is refused for its own reason, and the honest one is found behind them" {
	first
	deploys
	fakes
	declare -A why=([replay]=coord.evidence [relay]=coord.evidence [newer]=peer.newer [older]=peer.older [fork]=peer.transition
		[seed]=coord.seed [salt]=coord.seed [meshkey]=ca.mesh [meshca]=ca.mesh [otherkey]=hpke.open [purpose]=hpke.open
		[nostate]=json.syntax [cut]=json.syntax [large]=http.large [waits]=coordinator.refused)
	peers=()
	for how in "${!why[@]}"; do peers+=(--peer "$fake/$how"); done
	second "${peers[@]}"
	for how in "${!why[@]}"; do eventually said "${why[$how]}" "$fake/$how"; done
	for how in replay relay; do said coord.evidence "$fake/$how" | grep snp.report_data; done
	waiting
	ends "$pid"
	second --peer "$fake/garbage" --peer "$fake/noevidence" --peer http://127.0.0.1:1 --peer http://peer.invalid --peer "$fake/ok"
	eventually ready
	said join.challenge "$fake/garbage"
	said evidence.cbor "$fake/noevidence" || fail "$(cat b.log)"
	said http.connect http://127.0.0.1:1
	said http.connect http://peer.invalid
	said recovered "$fake/ok"
}

@test "a slow peer costs its time, not the service, and not the end" {
	first
	deploys
	fakes
	second --timeout 2 --peer "$fake/slow" --peer "$fake/slower"
	asks 200 "$probes/probe/liveness"
	attested "$api" >two
	jq -e 'has("manifests") | not' two
	eventually said http.timeout "$fake/slow"
	eventually said http.timeout "$fake/slower"
	waiting
	ends "$pid"
	second --peer "$fake/slow"
	sleep 0.5
	begin=$SECONDS
	ends "$pid"
	[ $((SECONDS - begin)) -le 5 ]
	second --timeout 2 --peer "$fake/slow" --peer "$a"
	eventually ready
}

@test "lesson: user recovery gives another mesh CA: refused while a peer serves, unless it is forced" {
	first
	deploys
	sets 200 second.json "$(next manifest.json "$none")" owner.pem
	jq -r .mesh_ca reply | base64 -d >a-mesh.pem
	second --peer http://127.0.0.1:1 --peer "$a" # ahead of b
	eventually said peer.newer
	recovers 1 manifest.json
	[[ $stderr == *already_recovered* ]]
	said coord.peer
	waiting
	# a wrong seed is told before any peer is asked
	cp shares.json own.json
	jq --arg s "$(head -c 64 /dev/urandom | openssl pkeyutl -encrypt -inkey share.pem -pkeyopt rsa_padding_mode:oaep \
		-pkeyopt rsa_oaep_md:sha256 -pkeyopt rsa_mgf1_md:sha256 -pkeyopt rsa_oaep_label:"$(printf seedshare | xxd -p)" | base64 -w0)" \
		'.SeedShares[0].EncryptedSeed = $s' own.json >shares.json
	recovers 1 manifest.json
	said coord.seed
	cp own.json shares.json
	recovers 0 manifest.json --force
	ready
	verifies 0 manifest.json --output out
	run ! cmp a-mesh.pem out/mesh-ca.pem
}

@test "user recovery: peers that are silent, or wait too, do not hold it up" {
	first
	deploys
	fakes
	second --peer "$fake/slow" --peer http://127.0.0.1:1 --peer "$fake/waits"
	begin=$SECONDS
	recovers 0 manifest.json
	[ $((SECONDS - begin)) -le 12 ]
	ready
	said recovered "seed share owner"
}

@test "the option: a URL, at most sixteen, and no owner of the first manifest" {
	command=(ctr-coordinatord --errors=json --platform "$(machine coordinator.policy)" --store "dir:$PWD/b")
	refuses 2 http.url "${command[@]}" --peer ftp://peer
	refuses 2 http.url "${command[@]}" --peer http://user@peer
	# a made up deployment would pass by the owner
	openssl pkey -in owner.pem -pubout -out owner.pub
	refuses 2 usage "${command[@]}" --initial-owner-key owner.pub --peer http://peer
	[[ $stderr == *"first manifest"* ]]
	many=()
	for i in {1..17}; do many+=(--peer "http://peer$i"); done
	refuses 2 usage "${command[@]}" "${many[@]}"
}
