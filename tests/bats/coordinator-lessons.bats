#!/usr/bin/env bats
# What bit others (lessons), as it would bite a Coordinator.
load helpers
load attest
load coordinator

setup_file() {
	make_chains
	export SHARE_KEY=$BATS_FILE_TMPDIR/share.pem
	ctr-manifest keygen seedshare-owner --out "$SHARE_KEY"
}

setup() {
	m=$CHAINS/milan pid=
	cd "$BATS_TEST_TMPDIR" || return
	make_deployment
	mkdir policies seen own
	for name in coordinator web db; do cp $name.policy "policies/$(hash_of $name.policy).rego"; done
	trust=(--no-cache --collateral "$m" "$(root "$m")")
}

teardown() {
	[ -z "$pid" ] || kill -KILL "$pid"
}

# sees STATUS COMMAND...: with all that it says, and all detail, in ./seen
sees() {
	local want=$1 n status=0
	n=$(find seen -name '*.out' | wc -l)
	shift
	"$@" -v -v >"seen/$n.out" 2>"seen/$n.err" <"${input-/dev/null}" || status=$?
	[ "$status" = "$want" ] || fail "$status (expected $want): $* $(cat "seen/$n.err")"
	output=$(tr -d '\0' <"seen/$n.out")
}

# what a file may not hold of a secret (hexadecimal): its bytes, and how they are written in hexadecimal and base64
forms() {
	local k s
	for k in 0 1 2; do
		s=$(printf '%s%.48s' "$(head -c $((2 * k)) <<<0000)" "$1" | xxd -r -p | base64 -w0)
		s=${s:$(((k * 4 + 2) / 3))}
		echo "${s:0:24}"
	done
	echo "${1:0:48}"
	tr a-f A-F <<<"${1:0:48}"
}

# holds SECRET FILE...: the names of those that do
holds() {
	local secret=$1 f
	shift
	grep -lFf <(forms "$secret") "$@" || true
	for f in "$@"; do ! xxd -p "$f" | tr -d '\n' | grep -qF "${secret:0:48}" || echo "$f"; done
}

# the bytes of a private key
raw_key() {
	openssl pkey -in "$1" -noout -text | awk '/^priv:/ { on = 1; next } /^pub:/ { on = 0 } on { gsub(/[ :]/, ""); printf "%s", $0 }' |
		sed 's/^00//'
}

