#include "regcred.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "credhelper.h"
#include "enc.h"
#include "file.h"
#include "json.h"

#define HELPER_S 60

void ctr_cred_init(struct ctr_cred *c)
{
	*c = (struct ctr_cred){ .user.wipe = true, .secret.wipe = true };
}

void ctr_cred_free(struct ctr_cred *c)
{
	ctr_buf_free(&c->user);
	ctr_buf_free(&c->secret);
	ctr_buf_free(&c->source);
}

static bool has(const struct ctr_buf *b)
{
	return b->n > 0;
}

/* host[0..n) is `registry`, or another of Docker Hub's names when that is what registry is. */
static bool same_host(const char *host, size_t n, const char *registry)
{
	static const char *const hub[] = { "index.docker.io", "registry-1.docker.io" };

	if (strlen(registry) == n && strncasecmp(host, registry, n) == 0)
		return true;
	for (size_t i = 0; i < sizeof hub / sizeof *hub && strcmp(registry, "docker.io") == 0; i++) {
		if (strlen(hub[i]) == n && strncasecmp(host, hub[i], n) == 0)
			return true;
	}
	return false;
}

size_t ctr_cred_match(const char *key, const char *registry, const char *repository)
{
	size_t scheme = strncasecmp(key, "https://", 8) == 0  ? 8
			: strncasecmp(key, "http://", 7) == 0 ? 7
							      : 0;
	const char *host = key + scheme, *path;
	size_t n = strcspn(host, "/"), len;

	if (n == 0 || !same_host(host, n, registry))
		return 0;
	path = host + n;
	path += *path == '/';
	len = strlen(path);
	if (len > 0 && path[len - 1] == '/')
		len--;
	if (scheme && len == 2 && (strncmp(path, "v1", 2) == 0 || strncmp(path, "v2", 2) == 0))
		len = 0;
	if (len == 0)
		return 1;
	if (strncmp(path, repository, len) != 0 || (repository[len] != '/' && repository[len] != '\0'))
		return 0;
	return 1 + len;
}

/* The member of obj (auths or credHelpers) that fits best; *fit says how well. */
static struct ctr_jval best(const struct ctr_jval *obj, const char *registry,
			    const char *repository, size_t *fit)
{
	struct ctr_jval found = { 0 };

	*fit = 0;
	for (struct ctr_jval c = ctr_jfirst(obj); c.v && c.key; c = ctr_jnext(&c)) {
		size_t n = ctr_cred_match(c.key, registry, repository);

		if (n > *fit) {
			*fit = n;
			found = c;
		}
	}
	return found;
}

/* A member that may be absent, else a string. */
static int text(const struct ctr_jval *obj, const char *key, const char **s, struct ctr_err *e)
{
	struct ctr_jval v = ctr_jget(obj, key);

	*s = NULL;
	return ctr_jhas(&v) ? ctr_jstring(&v, s, e) : 0;
}

/* base64 of user:password; some writers pad the password with NUL bytes. */
static int split_auth(const char *auth, struct ctr_cred *c, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf plain = { .wipe = true };
	const char *colon;
	size_t n;

	if (ctr_base64_parse(auth, strlen(auth), &plain, e) < 0)
		return -1;
	for (n = plain.n; n > 0 && plain.p[n - 1] == '\0';)
		n--;
	colon = n ? memchr(plain.p, ':', n) : NULL;
	if (!colon || memchr(plain.p, '\0', n))
		return ctr_fail(e, CTR_FORMAT, "base64", "not user:password");
	ctr_buf_add(&c->user, plain.p, (size_t)(colon - plain.p));
	ctr_buf_add(&c->secret, colon + 1, n - (size_t)(colon - plain.p) - 1);
	return 0;
}

static int read_entry(const struct ctr_jval *v, struct ctr_cred *c, struct ctr_err *e)
{
	const char *auth, *user, *password, *token;
	struct ctr_err why = { 0 };

	if (ctr_jobject(v, e) < 0 || text(v, "auth", &auth, e) < 0 ||
	    text(v, "username", &user, e) < 0 || text(v, "password", &password, e) < 0 ||
	    text(v, "identitytoken", &token, e) < 0)
		return -1;
	if (token && *token) {
		c->identity = true;
		ctr_buf_adds(&c->secret, token);
	} else if (auth && *auth) {
		if (split_auth(auth, c, &why) < 0)
			return ctr_jfail(v, e, "registry.credentials", "auth: %s", why.msg);
	} else if (user && *user && password) {
		if (strchr(user, ':'))
			return ctr_jfail(v, e, "registry.credentials", "username: holds a colon");
		ctr_buf_adds(&c->user, user);
		ctr_buf_adds(&c->secret, password);
	}
	return 0;
}

/* The answer of a helper: {"ServerURL":…,"Username":…,"Secret":…}. */
static int ask_helper(const struct ctr_cred_opts *o, const char *name, const char *registry,
		      struct ctr_cred *c, struct ctr_err *e)
{
	/* Docker's own name for its registry, under which its tools store the login */
	bool hub = strcmp(registry, "docker.io") == 0;
	const char *server = hub ? "https://index.docker.io/v1/" : registry;
	ctr_auto_buf struct ctr_buf out = { .wipe = true };
	ctr_auto_json_secret struct ctr_json *j = NULL;
	const char *user, *secret;
	struct ctr_err why = { 0 };
	struct ctr_jval root;
	bool found;

