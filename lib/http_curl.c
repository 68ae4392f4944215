#include "http_curl.h"

#include <pthread.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <time.h>

#include "http_lib.h"
#include "http_url.h"

#define HOPS 5
#define KEEP 8 /* idle handles, each with its connections */
#define HEAD_MAX ((size_t)64 * 1024)
#define ERROR_TEXT ((size_t)4 * 1024)  /* kept of an answer that is not 200 */
#define ERROR_MAX ((size_t)256 * 1024) /* read of it, so that the connection can be reused */
#define RETRY_AFTER_MAX 30000

#define SHOWN(url) CTR_HTTP_SHOWN(url)

struct ctr_http {
	struct ctr_http_opts o;
	pthread_mutex_t lock;
	CURL *idle[KEEP];
	size_t nidle;
	atomic_uint_fast64_t requests;
};

/* One request from its first try to its last. */
struct xfer {
	const struct ctr_http_lib *lib;
	struct ctr_http *h;
	const struct ctr_http_req *req;
	struct ctr_http_resp *resp;
	struct ctr_err *e;
	CURL *c;
	const char *url;
	uint64_t got;  /* bytes that went to the sink or into the body */
	uint64_t skip; /* bytes of this try that the sink has already */
	size_t text;   /* bytes of an answer that is not 200 */
	bool begun;    /* the first byte of this try's body was seen */
	char why[CURL_ERROR_SIZE];
};

int ctr_http_new(const struct ctr_http_opts *o, struct ctr_http **out, struct ctr_err *e)
{
	struct ctr_http *h = calloc(1, sizeof *h);

	*out = NULL;
	if (!h)
		return ctr_fail_mem(e);
	h->o = *o;
	h->o.connect_s = o->connect_s ? o->connect_s : 10;
	h->o.stall_s = o->stall_s ? o->stall_s : 30;
	h->o.tries = o->tries ? o->tries : 4;
	h->o.backoff_ms = o->backoff_ms ? o->backoff_ms : 400;
	pthread_mutex_init(&h->lock, NULL);
	*out = h;
	return 0;
}

void ctr_http_free(struct ctr_http *h)
{
	if (!h)
		return;
	for (size_t i = 0; i < h->nidle; i++)
		ctr_http_lib(NULL)->easy_cleanup(h->idle[i]);
	pthread_mutex_destroy(&h->lock);
	free(h);
}

void ctr_http_resp_free(struct ctr_http_resp *r)
{
	ctr_buf_free(&r->head);
	ctr_buf_free(&r->body);
}

uint64_t ctr_http_requests(const struct ctr_http *h)
{
	return atomic_load(&h->requests);
}

static CURL *take_handle(const struct ctr_http_lib *lib, struct ctr_http *h)
{
	CURL *c = NULL;

	pthread_mutex_lock(&h->lock);
	if (h->nidle)
		c = h->idle[--h->nidle];
	pthread_mutex_unlock(&h->lock);
	return c ? c : lib->easy_init();
}

static void give_handle(const struct ctr_http_lib *lib, struct ctr_http *h, CURL *c)
{
	lib->easy_reset(c); /* forgets the options, keeps the connections */
	pthread_mutex_lock(&h->lock);
	if (h->nidle < KEEP) {
		h->idle[h->nidle++] = c;
		c = NULL;
	}
	pthread_mutex_unlock(&h->lock);
	if (c)
		lib->easy_cleanup(c);
}

static bool stopped(const struct ctr_http *h)
{
	return h->o.stop && atomic_load(h->o.stop);
}

static unsigned status_of(const struct xfer *x)
{
	long status = 0;

	x->lib->easy_getinfo(x->c, CURLINFO_RESPONSE_CODE, &status);
	return status > 0 && status < 1000 ? (unsigned)status : 0;
}

static size_t on_head(char *p, size_t size, size_t n, void *ctx)
{
	struct xfer *x = ctx;

	n *= size;
	if (n > 5 && strncasecmp(p, "HTTP/", 5) == 0)
		ctr_buf_reset(&x->resp->head); /* an interim answer (1xx) came before */
	ctr_buf_add(&x->resp->head, p, n);
	return x->resp->head.bad ? 0 : n;
}

/* Finds out, at the first byte, where in the whole this try's body begins. */
static int begin_body(struct xfer *x, unsigned status)
{
	ctr_auto_buf struct ctr_buf range = { 0 }, want = { 0 };

	x->begun = true;
	x->skip = status == 200 ? x->got : 0;
	if (status == 200)
		return 0;
	ctr_buf_addf(&want, "bytes %llu-", (unsigned long long)x->got);
	if (x->got > 0 && ctr_http_header(x->resp, "Content-Range", 0, &range) && !want.bad &&
	    strncasecmp(range.p, want.p, want.n) == 0)
		return 0;
	return ctr_fail(x->e, CTR_ENV, "http.transfer",
			"%.*s: part of an answer that was not asked for", SHOWN(x->url));
}

