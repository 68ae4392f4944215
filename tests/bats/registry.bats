#!/usr/bin/env bats
# lib/registry.c against Debian's docker-registry and against tests/sim/httpd, a registry that misbehaves.

bats_require_minimum_version 1.5.0

setup_file() {
	cd "$BATS_TEST_DIRNAME/../.." || return 1
	export REGGET=$PWD/${BUILD:-build}/sim/regget D=$BATS_FILE_TMPDIR
	export http_proxy=http://127.0.0.1:1 https_proxy=http://127.0.0.1:1 # must not be looked at
	make_certificates
	"${BUILD:-build}/sim/httpd" "$D/cert.pem" "$D/key.pem" >"$D/sim.log" 3>&- &
	echo $! >>"$D/pids"
	wait_for "$D/sim.log" MANIFEST=
	# shellcheck disable=SC2046
	export $(head -n 2 "$D/sim.log")
	export H=127.0.0.1:$MAIN O=127.0.0.1:$OTHER T=127.0.0.1:$TLS
	login "$H" alice:wonder >"$D/alice.json"
	login "$T" alice:wonder >"$D/alice-tls.json"
	if command -v docker-registry >/dev/null; then
		start_registries
	fi
}

teardown_file() {
	while read -r pid; do
		kill "$pid" 2>/dev/null || true
	done <"$D/pids"
}

# wait_for FILE TEXT: at most 10 s
wait_for() {
	for _ in {1..100}; do
		grep -q "$2" "$1" 2>/dev/null && return 0
		sleep 0.1
	done
	echo "no '$2' in $1" >&2
	return 1
}

# login HOST USER:PASSWORD
login() {
	printf '{"auths":{"%s":{"auth":"%s"}}}' "$1" "$(printf %s "$2" | base64)"
}

make_certificates() {
	openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=throw-away -days 2 \
		-keyout "$D/ca.key" -out "$D/ca.pem" 2>/dev/null
	openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=another -days 2 \
		-keyout "$D/other.key" -out "$D/other-ca.pem" 2>/dev/null
	openssl req -newkey rsa:2048 -nodes -subj /CN=registry -keyout "$D/key.pem" -out "$D/csr.pem" 2>/dev/null
	openssl x509 -req -in "$D/csr.pem" -CA "$D/ca.pem" -CAkey "$D/ca.key" -CAcreateserial -days 2 \
		-extfile <(echo subjectAltName=IP:127.0.0.1) -out "$D/cert.pem" 2>/dev/null
}

# registry NAME: one docker-registry on a free port, its address in $D/NAME.addr; more configuration on stdin
registry() {
	{
		printf 'version: 0.1\nlog: {level: info, formatter: text}\n'
		printf 'storage: {filesystem: {rootdirectory: %s/%s.store}}\n' "$D" "$1"
		cat
	} >"$D/$1.yml"
	docker-registry serve "$D/$1.yml" >"$D/$1.log" 2>&1 3>&- &
	echo $! >>"$D/pids"
	wait_for "$D/$1.log" 'listening on'
	sed -n 's/.*listening on \(127[0-9.:]*\).*/\1/p' "$D/$1.log" >"$D/$1.addr"
}

start_registries() {
	# shellcheck disable=SC2016
	perl -e 'print "bob:", crypt("builder", q($2y$05$abcdefghijklmnopqrstuu)), "\n"' >"$D/htpasswd"
	registry open <<<'http: {addr: "127.0.0.1:0"}'
	registry tls <<-END
		http: {addr: "127.0.0.1:0", tls: {certificate: $D/cert.pem, key: $D/key.pem}}
		auth: {htpasswd: {realm: test, path: $D/htpasswd}}
	END
	OPEN=$(cat "$D/open.addr") SECURE=$(cat "$D/tls.addr")
	export OPEN SECURE
	umoci init --layout "$D/img" && umoci new --image "$D/img:one"
	head -c 3000000 /dev/urandom >"$D/data"
	umoci insert --image "$D/img:one" "$D/data" /data
	umoci insert --image "$D/img:one" "$BATS_TEST_FILENAME" /etc/test
	skopeo copy -q --dest-tls-verify=false "oci:$D/img:one" "docker://$OPEN/team/app:one"
	skopeo copy -q --dest-tls-verify=false --dest-creds bob:builder "oci:$D/img:one" "docker://$SECURE/team/app:one"
	DIGEST=$(skopeo inspect --tls-verify=false --format '{{.Digest}}' "docker://$OPEN/team/app:one")
	export DIGEST
}

