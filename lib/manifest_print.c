#include <string.h>

#include "enc.h"
#include "manifest.h"
#include "manifest_fields.h"

/*
 * Written straight into the buffer, not through a JSON tree: a hundred thousand policies would be
 * looked up one by one there. `open` says that a member stands before, at each level.
 */
struct out {
	struct ctr_buf *b;
	unsigned level;
	bool open;
};

static void item(struct out *o, const char *key)
{
	if (o->open)
		ctr_buf_addc(o->b, ',');
	ctr_buf_addc(o->b, '\n');
	for (unsigned i = 0; i < o->level; i++)
		ctr_buf_adds(o->b, "  ");
	if (key)
		ctr_buf_addf(o->b, "\"%s\": ", key); /* ours: nothing to escape */
	o->open = true;
}

static void begin(struct out *o, char c)
{
	ctr_buf_addc(o->b, c);
	o->level++;
	o->open = false;
}

static void end(struct out *o, char c)
{
	o->level--;
	if (o->open) {
		ctr_buf_addc(o->b, '\n');
		for (unsigned i = 0; i < o->level; i++)
			ctr_buf_adds(o->b, "  ");
	}
	ctr_buf_addc(o->b, c);
	o->open = true;
}

static void string(struct out *o, const char *key, const char *s)
{
	item(o, key);
	ctr_json_quote(o->b, s, strlen(s));
}

static void hexes(struct out *o, const char *key, const void *p, size_t n)
{
	item(o, key);
	ctr_buf_addc(o->b, '"');
	ctr_hex_add(o->b, p, n);
	ctr_buf_addc(o->b, '"');
}

static void ref(struct out *o, const char *key, const struct ctr_ref_hex *h, size_t n)
{
	if (h->known) {
		hexes(o, key, h->v, n);
	} else {
		item(o, key);
		ctr_buf_adds(o->b, "null");
	}
}

static void word(struct out *o, const char *key, bool b)
{
	item(o, key);
	ctr_buf_adds(o->b, b ? "true" : "false");
}

static void number(struct out *o, const char *key, uint64_t n)
{
	item(o, key);
	ctr_buf_addf(o->b, "%llu", (unsigned long long)n);
}

static void bits(struct out *o, const char *key, const struct ctr_ref_bits *v,
		 const struct ctr_ref_bit *table, bool abi)
{
	item(o, key);
	if (!v->known) {
		ctr_buf_adds(o->b, "null");
		return;
	}
	begin(o, '{');
	if (abi) {
		number(o, "ABIMinor", v->v & 255);
		number(o, "ABIMajor", v->v >> 8 & 255);
	}
	for (; table->name; table++) {
		bool set = v->v >> table->bit & 1;

		if (set || !table->optional)
			word(o, table->name, set);
	}
	end(o, '}');
}

static void snp(struct out *o, const struct ctr_snp_ref *r)
{
	item(o, NULL);
	begin(o, '{');
	if (r->platform[0])
		string(o, "Platform", r->platform);
	string(o, "ProductName", ctr_snp_product_names[r->product]);
	ref(o, "TrustedMeasurement", &r->measurement, 48);
	item(o, "MinimumTCB");
	begin(o, '{');
	for (int i = 0; i < CTR_TCB_N; i++) {
		if (i == CTR_TCB_FMC && r->product != CTR_TURIN)
			continue;
		if (r->tcb[i] >= 0) {
			number(o, ctr_snp_tcb_names[i], (uint64_t)r->tcb[i]);
		} else {
			item(o, ctr_snp_tcb_names[i]);
			ctr_buf_adds(o->b, "null");
		}
	}
	end(o, '}');
	bits(o, "GuestPolicy", &r->policy, ctr_snp_policy_bits, true);
	bits(o, "PlatformInfo", &r->platform_info, ctr_snp_platform_bits, false);
	if (r->mitigation)
		number(o, "MinimumMitigationVector", r->mitigation);
	item(o, "AllowedChipIDs");
	begin(o, '[');
	for (size_t i = 0; i < r->n_chips; i++)
		hexes(o, NULL, r->chips[i], sizeof *r->chips);
	end(o, ']');
	end(o, '}');
}

