#include "sources.h"

#include <stdlib.h>
#include <string.h>

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
	case SRC_DIR:
		s->c.dir = value;
		return 0;
	case SRC_KDS:
		s->c.kds_url = value;
		return 0;
	case SRC_PCS:
		s->c.pcs_url = value;
		return 0;
	case SRC_ROOT_CRL:
		s->c.root_crl_url = value;
		return 0;
	case SRC_CA:
		s->c.http.ca_file = value;
		return 0;
	case SRC_TIMEOUT:
		return timeout(s, value, e);
	case SRC_CACHE:
		s->c.cache = value;
		return 0;
	case SRC_NO_CACHE:
		s->no_cache = true;
		return 0;
	default:
		s->c.offline = true;
		return 0;
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
	s->c.still_good = ctr_endorsement_good;
	s->c.at = at;
	return 0;
}
