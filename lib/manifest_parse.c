#include "manifest.h"

#include <string.h>

#include "enc.h"
#include "file.h"
#include "manifest_fields.h"

const struct ctr_ref_bit ctr_snp_policy_bits[] = {
	{ "SMT", 16, false },
	{ "MigrateMA", 18, false },
	{ "Debug", 19, false },
	{ "SingleSocket", 20, false },
	{ "CXLAllowed", 21, false },
	{ "MemAES256XTS", 22, false },
	{ "RAPLDis", 23, false },
	{ "CipherTextHidingDRAM", 24, false },
	{ "PageSwapDisable", 25, false },
	{ 0 },
};

const struct ctr_ref_bit ctr_snp_platform_bits[] = {
	{ "SMTEnabled", 0, false },
	{ "TSMEEnabled", 1, false },
	{ "ECCEnabled", 2, false },
	{ "RAPLDisabled", 3, false },
	{ "CiphertextHidingDRAMEnabled", 4, false },
	{ "AliasCheckComplete", 5, false },
	{ "IOMMUWriteSafe", 6, true },
	{ "TIOEnabled", 7, false },
	{ 0 },
};

const char *const ctr_snp_tcb_names[CTR_TCB_N] = { "BootloaderVersion", "TEEVersion", "SNPVersion",
						   "MicrocodeVersion", "FMCVersion" };

/* The path of a failure that a lower module found. */
static int failed_at(const struct ctr_jval *v, const struct ctr_err *why, struct ctr_err *e)
{
	if (why->code != CTR_FORMAT)
		return ctr_fail(e, why->code, why->id, "%s", why->msg);
	return ctr_jfail(v, e, why->id, "%s", why->msg);
}

/* An array or null; *items is then empty. */
static int array(const struct ctr_jval *v, size_t max, struct ctr_err *e)
{
	if (!ctr_jhas(v))
		return 0;
	if (ctr_jarray(v, e) < 0)
		return -1;
	if (ctr_jcount(v) > max)
		return ctr_jfail(v, e, "manifest.count", "more than %zu items", max);
	return 0;
}

static struct ctr_jval first(const struct ctr_jval *v)
{
	return ctr_jhas(v) ? ctr_jfirst(v) : (struct ctr_jval){ 0 };
}

/* A string, "" for null or absent; allocated. */
static int text(const struct ctr_jval *v, char **s, struct ctr_err *e)
{
	const char *t = "";

	if (ctr_jhas(v) && ctr_jstring(v, &t, e) < 0)
		return -1;
	*s = strdup(t);
	return *s ? 0 : ctr_fail_mem(e);
}

static int flag(const struct ctr_jval *v, bool *b, struct ctr_err *e)
{
	*b = false;
	return ctr_jhas(v) ? ctr_jbool(v, b, e) : 0;
}

/* Hex digits of n bytes; null, absent and "" mean that the value is not known. */
static int hex(const struct ctr_jval *v, size_t n, struct ctr_ref_hex *h, struct ctr_err *e)
{
	const char *s = "";

	if (ctr_jhas(v) && ctr_jstring(v, &s, e) < 0)
		return -1;
	h->known = *s != '\0';
	return h->known ? ctr_jhex(v, h->v, n, e) : 0;
}

static int bits(const struct ctr_jval *v, const struct ctr_ref_bit *table, const char *const *more,
		struct ctr_ref_bits *out, struct ctr_err *e)
{
	const char *names[16] = { NULL };
	size_t n = 0;

	if (!ctr_jhas(v))
		return 0;
	for (const struct ctr_ref_bit *t = table; t->name; t++)
		names[n++] = t->name;
	for (; more && *more; more++)
		names[n++] = *more;
	if (ctr_jobject(v, e) < 0 || ctr_jonly(v, names, e) < 0)
		return -1;
	for (const struct ctr_ref_bit *t = table; t->name; t++) {
		struct ctr_jval c = ctr_jget(v, t->name);
		bool b;

		if (flag(&c, &b, e) < 0)
			return -1;
		out->v |= (uint64_t)b << t->bit;
	}
	out->known = true;
	return 0;
}

