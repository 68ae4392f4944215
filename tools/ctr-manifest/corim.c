#include "corim_int.h"

#include <string.h>

#include "cose.h"
#include "file.h"
#include "refs.h"

#define PEM_MAX ((size_t)64 * 1024)
#define DEPTH 24

enum {
	TAG_CORIM = 500,
	TAG_PLAIN = 501,
	TAG_SIGNED = 502,
	TAG_SIGN1 = 18,
	TAG_TIME = 1,
	TAG_URI = 32,
	TAG_COSWID = 505,
	TAG_COMID = 506
};
enum { CORIM_TAGS = 1, CORIM_PROFILE = 3, CORIM_VALIDITY = 4 };
enum { COMID_TRIPLES = 4, TRIPLES_REFERENCE = 0 };
enum { HEADER_META = 8, HEADER_CLAIMS = 15, META_VALIDITY = 1, CLAIM_EXP = 4, CLAIM_NBF = 5 };

static const struct profile profiles[] = {
	{ "tag:amd.com,2025:snp-corim-profile", NULL, 0, corim_snp, 0, 7, { 1, -1 } },
	{ "http://amd.com/please-permalink-me", NULL, 0, corim_snp, 0, 7, { 1, -1 } },
	{ "tag:amd.com,2024:snp-corim-profile", NULL, 0, corim_snp, 641, 647, { 2, 7, -1 } },
	{ "http://amd.com/2024/snp-corim-profile", NULL, 0, corim_snp, 641, 647, { 2, 7, -1 } },
	/* 2.16.840.1.113741.1.16.1 */
	{ NULL, "\x60\x86\x48\x01\x86\xf8\x4d\x01\x10\x01", 10, corim_tdx, 0, 0, { -1 } },
};

bool corim_id_is(const struct ctr_rd *id, const char *bytes, size_t n)
{
	return id->left == n && ctr_same(id->p, bytes, n);
}

void *corim_grow(void **v, size_t *n, size_t size, struct ctr_err *e)
{
	char *p = *n < CTR_REFS_MAX ? realloc(*v, (*n + 1) * size) : NULL;

	if (!p) {
		if (*n >= CTR_REFS_MAX)
			ctr_fail(e, CTR_FORMAT, "corim.unsupported",
				 "more than %d reference value sets", CTR_REFS_MAX);
		else
			ctr_fail_mem(e);
		return NULL;
	}
	*v = p;
	p += *n * size;
	memset(p, 0, size);
	++*n;
	return p;
}

/* A tag of this number, taken off; false: another, or none. */
static bool tagged(struct ctr_cval *v, uint64_t want)
{
	struct ctr_err ignored = { 0 };
	struct ctr_cval inner;
	uint64_t tag;

	if (!v->there || ctr_ctype(v) != CTR_CBOR_TAG || ctr_ctag(v, &tag, &inner, &ignored) < 0 ||
	    tag != want)
		return false;
	*v = inner;
	return true;
}

int corim_measurement(const struct ctr_cval *v, struct ctr_cval *key, struct ctr_cval *values,
		      struct ctr_err *e)
{
	struct ctr_cval authority;

	if (ctr_cmap(v, e) < 0)
		return -1;
	*key = ctr_cget_int(v, MEAS_KEY);
	*values = ctr_cget_int(v, MEAS_VALUE);
	authority = ctr_cget_int(v, MEAS_AUTHORITY);
	if (authority.there)
		return ctr_cfail(&authority, e, "corim.unsupported",
				 "who must have signed a measurement cannot be checked");
	return ctr_cmap(values, e);
}

/* One [alg, bytes]; *found when it is SHA-384. */
static int one_digest(const struct ctr_cval *v, uint8_t out[48], bool *found, struct ctr_err *e)
{
	struct ctr_cval alg = ctr_cfirst(v), bytes;
	struct ctr_rd r;
	uint64_t n;

	bytes = alg.there ? ctr_cnext(&alg) : alg;
	if (ctr_ccount(v) != 2 || ctr_cuint(&alg, INT32_MAX, &n, e) < 0 ||
	    ctr_cbytes(&bytes, CTR_HASH_MAX, &r, e) < 0)
		return ctr_cfail(v, e, "corim.digest", "not an algorithm and a digest");
	if (n != 7) /* SHA-384, named information registry */
		return 0;
	if (*found || r.left != 48)
		return ctr_cfail(v, e, "corim.digest",
				 "more than one SHA-384 digest, or one of %zu bytes", r.left);
	*found = true;
	return ctr_rd_copy(&r, out, 48);
}

