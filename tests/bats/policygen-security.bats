#!/usr/bin/env bats
# shellcheck disable=SC2016 # what looks like shell is YAML or jq
# What a policy holds of users, privileges and names.
load helpers
load policygen

setup() {
	mkimage local/user:1 '{"User": "'"${user-}"'", "Cmd": ["x"]}' \
		'root:x:0:0::/:/bin/sh\napp:x:500:600::/:/bin/sh\n' 'root:x:0:\nextra:x:700:app,other\napp:x:601:app\n'
}

# user_of IMAGE-USER SPEC CONTAINER WANT: what "u" is
user_of() {
	user=$1 setup
	image=local/user:1 pod "$2" "$3" | holds "\$c.u == $4"
}

@test "user: runAsUser before the image's user, by number or name; its group from passwd or runAsGroup" {
	user_of app '' '' '[500,600,[600,700]]'
	user_of 500 '' '' '[500,600,[600,700]]'
	user_of app:0 '' '' '[500,600,[600,700]]' # kubelet passes on the user alone
	user_of 77 '' '' '[77,0,[0]]'
	user_of 77:88 '' '' '[77,0,[0]]'
	user_of root '' '' '[0,0,[0]]'
	user_of '' '' '' '[0,0,[0]]'
	user_of app '' 'securityContext: {runAsUser: 9}' '[9,0,[0]]'
	user_of app '' 'securityContext: {runAsUser: 0}' '[0,0,[0]]'
	user_of app '' 'securityContext: {runAsGroup: 9}' '[500,9,[9,700]]'
	user_of app '' 'securityContext: {runAsUser: 2147483647, runAsGroup: 0}' '[2147483647,0,[0]]'
	user_of app 'securityContext: {runAsUser: 8, runAsGroup: 7}' '' '[8,7,[7]]'
	user_of app 'securityContext: {runAsUser: 8, runAsGroup: 7}' 'securityContext: {runAsUser: 9}' '[9,7,[7]]'
}

@test "user: groups are a set: fsGroup, supplementalGroups, the image's, the primary one" {
	user_of app 'securityContext: {fsGroup: 650, supplementalGroups: [5, 700, 5]}' '' '[500,600,[5,600,650,700]]'
	user_of 77 'securityContext: {fsGroup: 0}' '' '[77,0,[0]]'
	image=local/user:1 pod 'securityContext: {fsGroup: 650}' | holds '.fg == 650'
	pod | holds '.fg == null'
}

@test "user: what cannot be known or is out of range is refused, with the container's place" {
	while IFS=$'\t' read -r id name; do
		user=$name setup
		image=local/user:1 pod >"$BATS_TEST_TMPDIR/in"
		refuses 3 "$id" "${gen[@]}" "$BATS_TEST_TMPDIR/in"
		jq -es 'last | .line >= 9 and (.message | test("Pod ns/p"))' <<<"$stderr" >/dev/null || fail "$stderr"
	done <<-'LIST'
		user.unknown	nobody
		user.unknown	nobody:app
		user.range	4294967296
		user.range	2147483648
	LIST
	while IFS=$'\t' read -r id spec; do
		pod "$spec" >"$BATS_TEST_TMPDIR/in"
		refuses 3 "$id" "${gen[@]}" "$BATS_TEST_TMPDIR/in"
	done <<-'LIST'
		yaml.range	securityContext: {runAsUser: 2147483648}
		yaml.range	securityContext: {runAsUser: -1}
		yaml.type	securityContext: {runAsUser: root}
		yaml.type	securityContext: {supplementalGroups: [a]}
		yaml.type	securityContext: {supplementalGroups: [-1]}
		yaml.type	securityContext: {supplementalGroups: [2147483648]}
		yaml.range	securityContext: {fsGroup: -1}
		yaml.type	securityContext: {fsGroup: "5"}
	LIST
}

@test "user: a warning where the image's files decide, none where the pod says all" {
	user=app setup
	image=local/user:1 pod >"$BATS_TEST_TMPDIR/in"
	run -0 --separate-stderr "${loud[@]}" --image-layout "$BATS_TEST_TMPDIR/images/local_user_1" "$BATS_TEST_TMPDIR/in"
	[[ $stderr == *user.from-image* ]]
	image=local/user:1 pod '' 'securityContext: {runAsUser: 5, runAsGroup: 5}' >"$BATS_TEST_TMPDIR/in"
	ok "${loud[@]}" --image-layout "$BATS_TEST_TMPDIR/images/local_user_1" "$BATS_TEST_TMPDIR/in"
}

