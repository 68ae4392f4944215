#!/bin/bash
# ctr-deploy: the steps of a deployment's life, of kubectl and the tools. ctr-deploy(7) says what they do and why.
# Nothing that the cluster says is believed: what goes into a step are files of $dir, and what the Coordinator proves.
# shellcheck disable=SC2119,SC2120 # set and recover may have options of their own
set -euo pipefail
umask 077
exec 3>&2
export LC_ALL=C

usage='usage: ctr-deploy [-d DIR] [-n NAMESPACE] [--coordinator URL] [--pod NAME] [--timeout SECONDS] COMMAND
  up [-rk FILE]... [YAML...]       generate, apply, set: the first time; later the same as update
  generate [-rk FILE]... [YAML...] policies, keys and manifest; -r: reference values; -k: annotated YAML, permitted too
  apply                            the annotated YAML to the cluster
  set [OPTION...]                  the manifest to the Coordinator, which is verified before and after
  verify                           is it the Coordinator of before, and enforces this manifest?
  update [-rk FILE]... [YAML...]   generate, set, apply: another version of the application
  scale KIND/NAME N                other numbers of the same pods
  recover [OPTION...]              the seed to a Coordinator that restarted
  remove                           all of the YAML from the cluster; DIR stays
Options of set and recover are those of ctr-manifest(1), -w KEY and -s KEY among them.
example: ctr-deploy -n shop up -r snp.json coordinator.yaml app.yaml'

dir=ctr coordinator='' pod=coordinator-0 timeout=300 kubectl=(kubectl) child='' forward='' url=''
none=$(printf %064d 0)

say() { printf '%s\n' "$*" >&3; }
die() { # STATUS WORD...
	say "ctr-deploy: ${*:2}"
	exit "$1"
}
misused() {
	say "ctr-deploy: $*"
	die 2 "${usage%%$'\n'*}"
}

stop_forward() {
	[ "$forward" ] || return 0
	kill "$forward" 2>/dev/null || true
	wait "$forward" 2>/dev/null || true
	exec {lines}<&-
	forward=''
}
ends() {
	[ -z "$child" ] || kill "$child" 2>/dev/null || true
	stop_forward
	rm -f "$dir/port-forward.log"
}
trap ends EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# Runs it so that a signal to this script ends both.
run() {
	local status=0
	"$@" <&0 &
	child=$!
	wait "$child" || status=$?
	child=''
	return "$status"
}

# options FILE: its lines, in $options: what this deployment needs with every run
options() {
	options=()
	[ ! -e "$dir/$1" ] || mapfile -t options <"$dir/$1"
}

has() { [ -e "$dir/$1" ] || die 4 "$dir/$1 is not there: $2"; }

# The line "Forwarding from 127.0.0.1:PORT" of kubectl is all that is taken from it.
start_forward() {
	local line
	exec {lines}< <(exec "${kubectl[@]}" port-forward --address 127.0.0.1 "pod/$pod" :1314 2>"$dir/port-forward.log")
	forward=$!
	read -r -t 30 -u "$lines" line && [[ $line =~ ^Forwarding\ from\ 127\.0\.0\.1:([0-9]+)\  ]] || return
	port=${BASH_REMATCH[1]}
}

# Does HTTP come back through it? Whose it is does not matter here.
answers() {
	local line=''
	{
		exec {conn}<>"/dev/tcp/127.0.0.1/$port" || return
		printf 'GET /capabilities HTTP/1.0\r\n\r\n' >&"$conn"
		read -r -t 10 -u "$conn" line || true
		exec {conn}>&-
	} 2>/dev/null
	[[ $line == HTTP/1.* ]]
}

# The Coordinator's $url; its pod may still have to start.
reach() {
	local until=$((SECONDS + timeout))
	url=$coordinator
	[ -z "$url" ] || return 0
	until start_forward && answers; do
		stop_forward
		if [ "$SECONDS" -ge "$until" ]; then
			say "$(tail -n 1 "$dir/port-forward.log")"
			die 4 "no Coordinator answers through kubectl port-forward pod/$pod; wait longer with --timeout"
		fi
		run sleep 1
	done
	url=http://127.0.0.1:$port
	export no_proxy=127.0.0.1,${no_proxy-${NO_PROXY-}}
}