int corim_digest(const struct ctr_cval *v, uint8_t out[48], struct ctr_err *e)
{
	struct ctr_cval first;
	bool found = false;

	if (ctr_carray(v, e) < 0)
		return -1;
	first = ctr_cfirst(v);
	if (first.there && ctr_ctype(&first) == CTR_CBOR_UINT) {
		if (one_digest(v, out, &found, e) < 0)
			return -1;
	} else {
		for (; first.there; first = ctr_cnext(&first)) {
			if (ctr_carray(&first, e) < 0 || one_digest(&first, out, &found, e) < 0)
				return -1;
		}
	}
	return found ? 0 : ctr_cfail(v, e, "corim.digest", "no SHA-384 digest");
}

int corim_class(const struct ctr_cval *env, uint64_t *tag, struct ctr_rd *id, struct ctr_err *e)
{
	struct ctr_cval class = ctr_cget_int(env, ENV_CLASS), v, inner;

	*tag = 0;
	ctr_rd_init(id, NULL, 0);
	if (!class.there)
		return 0;
	if (ctr_cmap(&class, e) < 0)
		return -1;
	v = ctr_cget_int(&class, 0);
	if (!v.there)
		return 0;
	return ctr_ctag(&v, tag, &inner, e) < 0 ? -1 : ctr_cbytes(&inner, 64, id, e);
}

static int reference(struct corim *c, const struct ctr_cval *triple, struct ctr_err *e)
{
	struct ctr_cval env, list, group;

	if (ctr_carray(triple, e) < 0)
		return -1;
	env = ctr_cfirst(triple);
	list = env.there ? ctr_cnext(&env) : env;
	if (ctr_ccount(triple) != 2)
		return ctr_cfail(triple, e, "corim.form",
				 "a reference triple of %zu parts (expected 2)",
				 ctr_ccount(triple));
	if (ctr_cmap(&env, e) < 0 || ctr_carray(&list, e) < 0)
		return -1;
	group = ctr_cget_int(&env, ENV_GROUP);
	if (group.there)
		return ctr_cfail(&group, e, "corim.unsupported",
				 "groups of environments are not supported");
	return c->profile->triple(c, &env, &list, e);
}

static int comid(struct corim *c, const struct ctr_rd *bytes, struct ctr_err *e)
{
	ctr_auto_cbor struct ctr_cbor *tree = NULL;
	struct ctr_cval root, triples, list;

	if (ctr_cbor_parse(bytes->p, bytes->left, DEPTH, &tree, e) < 0)
		return -1;
	root = ctr_croot(tree);
	triples = ctr_cget_int(&root, COMID_TRIPLES);
	if (ctr_cmap(&root, e) < 0 || ctr_cmap(&triples, e) < 0)
		return -1;
	list = ctr_cget_int(&triples, TRIPLES_REFERENCE);
	if (!list.there)
		return 0;
	if (ctr_carray(&list, e) < 0)
		return -1;
	for (struct ctr_cval t = ctr_cfirst(&list); t.there; t = ctr_cnext(&t)) {
		if (reference(c, &t, e) < 0)
			return -1;
	}
	return 0;
}