static size_t on_body(char *p, size_t size, size_t n, void *ctx)
{
	struct xfer *x = ctx;
	unsigned status = status_of(x);
	size_t drop;

	n *= size;
	if (status != 200 && !(status == 206 && x->got > 0)) {
		size_t room = x->text < ERROR_TEXT ? ERROR_TEXT - x->text : 0;

		ctr_buf_add(&x->resp->body, p, n < room ? n : room);
		x->text += n;
		return x->text > ERROR_MAX ? 0 : n;
	}
	if (!x->begun && begin_body(x, status) < 0)
		return 0;
	drop = x->skip < n ? (size_t)x->skip : n;
	x->skip -= drop;
	if (n - drop > x->req->max - x->got) {
		ctr_fail(x->e, CTR_FORMAT, "http.large", "%.*s: longer than %llu bytes",
			 SHOWN(x->url), (unsigned long long)x->req->max);
		return 0;
	}
	if (x->req->sink && n > drop && x->req->sink(x->req->ctx, p + drop, n - drop, x->e) < 0)
		return 0;
	if (!x->req->sink)
		ctr_buf_add(&x->resp->body, p + drop, n - drop);
	x->got += n - drop;
	return n;
}

static int on_progress(void *ctx, curl_off_t dt, curl_off_t dn, curl_off_t ut, curl_off_t un)
{
	const struct xfer *x = ctx;

	(void)dt, (void)dn, (void)ut, (void)un;
	return stopped(x->h);
}

#define SET(opt, value) (bad |= x->lib->easy_setopt(x->c, opt, value) != CURLE_OK)

static bool set_limits(const struct xfer *x)
{
	const struct ctr_http_opts *o = &x->h->o;
	bool tls = strncasecmp(x->url, "https:", 6) == 0, bad = false;
	const char *proxy = tls ? o->https_proxy : o->http_proxy;

	SET(CURLOPT_PROTOCOLS_STR, tls ? "https" : "http");
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_SSL_VERIFYHOST, 2L);
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	/* an empty string, unlike NULL, keeps libcurl from reading the environment */
	SET(CURLOPT_PROXY, proxy ? proxy : "");
	SET(CURLOPT_NOPROXY, o->no_proxy ? o->no_proxy : "");
	SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	if (o->ca_file) {
		SET(CURLOPT_CAINFO, o->ca_file);
		SET(CURLOPT_CAPATH, NULL);
	}
	SET(CURLOPT_CONNECTTIMEOUT, (long)o->connect_s);
	SET(CURLOPT_LOW_SPEED_LIMIT, 100L);
	SET(CURLOPT_LOW_SPEED_TIME, (long)o->stall_s);
	SET(CURLOPT_TIMEOUT, (long)o->total_s);
	return !bad;
}

static bool set_callbacks(struct xfer *x)
{
	bool bad = false;

	SET(CURLOPT_ERRORBUFFER, x->why);
	SET(CURLOPT_HEADERFUNCTION, on_head);
	SET(CURLOPT_HEADERDATA, x);
	SET(CURLOPT_WRITEFUNCTION, on_body);
	SET(CURLOPT_WRITEDATA, x);
	SET(CURLOPT_NOPROGRESS, 0L);
	SET(CURLOPT_XFERINFOFUNCTION, on_progress);
	SET(CURLOPT_XFERINFODATA, x);
	return !bad;
}

/* One try. The header list is ours: libcurl copies the lines, so the secret one is wiped after. */
static CURLcode try_once(struct xfer *x, const char *auth)
{
	static char json_type[] = "Content-Type: application/json";
	ctr_auto_buf struct ctr_buf accept = { 0 }, secret = { .wipe = true }, range = { 0 };
	const char *post = x->req->form ? x->req->form : x->req->json;
	struct curl_slist list[3];
	bool bad = false;

	ctr_buf_addf(&accept, "Accept: %s", x->req->accept ? x->req->accept : "*/*");
	ctr_buf_adds(&secret, "Authorization: ");
	ctr_buf_adds(&secret, auth ? auth : "");
	ctr_buf_addf(&range, "%llu-", (unsigned long long)x->got);
	if (accept.bad || secret.bad || range.bad)
		return CURLE_OUT_OF_MEMORY;
	list[2] = (struct curl_slist){ secret.p, NULL };
	list[1] = (struct curl_slist){ json_type, auth ? &list[2] : NULL };
	list[0] = (struct curl_slist){ accept.p, x->req->json ? &list[1] : list[1].next };
	x->begun = false;
	x->text = 0;
	x->why[0] = '\0';
	SET(CURLOPT_URL, x->url);
	SET(CURLOPT_HTTPHEADER, list);
	SET(CURLOPT_USERAGENT, "ctr/" CTR_VERSION);
	SET(CURLOPT_RANGE, x->got ? range.p : NULL);
	SET(CURLOPT_POSTFIELDS, post);
	if (!post)
		SET(CURLOPT_HTTPGET, 1L);
	SET(CURLOPT_CUSTOMREQUEST, x->req->method);
	if (bad || !set_limits(x) || !set_callbacks(x))
		return CURLE_FAILED_INIT;
	atomic_fetch_add(&x->h->requests, 1);
	return x->lib->easy_perform(x->c);
}

