#!/usr/bin/env bats
# The mesh at work: a pod and a peer in network namespaces of their own, rules, proxy and sidecar as in a pod. Nothing
# leaves the namespaces.
load helpers

POD4=10.77.0.1 PEER4=10.77.0.2 POD6=fd77::1 PEER6=fd77::2

setup_file() {
	export POD=ctr-pod-$$ PEER=ctr-peer-$$ d=$BATS_FILE_TMPDIR
	export NET=
	cd "$d" || return
	can_do_it || return 0
	wire
	certificates
	servers
}

# Why not, in $NET, which each test skips with.
can_do_it() {
	local c
	for c in ip nft haproxy; do
		command -v "$c" >/dev/null || { NET="$c is absent"; return 1; }
	done
	[ "$(id -u)" -eq 0 ] || { NET="needs root for network namespaces"; return 1; }
	ip netns add "$POD" 2>/dev/null || { NET="no network namespaces here"; return 1; }
	nft_there || { NET="no transparent proxying in this kernel"; return 1; }
}

nft_there() {
	ip netns exec "$POD" nft -f - <<-'RULES' 2>/dev/null
		table inet probe {
			chain c {
				type filter hook prerouting priority mangle;
				ct state new fib daddr type local meta nfproto ipv6 meta l4proto tcp tproxy ip6 to :1
			}
		}
		delete table inet probe
	RULES
}

wire() {
	ip netns add "$PEER"
	ip -n "$POD" link add eth0 type veth peer name eth0 netns "$PEER"
	ip -n "$POD" addr add $POD4/24 dev eth0
	ip -n "$PEER" addr add $PEER4/24 dev eth0
	ip -n "$POD" addr add $POD6/64 dev eth0 nodad
	ip -n "$PEER" addr add $PEER6/64 dev eth0 nodad
	for n in "$POD" "$PEER"; do
		ip -n "$n" link set lo up
		ip -n "$n" link set eth0 up
	done
	# an address that is not the pod's, by way of the pod
	ip -n "$PEER" route add 10.99.0.0/24 via $POD4
}

leaf() { # DIR CA NAME: what the Initializer leaves, its directory swapped by a link
	local new
	new=..ctr-$(openssl rand -hex 4)
	mkdir -p "$1/$new/tls-config"
	openssl ecparam -name prime256v1 -genkey -noout -out "$1/$new/tls-config/key.pem"
	openssl req -new -key "$1/$new/tls-config/key.pem" -subj "/CN=$3" |
		ctr-ca issue --ca "$2" --san "$3" >"$1/$new/tls-config/certChain.pem"
	cp "$2/mesh-ca.pem" "$1/$new/tls-config/mesh-ca.pem"
	chmod 400 "$1/$new/tls-config/key.pem"
	ln -sfn "$new" "$1/..next"
	mv -T "$1/..next" "$1/..data"
	[ -e "$1/tls-config" ] || ln -s ..data/tls-config "$1/tls-config"
}

certificates() {
	printf '{"seed":"%s","salt":"%s"}' "$(openssl rand -hex 64)" "$(openssl rand -hex 32)" >seed.json
	ctr-ca mesh --output ca <seed.json
	ctr-ca mesh --output other <seed.json
	leaf pod ca web
	leaf peer ca peer
	leaf stranger other peer
	for n in peer stranger; do
		cat $n/tls-config/certChain.pem $n/tls-config/key.pem >$n.pem
	done
}

# The workload, which speaks plain HTTP and knows nothing of the mesh; and two remote services, one of another mesh.
servers() {
	cat >app.cfg <<-'CFG'
		defaults
			mode http
			timeout connect 5s
			timeout client 1h
			timeout server 1h
		frontend app
			bind :8000,:8080,:7890 v4v6
			bind [::]:8000,[::]:8080,[::]:7890 v6only
			http-request return status 200 content-type text/plain lf-string "app %[dst_port]\n"
	CFG
	sed -i 's/bind :8000,:8080,:7890 v4v6/bind 0.0.0.0:8000,0.0.0.0:8080,0.0.0.0:7890/' app.cfg
	cat >remote.cfg <<-CFG
		defaults
			mode http
			timeout connect 5s
			timeout client 1h
			timeout server 1h
		frontend remote
			bind 0.0.0.0:9443 ssl crt $d/peer.pem ca-file $d/ca/mesh-ca.pem verify required
			bind [::]:9443 v6only ssl crt $d/peer.pem ca-file $d/ca/mesh-ca.pem verify required
			bind 0.0.0.0:9444 ssl crt $d/stranger.pem
			http-request return status 200 content-type text/plain lf-string "client %[ssl_c_der,sha1,hex]\n"
	CFG
	daemon "$POD" haproxy -db -f app.cfg
	daemon "$PEER" haproxy -db -f remote.cfg
	within 5 pod curl -sf -o /dev/null http://127.0.0.1:8000/
	within 5 listens "$PEER" 9443
}

