#!/usr/bin/env bats
# A store of ConfigMaps, and several Coordinators over it: --store kubernetes:. The API server is played (tests/sim/kubed.c).
load helpers
load attest
load coordinator

setup_file() {
	make_keys
	cd "$BATS_FILE_TMPDIR" || return
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout api.key -out api.crt -days 2 -subj /CN=api \
		-addext subjectAltName=IP:127.0.0.1 2>/dev/null
}

setup() {
	make_deployment
	permit '.Policies |= map_values(.SANs += ["second"])' >second.json
	# shellcheck disable=SC2034 # what recovers and verifies take
	trust=(--no-cache --collateral "$m" "$(root "$m")")
	started=()
	mkdir -p kube/objects sa
	printf token-1 | tee kube/token >sa/token
	printf ns >sa/namespace
	cp "$BATS_FILE_TMPDIR/api.crt" sa/ca.crt
	kube_up
}

teardown() {
	[ ${#started[@]} -eq 0 ] || kill -KILL "${started[@]}" 2>/dev/null || true
}

# kube_up: the API server over ./kube, its requests in ./requests
kube_up() {
	local i
	"$BUILD/sim/kubed" kube "$BATS_FILE_TMPDIR/api.crt" "$BATS_FILE_TMPDIR/api.key" >requests 2>&1 3>&- &
	kubed=$!
	started+=("$kubed")
	for ((i = 0; i < 500; i++)); do
		! grep -q PORT requests || break
		sleep 0.01
	done
	export KUBERNETES_SERVICE_HOST=127.0.0.1 KUBERNETES_SERVICE_PORT
	KUBERNETES_SERVICE_PORT=$(sed -n 's/^PORT=//p' requests)
}

# first: a Coordinator A, at $a; second [OPTION...]: one B, at $b
first() {
	log=a.log
	starts --store kubernetes: --service-account sa
	started+=("$pid")
	a=$api a_probes=$probes a_pid=$pid
}
second() {
	# shellcheck disable=SC2034 # what starts takes
	log=b.log
	starts --store kubernetes: --service-account sa "$@"
	started+=("$pid")
	b=$api b_probes=$probes b_pid=$pid
}

# deploys: manifest.json is set on A; its seed shares are in shares.json
deploys() {
	api=$a sets 200 manifest.json "$none"
	jq -r .seed_shares_doc reply | base64 -d >shares.json
}

# wrong METHOD PART SKIP TIMES ACTION [ARGUMENT]: from now on, see kubed.c
wrong() { echo "$1 $2 $3 $4 $5 ${6-x}" >kube/how.new && mv kube/how.new kube/how; }
right() { rm -f kube/how; }

ready() { curl -sf -o /dev/null "$1/probe/readiness"; }
waits() { [ "$(curl -s -o /dev/null -w '%{http_code}' "$1/probe/readiness")" = 412 ]; }
said() { grep -F "\"id\":\"$1\"" "$2"; }

# of URL: what it serves
attested() {
	asks 200 -H 'Content-Type: application/json' -d '{"nonce":"'"$(printf '%032d' 0 | base64 -w0)"'"}' "$1/v1/attest"
	jq -S 'del(.evidence, .hpke_pub_key)' reply
}
manifests() { [ "$(attested "$1" | jq '.manifests | length')" = "$2" ]; }

object() { echo "kube/objects/coordinator.$1"; }

# meddles FILE JQ-FILTER: with an object
meddles() {
	jq -c "$2" "$1" >meddled
	mv meddled "$1"
}

@test "set, update, restart, recover over ConfigMaps: immutable, labelled, and no secret in them" {
	first
	deploys
	api="$a" verifies 0 manifest.json --output one
	api=$a sets 200 second.json "$(next manifest.json "$none")" owner.pem
	api=$a pod 0 web.policy --open
	secret=$output
	[ "$(find kube/objects -name '*.manifest.*' | wc -l)" = 2 ]
	[ "$(find kube/objects -name '*.transition.*' | wc -l)" = 2 ]
	for o in kube/objects/*; do
		jq -e '.metadata.labels["app.kubernetes.io/managed-by"] == "ctr-coordinatord" and
			.metadata.labels["app.kubernetes.io/instance"] == "coordinator"' "$o"
		case $o in
		*.latest) jq -e 'has("immutable") | not' "$o" ;;
		*) jq -e .immutable "$o" ;;
		esac
	done
	jq -r .binaryData.bytes "$(object "policies.$(next manifest.json "$none")")" | base64 -d | grep -aF "$(cat web.policy)"
	ends "$a_pid"
	first
	waits "$a_probes"
	api="$a" recovers 0 second.json
	api="$a" verifies 0 second.json --coordinator-root-ca one/coordinator-root-ca.pem
	api=$a pod 0 web.policy --open
	[ "$output" = "$secret" ]
	run -1 grep -rF "$(xxd -r -p <<<"$secret" | base64 -w0)" kube requests a.log
	# two deployments in a namespace do not meet
	second --store kubernetes:another
	api=$b sets 200 manifest.json "$none"
	[ -e kube/objects/another.latest ]
	api="$a" verifies 0 second.json
}

@test "two Coordinators: what one sets the other takes over, and it never serves the old manifest beside it" {
	first
	second --peer "$a"
	deploys
	eventually ready "$b_probes"
	said superseded b.log
	attested "$a" >one
	attested "$b" >two
	cmp one two
	for i in 1 2 3; do
		permit ".Policies |= map_values(.SANs += [\"update-$i\"])" >"$i.json"
		t=$(jq -r .transition_hash one | base64 -d | xxd -p -c0)
		api=$a sets 200 "$i.json" "$t" owner.pem
		eventually manifests "$b" $((i + 1))
		attested "$a" >one
		attested "$b" >two
		cmp one two
		api="$b" verifies 0 "$i.json"
		api=$b pod 0 web.policy
	done
	[ "$(said superseded b.log | wc -l)" = 4 ]
	# without a peer that serves, it waits and issues nothing
	kill -STOP "$a_pid"
	ends "$b_pid"
	kill -CONT "$a_pid"
	second --peer http://127.0.0.1:1
	api="$b" recovers 0 3.json
	t=$(jq -r .transition_hash one | base64 -d | xxd -p -c0)
	api=$a sets 200 second.json "$t" owner.pem
	eventually waits "$b_probes"
	api=$b pod 1 web.policy
	[[ $stderr == *needs_recovery* ]]
	api=$b sets 412 1.json "$none"
	curl -s "$b_probes/metrics" | grep -Fx 'ctr_ready 0'
	# then a seed share owner comes
	api="$b" recovers 0 second.json
	api=$b pod 0 web.policy
}

# watches: how often the API server was asked for one
watches() { grep -c 'watch=1' requests; }

@test "a watch that lies, or ends at once, is not asked for again without a pause, and nothing is missed" {
	first
	second --peer "$a"
	deploys
	eventually ready "$b_probes"
	t=$(next manifest.json "$none") n=1
	for how in "text {}" "status 410" "close x"; do
		read -r action arg <<<"$how"
		wrong WATCH latest 0 100000 "$action" "$arg"
		permit ".Policies |= map_values(.SANs += [\"update-$n\"])" >next.json
		api=$a sets 200 next.json "$t" owner.pem
		t=$(next next.json "$t") n=$((n + 1))
		eventually manifests "$b" "$n"
		before=$(watches)
		sleep 1
		[ $(($(watches) - before)) -lt 20 ] || fail "$how: $(watches) after $before"
	done
}

@test "of two that set a manifest at once one wins, the other is told, and has it soon" {
	first
	second --peer "$a"
	# B learns late: nobody tells
	wrong WATCH latest 0 1000 status 403
	ends "$b_pid"
	second --peer "$a"
	manifest_request manifest.json "$none" >request
	api=$a posts 200 /v1/manifest @request
	api=$b posts 409 /v1/manifest @request
	refused manifest_conflict
	eventually ready "$b_probes"
	attested "$a" >one
	manifest_request second.json "$(next manifest.json "$none")" owner.pem >request
	api=$a posts 200 /v1/manifest @request
	permit '.Policies |= map_values(.SANs += ["other"])' >other.json
	manifest_request other.json "$(next manifest.json "$none")" owner.pem >request
	api=$b posts 409 /v1/manifest @request
	refused manifest_conflict
	eventually manifests "$b" 2
	api="$b" verifies 0 second.json
	said kube.denied b.log
}

@test "lesson: CVE-2026-109359, a store that was set back moves nobody, and no peer gives an older state" {
	first
	second --peer "$a"
	deploys
	eventually ready "$b_probes"
	cp "$(object latest)" older
	api=$a sets 200 second.json "$(next manifest.json "$none")" owner.pem
	eventually manifests "$b" 2
	cp "$(object latest)" newer
	# set back, without a record, another's, garbage: said, and nothing moves
	cp older "$(object latest)"
	eventually said history.rollback b.log
	rm "$(object latest)"
	eventually said history.latest b.log
	jq -c '.binaryData.bytes |= (.[0:40] + "AAAA" + .[44:])' newer >"$(object latest)"
	eventually said history.signature b.log
	for url in "$a" "$b"; do api="$url" verifies 0 second.json; done
	api=$b pod 0 web.policy
	# an update on it is refused, and it goes on when the store is as it was
	cp older "$(object latest)"
	permit '.Policies |= map_values(.SANs += ["third"])' >third.json
	t=$(next second.json "$(next manifest.json "$none")")
	api=$a sets 500 third.json "$t" owner.pem
	cp newer "$(object latest)"
	api=$a sets 200 third.json "$t" owner.pem
	eventually manifests "$b" 3
	cp "$(object latest)" newest
	# B learns that there is a fourth, which it cannot have; with the store set back, A would serve it the third
	permit '.Policies |= map_values(.SANs += ["fourth"])' >fourth.json
	wrong POST mesh 0 0 status 500
	kill -STOP "$b_pid"
	api=$a sets 200 fourth.json "$(next third.json "$t")" owner.pem
	ends "$a_pid"
	kill -CONT "$b_pid"
	eventually waits "$b_probes"
	cp newest "$(object latest)"
	api="$b" recovers 4 third.json --force
	said history.rollback b.log | grep lacks
	waits "$b_probes"
	api=$b pod 1 web.policy
}

@test "a running Coordinator takes another seed from nobody" {
	first
	deploys
	cp shares.json own.json
	cp -r kube/objects mine
	ends "$a_pid"
	# the same manifests under another seed
	rm kube/objects/*
	second
	api=$b sets 200 manifest.json "$none"
	jq -r .seed_shares_doc reply | base64 -d >other.json
	api=$b sets 200 second.json "$(next manifest.json "$none")" owner.pem
	cp "$(object latest)" others
	ends "$b_pid"
	rm kube/objects/*
	cp mine/* kube/objects
	first
	api="$a" recovers 0 manifest.json
	second
	api="$b" recovers 0 manifest.json --force
	api=$b sets 200 second.json "$(next manifest.json "$none")" owner.pem
	eventually waits "$a_probes"
	cp others "$(object latest)"
	cp other.json shares.json
	api="$a" recovers 1 second.json --force
	said coord.seed a.log
	waits "$a_probes"
}

# dies_at METHOD N WHEN: the update to second.json, the Coordinator killed before (kill) or after (killed) the n-th such
# request to the store; fails when it got through
dies_at() {
	local code
	rm -rf kube/objects
	cp -r start kube/objects
	first
	api="$a" recovers 0 manifest.json
	wrong "$1" coordinator "$2" 1 "$3" "$a_pid"
	code=$(curl -s -o reply -w '%{http_code}' -H 'Content-Type: application/json' --data-binary @request "$a/v1/manifest") || true
	right
	if [ "$code" = 200 ]; then
		kill -KILL "$a_pid"
		wait "$a_pid" || true
		return 1
	fi
	wait "$a_pid" || true
}

# survives: what is in the store can be recovered to one of the two manifests, which is noted in $seen
survives() {
	first
	api="$a" recovers 0 manifest.json || true
	if [ "$status" -eq 0 ]; then
		api="$a" verifies 0 manifest.json
		seen+=o
	else
		api="$a" verifies 0 second.json
		seen+=n
	fi
	kill -KILL "$a_pid"
	wait "$a_pid" || true
}

@test "killed before or after any request of an update, the store has the old manifest or the new one" {
	first
	deploys
	ends "$a_pid"
	manifest_request second.json "$(next manifest.json "$none")" owner.pem >request
	cp -r kube/objects start
	seen=''
	# what is done after one request is what is done before the next
	for ((n = 0; n < 100; n++)); do
		dies_at any "$n" kill || break
		survives
	done
	[[ $seen =~ ^o{4,}n*$ ]] || fail "$seen"
	dies_at PUT 0 killed
	survives
	[[ $seen == *n ]] || fail "$seen"
}

@test "each answer that is wrong fails for its own reason, and once it is right the update is taken" {
	first
	deploys
	t=$(next manifest.json "$none")
	fails() {
		api=$a sets 500 second.json "$t" owner.pem
		refused internal
		logged "$1" | grep -F -e "${2-}" || fail "expected $1: $(tail -n 3 a.log)"
	}
	wrong PUT latest 0 9 status 403
	fails kube.denied
	wrong POST manifest 0 9 status 418
	fails kube.answer 418
	wrong GET manifest 0 9 text '{"kind":"Secret"}'
	ends "$a_pid"
	right
	first
	api="$a" recovers 0 manifest.json
	for how in "text {}" "huge x" "cut x" "text [[[[" "moved https://127.0.0.1:1/" 'text {"kind":"Secret","metadata":{},"data":{},"binaryData":{}}'; do
		read -r action arg <<<"$how"
		wrong GET /coordinator.latest 0 99 "$action" "$arg"
		case $action in
		cut) fails http.short ;;
		moved) fails http.redirect ;;
		*) fails kube.answer ;;
		esac
	done
	# too often, for a while; and answers that got lost: done once
	wrong PUT latest 0 2 status 429
	api=$a sets 200 second.json "$t" owner.pem
	permit '.Policies |= map_values(.SANs += ["third"])' >third.json
	wrong PUT latest 0 1 lose
	t=$(next second.json "$t")
	api=$a sets 200 third.json "$t" owner.pem
	permit '.Policies |= map_values(.SANs += ["fourth"])' >fourth.json
	wrong POST transition 0 1 lose
	api=$a sets 200 fourth.json "$(next third.json "$t")" owner.pem
	api="$a" verifies 0 fourth.json
}

@test "a token is read again when it changes; one that is no more good is told" {
	first
	deploys
	printf token-2 >kube/token
	api=$a sets 500 second.json "$(next manifest.json "$none")" owner.pem
	logged kube.denied | grep 401
	printf 'token-2\n' >sa/token
	api=$a sets 200 second.json "$(next manifest.json "$none")" owner.pem
	grep -q 'auth=Bearer token-2' requests
	printf 'token\r\nX: y' >sa/token
	permit '.Policies |= map_values(.SANs += ["third"])' >third.json
	api=$a sets 500 third.json "$(next second.json "$(next manifest.json "$none")")" owner.pem
	logged kube.token
}

@test "blobs that were changed, cut, taken away or mixed up are refused" {
	head -c 1200000 /dev/urandom | base64 -w0 >web.policy
	permit >manifest.json
	first
	deploys
	policy=$(object "policies.$(next manifest.json "$none")")
	[ "$(find kube/objects -name '*policies*' | wc -l)" = 4 ]
	cp -r kube/objects good
	ends "$a_pid"
	first
	api="$a" recovers 0 manifest.json
	ends "$a_pid"
	first
	bad() {
		api="$a" recovers 4 manifest.json
		logged "$1" | grep -F -e "${2-}" || fail "expected $1: $(tail -n 3 a.log)"
		waits "$a_probes"
		rm kube/objects/*
		cp good/* kube/objects
	}
	meddles "$policy.2" '.binaryData.bytes |= "AAAA" + .[4:]'
	bad store.policies
	meddles "$(object "manifest.$(hash_of manifest.json)")" '.binaryData.bytes |= "AAAA" + .[4:]'
	bad store.hash
	meddles "$policy.1" '.binaryData.bytes |= .[4:]'
	bad store.hash parts
	rm "$policy.1"
	bad store.hash parts
	cp "$policy.1" "$policy.2"
	bad store.policies
	rm "$policy"
	bad store.missing
	meddles "$policy" '.data.size = "9999999999"'
	bad store.kind
	meddles "$policy" '.data.size = "-1"'
	bad kube.answer
	api="$a" recovers 0 manifest.json
	# an update writes over what is broken
	manifest=$(object "manifest.$(hash_of manifest.json)")
	meddles "$manifest" '.binaryData.bytes |= "AAAA" + .[4:]'
	api=$a sets 200 manifest.json "$(next manifest.json "$none")" owner.pem
	cmp <(jq -S .binaryData "$manifest") <(jq -S .binaryData "good/${manifest##*/}")
}

@test "an API server that hangs costs its time, not the service, and not the end" {
	first
	deploys
	wrong any coordinator 0 99 hang
	api=$a pod 0 web.policy
	api="$a" verifies 0 manifest.json
	asks 200 "$a_probes/probe/liveness"
	begin=$SECONDS
	ends "$a_pid"
	[ $((SECONDS - begin)) -le 8 ]
}

@test "no pod, no account, another name: refused at the start" {
	command=(ctr-coordinatord --errors=json --platform "$(machine coordinator.policy)" --no-cache --offline --listen 127.0.0.1:0
		--listen-probes 127.0.0.1:0 --listen-transit none)
	KUBERNETES_SERVICE_HOST='' refuses 4 kube.environment "${command[@]}" --store kubernetes: --service-account sa
	refuses 4 kube.namespace "${command[@]}" --store kubernetes: --service-account "$PWD/none"
	refuses 2 store.spec "${command[@]}" --store kubernetes:Upper --service-account sa
	refuses 2 store.spec "${command[@]}" --store kubernetes:a/b --service-account sa
	refuses 2 store.spec "${command[@]}" --store "kubernetes:$(printf 'a%.0s' {1..64})" --service-account sa
	refuses 2 store.spec "${command[@]}" --store etcd:
	rm sa/token
	refuses 4 kube.token "${command[@]}" --store kubernetes: --service-account sa
	printf x >sa/token
	refuses 4 kube.denied "${command[@]}" --store kubernetes: --service-account sa
	cp "$m/ark.der" sa/ca.crt
	refuses 4 http.tls "${command[@]}" --store kubernetes: --service-account sa
}
