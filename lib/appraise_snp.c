#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "appraisal.h"
#include "manifest_fields.h"

static const struct {
	const char *check;
	size_t offset, size; /* in the report's structure */
} values[CTR_SNP_VALUES] = {
#define ROW(field)                                                                                 \
	{                                                                                          \
		"snp." #field, offsetof(struct ctr_snp_report, field),                             \
			sizeof((struct ctr_snp_report *)NULL)->field                               \
	}
	[CTR_SNP_REPORT_DATA] = ROW(report_data),
	[CTR_SNP_MEASUREMENT] = ROW(measurement),
	[CTR_SNP_HOST_DATA] = ROW(host_data),
	[CTR_SNP_ID_KEY_DIGEST] = ROW(id_key_digest),
	[CTR_SNP_AUTHOR_KEY_DIGEST] = ROW(author_key_digest),
	[CTR_SNP_FAMILY_ID] = ROW(family_id),
	[CTR_SNP_IMAGE_ID] = ROW(image_id),
	[CTR_SNP_REPORT_ID] = ROW(report_id),
	[CTR_SNP_REPORT_ID_MA] = ROW(report_id_ma),
	[CTR_SNP_CHIP_ID] = ROW(chip_id),
};

static void check_values(const struct ctr_snp_policy *p, const struct ctr_snp_report *r,
			 struct ctr_checks *cs)
{
	for (int i = 0; i < CTR_SNP_VALUES; i++) {
		const uint8_t *found = (const uint8_t *)r + values[i].offset;

		if (p->expect[i].what == CTR_WANT_NOTHING)
			ctr_check_skip(cs, values[i].check, "not asked for");
		else if (p->expect[i].what == CTR_WANT_UNKNOWN)
			ctr_check_unknown(cs, values[i].check, found, values[i].size);
		else
			ctr_check_bytes(cs, values[i].check, p->expect[i].v, found, values[i].size,
					NULL);
	}
}

/* Bits that must be set and bits that must not, by name where the specification has one. */
static void check_bits(struct ctr_checks *cs, const char *check, const struct ctr_ref_bit *names,
		       uint64_t require, uint64_t forbid, uint64_t found)
{
	uint64_t wrong = (require & ~found) | (forbid & found);
	char want[64], got[24], detail[256] = "";
	size_t n = 0;

	if (!require && !forbid) {
		ctr_check_skip(cs, check, "not asked for");
		return;
	}
	for (const struct ctr_ref_bit *b = names; b->name && n < sizeof detail; b++) {
		if (wrong >> b->bit & 1)
			n += (size_t)snprintf(
				detail + n, sizeof detail - n, "%s%s %s", n ? ", " : "", b->name,
				require >> b->bit & 1 ? "must be set" : "must not be set");
	}
	snprintf(want, sizeof want, "set 0x%" PRIx64 ", clear 0x%" PRIx64, require, forbid);
	snprintf(got, sizeof got, "0x%" PRIx64, found);
	ctr_check(cs, check, wrong == 0, want, got, "%s", detail);
}

static void check_policy(const struct ctr_snp_policy *p, const struct ctr_snp_report *r,
			 struct ctr_checks *cs)
{
	unsigned minor = r->policy & 0xff, major = r->policy >> 8 & 0xff;
	char want[24], got[24];

	ctr_check(cs, "snp.policy.debug", p->allow_debug || !(r->policy & CTR_SNP_POLICY_DEBUG),
		  p->allow_debug ? "any" : "off", r->policy & CTR_SNP_POLICY_DEBUG ? "ON" : "off",
		  "with DEBUG the host reads the guest's memory");
	ctr_check(cs, "snp.policy.migrate_ma",
		  p->allow_migration_agent || !(r->policy & CTR_SNP_POLICY_MIGRATE_MA),
		  p->allow_migration_agent ? "any" : "off",
		  r->policy & CTR_SNP_POLICY_MIGRATE_MA ? "on" : "off",
		  "with MIGRATE_MA another machine may take the guest over");
	if (p->policy_unknown)
		ctr_check(cs, "snp.policy", false, "unknown", "",
			  "the reference value is null: fill it in");
	else
		check_bits(cs, "snp.policy", ctr_snp_policy_bits, p->policy_require,
			   p->policy_forbid, r->policy);
	if (p->abi_major < 0) {
		ctr_check_skip(cs, "snp.policy.abi", "not asked for");
		return;
	}
	snprintf(want, sizeof want, "at least %d.%d", p->abi_major, p->abi_minor);
	snprintf(got, sizeof got, "%u.%u", major, minor);
	ctr_check(cs, "snp.policy.abi",
		  (int)major > p->abi_major ||
			  ((int)major == p->abi_major && (int)minor >= p->abi_minor),
		  want, got, "the ABI version that the guest policy demands of the firmware");
}

static bool at_least(const struct ctr_snp_svn *a, const struct ctr_snp_svn *b)
{
	for (int i = 0; i < CTR_TCB_N; i++) {
		if (a->v[i] < b->v[i])
			return false;
	}
	return true;
}

