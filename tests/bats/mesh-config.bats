#!/usr/bin/env bats
# ctr-mesh-config as a filter: what it takes, what it refuses and where, and what those programs say of its output that
# read it. tests/data/mesh holds what it writes (REGEN=1 writes it again). tests/bats/mesh-net.bats has it at work.
# shellcheck disable=SC2016 # dollars are hostile text here
load helpers

forms='envoy envoy-cert envoy-ca haproxy nft iptables ip6tables'
in=CONTRAST_INGRESS_PROXY_CONFIG out=CONTRAST_EGRESS_PROXY_CONFIG

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	golden=$TOP/tests/data/mesh
	unset $in $out CONTRAST_ADMIN_PORT
}

mesh() { ctr-mesh-config --errors=json "$@"; }

# wrong ID COLUMN FORM-OPTION...: exit 3, this reason at this column of the text, nothing on stdout
wrong() {
	refuses 3 "$1" mesh --haproxy "${@:3}"
	[ "$(jq -s 'last | .column // 0' <<<"$stderr")" -eq "$2" ] || fail "expected column $2: $stderr"
}

# --- what it writes ---

@test "the output, byte for byte" {
	local f n
	for n in full strict disabled; do
		for f in $forms; do
			ctr-mesh-config --"$f" "$golden/$n.env" >got
			[ ! "${REGEN-}" ] || cp got "$golden/$n.$f"
			diff "$golden/$n.$f" got || fail "$n.$f"
		done
	done
}

@test "environment, file, standard input and options say the same" {
	local f
	set -a
	# shellcheck disable=SC1090
	. <(sed "s/=\(.*\)/='\1'/" "$golden/full.env")
	set +a
	for f in $forms; do
		ok ctr-mesh-config --"$f"
		diff "$golden/full.$f" - <<<"$output"
	done
	local ingress=$CONTRAST_INGRESS_PROXY_CONFIG egress=$CONTRAST_EGRESS_PROXY_CONFIG
	unset $in $out CONTRAST_ADMIN_PORT
	ok ctr-mesh-config --nft - <"$golden/full.env"
	diff "$golden/full.nft" - <<<"$output"
	ok ctr-mesh-config --haproxy -i "$ingress" -e "$egress" --admin-port 9901
	diff "$golden/full.haproxy" - <<<"$output"
	# an option replaces what the file says; with a file the environment is not asked
	export $in=x
	ok ctr-mesh-config --haproxy --ingress "$ingress" "$golden/full.env"
	diff "$golden/full.haproxy" - <<<"$output"
	printf '\n%s=DISABLED\n\n' $in >f
	ok ctr-mesh-config --nft --ingress "$ingress" f
	diff "$golden/full.nft" - <<<"$output"
}

@test "lines end in a line feed or with the file, blank ones are none" {
	printf '%s=web#8080#false##metrics#7890#true' $in >f
	ok ctr-mesh-config --nft f
	diff "$golden/full.nft" - <<<"$output"
}

@test "an address has one form" {
	ok ctr-mesh-config --haproxy -i '' -e 'a#[0::1]:1#[FD00:0:0::A]:2'
	[[ $output == *"bind [::1]:1"* && $output == *"server remote [fd00::a]:2 "* ]]
}

@test "--ipv4-only: no IPv6 listener, and what comes over IPv6 is dropped" {
	ok ctr-mesh-config --haproxy --ipv4-only -i 'a#1#false'
	[[ $output != *::* ]]
	ok ctr-mesh-config --envoy --ipv4-only -i 'a#1#false' -e 'a#127.0.0.1:1#b:1'
	[[ $output != *::* && $output == *V4_ONLY* ]]
	ok ctr-mesh-config --nft --ipv4-only -i 'a#1#false'
	[[ $output == *"meta nfproto ipv6 drop"* && $output != *tproxy\ ip6* ]]
	ok ctr-mesh-config --ip6tables --ipv4-only -i 'a#1#false'
	[[ $output == *":PREROUTING DROP"* && $output != *TPROXY* && $output != *--dport* ]]
	refuses 3 mesh.address mesh --nft --ipv4-only -i '' -e 'a#127.0.0.1:1#[fd00::1]:1'
	refuses 3 mesh.address mesh --nft --ipv4-only -i '' -e 'a#[::1]:1#b:1'
}

