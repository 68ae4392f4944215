#!/usr/bin/env bats
# The life of a deployment as its owners live it: ctr-manifest and a Coordinator that runs.
load helpers
load attest
load coordinator

setup() {
	local name
	make_deployment
	mkdir policies
	for name in coordinator web db; do cp $name.policy "policies/$(hash_of $name.policy)"; done
	permit '.Policies |= map_values(.SANs += ["new.example"])' >new.json
}

# owner STATUS WORD [OPTION...]
owner() {
	run "-$1" --separate-stderr ctr-manifest "$2" --errors=json --no-cache --collateral "$m" "$(root "$m")" --coordinator "$api" "${@:3}"
}

says() {
	jq -es --arg id "$1" 'last | .level == "error" and .id == $id' <<<"$stderr" >/dev/null || fail "expected $1: $stderr"
}

first() { owner 0 set -p policies -o shares.json -s share.pem manifest.json; }

# recovers STATUS MANIFEST [OPTION...]
recovers() { owner "$1" recover -s share.pem --seed-shares shares.json -m "$2" "${@:3}"; }

@test "set, updated, restarted, recovered: the same root CA, and nothing lost" {
	starts
	first
	that ".generation == 1 and .transition_hash == \"$(next manifest.json "$none")\""
	jq -j .root_ca <<<"$output" >root.pem
	jq -j .mesh_ca <<<"$output" >mesh.pem
	owner 0 set -p policies -w owner.pem --coordinator-root-ca root.pem new.json
	that ".generation == 2 and .transition_hash == \"$(next new.json "$(next manifest.json "$none")")\""
	jq -j .root_ca <<<"$output" | cmp - root.pem
	jq -j .mesh_ca <<<"$output" | cmp - mesh.pem && fail "the mesh CA is new with each manifest"
	stops KILL || true
	starts
	owner 1 get -m new.json
	says get.none
	owner 4 set -p policies -w owner.pem -o other-shares.json new.json
	[[ $stderr == *needs_recovery*"ctr-manifest recover"* ]]
	recovers 0 new.json --coordinator-root-ca root.pem
	owner 0 get -m manifest.json
	[ "$output" = "$(cat new.json)" ]
	owner 0 set -p policies -w owner.pem --coordinator-root-ca root.pem manifest.json
	that '.generation == 3'
	stops
}

@test "an update needs an owner of the active manifest, and follows what is there" {
	starts
	first
	owner 1 set -p policies new.json
	[[ $stderr == *coordinator.refused*signature* ]]
	owner 1 set -p policies -w other.pem new.json
	[[ $stderr == *coordinator.refused* ]]
	permit ".WorkloadOwnerKeyDigests = [\"$(owner_digest other.pem)\"]" >theirs.json
	owner 1 set -p policies -w other.pem theirs.json
	says coordinator.refused
	owner 0 set -p policies -w owner.pem theirs.json
	owner 0 set -p policies -w other.pem --previous-transition-hash "$(next theirs.json "$(next manifest.json "$none")")" manifest.json
	permit ".SeedshareOwnerPubKeys = []" >without.json
	owner 1 set -p policies -w owner.pem without.json
	says coordinator.refused
}

@test "the first manifest needs the owner that the command line names" {
	openssl pkey -in owner.pem -pubout -out owner.pub
	starts --initial-owner-key owner.pub
	owner 1 set -p policies -o shares.json manifest.json
	says coordinator.refused
	owner 1 set -p policies -o shares.json -w other.pem manifest.json
	says coordinator.refused
	owner 0 set -p policies -o shares.json -w owner.pem manifest.json
}

@test "five owners at once: each update is set after the one before, none is lost" {
	starts
	first
	for i in {1..5}; do
		permit ".Policies |= map_values(.SANs += [\"n$i.example\"])" >"n$i.json"
		ctr-manifest set --errors=json --no-cache --collateral "$m" "$(root "$m")" --coordinator "$api" -p policies -w owner.pem "n$i.json" \
			>"out$i" 2>"err$i" 3>&- && echo "$i" >>won &
		jobs+=($!)
	done
	wait "${jobs[@]}" || true
	posts 200 /v1/attest "$(printf '{"nonce":"%s"}' "$(printf '%032d' 0 | base64 -w0)")"
	# exactly those that were not told of a conflict are in the history: some found another active when they looked again
	accepted=0
	for i in {1..5}; do
		grep -q manifest_conflict "err$i" || accepted=$((accepted + 1))
	done
	[ "$(jq '.manifests | length' reply)" = $((1 + accepted)) ]
	[ "$accepted" -ge 1 ]
}

@test "recovery by a stranger, with other shares, or when nothing is to be recovered" {
	starts
	first
	recovers 1 manifest.json
	says coordinator.waits
	recovers 1 manifest.json --force
	[[ $stderr == *already_recovered* ]]
	stops
	starts
	openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out theirs.pem
	owner 1 recover -s theirs.pem --seed-shares shares.json -m manifest.json
	says seedshare.none
	# a share that opens to a seed of the stranger's own
	head -c 64 /dev/zero | openssl pkeyutl -encrypt -inkey share.pem -pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:sha256 \
		-pkeyopt rsa_mgf1_md:sha256 -pkeyopt rsa_oaep_label:"$(printf seedshare | xxd -p)" | base64 -w0 >seed.b64
	jq --rawfile e seed.b64 '.SeedShares[0].EncryptedSeed = $e' shares.json >false.json
	owner 1 recover -s share.pem --seed-shares false.json -m manifest.json
	says coordinator.refused
	recovers 1 new.json # it is permitted, but not the one that is served
	says coordinator.manifest
	[[ $stderr == *"after the recovery"* ]]
	owner 0 get -m manifest.json
	stops
}

@test "a Coordinator of another policy, or another machine, is given nothing" {
	printf 'another policy' >coordinator.policy
	starts
	owner 1 set -p policies -o shares.json manifest.json
	says policy.listed
	stops
	grep -c '/v1/manifest' log && fail sent
	[ ! -e shares.json ]
}

@test "the commands of the man page run" {
	local name line
	for name in coordinator web db; do
		printf -- '---\napiVersion: v1\nkind: Pod\nmetadata:\n  name: %s\n  annotations:\n    io.katacontainers.config.agent.policy: %s\nspec: {}\n' \
			$name "$(b64 $name.policy)"
	done | tee annotated.yaml >new.yaml
	cp share.pem seed.pem
	examples ctr-manifest.1 | grep -- --coordinator >commands
	[ "$(wc -l <commands)" = 4 ]
	starts
	while read -r line; do
		if [[ $line == *recover* ]]; then
			stops
			starts
		fi
		run bash -c "${line/http:\/\/coordinator:1314/$api --no-cache --collateral $m $(root "$m")}"
		[ "$status" -le 1 ] || fail "$line: $output"
	done <commands
	[[ $output == *new.example* ]] # what the last of them, diff, says
}
