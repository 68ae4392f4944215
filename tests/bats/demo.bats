#!/usr/bin/env bats
# The demo, and what it leaves: examples of pages, as printed.
load helpers

setup() {
	[ -x "$BUILD/sim/simchain" ] || skip "simchain is not built"
	ln -s "$TOP/k8s" "$TOP/tests" "$BATS_TEST_TMPDIR"
	ln -s "$BUILD" "$BATS_TEST_TMPDIR/build"
	pid=
}

teardown() {
	[ -z "$pid" ] || kill -KILL "$pid"
}

# demo SECONDS: in a session of its own, of which nothing is left after that time.
demo() {
	cd "$TOP" || return
	# shellcheck disable=SC2016 # for the other shell
	run setsid --wait bash -c 'echo $$ >"$1/session"; exec timeout "$2" scripts/demo >"$1/demo" 2>&1' - "$BATS_TEST_TMPDIR" "$1"
	cd "$BATS_TEST_TMPDIR" || return
	# what was told to end may take a moment
	for _ in {1..50}; do
		ps -o args= -s "$(<session)" >left || return 0
		sleep 0.1
	done
	fail "$(cat left)"
}

@test "the demo ends what it started, however it ends" {
	demo 4
	[ -s demo ]
}

@test "the demo runs in a minute, and then each example of ctr-attest-verify(1)" {
	demo "${SAN:+30}60"
	[[ $(tail -n 1 demo) == '== Done.'* ]] || fail "$(tail -n 5 demo)"
	examples ctr-attest-verify.1 >commands
	[ "$(grep -c 'ctr-attest-verify' commands)" -ge 6 ]
	run bash -eu commands # no pipefail: a verdict that is no is an answer too
	[ "$status" -eq 0 ] || fail "$output"
	[[ $output == *accepted* && $output == *snp.policy.debug* && $output == *rejected* ]] || fail "$output"
}

# As printed, with what belongs to this machine: images, a simulated platform, a cluster that starts the Coordinator.
@test "the examples of ctr(7) run" {
	cd "$BATS_TEST_TMPDIR" || return
	examples ctr.7 >commands
	[ "$(grep -c '^ctr-' commands)" -ge 4 ]
	build/sim/simchain --keys=build/sim/keys snp chain
	jq --slurpfile m chain/snp.json '.snp[0].TrustedMeasurement = $m[0].measurement' k8s/examples/snp.json >snp.json
	ctr-manifest keygen workload-owner --out owner.pem
	openssl genrsa -out seed.pem 2048
	cat >around <<-'EOF'
		trust=(--no-cache --collateral chain --insecure-test-root chain/ark.der)
		digest() { jq -r '.Policies | to_entries[] | select(.value.SANs[0] == "'"$1"'").key' manifest.json; }
		ctr-policygen() {
			command ctr-policygen -q --image-layout build/images --initializer-image registry.example/initializer:0.1.0 \
				--mesh-image registry.example/mesh-proxy:0.1.0
		}
		ctr-manifest() {
			case $1 in
			set) command ctr-manifest set "${trust[@]}" "${@:2}" ;;
			*) command ctr-manifest "$@" ;;
			esac
		}
		ctr-attest-verify() {
			case $1 in
			--issue) command ctr-attest-verify "$@" --platform "sim:chain,host_data=$(digest web)" ;;
			*) command ctr-attest-verify "${trust[@]}" "$@" ;;
			esac
		}
		kubectl() {
			[ "$1" = get ] && cat k8s/coordinator.yaml k8s/examples/*.yaml && return
			command ctr-coordinatord --platform "sim:chain,host_data=$(digest coordinator)" "${trust[@]}" --store "dir:$PWD/store" \
				--listen 127.0.0.1:0 --listen-probes 127.0.0.1:0 --listen-transit none ${SAN:+--insecure-no-sandbox} >/dev/null 2>log 3>&- &
			echo $! >coordinator
			for ((i = 0; i < 500; i++)); do ! grep -qs listening log || break; sleep 0.02; done
			port=$(sed -n 's/.*api \([0-9]*\),.*/\1/p' log)
		}
		nonce=$(openssl rand -hex 64)
	EOF
	# shellcheck disable=SC2016 # for the other shell
	sed -i 's,http://coordinator:1314,http://127.0.0.1:$port,' commands
	run bash -euo pipefail <(cat around commands)
	pid=$(cat coordinator)
	[ "$status" -eq 0 ] || fail "$output" "$(<log)"
	[ -s shares.json ] && [ -s verified/mesh-ca.pem ] && [ "$(grep -c '"verdict": *"accepted"' <<<"$output")" = 2 ]
}
