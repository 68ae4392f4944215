#include "peer.h"

#include <string.h>

#include "json_b64.h"
#include "rd.h"

#define GENERATION_MAX ((uint64_t)1 << 53)

void ctr_peer_state_free(struct ctr_peer_state *s)
{
	ctr_secret_free(&s->seed);
	ctr_secret_free(&s->salt);
	ctr_secret_free(&s->mesh_key);
	ctr_buf_free(&s->intermediate);
	ctr_buf_free(&s->mesh_ca);
	*s = (struct ctr_peer_state){ 0 };
}

void ctr_peer_answer_free(struct ctr_peer_answer *a)
{
	ctr_buf_free(&a->sealed);
	ctr_buf_free(&a->evidence);
	*a = (struct ctr_peer_answer){ 0 };
}

/* A member that must not be empty. */
static int member(const struct ctr_jval *root, const char *key, struct ctr_buf *b,
		  struct ctr_err *e)
{
	struct ctr_jval v = ctr_jget(root, key);

	if (ctr_jbase64(&v, b, e) < 0)
		return -1;
	return b->n ? 0 : ctr_jfail(&v, e, "peer.size", "empty");
}

/* n 0: any size but none. */
static int secret(const struct ctr_jval *root, const char *key, size_t n, struct ctr_secret *s,
		  struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf b = { .wipe = true };
	struct ctr_jval v = ctr_jget(root, key);

	if (member(root, key, &b, e) < 0)
		return -1;
	if (n && b.n != n)
		return ctr_jfail(&v, e, "peer.size", "%zu bytes (expected %zu)", b.n, n);
	if (ctr_secret_new(s, b.n, e) < 0)
		return -1;
	memcpy(s->p, b.p, b.n);
	return 0;
}

static int state_fields(const struct ctr_jval *root, struct ctr_peer_state *s, struct ctr_err *e)
{
	static const char *const keys[] = { "generation", "transition_hash", "seed",	"salt",
					    "mesh_key",	  "intermediate",    "mesh_ca", NULL };
	struct ctr_jval generation, transition;

	if (ctr_jobject(root, e) < 0 || ctr_jonly(root, keys, e) < 0)
		return -1;
	generation = ctr_jget(root, "generation");
	transition = ctr_jget(root, "transition_hash");
	if (ctr_juint(&generation, GENERATION_MAX, &s->generation, e) < 0 ||
	    ctr_jbase64_exact(&transition, s->transition, sizeof s->transition, "peer.size", e) <
		    0 ||
	    secret(root, "seed", CTR_PEER_SEED, &s->seed, e) < 0 ||
	    secret(root, "salt", CTR_PEER_SALT, &s->salt, e) < 0 ||
	    secret(root, "mesh_key", 0, &s->mesh_key, e) < 0 ||
	    member(root, "intermediate", &s->intermediate, e) < 0)
		return -1;
	return member(root, "mesh_ca", &s->mesh_ca, e);
}

int ctr_peer_state_parse(const struct ctr_secret *text, struct ctr_peer_state *s, struct ctr_err *e)
{
	ctr_auto_json_secret struct ctr_json *json = NULL;
	struct ctr_rd r;
	struct ctr_jval root;

	ctr_rd_init(&r, text->p, text->n);
	if (ctr_json_parse("peer", (const char *)r.p, r.left, &json, e) < 0)
		return -1;
	root = ctr_jroot(json);
	return state_fields(&root, s, e) < 0 ? ctr_wrap(e, "state of the peer") : 0;
}

int ctr_peer_state_print(const struct ctr_peer_state *s, struct ctr_buf *b, struct ctr_err *e)
{
	ctr_auto_json_secret struct ctr_json *obj = ctr_json_new_object();

	b->wipe = true;
	if (!ctr_json_set_uint(obj, "generation", s->generation) ||
	    !ctr_json_set_base64(obj, "transition_hash", s->transition, sizeof s->transition) ||
	    !ctr_json_set_base64(obj, "seed", s->seed.p, s->seed.n) ||
	    !ctr_json_set_base64(obj, "salt", s->salt.p, s->salt.n) ||
	    !ctr_json_set_base64(obj, "mesh_key", s->mesh_key.p, s->mesh_key.n) ||
	    !ctr_json_set_base64(obj, "intermediate", s->intermediate.p, s->intermediate.n) ||
	    !ctr_json_set_base64(obj, "mesh_ca", s->mesh_ca.p, s->mesh_ca.n))
		return ctr_fail_mem(e);
	return ctr_json_print(obj, 0, b, e);
}

static int answer_fields(const struct ctr_jval *root, struct ctr_peer_answer *a, struct ctr_err *e)
{
	static const char *const keys[] = { "version", "sealed_state", "evidence", NULL };
	struct ctr_jval version;
	const char *v;

	if (ctr_jobject(root, e) < 0 || ctr_jonly(root, keys, e) < 0)
		return -1;
	version = ctr_jget(root, "version");
	if (ctr_jstring(&version, &v, e) < 0)
		return -1;
	if (strcmp(v, "v1") != 0)
		return ctr_jfail(&version, e, "peer.version", "version \"%.40s\" (expected v1)", v);
	if (member(root, "sealed_state", &a->sealed, e) < 0)
		return -1;
	return member(root, "evidence", &a->evidence, e);
}

static int text_fits(size_t n, struct ctr_err *e)
{
	return n <= CTR_PEER_MAX
		       ? 0
		       : ctr_fail(e, CTR_FORMAT, "peer.size",
				  "%zu bytes of JSON (expected at most %zu)", n, CTR_PEER_MAX);
}

int ctr_peer_answer_parse(const char *name, const char *p, size_t n, struct ctr_peer_answer *a,
			  struct ctr_err *e)
{
	ctr_auto_json struct ctr_json *json = NULL;
	struct ctr_jval root;

	if (text_fits(n, e) < 0 || ctr_json_parse(name, p, n, &json, e) < 0)
		return -1;
	root = ctr_jroot(json);
	return answer_fields(&root, a, e) < 0 ? ctr_wrap(e, "%s", name) : 0;
}

int ctr_peer_answer_print(const struct ctr_peer_answer *a, struct ctr_buf *b, struct ctr_err *e)
{
	ctr_auto_json struct ctr_json *obj = ctr_json_new_object();
	size_t before = b->n;

	if (!ctr_json_set_string(obj, "version", "v1") ||
	    !ctr_json_set_base64(obj, "sealed_state", a->sealed.p, a->sealed.n) ||
	    !ctr_json_set_base64(obj, "evidence", a->evidence.p, a->evidence.n))
		return ctr_fail_mem(e);
	return ctr_json_print(obj, 0, b, e) < 0 ? -1 : text_fits(b->n - before, e);
}

void ctr_peer_info(const uint8_t nonce[CTR_NONCE_SIZE], struct ctr_buf *info)
{
	ctr_buf_adds(info, "contrast mesh recover v1");
	ctr_buf_add(info, nonce, CTR_NONCE_SIZE);
}

int ctr_peer_report_data(const struct ctr_peer_answer *a, const uint8_t nonce[CTR_NONCE_SIZE],
			 uint8_t out[CTR_REPORT_DATA_SIZE], struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf b = { 0 };

	memset(out, 0, CTR_REPORT_DATA_SIZE);
	ctr_peer_info(nonce, &b);
	ctr_buf_add(&b, a->sealed.p, a->sealed.n);
	if (ctr_buf_ok(&b, "state", e) < 0)
		return -1;
	return ctr_hash(CTR_SHA512, b.p, b.n, out, e);
}
