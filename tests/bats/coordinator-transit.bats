#!/usr/bin/env bats
# The transit engine of ctr-coordinatord, as Vault, OpenBao and those who mean harm speak to it.
load helpers
load attest
load coordinator

setup() {
	make_deployment
	web=apps/v1/Deployment/ns/web db=apps/v1/Deployment/ns/db
}

# joins POLICY DIR: a pod's certificates
joins() {
	ctr-initializer -q --coordinator "$api" --platform "$(machine "$1")" --output "$2"
}

# A Coordinator with its first manifest, and a pod of each policy.
deployed() {
	local p
	starts
	sets 200 manifest.json "$none"
	for p in ${1-web db}; do joins "$p.policy" "$p"; done
}

# through STATUS POD VERB ID [JSON] [CURL-ARGUMENT...]: with the pod's certificate, to the name that the server is known by
through() {
	asks "$1" --cacert "$2/tls-config/mesh-ca.pem" --cert "$2/tls-config/certChain.pem" --key "$2/tls-config/key.pem" \
		--resolve "coordinator:${transit#*:}:127.0.0.1" --path-as-is --data-binary "${5-@-}" "${@:6}" \
		"https://coordinator:${transit#*:}/v1/transit/$3/$4"
}

# unreached [CURL-ARGUMENT...]: no answer at all: the handshake fails
unreached() {
	local status=0
	rm -f reply
	curl -s -o reply --resolve "coordinator:${transit#*:}:127.0.0.1" --data-binary '{"plaintext":"aGV5"}' "$@" \
		"https://coordinator:${transit#*:}/v1/transit/encrypt/$web" || status=$?
	# TLS failed while connecting, or with the first bytes that are sent or read
	[[ $status =~ ^(35|55|56)$ ]] || fail "status $status: $(cat reply)"
}

# errors TEXT: the last answer is as Vault's clients read errors
errors() {
	jq -e --arg t "$1" 'keys == ["errors"] and (.errors | length == 1) and (.errors[0] | contains($t))' reply >/dev/null ||
		fail "expected $1: $(cat reply)"
}

# encrypts POD ID TEXT [MORE]: the ciphertext in $ciphertext
encrypts() {
	through 200 "$1" encrypt "$2" "{\"plaintext\":\"$(printf %s "$3" | base64 -w0)\"${4-}}"
	ciphertext=$(jq -er .data.ciphertext reply)
}

# decrypts STATUS POD ID CIPHERTEXT [MORE]
decrypts() {
	through "$1" "$2" decrypt "$3" "{\"ciphertext\":\"$4\"${5-}}"
}

# opened TEXT: by the last answer
opened() {
	[ "$(jq -er .data.plaintext reply | base64 -d)" = "$1" ] || fail "$(cat reply)"
}

# many POD VERB ID: each line of standard input as a request, on few connections; "BODY STATUS" of each answer in ./replies
many() {
	local line args=() n=0
	while read -r line; do
		[ "$n" -eq 0 ] || args+=(--next)
		args+=(-s --cacert "$1/tls-config/mesh-ca.pem" --cert "$1/tls-config/certChain.pem" --key "$1/tls-config/key.pem"
			--resolve "coordinator:${transit#*:}:127.0.0.1" --data-binary "$line" -w '%{http_code}\n'
			"https://coordinator:${transit#*:}/v1/transit/$2/$3")
		n=$((n + 1))
	done
	curl "${args[@]}" | paste -d' ' - - >replies
	[ "$(wc -l <replies)" -eq "$n" ]
}

@test "what is encrypted decrypts, and nothing but its text comes back" {
	deployed web
	encrypts web "$web" "the root key"
	jq -e 'keys == ["data"] and .data.key_version == 1 and (.data | keys == ["ciphertext", "key_version"])' reply
	[[ $ciphertext =~ ^vault:v1:[A-Za-z0-9+/]+=*$ ]]
	first=$ciphertext
	decrypts 200 web "$web" "$ciphertext"
	jq -e 'keys == ["data"] and (.data | keys == ["plaintext"])' reply
	opened "the root key"
	# never the same twice
	encrypts web "$web" "the root key"
	[ "$ciphertext" != "$first" ]
	# nothing is a text too
	encrypts web "$web" ""
	decrypts 200 web "$web" "$ciphertext"
	opened ""
	# as long as a request may be
	head -c 40000 /dev/urandom | base64 -w0 >long
	jq -Rc '{plaintext: .}' long | through 200 web encrypt "$web"
	jq -c '{ciphertext: .data.ciphertext}' reply | through 200 web decrypt "$web"
	[ "$(jq -r .data.plaintext reply)" = "$(cat long)" ]
}

