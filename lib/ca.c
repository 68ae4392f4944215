#include "ca.h"

#include <string.h>

#include "ca_claim.h"
#include "crypto_ecdsa.h"
#include "crypto_key.h"
#include "enc.h"
#include "kdf.h"
#include "manifest.h"
#include "rd.h"
#include "x509_issue.h"
#include "x509_mesh.h"

#define ROOT_FROM ((time_t)1577836800) /* 2020-01-01T00:00:00Z */
#define CLAIMS_MAX 32
#define CERTIFICATE "CERTIFICATE"

struct ctr_root {
	struct ctr_secret prk;
	struct ctr_sign_key *ca, *history;
	struct ctr_issuer *issuer;
	struct ctr_buf pem, history_spki, history_pem;
};

/* The context is the label, or with an ID label || 0 || ID. The caller frees *out. */
static int expand(const struct ctr_root *r, const char *label, const char *id, size_t n,
		  struct ctr_secret *out, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf info = { 0 };

	ctr_buf_adds(&info, label);
	if (id) {
		ctr_buf_addc(&info, 0);
		ctr_buf_adds(&info, id);
	}
	*out = (struct ctr_secret){ 0 };
	if (ctr_buf_ok(&info, "context", e) < 0 || ctr_secret_new(out, n, e) < 0)
		return -1;
	if (ctr_hkdf_expand(r->prk.p, info.p, info.n, out->p, n, e) == 0)
		return 0;
	ctr_secret_free(out);
	return -1;
}

static int derive_key(const struct ctr_root *r, const char *label, struct ctr_sign_key **key,
		      struct ctr_err *e)
{
	ctr_auto_secret struct ctr_secret raw = { 0 };

	if (expand(r, label, NULL, CTR_KEY_P384_RAW, &raw, e) < 0)
		return -1;
	return ctr_sign_key_derive(&raw, key, e);
}

static int make_certificate(struct ctr_root *r, struct ctr_err *e)
{
	ctr_auto_secret struct ctr_secret serial = { 0 };
	ctr_auto_buf struct ctr_buf der = { 0 };
	struct ctr_ca_spec s = { .name = "Coordinator Root CA",
				 .from = ROOT_FROM,
				 .until = CTR_CERT_FOREVER,
				 .pathlen = 1,
				 .again = true };

	if (expand(r, "root ca serial", NULL, CTR_SERIAL_SIZE, &serial, e) < 0)
		return -1;
	s.serial = serial.p;
	if (ctr_x509_issue_ca(&s, r->ca, NULL, &der, e) < 0 ||
	    ctr_issuer_new(r->ca, der.p, der.n, &r->issuer, e) < 0)
		return -1;
	ctr_pem_add(&r->pem, CERTIFICATE, der.p, der.n);
	return ctr_buf_ok(&r->pem, "certificate", e);
}

static int derive(struct ctr_root *r, const struct ctr_secret *seed, const struct ctr_secret *salt,
		  struct ctr_err *e)
{
	if (ctr_secret_new(&r->prk, CTR_SHA256_SIZE, e) < 0 ||
	    ctr_hkdf_extract(salt->p, salt->n, seed->p, seed->n, r->prk.p, e) < 0 ||
	    derive_key(r, "root ca key", &r->ca, e) < 0 ||
	    derive_key(r, "history signing key", &r->history, e) < 0 ||
	    ctr_sign_key_spki(r->history, &r->history_spki, e) < 0 || make_certificate(r, e) < 0)
		return -1;
	ctr_pem_add(&r->history_pem, "PUBLIC KEY", r->history_spki.p, r->history_spki.n);
	return ctr_buf_ok(&r->history_pem, "key", e);
}

int ctr_root_derive(const struct ctr_secret *seed, const struct ctr_secret *salt,
		    struct ctr_root **out, struct ctr_err *e)
{
	ctr_auto_root struct ctr_root *r = NULL;

