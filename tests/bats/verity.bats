#!/usr/bin/env bats
# --verity: layers that the host brings, held by their root hash. Requests are those of an ordinary life with the image
# brought in another way.
load helpers

setup_file() {
	load helpers
	tests/rego/run check >/dev/null 2>&1 || true # builds it
	export rego=$TOP/build/rego/release/ctr-rego
	ctr-policygen -q --verity --skip-initializer --format policy --image-layout "$IMAGES" <<-YAML \
		>"$BATS_FILE_TMPDIR/web.yaml"
		apiVersion: v1
		kind: Pod
		metadata:
		  name: web
		  namespace: shop
		spec:
		  runtimeClassName: contrast-cc
		  containers:
		  - name: web
		    image: registry.example/web:1.25
		    securityContext: { runAsUser: 101, runAsGroup: 101 }
	YAML
	awk '/agent.policy:/ { print $2 }' "$BATS_FILE_TMPDIR/web.yaml" | base64 -d >"$BATS_FILE_TMPDIR/policy.rego"
	# the requests up to and including the creation of the application container, which the last line is
	"$rego" requests "$BATS_FILE_TMPDIR/web.yaml" --images "$IMAGES" | jq -c . |
		jq -cs '. as $r | [$r | to_entries[] | select(.value.kind == "CreateContainerRequest")][1].key as $n | $r[:$n + 1][]' \
			>"$BATS_FILE_TMPDIR/pulled"
	grep -o '"vr":\["[0-9a-f"\n,]*' "$BATS_FILE_TMPDIR/policy.rego" | head -n 1 | grep -oE '[0-9a-f]{64}' |
		jq -R . | jq -cs . >"$BATS_FILE_TMPDIR/roots"
	jq -c --slurpfile roots "$BATS_FILE_TMPDIR/roots" --slurpfile all "$BATS_FILE_TMPDIR/pulled" -n '
		def storage: {driver: "erofs.multi-layer", driver_options: [], fs_group: null, shared: false};
		$all[:-1][], ($all[-1] | .request.storages |= (map(select(.driver != "image_guest_pull")) +
			[$roots[0] | to_entries[] | storage + {source: "0\(.key)/01", fstype: "erofs",
				options: ["X-kata.overlay-lower", "X-kata.multi-layer=true", "X-kata.dmverity-enabled=true",
					"X-kata.dmverity.roothash=\(.value)", "X-kata.dmverity.hashoffset=4096"]}] +
			[storage + {source: "0a/01", fstype: "ext4", driver_options: ["encryption_key=ephemeral", "create_filesystem"],
				options: ["X-kata.overlay-upper", "X-kata.multi-layer=true"]}])
			| .request.OCI.Root.Path as $root
			| .request.storages |= map(if .driver == "erofs.multi-layer" then .mount_point = $root else . end))' \
		>"$BATS_FILE_TMPDIR/brought"
}

# The last answer to the requests of FILE after the filter on the last request.
last() {
	jq -cs ".[:-1][], (.[-1] | $2)" "$BATS_FILE_TMPDIR/$1" >"$BATS_TEST_TMPDIR/requests"
	"$rego" eval "$BATS_FILE_TMPDIR/policy.rego" "$BATS_TEST_TMPDIR/requests" | tail -n 1
}

denied() {
	run -0 last brought "$1"
	jq -e --arg words "$2" '.allowed == false and .fault == null and (.words | test($words))' <<<"$output" ||
		fail "$output"
}

@test "the root hash is what veritysetup computes over the padded layer" {
	command -v veritysetup >/dev/null || skip "veritysetup is absent"
	layer=$(jq -r '.layers[0].digest' "$IMAGES/web/blobs/sha256/$(jq -r '.manifests[0].digest' "$IMAGES/web/index.json" | cut -d: -f2)")
	zcat <"$IMAGES/web/blobs/sha256/${layer#sha256:}" >"$BATS_TEST_TMPDIR/layer"
	truncate -s %4096 "$BATS_TEST_TMPDIR/layer"
	want=$(veritysetup format --salt="$(printf '%064d' 0)" "$BATS_TEST_TMPDIR/layer" "$BATS_TEST_TMPDIR/hash" |
		awk '/Root hash:/ { print $3 }')
	[ "$(jq -r '.[0]' "$BATS_FILE_TMPDIR/roots")" = "$want" ]
}

@test "an image that the guest pulls is still allowed" {
	run -0 last pulled .
	jq -e .allowed <<<"$output"
}

@test "layers with their root hashes are allowed" {
	run -0 last brought .
	jq -e .allowed <<<"$output"
}

@test "rejects: a layer of another root hash" {
	denied '(.request.storages[].options[]? | select(startswith("X-kata.dmverity.roothash="))) |= .[:-1] + "f"' '^image: layers:'
}

@test "rejects: a layer without dm-verity" {
	denied '.request.storages[].options -= ["X-kata.dmverity-enabled=true"]' '^image: layers with dm-verity:'
}

@test "rejects: a layer left out, and one too many" {
	denied 'del(.request.storages[] | select(.fstype == "erofs"))' '^image: layers:'
	denied '.request.storages |= map(if .fstype == "erofs" then ., . else . end)' '^image: layers:'
}

@test "rejects: two root hashes on one layer" {
	denied '(.request.storages[] | select(.fstype == "erofs").options) |= . + ["X-kata.dmverity.roothash=" + ("0" * 64)]' '^image: layers:'
}

@test "rejects: an upper layer that the host can read or fill" {
	denied '(.request.storages[] | select(.fstype == "ext4" and .driver == "erofs.multi-layer").driver_options) = ["create_filesystem"]' '^image: driver_options:'
	denied '(.request.storages[] | select(.fstype == "ext4" and .driver == "erofs.multi-layer").driver_options) = []' '^image: driver_options:'
}

@test "rejects: another option" {
	denied '(.request.storages[] | select(.fstype == "erofs").options) |= . + ["X-kata.dmverity.algorithm=md5"]' '^image: options:'
	denied '(.request.storages[] | select(.fstype == "erofs").options) |= . + ["suid"]' '^image: options:'
}