daemon() { # NAMESPACE COMMAND...
	ip netns exec "$@" >>"$d/log" 2>&1 3>&- &
	echo $! >>"$d/pids"
}

within() { # SECONDS COMMAND...: until it succeeds
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		[ $SECONDS -lt $end ] || fail "not in time: $*"
		sleep 0.1
	done
}

listens() { # NAMESPACE PORT
	ip netns exec "$1" ss -Hltn "sport = :$2" | grep -q .
}

setup() {
	[ ! "$NET" ] || skip "$NET"
	cd "$d" || return
	export CONTRAST_INGRESS_PROXY_CONFIG='web#8080#false##metrics#7890#true'
	export CONTRAST_EGRESS_PROXY_CONFIG="peer#127.137.0.1:8081#$PEER4:9443##other#127.137.0.2:8081#$PEER4:9444##six#[::1]:8081#[$PEER6]:9443"
	unset CONTRAST_ADMIN_PORT
	export CTR_MESH_TLS=$d/pod/tls-config CTR_MESH_RUN=$BATS_TEST_TMPDIR/run CTR_MESH_READY=$BATS_TEST_TMPDIR/ready \
		CTR_MESH_EVERY=1
	sidecar=
}

teardown() {
	[ ! "$NET" ] || return 0
	if [ "$sidecar" ]; then
		kill "$sidecar" 2>/dev/null
		wait "$sidecar" || true
	fi
	pod nft flush ruleset
	[ -e "$BATS_TEST_TMPDIR/log" ] && tail -n 30 "$BATS_TEST_TMPDIR/log" >&2
	return 0
}

teardown_file() {
	local p
	[ ! -e "$d/pids" ] || while read -r p; do kill "$p"; done <"$d/pids"
	ip netns del "$POD" 2>/dev/null
	ip netns del "$PEER" 2>/dev/null
	return 0
}

pod() { ip netns exec "$POD" "$@"; }
peer() { ip netns exec "$PEER" "$@"; }

# sidecar [PROXY]: as the image starts it, until the pod's startup probe would pass
start() {
	ip netns exec "$POD" "$TOP/k8s/mesh/entry" "$@" >>"$BATS_TEST_TMPDIR/log" 2>&1 3>&- &
	sidecar=$!
	within 10 test -f "$CTR_MESH_READY"
}

# asks WHO URL: the peer's request, with the certificate of WHO ("-" none), trusting the mesh
asks() {
	local who=$1 url=$2 cert=()
	shift 2
	[ "$who" = - ] || cert=(--cert "$d/$who/tls-config/certChain.pem" --key "$d/$who/tls-config/key.pem")
	peer curl -sS --max-time 3 "${cert[@]}" --cacert "$d/ca/mesh-ca.pem" "$@" "$url"
}

# Names in URLs, so that the pod's certificate is verified like any other's.
web() { # WHO PORT [ADDRESS]
	asks "$1" "https://web:$2/" --connect-to "web:$2:${3:-$POD4}:$2"
}

dropped() { # COMMAND...: nobody answers, not even with a refusal
	run -28 "$@"
}

turned_away() { # COMMAND...: the proxy breaks off; curl has 35, 55 or 56 for it, depending on when it notices
	run ! "$@"
	[[ $status == 35 || $status == 5[56] ]] || fail "status $status: $output"
}

through() { # TEXT COMMAND...
	local want=$1
	shift
	run -0 "$@"
	[ "$output" = "$want" ] || fail "expected $want: $output"
}

