#include "appraisal.h"

#include <stdio.h>
#include <string.h>

#include "file.h"

#define IDS_MAX 16384

void ctr_appraisal_init(struct ctr_appraisal *a)
{
	*a = (struct ctr_appraisal){ 0 };
	a->snp.vmpl = a->snp.min_major = a->snp.min_minor = a->snp.min_build = a->snp.abi_major =
		a->snp.abi_minor = -1;
	for (int i = 0; i < CTR_TCB_N; i++)
		a->snp.min_tcb[i] = a->snp.min_launch_tcb[i] = CTR_MIN_NONE;
	a->tdx.accept_status = 1u << CTR_TCB_UP_TO_DATE;
	a->tdx.allow_migratable = true;
}

void ctr_appraisal_free(struct ctr_appraisal *a)
{
	free(a->snp.id_keys.v);
	free(a->snp.author_keys.v);
	free(a->snp.chips);
	free(a->tdx.piids);
	for (size_t i = 0; i < a->tdx.n_refuse_advisories; i++)
		free(a->tdx.refuse_advisories[i]);
	free(a->tdx.refuse_advisories);
	*a = (struct ctr_appraisal){ 0 };
}

bool ctr_appraisal_pins(const struct ctr_appraisal *a, enum ctr_tee tee)
{
	if (tee == CTR_TEE_SNP)
		return a->snp.expect[CTR_SNP_MEASUREMENT].what != CTR_WANT_NOTHING ||
		       a->snp.id_keys.n;
	return a->tdx.expect[CTR_TDX_MRTD].what != CTR_WANT_NOTHING;
}

/* One member of the file: its name, how it is read, where it goes. */
enum kind { HEX, BOOL, NOT_BOOL, MASK, U32, INT, VERSION, TCB, DIGESTS, STATUS, TEXTS, SVN16 };
struct member {
	const char *name;
	enum kind kind;
	size_t at;
	size_t size; /* HEX: bytes; INT: the greatest; the bit of NOT_BOOL */
};

#define SNP(field) offsetof(struct ctr_appraisal, snp.field)
#define TDX(field) offsetof(struct ctr_appraisal, tdx.field)
static const struct member members[] = {
	{ "expect_report_data", HEX, SNP(expect[CTR_SNP_REPORT_DATA]), 64 },
	{ "expect_measurement", HEX, SNP(expect[CTR_SNP_MEASUREMENT]), 48 },
	{ "expect_host_data", HEX, SNP(expect[CTR_SNP_HOST_DATA]), 32 },
	{ "expect_id_key_digest", HEX, SNP(expect[CTR_SNP_ID_KEY_DIGEST]), 48 },
	{ "expect_author_key_digest", HEX, SNP(expect[CTR_SNP_AUTHOR_KEY_DIGEST]), 48 },
	{ "expect_family_id", HEX, SNP(expect[CTR_SNP_FAMILY_ID]), 16 },
	{ "expect_image_id", HEX, SNP(expect[CTR_SNP_IMAGE_ID]), 16 },
	{ "expect_report_id", HEX, SNP(expect[CTR_SNP_REPORT_ID]), 32 },
	{ "expect_report_id_ma", HEX, SNP(expect[CTR_SNP_REPORT_ID_MA]), 32 },
	{ "expect_chip_id", HEX, SNP(expect[CTR_SNP_CHIP_ID]), 64 },
	{ "allow_debug", BOOL, SNP(allow_debug), 0 },
	{ "allow_debug", BOOL, TDX(allow_debug), 0 },
	{ "allow_migration_agent", BOOL, SNP(allow_migration_agent), 0 },
	{ "permit_provisional", BOOL, SNP(permit_provisional), 0 },
	{ "vmpl", INT, SNP(vmpl), 3 },
	{ "min_tcb", TCB, SNP(min_tcb), 0 },
	{ "min_launch_tcb", TCB, SNP(min_launch_tcb), 0 },
	{ "min_guest_svn", U32, SNP(min_guest_svn), 0 },
	{ "min_version", VERSION, SNP(min_major), 0 },
	{ "min_build", INT, SNP(min_build), 255 },
	{ "min_policy_abi", VERSION, SNP(abi_major), 0 },
	{ "allow_smt", NOT_BOOL, SNP(policy_forbid), CTR_SNP_POLICY_SMT },
	{ "policy_require", MASK, SNP(policy_require), 0 },
	{ "platform_require", MASK, SNP(platform_require), 0 },
	{ "platform_forbid", MASK, SNP(platform_forbid), 0 },
	{ "require_launch_mit", MASK, SNP(launch_mit), 0 },
	{ "require_current_mit", MASK, SNP(current_mit), 0 },
	{ "require_id_block", BOOL, SNP(require_id_block), 0 },
	{ "require_author_key", BOOL, SNP(require_author_key), 0 },
	{ "trusted_id_keys", DIGESTS, SNP(id_keys), 0 },
	{ "trusted_author_keys", DIGESTS, SNP(author_keys), 0 },
	{ "expect_reportdata", HEX, TDX(expect[CTR_TDX_REPORTDATA]), 64 },
	{ "expect_mrtd", HEX, TDX(expect[CTR_TDX_MRTD]), 48 },
	{ "expect_rtmr0", HEX, TDX(expect[CTR_TDX_RTMR0]), 48 },
	{ "expect_rtmr1", HEX, TDX(expect[CTR_TDX_RTMR1]), 48 },
	{ "expect_rtmr2", HEX, TDX(expect[CTR_TDX_RTMR2]), 48 },
	{ "expect_rtmr3", HEX, TDX(expect[CTR_TDX_RTMR3]), 48 },
	{ "expect_mrseam", HEX, TDX(expect[CTR_TDX_MRSEAM]), 48 },
	{ "expect_mrsignerseam", HEX, TDX(expect[CTR_TDX_MRSIGNERSEAM]), 48 },
	{ "expect_mrconfigid", HEX, TDX(expect[CTR_TDX_MRCONFIGID]), 48 },
	{ "expect_mrowner", HEX, TDX(expect[CTR_TDX_MROWNER]), 48 },
	{ "expect_mrownerconfig", HEX, TDX(expect[CTR_TDX_MROWNERCONFIG]), 48 },
	{ "expect_tdattr", HEX, TDX(expect[CTR_TDX_TDATTR]), 8 },
	{ "expect_xfam", HEX, TDX(expect[CTR_TDX_XFAM]), 8 },
	{ "accept_status", STATUS, TDX(accept_status), 0 },
	{ "refuse_advisories", TEXTS, 0, 0 },
	{ "min_tcb_eval", U32, TDX(min_tcb_eval), 0 },
	{ "min_tee_tcb_svn", SVN16, TDX(min_tee_tcb_svn), 0 },
	{ "allow_migratable", BOOL, TDX(allow_migratable), 0 },
	{ "require_sept_ve_disable", BOOL, TDX(require_sept_ve_disable), 0 },
	{ "refuse_service_td", BOOL, TDX(refuse_service_td), 0 },
	{ "require_memory_integrity", BOOL, TDX(memory_integrity), 0 },
	{ "require_smt_disabled", BOOL, TDX(smt_disabled), 0 },
	{ "require_static_platform", BOOL, TDX(static_platform), 0 },
};
#define MEMBERS (sizeof members / sizeof *members)