static int firmware(const struct ctr_snp_firmware *f)
{
	return f->major << 16 | f->minor << 8 | f->build;
}

/* REPORTED <= COMMITTED <= CURRENT, LAUNCH <= CURRENT; where CURRENT is more than COMMITTED, the
 * host can go back. */
static void check_order(const struct ctr_snp_policy *p, const struct ctr_snp_result *r,
			struct ctr_checks *cs)
{
	const struct ctr_snp_report *q = &r->report;
	struct ctr_snp_svn now, committed, launch, reported;
	char a[64], b[64], want[160], got[160];
	bool known = ctr_snp_svn(r->product, q->current_tcb, &now) == 0 &&
		     ctr_snp_svn(r->product, q->committed_tcb, &committed) == 0 &&
		     ctr_snp_svn(r->product, q->launch_tcb, &launch) == 0 &&
		     ctr_snp_svn(r->product, q->reported_tcb, &reported) == 0;
	bool same = known && ctr_same(&now, &committed, sizeof now) &&
		    firmware(&q->current) == firmware(&q->committed);

	ctr_check(cs, "snp.tcb.order",
		  known && at_least(&committed, &reported) && at_least(&now, &committed) &&
			  at_least(&now, &launch) &&
			  firmware(&q->current) >= firmware(&q->committed),
		  "REPORTED_TCB <= COMMITTED_TCB <= CURRENT_TCB, LAUNCH_TCB <= CURRENT_TCB, by "
		  "component, and versions likewise",
		  known ? "see the claims" : "reserved bytes of a TCB are not zero", NULL);
	if (!known) {
		ctr_check_skip(cs, "snp.tcb.provisional", "the TCBs are not readable");
		return;
	}
	snprintf(want, sizeof want, "%s; %u.%u.%u", ctr_snp_svn_print(r->product, &committed, a),
		 q->committed.major, q->committed.minor, q->committed.build);
	snprintf(got, sizeof got, "%s; %u.%u.%u", ctr_snp_svn_print(r->product, &now, b),
		 q->current.major, q->current.minor, q->current.build);
	if (p->permit_provisional)
		ctr_check_skip(cs, "snp.tcb.provisional", "provisional firmware is permitted");
	else
		ctr_check(cs, "snp.tcb.provisional", same, want, got,
			  "CURRENT against COMMITTED: the host runs firmware that it can roll "
			  "back; it must commit it (SNP_COMMIT)");
}

void ctr_appraise_tcb(struct ctr_checks *cs, const char *check, enum ctr_snp_product product,
		      const int16_t min[CTR_TCB_N], const uint8_t tcb[8])
{
	static const char *const names[CTR_TCB_N] = { "boot loader", "TEE", "SNP firmware",
						      "microcode", "FMC" };
	char want[160] = "", got[64], detail[400] = "";
	size_t n = 0, d = 0;
	struct ctr_snp_svn svn;
	bool ok = ctr_snp_svn(product, tcb, &svn) == 0, any = false;

	for (int i = 0; i < CTR_TCB_N; i++) {
		if (min[i] == CTR_MIN_NONE || (min[i] == 0 && i >= ctr_snp_svn_n(product)))
			continue;
		any = true;
		if (min[i] == CTR_MIN_UNKNOWN)
			n += (size_t)snprintf(want + n, sizeof want - n, "%s%s unknown",
					      n ? ", " : "", ctr_snp_tcb_short[i]);
		else
			n += (size_t)snprintf(want + n, sizeof want - n, "%s%s %d", n ? ", " : "",
					      ctr_snp_tcb_short[i], min[i]);
		if (min[i] >= 0 && svn.v[i] >= min[i])
			continue;
		ok = false;
		d += (size_t)snprintf(detail + d, sizeof detail - d,
				      min[i] < 0 ? "%s%s: the reference value is null, fill it in"
						 : "%s%s is older than the minimum",
				      d ? "; " : "", names[i]);
	}
	if (any)
		ctr_check(cs, check, ok, want, ctr_snp_svn_print(product, &svn, got), "%s%s",
			  detail,
			  ok || !d ? "" : ": update the host's firmware, or lower MinimumTCB");
	else
		ctr_check_skip(cs, check, "not asked for");
}

static void check_firmware(const struct ctr_snp_policy *p, const struct ctr_snp_report *r,
			   struct ctr_checks *cs)
{
	char want[64], got[24];
	bool ok;

	if (p->min_major < 0 && p->min_build < 0) {
		ctr_check_skip(cs, "snp.firmware", "not asked for");
		return;
	}
	/* the build counts within one version */
	ok = r->current.major > p->min_major ||
	     (r->current.major == p->min_major && r->current.minor >= p->min_minor);
	if (ok && p->min_build >= 0 &&
	    (p->min_major < 0 ||
	     (r->current.major == p->min_major && r->current.minor == p->min_minor)))
		ok = r->current.build >= p->min_build;
	snprintf(want, sizeof want, "at least %d.%d, build %d", p->min_major < 0 ? 0 : p->min_major,
		 p->min_minor < 0 ? 0 : p->min_minor, p->min_build < 0 ? 0 : p->min_build);
	snprintf(got, sizeof got, "%u.%u, build %u", r->current.major, r->current.minor,
		 r->current.build);
	ctr_check(cs, "snp.firmware", ok, want, got, "version of the SNP firmware that runs");
}