static int guest_policy(const struct ctr_jval *v, struct ctr_ref_bits *out, struct ctr_err *e)
{
	static const char *const abi[] = { "ABIMinor", "ABIMajor", NULL };

	if (bits(v, ctr_snp_policy_bits, abi, out, e) < 0)
		return -1;
	for (unsigned i = 0; i < 2; i++) {
		struct ctr_jval c = ctr_jget(v, abi[i]);
		uint64_t n = 0;

		if (ctr_jhas(&c) && ctr_juint(&c, 255, &n, e) < 0)
			return -1;
		out->v |= n << 8 * i;
	}
	return 0;
}

static int tcb(const struct ctr_jval *v, int16_t *out, struct ctr_err *e)
{
	static const char *const keys[] = { "BootloaderVersion", "TEEVersion", "SNPVersion",
					    "MicrocodeVersion", "FMCVersion", NULL };

	if (ctr_jhas(v) && (ctr_jobject(v, e) < 0 || ctr_jonly(v, keys, e) < 0))
		return -1;
	for (size_t i = 0; i < CTR_TCB_N; i++) {
		struct ctr_jval c = ctr_jget(v, ctr_snp_tcb_names[i]);
		uint64_t n = 0;

		out[i] = -1;
		if (!ctr_jhas(&c))
			continue;
		if (ctr_juint(&c, 255, &n, e) < 0)
			return -1;
		out[i] = (int16_t)n;
	}
	return 0;
}

static int product(const struct ctr_jval *v, struct ctr_snp_ref *r, struct ctr_err *e)
{
	const char *s;

	if (ctr_jstring(v, &s, e) < 0)
		return -1;
	for (int i = 0; i < CTR_PRODUCTS; i++) {
		if (strcmp(s, ctr_snp_product_names[i]) == 0) {
			r->product = (enum ctr_snp_product)i;
			return 0;
		}
	}
	return ctr_jfail(v, e, "manifest.product",
			 "unknown product \"%.40s\" (expected Milan, Genoa or Turin)", s);
}

/* Fixed-size identifiers into one allocation; *out may be NULL when there are none. */
static int ids(const struct ctr_jval *v, size_t size, uint8_t **out, size_t *n, struct ctr_err *e)
{
	if (array(v, CTR_IDS_MAX, e) < 0)
		return -1;
	if (!ctr_jhas(v) || ctr_jcount(v) == 0)
		return 0;
	*out = calloc(ctr_jcount(v), size);
	if (!*out)
		return ctr_fail_mem(e);
	for (struct ctr_jval c = ctr_jfirst(v); c.v; c = ctr_jnext(&c)) {
		if (ctr_jhex(&c, *out + *n * size, size, e) < 0)
			return -1;
		(*n)++;
	}
	return 0;
}

static int snp_set(const struct ctr_jval *v, struct ctr_snp_ref *r, struct ctr_err *e)
{
	static const char *const keys[] = {
		"Platform", "ProductName", "TrustedMeasurement", "MinimumTCB", "GuestPolicy",
		"PlatformInfo", "MinimumMitigationVector", "AllowedChipIDs", NULL,
	};
	struct ctr_jval platform = ctr_jget(v, "Platform"), name = ctr_jget(v, "ProductName"),
			measured = ctr_jget(v, "TrustedMeasurement"),
			min = ctr_jget(v, "MinimumTCB"), policy = ctr_jget(v, "GuestPolicy"),
			info = ctr_jget(v, "PlatformInfo"),
			mitigation = ctr_jget(v, "MinimumMitigationVector"),
			chips = ctr_jget(v, "AllowedChipIDs");
	uint8_t *id = NULL;
	int rc;

	if (ctr_jobject(v, e) < 0 || ctr_jonly(v, keys, e) < 0 || text(&platform, &r->platform, e) < 0 ||
	    product(&name, r, e) < 0 || hex(&measured, 48, &r->measurement, e) < 0 ||
	    tcb(&min, r->tcb, e) < 0 || guest_policy(&policy, &r->policy, e) < 0 ||
	    bits(&info, ctr_snp_platform_bits, NULL, &r->platform_info, e) < 0)
		return -1;
	if (ctr_jhas(&mitigation) &&
	    ctr_juint(&mitigation, (uint64_t)1 << 53, &r->mitigation, e) < 0)
		return -1;
	if (r->product != CTR_TURIN && r->tcb[CTR_TCB_FMC] > 0) {
		struct ctr_jval fmc = ctr_jget(&min, "FMCVersion");

		return ctr_jfail(&fmc, e, "manifest.product", "%s has no FMC (expected null)",
				 ctr_snp_product_names[r->product]);
	}
	rc = ids(&chips, sizeof *r->chips, &id, &r->n_chips, e);
	r->chips = (void *)id;
	return rc;
}

