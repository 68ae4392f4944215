#include "layerset.h"

#include <pthread.h>
#include <search.h>
#include <stdatomic.h>
#include <string.h>

#define THREADS_MAX 64
#define DERIVED_MAX ((size_t)16 * 1024 * 1024)

struct known {
	char digest[CTR_OCI_DIGEST];
	struct layer *layer;
};

struct layerset {
	struct layerset_opts o;
	void *tree; /* struct known by digest */
};

static int by_digest(const void *a, const void *b)
{
	const struct known *x = a, *y = b;

	return strcmp(x->digest, y->digest);
}

int layerset_new(const struct layerset_opts *o, struct layerset **out, struct ctr_err *e)
{
	struct layerset *s = calloc(1, sizeof *s);

	*out = NULL;
	if (!s)
		return ctr_fail_mem(e);
	s->o = *o;
	*out = s;
	return 0;
}

static void known_free(void *p)
{
	struct known *k = p;

	layer_free(k->layer);
	free(k);
}

void layerset_free(struct layerset *s)
{
	if (!s)
		return;
	tdestroy(s->tree, known_free);
	free(s);
}

static const struct layer *lookup(const struct layerset *s, const char *digest)
{
	struct known key = { .layer = NULL };
	struct known *const *hit;

	memcpy(key.digest, digest, sizeof key.digest);
	hit = tfind(&key, &s->tree, by_digest);
	return hit ? (*hit)->layer : NULL;
}

/* Takes the layer over. */
static int remember(struct layerset *s, const char *digest, struct layer *l, struct ctr_err *e)
{
	struct known *k = calloc(1, sizeof *k);
	struct known **at = NULL;

	if (k) {
		memcpy(k->digest, digest, sizeof k->digest);
		at = tsearch(k, &s->tree, by_digest);
	}
	if (!at) {
		free(k);
		layer_free(l);
		return ctr_fail_mem(e);
	}
	if (*at != k) {
		free(k);
		layer_free((*at)->layer);
	}
	(*at)->layer = l;
	return 0;
}

static int from_store(struct layerset *s, const char *digest, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf b = { 0 };
	auto_layer struct layer *l = NULL;
	bool found = false;

	if (!s->o.store || lookup(s, digest))
		return 0;
	if (ctr_store_get(s->o.store, CTR_STORE_DERIVED, digest + 7, DERIVED_MAX, &b, &found, e) <
	    0)
		return -1;
	/* a file that is no use is written anew */
	if (!found || layer_parse(ctr_buf_str(&b), b.n, &l, NULL) < 0)
		return 0;
	return remember(s, digest, ctr_give(l), e);
}

static int to_store(struct layerset *s, const char *digest, const struct layer *l,
		    struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf b = { 0 };

	if (!s->o.store)
		return 0;
	if (layer_build(l, &b, e) < 0)
		return -1;
	return ctr_store_put(s->o.store, CTR_STORE_DERIVED, digest + 7, b.p, b.n, e);
}

/* What the threads share: they take tasks in order, so that a failure leaves none before it undone.
 */
struct task {
	const struct layer_job *job;
	struct paths paths;
	struct layer_want want;
	struct layer *layer;
	struct ctr_err e;
};

struct pool {
	const struct layerset *s;
	const struct ctr_imgref *ref;
	struct task *v;
	size_t n;
	atomic_size_t next;
	atomic_bool failed;
};

struct counted {
	struct layer_reader *reader;
	struct ctr_progress *progress;
};

static int add_counted(void *ctx, const void *p, size_t n, struct ctr_err *e)
{
	struct counted *c = ctx;

	ctr_progress_add(c->progress, n);
	return layer_reader_add(c->reader, p, n, e);
}

static int read_layer(const struct pool *p, struct task *t)
{
	auto_layer_reader struct layer_reader *r = NULL;
	const struct ctr_oci_desc *d = t->job->desc;
	struct counted to = { .progress = p->s->o.progress };
	bool found = false;

	if (layer_reader_new(d->media_type, &t->want, &r, &t->e) < 0)
		return -1;
	to.reader = r;
	for (size_t i = 0; i < p->s->o.n_src && !found; i++) {
		struct ctr_oci_source *src = p->s->o.src[i];

		if (src->blob(src, p->ref, d, add_counted, &to, &found, &t->e) < 0)
			return -1;
	}
	if (!found)
		return ctr_fail(&t->e, CTR_ENV, "image.missing", "no source has it");
	return layer_reader_end(r, t->job->diff_id, &t->layer, &t->e);
}

