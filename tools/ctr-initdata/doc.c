#include "doc.h"

#include <string.h>

#include "initdata.h"
#include "utf8.h"

void doc_free(struct doc *d)
{
	ctr_buf_free(&d->measured);
	for (size_t i = 0; i < d->n; i++)
		ctr_buf_free(&d->entry[i].text);
	d->n = 0;
}

/* Kept to what no file system and no reader takes for something else. */
static bool good_name(const char *s)
{
	static const char also[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

	return *s != '\0' && *s != '.' && s[strspn(s, also)] == '\0' && strcmp(s, DOC_WHOLE) != 0;
}

static int add(void *ctx, const char *name, const char *v, size_t n, unsigned line,
	       struct ctr_err *e)
{
	struct doc *d = ctx;
	struct doc_entry *x = &d->entry[d->n];

	if (!good_name(name))
		return ctr_fail(
			e, CTR_FORMAT, "initdata.name",
			"initdata, line %u: \"%s\" is no name for a file (expected letters, "
			"digits and . _ -, no dot at the front, not " DOC_WHOLE ")",
			line, name);
	/* the parser allows no more keys, nor longer ones, than there is room for */
	if (d->n == CTR_TOML_KEYS || strlen(name) > CTR_TOML_KEY_MAX)
		return ctr_fail(e, CTR_FORMAT, "initdata.toml", "initdata: too many entries");
	memcpy(x->name, name, strlen(name) + 1);
	d->n++;
	ctr_buf_add(&x->text, v, n);
	return ctr_buf_ok(&x->text, "initdata", e);
}

/* The register's bytes: the first of a longer digest, zeros behind a shorter one. */
static int measure(struct doc *d, struct ctr_err *e)
{
	size_t n = ctr_hash_size(d->alg);

	if (ctr_hash(d->alg, d->measured.p, d->measured.n, d->digest, e) < 0)
		return -1;
	memset(d->expected, 0, sizeof d->expected);
	memcpy(d->expected, d->digest, n < sizeof d->expected ? n : sizeof d->expected);
	return 0;
}

int doc_read(struct doc *d, struct ctr_err *e)
{
	const struct doc_entry *policy = NULL;

	if (ctr_initdata_walk(ctr_buf_str(&d->measured), d->measured.n, &d->alg, add, d, e) < 0)
		return -1;
	for (size_t i = 0; i < d->n; i++) {
		if (strcmp(d->entry[i].name, DOC_POLICY) == 0)
			policy = &d->entry[i];
	}
	if (!policy)
		return ctr_fail(e, CTR_FORMAT, "initdata.policy",
				"initdata: no " DOC_POLICY " below [data]");
	if (policy->text.n == 0)
		return ctr_fail(e, CTR_FORMAT, "initdata.policy", "initdata: the policy is empty");
	return measure(d, e);
}

int doc_read_policy(struct doc *d, struct ctr_err *e)
{
	const char *p = ctr_buf_str(&d->measured);

	if (d->measured.n == 0)
		return ctr_fail(e, CTR_FORMAT, "initdata.policy", "the policy is empty");
	if (memchr(p, '\0', d->measured.n) || !ctr_utf8_valid(p, d->measured.n))
		return ctr_fail(e, CTR_FORMAT, "initdata.policy", "the policy is no UTF-8 text");
	d->bare = true;
	d->alg = CTR_SHA256;
	return add(d, DOC_POLICY, p, d->measured.n, 1, e) < 0 ? -1 : measure(d, e);
}