static int tdx_set(const struct ctr_jval *v, struct ctr_tdx_ref *r, struct ctr_err *e)
{
	static const char *const keys[] = {
		"Platform", "MrTd", "MrSeam", "Rtmrs", "Xfam", "AllowedPIIDs", "MemoryIntegrity",
		"SMTDisabled", "StaticPlatform", "MinTCBEvaluationDataNumber", NULL,
	};
	struct ctr_jval platform = ctr_jget(v, "Platform"), mrtd = ctr_jget(v, "MrTd"),
			seam = ctr_jget(v, "MrSeam"), rtmrs = ctr_jget(v, "Rtmrs"),
			xfam = ctr_jget(v, "Xfam"), piids = ctr_jget(v, "AllowedPIIDs"),
			integrity = ctr_jget(v, "MemoryIntegrity"), smt = ctr_jget(v, "SMTDisabled"),
			fixed = ctr_jget(v, "StaticPlatform"),
			eval = ctr_jget(v, "MinTCBEvaluationDataNumber");
	uint8_t *id = NULL;
	uint64_t n = 0;
	int rc;

	if (ctr_jobject(v, e) < 0 || ctr_jonly(v, keys, e) < 0 || text(&platform, &r->platform, e) < 0 ||
	    hex(&mrtd, 48, &r->mrtd, e) < 0 || hex(&seam, 48, &r->mrseam, e) < 0 ||
	    hex(&xfam, 8, &r->xfam, e) < 0 || flag(&integrity, &r->memory_integrity, e) < 0 ||
	    flag(&smt, &r->smt_disabled, e) < 0 || flag(&fixed, &r->static_platform, e) < 0 ||
	    (ctr_jhas(&eval) && ctr_juint(&eval, UINT32_MAX, &n, e) < 0) || array(&rtmrs, 4, e) < 0)
		return -1;
	r->min_tcb_eval = (uint32_t)n;
	if (ctr_jhas(&rtmrs) && ctr_jcount(&rtmrs) != 4)
		return ctr_jfail(&rtmrs, e, "manifest.count", "%zu items (expected 4)",
				 ctr_jcount(&rtmrs));
	n = 0;
	for (struct ctr_jval c = first(&rtmrs); c.v; c = ctr_jnext(&c)) {
		if (hex(&c, 48, &r->rtmr[n++], e) < 0)
			return -1;
	}
	rc = ids(&piids, sizeof *r->piids, &id, &r->n_piids, e);
	r->piids = (void *)id;
	return rc;
}

