#!/usr/bin/env bats
# lib/http_server.h with clients that others wrote: curl, ab, openssl s_client, bash.
load helpers

setup_file() {
	D=$BATS_FILE_TMPDIR
	export D
	openssl ecparam -name prime256v1 -genkey -noout -out "$D/key.pem"
	openssl req -x509 -new -key "$D/key.pem" -subj /CN=mesh -days 2 -out "$D/ca.pem" \
		-addext keyUsage=critical,keyCertSign
	openssl req -new -key "$D/key.pem" -subj /CN=pod -out "$D/pod.csr"
	openssl x509 -req -in "$D/pod.csr" -CA "$D/ca.pem" -CAkey "$D/key.pem" -days 2 -out "$D/pod.pem" \
		-extfile <(echo 'extendedKeyUsage=clientAuth,serverAuth
			subjectAltName=IP:127.0.0.1') 2>/dev/null
	mkfifo "$D/life"
	"$BUILD/sim/served" "$D/pod.pem" "$D/key.pem" "$D/ca.pem" <"$D/life" >"$D/ports" 3>&- &
	echo $! >"$D/pid"
	exec 9>"$D/life"
	for _ in {1..100}; do
		[ -s "$D/ports" ] && break
		sleep 0.05
	done
	read -r PORT TLS_PORT <"$D/ports"
	export PORT TLS_PORT
}

teardown_file() {
	exec 9>&-
	wait "$(cat "$D/pid")"
}

get() {
	curl -sS --noproxy '*' -m 20 "$@"
}

@test "curl: methods, keep-alive, chunks and 100-continue" {
	head -c 600000 /dev/zero | tr '\0' 1 >"$BATS_TEST_TMPDIR/body"
	url=http://127.0.0.1:$PORT
	[ "$(get "$url/quick")" = '{}' ]
	[ "$(get "$url/quick" "$url/quick" -w '%{num_connects} ' -o /dev/null -o /dev/null)" = '1 0 ' ]
	[ "$(get --http1.0 "$url/quick" -w '%{http_code}')" = $'{}\n200' ]
	get -I "$url/quick" | grep -q '^Content-Length: 3'
	for how in -H:x Transfer-Encoding:chunked Expect:100-continue; do
		get -H "$how" -H Content-Type:application/json --data-binary @"$BATS_TEST_TMPDIR/body" "$url/echo" |
			cmp - "$BATS_TEST_TMPDIR/body"
	done
	[ "$(get "$url/nothing" -w '%{http_code}')" = $'http.route\n404' ]
	[ "$(get -d x "$url/quick" -w '%{http_code}')" = $'http.method\n405' ]
	[ "$(get -d x "$url/echo" -w '%{http_code}')" = $'http.type\n415' ]
	cat "$BATS_TEST_TMPDIR"/body{,,} >"$BATS_TEST_TMPDIR/more"
	[ "$(get -H Content-Type:application/json --data-binary @"$BATS_TEST_TMPDIR/more" "$url/echo" -w '%{http_code}')" = $'http.body\n413' ]
	[ "$(get -H X:"$(head -c 20000 /dev/zero | tr '\0' 1)" "$url/quick" -w '%{http_code}')" = $'http.head\n431' ]
}

@test "curl: HTTP/2 without TLS stays HTTP/1.1, a proxy's absolute form is read" {
	[ "$(get --http2 "http://127.0.0.1:$PORT/quick" -w '%{http_version}')" = $'{}\n1.1' ]
	[ "$(curl -sS -m 20 --noproxy '' -x "127.0.0.1:$PORT" http://coordinator/quick)" = '{}' ]
}

@test "ab: many at once, none lost" {
	run -0 ab -q -k -n 20000 -c 50 "http://127.0.0.1:$PORT/quick"
	grep -q '^Complete requests: *20000$' <<<"$output"
	grep -q '^Failed requests: *0$' <<<"$output"
	[[ $output != *Non-2xx* ]]
	run -0 ab -q -n 2000 -c 50 "http://127.0.0.1:$PORT/who"
	grep -q '^Failed requests: *0$' <<<"$output"
}

@test "bash: a client that stops in the middle of its head is cut off, one that has hung up is not" {
	exec 8<>"/dev/tcp/127.0.0.1/$PORT"
	printf 'GET /quick HTTP/1.1\r\nHost' >&8
	run -0 timeout 10 cat <&8
	[ "${lines[0]}" = $'HTTP/1.1 408 Request Timeout\r' ]
	exec 8<&-
}

@test "curl and s_client: mutual TLS, and no plain HTTP where it is asked for" {
	url=https://127.0.0.1:$TLS_PORT
	pod=(--cacert "$D/ca.pem" --cert "$D/pod.pem" --key "$D/key.pem")
	size=$(openssl x509 -in "$D/pod.pem" -outform der | wc -c)
	[ "$(get "${pod[@]}" "$url/who")" = "$size" ]
	[ "$(get "${pod[@]}" "$url/quick" "$url/quick" -w '%{num_connects} ' -o /dev/null -o /dev/null)" = '1 0 ' ]
	run get --cacert "$D/ca.pem" "$url/who"
	[[ $status == 5[56] ]] # sending or receiving: whichever comes first
	run -35 get "${pod[@]}" --tls-max 1.2 "$url/who"
	run ! get "http://127.0.0.1:$TLS_PORT/quick"
	[[ $output != *HTTP/* ]]
	run -0 openssl s_client -connect "127.0.0.1:$TLS_PORT" -CAfile "$D/ca.pem" -cert "$D/pod.pem" \
		-key "$D/key.pem" -verify_return_error -ign_eof < <(printf 'GET /who HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
	[[ $output == *"New, TLSv1.3"* && $output == *$'\r\n\r\n'"$size"* ]]
	[[ $output != *"New Session Ticket"* ]]
}
