#include "regauth.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

#include "challenge.h"
#include "enc.h"
#include "http_url.h"
#include "json.h"
#include "rd.h"

#define TOKEN_ANSWER_MAX ((size_t)256 * 1024)
#define TOKEN_MAX ((size_t)32 * 1024)
#define TOKEN_S 60		      /* life of a token that does not say */
#define TOKEN_S_MAX 86400

/* What is known for one repository at one place. */
struct grant {
	struct grant *next;
	char *key;
	struct ctr_buf value;  /* of Authorization; empty: nothing that works */
	struct ctr_buf source; /* of the credentials; empty: none were found */
	int64_t until;	       /* seconds of the monotonic clock */
};

struct ctr_regauth {
	struct ctr_http *http;
	struct ctr_cred_opts creds;
	struct ctr_log *log;
	pthread_mutex_t lock; /* held while a token is fetched, so that many threads share one */
	struct grant *grants;
};

int ctr_regauth_new(struct ctr_http *h, const struct ctr_cred_opts *o, struct ctr_log *log,
		    struct ctr_regauth **out, struct ctr_err *e)
{
	struct ctr_regauth *a = calloc(1, sizeof *a);

	*out = NULL;
	if (!a)
		return ctr_fail_mem(e);
	a->http = h;
	a->creds = *o;
	a->log = log;
	pthread_mutex_init(&a->lock, NULL);
	*out = a;
	return 0;
}

void ctr_regauth_free(struct ctr_regauth *a)
{
	struct grant *next;

	if (!a)
		return;
	for (struct grant *g = a->grants; g; g = next) {
		next = g->next;
		ctr_buf_free(&g->value);
		ctr_buf_free(&g->source);
		free(g->key);
		free(g);
	}
	pthread_mutex_destroy(&a->lock);
	free(a);
}

static int64_t now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

/* The grant for `to`, made when it is new; NULL when memory is out. */
static struct grant *grant_of(struct ctr_regauth *a, const struct ctr_regauth_to *to)
{
	ctr_auto_buf struct ctr_buf key = { 0 };
	struct grant *g;

	ctr_buf_addf(&key, "%s/%s", to->base, to->repository);
	if (key.bad)
		return NULL;
	for (g = a->grants; g; g = g->next) {
		if (strcmp(g->key, key.p) == 0)
			return g;
	}
	g = calloc(1, sizeof *g);
	if (!g)
		return NULL;
	g->key = ctr_give(key.p);
	g->value.wipe = true;
	g->next = a->grants;
	a->grants = g;
	return g;
}

int ctr_regauth_get(struct ctr_regauth *a, const struct ctr_regauth_to *to, struct ctr_buf *b,
		    struct ctr_err *e)
{
	const struct grant *g;

	ctr_buf_reset(b);
	pthread_mutex_lock(&a->lock);
	g = grant_of(a, to);
	if (g && now_s() < g->until)
		ctr_buf_add(b, ctr_buf_str(&g->value), g->value.n);
	pthread_mutex_unlock(&a->lock);
	return g ? ctr_buf_ok(b, "authorization", e) : ctr_fail_mem(e);
}

void ctr_regauth_tried(struct ctr_regauth *a, const struct ctr_regauth_to *to, struct ctr_buf *b)
{
	const struct grant *g;

	pthread_mutex_lock(&a->lock);
	g = grant_of(a, to);
	if (g && g->source.n) {
		ctr_buf_addf(b, "tried the credentials from %s", g->source.p);
	} else {
		ctr_buf_addf(b, "found no credentials for %s (", to->registry);
		ctr_cred_places(&a->creds, b);
		ctr_buf_addc(b, ')');
	}
	pthread_mutex_unlock(&a->lock);
}

static void say(const struct ctr_regauth *a, const struct ctr_regauth_to *to, const char *what,
		const char *where, const struct grant *g)
{
	if (a->log)
		ctr_log(a->log, CTR_INFO, "registry.login", NULL, 0, 0, "%s/%s: %s %.*s %s%s",
			to->registry, to->repository, what, CTR_HTTP_SHOWN(where),
			g->source.n ? "with the credentials from " : "without credentials",
			ctr_buf_str(&g->source));
}

/* Fails with what was tried; `who` refused or wants the login. */
static int refused(const struct ctr_regauth *a, const struct ctr_regauth_to *to,
		   const struct grant *g, const char *who, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf places = { 0 };

	ctr_cred_places(&a->creds, &places);
	if (g->source.n)
		ctr_fail(e, CTR_ENV, "registry.auth", "%s/%s: %.*s refused the credentials from %s",
			 to->registry, to->repository, CTR_HTTP_SHOWN(who), g->source.p);
	else
		ctr_fail(e, CTR_ENV, "registry.auth",
			 "%s/%s: %.*s wants a login, found no credentials for %s (%s)", to->registry,
			 to->repository, CTR_HTTP_SHOWN(who), to->registry, ctr_buf_str(&places));
	return ctr_err_fix(e, "log in to %s, or name the file with REGISTRY_AUTH_FILE", to->registry);
}