@test "user: runAsNonRoot with user 0 is refused" {
	while IFS=$'\t' read -r spec container; do
		pod "$spec" "$container" >"$BATS_TEST_TMPDIR/in"
		refuses 3 user.root "${gen[@]}" "$BATS_TEST_TMPDIR/in"
	done <<-'LIST'
		securityContext: {runAsNonRoot: true}	tty: false
		enableServiceLinks: true	securityContext: {runAsNonRoot: true}
		enableServiceLinks: true	securityContext: {runAsNonRoot: true, runAsUser: 0}
	LIST
	jq -es 'last | .line == 10 and (.message | test("Pod ns/p: container \"c\""))' <<<"$stderr"
	pod 'securityContext: {runAsNonRoot: true}' 'securityContext: {runAsNonRoot: false}' | holds '$c.u[0] == 0'
	pod 'securityContext: {runAsNonRoot: true, runAsUser: 5}' | holds '$c.u[0] == 5'
}

@test "capabilities: add and drop, ALL first" {
	local default='AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE NET_RAW SETFCAP SETGID SETPCAP SETUID SYS_CHROOT'
	pod | holds '$c | has("cap") | not'
	while IFS=$'\t' read -r caps want; do
		pod '' "securityContext: {capabilities: $caps}" | holds "\$c.cap == \"$want\""
	done <<-LIST
		{drop: [ALL]}	
		{drop: [ALL], add: [NET_BIND_SERVICE]}	NET_BIND_SERVICE
		{drop: [CAP_ALL], add: [CAP_CHOWN, KILL]}	CHOWN KILL
		{add: [SYS_TIME]}	$default SYS_TIME
		{drop: [NET_RAW, MKNOD]}	$(sed 's/MKNOD //; s/NET_RAW //' <<<"$default")
		{add: [SYS_TIME], drop: [SYS_TIME, KILL]}	${default/KILL /}
		{add: [ALL], drop: [ALL]}	
		{add: [ALL], drop: [ALL, KILL]}	
	LIST
	pod '' 'securityContext: {capabilities: {add: [ALL]}}' | holds '$c.cap | split(" ") | length == 41 and . == sort'
	pod '' 'securityContext: {capabilities: {add: [ALL], drop: [SYS_ADMIN]}}' | holds '$c.cap | split(" ") | length == 40 and index("SYS_ADMIN") == null'
	pod '' 'securityContext: {privileged: true, capabilities: {drop: [ALL]}}' | holds '$c.cap | split(" ") | length == 41'
	pod '' 'securityContext: {capabilities: {add: [CHOWN], drop: []}}' | holds '$c | has("cap") | not'
}

@test "privileges: each flag as the container has it" {
	pod | holds '$c | [.ro, .nnp, .tty, .in, .raw, .rw, .pid] | all(. == null)'
	pod '' 'securityContext: {readOnlyRootFilesystem: true, allowPrivilegeEscalation: false}' | holds '$c | .ro and .nnp'
	pod '' 'securityContext: {procMount: Unmasked}' | holds '$c.raw and ($c | has("rw") | not)'
	pod '' 'securityContext: {procMount: Default}' | holds '$c | has("raw") | not'
	pod '' 'securityContext: {privileged: true}' | holds '$c.raw and $c.rw == "rw" and .c[""].rw == "r[ow]"'
	pod '' 'stdin: true' | holds '$c.in'
	pod 'shareProcessNamespace: true' | holds '$c.pid and (.c[""] | has("pid") | not)'
	pod 'securityContext: {sysctls: [{name: net.core.somaxconn, value: "1024"}]}' | holds '.sc == {"net.core.somaxconn": "1024"}'
}

@test "sandbox: its user is the pod's, else that of every pause image" {
	pod | holds '.c[""].u == [65535, 65535, [65535]]'
	pod 'securityContext: {runAsUser: 5}' | holds '.c[""].u == [5, 0, [0]]'
	pod 'securityContext: {runAsUser: 5, runAsGroup: 6, fsGroup: 7}' | holds '.c[""].u == [5, 6, [6]]'
}

@test "token: the pod's word, then its service account's, else it is mounted" {
	account() { printf -- '---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {name: %s, namespace: ns}\nautomountServiceAccountToken: %s\n' "$1" "$2"; }
	pod | holds '$c | has("sa") | not'
	pod 'automountServiceAccountToken: false' | holds '$c.sa == false'
	{ pod && account default false; } | holds '$c.sa == false'
	{ pod 'serviceAccountName: robot' && account robot false && account default true; } | holds '$c.sa == false'
	{ pod 'serviceAccount: robot' && account robot false; } | holds '$c.sa == false'
	{ pod 'automountServiceAccountToken: true' && account default false; } | holds '$c | has("sa") | not'
}