	if (ctr_credhelper_get(name, server, o->helper_s ? o->helper_s : HELPER_S, &out, &found,
			       e) < 0)
		return -1;
	if (!found)
		return 0;
	if (ctr_json_parse("answer", ctr_buf_str(&out), out.n, &j, &why) < 0)
		return ctr_fail(e, CTR_ENV, "registry.helper",
				"docker-credential-%s: its answer is no JSON", name);
	root = ctr_jroot(j);
	if (text(&root, "Username", &user, &why) < 0 || text(&root, "Secret", &secret, &why) < 0 ||
	    !secret || !user || strchr(user, ':'))
		return ctr_fail(e, CTR_ENV, "registry.helper",
				"docker-credential-%s: its answer lacks a user or secret", name);
	c->identity = strcmp(user, "<token>") == 0;
	ctr_buf_adds(&c->user, user);
	ctr_buf_adds(&c->secret, secret);
	ctr_buf_addf(&c->source, "docker-credential-%s", name);
	return 0;
}

/* Looks through one file; c stays empty when it has nothing. */
static int in_file(const struct ctr_cred_opts *o, const char *path, const struct ctr_json *j,
		   const char *registry, const char *repository, struct ctr_cred *c,
		   struct ctr_err *e)
{
	struct ctr_jval root = ctr_jroot(j), auths, helpers, auth, helper;
	size_t auth_fit, helper_fit;
	const char *name;

	if (ctr_jobject(&root, e) < 0)
		return -1;
	auths = ctr_jget(&root, "auths");
	helpers = ctr_jget(&root, "credHelpers");
	if ((ctr_jhas(&auths) && ctr_jobject(&auths, e) < 0) ||
	    (ctr_jhas(&helpers) && ctr_jobject(&helpers, e) < 0))
		return -1;
	auth = best(&auths, registry, repository, &auth_fit);
	helper = best(&helpers, registry, repository, &helper_fit);
	if (helper_fit > 0 && helper_fit >= auth_fit) {
		if (ctr_jstring(&helper, &name, e) < 0)
			return -1;
		return ask_helper(o, name, registry, c, e);
	}
	if (auth_fit > 0) {
		if (read_entry(&auth, c, e) < 0)
			return -1;
		if (has(&c->secret))
			ctr_buf_addf(&c->source, "%s (entry \"%s\")", path, auth.key);
		if (has(&c->secret) || c->user.bad || c->secret.bad)
			return 0;
	}
	/* an empty entry is what Docker leaves behind when the secret is in the store */
	if (text(&root, "credsStore", &name, e) < 0)
		return -1;
	return name && *name ? ask_helper(o, name, registry, c, e) : 0;
}

static int find_in(const struct ctr_cred_opts *o, const struct ctr_cred_file *f, const char *registry,
		   const char *repository, struct ctr_cred *c, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf raw = { .wipe = true };
	ctr_auto_json_secret struct ctr_json *j = NULL;
	struct ctr_err why = { 0 };

	if (ctr_file_read(f->path, CTR_CRED_FILE_MAX, &raw, &why) < 0) {
		if (!f->required && (why.sys == ENOENT || why.sys == ENOTDIR))
			return 0;
		return ctr_err_pass(e, &why);
	}
	if (ctr_json_parse(f->path, ctr_buf_str(&raw), raw.n, &j, &why) < 0) {
		ctr_fail(e, CTR_FORMAT, "registry.credentials", "%s", why.msg);
		return ctr_err_at(e, f->path, why.line, why.col);
	}
	if (in_file(o, f->path, j, registry, repository, c, &why) == 0)
		return 0;
	if (why.code == CTR_FORMAT)
		why.id = "registry.credentials";
	ctr_wrap(&why, "%s", f->path);
	return ctr_err_pass(e, &why);
}

int ctr_cred_find(const struct ctr_cred_opts *o, const char *registry, const char *repository,
		  struct ctr_cred *c, bool *found, struct ctr_err *e)
{
	*found = false;
	for (size_t i = 0; i < o->nfile && !*found; i++) {
		if (find_in(o, &o->file[i], registry, repository, c, e) < 0)
			return -1;
		if (ctr_buf_ok(&c->user, "user name", e) < 0 ||
		    ctr_buf_ok(&c->secret, "secret", e) < 0 ||
		    ctr_buf_ok(&c->source, "source", e) < 0)
			return -1;
		*found = has(&c->secret);
	}
	return 0;
}

void ctr_cred_places(const struct ctr_cred_opts *o, struct ctr_buf *b)
{
	for (size_t i = 0; i < o->nfile; i++)
		ctr_buf_addf(b, "%s%s", i ? ", " : "looked in ", o->file[i].path);
	if (o->nfile == 0)
		ctr_buf_adds(b, "no credential file was named");
}
