#!/usr/bin/env bats
# k8s: what a cluster gets. That it is what the API takes, that its parts fit each other, and that the images run as their
# pods say.
load helpers
load policygen

setup_file() {
	schemas=$BUILD/k8s/kubernetes_validate-1.37.0-py3-none-any.whl
	[ -e "$schemas" ] || python3 -m pip download -q --disable-pip-version-check --no-input --no-deps --only-binary :all: \
		--require-hashes -r tests/k8s/schemas.txt -d "$BUILD/k8s" >&2
	export schemas
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return
}

# objects FILE...: as JSON, one a line.
objects() {
	/usr/bin/python3 -c 'import json, sys, yaml
for f in sys.argv[1:]:
    for o in filter(None, yaml.safe_load_all(open(f))): print(json.dumps(o))' "$@"
}

# no_problem FILE...: in the oldest version of Kubernetes that knows all that we say, and in the newest.
no_problem() {
	local version
	for version in 1.30 1.37; do
		run -0 "$TOP/tests/k8s/validate" "$schemas" "$version" "$@"
		[[ ${lines[-1]} == *' 0 problems' ]]
	done
}

# problem TEXT SED: the Coordinator's file, so changed, has this problem alone.
problem() {
	sed "$2" "$TOP/k8s/coordinator.yaml" >changed.yaml
	! cmp -s changed.yaml "$TOP/k8s/coordinator.yaml" || fail "nothing changed: $2"
	run -1 "$TOP/tests/k8s/validate" "$schemas" 1.37 changed.yaml
	[[ $output == *"$1"*' 1 problems' ]] || fail "$output"
}

@test "the API has every kind, field and type of every file" {
	no_problem "$TOP"/k8s/{coordinator,node-installer,runtimeclass}.yaml "$TOP"/k8s/examples/*.yaml
	kubectl kustomize "$TOP/k8s" >all.yaml
	no_problem all.yaml
	[ "$(objects all.yaml | wc -l)" -eq 8 ]
}

@test "what the API does not have is seen" {
	problem "'runAsGrup' was unexpected" 's/runAsGroup/runAsGrup/'
	problem "spec.replicas: 'one' is not of type" 's/replicas: 1/replicas: one/'
	problem 'policy/v1beta1 PodDisruptionBudget: no such kind' 's,policy/v1,policy/v1beta1,'
	problem "'roleRef' is a required property" '/^roleRef/d'
	run -1 "$TOP/tests/k8s/validate" "$schemas" 1.37 /dev/null
}

@test "the Coordinator gets a policy with its role; what is for nodes passes as it is" {
	"${adds[@]}" "$TOP/k8s/coordinator.yaml" >annotated.yaml
	no_problem annotated.yaml
	ctr-manifest -q <annotated.yaml >m.json
	jq -e '[.Policies[].Role] == ["coordinator"]' m.json
	kubectl kustomize "$TOP/k8s" >all.yaml
	for f in "$TOP"/k8s/{node-installer,runtimeclass,kustomization}.yaml all.yaml; do
		"${adds[@]}" "$f" | cmp - "$f"
	done
}

@test "another namespace, other images and another configuration by kustomize" {
	mkdir mine nodes
	cp "$TOP/k8s/coordinator.yaml" mine
	printf '%s\n' 'namespace: mine' 'resources: [coordinator.yaml]' 'images:' \
		'- { name: registry.example/coordinator, newName: registry.mine/c, newTag: "2" }' >mine/kustomization.yaml
	kubectl kustomize mine >mine.yaml
	no_problem mine.yaml
	objects mine.yaml | jq -se 'all(.[]; .metadata.namespace == "mine") and
		any(.[]; .subjects[0].namespace? == "mine") and
		any(.[]; .spec.template.spec.containers[0].image? == "registry.mine/c:2")'

	# as the comment in the file says
	digest=sha256:$(printf '%064d' 1)
	cp -r "$TOP/k8s" nodes
	sed -n 's/^#   //p' "$TOP/k8s/kustomization.yaml" | sed "s,ctr/k8s,k8s,; s,sha256:\.\.\.,$digest," >nodes/kustomization.yaml
	echo '{"mine": true}' >nodes/my-runtime.json
	if ! kubectl kustomize nodes >nodes.yaml; then
		sed -i 's/^resources:/bases:/' nodes/kustomization.yaml # in the kubectl of Debian 12
		kubectl kustomize nodes >nodes.yaml
	fi
	no_problem nodes.yaml
	objects nodes.yaml >nodes.json
	[ "$(jq -r '.. | .image? // empty' nodes.json | sort -u)" = "registry.mine/node-installer@$digest" ]
	# the configuration has another name, so that it rolls out
	name=$(jq -r 'select(.data["runtime.json"]? == "{\"mine\": true}\n").metadata.name' nodes.json)
	[[ $name == ctr-node-install-snp-* ]]
	kubectl kustomize "$TOP/k8s" >all.yaml
	! grep -q "$name" all.yaml || fail "the same name"
	jq -se --arg name "$name" 'any(.[]; .spec.template.spec.volumes[1].configMap.name? == $name)' nodes.json
}

@test "the runtime classes are what the installer installs and what the pods ask for" {
	objects "$TOP/k8s/runtimeclass.yaml" >classes
	handlers=$(jq -r .handler classes | sort -u)
	[ "$handlers" = "$(jq -r .runtimeHandlerName "$TOP"/k8s/runtime-*.json | sort -u)" ]
	objects "$TOP"/k8s/coordinator.yaml "$TOP"/k8s/examples/*.yaml | jq -r '.. | .runtimeClassName? // empty' | sort -u |
		while read -r class; do
			grep -q "\"name\": \"$class\"" classes || fail "$class"
		done
	# the nodes of a class are those of its installer
	kubectl kustomize "$TOP/k8s" >all.yaml
	objects all.yaml | jq -se '
		([.[] | select(.kind == "RuntimeClass") | .scheduling.nodeSelector // empty] | sort) ==
		([.[] | select(.kind == "DaemonSet") | .spec.template.spec.nodeSelector] | sort)'
}

@test "the Coordinator's parts fit each other and its program" {
	objects "$TOP/k8s/coordinator.yaml" | jq -s . >c.json
	jq -e '(.[] | select(.kind == "StatefulSet").spec) as $set | $set.template as $pod | $pod.spec.containers[0] as $c |
		[.[] | select(.kind == "Service")] as $s |
		all($s[]; .spec.selector | inside($pod.metadata.labels)) and
		all($s[].spec.ports[].targetPort; IN($c.ports[].name)) and
		all($c | .startupProbe, .livenessProbe, .readinessProbe; .httpGet.port == "probes") and
		$c.resources.requests == $c.resources.limits and
		any($s[]; .metadata.name == $set.serviceName and .spec.clusterIP == "None" and .spec.publishNotReadyAddresses) and
		([$c.args[] | select(startswith("--peer")) | test("=http://coordinator-[0-2].\($set.serviceName):1314$")] == [true, true, true]) and
		all(.[] | select(.kind == "PodDisruptionBudget").spec.selector.matchLabels; inside($pod.metadata.labels)) and
		all($pod.spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[].labelSelector.matchLabels;
			inside($pod.metadata.labels)) and
		any(.[]; .kind == "ServiceAccount" and .metadata.name == $pod.spec.serviceAccountName)' c.json
	mapfile -t args < <(jq -r '.[0].spec.template.spec.containers[0].args[]' c.json)
	refuses 2 sim.dir ctr-coordinatord --errors=json "${args[@]}" --platform=sim:missing # all else is right
}
