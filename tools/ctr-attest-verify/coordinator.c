#include "coordinator.h"

#include <string.h>
#include <sys/random.h>

#include "enc.h"
#include "file.h"

struct work {
	const struct coordinator *c;
	const char *name; /* of the answer, for messages */
	uint8_t nonce[CTR_NONCE_SIZE];
	struct ctr_answer answer;
	struct ctr_answer_index *policies;
	struct ctr_buf manifest; /* what is expected */
};

static void work_free(struct work *w)
{
	ctr_answer_index_free(w->policies);
	ctr_answer_free(&w->answer);
	ctr_buf_free(&w->manifest);
}

static bool same(const struct ctr_buf *a, const struct ctr_buf *b)
{
	return a->n == b->n && ctr_same(ctr_buf_str(a), ctr_buf_str(b), a->n);
}

static void check_manifest(const struct work *w, struct ctr_checks *cs)
{
	size_t n = w->answer.manifests.n;
	bool there = n > 0, equal = there && same(&w->answer.manifests.v[n - 1], &w->manifest);

	ctr_check(cs, "coordinator.manifest", equal, "the expected manifest, byte for byte",
		  equal	  ? "so"
		  : there ? "another"
			  : "none",
		  "%s",
		  there ? "the active one is the last of the history: see what was set, and by whom"
			: "no manifest was set, or the Coordinator waits for recovery");
}

/* The policy texts are what the digests in the manifest stand for: without them nobody can read
 * what is permitted. */
static int check_policies(const struct job *j, const struct work *w, struct ctr_checks *cs)
{
	ctr_auto_buf struct ctr_buf first = { 0 };
	size_t missing = 0;
	char found[48];

	for (size_t i = 0; i < j->refs.n_policies; i++) {
		if (ctr_answer_policy(w->policies, j->refs.policies[i].hash))
			continue;
		if (missing++ == 0)
			ctr_hex_add(&first, j->refs.policies[i].hash, CTR_SHA256_SIZE);
	}
	snprintf(found, sizeof found, "%zu of %zu missing", missing, j->refs.n_policies);
	cs->bad = cs->bad || first.bad;
	ctr_check(cs, "coordinator.policies", missing == 0,
		  "the text of each policy of the manifest", missing ? found : "so", "%s",
		  ctr_buf_str(&first));
	return 0;
}

static void check_certificate(struct ctr_checks *cs, const char *name, const struct ctr_buf *pem)
{
	ctr_auto_chain struct ctr_chain c = { 0 };
	bool ca = ctr_x509_pem(pem->p, pem->n, name, &c, NULL) == 0 && c.n == 1 &&
		  ctr_x509_is_ca(c.v[0], false);

	ctr_check(cs, name, ca, "the certificate of one CA", ca ? "so" : "not so", NULL);
}

struct more {
	const struct job *job;
	const struct work *work;
};

static int more_checks(void *ctx, struct ctr_checks *cs, struct ctr_err *e)
{
	const struct more *m = ctx;

	(void)e;
	check_manifest(m->work, cs);
	check_certificate(cs, "coordinator.root_ca", &m->work->answer.root_ca);
	check_certificate(cs, "coordinator.mesh_ca", &m->work->answer.mesh_ca);
	return check_policies(m->job, m->work, cs);
}

/* What the Coordinator says is wrong: {"code","error"} (DESIGN.md section 4.4), else the status
 * alone. */
static int refused(const char *url, const struct ctr_http_resp *r, struct ctr_err *e)
{
	ctr_auto_json struct ctr_json *json = NULL;
	const char *code = "", *text = "";

	if (ctr_json_parse("error", ctr_buf_str(&r->body), r->body.n, &json, NULL) == 0) {
		struct ctr_jval root = ctr_jroot(json), c = ctr_jget(&root, "code"),
				t = ctr_jget(&root, "error");

		if (ctr_jstring(&c, &code, NULL) < 0 || ctr_jstring(&t, &text, NULL) < 0)
			code = text = "";
	}
	return ctr_fail(e, CTR_ENV, "coordinator.refused", "%s: status %u%s%.40s%s%.200s", url,
			r->status, *code ? ", " : "", code, *text ? ": " : "", text);
}

