/* Drives lib/registry.c for tests/bats/registry.bats: regget [options] REGISTRY REPOSITORY TAG|DIGEST */
#include <pthread.h>
#include <signal.h>
#include <string.h>

#include "json.h"
#include "registry.h"
#include "tool.h"

#define MANY 16

struct opts {
	struct ctr_registry_opts reg;
	const char *mirror[MANY + 1], *plain[MANY + 1];
	struct ctr_cred_file cred[MANY];
	size_t nmirror, nplain;
	const char *blob; /* DIGEST,SIZE */
	bool blobs;
};

enum { CA = 1, CREDS, PLAIN, MIRROR, BLOB, BLOBS, TRIES, TOTAL, PROXY };

static const struct ctr_opt table[] = {
	{ CA, "ca", 0, "FILE", "roots of trust" },
	{ CREDS, "creds", 0, "FILE", "credentials (repeatable)" },
	{ PLAIN, "plain", 0, "HOST", "plain HTTP (repeatable)" },
	{ MIRROR, "mirror", 0, "HOST=URL", "mirror (repeatable)" },
	{ BLOB, "blob", 0, "DIGEST,SIZE", "fetch one blob instead of the manifest" },
	{ BLOBS, "blobs", 0, NULL, "fetch all blobs of the manifest at once" },
	{ TRIES, "tries", 0, "N", "tries" },
	{ TOTAL, "total", 0, "SECONDS", "for one transfer" },
	{ PROXY, "proxy", 0, "URL", "proxy" },
	{ 0 },
};

static struct ctr_tool tool = {
	.name = "regget", .synopsis = "[options] REGISTRY REPOSITORY TAG|DIGEST",
	.summary = "Fetches from a registry.", .example = "regget docker.io library/busybox latest",
	.opts = table,
};

static atomic_bool stop;

static void on_int(int sig)
{
	(void)sig;
	atomic_store(&stop, true);
}

static int on_opt(void *ctx, int id, const char *v, struct ctr_err *e)
{
	struct opts *o = ctx;
	uint64_t n = 0;

	if (o->nmirror == MANY || o->nplain == MANY || o->reg.creds.nfile == MANY)
		return ctr_fail(e, CTR_USAGE, "usage", "too many");
	if ((id == TRIES || id == TOTAL) && ctr_number(v, "number", 1, 1000, &n, e) < 0)
		return -1;
	switch (id) {
	case CA: o->reg.http.ca_file = v; break;
	case CREDS: o->cred[o->reg.creds.nfile++].path = v; break;
	case PLAIN: o->plain[o->nplain++] = v; break;
	case MIRROR: o->mirror[o->nmirror++] = v; break;
	case BLOB: o->blob = v; break;
	case BLOBS: o->blobs = true; break;
	case TRIES: o->reg.http.tries = (unsigned)n; break;
	case TOTAL: o->reg.http.total_s = (unsigned)n; break;
	case PROXY: o->reg.http.http_proxy = o->reg.http.https_proxy = v; break;
	}
	return 0;
}

struct job {
	struct ctr_oci_source *src;
	const struct ctr_imgref *ref;
	struct ctr_oci_desc desc;
	uint64_t n;
	bool found;
	int rc;
	struct ctr_err e;
};

static int count(void *ctx, const void *p, size_t n, struct ctr_err *e)
{
	struct job *j = ctx;

	(void)p, (void)e;
	j->n += n;
	return 0;
}

static void *run_job(void *ctx)
{
	struct job *j = ctx;

	j->rc = j->src->blob(j->src, j->ref, &j->desc, count, j, &j->found, &j->e);
	return NULL;
}

static int report(const struct job *j, struct ctr_err *e)
{
	if (j->rc < 0)
		return ctr_err_pass(e, &j->e);
	if (!j->found)
		return ctr_fail(e, CTR_NO, "regget.missing", "%s: not found", j->desc.digest);
	printf("blob %s %llu\n", j->desc.digest, (unsigned long long)j->n);
	return 0;
}

static int add_job(struct job *j, const struct ctr_jval *v, struct ctr_err *e)
{
	struct ctr_jval d = ctr_jget(v, "digest"), s = ctr_jget(v, "size");
	const char *digest;

	if (ctr_jstring(&d, &digest, e) < 0 || ctr_juint(&s, (uint64_t)1 << 50, &j->desc.size, e) < 0)
		return -1;
	snprintf(j->desc.digest, sizeof j->desc.digest, "%s", digest);
	return 0;
}

