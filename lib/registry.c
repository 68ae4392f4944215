#include "registry.h"

#include <string.h>
#include <strings.h>

#include "enc.h"
#include "hash.h"
#include "http_url.h"
#include "regauth.h"

#define ACCEPT_MANIFEST                                                                           \
	"application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, "   \
	"application/vnd.docker.distribution.manifest.list.v2+json, "                             \
	"application/vnd.docker.distribution.manifest.v2+json"

struct registry {
	struct ctr_oci_source src; /* first: a source is a registry */
	struct ctr_registry_opts o;
	struct ctr_http *http;
	struct ctr_regauth *auth;
};

/* One place to ask, the registry itself or a mirror of it. */
struct place {
	bool mirror;
	char base[300];		/* scheme://host[:port] */
	char registry[272];	/* host[:port], the name for credentials and messages */
	char repository[512];	/* with the mirror's path in front */
};

static bool listed(const char *const *list, const char *s)
{
	for (; list && *list; list++) {
		if (strcasecmp(*list, s) == 0)
			return true;
	}
	return false;
}

static bool only(const char *s, const char *set)
{
	return s[strspn(s, set)] == '\0';
}

/* The parser of references has checked it; this keeps a slip elsewhere out of URLs. */
static int check_ref(const struct ctr_imgref *ref, struct ctr_err *e)
{
#define LOWER "abcdefghijklmnopqrstuvwxyz0123456789"
#define ANY LOWER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	const char *digits = ref->digest + 7;

	if (ref->registry[0] && only(ref->registry, ANY ".-_:[]") && ref->repository[0] &&
	    only(ref->repository, LOWER "._-/") && !strstr(ref->repository, "..") &&
	    only(ref->tag, ANY "._-") && (ref->tag[0] || ref->digest[0]) &&
	    (!ref->digest[0] || (strncmp(ref->digest, "sha256:", 7) == 0 &&
				 strlen(digits) == 64 && only(digits, "0123456789abcdef"))))
		return 0;
	return ctr_fail(e, CTR_FORMAT, "image.ref", "%s/%s: not an image reference", ref->registry,
			ref->repository);
}

static void origin_place(const struct registry *r, const struct ctr_imgref *ref, struct place *p)
{
	bool hub = strcmp(ref->registry, "docker.io") == 0;

	*p = (struct place){ .mirror = false };
	snprintf(p->base, sizeof p->base, "%s://%s",
		 listed(r->o.plain, ref->registry) ? "http" : "https",
		 hub ? "registry-1.docker.io" : ref->registry);
	snprintf(p->registry, sizeof p->registry, "%s", ref->registry);
	snprintf(p->repository, sizeof p->repository, "%s", ref->repository);
}

/* entry is HOST=BASE: p becomes the place for ref at BASE. */
static int mirror_place(const char *entry, const struct ctr_imgref *ref, struct place *p,
			struct ctr_err *e)
{
	const char *base = strchr(entry, '=') + 1, *host = strstr(base, "://") + 3;
	size_t hostlen = strcspn(host, "/"), pathlen = strlen(host + hostlen);
	const char *path = host + hostlen + (pathlen > 0);

	pathlen = strlen(path);
	while (pathlen > 0 && path[pathlen - 1] == '/')
		pathlen--;
	if (hostlen >= sizeof p->registry || pathlen + strlen(ref->repository) + 2 > sizeof p->repository)
		return ctr_fail(e, CTR_USAGE, "registry.mirror", "%.60s…: too long", entry);
	*p = (struct place){ .mirror = true };
	snprintf(p->base, sizeof p->base, "%.*s", (int)(host - base + (ptrdiff_t)hostlen), base);
	snprintf(p->registry, sizeof p->registry, "%.*s", (int)hostlen, host);
	snprintf(p->repository, sizeof p->repository, "%.*s%s%s", (int)pathlen, path,
		 pathlen ? "/" : "", ref->repository);
	return 0;
}

static bool mirrors(const char *entry, const char *registry)
{
	size_t n = strcspn(entry, "=");

	return strlen(registry) == n && strncasecmp(entry, registry, n) == 0;
}

