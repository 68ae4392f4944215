#include "http_url.h"

#include <string.h>

#include "http_lib.h"

static bool part(const struct ctr_http_lib *lib, CURLU *u, CURLUPart what, unsigned flags, char *dst, size_t n)
{
	char *s = NULL;
	bool ok = lib->url_get(u, what, &s, flags) == CURLUE_OK && strlen(s) < n;

	for (size_t i = 0; ok && i <= strlen(s); i++)
		dst[i] = (char)(s[i] >= 'A' && s[i] <= 'Z' ? s[i] - 'A' + 'a' : s[i]);
	lib->free(s);
	return ok;
}

int ctr_http_origin(const char *url, struct ctr_http_origin *o, struct ctr_err *e)
{
	const struct ctr_http_lib *lib = ctr_http_lib(e);
	char *fragment = NULL;
	bool ok;
	CURLU *u;

	*o = (struct ctr_http_origin){ "", "", "" };
	if (!lib)
		return -1;
	u = lib->url();
	if (!u)
		return ctr_fail_mem(e);
	ok = lib->url_set(u, CURLUPART_URL, url, CURLU_DISALLOW_USER) == CURLUE_OK &&
	     part(lib, u, CURLUPART_SCHEME, 0, o->scheme, sizeof o->scheme) &&
	     part(lib, u, CURLUPART_HOST, 0, o->host, sizeof o->host) &&
	     part(lib, u, CURLUPART_PORT, CURLU_DEFAULT_PORT, o->port, sizeof o->port) &&
	     lib->url_get(u, CURLUPART_FRAGMENT, &fragment, 0) == CURLUE_NO_FRAGMENT &&
	     (strcmp(o->scheme, "https") == 0 || strcmp(o->scheme, "http") == 0);
	lib->free(fragment);
	lib->url_cleanup(u);
	if (ok)
		return 0;
	*o = (struct ctr_http_origin){ "", "", "" };
	/* before an @ stands a password */
	return ctr_fail(e, CTR_FORMAT, "http.url",
			"%.*s: unfit URL (expected http or https, a host, no user, no fragment)",
			CTR_HTTP_SHOWN(strchr(url, '@') ? "[hidden]" : url));
}

bool ctr_http_same_origin(const struct ctr_http_origin *a, const struct ctr_http_origin *b)
{
	return a->host[0] && strcmp(a->scheme, b->scheme) == 0 && strcmp(a->host, b->host) == 0 &&
	       strcmp(a->port, b->port) == 0;
}

void ctr_http_quote(struct ctr_buf *b, const char *s)
{
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		    (c && strchr("-._~", c)))
			ctr_buf_addc(b, *s);
		else
			ctr_buf_addf(b, "%%%02X", c);
	}
}
