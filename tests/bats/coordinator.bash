# For the BATS files of the Coordinator, after helpers and attest: one that runs, its manifests, its pods.
# shellcheck shell=bash disable=SC2034,SC2154,SC2119,SC2120

# What a file needs, unless it has a setup of its own: which then calls these.
setup_file() { make_keys; }
setup() { make_deployment; }
teardown() { [ -z "$pid" ] || kill -KILL "$pid"; }

# The machines' chains, and what takes long to make.
make_keys() {
	make_chains
	export SHARE_KEY=$BATS_FILE_TMPDIR/share.pem
	openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$SHARE_KEY" 2>/dev/null
}

# In the test's directory: policies, owners' keys, and manifest.json for the simulated machine $m.
make_deployment() {
	local name
	m=$CHAINS/milan pid=
	cd "$BATS_TEST_TMPDIR" || return
	for name in coordinator web db stranger; do
		printf 'the policy of %s' "$name" >"$name.policy"
	done
	for name in owner other; do
		openssl ecparam -name prime256v1 -genkey -noout | openssl pkcs8 -topk8 -nocrypt -out $name.pem 2>/dev/null
	done
	cp "$SHARE_KEY" share.pem
	permit >manifest.json
}

hash_of() { sha256sum <"$1" | cut -c1-64; }
owner_digest() { openssl pkey -in "$1" -pubout -outform der | sha256sum | cut -c1-64; }
share_key() { openssl rsa -in "$1" -RSAPublicKey_out -outform der 2>/dev/null | xxd -p | tr -d '\n'; }

# permit [JQ-FILTER]: a manifest that permits coordinator, web and db on machines like $m; the filter changes it.
permit() {
	jq -n --arg c "$(hash_of coordinator.policy)" --arg w "$(hash_of web.policy)" --arg d "$(hash_of db.policy)" \
		--arg owner "$(owner_digest owner.pem)" --arg share "$(share_key share.pem)" --arg m "$MEASURED" '
		{Policies: {($c): {SANs: ["coordinator"], WorkloadSecretID: "", Role: "coordinator"},
			($w): {SANs: ["web", "*", "10.0.0.1"], WorkloadSecretID: "apps/v1/Deployment/ns/web"},
			($d): {SANs: ["db"], WorkloadSecretID: "apps/v1/Deployment/ns/db"}},
		 ReferenceValues: {snp: [{ProductName: "Milan", TrustedMeasurement: $m,
			MinimumTCB: {BootloaderVersion: 0, TEEVersion: 0, SNPVersion: 0, MicrocodeVersion: 0},
			GuestPolicy: {SMT: true}, PlatformInfo: {SMTEnabled: true, TSMEEnabled: true, ECCEnabled: false}, AllowedChipIDs: []}]},
		 WorkloadOwnerKeyDigests: [$owner], SeedshareOwnerPubKeys: [$share]} | '"${1-.}"
}