static void check_mitigations(const struct ctr_snp_policy *p, const struct ctr_snp_report *r,
			      struct ctr_checks *cs)
{
	static const struct ctr_ref_bit none[] = { { 0 } };

	check_bits(cs, "snp.launch_mit_vector", none, p->launch_mit, 0, r->launch_mit);
	check_bits(cs, "snp.current_mit_vector", none, p->current_mit, 0, r->current_mit);
}

static bool listed(const uint8_t *v, size_t size, const void *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (ctr_same((const uint8_t *)list + i * size, v, size))
			return true;
	}
	return false;
}

static void check_keys(const struct ctr_snp_policy *p, const struct ctr_snp_report *r,
		       struct ctr_checks *cs)
{
	static const uint8_t zero[48];
	bool block = !ctr_same(r->id_key_digest, zero, sizeof zero),
	     author = r->signer_info & CTR_SNP_SIGNER_AUTHOR_KEY;

	if (p->require_id_block)
		ctr_check(cs, "snp.id_block", block, "an ID block", block ? "one" : "none", NULL);
	else
		ctr_check_skip(cs, "snp.id_block", "not asked for");
	if (p->id_keys.n)
		ctr_check(cs, "snp.id_key",
			  listed(r->id_key_digest, 48, p->id_keys.v, p->id_keys.n),
			  "one of the trusted ID keys", "another", "see id_key_digest");
	else
		ctr_check_skip(cs, "snp.id_key", "any ID key will do");
	if (p->require_author_key || p->author_keys.n)
		ctr_check(cs, "snp.author_key",
			  author &&
				  (!p->author_keys.n || listed(r->author_key_digest, 48,
							       p->author_keys.v, p->author_keys.n)),
			  p->author_keys.n ? "one of the trusted author keys" : "an author key",
			  author ? "another" : "none",
			  "counts only with AUTHOR_KEY_EN in SIGNER_INFO");
	else
		ctr_check_skip(cs, "snp.author_key", "not asked for");
}

void ctr_appraise_snp(const struct ctr_snp_policy *p, const struct ctr_snp_result *r,
		      struct ctr_checks *cs)
{
	static const char *const tcbs[] = { "snp.tcb.order", "snp.tcb.provisional",
					    "snp.reported_tcb", "snp.launch_tcb" };
	const struct ctr_snp_report *q = &r->report;

	check_values(p, q, cs);
	check_policy(p, q, cs);
	if (p->vmpl >= 0)
		ctr_check_number(cs, "snp.vmpl", (uint64_t)p->vmpl, q->vmpl,
				 "0 is the most privileged level");
	else
		ctr_check_skip(cs, "snp.vmpl", "not asked for");
	if (p->platform_unknown)
		ctr_check(cs, "snp.platform_info", false, "unknown", "",
			  "the reference value is null: fill it in");
	else
		check_bits(cs, "snp.platform_info", ctr_snp_platform_bits, p->platform_require,
			   p->platform_forbid, q->platform_info);
	if (p->min_guest_svn)
		ctr_check_least(cs, "snp.guest_svn", p->min_guest_svn, q->guest_svn, NULL);
	else
		ctr_check_skip(cs, "snp.guest_svn", "not asked for");
	check_mitigations(p, q, cs);
	check_keys(p, q, cs);
	check_firmware(p, q, cs);
	if (p->n_chips)
		ctr_check(cs, "snp.chip_id.allowed", listed(q->chip_id, 64, p->chips, p->n_chips),
			  "one of the allowed chips", "another",
			  "see chip_id; add it to AllowedChipIDs if the machine is yours");
	else
		ctr_check_skip(cs, "snp.chip_id.allowed", "any machine will do");
	if (r->product == CTR_PRODUCTS) {
		ctr_check(cs, "snp.product", false,
			  p->has_product ? ctr_snp_product_names[p->product] : "any", "unknown",
			  "the TCB checks need the product");
		for (size_t i = 0; i < sizeof tcbs / sizeof *tcbs; i++)
			ctr_check_skip(cs, tcbs[i], "the product is not known");
		return;
	}
	if (p->has_product)
		ctr_check(cs, "snp.product", p->product == r->product,
			  ctr_snp_product_names[p->product], ctr_snp_product_names[r->product],
			  NULL);
	else
		ctr_check_skip(cs, "snp.product", "not asked for");
	check_order(p, r, cs);
	ctr_appraise_tcb(cs, "snp.reported_tcb", r->product, p->min_tcb, q->reported_tcb);
	ctr_appraise_tcb(cs, "snp.launch_tcb", r->product, p->min_launch_tcb, q->launch_tcb);
}