# ask MANIFEST: is it a genuine Coordinator that enforces this, with the root CA of before? What it shows goes to verified/.
ask() {
	local pin=() to=$dir/verified
	if [ -d "$to" ]; then
		pin=(--coordinator-root-ca "$to/coordinator-root-ca.pem")
	else
		to=$to.new
		rm -rf "$to"
	fi
	options verify.options
	run ctr-attest-verify "${options[@]}" --coordinator "$url" --manifest "$1" "${pin[@]}" --output "$to" \
		>"$dir/verdict.json" || return
	[ ${#pin[@]} -eq 0 ] || return 0
	# Who set a manifest before ours may have let in pods that know the secrets.
	set -- "$to"/manifests/*
	[ $# -eq 1 ] || die 1 "somebody set other manifests before: read those in $to/manifests"
	mv "$to" "$dir/verified"
}

# The transition hash of what was verified last.
history() {
	local t=$none m
	# shellcheck disable=SC2001 # more than ${//} can
	for m in "$dir"/verified/manifests/*; do
		m=$(sha256sum <"$m")
		t=$(printf '%b' "$(sed 's/../\\x&/g' <<<"${m%% *}$t")" | sha256sum)
		t=${t%% *}
	done
	echo "$t"
}

# key KIND FILE: makes it, unless the deployment has one. share.pem may be a public key: its owner keeps the other.
key() {
	[ ! -e "$dir/$2" ] || return 0
	[[ ! -d $dir/verified && ! -e $dir/shares.json ]] || die 4 "$dir/$2 is not there, but the deployment has such a key: put it back"
	run ctr-manifest keygen "$1" --out "$dir/$2"
}

do_generate() {
	local refs=() keep=() old=()
	while [[ ${1-} == -[rk] ]]; do
		[ $# -gt 1 ] || misused "$1 without a file"
		[ "$1" = -r ] && refs+=(-r "$2") || keep+=("$2")
		shift 2
	done
	mkdir -p "$dir"
	options policygen.options
	run ctr-policygen "${options[@]}" -- "$@" >"$dir/annotated.yaml.new"
	key workload-owner owner.pem
	key seedshare-owner share.pem
	[ ! -e "$dir/manifest.json" ] || old=(-m "$dir/manifest.json")
	run ctr-manifest "${refs[@]}" "${old[@]}" -w "$dir/owner.pem" -s "$dir/share.pem" "$dir/annotated.yaml.new" \
		"${keep[@]}" >"$dir/manifest.json.new"
	run ctr-manifest policies -o "$dir/policies" "$dir/annotated.yaml.new" "${keep[@]}" >"$dir/policies.txt"
	mv "$dir/annotated.yaml.new" "$dir/annotated.yaml"
	mv "$dir/manifest.json.new" "$dir/manifest.json"
	run ctr-manifest check "$dir/manifest.json"
}

do_apply() {
	has annotated.yaml "generate makes it"
	run "${kubectl[@]}" apply -f "$dir/annotated.yaml"
}

do_set() {
	local first=()
	has manifest.json "generate makes it"
	run ctr-manifest check "$dir/manifest.json" >&2
	reach
	# A run that was interrupted may have set it.
	if [[ -e $dir/shares.json || -d $dir/verified ]] && ask "$dir/manifest.json" 2>/dev/null; then
		say "the Coordinator enforces $dir/manifest.json"
		return
	fi
	if [ -d "$dir/verified" ]; then
		first=(--coordinator-root-ca "$dir/verified/coordinator-root-ca.pem" --previous-transition-hash "$(history)")
	else
		first=(--seed-shares-out "$dir/shares.json" --previous-transition-hash "$none")
		! grep -q 'PRIVATE KEY' "$dir/share.pem" || first+=(-s "$dir/share.pem")
	fi
	options verify.options
	run ctr-manifest set "${options[@]}" --coordinator "$url" -p "$dir/policies" -w "$dir/owner.pem" \
		"${first[@]}" "$@" "$dir/manifest.json" >"$dir/set.json"
	ask "$dir/manifest.json"
	say "the Coordinator enforces $dir/manifest.json; its CAs are in $dir/verified"
}

do_verify() {
	has manifest.json "generate makes it, or its owner gives it"
	reach
	ask "$dir/manifest.json"
	say "the Coordinator enforces $dir/manifest.json; its CAs are in $dir/verified"
}

do_scale() {
	[[ $# -eq 2 && $2 =~ ^[0-9]+$ && $1 == */* ]] || misused "scale KIND/NAME N"
	run "${kubectl[@]}" scale --replicas="$2" "$1"
	run "${kubectl[@]}" rollout status --timeout="${timeout}s" "$1"
	say "policy and manifest are those of before. Write the number into your YAML, too: the next apply takes it from there"
}

do_recover() {
	local manifests=("$dir"/verified/manifests/*) last
	last=${manifests[-1]}
	has verified "there is no deployment to recover"
	has shares.json "put it back: only with it can the deployment be recovered"
	reach
	if ask "$last" 2>/dev/null; then
		say "the Coordinator serves already; nothing to recover"
		return
	fi
	options verify.options
	run ctr-manifest recover "${options[@]}" --coordinator "$url" --seed-shares "$dir/shares.json" -s "$dir/share.pem" \
		--coordinator-root-ca "$dir/verified/coordinator-root-ca.pem" -m "$last" "$@" >/dev/null
	ask "$last"
	say "recovered: root CA and secrets are those of before"
}

do_remove() {
	has annotated.yaml "nothing tells what to remove"
	say "deleting all of $dir/annotated.yaml from the cluster, with the Coordinator and the seed in its memory;" \
		"keys, shares and the rest of $dir stay: without a share the secrets are lost"
	run "${kubectl[@]}" delete --ignore-not-found -f "$dir/annotated.yaml"
}

do_up() {
	if [ -d "$dir/verified" ]; then
		do_update "$@"
		return
	fi
	do_generate "$@"
	do_apply
	do_set
}

do_update() {
	[ -d "$dir/verified" ] || die 4 "$dir/verified is not there: nothing was set that could be updated"
	do_generate "$@"
	do_set
	do_apply
}

while [ $# -gt 0 ]; do
	case $1 in
	-h | --help) echo "$usage" && exit ;;
	-d | -n | --coordinator | --pod | --timeout) [ $# -gt 1 ] || misused "$1 without a value" ;;&
	-d) dir=$2 ;;
	-n) kubectl+=(-n "$2") ;;
	--coordinator) coordinator=$2 ;;
	--pod) pod=$2 ;;
	--timeout) timeout=$2 ;;
	-*) misused "$1: unknown option" ;;
	*) break ;;
	esac
	shift 2
done
[[ $timeout =~ ^[0-9]{1,6}$ ]] || misused "--timeout: not a number of seconds"
case ${1-} in
apply | verify | remove)
	[ $# -eq 1 ] || misused "$1 takes no argument"
	"do_$1"
	;;
up | generate | set | update | scale | recover) "do_$1" "${@:2}" ;;
'') misused "no command" ;;
*) misused "$1: unknown command" ;;
esac