# --- what it refuses ---

@test "usage" {
	refuses 2 usage mesh -i ''
	refuses 2 usage mesh --nft
	refuses 2 usage mesh --nft --haproxy -i ''
	refuses 2 usage mesh --nft a b
	refuses 4 open mesh --nft absent
	refuses 2 mesh.path mesh --haproxy -i '' --run-dir run
	refuses 2 mesh.path mesh --haproxy -i '' --run-dir '/run/a b'
	refuses 2 mesh.path mesh --envoy-cert -i '' --tls-config $'/run\n'
	refuses 2 mesh.path mesh --envoy-cert -i '' --tls-config /run/
	refuses 2 mesh.path mesh --envoy-cert -i '' --tls-config "/$(printf 'a%.0s' {1..200})"
	# one form and the mesh's variables absent: a mistake must not pass for a choice
	CONTRAST_ADMIN_PORT=1 refuses 2 usage mesh --nft
}

@test "fields: too few, too many, empty ones" {
	wrong mesh.entry 4 -i web
	wrong mesh.entry 9 -i web#8080
	wrong mesh.entry 10 -i web#8080#
	wrong mesh.entry 1 -i '#8080#true'
	wrong mesh.entry 5 -i 'web##true'
	wrong mesh.entry 14 -i 'web#8080#true#x'
	wrong mesh.entry 14 -i 'web#8080#true#'
	wrong mesh.entry 16 -i 'web#8080#true##'
	wrong mesh.entry 16 -i 'web#8080#true###'
	wrong mesh.entry 1 -i '##web#8080#true'
	wrong mesh.entry 2 -i '' -e a
	wrong mesh.entry 16 -i '' -e 'a#127.0.0.1:80#'
	wrong mesh.entry 22 -i '' -e 'a#127.0.0.1:80#b:80##'
	wrong mesh.entry 12 -i '' -e 'a#127.0.0.1#b:80'
	wrong mesh.entry 17 -i '' -e 'a#127.0.0.1:80#b'
	wrong mesh.entry 8 -i '' -e 'a#[::1]#b:80'
	wrong mesh.entry 7 -i '' -e 'a#[::1#b:80'
	wrong mesh.entry 4 -i '' -e 'a#[#b:80'
}

@test "names: what may stand in a configuration file, and nothing else" {
	local n
	for n in '.a' '-a' '_a' 'a b' 'a;b' "a'b" 'a"b' 'a{b' 'a$b' 'a\b' $'a\nb' $'a\tb' $'\xc3\xa4' "$(printf 'a%.0s' {1..64})"; do
		wrong mesh.name 1 -i "$n#80#true"
		wrong mesh.name 1 -i '' -e "$n#127.0.0.1:80#b:80"
	done
	ok ctr-mesh-config --haproxy -i "A0._-#80#true##$(printf 'a%.0s' {1..63})#81#true"
}

@test "ports" {
	local p
	for p in 0 00 080 65536 99999 100000 -1 +1 1x x ' 1' '1 ' 0x50 99999999999999999999; do
		wrong mesh.port 5 -i "web#$p#true"
		wrong mesh.port 13 -i '' -e "a#127.0.0.1:$p#b:80"
		wrong mesh.port 18 -i '' -e "a#127.0.0.1:80#b:$p"
		wrong mesh.port 1 -i '' --admin-port "$p"
	done
	wrong mesh.port 13 -i '' -e "a#127.0.0.1:#b:80"
	wrong mesh.port 18 -i '' -e "a#127.0.0.1:80#b:"
	wrong mesh.port 20 -i "web#80#true##other#y#true"
	for p in 15006 15007; do
		wrong mesh.reserved 5 -i "web#$p#true"
		wrong mesh.reserved 13 -i '' -e "a#127.0.0.1:$p#b:80"
		wrong mesh.reserved 1 -i '' --admin-port $p
	done
	ok ctr-mesh-config --haproxy -i 'a#1#true##b#65535#true' -e 'a#127.0.0.1:1#b:15006'
}

