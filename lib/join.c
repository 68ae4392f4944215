#include "join.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "crypto_ecdsa.h"
#include "enc.h"
#include "json_b64.h"

#define ECDSA_DER_MIN 8 /* two INTEGERs of one byte */

void ctr_join_free(struct ctr_join *j)
{
	ctr_buf_free(&j->evidence);
	ctr_buf_free(&j->cert_key);
	ctr_buf_free(&j->signature);
	*j = (struct ctr_join){ 0 };
}

void ctr_join_answer_free(struct ctr_join_answer *a)
{
	ctr_buf_free(&a->cert_chain);
	ctr_buf_free(&a->mesh_ca);
	ctr_buf_free(&a->root_ca);
	ctr_buf_free(&a->sealed);
	*a = (struct ctr_join_answer){ 0 };
}

static int text_fits(size_t n, struct ctr_err *e)
{
	return n <= CTR_JOIN_MAX
		       ? 0
		       : ctr_fail(e, CTR_FORMAT, "join.size",
				  "%zu bytes of JSON (expected at most %zu)", n, CTR_JOIN_MAX);
}

/* A member of min to max bytes. */
static int member(const struct ctr_jval *root, const char *key, size_t min, size_t max,
		  struct ctr_buf *b, struct ctr_err *e)
{
	struct ctr_jval v = ctr_jget(root, key);

	if (ctr_jbase64(&v, b, e) < 0)
		return -1;
	if (b->n >= min && b->n <= max)
		return 0;
	return min == max ? ctr_jfail(&v, e, "join.size", "%zu bytes (expected %zu)", b->n, min)
			  : ctr_jfail(&v, e, "join.size", "%zu bytes (expected %zu to %zu)", b->n,
				      min, max);
}

static int check_key(const struct ctr_jval *root, const struct ctr_buf *key, struct ctr_err *e)
{
	struct ctr_jval v = ctr_jget(root, "cert_pub_key");

	return key->n == CTR_SPKI_P256 || key->n == CTR_SPKI_P384
		       ? 0
		       : ctr_jfail(&v, e, "join.size", "%zu bytes (expected %d or %d)", key->n,
				   CTR_SPKI_P256, CTR_SPKI_P384);
}

static int fields(const struct ctr_jval *root, struct ctr_join *j, struct ctr_err *e)
{
	static const char *const keys[] = { "evidence", "cert_pub_key", "kem_pub_key", "signature",
					    NULL };
	struct ctr_jval kem;

	if (ctr_jobject(root, e) < 0 || ctr_jonly(root, keys, e) < 0)
		return -1;
	kem = ctr_jget(root, "kem_pub_key");
	if (member(root, "evidence", 1, CTR_JOIN_MAX, &j->evidence, e) < 0 ||
	    member(root, "cert_pub_key", 1, CTR_SPKI_P384, &j->cert_key, e) < 0 ||
	    check_key(root, &j->cert_key, e) < 0 ||
	    ctr_jbase64_exact(&kem, j->kem_key, sizeof j->kem_key, "join.size", e) < 0)
		return -1;
	return member(root, "signature", ECDSA_DER_MIN, CTR_ECDSA_DER_MAX, &j->signature, e);
}

int ctr_join_parse(const char *name, const char *p, size_t n, struct ctr_join *j, struct ctr_err *e)
{
	ctr_auto_json struct ctr_json *json = NULL;
	struct ctr_jval root;

	if (text_fits(n, e) < 0 || ctr_json_parse(name, p, n, &json, e) < 0)
		return -1;
	root = ctr_jroot(json);
	return fields(&root, j, e) < 0 ? ctr_wrap(e, "%s", name) : 0;
}

static int print(struct ctr_json *obj, struct ctr_buf *b, struct ctr_err *e)
{
	size_t before = b->n;

	if (ctr_json_print(obj, 0, b, e) < 0)
		return -1;
	return text_fits(b->n - before, e);
}