need_registry() {
	[ -n "$OPEN" ] || skip "docker-registry is absent"
}

# shellcheck disable=SC2154 # stderr and stderr_lines are set by run
# get STATUS ARGUMENT...: runs regget; $output and $stderr are its own; secrets never show
get() {
	local want=$1
	shift
	seen=$(wc -l <"$D/sim.log")
	run "-$want" --separate-stderr "$REGGET" --errors=json --tries 2 "$@"
	[[ $stderr$output != *wonder* && $stderr$output != *builder* && $stderr$output != *secret* ]]
	[[ $stderr$output != *YWxpY2U6d29uZGVy* && $stderr$output != *tok-* ]]
}

# The simulator's log since the last get.
asked() {
	tail -n "+$((seen + 1))" "$D/sim.log"
}

# shellcheck disable=SC2154
id() {
	[[ ${stderr_lines[-1]} == *"\"id\":\"$1\""* ]]
}

# shellcheck disable=SC2154
says() {
	[[ $stderr == *"$1"* ]]
}

@test "plain HTTP: a tag, a digest and all blobs at once" {
	need_registry
	get 0 --plain "$OPEN" --blobs "$OPEN" team/app one
	[[ ${lines[0]} == "manifest $DIGEST "* ]]
	[ "$(grep -c ^blob <<<"$output")" -eq 3 ]
	[ "${lines[-1]}" = "requests 4" ]
	get 0 --plain "$OPEN" "$OPEN" team/app "$DIGEST"
	[[ ${lines[0]} == "manifest $DIGEST "* ]]
}

@test "not found: tag, digest, repository, blob" {
	need_registry
	none=sha256:$(printf '%064d' 0)
	get 1 --plain "$OPEN" "$OPEN" team/app two
	get 1 --plain "$OPEN" "$OPEN" team/app "$none"
	get 1 --plain "$OPEN" "$OPEN" team/none one
	get 1 --plain "$OPEN" --blob "$none,5" "$OPEN" team/app one
}

@test "HTTPS with a CA of one's own, htpasswd" {
	need_registry
	login "$SECURE" bob:builder >"$D/bob.json"
	get 0 --ca "$D/ca.pem" --creds "$D/bob.json" --blobs "$SECURE" team/app one
	[[ ${lines[0]} == "manifest $DIGEST "* ]]
	[ "${lines[-1]}" = "requests 5" ]
}

@test "lesson: a bare Unauthorized" {
	need_registry
	echo '{}' >"$D/empty.json"
	login "$SECURE" bob:hunter2 >"$D/wrong.json"
	get 4 --ca "$D/ca.pem" --creds "$D/empty.json" "$SECURE" team/app one
	id registry.auth
	says "$SECURE/team/app"
	says "found no credentials for $SECURE (looked in $D/empty.json)"
	get 4 --ca "$D/ca.pem" --creds "$D/wrong.json" "$SECURE" team/app one
	id registry.auth
	says "tried the credentials from $D/wrong.json (entry \\\"$SECURE\\\")"
	[[ $stderr != *hunter2* ]]
}

@test "TLS: unknown CA, another CA, another host, plain HTTP port" {
	get 4 "$T" ok/x latest
	id registry.tls
	get 4 --ca "$D/other-ca.pem" "$T" ok/x latest
	id registry.tls
	get 4 --ca "$D/ca.pem" "localhost:$TLS" ok/x latest
	id registry.tls
	says "localhost:$TLS"
	get 4 --ca "$D/ca.pem" "$H" ok/x latest
	id registry.tls
	[ -z "$(asked)" ]
	get 0 --ca "$D/ca.pem" --blobs "$T" ok/x latest
}

@test "nobody there" {
	get 4 --plain 127.0.0.1:1 127.0.0.1:1 ok/x latest
	id registry.connect
	get 4 --proxy http://127.0.0.1:1 --plain "$H" "$H" ok/x latest
	id registry.connect
	get 4 registry.invalid ok/x latest
	id registry.connect
}

@test "Bearer: with credentials, with an identity token, anonymous" {
	printf '{"auths":{"%s":{"identitytoken":"refresh/secret"}}}' "$H" >"$D/identity.json"
	get 0 --plain "$H" --creds "$D/alice.json" --blobs "$H" alice/x latest
	[ "$(asked | grep -c ' /token')" -eq 1 ]
	asked | grep -q 'GET /token?service=sim&scope=repository%3Aalice%2Fx%3Apull auth=alice:wonder'
	get 0 --plain "$H" --creds "$D/identity.json" "$H" alice/x latest
	asked | grep -q 'POST /token auth=none'
	get 0 --plain "$H" "$H" anon/x latest
	get 0 --ca "$D/ca.pem" --creds "$D/alice-tls.json" --blobs "$T" alice/x latest
}

