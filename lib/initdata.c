#include "initdata.h"

#include <string.h>

#include "enc.h"
#include "gzip.h"
#include "toml.h"
#include "utf8.h"

/* A line end behind the opening quotes is no part of the string. */
#define HEAD "version = \"0.1.0\"\nalgorithm = \"sha256\"\n\n[data]\n\"policy.rego\" = "
#define LITERAL_OPEN "'''\n"
#define LITERAL_CLOSE "'''\n"
#define BASIC_OPEN "\"\"\"\n"
#define BASIC_CLOSE "\"\"\"\n"

struct ctr_initdata_packer {
	char *prefix;
	size_t n;
	bool literal; /* the prefix may stand in a literal string: gzip and hash are ready */
	struct ctr_gzip *gzip;
	struct ctr_hasher *hash;
};

void ctr_policy_free(struct ctr_policy *p)
{
	ctr_buf_free(&p->measured);
	ctr_buf_free(&p->rego);
}

static int text_ok(const char *p, size_t n, struct ctr_err *e)
{
	if (n == 0)
		return ctr_fail(e, CTR_FORMAT, "initdata.policy", "the policy is empty");
	if (n > CTR_INITDATA_MAX)
		return ctr_fail(e, CTR_FORMAT, "limit", "the policy is larger than %zu bytes",
				CTR_INITDATA_MAX);
	if (memchr(p, '\0', n) || !ctr_utf8_valid(p, n))
		return ctr_fail(e, CTR_FORMAT, "initdata.policy", "the policy is no UTF-8 text");
	return 0;
}

const char *const ctr_initdata_algs[3] = { "sha256", "sha384", "sha512" };

struct reading {
	bool version, algorithm;
	enum ctr_hash_alg *alg;
	ctr_initdata_fn fn;
	void *ctx;
};

static int on_algorithm(struct reading *r, const char *v, unsigned line, struct ctr_err *e)
{
	r->algorithm = true;
	for (int i = CTR_SHA256; i <= CTR_SHA512; i++) {
		*r->alg = (enum ctr_hash_alg)i;
		if (strcmp(v, ctr_initdata_algs[i]) == 0)
			return 0;
	}
	return ctr_fail(e, CTR_FORMAT, "initdata.algorithm",
			"initdata, line %u: algorithm %s (expected sha256, sha384 or sha512)", line,
			v);
}

static int on_pair(void *ctx, const char *table, const char *key, const char *v, size_t n,
		   unsigned line, struct ctr_err *e)
{
	struct reading *r = ctx;

	if (strcmp(table, "data") == 0)
		return r->fn(r->ctx, key, v, n, line, e);
	if (table[0])
		return ctr_fail(e, CTR_FORMAT, "initdata.toml",
				"initdata, line %u: unknown table [%s]", line, table);
	if (strcmp(key, "algorithm") == 0)
		return on_algorithm(r, v, line, e);
	if (strcmp(key, "version") != 0)
		return ctr_fail(e, CTR_FORMAT, "initdata.toml",
				"initdata, line %u: unknown key %s", line, key);
	r->version = true;
	if (strcmp(v, "0.1.0") != 0)
		return ctr_fail(e, CTR_FORMAT, "initdata.version",
				"initdata, line %u: version %s (expected 0.1.0)", line, v);
	return 0;
}

int ctr_initdata_walk(const char *toml, size_t n, enum ctr_hash_alg *alg, ctr_initdata_fn fn,
		      void *ctx, struct ctr_err *e)
{
	struct reading r = { .alg = alg, .fn = fn, .ctx = ctx };

	if (ctr_toml_parse(toml, n, on_pair, &r, e) < 0)
		return -1;
	if (!r.version)
		return ctr_fail(e, CTR_FORMAT, "initdata.version",
				"initdata: no version (expected 0.1.0)");
	if (!r.algorithm)
		return ctr_fail(e, CTR_FORMAT, "initdata.algorithm",
				"initdata: no algorithm (expected sha256)");
	return 0;
}

/* Other entries are measured all the same. */
static int take_policy(void *ctx, const char *name, const char *v, size_t n, unsigned line,
		       struct ctr_err *e)
{
	struct ctr_policy *p = ctx;