	*out = NULL;
	if (seed->n != CTR_SEED_SIZE || salt->n != CTR_SALT_SIZE)
		return ctr_fail(e, CTR_FORMAT, "ca.seed",
				"seed of %zu bytes (expected %d), salt of %zu (expected %d)",
				seed->n, CTR_SEED_SIZE, salt->n, CTR_SALT_SIZE);
	r = calloc(1, sizeof *r);
	if (!r)
		return ctr_fail_mem(e);
	if (derive(r, seed, salt, e) < 0)
		return -1;
	*out = ctr_give(r);
	return 0;
}

void ctr_root_free(struct ctr_root *r)
{
	if (!r)
		return;
	ctr_secret_free(&r->prk);
	ctr_issuer_free(r->issuer);
	ctr_sign_key_free(r->ca);
	ctr_sign_key_free(r->history);
	ctr_buf_free(&r->pem);
	ctr_buf_free(&r->history_spki);
	ctr_buf_free(&r->history_pem);
	free(r);
}

void ctr_root_cleanup(struct ctr_root **r)
{
	ctr_root_free(*r);
}

const struct ctr_buf *ctr_root_pem(const struct ctr_root *r)
{
	return &r->pem;
}

const struct ctr_buf *ctr_root_history_pem(const struct ctr_root *r)
{
	return &r->history_pem;
}

static int key_pem(const struct ctr_sign_key *key, struct ctr_secret *out, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf pem = { .wipe = true };

	*out = (struct ctr_secret){ 0 };
	if (ctr_sign_key_pem(key, &pem, e) < 0 || ctr_secret_new(out, pem.n, e) < 0)
		return -1;
	memcpy(out->p, pem.p, pem.n);
	return 0;
}

int ctr_root_ca_key(const struct ctr_root *r, struct ctr_secret *pem, struct ctr_err *e)
{
	return key_pem(r->ca, pem, e);
}

int ctr_root_history_key(const struct ctr_root *r, struct ctr_secret *pem, struct ctr_err *e)
{
	return key_pem(r->history, pem, e);
}

static int history_sign(void *ctx, const void *p, size_t n, struct ctr_buf *sig, struct ctr_err *e)
{
	const struct ctr_root *r = ctx;

	return ctr_sign_der(r->history, CTR_SHA384, p, n, sig, e);
}

static int history_verify(void *ctx, const void *p, size_t n, const void *sig, size_t n_sig,
			  bool *good, struct ctr_err *e)
{
	const struct ctr_root *r = ctx;
	struct ctr_err why = { 0 };

	if (ctr_ecdsa_verify(r->history_spki.p, r->history_spki.n, CTR_SHA384, p, n, sig, n_sig,
			     good, &why) == 0)
		return 0;
	/* what is no signature at all is none of ours */
	*good = false;
	return why.code == CTR_FORMAT ? 0 : ctr_err_pass(e, &why);
}

struct ctr_signer ctr_root_signer(const struct ctr_root *r)
{
	union { /* only read through it again */
		const void *in;
		void *out;
	} ctx = { .in = r };

	return (struct ctr_signer){ .ctx = ctx.out,
				    .sign = history_sign,
				    .verify = history_verify };
}

static int secret_of(const struct ctr_root *r, const char *label, const char *id, size_t n,
		     struct ctr_secret *out, struct ctr_err *e)
{
	*out = (struct ctr_secret){ 0 };
	if (*id == '\0' || strlen(id) > CTR_SECRET_ID_MAX)
		return ctr_fail(e, CTR_USAGE, "ca.secret-id",
				"workload secret ID of %zu bytes (expected 1 to %d)", strlen(id),
				CTR_SECRET_ID_MAX);
	return expand(r, label, id, n, out, e);
}

int ctr_root_workload_secret(const struct ctr_root *r, const char *id, struct ctr_secret *out,
			     struct ctr_err *e)
{
	return secret_of(r, "workload secret", id, CTR_WORKLOAD_SECRET_SIZE, out, e);
}

int ctr_root_transit_key(const struct ctr_root *r, const char *id, struct ctr_secret *out,
			 struct ctr_err *e)
{
	return secret_of(r, "transit key", id, CTR_TRANSIT_KEY_SIZE, out, e);
}

struct ctr_mesh {
	struct ctr_sign_key *key;
	struct ctr_issuer *issuer, *self; /* of the intermediate, and of the mesh CA */
	struct ctr_buf intermediate, pem;
	time_t from, until;
};

