# The steps of ctr-deploy(7) as targets of your own Makefile; each runs when what it is made from has changed.
#   CTR_YAML := coordinator.yaml app.yaml   what is deployed
#   CTR_REFS := snp.json                    reference values
#   CTR_FLAGS := -n shop                    options of ctr-deploy
#   include /usr/local/share/ctr/k8s/deploy.mk
# make ctr-up sets the manifest and applies the YAML, the first time and after each change.
CTR_DEPLOY ?= ctr-deploy
CTR_DIR ?= ctr
ctr-run = $(CTR_DEPLOY) -d $(CTR_DIR) $(CTR_FLAGS)

.PHONY: ctr-up ctr-verify ctr-recover ctr-remove
.PRECIOUS: $(CTR_DIR)/manifest.json # it may be edited

ctr-up: $(CTR_DIR)/applied

$(CTR_DIR)/manifest.json: $(CTR_YAML) $(CTR_REFS)
	$(ctr-run) generate $(CTR_REFS:%=-r %) $(CTR_YAML)

# The first manifest needs a Coordinator; a later one is set before anything runs that it permits.
$(CTR_DIR)/set.json: $(CTR_DIR)/manifest.json
	test -d $(CTR_DIR)/verified || $(ctr-run) apply
	$(ctr-run) set
	@touch $@

$(CTR_DIR)/applied: $(CTR_DIR)/set.json
	$(ctr-run) apply
	@touch $@

ctr-verify:
	$(ctr-run) verify

ctr-recover:
	$(ctr-run) recover

ctr-remove:
	$(ctr-run) remove
	rm -f $(CTR_DIR)/applied
