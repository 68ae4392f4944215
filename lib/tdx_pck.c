#include "tdx_pck.h"

#include "der.h"

const char *const ctr_sgx_type_names[3] = { "standard", "scalable", "scalable-with-integrity" };

/* Content of the OID: 1.2.840.113741.1.13.1, then .2 for the TCB and .7 for the configuration. */
static const uint8_t base[] = { 0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x01, 0x0d, 0x01 };
static const uint8_t base_tcb[] = { 0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x01, 0x0d, 0x01, 0x02 };
static const uint8_t base_config[] = { 0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x01, 0x0d, 0x01, 0x07 };

enum { PPID = 1, TCB, PCEID, FMSPC, SGX_TYPE, PIID, CONFIG };
enum { COMPONENTS = 16, PCESVN = 17, CPUSVN = 18 };
enum { DYNAMIC = 1, CACHED, SMT };

typedef int (*member_fn)(struct ctr_rd *value, int arc, struct ctr_pck *p, struct ctr_err *e);

static int broken(const char *what, struct ctr_err *e)
{
	return ctr_fail(e, CTR_FORMAT, "pck.encoding",
			"PCK certificate: %s is not encoded as it must be", what);
}

/* SEQUENCE OF SEQUENCE { OID, value }: each member whose OID ends in 1 to `last`, once; *seen has a
 * bit for each. */
static int members(struct ctr_rd *r, const uint8_t *oid, size_t n, int last, member_fn fn,
		   uint32_t *seen, struct ctr_pck *p, struct ctr_err *e)
{
	struct ctr_rd list, one, id;

	*seen = 0;
	if (ctr_der_tlv(r, CTR_DER_SEQUENCE, &list) < 0 || ctr_rd_end(r) < 0)
		return broken("the SGX extension", e);
	while (list.left) {
		int arc;

		if (ctr_der_tlv(&list, CTR_DER_SEQUENCE, &one) < 0 ||
		    ctr_der_tlv(&one, CTR_DER_OID, &id) < 0)
			return broken("a member of the SGX extension", e);
		arc = ctr_der_oid_below(&id, oid, n);
		if (arc < 1 || arc > last)
			return ctr_fail(e, CTR_FORMAT, "pck.unknown",
					"PCK certificate: unknown member of the SGX extension");
		if (*seen & UINT32_C(1) << arc)
			return ctr_fail(e, CTR_FORMAT, "pck.duplicate",
					"PCK certificate: member %d of the SGX extension twice",
					arc);
		*seen |= UINT32_C(1) << arc;
		if (fn(&one, arc, p, e) < 0)
			return -1;
		if (ctr_rd_end(&one) < 0)
			return broken("a member of the SGX extension", e);
	}
	return 0;
}

static int need(uint32_t seen, int first, int last, const char *what, struct ctr_err *e)
{
	for (int i = first; i <= last; i++) {
		if (!(seen & UINT32_C(1) << i))
			return ctr_fail(e, CTR_FORMAT, "pck.missing",
					"PCK certificate: %s: member %d is missing", what, i);
	}
	return 0;
}

static int tcb_member(struct ctr_rd *r, int arc, struct ctr_pck *p, struct ctr_err *e)
{
	uint64_t v;

	if (arc == CPUSVN)
		return ctr_der_octets(r, p->cpusvn, sizeof p->cpusvn) < 0 ? broken("CPUSVN", e) : 0;
	if (ctr_der_uint(r, arc == PCESVN ? UINT16_MAX : UINT8_MAX, &v) < 0)
		return broken("an SVN", e);
	if (arc == PCESVN)
		p->pcesvn = (uint16_t)v;
	else
		p->comp[arc - 1] = (uint8_t)v;
	return 0;
}

static int config_member(struct ctr_rd *r, int arc, struct ctr_pck *p, struct ctr_err *e)
{
	bool *there = arc == DYNAMIC  ? &p->has_dynamic
		      : arc == CACHED ? &p->has_cached
				      : &p->has_smt;
	bool *value = arc == DYNAMIC  ? &p->dynamic_platform
		      : arc == CACHED ? &p->cached_keys
				      : &p->smt_enabled;

	*there = true;
	return ctr_der_bool(r, value) < 0 ? broken("the configuration", e) : 0;
}

static int member(struct ctr_rd *r, int arc, struct ctr_pck *p, struct ctr_err *e)
{
	uint32_t seen;
	uint64_t v;

	switch (arc) {
	case PPID:
		return ctr_der_octets(r, p->ppid, sizeof p->ppid) < 0 ? broken("PPID", e) : 0;
	case PCEID:
		return ctr_der_octets(r, p->pceid, sizeof p->pceid) < 0 ? broken("PCEID", e) : 0;
	case FMSPC:
		return ctr_der_octets(r, p->fmspc, sizeof p->fmspc) < 0 ? broken("FMSPC", e) : 0;
	case PIID:
		p->has_piid = true;
		return ctr_der_octets(r, p->piid, sizeof p->piid) < 0
			       ? broken("the platform instance id", e)
			       : 0;
	case SGX_TYPE:
		if (ctr_der_enum(r, CTR_SGX_INTEGRITY, &v) < 0)
			return broken("the SGX type", e);
		p->sgx_type = (enum ctr_sgx_type)v;
		return 0;
	case TCB:
		if (members(r, base_tcb, sizeof base_tcb, CPUSVN, tcb_member, &seen, p, e) < 0)
			return -1;
		return need(seen, 1, CPUSVN, "TCB", e);
	default:
		return members(r, base_config, sizeof base_config, SMT, config_member, &seen, p, e);
	}
}

int ctr_pck_parse(struct ctr_rd value, struct ctr_pck *p, struct ctr_err *e)
{
	uint32_t seen;

	*p = (struct ctr_pck){ 0 };
	if (members(&value, base, sizeof base, CONFIG, member, &seen, p, e) < 0)
		return -1;
	return need(seen, PPID, SGX_TYPE, "SGX extension", e);
}
