#include "setting.h"

#include <string.h>

#include "enc.h"
#include "json_b64.h"

/* Without a tree: there may be 100,000 policies. Base64 needs no escapes. */
int setting_print(const struct setting *s, struct ctr_buf *b, struct ctr_err *e)
{
	ctr_buf_adds(b, "{\"manifest\":\"");
	ctr_base64_add(b, s->manifest->p, s->manifest->n);
	ctr_buf_adds(b, "\",\"policies\":[");
	for (size_t i = 0; i < s->policies->n; i++) {
		ctr_buf_adds(b, i ? ",\"" : "\"");
		ctr_base64_add(b, s->policies->v[i].p, s->policies->v[i].n);
		ctr_buf_addc(b, '"');
	}
	ctr_buf_adds(b, "],\"previous_transition_hash\":\"");
	ctr_base64_add(b, s->previous, CTR_SHA256_SIZE);
	ctr_buf_adds(b, "\"");
	if (s->signature->n) {
		ctr_buf_adds(b, ",\"signatures\":[{\"key\":\"");
		ctr_base64_add(b, s->spki->p, s->spki->n);
		ctr_buf_adds(b, "\",\"signature\":\"");
		ctr_base64_add(b, s->signature->p, s->signature->n);
		ctr_buf_adds(b, "\"}]");
	}
	ctr_buf_addc(b, '}');
	return ctr_buf_ok(b, "request", e);
}

void setting_answer_free(struct setting_answer *a)
{
	ctr_buf_free(&a->root_ca);
	ctr_buf_free(&a->mesh_ca);
	ctr_buf_free(&a->seed_shares);
}

static int version(const struct ctr_jval *root, struct ctr_err *e)
{
	struct ctr_jval v = ctr_jget(root, "version");
	const char *s;

	if (ctr_jstring(&v, &s, e) < 0)
		return -1;
	return strcmp(s, "v1") == 0
		       ? 0
		       : ctr_jfail(&v, e, "answer.version", "version \"%.40s\" (expected v1)", s);
}

static int certificate(const struct ctr_jval *v, struct ctr_buf *b, struct ctr_err *e)
{
	if (ctr_jbase64(v, b, e) < 0)
		return -1;
	return b->n ? 0 : ctr_jfail(v, e, "answer.size", "no certificate");
}

static int fields(const struct ctr_jval *root, struct setting_answer *a, struct ctr_err *e)
{
	static const char *const keys[] = { "version",	       "root_ca",	  "mesh_ca",
					    "transition_hash", "seed_shares_doc", NULL };
	struct ctr_jval root_ca = ctr_jget(root, "root_ca"), mesh_ca = ctr_jget(root, "mesh_ca"),
			t = ctr_jget(root, "transition_hash"),
			doc = ctr_jget(root, "seed_shares_doc");

	if (ctr_jobject(root, e) < 0 || ctr_jonly(root, keys, e) < 0 || version(root, e) < 0 ||
	    certificate(&root_ca, &a->root_ca, e) < 0 ||
	    certificate(&mesh_ca, &a->mesh_ca, e) < 0 ||
	    ctr_jbase64_exact(&t, a->transition, sizeof a->transition, "answer.size", e) < 0)
		return -1;
	return ctr_jhas(&doc) ? ctr_jbase64(&doc, &a->seed_shares, e) : 0;
}

int setting_answer_parse(const char *name, const char *p, size_t n, struct setting_answer *a,
			 struct ctr_err *e)
{
	ctr_auto_json struct ctr_json *json = NULL;
	struct ctr_jval root;

	if (ctr_json_parse(name, p, n, &json, e) < 0)
		return -1;
	root = ctr_jroot(json);
	return fields(&root, a, e) < 0 ? ctr_wrap(e, "%s", name) : 0;
}

int recover_answer_parse(const char *name, const char *p, size_t n, struct ctr_err *e)
{
	static const char *const keys[] = { "version", NULL };
	ctr_auto_json struct ctr_json *json = NULL;
	struct ctr_jval root;

	if (ctr_json_parse(name, p, n, &json, e) < 0)
		return -1;
	root = ctr_jroot(json);
	if (ctr_jobject(&root, e) < 0 || ctr_jonly(&root, keys, e) < 0 || version(&root, e) < 0)
		return ctr_wrap(e, "%s", name);
	return 0;
}