# --- names

# matches KIND NAME POD...: the pattern of the pod's name takes these names; !POD is not taken
matches() {
	local kind=$1 name=$2 re x
	shift 2
	re=$(controller "$kind" "$name" | held | jq -r .n)
	for x; do
		if [ "${x#!}" = "$x" ]; then
			grep -qP "^($re)\$" <<<"$x" || fail "$kind $name: $x does not match $re"
		else
			! grep -qP "^($re)\$" <<<"${x#!}" || fail "$kind $name: ${x#!} matches $re"
		fi
	done
}

a() { printf "%0$1d" 0 | tr 0 a; } # N letters

@test "names: what each kind of controller makes of its own" {
	matches Deployment web web-5d4f8c7b9-x7k2p 'web-b-x7k2p' '!web-x7k2p' '!webx-5d4f8c7b9-x7k2p' '!web-5d4f8c7b9-x7k2pp' '!web-5d4f8c7b9-a7k2p' '!web'
	matches Deployment a.b a.b-5d4f-x7k2p '!aXb-5d4f-x7k2p'
	matches ReplicaSet web web-x7k2p '!web-5d4f-x7k2p'
	matches ReplicationController web web-x7k2p
	matches DaemonSet web web-x7k2p '!web-1'
	matches StatefulSet db db-0 db-12 '!db' '!db-x' '!db-0-x7k2p' '!db-'
	matches Job j j-x7k2p j-0-x7k2p j-99999-x7k2p '!j-1' '!j-x-x7k2p'
	matches CronJob j j-29012345-x7k2p j-29012345-0-x7k2p '!j-x7k2p'
	pod | holds '.n == "p" and (has("hr") | not)'
}

@test "names: long ones are cut at 58 characters before the random part" {
	local n
	for n in 45 46 47 48 50 52; do # the hash of 10 fits, is cut, or has no room
		matches Deployment "$(a $n)" "$(cut -c1-58 <<<"$(a $n)-5d4f8c7b96-")x7k2p" "$(cut -c1-58 <<<"$(a $n)-5d4f8-")x7k2p"
	done
	matches Deployment "$(a 57)" "$(a 57)-x7k2p" "!$(a 57)-5d4f-x7k2p"
	matches Deployment "$(a 63)" "$(a 58)x7k2p" "!$(a 63)-x7k2p" "!$(a 57)x7k2p"
	matches DaemonSet "$(a 57)" "$(a 57)-x7k2p"
	matches DaemonSet "$(a 58)" "$(a 58)x7k2p"
	matches DaemonSet "$(a 63)" "$(a 58)x7k2p"
	matches Job "$(a 46)" "$(a 46)-x7k2p" "$(a 46)-0-x7k2p" "$(a 46)-999999999-x7k2p"
	for n in 47 50 54 55; do
		matches Job "$(a $n)" "$(a $n)-x7k2p" "$(a $n)-7-x7k2p"
	done
	matches Job "$(a 63)" "$(a 58)x7k2p" "$(a 55)-7-x7k2p" "$(a 53)-123-x7k2p" "!$(a 56)-7-x7k2p"
	matches CronJob "$(a 52)" "$(cut -c1-58 <<<"$(a 52)-29012345-")x7k2p"
}

@test "names: generateName, hostname, namespace" {
	pod | sed 's/  name: p/  generateName: job-/' | holds '.n | test("^job-\\[")'
	pod | sed 's/  name: p/  generateName: job-/' >"$BATS_TEST_TMPDIR/in"
	[ "$(held <"$BATS_TEST_TMPDIR/in" | jq -r .n | sed 's/^/^/; s/$/$/' | grep -cPf - <(printf 'job-x7k2p\njob-\njobx7k2p\njob-x7k2a\n'))" -eq 1 ]
	pod 'hostname: h' | holds '.h == "h" and .hr == "h" and .n == "p"'
	pod | holds '.ns == "ns"'
	pod | sed '/namespace:/d' | holds '.ns | test("^\\[a-z0-9\\]")'
	pod | sed "s/name: p/name: $(a 62)-x/" | holds ".n == \"$(a 62)-x\" and .hr == \"$(a 62)\""
	pod 'hostname: "a.b"' >"$BATS_TEST_TMPDIR/in"
	refuses 3 k8s.name "${gen[@]}" "$BATS_TEST_TMPDIR/in"
}