static void tdx(struct out *o, const struct ctr_tdx_ref *r)
{
	item(o, NULL);
	begin(o, '{');
	if (r->platform[0])
		string(o, "Platform", r->platform);
	ref(o, "MrTd", &r->mrtd, 48);
	ref(o, "MrSeam", &r->mrseam, 48);
	item(o, "Rtmrs");
	begin(o, '[');
	for (int i = 0; i < 4; i++)
		ref(o, NULL, &r->rtmr[i], 48);
	end(o, ']');
	ref(o, "Xfam", &r->xfam, 8);
	item(o, "AllowedPIIDs");
	begin(o, '[');
	for (size_t i = 0; i < r->n_piids; i++)
		hexes(o, NULL, r->piids[i], sizeof *r->piids);
	end(o, ']');
	if (r->memory_integrity)
		word(o, "MemoryIntegrity", true);
	if (r->smt_disabled)
		word(o, "SMTDisabled", true);
	if (r->static_platform)
		word(o, "StaticPlatform", true);
	if (r->min_tcb_eval)
		number(o, "MinTCBEvaluationDataNumber", r->min_tcb_eval);
	end(o, '}');
}

static void refs(struct out *o, const struct ctr_manifest *m)
{
	begin(o, '{');
	if (m->n_snp) {
		item(o, "snp");
		begin(o, '[');
		for (size_t i = 0; i < m->n_snp; i++)
			snp(o, &m->snp[i]);
		end(o, ']');
	}
	if (m->n_tdx) {
		item(o, "tdx");
		begin(o, '[');
		for (size_t i = 0; i < m->n_tdx; i++)
			tdx(o, &m->tdx[i]);
		end(o, ']');
	}
	end(o, '}');
}

static void policy(struct out *o, const struct ctr_manifest_policy *p)
{
	struct ctr_buf key = { 0 };

	ctr_hex_add(&key, p->hash, sizeof p->hash);
	if (key.bad)
		o->b->bad = key.bad;
	item(o, ctr_buf_str(&key));
	ctr_buf_free(&key);
	begin(o, '{');
	item(o, "SANs");
	begin(o, '[');
	for (size_t i = 0; i < p->n_sans; i++)
		string(o, NULL, p->sans[i]);
	end(o, ']');
	if (p->secret_id[0])
		string(o, "WorkloadSecretID", p->secret_id);
	if (p->role == CTR_ROLE_COORDINATOR)
		string(o, "Role", "coordinator");
	end(o, '}');
}

static int by_hash(const void *a, const void *b)
{
	const struct ctr_manifest_policy *const *x = a, *const *y = b;

	return ctr_sha256_order((*x)->hash, (*y)->hash);
}

static int policies(struct out *o, const struct ctr_manifest *m, struct ctr_err *e)
{
	const struct ctr_manifest_policy **v = malloc((m->n_policies + 1) * sizeof *v);

	if (!v)
		return ctr_fail_mem(e);
	for (size_t i = 0; i < m->n_policies; i++)
		v[i] = &m->policies[i];
	qsort(v, m->n_policies, sizeof *v, by_hash);
	begin(o, '{');
	for (size_t i = 0; i < m->n_policies; i++)
		policy(o, v[i]);
	end(o, '}');
	free(v);
	return 0;
}

int ctr_manifest_print(const struct ctr_manifest *m, struct ctr_buf *b, struct ctr_err *e)
{
	struct out o = { .b = b };

	begin(&o, '{');
	item(&o, "Policies");
	if (policies(&o, m, e) < 0)
		return -1;
	item(&o, "ReferenceValues");
	refs(&o, m);
	item(&o, "WorkloadOwnerKeyDigests");
	begin(&o, '[');
	for (size_t i = 0; i < m->n_owners; i++)
		hexes(&o, NULL, m->owners[i], sizeof *m->owners);
	end(&o, ']');
	item(&o, "SeedshareOwnerPubKeys");
	begin(&o, '[');
	for (size_t i = 0; i < m->n_seedshare; i++)
		hexes(&o, NULL, m->seedshare[i].der, m->seedshare[i].n);
	end(&o, ']');
	end(&o, '}');
	ctr_buf_addc(b, '\n');
	return ctr_buf_ok(b, "manifest", e);
}

int ctr_manifest_print_refs(const struct ctr_manifest *m, struct ctr_buf *b, struct ctr_err *e)
{
	struct out o = { .b = b };

	refs(&o, m);
	ctr_buf_addc(b, '\n');
	return ctr_buf_ok(b, "manifest", e);
}
