#!/usr/bin/env bats
# ctr-coordinatord as its clients meet it: states, manifests, pods.
load helpers
load attest
load coordinator

nonce=$(printf '{"nonce":"%s"}' "$(printf '%032d' 0 | base64 -w0)")

# verifies STATUS MANIFEST [OPTION...]: as a data owner does
verifies() {
	run "-$1" --separate-stderr ctr-attest-verify --errors=json --no-cache --collateral "$m" "$(root "$m")" --manifest "$2" \
		--coordinator "$api" "${@:3}"
}

@test "before a manifest it attests itself, and gives nothing away" {
	starts
	asks 200 "$api/capabilities"
	that '.api_versions == ["v1"]'
	posts 200 /v1/attest "$nonce"
	that 'keys == ["evidence", "hpke_pub_key", "version"] and .version == "v1"'
	pod 1 web.policy
	[[ $stderr == *no_manifest* ]]
	asks 200 "$probes/probe/startup"
	asks 200 "$probes/probe/liveness"
	asks 412 "$probes/probe/readiness"
	posts 412 /v1/recover '{"nonce":"'"$(printf '%032d' 0 | base64 -w0)"'","ciphertext":"AAAA","signature":"AAAA"}'
	refused no_manifest
	stops
}

@test "a manifest is set, and then a data owner verifies the deployment" {
	starts
	sets 200 manifest.json "$none"
	that '(.transition_hash | @base64d | length) > 0 and .root_ca and .mesh_ca and .seed_shares_doc'
	[ "$(jq -r .transition_hash reply | base64 -d | xxd -p -c64)" = "$(next manifest.json "$none")" ]
	jq -r .root_ca reply | base64 -d >root.pem
	jq -r .mesh_ca reply | base64 -d >mesh.pem
	verifies 0 manifest.json --output out
	cmp root.pem out/coordinator-root-ca.pem
	cmp mesh.pem out/mesh-ca.pem
	cmp web.policy "out/policies/$(hash_of web.policy)"
	asks 200 "$probes/probe/readiness"
	permit '.Policies |= map_values(.SANs = ["x"])' >other.json
	verifies 1 other.json
	[ "$(failed)" = coordinator.manifest ]
}

@test "a pod that the manifest permits gets a certificate with the manifest's names, and its secret" {
	starts
	sets 200 manifest.json "$none"
	jq -r .root_ca reply | base64 -d >root.pem
	jq -r .mesh_ca reply | base64 -d >mesh.pem
	pod 0 web.policy
	jq -r .cert_chain reply | base64 -d >chain.pem
	openssl verify -x509_strict -CAfile mesh.pem -purpose sslserver chain.pem
	openssl verify -x509_strict -CAfile root.pem -untrusted chain.pem -purpose sslclient chain.pem
	openssl x509 -in chain.pem -noout -ext subjectAltName >names
	grep -F 'DNS:web, DNS:*, IP Address:10.0.0.1' names
	pod 0 web.policy --open
	[[ $output =~ ^[0-9a-f]{128}$ ]]
	secret=$output
	pod 0 web.policy --open
	[ "$output" = "$secret" ]
	pod 0 db.policy --open
	[ "$output" != "$secret" ]
	# a policy without a secret ID
	pod 0 coordinator.policy
	jq -e 'has("sealed_secret") | not' reply
	asks 200 "$probes/metrics"
	grep -x 'ctr_certificates_issued_total 5' reply
	grep -x 'ctr_manifest_generation 1' reply
}

@test "the figures are as Prometheus reads them" {
	starts
	sets 200 manifest.json "$none"
	pod 1 stranger.policy
	asks 200 "$probes/metrics"
	promtool check metrics <reply
	grep -F 'ctr_attestation_failures_total{check="policy.known"} 1' reply || grep ctr_attestation_failures_total reply
	grep -F 'ctr_http_requests_total{route="/v1/mesh/cert",status="403"} 1' reply
}

