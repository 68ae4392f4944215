# Decoding one report, from start to exit, against starting a program that does nothing.
# shellcheck shell=bash
source "$(dirname "$0")/helpers.bash"
[ -x "$BIN/ctr-attest-verify" ] || exit 0
"$BUILD/sim/simchain" report "$SIM/snp" >"$SIM/report"

many() { # COMMAND...
	local i
	for ((i = 0; i < 200; i++)); do "$@" >/dev/null; done
}
ours=$(seconds many ctr-attest-verify --inspect "$SIM/report")
true=$(seconds many /bin/true)
echo "inspect: $(ratio "$ours * 1000" 200) ms, ratio $(ratio "$ours" "$true") to /bin/true (bound: 5 ms)"
