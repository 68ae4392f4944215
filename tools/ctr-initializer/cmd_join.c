#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "guard.h"
#include "http_url.h"
#include "session.h"
#include "tool_sources.h"
#include "trust.h"

#define PORT ":1314"

enum {
	OUTPUT = 1,
	COORDINATOR,
	PLATFORM,
	TIMEOUT,
	REQUEST,
	TRIES,
	GROUP,
	RENEW,
	CHECK,
	ON_RENEW,
	VERIFY,
	READY,
};

static const struct ctr_opt table[] = {
	{ OUTPUT, "output", 'o', "DIR", "where the files go (default " OUTPUT_DEFAULT ")" },
	{ COORDINATOR, "coordinator", 'c', "URL",
	  "of the Coordinator (default http://$COORDINATOR_HOST)" },
	{ PLATFORM, "platform", 0, "SPEC", "who gives the evidence (default auto)" },
	{ TIMEOUT, "timeout", 0, "SECONDS", "give up the first join (default 0: never)" },
	{ REQUEST, "request-timeout", 0, "SECONDS", "for one answer (default 30)" },
	{ TRIES, "tries", 0, "N", "refusals in a row, then give up (default 5; 0: never)" },
	{ GROUP, "group", 0, "GID", "may read the key and the secret" },
	{ RENEW, "renew", 0, NULL, "stay, and renew the certificate" },
	{ CHECK, "check", 0, "SECONDS", "ask for a new mesh CA (default 60; 0: never)" },
	{ READY, "ready", 0, NULL, "only say whether a certificate that is valid is there" },
	{ ON_RENEW, "on-renew", 0, "COMMAND", "run by sh after each renewal" },
	{ CTR_SRC_CA, "ca-file", 0, "FILE", "PEM roots for HTTPS that replace the system's" },
	{ VERIFY, "verify-coordinator", 0, "FILE",
	  "trust only a Coordinator that serves this manifest" },
	CTR_SOURCES_LOCAL,
	CTR_SOURCES_STRICT,
	{ CTR_SRC_KDS, "kds-url", 0, "URL", "ask there instead of AMD's service" },
	{ CTR_SRC_PCS, "pcs-url", 0, "URL", "ask there instead of Intel's service" },
	{ CTR_SRC_ROOT_CRL, "root-crl-url", 0, "URL", "where the list of Intel's root is" },
	{ 0 },
};

struct args {
	struct session s;
	struct ctr_sources sources;
	struct trust trust;
	unsigned request; /* seconds */
	struct ctr_buf url, name;
	const char *coordinator, *platform;
	bool renew, ready;
};

static void args_free(struct args *a)
{
	ctr_http_free(a->s.h.http);
	ctr_platform_free(a->s.h.platform);
	ctr_sources_free(&a->sources);
	ctr_buf_free(&a->url);
	ctr_buf_free(&a->name);
}

static int number(const char *value, const char *what, unsigned lo, unsigned hi, unsigned *out,
		  struct ctr_err *e)
{
	uint64_t n;

	if (ctr_number(value, what, lo, hi, &n, e) < 0)
		return -1;
	*out = (unsigned)n;
	return 0;
}

static int on_number(struct args *a, int id, const char *value, struct ctr_err *e)
{
	switch (id) {
	case TIMEOUT:
		return number(value, "--timeout", 0, 86400 * 365, &a->s.timeout, e);
	case REQUEST:
		return number(value, "--request-timeout", 1, 3600, &a->request, e);
	case TRIES:
		return number(value, "--tries", 0, 1000000, &a->s.tries, e);
	case CHECK:
		return number(value, "--check", 0, 86400, &a->s.check, e);
	default:
		a->s.output.has_group = true;
		return number(value, "--group", 0, UINT32_MAX - 1, &a->s.output.group, e);
	}
}

static int on_opt(void *ctx, int id, const char *value, struct ctr_err *e)
{
	struct args *a = ctx;

	switch (id) {
	case OUTPUT:
		a->s.output.dir = value;
		return 0;
	case COORDINATOR:
		a->coordinator = value;
		return 0;
	case PLATFORM:
		a->platform = value;
		return 0;
	case VERIFY:
		a->trust.manifest = value;
		return 0;
	case RENEW:
		a->renew = true;
		return 0;
	case READY:
		a->ready = true;
		return 0;
	case ON_RENEW:
		a->s.on_renew = value;
		return 0;
	default:
		return id >= CTR_SRC_FIRST ? ctr_sources_opt(&a->sources, id, value, e)
					   : on_number(a, id, value, e);
	}
}

