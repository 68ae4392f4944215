#!/usr/bin/env bats
# ctr-ca: the root CA of a seed, mesh CAs, certificates; judged by other implementations of X.509.
# shellcheck disable=SC2016 # jq's variables
load helpers

setup_file() {
	cd "$BATS_FILE_TMPDIR" || exit
	printf '{"seed":"%s","salt":"%s"}' "$(seq -f %02.0f 10 73 | tr -d '\n')" "$(seq -f %02.0f 10 41 | tr -d '\n')" >seed.json
	ctr-ca mesh --output ca <seed.json
	ctr-ca mesh --output narrow --permit shop.svc --permit 10.0.0.0/8 <seed.json
	openssl ecparam -name prime256v1 -genkey -noout -out key.pem
	openssl pkey -in key.pem -pubout -out key.pub
	openssl req -new -key key.pem -subj /CN=bank.example -addext subjectAltName=DNS:own.svc,IP:10.0.0.9 -out csr.pem
	ctr-ca issue --ca ca --san web.shop.svc --san '*' --san 10.0.0.1 --san fd00::1 --san spiffe://shop/web \
		<csr.pem >chain.pem
	if command -v go >/dev/null; then
		GO111MODULE=off GOCACHE=$BATS_FILE_TMPDIR/go GOFLAGS='' go build -o verify-go "$TOP/tests/x509/verify.go"
	fi
}

setup() {
	mkdir "$BATS_TEST_TMPDIR/work"
	cd "$BATS_TEST_TMPDIR/work" || exit
	d=$BATS_FILE_TMPDIR
}

# A request of a kind of its own: REQ-OPTION...
csr() {
	openssl req -new -newkey "${kind:-ec}" -pkeyopt "${opt:-ec_paramgen_curve:P-256}" -nodes -keyout own.key -subj /CN=x "$@" 2>/dev/null
}

count() { find "$1" -mindepth 1 | wc -l; }

issue() { ctr-ca issue --ca "${ca:-$d/ca}" "$@"; }

first() { # FIELD of the leaf in chain.pem
	ctr-ca inspect "${2:-chain.pem}" | jq -r ".[0].$1"
}

# --- derive ---

@test "derive: the same seed gives the same root, byte for byte" {
	ok ctr-ca derive <"$d/seed.json"
	[ "$output" = "$(ctr-ca derive <"$d/seed.json")" ]
	jq -j .root_ca <<<"$output" | cmp - "$d/ca/root-ca.pem"
	cmp "$d/ca/root-ca.pem" "$d/narrow/root-ca.pem"
}

@test "derive: the vector of ctr-ca(1)" {
	ctr-ca derive --with-keys --secret-id apps/v1/Deployment/shop/web --output out.json <<-END
		{"seed":"$(printf %02x {0..63})","salt":"$(printf %02x {64..95})"}
	END
	[ "$(jq -r .root_ca out.json | openssl x509 -outform DER | sha256sum | cut -c-64)" = \
		981cb39ad8f3615929d7742dc5f29c804709bc16bc7757d0f2f0c594a8c3337e ]
	[ "$(jq -r .history_key out.json | openssl pkey -pubin -outform DER | sha256sum | cut -c-64)" = \
		72055c1cee9481640adcd66663df7d17a0153f6ac38f1ff45ebf2f2c726d145e ]
	[ "$(jq -r '.secrets[0].workload_secret' out.json)" = 4b95bcd24d5595fac62df6b28dde365eddd35d389c2179321307bdc54e94805d1d914b4f2019b8a108bf13ecda30e6419e2b109146873519570e2bab07e46546 ]
	[ "$(jq -r '.secrets[0].transit_key' out.json)" = 10a5a56c0b765c88520d9aeb49c01c6d016b57b5667d22147121a3646151a8d8 ]
	# the page has the same figures
	for x in 981cb39ad8f36159 72055c1cee948164 4b95bcd24d5595fa 10a5a56c0b765c88; do grep -q "$x" "$TOP/man/ctr-ca.1"; done
}

@test "derive: openssl's HKDF comes to the same secret" {
	ctr-ca derive --with-keys --secret-id a/b --output out.json <"$d/seed.json"
	info=$(printf 'workload secret\0a/b' | xxd -p | tr -d '\n')
	[ "$(openssl kdf -keylen 64 -kdfopt digest:SHA256 -kdfopt hexkey:"$(jq -r .seed "$d/seed.json")" \
		-kdfopt hexsalt:"$(jq -r .salt "$d/seed.json")" -kdfopt hexinfo:"$info" HKDF | tr -d ':\n' | tr A-F a-f)" = \
		"$(jq -r '.secrets[0].workload_secret' out.json)" ]
}