	(void)line;
	if (strcmp(name, "policy.rego") != 0)
		return 0;
	ctr_buf_add(&p->rego, v, n);
	return ctr_buf_ok(&p->rego, "initdata", e);
}

int ctr_initdata_parse(const char *toml, size_t n, struct ctr_policy *p, struct ctr_err *e)
{
	enum ctr_hash_alg alg;

	if (ctr_initdata_walk(toml, n, &alg, take_policy, p, e) < 0)
		return -1;
	if (alg != CTR_SHA256)
		return ctr_fail(e, CTR_FORMAT, "initdata.algorithm",
				"initdata: algorithm %s (expected sha256)", ctr_initdata_algs[alg]);
	if (!p->rego.p)
		return ctr_fail(e, CTR_FORMAT, "initdata.policy",
				"initdata: no policy.rego below [data]");
	if (text_ok(ctr_buf_str(&p->rego), p->rego.n, e) < 0)
		return -1;
	return ctr_hash(CTR_SHA256, toml, n, p->digest, e);
}

int ctr_policy_read(enum ctr_policy_form form, const char *s, size_t n, struct ctr_policy *p,
		    struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf raw = { 0 };
	struct ctr_err why = { 0 };

	if (ctr_base64_parse(s, n, &raw, &why) < 0)
		return ctr_fail(e, why.code, why.code == CTR_FORMAT ? "initdata.base64" : why.id,
				"%s", why.msg);
	if (form == CTR_FORM_INITDATA) {
		if (ctr_gunzip(raw.p, raw.n, CTR_INITDATA_MAX, "initdata.gzip", &p->measured,
			       e) < 0)
			return -1;
		return ctr_initdata_parse(ctr_buf_str(&p->measured), p->measured.n, p, e);
	}
	if (text_ok(ctr_buf_str(&raw), raw.n, e) < 0)
		return -1;
	ctr_buf_add(&p->measured, raw.p, raw.n);
	ctr_buf_add(&p->rego, raw.p, raw.n);
	if (ctr_buf_ok(&p->measured, "policy", e) < 0 || ctr_buf_ok(&p->rego, "policy", e) < 0)
		return -1;
	return ctr_hash(CTR_SHA256, raw.p, raw.n, p->digest, e);
}

void ctr_initdata_head(enum ctr_hash_alg alg, struct ctr_buf *toml)
{
	ctr_buf_addf(toml, "version = \"0.1.0\"\nalgorithm = \"%s\"\n\n[data]\n",
		     ctr_initdata_algs[alg]);
}

int ctr_initdata_entry(const char *name, const char *text, size_t n, struct ctr_buf *toml,
		       struct ctr_err *e)
{
	if (memchr(text, '\0', n) || !ctr_utf8_valid(text, n))
		return ctr_fail(e, CTR_FORMAT, "initdata.text", "%s is no UTF-8 text", name);
	ctr_buf_addc(toml, '"');
	ctr_toml_escape(toml, name, strlen(name));
	ctr_buf_adds(toml, "\" = ");
	if (ctr_toml_literal(text, n)) {
		ctr_buf_adds(toml, LITERAL_OPEN);
		ctr_buf_add(toml, text, n);
		ctr_buf_adds(toml, LITERAL_CLOSE);
	} else {
		ctr_buf_adds(toml, BASIC_OPEN);
		ctr_toml_escape(toml, text, n);
		ctr_buf_adds(toml, BASIC_CLOSE);
	}
	if (toml->n > CTR_INITDATA_MAX)
		return ctr_fail(e, CTR_FORMAT, "limit", "the initdata is larger than %zu bytes",
				CTR_INITDATA_MAX);
	return ctr_buf_ok(toml, "initdata", e);
}

int ctr_initdata_build(const char *rego, size_t n, struct ctr_buf *toml, struct ctr_err *e)
{
	if (text_ok(rego, n, e) < 0)
		return -1;
	ctr_initdata_head(CTR_SHA256, toml);
	return ctr_initdata_entry("policy.rego", rego, n, toml, e);
}

