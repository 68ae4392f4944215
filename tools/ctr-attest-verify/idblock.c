#include <string.h>
#include <strings.h>

#include "cmd.h"
#include "enc.h"
#include "file.h"
#include "idauth.h"
#include "json.h"
#include "rd.h"

#define PEM_MAX ((size_t)64 * 1024)

enum {
	OPT_ID = 1,
	OPT_AUTHOR,
	OPT_AUTH,
	OPT_DIGEST,
	OPT_POLICY,
	OPT_SVN,
	OPT_FAMILY,
	OPT_IMAGE,
	OPT_N
};

static const struct ctr_opt opts[] = {
	{ OPT_ID, "id-key", 0, "FILE", "the ID key (PEM, P-384, public or private)" },
	{ OPT_AUTHOR, "author-key", 0, "FILE", "the author key, that signs the ID key" },
	{ OPT_AUTH, "auth", 0, "FILE", "check this ID authentication page" },
	{ OPT_DIGEST, "launch-digest", 0, "HEX", "launch digest of the guest" },
	{ OPT_POLICY, "policy", 0, "HEX", "guest policy" },
	{ OPT_SVN, "guest-svn", 0, "N", "security version of the guest (default 0)" },
	{ OPT_FAMILY, "family-id", 0, "HEX", "16 bytes (default zeros)" },
	{ OPT_IMAGE, "image-id", 0, "HEX", "16 bytes (default zeros)" },
	{ 0 },
};

struct args {
	const char *v[OPT_N];
};

static int on_opt(void *ctx, int id, const char *value, struct ctr_err *e)
{
	struct args *a = ctx;

	if (a->v[id])
		return ctr_fail(e, CTR_USAGE, "usage", "--%s is given twice", opts[id - 1].name);
	a->v[id] = value;
	return 0;
}

static int read_key(const char *path, struct ctr_ec *k, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf pem = { .wipe = true };

	if (ctr_file_read(path, PEM_MAX, &pem, e) < 0)
		return -1;
	if (ctr_ec_pem(ctr_buf_str(&pem), pem.n, k, e) < 0)
		return ctr_wrap(e, "%s", path);
	return k->size == CTR_EC_MAX
		       ? 0
		       : ctr_fail(e, CTR_FORMAT, "key.kind", "%s: no EC key on P-384", path);
}

static int read_hex(const struct args *a, int opt, uint8_t *dst, size_t n, struct ctr_err *e)
{
	const char *s = a->v[opt];
	struct ctr_err why = { 0 };

	if (s && ctr_hex_parse(s, strlen(s), dst, n, &why) < 0)
		return ctr_fail(e, CTR_USAGE, "usage", "--%s: not %zu hexadecimal digits",
				opts[opt - 1].name, 2 * n);
	return 0;
}

/* At most 16 digits, 0x before them or not. */
static int read_policy(const char *s, uint64_t *policy, struct ctr_err *e)
{
	size_t n;

	s += strncasecmp(s, "0x", 2) == 0 ? 2 : 0;
	n = strlen(s);
	if (n == 0 || n > 16 || strspn(s, "0123456789abcdefABCDEF") != n)
		return ctr_fail(e, CTR_USAGE, "usage",
				"--policy: no hexadecimal number of at most 16 digits");
	for (*policy = 0; *s; s++)
		*policy = *policy << 4 | (uint64_t)(*s <= '9' ? *s - '0' : (*s | 0x20) - 'a' + 10);
	return 0;
}

static int read_block(const struct args *a, uint8_t out[ID_BLOCK], struct ctr_err *e)
{
	struct id_block b = { 0 };
	uint64_t svn = 0;

	if (!a->v[OPT_DIGEST] || !a->v[OPT_POLICY])
		return ctr_fail(e, CTR_USAGE, "usage", "--launch-digest and --policy are needed");
	if (read_hex(a, OPT_DIGEST, b.launch_digest, sizeof b.launch_digest, e) < 0 ||
	    read_hex(a, OPT_FAMILY, b.family_id, sizeof b.family_id, e) < 0 ||
	    read_hex(a, OPT_IMAGE, b.image_id, sizeof b.image_id, e) < 0 ||
	    read_policy(a->v[OPT_POLICY], &b.policy, e) < 0 ||
	    (a->v[OPT_SVN] && ctr_number(a->v[OPT_SVN], "--guest-svn", 0, UINT32_MAX, &svn, e) < 0))
		return -1;
	b.guest_svn = (uint32_t)svn;
	id_block_print(&b, out);
	return 0;
}

static int add_hex(struct ctr_json *j, const char *key, const uint8_t *p, size_t n,
		   struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf b = { 0 };

	ctr_hex_add(&b, p, n);
	return ctr_buf_ok(&b, key, e) < 0	  ? -1
	       : ctr_json_set_string(j, key, b.p) ? 0
						  : ctr_fail_mem(e);
}

static int add_digest(struct ctr_json *j, const char *key, const struct ctr_ec *k,
		      struct ctr_err *e)
{
	uint8_t digest[ID_DIGEST];

	return amd_key_digest(k, digest, e) < 0 ? -1 : add_hex(j, key, digest, sizeof digest, e);
}

/* A result that may be open: null. */
static int add_result(struct ctr_json *j, const char *key, bool checked, bool good,
		      struct ctr_err *e)
{
	return (checked ? ctr_json_set_bool(j, key, good) : ctr_json_set_null(j, key))
		       ? 0
		       : ctr_fail_mem(e);
}

