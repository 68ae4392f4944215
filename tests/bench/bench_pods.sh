# Policy generation with images at hand: pods a second and core, and memory that does not grow with the stream.
# shellcheck shell=bash
source "$(dirname "$0")/helpers.bash"
[ -x "$BIN/ctr-policygen" ] || exit 0
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
export XDG_CACHE_HOME=$tmp

stream() { # N: so many two-container Deployments
	awk -v n="$1" '/^---/ { part++ } part == 2 { text = text $0 "\n" } END {
		for (i = 0; i < n; i++) {
			copy = text
			gsub(/name: web\n/, "name: web" i "\n", copy)
			printf "%s", copy
		}
	}' k8s/examples/web.yaml | cat <(sed -n '/^kind: ConfigMap/,/^---/p' k8s/examples/web.yaml |
		sed '1i apiVersion: v1' | sed '$d') - >"$tmp/$1.yaml"
}

stream 1000
stream 2000
stream 10000
generate=(ctr-policygen -q --image-layout "$IMAGES" --initializer-image registry.example/initializer:0.1.0
	--mesh-image registry.example/mesh-proxy:0.1.0)
rate=$(ratio 2000 "$(cpu "${generate[@]}" "$tmp/2000.yaml")" 0)
echo "pods: $rate/s a core, ratio $(ratio "$rate" 2000) (bound: 1 = 2000/s)"
few=$(rss "${generate[@]}" "$tmp/1000.yaml")
many=$(rss "${generate[@]}" "$tmp/10000.yaml")
echo "memory for 10000 documents: $many KiB, ratio $(ratio "$many" "$few") to 1000 documents (bound: 65536 KiB)"
