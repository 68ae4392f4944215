#include "kube.h"

#include <string.h>

#include "file.h"
#include "json.h"
#include "rd.h"

#define OBJECT_MAX ((size_t)2 << 20) /* CTR_KUBE_BYTES in base64, and metadata */
#define TOKEN_MAX ((size_t)16 << 10)
#define EVENT_MAX ((size_t)512 << 10) /* an object with a small record, and metadata */
#define TYPE "application/json"
/* what was written comes back without its bytes */
#define BRIEF TYPE ";as=PartialObjectMetadata;g=meta.k8s.io;v=v1, " TYPE

struct ctr_kube {
	struct ctr_http *http;
	struct ctr_http_opts opts;
	struct ctr_buf token, ca,
		url; /* file names; of the namespace's ConfigMaps, without a slash */
};

/* A file of the service account, without the newline that some write. */
static int read_word(const char *path, size_t max, const char *legal, const char *id,
		     struct ctr_buf *b, struct ctr_err *e)
{
	struct ctr_err why = { 0 };

	if (ctr_file_read(path, max, b, &why) < 0)
		return ctr_fail(e, CTR_ENV, id, "%s", why.msg);
	while (b->n && b->p[b->n - 1] == '\n')
		b->p[--b->n] = '\0';
	if (b->n == 0 || strspn(b->p, legal) != b->n)
		return ctr_fail(e, CTR_ENV, id, "%s: not one word", path);
	return 0;
}

#define LOWER "abcdefghijklmnopqrstuvwxyz0123456789-"
#define TOKEN LOWER "ABCDEFGHIJKLMNOPQRSTUVWXYZ._~+/="

static int set_urls(struct ctr_kube *k, const struct ctr_kube_opts *o, struct ctr_err *e)
{
	const char *dir = o->dir ? o->dir : CTR_KUBE_DIR;
	ctr_auto_buf struct ctr_buf path = { 0 }, space = { 0 };
	bool six;

	if (!o->host || !o->port || !*o->host || !*o->port) {
		ctr_fail(e, CTR_ENV, "kube.environment",
			 "KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set");
		return ctr_err_fix(e, "run it in a pod, or set them");
	}
	six = strchr(o->host, ':');
	ctr_buf_addf(&k->token, "%s/token", dir);
	ctr_buf_addf(&k->ca, "%s/ca.crt", dir);
	ctr_buf_addf(&path, "%s/namespace", dir);
	if (ctr_buf_ok(&k->token, "path", e) < 0 || ctr_buf_ok(&k->ca, "path", e) < 0 ||
	    ctr_buf_ok(&path, "path", e) < 0 ||
	    read_word(path.p, 64, LOWER, "kube.namespace", &space, e) < 0)
		return -1;
	ctr_buf_addf(&k->url, "https://%s%s%s:%s/api/v1/namespaces/%s/configmaps", six ? "[" : "",
		     o->host, six ? "]" : "", o->port, space.p);
	return ctr_buf_ok(&k->url, "URL", e);
}

int ctr_kube_new(const struct ctr_kube_opts *o, struct ctr_kube **out, struct ctr_err *e)
{
	struct ctr_kube *k = calloc(1, sizeof *k);

	*out = NULL;
	if (!k)
		return ctr_fail_mem(e);
	if (set_urls(k, o, e) < 0) {
		ctr_kube_free(k);
		return -1;
	}
	k->opts = (struct ctr_http_opts){ .ca_file = k->ca.p,
					  .connect_s = 5,
					  .total_s = 15,
					  .tries = 4,
					  .again_500 = true,
					  .stop = o->stop,
					  .log = o->log };
	if (ctr_http_new(&k->opts, &k->http, e) < 0) {
		ctr_kube_free(k);
		return -1;
	}
	*out = k;
	return 0;
}

void ctr_kube_free(struct ctr_kube *k)
{
	if (!k)
		return;
	ctr_http_free(k->http);
	ctr_buf_free(&k->token);
	ctr_buf_free(&k->ca);
	ctr_buf_free(&k->url);
	free(k);
}

static int denied(const struct ctr_http_req *rq, unsigned status, struct ctr_err *e)
{
	ctr_fail(e, CTR_ENV, "kube.denied", "%s %s: status %u", rq->method, rq->url, status);
	return ctr_err_fix(e, status == 401 ? "look after the service account's token"
					    : "let a Role permit it, see ctr-coordinatord(8)");
}

