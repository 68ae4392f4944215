# For the BATS files of ctr-attest-verify, after helpers: what tests/sim makes, and what becomes of it.
# shellcheck shell=bash disable=SC2034,SC2154
SIM=$BUILD/sim/simchain KEYS=$BUILD/sim/keys CHAINS=$BATS_FILE_TMPDIR/chains
DATA=$(printf '%0128x' 0x5117)
MEASURED=51a0c0de$(printf '%02x' {0..43})

# Chains without flaw: milan, turin, vlek, tdx. What is slow to make, the RSA keys, is there already.
make_chains() {
	[ -f "$KEYS/asvk.key" ] || "$SIM" keys "$KEYS"
	"$SIM" --keys="$KEYS" snp "$CHAINS/milan"
	"$SIM" --keys="$KEYS" --product=Turin snp "$CHAINS/turin"
	"$SIM" --keys="$KEYS" --vlek snp "$CHAINS/vlek"
	"$SIM" tdx "$CHAINS/tdx"
}

# chain NAME [OPTION...]: in $dir, another chain by the same keys as the one without flaw, all of it remade.
chain() {
	dir=$BATS_TEST_TMPDIR/$1
	rm -rf "$dir"
	mkdir "$dir"
	case $1 in
	tdx*)
		cp "$CHAINS"/tdx/*.key "$dir"
		"$SIM" "${@:2}" tdx "$dir"
		;;
	*)
		cp "$CHAINS"/milan/vcek.key "$dir"
		"$SIM" --keys="$KEYS" "${@:2}" snp "$dir"
		;;
	esac
}

# copy_of NAME: in $dir, a copy of the chain, for single files to be changed.
copy_of() {
	dir=$BATS_TEST_TMPDIR/copy
	rm -rf "$dir"
	cp -r "$CHAINS/$1" "$dir"
}

# flip FILE OFFSET: the lowest bit of that byte; from the end when negative.
flip() {
	local at=$2 byte
	[ "$at" -ge 0 ] || at=$(($(stat -c %s "$1") + at))
	byte=$(xxd -p -s "$at" -l 1 "$1")
	printf %02x $((16#$byte ^ 1)) | xxd -r -p | dd of="$1" bs=1 seek="$at" conv=notrunc status=none
}

# The first certificate of a PEM file with another signature.
flip_pem() {
	sed '/END CERTIFICATE/q' "$1" | openssl x509 -outform der -out "$1.der"
	sed 1,/END/d "$1" >"$1.rest"
	flip "$1.der" -1
	{
		echo -----BEGIN CERTIFICATE-----
		base64 -w64 "$1.der"
		echo -----END CERTIFICATE-----
		cat "$1.rest"
	} >"$1"
}

# mint DIR [NAME=VALUE...]: evidence on standard output, the certificates of SNP with it.
mint() {
	local r=$BATS_TEST_TMPDIR/minted d=$1
	shift
	"$SIM" report "$d" "$@" >"$r"
	bundle "$d" "$r"
}

# bundle DIR REPORT: what belongs to the report with it, but no list and no collateral.
bundle() {
	local k with=()
	for k in vcek vlek ask ark; do
		[ ! -f "$1/$k.der" ] || with+=("--$k=$1/$k.der")
	done
	ctr-attest-verify bundle "${with[@]}" "$2"
}

# root DIR: the option that trusts the chain's root.
root() {
	echo "--insecure-test-root=$(echo "$1"/[ar][ro]*[kt].der)"
}

# verify STATUS DIR OPTION...: what the tool says with the collateral of DIR, nothing from elsewhere.
verify() {
	local want=$1 d=$2
	shift 2
	run "-$want" --separate-stderr ctr-attest-verify --errors=json --offline --no-cache --collateral "$d" "$(root "$d")" "$@"
}

# failed: the names of the failed checks in $output, sorted, with commas.
failed() {
	jq -r '[.checks[] | select(.result == "fail").name] | unique | join(",")' <<<"$output"
}

# that FILTER: jq's -e of $output.
that() {
	jq -e "$@" <<<"$output" >/dev/null || fail "$*: $output"
}

# after: a command for the report once it is minted; options: what is asked for.
after=() options=(--authenticity-only)

# rejects NAME[,NAME...] DIR [FIELD=VALUE...]: a report by DIR with these fields, changed by the command in $after, is rejected
# by these checks and no other; collateral and certificates are of DIR. $options say what is asked for.
rejects() {
	local want=$1 d=$2 r=$BATS_TEST_TMPDIR/report
	shift 2
	"$SIM" report "$d" "$@" >"$r" || fail "$d $*"
	[ ${#after[@]} -eq 0 ] || "${after[0]}" "$r" "${after[@]:1}"
	bundle "$d" "$r" >"$r.cbor"
	verify 1 "$d" "${options[@]}" "$r.cbor"
	[ "$(failed)" = "$want" ] || fail "$want, with $d $* ${options[*]}: $(failed)"
	that '.verdict == "rejected" and all(.checks[] | select(.result == "fail"); .expected != "")'
	# the message is of the first that failed, with what was expected and what was found
	jq -es --arg id "$(jq -r 'first(.checks[] | select(.result == "fail").name)' <<<"$output")" \
		'last | .id == $id and .status == 1' <<<"$stderr" >/dev/null || fail "$stderr"
}

# asked JSON: what is asked for besides being genuine, as an appraisal.
asked() {
	echo "$1" >"$BATS_TEST_TMPDIR/asked.json"
	options=(--authenticity-only "--appraisal=$BATS_TEST_TMPDIR/asked.json")
}

# set_of KIND JSON: what is permitted, as reference values.
set_of() {
	echo "{\"$1\": [$2]}" >"$BATS_TEST_TMPDIR/refs.json"
	options=("--reference-values=$BATS_TEST_TMPDIR/refs.json")
}
