#include "config.h"

#include <string.h>

#include "enc.h"

#define LOWER "abcdefghijklmnopqrstuvwxyz0123456789-"
#define FILE_MAX ((size_t)1024 * 1024)

bool config_handler_ok(const char *s)
{
	size_t n = strlen(s);

	return n > 0 && n <= 50 && strspn(s, LOWER) == n && s[0] != '-' && s[n - 1] != '-';
}

/* REGISTRY/REPOSITORY[:TAG]@sha256:DIGEST[#NAME]: what a tag means today is not asked. */
static int take_oci(const struct ctr_jval *v, struct config_file *f, struct ctr_err *e)
{
	const char *ref = f->url + strlen("oci://"), *mark = strchr(ref, '#');
	ctr_auto char *name = strndup(ref, strcspn(ref, "#"));
	struct ctr_err why = { 0 };

	if (!name)
		return ctr_fail_mem(e);
	f->title = mark ? mark + 1 : NULL;
	if (strchr(name, '/') && ctr_imgref_parse(name, &f->ref, &why) == 0 && f->ref.digest[0] &&
	    (!mark || mark[1]))
		return 0;
	return ctr_jfail(v, e, "config.url",
			 "%s (expected oci://REGISTRY/REPOSITORY[:TAG]@sha256:DIGEST[#FILE])",
			 f->url);
}

static int take_url(const struct ctr_jval *v, struct config_file *f, struct ctr_err *e)
{
	if (ctr_jstring(v, &f->url, e) < 0)
		return -1;
	if (strncmp(f->url, "file:///", 8) == 0 || strncmp(f->url, "https://", 8) == 0)
		return 0;
	if (strncmp(f->url, "oci://", 6) == 0)
		return take_oci(v, f, e);
	return ctr_jfail(v, e, "config.url", "%s (expected file:///..., https://... or oci://...)",
			 f->url);
}

/* Parts of letters, digits, '.', '_', '-', none of them "." or "..". */
static bool path_ok(const char *s)
{
	size_t n = strlen(s);

	if (n == 0 || n > 200 || s[n - 1] == '/')
		return false;
	while (*s) {
		size_t len = strcspn(s, "/");

		if (len == 0 || s[0] == '.' ||
		    strspn(s, LOWER "ABCDEFGHIJKLMNOPQRSTUVWXYZ._") < len)
			return false;
		s += len + (s[len] == '/');
	}
	return true;
}

/* The same file, or one below the other. */
static bool clash(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b), k = n < m ? n : m;

	return strncmp(a, b, k) == 0 && (n == m || (n < m ? b : a)[k] == '/');
}

static int take_path(const struct ctr_jval *v, struct config *c, struct config_file *f,
		     struct ctr_err *e)
{
	if (ctr_jstring(v, &f->path, e) < 0)
		return -1;
	if (strncmp(f->path, CONFIG_BASE, strlen(CONFIG_BASE)) != 0 ||
	    !path_ok(f->path + strlen(CONFIG_BASE)))
		return ctr_jfail(v, e, "config.path",
				 "%s (expected " CONFIG_BASE "name, plain names)", f->path);
	f->path += strlen(CONFIG_BASE);
	if (clash(f->path, CONFIG_KATA) || clash(f->path, CONFIG_RECORD))
		return ctr_jfail(v, e, "config.path", "%s is written by the installer", f->path);
	for (size_t i = 0; i < c->n; i++) {
		if (clash(f->path, c->file[i].path))
			return ctr_jfail(v, e, "config.path", "%s is there for the second time",
					 f->path);
	}
	return 0;
}

static int take_mode(const struct ctr_jval *v, struct config_file *f, struct ctr_err *e)
{
	const char *s;

	f->mode = strncmp(f->path, "bin/", 4) == 0 ? 0755 : 0644;
	if (!ctr_jhas(v))
		return 0;
	if (ctr_jstring(v, &s, e) < 0)
		return -1;
	if (strlen(s) != 4 || s[0] != '0' || strspn(s, "01234567") != 4)
		return ctr_jfail(v, e, "config.mode",
				 "%s (expected four octal digits such as 0755)", s);
	f->mode = (unsigned)strtoul(s, NULL, 8);
	if ((f->mode & 022) || !(f->mode & 0400))
		return ctr_jfail(v, e, "config.mode", "%s: only the owner may write, and must read",
				 s);
	return 0;
}

static int take_integrity(const struct ctr_jval *v, struct config_file *f, struct ctr_err *e)
{
	static const char *const word[] = {
		[CTR_SHA256] = "sha256-", [CTR_SHA384] = "sha384-", [CTR_SHA512] = "sha512-"
	};
	ctr_auto_buf struct ctr_buf b = { 0 };
	struct ctr_err why = { 0 };
	const char *s;

	if (!ctr_jhas(v)) {
		if (strncmp(f->url, "file:", 5) == 0)
			return 0;
		return ctr_jfail(v, e, "config.integrity",
				 "absent (only files of this machine may do without)");
	}
	if (ctr_jstring(v, &s, e) < 0)
		return -1;
	for (size_t i = 0; i < sizeof word / sizeof *word; i++) {
		if (strncmp(s, word[i], 7) != 0)
			continue;
		f->alg = (enum ctr_hash_alg)i;
		if (ctr_base64_parse(s + 7, strlen(s + 7), &b, &why) < 0 ||
		    b.n != ctr_hash_size(f->alg))
			break;
		memcpy(f->digest, b.p, b.n);
		f->pinned = true;
		return 0;
	}
	return ctr_jfail(v, e, "config.integrity",
			 "%s (expected sha256-, sha384- or sha512- and base64)", s);
}