/* The config and all layers, each in a thread of its own. */
static int all_blobs(struct ctr_oci_source *src, const struct ctr_imgref *ref,
		     const struct ctr_buf *body, struct ctr_err *e)
{
	ctr_auto_json struct ctr_json *j = NULL;
	struct job jobs[MANY] = { 0 };
	pthread_t threads[MANY];
	struct ctr_jval root, config, layers;
	size_t n = 0;
	int rc = 0;

	if (ctr_json_parse("manifest", ctr_buf_str(body), body->n, &j, e) < 0)
		return -1;
	root = ctr_jroot(j);
	config = ctr_jget(&root, "config");
	layers = ctr_jget(&root, "layers");
	if (add_job(&jobs[n++], &config, e) < 0)
		return -1;
	for (struct ctr_jval l = ctr_jfirst(&layers); l.v && n < MANY; l = ctr_jnext(&l)) {
		if (add_job(&jobs[n++], &l, e) < 0)
			return -1;
	}
	for (size_t i = 0; i < n; i++) {
		jobs[i].src = src;
		jobs[i].ref = ref;
		if (pthread_create(&threads[i], NULL, run_job, &jobs[i]) != 0)
			abort();
	}
	for (size_t i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = report(&jobs[i], e);
	return rc;
}

static int fetch(const struct opts *o, struct ctr_oci_source *src, const struct ctr_imgref *ref,
		 struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf body = { 0 };
	char digest[CTR_OCI_DIGEST];
	bool found;

	if (o->blob) {
		struct job j = { .src = src, .ref = ref };
		const char *comma = strchr(o->blob, ',');

		if (!comma || ctr_number(comma + 1, "size", 0, UINT64_MAX, &j.desc.size, e) < 0)
			return ctr_fail(e, CTR_USAGE, "usage", "--blob=DIGEST,SIZE");
		snprintf(j.desc.digest, sizeof j.desc.digest, "%.*s", (int)(comma - o->blob), o->blob);
		run_job(&j);
		return report(&j, e);
	}
	if (src->resolve(src, ref, &body, digest, &found, e) < 0)
		return -1;
	if (!found)
		return ctr_fail(e, CTR_NO, "regget.missing", "%s: not found", ref->repository);
	printf("manifest %s %zu\n", digest, body.n);
	return o->blobs ? all_blobs(src, ref, &body, e) : 0;
}

int main(int argc, char **argv)
{
	struct opts o = { 0 };
	struct ctr_imgref ref = { 0 };
	struct ctr_oci_source *src;
	struct ctr_err e = { 0 };
	int first, rc;

	ctr_tool_init(&tool);
	signal(SIGINT, on_int);
	signal(SIGTERM, on_int);
	if (ctr_tool_opts(&tool, argc, argv, on_opt, &o, &first, &e) < 0)
		return ctr_tool_die(&tool, &e);
	if (tool.served)
		return ctr_tool_close(&tool);
	if (argc - first != 3) {
		ctr_fail(&e, CTR_USAGE, "usage", "expected three operands");
		return ctr_tool_die(&tool, &e);
	}
	snprintf(ref.registry, sizeof ref.registry, "%s", argv[first]);
	snprintf(ref.repository, sizeof ref.repository, "%s", argv[first + 1]);
	if (strncmp(argv[first + 2], "sha256:", 7) == 0)
		snprintf(ref.digest, sizeof ref.digest, "%s", argv[first + 2]);
	else
		snprintf(ref.tag, sizeof ref.tag, "%s", argv[first + 2]);
	o.reg.mirrors = o.mirror;
	o.reg.plain = o.plain;
	o.reg.creds.file = o.cred;
	o.reg.log = &tool.log;
	o.reg.http.stop = &stop;
	o.reg.http.backoff_ms = 50;
	if (ctr_registry_new(&o.reg, &src, &e) < 0)
		return ctr_tool_die(&tool, &e);
	rc = fetch(&o, src, &ref, &e);
	printf("requests %llu\n", (unsigned long long)ctr_registry_requests(src));
	src->free(src);
	return rc < 0 ? ctr_tool_die(&tool, &e) : ctr_tool_close(&tool);
}