@test "a token that no longer works is renewed once" {
	get 0 --plain "$H" --blobs "$H" twice/x latest
	[ "$(asked | grep -c ' /token')" -eq 2 ]
	[ "$(asked | wc -l)" -eq 7 ]
	get 4 --plain "$H" --creds "$D/alice.json" "$H" never/x latest
	id registry.auth
	[ "$(asked | wc -l)" -eq 3 ]
}

@test "lesson: credentials for look-alike hosts" {
	# another port, another name of the same machine: somebody else
	for host in "$O" "localhost:$MAIN"; do
		get 4 --plain "$host" --creds "$D/alice.json" "$host" login/x latest
		id registry.auth
		says "found no credentials for $host"
		[[ $(asked) == *auth=none* && $(asked) != *alice* ]]
	done
}

@test "a token server gets credentials only where it may" {
	get 3 --plain "$H" --creds "$D/alice.json" "$H" evil/x latest
	id registry.realm
	says localhost
	[[ $(asked) != *token* ]]
	get 3 --ca "$D/ca.pem" --creds "$D/alice-tls.json" "$T" plainrealm/x latest
	id registry.realm
	get 3 --ca "$D/ca.pem" "$T" plainrealm/x latest
	id registry.realm
	[[ $(asked) != *token* ]]
}

@test "broken challenges and tokens" {
	get 3 --plain "$H" "$H" badchallenge/x latest
	id registry.challenge
	get 3 --plain "$H" "$H" odd/x latest
	id registry.challenge
	get 3 --plain "$H" "$H" badtoken/x latest
	id registry.token
}

@test "redirects: credentials stay at their origin" {
	get 0 --plain "$H" --creds "$D/alice.json" "$H" hop/x latest
	asked | grep -q 'main GET /v2/hop/x/manifests/latest auth=alice:wonder'
	asked | grep -q 'other GET /v2/ok/x/manifests/latest?sig=signature-secret auth=none'
	get 0 --plain "$H" --creds "$D/alice.json" --blob "$LAYER,300000" "$H" hop/x latest
	asked | grep -q "other GET /v2/ok/x/blobs/$LAYER?sig=signature-secret auth=none"
	get 0 --plain "$H" --creds "$D/alice.json" "$H" back/x latest
	asked | grep -q 'main GET /v2/ok/x/manifests/latest auth=none'
	get 0 --plain "$H" --creds "$D/alice.json" "$H" stay/x latest
	asked | grep -q 'main GET /v2/login/x/manifests/latest auth=alice:wonder'
}

@test "redirects: a challenge from elsewhere gets no answer" {
	get 4 --plain "$H" --creds "$D/alice.json" "$H" cdn401/x latest
	id registry.http
	[[ $(asked) != *alice:* ]]
	[ "$(asked | wc -l)" -eq 2 ]
}

@test "redirects: to a file, to plain HTTP, without end" {
	get 4 --plain "$H" "$H" file/x latest
	id registry.http
	get 4 --ca "$D/ca.pem" "$T" tohttp/x latest
	id registry.http
	says "expected the same scheme"
	[ "$(asked | wc -l)" -eq 1 ]
	get 4 --plain "$H" "$H" loop/x latest
	id registry.http
	[ "$(asked | wc -l)" -eq 6 ]
}

@test "too busy: waits as told, then gives up" {
	local start=$SECONDS
	get 0 -v --plain "$H" "$H" busy/x latest
	says "next try in 1000 ms"
	[ $((SECONDS - start)) -ge 1 ]
	get 4 --plain "$H" "$H" down/x latest
	id registry.http
	says "status 503"
	[ "$(asked | wc -l)" -eq 2 ]
}

@test "a transfer that breaks is taken up again, or is an error" {
	get 0 --plain "$H" --blob "$LAYER,300000" "$H" flaky/x latest
	asked | grep -q 'range=bytes=150000-'
	get 0 --plain "$H" --blob "$LAYER,300000" "$H" flaky200/x latest
	get 4 --plain "$H" --blob "$LAYER,300000" "$H" shifted/x latest
	id registry.http
	get 4 --plain "$H" --blob "$LAYER,300000" "$H" short/x latest
	id registry.http
	get 4 --plain "$H" "$H" short/x latest
	id registry.http
}

