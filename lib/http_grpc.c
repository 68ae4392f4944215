#include "http_grpc.h"

#include <string.h>
#include <strings.h>

#include "http_lib.h"

#define STATUS_OK "grpc-status: 0"

struct call {
	const struct ctr_http_lib *lib;
	CURL *c;
	struct ctr_buf *reply;
	char status[64]; /* the line of the trailer, "" when there is none */
};

static void call_end(struct call *k)
{
	if (k->c)
		k->lib->easy_cleanup(k->c);
}
#define auto_call CTR_AUTO(call_end)

static size_t on_head(char *p, size_t size, size_t n, void *ctx)
{
	struct call *k = ctx;
	size_t len = size * n;

	while (len > 0 && (p[len - 1] == '\r' || p[len - 1] == '\n'))
		len--;
	if (len > 12 && strncasecmp(p, "grpc-status:", 12) == 0)
		snprintf(k->status, sizeof k->status, "%.*s", (int)len, p);
	return size * n;
}

static size_t on_body(char *p, size_t size, size_t n, void *ctx)
{
	struct call *k = ctx;

	ctr_buf_add(k->reply, p, size * n);
	return k->reply->bad ? 0 : size * n;
}

#define SET(opt, value) (bad |= k->lib->easy_setopt(k->c, opt, value) != CURLE_OK)

static bool set_up(struct call *k, const char *socket, const char *url, const struct ctr_buf *body,
		   unsigned seconds)
{
	static char type[] = "Content-Type: application/grpc", te[] = "TE: trailers";
	static struct curl_slist second = { te, NULL }, list = { type, &second };
	bool bad = false;

	SET(CURLOPT_URL, url);
	SET(CURLOPT_UNIX_SOCKET_PATH, socket);
	SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE);
	SET(CURLOPT_PROTOCOLS_STR, "http");
	SET(CURLOPT_PROXY, "");
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_TIMEOUT, (long)seconds);
	SET(CURLOPT_HTTPHEADER, &list);
	SET(CURLOPT_POSTFIELDSIZE, (long)body->n);
	SET(CURLOPT_POSTFIELDS, body->p);
	SET(CURLOPT_HEADERFUNCTION, on_head);
	SET(CURLOPT_HEADERDATA, k);
	SET(CURLOPT_WRITEFUNCTION, on_body);
	SET(CURLOPT_WRITEDATA, k);
	return !bad;
}

int ctr_grpc_call(const char *socket, const char *method, const void *msg, size_t n,
		  unsigned seconds, struct ctr_buf *reply, struct ctr_err *e)
{
	const uint8_t head[5] = { 0, (uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8),
				  (uint8_t)n };
	ctr_auto_buf struct ctr_buf body = { 0 }, url = { 0 };
	auto_call struct call k = { .lib = ctr_http_lib(e), .reply = reply };
	CURLcode rc;

	if (!k.lib)
		return -1;
	ctr_buf_add(&body, head, sizeof head);
	ctr_buf_add(&body, msg, n);
	ctr_buf_addf(&url, "http://localhost/%s", method);
	if (ctr_buf_ok(&body, method, e) < 0 || ctr_buf_ok(&url, method, e) < 0)
		return -1;
	k.c = k.lib->easy_init();
	if (!k.c || !set_up(&k, socket, url.p, &body, seconds))
		return ctr_fail(e, CTR_ENV, "grpc", "libcurl cannot speak HTTP/2");
	rc = k.lib->easy_perform(k.c);
	if (rc != CURLE_OK)
		return ctr_fail(e, CTR_ENV, "grpc", "%s: %s", method, k.lib->easy_strerror(rc));
	if (strcasecmp(k.status, STATUS_OK) != 0)
		return ctr_fail(e, CTR_ENV, "grpc", "%s: %s", method,
				k.status[0] ? k.status : "no status");
	return 0;
}