@test "true, false, and no other word" {
	local w
	for w in True TRUE 1 0 t f yes 'true ' ' true' DISABLED; do
		wrong mesh.bool 8 -i "web#80#$w"
	done
	wrong mesh.entry 10 -i 'DISABLED'$'\n'
	refuses 3 mesh.entry mesh --nft -i 'disabled'
	refuses 3 mesh.entry mesh --nft -i 'DISABLED##web#80#true'
}

@test "local addresses: of this host alone, so that nobody else uses the pod's certificate" {
	local a
	for a in 0.0.0.0 10.0.0.1 128.0.0.1 126.255.255.255 127.0.0 127.1 127.0.0.1.1 127.0.0.256 localhost 127.00.0.1 ''; do
		wrong mesh.address 3 -i '' -e "a#$a:80#b:80"
	done
	for a in :: fd00::1 ::ffff:127.0.0.1 ::1%lo 127.0.0.1 ''; do
		wrong mesh.address 4 -i '' -e "a#[$a]:80#b:80"
	done
	wrong mesh.address 3 -i '' -e 'a#::1:80#b:80'
	ok ctr-mesh-config --haproxy -i '' -e 'a#127.255.255.254:80#b:80##b#[::1]:80#b:80'
}

@test "remote hosts" {
	local h
	for h in '-a' 'a-' 'a..b' '.a' 'a.' 'a b' 'a;b' 'a$b' 'a/b' 'a"b' $'a\nb' $'\xc3\xa4' 1.2.3 256.1.1.1 1.2.3.4.5 0x7f000001 a.1 \
		"$(printf 'a%.0s' {1..64})" "$(printf 'a%.0s.' {1..127})" ''; do
		wrong mesh.host 16 -i '' -e "a#127.0.0.1:80#$h:80"
	done
	for h in fe80::1%eth0 a::b::c 1.2.3.4 host; do
		wrong mesh.host 17 -i '' -e "a#127.0.0.1:80#[$h]:80"
	done
	wrong mesh.port 21 -i '' -e 'a#127.0.0.1:80#fd00:80:80'
	ok ctr-mesh-config --haproxy -i '' -e "a#127.0.0.1:80#back_end.default:80##b#127.0.0.1:81#1a.b2c:80##c#127.0.0.1:82#$(printf 'a%.0s.' {1..126})b:80"
}

@test "the same twice" {
	wrong mesh.duplicate 14 -i 'web#80#true##web#81#true'
	wrong mesh.duplicate 18 -i 'web#80#true##ewe#80#false'
	wrong mesh.duplicate 22 -i '' -e 'a#127.0.0.1:80#b:80##a#127.0.0.2:80#b:80'
	wrong mesh.duplicate 24 -i '' -e 'a#127.0.0.1:80#b:80##c#127.0.0.1:80#b:81'
	wrong mesh.duplicate 20 -i '' -e 'a#[::1]:80#b:80##c#[0:0::1]:80#b:81'
	wrong mesh.duplicate 0 -i '' -e 'a#127.0.0.1:80#b:80' --admin-port 80
	# different things may have one name, one host may be asked by two ways
	ok ctr-mesh-config --haproxy -i 'a#80#true' -e 'a#127.0.0.1:80#b:80##c#127.0.0.2:80#b:80' --admin-port 81
	printf '%s=\n%s=\n' $in $in >f
	refuses 3 mesh.duplicate mesh --nft f
	[ "$(jq .line <<<"$stderr")" -eq 2 ]
}