@test "the id's slashes may be as they are or %2F, and POST is PUT" {
	deployed web
	encrypts web "$web" text
	decrypts 200 web "${web//\//%2F}" "$ciphertext"
	opened text
	decrypts 200 web "${web//\//%2f}" "$ciphertext"
	opened text
	through 200 web decrypt "$web" "{\"ciphertext\":\"$ciphertext\"}" -X PUT
	opened text
	through 200 web encrypt "${web//\//%2F}" '{"plaintext":"dGV4dA=="}' -X PUT
	through 405 web encrypt "$web" '{"plaintext":"dGV4dA=="}' -X DELETE
	errors method
	through 404 web rewrap "$web" '{}'
	errors ""
	through 404 web encrypt "" '{}'
	errors ""
	# no other writing is that id: not twice encoded, not by way of another directory, no byte more
	for id in "${web//\//%252F}" "x/../$web" "$web/" "/$web" "$web%00" "$web%" "$web%2" "$web%zz" "$web%20" "${web^^}" "${web%?}"; do
		status=403
		[[ $id != *%00 && $id != *% && $id != *%2 && $id != *%zz ]] || status=400
		through "$status" web encrypt "$id" '{"plaintext":"dGV4dA=="}'
		errors ""
	done
}

@test "each workload has its own key alone" {
	deployed "web db coordinator"
	encrypts web "$web" text
	of_web=$ciphertext
	# another's id
	through 403 web encrypt "$db" '{"plaintext":"dGV4dA=="}'
	errors "no key of this name"
	through 403 db decrypt "$web" "{\"ciphertext\":\"$of_web\"}"
	errors "no key of this name"
	# an id of nobody, and no word about the difference
	cut -d'(' -f1 reply >theirs
	through 403 db decrypt nobody "{\"ciphertext\":\"$of_web\"}"
	cut -d'(' -f1 reply | cmp - theirs
	# another's ciphertext under one's own id: another key
	decrypts 400 db "$db" "$of_web"
	errors "another key"
	# a policy without a secret has no key, whatever it is called
	for id in "$web" "%20" x; do
		through 403 coordinator encrypt "$id" '{"plaintext":"dGV4dA=="}'
		errors "no key of this name"
	done
	jq -e '.id == "transit.key" and .route == "/v1/transit/encrypt/*"' <<<"$(logged transit.key)"
}

@test "associated data belongs to the ciphertext" {
	deployed web
	encrypts web "$web" text ',"associated_data":"Zm9y"'
	decrypts 200 web "$web" "$ciphertext" ',"associated_data":"Zm9y"'
	opened text
	decrypts 400 web "$web" "$ciphertext" ',"associated_data":"Zm9yIQ=="'
	errors "associated data"
	decrypts 400 web "$web" "$ciphertext"
	errors "associated data"
	decrypts 400 web "$web" "$ciphertext" ',"associated_data":"?"'
	errors '$.associated_data: length 1'
	encrypts web "$web" text
	decrypts 400 web "$web" "$ciphertext" ',"associated_data":"Zm9y"'
	errors "associated data"
	decrypts 200 web "$web" "$ciphertext" ',"associated_data":""'
}

@test "lesson: short ciphertexts, of any length, are refused and nothing else happens" {
	deployed web
	encrypts web "$web" text
	base64 -d <<<"${ciphertext#vault:v1:}" >raw
	[ "$(stat -c %s raw)" = 32 ]
	for ((n = 0; n < 32; n++)); do echo "{\"ciphertext\":\"vault:v1:$(head -c "$n" raw | base64 -w0)\"}"; done | many web decrypt "$web"
	for ((n = 0; n < 32; n++)); do
		read -r reply
		[[ $reply == *"$([ "$n" -lt 28 ] && echo "a ciphertext of $n bytes (expected at least 28)" || echo "was changed")"*" 400" ]] || fail "$n: $reply"
	done <replies
	decrypts 400 web "$web" "vault:v1:$( (cat raw && printf x) | base64 -w0)"
	errors "was changed"
	# the prefix, too
	for ((n = 0; n < 9; n++)); do echo "{\"ciphertext\":\"${ciphertext:0:n}\"}"; done | many web decrypt "$web"
	[ "$(grep -c 'no ciphertext of this engine.* 400$' replies)" = 9 ] || fail "$(cat replies)"
	decrypts 200 web "$web" "$ciphertext"
}

