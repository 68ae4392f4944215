#!/usr/bin/env bats
# shellcheck disable=SC2016 # what looks like shell is YAML or jq
# What ctr-policygen adds to a pod: Initializer, secure-pv and mesh containers, runtime class, pinned images.
load helpers
load policygen

# A JSON pod is easy to look into: {spec, annotations} on stdin, merged over a small pod.
json_pod() {
	jq -c '{apiVersion: "v1", kind: "Pod", metadata: {name: "p", namespace: "ns", annotations: (.annotations // {})},
		spec: ({runtimeClassName: "contrast-cc", containers: [{name: "c", image: "registry.example/tools:1.0"}]} + .spec)}'
}

# added FILTER POD ARGUMENT...: FILTER holds of the JSON pod after the tool; $i are its init containers by name.
added() {
	local filter=$1 out
	json_pod <<<"$2" >"$BATS_TEST_TMPDIR/in.json"
	shift 2
	out=$("${adds[@]}" "$@" "$BATS_TEST_TMPDIR/in.json")
	jq -e "([.spec.initContainers[]? | {(.name): .}] | add) as \$i | $filter" <<<"$out" >/dev/null || fail "not so: $filter" "$(jq .spec <<<"$out")"
	"${adds[@]}" "$@" <<<"$out" | cmp - <(cat <<<"$out")
}

secrets='{"name": "contrast-secrets", "mountPath": "/contrast", "readOnly": true}'

@test "the Initializer, its volume, and the mount in every container" {
	added '(.spec.initContainers | map(.name)) == ["contrast-initializer", "own"]
		and ($i["contrast-initializer"] | (.image | test("^registry.example/initializer:0.1.0@sha256:[0-9a-f]{64}$"))
			and .env == [{name: "COORDINATOR_HOST", value: "coordinator-ready"}]
			and .volumeMounts == [{name: "contrast-secrets", mountPath: "/contrast"}])
		and .spec.volumes == [{name: "v"}, {name: "contrast-secrets", emptyDir: {}}]
		and $i.own.volumeMounts == [{name: "v", mountPath: "/v"}, '"$secrets"']
		and .spec.containers[0].volumeMounts == ['"$secrets"']' \
		'{"spec": {"volumes": [{"name": "v"}], "initContainers": [{"name": "own", "image": "registry.example/tools:1.0",
			"volumeMounts": [{"name": "v", "mountPath": "/v"}]}]}}'
}

@test "the Initializer is root, which alone may ask for a report, whatever users the pod wants" {
	added '$i["contrast-initializer"].securityContext == {runAsUser: 0, runAsNonRoot: false}' \
		'{"spec": {"securityContext": {"runAsNonRoot": true, "runAsUser": 1000}}}'
}

@test "options choose image and host, whatever is in them" {
	added '$i["contrast-initializer"] | .image == "registry.example/tools:1.0" and .env[0].value == "a: \"b\" #c"' '{}' \
		--no-pin --initializer-image registry.example/tools:1.0 --coordinator-host 'a: "b" #c'
	refuses 3 image.ref "${adds[@]}" --initializer-image 'a b' <<<"$(pod)"
	refuses 3 image.ref "${adds[@]}" --mesh-image 'x,y: [z' <<<"$(pod)"
	[[ $stderr == *--mesh-image* ]]
}

@test "what is there already is left as it is" {
	added '$i["contrast-initializer"].image == "registry.example/tools:1.0" and (.spec.initContainers | length) == 2
		and .spec.volumes == [{name: "contrast-secrets", emptyDir: {medium: "Memory"}}]
		and .spec.containers[0].volumeMounts == [{name: "contrast-secrets", mountPath: "/elsewhere"}]' \
		'{"spec": {"volumes": [{"name": "contrast-secrets", "emptyDir": {"medium": "Memory"}}],
		"initContainers": [{"name": "first", "image": "registry.example/tools:1.0"}, {"name": "contrast-initializer", "image": "registry.example/tools:1.0"}],
		"containers": [{"name": "c", "image": "registry.example/tools:1.0", "volumeMounts": [{"name": "contrast-secrets", "mountPath": "/elsewhere"}]}]}}' --no-pin
}

@test "an Initializer put in by hand may write its files" {
	added '$i["contrast-initializer"].volumeMounts == [{name: "contrast-secrets", mountPath: "/contrast"}]' \
		'{"spec": {"initContainers": [{"name": "contrast-initializer", "image": "registry.example/tools:1.0"}]}}'
}

