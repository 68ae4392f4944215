#!/usr/bin/env bats
# ctr-node-install install: files from the web and from registries, served by tests/sim/httpd, which misbehaves, and by
# docker-registry.
load helpers
load node-install

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return
	unset http_proxy https_proxy HTTPS_PROXY
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=127.0.0.1 -days 2 \
		-addext subjectAltName=IP:127.0.0.1 -keyout key.pem -out cert.pem 2>/dev/null
	"$BUILD/sim/httpd" cert.pem key.pem >sim.log 3>&- &
	echo $! >>pids
	wait_for sim.log LAYER=
	export "$(head -n 1 sim.log | grep -o 'TLS=[0-9]*')" "$(grep -o 'LAYER=[^ ]*' sim.log)" "$(grep -o 'MANIFEST=[^ ]*' sim.log)"
	export D=$BATS_FILE_TMPDIR
}

teardown_file() {
	local pid
	while read -r pid; do
		kill "$pid" 2>/dev/null || true
	done <"$BATS_FILE_TMPDIR/pids"
}

wait_for() { # FILE TEXT: at most 10 s
	for _ in {1..100}; do
		! grep -q "$2" "$1" 2>/dev/null || return 0
		sleep 0.1
	done
	fail "no '$2' in $1"
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	unset http_proxy https_proxy HTTPS_PROXY
	runtime
	wild kubeadm
	play_systemctl
	sri=$(sri_of "$LAYER")
	seen=$(wc -l <"$D/sim.log")
}