int ctr_manifest_add_refs(struct ctr_manifest *m, const struct ctr_jval *refs, struct ctr_err *e)
{
	static const char *const keys[] = { "snp", "tdx", NULL };
	struct ctr_jval snp = ctr_jget(refs, "snp"), tdx = ctr_jget(refs, "tdx");
	size_t n_snp, n_tdx;
	void *p;

	if (ctr_jobject(refs, e) < 0 || ctr_jonly(refs, keys, e) < 0 ||
	    array(&snp, CTR_REFS_MAX - m->n_snp, e) < 0 || array(&tdx, CTR_REFS_MAX - m->n_tdx, e) < 0)
		return -1;
	n_snp = m->n_snp + (ctr_jhas(&snp) ? ctr_jcount(&snp) : 0);
	n_tdx = m->n_tdx + (ctr_jhas(&tdx) ? ctr_jcount(&tdx) : 0);
	p = realloc(m->snp, (n_snp + 1) * sizeof *m->snp);
	if (!p)
		return ctr_fail_mem(e);
	m->snp = p;
	p = realloc(m->tdx, (n_tdx + 1) * sizeof *m->tdx);
	if (!p)
		return ctr_fail_mem(e);
	m->tdx = p;
	/* counted before they are read, so that a failure frees what was read of them */
	for (struct ctr_jval c = first(&snp); c.v; c = ctr_jnext(&c)) {
		m->snp[m->n_snp] = (struct ctr_snp_ref){ 0 };
		if (snp_set(&c, &m->snp[m->n_snp++], e) < 0)
			return -1;
	}
	for (struct ctr_jval c = first(&tdx); c.v; c = ctr_jnext(&c)) {
		m->tdx[m->n_tdx] = (struct ctr_tdx_ref){ 0 };
		if (tdx_set(&c, &m->tdx[m->n_tdx++], e) < 0)
			return -1;
	}
	return 0;
}

static int role(const struct ctr_jval *v, enum ctr_role *r, struct ctr_err *e)
{
	const char *s = "";

	if (ctr_jhas(v) && ctr_jstring(v, &s, e) < 0)
		return -1;
	if (*s && strcmp(s, "coordinator") != 0)
		return ctr_jfail(v, e, "manifest.role",
				 "unknown role \"%.40s\" (expected coordinator, or none)", s);
	*r = *s ? CTR_ROLE_COORDINATOR : CTR_ROLE_NONE;
	return 0;
}

static int policy(struct ctr_manifest *m, const struct ctr_jval *v, struct ctr_err *e)
{
	static const char *const keys[] = { "SANs", "WorkloadSecretID", "Role", NULL };
	struct ctr_jval sans = ctr_jget(v, "SANs"), secret = ctr_jget(v, "WorkloadSecretID"),
			r = ctr_jget(v, "Role");
	uint8_t hash[CTR_SHA256_SIZE];
	struct ctr_manifest_policy *p;
	struct ctr_err why = { 0 };
	const char *id = "";

	if (ctr_hex_parse(v->key, strlen(v->key), hash, sizeof hash, &why) < 0)
		return ctr_jfail(v, e, "manifest.hash", "%s in the policy's hash", why.msg);
	if (ctr_manifest_find(m, hash))
		return ctr_jfail(v, e, "manifest.duplicate", "the same hash twice");
	if (ctr_jobject(v, e) < 0 || ctr_jonly(v, keys, e) < 0 || array(&sans, CTR_SANS_MAX, e) < 0 ||
	    (ctr_jhas(&secret) && ctr_jstring(&secret, &id, e) < 0) ||
	    ctr_manifest_add(m, hash, &p, e) < 0 || role(&r, &p->role, e) < 0)
		return -1;
	if (ctr_manifest_set_secret(p, id, &why) < 0)
		return failed_at(&secret, &why, e);
	for (struct ctr_jval c = first(&sans); c.v; c = ctr_jnext(&c)) {
		const char *s;

		if (ctr_jstring(&c, &s, e) < 0)
			return -1;
		if (ctr_manifest_add_san(p, s, &why) < 0)
			return failed_at(&c, &why, e);
	}
	return 0;
}

static int owner(struct ctr_manifest *m, const struct ctr_jval *v, struct ctr_err *e)
{
	uint8_t digest[CTR_SHA256_SIZE];

	return ctr_jhex(v, digest, sizeof digest, e) < 0 ? -1 : ctr_manifest_add_owner(m, digest, e);
}

