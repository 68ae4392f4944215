# The Coordinator: start, memory, mesh certificates against their bare cryptography, ten thousand pods at once, and a
# manifest of 100,000 policies. The load comes from another process, over loopback.
# shellcheck shell=bash
source "$(dirname "$0")/helpers.bash"
[ -x "$BIN/ctr-coordinatord" ] || exit 0
tmp=$(mktemp -d) pid=
trap '[ -z "$pid" ] || kill "$pid" 2>/dev/null; rm -rf "$tmp" "${memory-}"' EXIT
chain=$SIM/snp
measured=$("$BUILD/sim/simchain" report "$chain" | ctr-attest-verify --inspect | jq -r .claims.measurement)
printf 'the policy of a pod' >"$tmp/pod.policy"
pod=$(sha256sum <"$tmp/pod.policy" | cut -c1-64)

manifest() { # policies, as a JSON object, are on standard input
	jq -c --arg m "$measured" '{Policies: ., ReferenceValues: {snp: [{ProductName: "Milan", TrustedMeasurement: $m,
		MinimumTCB: {BootloaderVersion: 0, TEEVersion: 0, SNPVersion: 0, MicrocodeVersion: 0},
		GuestPolicy: {SMT: true}, PlatformInfo: {SMTEnabled: true, TSMEEnabled: true, ECCEnabled: false}}]}}'
}

start() { # STORE-DIRECTORY
	: >"$tmp/log"
	local from=$EPOCHREALTIME
	ctr-coordinatord --platform "sim:$chain" --store "dir:$1" --no-cache --collateral "$chain" --offline --log json \
		--insecure-test-root "$chain/ark.der" --listen 127.0.0.1:0 --listen-probes 127.0.0.1:0 --listen-transit none 2>>"$tmp/log" &
	pid=$!
	until grep -q '"id":"listening"' "$tmp/log"; do
		kill -0 "$pid"
		read -rt 0.001 <> <(:) || true
	done
	took=$(ratio "($EPOCHREALTIME - $from) * 1000" 1 1)
	port=$(sed -n 's/.*api \([0-9]*\), probes.*/\1/p' "$tmp/log")
}

stop() {
	kill "$pid"
	wait "$pid" || true
	pid=
}

memory() { awk -v k="$1:" '$1 == k { print $2 }' "/proc/$pid/status"; }

# Posts $tmp/request: status and seconds.
set_manifest() {
	curl -sS -o "$tmp/reply" -w '%{http_code} %{time_total}' -H 'Content-Type: application/json' --data-binary "@$tmp/request" \
		"http://127.0.0.1:$port/v1/manifest"
}

start "$tmp/one"
echo "coordinator start to ready: $took ms, ratio $(ratio "$took" 50) (bound: 1 = 50 ms)"
idle=$(memory VmRSS)
echo "coordinator idle: $idle KiB, ratio $(ratio "$idle" 8192) (bound: 1 = 8 MiB)"
jq -n --arg p "$pod" '{($p): {SANs: ["web"], WorkloadSecretID: "web"}}' | manifest >"$tmp/manifest.json"
base64 -w0 "$tmp/pod.policy" | jq -Rnc --rawfile m <(base64 -w0 "$tmp/manifest.json") '{manifest: $m, policies: [inputs]}' >"$tmp/request"
answer=$(set_manifest)
[ "${answer% *}" = 200 ] || { cat "$tmp/reply"; exit 1; }
load() { "$BUILD/sim/joinload" --platform "sim:$chain,host_data=$pod" --pid "$pid" "$@" "$port"; }
load --count 200 --connections 8 >/dev/null
bare=$("$BUILD/sim/barejoin")
load --count 4000 --connections 16 >"$tmp/load"
jq -e '.lost == 0 and .refused == 0' "$tmp/load" >/dev/null
each=$(jq '.server_cpu / .joins' "$tmp/load")
echo "mesh certificates: $(jq '.joins / .seconds | floor' "$tmp/load")/s, $(ratio 1 "$each" 0)/s a core, ratio $(ratio "$bare" "$each") to bare cryptography (bound: 0.8)"
load --count 10000 >"$tmp/load"
echo "10000 pods at once: $(jq -r '"\(.lost) lost, \(.refused) refused, \(.joins / .seconds | floor)/s, p99 \(.p99) s"' "$tmp/load")"
peak=$(memory VmHWM)
echo "memory for 10000 pods: $peak KiB, ratio $(ratio "$peak" 32768) (bound: 1 = 32 MiB)"
stop

# A client's view of a long history: from a saved answer, so that the network has no part in it.
jq -n --arg p "$pod" '{($p): {SANs: ["coordinator"], WorkloadSecretID: "", Role: "coordinator"}}' | manifest >"$tmp/last.json"
history=()
for i in $(seq 999); do
	jq -c --arg i "n$i" '.Policies |= map_values(.SANs += [$i])' "$tmp/last.json" >"$tmp/m$i"
	history+=(--manifest "$tmp/m$i")
done
openssl x509 -inform der -in "$chain/ark.der" -out "$tmp/ca.pem"
nonce=$(printf '%064d' 7)
"$BUILD/sim/answer" --platform "sim:$chain,host_data=$pod" --nonce "$nonce" "${history[@]}" --manifest "$tmp/last.json" \
	--policy "$tmp/pod.policy" --root-ca "$tmp/ca.pem" --mesh-ca "$tmp/ca.pem" --hpke-key "$nonce" >"$tmp/answer"
client() {
	ctr-attest-verify --offline --no-cache --collateral "$chain" --insecure-test-root "$chain/ark.der" \
		--manifest "$tmp/last.json" --response "$tmp/answer" --nonce "$nonce"
}
took=$(seconds client)
echo "history of 1000 manifests verified in $took s, ratio $(ratio "$took" 1) (bound: 1 = 1 s)"

echo '{}' | manifest >"$tmp/manifest.json"
"$BUILD/sim/manypolicies" 100000 "$tmp/manifest.json" >"$tmp/request"
set_many() { # STORE-DIRECTORY: the seconds it takes
	start "$1"
	answer=$(set_manifest)
	[ "${answer% *}" = 200 ] || { cat "$tmp/reply"; exit 1; }
	stop
	echo "${answer#* }"
}
# in memory, and with what a disk adds
memory=$(mktemp -d /dev/shm/bench.XXXXXX)
took=$(set_many "$memory/store")
echo "manifest of 100000 policies set in $took s, ratio $(ratio "$took" 2) (bound: 1 = 2 s); on this disk $(set_many "$tmp/two") s"