static int read_profile(struct corim *c, const struct ctr_cval *root, struct ctr_err *e)
{
	struct ctr_cval v = ctr_cget_int(root, CORIM_PROFILE);
	struct ctr_rd id;
	bool oid;

	if (v.there && ctr_ctype(&v) == CTR_CBOR_ARRAY && ctr_ccount(&v) == 1)
		v = ctr_cfirst(&v);
	if (!v.there)
		return ctr_fail(e, CTR_FORMAT, "corim.profile",
				"the CoRIM names no profile: what its values mean is not known");
	oid = tagged(&v, TAG_OID);
	if (!oid)
		(void)tagged(&v, TAG_URI);
	if ((oid ? ctr_cbytes(&v, 64, &id, e) : ctr_ctext(&v, 256, &id, e)) < 0)
		return -1;
	for (size_t i = 0; i < sizeof profiles / sizeof *profiles; i++) {
		const struct profile *p = &profiles[i];

		if (oid ? p->oid && corim_id_is(&id, p->oid, p->oid_n)
			: p->uri && corim_id_is(&id, p->uri, strlen(p->uri))) {
			c->profile = p;
			return 0;
		}
	}
	return ctr_cfail(&v, e, "corim.profile", "a profile that is not known");
}

/* Not before and not after, at these keys of a map that may be absent; seconds since the epoch. */
static int validity(const struct ctr_cval *map, int64_t from, int64_t until, time_t now,
		    struct ctr_err *e)
{
	int64_t bound[2] = { INT64_MIN, INT64_MAX };

	if (!map->there)
		return 0;
	if (ctr_cmap(map, e) < 0)
		return -1;
	for (int i = 0; i < 2; i++) {
		struct ctr_cval v = ctr_cget_int(map, i ? until : from);

		if (!v.there)
			continue;
		(void)tagged(&v, TAG_TIME);
		if (ctr_cint(&v, &bound[i], e) < 0)
			return -1;
	}
	if (now < bound[0] || now > bound[1])
		return ctr_fail(e, CTR_NO, "corim.expired",
				"the CoRIM, or its signature, is not valid now");
	return 0;
}

static int document(struct corim *c, struct ctr_cval root, struct ctr_err *e)
{
	struct ctr_cval tags, bounds;

	(void)tagged(&root, TAG_PLAIN);
	if (ctr_cmap(&root, e) < 0 || read_profile(c, &root, e) < 0)
		return -1;
	bounds = ctr_cget_int(&root, CORIM_VALIDITY);
	tags = ctr_cget_int(&root, CORIM_TAGS);
	if (validity(&bounds, 0, 1, c->o->now, e) < 0 || ctr_carray(&tags, e) < 0)
		return -1;
	for (struct ctr_cval t = ctr_cfirst(&tags); t.there; t = ctr_cnext(&t)) {
		struct ctr_cval inner;
		struct ctr_rd bytes;
		uint64_t tag;

		if (ctr_ctag(&t, &tag, &inner, e) < 0)
			return -1;
		if (tag == TAG_COSWID)
			continue; /* names software, measures nothing */
		if (tag != TAG_COMID)
			return ctr_cfail(&t, e, "corim.unsupported", "a tag of kind %llu",
					 (unsigned long long)tag);
		if (ctr_cbytes(&inner, CORIM_MAX, &bytes, e) < 0 || comid(c, &bytes, e) < 0)
			return ctr_wrap(e, "CoMID");
	}
	return 0;
}

/* What the signer says of the signature: corim-meta, or CWT claims (RFC 9597). */
static int signature_validity(const struct ctr_cval *headers, time_t now, struct ctr_err *e)
{
	struct ctr_cval claims = ctr_cget_int(headers, HEADER_CLAIMS),
			v = ctr_cget_int(headers, HEADER_META), bounds;
	ctr_auto_cbor struct ctr_cbor *meta = NULL;
	struct ctr_rd bytes;

	if (validity(&claims, CLAIM_NBF, CLAIM_EXP, now, e) < 0)
		return -1;
	if (!v.there)
		return 0;
	if (ctr_cbytes(&v, CORIM_MAX, &bytes, e) < 0 ||
	    ctr_cbor_parse(bytes.p, bytes.left, DEPTH, &meta, e) < 0)
		return -1;
	v = ctr_croot(meta);
	bounds = ctr_cget_int(&v, META_VALIDITY);
	return ctr_cmap(&v, e) < 0 ? -1 : validity(&bounds, 0, 1, now, e);
}