/* The method and what it is sent with are in rq; `rest` of the URL behind that of all ConfigMaps.
 */
static int ask(const struct ctr_kube *k, struct ctr_http *http, const char *rest,
	       struct ctr_http_req *rq, struct ctr_http_resp *answer, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf url = { 0 }, auth = { .wipe = true }, token = { .wipe = true };

	ctr_buf_addf(&url, "%s%s", k->url.p, rest);
	if (ctr_buf_ok(&url, "URL", e) < 0 ||
	    read_word(k->token.p, TOKEN_MAX, TOKEN, "kube.token", &token, e) < 0)
		return -1;
	ctr_buf_addf(&auth, "Bearer %s", token.p);
	if (ctr_buf_ok(&auth, "token", e) < 0)
		return -1;
	rq->url = url.p;
	rq->auth = auth.p;
	if (ctr_http_do(http, rq, answer, e) < 0)
		return -1;
	return answer->status == 401 || answer->status == 403 ? denied(rq, answer->status, e) : 0;
}

static int odd(const char *method, const char *name, unsigned status, struct ctr_err *e)
{
	return ctr_fail(e, CTR_ENV, "kube.answer", "%s %s: status %u", method, name, status);
}

/* *status is that of the answer, of which nothing else matters. */
static int do_write(struct ctr_kube *k, const char *method, const char *rest, const char *body,
		    unsigned *status, struct ctr_err *e)
{
	ctr_auto_http_resp struct ctr_http_resp answer = { 0 };
	struct ctr_http_req rq = {
		.method = method, .json = body, .accept = BRIEF, .max = OBJECT_MAX
	};

	if (ask(k, k->http, rest, &rq, &answer, e) < 0)
		return -1;
	*status = answer.status;
	return 0;
}

static int name_path(const char *name, struct ctr_buf *b, struct ctr_err *e)
{
	ctr_buf_addf(b, "/%s", name);
	return ctr_buf_ok(b, "URL", e);
}

/* What the other side makes up is no fault of the caller's: never CTR_FORMAT. */
static int parse(const char *name, const struct ctr_buf *body, struct ctr_kube_map *m,
		 struct ctr_err *e)
{
	struct ctr_err why = { 0 };

	if (ctr_kube_map_parse(ctr_buf_str(body), body->n, m, &why) == 0)
		return 0;
	return why.code != CTR_FORMAT ? ctr_err_pass(e, &why)
				      : ctr_fail(e, CTR_ENV, "kube.answer", "GET %s: %s: %s", name,
						 why.where, why.msg);
}

int ctr_kube_get(struct ctr_kube *k, const char *name, struct ctr_kube_map *m, bool *found,
		 struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf rest = { 0 };
	ctr_auto_http_resp struct ctr_http_resp answer = { 0 };
	struct ctr_http_req rq = { .method = "GET", .accept = TYPE, .max = OBJECT_MAX };
	struct ctr_err why = { 0 };

	*found = false;
	if (name_path(name, &rest, e) < 0)
		return -1;
	if (ask(k, k->http, rest.p, &rq, &answer, &why) < 0)
		return why.code == CTR_FORMAT
			       ? ctr_fail(e, CTR_ENV, "kube.answer", "GET %s", why.msg)
			       : ctr_err_pass(e, &why);
	if (answer.status == 404)
		return 0;
	if (answer.status != 200)
		return odd("GET", name, answer.status, e);
	*found = true;
	return parse(name, &answer.body, m, e);
}

int ctr_kube_create(struct ctr_kube *k, const char *name, const char *app,
		    const struct ctr_kube_map *m, bool *there, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf body = { 0 };
	unsigned status;

	*there = false;
	if (ctr_kube_map_print(name, app, m, &body, e) < 0 ||
	    do_write(k, "POST", "", body.p, &status, e) < 0)
		return -1;
	*there = status == 409;
	return status == 201 || *there ? 0 : odd("POST", name, status, e);
}