@test "lesson: a canary finds no secret in any output, log or file, whatever a Coordinator goes through" {
	# that it would find one
	secret=$(head -c 64 /dev/urandom | xxd -p -c0)
	for s in "$(forms "$secret" | sed -n 1p)" "$(forms "$secret" | sed -n 2p)" "$secret" "$(xxd -r -p <<<"$secret" | base64 -w0)" \
		"$( (printf x && xxd -r -p <<<"$secret") | base64 -w0)" "$( (printf xy && xxd -r -p <<<"$secret") | base64 -w0)"; do
		echo "something $s" >seen/trial
		[ "$(holds "$secret" seen/trial)" = seen/trial ] || fail "$s"
	done
	xxd -r -p <<<"$secret" >seen/trial
	[ "$(holds "$secret" seen/trial)" = seen/trial ]
	rm seen/trial

	starts -v -v
	input=manifest.json sees 0 ctr-manifest set "${trust[@]}" --coordinator "$api" --policies policies --seed-shares-out shares.json
	for p in web db; do
		sees 0 ctr-initializer --coordinator "$api" --platform "$(machine $p.policy)" --output own/$p
	done
	sees 1 ctr-initializer --coordinator "$api" --platform "$(machine stranger.policy)" --output own/stranger --tries 1
	sees 0 ctr-attest-verify "${trust[@]}" --manifest manifest.json --coordinator "$api" --output seen/verified
	"$BUILD/sim/pod" --platform "$(machine coordinator.policy)" --path /v1/mesh/recover --open "$api" >own/state
	"$BUILD/sim/pod" --platform "$(machine coordinator.policy)" --path /v1/mesh/recover "$api" >seen/recover
	"$BUILD/sim/pod" --platform "$(machine web.policy)" "$api" >seen/join
	"$BUILD/sim/pod" --platform "$(machine web.policy)" --path /v1/mesh/recover "$api" >seen/refused1 2>&1 || true
	for lie in key kem kem-signed signature; do
		"$BUILD/sim/pod" --platform "$(machine web.policy)" --lie $lie "$api" >seen/lie-$lie 2>&1 || true
	done
	text=$(head -c 32 /dev/urandom | xxd -p -c0)
	id=apps/v1/Deployment/ns/web
	with=(-sv --cacert own/web/tls-config/mesh-ca.pem --cert own/web/tls-config/certChain.pem --key own/web/tls-config/key.pem
		--resolve "coordinator:${transit#*:}:127.0.0.1")
	url=https://coordinator:${transit#*:}/v1/transit
	jq -nc --arg p "$(xxd -r -p <<<"$text" | base64 -w0)" '{plaintext: $p}' | curl "${with[@]}" -d @- "$url/encrypt/$id" >seen/encrypt 2>seen/encrypt.err
	jq -ce '{ciphertext: .data.ciphertext}' seen/encrypt >ciphertext
	curl "${with[@]}" -d @ciphertext "$url/decrypt/$id" >own/decrypt 2>seen/decrypt.err
	# refused with the text at hand
	jq -nc --arg p "$(xxd -r -p <<<"$text" | base64 -w0)" '{plaintext: $p}' | curl "${with[@]}" -d @- "$url/encrypt/other" >seen/encrypt2 2>&1
	jq -nc --arg p "$(xxd -r -p <<<"$text" | base64 -w0)?" '{plaintext: $p}' | curl "${with[@]}" -d @- "$url/encrypt/$id" >seen/encrypt3 2>&1
	jq -nc --arg p "$(xxd -r -p <<<"$text" | base64 -w0)" '{plaintext: $p}' | head -c 60 | curl "${with[@]}" -d @- "$url/encrypt/$id" >seen/encrypt4 2>&1
	permit '.Policies |= map_values(.SANs += ["second"])' >second.json
	input=second.json sees 1 ctr-manifest set "${trust[@]}" --coordinator "$api" --policies policies --workload-owner-key other.pem
	input=second.json sees 0 ctr-manifest set "${trust[@]}" --coordinator "$api" --policies policies --workload-owner-key owner.pem
	curl -s "$probes/metrics" >seen/metrics
	stops
	starts -v -v
	sees 4 ctr-initializer --coordinator "$api" --platform "$(machine web.policy)" --output own/again --timeout 2
	printf '{"nonce":"%s","ciphertext":"%s","signature":"AAAA"}' "$(head -c 32 /dev/zero | base64 -w0)" "$(xxd -r -p <<<"$text" | base64 -w0)" |
		curl -s -H 'Content-Type: application/json' -d @- "$api/v1/recover" >seen/recover1
	sees 0 ctr-manifest recover "${trust[@]}" --coordinator "$api" --manifest second.json --seedshare-owner-key share.pem --seed-shares shares.json
	sees 1 ctr-manifest recover "${trust[@]}" --coordinator "$api" --manifest second.json --seedshare-owner-key share.pem --seed-shares shares.json
	sees 0 ctr-initializer --coordinator "$api" --platform "$(machine db.policy)" --output own/later
	curl -s "$probes/metrics" >>seen/metrics
	stops

	# all that is secret, in hexadecimal
	{
		xxd -r -p own/state >own/state.json
		for k in seed salt; do jq -r ".$k" own/state.json | base64 -d | xxd -p -c0; done
		jq -r .mesh_key own/state.json | base64 -d >own/mesh.pem
		raw_key own/mesh.pem && echo
		jq -n --arg s "$(jq -r .seed own/state.json | base64 -d | xxd -p -c0)" \
			--arg t "$(jq -r .salt own/state.json | base64 -d | xxd -p -c0)" '{seed: $s, salt: $t}' >own/seed
		ctr-ca derive -q --with-keys --secret-id=$id --secret-id=apps/v1/Deployment/ns/db <own/seed >own/derived
		jq -r '.secrets[] | .workload_secret, .transit_key' own/derived
		for k in root_ca history; do
			jq -r ".${k}_private_key" own/derived >own/$k.pem
			raw_key own/$k.pem && echo
		done
		for k in own/*/tls-config/key.pem owner.pem; do raw_key "$k" && echo; done
		echo "$text"
	} >secrets
	[ "$(wc -l <secrets)" -ge 14 ] && ! grep -vxE '[0-9a-f]{62,128}' secrets || fail "$(cut -c1-9 secrets)"
	cmp <(cat own/web/secrets/workload-secret-seed) <(jq -j .secrets[0].workload_secret own/derived)
	mapfile -t files < <(find seen store log -type f)
	[ ${#files[@]} -gt 30 ]
	while read -r secret; do
		found=$(holds "$secret" "${files[@]}")
		[ -z "$found" ] || fail "${secret:0:6}... in $found"
	done <secrets
	# nor PEM of a private key, in any line form
	run ! grep -lE 'PRIVATE KEY|UFJJVkFURSBLRV' "${files[@]}"
}

# probe STARTUP LIVENESS READINESS
probe() {
	asks "$1" -m 2 "$probes/probe/startup"
	asks "$2" -m 2 "$probes/probe/liveness"
	asks "$3" -m 2 "$probes/probe/readiness"
	asks 200 -m 2 "$probes/metrics"
	grep -x "ctr_ready $([ "$3" = 200 ] && echo 1 || echo 0)" reply
	# attest answers in every state
	posts 200 /v1/attest '{"nonce":"'"$(printf '%032d' 0 | base64 -w0)"'"}'
}

@test "lesson: probes in every state, and liveness depends on nothing outside" {
	starts
	probe 200 200 412
	# a manifest that is refused changes nothing
	policies=web sets 400 manifest.json "$none"
	probe 200 200 412
	ctr-manifest set -q "${trust[@]}" --coordinator "$api" --policies policies --seed-shares-out shares.json <manifest.json >seen/set
	probe 200 200 200
	cp -r store kept
	# the store is gone, and then its file system: it serves what it has
	rm -rf store/*
	probe 200 200 200
	pod 0 web.policy
	stops
	rm -rf store
	cp -r kept store
	starts
	probe 200 200 412
	ctr-manifest recover -q "${trust[@]}" --coordinator "$api" --manifest manifest.json --seedshare-owner-key share.pem --seed-shares shares.json
	probe 200 200 200
	# nor do the probes answer on the pods' port, or pods on theirs
	asks 404 "$api/probe/liveness"
	asks 404 "$api/metrics"
	asks 404 "$probes/v1/attest"
}

@test "lesson: no network is waited for: who judges evidence lives, whatever the vendor does" {
	# a key service that takes connections and says nothing: a Coordinator that was stopped
	starts
	silent=$pid kds=$api
	kill -STOP "$silent"
	ctr-coordinatord --platform "$(machine coordinator.policy)" --store "dir:$PWD/store2" --no-cache --kds-url "$kds" --timeout 30 \
		"$(root "$m")" --listen 127.0.0.1:0 --listen-probes 127.0.0.1:0 --listen-transit none --log json ${SAN:+--insecure-no-sandbox} 2>log2 3>&- &
	pid=$!
	for ((i = 0; i < 1000; i++)); do grep -q listening log2 && break || sleep 0.01; done
	[[ $(cat log2) =~ api\ ([0-9]+),\ probes\ ([0-9]+) ]]
	api=http://127.0.0.1:${BASH_REMATCH[1]} probes=http://127.0.0.1:${BASH_REMATCH[2]}
	sets 200 manifest.json "$none"
	waiters=()
	for _ in 1 2 3 4 5 6; do
		"$BUILD/sim/pod" --platform "$(machine web.policy)" "$api" >/dev/null 2>&1 3>&- &
		waiters+=($!)
	done
	sleep 0.5
	for _ in 1 2 3; do
		asks 200 -m 1 "$probes/probe/liveness"
		asks 200 -m 1 "$probes/probe/readiness"
		asks 200 -m 1 "$api/capabilities"
	done
	posts 200 /v1/attest '{"nonce":"'"$(printf '%032d' 0 | base64 -w0)"'"}'
	kill "${waiters[@]}" 2>/dev/null || true
	wait "${waiters[@]}" || true
	kill -KILL "$silent"
	# what is waited for does not hold up the end
	begin=$EPOCHREALTIME
	stops
	(((${EPOCHREALTIME/./} - ${begin/./}) < 5000000))
}

load_of() {
	"$BUILD/sim/joinload" --platform "$(machine web.policy)" --count "$1" --connections 50 "${api##*:}" >load
	jq -e --argjson n "$1" '(.refused // 0) == 0 and (.lost // 0) == 0' load >/dev/null || fail "$(cat load)"
}

@test "lesson: issuing keeps no memory per certificate" {
	[ -z "${SAN-}${VALGRIND-}" ] || return 0 # their allocators keep what is freed
	starts
	sets 200 manifest.json "$none"
	load_of 1000
	before=$(awk '/^VmRSS/ { print $2 }' "/proc/$pid/status")
	for _ in 1 2 3 4; do load_of 1000; done
	after=$(awk '/^VmRSS/ { print $2 }' "/proc/$pid/status")
	echo "# resident: $before KiB after 1,000 certificates, $after KiB after 5,000" >&3
	# 32 bytes for each nonce that was used are kept for two minutes
	[ $((after - before)) -lt 1024 ]
	asks 200 "$probes/metrics"
	grep -x 'ctr_certificates_issued_total 5000' reply
}

# lifetime: of the certificate in the last answer, in seconds
lifetime() {
	jq -r .cert_chain reply | base64 -d | openssl x509 -noout -startdate -enddate | cut -d= -f2 >dates
	echo $(($(date -d "$(sed -n 2p dates)" +%s) - $(date -d "$(sed -n 1p dates)" +%s)))
}

@test "lesson: the lifetime is a setting, kept on renewal, after an update and after recovery" {
	for seconds in 3600 86400; do
		rm -rf store shares.json
		starts --lifetime $seconds
		ctr-manifest set -q "${trust[@]}" --coordinator "$api" --policies policies --seed-shares-out shares.json <manifest.json >seen/set
		for _ in 1 2; do
			pod 0 web.policy
			[ "$(lifetime)" = $((seconds + 300)) ] || fail "$(lifetime)"
		done
		permit '.Policies |= map_values(.SANs += ["second"])' >second.json
		sets 200 second.json "$(next manifest.json "$none")" owner.pem
		pod 0 db.policy
		[ "$(lifetime)" = $((seconds + 300)) ]
		stops
		starts --lifetime $seconds
		ctr-manifest recover -q "${trust[@]}" --coordinator "$api" --manifest second.json --seedshare-owner-key share.pem --seed-shares shares.json
		pod 0 web.policy
		[ "$(lifetime)" = $((seconds + 300)) ]
		stops
	done
}

names_of() { jq -r .cert_chain reply | base64 -d | openssl x509 -noout -ext subjectAltName 2>/dev/null | tail -n +2 | sed 's/^ *//'; }

@test "lesson: certificate names are the manifest's, whatever a peer's address or request says" {
	permit ".Policies[\"$(hash_of db.policy)\"].SANs = []" >some.json
	starts --listen :0
	sets 200 some.json "$none"
	for host in 127.0.0.1 127.0.0.9 '[::1]' localhost; do
		api=http://$host:${api##*:}
		pod 0 web.policy
		[ "$(names_of)" = "DNS:web, DNS:*, IP Address:10.0.0.1" ] || fail "$(names_of)"
		pod 0 db.policy
		[ -z "$(names_of)" ] || fail "$(names_of)"
	done
	jq -r .cert_chain reply | base64 -d | openssl x509 -noout -text >text
	run ! grep -E '127\.0\.0|localhost|::1' text
}