@test "a pod whose policy is not in the manifest is refused, and the log says why" {
	starts
	sets 200 manifest.json "$none"
	pod 1 stranger.policy
	refused attestation_failed
	logged attestation.refused >event
	jq -e --arg h "$(hash_of stranger.policy)" '.policy_hash == $h and .authenticated and (.request | length > 0) and
		([.failed[].name] | length > 0)' event
	# the client is told which check, and the request's id, but not what was found
	grep -qF "$(jq -r .request event)" reply
	run ! grep -qF "$(hash_of stranger.policy)" reply
}

@test "each attack on a join is refused for its own reason" {
	starts
	sets 200 manifest.json "$none"
	# replayed evidence: the same nonce twice, another's, an old one, one of nobody
	pod 0 web.policy --save saved
	pod 1 web.policy --send saved
	refused permission_denied
	[[ $output == *"used before"* ]]
	pod 1 web.policy --bind "$(printf '%064d' 7)"
	refused invalid_signature
	pod 1 web.policy --nonce "$(printf '%064d' 7)"
	refused permission_denied
	[[ $output == *"not one of mine"* ]]
	# evidence for another key, swapped keys
	pod 1 web.policy --lie key
	refused attestation_failed
	[[ $output == *snp.report_data* ]]
	pod 1 web.policy --lie kem
	refused invalid_signature
	pod 1 web.policy --lie kem-signed
	refused attestation_failed
	[[ $output == *snp.report_data* ]]
	pod 1 web.policy --lie signature
	jq -e '.code == "invalid_signature" or .code == "invalid_argument"' reply
	# other machines
	fields=vmpl=1 pod 1 web.policy
	refused attestation_failed
	[[ $output == *vmpl* ]]
	fields=policy=0xb0000 pod 1 web.policy
	refused attestation_failed
	[[ $output == *debug* ]]
	fields=measurement=00 pod 1 web.policy
	refused attestation_failed
	[[ $output == *measurement* ]]
}

@test "only an owner of the active manifest changes it" {
	starts
	sets 200 manifest.json "$none"
	t1=$(next manifest.json "$none")
	permit '.Policies |= map_values(.SANs += ["second"])' >second.json
	sets 403 second.json "$t1"
	refused permission_denied
	sets 403 second.json "$t1" other.pem
	refused invalid_signature
	# signed for the first transition, not for this one
	sets 403 second.json "$none" owner.pem
	refused invalid_signature
	# the owner hands over: then the old one is a stranger
	jq --arg d "$(owner_digest other.pem)" '.WorkloadOwnerKeyDigests = [$d]' manifest.json >handed.json
	sets 200 handed.json "$t1" owner.pem
	t2=$(next handed.json "$t1")
	sets 403 second.json "$t2" owner.pem
	refused invalid_signature
	sets 200 second.json "$t2" other.pem
	verifies 0 second.json
	that '.verdict == "accepted"'
	# certificates are of the new mesh CA
	jq -r .mesh_ca reply | base64 -d >mesh.pem
	pod 0 web.policy
	jq -r .cert_chain reply | base64 -d >chain.pem
	openssl verify -x509_strict -CAfile mesh.pem chain.pem
	openssl x509 -in chain.pem -noout -ext subjectAltName | grep -F DNS:second
}

@test "seed share owners cannot be changed, policies must be those that are named, a final manifest stays" {
	starts
	sets 200 manifest.json "$none"
	t1=$(next manifest.json "$none")
	jq '.SeedshareOwnerPubKeys = []' manifest.json >fewer.json
	sets 400 fewer.json "$t1" owner.pem
	refused invalid_argument
	[[ $output == *"seed share owners"* ]]
	permit '.Policies |= map_values(.SANs += ["second"])' >second.json
	policies="coordinator web" sets 400 second.json "$t1" owner.pem
	refused invalid_argument
	policies="coordinator web stranger" sets 400 second.json "$t1" owner.pem
	refused invalid_argument
	policies="coordinator web web db" sets 400 second.json "$t1" owner.pem
	refused invalid_argument
	# nothing of these tries is served
	verifies 0 manifest.json
	jq '.WorkloadOwnerKeyDigests = []' manifest.json >final.json
	sets 200 final.json "$t1" owner.pem
	sets 403 second.json "$(next final.json "$t1")" owner.pem
	refused permission_denied
}

