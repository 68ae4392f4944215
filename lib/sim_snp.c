#include <string.h>

#include "sim_int.h"

/* AMD 56860, table ATTESTATION_REPORT. */
static const struct ctr_sim_field fields[] = {
	{ "version", 0x000, 4, true },
	{ "guest_svn", 0x004, 4, true },
	{ "policy", 0x008, 8, true },
	{ "family_id", 0x010, 16, false },
	{ "image_id", 0x020, 16, false },
	{ "vmpl", 0x030, 4, true },
	{ "signature_algo", 0x034, 4, true },
	{ "current_tcb", 0x038, 8, false },
	{ "platform_info", 0x040, 8, true },
	{ "signer_info", 0x048, 4, true },
	{ "report_data", 0x050, 64, false },
	{ "measurement", 0x090, 48, false },
	{ "host_data", 0x0c0, 32, false },
	{ "id_key_digest", 0x0e0, 48, false },
	{ "author_key_digest", 0x110, 48, false },
	{ "report_id", 0x140, 32, false },
	{ "report_id_ma", 0x160, 32, false },
	{ "reported_tcb", 0x180, 8, false },
	{ "cpuid_fam_id", 0x188, 1, true },
	{ "cpuid_mod_id", 0x189, 1, true },
	{ "cpuid_step", 0x18a, 1, true },
	{ "chip_id", 0x1a0, 64, false },
	{ "committed_tcb", 0x1e0, 8, false },
	{ "current_build", 0x1e8, 1, true },
	{ "current_minor", 0x1e9, 1, true },
	{ "current_major", 0x1ea, 1, true },
	{ "committed_build", 0x1ec, 1, true },
	{ "committed_minor", 0x1ed, 1, true },
	{ "committed_major", 0x1ee, 1, true },
	{ "launch_tcb", 0x1f0, 8, false },
	{ "launch_mit_vector", 0x1f8, 8, true },
	{ "current_mit_vector", 0x200, 8, true },
	{ 0 },
};
#define CPUID 0x188
#define REPORT_DATA 0x050
#define SIGNER_INFO 0x048
#define SIGNATURE 0x2a0
#define HALF 48	   /* bytes of R and of S */
#define HALF_IN 72 /* bytes of the place for each */

static const struct {
	const char *name;
	unsigned at;
} tcbs[] = { { "current_tcb", 0x038 },
	     { "reported_tcb", 0x180 },
	     { "committed_tcb", 0x1e0 },
	     { "launch_tcb", 0x1f0 } };
#define TCBS (sizeof tcbs / sizeof *tcbs)

/* Where a part stands in a TCB_VERSION; PARTS where the product has none. */
static const char *const parts[] = { "bl", "tee", "snp", "ucode", "fmc" };
#define PARTS (sizeof parts / sizeof *parts)
#define NOWHERE 8

static const struct product {
	const char *name, *values; /* what holds unless something else is said */
	uint8_t version, part[PARTS], cpuid[3];
} products[] = {
	{ "Milan",
	  "bl=4,tee=0,snp=24,ucode=219",
	  3,
	  { 0, 1, 6, 7, NOWHERE },
	  { 0x19, 0x01, 0x01 } },
	{ "Genoa",
	  "bl=10,tee=0,snp=23,ucode=84",
	  3,
	  { 0, 1, 6, 7, NOWHERE },
	  { 0x19, 0x11, 0x01 } },
	{ "Turin", "bl=1,tee=1,snp=4,ucode=81,fmc=1", 5, { 1, 2, 3, 7, 0 }, { 0x1a, 0x02, 0x01 } },
};

static const char common[] =
	"policy=0x30000,signature_algo=1,platform_info=0x25,current_build=29,current_minor=55,"
	"current_major=1,"
	"committed_build=29,committed_minor=55,committed_major=1,"
	"report_id_ma=ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff";

static int find_product(const char *name, const struct product **p, struct ctr_err *e)
{
	for (size_t i = 0; i < sizeof products / sizeof *products; i++) {
		if (!name || strcmp(products[i].name, name) == 0) {
			*p = &products[i];
			return 0;
		}
	}
	return ctr_fail(e, CTR_USAGE, "sim.field",
			"product=%s: no such product (Milan, Genoa, Turin)", name);
}

