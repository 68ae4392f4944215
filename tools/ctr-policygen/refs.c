#include "refs.h"

#include <string.h>

#include "arena.h"

/* Documents kept parsed; a pod rarely needs more at once. */
#define KEEP 16

struct ref {
	enum ctr_k8s_kind kind;
	const char *ns, *name; /* ns "" when the object does not say */
	const char *file;
	unsigned line0;
	uint64_t at;
	size_t n;
	size_t item; /* which object of its document */
};

struct kept {
	uint64_t at, used;
	struct ctr_yaml *y;
};

struct refs {
	struct ctr_spool *stream;
	struct arena mem;
	struct ref *v;
	size_t n;
	bool sorted;
	struct kept kept[KEEP];
	uint64_t clock;
};

int refs_new(struct ctr_spool *stream, struct refs **out, struct ctr_err *e)
{
	*out = calloc(1, sizeof **out);
	if (!*out)
		return ctr_fail_mem(e);
	(*out)->stream = stream;
	return 0;
}

void refs_free(struct refs *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < KEEP; i++)
		ctr_yaml_free(r->kept[i].y);
	arena_free(&r->mem);
	free(r);
}

void refs_cleanup(struct refs **r)
{
	refs_free(*r);
}

static bool wanted(enum ctr_k8s_kind k)
{
	return k == CTR_K8S_CONFIGMAP || k == CTR_K8S_SECRET || k == CTR_K8S_PVC ||
	       k == CTR_K8S_SERVICEACCOUNT;
}

struct noting {
	struct refs *r;
	struct ref base;
};

static int note(void *ctx, struct ctr_yaml *y, const struct ctr_k8s_obj *o, struct ctr_err *e)
{
	struct noting *n = ctx;
	struct refs *r = n->r;
	struct ref *x;

	(void)y;
	if (wanted(o->type) && o->name) {
		x = ARENA_PUSH(&r->mem, r->v, r->n);
		if (!x)
			return ctr_fail_mem(e);
		*x = n->base;
		x->kind = o->type;
		x->ns = arena_str(&r->mem, o->ns ? o->ns : "");
		x->name = arena_str(&r->mem, o->name);
		if (!x->ns || !x->name)
			return ctr_fail_mem(e);
		r->sorted = false;
	}
	n->base.item++;
	return 0;
}

int refs_note(struct refs *r, struct ctr_yaml *y, const char *name, unsigned line0, uint64_t at,
	      size_t n, struct ctr_err *e)
{
	struct noting ctx = { r, { .file = name, .line0 = line0, .at = at, .n = n } };

	return ctr_k8s_objects(y, note, &ctx, e);
}

static int order(const void *a, const void *b)
{
	const struct ref *x = a, *y = b;
	int c = (int)x->kind - (int)y->kind;

	if (c == 0)
		c = strcmp(x->name, y->name);
	return c ? c : strcmp(x->ns, y->ns);
}

static int sort(struct refs *r, struct ctr_err *e)
{
	if (r->sorted || r->n == 0)
		return 0;
	qsort(r->v, r->n, sizeof *r->v, order);
	for (size_t i = 1; i < r->n; i++) {
		if (order(&r->v[i - 1], &r->v[i]) == 0) {
			ctr_fail(e, CTR_FORMAT, "refs.duplicate",
				 "the object \"%s\" stands twice in the input", r->v[i].name);
			return ctr_err_at(e, r->v[i].file, r->v[i].line0, 1);
		}
	}
	r->sorted = true;
	return 0;
}

static int load(struct refs *r, const struct ref *x, struct ctr_yaml **out, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf b = { 0 };
	struct kept *slot = &r->kept[0];

	for (size_t i = 0; i < KEEP; i++) {
		if (r->kept[i].y && r->kept[i].at == x->at) {
			r->kept[i].used = ++r->clock;
			*out = r->kept[i].y;
			return 0;
		}
		if (r->kept[i].used < slot->used)
			slot = &r->kept[i];
	}
	ctr_yaml_free(slot->y);
	*slot = (struct kept){ .at = x->at, .used = ++r->clock };
	if (ctr_spool_read(r->stream, x->at, x->n, &b, e) < 0 ||
	    ctr_yaml_parse(x->file, x->line0, ctr_buf_str(&b), b.n, &slot->y, e) < 0)
		return -1;
	*out = slot->y;
	return 0;
}

struct picking {
	size_t item;
	const struct ctr_yaml_node *root;
};

static int pick(void *ctx, struct ctr_yaml *y, const struct ctr_k8s_obj *o, struct ctr_err *e)
{
	struct picking *p = ctx;

	(void)y;
	(void)e;
	if (p->item-- == 0)
		p->root = o->root;
	return 0;
}

static const struct ref *search(struct refs *r, enum ctr_k8s_kind kind, const char *ns,
				const char *name)
{
	struct ref key = { .kind = kind, .ns = ns, .name = name };

	return r->n ? bsearch(&key, r->v, r->n, sizeof *r->v, order) : NULL;
}

int refs_find(struct refs *r, enum ctr_k8s_kind kind, const char *ns, const char *name,
	      const struct ctr_yaml **y, const struct ctr_yaml_node **root, struct ctr_err *e)
{
	struct ctr_yaml *doc;
	struct picking p = { 0 };
	const struct ref *x;

	*y = NULL;
	*root = NULL;
	if (sort(r, e) < 0)
		return -1;
	x = search(r, kind, ns ? ns : "", name);
	if (!x && ns)
		x = search(r, kind, "", name);
	if (!x)
		return 0;
	if (load(r, x, &doc, e) < 0)
		return -1;
	p.item = x->item;
	if (ctr_k8s_objects(doc, pick, &p, e) < 0)
		return -1;
	*y = doc;
	*root = p.root;
	return 0;
}