static int seedshare(struct ctr_manifest *m, const struct ctr_jval *v, struct ctr_err *e)
{
	struct ctr_err why = { 0 };
	const char *s;
	uint8_t der[4096];
	size_t n;

	if (ctr_jstring(v, &s, e) < 0)
		return -1;
	n = strlen(s) / 2;
	if (n > sizeof der)
		return ctr_jfail(v, e, "key.rsa", "longer than any RSA key");
	if (ctr_jhex(v, der, n, e) < 0)
		return -1;
	return ctr_manifest_add_seedshare(m, der, n, &why) < 0 ? failed_at(v, &why, e) : 0;
}

typedef int (*item_fn)(struct ctr_manifest *m, const struct ctr_jval *v, struct ctr_err *e);

/* A list of keys; `old` is a name of former times for it, of which only one may be given. */
static int keys(struct ctr_manifest *m, struct ctr_jval list, struct ctr_jval old, item_fn fn,
		struct ctr_err *e)
{
	if (ctr_jhas(&list) && ctr_jhas(&old))
		return ctr_jfail(&old, e, "manifest.duplicate", "%s stands there too", list.key);
	if (ctr_jhas(&old))
		list = old;
	if (array(&list, CTR_OWNERS_MAX, e) < 0)
		return -1;
	for (struct ctr_jval c = first(&list); c.v; c = ctr_jnext(&c)) {
		if (fn(m, &c, e) < 0)
			return -1;
	}
	return 0;
}

static int owners(struct ctr_manifest *m, const struct ctr_jval *root, struct ctr_err *e)
{
	struct ctr_jval list = ctr_jget(root, "WorkloadOwnerKeyDigests"),
			one = ctr_jget(root, "WorkloadOwnerKeyDigest");

	if (keys(m, ctr_jget(root, "SeedshareOwnerPubKeys"), ctr_jget(root, "SeedshareOwnerKeys"),
		 seedshare, e) < 0)
		return -1;
	if (!ctr_jhas(&one))
		return keys(m, list, (struct ctr_jval){ 0 }, owner, e);
	if (ctr_jhas(&list))
		return ctr_jfail(&one, e, "manifest.duplicate", "%s stands there too", list.key);
	return owner(m, &one, e);
}

static int manifest(struct ctr_manifest *m, const struct ctr_jval *root, struct ctr_err *e)
{
	static const char *const names[] = {
		"Policies", "ReferenceValues", "WorkloadOwnerKeyDigests", "WorkloadOwnerKeyDigest",
		"SeedshareOwnerPubKeys", "SeedshareOwnerKeys", NULL,
	};
	struct ctr_jval policies = ctr_jget(root, "Policies"),
			refs = ctr_jget(root, "ReferenceValues");

	if (ctr_jobject(root, e) < 0 || ctr_jonly(root, names, e) < 0)
		return -1;
	if (ctr_jhas(&policies) && ctr_jobject(&policies, e) < 0)
		return -1;
	for (struct ctr_jval c = first(&policies); c.v; c = ctr_jnext(&c)) {
		if (policy(m, &c, e) < 0)
			return -1;
	}
	if (ctr_jhas(&refs) && ctr_manifest_add_refs(m, &refs, e) < 0)
		return -1;
	return owners(m, root, e);
}

int ctr_manifest_parse(const char *name, const char *p, size_t n, struct ctr_manifest *m,
		       struct ctr_err *e)
{
	ctr_auto_json struct ctr_json *j = NULL;
	struct ctr_jval root;

	if (ctr_json_parse(name, p, n, &j, e) < 0)
		return -1;
	root = ctr_jroot(j);
	/* the position is the JSON path; the file goes into the message */
	return manifest(m, &root, e) < 0 ? ctr_wrap(e, "%s", name) : 0;
}

int ctr_manifest_load(const char *path, struct ctr_manifest *m, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf b = { 0 };

	if (ctr_file_read(path, CTR_MANIFEST_MAX, &b, e) < 0)
		return -1;
	return ctr_manifest_parse(strcmp(path, "-") == 0 ? "standard input" : path, ctr_buf_str(&b),
				  b.n, m, e);
}
