#!/usr/bin/env bats
# shellcheck disable=SC2016 # what looks like shell is YAML or jq
# What a policy holds of a container, read from its data section: variables, arguments, user, privileges, volumes.
load helpers
load policygen

# --- environment

@test "env: the image, then envFrom in order, then env; the later wins" {
	mkimage local/env:1 '{"Env": ["PATH=/opt/bin", "A=image", "B=image", "C=image", "D=image", "NOVALUE", "EMPTY="], "Cmd": ["x"]}'
	image=local/env:1
	{
		pod '' $'envFrom:\n- configMapRef: {name: one}\n- secretRef: {name: two}\nenv:\n- {name: D, value: env}\n- {name: D, value: last}'
		configmap one 'data: {B: one, C: one, D: one}'
		secret two 'data: {C: dHdv}' 'stringData: {D: two}'
	} | holds '$c.e == {HOSTNAME: {re: "{{h}}"}, PATH: "/opt/bin", A: "image", B: "one", C: "two", D: "last", EMPTY: ""}'
}

@test "env: a PATH like the runtime's own need not be said" {
	pod | holds '$c.e == {HOSTNAME: {re: "{{h}}"}}'
	pod '' 'env: [{name: PATH, value: /x}]' | holds '$c.e.PATH == "/x"'
}

@test "env: TERM with a terminal, HOSTNAME as the image or the pod sets it" {
	pod '' 'tty: true' | holds '$c.tty and $c.e.TERM == "xterm"'
	pod '' $'tty: true\nenv: [{name: TERM, value: dumb}, {name: HOSTNAME, value: fixed}]' |
		holds '$c.e.TERM == "dumb" and $c.e.HOSTNAME == "fixed"'
}

@test "env: envFrom with a prefix, without what is no name or no text" {
	{
		pod '' $'envFrom:\n- prefix: P_\n  configMapRef: {name: m}\n- secretRef: {name: s}'
		configmap m 'data: {a.b-c: "1", "2x": two}' 'binaryData: {bin: AP8=}'
		secret s 'data: {9.conf: eA==, ok: eQ==}'
	} | holds '$c.e == {HOSTNAME: {re: "{{h}}"}, "P_a.b-c": "1", P_2x: "two", ok: "y"}'
}

@test "env: a key that is no name of a variable gives a warning" {
	{
		pod '' 'envFrom: [{secretRef: {name: s}}]'
		secret s 'data: {9.conf: eA==}'
	} >"$BATS_TEST_TMPDIR/in"
	run -0 --separate-stderr "${loud[@]}" "$BATS_TEST_TMPDIR/in"
	jq -es 'any(.id == "env.name" and .level == "warning" and .line == 11)' <<<"$stderr" || fail "$stderr"
}

@test "env: values of every form of ConfigMaps and Secrets" {
	{
		pod '' 'env: [{name: A, valueFrom: {configMapKeyRef: {name: m, key: block}}},
  {name: B, valueFrom: {configMapKeyRef: {name: m, key: empty}}},
  {name: C, valueFrom: {secretKeyRef: {name: s, key: wrapped}}},
  {name: D, valueFrom: {secretKeyRef: {name: s, key: both}}},
  {name: E, valueFrom: {secretKeyRef: {name: s, key: nothing}}},
  {name: F, valueFrom: {configMapKeyRef: {name: m, key: none, optional: true}}},
  {name: G, valueFrom: {secretKeyRef: {name: none, key: none, optional: true}}}]'
		configmap m 'data:' '  block: |' '    line one' '    $(HOME) "two"' '  empty: ""'
		secret s 'data:' '  wrapped: |' '    YWJj' '    ZGVm' '  both: b2xk' '  nothing:' 'stringData: {both: new}'
	} | holds '$c.e == {HOSTNAME: {re: "{{h}}"}, A: "line one\n$(HOME) \"two\"\n", B: "", C: "abcdef", D: "new", E: ""}'
}