/* host, host:port or [v6]:port; the port is the Coordinator's unless it is there. */
static void from_host(const char *host, struct ctr_buf *url)
{
	const char *v6 = strrchr(host, ']'), *port = strrchr(v6 ? v6 : host, ':');

	ctr_buf_addf(url, "http://%s%s", host, port ? "" : PORT);
}

static int set_url(struct args *a, struct ctr_err *e)
{
	const char *host = getenv("COORDINATOR_HOST");
	struct ctr_http_origin o;
	struct ctr_err why = { 0 };

	if (a->coordinator)
		ctr_buf_adds(&a->url, a->coordinator);
	else
		from_host(host && *host ? host : "coordinator", &a->url);
	if (ctr_buf_ok(&a->url, "URL", e) < 0)
		return -1;
	while (a->url.n && a->url.p[a->url.n - 1] == '/')
		a->url.p[--a->url.n] = '\0';
	if (ctr_http_origin(a->url.p, &o, &why) < 0)
		return ctr_fail(e, why.code == CTR_FORMAT ? CTR_USAGE : why.code, why.id, "%s",
				why.msg);
	ctr_buf_addf(&a->name, "%s:%s", o.host, o.port);
	a->s.h.url = a->url.p;
	a->s.name = ctr_buf_str(&a->name);
	return ctr_buf_ok(&a->name, "URL", e);
}

/* One try each: the session says what happened, and tries again. */
static int set_http(struct args *a, struct ctr_log *log, struct ctr_err *e)
{
	struct ctr_http_opts *o = &a->sources.c.http;

	if (ctr_sources_ready(&a->sources, log, e) < 0)
		return -1;
	o->tries = 1;
	o->total_s = a->s.timeout && a->request > a->s.timeout ? a->s.timeout : a->request;
	a->trust.url = a->s.h.url;
	a->trust.sources = &a->sources;
	if (a->trust.manifest) {
		a->s.verify = trust_check;
		a->s.ctx = &a->trust;
	}
	return ctr_http_new(o, &a->s.h.http, e);
}

/* For a probe: the containers after this one may start. */
static int ready(const struct output *o, struct ctr_err *e)
{
	auto_joined struct joined j = { 0 };
	bool there;

	if (output_read(o, &j, &there, e) < 0)
		return -1;
	if (!there || time(NULL) >= j.until)
		return ctr_fail(e, CTR_NO, "output.ready", "%s: %s", o->dir,
				there ? "the certificate has expired" : "no certificate yet");
	return 0;
}

int cmd_join(struct ctr_tool *t, int argc, char **argv, struct ctr_buf *out, struct ctr_err *e)
{
	CTR_AUTO(args_free)
	struct args a = {
		.s = { .output = { .dir = OUTPUT_DEFAULT },
		       .tries = 5,
		       .check = 60,
		       .log = &t->log },
		.request = 30,
		.platform = "auto",
	};
	int first;

	(void)out;
	ctr_sources_init(&a.sources, time(NULL));
	t->synopsis = "[options]";
	t->summary = "Gets a pod its mesh certificate and its secret from the Coordinator. With a "
		     "first word:\n\n"
		     "  join        does so, too\n"
		     "  cryptsetup  opens and mounts a volume that is encrypted by that secret\n\n"
		     "each with its own --help.";
	t->example = "ctr-initializer --coordinator http://coordinator:1314 --timeout 300";
	t->opts = table;
	if (ctr_tool_opts(t, argc, argv, on_opt, &a, &first, e) < 0 || t->served)
		return t->served ? 0 : -1;
	if (first < argc)
		return ctr_fail(e, CTR_USAGE, "usage", "%s: no operands", argv[first]);
	if (a.s.on_renew && !a.renew)
		return ctr_fail(e, CTR_USAGE, "usage", "--on-renew: only with --renew");
	if (a.ready)
		return ready(&a.s.output, e);
	if (ctr_tool_guard(e) < 0 || set_url(&a, e) < 0 || set_http(&a, &t->log, e) < 0 ||
	    ctr_platform_open(a.platform, NULL, &a.s.h.platform, e) < 0)
		return -1;
	guard_signals(a.renew ? CTR_OK : CTR_ENV);
	return a.renew ? session_renew(&a.s, e) : session_join(&a.s, e);
}