@test "content that is not what was asked for" {
	get 3 --plain "$H" --blob "$LAYER,300000" "$H" wrong/x latest
	id image.digest
	get 3 --plain "$H" --blob "$LAYER,299999" "$H" ok/x latest
	id image.size
	get 3 --plain "$H" --blob "$LAYER,300001" "$H" ok/x latest
	id image.size
	get 3 --plain "$H" --blob "$LAYER,300000" "$H" tail/x latest
	id image.size
	get 3 --plain "$H" "$H" wrong/x "$MANIFEST"
	id image.digest
	get 3 --plain "$H" "$H" liar/x latest
	id image.digest
	says "as its header says"
}

@test "answers without end" {
	get 3 --plain "$H" "$H" huge/x latest
	id limit
	get 3 --plain "$H" --blob "$LAYER,300000" "$H" huge/x latest
	id image.size
	get 4 --plain "$H" "$H" hugeerror/x latest
	id registry.http
}

@test "answers that do not come; an interrupt" {
	get 4 --plain "$H" --total 1 --tries 1 "$H" slow/x latest
	id registry.http
	"$REGGET" --errors=json --plain "$H" "$H" slow/x latest >"$D/out" 2>"$D/err" 3>&- &
	pid=$!
	sleep 0.5
	kill -TERM "$pid"
	rc=0
	wait "$pid" || rc=$?
	[ "$rc" -eq 4 ]
	grep -q http.stopped "$D/err"
}

@test "refused: 403 names what to check" {
	get 4 --plain "$H" "$H" forbidden/x latest
	id registry.auth
	says "check the image's name and the login"
	get 1 --plain "$H" "$H" gone/x latest
}

@test "mirrors: first the mirror, then the registry" {
	m=$O=http://$H/as
	get 0 -v --plain "$O" --mirror "$m/ok/" --blobs "$O" ok/x latest
	[[ $(asked) != *other* ]]
	says "is what the mirror $H says it is"
	for how in gone down forbidden login short slow; do
		get 0 -v --plain "$O" --total 1 --mirror "$m/$how" "$O" ok/x latest
		says "mirror $H passed over"
		asked | grep -q "main GET /v2/as/$how/ok/x/manifests/latest"
		[[ $(asked) == *"other GET"* ]]
	done
	get 0 --plain "$O" --mirror "$m/gone" --blob "$CONFIG,37" "$O" ok/x latest
	[[ $(asked) == *"other GET"* ]]
	get 0 --plain "$O" --mirror "$O=http://127.0.0.1:1" --mirror "$m/ok" "$O" ok/x latest
	[[ $(asked) != *other* ]]
}

@test "mirrors: other content is never taken" {
	m=$O=http://$H/as
	get 0 --plain "$O" --mirror "$m/wrong" "$O" ok/x "$MANIFEST"
	says warning
	get 3 --plain "$O" --mirror "$m/wrong" --blob "$LAYER,300000" "$O" ok/x latest
	id image.digest
}

@test "mirrors: credentials are the mirror's own" {
	login "$O" alice:wonder >"$D/origin.json"
	get 0 --plain "$O" --creds "$D/origin.json" --mirror "$O=http://$H/as/login" "$O" login/x latest
	[[ $(asked | grep main) != *alice:* ]]
	get 0 --plain "$O" --creds "$D/alice.json" --mirror "$O=http://$H/as/login" "$O" login/x latest
	[[ $(asked) != *other* ]]
}

@test "mirrors: entries that are none" {
	for m in x "=https://a" "$O=" "$O=ftp://a" "$O=https://" "$O=https:///a" \
		"$O=https://user:secret@a/" "$O=https://a/?q" "$O=https://a#f"; do
		get 2 --mirror "$m" "$O" ok/x latest
		[[ $stderr == *registry.mirror* ]]
	done
}

@test "references that would leave the repository" {
	for r in "ok/x/../../y" "OK" "a?b" "a#b" "a b" "a%2fb"; do
		get 3 --plain "$H" "$H" "$r" latest
		id image.ref
	done
	get 3 --plain "$H" "$H" ok/x "a/b"
	id image.ref
	get 3 --plain "$H" "$H/x" ok/x latest
	id image.ref
	get 3 --plain "$H" "user@$H" ok/x latest
	id image.ref
	[ -z "$(asked)" ]
}

@test "without libcurl it says so" {
	mkdir -p "$D/lib"
	echo none >"$D/lib/libcurl.so.4"
	LD_LIBRARY_PATH=$D/lib get 4 --plain "$H" "$H" ok/x latest
	id http.library
	says "install libcurl4"
}