# What holds with any proxy and any packet filter.
mesh_holds() {
	# every port wants a certificate of the mesh
	through "app 8000" web peer 8000
	through "app 8000" web peer 8000 "[$POD6]"
	turned_away web - 8000
	turned_away web stranger 8000
	run ! peer curl -sS --max-time 3 http://$POD4:8000/
	# one that is open to all, with TLS all the same
	through "app 8080" web - 8080
	through "app 8080" web - 8080 "[$POD6]"
	through "app 8080" web peer 8080
	run ! peer curl -sS --max-time 3 http://$POD4:8080/
	# one that is the workload's own matter
	through "app 7890" peer curl -sS --max-time 3 http://$POD4:7890/
	through "app 7890" peer curl -gsS --max-time 3 "http://[$POD6]:7890/"
	# the pod to itself
	through "app 8000" pod curl -sS --max-time 3 http://127.0.0.1:8000/
	through "app 8000" pod curl -sS --max-time 3 http://$POD4:8000/
	through "app 8000" pod curl -gsS --max-time 3 "http://[::1]:8000/"
	# the proxy's ports are not to be asked, and the pod is no way to others
	dropped web peer 15006
	dropped web - 15007
	dropped web - 15007 "[$POD6]"
	dropped web - 8080 10.99.0.1
	egress_holds
}

fingerprint() { # DIR
	openssl x509 -in "$1/tls-config/certChain.pem" -noout -fingerprint -sha1 | sed 's/.*=//; s/://g'
}

egress_holds() {
	local mine
	mine=$(fingerprint pod)
	[ "$(pod curl -sS --max-time 3 http://127.137.0.1:8081/)" = "client $mine" ] || fail "IPv4"
	[ "$(pod curl -gsS --max-time 3 "http://[::1]:8081/")" = "client $mine" ] || fail "IPv6"
	# a remote that is not of this mesh is not talked to
	! pod curl -sS --max-time 3 http://127.137.0.2:8081/ 2>/dev/null || fail "another mesh"
}

@test "before the proxy is up nothing gets in, but by a port that does without" {
	through "app 8000" peer curl -sS --max-time 3 http://$POD4:8000/
	ctr-mesh-config --nft | pod nft -f -
	for p in 8000 8080 15006 15007 22; do
		dropped peer curl -sS --max-time 1 http://$POD4:$p/
		dropped peer curl -gsS --max-time 1 "http://[$POD6]:$p/"
	done
	dropped web peer 8000
	through "app 7890" peer curl -sS --max-time 3 http://$POD4:7890/
	# what the pod begins itself
	through "app 8000" pod curl -sS --max-time 3 http://$POD4:8000/
	run -0 pod curl -sSk --max-time 3 --cert peer.pem https://$PEER4:9443/
}

@test "HAProxy behind nft: who gets in, who does not, and what the pod shows outside" {
	start haproxy
	mesh_holds
}

@test "HAProxy behind iptables: the same" {
	command -v iptables-restore >/dev/null || skip "iptables is absent"
	mkdir bin
	for c in "$(command -v iptables-restore)" "$(command -v ip6tables-restore)" "$(command -v haproxy)" \
		"$BIN/ctr-mesh-config" /bin/sh /usr/bin/*; do
		[[ $c == */nft ]] || ln -sf "$c" bin/
	done
	pod env PATH="$d/bin" sh -c 'command -v iptables-restore && ! command -v nft' >/dev/null
	PATH=$d/bin start haproxy
	mesh_holds
	run -0 pod nft list tables
	[[ $output != *ctr_mesh* ]]
}

@test "Envoy: the same" {
	command -v envoy >/dev/null || skip "envoy is absent"
	start envoy
	mesh_holds
}

@test "ingress DISABLED: outgoing connections alone" {
	CONTRAST_INGRESS_PROXY_CONFIG=DISABLED start haproxy
	through "app 8000" peer curl -sS --max-time 3 http://$POD4:8000/
	egress_holds
}

@test "rules again: replaced, not added to; and gone when the proxy is" {
	start haproxy
	pod nft list ruleset >before
	ctr-mesh-config --nft | pod nft -f -
	pod nft list ruleset | diff before -
	kill "$sidecar"
	wait "$sidecar" || true
	dropped web peer 8000
	dropped web - 8080
}

