#include <string.h>

#include "corim_int.h"

/* Class identifiers for "by chip" and "by CSP", as UUID and as OID below 1.3.6.1.4.1.3704. */
static const char
	by_chip[] = "\xd0\x5e\x6d\x1b\x9f\x46\x4a\xe2\xa6\x10\xce\x3e\x6e\xe7\xe1\x53",
	by_csp[] = "\x89\xa7\xa1\xf0\xe7\x04\x4f\xaa\xac\xbd\x81\xc8\x6d\xf8\xa9\x61",
	oid[] = "\x2b\x06\x01\x04\x01\x9c\x78"; /* then 2 or 3, then 1 (chip) or 2 (CSP) */

static int read_class(const struct ctr_cval *env, bool *chip, struct ctr_err *e)
{
	struct ctr_rd id, head;
	uint8_t arc = 0, leaf = 0;
	uint64_t tag;

	*chip = false;
	if (corim_class(env, &tag, &id, e) < 0)
		return -1;
	if (tag == TAG_UUID && (corim_id_is(&id, by_chip, 16) || corim_id_is(&id, by_csp, 16))) {
		*chip = corim_id_is(&id, by_chip, 16);
		return 0;
	}
	if (tag == TAG_OID && ctr_rd_take(&id, sizeof oid - 1, &head) == 0 &&
	    corim_id_is(&head, oid, sizeof oid - 1) && ctr_rd_u8(&id, &arc) == 0 &&
	    ctr_rd_u8(&id, &leaf) == 0 && ctr_rd_end(&id) == 0 && (arc == 2 || arc == 3) &&
	    (leaf == 1 || leaf == 2)) {
		*chip = leaf == 1;
		return 0;
	}
	return ctr_cfail(env, e, "corim.unsupported", "not the class of an SEV-SNP guest");
}

/* Bytes in tag 560. */
static int tagged_bytes(const struct ctr_cval *v, uint8_t *out, size_t n, struct ctr_err *e)
{
	struct ctr_cval inner;
	struct ctr_rd r;
	uint64_t tag;

	if (ctr_ctag(v, &tag, &inner, e) < 0 || ctr_cbytes(&inner, 4096, &r, e) < 0)
		return -1;
	if (tag != TAG_BYTES || r.left != n)
		return ctr_cfail(v, e, "corim.form", "expected %zu bytes in tag %d", n, TAG_BYTES);
	return ctr_rd_copy(&r, out, n);
}

static int instance(const struct ctr_cval *env, bool chip, struct ctr_snp_ref *r, struct ctr_err *e)
{
	struct ctr_cval v = ctr_cget_int(env, ENV_INSTANCE);

	if (!v.there)
		return 0;
	if (!chip)
		return ctr_cfail(&v, e, "corim.unsupported",
				 "a set cannot be for one cloud provider");
	r->chips = calloc(1, sizeof *r->chips);
	if (!r->chips)
		return ctr_fail_mem(e);
	r->n_chips = 1;
	return tagged_bytes(&v, r->chips[0], sizeof *r->chips, e);
}

/* Digests or raw value; flags stand for fields that the user fills in. */
static int measurement(const struct ctr_cval *values, struct ctr_snp_ref *r, struct ctr_err *e)
{
	if (r->measurement.known)
		return ctr_cfail(values, e, "corim.digest",
				 "a second launch measurement in one triple");
	for (struct ctr_cval v = ctr_cfirst(values); v.there; v = ctr_cnext(&v)) {
		struct ctr_cval key = ctr_ckey(&v);
		int64_t k = -1;

		if (ctr_cint(&key, &k, e) < 0)
			return -1;
		if (k == VAL_FLAGS)
			continue;
		if ((k != VAL_DIGESTS && k != VAL_RAW) || r->measurement.known)
			return ctr_cfail(&v, e, "corim.unsupported",
					 "a value that a set cannot hold");
		if ((k == VAL_DIGESTS ? corim_digest(&v, r->measurement.v, e)
				      : tagged_bytes(&v, r->measurement.v, 48, e)) < 0)
			return -1;
		r->measurement.known = true;
	}
	return 0;
}