@test "a ciphertext that is changed anywhere is refused" {
	deployed web
	encrypts web "$web" text
	base64 -d <<<"${ciphertext#vault:v1:}" >raw
	for ((n = 0; n < 32; n++)); do
		cp raw changed
		flip changed "$n"
		echo "{\"ciphertext\":\"vault:v1:$(base64 -w0 changed)\"}"
	done | many web decrypt "$web"
	[ "$(grep -c 'was changed.* 400$' replies)" = 32 ] || fail "$(cat replies)"
	for prefix in vault:v2: vault:v0: vault:v1 vault: Vault:v1: bao:v1: " vault:v1:" ""; do
		decrypts 400 web "$web" "$prefix${ciphertext#vault:v1:}"
		errors "no ciphertext of this engine"
	done
	decrypts 400 web "$web" "vault:v1: ${ciphertext#vault:v1:}"
	errors ""
	decrypts 400 web "$web" "vault:v1:vault:v1:${ciphertext#vault:v1:}"
	errors ""
}

@test "what is not a request is refused as Vault's clients read it" {
	deployed web
	for body in '' '{' '[]' 'null' '"x"' '{}' '{"plaintext":1}' '{"plaintext":null}' '{"plaintext":"?"}' '{"plaintext":"YQ"}' \
		'{"plaintext":"YQ==","plaintext":"Yg=="}' '{"plaintext":"YQ=="}{}' '{"plaintext":"YQ==","associated_data":1}' \
		'{"ciphertext":"YQ=="}' $'{"plaintext":"\xff"}' "$(printf '[%.0s' {1..2000})"; do
		through 400 web encrypt "$web" "$body"
		errors ""
	done
	# the text is a secret: no part of it in an answer or in the log
	through 400 web encrypt "$web" '{"plaintext":"c2VjcmV0IQ=?"}'
	through 400 web encrypt "$web" '{"plaintext":"c2VjcmV0IQ==","x":"c2VjcmV0IQ=="'
	run ! grep -F c2VjcmV0 reply log
	head -c 70000 /dev/zero | through 413 web encrypt "$web"
	errors ""
	# fields of Vault that mean nothing here
	through 200 web encrypt "$web" '{"plaintext":"dGV4dA==","key_version":0,"type":"aes256-gcm96","context":""}'
	kill -0 "$pid"
}

@test "only who holds a certificate of the mesh is let in" {
	deployed web
	mesh=(--cacert web/tls-config/mesh-ca.pem)
	unreached "${mesh[@]}"
	# of another CA, with the same claims; of another deployment; self-signed
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=web -keyout self.key -out self.pem -days 1 2>/dev/null
	unreached "${mesh[@]}" --cert self.pem --key self.key
	here=$pid there=$transit
	rm -rf store
	starts
	sets 200 manifest.json "$none"
	joins web.policy other
	stops
	pid=$here transit=$there
	unreached "${mesh[@]}" --cert other/tls-config/certChain.pem --key other/tls-config/key.pem
	# without TLS, or before its last version
	run ! curl -s --data-binary '{"plaintext":"aGV5"}' "http://$transit/v1/transit/encrypt/$web"
	[ -z "$output" ]
	unreached "${mesh[@]}" --cert web/tls-config/certChain.pem --key web/tls-config/key.pem --tls-max 1.2
	through 200 web encrypt "$web" '{"plaintext":"dGV4dA=="}'
}

@test "the server shows the names of the Coordinator's policy, by the mesh CA, and no client takes it for another" {
	deployed web
	for name in coordinator web; do
		openssl s_client -connect "$transit" -CAfile web/tls-config/mesh-ca.pem -cert web/tls-config/certChain.pem -key web/tls-config/key.pem \
			-verify_hostname "$name" -verify_return_error </dev/null >$name.out 2>&1 && got=0 || got=$?
		if [ "$name" = coordinator ]; then [ "$got" = 0 ]; else [ "$got" != 0 ]; fi
	done
	openssl x509 -in coordinator.out -noout -ext subjectAltName | grep -x '  *DNS:coordinator'
	stops
	# without a policy of that role
	rm -rf store
	permit 'del(.Policies[].Role)' >plain.json
	starts
	sets 200 plain.json "$none"
	joins web.policy plain
	through 200 plain encrypt "$web" '{"plaintext":"dGV4dA=="}'
}

