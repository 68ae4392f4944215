#!/usr/bin/env bats
# ctr-policygen over images as other tools make them: layouts by skopeo, a registry, the cache.
load helpers

setup_file() {
	command -v skopeo >/dev/null || skip "skopeo is absent"
	export D=$BATS_FILE_TMPDIR WEB=registry.example/web:1.25
	pod "$WEB" >"$D/pod.yaml"
	if command -v docker-registry >/dev/null; then
		start_registry
	fi
}

teardown_file() {
	[ -z "${PID:-}" ] || kill "$PID" 2>/dev/null || true
}

pod() { # IMAGE
	printf '%s\n' 'apiVersion: v1' 'kind: Pod' 'metadata:' '  name: a' 'spec:' '  runtimeClassName: kata-cc' \
		'  containers:' '  - name: c' "    image: $1"
}

start_registry() {
	printf 'version: 0.1\nlog: {level: info, formatter: text}\nhttp: {addr: "127.0.0.1:0"}\n%s\n' \
		"storage: {filesystem: {rootdirectory: $D/store}}" >"$D/registry.yml"
	docker-registry serve "$D/registry.yml" >"$D/registry.log" 2>&1 3>&- &
	export PID=$!
	for _ in {1..100}; do
		grep -q 'listening on' "$D/registry.log" && break
		sleep 0.1
	done
	HOST=$(sed -n 's/.*listening on \(127[0-9.:]*\).*/\1/p' "$D/registry.log")
	export HOST
}

# policy LAYOUTS [ARGUMENT...]: the pod on stdin through the tool, with neither network nor cache
policy() {
	local layouts=$1
	shift
	ctr-policygen -q --errors=json --offline --no-cache --skip-initializer --settings "$D/settings.json" \
		--image-layout "$layouts" --image-layout "$BUILD/images" "$@"
}

# layout_of_dir DIR LAYOUT: skopeo packs whatever it writes to a layout, so the plain one is put together here
layout_of_dir() {
	local digest
	digest=$(sha256sum <"$1/manifest.json" | cut -d' ' -f1)
	mkdir -p "$2/blobs/sha256"
	cp "$1"/[0-9a-f]* "$2/blobs/sha256/"
	mv "$1/manifest.json" "$2/blobs/sha256/$digest"
	echo '{"imageLayoutVersion":"1.0.0"}' >"$2/oci-layout"
	jq -n --arg d "sha256:$digest" --argjson n "$(stat -c %s "$2/blobs/sha256/$digest")" --arg ref "$WEB" \
		'{schemaVersion: 2, manifests: [{mediaType: "application/vnd.oci.image.manifest.v1+json", digest: $d,
		size: $n, annotations: {"org.opencontainers.image.ref.name": $ref}}]}' >"$2/index.json"
}

setup() {
	# the pause image is asked for too, wherever it comes from
	echo '{"pause_image": "registry.example/pause:3.9"}' >"$D/settings.json"
}

@test "layers: plain, gzip and zstd give the same accounts" {
	local pack
	skopeo copy -q --dest-decompress "oci:$IMAGES/web" "dir:$D/plain"
	layout_of_dir "$D/plain" "$D/tar"
	skopeo copy -q --dest-compress-format zstd "oci:$IMAGES/web" "oci:$D/tar+zstd:$WEB"
	skopeo copy -q "oci:$IMAGES/web" "oci:$D/tar+gzip:$WEB"
	for pack in tar tar+gzip tar+zstd; do
		grep -aqF "layer.v1.$pack\"" "$D/$pack"/blobs/sha256/*
		policy "$D/$pack" --format policy "$D/pod.yaml" |
			sed -n 's,.*agent.policy: "*\([A-Za-z0-9+/=]*\).*,\1,p' | base64 -d >"$D/$pack.rego"
		grep -qF '"u":[101,101,[101]]' "$D/$pack.rego" # ids that only the image's files know
		sed 's/sha256:[0-9a-f]*/DIGEST/g' "$D/$pack.rego" >"$D/$pack.same"
	done
	cmp "$D/tar.same" "$D/tar+gzip.same"
	cmp "$D/tar.same" "$D/tar+zstd.same"
}

@test "names: a bare tag counts with the layout's directory" {
	mkdir -p "$D/tags"
	skopeo copy -q "oci:$IMAGES/web" "oci:$D/tags/web:1.25"
	pod web:1.25 | policy "$D/tags" | grep -q 'image: web:1.25@sha256:'
	pod other.example/web:1.25 >"$D/other.yaml"
	refuses 4 image.missing policy "$D/tags" "$D/other.yaml"
	[[ $stderr == *"$D/tags"* ]]
}