/* Where the components stand in the 64 bits (AMD 56860, TCB_VERSION). */
static void split_tcb(uint64_t v, struct ctr_snp_ref *r)
{
	bool turin = r->product == CTR_TURIN;
	const struct {
		enum ctr_snp_tcb part;
		unsigned at;
	} parts[] = {
		{ CTR_TCB_BOOTLOADER, turin ? 8 : 0 },
		{ CTR_TCB_TEE, turin ? 16 : 8 },
		{ CTR_TCB_SNP, turin ? 24 : 48 },
		{ CTR_TCB_MICROCODE, 56 },
		{ CTR_TCB_FMC, 0 },
	};

	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		if (parts[i].part != CTR_TCB_FMC || turin)
			r->tcb[parts[i].part] = (int16_t)(v >> parts[i].at & 255);
	}
}

static int reported_tcb(const struct ctr_cval *values, struct ctr_snp_ref *r, struct ctr_err *e)
{
	struct ctr_cval v = ctr_cget_int(values, VAL_SVN), inner;
	uint64_t tag = TAG_SVN, n;

	if (ctr_ccount(values) != 1 || !v.there)
		return ctr_cfail(values, e, "corim.unsupported", "a value that a set cannot hold");
	if (ctr_ctype(&v) == CTR_CBOR_TAG) {
		if (ctr_ctag(&v, &tag, &inner, e) < 0)
			return -1;
		v = inner;
	}
	/* a manifest has least versions alone: a fixed one would be weakened to that */
	if (tag != TAG_MIN_SVN)
		return ctr_cfail(&v, e, "corim.unsupported",
				 "an exact TCB version (expected a least one, tag %d)",
				 TAG_MIN_SVN);
	if (ctr_cuint(&v, UINT64_MAX, &n, e) < 0)
		return -1;
	split_tcb(n, r);
	return 0;
}

static bool is_open(const struct profile *p, int64_t key)
{
	for (const int64_t *o = p->open; *o >= 0; o++) {
		if (*o == key)
			return true;
	}
	return false;
}

int corim_snp(struct corim *c, const struct ctr_cval *env, const struct ctr_cval *list,
	      struct ctr_err *e)
{
	void *v = c->sets.snp;
	struct ctr_snp_ref *r = corim_grow(&v, &c->sets.n_snp, sizeof *c->sets.snp, e);
	bool chip;

	if (!r)
		return -1;
	c->sets.snp = v;
	if (c->o->product < 0) {
		ctr_fail(e, CTR_USAGE, "corim.product",
			 "a CoRIM for SEV-SNP does not say for which product");
		return ctr_err_fix(e, "give --corim-product=Milan, Genoa or Turin");
	}
	r->product = (enum ctr_snp_product)c->o->product;
	for (int i = 0; i < CTR_TCB_N; i++)
		r->tcb[i] = -1;
	r->platform = strdup("");
	if (!r->platform)
		return ctr_fail_mem(e);
	if (read_class(env, &chip, e) < 0 || instance(env, chip, r, e) < 0)
		return -1;
	for (struct ctr_cval m = ctr_cfirst(list); m.there; m = ctr_cnext(&m)) {
		struct ctr_cval key, values;
		int64_t k = -1;

		if (corim_measurement(&m, &key, &values, e) < 0 || ctr_cint(&key, &k, e) < 0)
			return -1;
		if (is_open(c->profile, k))
			continue;
		if (k != c->profile->measurement && k != c->profile->reported_tcb)
			return ctr_cfail(&m, e, "corim.unsupported",
					 "measurement %lld: a set cannot hold it", (long long)k);
		if ((k == c->profile->measurement ? measurement(&values, r, e)
						  : reported_tcb(&values, r, e)) < 0)
			return -1;
	}
	return r->measurement.known ? 0
				    : ctr_cfail(list, e, "corim.digest", "no launch measurement");
}