/* The name in the draft, and the one that tools wrote before. */
static bool is_corim(const struct ctr_rd *type)
{
	static const char now[] = "application/rim+cbor",
			  before[] = "application/corim-unsigned+cbor";

	return type->left == 0 || corim_id_is(type, now, sizeof now - 1) ||
	       corim_id_is(type, before, sizeof before - 1);
}

static int signed_document(struct corim *c, const struct ctr_cval *v, struct ctr_err *e)
{
	ctr_auto_cbor struct ctr_cbor *headers = NULL, *tree = NULL;
	struct cose_sign1 s;
	struct ctr_cval root;

	if (!c->o->key) {
		ctr_fail(e, CTR_NO, "corim.key", "the CoRIM is signed, and no key says by whom");
		return ctr_err_fix(e, "give the signer's key with --corim-key");
	}
	if (cose_parse(v, &s, &headers, e) < 0 || cose_verify(&s, c->o->key, e) < 0)
		return -1;
	if (!is_corim(&s.content_type))
		return ctr_fail(e, CTR_FORMAT, "corim.form",
				"what is signed is not a CoRIM (expected application/rim+cbor)");
	root = ctr_croot(headers);
	if (signature_validity(&root, c->o->now, e) < 0 ||
	    ctr_cbor_parse(s.payload.p, s.payload.left, DEPTH, &tree, e) < 0)
		return -1;
	return document(c, ctr_croot(tree), e);
}

static int whole(struct corim *c, const void *p, size_t n, struct ctr_err *e)
{
	ctr_auto_cbor struct ctr_cbor *tree = NULL;
	struct ctr_cval v;

	if (ctr_cbor_parse(p, n, DEPTH, &tree, e) < 0)
		return -1;
	v = ctr_croot(tree);
	(void)tagged(&v, TAG_CORIM);
	(void)tagged(&v, TAG_SIGNED);
	if (tagged(&v, TAG_SIGN1))
		return signed_document(c, &v, e);
	if (!c->o->plain) {
		ctr_fail(e, CTR_NO, "corim.unsigned",
			 "the CoRIM is not signed: anybody may have written it");
		return ctr_err_fix(e, "--corim-unsigned takes it nevertheless");
	}
	return document(c, v, e);
}

/* The module's measurement holds for every guest on it. */
static int add_seam(struct corim *c, struct ctr_err *e)
{
	if (c->sets.n_snp + c->sets.n_tdx == 0)
		return ctr_fail(e, CTR_FORMAT, "corim.empty",
				"no reference triple measures a guest");
	for (size_t i = 0; c->has_seam && i < c->sets.n_tdx; i++) {
		memcpy(c->sets.tdx[i].mrseam.v, c->seam, sizeof c->seam);
		c->sets.tdx[i].mrseam.known = true;
	}
	return 0;
}

int corim_read(const void *p, size_t n, const struct corim_opts *o, struct ctr_manifest *m,
	       struct ctr_err *e)
{
	struct corim c = { .o = o };
	int rc = whole(&c, p, n, e) < 0 || add_seam(&c, e) < 0 ? -1 : refs_copy(m, &c.sets, e);

	ctr_manifest_free(&c.sets);
	return rc;
}

static int read_key(const char *path, struct ctr_ec *k, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf pem = { .wipe = true };

	if (ctr_file_read(path, PEM_MAX, &pem, e) < 0)
		return -1;
	return ctr_ec_pem(ctr_buf_str(&pem), pem.n, k, e) < 0 ? ctr_wrap(e, "%s", path) : 0;
}

int corim_load(const char *path, const char *key, bool plain, int product, struct ctr_manifest *m,
	       struct ctr_err *e)
{
	struct corim_opts o = { .plain = plain, .product = product, .now = time(NULL) };
	ctr_auto_buf struct ctr_buf file = { 0 };
	struct ctr_ec k;

	if (key && read_key(key, &k, e) < 0)
		return -1;
	o.key = key ? &k : NULL;
	if (ctr_file_read(path, CORIM_MAX, &file, e) < 0)
		return -1;
	return corim_read(file.p, file.n, &o, m, e) < 0 ? ctr_wrap(e, "%s", path) : 0;
}
