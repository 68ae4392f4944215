# For bench_*.sh: source "$(dirname "$0")/helpers.bash".
# shellcheck shell=bash
set -euo pipefail

# rss COMMAND...: the largest resident size in KiB; its output is dropped.
rss() {
	local out status=0
	out=$(mktemp)
	/usr/bin/time -f %M -o "$out" "$@" >/dev/null 2>&1 || status=$?
	tail -n 1 "$out"
	rm -f "$out"
	return "$status"
}

# seconds COMMAND...: how long it takes, as 1.234; its output is dropped.
seconds() {
	local start=$EPOCHREALTIME
	"$@" >/dev/null 2>&1 || return
	ratio "$EPOCHREALTIME - $start" 1 3
}

# ratio A B [DIGITS]: A / B.
ratio() {
	awk "BEGIN { printf \"%.${3:-2}f\n\", ($1) / ($2) }"
}