int ctr_join_print(const struct ctr_join *j, struct ctr_buf *b, struct ctr_err *e)
{
	ctr_auto_json struct ctr_json *obj = ctr_json_new_object();

	if (!ctr_json_set_base64(obj, "evidence", j->evidence.p, j->evidence.n) ||
	    !ctr_json_set_base64(obj, "cert_pub_key", j->cert_key.p, j->cert_key.n) ||
	    !ctr_json_set_base64(obj, "kem_pub_key", j->kem_key, sizeof j->kem_key) ||
	    !ctr_json_set_base64(obj, "signature", j->signature.p, j->signature.n))
		return ctr_fail_mem(e);
	return print(obj, b, e);
}

/* cert_key || kem_key || nonce: hashed for the report, and signed. */
static int bound(const struct ctr_join *j, const uint8_t nonce[CTR_NONCE_SIZE], struct ctr_buf *b,
		 struct ctr_err *e)
{
	ctr_buf_add(b, j->cert_key.p, j->cert_key.n);
	ctr_buf_add(b, j->kem_key, sizeof j->kem_key);
	ctr_buf_add(b, nonce, CTR_NONCE_SIZE);
	return ctr_buf_ok(b, "keys", e);
}

int ctr_join_report_data(const struct ctr_join *j, const uint8_t nonce[CTR_NONCE_SIZE],
			 uint8_t out[CTR_REPORT_DATA_SIZE], struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf b = { 0 };

	memset(out, 0, CTR_REPORT_DATA_SIZE);
	return bound(j, nonce, &b, e) < 0 ? -1 : ctr_hash(CTR_SHA512, b.p, b.n, out, e);
}

int ctr_join_sign(struct ctr_join *j, const struct ctr_sign_key *key,
		  const uint8_t nonce[CTR_NONCE_SIZE], struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf b = { 0 };

	ctr_buf_reset(&j->signature);
	if (bound(j, nonce, &b, e) < 0)
		return -1;
	return ctr_sign_der(key, CTR_SHA256, b.p, b.n, &j->signature, e);
}

int ctr_join_verify(const struct ctr_join *j, const uint8_t nonce[CTR_NONCE_SIZE],
		    struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf b = { 0 };
	bool good;

	if (bound(j, nonce, &b, e) < 0 ||
	    ctr_ecdsa_verify(j->cert_key.p, j->cert_key.n, CTR_SHA256, b.p, b.n, j->signature.p,
			     j->signature.n, &good, e) < 0)
		return -1;
	return good ? 0
		    : ctr_fail(e, CTR_NO, "join.signature",
			       "the signature is not by cert_pub_key over these keys and this "
			       "nonce");
}

static const char before[] = CTR_JOIN_SCHEME " nonce=\"", after[] = "\"";

void ctr_join_challenge(const uint8_t nonce[CTR_NONCE_SIZE], char *b, size_t n)
{
	ctr_auto_buf struct ctr_buf text = { 0 };

	ctr_base64_add(&text, nonce, CTR_NONCE_SIZE);
	snprintf(b, n, "%s%s%s", before, text.bad ? "" : ctr_buf_str(&text), after);
}

int ctr_join_nonce(const char *header, uint8_t nonce[CTR_NONCE_SIZE], struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf b = { 0 };
	size_t scheme = sizeof CTR_JOIN_SCHEME - 1, lead = sizeof before - 1, digits = 44, n;

	memset(nonce, 0, CTR_NONCE_SIZE);
	n = header ? strlen(header) : 0;
	if (n != lead + digits + 1 || strncasecmp(header, before, scheme) != 0 ||
	    strncmp(header + scheme, before + scheme, lead - scheme) != 0 ||
	    header[n - 1] != after[0] || ctr_base64_parse(header + lead, digits, &b, NULL) < 0 ||
	    b.n != CTR_NONCE_SIZE)
		return ctr_fail(e, CTR_FORMAT, "join.authorization",
				"%s (expected " CTR_JOIN_SCHEME " nonce=\"BASE64 of %d bytes\")",
				header ? "another scheme or form" : "none", CTR_NONCE_SIZE);
	memcpy(nonce, b.p, b.n);
	return 0;
}