renew() {
	local old
	old=$(served)
	leaf pod ca web
	within 10 renewed "$old"
}

served() {
	peer openssl s_client -connect $POD4:8080 -CAfile "$d/ca/mesh-ca.pem" </dev/null 2>/dev/null |
		openssl x509 -noout -fingerprint -sha1
}

renewed() { # OLD
	local now
	now=$(served) && [ "$now" ] && [ "$now" != "$1" ]
}

# A client's connection that stays: a request and its answer, as often as asked.
talk() {
	printf 'GET / HTTP/1.1\r\nHost: web\r\n\r\n' >&"${C[1]}"
	local l
	while read -r -t 5 l <&"${C[0]}"; do
		[[ $l != "app 8000"* ]] || return 0
	done
	fail "no answer"
}

renewal_holds() { # PROXY
	start "$1"
	coproc C { peer openssl s_client -quiet -connect $POD4:8000 -CAfile "$d/ca/mesh-ca.pem" \
		-cert "$d/peer/tls-config/certChain.pem" -key "$d/peer/tls-config/key.pem" 2>/dev/null; }
	local client=$C_PID
	talk
	# new ones all the time
	(
		while [ ! -e "$BATS_TEST_TMPDIR/stop" ]; do
			web peer 8000 >>"$BATS_TEST_TMPDIR/answers" 2>>"$BATS_TEST_TMPDIR/errors" || echo failed >>"$BATS_TEST_TMPDIR/errors"
		done
	) 3>&- &
	local load=$!
	for _ in 1 2 3; do
		renew
		talk
	done
	touch "$BATS_TEST_TMPDIR/stop"
	wait "$load"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/answers")" -ge 10 ]
	[ ! -s "$BATS_TEST_TMPDIR/errors" ] || fail "$(cat "$BATS_TEST_TMPDIR/errors")"
	[ "$(sort -u "$BATS_TEST_TMPDIR/answers")" = "app 8000" ]
	egress_holds
	kill "$client"
}

@test "a renewed certificate is used at once, and no connection is lost (HAProxy)" {
	renewal_holds haproxy
}

@test "a renewed certificate is used at once, and no connection is lost (Envoy)" {
	command -v envoy >/dev/null || skip "envoy is absent"
	renewal_holds envoy
}

@test "a new mesh CA: who has a certificate of the old one stays outside" {
	start haproxy
	through "app 8000" web peer 8000
	cp -a pod pod.before
	leaf pod other web
	within 10 not_in
	run -0 asks stranger https://web:8000/ --connect-to "web:8000:$POD4:8000" --cacert other/mesh-ca.pem
	leaf pod ca web
	within 10 web peer 8000
}

not_in() {
	! asks peer https://web:8000/ --connect-to "web:8000:$POD4:8000" -k >/dev/null 2>&1
}

@test "a certificate that cannot be read changes nothing, and the next one is taken" {
	start haproxy
	mkdir -p pod/..broken/tls-config
	cp pod/tls-config/* pod/..broken/tls-config/
	echo none >pod/..broken/tls-config/certChain.pem
	ln -sfn ..broken pod/..next
	mv -T pod/..next pod/..data
	sleep 1
	through "app 8000" web peer 8000
	renew
	through "app 8000" web peer 8000
}

@test "the administration is for the pod itself" {
	CONTRAST_ADMIN_PORT=9901 start haproxy
	run -0 pod curl -sSf --max-time 3 http://127.0.0.1:9901/metrics
	[[ $output == *haproxy_process_* ]]
	run ! web peer 9901
	run ! peer curl -sS --max-time 1 http://$POD4:9901/
}

@test "the sidecar does not start on a configuration that is wrong, and lets nothing in" {
	export CONTRAST_INGRESS_PROXY_CONFIG='web#8080'
	run -3 pod "$TOP/k8s/mesh/entry" haproxy
	[[ $output == *"CONTRAST_INGRESS_PROXY_CONFIG:1:9: "* ]]
	[ ! -e "$CTR_MESH_READY" ]
	run -2 pod env CONTRAST_INGRESS_PROXY_CONFIG= "$TOP/k8s/mesh/entry" nginx
	[[ $output == *"nginx: unknown proxy"* ]]
}