int ctr_kube_update(struct ctr_kube *k, const char *name, const char *app,
		    const struct ctr_kube_map *m, bool *conflict, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf body = { 0 }, rest = { 0 };
	unsigned status;

	*conflict = false;
	if (ctr_kube_map_print(name, app, m, &body, e) < 0 || name_path(name, &rest, e) < 0 ||
	    do_write(k, "PUT", rest.p, body.p, &status, e) < 0)
		return -1;
	*conflict = status == 409 || status == 404;
	return status == 200 || *conflict ? 0 : odd("PUT", name, status, e);
}

int ctr_kube_delete(struct ctr_kube *k, const char *name, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf rest = { 0 };
	unsigned status;

	if (name_path(name, &rest, e) < 0 || do_write(k, "DELETE", rest.p, NULL, &status, e) < 0)
		return -1;
	return status == 200 || status == 404 ? 0 : odd("DELETE", name, status, e);
}

struct watch {
	struct ctr_buf line;
	const void *now;
	size_t n;
	bool changed;
};

/* An event: anything but "it is there, as you know it" is a reason to look. */
static bool news(const struct watch *w)
{
	ctr_auto_json struct ctr_json *json = NULL;
	ctr_auto_buf struct ctr_buf text = { 0 };
	ctr_auto_kube_map struct ctr_kube_map m = { 0 };
	struct ctr_jval root, type, object;
	const char *is;

	if (ctr_json_parse("event", ctr_buf_str(&w->line), w->line.n, &json, NULL) < 0)
		return true;
	root = ctr_jroot(json);
	type = ctr_jget(&root, "type");
	object = ctr_jget(&root, "object");
	return ctr_jobject(&root, NULL) < 0 || ctr_jstring(&type, &is, NULL) < 0 ||
	       (strcmp(is, "ADDED") != 0 && strcmp(is, "MODIFIED") != 0) ||
	       ctr_json_print(object.v, 0, &text, NULL) < 0 ||
	       ctr_kube_map_parse(text.p, text.n, &m, NULL) < 0 || m.bytes.n != w->n ||
	       !ctr_same(ctr_buf_str(&m.bytes), w->n ? w->now : "", w->n);
}

/* Events are lines. The transfer is broken off by failing. */
static int on_watch(void *ctx, const void *p, size_t n, struct ctr_err *e)
{
	struct watch *w = ctx;
	struct ctr_rd r, part;

	ctr_rd_init(&r, p, n);
	while (r.left) {
		bool whole = memchr(r.p, '\n', r.left);

		ctr_rd_until(&r, '\n', &part);
		ctr_buf_add(&w->line, part.p, part.left);
		w->changed = w->line.bad || (whole && news(w));
		if (w->changed)
			return ctr_fail(e, CTR_NO, "kube.changed", "there is news");
		if (whole)
			ctr_buf_reset(&w->line);
	}
	return 0;
}

int ctr_kube_watch(struct ctr_kube *k, const char *name, const void *now, size_t n,
		   const atomic_bool *stop, bool *changed, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf rest = { 0 };
	ctr_auto_http_resp struct ctr_http_resp answer = { 0 };
	struct ctr_http_opts opts = k->opts;
	struct ctr_http *http = NULL;
	struct watch w = { .line = { .max = EVENT_MAX }, .now = now, .n = n };
	struct ctr_http_req rq = {
		.method = "GET", .accept = TYPE, .max = 4 * EVENT_MAX, .sink = on_watch, .ctx = &w
	};
	struct ctr_err why = { 0 };
	int rc;

	*changed = false;
	/* without a version it begins with what there is, so that nothing is missed between reading
	 * and watching, and no version is too old */
	ctr_buf_addf(&rest, "?watch=1&timeoutSeconds=%d&fieldSelector=metadata.name%%3D%s",
		     CTR_KUBE_WATCH_S, name);
	opts.total_s = opts.stall_s = CTR_KUBE_WATCH_S + 5;
	opts.tries = 1;
	opts.stop = stop;
	if (ctr_buf_ok(&rest, "URL", e) < 0 || ctr_http_new(&opts, &http, e) < 0)
		return -1;
	rc = ask(k, http, rest.p, &rq, &answer, &why);
	ctr_http_free(http);
	ctr_buf_free(&w.line);
	*changed = w.changed;
	if (w.changed)
		return 0;
	if (rc < 0)
		return ctr_err_pass(e, &why);
	return answer.status == 200 ? 0 : odd("watch", name, answer.status, e);
}