static int ask(const struct job *j, struct work *w, struct ctr_buf *answer, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf url = { 0 }, body = { 0 };
	ctr_auto_http_resp struct ctr_http_resp resp = { 0 };
	struct ctr_http_req req = { .accept = "application/json", .max = CTR_ANSWER_MAX };
	struct ctr_http *http = NULL;
	int rc;

	if (getrandom(w->nonce, sizeof w->nonce, 0) != sizeof w->nonce)
		return ctr_fail_sys(e, "coordinator.random", "no nonce");
	ctr_buf_addf(&url, "%s%sv1/attest", w->c->url,
		     w->c->url[strlen(w->c->url) - 1] == '/' ? "" : "/");
	ctr_buf_adds(&body, "{\"nonce\":\"");
	ctr_base64_add(&body, w->nonce, sizeof w->nonce);
	ctr_buf_adds(&body, "\"}");
	if (ctr_buf_ok(&url, "URL", e) < 0 || ctr_buf_ok(&body, "request", e) < 0 ||
	    ctr_http_new(&j->from.http, &http, e) < 0)
		return -1;
	req.url = url.p;
	req.json = body.p;
	rc = ctr_http_do(http, &req, &resp, e);
	if (rc == 0 && resp.status != 200)
		rc = refused(url.p, &resp, e);
	ctr_http_free(http);
	if (rc < 0)
		return -1;
	*answer = resp.body;
	resp.body = (struct ctr_buf){ 0 };
	return 0;
}

static int load(const struct job *j, struct work *w, struct ctr_evidence *ev, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf in = { 0 };

	if (w->c->response)
		memcpy(w->nonce, w->c->nonce, sizeof w->nonce);
	if ((w->c->response ? ctr_file_read(w->c->response, CTR_ANSWER_MAX, &in, e)
			    : ask(j, w, &in, e)) < 0)
		return -1;
	if (ctr_answer_parse(w->name, ctr_buf_str(&in), in.n, &w->answer, e) < 0 ||
	    ctr_answer_index_new(&w->answer, &w->policies, e) < 0 ||
	    ctr_file_read(w->c->manifest, CTR_MANIFEST_MAX, &w->manifest, e) < 0)
		return -1;
	if (ctr_evidence_read((const uint8_t *)w->answer.evidence.p, w->answer.evidence.n, ev, e) <
	    0)
		return ctr_wrap(e, "%s: evidence", w->name);
	return 0;
}

static int save(const char *dir, const char *sub, const char *name, const struct ctr_buf *b,
		struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf path = { 0 };

	ctr_buf_addf(&path, "%s/%s", dir, sub);
	if (ctr_buf_ok(&path, "path", e) < 0 || ctr_mkdirs(path.p, 0755, e) < 0)
		return -1;
	ctr_buf_addf(&path, "/%s", name);
	return ctr_buf_ok(&path, "path", e) < 0 ? -1 : ctr_file_write(path.p, b->p, b->n, 0644, e);
}

static int save_blobs(const char *dir, const char *sub, const struct ctr_blobs *l, bool numbered,
		      struct ctr_err *e)
{
	for (size_t i = 0; i < l->n; i++) {
		ctr_auto_buf struct ctr_buf name = { 0 };
		uint8_t digest[CTR_SHA256_SIZE];

		if (ctr_hash(CTR_SHA256, l->v[i].p, l->v[i].n, digest, e) < 0)
			return -1;
		if (numbered)
			ctr_buf_addf(&name, "%06zu-", i);
		ctr_hex_add(&name, digest, sizeof digest);
		if (ctr_buf_ok(&name, "name", e) < 0 || save(dir, sub, name.p, &l->v[i], e) < 0)
			return -1;
	}
	return 0;
}

/* The certificates last: who finds them finds the rest. */
static int save_all(const char *dir, const struct ctr_answer *a, struct ctr_err *e)
{
	return save_blobs(dir, "manifests", &a->manifests, true, e) < 0 ||
			       save_blobs(dir, "policies", &a->policies, false, e) < 0 ||
			       save(dir, ".", "coordinator-root-ca.pem", &a->root_ca, e) < 0 ||
			       save(dir, ".", "mesh-ca.pem", &a->mesh_ca, e) < 0
		       ? -1
		       : 0;
}

int coordinator_run(const struct job *j, const struct coordinator *c, struct ctr_buf *out,
		    struct ctr_err *e)
{
	ctr_auto_evidence struct ctr_evidence ev = { 0 };
	CTR_AUTO(work_free) struct work w = { .c = c, .name = c->response ? c->response : c->url };
	struct job own = *j; /* borrows; but the report data is of this answer */
	struct ctr_want *data = &own.appraisal.snp.expect[CTR_SNP_REPORT_DATA];
	struct more m = { j, &w };
	struct job_more more = { more_checks, &m };

	if (load(j, &w, &ev, e) < 0)
		return -1;
	data->what = CTR_WANT_EQUAL;
	if (ctr_answer_report_data(&w.answer, w.nonce, data->v, e) < 0)
		return -1;
	own.appraisal.tdx.expect[CTR_TDX_REPORTDATA] = *data;
	own.vf.appraisal = &own.appraisal;
	own.vf.role = CTR_ROLE_COORDINATOR;
	if (job_evidence(&own, w.name, &ev, &more, false, out, e) < 0)
		return -1;
	return c->output ? save_all(c->output, &w.answer, e) : 0;
}
