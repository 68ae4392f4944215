#include "sources.h"

#include <stdlib.h>

bool sources_opt(struct sources *s, int id, const char *value)
{
	switch (id) {
	case O_COLLATERAL: s->c.dir = value; return true;
	case O_CACHE: s->cache = value; return true;
	case O_NO_CACHE: s->no_cache = true; return true;
	case O_OFFLINE: s->c.offline = true; return true;
	case O_KDS: s->c.kds_url = value; return true;
	case O_PCS: s->c.pcs_url = value; return true;
	case O_ROOT_CRL: s->c.root_crl_url = value; return true;
	case O_CA: s->c.http.ca_file = value; return true;
	default: return false;
	}
}

static const char *env2(const char *a, const char *b)
{
	const char *v = getenv(a);

	return v && *v ? v : getenv(b);
}

int sources_ready(struct sources *s, struct ctr_log *log, struct ctr_err *e)
{
	const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");

	if (s->cache)
		ctr_buf_adds(&s->cache_dir, s->cache);
	else if (xdg && *xdg == '/')
		ctr_buf_addf(&s->cache_dir, "%s/ctr/collateral", xdg);
	else if (home && *home == '/')
		ctr_buf_addf(&s->cache_dir, "%s/.cache/ctr/collateral", home);
	if (ctr_buf_ok(&s->cache_dir, "cache directory", e) < 0)
		return -1;
	s->c.cache = s->no_cache || !s->cache_dir.n ? NULL : s->cache_dir.p;
	s->c.log = log;
	s->c.http.log = log;
	s->c.http.http_proxy = getenv("http_proxy");
	s->c.http.https_proxy = env2("HTTPS_PROXY", "https_proxy");
	s->c.http.no_proxy = env2("NO_PROXY", "no_proxy");
	if (!s->c.http.ca_file)
		s->c.http.ca_file = env2("CURL_CA_BUNDLE", "SSL_CERT_FILE");
	return 0;
}

void sources_free(struct sources *s)
{
	ctr_buf_free(&s->cache_dir);
}
