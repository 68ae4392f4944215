/*
 * Edits, four bytes each, up to a byte 0xff; then a document. What is emitted must read as the edited
 * tree; with additions alone, all that was there is still there in its order.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "yaml_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const keys[] = { "k", "a", "b", "x", "example.com/key", "k: \"", "true", "" };
static const char *const values[] = {
	"v", "~", "\"5\"", "x: 1\ny: 2\n", "- 1\n- 2\n", "{p: [1, 2], q: 'r'}", "[]", "{}",
	"a:\n- b: |\n    text\n\n    more\n  c: d\n", "|\n  lines\n  more\n", "16",
	"k:\n  a: {}\n  b: []\n", "'it''s: '", "- - x\n  - y: z\n", "x: |+\n  t\n\n", "1.5",
};
static const char *const strings[] = { "s", "", "two\nlines\n", "it's", "H4sIAAAA+/==", "\xc3\xa9\x7f", "12",
				       "k: v # c" };

/* The n-th node of the tree (n counts round). */
static const struct ctr_yaml_node *pick(const struct ctr_yaml *y, unsigned n)
{
	const struct ctr_yaml_node *at = ctr_yaml_root(y);

	while (n > 0 && ctr_yaml_count(at) > 0) {
		at = ctr_yaml_at(at, n % ctr_yaml_count(at), NULL);
		n /= 3;
	}
	return at;
}

/* 1 when it took place and only adds. */
static int edit(struct ctr_yaml *y, const uint8_t op[4])
{
	const struct ctr_yaml_node *n = pick(y, op[1]);
	const char *value = values[op[3] % (sizeof values / sizeof *values)];
	const char *key = keys[op[2] % (sizeof keys / sizeof *keys)];
	struct ctr_err e = { 0 };
	int rc, adds = 1;

	if (ctr_yaml_is(n, CTR_YAML_MAP)) {
		adds = !ctr_yaml_get(n, key);
		rc = op[0] % 2 ? ctr_yaml_set(y, n, key, value, &e)
			       : ctr_yaml_set_string(y, n, key, strings[op[3] % 8], &e);
	} else if (ctr_yaml_is(n, CTR_YAML_SEQ)) {
		rc = ctr_yaml_insert(y, n, op[2] % (ctr_yaml_count(n) + 1), value, &e);
	} else {
		adds = 0;
		rc = ctr_yaml_replace(y, n, strings[op[3] % 8], &e);
	}
	if (rc < 0 && e.code != CTR_FORMAT)
		abort();
	return rc == 0 && adds;
}

/* All bytes of the text are there in their order; lines: all its lines are. */
static bool kept(const struct ctr_buf *out, const struct ctr_buf *text, bool lines)
{
	size_t k = 0;

	if (!lines) {
		for (size_t i = 0; i < out->n && k < text->n; i++)
			k += out->p[i] == text->p[k];
		return k == text->n;
	}
	for (size_t i = 0; i < out->n && k < text->n;) {
		size_t n = (size_t)((char *)memchr(out->p + i, '\n', out->n - i) - (out->p + i)) + 1;

		if (strncmp(out->p + i, text->p + k, n) == 0)
			k += n;
		i += n;
	}
	return k == text->n;
}

/* Block style with LF line ends, in which additions are lines of their own. */
static bool plain_lines(const struct ctr_buf *text)
{
	char before = ' '; /* the last character that is no blank */

	for (size_t i = 0; i < text->n; i++) {
		char c = text->p[i];

		if (strchr("\r{[?", c) || (unsigned char)c >= 0x80)
			return false;
		if (c == '-' && i > 0 && text->p[i - 1] == ' ' && strchr("-:", before))
			return false; /* "- - a": a new head takes the place of a on its line */
		before = c == ' ' ? before : c;
	}
	return text->n > 0 && text->p[text->n - 1] == '\n';
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *cut = memchr(data, 0xff, size);
	ctr_auto_yaml struct ctr_yaml *y = NULL, *z = NULL;
	ctr_auto_buf struct ctr_buf text = { 0 }, out = { 0 };
	struct ctr_err e = { 0 };
	bool adds = true;

	if (!cut)
		return 0;
	ctr_buf_add(&text, cut + 1, size - (size_t)(cut - data) - 1);
	if (ctr_yaml_parse("f", 1, ctr_buf_str(&text), text.n, &y, NULL) < 0 || !y->root)
		return 0;
	for (size_t i = 0; i + 4 <= (size_t)(cut - data) && i < 40; i += 4) {
		if (y->root->weight > 20000)
			return 0;
		adds &= edit(y, data + i) == 1;
	}
	if (ctr_yaml_emit(y, &out, &e) < 0) {
		if (e.code != CTR_FORMAT || strcmp(e.id, "yaml.edit") != 0 || e.line == 0 || out.n > 0)
			abort();
		return 0;
	}
	if (ctr_yaml_parse("f", 1, out.p, out.n, &z, &e) < 0 || !ctr_yaml_same(y->root, z->root))
		abort();
	/* {} and [] may give way, and a block scalar at the very end be marked with - */
	if (adds && !strpbrk(ctr_buf_str(&text), "+{[") && !kept(&out, &text, plain_lines(&text)))
		abort();
	return 0;
}