sri_of() { # sha256:HEX
	echo "sha256-$(xxd -r -p <<<"${1#sha256:}" | base64 -w0)"
}

asked() { # the server's log of this test
	tail -n "+$((seen + 1))" "$D/sim.log"
}

from() { # URL: web.json, with one file from there
	jq --arg url "$1" --arg sri "$sri" '.files[0] |= (.url = $url | .integrity = $sri)' runtime.json >web.json
}

web() { # BEHAVIOUR
	from "https://127.0.0.1:$TLS/v2/$1/x/blobs/$LAYER"
}

oci() { # BEHAVIOUR [#NAME]
	from "oci://127.0.0.1:$TLS/$1/x@$MANIFEST${2-}"
}

get=(ctr-node-install install --root node --config web.json --errors=json)

# refused STATUS ID: and the node is as it was
refused() {
	tree >before
	refuses "$1" "$2" "${get[@]}" --ca-file "$D/cert.pem"
	tree | diff before -
}

there() {
	config=web.json run -0 --separate-stderr install --ca-file "$D/cert.pem" "$@"
	[ "sha256:$(sha256sum <node/opt/ctr/kata-cc-*/bin/containerd-shim-kata-v2 | cut -d' ' -f1)" = "$LAYER" ]
}

@test "https: refused when the file is another, is not there, or the server is" {
	web gone && refused 4 fetch.status
	web wrong && refused 1 integrity
	web tail && refused 1 integrity
	web ok
	refuses 4 http.tls "${get[@]}"
}

@test "https: a transfer that breaks goes on where it broke, whatever the server makes of that" {
	web flaky && there
	asked | grep -q 'flaky.*range=bytes=150000-'
	config=web.json ok install --ca-file "$D/cert.pem"
	rm -rf node && wild kubeadm
	web flaky200 && there # it sends all of it again
	[ "$(asked | grep -c flaky200)" -eq 2 ]
	rm -rf node && wild kubeadm
	web shifted && refused 4 http.transfer
	web short && refused 4 http.short
}

@test "oci: the only file of an artifact, streamed and resumed as from the web" {
	oci ok && there
	rm -rf node && wild kubeadm
	oci flaky && there
	asked | grep -q 'flaky/x/blobs.*range=bytes=150000-'
	config=web.json ok install --ca-file "$D/cert.pem"
}

@test "oci: refused when it is not there, another, or not the file that integrity asks for" {
	oci gone && refused 4 fetch.missing
	oci forbidden && refused 4 registry.auth
	oci wrong && refused 3 image.digest
	oci liar && refused 3 image.digest
	oci shifted && refused 4 registry.http
	oci ok '#kernel' && refused 3 artifact.layer
	oci ok
	refuses 4 registry.tls "${get[@]}"
	sri=sha256-$(openssl dgst -sha256 -binary runtime.json | base64 -w0)
	oci ok && refused 1 integrity
}

@test "oci: a reference that cannot be, or without integrity" {
	local u
	for u in oci:// oci://x oci://r.example/x oci://r.example/x:1 "oci://r.example/x@sha256:00" "oci://r.example/X@$MANIFEST" \
		"oci://$MANIFEST" "oci://r.example/x@$MANIFEST#" "oci://u:p@r.example/x@$MANIFEST"; do
		from "$u" && refused 3 config.url
	done
	oci ok
	jq 'del(.files[0].integrity)' web.json >x && mv x web.json
	refused 3 config.integrity
}

@test "oci: the login of Docker's configuration is used, and shows nowhere" {
	oci login && refused 4 registry.auth
	mkdir docker
	printf '{"auths":{"127.0.0.1:%s":{"auth":"%s"}}}' "$TLS" "$(printf alice:wonder | base64)" >docker/config.json
	DOCKER_CONFIG=$PWD/docker there --verbose
	[[ $stderr$output != *wonder* && $stderr$output != *YWxpY2U6d29uZGVy* ]]
	run -1 grep -rq wonder node
}

@test "oci: a file by its title, of an artifact of several in a registry of Debian's" {
	command -v docker-registry >/dev/null || skip "docker-registry is absent"
	local a digest f layers=''
	printf 'version: 0.1\nlog: {level: info, formatter: text}\nstorage: {filesystem: {rootdirectory: %s/store}}\n' "$PWD" >r.yml
	printf 'http: {addr: "127.0.0.1:0", tls: {certificate: %s/cert.pem, key: %s/key.pem}}\n' "$D" "$D" >>r.yml
	docker-registry serve r.yml >r.log 2>&1 3>&- &
	echo $! >>"$D/pids"
	wait_for r.log 'listening on'
	a=$(sed -n 's/.*listening on \(127[0-9.:]*\).*/\1/p' r.log)
	blob() { # FILE: into the registry; its descriptor
		local at d
		d=sha256:$(sha256sum <"$1" | cut -d' ' -f1)
		at=$(curl -sS --cacert "$D/cert.pem" -D- -o /dev/null -X POST "https://$a/v2/kata/x/blobs/uploads/" | tr -d '\r' |
			sed -n 's/^[Ll]ocation: //p')
		curl -sSf --cacert "$D/cert.pem" -X PUT -H 'Content-Type: application/octet-stream' --data-binary "@$1" "$at&digest=$d"
		jq -nc --arg d "$d" --arg t "$1" --argjson n "$(stat -c %s "$1")" \
			'{mediaType: "application/octet-stream", digest: $d, size: $n, annotations: {"org.opencontainers.image.title": $t}}'
	}
	printf '{}' >config
	head -c 400000 /dev/urandom >shim
	echo kernel >vmlinuz
	for f in vmlinuz shim; do layers+=$(blob $f); done
	jq -sc --argjson c "$(blob config)" '{schemaVersion: 2, mediaType: "application/vnd.oci.image.manifest.v1+json",
		config: ($c | .mediaType = "application/vnd.oci.empty.v1+json"), layers: .}' <<<"$layers" >manifest
	digest=sha256:$(sha256sum <manifest | cut -d' ' -f1)
	curl -sSf --cacert "$D/cert.pem" -X PUT -H 'Content-Type: application/vnd.oci.image.manifest.v1+json' --data-binary @manifest \
		"https://$a/v2/kata/x/manifests/1.0"
	sri=$(sri_of "$(sha256sum <shim)")
	from "oci://$a/kata/x:1.0@$digest#shim"
	config=web.json run -0 install --ca-file "$D/cert.pem"
	cmp shim node/opt/ctr/kata-cc-*/bin/containerd-shim-kata-v2
	rm -rf node && wild kubeadm
	from "oci://$a/kata/x@$digest" && refused 3 artifact.layer
	from "oci://$a/kata/x@$digest#vmlinuz" && refused 1 integrity
	from "oci://$a/kata/x@${digest%?????}00000#shim" && refused 4 fetch.missing
}

@test "progress of downloads: as JSON, on request, and not of files of the machine" {
	oci ok
	there --progress=json
	jq -es --argjson n 300000 'map(select(.level == "progress")) | last | .what == "bin/containerd-shim-kata-v2" and .done == $n and .total == $n' \
		<<<"$stderr"
	rm -rf node && wild kubeadm
	web ok
	there --progress=json
	jq -es 'map(select(.level == "progress")) | last | .done == 300000 and (has("total") | not)' <<<"$stderr"
	rm -rf node && wild kubeadm
	config=runtime.json ok install --progress=json --quiet
	refuses 2 usage "${get[@]}" --progress=much
}