@test "env: what is no text or no base64 is refused, with the place" {
	while IFS=$'\t' read -r id text; do
		{
			pod '' 'env: [{name: A, valueFrom: {secretKeyRef: {name: s, key: k}}}]'
			secret s "data: {k: $text}"
		} >"$BATS_TEST_TMPDIR/in"
		refuses 3 "$id" "${gen[@]}" "$BATS_TEST_TMPDIR/in"
		[[ $stderr == *'"Pod ns/p: '* && $stderr != *"$text"* ]] || fail "$stderr"
	done <<-'LIST'
		config.text	AGE=
		config.text	/w==
		config.base64	a*bc
		config.base64	YWJjZGVm=
	LIST
	{
		pod '' 'envFrom: [{configMapRef: {name: m}}]'
		configmap m 'data: {k: 1}'
	} >"$BATS_TEST_TMPDIR/in"
	refuses 3 yaml.type "${gen[@]}" "$BATS_TEST_TMPDIR/in"
}

@test "env: \$(NAME) sees the entries before it and perhaps envFrom, \$\$ is \$, the rest stays" {
	mkimage local/env:1 '{"Env": ["IMAGE=i"], "Cmd": ["x"]}'
	{
		image=local/env:1 pod '' 'envFrom: [{configMapRef: {name: m}}]
env:
- {name: A, value: $(B)-$(FROM)-$(IMAGE)}
- {name: B, value: "$$(A) $$$(A) $A $ $( $() $(no"}
- {name: FROM, value: $(FROM)+}
- {name: C, value: $(FROM) $(C)}'
		configmap m 'data: {FROM: $(A)}'
	} | holds '"(\\$\\(A\\)|\\$\\(FROM\\))" as $either | $c.e | .A.re == "\\$\\(B\\)-" + $either + "-\\$\\(IMAGE\\)"
		and .B.re == "\\$\\(A\\) \\$\\$\\(B\\)-" + $either + "-\\$\\(IMAGE\\) \\$A \\$ \\$\\( \\$\\(\\) \\$\\(no"
		and .FROM.re == $either + "\\+" and .C.re == .FROM.re + " \\$\\(C\\)" and .IMAGE == "i"'
}

@test "env: service variables in a value are the cluster's, or stay as written" {
	pod '' 'env: [{name: URL, value: "http://$(DB_SERVICE_HOST):$(DB_SERVICE_PORT)/$(OTHER).x"}]' |
		holds '$c.e.URL | fits("http://10.1.2.3:80/$(OTHER).x") and fits("http://$(DB_SERVICE_HOST):$(DB_SERVICE_PORT)/$(OTHER).x")
			and (fits("http://evil:80/$(OTHER).x") or fits("http://10.1.2.3:80/$(OTHER)Zx") | not)'
	pod '' 'env: [{name: DB_PORT, value: mine}, {name: URL, value: $(DB_PORT)}]' | holds '$c.e.URL == "mine"'
}

# field PATH: the pattern or text that a variable from this field has
field() { pod "${2-}" "env: [{name: A, valueFrom: {fieldRef: {fieldPath: \"$1\"}}}]"; }

@test "env: downward API fields have their forms" {
	while IFS=$'\t' read -r path good bad; do
		field "$path" | holds "\$c.e.A | fits(\"$good\") and (fits(\"$bad\") | not)"
	done <<-'LIST'
		spec.nodeName	node-1.example	Node 1
		status.hostIP	192.168.0.1	a.b.c.d
		status.podIP	fd00::1	host
		status.podIPs	10.0.0.1,fd00::1	10.0.0.1,x
		status.hostIPs	10.0.0.1	,10.0.0.1
		metadata.labels['pod-template-hash']	5d4f8c7b9	5d4f!
		metadata.labels['job-name']	migrate-1	a b
		metadata.labels['batch.kubernetes.io/controller-uid']	01234567-89ab-cdef-0123-456789abcdef	x
	LIST
	field metadata.name | holds '$c.e.A.re == "{{n}}"'
	field metadata.namespace | holds '$c.e.A.re == "{{s}}"'
	field metadata.uid | holds '$c.e.A.re == "{{u}}"'
	field spec.serviceAccountName | holds '$c.e.A == "default"'
	field spec.serviceAccountName 'serviceAccountName: robot' | holds '$c.e.A == "robot"'
	field spec.serviceAccountName 'serviceAccount: robot' | holds '$c.e.A == "robot"'
}