static void *work(void *arg)
{
	struct pool *p = arg;

	while (!atomic_load(&p->failed)) {
		size_t i = atomic_fetch_add(&p->next, 1);

		if (i >= p->n)
			break;
		if (read_layer(p, &p->v[i]) < 0)
			atomic_store(&p->failed, true);
	}
	return NULL;
}

/* The calling thread works too, so that the pool needs no more than there are. */
static void run(struct pool *p, unsigned threads)
{
	pthread_t id[THREADS_MAX];
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	size_t n = threads ? threads : cores > 0 ? (size_t)cores : 1, started = 0;

	n = n < p->n ? n : p->n;
	n = n < THREADS_MAX ? n : THREADS_MAX;
	while (started + 1 < n && pthread_create(&id[started], NULL, work, p) == 0)
		started++;
	work(p);
	for (size_t i = 0; i < started; i++)
		pthread_join(id[i], NULL);
}

/* As run, and says how far it is: all layers of the image together. */
static void run_loudly(struct pool *p, const struct layerset_opts *o)
{
	const struct ctr_imgref *ref = p->ref;
	uint64_t total = 0;
	char what[700];

	for (size_t i = 0; i < p->n; i++)
		total += p->v[i].job->desc->size;
	snprintf(what, sizeof what, "%s/%s%s%s", ref->registry, ref->repository, ref->tag[0] ? ":" : "",
		 ref->tag);
	ctr_progress_begin(o->progress, what, total);
	run(p, o->threads);
	ctr_progress_end(o->progress);
}

static int finish(struct layerset *s, struct pool *p, struct ctr_err *e)
{
	int rc = 0;

	for (size_t i = 0; i < p->n; i++) {
		struct task *t = &p->v[i];

		if (rc == 0 && t->e.code != CTR_OK) {
			*e = t->e;
			rc = ctr_wrap(e, "layer %s", t->job->desc->digest);
		}
		if (rc == 0 && to_store(s, t->job->desc->digest, t->layer, e) < 0)
			rc = -1;
		if (rc == 0)
			rc = remember(s, t->job->desc->digest, t->layer, e);
		else
			layer_free(t->layer);
	}
	return rc;
}

static bool planned(const struct pool *p, const char *digest)
{
	for (size_t i = 0; i < p->n; i++) {
		if (strcmp(p->v[i].job->desc->digest, digest) == 0)
			return true;
	}
	return false;
}

/* What is wanted now and what an earlier reading found out: this one replaces it. */
static int add_task(struct pool *p, const struct layer_job *job, const struct layer_want *want,
		    const struct layer *known, struct ctr_err *e)
{
	struct task *t = &p->v[p->n];

	t->job = job;
	t->want = *want;
	t->want.paths = &t->paths;
	if (paths_copy(&t->paths, want->paths, e) < 0)
		return -1;
	p->n++;
	for (size_t i = 0; known && i < known->tree.paths.n; i++) {
		if (paths_add(&t->paths, known->tree.paths.v[i], known->tree.paths.leaf[i], e) < 0)
			return -1;
	}
	if (known && known->verity_root[0] && known->no_salt == want->no_salt)
		t->want.verity = true;
	return 0;
}

/* One task for each layer that is not known well enough; images like to repeat the empty layer. */
static int plan(struct layerset *s, struct pool *p, const struct layer_job *job, size_t n,
		const struct layer_want *want, struct ctr_err *e)
{
	for (size_t i = 0; i < n; i++) {
		const char *digest = job[i].desc->digest;
		const struct layer *known;

		if (planned(p, digest))
			continue;
		if (from_store(s, digest, e) < 0)
			return -1;
		known = lookup(s, digest);
		if (!(known && layer_serves(known, want)) &&
		    add_task(p, &job[i], want, known, e) < 0)
			return -1;
	}
	return 0;
}

int layerset_load(struct layerset *s, const struct ctr_imgref *ref, struct layer_job *job, size_t n,
		  const struct layer_want *want, struct ctr_err *e)
{
	struct pool p = { .s = s, .ref = ref };
	int rc;

	p.v = calloc(n ? n : 1, sizeof *p.v);
	if (!p.v)
		return ctr_fail_mem(e);
	rc = plan(s, &p, job, n, want, e);
	if (rc == 0) {
		if (p.n)
			run_loudly(&p, &s->o);
		rc = finish(s, &p, e);
	}
	for (size_t i = 0; i < p.n; i++)
		paths_fini(&p.v[i].paths);
	free(p.v);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		job[i].layer = lookup(s, job[i].desc->digest);
		if (layer_check(job[i].layer, job[i].diff_id, e) < 0)
			rc = ctr_wrap(e, "layer %s", job[i].desc->digest);
	}
	return rc;
}
