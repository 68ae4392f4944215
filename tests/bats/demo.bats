#!/usr/bin/env bats
# The examples of ctr-attest-verify's page, as printed, on what the demo leaves.
load helpers

@test "the demo runs, and so does each example of the page" {
	[ -x "$BUILD/sim/simchain" ] || skip "simchain is not built"
	scripts/demo >"$BATS_TEST_TMPDIR/demo" || fail "$(tail -n 5 "$BATS_TEST_TMPDIR/demo")"
	ln -s "$TOP/k8s" "$TOP/tests" "$BATS_TEST_TMPDIR"
	ln -s "$BUILD" "$BATS_TEST_TMPDIR/build"
	cd "$BATS_TEST_TMPDIR"
	mandoc -T ascii "$TOP/man/ctr-attest-verify.1" | sed 's/.\x08//g' | sed -n '/^EXAMPLES/,/^DIAGNOSTICS/p' |
		sed -n 's/^           \( *\)/\1/p' >commands
	[ "$(grep -c 'ctr-attest-verify' commands)" -ge 6 ]
	run bash -eu commands # no pipefail: a verdict that is no is an answer too
	[ "$status" -eq 0 ] || fail "$output"
	[[ $output == *accepted* && $output == *snp.policy.debug* && $output == *rejected* ]] || fail "$output"
}