static void basic(struct ctr_buf *b, const struct ctr_cred *c)
{
	ctr_auto_buf struct ctr_buf pair = { .wipe = true };

	ctr_buf_adds(&pair, ctr_buf_str(&c->user));
	ctr_buf_addc(&pair, ':');
	ctr_buf_adds(&pair, ctr_buf_str(&c->secret));
	ctr_buf_adds(b, "Basic ");
	ctr_base64_add(b, ctr_buf_str(&pair), pair.n);
	if (pair.bad)
		b->bad = pair.bad;
}

/* May this registry's realm be asked, with or without its credentials? */
static int check_realm(const struct ctr_regauth_to *to, const char *realm, bool credentials,
		       struct ctr_err *e)
{
	struct ctr_http_origin reg, r;

	if (ctr_http_origin(to->base, &reg, e) < 0)
		return -1;
	if (ctr_http_origin(realm, &r, NULL) < 0)
		return ctr_fail(e, CTR_FORMAT, "registry.realm",
				"%s: names a token server by an unfit URL", to->registry);
	if (strcmp(reg.scheme, "https") == 0 && strcmp(r.scheme, "https") != 0)
		return ctr_fail(e, CTR_FORMAT, "registry.realm",
				"%s: names a token server without TLS, %.*s (expected https)",
				to->registry, CTR_HTTP_SHOWN(realm));
	if (credentials && strcmp(reg.scheme, "http") == 0 && strcmp(reg.host, r.host) != 0) {
		ctr_fail(e, CTR_FORMAT, "registry.realm",
			 "%s: a plain HTTP registry sends its login to another host, %s", to->registry,
			 r.host);
		return ctr_err_fix(e, "use https, or remove the credentials for %s", to->registry);
	}
	return 0;
}

/* service and scope as form fields; the scope is ours when the registry names none. */
static void add_fields(struct ctr_buf *b, const struct ctr_challenge *c,
		       const struct ctr_regauth_to *to)
{
	ctr_auto_buf struct ctr_buf own = { 0 };

	ctr_buf_addf(&own, "repository:%s:pull", to->repository);
	if (c->service[0]) {
		ctr_buf_adds(b, "service=");
		ctr_http_quote(b, c->service);
		ctr_buf_addc(b, '&');
	}
	ctr_buf_adds(b, "scope=");
	ctr_http_quote(b, c->scope[0] ? c->scope : ctr_buf_str(&own));
	if (own.bad)
		b->bad = own.bad;
}

/* Only what RFC 6750 lets a token be: it goes into a header line. */
static bool token_ok(const char *s)
{
	size_t n = strlen(s);

	return n > 0 && n <= TOKEN_MAX &&
	       strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~+/=") == n;
}

static int read_token(const struct ctr_buf *body, struct grant *g, struct ctr_err *e)
{
	ctr_auto_json_secret struct ctr_json *j = NULL;
	struct ctr_jval root, v, life;
	struct ctr_err why = { 0 };
	uint64_t s = TOKEN_S;
	const char *token;

	if (ctr_json_parse("token", ctr_buf_str(body), body->n, &j, &why) < 0)
		return ctr_fail(e, CTR_FORMAT, "registry.token", "no JSON (%s)", why.msg);
	root = ctr_jroot(j);
	v = ctr_jget(&root, "token");
	if (!ctr_jhas(&v))
		v = ctr_jget(&root, "access_token");
	life = ctr_jget(&root, "expires_in");
	if (ctr_jstring(&v, &token, &why) < 0 || !token_ok(token))
		return ctr_fail(e, CTR_FORMAT, "registry.token", "no usable token in it");
	if (ctr_jhas(&life) && ctr_juint(&life, UINT32_MAX, &s, &why) < 0)
		return ctr_fail(e, CTR_FORMAT, "registry.token", "expires_in: %s", why.msg);
	if (s > TOKEN_S_MAX)
		s = TOKEN_S_MAX;
	ctr_buf_adds(&g->value, "Bearer ");
	ctr_buf_adds(&g->value, token);
	g->until = now_s() + (int64_t)(s - s / 10); /* the answer took a while */
	return ctr_buf_ok(&g->value, "token", e);
}