/* The page's own key must be the one that is expected. */
static int same_key(const uint8_t page[AMD_KEY], const struct ctr_ec *k, bool *same,
		    struct ctr_err *e)
{
	uint8_t b[AMD_KEY];

	if (amd_key_print(k, b, e) < 0)
		return -1;
	*same = ctr_same(page, b, sizeof b);
	return 0;
}

/* What a page says about keys and block, one member each. *good: all of it holds. */
static int check_page(const struct id_auth *p, const struct ctr_ec *id, const struct ctr_ec *author,
		      const uint8_t *block, struct ctr_json *j, bool *good, struct ctr_err *e)
{
	bool id_same = false, author_same = false, key_signed = false, block_signed = false;

	if (same_key(p->id_key, id, &id_same, e) < 0 ||
	    (author && (same_key(p->author_key, author, &author_same, e) < 0 ||
			ctr_ec_verify(author, p->id_key, AMD_KEY, p->key_sig.r, p->key_sig.s,
				      &key_signed, e) < 0)) ||
	    (block && ctr_ec_verify(id, block, ID_BLOCK, p->block_sig.r, p->block_sig.s,
				    &block_signed, e) < 0))
		return -1;
	*good = id_same && (!author || (author_same && key_signed)) && (!block || block_signed);
	if (!ctr_json_set_uint(j, "size", ID_AUTH) ||
	    !ctr_json_set_uint(j, "id_key_algo", p->id_algo) ||
	    !ctr_json_set_uint(j, "auth_key_algo", p->author_algo))
		return ctr_fail_mem(e);
	if (add_result(j, "id_key_matches", true, id_same, e) < 0 ||
	    add_result(j, "author_key_matches", author, author_same, e) < 0 ||
	    add_result(j, "id_key_signature_verifies", author, key_signed, e) < 0)
		return -1;
	return add_result(j, "id_block_signature_verifies", block, block_signed, e);
}

static int read_page(const char *path, struct id_auth *p, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf file = { 0 };

	if (ctr_file_read(path, ID_AUTH, &file, e) < 0)
		return -1;
	return id_auth_parse(file.p, file.n, p, e) < 0 ? ctr_wrap(e, "%s", path) : 0;
}

static int print(struct ctr_json *j, struct ctr_buf *out, struct ctr_err *e)
{
	if (ctr_json_print(j, 2, out, e) < 0)
		return -1;
	ctr_buf_addc(out, '\n');
	return ctr_buf_ok(out, "output", e);
}

static int run(const struct args *a, struct ctr_buf *out, struct ctr_err *e)
{
	ctr_auto_json struct ctr_json *j = ctr_json_new_object();
	struct ctr_ec id, author;
	uint8_t block[ID_BLOCK];
	struct id_auth page = { 0 };
	bool good = true, make = !a->v[OPT_AUTH] || a->v[OPT_DIGEST] || a->v[OPT_POLICY];

	if (!a->v[OPT_ID])
		return ctr_fail(e, CTR_USAGE, "usage", "--id-key is missing");
	if (!make && (a->v[OPT_SVN] || a->v[OPT_FAMILY] || a->v[OPT_IMAGE]))
		return ctr_fail(e, CTR_USAGE, "usage",
				"an ID block needs --launch-digest and --policy, too");
	if ((make && read_block(a, block, e) < 0) || read_key(a->v[OPT_ID], &id, e) < 0 ||
	    (a->v[OPT_AUTHOR] && read_key(a->v[OPT_AUTHOR], &author, e) < 0) ||
	    (a->v[OPT_AUTH] && read_page(a->v[OPT_AUTH], &page, e) < 0))
		return -1;
	if (a->v[OPT_AUTH] && (page.author_algo != 0) != (a->v[OPT_AUTHOR] != NULL))
		return ctr_fail(e, CTR_USAGE, "usage",
				page.author_algo
					? "the page names an author key: give it with --author-key"
					: "the page names no author key");
	if (make && add_hex(j, "id_block", block, sizeof block, e) < 0)
		return -1;
	if (add_digest(j, "id_key_digest", &id, e) < 0 ||
	    (a->v[OPT_AUTHOR] ? add_digest(j, "author_key_digest", &author, e)
			      : add_result(j, "author_key_digest", false, false, e)) < 0)
		return -1;
	if (a->v[OPT_AUTH] && check_page(&page, &id, a->v[OPT_AUTHOR] ? &author : NULL,
					 make ? block : NULL, j, &good, e) < 0)
		return -1;
	if (print(j, out, e) < 0)
		return -1;
	return good ? 0
		    : ctr_fail(e, CTR_NO, "idauth.no",
			       "%s: a key differs, or a signature does not hold", a->v[OPT_AUTH]);
}

int cmd_idblock(struct ctr_tool *t, int argc, char **argv, struct ctr_buf *out, struct ctr_err *e)
{
	struct args a = { 0 };
	int first = 0;

	t->synopsis = "--id-key FILE [options]";
	t->summary = "Makes the ID block of an SEV-SNP guest and the digests of its keys, or "
		     "checks the page that signs it.";
	t->example =
		"ctr-attest-verify idblock --id-key id.pem --launch-digest HEX --policy 0x30000";
	t->opts = opts;
	if (ctr_tool_opts(t, argc, argv, on_opt, &a, &first, e) < 0)
		return -1;
	if (t->served)
		return 0;
	if (first < argc)
		return ctr_fail(e, CTR_USAGE, "usage", "%s: no operand is expected", argv[first]);
	return run(&a, out, e);
}