static const struct fault {
	CURLcode rc;
	const char *id;
	bool again;
} faults[] = {
	{ CURLE_COULDNT_RESOLVE_PROXY, "http.connect", true },
	{ CURLE_COULDNT_RESOLVE_HOST, "http.connect", true },
	{ CURLE_COULDNT_CONNECT, "http.connect", true },
	{ CURLE_OPERATION_TIMEDOUT, "http.timeout", true },
	{ CURLE_PARTIAL_FILE, "http.short", true },
	{ CURLE_GOT_NOTHING, "http.short", true },
	{ CURLE_SEND_ERROR, "http.transfer", true },
	{ CURLE_RECV_ERROR, "http.transfer", true },
	{ CURLE_HTTP2, "http.transfer", true },
	{ CURLE_HTTP2_STREAM, "http.transfer", true },
	{ CURLE_SSL_CONNECT_ERROR, "http.tls", false },
	{ CURLE_PEER_FAILED_VERIFICATION, "http.tls", false },
	{ CURLE_SSL_CACERT_BADFILE, "http.tls", false },
	{ CURLE_SSL_CIPHER, "http.tls", false },
	{ CURLE_SSL_ISSUER_ERROR, "http.tls", false },
	{ CURLE_UNSUPPORTED_PROTOCOL, "http.url", false },
	{ CURLE_URL_MALFORMAT, "http.url", false },
};

static const struct fault *fault_of(CURLcode rc)
{
	static const struct fault other = { CURLE_OK, "http.transfer", false };

	for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
		if (faults[i].rc == rc)
			return &faults[i];
	}
	return &other;
}

static int fail_transfer(struct xfer *x, CURLcode rc)
{
	if (rc == CURLE_OUT_OF_MEMORY)
		return ctr_fail_mem(x->e);
	if (stopped(x->h))
		return ctr_fail(x->e, CTR_ENV, "http.stopped", "%.*s: interrupted", SHOWN(x->url));
	return ctr_fail(x->e, CTR_ENV, fault_of(rc)->id, "%.*s: %s", SHOWN(x->url),
			x->why[0] ? x->why : x->lib->easy_strerror(rc));
}

/* Milliseconds until the next try. */
static unsigned pause_ms(struct xfer *x, unsigned tried)
{
	uint64_t ms = (uint64_t)x->h->o.backoff_ms << (tried < 6 ? tried : 6);
	curl_off_t after = 0;
	unsigned r = 0;

	if (getrandom(&r, sizeof r, GRND_NONBLOCK) < 0)
		r = 0; /* less spread is no failure */
	ms = ms / 2 + r % (ms / 2 + 1);
	x->lib->easy_getinfo(x->c, CURLINFO_RETRY_AFTER, &after);
	if (after > 0)
		ms = after < RETRY_AFTER_MAX / 1000 ? (uint64_t)after * 1000 : RETRY_AFTER_MAX;
	return ms < RETRY_AFTER_MAX ? (unsigned)ms : RETRY_AFTER_MAX;
}

static void sleep_ms(const struct ctr_http *h, unsigned ms)
{
	while (ms > 0 && !stopped(h)) {
		unsigned now = ms < 50 ? ms : 50;
		struct timespec t = { .tv_nsec = (long)now * 1000000 };

		nanosleep(&t, NULL);
		ms -= now;
	}
}

static bool try_again(const struct xfer *x, CURLcode rc)
{
	unsigned status = x->resp->status;

	if (rc != CURLE_OK)
		return fault_of(rc)->again;
	return status == 429 || status == 502 || status == 503 || status == 504 ||
	       (status == 500 && x->h->o.again_500);
}

