# For the BATS files of ctr-policygen, after helpers: small pods, small images, and what a policy holds.
# shellcheck shell=bash disable=SC2034
loud=(ctr-policygen --errors=json --offline --skip-initializer --image-layout "$IMAGES")
gen=("${loud[@]}" -q)
adds=(ctr-policygen -q --errors=json --offline --image-layout "$IMAGES"
	--initializer-image registry.example/initializer:0.1.0 --mesh-image registry.example/mesh-proxy:0.1.0)

# pod [SPEC [CONTAINER]]: a Pod whose spec gets the lines of $1 and whose container those of $2; $image, $class.
pod() {
	printf 'apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\n  namespace: ns\nspec:\n  runtimeClassName: %s\n' \
		"${class-contrast-cc}"
	[ -z "${1-}" ] || printf '  %s\n' "${1//$'\n'/$'\n'  }"
	printf '  containers:\n  - name: c\n    image: %s\n' "${image-registry.example/tools:1.0}"
	[ -z "${2-}" ] || printf '    %s\n' "${2//$'\n'/$'\n'    }"
}

# configmap NAME [LINE...], secret NAME [LINE...]: a document of its own, the lines behind its metadata.
configmap() { printf -- '---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s, namespace: ns}\n' "$1" && lines "${@:2}"; }
secret() { printf -- '---\napiVersion: v1\nkind: Secret\nmetadata: {name: %s, namespace: ns}\n' "$1" && lines "${@:2}"; }
lines() { [ $# -eq 0 ] || printf '%s\n' "$@"; }

# controller KIND NAME: apiVersion by the kind, one container c.
controller() {
	local api=apps/v1 pod='template: {spec: {runtimeClassName: contrast-cc, containers: [{name: c, image: "registry.example/tools:1.0"}]}}'
	case $1 in
	Pod | ReplicationController) api=v1 ;;
	Job) api=batch/v1 ;;
	CronJob) api=batch/v1 pod="jobTemplate: {spec: {$pod}}" ;;
	esac
	printf 'apiVersion: %s\nkind: %s\nmetadata: {name: %s, namespace: ns}\nspec: {%s}\n' "$api" "$1" "$2" "$pod"
}

# Annotated YAML (--format policy) on stdin: the policies' text.
policies() {
	grep -oE 'agent\.policy"?: *"?[A-Za-z0-9+/=]+' | sed 's/.*[: "]//' | while read -r p; do base64 -d <<<"$p"; done
}

# Policies on stdin: how long the longest line is, in bytes.
longest() { LC_ALL=C awk '{ if (length > max) max = length } END { print max + 0 }'; }

# A policy on stdin: its data as JSON. A pattern becomes {"re": TEXT}; joined strings are joined.
policy_data() {
	jq -Rs 'def tokens: [match("concat\\(\"\",\\[|\\]\\)|\"(?:[^\"\\\\]|\\\\.)*\"|[^\"\\]c]+|.|\n"; "g").string];
		capture("(?:^|\n)d:=(?<d>[\\s\\S]*?\\})(?:\n|$)").d
		| tokens | map(if . == "concat(\"\",[" then "{\"join\":[" elif . == "])" then "]}" else . end) | join("")
		| gsub("\\{(?<s>\"(?:[^\"\\\\]|\\\\.)*\")\\}"; "{\"re\":\(.s)}") | fromjson
		| walk(if type == "object" and keys == ["join"] then .join | join("") else . end)
		| walk(if type == "object" and keys == ["re"] and (.re | type) == "object" then {re: .re.join} else . end)'
}

# YAML on stdin, ARGUMENT... for the tool: the data of its one policy.
held() { "${gen[@]}" --format policy "$@" | policies | policy_data; }

# holds FILTER [ARGUMENT...]: FILTER is true of the data of the policy for the YAML on stdin. In it $c is the container c,
# PATTERN | fits(TEXT) tells whether all of the text matches.
holds() {
	local filter=$1 data
	shift
	data=$(held "$@")
	jq -e "def fits(\$s): .re as \$re | \$s | test(\"^(\" + \$re + \")\$\"); .c.c as \$c | $filter" <<<"$data" >/dev/null || fail "not so: $filter" "$data"
}

# mkimage REF CONFIG [PASSWD [GROUP]]: an image of one layer as layout in $BATS_TEST_TMPDIR/images, which $gen gets.
mkimage() {
	local dir=$BATS_TEST_TMPDIR/images/${1//[^a-z0-9]/_} layer config manifest
	mkdir -p "$dir/blobs/sha256" "$dir/root/etc"
	printf %b "${3-}" >"$dir/root/etc/passwd"
	printf %b "${4-}" >"$dir/root/etc/group"
	layer=$(tar --format=ustar --mtime=@0 -C "$dir/root" -cf - etc | blob "$dir")
	config=$(jq -n --argjson c "$2" --argjson l "$layer" \
		'{architecture: "amd64", os: "linux", config: $c, rootfs: {type: "layers", diff_ids: [$l.digest]}}' | blob "$dir")
	manifest=$(jq -n --argjson c "$config" --argjson l "$layer" '{schemaVersion: 2,
		config: ($c + {mediaType: "application/vnd.oci.image.config.v1+json"}),
		layers: [$l + {mediaType: "application/vnd.oci.image.layer.v1.tar"}]}' | blob "$dir")
	jq -n --argjson m "$manifest" --arg ref "$1" '{schemaVersion: 2, manifests: [$m + {
		mediaType: "application/vnd.oci.image.manifest.v1+json",
		annotations: {"org.opencontainers.image.ref.name": $ref}}]}' >"$dir/index.json"
	echo '{"imageLayoutVersion":"1.0.0"}' >"$dir/oci-layout"
	rm -r "$dir/root"
	gen+=(--image-layout "$dir")
}

blob() { # LAYOUT, content on stdin: stored, as a descriptor without type
	local sum
	cat >"$1/blob"
	sum=$(sha256sum <"$1/blob")
	jq -n --arg d "sha256:${sum%% *}" --argjson n "$(stat -c %s "$1/blob")" '{digest: $d, size: $n}'
	mv "$1/blob" "$1/blobs/sha256/${sum%% *}"
}
