#include "sources.h"

#include <stdlib.h>
#include <string.h>

#include "tdx.h"
#include "tdx_chain.h"
#include "tdx_pck.h"
#include "tdx_tcb.h"

void sources_free(struct sources *s)
{
	ctr_buf_free(&s->cache);
}

static int timeout(struct sources *s, const char *value, struct ctr_err *e)
{
	uint64_t n;

	if (ctr_number(value, "--timeout", 1, 3600, &n, e) < 0)
		return -1;
	s->c.http.total_s = (unsigned)n;
	return 0;
}

int sources_opt(struct sources *s, int id, const char *value, struct ctr_err *e)
{
	switch (id) {
	case SRC_DIR: s->c.dir = value; return 0;
	case SRC_KDS: s->c.kds_url = value; return 0;
	case SRC_PCS: s->c.pcs_url = value; return 0;
	case SRC_ROOT_CRL: s->c.root_crl_url = value; return 0;
	case SRC_CA: s->c.http.ca_file = value; return 0;
	case SRC_TIMEOUT: return timeout(s, value, e);
	case SRC_CACHE: s->c.cache = value; return 0;
	case SRC_NO_CACHE: s->no_cache = true; return 0;
	default: s->c.offline = true; return 0;
	}
}

static const char *env2(const char *a, const char *b)
{
	const char *v = getenv(a);

	return v && *v ? v : getenv(b);
}

int sources_ready(struct sources *s, time_t at, struct ctr_log *log, struct ctr_err *e)
{
	const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");

	if (!s->c.cache && xdg && *xdg == '/')
		ctr_buf_addf(&s->cache, "%s/ctr/collateral", xdg);
	else if (!s->c.cache && home && *home == '/')
		ctr_buf_addf(&s->cache, "%s/.cache/ctr/collateral", home);
	if (ctr_buf_ok(&s->cache, "cache directory", e) < 0)
		return -1;
	if (s->cache.n)
		s->c.cache = s->cache.p;
	if (s->no_cache)
		s->c.cache = NULL;
	s->c.http.http_proxy = getenv("http_proxy");
	s->c.http.https_proxy = env2("HTTPS_PROXY", "https_proxy");
	s->c.http.no_proxy = env2("NO_PROXY", "no_proxy");
	s->c.http.log = s->c.log = log;
	s->c.still_good = sources_still_good;
	s->c.at = at;
	return 0;
}

int sources_needs(const struct ctr_evidence *ev, struct ctr_collateral_needs *n, struct ctr_err *e)
{
	const struct ctr_buf *raw = &ev->item[CTR_REPORT];
	ctr_auto_chain struct ctr_chain c = { 0 };
	struct ctr_tdx_quote q;
	struct ctr_rd ext;
	struct ctr_pck pck;
	char cn[64];

	if (ev->tee == CTR_TEE_SNP)
		return 0;
	if (ctr_tdx_parse(raw->p, raw->n, &q, e) < 0 || ctr_x509_pem(q.chain.p, q.chain.left, "PCK chain", &c, e) < 0)
		return -1;
	if (ctr_x509_ext(c.v[0], CTR_PCK_OID, &ext) != 1)
		return ctr_fail(e, CTR_FORMAT, "pck.missing", "the PCK certificate does not say which platform it is of");
	if (ctr_pck_parse(ext, &pck, e) < 0)
		return -1;
	memcpy(n->fmspc, pck.fmspc, sizeof n->fmspc);
	n->processor_ca = ctr_x509_cn(c.v[0], true, cn, sizeof cn) && strstr(cn, "Processor");
	return 0;
}

static bool certificate(const struct ctr_buf *b, time_t *from, time_t *until)
{
	ctr_auto_x509 X509 *c = NULL;

	return ctr_x509_der(b->p, b->n, "certificate", &c, NULL) == 0 && ctr_x509_window(c, from, until);
}

static bool crl(const struct ctr_buf *b, time_t *from, time_t *until)
{
	ctr_auto_crl X509_CRL *l = NULL;

	return ctr_crl_der(b->p, b->n, "list", &l, NULL) == 0 && ctr_crl_window(l, from, until);
}

static bool chain(const struct ctr_buf *b, time_t *from, time_t *until)
{
	ctr_auto_chain struct ctr_chain c = { 0 };

	return ctr_x509_pem(b->p, b->n, "chain", &c, NULL) == 0 && ctr_tdx_chain_window(&c, from, until);
}

static bool tcb_info(const struct ctr_buf *b, time_t *from, time_t *until)
{
	ctr_auto_tcb_info struct ctr_tcb_info t = { 0 };

	if (ctr_tcb_info_parse(b->p, b->n, &t, NULL) < 0)
		return false;
	*from = t.head.issued;
	*until = t.head.next;
	return true;
}

static bool qe_identity(const struct ctr_buf *b, time_t *from, time_t *until)
{
	ctr_auto_qe_identity struct ctr_qe_identity q = { 0 };

	if (ctr_qe_identity_parse(b->p, b->n, &q, NULL) < 0)
		return false;
	*from = q.head.issued;
	*until = q.head.next;
	return true;
}

bool sources_still_good(void *ctx, enum ctr_item item, const struct ctr_buf *b, time_t at, time_t *expires)
{
	static bool (*const window[CTR_ITEMS])(const struct ctr_buf *, time_t *, time_t *) = {
		[CTR_VCEK] = certificate, [CTR_VLEK] = certificate, [CTR_ASK] = certificate, [CTR_ARK] = certificate,
		[CTR_CRL] = crl, [CTR_PCK_CRL] = crl, [CTR_ROOT_CRL] = crl,
		[CTR_TCB_INFO] = tcb_info, [CTR_QE_IDENTITY] = qe_identity,
		[CTR_TCB_INFO_CHAIN] = chain, [CTR_QE_IDENTITY_CHAIN] = chain, [CTR_PCK_CRL_CHAIN] = chain,
	};
	time_t from;

	(void)ctx;
	*expires = 0;
	return window[item] && window[item](b, &from, expires) && from <= at && at <= *expires;
}
