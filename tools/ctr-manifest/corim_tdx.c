#include <string.h>

#include "corim_int.h"

enum { TEE_VENDOR = -70, TEE_MODEL = -71, TEE_MRTEE = -83, TAG_DIGEST_SET = 60020, OP_MEMBER = 6 };

static const char seam_oid[] =
	"\x60\x86\x48\x01\x86\xf8\x4d\x01\x02\x03\x04\x03"; /* 2.16.840.1.113741.1.2.3.4.3 */

/* A digest, or the expression "one of these" over one. */
static int mrtee(const struct ctr_cval *v, uint8_t out[48], struct ctr_err *e)
{
	struct ctr_cval inner, op;
	uint64_t tag, n;

	if (!v->there || ctr_ctype(v) != CTR_CBOR_TAG)
		return corim_digest(v, out, e);
	if (ctr_ctag(v, &tag, &inner, e) < 0 || ctr_carray(&inner, e) < 0)
		return -1;
	op = ctr_cfirst(&inner);
	if (tag != TAG_DIGEST_SET || ctr_ccount(&inner) != 2)
		return ctr_cfail(v, e, "corim.unsupported", "an expression that a set cannot hold");
	if (ctr_cuint(&op, UINT32_MAX, &n, e) < 0)
		return -1;
	if (n != OP_MEMBER)
		return ctr_cfail(&op, e, "corim.unsupported",
				 "an expression that a set cannot hold");
	op = ctr_cnext(&op);
	return corim_digest(&op, out, e);
}

/* Registers by number (0 to 3) or name ("rtmr0"). */
static int register_index(const struct ctr_cval *key, uint64_t *n, struct ctr_err *e)
{
	static const char *const names[] = { "rtmr0", "rtmr1", "rtmr2", "rtmr3" };

	if (ctr_ctype(key) != CTR_CBOR_TEXT)
		return ctr_cuint(key, 3, n, e);
	for (*n = 0; *n < 4; ++*n) {
		if (ctr_ctext_is(key, names[*n]))
			return 0;
	}
	return ctr_cfail(key, e, "corim.unsupported",
			 "a register that there is not (expected rtmr0 to rtmr3)");
}

static int registers(const struct ctr_cval *v, struct ctr_tdx_ref *r, struct ctr_err *e)
{
	if (ctr_cmap(v, e) < 0)
		return -1;
	for (struct ctr_cval d = ctr_cfirst(v); d.there; d = ctr_cnext(&d)) {
		struct ctr_cval key = ctr_ckey(&d);
		uint64_t n = 0;

		if (register_index(&key, &n, e) < 0)
			return -1;
		if (r->rtmr[n].known)
			return ctr_cfail(&d, e, "corim.digest", "RTMR%u stands twice", (unsigned)n);
		if (corim_digest(&d, r->rtmr[n].v, e) < 0)
			return -1;
		r->rtmr[n].known = true;
	}
	return 0;
}

/* The TDX module: its measurement fixes all else that a triple may say of it. */
static int seam(struct corim *c, const struct ctr_cval *list, struct ctr_err *e)
{
	for (struct ctr_cval m = ctr_cfirst(list); m.there; m = ctr_cnext(&m)) {
		struct ctr_cval key, values, v;

		if (corim_measurement(&m, &key, &values, e) < 0)
			return -1;
		v = ctr_cget_int(&values, TEE_MRTEE);
		if (!v.there)
			continue;
		if (c->has_seam)
			return ctr_cfail(&v, e, "corim.unsupported",
					 "two measurements of the TDX module");
		if (mrtee(&v, c->seam, e) < 0)
			return -1;
		c->has_seam = true;
	}
	return c->has_seam ? 0
			   : ctr_cfail(list, e, "corim.digest",
				       "the TDX module without its measurement");
}

static int guest_values(const struct ctr_cval *values, struct ctr_tdx_ref *r, struct ctr_err *e)
{
	for (struct ctr_cval v = ctr_cfirst(values); v.there; v = ctr_cnext(&v)) {
		struct ctr_cval key = ctr_ckey(&v);
		int64_t k = 0;

		if (ctr_cint(&key, &k, e) < 0)
			return -1;
		if (k == TEE_VENDOR || k == TEE_MODEL)
			continue;
		if (k == VAL_REGISTERS) {
			if (registers(&v, r, e) < 0)
				return -1;
			continue;
		}
		if (k != TEE_MRTEE || r->mrtd.known)
			return ctr_cfail(&v, e, "corim.unsupported",
					 "value %lld: a set cannot hold it", (long long)k);
		if (mrtee(&v, r->mrtd.v, e) < 0)
			return -1;
		r->mrtd.known = true;
	}
	return 0;
}

int corim_tdx(struct corim *c, const struct ctr_cval *env, const struct ctr_cval *list,
	      struct ctr_err *e)
{
	struct ctr_cval one = ctr_cget_int(env, ENV_INSTANCE);
	void *v = c->sets.tdx;
	struct ctr_tdx_ref *r;
	struct ctr_rd id;
	uint64_t tag;

	if (one.there)
		return ctr_cfail(&one, e, "corim.unsupported", "a set cannot be for one instance");
	if (corim_class(env, &tag, &id, e) < 0)
		return -1;
	if (tag == TAG_OID && corim_id_is(&id, seam_oid, sizeof seam_oid - 1))
		return seam(c, list, e);
	r = corim_grow(&v, &c->sets.n_tdx, sizeof *c->sets.tdx, e);
	if (!r)
		return -1;
	c->sets.tdx = v;
	r->platform = strdup("");
	if (!r->platform)
		return ctr_fail_mem(e);
	for (struct ctr_cval m = ctr_cfirst(list); m.there; m = ctr_cnext(&m)) {
		struct ctr_cval key, values;

		if (corim_measurement(&m, &key, &values, e) < 0 || guest_values(&values, r, e) < 0)
			return -1;
	}
	/* only a guest has registers: without them this is the environment of something else */
	if (!r->mrtd.known ||
	    !(r->rtmr[0].known || r->rtmr[1].known || r->rtmr[2].known || r->rtmr[3].known))
		return ctr_cfail(env, e, "corim.unsupported",
				 "neither the TDX module nor a guest with MRTD and registers");
	return 0;
}