/* Form only, without libcurl, so that it can be said before anything is done. */
static int check_mirror(const char *entry, struct ctr_err *e)
{
	const char *base = strchr(entry, '=');
	size_t scheme = 0;

	if (base++)
		scheme = strncmp(base, "https://", 8) == 0 ? 8 : strncmp(base, "http://", 7) == 0 ? 7 : 0;
	if (scheme && base > entry + 1 && base[scheme] && base[scheme] != '/' &&
	    only(base, ANY ":/.-_[]"))
		return 0;
	/* not shown: before an @ stands a password */
	return ctr_fail(e, CTR_USAGE, "registry.mirror",
			"mirror %.*s: expected HOST=https://HOST[/PATH], without user or query",
			(int)strcspn(entry, "="), entry);
}

/* The ids of this module for those of the client below it. */
static int rename_fault(struct ctr_err *why, const struct place *p)
{
	static const char *const ids[][2] = {
		{ "http.tls", "registry.tls" },	      { "http.connect", "registry.connect" },
		{ "http.timeout", "registry.http" },  { "http.short", "registry.http" },
		{ "http.transfer", "registry.http" }, { "http.redirect", "registry.http" },
		{ "http.url", "registry.http" },      { "http.large", "limit" },
	};

	if (!why || !why->id)
		return -1;
	for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
		if (strcmp(why->id, ids[i][0]) == 0)
			why->id = ids[i][1];
	}
	if (strcmp(why->id, "registry.tls") == 0)
		ctr_err_fix(why, "name the registry's CA file, or check the host name");
	if (strcmp(why->id, "registry.connect") == 0)
		ctr_err_fix(why, "check the name %s, the network and the proxy", p->registry);
	return -1;
}

/* One GET, with a login when the place wants one. */
static int ask(struct registry *r, const struct place *p, struct ctr_http_req *q,
	       struct ctr_http_resp *resp, struct ctr_err *e)
{
	const struct ctr_regauth_to to = { p->base, p->registry, p->repository };

	for (int round = 0;; round++) {
		ctr_auto_buf struct ctr_buf auth = { .wipe = true };

		if (ctr_regauth_get(r->auth, &to, &auth, e) < 0)
			return -1;
		q->auth = auth.n ? auth.p : NULL;
		if (ctr_http_do(r->http, q, resp, e) < 0)
			return rename_fault(e, p);
		/* a challenge from where a redirect led is not the registry's: it gets no answer */
		if (resp->status != 401 || resp->moved || round > 0)
			return 0;
		if (ctr_regauth_answer(r->auth, &to, resp, &auth, e) < 0)
			return rename_fault(e, p);
	}
}

/* Turns a status that is not 200 into an answer or a failure. */
static int judge(struct registry *r, const struct place *p, const char *what,
		 const struct ctr_http_resp *resp, bool *found, struct ctr_err *e)
{
	const struct ctr_regauth_to to = { p->base, p->registry, p->repository };
	ctr_auto_buf struct ctr_buf tried = { 0 };

	*found = resp->status == 200;
	if (*found || (resp->status == 404 && !resp->moved))
		return 0;
	if ((resp->status == 401 || resp->status == 403) && !resp->moved) {
		ctr_regauth_tried(r->auth, &to, &tried);
		ctr_fail(e, CTR_ENV, "registry.auth", "%s/%s: %s refused (%u); %s", p->registry,
			 p->repository, what, resp->status, ctr_buf_str(&tried));
		return ctr_err_fix(e, "check the image's name and the login for %s; many registries "
				      "answer so for what does not exist", p->registry);
	}
	ctr_fail(e, CTR_ENV, "registry.http", "%s/%s: status %u for %s%s", p->registry,
		 p->repository, resp->status, what,
		 resp->moved ? ", from where the registry redirected to" : "");
	return ctr_err_fix(e, resp->status == 429 ? "log in to %s, use a mirror, or wait"
						  : "try later, or ask who runs %s", p->registry);
}

static int check_digest(const struct place *p, const char *want, const char *got, const char *by,
			struct ctr_err *e)
{
	if (strcmp(want, got) == 0)
		return 0;
	return ctr_fail(e, CTR_FORMAT, "image.digest",
			"%s/%s: content is %.19s… (expected %.19s… %s)", p->registry, p->repository,
			got, want, by);
}

static void format_digest(const uint8_t raw[CTR_SHA256_SIZE], char digest[CTR_OCI_DIGEST])
{
	ctr_auto_buf struct ctr_buf hex = { 0 };

	ctr_hex_add(&hex, raw, CTR_SHA256_SIZE);
	snprintf(digest, CTR_OCI_DIGEST, "sha256:%s", ctr_buf_str(&hex));
}