@test "the first manifest needs the owner that the command line names" {
	openssl pkey -in owner.pem -pubout -out owner.pub
	starts --initial-owner-key owner.pub
	sets 403 manifest.json "$none"
	refused permission_denied
	sets 403 manifest.json "$none" other.pem
	refused invalid_signature
	sets 200 manifest.json "$none" owner.pem
}

@test "of two updates at once exactly one wins" {
	starts
	sets 200 manifest.json "$none"
	t=$(next manifest.json "$none")
	for i in 1 2 3 4 5 6; do
		permit ".Policies |= map_values(.SANs += [\"n$i\"])" >m$i.json
		manifest_request m$i.json "$t" owner.pem >r$i
	done
	pids=()
	for i in 1 2 3 4 5 6; do
		curl -s -o reply$i -w '%{http_code}\n' -H 'Content-Type: application/json' --data-binary @r$i "$api/v1/manifest" >code$i &
		pids+=($!)
	done
	wait "${pids[@]}"
	[ "$(cat code? | grep -c 200)" = 1 ] || fail "$(cat code?)"
	# the others came too late, or signed what is no longer the next transition
	[ "$(cat code? | grep -cE '409|403')" = 5 ] || fail "$(cat code? reply?)"
	asks 200 "$probes/metrics"
	grep -x 'ctr_manifest_generation 2' reply
}

@test "what is not a request of this interface is refused" {
	starts
	asks 404 "$api/v1/nothing"
	asks 405 "$api/v1/attest"
	asks 415 -H 'Content-Type: text/plain' -d "$nonce" "$api/v1/attest"
	posts 400 /v1/attest '{'
	refused invalid_argument
	posts 400 /v1/attest '{"nonce":"AAAA"}'
	posts 400 /v1/attest '{"nonce":"'"$(printf '%032d' 0 | base64 -w0)"'","more":1}'
	[[ $output == *more* ]]
	posts 400 /v1/attest '{"nonce":"'"$(printf '%032d' 0 | base64 -w0)"'","nonce":"x"}'
	posts 400 /v1/attest "$(printf '[%.0s' {1..100})"
	head -c 70000 /dev/zero | posts 413 /v1/attest
	posts 400 /v1/manifest '{"manifest":"e30=","policies":"x"}'
	posts 400 /v1/manifest '{"manifest":"bm8=","policies":[]}'
	head -c 17000000 /dev/zero | posts 413 /v1/manifest
	kill -0 "$pid"
}

@test "the log as text: sentences for people, and one object for each refusal" {
	starts --log text
	sets 200 manifest.json "$none"
	pod 1 stranger.policy
	grep -qE '^ctr-coordinatord: manifest 1 is active, .* \(manifest.set, request [0-9a-f-]+\)$' log
	grep -qE '^ctr-coordinatord: the evidence was refused: .* \(coord.evidence, request ' log
	[ "$(grep '^{' log | jq -r .id)" = attestation.refused ]
}

@test "the examples of the page run" {
	local i
	ln -s "$BUILD" build
	examples ctr-coordinatord.8 >commands
	[ "$(wc -l <commands)" = 6 ]
	sed -i /var/d commands # as root, with the hardware
	# the same with other ports, those of the log; what stays is left running
	cat >around <<-'EOF'
		ctr-coordinatord() {
			command ctr-coordinatord "$@" --listen 127.0.0.1:0 --listen-probes 127.0.0.1:0 --listen-transit 127.0.0.1:0 \
				--no-cache ${SAN:+--insecure-no-sandbox} >/dev/null 2>log 3>&- &
			echo $! >daemon
			for ((i = 0; i < 1000; i++)); do ! grep -qs listening log || break; sleep 0.01; done
			port=$(sed -n 's/.*probes \([0-9]*\),.*/\1/p' log)
		}
		kubectl() { cat log && echo '{"id":"attestation.refused","policy_hash":"00"}'; }
	EOF
	# shellcheck disable=SC2016 # for the other shell
	sed -i 's,http://localhost:9102,http://127.0.0.1:$port,' commands
	run bash -euo pipefail <(cat around commands)
	pid=$(cat daemon)
	[ "$status" -eq 0 ] || fail "$output" "$(<log)"
	[[ $output == *no_manifest*ctr_manifest_generation\ 0*policy_hash* ]] || fail "$output"
}
