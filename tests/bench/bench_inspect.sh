# Decoding one report, from start to exit, against starting a program that does nothing.
# shellcheck shell=bash
source "$(dirname "$0")/helpers.bash"
[ -x "$BIN/ctr-attest-verify" ] || exit 0
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
"$BUILD/sim/simchain" snp "$tmp/sim"
"$BUILD/sim/simchain" report "$tmp/sim" >"$tmp/report"

many() { # COMMAND...
	local i
	for ((i = 0; i < 200; i++)); do "$@" >/dev/null; done
}
ours=$(seconds many ctr-attest-verify --inspect "$tmp/report")
true=$(seconds many /bin/true)
echo "inspect: $(ratio "$ours * 1000" 200) ms, ratio $(ratio "$ours" "$true") to /bin/true (bound: 5 ms)"
