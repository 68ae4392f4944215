/* A small HTTP(S) client over libcurl, which is loaded when the first request is made. */
#ifndef LIB_HTTP_CURL_H
#define LIB_HTTP_CURL_H

#include <stdatomic.h>
#include <stdint.h>

#include "buf.h"
#include "log.h"

/*
 * Zero is a sound default for every field. Strings are borrowed and outlive the client. Neither
 * the environment nor ~/.netrc is looked at: the tool passes what it wants to be honoured.
 */
struct ctr_http_opts {
	const char *ca_file;	 /* PEM roots that replace the system's */
	const char *http_proxy;	 /* proxy URL for http://, NULL: none */
	const char *https_proxy; /* proxy URL for https:// */
	const char *no_proxy;	 /* hosts asked directly, separated by commas */
	unsigned connect_s;	 /* seconds for the connection and its handshake; 0: 10 */
	unsigned stall_s;	 /* seconds below 100 bytes/s until it is given up; 0: 30 */
	unsigned total_s;	 /* seconds for one transfer; 0: no limit */
	unsigned tries;		 /* 0: 4 */
	bool again_500;		 /* try again after a 500, too */
	unsigned backoff_ms;	 /* first pause, doubled each time, half of it random; 0: 400 */
	const atomic_bool *stop; /* when it turns true, requests fail soon with "http.stopped" */
	struct ctr_log *log;	 /* NULL: silent */
};

typedef int (*ctr_http_sink)(void *ctx, const void *p, size_t n, struct ctr_err *e);

struct ctr_http_req {
	const char *url;    /* http or https, without user information */
	const char *accept; /* value of Accept, NULL: any type */
	const char *auth;   /* value of Authorization; goes to the origin of `url` alone */
	const char *form;   /* POST this www-form-urlencoded text; NULL: GET */
	const char *json;   /* POST this JSON text */
	const char *method; /* instead of GET or POST; a redirect is then none's to follow */
	uint64_t max;	    /* bytes of a body; more is CTR_FORMAT "http.large" */
	/*
	 * Takes the body of a 200; NULL: it is gathered in resp->body. A transfer that breaks is
	 * taken up again where it broke, so whoever gives a sink must check the whole.
	 */
	ctr_http_sink sink;
	void *ctx;
};

/* Start from zero (set body.wipe for secrets) and free after use, whatever the outcome. */
struct ctr_http_resp {
	unsigned status;
	bool moved;	     /* a redirect led to another origin: the answer is from there */
	struct ctr_buf head; /* header lines of the final answer */
	struct ctr_buf body; /* the body, or the first bytes of an answer that is not 200 */
};
void ctr_http_resp_free(struct ctr_http_resp *r);
#define ctr_auto_http_resp CTR_AUTO(ctr_http_resp_free)

/* A client: safe to use from several threads at once, connections are kept and reused. */
struct ctr_http;
CTR_MUST int ctr_http_new(const struct ctr_http_opts *o, struct ctr_http **out, struct ctr_err *e);
void ctr_http_free(struct ctr_http *h); /* NULL is legal; no request may be under way */

/*
 * One request; 0 when an answer came, whatever its status. At most five redirects are followed,
 * only within the same scheme; Authorization stays behind when the origin (scheme, host and port)
 * changes. 429, 502, 503, 504 (500 if wanted) and broken connections are tried again, after Retry-After (at most
 * 30 s) or a growing pause. CTR_ENV: "http.library" (libcurl is missing), "http.connect",
 * "http.tls", "http.timeout", "http.short" (ended early), "http.transfer", "http.redirect",
 * "http.stopped". CTR_FORMAT: "http.url", "http.large". A sink's own failure is passed on.
 */
CTR_MUST int ctr_http_do(struct ctr_http *h, const struct ctr_http_req *req,
			 struct ctr_http_resp *resp, struct ctr_err *e);

/* The value of the i-th header of that name (any case), copied into b; false when there is none. */
bool ctr_http_header(const struct ctr_http_resp *r, const char *name, size_t i, struct ctr_buf *b);

/* Requests sent so far, redirects and repetitions counted. */
uint64_t ctr_http_requests(const struct ctr_http *h);

#endif