static int resolve_at(struct registry *r, const struct place *p, const struct ctr_imgref *ref,
		      struct ctr_buf *body, char digest[CTR_OCI_DIGEST], bool *found,
		      struct ctr_err *e)
{
	ctr_auto_http_resp struct ctr_http_resp resp = { 0 };
	ctr_auto_buf struct ctr_buf url = { 0 }, said = { 0 };
	struct ctr_http_req q = { .accept = ACCEPT_MANIFEST, .max = CTR_OCI_MANIFEST_MAX };
	uint8_t raw[CTR_SHA256_SIZE];
	char got[CTR_OCI_DIGEST];

	ctr_buf_addf(&url, "%s/v2/%s/manifests/%s", p->base, p->repository,
		     ref->digest[0] ? ref->digest : ref->tag);
	if (ctr_buf_ok(&url, "URL", e) < 0)
		return -1;
	q.url = url.p;
	if (ask(r, p, &q, &resp, e) < 0 || judge(r, p, "manifest", &resp, found, e) < 0)
		return -1;
	if (!*found)
		return 0;
	if (ctr_hash(CTR_SHA256, ctr_buf_str(&resp.body), resp.body.n, raw, e) < 0)
		return -1;
	format_digest(raw, got);
	if (ref->digest[0] && check_digest(p, ref->digest, got, "as asked for", e) < 0)
		return -1;
	if (ctr_http_header(&resp, "Docker-Content-Digest", 0, &said) &&
	    strncmp(said.p, "sha256:", 7) == 0 &&
	    check_digest(p, said.p, got, "as its header says", e) < 0)
		return -1;
	ctr_buf_add(body, ctr_buf_str(&resp.body), resp.body.n);
	memcpy(digest, got, CTR_OCI_DIGEST);
	return ctr_buf_ok(body, "manifest", e);
}

/* What a blob's bytes pass through. */
struct check {
	const struct place *from;
	const struct ctr_oci_desc *desc;
	ctr_oci_sink sink;
	void *ctx;
	struct ctr_hasher *hash;
	uint64_t n;
};

static int check_piece(void *ctx, const void *p, size_t n, struct ctr_err *e)
{
	struct check *c = ctx;

	if (n > c->desc->size - c->n)
		return ctr_fail(e, CTR_FORMAT, "image.size",
				"%s/%s: blob %.19s… is longer than %llu bytes", c->from->registry,
				c->from->repository, c->desc->digest,
				(unsigned long long)c->desc->size);
	c->n += n;
	if (ctr_hasher_add(c->hash, p, n, e) < 0)
		return -1;
	return c->sink(c->ctx, p, n, e);
}

static int check_end(const struct check *c, struct ctr_err *e)
{
	uint8_t raw[CTR_SHA256_SIZE];
	char got[CTR_OCI_DIGEST];

	if (c->n != c->desc->size)
		return ctr_fail(e, CTR_FORMAT, "image.size",
				"%s/%s: blob %.19s… has %llu bytes (expected %llu)",
				c->from->registry, c->from->repository, c->desc->digest,
				(unsigned long long)c->n, (unsigned long long)c->desc->size);
	if (ctr_hasher_end(c->hash, raw, e) < 0)
		return -1;
	format_digest(raw, got);
	return check_digest(c->from, c->desc->digest, got, "as asked for", e);
}

static int blob_at(struct registry *r, const struct place *p, struct check *c, bool *found,
		   struct ctr_err *e)
{
	ctr_auto_http_resp struct ctr_http_resp resp = { 0 };
	ctr_auto_buf struct ctr_buf url = { 0 };
	struct ctr_http_req q = { .max = UINT64_MAX, .sink = check_piece, .ctx = c };

	c->from = p;
	ctr_buf_addf(&url, "%s/v2/%s/blobs/%s", p->base, p->repository, c->desc->digest);
	if (ctr_buf_ok(&url, "URL", e) < 0)
		return -1;
	q.url = url.p;
	if (ask(r, p, &q, &resp, e) < 0 || judge(r, p, "blob", &resp, found, e) < 0)
		return -1;
	return *found ? check_end(c, e) : 0;
}

