#include "owned.h"

#include <string.h>

#define BEGIN "# ctr-node-install: begin "
#define END "# ctr-node-install: end "

static bool starts(const char *p, size_t n, const char *with)
{
	return n >= strlen(with) && strncmp(p, with, strlen(with)) == 0;
}

static bool name_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == ':';
}

/* The name behind a mark, up to the line's end. */
static bool take_name(const char *p, size_t n, char name[OWNED_NAME])
{
	size_t k = 0;

	while (k < n && name_byte(p[k]))
		k++;
	if (k == 0 || k >= OWNED_NAME || (k < n && p[k] != '\r') || n - k > 1)
		return false;
	memcpy(name, p, k);
	name[k] = '\0';
	return true;
}

const struct owned_part *owned_get(const struct owned *o, const char *name)
{
	for (size_t i = 0; i < o->n; i++) {
		if (strcmp(o->v[i].name, name) == 0)
			return &o->v[i];
	}
	return NULL;
}

static int bad(const char *file, unsigned line, const char *what, struct ctr_err *e)
{
	ctr_fail(e, CTR_FORMAT, "owned", "%s, line %u: %s", file, line, what);
	return ctr_err_fix(e,
			   "put the marks back as they were, or take all of the part out by hand");
}

int owned_find(const char *file, const char *p, size_t n, struct owned *o, struct ctr_err *e)
{
	bool open = false;
	unsigned line = 1;

	o->n = 0;
	for (size_t at = 0, len, next; at < n; at = next, line++) {
		const char *nl = memchr(p + at, '\n', n - at);
		char name[OWNED_NAME];

		len = nl ? (size_t)(nl - (p + at)) : n - at;
		next = nl ? at + len + 1 : n;
		if (starts(p + at, len, BEGIN)) {
			if (open)
				return bad(file, line, "a part of ours begins inside of another",
					   e);
			if (o->n == OWNED_MAX)
				return bad(file, line, "too many parts of ours", e);
			if (!take_name(p + at + strlen(BEGIN), len - strlen(BEGIN), name))
				return bad(file, line, "a mark of ours with a damaged name", e);
			if (owned_get(o, name))
				return bad(file, line, "a part of ours for the second time", e);
			o->v[o->n] = (struct owned_part){ .from = at, .in = next };
			memcpy(o->v[o->n].name, name, sizeof name);
			open = true;
		} else if (starts(p + at, len, END)) {
			if (!open || !take_name(p + at + strlen(END), len - strlen(END), name) ||
			    strcmp(name, o->v[o->n].name) != 0)
				return bad(file, line, "a part of ours ends that did not begin", e);
			o->v[o->n].end = at;
			o->v[o->n++].to = next;
			open = false;
		}
	}
	return open ? bad(file, line, "a part of ours does not end", e) : 0;
}

/* The line end in front of position `at`: 0, 1 or 2 bytes. */
static size_t eol_before(const char *p, size_t at)
{
	if (at == 0 || p[at - 1] != '\n')
		return 0;
	return at > 1 && p[at - 2] == '\r' ? 2 : 1;
}

static bool anything_after(const struct owned *o, size_t i, size_t n)
{
	size_t at = o->v[i].to;

	for (i++; i < o->n && o->v[i].from == at; i++)
		at = o->v[i].to;
	return at < n;
}

void owned_rest(const char *p, size_t n, const struct owned *o, struct ctr_buf *b)
{
	size_t at = 0;

	for (size_t i = 0; i < o->n; i++) {
		size_t to = o->v[i].from;

		/* the line end that made room for us goes too, unless somebody came to stand behind
		 * it */
		if (strcmp(o->v[i].name, OWNED_JOINT) == 0 && !anything_after(o, i, n))
			to -= eol_before(p, to);
		if (to > at)
			ctr_buf_add(b, p + at, to - at);
		at = o->v[i].to;
	}
	if (n > at)
		ctr_buf_add(b, p + at, n - at);
}

void owned_inside(const char *p, const struct owned *o, struct ctr_buf *b)
{
	for (size_t i = 0; i < o->n; i++)
		ctr_buf_add(b, p + o->v[i].in, o->v[i].end - o->v[i].in);
}

static void add_part(struct ctr_buf *b, const char *name, const char *body, const char *eol)
{
	ctr_buf_addf(b, BEGIN "%s%s", name, eol);
	while (*body) {
		size_t len = strcspn(body, "\n");

		ctr_buf_add(b, body, len);
		ctr_buf_adds(b, eol);
		body += len + (body[len] == '\n');
	}
	ctr_buf_addf(b, END "%s%s", name, eol);
}

/* The line end that the file uses at its first line. */
static const char *eol_of(const char *p, size_t n)
{
	const char *nl = n ? memchr(p, '\n', n) : NULL;

	return nl && nl > p && nl[-1] == '\r' ? "\r\n" : "\n";
}

int owned_put(const char *p, size_t n, const struct owned *o, const char *name, const char *body,
	      struct ctr_buf *b, struct ctr_err *e)
{
	const struct owned_part *at = owned_get(o, name);
	const char *eol = eol_of(p, n);

	if (!at && o->n + 1 >= OWNED_MAX)
		return ctr_fail(e, CTR_FORMAT, "owned", "too many parts of ours");
	if (at) {
		ctr_buf_add(b, p, at->from);
		add_part(b, name, body, eol);
		ctr_buf_add(b, p + at->to, n - at->to);
		return ctr_buf_ok(b, "file", e);
	}
	if (n)
		ctr_buf_add(b, p, n);
	if (n && p[n - 1] != '\n') {
		ctr_buf_adds(b, eol);
		if (!owned_get(o, OWNED_JOINT))
			add_part(b, OWNED_JOINT, "", eol);
	}
	add_part(b, name, body, eol);
	return ctr_buf_ok(b, "file", e);
}

/* All but this one, and the joint, which may be the line end in front of it. */
static void drop_others(const char *p, size_t n, const struct owned *o, const char *keep,
			struct ctr_buf *b)
{
	struct owned rest = { .n = 0 };

	for (size_t i = 0; i < o->n; i++) {
		if (strcmp(o->v[i].name, keep) != 0 && strcmp(o->v[i].name, OWNED_JOINT) != 0)
			rest.v[rest.n++] = o->v[i];
	}
	owned_rest(p, n, &rest, b);
}

void owned_drop(const char *p, size_t n, const struct owned *o, const char *name, const char *keep,
		struct ctr_buf *b)
{
	const struct owned_part *at = owned_get(o, name);
	bool needed = false;

	for (size_t i = 0; i < o->n; i++)
		needed = needed || (&o->v[i] != at && strchr(o->v[i].name, ':'));
	if (!needed && keep) {
		drop_others(p, n, o, keep, b);
		return;
	}
	if (!needed) {
		owned_rest(p, n, o, b);
		return;
	}
	if (at) {
		ctr_buf_add(b, p, at->from);
		ctr_buf_add(b, p + at->to, n - at->to);
	} else if (n) {
		ctr_buf_add(b, p, n);
	}
}
