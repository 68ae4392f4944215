#include "check.h"

#include "rd.h"
#include "x509_path.h"

#define SKEW 300 /* seconds */

static int one_ca(const struct ctr_buf *pem, const char *what, struct ctr_chain *c,
		  struct ctr_err *e)
{
	if (ctr_x509_pem(pem->p, pem->n, what, c, e) < 0)
		return -1;
	return c->n == 1 ? 0
			 : ctr_fail(e, CTR_NO, "answer.chain",
				    "%s: %zu certificates (expected one)", what, c->n);
}

static int check_leaf(const struct ctr_chain *c, const struct ctr_buf *spki, struct joined *out,
		      struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf key = { 0 };

	if (c->n < 2)
		return ctr_fail(e, CTR_NO, "answer.chain",
				"cert_chain: one certificate (expected also who signed it)");
	if (ctr_x509_key(c->v[0], &key, e) < 0)
		return -1;
	if (key.n != spki->n || !ctr_same(key.p, spki->p, key.n))
		return ctr_fail(e, CTR_NO, "answer.key", "the certificate is for another key");
	if (!ctr_x509_is_leaf(c->v[0]) || !ctr_x509_window(c->v[0], &out->from, &out->until))
		return ctr_fail(e, CTR_NO, "answer.leaf",
				"the certificate is that of a CA, or without validity");
	return 0;
}

int check_answer(const struct ctr_join_answer *a, const struct ctr_buf *spki, time_t now,
		 struct joined *out, struct ctr_err *e)
{
	ctr_auto_chain struct ctr_chain chain = { 0 }, mesh = { 0 }, root = { 0 };

	if (ctr_x509_pem(a->cert_chain.p, a->cert_chain.n, "cert_chain", &chain, e) < 0 ||
	    one_ca(&a->mesh_ca, "mesh_ca", &mesh, e) < 0 ||
	    one_ca(&a->root_ca, "root_ca", &root, e) < 0 || check_leaf(&chain, spki, out, e) < 0)
		return -1;
	if (now < out->from && out->from - now <= SKEW)
		now = out->from;
	if (ctr_x509_path(&chain, mesh.v[0], now, "cert_chain, up to mesh_ca", e) < 0)
		return -1;
	return ctr_x509_path(&chain, root.v[0], now, "cert_chain, up to root_ca", e);
}