/* Says why a mirror is passed over; false when the failure would be the same elsewhere. */
static bool pass_over(struct registry *r, const struct place *p, const struct ctr_err *why)
{
	bool odd = why->code == CTR_FORMAT;

	if (why->id && (strcmp(why->id, "http.stopped") == 0 || strcmp(why->id, "memory") == 0))
		return false;
	if (r->o.log)
		ctr_log(r->o.log, odd ? CTR_WARN : CTR_INFO, "registry.mirror", NULL, 0, 0,
			"mirror %s passed over: %s", p->registry,
			why->code == CTR_OK ? "it does not have the image" : why->msg);
	return true;
}

static int resolve(struct ctr_oci_source *s, const struct ctr_imgref *ref, struct ctr_buf *body,
		   char digest[CTR_OCI_DIGEST], bool *found, struct ctr_err *e)
{
	struct registry *r = (struct registry *)s;
	struct place p;

	*found = false;
	if (check_ref(ref, e) < 0)
		return -1;
	for (const char *const *m = r->o.mirrors; m && *m; m++) {
		struct ctr_err why = { 0 };

		if (!mirrors(*m, ref->registry))
			continue;
		if (mirror_place(*m, ref, &p, e) < 0)
			return -1;
		if (resolve_at(r, &p, ref, body, digest, found, &why) == 0 && *found) {
			if (!ref->digest[0] && r->o.log)
				ctr_log(r->o.log, CTR_INFO, "registry.mirror", NULL, 0, 0,
					"%s/%s:%s is what the mirror %s says it is", ref->registry,
					ref->repository, ref->tag, p.registry);
			return 0;
		}
		*found = false;
		if (!pass_over(r, &p, &why))
			return ctr_err_pass(e, &why);
	}
	origin_place(r, ref, &p);
	return resolve_at(r, &p, ref, body, digest, found, e);
}

static int blob(struct ctr_oci_source *s, const struct ctr_imgref *ref,
		const struct ctr_oci_desc *desc, ctr_oci_sink sink, void *ctx, bool *found,
		struct ctr_err *e)
{
	struct registry *r = (struct registry *)s;
	ctr_auto_hasher struct ctr_hasher *hash = NULL;
	struct check c = { .desc = desc, .sink = sink, .ctx = ctx };
	struct ctr_imgref named = *ref;
	struct place p;

	*found = false;
	memcpy(named.digest, desc->digest, sizeof named.digest);
	if (check_ref(&named, e) < 0 || ctr_hasher_new(CTR_SHA256, &hash, e) < 0)
		return -1;
	c.hash = hash;
	for (const char *const *m = r->o.mirrors; m && *m; m++) {
		struct ctr_err why = { 0 };

		if (!mirrors(*m, ref->registry))
			continue;
		if (mirror_place(*m, ref, &p, e) < 0)
			return -1;
		if (blob_at(r, &p, &c, found, &why) == 0 && *found)
			return 0;
		*found = false;
		/* the sink cannot be told to forget what it has */
		if (c.n > 0 || !pass_over(r, &p, &why))
			return ctr_err_pass(e, &why);
	}
	origin_place(r, ref, &p);
	return blob_at(r, &p, &c, found, e);
}

static void release(struct ctr_oci_source *s)
{
	struct registry *r = (struct registry *)s;

	if (!r)
		return;
	ctr_regauth_free(r->auth);
	ctr_http_free(r->http);
	free(r);
}

int ctr_registry_new(const struct ctr_registry_opts *o, struct ctr_oci_source **out,
		     struct ctr_err *e)
{
	struct ctr_http_opts http = o->http;
	struct registry *r;

	http.log = o->log;
	*out = NULL;
	for (const char *const *m = o->mirrors; m && *m; m++) {
		if (check_mirror(*m, e) < 0)
			return -1;
	}
	r = calloc(1, sizeof *r);
	if (!r)
		return ctr_fail_mem(e);
	r->src = (struct ctr_oci_source){ resolve, blob, release };
	r->o = *o;
	if (ctr_http_new(&http, &r->http, e) < 0 ||
	    ctr_regauth_new(r->http, &o->creds, o->log, &r->auth, e) < 0) {
		release(&r->src);
		return -1;
	}
	*out = &r->src;
	return 0;
}

uint64_t ctr_registry_requests(const struct ctr_oci_source *s)
{
	return ctr_http_requests(((const struct registry *)s)->http);
}
