# What each program takes on disk and, idle, in memory.
# shellcheck shell=bash
source "$(dirname "$0")/helpers.bash"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
for t in "$BIN"/*; do
	n=${t##*/}
	strip -o "$tmp/$n" "$t"
	kib=$(($(stat -c %s "$tmp/$n") / 1024))
	echo "size $n: $kib KiB, ratio $(ratio $kib 2048) (bound: 1 = 2 MiB)"
	kib=$(rss "$t" --version)
	echo "resident $n --version: $kib KiB, ratio $(ratio "$kib" "$(rss /bin/true)") (bound: none; to /bin/true)"
done