@test "limits" {
	local i text=
	for i in $(seq 65); do
		text+=${text:+##}n$i#$i#true
	done
	refuses 3 mesh.limit mesh --nft -i "$text"
	ok ctr-mesh-config --nft -i "${text%##*}"
	refuses 3 mesh.limit mesh --nft -i "$(printf 'a%.0s' {1..16385})"
	head -c 70000 /dev/zero >f
	refuses 3 limit mesh --nft f
}

@test "nothing is left to do" {
	refuses 3 mesh.nothing mesh --nft -i DISABLED
	refuses 3 mesh.nothing mesh --nft -i DISABLED -e ''
}

@test "a file says where it is wrong" {
	printf '%s=\n%s=a#127.0.0.1:x#b:80\n' $in $out >f
	refuses 3 mesh.port mesh --nft f
	[ "$(jq -c '[.where, .line, .column]' <<<"$stderr")" = "[\"f\",2,$((${#out} + 14))]" ]
	run -3 ctr-mesh-config --nft f
	[[ $output == "ctr-mesh-config: f:2:$((${#out} + 14)): port \"x\" (expected"* ]]
	printf '%s=\nPATH=/bin\n' $in >f
	refuses 3 mesh.variable mesh --nft f
	printf '%s\n' $in >f
	refuses 3 mesh.variable mesh --nft f
	printf '# a comment\n' >f
	refuses 3 mesh.variable mesh --nft f
	printf '%s=a#1#true\r\n' $in >f
	refuses 3 mesh.bool mesh --nft f
	printf '%s=a\0#1#true\n' $in >f
	refuses 3 mesh.name mesh --nft f
	env -u $in $out='a#127.0.0.1:x#b:80' bash -c 'ctr-mesh-config --nft' 2>said && fail "accepted"
	[[ $(<said) == "ctr-mesh-config: $out:1:13: "* ]]
}

@test "a full disk is an error" {
	run -4 bash -c 'ctr-mesh-config --nft -i "" >/dev/full'
}

# --- what its readers say ---

# A network namespace of one's own, as root or as root of a user namespace.
alone() {
	local how=-rn
	[ "$(id -u)" -ne 0 ] || how=-n
	unshare $how true 2>/dev/null || skip "no network namespaces here"
	unshare $how "$@"
}

@test "nft takes the rules, again and again, and holds what they say" {
	command -v nft >/dev/null || skip "nft is absent"
	alone nft list tables || skip "no nftables in this kernel"
	local n
	for n in full strict disabled; do
		alone nft -c -f "$golden/$n.nft"
		alone sh -c "nft -f $golden/$n.nft && nft list ruleset >one && nft -f $golden/$n.nft && nft list ruleset | diff one -"
	done
	ctr-mesh-config --nft --ipv4-only -i 'a#1#false' | alone nft -c -f -
	# one transaction: a script whose end is wrong leaves what was there
	sed '$i nonsense' "$golden/full.nft" >broken
	alone sh -c "nft -f $golden/strict.nft && nft list ruleset >one && ! nft -f broken 2>/dev/null && nft list ruleset | diff one -"
	[ "$(grep -c 'policy drop' "$golden"/*.nft | grep -c :1)" -eq 2 ]
}

@test "iptables-restore takes the rules, again and again" {
	command -v iptables-restore >/dev/null || skip "iptables is absent"
	alone iptables-restore --test </dev/null || skip "no iptables in this kernel"
	local n v
	for n in full strict disabled; do
		for v in iptables ip6tables; do
			alone $v-restore --test <"$golden/$n.$v"
			alone sh -c "$v-restore <$golden/$n.$v && $v-save | grep -v ^# >one; $v-restore <$golden/$n.$v &&
				$v-save | grep -v ^# | diff one -"
		done
	done
	ctr-mesh-config --ip6tables --ipv4-only -i 'a#1#false' | alone ip6tables-restore --test
}

certificates() { # DIR
	printf '{"seed":"%s","salt":"%s"}' "$(openssl rand -hex 64)" "$(openssl rand -hex 32)" | ctr-ca mesh --output ca
	mkdir "$1"
	openssl ecparam -name prime256v1 -genkey -noout -out "$1/mesh.pem.key"
	openssl req -new -key "$1/mesh.pem.key" -subj /CN=a | ctr-ca issue --ca ca --san a >"$1/mesh.pem"
	cp ca/mesh-ca.pem "$1"
}

@test "HAProxy takes its configuration, without a warning" {
	command -v haproxy >/dev/null || skip "haproxy is absent"
	local n
	certificates run
	for n in full strict disabled; do
		ctr-mesh-config --haproxy --run-dir "$PWD/run" "$golden/$n.env" >cfg
		run -0 haproxy -c -f cfg
		# there is no such service here
		! grep -v 'could not resolve address .billing-svc' <<<"$output" | grep -E 'WARNING|ALERT' || fail "$output"
	done
	rm run/mesh.pem.key
	run ! haproxy -c -f cfg
}

@test "Envoy takes its configuration" {
	command -v envoy >/dev/null || skip "envoy is absent"
	local n f
	certificates run
	mkdir -p data/tls-config
	cp run/mesh.pem data/tls-config/certChain.pem
	cp run/mesh.pem.key data/tls-config/key.pem
	cp run/mesh-ca.pem data/tls-config/
	for n in full strict disabled; do
		for f in envoy envoy-cert envoy-ca; do
			ctr-mesh-config --$f --run-dir "$PWD/run" --tls-config "$PWD/data/tls-config" "$golden/$n.env" >run/$f.json
		done
		run -0 envoy --mode validate -c run/envoy.json
		[[ $output != *rejected* && $output != *deprecated* ]] || fail "$output"
	done
}

# Members that messages of Envoy's v3 API have, as far as we set them; anything else fails.
@test "Envoy's names: types, members and what refers to what" {
	local n
	cat >api.jq <<-'JQ'
		def only($names): (keys - $names) as $x | if $x == [] then . else error("members: \($x)") end;
		def address: only(["socket_address"]) | .socket_address | only(["address", "port_value"]) |
			(.address | type == "string") and (.port_value | . > 0 and . < 65536);
		def any($type): .["@type"] == "type.googleapis.com/envoy.\($type)";
		def sds($name): only(["name", "sds_config"]) | .name == $name and (.sds_config |
			only(["resource_api_version", "path_config_source"]) | .resource_api_version == "V3" and
			.path_config_source == {path: "/run/ctr-mesh/envoy-\($name).json"});
		def tls($kind; $members; $auth): only(["name", "typed_config"]) | .name == "envoy.transport_sockets.tls" and
			(.typed_config | only(["@type", "common_tls_context"] + $members) |
			any("extensions.transport_sockets.tls.v3.\($kind)TlsContext") and (.common_tls_context |
			only(["tls_params", "tls_certificate_sds_secret_configs", "validation_context_sds_secret_config"]) |
			(.tls_params == {tls_minimum_protocol_version: "TLSv1_2", tls_maximum_protocol_version: "TLSv1_3"}) and
			(.tls_certificate_sds_secret_configs | length == 1 and (.[0] | sds("cert"))) and
			if $auth then .validation_context_sds_secret_config | sds("ca")
			else has("validation_context_sds_secret_config") | not end));
		def tcp($clusters): length == 1 and (.[0] | only(["name", "typed_config"]) |
			.name == "envoy.filters.network.tcp_proxy" and (.typed_config | only(["@type", "stat_prefix", "cluster"]) |
			any("extensions.filters.network.tcp_proxy.v3.TcpProxy") and (.cluster | IN($clusters[]))));
		def ingress($auth): .transparent and (.listener_filters | length == 1 and
			(.[0].typed_config | any("extensions.filters.listener.original_dst.v3.OriginalDst"))) and
			([.filter_chains[].filter_chain_match // empty] == [{destination_port: 15006}, {destination_port: 15007}]) and
			(.filter_chains[2] | (has("filter_chain_match") | not) and (.transport_socket | tls("Downstream";
			["require_client_certificate", "disable_stateless_session_resumption",
			"disable_stateful_session_resumption"]; $auth)) and
			.transport_socket.typed_config.require_client_certificate == $auth);
		only(["node", "admin", "static_resources"]) |
		(.node | only(["id", "cluster"]) | .id != "" and .cluster != "") and
		(if .admin then .admin | only(["address"]) | .address | address else true end) and
		(.static_resources | only(["listeners", "clusters"]) | [.clusters[].name] as $clusters |
		([.listeners[].name, 0] | length == (unique | length)) and ($clusters | length == (unique | length)) and
		all(.listeners[]; only(["name", "address", "additional_addresses", "transparent", "listener_filters",
			"filter_chains"]) | (.address | address) and
			all(.additional_addresses[]?; only(["address"]) | .address | address) and
			all(.filter_chains[]; only(["name", "filters", "filter_chain_match", "transport_socket"]) |
			.filters | tcp($clusters)) and
			if .name == "ingress" then .address.socket_address.port_value == 15006 and ingress(true)
			elif .name == "ingress-open" then .address.socket_address.port_value == 15007 and ingress(false)
			else (.address.socket_address.address | startswith("127.") or . == "::1") and (has("transparent") | not) end) and
		all(.clusters[]; only(["name", "type", "lb_policy", "dns_lookup_family", "connect_timeout", "load_assignment",
			"transport_socket"]) | (.type | IN("STATIC", "LOGICAL_DNS", "ORIGINAL_DST")) and
			if .name | startswith("egress-") then (.transport_socket | tls("Upstream"; ["max_session_keys"]; true)) and
			(.name as $n | .load_assignment | only(["cluster_name", "endpoints"]) | .cluster_name == $n and
			([.endpoints[].lb_endpoints[].endpoint.address | address] == [true]))
			else has("load_assignment") | not end))
	JQ
	for n in full strict disabled; do
		jq -e -f api.jq "$golden/$n.envoy" >/dev/null || fail "$n"
	done
	jq -e '.resources | length == 1 and (.[0] | .name == "cert" and (.["@type"] | endswith(".tls.v3.Secret")) and
		(.tls_certificate | keys == ["certificate_chain", "private_key", "watched_directory"]) and
		.tls_certificate.watched_directory.path == "/contrast")' "$golden/full.envoy-cert" >/dev/null
	jq -e '.resources | length == 1 and (.[0] | .name == "ca" and (.validation_context |
		keys == ["trusted_ca", "watched_directory"]))' "$golden/full.envoy-ca" >/dev/null
	# the check itself notices
	for f in '.static_resources.listeners[0].transparant = true' '.static_resources.clusters[0].name = "x"' \
		'(.static_resources.listeners[] | select(.name == "ingress").filter_chains[2].transport_socket.typed_config.require_client_certificate) = false'; do
		run ! jq -e -f api.jq <(jq "$f" "$golden/full.envoy")
	done
}

@test "what ctr-policygen gives the sidecar is what it takes" {
	local v
	for v in $in $out CONTRAST_ADMIN_PORT; do
		grep -q "\"$v\"" "$TOP/tools/ctr-policygen/inject.c"
		grep -q "\"$v\"" "$TOP/tools/ctr-mesh-config/main.c"
	done
	grep -q 'test, -f, /ready' "$TOP/tools/ctr-policygen/inject.c"
	grep -q 'CTR_MESH_READY:-/ready' "$TOP/k8s/mesh/entry"
}

@test "the page's examples run" {
	local line n=0
	while read -r line; do
		bash -o pipefail -c "$line" >/dev/null || fail "$line"
		n=$((n + 1))
	done < <(examples ctr-mesh-config.1 | grep '^ctr-mesh-config' | grep -v 'nft -f\|nft -c')
	[ "$n" -ge 3 ]
}
