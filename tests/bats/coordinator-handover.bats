#!/usr/bin/env bats
# POST /v1/mesh/recover: what one Coordinator gives another, and nobody else.
load helpers
load attest
load coordinator

# handed: the state, opened
handed() {
	pod 0 coordinator.policy --path /v1/mesh/recover --open
	xxd -r -p <<<"$output"
}

part() { jq -r ".$1" "$2" | base64 -d | xxd -p -c 256; }

@test "a pod of role coordinator gets seed, salt, transition and the key of the mesh CA" {
	starts
	sets 200 manifest.json "$none"
	jq -r .root_ca reply | base64 -d >root.pem
	jq -r .mesh_ca reply | base64 -d >mesh.pem
	pod 0 web.policy --open
	web=$output
	pod 0 coordinator.policy --path /v1/mesh/recover
	jq -e 'keys == ["evidence", "sealed_state", "version"]' reply
	# seed and salt are those of this root, and of the workloads' secrets
	handed >state.json
	jq -n --arg s "$(part seed state.json)" --arg t "$(part salt state.json)" '{seed: $s, salt: $t}' |
		ctr-ca derive -q --with-keys --secret-id=apps/v1/Deployment/ns/web >derived
	jq -j .root_ca derived | cmp - root.pem
	[ "$(jq -r '.. | strings | select(length == 128)' derived)" = "$web" ] || fail "$(jq -c keys derived)"
	[ "$(part transition_hash state.json)" = "$(next manifest.json "$none")" ]
	jq -e '.generation == 1' state.json
	# and the key is the mesh CA's
	jq -r .mesh_ca state.json | base64 -d | cmp - mesh.pem
	jq -r .mesh_key state.json | base64 -d | openssl pkey -pubout | cmp - <(openssl x509 -in mesh.pem -noout -pubkey)
}

@test "lesson: a peer that recovers is told which generation this is, and gets the mesh CA of that one" {
	starts
	sets 200 manifest.json "$none"
	handed >first.json
	permit '.Policies |= map_values(.SANs += ["second"])' >second.json
	t1=$(next manifest.json "$none")
	sets 200 second.json "$t1" owner.pem
	jq -r .mesh_ca reply | base64 -d >mesh.pem
	handed >state.json
	for p in seed salt; do [ "$(part $p state.json)" = "$(part $p first.json)" ]; done
	[ "$(part transition_hash state.json)" = "$(next second.json "$t1")" ]
	jq -e '.generation == 2' state.json
	jq -r .mesh_key state.json | base64 -d | openssl pkey -pubout | cmp - <(openssl x509 -in mesh.pem -noout -pubkey)
	# who lost the role with the update gets nothing
	permit 'del(.Policies[].Role)' >third.json
	sets 200 third.json "$(next second.json "$t1")" owner.pem
	pod 1 coordinator.policy --path /v1/mesh/recover
	refused attestation_failed
}

@test "a pod without the role is refused, and learns nothing" {
	starts
	sets 200 manifest.json "$none"
	for p in web db stranger; do
		pod 1 "$p.policy" --path /v1/mesh/recover
		refused attestation_failed
		jq -e 'keys == ["code", "error", "status_code", "version"]' reply
	done
	[[ $output == *policy.listed* ]]
	# no proof of the role is good that was made for something else, or before
	pod 0 coordinator.policy --path /v1/mesh/recover --save saved
	pod 1 web.policy --path /v1/mesh/recover --send saved
	[[ $output == *"used before"* ]]
	pod 0 coordinator.policy --save saved
	pod 1 web.policy --path /v1/mesh/recover --send saved
	[[ $output == *"used before"* ]]
	for lie in key kem-signed; do
		pod 1 coordinator.policy --path /v1/mesh/recover --lie $lie
		refused attestation_failed
		[[ $output == *snp.report_data* ]]
	done
	fields=policy=0xb0000 pod 1 coordinator.policy --path /v1/mesh/recover
	refused attestation_failed
	[[ $output == *debug* ]]
}

@test "before a manifest, and in recovery, there is nothing to give" {
	starts
	pod 1 coordinator.policy --path /v1/mesh/recover
	[[ $stderr == *no_manifest* ]]
	posts 412 /v1/mesh/recover '{}'
	refused no_manifest
	sets 200 manifest.json "$none"
	pod 0 coordinator.policy --path /v1/mesh/recover
	stops
	starts
	posts 412 /v1/mesh/recover '{}'
	refused needs_recovery
	pod 1 coordinator.policy --path /v1/mesh/recover
	[[ $stderr == *needs_recovery* ]]
}
