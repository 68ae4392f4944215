#!/usr/bin/env bats
# ctr-coordinatord as a process: what it may do, whose it is, and how it ends.
load helpers
load attest
load coordinator

setup() {
	make_deployment
	place=''
}

teardown() {
	[ -z "$pid" ] || kill -KILL "$pid"
	[ -z "$place" ] || rm -rf "$place"
}

status_of() { awk -v k="$1:" '$1 == k { print $2 }' "/proc/$pid/status"; }

@test "what runs has no new privileges, a filter for each thread, no core dumps" {
	[ -z "${SAN-}${VALGRIND-}" ] || return 0 # without sandbox
	starts
	[ "$(status_of NoNewPrivs)" = 1 ]
	for t in /proc/"$pid"/task/*/status; do
		grep -qE '^Seccomp:\s2$' "$t"
		grep -qE '^NoNewPrivs:\s1$' "$t"
	done
	grep -E '^Max core file size +0 +0 ' "/proc/$pid/limits"
	# hardened as a file, too
	readelf -hdW "$BIN/ctr-coordinatord" >elf
	grep -q 'Type: *DYN' elf
	grep -q BIND_NOW elf
	readelf -lW "$BIN/ctr-coordinatord" >segments
	grep -q GNU_RELRO segments
	grep -q 'GNU_STACK.* RW ' segments
	stops
}

@test "it runs as another user, who cannot be asked what it knows" {
	place=$(mktemp -d)
	chmod 755 "$place"
	cp -r "$m" "$place/milan"
	chmod -R a+rX "$place"
	mkdir -m 700 "$place/store"
	m=$place/milan
	# root gives itself up; everybody else stays who they are
	who=$(id -un)
	[ "$(id -u)" != 0 ] || who=nobody
	[ "$(id -u)" != 0 ] || chown nobody "$place/store"
	starts --user "$who" --store "dir:$place/store"
	[ "$(status_of Uid)" = "$(id -u "$who")" ]
	[ "$(status_of Gid)" = "$(id -g "$who")" ]
	# not dumpable: its memory is root's
	[ "$(stat -c %U "/proc/$pid/mem")" = root ]
	[ "$(id -u)" != 0 ] || run ! setpriv --reuid nobody --regid nogroup --clear-groups cat "/proc/$pid/environ"
	sets 200 manifest.json "$none"
	pod 0 web.policy
	[ "$(stat -c %U "$place/store/transitions/latest")" = "$who" ]
	[ "$(find "$place/store" -perm /077 | wc -l)" = 0 ] || fail "$(find "$place/store" -perm /077 -ls)"
	[ "$(id -u)" != 0 ] || grep -E '^CapEff:\s0000000000000000$' "/proc/$pid/status"
	stops
	refuses 4 sandbox.user ctr-coordinatord --errors=json --platform "sim:$m" --no-cache --offline --store "dir:$place/store" \
		--listen 127.0.0.1:0 --listen-probes 127.0.0.1:0 --listen-transit none --user "nobody of this name"
}

@test "a cache that is not there yet is made, and filled" {
	[ -z "${SAN-}${VALGRIND-}" ] || return 0 # without sandbox
	cache='' XDG_CACHE_HOME=$PWD/fresh starts
	sets 200 manifest.json "$none"
	pod 0 web.policy
	[ -d fresh/ctr/collateral ]
	[ "$(stat -c %a fresh/ctr/collateral)" = 700 ]
	[ -z "$(logged open)$(logged cache.open)" ]
	stops
	# the usual place is none, for example without a home: said, and done without
	rm -rf fresh
	touch fresh
	cache='' XDG_CACHE_HOME=$PWD/fresh starts
	grep -F "nothing that is fetched is kept" log || fail "$(cat log)"
	asks 412 "$probes/probe/readiness"
	stops
	# one that was asked for must be one
	run -4 --separate-stderr ctr-coordinatord --errors=json --platform "sim:$m" --cache "$PWD/fresh/cache" --offline \
		--store "dir:$PWD/store2" --listen 127.0.0.1:0 --listen-probes 127.0.0.1:0 --listen-transit none
	[[ $stderr == *fresh/cache* ]]
}

@test "seed and salt are locked in memory, as far as limits allow" {
	[ -z "${SAN-}${VALGRIND-}" ] || skip "with sanitizers mlock does nothing"
	starts
	strace -f -qq -p "$pid" -o trace -e trace=mlock,mlockall 3>&- &
	tracer=$!
	attached
	sets 200 manifest.json "$none"
	kill "$tracer"
	wait "$tracer" || true
	for n in 64 32; do grep -E "mlock\(0x[0-9a-f]+, $n\) += 0" trace || fail "$n: $(cat trace)"; done
}

# A request whose last byte has not been sent when the signal comes; then it is.
ends_by() {
	body='{"nonce":"'$(printf '%032d' 0 | base64 -w0)'"}'
	exec 7<>"/dev/tcp/127.0.0.1/${api##*:}"
	printf 'POST /v1/attest HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s' ${#body} "${body%?}" >&7
	sleep 0.2
	kill "-$1" "$pid"
	for ((i = 0; i < 300; i++)); do logged stopping >&2 && break; sleep 0.01; done
	sleep 0.1
	run ! curl -s -m 2 "$api/capabilities"
	run ! curl -s -m 2 "$probes/probe/liveness"
	printf '}' >&7
	cat <&7 >answer
	exec 7>&-
	grep -q '^HTTP/1.1 200' answer
	grep -q hpke_pub_key answer
	wait "$pid"
	pid=
}

@test "TERM and INT: nobody new, a request under way is answered, status 0" {
	starts
	ends_by TERM
	starts
	ends_by INT
	# with nothing under way at once, connections that are idle or not
	starts
	exec 7<>"/dev/tcp/127.0.0.1/${api##*:}"
	begin=$EPOCHREALTIME
	stops TERM
	(((${EPOCHREALTIME/./} - ${begin/./}) < 3000000))
	exec 7>&-
}

@test "HUP changes nothing for anybody" {
	starts
	sets 200 manifest.json "$none"
	pod 0 web.policy --open
	secret=$output
	for _ in {1..20}; do kill -HUP "$pid"; done
	pod 0 web.policy --open
	[ "$output" = "$secret" ]
	kill -0 "$pid"
}

@test "a listener, a store or a platform that cannot be had ends it at once, and says why" {
	starts
	args=(ctr-coordinatord --errors=json --platform "sim:$m" --no-cache --offline --listen-probes 127.0.0.1:0 --listen-transit none)
	refuses 4 store.busy "${args[@]}" --store "dir:$PWD/store" --listen 127.0.0.1:0
	refuses 4 http.listen "${args[@]}" --store "dir:$PWD/store2" --listen "${api#http://}"
	refuses 2 http.address "${args[@]}" --store "dir:$PWD/store2" --listen nowhere
	refuses 4 kube.environment env -u KUBERNETES_SERVICE_HOST "${args[@]}" --store kubernetes: --listen 127.0.0.1:0
	[ -e /dev/sev-guest ] || [ -e /sys/kernel/config/tsm ] || [ -e /dev/tdx_guest ] ||
		refuses 4 platform.none "${args[@]}" --platform auto --store "dir:$PWD/store2" --listen 127.0.0.1:0
	refuses 2 sim.dir "${args[@]}" --platform "sim:$PWD/none" --store "dir:$PWD/store2" --listen 127.0.0.1:0
	refuses 3 key.kind "${args[@]}" --initial-owner-key share.pem --store "dir:$PWD/store2" --listen 127.0.0.1:0
	refuses 2 number "${args[@]}" --lifetime 0 --store "dir:$PWD/store2" --listen 127.0.0.1:0
}

@test "the service manager is told when it serves, and the unit that ships is sound" {
	command -v systemd-analyze >/dev/null || skip "systemd-analyze is absent"
	sed "/^Documentation=/d; s,^ExecStart=[^ ]*,ExecStart=$BUILD/bin/ctr-coordinatord," "$TOP/data/systemd/ctr-coordinatord.service" >ctr-coordinatord.service
	run systemd-analyze verify "$PWD/ctr-coordinatord.service"
	[[ $output != *ctr-coordinatord* ]] || fail "$output"
	# each option of the unit is one
	grep -o -- '--[a-z-]*' ctr-coordinatord.service | while read -r option; do
		ctr-coordinatord --help | grep -qF -- "$option" || fail "$option"
	done
}

@test "the service manager hears of ready and stopping" {
	perl -MSocket -e '$| = 1; alarm 30; socket(S, AF_UNIX, SOCK_DGRAM, 0) or die; bind(S, sockaddr_un("notify")) or die;
		for (1, 2) { recv(S, $m, 64, 0); print "$m\n" }' >heard 3>&- &
	listener=$!
	until [ -S notify ]; do sleep 0.05; done
	NOTIFY_SOCKET=$PWD/notify starts
	stops
	wait "$listener"
	[ "$(tr '\n' ' ' <heard)" = 'READY=1 STOPPING=1 ' ]
}