/* "bl" of all TCBs, or "launch_tcb.bl" of one. */
static int set_part(const struct product *p, const struct ctr_sim_value *v, uint8_t *report,
		    struct ctr_err *e)
{
	const char *dot = strchr(v->name, '.'), *part = dot ? dot + 1 : v->name;
	bool found = false;
	uint64_t n;
	size_t k = 0;

	while (k < PARTS && strcmp(parts[k], part) != 0)
		k++;
	for (size_t i = 0; i < TCBS && k < PARTS && p->part[k] != NOWHERE; i++) {
		if (dot && (strlen(tcbs[i].name) != (size_t)(dot - v->name) ||
			    strncmp(tcbs[i].name, v->name, (size_t)(dot - v->name)) != 0))
			continue;
		if (ctr_sim_number(v, 1, &n, e) < 0)
			return -1;
		report[tcbs[i].at + p->part[k]] = (uint8_t)n;
		found = true;
	}
	return found ? 0 : ctr_sim_unknown(v, e);
}

static int set_all(const struct product *p, const struct ctr_sim_values *l, uint8_t *report,
		   struct ctr_err *e)
{
	for (size_t i = 0; i < l->n; i++) {
		bool done;

		if (strcmp(l->v[i].name, "product") == 0)
			continue;
		if (ctr_sim_set(fields, &l->v[i], report, CTR_SNP_SIGNED, &done, e) < 0 ||
		    (!done && set_part(p, &l->v[i], report, e) < 0))
			return -1;
	}
	return 0;
}

/* Needed before all else: older versions have no CPUID. */
static int version_of(const struct product *p, const struct ctr_sim_values *l, uint64_t *version,
		      struct ctr_err *e)
{
	for (size_t i = l->n; i > 0; i--) {
		if (strcmp(l->v[i - 1].name, "version") == 0)
			return ctr_sim_number(&l->v[i - 1], 4, version, e);
	}
	*version = p->version;
	return 0;
}

int ctr_sim_snp(const struct ctr_sim_values *l, const uint8_t report_data[CTR_REPORT_DATA],
		uint8_t report[CTR_SNP_SIZE], struct ctr_err *e)
{
	ctr_auto_sim_values struct ctr_sim_values usual = { 0 };
	const struct product *p = NULL;
	uint64_t version;

	memset(report, 0, CTR_SNP_SIZE);
	if (find_product(ctr_sim_last(l, "product"), &p, e) < 0 ||
	    version_of(p, l, &version, e) < 0)
		return -1;
	ctr_sim_put(report, 4, version);
	if (version >= 3)
		memcpy(report + CPUID, p->cpuid, sizeof p->cpuid);
	memcpy(report + REPORT_DATA, report_data, CTR_REPORT_DATA);
	if (ctr_sim_add_text(&usual, common, sizeof common - 1, e) < 0 ||
	    ctr_sim_add_text(&usual, p->values, strlen(p->values), e) < 0 ||
	    set_all(p, &usual, report, e) < 0)
		return -1;
	return set_all(p, l, report, e);
}

int ctr_sim_snp_sign(uint8_t report[CTR_SNP_SIZE], const struct ctr_sign_key *key,
		     struct ctr_err *e)
{
	uint8_t signer = report[SIGNER_INFO], rs[2 * HALF];

	memset(report + SIGNATURE, 0, CTR_SNP_SIZE - SIGNATURE);
	if ((signer & 2) || (signer >> 2 & 7) == 7)
		return 0;
	if (ctr_sign(key, CTR_SHA384, report, CTR_SNP_SIGNED, rs, e) < 0)
		return -1;
	for (size_t i = 0; i < HALF; i++) {
		report[SIGNATURE + i] = rs[HALF - 1 - i];
		report[SIGNATURE + HALF_IN + i] = rs[2 * HALF - 1 - i];
	}
	return 0;
}