/* Tries until there is an answer to keep. */
static int exchange(struct xfer *x, const char *auth)
{
	for (unsigned tried = 0;; tried++) {
		CURLcode rc;
		unsigned ms;

		ctr_buf_reset(&x->resp->head);
		ctr_buf_reset(&x->resp->body);
		if (!x->req->sink)
			x->got = 0;
		rc = try_once(x, auth);
		if (x->e->code != CTR_OK)
			return -1;
		x->resp->status = status_of(x);
		/* the text of an error was long enough: its status is all that matters */
		if (rc == CURLE_WRITE_ERROR && x->text > ERROR_MAX)
			rc = CURLE_OK;
		if (stopped(x->h) || tried + 1 >= x->h->o.tries ||
		    !try_again(x, rc)) {
			if (x->resp->status == 206 && x->begun)
				x->resp->status = 200;
			return rc == CURLE_OK ? 0 : fail_transfer(x, rc);
		}
		ms = pause_ms(x, tried);
		if (rc == CURLE_OK)
			snprintf(x->why, sizeof x->why, "status %u", x->resp->status);
		if (x->h->o.log)
			ctr_log(x->h->o.log, CTR_INFO, "http.retry", NULL, 0, 0,
				"%.*s: %s; next try in %u ms", SHOWN(x->url),
				x->why[0] ? x->why : x->lib->easy_strerror(rc), ms);
		sleep_ms(x->h, ms);
	}
}

/* The next URL of a redirect into `next`; *auth becomes NULL when the origin changes. */
static int redirect(struct xfer *x, const char **auth, struct ctr_buf *next)
{
	struct ctr_http_origin from, to;
	struct ctr_err why = { 0 };
	char *url = NULL;

	x->lib->easy_getinfo(x->c, CURLINFO_REDIRECT_URL, &url);
	if (!url || x->req->form || x->req->json || x->req->method)
		return ctr_fail(x->e, CTR_ENV, "http.redirect",
				"%.*s: a redirect (%u) that leads nowhere", SHOWN(x->url),
				x->resp->status);
	ctr_buf_adds(next, url);
	if (ctr_buf_ok(next, "URL", x->e) < 0 || ctr_http_origin(x->url, &from, x->e) < 0)
		return -1;
	if (ctr_http_origin(next->p, &to, &why) < 0)
		return ctr_fail(x->e, CTR_ENV, "http.redirect", "%.*s: redirected to %s",
				SHOWN(x->url), why.msg);
	if (strcmp(from.scheme, to.scheme) != 0)
		return ctr_fail(x->e, CTR_ENV, "http.redirect",
				"%.*s: redirected from %s to %s (expected the same scheme)",
				SHOWN(x->url), from.scheme, to.scheme);
	if (!ctr_http_same_origin(&from, &to)) {
		*auth = NULL;
		x->resp->moved = true;
	}
	return 0;
}

static int follow(struct xfer *x)
{
	ctr_auto_buf struct ctr_buf here = { 0 }, next = { 0 };
	const char *auth = x->req->auth;

	for (int hop = 0; hop <= HOPS; hop++) {
		struct ctr_buf swap;
		unsigned s;

		if (exchange(x, auth) < 0)
			return -1;
		s = x->resp->status;
		if (s != 301 && s != 302 && s != 303 && s != 307 && s != 308)
			return 0;
		ctr_buf_reset(&next);
		if (redirect(x, &auth, &next) < 0)
			return -1;
		swap = here, here = next, next = swap;
		x->url = here.p;
	}
	return ctr_fail(x->e, CTR_ENV, "http.redirect", "%.*s: more than %d redirects",
			SHOWN(x->req->url), HOPS);
}

int ctr_http_do(struct ctr_http *h, const struct ctr_http_req *req, struct ctr_http_resp *resp,
		struct ctr_err *e)
{
	struct ctr_err own = {
		0
	}; /* whether a callback failed is read from it, so e may be NULL */
	struct xfer x = { .h = h, .req = req, .resp = resp, .e = e ? e : &own, .url = req->url };
	struct ctr_http_origin o;
	int rc;

	resp->status = 0;
	resp->moved = false;
	resp->head.max = HEAD_MAX;
	if (x.e->code != CTR_OK || ctr_http_origin(req->url, &o, x.e) < 0)
		return -1;
	x.lib = ctr_http_lib(x.e);
	if (!x.lib)
		return -1;
	x.c = take_handle(x.lib, h);
	if (!x.c)
		return ctr_fail_mem(x.e);
	rc = follow(&x);
	give_handle(x.lib, h, x.c);
	return rc < 0 ? -1 : ctr_buf_ok(&resp->body, "answer", x.e);
}

bool ctr_http_header(const struct ctr_http_resp *r, const char *name, size_t i, struct ctr_buf *b)
{
	size_t len = strlen(name);
	const char *line = ctr_buf_str(&r->head);

	for (; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		const char *v = line + len;
		size_t n;

		if (strncasecmp(line, name, len) != 0 || *v != ':' || i-- > 0)
			continue;
		v += 1 + strspn(v + 1, " \t");
		n = strcspn(v, "\r\n");
		while (n > 0 && (v[n - 1] == ' ' || v[n - 1] == '\t'))
			n--;
		ctr_buf_reset(b);
		ctr_buf_add(b, v, n);
		return !b->bad;
	}
	return false;
}