/* Both certificates are there, in DER. */
static int complete(struct ctr_mesh *m, const struct ctr_buf *intermediate,
		    const struct ctr_buf *self, struct ctr_err *e)
{
	time_t from, until;

	if (ctr_issuer_new(m->key, intermediate->p, intermediate->n, &m->issuer, e) < 0 ||
	    ctr_issuer_new(m->key, self->p, self->n, &m->self, e) < 0)
		return -1;
	ctr_issuer_window(m->issuer, &m->from, &m->until);
	ctr_issuer_window(m->self, &from, &until);
	m->from = from > m->from ? from : m->from;
	m->until = until < m->until ? until : m->until;
	ctr_pem_add(&m->intermediate, CERTIFICATE, intermediate->p, intermediate->n);
	ctr_pem_add(&m->pem, CERTIFICATE, self->p, self->n);
	if (ctr_buf_ok(&m->intermediate, "certificate", e) < 0)
		return -1;
	return ctr_buf_ok(&m->pem, "certificate", e);
}

/* From a little before now, for clocks differ, but within what the CA has. */
static int window(time_t now, uint64_t seconds, time_t ca_from, time_t ca_until, time_t *from,
		  time_t *until, struct ctr_err *e)
{
	if (seconds == 0)
		return ctr_fail(e, CTR_USAGE, "ca.validity", "a validity of no time at all");
	if (now < ca_from || now > ca_until)
		return ctr_fail(e, CTR_USAGE, "ca.validity", "the CA's certificate is not valid %s",
				now < ca_from ? "yet" : "any more");
	*from = now - ca_from < CTR_ISSUE_SKEW ? ca_from : now - CTR_ISSUE_SKEW;
	*until = seconds > (uint64_t)(ca_until - now) ? ca_until : now + (time_t)seconds;
	return 0;
}

static int make_mesh(struct ctr_mesh *m, const struct ctr_root *r, const struct ctr_mesh_opts *o,
		     struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf intermediate = { 0 }, self = { 0 };
	struct ctr_ca_spec s = { .name = "Mesh CA",
				 .permitted = o->permitted,
				 .n_permitted = o->n_permitted };
	time_t from, until;

	ctr_issuer_window(r->issuer, &from, &until);
	if (window(o->now, (uint64_t)(o->days ? o->days : CTR_MESH_DAYS) * 86400, from, until,
		   &s.from, &s.until, e) < 0 ||
	    ctr_sign_key_new(&m->key, e) < 0 ||
	    ctr_x509_issue_ca(&s, m->key, r->issuer, &intermediate, e) < 0 ||
	    ctr_x509_issue_ca(&s, m->key, NULL, &self, e) < 0)
		return -1;
	return complete(m, &intermediate, &self, e);
}

int ctr_mesh_new(const struct ctr_root *r, const struct ctr_mesh_opts *o, struct ctr_mesh **out,
		 struct ctr_err *e)
{
	ctr_auto_mesh struct ctr_mesh *m = calloc(1, sizeof *m);

	*out = NULL;
	if (!m)
		return ctr_fail_mem(e);
	if (make_mesh(m, r, o, e) < 0)
		return -1;
	*out = ctr_give(m);
	return 0;
}

static int load(struct ctr_mesh *m, const struct ctr_secret *key,
		const struct ctr_buf *intermediate, const struct ctr_buf *mesh_ca,
		const struct ctr_buf *root, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf pem = { .wipe = true }, i = { 0 }, s = { 0 };
	struct ctr_err why = { 0 };

	ctr_buf_add(&pem, key->p, key->n);
	if (ctr_buf_ok(&pem, "key", e) < 0)
		return -1;
	if (ctr_sign_key_read("mesh CA key", &pem, 32, &m->key, &why) < 0)
		return why.code == CTR_FORMAT ? ctr_fail(e, CTR_FORMAT, "ca.mesh", "%s", why.msg)
					      : ctr_err_pass(e, &why);
	if (ctr_x509_mesh(m->key, intermediate, mesh_ca, root, &i, &s, e) < 0)
		return -1;
	return complete(m, &i, &s, e);
}