# machine POLICY [FIELD=VALUE...]: the platform of a pod with that policy file
machine() {
	local more=
	[ $# -lt 2 ] || more=$(printf ',%s' "${@:2}")
	echo "sim:$m,host_data=$(hash_of "$1")$more"
}

# starts [OPTION...]: a Coordinator over ./store, in $pid; $api, $probes and $transit are its addresses. Another one
# beside it: with own $store, $log and $own, its policy.
starts() {
	local i line='' log=${log-log} had up='"id":"listening"|\(listening\)$' # in JSON, in text
	touch "$log"
	had=$(grep -cE "$up" "$log") || true
	[ -n "${SAN-}${VALGRIND-}" ] && set -- --insecure-no-sandbox "$@"
	# shellcheck disable=SC2086 # none, when it is empty
	ctr-coordinatord --platform "$(machine "${own-coordinator.policy}")" --store "dir:$PWD/${store-store}" ${cache---no-cache} ${sources---collateral $m --offline} \
		"$(root "$m")" --listen 127.0.0.1:0 --listen-probes 127.0.0.1:0 --listen-transit 127.0.0.1:0 --log json "$@" 2>>"$log" 3>&- &
	pid=$!
	for ((i = 0; i < 1000; i++)); do
		line=$(grep -E "$up" "$log" | sed -n "$((had + 1))p") || line=
		[ -z "$line" ] || break
		kill -0 "$pid" || { wait "$pid" || fail "ended with $?: $(cat "$log")"; }
		sleep 0.01
	done
	[[ $line =~ api\ ([0-9]+),\ probes\ ([0-9]+),\ transit\ ([0-9]+|none) ]] || fail "does not start: $(cat "$log")"
	api=http://127.0.0.1:${BASH_REMATCH[1]} probes=http://127.0.0.1:${BASH_REMATCH[2]} transit=127.0.0.1:${BASH_REMATCH[3]}
}

# stops [SIGNAL]: and its exit status
stops() {
	local status=0
	kill "-${1-TERM}" "$pid"
	wait "$pid" || status=$?
	pid=
	return "$status"
}

# asks STATUS [CURL-ARGUMENT...] URL: $output is the body
asks() {
	local want=$1 got
	shift
	got=$(curl -s -m 60 -o reply -w '%{http_code}' "$@") || true
	output=$(cat reply)
	[ "$got" = "$want" ] || fail "status $got (expected $want): $output"
}

# posts STATUS PATH [JSON]: the JSON is from standard input when it is not given
posts() {
	asks "$1" -H 'Content-Type: application/json' --data-binary "${3-@-}" "$api$2"
}

# refused CODE: by the last answer
refused() {
	jq -e --arg code "$1" '.code == $code and .error != ""' reply >/dev/null || fail "expected $1: $(cat reply)"
}

b64() { base64 -w0 "$1"; }

# next MANIFEST PREVIOUS: the transition hash
next() { printf '%s%s' "$(hash_of "$1")" "$2" | xxd -r -p | sha256sum | cut -c1-64; }
none=$(printf '%064d' 0)

# manifest_request MANIFEST PREVIOUS [KEY...]: the body of /v1/manifest, signed by these
manifest_request() {
	local t key sigs=() p
	t=$(next "$1" "$2")
	for key in "${@:3}"; do
		sigs+=("$(jq -nc --arg k "$(openssl pkey -in "$key" -pubout -outform der | base64 -w0)" \
			--arg s "$(printf %s "$t" | openssl dgst -sha256 -sign "$key" | base64 -w0)" '{key: $k, signature: $s}')")
	done
	for p in ${policies-coordinator web db}; do b64 "$p.policy"; echo; done |
		jq -Rn --rawfile m <(b64 "$1") --argjson s "[$(IFS=,; echo "${sigs[*]}")]" \
			'{manifest: $m, policies: [inputs], signatures: $s}'
}

# sets STATUS MANIFEST PREVIOUS [KEY...]
sets() {
	local want=$1
	shift
	manifest_request "$@" >request
	posts "$want" /v1/manifest @request
}

# pod STATUS POLICY [OPTION...]: joins with a machine of that policy
pod() {
	# shellcheck disable=SC2086 # words on purpose
	run "-$1" --separate-stderr "$BUILD/sim/pod" --platform "$(machine "$2" ${fields-})" "${@:3}" "$api"
	printf '%s' "$output" >reply
}

# The last event of that id in the log.
logged() { grep "\"id\":\"$1\"" "${log-log}" | tail -n 1; }

# attached: the tracer that was just started has the Coordinator
attached() {
	local i
	for ((i = 0; i < 500; i++)); do
		[ "$(awk '/^TracerPid/ { print $2 }' "/proc/$pid/status")" = 0 ] || return 0
		sleep 0.01
	done
	fail "strace did not attach"
}

# recovers STATUS MANIFEST [OPTION...]: the one at $api, by a seed share owner; verifies: the same for its verdict. Both by
# ${trust[@]}.
recovers() {
	run "-$1" --separate-stderr ctr-manifest recover --errors=json "${trust[@]}" --coordinator "$api" --manifest "$2" \
		--seedshare-owner-key share.pem --seed-shares shares.json "${@:3}"
}

verifies() {
	run "-$1" --separate-stderr ctr-attest-verify --errors=json "${trust[@]}" --manifest "$2" --coordinator "$api" "${@:3}"
}

# ends PID
ends() {
	local status=0
	kill -TERM "$1"
	wait "$1" || status=$?
	[ "$status" -eq 0 ]
}

# eventually COMMAND...: within 20 seconds
eventually() {
	local i
	for ((i = 0; i < 400; i++)); do
		! "$@" >/dev/null 2>&1 || return 0
		sleep 0.05
	done
	fail "not within 20 s: $*: $(tail -n 20 ./*.log)"
}