@test "an update ends the certificates of before, also on connections that are open; keys stay" {
	deployed "web"
	encrypts web "$web" text
	cp -r web old
	permit '.Policies |= map_values(.SANs += ["second"])' >second.json
	t1=$(next manifest.json "$none")
	# one that sends its second request after the update
	mkfifo input
	(openssl s_client -quiet -connect "$transit" -CAfile old/tls-config/mesh-ca.pem -cert old/tls-config/certChain.pem \
		-key old/tls-config/key.pem <input >kept 2>/dev/null 3>&- || true) &
	client=$!
	exec 9>input
	body='{"plaintext":"dGV4dA=="}'
	ask="POST /v1/transit/encrypt/$web HTTP/1.1"$'\r\n'"Host: coordinator"$'\r\n'"Content-Length: ${#body}"$'\r\n\r\n'"$body"
	printf %s "$ask" >&9
	for ((i = 0; i < 500; i++)); do grep -q key_version kept && break || sleep 0.01; done
	[ "$(grep -c key_version kept)" = 1 ]
	sets 200 second.json "$t1" owner.pem
	printf %s "$ask" >&9 || true
	sleep 0.3
	exec 9>&-
	wait "$client"
	[ "$(grep -c key_version kept)" = 1 ] || fail "$(cat kept)"
	unreached --cacert old/tls-config/mesh-ca.pem --cert old/tls-config/certChain.pem --key old/tls-config/key.pem -k
	joins web.policy new
	decrypts 200 new "$web" "$ciphertext"
	opened text
	# who is no longer in the manifest has no key, and who has another id has another key
	permit ".Policies[\"$(hash_of web.policy)\"].WorkloadSecretID = \"another\"" >third.json
	sets 200 third.json "$(next second.json "$t1")" owner.pem
	joins web.policy third
	through 403 third decrypt "$web" "{\"ciphertext\":\"$ciphertext\"}"
	decrypts 400 third another "$ciphertext"
	errors "another key"
}

@test "keys outlive restart and recovery; until then nobody is let in" {
	starts
	unreached -k
	trust=(--no-cache --collateral "$m" "$(root "$m")")
	mkdir policies
	for name in coordinator web db; do cp $name.policy "policies/$(hash_of $name.policy).rego"; done
	ctr-manifest set -q "${trust[@]}" --coordinator "$api" --policies policies --seed-shares-out shares.json <manifest.json
	joins web.policy web
	encrypts web "$web" text
	cp -r web before
	stops
	starts
	unreached --cacert before/tls-config/mesh-ca.pem --cert before/tls-config/certChain.pem --key before/tls-config/key.pem
	ctr-manifest recover -q "${trust[@]}" --coordinator "$api" --manifest manifest.json --seedshare-owner-key share.pem --seed-shares shares.json
	unreached -k --cert before/tls-config/certChain.pem --key before/tls-config/key.pem
	rm -rf web
	joins web.policy web
	decrypts 200 web "$web" "$ciphertext"
	opened text
}

# The requests of the transit seal of Vault 1.x and OpenBao 2.x, as their client library sends them (go-kms-wrapping over the
# API client: PUT, no Content-Type, a line feed behind the JSON, a token if one is set), and what they read of the answers.
# Configuration: address, mount_path "transit", key_name the secret ID, disable_renewal, tls_client_cert, tls_client_key,
# tls_ca_cert, tls_server_name.
@test "Vault and OpenBao unseal themselves with it: their seal's requests and what it reads of the answers" {
	deployed web
	as=(-X PUT -H 'User-Agent: Go-http-client/1.1' -H 'X-Vault-Request: true' -H 'X-Vault-Token: none' -H 'Content-Type:' -H 'Accept:'
		-H 'Accept-Encoding: gzip' --http2)
	key=$(head -c 32 /dev/urandom | base64 -w0)
	printf '{"plaintext":"%s"}\n' "$key" | through 200 web encrypt "$web" @- "${as[@]}" -D head
	grep -i '^content-type: application/json' head
	# the client takes what is in "data", and the wrapper the part between the colons for the key's version
	ciphertext=$(jq -er '.data.ciphertext | strings' reply)
	[ "$(tr -cd : <<<"$ciphertext")" = :: ]
	printf '{"ciphertext":"%s"}\n' "$ciphertext" | through 200 web decrypt "$web" @- "${as[@]}"
	[ "$(jq -er '.data.plaintext | strings' reply)" = "$key" ]
	# with a token and renewal: 404 is told as an error, and the seal goes on without
	asks 404 --cacert web/tls-config/mesh-ca.pem --cert web/tls-config/certChain.pem --key web/tls-config/key.pem \
		--resolve "coordinator:${transit#*:}:127.0.0.1" "${as[@]}" --data-binary '{"increment":0}' \
		"https://coordinator:${transit#*:}/v1/auth/token/renew-self"
	errors ""
	# with a namespace, and "mount_path" with a slash, which its client takes away
	printf '{"ciphertext":"%s"}\n' "$ciphertext" | through 200 web decrypt "$web" @- "${as[@]}" -H 'X-Vault-Namespace: ns/'
}