/* https://distribution.github.io/distribution/spec/auth/token/ and …/oauth/ */
static int fetch_token(struct ctr_regauth *a, const struct ctr_regauth_to *to,
		       const struct ctr_challenge *c, const struct ctr_cred *cred, struct grant *g,
		       struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf url = { 0 }, form = { .wipe = true }, auth = { .wipe = true };
	ctr_auto_http_resp struct ctr_http_resp resp = { .body.wipe = true };
	struct ctr_http_req q = { .accept = "application/json", .max = TOKEN_ANSWER_MAX };

	ctr_buf_adds(&url, c->realm);
	if (cred->identity) {
		ctr_buf_adds(&form, "grant_type=refresh_token&client_id=ctr&");
		add_fields(&form, c, to);
		ctr_buf_adds(&form, "&refresh_token=");
		ctr_http_quote(&form, ctr_buf_str(&cred->secret));
	} else {
		ctr_buf_addc(&url, strchr(c->realm, '?') ? '&' : '?');
		add_fields(&url, c, to);
	}
	if (cred->secret.n && !cred->identity)
		basic(&auth, cred);
	if (ctr_buf_ok(&url, "URL", e) < 0 || ctr_buf_ok(&form, "form", e) < 0 ||
	    ctr_buf_ok(&auth, "authorization", e) < 0)
		return -1;
	q.url = url.p;
	q.form = form.p;
	q.auth = auth.p;
	say(a, to, "asking for a token:", c->realm, g);
	if (ctr_http_do(a->http, &q, &resp, e) < 0)
		return ctr_wrap(e, "%s/%s: token server", to->registry, to->repository);
	if (resp.status == 400 || resp.status == 401 || resp.status == 403)
		return refused(a, to, g, c->realm, e);
	if (resp.status != 200)
		return ctr_fail(e, CTR_ENV, "registry.http", "%s/%s: token server %.*s answered %u",
				to->registry, to->repository, CTR_HTTP_SHOWN(c->realm), resp.status);
	if (read_token(&resp.body, g, e) < 0)
		return ctr_wrap(e, "%s/%s: answer of the token server %.*s", to->registry,
				to->repository, CTR_HTTP_SHOWN(c->realm));
	return 0;
}

static int read_challenges(const struct ctr_http_resp *resp, const struct ctr_regauth_to *to,
			   struct ctr_challenge *c, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf value = { 0 };

	*c = (struct ctr_challenge){ .kind = CTR_CHALLENGE_NONE };
	for (size_t i = 0; ctr_http_header(resp, "WWW-Authenticate", i, &value); i++) {
		if (ctr_challenge_parse(ctr_buf_str(&value), value.n, c, e) < 0)
			return ctr_wrap(e, "%s", to->registry);
	}
	if (c->kind == CTR_CHALLENGE_NONE)
		return ctr_fail(e, CTR_FORMAT, "registry.challenge",
				"%s: 401 without a Bearer or Basic challenge", to->registry);
	return 0;
}

/* Fills g anew; the lock is held. */
static int renew(struct ctr_regauth *a, const struct ctr_regauth_to *to, const struct ctr_challenge *c,
		 struct grant *g, struct ctr_err *e)
{
	ctr_auto_cred struct ctr_cred cred;
	bool found;

	ctr_cred_init(&cred);
	ctr_buf_reset(&g->value);
	ctr_buf_reset(&g->source);
	g->until = 0;
	if (ctr_cred_find(&a->creds, to->registry, to->repository, &cred, &found, e) < 0)
		return ctr_wrap(e, "%s/%s: credentials", to->registry, to->repository);
	ctr_buf_adds(&g->source, ctr_buf_str(&cred.source));
	if (c->kind == CTR_CHALLENGE_BEARER) {
		if (check_realm(to, c->realm, found, e) < 0)
			return -1;
		return fetch_token(a, to, c, &cred, g, e);
	}
	if (!found)
		return refused(a, to, g, to->base, e);
	if (cred.identity)
		return ctr_fail(e, CTR_ENV, "registry.auth",
				"%s/%s: wants a password, %s is an identity token", to->registry,
				to->repository, ctr_buf_str(&cred.source));
	say(a, to, "logging in at", to->base, g);
	basic(&g->value, &cred);
	g->until = INT64_MAX;
	return ctr_buf_ok(&g->value, "authorization", e);
}

int ctr_regauth_answer(struct ctr_regauth *a, const struct ctr_regauth_to *to,
		       const struct ctr_http_resp *resp, const struct ctr_buf *used,
		       struct ctr_err *e)
{
	struct ctr_challenge c;
	struct grant *g;
	int rc;

	if (read_challenges(resp, to, &c, e) < 0)
		return -1;
	pthread_mutex_lock(&a->lock);
	g = grant_of(a, to);
	if (!g)
		rc = ctr_fail_mem(e);
	else if (g->value.n && now_s() < g->until &&
		 (g->value.n != used->n || !ctr_same(g->value.p, used->p, used->n)))
		rc = 0; /* another thread has been here meanwhile */
	else
		rc = renew(a, to, &c, g, e);
	pthread_mutex_unlock(&a->lock);
	return rc;
}
