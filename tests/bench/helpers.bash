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

# cpu COMMAND...: the processor seconds it takes, whatever else the machine does; its output is dropped.
cpu() {
	local out status=0
	out=$(mktemp)
	/usr/bin/time -f '%U + %S' -o "$out" "$@" >/dev/null 2>&1 || status=$?
	ratio "$(tail -n 1 "$out")" 1
	rm -f "$out"
	return "$status"
}

# ratio A B [DIGITS]: A / B.
ratio() {
	awk "BEGIN { printf \"%.${3:-2}f\n\", ($1) / ($2) }"
}