/* "0x20", or a number. */
static int mask(const struct ctr_jval *v, uint64_t *m, struct ctr_err *e)
{
	const char *s;
	char *end;

	if (ctr_jtype(v) == CTR_JSON_NUMBER)
		return ctr_juint(v, (uint64_t)1 << 53, m, e);
	if (ctr_jstring(v, &s, e) < 0)
		return -1;
	if (strncmp(s, "0x", 2) != 0 || s[2] == '\0' || strlen(s) > 18 ||
	    s[2 + strspn(s + 2, "0123456789abcdefABCDEF")])
		return ctr_jfail(v, e, "appraisal.value",
				 "\"%.40s\" is no mask (expected 0x and up to 16 digits)", s);
	*m = strtoull(s, &end, 16);
	return 0;
}

/* A decimal number up to 255, and what stands behind it. */
static const char *byte(const char *s, int *n)
{
	int v = 0;

	if (*s < '0' || *s > '9')
		return NULL;
	for (; *s >= '0' && *s <= '9' && v <= 255; s++)
		v = 10 * v + (*s - '0');
	*n = v;
	return v <= 255 ? s : NULL;
}

/* "1.55" into two neighbours. */
static int version(const struct ctr_jval *v, int *major, struct ctr_err *e)
{
	const char *s, *rest;

	if (ctr_jstring(v, &s, e) < 0)
		return -1;
	rest = byte(s, &major[0]);
	if (rest && *rest == '.')
		rest = byte(rest + 1, &major[1]);
	else
		rest = NULL;
	if (!rest || *rest)
		return ctr_jfail(v, e, "appraisal.value",
				 "\"%.40s\" is no version (expected MAJOR.MINOR)", s);
	return 0;
}

static int tcb(const struct ctr_jval *v, int16_t *min, struct ctr_err *e)
{
	static const char *const keys[] = { "bl", "tee", "snp", "ucode", "fmc", NULL };

	if (ctr_jobject(v, e) < 0 || ctr_jonly(v, keys, e) < 0)
		return -1;
	for (int i = 0; i < CTR_TCB_N; i++) {
		struct ctr_jval c = ctr_jget(v, ctr_snp_tcb_short[i]);
		uint64_t n;

		if (!c.v)
			continue;
		if (ctr_juint(&c, 255, &n, e) < 0)
			return -1;
		min[i] = (int16_t)n;
	}
	return 0;
}

static int digests(const struct ctr_jval *v, struct ctr_digest_list *l, struct ctr_err *e)
{
	if (ctr_jarray(v, e) < 0)
		return -1;
	/* an empty list would read as "any" */
	if (ctr_jcount(v) == 0 || ctr_jcount(v) > IDS_MAX)
		return ctr_jfail(v, e, "appraisal.value", "no keys, or too many (expected 1 to %d)",
				 IDS_MAX);
	free(l->v);
	l->n = 0;
	l->v = calloc(ctr_jcount(v), sizeof *l->v);
	if (!l->v)
		return ctr_fail_mem(e);
	for (struct ctr_jval c = ctr_jfirst(v); c.v; c = ctr_jnext(&c)) {
		if (ctr_jhex(&c, l->v[l->n], sizeof *l->v, e) < 0)
			return -1;
		l->n++;
	}
	return 0;
}

