#include "toml.h"

#include <string.h>

#include "toml_lex.h"
#include "utf8.h"

struct toml {
	struct ctr_toml_lex lex;
	struct ctr_buf key, val;
	char table[CTR_TOML_KEY_MAX + 1];
	struct {
		char table[CTR_TOML_KEY_MAX + 1],
			key[CTR_TOML_KEY_MAX + 1]; /* key "": the table itself */
	} seen[CTR_TOML_KEYS];
	size_t n_seen;
};

/* A key and the character that must follow it. */
static int key(struct toml *t, char then, struct ctr_err *e)
{
	ctr_toml_blanks(&t->lex);
	if (ctr_toml_bare(ctr_toml_look(&t->lex, 0))) {
		ctr_buf_reset(&t->key);
		for (; ctr_toml_bare(ctr_toml_look(&t->lex, 0)); t->lex.i++)
			ctr_buf_addc(&t->key, t->lex.p[t->lex.i]);
	} else if (ctr_toml_look(&t->lex, 0) != '"' && ctr_toml_look(&t->lex, 0) != '\'') {
		return ctr_toml_bad(&t->lex, e, "no key");
	} else if (ctr_toml_string(&t->lex, false, &t->key, e) < 0) {
		return -1;
	}
	if (ctr_buf_ok(&t->key, "initdata", e) < 0)
		return -1;
	if (t->key.n == 0 || t->key.n > CTR_TOML_KEY_MAX)
		return ctr_toml_bad(&t->lex, e, "an empty or very long key");
	ctr_toml_blanks(&t->lex);
	if (ctr_toml_look(&t->lex, 0) != then)
		return ctr_toml_bad(
			&t->lex, e,
			then == '=' ? "no = behind the key (dotted keys do not occur in initdata)"
				    : "no ] behind the table's name");
	t->lex.i++;
	return 0;
}

static int remember(struct toml *t, const char *table, const char *name, struct ctr_err *e)
{
	for (size_t k = 0; k < t->n_seen; k++) {
		if (strcmp(t->seen[k].table, table) == 0 && strcmp(t->seen[k].key, name) == 0)
			return ctr_toml_bad(&t->lex, e, "a key or table for the second time");
	}
	if (t->n_seen == CTR_TOML_KEYS)
		return ctr_toml_bad(&t->lex, e, "too many keys");
	memcpy(t->seen[t->n_seen].table, table, strlen(table) + 1);
	memcpy(t->seen[t->n_seen].key, name, strlen(name) + 1);
	t->n_seen++;
	return 0;
}

static int table(struct toml *t, struct ctr_err *e)
{
	t->lex.i++;
	if (key(t, ']', e) < 0 || remember(t, ctr_buf_str(&t->key), "", e) < 0)
		return -1;
	/* a root key of the name would make it a string as well */
	for (size_t k = 0; k < t->n_seen; k++) {
		if (!t->seen[k].table[0] && strcmp(t->seen[k].key, ctr_buf_str(&t->key)) == 0)
			return ctr_toml_bad(&t->lex, e, "a key or table for the second time");
	}
	memcpy(t->table, ctr_buf_str(&t->key), t->key.n + 1);
	return ctr_toml_end_of_line(&t->lex, e);
}

static int pair(struct toml *t, ctr_toml_fn fn, void *ctx, struct ctr_err *e)
{
	unsigned line;

	if (key(t, '=', e) < 0 || remember(t, t->table, ctr_buf_str(&t->key), e) < 0)
		return -1;
	ctr_toml_blanks(&t->lex);
	line = t->lex.line;
	if (ctr_toml_string(&t->lex, true, &t->val, e) < 0 || ctr_toml_end_of_line(&t->lex, e) < 0)
		return -1;
	return fn(ctx, t->table, ctr_buf_str(&t->key), ctr_buf_str(&t->val), t->val.n, line, e);
}

static int statement(struct toml *t, ctr_toml_fn fn, void *ctx, struct ctr_err *e)
{
	int c;

	ctr_toml_blanks(&t->lex);
	c = ctr_toml_look(&t->lex, 0);
	if (c == '\n' || c == '\r' || c == '#' || c < 0)
		return ctr_toml_end_of_line(&t->lex, e);
	return c == '[' ? table(t, e) : pair(t, fn, ctx, e);
}

int ctr_toml_parse(const char *p, size_t n, ctr_toml_fn fn, void *ctx, struct ctr_err *e)
{
	struct toml *t = calloc(1, sizeof *t);
	int rc = 0;

	if (!t)
		return ctr_fail_mem(e);
	t->lex = (struct ctr_toml_lex){
		.p = p,
		.n = n,
		.line = 1,
		.id = "initdata.toml",
		.name = "initdata",
		.no_string = "no string (expected quotes; other values do not occur in initdata)",
	};
	if (!ctr_utf8_valid(p, n))
		rc = ctr_fail(e, CTR_FORMAT, "initdata.toml", "initdata: not UTF-8");
	while (rc == 0 && t->lex.i < t->lex.n)
		rc = statement(t, fn, ctx, e);
	ctr_buf_free(&t->key);
	ctr_buf_free(&t->val);
	free(t);
	return rc;
}

bool ctr_toml_literal(const char *p, size_t n)
{
	size_t quotes = 0;

	for (size_t i = 0; i < n; i++) {
		quotes = p[i] == '\'' ? quotes + 1 : 0;
		if (quotes == 3 || (ctr_toml_control((unsigned char)p[i]) && p[i] != '\n'))
			return false;
	}
	return quotes == 0; /* a quote at the end would stand next to the closing ones */
}

void ctr_toml_escape(struct ctr_buf *b, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i] == '"' || p[i] == '\\') {
			ctr_buf_addc(b, '\\');
			ctr_buf_addc(b, p[i]);
		} else if (ctr_toml_control((unsigned char)p[i]) && p[i] != '\n') {
			ctr_buf_addf(b, "\\u%04x", (unsigned)(unsigned char)p[i]);
		} else {
			ctr_buf_addc(b, p[i]);
		}
	}
}
