#include "request.h"

#include <string.h>

#include "ca_claim.h"
#include "crypto_spki.h"
#include "enc.h"
#include "manifest.h"

void request_free(struct request *r)
{
	for (size_t i = 0; i < REQUEST_CLAIMS_MAX; i++)
		ctr_buf_free(&r->bytes[i]);
	ctr_csr_free(&r->csr);
	free(r->sans);
	ctr_json_free(r->json);
	*r = (struct request){ 0 };
}

/* A private key sent by mistake is refused, and not repeated. */
static int read_key(const struct ctr_jval *top, bool names, struct request *r, struct ctr_err *e)
{
	struct ctr_jval csr = ctr_jget(top, "csr"), key = ctr_jget(top, "public_key");
	const char *pem;
	int rc;

	if ((csr.v != NULL) == (key.v != NULL))
		return ctr_jfail(top, e, "json.missing",
				 "exactly one of csr and public_key is needed");
	if (ctr_jstring(csr.v ? &csr : &key, &pem, e) < 0)
		return -1;
	if (csr.v)
		rc = ctr_csr_parse("csr", pem, strlen(pem), names, &r->csr, e);
	else
		rc = ctr_spki_pem(pem, strlen(pem), &r->csr.spki, e);
	return rc;
}

static int read_sans(const struct ctr_jval *top, bool csr_names, struct request *r,
		     struct ctr_err *e)
{
	struct ctr_jval list = ctr_jget(top, "sans");

	if (csr_names && !list.v && r->csr.n_sans > 0)
		return 0;
	if (ctr_jarray(&list, e) < 0)
		return -1;
	if (ctr_jcount(&list) > CTR_SANS_MAX)
		return ctr_jfail(&list, e, "ca.san", "more than %d names", CTR_SANS_MAX);
	r->sans = calloc(ctr_jcount(&list) + 1, sizeof *r->sans);
	if (!r->sans)
		return ctr_fail_mem(e);
	for (struct ctr_jval v = ctr_jfirst(&list); v.v; v = ctr_jnext(&v)) {
		if (ctr_jstring(&v, &r->sans[r->n_sans++], e) < 0)
			return -1;
	}
	return 0;
}

static int read_claim(const struct ctr_jval *v, struct request *r, struct ctr_err *e)
{
	const struct ctr_claim_kind *k = ctr_claim_find(v->key);
	struct ctr_buf *b = &r->bytes[r->n_claims];
	struct ctr_err why = { 0 };
	const char *text;
	uint8_t *to;
	size_t n;

	if (!k)
		return ctr_jfail(v, e, "ca.claim", "no such claim");
	if (ctr_jstring(v, &text, e) < 0)
		return -1;
	n = strlen(text);
	if (k->text) {
		r->claims[r->n_claims++] = (struct ctr_claim){ k->name, { text, n } };
		return 0;
	}
	to = ctr_buf_room(b, n / 2 + 1);
	if (!to)
		return ctr_fail_mem(e);
	if (ctr_hex_parse(text, n, to, n / 2, &why) < 0)
		return ctr_jfail(v, e, "json.hex", "%s", why.msg);
	ctr_buf_commit(b, n / 2);
	r->claims[r->n_claims++] = (struct ctr_claim){ k->name, { b->p, b->n } };
	return 0;
}

static int read_claims(const struct ctr_jval *top, struct request *r, struct ctr_err *e)
{
	struct ctr_jval all = ctr_jget(top, "claims");

	if (!all.v)
		return 0;
	if (ctr_jobject(&all, e) < 0)
		return -1;
	if (ctr_jcount(&all) > REQUEST_CLAIMS_MAX)
		return ctr_jfail(&all, e, "ca.claim", "more than %d claims", REQUEST_CLAIMS_MAX);
	for (struct ctr_jval v = ctr_jfirst(&all); v.v; v = ctr_jnext(&v)) {
		if (read_claim(&v, r, e) < 0)
			return -1;
	}
	return 0;
}

static int read_all(const char *name, const char *p, size_t n, bool csr_names, struct request *r,
		    struct ctr_err *e)
{
	static const char *const keys[] = { "csr", "public_key", "sans", "claims", NULL };
	struct ctr_jval top;

	if (n > REQUEST_MAX)
		return ctr_fail(e, CTR_FORMAT, "limit", "%s: more than %zu bytes", name,
				REQUEST_MAX);
	if (ctr_json_parse(name, p, n, &r->json, e) < 0)
		return -1;
	top = ctr_jroot(r->json);
	if (ctr_jobject(&top, e) < 0 || ctr_jonly(&top, keys, e) < 0 ||
	    read_key(&top, csr_names, r, e) < 0 || read_sans(&top, csr_names, r, e) < 0)
		return -1;
	return read_claims(&top, r, e);
}

int request_parse(const char *name, const char *p, size_t n, bool csr_names, struct request *r,
		  struct ctr_err *e)
{
	*r = (struct request){ 0 };
	if (read_all(name, p, n, csr_names, r, e) == 0)
		return 0;
	request_free(r);
	return -1;
}

int request_csr(const char *name, const char *p, size_t n, bool csr_names, struct request *r,
		struct ctr_err *e)
{
	*r = (struct request){ 0 };
	return ctr_csr_parse(name, p, n, csr_names, &r->csr, e);
}

int request_issue(const struct request *r, const struct ctr_mesh *m, time_t now, unsigned days,
		  struct ctr_buf *chain, struct ctr_err *e)
{
	bool own = r->sans != NULL;
	struct ctr_issue i = { .spki = { r->csr.spki.p, r->csr.spki.n },
			       .sans = own ? r->sans : (const char *const *)r->csr.sans,
			       .n_sans = own ? r->n_sans : r->csr.n_sans,
			       .claims = r->claims,
			       .n_claims = r->n_claims,
			       .now = now,
			       .seconds = (uint64_t)(days ? days : CTR_ISSUE_DAYS) * 86400 };

	return ctr_mesh_issue(m, &i, chain, e);
}