static enum ctr_tcb_status status_named(const char *s)
{
	for (int i = CTR_TCB_NONE + 1; i < CTR_TCB_NOT_SUPPORTED; i++) {
		if (strcmp(s, ctr_tcb_status_names[i]) == 0)
			return (enum ctr_tcb_status)i;
	}
	return CTR_TCB_NONE;
}

static int statuses(const struct ctr_jval *v, unsigned *accept, struct ctr_err *e)
{
	if (ctr_jarray(v, e) < 0)
		return -1;
	*accept = 0;
	for (struct ctr_jval c = ctr_jfirst(v); c.v; c = ctr_jnext(&c)) {
		enum ctr_tcb_status st;
		const char *s;

		if (ctr_jstring(&c, &s, e) < 0)
			return -1;
		if ((st = status_named(s)) == CTR_TCB_NONE || st == CTR_TCB_REVOKED)
			return ctr_jfail(&c, e, "appraisal.value",
					 "\"%.60s\" is no TCB status that can be accepted", s);
		*accept |= 1u << st;
	}
	return 0;
}

static int advisories(const struct ctr_jval *v, struct ctr_tdx_policy *p, struct ctr_err *e)
{
	if (ctr_jarray(v, e) < 0)
		return -1;
	p->refuse_advisories = calloc(ctr_jcount(v) + 1, sizeof *p->refuse_advisories);
	if (!p->refuse_advisories)
		return ctr_fail_mem(e);
	for (struct ctr_jval c = ctr_jfirst(v); c.v; c = ctr_jnext(&c)) {
		const char *s;

		if (ctr_jstring(&c, &s, e) < 0)
			return -1;
		p->refuse_advisories[p->n_refuse_advisories] = strdup(s);
		if (!p->refuse_advisories[p->n_refuse_advisories])
			return ctr_fail_mem(e);
		p->n_refuse_advisories++;
	}
	return 0;
}

static int number(const struct ctr_jval *v, uint64_t max, uint64_t *n, struct ctr_err *e)
{
	return ctr_juint(v, max, n, e);
}

static int read_member(const struct member *m, const struct ctr_jval *v, struct ctr_appraisal *a,
		       struct ctr_err *e)
{
	void *at = (char *)a + m->at;
	uint64_t n = 0;
	bool b = false;
	int rc;

	switch (m->kind) {
	case HEX:
		((struct ctr_want *)at)->what = CTR_WANT_EQUAL;
		return ctr_jhex(v, ((struct ctr_want *)at)->v, m->size, e);
	case BOOL:
		return ctr_jbool(v, at, e);
	case NOT_BOOL:
		rc = ctr_jbool(v, &b, e);
		*(uint64_t *)at |= rc == 0 && !b ? m->size : 0;
		return rc;
	case MASK:
		return mask(v, at, e);
	case U32:
		rc = number(v, UINT32_MAX, &n, e);
		*(uint32_t *)at = (uint32_t)n;
		return rc;
	case INT:
		rc = number(v, m->size, &n, e);
		*(int *)at = (int)n;
		return rc;
	case VERSION:
		return version(v, at, e);
	case TCB:
		return tcb(v, at, e);
	case DIGESTS:
		return digests(v, at, e);
	case STATUS:
		return statuses(v, at, e);
	case SVN16:
		return ctr_jhex(v, at, 16, e);
	default:
		return advisories(v, &a->tdx, e);
	}
}

static int read_all(const struct ctr_json *json, struct ctr_appraisal *a, struct ctr_err *e)
{
	const char *names[MEMBERS + 1] = { NULL };
	struct ctr_jval root = ctr_jroot(json);

	for (size_t i = 0; i < MEMBERS; i++)
		names[i] = members[i].name;
	if (ctr_jobject(&root, e) < 0 || ctr_jonly(&root, names, e) < 0)
		return -1;
	for (size_t i = 0; i < MEMBERS; i++) {
		struct ctr_jval v = ctr_jget(&root, members[i].name);

		if (v.v && read_member(&members[i], &v, a, e) < 0)
			return -1;
	}
	return 0;
}

int ctr_appraisal_parse(const char *name, const char *p, size_t n, struct ctr_appraisal *a,
			struct ctr_err *e)
{
	ctr_auto_json struct ctr_json *json = NULL;

	if (ctr_json_parse(name, p, n, &json, e) < 0)
		return -1;
	return read_all(json, a, e) < 0 ? ctr_wrap(e, "%s", name) : 0;
}

int ctr_appraisal_load(const char *path, struct ctr_appraisal *a, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf b = { 0 };

	if (ctr_file_read(path, (size_t)8 << 20, &b, e) < 0)
		return -1;
	return ctr_appraisal_parse(path, ctr_buf_str(&b), b.n, a, e);
}
