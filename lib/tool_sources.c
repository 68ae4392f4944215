#include "tool_sources.h"

#include <stdlib.h>
#include <string.h>

#include "endorse.h"
#include "file.h"
#include "tool_env.h"
#include "x509.h"

void ctr_sources_init(struct ctr_sources *s, time_t now)
{
	*s = (struct ctr_sources){ .verify = { .at = now, .crl = CTR_CRL_IF_AVAILABLE } };
}

void ctr_sources_free(struct ctr_sources *s)
{
	ctr_buf_free(&s->cache);
}

static int timeout(struct ctr_sources *s, const char *value, struct ctr_err *e)
{
	uint64_t n;

	if (ctr_number(value, "--timeout", 1, 3600, &n, e) < 0)
		return -1;
	s->c.http.total_s = (unsigned)n;
	return 0;
}

static int crl_mode(const char *s, enum ctr_crl_mode *mode, struct ctr_err *e)
{
	static const char *const names[] = { "required", "if-available", "never" };

	for (int i = 0; i < 3; i++) {
		if (strcmp(s, names[i]) == 0) {
			*mode = (enum ctr_crl_mode)i;
			return 0;
		}
	}
	return ctr_fail(e, CTR_USAGE, "usage",
			"--crl=%s (expected required, if-available or never)", s);
}

static int tcb_mode(const char *s, bool *optional, struct ctr_err *e)
{
	*optional = strcmp(s, "if-available") == 0;
	if (*optional || strcmp(s, "required") == 0)
		return 0;
	return ctr_fail(e, CTR_USAGE, "usage", "--tcb=%s (expected required or if-available)", s);
}

/* Those that are a string as given. */
static const char **place_of(struct ctr_sources *s, int id)
{
	switch (id) {
	case CTR_SRC_DIR:
		return &s->c.dir;
	case CTR_SRC_KDS:
		return &s->c.kds_url;
	case CTR_SRC_PCS:
		return &s->c.pcs_url;
	case CTR_SRC_ROOT_CRL:
		return &s->c.root_crl_url;
	case CTR_SRC_CA:
		return &s->c.http.ca_file;
	case CTR_SRC_CACHE:
		return &s->c.cache;
	case CTR_SRC_TEST_ROOT:
		return &s->test_root;
	default:
		return NULL;
	}
}

int ctr_sources_opt(struct ctr_sources *s, int id, const char *value, struct ctr_err *e)
{
	const char **place = place_of(s, id);

	if (place) {
		*place = value;
		return 0;
	}
	switch (id) {
	case CTR_SRC_TIMEOUT:
		return timeout(s, value, e);
	case CTR_SRC_CRL:
		return crl_mode(value, &s->verify.crl, e);
	case CTR_SRC_TCB:
		return tcb_mode(value, &s->verify.tcb_optional, e);
	case CTR_SRC_NO_CACHE:
		s->no_cache = true;
		return 0;
	default:
		s->c.offline = true;
		return 0;
	}
}

static int load_root(struct ctr_sources *s, struct ctr_err *e)
{
	ctr_auto_chain struct ctr_chain c = { 0 };
	ctr_auto_x509 X509 *der = NULL;
	ctr_auto_buf struct ctr_buf b = { 0 };

	if (!s->test_root)
		return 0;
	if (ctr_file_read(s->test_root, CTR_CERT_MAX, &b, e) < 0)
		return -1;
	if (b.n && b.p[0] == '-' ? ctr_x509_pem(b.p, b.n, s->test_root, &c, e) < 0
				 : ctr_x509_der(b.p, b.n, s->test_root, &der, e) < 0)
		return -1;
	s->verify.test_root = s->pin;
	return ctr_x509_spki(der ? der : c.v[0], s->pin, e);
}

int ctr_sources_ready(struct ctr_sources *s, struct ctr_log *log, struct ctr_err *e)
{
	const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");

	if (load_root(s, e) < 0)
		return -1;
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
	ctr_tool_env_proxies(&s->c.http);
	s->c.http.log = s->c.log = log;
	s->c.still_good = ctr_endorsement_good;
	s->c.at = s->verify.at;
	return 0;
}