@test "an image that is nowhere" {
	pod registry.example/nothing:1 >"$D/missing.yaml"
	refuses 4 image.missing policy "$IMAGES" "$D/missing.yaml"
	[[ $stderr == *registry.example/nothing:1* ]]
	pod "$WEB@sha256:$(printf %064d 0)" >"$D/missing.yaml"
	refuses 4 image.missing policy "$IMAGES" "$D/missing.yaml"
	pod 'Web:1' >"$D/missing.yaml"
	refuses 3 image.ref policy "$IMAGES" "$D/missing.yaml"
	refuses 4 image.layout policy "$D/no-such-directory" "$D/pod.yaml"
}

@test "other content than the digest says" {
	local digest blob layer
	cp -r "$IMAGES/web" "$D/forged"
	chmod -R u+w "$D/forged"
	digest=$(jq -r '.manifests[0].digest' "$D/forged/index.json")
	blob=$D/forged/blobs/sha256/${digest#sha256:}
	layer=$(jq -r '.layers[1].digest' "$blob")
	sed -i 's/"schemaVersion":2/"schemaVersion": 2/' "$blob"
	pod "$WEB@$digest" >"$D/forged.yaml"
	refuses 3 image.digest policy "$D/forged" "$D/forged.yaml"
	refuses 3 image.size policy "$D/forged" "$D/pod.yaml"
	cp "$IMAGES/web/blobs/sha256/${digest#sha256:}" "$blob"
	policy "$D/forged" "$D/forged.yaml" >/dev/null
	printf x | dd of="$D/forged/blobs/sha256/${layer#sha256:}" bs=1 seek=30 conv=notrunc status=none
	run -3 --separate-stderr policy "$D/forged" "$D/forged.yaml"
	[ -z "$output" ]
	[[ $stderr == *"$layer"* && $stderr == *"$WEB"* ]]
}

@test "another platform" {
	refuses 3 image.platform policy "$IMAGES" --platform linux/arm64 "$D/pod.yaml"
	refuses 2 platform policy "$IMAGES" --platform arm64 "$D/pod.yaml"
}

@test "lesson: determinism" {
	policy "$IMAGES" "$D/pod.yaml" >"$D/one"
	taskset -c 0 env LC_ALL=C.UTF-8 ctr-policygen -q --errors=json --offline --no-cache --skip-initializer \
		--settings "$D/settings.json" --image-layout "$IMAGES" "$D/pod.yaml" >"$D/two"
	cmp "$D/one" "$D/two"
}

@test "cache: the second run needs no registry" {
	[ -n "${HOST:-}" ] || skip "docker-registry is absent"
	skopeo copy -q --dest-tls-verify=false "oci:$IMAGES/web" "docker://$HOST/team/web:1.25"
	skopeo copy -q --dest-tls-verify=false --format v2s2 "oci:$IMAGES/postgres" "docker://$HOST/team/db:16"
	{
		pod "$HOST/team/web:1.25"
		echo ---
		pod "$HOST/team/db:16" | sed 's/name: a/name: b/'
	} >"$D/remote.yaml"
	cached=(ctr-policygen -q --errors=json --skip-initializer --settings "$D/settings.json" --image-layout "$IMAGES"
		--plain-http "$HOST" --cache "$D/cache")
	"${cached[@]}" "$D/remote.yaml" >"$D/first"
	grep -q "$HOST/team/db:16@sha256:" "$D/first"
	# several at once, in an empty cache
	for i in 1 2 3 4; do
		"${cached[@]}" --cache "$D/shared" "$D/remote.yaml" >"$D/at-once.$i" &
		pids[i]=$!
	done
	wait "${pids[@]}"
	for i in 1 2 3 4; do
		cmp "$D/first" "$D/at-once.$i"
	done
	[ -z "$(find "$D/shared" -type f -perm /077)" ]
	before=$(wc -l <"$D/registry.log")
	"${cached[@]}" "$D/remote.yaml" >"$D/second"
	[ "$(wc -l <"$D/registry.log")" -eq "$before" ]
	cmp "$D/first" "$D/second"
	kill "$PID"
	"${cached[@]}" --verity "$D/pod.yaml" >/dev/null # what the layouts have needs no registry
	"${cached[@]}" "$D/remote.yaml" | cmp - "$D/first"
	# spoilt or not ours: it is not used
	find "$D/cache/blobs" -type f -exec sh -c 'echo >>"$1"' _ {} \;
	run -4 "${cached[@]}" "$D/remote.yaml"
	chmod o+w "$D/cache"
	refuses 4 cache.owner "${cached[@]}" "$D/remote.yaml"
}
