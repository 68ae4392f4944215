#include "tree.h"

#include <string.h>

#define LINKS_MAX 8

static size_t find(const struct paths *p, const char *path)
{
	size_t lo = 0, hi = p->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (strcmp(p->v[mid], path) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static bool has(const struct paths *p, size_t i, const char *path)
{
	return i < p->n && strcmp(p->v[i], path) == 0;
}

static int add_one(struct paths *p, const char *path, size_t len, bool leaf, struct ctr_err *e)
{
	ctr_auto char *s = strndup(path, len);
	size_t i;
	char **v;
	bool *l;

	if (!s)
		return ctr_fail_mem(e);
	i = find(p, s);
	if (has(p, i, s)) {
		p->leaf[i] |= leaf;
		return 0;
	}
	if (p->n == TREE_PATHS_MAX)
		return ctr_fail(e, CTR_FORMAT, "image.links",
				"/etc/passwd or /etc/group leads to too many paths");
	v = reallocarray(p->v, p->n + 1, sizeof *v);
	if (!v)
		return ctr_fail_mem(e);
	p->v = v;
	l = reallocarray(p->leaf, p->n + 1, sizeof *l);
	if (!l)
		return ctr_fail_mem(e);
	p->leaf = l;
	memmove(v + i + 1, v + i, (p->n - i) * sizeof *v);
	memmove(l + i + 1, l + i, (p->n - i) * sizeof *l);
	v[i] = ctr_give(s);
	l[i] = leaf;
	p->n++;
	return 0;
}

int paths_add(struct paths *p, const char *path, bool leaf, struct ctr_err *e)
{
	for (const char *s = path; (s = strchr(s, '/')); s++) {
		if (add_one(p, path, (size_t)(s - path), false, e) < 0)
			return -1;
	}
	if (add_one(p, "", 0, false, e) < 0)
		return -1;
	return add_one(p, path, strlen(path), leaf, e);
}

int paths_copy(struct paths *dst, const struct paths *src, struct ctr_err *e)
{
	*dst = (struct paths){ 0 };
	for (size_t i = 0; i < src->n; i++) {
		if (add_one(dst, src->v[i], strlen(src->v[i]), src->leaf[i], e) < 0) {
			paths_fini(dst);
			return -1;
		}
	}
	return 0;
}

bool paths_cover(const struct paths *all, const struct paths *some)
{
	for (size_t i = 0; i < some->n; i++) {
		size_t k = find(all, some->v[i]);

		if (!has(all, k, some->v[i]) || (some->leaf[i] && !all->leaf[k]))
			return false;
	}
	return true;
}

void paths_fini(struct paths *p)
{
	for (size_t i = 0; i < p->n; i++)
		free(p->v[i]);
	free(p->v);
	free(p->leaf);
	*p = (struct paths){ 0 };
}

int tree_init(struct tree *t, const struct paths *p, struct ctr_err *e)
{
	*t = (struct tree){ 0 };
	if (paths_copy(&t->paths, p, e) < 0)
		return -1;
	t->open = t->paths.n;
	t->v = calloc(t->paths.n + 1, sizeof *t->v);
	if (!t->v) {
		paths_fini(&t->paths);
		return ctr_fail_mem(e);
	}
	for (size_t i = 0; i < t->paths.n; i++)
		ctr_buf_init(&t->v[i].data, TREE_FILE_MAX);
	if (t->paths.n)
		t->v[0].type = NODE_DIR; /* the root sorts first */
	return 0;
}

static void clear(struct node *n)
{
	free(n->target);
	ctr_buf_free(&n->data);
	n->target = NULL;
	n->type = NODE_NONE;
	n->hides = false;
}

void tree_fini(struct tree *t)
{
	for (size_t i = 0; i < t->paths.n; i++)
		clear(&t->v[i]);
	free(t->v);
	paths_fini(&t->paths);
	*t = (struct tree){ 0 };
}

struct node *tree_at(const struct tree *t, const char *path)
{
	size_t i = find(&t->paths, path);

	return has(&t->paths, i, path) ? &t->v[i] : NULL;
}

/* Known in every layer of the stack: they may have been read for different images. */
static bool tracked(const struct tree *const *v, size_t n, const char *path, bool leaf)
{
	for (size_t i = 0; i < n; i++) {
		size_t k = find(&v[i]->paths, path);

		if (!has(&v[i]->paths, k, path) || (leaf && !v[i]->paths.leaf[k]))
			return false;
	}
	return true;
}

/* What the stack shows at a tracked path, NULL for nothing. */
static const struct node *see(const struct tree *const *v, size_t n, const char *path)
{
	const struct node *seen = NULL;
	size_t floor = 0, len = 0;

	for (;;) {
		char prefix[TAR_NAME_MAX + 1];

		memcpy(prefix, path, len);
		prefix[len] = '\0';
		seen = NULL;
		for (size_t i = n; i-- > floor;) {
			const struct node *at = tree_at(v[i], prefix);

			if (!at)
				return NULL;
			/* a directory hides what is no directory below it, and what that hides */
			if (seen && at->type != NODE_NONE && at->type != NODE_DIR)
				floor = i + 1;
			else if (at->type != NODE_NONE && !seen)
				seen = at;
			if (seen && seen->type != NODE_DIR)
				return path[len] ? NULL : seen;
			if (at->hides && i >= floor)
				floor = at->type == NODE_NONE ? i + 1 : i;
		}
		if (!seen || !path[len])
			return seen;
		len += len ? 1 : 0;
		len += strcspn(path + len, "/");
	}
}

/* A walk from the root: what is done (links resolved) and what is still to do. */
struct walk {
	char done[TAR_NAME_MAX + 1], todo[2 * TAR_NAME_MAX + 2];
	unsigned links;
};

static int too_long(struct ctr_err *e)
{
	return ctr_fail(e, CTR_FORMAT, "limit", "a path longer than %zu bytes", TAR_NAME_MAX);
}

/* Takes the first component off todo into part; false at the end. */
static bool next_part(struct walk *w, char part[TAR_NAME_MAX + 1])
{
	const char *p = w->todo + strspn(w->todo, "/");
	size_t n = strcspn(p, "/");

	if (n == 0 || n > TAR_NAME_MAX)
		return false;
	memcpy(part, p, n);
	part[n] = '\0';
	memmove(w->todo, p + n, strlen(p + n) + 1);
	return true;
}

static void up(char *path)
{
	char *slash = strrchr(path, '/');

	*(slash ? slash : path) = '\0';
}

static int down(char *path, const char *part, struct ctr_err *e)
{
	size_t n = strlen(path), m = strlen(part);

	if (n + m + 1 > TAR_NAME_MAX)
		return too_long(e);
	if (n)
		path[n++] = '/';
	memcpy(path + n, part, m + 1);
	return 0;
}

static int follow(struct walk *w, const char *target, struct ctr_err *e)
{
	size_t n = strlen(target), m = strlen(w->todo);

	if (++w->links > LINKS_MAX)
		return ctr_fail(e, CTR_FORMAT, "image.links",
				"more than %d symbolic links on the way to a file", LINKS_MAX);
	if (n + m + 1 > TAR_NAME_MAX)
		return too_long(e);
	memmove(w->todo + n + 1, w->todo, m + 1);
	memcpy(w->todo, target, n);
	w->todo[n] = '/';
	if (target[0] == '/')
		w->done[0] = '\0';
	else
		up(w->done);
	return 0;
}

/* Only components are left in todo that the walk will look at: is this one the last? */
static bool at_end(const struct walk *w)
{
	return w->todo[strspn(w->todo, "/")] == '\0';
}

/*
 * Walks `path` through the stack. With `last`, a link at the very end is followed too. What is not
 * tracked passes for a directory; one such path that the answer hangs on goes into `need` (unless
 * that is NULL).
 */
static int walk(const struct tree *const *v, size_t n, const char *path, bool last, struct walk *w,
		struct ctr_buf *need, struct ctr_err *e)
{
	char part[TAR_NAME_MAX + 1];

	w->done[0] = '\0';
	w->links = 0;
	if (strlen(path) > TAR_NAME_MAX)
		return too_long(e);
	memcpy(w->todo, path, strlen(path) + 1);
	while (next_part(w, part)) {
		const struct node *at;

		if (strcmp(part, ".") == 0)
			continue;
		if (strcmp(part, "..") == 0) {
			up(w->done);
			continue;
		}
		if (down(w->done, part, e) < 0)
			return -1;
		if (!tracked(v, n, w->done, false)) {
			if (need && !need->n)
				ctr_buf_adds(need, w->done);
			continue;
		}
		at = see(v, n, w->done);
		if (at && at->type == NODE_SYMLINK && (last || !at_end(w)) &&
		    follow(w, at->target, e) < 0)
			return -1;
	}
	/* the end brings its parents along; a path that ".." led out of again is asked for */
	if (need && need->n && !tracked(v, n, w->done, false)) {
		ctr_buf_reset(need);
		ctr_buf_adds(need, w->done);
	}
	return need ? ctr_buf_ok(need, "path", e) : 0;
}

static bool below(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	return n == 0 ? *path != '\0' : strncmp(path, dir, n) == 0 && path[n] == '/';
}

/* The directories that an entry needs are there, made if they were not in the archive. */
static int make_parents(struct tree *t, const char *path, struct ctr_err *e)
{
	for (size_t i = 0; i < t->paths.n; i++) {
		if (!below(path, t->paths.v[i]))
			continue;
		if (t->v[i].type == NODE_NONE)
			t->v[i].type = NODE_DIR;
		if (t->v[i].type != NODE_DIR)
			return ctr_fail(e, CTR_FORMAT, "layer.tree",
					"\"%s\" lies below \"%s\", which is no directory", path,
					t->paths.v[i]);
	}
	return 0;
}

static int bad_whiteout(const char *path, struct ctr_err *e)
{
	return ctr_fail(e, CTR_FORMAT, "layer.tree", "malformed whiteout \"%s\"", path);
}

/* Whiteouts hide what lower layers have, wherever in the archive they stand. */
static int whiteout(struct tree *t, char *path, struct ctr_err *e)
{
	char *base = strrchr(path, '/');
	struct node *n;

	base = base ? base + 1 : path;
	if (strcmp(base, ".wh..wh..opq") == 0) {
		*(base > path ? base - 1 : base) = '\0';
		n = tree_at(t, path);
	} else {
		const char *name = base + 4;

		if (strncmp(name, ".wh.", 4) == 0)
			return 0; /* AUFS keeps books in these */
		if (strcmp(name, "") == 0 || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
			return bad_whiteout(path, e);
		memmove(base, name, strlen(name) + 1);
		n = tree_at(t, path);
	}
	if (n)
		n->hides = true;
	return 0;
}

static enum node_type type_of(char tar_type)
{
	switch (tar_type) {
	case '0':
		return NODE_FILE;
	case '1':
		return NODE_HARDLINK;
	case '2':
		return NODE_SYMLINK;
	case '5':
		return NODE_DIR;
	default:
		return NODE_OTHER;
	}
}

static int copy_node(struct node *n, const struct node *from, struct ctr_err *e)
{
	n->type = from->type;
	ctr_buf_add(&n->data, from->data.p, from->data.n);
	if (from->target) {
		n->target = strdup(from->target);
		if (!n->target)
			return ctr_fail_mem(e);
	}
	return ctr_buf_ok(&n->data, "file", e);
}

/* A hard link is the file that its target is now, in this layer. */
static int hard_link(struct tree *t, struct node *n, const char *target, struct ctr_err *e)
{
	const struct tree *self = t;
	struct walk w;
	size_t i;

	if (walk(&self, 1, target, false, &w, NULL, e) < 0)
		return -1;
	i = find(&t->paths, w.done);
	if (has(&t->paths, i, w.done) && (t->paths.leaf[i] || t->v[i].type == NODE_SYMLINK)) {
		if (t->v[i].type == NODE_NONE || t->v[i].type == NODE_DIR)
			return ctr_fail(e, CTR_FORMAT, "layer.tree",
					"hard link to \"%s\", which is no file of this layer",
					w.done);
		return copy_node(n, &t->v[i], e);
	}
	n->type = NODE_HARDLINK;
	n->target = strdup(w.done);
	return n->target ? 0 : ctr_fail_mem(e);
}

static int put(struct tree *t, size_t i, const struct tar_entry *en, bool *want, struct ctr_err *e)
{
	enum node_type type = type_of(en->type);
	struct node *n = &t->v[i];

	if (i == 0 || (type == NODE_DIR && n->type == NODE_DIR))
		return 0;
	for (size_t k = i; k < t->paths.n; k++) {
		bool hides = t->v[k].hides;

		if (k != i && !below(t->paths.v[k], t->paths.v[i]))
			continue;
		clear(&t->v[k]);
		t->v[k].hides = k == i && hides;
	}
	if (type == NODE_HARDLINK)
		return hard_link(t, n, en->link, e);
	n->type = type;
	if (type == NODE_SYMLINK) {
		n->target = strdup(en->link);
		return n->target ? 0 : ctr_fail_mem(e);
	}
	if (type != NODE_FILE || !t->paths.leaf[i])
		return 0;
	if (en->size > TREE_FILE_MAX || en->sparse)
		return ctr_fail(e, CTR_FORMAT, "image.passwd", "/%s: %s", t->paths.v[i],
				en->sparse ? "a sparse file" : "larger than 1 MiB");
	t->open = i;
	*want = true;
	return 0;
}

int tree_entry(void *ctx, const struct tar_entry *en, bool *want, struct ctr_err *e)
{
	struct tree *t = ctx;
	const struct tree *self = t;
	const char *base;
	struct walk w;
	size_t i;

	t->open = t->paths.n;
	if (!strchr("0123456", en->type))
		return 0; /* Go hands these on, containerd passes over them */
	if (walk(&self, 1, en->name, false, &w, NULL, e) < 0)
		return -1;
	if (make_parents(t, w.done, e) < 0)
		return -1;
	base = strrchr(w.done, '/');
	base = base ? base + 1 : w.done;
	if (strncmp(base, ".wh.", 4) == 0)
		return whiteout(t, w.done, e);
	i = find(&t->paths, w.done);
	return has(&t->paths, i, w.done) ? put(t, i, en, want, e) : 0;
}

int tree_data(void *ctx, const void *p, size_t n, struct ctr_err *e)
{
	struct tree *t = ctx;

	if (t->open == t->paths.n)
		return 0;
	ctr_buf_add(&t->v[t->open].data, p, n);
	return ctr_buf_ok(&t->v[t->open].data, t->paths.v[t->open], e);
}

int tree_resolve(const struct tree *const *v, size_t n, const char *path, const struct node **file,
		 struct ctr_buf *need, struct ctr_err *e)
{
	const struct node *at;
	struct walk w;

	*file = NULL;
	if (walk(v, n, path, true, &w, need, e) < 0)
		return -1;
	if (need->n)
		return 0;
	at = see(v, n, w.done);
	if (!at)
		return 0;
	if (at->type == NODE_HARDLINK || (at->type == NODE_FILE && !tracked(v, n, w.done, true))) {
		ctr_buf_adds(need, at->type == NODE_HARDLINK ? at->target : w.done);
		return ctr_buf_ok(need, "path", e);
	}
	if (at->type != NODE_FILE)
		return ctr_fail(e, CTR_FORMAT, "image.passwd", "/%s is not a regular file", path);
	*file = at;
	return 0;
}
