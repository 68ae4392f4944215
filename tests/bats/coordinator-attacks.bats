#!/usr/bin/env bats
# Attacks on ctr-coordinatord, each refused for its own reason. Others of their kind are elsewhere: replays and lies of a pod,
# and manifests by those who may not, in coordinatord.bats; old nonces in test_nonces.c; a man in the middle with his own root CA,
# and histories that were rolled back or reordered, in attest-coordinator.bats, manifest-coordinator.bats and initializer.bats.
load helpers
load attest
load coordinator

setup() {
	make_deployment
	hangers=()
	zero=$(printf '%032d' 0 | base64 -w0)
}

teardown() {
	[ -z "$pid" ] || kill -KILL "$pid"
	[ ${#hangers[@]} -eq 0 ] || kill "${hangers[@]}"
}

# refused_for CHECK: the last pod's evidence, by that check first; it is what the log has, and what is counted.
refused_for() {
	refused attestation_failed
	[[ $output == *"refused: $1 "* ]] || fail "expected $1: $output"
	jq -e --arg c "$1" '.failed[0].name == $c' <<<"$(logged attestation.refused)" >/dev/null || fail "$(logged attestation.refused)"
	curl -s "$probes/metrics" | grep -qF "ctr_attestation_failures_total{check=\"$1\"}"
	jq -e 'has("sealed_secret") or has("cert_chain") | not' reply
}

@test "the report of a permitted pod is no good for another's secret" {
	starts
	sets 200 manifest.json "$none"
	pod 0 web.policy --open
	secret=$output
	pod 0 db.policy --save saved
	# as it was, with another key to seal to, with a wish in it
	pod 1 web.policy --send saved
	[[ $output == *"used before"* ]]
	pod 1 db.policy --lie kem-signed
	refused_for snp.report_data
	sed -i "1!s/^{/{\"workload_secret_id\":\"apps\/v1\/Deployment\/ns\/web\",/" saved
	pod 1 db.policy --send saved
	refused invalid_argument
	[[ $output == *workload_secret_id* ]]
	# a name that is asked for by its address, or in the head, changes nothing
	pod 0 db.policy --open
	[ "$output" != "$secret" ]
}

@test "firmware older than the manifest's minimum is refused" {
	starts
	permit '.ReferenceValues.snp[0].MinimumTCB.SNPVersion = 255' >strict.json
	sets 200 strict.json "$none"
	pod 1 web.policy
	refused_for snp.reported_tcb
}

@test "a machine whose chain is revoked is refused" {
	chain milan --revoked=ask
	m=$dir
	starts
	sets 200 manifest.json "$none"
	pod 1 web.policy
	refused_for snp.crl.revoked
}

@test "a chip whose own key is revoked is refused" {
	machine() { echo "sim:$m,mrconfigid=$(hash_of "$1")"; }
	m=$CHAINS/tdx
	permit ".ReferenceValues = {tdx: [$(jq --arg zero "$(printf '%096d' 0)" \
		'{MrTd: .mrtd, MrSeam: .mrseam, Rtmrs: [.rtmr0, .rtmr1, .rtmr2, $zero], Xfam: "e702060000000000"}' "$m/tdx.json")]}" >tdx.json
	starts
	sets 200 tdx.json "$none"
	pod 0 web.policy
	stops
	chain tdx --revoked=pck
	m=$dir
	rm -rf store
	starts
	sets 200 tdx.json "$none"
	pod 1 web.policy
	refused_for tdx.revoked.pck
}

@test "a test's root is trusted by its option alone" {
	root() { echo --crl=required; }
	starts
	sets 200 manifest.json "$none"
	pod 1 web.policy
	refused_for snp.chain.root
}

@test "a guest that may migrate, or another product, is refused" {
	starts
	sets 200 manifest.json "$none"
	fields=policy=0x70000 pod 1 web.policy
	refused_for snp.policy.migrate_ma
	permit '.ReferenceValues.snp[0].ProductName = "Genoa"' >genoa.json
	sets 200 genoa.json "$(next manifest.json "$none")" owner.pem
	pod 1 web.policy
	refused_for snp.product
}

@test "a policy of role coordinator gives no pod of another policy that role" {
	starts
	sets 200 manifest.json "$none"
	pod 1 web.policy --path /v1/mesh/recover
	refused_for policy.role
}

@test "oversized, deeply nested, doubled and unknown: each for its own reason, and nothing is kept" {
	starts
	deep=$(printf '[%.0s' {1..5000})
	for route in attest manifest recover; do
		posts 400 /v1/$route "{\"nonce\":$deep"
		refused invalid_argument
		[[ $output == *deep* || $output == *nest* || $output == *level* ]] || fail "$output"
		posts 400 /v1/$route '{"nonce":"a","nonce":"a"}'
		[[ $output == *twice* || $output == *duplicate* || $output == *second* ]] || fail "$output"
		posts 400 /v1/$route '{"other":1}'
		[[ $output == *other* ]]
		posts 400 /v1/$route $'{"nonce":"\xc3\x28"}'
		posts 400 /v1/$route '"nonce"'
		posts 400 /v1/$route '{"nonce":"'"$zero"'"} {}'
		posts 400 /v1/$route ''
	done
	for route in attest recover mesh/cert mesh/recover; do
		head -c 65537 /dev/zero | posts 413 /v1/$route
		refused invalid_argument
	done
	head -c 16777217 /dev/zero | posts 413 /v1/manifest
	asks 413 --data-binary @/dev/null -H 'Content-Length: 99999999999' -H 'Content-Type: application/json' "$api/v1/manifest"
	asks 431 -H "X: $(head -c 20000 /dev/zero | tr '\0' x)" "$api/capabilities"
	# more signatures than anybody needs
	sets 200 manifest.json "$none"
	manifest_request manifest.json "$(next manifest.json "$none")" owner.pem |
		jq -c '.signatures = [range(65) as $i | .signatures[0]]' >many
	posts 400 /v1/manifest @many
	[[ $output == *"more than 64"* ]]
	# the log is JSON, line for line, whatever was sent
	jq -es 'length > 0' log >/dev/null
}

# hangs [OPTION...] PORT...: in the background until `released`; its first line is waited for
hangs() {
	rm -f hold
	mkfifo hold
	"$BUILD/sim/hang" "$@" <hold >hung 3>&- &
	hangers=($!)
	exec 8>hold
	for ((i = 0; i < 3000; i++)); do grep -q ready hung && return; sleep 0.01; done
	fail "$(cat hung)"
}

released() {
	exec 8>&-
	wait "${hangers[@]}"
	hangers=()
	output=$(tail -n 1 hung)
}

port() { echo "${1##*:}"; }

# still_serves: a pod joins, the probes answer, and at once
still_serves() {
	local begin=$EPOCHREALTIME
	pod 0 web.policy
	asks 200 -m 2 "$probes/probe/liveness"
	asks 200 -m 2 "$probes/probe/readiness"
	asks 200 -m 2 "$probes/metrics"
	(((${EPOCHREALTIME/./} - ${begin/./}) < 5000000)) || fail "from $begin to $EPOCHREALTIME"
}

# in KiB; sanitizers have their own idea of memory
resident() {
	if [ "${SAN-}${VALGRIND-}" ]; then
		echo 0
	else
		awk '/^VmRSS/ { print $2 }' "/proc/$pid/status"
	fi
}

@test "ten thousand idle connections: pods join, probes answer, memory is bounded" {
	starts
	sets 200 manifest.json "$none"
	pod 0 web.policy
	before=$(resident)
	hangs --count 9000 "$(port "$api")"
	still_serves
	[ "$(resident)" -lt 32768 ] || fail "$(resident) KiB"
	echo "# idle connections: 9000, resident $before KiB before, $(resident) KiB with them" >&3
	released
	that '.connections == 9000 and .ended == 0'
	ctr-initializer -q --coordinator "$api" --platform "$(machine web.policy)" --output web
	hangs --count 3400 "$(port "$api")" "$(port "$probes")" "$(port "$transit")"
	still_serves
	# with TLS there are 256: those who do not come to the point go, until it is everybody's turn
	asks 200 -m 60 --cacert web/tls-config/mesh-ca.pem --cert web/tls-config/certChain.pem --key web/tls-config/key.pem \
		--resolve "coordinator:$(port "$transit"):127.0.0.1" --data-binary '{"plaintext":"aGV5"}' \
		"https://coordinator:$(port "$transit")/v1/transit/encrypt/apps/v1/Deployment/ns/web"
	[ "$(resident)" -lt 65536 ] || fail "$(resident) KiB"
	echo "# 3400 on each port: resident $(resident) KiB" >&3
	released
	that '.connections == 10200 and .ended >= 3100 and .ended <= 3400'
	kill -0 "$pid"
}

@test "slow senders, on each port, are cut off, and others do not wait for them" {
	starts
	sets 200 manifest.json "$none"
	hangs --count 100 --send 'POST /v1/mesh/cert HTTP/1.1'$'\r\n''Host: x'$'\r\n' --drip 'x: y'$'\r\n' \
		"$(port "$api")" "$(port "$probes")" "$(port "$transit")"
	still_serves
	sleep 11
	still_serves
	released
	that '.connections == 300 and .ended == 300'
	# a body that comes byte by byte
	hangs --count 200 --send 'POST /v1/manifest HTTP/1.1'$'\r\n''Host: x'$'\r\n''Content-Type: application/json'$'\r\n''Content-Length: 16000000'$'\r\n\r\n' \
		--drip ' ' "$(port "$api")"
	still_serves
	# and a manifest can be set meanwhile
	permit '.Policies |= map_values(.SANs += ["second"])' >second.json
	sets 200 second.json "$(next manifest.json "$none")" owner.pem
	released
	[ "$(resident)" -lt 65536 ]
}

# raw BYTES: what the API's port answers to these, until it ends the connection or says nothing more for a second
raw() {
	exec 7<>"/dev/tcp/127.0.0.1/$(port "$api")"
	printf %s "$1" >&7
	timeout 1 cat <&7 >garbled || true
	exec 7>&-
}

@test "half-closed, garbage, and requests one behind the other" {
	starts
	sets 200 manifest.json "$none"
	# half closed after a request: it is answered; before one is whole: not
	hangs --count 20 --half --send 'GET /capabilities HTTP/1.1'$'\r\n''Host: x'$'\r\n\r\n' "$(port "$api")"
	sleep 0.5
	released
	that '.ended == 20 and .bytes > 20 * 100'
	hangs --count 20 --half --send 'POST /v1/attest HTTP/1.1'$'\r\n' "$(port "$api")"
	sleep 0.5
	released
	that '.ended == 20'
	hangs --count 20 --half "$(port "$api")" "$(port "$probes")"
	sleep 0.5
	released
	that '.ended == 40 and .bytes == 0'
	hangs --count 20 --half "$(port "$transit")"
	sleep 0.5
	released
	that '.ended == 20'
	# a request, then what is none: one answer, one refusal, the end
	one='GET /capabilities HTTP/1.1'$'\r\n''Host: x'$'\r\n\r\n'
	for garbage in $'\x16\x03\x01\x02' 'GET' $'\r\n\r\n\x01\x02' 'GET / HTTP/9.9'$'\r\n\r\n' "$(head -c 30000 /dev/urandom | base64 -w0)"; do
		raw "$one$garbage$one"
		[ "$(grep -c '^HTTP/1.1 200' garbled)" -le 2 ]
		grep -q api_versions garbled || fail "$(cat garbled)"
	done
	# smuggled: two lengths, a length and chunks, another's line ends
	body='{"nonce":"'$zero'"}'
	for head in "Content-Length: ${#body}"$'\r\n'"Content-Length: 5" "Content-Length: ${#body}"$'\r\n''Transfer-Encoding: chunked' \
		"Content-Length: +${#body}" "Content-Length : ${#body}" $'X: \x01\r\n'"Content-Length: ${#body}"; do
		raw 'POST /v1/attest HTTP/1.1'$'\r\n''Host: x'$'\r\n''Content-Type: application/json'$'\r\n'"$head"$'\r\n\r\n'"$body"
		grep -q '^HTTP/1.1 400' garbled || fail "$head: $(cat garbled)"
		[ "$(grep -c '^HTTP/1.1' garbled)" = 1 ]
	done
	# what is TLS for the plain ports, and plain for TLS
	run ! curl -sk -m 5 "https://${api#http://}/capabilities"
	run ! curl -s -m 5 "http://$transit/v1/transit/encrypt/x" -d '{}'
	still_serves
}