@test "none with --skip-initializer, the annotation, or the role" {
	for a in '{"contrast.edgeless.systems/skip-initializer": "true"}' '{"contrast.edgeless.systems/pod-role": "coordinator"}'; do
		added '(.spec | has("initContainers") or has("volumes") | not) and (.spec.containers[0] | has("volumeMounts") | not)
			and (.metadata.annotations | length) == 3' \
			"{\"annotations\": $(jq -c '. + {"contrast.edgeless.systems/servicemesh-ingress": ""}' <<<"$a")}"
	done
	added '.spec | has("initContainers") | not' '{}' --skip-initializer
	added '$i | has("contrast-initializer")' '{"annotations": {"contrast.edgeless.systems/skip-initializer": "false"}}'
	added '$i | has("contrast-initializer")' '{"annotations": {"contrast.edgeless.systems/pod-role": "other"}}'
}

@test "renew: the Initializer is a sidecar that says when the first certificate is there" {
	local sidecar='.args == ["--renew"] and .restartPolicy == "Always"
		and .startupProbe == {exec: {command: ["ctr-initializer", "--ready"]}, periodSeconds: 1, timeoutSeconds: 5, failureThreshold: 3600}
		and .env[0].name == "COORDINATOR_HOST" and .securityContext.runAsUser == 0'
	added "\$i[\"contrast-initializer\"] | $sidecar" '{"annotations": {"contrast.edgeless.systems/renew": "true"}}'
	added "\$i[\"contrast-initializer\"] | $sidecar" '{}' --renew
	added '$i["contrast-initializer"] | has("restartPolicy") or has("args") or has("startupProbe") | not' \
		'{"annotations": {"contrast.edgeless.systems/renew": "false"}}' --renew
	# the policy lets the host run this probe, and nothing else there
	json_pod <<<'{"annotations": {"contrast.edgeless.systems/renew": "true"}}' | "${adds[@]}" |
		ctr-manifest policies -o "$BATS_TEST_TMPDIR/policies" >/dev/null
	grep -q '"ctr-initializer","--ready"' "$BATS_TEST_TMPDIR"/policies/*.rego
}

@test "mesh: the annotations reach the sidecar" {
	added '(.spec.initContainers | map(.name)) == ["contrast-initializer", "contrast-service-mesh"]
		and ($i["contrast-service-mesh"] | (.image | startswith("registry.example/mesh-proxy:0.1.0@")) and .restartPolicy == "Always"
			and .env == [{name: "CONTRAST_INGRESS_PROXY_CONFIG", value: "web#8080#false"},
				{name: "CONTRAST_EGRESS_PROXY_CONFIG", value: "db#127.0.0.1:1#db:2"}, {name: "CONTRAST_ADMIN_PORT", value: "9901"}]
			and .securityContext == {runAsUser: 0, runAsNonRoot: false, capabilities: {add: ["NET_ADMIN"]}}
			and .volumeMounts == ['"$secrets"'])' \
		'{"annotations": {"contrast.edgeless.systems/servicemesh-ingress": "web#8080#false",
		"contrast.edgeless.systems/servicemesh-egress": "db#127.0.0.1:1#db:2",
		"contrast.edgeless.systems/servicemesh-admin-interface-port": "9901"}}'
	added '$i["contrast-service-mesh"].env == [{name: "CONTRAST_INGRESS_PROXY_CONFIG", value: ""}]' \
		'{"annotations": {"contrast.edgeless.systems/servicemesh-ingress": ""}}'
	added '$i["contrast-service-mesh"].env == [{name: "CONTRAST_INGRESS_PROXY_CONFIG", value: ""}, {name: "CONTRAST_EGRESS_PROXY_CONFIG", value: "a#b\"\\"}]' \
		'{"annotations": {"contrast.edgeless.systems/servicemesh-egress": "a#b\"\\"}}'
	added '$i | has("contrast-service-mesh") | not' '{"annotations": {"contrast.edgeless.systems/servicemesh-admin-interface-port": "9901"}}'
}

@test "secure-pv: the device is opened by a privileged container that is root, whoever the others are" {
	added '(.spec.initContainers | map(.name)) == ["contrast-initializer", "contrast-cryptsetup"]
		and ($i["contrast-cryptsetup"] | .securityContext == {privileged: true, runAsUser: 0, runAsNonRoot: false}
			and .volumeDevices == [{name: "disk", devicePath: "/dev/csi0"}] and .restartPolicy == "Always"
			and (.volumeMounts | map(.name)) == ["state", "contrast-secrets"])
		and (.spec.volumes | map(.name)) == ["disk", "contrast-secrets", "state"]' \
		'{"annotations": {"contrast.edgeless.systems/secure-pv": "disk:state"},
		"spec": {"securityContext": {"runAsUser": 999, "runAsGroup": 999, "runAsNonRoot": true},
		"volumes": [{"name": "disk", "persistentVolumeClaim": {"claimName": "x"}}]}}'
	for v in x : a: :b a:b:c 'A:b' 'a/b:c'; do
		json_pod <<<"{\"annotations\": {\"contrast.edgeless.systems/secure-pv\": \"$v\"}}" >"$BATS_TEST_TMPDIR/in"
		refuses 3 inject.secure-pv "${adds[@]}" "$BATS_TEST_TMPDIR/in"
	done
	# no such claim
	json_pod <<<'{"annotations": {"contrast.edgeless.systems/secure-pv": "disk:state"}}' >"$BATS_TEST_TMPDIR/in"
	refuses 3 mount.volume "${adds[@]}" "$BATS_TEST_TMPDIR/in"
}

@test "annotations of the controller count where the template has none" {
	controller Deployment web | sed 's|metadata: {name: web|metadata: {annotations: {contrast.edgeless.systems/servicemesh-ingress: ""}, name: web|' |
		"${adds[@]}" | grep -q contrast-service-mesh
	controller Deployment web | sed 's|metadata: {name: web|metadata: {annotations: {contrast.edgeless.systems/pod-role: coordinator}, name: web|' |
		"${adds[@]}" | grep -c contrast-initializer | grep -qx 0
}

@test "an annotation that is no string is refused" {
	json_pod <<<'{"annotations": {"contrast.edgeless.systems/skip-initializer": true}}' >"$BATS_TEST_TMPDIR/in"
	refuses 3 yaml.type "${adds[@]}" "$BATS_TEST_TMPDIR/in"
}

@test "the added containers are in the policy, in order" {
	pod | sed 's|^spec:|  annotations: {contrast.edgeless.systems/servicemesh-ingress: ""}\nspec:|' | "${adds[@]}" --format policy |
		policies | policy_data | jq -e '.o == ["contrast-initializer", "contrast-service-mesh"]
			and .c["contrast-initializer"].k == "i" and .c["contrast-service-mesh"].k == "s"
			and .c.c.i == 2 and .c.c.m["/contrast"] == ["E:contrast-secrets", "ro"]
			and .c["contrast-initializer"].m["/contrast"] == ["E:contrast-secrets", "rw"]'
}

@test "pinning: tags and digests, with and without" {
	local digest
	digest=$(jq -r '.manifests[0].digest' "$IMAGES/tools/index.json")
	added ".spec.containers[0].image == \"registry.example/tools:1.0@$digest\"" '{}'
	added ".spec.containers[0].image == \"registry.example/tools@$digest\"" \
		"{\"spec\": {\"containers\": [{\"name\": \"c\", \"image\": \"registry.example/tools@$digest\"}]}}"
	added ".spec.containers[0].image == \"registry.example/tools:other@$digest\"" \
		"{\"spec\": {\"containers\": [{\"name\": \"c\", \"image\": \"registry.example/tools:other@$digest\"}]}}"
	added '.spec.containers[0].image == "registry.example/tools:1.0"' '{}' --no-pin
	# the policy holds the digest in any case, and no tag
	pod | holds "\$c.img == \"registry.example/tools@$digest\"" --no-pin
}

@test "pinning: quoting and comments around the image stay" {
	pod | sed 's|image: .*|image: "registry.example/tools:1.0"   # ours|' | "${gen[@]}" |
		grep -qE '^    image: "registry.example/tools:1.0@sha256:[0-9a-f]{64}"   # ours$'
	pod | sed "s|image: .*|image: 'registry.example/tools:1.0'|" | "${gen[@]}" | grep -qE "image: '.*@sha256:[0-9a-f]{64}'$"
}

@test "runtime class: --runtime-handler replaces it, --all adds the default one" {
	added '.spec.runtimeClassName == "kata-x"' '{}' --runtime-handler kata-x
	added '.spec.runtimeClassName == "runc"' '{"spec": {"runtimeClassName": "runc"}}' --all
	json_pod <<<'{}' | jq -c 'del(.spec.runtimeClassName)' | "${adds[@]}" --all | jq -e '.spec.runtimeClassName == "contrast-cc"'
	json_pod <<<'{}' | jq -c 'del(.spec.runtimeClassName)' | "${adds[@]}" --all --runtime-handler x-y | jq -e '.spec.runtimeClassName == "x-y"'
	# a second run knows the new name by its prefix alone
	json_pod <<<'{}' | "${adds[@]}" --runtime-handler other | "${adds[@]}" --runtime-class other --runtime-handler other | jq -e '.spec.initContainers | length == 1'
}
