#include "transit.h"

#include <string.h>
#include <sys/random.h>

#include "crypto_gcm.h"
#include "crypto_sign.h"
#include "crypto_tls.h"
#include "enc.h"
#include "json_b64.h"
#include "rd.h"

/* As Vault writes ciphertexts; the version is that of the key, of which there is one. */
#define PREFIX "vault:v1:"
#define PREFIX_SIZE (sizeof PREFIX - 1)
#define EXTRA (CTR_GCM_NONCE + CTR_GCM_TAG)

static void key_cleanup(struct ctr_sign_key **k)
{
	ctr_sign_key_free(*k);
}

void transit_error(struct ctr_buf *b, const char *text)
{
	ctr_buf_adds(b, "{\"errors\":[");
	ctr_json_quote(b, text, strlen(text));
	ctr_buf_adds(b, "]}\n");
}

/* %2F and the like in what stands behind the route. */
static int decode(const char *s, struct ctr_buf *b, struct ctr_err *e)
{
	uint8_t byte;

	for (; *s; s++) {
		if (*s != '%') {
			ctr_buf_addc(b, *s);
			continue;
		}
		if (strlen(s) < 3 || ctr_hex_parse(s + 1, 2, &byte, 1, NULL) < 0 || byte == 0)
			return ctr_fail(e, CTR_FORMAT, "transit.name",
					"the key's name: a '%%' that is not followed by two "
					"hexadecimal digits");
		ctr_buf_addc(b, (char)byte);
		s += 2;
	}
	return ctr_buf_ok(b, "key name", e);
}

/* The names of the Coordinator's own policies, for its clients to check; "coordinator" if it has
 * none. */
static const char *const *own_names(const struct ctr_manifest *m, size_t *n)
{
	static const char *const usual[] = { "coordinator" };

	for (size_t i = 0; i < m->n_policies; i++) {
		const struct ctr_manifest_policy *p = &m->policies[i];

		if (p->role == CTR_ROLE_COORDINATOR && p->n_sans) {
			*n = p->n_sans;
			return (const char *const *)p->sans;
		}
	}
	*n = 1;
	return usual;
}

int transit_certify(struct coord *c, const struct state *s, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf spki = { 0 }, pem = { .wipe = true }, chain = { 0 };
	CTR_AUTO(key_cleanup) struct ctr_sign_key *key = NULL;
	struct ctr_issue i = { .now = time(NULL), .seconds = UINT64_MAX };

	if (ctr_sign_key_new(&key, e) < 0 || ctr_sign_key_spki(key, &spki, e) < 0 ||
	    ctr_sign_key_pem(key, &pem, e) < 0)
		return -1;
	i.spki = (struct ctr_bytes){ spki.p, spki.n };
	i.sans = own_names(&s->manifest, &i.n_sans);
	return ctr_mesh_issue(s->mesh, &i, &chain, e) < 0
		       ? -1
		       : ctr_tls_server_set(c->tls, chain.p, pem.p,
					    ctr_buf_str(ctr_mesh_pem(s->mesh)), e);
}

/* Each workload has the one key that its manifest entry names. */
static int own_key(struct coord *c, const struct ctr_http_request *rq, struct ctr_secret *key,
		   struct ctr_err *e)
{
	auto_state struct state *s = coord_state(c, e);
	ctr_auto_buf struct ctr_buf name = { 0 };
	const struct ctr_manifest_policy *p;
	uint8_t policy[CTR_SHA256_SIZE];

	if (!s || decode(rq->rest, &name, e) < 0 ||
	    ctr_mesh_policy(rq->peer_cert, rq->n_peer_cert, policy, e) < 0)
		return -1;
	p = ctr_manifest_find(&s->manifest, policy);
	if (!p || !*p->secret_id || strcmp(p->secret_id, ctr_buf_str(&name)) != 0)
		return ctr_fail(e, CTR_NO, "transit.key",
				"the certificate's policy has no key of this name");
	return ctr_root_transit_key(s->root, p->secret_id, key, e);
}

/* Vault's clients send more fields than matter here (key_version, type, …): ignored, as Vault does.
 */