/* An object with these keys alone, of our version. */
static int versioned(const struct ctr_jval *root, const char *const *keys, struct ctr_err *e)
{
	struct ctr_jval version;
	const char *v;

	if (ctr_jobject(root, e) < 0 || ctr_jonly(root, keys, e) < 0)
		return -1;
	version = ctr_jget(root, "version");
	if (ctr_jstring(&version, &v, e) < 0)
		return -1;
	return strcmp(v, "v1") == 0 ? 0
				    : ctr_jfail(&version, e, "join.version",
						"version \"%.40s\" (expected v1)", v);
}

static int answer_fields(const struct ctr_jval *root, struct ctr_join_answer *a, struct ctr_err *e)
{
	static const char *const keys[] = { "version", "cert_chain",	"mesh_ca",
					    "root_ca", "sealed_secret", NULL };
	struct ctr_jval sealed;

	if (versioned(root, keys, e) < 0)
		return -1;
	sealed = ctr_jget(root, "sealed_secret");
	if (member(root, "cert_chain", 1, CTR_JOIN_MAX, &a->cert_chain, e) < 0 ||
	    member(root, "mesh_ca", 1, CTR_JOIN_MAX, &a->mesh_ca, e) < 0 ||
	    member(root, "root_ca", 1, CTR_JOIN_MAX, &a->root_ca, e) < 0)
		return -1;
	return sealed.v ? member(root, "sealed_secret", CTR_JOIN_SECRET_SIZE + CTR_HPKE_EXTRA,
				 CTR_JOIN_SECRET_SIZE + CTR_HPKE_EXTRA, &a->sealed, e)
			: 0;
}

int ctr_join_answer_parse(const char *name, const char *p, size_t n, struct ctr_join_answer *a,
			  struct ctr_err *e)
{
	ctr_auto_json struct ctr_json *json = NULL;
	struct ctr_jval root;

	if (text_fits(n, e) < 0 || ctr_json_parse(name, p, n, &json, e) < 0)
		return -1;
	root = ctr_jroot(json);
	return answer_fields(&root, a, e) < 0 ? ctr_wrap(e, "%s", name) : 0;
}

int ctr_join_answer_print(const struct ctr_join_answer *a, struct ctr_buf *b, struct ctr_err *e)
{
	ctr_auto_json struct ctr_json *obj = ctr_json_new_object();

	if (!ctr_json_set_string(obj, "version", "v1") ||
	    !ctr_json_set_base64(obj, "cert_chain", a->cert_chain.p, a->cert_chain.n) ||
	    !ctr_json_set_base64(obj, "mesh_ca", a->mesh_ca.p, a->mesh_ca.n) ||
	    !ctr_json_set_base64(obj, "root_ca", a->root_ca.p, a->root_ca.n) ||
	    (a->sealed.n && !ctr_json_set_base64(obj, "sealed_secret", a->sealed.p, a->sealed.n)))
		return ctr_fail_mem(e);
	return print(obj, b, e);
}

void ctr_join_info(const uint8_t nonce[CTR_NONCE_SIZE], struct ctr_buf *info)
{
	ctr_buf_adds(info, "contrast mesh secret v1");
	ctr_buf_add(info, nonce, CTR_NONCE_SIZE);
}

int ctr_join_ca_parse(const char *name, const char *p, size_t n, struct ctr_buf *mesh_ca,
		      struct ctr_err *e)
{
	static const char *const keys[] = { "version", "mesh_ca", NULL };
	ctr_auto_json struct ctr_json *json = NULL;
	struct ctr_jval root;

	if (text_fits(n, e) < 0 || ctr_json_parse(name, p, n, &json, e) < 0)
		return -1;
	root = ctr_jroot(json);
	if (versioned(&root, keys, e) < 0 ||
	    member(&root, "mesh_ca", 1, CTR_JOIN_MAX, mesh_ca, e) < 0)
		return ctr_wrap(e, "%s", name);
	return 0;
}

int ctr_join_ca_print(const struct ctr_buf *mesh_ca, struct ctr_buf *b, struct ctr_err *e)
{
	ctr_auto_json struct ctr_json *obj = ctr_json_new_object();

	if (!ctr_json_set_string(obj, "version", "v1") ||
	    !ctr_json_set_base64(obj, "mesh_ca", mesh_ca->p, mesh_ca->n))
		return ctr_fail_mem(e);
	return print(obj, b, e);
}