int ctr_mesh_load(const struct ctr_secret *key, const struct ctr_buf *intermediate,
		  const struct ctr_buf *mesh_ca, const struct ctr_buf *root, struct ctr_mesh **out,
		  struct ctr_err *e)
{
	ctr_auto_mesh struct ctr_mesh *m = calloc(1, sizeof *m);

	*out = NULL;
	if (!m)
		return ctr_fail_mem(e);
	if (load(m, key, intermediate, mesh_ca, root, e) < 0)
		return -1;
	*out = ctr_give(m);
	return 0;
}

void ctr_mesh_free(struct ctr_mesh *m)
{
	if (!m)
		return;
	ctr_issuer_free(m->issuer);
	ctr_issuer_free(m->self);
	ctr_sign_key_free(m->key);
	ctr_buf_free(&m->intermediate);
	ctr_buf_free(&m->pem);
	free(m);
}

void ctr_mesh_cleanup(struct ctr_mesh **m)
{
	ctr_mesh_free(*m);
}

int ctr_mesh_key(const struct ctr_mesh *m, struct ctr_secret *pem, struct ctr_err *e)
{
	return key_pem(m->key, pem, e);
}

const struct ctr_buf *ctr_mesh_pem(const struct ctr_mesh *m)
{
	return &m->pem;
}

const struct ctr_buf *ctr_mesh_intermediate(const struct ctr_mesh *m)
{
	return &m->intermediate;
}

void ctr_mesh_window(const struct ctr_mesh *m, time_t *from, time_t *until)
{
	*from = m->from;
	*until = m->until;
}

static int add_claim(struct ctr_cert_ext *exts, size_t n, const struct ctr_claim *claim,
		     struct ctr_err *e)
{
	const struct ctr_claim_kind *k = ctr_claim_find(claim->name);
	struct ctr_cert_ext *x = &exts[n];

	if (!k)
		return ctr_fail(e, CTR_FORMAT, "ca.claim", "\"%.60s\" is no claim", claim->name);
	if (ctr_claim_check(k, claim->value.p, claim->value.n, e) < 0)
		return -1;
	*x = (struct ctr_cert_ext){ .n_oid = CTR_CLAIM_OID_SIZE,
				    .text = k->text,
				    .p = claim->value.p,
				    .n = claim->value.n };
	ctr_claim_oid_der(k, x->oid);
	for (size_t i = 0; i < n; i++) {
		if (ctr_same(exts[i].oid, x->oid, CTR_CLAIM_OID_SIZE))
			return ctr_fail(e, CTR_FORMAT, "ca.claim", "claim %s is there twice",
					k->name);
	}
	return 0;
}

int ctr_mesh_issue(const struct ctr_mesh *m, const struct ctr_issue *i, struct ctr_buf *chain,
		   struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf der = { 0 };
	struct ctr_cert_ext exts[CLAIMS_MAX];
	struct ctr_leaf_spec s = { .spki = i->spki.p,
				   .n_spki = i->spki.n,
				   .sans = i->sans,
				   .n_sans = i->n_sans,
				   .exts = exts,
				   .n_exts = i->n_claims };

	if (window(i->now, i->seconds, m->from, m->until, &s.from, &s.until, e) < 0)
		return -1;
	if (i->n_claims > CLAIMS_MAX)
		return ctr_fail(e, CTR_FORMAT, "ca.claim", "%zu claims", i->n_claims);
	for (size_t k = 0; k < i->n_claims; k++) {
		if (add_claim(exts, k, &i->claims[k], e) < 0)
			return -1;
	}
	if (ctr_x509_issue_leaf(&s, m->issuer, &der, e) < 0)
		return -1;
	ctr_pem_add(chain, CERTIFICATE, der.p, der.n);
	ctr_buf_add(chain, m->intermediate.p, m->intermediate.n);
	return ctr_buf_ok(chain, "certificate", e);
}

int ctr_mesh_policy(const void *der, size_t n, uint8_t hash[CTR_SHA256_SIZE], struct ctr_err *e)
{
	char oid[CTR_CLAIM_OID_MAX];

	ctr_claim_oid(ctr_claim_find("policy_hash"), oid);
	return ctr_x509_octets(der, n, oid, hash, CTR_SHA256_SIZE, e);
}