static int take_file(const struct ctr_jval *v, struct config *c, struct ctr_err *e)
{
	static const char *const keys[] = { "url", "path", "integrity", "mode", NULL };
	struct ctr_jval url = ctr_jget(v, "url"), path = ctr_jget(v, "path"),
			mode = ctr_jget(v, "mode"), sri = ctr_jget(v, "integrity");
	struct config_file *f = &c->file[c->n];

	if (c->n == CONFIG_FILES)
		return ctr_jfail(v, e, "config.value", "more than %d files", CONFIG_FILES);
	if (ctr_jobject(v, e) < 0 || ctr_jonly(v, keys, e) < 0 || take_url(&url, f, e) < 0 ||
	    take_path(&path, c, f, e) < 0 || take_mode(&mode, f, e) < 0 ||
	    take_integrity(&sri, f, e) < 0)
		return -1;
	c->n++;
	return 0;
}

static int take_snapshotter(const struct ctr_jval *v, struct config *c, struct ctr_err *e)
{
	static const char *const keys[] = { "name", "address", NULL };
	struct ctr_jval name = ctr_jget(v, "name"), address = ctr_jget(v, "address");

	if (!ctr_jhas(v))
		return 0;
	if (ctr_jobject(v, e) < 0 || ctr_jonly(v, keys, e) < 0 ||
	    ctr_jstring(&name, &c->snapshotter, e) < 0)
		return -1;
	if (!config_handler_ok(c->snapshotter))
		return ctr_jfail(&name, e, "config.snapshotter", "%s (expected a-z, 0-9 and -)",
				 c->snapshotter);
	if (!ctr_jhas(&address))
		return 0;
	if (ctr_jstring(&address, &c->address, e) < 0)
		return -1;
	if (c->address[0] != '/')
		return ctr_jfail(&address, e, "config.snapshotter",
				 "%s (expected the path of a socket)", c->address);
	return 0;
}

/* A value that goes into Kata's configuration. */
static int take_text(const struct ctr_jval *top, const char *key, const char **to,
		     struct ctr_err *e)
{
	struct ctr_jval v = ctr_jget(top, key);

	*to = "";
	if (!ctr_jhas(&v))
		return 0;
	if (ctr_jstring(&v, to, e) < 0)
		return -1;
	for (const char *s = *to; *s; s++) {
		if (*s < ' ' || *s > '~')
			return ctr_jfail(&v, e, "config.value", "not printable ASCII");
	}
	return 0;
}

static int take_kata(const struct ctr_jval *top, struct config *c, struct ctr_err *e)
{
	struct ctr_jval platform = ctr_jget(top, "platform"), debug = ctr_jget(top, "debug"),
			files = ctr_jget(top, "files");
	const char *name, *missing;

	if (ctr_jstring(&platform, &name, e) < 0)
		return -1;
	c->kata.platform = kata_platform(name);
	if (!c->kata.platform)
		return ctr_jfail(&platform, e, "config.platform", "%s (expected one of %s)", name,
				 kata_platforms());
	if ((ctr_jhas(&debug) && ctr_jbool(&debug, &c->kata.debug, e) < 0) ||
	    take_text(top, "kernelParams", &c->kata.kernel_params, e) < 0 ||
	    take_text(top, "snpIDBlock", &c->kata.id_block, e) < 0 ||
	    take_text(top, "snpIDAuth", &c->kata.id_auth, e) < 0)
		return -1;
	for (size_t i = 0; (missing = kata_needs(c->kata.platform, i)); i++) {
		size_t k = 0;

		while (k < c->n && strcmp(c->file[k].path, missing) != 0)
			k++;
		if (k == c->n)
			return ctr_jfail(&files, e, "config.file",
					 CONFIG_BASE "%s is missing, which %s needs", missing,
					 name);
	}
	return 0;
}

static int take(const struct ctr_jval *top, struct config *c, struct ctr_err *e)
{
	static const char *const keys[] = { "files",	  "runtimeHandlerName", "platform",
					    "debug",	  "snapshotter",	"kernelParams",
					    "snpIDBlock", "snpIDAuth",		NULL };
	struct ctr_jval files = ctr_jget(top, "files"),
			handler = ctr_jget(top, "runtimeHandlerName"),
			snap = ctr_jget(top, "snapshotter");

	if (ctr_jobject(top, e) < 0 || ctr_jonly(top, keys, e) < 0 ||
	    ctr_jstring(&handler, &c->handler, e) < 0)
		return -1;
	if (!config_handler_ok(c->handler))
		return ctr_jfail(&handler, e, "config.handler",
				 "%s (expected up to 50 of a-z, 0-9 and -)", c->handler);
	if (ctr_jarray(&files, e) < 0 || take_snapshotter(&snap, c, e) < 0)
		return -1;
	for (struct ctr_jval f = ctr_jfirst(&files); f.v; f = ctr_jnext(&f)) {
		if (take_file(&f, c, e) < 0)
			return -1;
	}
	return take_kata(top, c, e);
}

int config_load(const char *path, struct config *c, struct ctr_err *e)
{
	struct ctr_jval top;
	int rc;

	if (ctr_json_load(path, FILE_MAX, &c->json, e) < 0)
		return -1;
	top = ctr_jroot(c->json);
	rc = take(&top, c, e);
	return rc < 0 ? ctr_wrap(e, "%s", path) : 0;
}

void config_free(struct config *c)
{
	ctr_json_free(c->json);
	c->json = NULL;
}