@test "derive: private keys are those of the certificate and of the history key" {
	ctr-ca derive --with-keys -o out.json <"$d/seed.json"
	[ "$(stat -c %a out.json)" = 600 ]
	jq -r .root_ca_private_key out.json | openssl pkey -pubout >a
	jq -r .root_ca out.json | openssl x509 -noout -pubkey | cmp - a
	jq -r .history_private_key out.json | openssl pkey -pubout >b
	jq -r .history_key out.json | openssl pkey -pubin | cmp - b
	run ! cmp -s a b
}

@test "lesson: no key and no secret is printed unless it is asked for" {
	ctr-ca derive --with-keys --secret-id a -o secret.json <"$d/seed.json"
	{
		ctr-ca derive -v -v <"$d/seed.json"
		ctr-ca mesh -v -v --output ca2 <"$d/seed.json"
		issue -v -v --san a <"$d/csr.pem"
		ctr-ca inspect ca2/mesh-ca.pem
		ctr-ca mesh --errors=json --output ca2 <"$d/seed.json" || true
		ctr-ca inspect ca2/mesh-ca.key || true
		ctr-ca issue --ca ca2 --san a <ca2/mesh-ca.key || true
		jq -Rs '{public_key:.,sans:[]}' ca2/mesh-ca.key | ctr-ca issue --ca ca2 || true
		sed 's/"salt":"/&x/' "$d/seed.json" | ctr-ca derive || true
		sed 's/"seed"/"sead"/' "$d/seed.json" | ctr-ca derive || true
		sed 's/}/,/' "$d/seed.json" | ctr-ca derive || true
	} >all 2>&1
	[ "$(wc -c <all)" -gt 2000 ]
	run ! grep -q 'PRIVATE KEY' all
	jq -r '.seed, .salt' "$d/seed.json" >needles
	jq -r '.secrets[0] | .workload_secret, .transit_key' secret.json >>needles
	{
		jq -r '.root_ca_private_key, .history_private_key' secret.json
		cat ca2/mesh-ca.key
	} | grep -v -e ----- -e '^$' | cut -c5-60 >>needles
	while read -r n; do
		[ ${#n} -gt 20 ]
		run ! grep -qF -- "$n" all
		run ! grep -qF -- "${n:0:24}" all
	done <needles
}

@test "no core dump has a seed or a key" {
	[ ! "${VALGRIND:-}" ] || skip "valgrind is the process"
	for c in 'derive --with-keys -o out.json' 'mesh -o new' "issue --ca $d/ca --batch"; do
		mkfifo -m 600 in
		# shellcheck disable=SC2086 # words on purpose
		ctr-ca $c <in >/dev/null &
		pid=$!
		exec 7>in
		for _ in {1..100}; do
			[ "$(awk '/^Max core file size/ { print $6 }' /proc/$pid/limits)" = 0 ] && break
			sleep 0.05
		done
		grep -E '^Max core file size +0 +0 ' /proc/$pid/limits
		[ "$(stat -c %u /proc/$pid/mem)" = 0 ] # no more the user's own
		exec 7>&-
		wait $pid || true
		rm -rf in new out.json
	done
}

@test "derive --new: fresh each time, the file 0600 and never written over" {
	ctr-ca derive --new --output a.json
	ctr-ca derive --new -o b.json
	[ "$(stat -c %a a.json)" = 600 ]
	[ "$(jq -r .seed a.json)" != "$(jq -r .seed b.json)" ]
	[ "$(jq -r .salt a.json)" != "$(jq -r .salt b.json)" ]
	ok ctr-ca derive <a.json
	refuses 4 ca.exists ctr-ca derive --errors=json --new -o a.json
	(umask 022 && ctr-ca derive --errors=json --new >c.json 2>err)
	jq -e '.id == "key.exposed"' err
	(umask 077 && ctr-ca derive --new >e.json 2>err)
	[ ! -s err ]
}

bad_seed() { # STATUS ID JSON
	printf %s "$3" >bad.json
	refuses "$1" "$2" ctr-ca derive --errors=json <bad.json
}

@test "derive: seeds that are none" {
	s=$(jq -r .seed "$d/seed.json") t=$(jq -r .salt "$d/seed.json")
	bad_seed 3 json.syntax ''
	bad_seed 3 json.syntax "{\"seed\":\"$s\",\"salt\":\"$t\"} x"
	bad_seed 3 json.type '[]'
	bad_seed 3 json.missing "{\"seed\":\"$s\"}"
	bad_seed 3 json.missing "{\"salt\":\"$t\"}"
	bad_seed 3 json.unknown "{\"seed\":\"$s\",\"salt\":\"$t\",\"pepper\":1}"
	bad_seed 3 json.duplicate "{\"seed\":\"$s\",\"salt\":\"$t\",\"seed\":\"$s\"}"
	bad_seed 3 json.type "{\"seed\":1,\"salt\":\"$t\"}"
	bad_seed 3 json.hex "{\"seed\":\"${s:2}\",\"salt\":\"$t\"}"
	bad_seed 3 json.hex "{\"seed\":\"$s\",\"salt\":\"${t}00\"}"
	bad_seed 3 json.hex "{\"seed\":\"${s:2}zz\",\"salt\":\"$t\"}"
	bad_seed 3 limit "$(printf '%5000s' '{')"
}

@test "derive: usage" {
	refuses 2 usage ctr-ca derive --errors=json --new --with-keys </dev/null
	refuses 2 usage ctr-ca derive --errors=json --secret-id a <"$d/seed.json"
	refuses 2 usage ctr-ca derive --errors=json x <"$d/seed.json"
	refuses 2 ca.secret-id ctr-ca derive --errors=json --with-keys --secret-id '' <"$d/seed.json"
	refuses 2 usage ctr-ca --errors=json
	refuses 2 usage ctr-ca --errors=json nonsense
}

# --- mesh ---

@test "mesh: the files, and who may read them" {
	ok ctr-ca mesh --output new/ <"$d/seed.json"
	[ -z "$output" ]
	[ "$(cd new && stat -c '%n %a' -- * | tr '\n' ' ')" = \
		'intermediate.pem 644 mesh-ca.key 600 mesh-ca.pem 644 root-ca.pem 644 ' ]
	[ "$(stat -c %a new)" = 700 ]
	[ "$(ls)" = new ]
	openssl pkey -in new/mesh-ca.key -pubout >pub
	for c in intermediate mesh-ca; do openssl x509 -in new/$c.pem -noout -pubkey | cmp - pub; done
	# a key of its own each time
	run ! cmp -s new/mesh-ca.key "$d/ca/mesh-ca.key"
}

@test "mesh: a directory that is there is left alone, and nothing is left behind" {
	mkdir empty
	touch file
	for x in empty file "$d/ca"; do
		refuses 4 ca.exists ctr-ca mesh --errors=json --output "$x" <"$d/seed.json"
	done
	[ "$(ls)" = $'empty\nfile' ] && [ -z "$(ls empty)" ]
	refuses 4 write ctr-ca mesh --errors=json --output no/such/dir <"$d/seed.json"
	refuses 2 ca.permit ctr-ca mesh --errors=json --output new --permit '*' <"$d/seed.json"
	refuses 2 usage ctr-ca mesh --errors=json <"$d/seed.json"
	refuses 2 number ctr-ca mesh --errors=json -o new --days 0 <"$d/seed.json"
	refuses 2 number ctr-ca mesh --errors=json -o new --days 36501 <"$d/seed.json"
	refuses 2 usage ctr-ca mesh --errors=json -o new --at tomorrow <"$d/seed.json"
	refuses 2 ca.validity ctr-ca mesh --errors=json -o new --at 2001-01-01T00:00:00Z <"$d/seed.json"
	refuses 3 json.syntax ctr-ca mesh --errors=json -o new </dev/null
	[ "$(ls)" = $'empty\nfile' ]
}

@test "mesh: whole or not there, wherever a write fails" {
	[ ! "${SAN:-}${VALGRIND:-}" ] || skip "strace makes the failures, without a leak checker"
	# each write, fsync and rename in turn
	for call in write fsync rename fchmod; do
		for n in 1 2 3 4 5 6; do
			rm -rf new*
			run strace -f -o /dev/null -e inject=$call:error=EIO:when=$n ctr-ca mesh -o new <"$d/seed.json"
			if [ "$status" -ne 0 ]; then
				[ "$status" -eq 4 ]
				if [ -d new ]; then	# it was its name that could not be made sure of
					[ "$call" = fsync ] && [ "$(count new)" -eq 4 ]
					rm -r new
				fi
				[ -z "$(ls)" ] || fail "$call $n left: $(ls)"
			else
				[ "$(count new)" -eq 4 ]
			fi
		done
	done
}

@test "mesh: validity" {
	ctr-ca mesh -o new --days 10 --at 2030-01-02T03:04:05Z <"$d/seed.json"
	for c in intermediate mesh-ca; do
		[ "$(first not_before new/$c.pem)" = 2030-01-02T02:59:05Z ]
		[ "$(first not_after new/$c.pem)" = 2030-01-12T03:04:05Z ]
	done
	# past 2049 the encoding of times is another
	ctr-ca mesh -o late --days 36500 --at 2049-12-31T23:59:00Z <"$d/seed.json"
	[ "$(first not_after late/mesh-ca.pem)" = 2149-12-07T23:59:00Z ]
	openssl x509 -in late/mesh-ca.pem -noout -enddate | grep -F 'Dec  7 23:59:00 2149'
}

# --- other implementations ---

verifies_openssl() { # ROOTS CHAIN [OPTION...]
	openssl verify -x509_strict -check_ss_sig -policy_check -purpose sslserver "${@:3}" -CAfile "$1" -untrusted "$2" "$2" &&
		openssl verify -x509_strict -purpose sslclient "${@:3}" -CAfile "$1" -untrusted "$2" "$2"
}

verifies_gnutls() {
	certtool --verify --verify-profile medium --load-ca-certificate "$1" --infile "$2"
}

@test "openssl verifies, strictly: by the root, and by the mesh CA" {
	for ca in root-ca mesh-ca; do
		verifies_openssl "$d/ca/$ca.pem" "$d/chain.pem" -verify_hostname web.shop.svc
		verifies_openssl "$d/ca/$ca.pem" "$d/chain.pem" -verify_ip 10.0.0.1
		verifies_openssl "$d/ca/$ca.pem" "$d/chain.pem" -verify_ip fd00::1
	done
	run -2 openssl verify -CAfile "$d/ca/root-ca.pem" -untrusted "$d/chain.pem" -verify_ip 10.0.0.2 "$d/chain.pem"
}

@test "GnuTLS verifies: by the root, and by the mesh CA" {
	for ca in root-ca mesh-ca; do
		run -0 verifies_gnutls "$d/ca/$ca.pem" "$d/chain.pem"
		[[ $output == *"Chain verification output: Verified. The certificate is trusted."* ]]
	done
	run -1 verifies_gnutls "$d/narrow/mesh-ca.pem" "$d/chain.pem"
}

@test "Go verifies: by the root, and by the mesh CA" {
	command -v go >/dev/null || skip "Go is absent"
	for ca in root-ca mesh-ca; do
		run -0 "$d/verify-go" "$d/ca/$ca.pem" "$d/chain.pem" web.shop.svc
		[ "$output" = ok ]
		run -0 "$d/verify-go" "$d/ca/$ca.pem" "$d/chain.pem" fd00::1
	done
	run -1 "$d/verify-go" "$d/ca/root-ca.pem" "$d/chain.pem" other.svc
	run -1 "$d/verify-go" "$d/narrow/mesh-ca.pem" "$d/chain.pem"
}

# By all three: NAME of a CA directory, CHAIN.
verified_by_all() {
	for root in root-ca mesh-ca; do
		verifies_openssl "$1/$root.pem" "$2" || return 1
		verifies_gnutls "$1/$root.pem" "$2" || return 1
		[ ! -x "$d/verify-go" ] || "$d/verify-go" "$1/$root.pem" "$2" || return 1
	done
}

@test "all verify: each kind of key and each form of name" {
	opt=ec_paramgen_curve:P-384 csr -out p384.pem
	kind=rsa opt=rsa_keygen_bits:2048 csr -out rsa.pem
	for k in p384 rsa; do
		issue --san web.svc <$k.pem >chain.pem
		run -0 verified_by_all "$d/ca" chain.pem
	done
	[ "$(first 'key_usage|join(" ")')" = "digitalSignature keyEncipherment" ]
	for n in a '*' '*.svc' 10.0.0.1 fd00::1 spiffe://a/b https://a.example/x urn:a:b; do
		issue --san "$n" <"$d/csr.pem" >chain.pem
		run -0 verified_by_all "$d/ca" chain.pem
		[ "$(first 'sans|join(" ")')" = "$n" ]
	done
}

@test "all verify: a client and a server with these certificates talk" {
	port=$((20000 + RANDOM % 20000))
	openssl s_server -accept "127.0.0.1:$port" -cert "$d/chain.pem" -cert_chain "$d/chain.pem" -key "$d/key.pem" \
		-CAfile "$d/ca/mesh-ca.pem" -Verify 2 -verify_return_error -www -quiet >server.log 2>&1 &
	pid=$!
	for _ in {1..50}; do
		run openssl s_client -connect "127.0.0.1:$port" -cert "$d/chain.pem" -key "$d/key.pem" \
			-CAfile "$d/ca/mesh-ca.pem" -verify_hostname web.shop.svc -verify_return_error <<<'GET / HTTP/1.0'
		[[ $output != *"errno=111"* && $output != *"onnection refused"* ]] && break
		sleep 0.1
	done
	kill $pid
	[[ $output == *"Verify return code: 0 (ok)"* ]]
}

# --- name constraints ---

@test "name constraints: what they permit verifies everywhere" {
	for n in shop.svc web.shop.svc '*.shop.svc' 10.255.0.1 spiffe://shop.svc/web https://a.shop.svc/; do
		ca=$d/narrow issue --san "$n" <"$d/csr.pem" >chain.pem
		run -0 verified_by_all "$d/narrow" chain.pem
	done
}

@test "name constraints: what they do not permit is not issued, and no verifier takes it" {
	for n in shop.example xshop.svc '*' 11.0.0.1 fd00::1 spiffe://other/web; do
		refuses 3 ca.san ctr-ca issue --errors=json --ca "$d/narrow" --san "$n" <"$d/csr.pem"
		case $n in
		*://*) ext=URI:$n ;;
		*.0.1 | *::1) ext=IP:$n ;;
		*) ext=DNS:$n ;;
		esac
		# a CA that has gone bad: the same key, without the check
		printf 'subjectAltName=%s\nbasicConstraints=critical,CA:FALSE\n' "$ext" >ext
		openssl x509 -req -in "$d/csr.pem" -CA "$d/narrow/intermediate.pem" -CAkey "$d/narrow/mesh-ca.key" \
			-CAserial serial -CAcreateserial -days 1 -extfile ext -subj / -out leaf.pem 2>/dev/null
		cat leaf.pem "$d/narrow/intermediate.pem" >chain.pem
		for root in root-ca mesh-ca; do
			run -2 openssl verify -CAfile "$d/narrow/$root.pem" -untrusted chain.pem chain.pem
			[[ $output == *"permitted subtree violation"* || $output == *"excluded subtree violation"* ]]
			if [ -x "$d/verify-go" ]; then
				run -1 "$d/verify-go" "$d/narrow/$root.pem" chain.pem
				[[ $output == *"not permitted"* || $output == *"excluded"* ]]
			fi
		done
		# GnuTLS 3.7 does not look at constraints of URIs
		[[ $n == *://* ]] || run -1 verifies_gnutls "$d/narrow/root-ca.pem" chain.pem
	done
}

# --- issue ---

@test "lesson: names come from who issues, not from who asks" {
	[ "$(first 'sans|join(" ")' "$d/chain.pem")" = "web.shop.svc * 10.0.0.1 fd00::1 spiffe://shop/web" ]
	[ "$(first subject "$d/chain.pem")" = CN=web.shop.svc ]
	issue --csr-names <"$d/csr.pem" >chain.pem
	[ "$(first 'sans|join(" ")')" = "own.svc 10.0.0.9" ]
	[ "$(first subject)" = CN=own.svc ]
	csr -out bare.pem
	refuses 3 ca.san ctr-ca issue --errors=json --ca "$d/ca" --csr-names <bare.pem
	refuses 2 usage ctr-ca issue --errors=json --ca "$d/ca" <"$d/csr.pem"
	refuses 2 usage ctr-ca issue --errors=json --ca "$d/ca" --csr-names --san a <"$d/csr.pem"
	# no common name: then the names are critical
	issue --san 10.0.0.1 <"$d/csr.pem" >chain.pem
	[ "$(first subject)" = "" ]
	first critical | grep -q subjectAltName
}

@test "issue: names that are none" {
	for n in a_b a..b a. 10.0.0.300 '*.*.a' 'a b' '' 010.0.0.1 mailto:x; do
		refuses 3 ca.san ctr-ca issue --errors=json --ca "$d/ca" --san "$n" <"$d/csr.pem"
	done
}

@test "issue: requests that are none" {
	refuses 3 csr.parse ctr-ca issue --errors=json --ca "$d/ca" --san a </dev/null
	head -c 300 "$d/csr.pem" >cut.pem
	refuses 3 csr.parse ctr-ca issue --errors=json --ca "$d/ca" --san a <cut.pem
	cat "$d/csr.pem" "$d/csr.pem" >two.pem
	refuses 3 csr.parse ctr-ca issue --errors=json --ca "$d/ca" --san a <two.pem
	refuses 3 csr.parse ctr-ca issue --errors=json --ca "$d/ca" --san a <"$d/chain.pem"
	refuses 3 csr.parse ctr-ca issue --errors=json --ca "$d/ca" --san a <"$d/key.pem"
	openssl req -in "$d/csr.pem" -outform DER -out csr.der
	issue --san a <csr.der >chain.pem
	[ "$(first subject)" = CN=a ]
	printf x >>csr.der
	refuses 3 csr.parse ctr-ca issue --errors=json --ca "$d/ca" --san a <csr.der
	head -c 2000000 /dev/zero >big
	refuses 3 limit ctr-ca issue --errors=json --ca "$d/ca" --san a <big
}

@test "issue: a request that its key did not sign" {
	openssl req -in "$d/csr.pem" -outform DER -out csr.der
	# the last byte of the signature
	n=$(stat -c %s csr.der)
	printf %02x $((0x$(tail -c 1 csr.der | xxd -p) ^ 1)) | xxd -r -p | dd of=csr.der bs=1 seek=$((n - 1)) conv=notrunc 2>/dev/null
	refuses 1 csr.signature ctr-ca issue --errors=json --ca "$d/ca" --san a <csr.der
	openssl req -new -key "$d/key.pem" -sha1 -subj /CN=x -out sha1.pem
	refuses 1 csr.signature ctr-ca issue --errors=json --ca "$d/ca" --san a <sha1.pem
}

@test "issue: keys that are too weak or of another kind" {
	kind=rsa opt=rsa_keygen_bits:1024 csr -out rsa.pem
	opt=ec_paramgen_curve:P-521 csr -out p521.pem
	opt=ec_paramgen_curve:secp256k1 csr -out k1.pem
	openssl req -new -newkey ed25519 -nodes -keyout ed.key -subj /CN=x -out ed.pem
	for k in rsa p521 k1 ed; do
		refuses 3 ca.key ctr-ca issue --errors=json --ca "$d/ca" --san a <$k.pem
	done
}

@test "issue: validity, kept within the CA's" {
	issue --san a --days 3 --at 2031-01-01T00:00:00Z <"$d/csr.pem" >chain.pem
	[ "$(first not_before) $(first not_after)" = "2030-12-31T23:55:00Z 2031-01-04T00:00:00Z" ]
	ctr-ca mesh -o short --days 2 --at 2031-01-01T00:00:00Z <"$d/seed.json"
	ca=short issue --san a --at 2031-01-01T12:00:00Z <"$d/csr.pem" >chain.pem
	[ "$(first not_after)" = "$(first not_after short/mesh-ca.pem)" ]
	refuses 2 ca.validity ctr-ca issue --errors=json --ca short --san a --at 2031-01-05T00:00:00Z <"$d/csr.pem"
	refuses 2 ca.validity ctr-ca issue --errors=json --ca short --san a <"$d/csr.pem"
	# one that has expired is no more
	run -2 openssl verify -attime "$(date -d 2031-02-01 +%s)" -CAfile "$d/ca/root-ca.pem" -untrusted "$d/chain.pem" "$d/chain.pem"
	[[ $output == *"certificate has expired"* ]]
}

@test "issue: serial numbers are random, positive, of 128 bits" {
	for _ in {1..20}; do
		issue --san a <"$d/csr.pem" >chain.pem
		first serial
	done >serials
	[ "$(sort -u serials | wc -l)" -eq 20 ]
	[ "$(grep -cE '^[4-7][0-9a-f]{31}$' serials)" -eq 20 ]
}

@test "issue: a CA directory that is incomplete, or of several" {
	refuses 2 usage ctr-ca issue --errors=json --san a <"$d/csr.pem"
	refuses 4 open ctr-ca issue --errors=json --ca none --san a <"$d/csr.pem"
	for f in root-ca.pem intermediate.pem mesh-ca.pem mesh-ca.key; do
		rm -rf mixed
		cp -r "$d/ca" mixed
		rm mixed/$f
		refuses 4 open ctr-ca issue --errors=json --ca mixed --san a <"$d/csr.pem"
		cp "$d/narrow/$f" mixed
		if [ $f = root-ca.pem ]; then
			ctr-ca derive --new -o seed2.json
			ctr-ca derive <seed2.json | jq -r .root_ca >mixed/$f
		fi
		refuses 1 ca.mesh ctr-ca issue --errors=json --ca mixed --san a <"$d/csr.pem"
		echo nonsense >mixed/$f
		refuses 3 ca.mesh ctr-ca issue --errors=json --ca mixed --san a <"$d/csr.pem"
	done
	cp -r "$d/ca" open
	chmod 644 open/mesh-ca.key
	ctr-ca issue --errors=json --ca open --san a <"$d/csr.pem" 2>err >/dev/null
	jq -e '.id == "key.exposed"' err
}

# --- JSON ---

request() { # JQ: the usual request, changed
	jq -nc --rawfile csr "$d/csr.pem" --rawfile key "$d/key.pub" \
		'{csr: $csr, sans: ["a.svc"], claims: {tee: "SEV-SNP", policy_hash: ("ab" * 32)}} | '"${1:-.}"
}

bad_request() { # STATUS ID JQ
	request "$3" >bad.json
	refuses "$1" "$2" ctr-ca issue --errors=json --ca "$d/ca" <bad.json
}

@test "issue: JSON in, JSON out, the claims in the certificate" {
	request | issue | jq -r .chain >chain.pem
	[ "$(ctr-ca inspect chain.pem | jq -c '.[0].claims')" = \
		"{\"tee\":\"SEV-SNP\",\"policy_hash\":\"$(printf 'ab%.0s' {1..32})\"}" ]
	run -0 verified_by_all "$d/ca" chain.pem
	request 'del(.csr) | .public_key = $key' | issue | jq -r .chain >chain.pem
	openssl x509 -in chain.pem -noout -pubkey | cmp - "$d/key.pub"
	request '.sans = []' | issue | jq -r .chain >chain.pem
	[ "$(first subject)" = "CN=mesh certificate" ]
	run -0 verified_by_all "$d/ca" chain.pem
	request 'del(.sans)' | issue --csr-names | jq -r .chain >chain.pem
	[ "$(first 'sans|join(" ")')" = "own.svc 10.0.0.9" ]
	request | issue --csr-names | jq -r .chain >chain.pem
	[ "$(first 'sans|join(" ")')" = "a.svc" ]
}

@test "issue: every claim, as the page says" {
	request '.claims = {tee: "TDX", product: "é", policy_hash: ("01" * 32), measurement: ("02" * 48), tcb: ("03" * 16),
		transition: ("04" * 32), chip_id: ("05" * 16), workload_secret_id: "a/b", role: "coordinator",
		tcb_status: "UpToDate"}' >all.json
	issue <all.json | jq -r .chain >chain.pem
	jq -S .claims all.json | diff - <(ctr-ca inspect chain.pem | jq -S '.[0].claims')
	run -0 verified_by_all "$d/ca" chain.pem
	n=1
	for c in $(jq -r '.claims | keys_unsorted[]' all.json); do
		grep -q "^1.3.9903.2.$n Ta $c Ta" "$TOP/man/ctr-ca.1" || grep -q "^\.It $n Ta $c Ta" "$TOP/man/ctr-ca.1"
		n=$((n + 1))
	done
}

@test "issue: requests in JSON that are refused" {
	bad_request 3 json.unknown '.days = 3'
	bad_request 3 json.missing 'del(.csr)'
	bad_request 3 json.missing '.public_key = $key'
	bad_request 3 json.missing 'del(.sans)'
	bad_request 3 json.type '.sans = "a"'
	bad_request 3 json.type '.sans = [1]'
	bad_request 3 json.type '.csr = 1'
	bad_request 3 json.type '.claims = []'
	bad_request 3 json.type '.claims.tee = 1'
	bad_request 3 ca.san '.sans = ["a_b"]'
	bad_request 3 ca.san '.sans = [range(300) | "n\(.)"]'
	bad_request 3 ca.claim '.claims.colour = "red"'
	bad_request 3 ca.claim '.claims.policy_hash = "ab"'
	bad_request 3 ca.claim '.claims.tee = ""'
	bad_request 3 ca.claim '.claims = ([range(40) | {key: "c\(.)", value: "x"}] | from_entries)'
	bad_request 3 json.hex '.claims.policy_hash = ("xy" * 32)'
	bad_request 3 json.hex '.claims.policy_hash = ("ab" * 32 + "a")'
	bad_request 3 csr.parse '.csr = "x"'
	bad_request 3 ca.key 'del(.csr) | .public_key = "x"'
	bad_request 3 ca.key 'del(.csr) | .public_key = $csr'
	bad_request 3 ca.key 'del(.csr) | .public_key = $key + $key'
	refuses 2 usage ctr-ca issue --errors=json --ca "$d/ca" --san a < <(request)
	request | sed 's/"sans":/"sans":[],"sans":/' >bad.json
	refuses 3 json.duplicate ctr-ca issue --errors=json --ca "$d/ca" <bad.json
	request | sed 's/.$//' >bad.json
	refuses 3 json.syntax ctr-ca issue --errors=json --ca "$d/ca" <bad.json
}

@test "issue --batch: an answer for each line, the status of the worst" {
	{
		request
		request '.sans = ["b.svc"]'
	} >in
	ok issue --batch <in
	[ "${#lines[@]}" -eq 2 ]
	jq -er .chain <<<"${lines[1]}" >chain.pem
	[ "$(first subject)" = CN=b.svc ]
	{
		request
		echo '{'
		printf '\n'
		request '.sans = ["c.svc"]'
		request '.csr = "x"'
		head -c 1100000 /dev/zero | tr '\0' x
		echo
		request
	} >in
	run -3 --separate-stderr ctr-ca issue --errors=json --ca "$d/ca" --batch <in
	[ "${#lines[@]}" -eq 7 ]
	[ "$(jq -r 'if .chain then "ok" else "\(.line) \(.status) \(.id)" end' <<<"$output" | paste -sd,)" = \
		"ok,2 3 json.syntax,3 3 json.syntax,ok,5 3 csr.parse,6 3 limit,ok" ]
	jq -e '.id == "batch.refused" and .status == 3' <<<"$stderr"
	openssl req -new -key "$d/key.pem" -sha1 -subj /CN=x -out sha1.pem
	jq -Rsc '{csr: ., sans: []}' sha1.pem >in
	run -1 --separate-stderr ctr-ca issue --ca "$d/ca" --batch <in
	[ "$(jq -r .id <<<"$output")" = csr.signature ]
	ok issue --batch </dev/null
	refuses 2 usage ctr-ca issue --errors=json --ca "$d/ca" --batch --san a <in
}

@test "issue --batch: an answer comes before the next request is sent" {
	coproc CA { ctr-ca issue --ca "$d/ca" --batch; }
	pid=$CA_PID
	for n in a b c; do
		request ".sans = [\"$n.svc\"]" >&"${CA[1]}"
		read -r -t 10 line <&"${CA[0]}"
		jq -r .chain <<<"$line" >chain.pem
		[ "$(first subject)" = CN=$n.svc ]
	done
	eval "exec ${CA[1]}>&-"
	wait "$pid"
}

@test "issue: a full disk is an error" {
	run -4 --separate-stderr bash -c "ctr-ca issue --ca $d/ca --san a <$d/csr.pem >/dev/full"
	request >in
	run -4 --separate-stderr bash -c "ctr-ca issue --ca $d/ca --batch <in >/dev/full"
	run -4 --separate-stderr bash -c "ctr-ca derive <$d/seed.json >/dev/full"
}

# --- inspect ---

@test "inspect: what matters of each certificate" {
	ok ctr-ca inspect "$d/ca/root-ca.pem"
	jq -e '.[0] | .ca and .pathlen == 1 and .not_after == "9999-12-31T23:59:59Z" and .subject == .issuer and
		.key.curve == "P-384" and .key_usage == ["keyCertSign", "cRLSign"] and .version == 3 and
		.signature_algorithm == "ecdsa-with-SHA384" and .critical == ["basicConstraints", "keyUsage"]' <<<"$output"
	ok ctr-ca inspect <"$d/narrow/intermediate.pem"
	jq -e '.[0] | .ca and .pathlen == 0 and .name_constraints.excluded == ["IP:::/0"] and
		.name_constraints.permitted == ["DNS:shop.svc", "URI:shop.svc", "URI:.shop.svc", "IP:10.0.0.0/8"] and
		(.critical | index("nameConstraints"))' <<<"$output"
	ok ctr-ca inspect "$d/chain.pem"
	jq -e 'length == 2 and .[0].extended_key_usage == ["serverAuth", "clientAuth"] and (.[0].ca | not) and
		.[0].authority_key_id == .[1].subject_key_id and .[0].issuer == .[1].subject' <<<"$output"
	[ "$(first sha256 "$d/chain.pem")" = "$(openssl x509 -in "$d/chain.pem" -outform DER | sha256sum | cut -c-64)" ]
	[ "$(first subject_key_id "$d/chain.pem")" = "$(openssl x509 -in "$d/chain.pem" -noout -ext subjectKeyIdentifier | tail -n 1 | tr -d ' :' | tr A-F a-f)" ]
}

@test "inspect: certificates of strangers" {
	openssl req -x509 -newkey rsa:2048 -nodes -keyout k -subj '/O=Caf\C3\A9/CN=x,y' -days 2 -out x.pem \
		-addext subjectAltName=email:a@b.c,DNS:ok -addext 1.2.3.4=critical,ASN1:UTF8:x -addext 1.3.9903.2.3=ASN1:UTF8:x 2>/dev/null
	ok ctr-ca inspect x.pem
	jq -e '.[0] | .sans == ["[1]", "ok"] and .key.type == "RSA" and .key.bits == 2048 and (.critical | index("1.2.3.4")) and
		.claims == {policy_hash: null} and (.subject | contains("x\\,y"))' <<<"$output"
	refuses 3 x509.pem ctr-ca inspect --errors=json </dev/null
	refuses 3 x509.pem ctr-ca inspect --errors=json "$d/csr.pem"
	refuses 4 open ctr-ca inspect --errors=json none.pem
	refuses 2 usage ctr-ca inspect --errors=json a b
	head -c 600000 /dev/zero >big
	refuses 3 limit ctr-ca inspect --errors=json big
}

# --- the page ---

@test "the examples of the page run" {
	cp "$d/csr.pem" .
	examples ctr-ca.1 >run.sh
	[ "$(wc -l <run.sh)" -ge 4 ]
	run -0 bash -e run.sh
}