static int fields(const struct ctr_http_request *rq, struct ctr_json **json, const char *what,
		  const char **text, struct ctr_buf *aad, struct ctr_err *e)
{
	struct ctr_jval root, v, more;

	if (ctr_json_parse("request", rq->body, rq->n, json, e) < 0)
		return -1;
	root = ctr_jroot(*json);
	if (ctr_jobject(&root, e) < 0)
		return -1;
	v = ctr_jget(&root, what);
	more = ctr_jget(&root, "associated_data");
	if (ctr_jstring(&v, text, e) < 0)
		return -1;
	return ctr_jhas(&more) ? ctr_jbase64(&more, aad, e) : 0;
}

int transit_encrypt(struct coord *c, const struct ctr_http_request *rq, struct ctr_http_answer *a,
		    struct ctr_err *e)
{
	ctr_auto_json_secret struct ctr_json *json = NULL;
	ctr_auto_buf struct ctr_buf pt = { .wipe = true }, aad = { 0 }, out = { 0 };
	ctr_auto_secret struct ctr_secret key = { 0 };
	const char *text;
	uint8_t *room;

	if (own_key(c, rq, &key, e) < 0 || fields(rq, &json, "plaintext", &text, &aad, e) < 0 ||
	    ctr_base64_parse(text, strlen(text), &pt, e) < 0)
		return -1;
	room = ctr_buf_room(&out, pt.n + EXTRA);
	if (!room)
		return ctr_fail_mem(e);
	if (getrandom(room, CTR_GCM_NONCE, 0) != CTR_GCM_NONCE)
		return ctr_fail_sys(e, "random", "no random bytes");
	if (ctr_gcm_encrypt(key.p, key.n, room, aad.p, aad.n, pt.p, pt.n, room + CTR_GCM_NONCE, e) <
	    0)
		return -1;
	ctr_buf_commit(&out, pt.n + EXTRA);
	ctr_buf_adds(&a->body, "{\"data\":{\"ciphertext\":\"" PREFIX);
	ctr_base64_add(&a->body, out.p, out.n);
	ctr_buf_adds(&a->body, "\",\"key_version\":1}}\n");
	return 0;
}

/* lesson: short ciphertexts were sliced without a length check */
static int open_text(const struct ctr_secret *key, const char *text, const struct ctr_buf *aad,
		     struct ctr_secret *pt, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf raw = { 0 };
	uint8_t nonce[CTR_GCM_NONCE];
	struct ctr_rd r;
	bool good = false;

	if (strncmp(text, PREFIX, PREFIX_SIZE) != 0)
		return ctr_fail(e, CTR_FORMAT, "transit.ciphertext",
				"no ciphertext of this engine (expected " PREFIX "…)");
	if (ctr_base64_parse(text + PREFIX_SIZE, strlen(text + PREFIX_SIZE), &raw, e) < 0)
		return -1;
	ctr_rd_init(&r, raw.p, raw.n);
	if (ctr_rd_copy(&r, nonce, sizeof nonce) < 0 || r.left < CTR_GCM_TAG)
		return ctr_fail(e, CTR_FORMAT, "transit.ciphertext",
				"a ciphertext of %zu bytes (expected at least %d)", raw.n, EXTRA);
	if (ctr_secret_new(pt, r.left - CTR_GCM_TAG, e) < 0 ||
	    ctr_gcm_decrypt(key->p, key->n, nonce, aad->p, aad->n, r.p, pt->n, pt->p, &good, e) < 0)
		return -1;
	return good ? 0
		    : ctr_fail(e, CTR_FORMAT, "transit.changed",
			       "the ciphertext is of another key or associated data, or was "
			       "changed");
}

int transit_decrypt(struct coord *c, const struct ctr_http_request *rq, struct ctr_http_answer *a,
		    struct ctr_err *e)
{
	ctr_auto_json struct ctr_json *json = NULL;
	ctr_auto_buf struct ctr_buf aad = { 0 };
	ctr_auto_secret struct ctr_secret key = { 0 }, pt = { 0 };
	const char *text;

	if (own_key(c, rq, &key, e) < 0 || fields(rq, &json, "ciphertext", &text, &aad, e) < 0 ||
	    open_text(&key, text, &aad, &pt, e) < 0)
		return -1;
	a->body.wipe = true;
	ctr_buf_adds(&a->body, "{\"data\":{\"plaintext\":\"");
	ctr_base64_add(&a->body, pt.p, pt.n);
	ctr_buf_adds(&a->body, "\"}}\n");
	return 0;
}