@test "env: labels and annotations are the template's, empty where they are not there" {
	pod '' "env: [{name: A, valueFrom: {fieldRef: {fieldPath: \"metadata.labels['app']\"}}},
  {name: B, valueFrom: {fieldRef: {fieldPath: \"metadata.annotations['x/y.z']\"}}},
  {name: C, valueFrom: {fieldRef: {fieldPath: \"metadata.labels['none']\"}}}]" |
		sed 's|^spec:|  labels: {app: web}\n  annotations: {x/y.z: "1 2"}\nspec:|' |
		holds '$c.e | .A == "web" and .B == "1 2" and .C == ""'
}

@test "env: resource fields are divided and rounded up" {
	while read -r resource divisor want; do
		pod '' "resources: {limits: {cpu: 1500m, memory: 1Gi}, requests: {cpu: 250m, ephemeral-storage: 1.5Mi}}
env: [{name: A, valueFrom: {resourceFieldRef: {resource: $resource, divisor: $divisor}}}]" | holds "\$c.e.A == \"$want\""
	done <<-'LIST'
		limits.cpu 1 2
		limits.cpu 1m 1500
		limits.cpu 0 2
		requests.cpu 1 1
		requests.cpu 1m 250
		limits.memory 1 1073741824
		limits.memory 1Mi 1024
		limits.memory 1M 1074
		requests.memory 1Gi 1
		requests.ephemeral-storage 1Ki 1536
	LIST
	pod '' 'env: [{name: A, valueFrom: {resourceFieldRef: {resource: limits.memory}}},
  {name: B, valueFrom: {resourceFieldRef: {resource: requests.memory}}}]' | holds '$c.e.A.re == "[0-9]{1,20}" and $c.e.B == "0"'
}

@test "env: a resource field of another container" {
	pod $'initContainers:\n- {name: i, image: "registry.example/tools:1.0", resources: {limits: {cpu: 3}}}' \
		'env: [{name: A, valueFrom: {resourceFieldRef: {resource: limits.cpu, containerName: i}}}]' | holds '$c.e.A == "3"'
	pod '' 'resources: {limits: {cpu: fast}}
env: [{name: A, valueFrom: {resourceFieldRef: {resource: limits.cpu}}}]' >"$BATS_TEST_TMPDIR/in"
	refuses 3 env.resource "${gen[@]}" "$BATS_TEST_TMPDIR/in"
}

@test "env: JOB_COMPLETION_INDEX in indexed jobs alone" {
	controller Job j | sed 's/spec: {template/spec: {completionMode: Indexed, template/' |
		holds '$c.e.JOB_COMPLETION_INDEX.re == "[0-9]{1,20}"'
	controller CronJob j | sed 's/spec: {template/spec: {completionMode: Indexed, template/' |
		holds '$c.e.JOB_COMPLETION_INDEX.re == "[0-9]{1,20}"'
	controller Job j | holds '$c.e | has("JOB_COMPLETION_INDEX") | not'
}

@test "service links: all of them, or those of kubernetes alone" {
	pod | holds '$c | has("svc") | not'
	pod 'enableServiceLinks: false' | holds '$c.svc == "KUBERNETES"'
}

# --- arguments

@test "args: command replaces entrypoint and cmd, args replaces cmd" {
	mkimage local/both:1 '{"Entrypoint": ["/e", "f"], "Cmd": ["c"]}'
	mkimage local/cmd:1 '{"Cmd": ["c", "d"]}'
	while IFS=$'\t' read -r image spec want; do
		image=local/$image:1 pod '' "$spec" | holds "\$c.a == $want"
	done <<-'LIST'
		both	tty: false	["/e","f","c"]
		both	args: [x]	["/e","f","x"]
		both	command: [x]	["x"]
		both	{command: [x], args: [y, z]}	["x","y","z"]
		both	args: []	["/e","f","c"]
		both	command: []	["/e","f","c"]
		cmd	tty: false	["c","d"]
		cmd	args: [x]	["x"]
		cmd	command: [x]	["x"]
	LIST
}

@test "args: a container with nothing to run is refused" {
	mkimage local/none:1 '{}'
	image=local/none:1 pod >"$BATS_TEST_TMPDIR/in"
	refuses 3 container.command "${gen[@]}" "$BATS_TEST_TMPDIR/in"
	jq -es 'last | .line == 9 and (.message | test("Pod ns/p.*\"c\""))' <<<"$stderr"
}

@test "args: \$(NAME) sees envFrom and env, not the image" {
	mkimage local/env:1 '{"Env": ["IMAGE=i"], "Entrypoint": ["$(A)"], "Cmd": ["$(A)"]}'
	{
		image=local/env:1 pod '' 'args: ["$(A)$(FROM)", $(IMAGE), $$(A), $(NAME).x]
envFrom: [{configMapRef: {name: m}}]
env: [{name: A, value: a}, {name: NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]'
		configmap m 'data: {FROM: f}'
	} | holds '$c.a.re == "\\[\"\\$\\(A\\)\",\"af\",\"\\$\\(IMAGE\\)\",\"\\$\\(A\\)\",\"{{n}}\\.x\"\\]"'
}

@test "args: strings that look like patterns are held as they are" {
	pod '' 'command: ["a.*", "{{n}}", "@%", "\"quoted\"", "", "é\n\t"]' | holds '$c.a == ["a.*", "{{n}}", "@%", "\"quoted\"", "", "é\n\t"]'
	pod '' 'command: ["a.*", "{{n}}", "@%", "$(N0)"]
env: [{name: N0, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]' |
		holds '$c.a.re == "\\[\"a\\.\\*\",\"\\{\\{n\\}\\}\",\"\\x40\\x25\",\"{{n}}\"\\]"'
}

@test "exec: the commands of probes and hooks, each with what it sees" {
	{
		pod '' 'command: [x]
env: [{name: A, value: "$(B)"}, {name: FIELD, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]
envFrom: [{configMapRef: {name: m}}]
startupProbe: {exec: {command: [start, $(A), "[$(FIELD)]", $(FROM)]}}
livenessProbe: {httpGet: {port: 80}}
readinessProbe: {exec: {command: [ready]}}
lifecycle: {postStart: {exec: {command: [post, $(A)]}}, preStop: {sleep: {seconds: 1}}}'
		configmap m 'data: {FROM: f}'
	} | holds '$c.x == [["start", "$(B)", "[]", "$(FROM)"], ["ready"], ["post", "$(A)"]]'
	pod '' 'livenessProbe: {exec: {command: []}}' >"$BATS_TEST_TMPDIR/in"
	refuses 3 container.exec "${gen[@]}" "$BATS_TEST_TMPDIR/in"
}

@test "cwd: the pod's, the image's, else /" {
	mkimage local/dir:1 '{"WorkingDir": "/srv", "Cmd": ["x"]}'
	image=local/dir:1 pod | holds '$c.cwd == "/srv"'
	image=local/dir:1 pod '' 'workingDir: /w' | holds '$c.cwd == "/w"'
	pod | holds '$c | has("cwd") | not'
}
