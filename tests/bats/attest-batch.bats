#!/usr/bin/env bats
# ctr-attest-verify --batch: names in, one result a line out.
load helpers
load attest

setup_file() {
	load helpers
	load attest
	make_chains
}

setup() {
	m=$CHAINS/milan t=$CHAINS/tdx
	cd "$BATS_TEST_TMPDIR" || return 1
	mint "$m" >good
	mint "$m" reported_tcb.snp=23 >bad
	head -c 1000 good >broken
	mint "$t" >tdx
	batch=(ctr-attest-verify --errors=json --offline --no-cache --collateral "$m" "$(root "$m")" --authenticity-only --batch)
}

# verdicts STATUS NAME...: of these files, "FILE VERDICT" a line.
verdicts() {
	local want=$1
	shift
	printf '%s\n' "$@" >names
	run "-$want" --separate-stderr "${batch[@]}" <names
	[ "$(wc -l <<<"$output")" -eq $# ] || fail "$output"
	jq -r '.file + " " + .verdict' <<<"$output" >told
}

@test "one line a name, in order" {
	verdicts 1 good bad good
	[ "$(<told)" = $'good accepted\nbad rejected\ngood accepted' ]
	jq -es '.[1] | [.checks[] | select(.result == "fail").name] == ["snp.report.tcb"]' <<<"$output"
	jq -es 'last | .id == "batch.rejected" and .status == 1' <<<"$stderr"
	verdicts 0 good good
	[ -z "$stderr" ]
	# each line is the verdict of the file alone
	run -0 --separate-stderr "${batch[@]/--batch/--at=2026-11-25T00:00:00Z}" good
	alone=$(jq -c . <<<"$output")
	run -0 --separate-stderr "${batch[@]}" --at=2026-11-25T00:00:00Z <<<good
	[ "$(jq -c 'del(.file)' <<<"$output")" = "$alone" ]
}

@test "what cannot be judged has a line of its own, and the rest goes on" {
	verdicts 3 good broken absent . bad good
	[ "$(<told)" = $'good accepted\nbroken error\nabsent error\n. error\nbad rejected\ngood accepted' ]
	jq -es '[.[] | select(.verdict == "error") | .id] == ["evidence.cbor", "open", "read"] and all(.[1, 2, 3]; .error != "" and (has("checks") | not))' \
		<<<"$output" || fail "$output"
	jq -es 'last | .id == "batch.broken" and .status == 3' <<<"$stderr"
	# no collateral for the other vendor here
	verdicts 3 tdx good
	[ "$(<told)" = $'tdx error\ngood accepted' ]
	jq -es '.[0].id == "collateral.offline"' <<<"$output"
}

@test "nothing in, nothing out; empty lines; a last line without an end" {
	run -0 --separate-stderr "${batch[@]}" </dev/null
	[ -z "$output$stderr" ]
	run -0 --separate-stderr "${batch[@]}" <<<$'\n\ngood\n\n'
	[ "$(jq -r .file <<<"$output")" = good ]
	run -0 --separate-stderr "${batch[@]}" < <(printf 'good\ngood')
	[ "${#lines[@]}" -eq 2 ]
}

@test "names that are none" {
	run -3 --separate-stderr "${batch[@]}" < <(printf 'good\0bad\n')
	jq -es 'last | .id == "batch.name"' <<<"$stderr"
	run -3 --separate-stderr "${batch[@]}" < <(head -c 5000 /dev/zero | tr '\0' x)
	jq -es 'last | .id == "batch.name"' <<<"$stderr"
	cp good $'a "name"\twith \\ in it'
	run -0 --separate-stderr "${batch[@]}" <<<$'a "name"\twith \\ in it'
	[ "$(jq -r .file <<<"$output")" = $'a "name"\twith \\ in it' ]
}

@test "many files: all of them, in order" {
	local i names=()
	for i in {1..200}; do
		ln -s "$([ $((i % 7)) -eq 0 ] && echo bad || echo good)" "file$i"
		names+=("file$i")
	done
	verdicts 1 "${names[@]}"
	for i in {1..200}; do
		echo "file$i $([ $((i % 7)) -eq 0 ] && echo rejected || echo accepted)"
	done | cmp - told
}

@test "a reader that goes away, a full disk" {
	for _ in {1..50}; do echo good; done >names
	run -4 --separate-stderr bash -c '"$@" <names >/dev/full' - "${batch[@]}"
	jq -es 'last | .message | contains("standard output")' <<<"$stderr"
	run --separate-stderr bash -c 'set -o pipefail; "$@" <names | head -n 1 >first' - "${batch[@]}"
	[ "$status" -eq 4 ] || [ "$status" -eq 0 ] # it may have been faster
	jq -e '.verdict == "accepted"' first
}
