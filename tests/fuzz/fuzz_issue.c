/* needs: tools/ctr-ca/request.c tools/ctr-ca/seed.c */
/* Requests in JSON, and seeds: what is accepted becomes a chain that can be read, what is not has a
 * reason. */
#include <stdlib.h>
#include <string.h>

#include "tools/ctr-ca/request.h"
#include "tools/ctr-ca/seed.h"
#include "x509.h"

#define NOW ((time_t)1790000000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool ok)
{
	if (!ok)
		abort();
}

static const struct ctr_mesh *mesh(void)
{
	static struct ctr_mesh *m;
	static const char seed[] =
		"{\"seed\":\"00000000000000000000000000000000000000000000000000000000000000000"
		"000000000000000000000000000000000000000000000000000000000000000\","
		"\"salt\":\"0000000000000000000000000000000000000000000000000000000000000000\"}";
	struct ctr_mesh_opts o = { .now = NOW };
	struct ctr_err e = { 0 };
	struct ctr_root *r;

	if (m)
		return m;
	demand(seed_parse("seed", seed, sizeof seed - 1, &r, &e) == 0 &&
	       ctr_mesh_new(r, &o, &m, &e) == 0);
	ctr_root_free(r);
	return m;
}

static void request(const char *p, size_t n, bool names)
{
	ctr_auto_buf struct ctr_buf out = { 0 };
	ctr_auto_chain struct ctr_chain chain = { 0 };
	auto_request struct request r = { 0 };
	struct ctr_err e = { 0 };

	if (request_parse("request", p, n, names, &r, &e) < 0) {
		demand((e.code == CTR_FORMAT || e.code == CTR_NO) && e.id && e.msg[0] && !r.json);
		return;
	}
	if (request_issue(&r, mesh(), NOW, 0, &out, &e) < 0) {
		demand(e.code == CTR_FORMAT && out.n == 0 &&
		       (strcmp(e.id, "ca.key") == 0 || strcmp(e.id, "ca.san") == 0 ||
			strcmp(e.id, "ca.claim") == 0));
		return;
	}
	demand(ctr_x509_pem(out.p, out.n, "chain", &chain, &e) == 0 && chain.n == 2 &&
	       ctr_x509_sound(chain.v[0]) && ctr_x509_is_leaf(chain.v[0]) &&
	       X509_verify(chain.v[0], X509_get0_pubkey(chain.v[1])) == 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ctr_root *r;

	request((const char *)data, size, false);
	request((const char *)data, size, true);
	if (seed_parse("seed", (const char *)data, size, &r, NULL) == 0)
		ctr_root_free(r);
	else
		demand(!r);
	return 0;
}