static int pack_rest(struct ctr_gzip *g, const char *p, size_t n, struct ctr_buf *b,
		     struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf gz = { 0 };

	if (ctr_gzip_add(g, p, n, e) < 0 || ctr_gzip_end(g, &gz, e) < 0)
		return -1;
	ctr_base64_add(b, gz.p, gz.n);
	return ctr_buf_ok(b, "annotation", e);
}

int ctr_initdata_pack(const char *toml, size_t n, struct ctr_buf *b, struct ctr_err *e)
{
	ctr_auto_gzip struct ctr_gzip *g = NULL;

	return ctr_gzip_new(&g, e) < 0 ? -1 : pack_rest(g, toml, n, b, e);
}

void ctr_initdata_packer_free(struct ctr_initdata_packer *p)
{
	if (!p)
		return;
	ctr_gzip_free(p->gzip);
	ctr_hasher_free(p->hash);
	free(p->prefix);
	free(p);
}

void ctr_initdata_packer_cleanup(struct ctr_initdata_packer **p)
{
	ctr_initdata_packer_free(*p);
}

int ctr_initdata_packer_new(const char *prefix, size_t n, struct ctr_initdata_packer **out,
			    struct ctr_err *e)
{
	ctr_auto_packer struct ctr_initdata_packer *p = calloc(1, sizeof *p);
	static const char open[] = HEAD LITERAL_OPEN;

	*out = NULL;
	if (!p || !(p->prefix = malloc(n ? n : 1)))
		return ctr_fail_mem(e);
	if (n)
		memcpy(p->prefix, prefix, n);
	p->n = n;
	p->literal = ctr_toml_literal(prefix, n);
	if (ctr_gzip_new(&p->gzip, e) < 0 || ctr_hasher_new(CTR_SHA256, &p->hash, e) < 0 ||
	    ctr_gzip_add(p->gzip, open, sizeof open - 1, e) < 0 ||
	    ctr_gzip_add(p->gzip, p->prefix, n, e) < 0 ||
	    ctr_hasher_add(p->hash, open, sizeof open - 1, e) < 0 ||
	    ctr_hasher_add(p->hash, p->prefix, n, e) < 0)
		return -1;
	*out = ctr_give(p);
	return 0;
}

/* The rest does not fit the form that was begun: all anew. */
static int pack_whole(const char *rego, size_t n, struct ctr_buf *b, uint8_t *digest,
		      struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf toml = { 0 };

	if (ctr_initdata_build(rego, n, &toml, e) < 0 ||
	    ctr_hash(CTR_SHA256, toml.p, toml.n, digest, e) < 0)
		return -1;
	return ctr_initdata_pack(toml.p, toml.n, b, e);
}

int ctr_initdata_packer_pack(const struct ctr_initdata_packer *p, const char *rest, size_t n,
			     struct ctr_buf *b, uint8_t digest[CTR_SHA256_SIZE], struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf text = { 0 };
	ctr_auto_gzip struct ctr_gzip *g = NULL;
	ctr_auto_hasher struct ctr_hasher *h = NULL;

	ctr_buf_add(&text, p->prefix, p->n);
	ctr_buf_add(&text, rest, n);
	if (ctr_buf_ok(&text, "policy", e) < 0 || text_ok(ctr_buf_str(&text), text.n, e) < 0)
		return -1;
	if (!p->literal || !ctr_toml_literal(rest, n) ||
	    text.n > CTR_INITDATA_MAX - sizeof HEAD LITERAL_OPEN LITERAL_CLOSE)
		return pack_whole(text.p, text.n, b, digest, e);
	ctr_buf_adds(&text, LITERAL_CLOSE);
	if (ctr_buf_ok(&text, "policy", e) < 0 || ctr_hasher_copy(p->hash, &h, e) < 0 ||
	    ctr_hasher_add(h, text.p + p->n, text.n - p->n, e) < 0 ||
	    ctr_hasher_end(h, digest, e) < 0 || ctr_gzip_copy(p->gzip, &g, e) < 0)
		return -1;
	return pack_rest(g, text.p + p->n, text.n - p->n, b, e);
}
