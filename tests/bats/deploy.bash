# For the BATS files about deployments: a cluster that tests/sim/kubectl plays, and what belongs to it in place of real
# hardware, images and registries.
# shellcheck shell=bash disable=SC2034

# make_cluster: in the test's directory, of which the name has a space
make_cluster() {
	[ -x "$BUILD/sim/simchain" ] || skip "simchain is not built"
	export CLUSTER="$BATS_TEST_TMPDIR/a cluster"
	mkdir -p "$CLUSTER/bin" "$CLUSTER/pods" "$BATS_TEST_TMPDIR/my app/ctr"
	cd "$BATS_TEST_TMPDIR/my app" || return
	ln -s "$TOP/tests/sim/kubectl" "$CLUSTER/bin/kubectl"
	ln -s "$TOP/scripts/deploy.sh" "$CLUSTER/bin/ctr-deploy"
	PATH=$CLUSTER/bin:$PATH
	"$BUILD/sim/simchain" --keys="$BUILD/sim/keys" snp "$CLUSTER/machine"
	jq --slurpfile machine "$CLUSTER/machine/snp.json" '.snp[0].TrustedMeasurement = $machine[0].measurement' \
		"$TOP/k8s/examples/snp.json" >snp.json
	cp "$coordinator_yaml" coordinator.yaml
	cat "$TOP"/k8s/examples/{web,db}.yaml >app.yaml
	printf '%s\n' -q --image-layout "$BUILD/images" --initializer-image registry.example/initializer:0.1.0 \
		--mesh-image registry.example/mesh-proxy:0.1.0 >ctr/policygen.options
	printf '%s\n' --no-cache --collateral "$CLUSTER/machine" --insecure-test-root "$CLUSTER/machine/ark.der" \
		>ctr/verify.options
}
coordinator_yaml=$TOP/k8s/coordinator.yaml

end_cluster() {
	cat "$CLUSTER"/pods/*/pid 2>/dev/null | xargs -r kill -KILL 2>/dev/null || true
}
