#include "coordinator.h"

#include <string.h>
#include <sys/random.h>

#include "enc.h"
#include "endorse.h"
#include "file.h"
#include "http_curl.h"
#include "rd.h"
#include "verdict.h"
#include "x509.h"

#define ANSWER_S 30 /* for one answer, unless it is said */

/* What an error's code means for whoever asked. Others, and answers without a code, say nothing
 * about the request: another try may succeed. */
static const struct word {
	const char *code;
	bool no;
	const char *fix;
} words[] = {
	{ "invalid_argument", true, "" },
	{ "invalid_signature", true, "" },
	{ "permission_denied", true, "" },
	{ "attestation_failed", true, "" },
	{ "already_recovered", true, "nothing is to be done; --force overrides a recovered peer" },
	{ "manifest_conflict", true, "another update came first: see what it set" },
	{ "no_manifest", false, "ctr-manifest set gives it one" },
	{ "needs_recovery", false, "a seed share owner recovers it: ctr-manifest recover" },
};

static const struct word *find_word(const char *code)
{
	static const struct word none = { "", false, "" };

	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if (strcmp(words[i].code, code) == 0)
			return &words[i];
	}
	return &none;
}

/* {"code","error"}, else the status alone. */
int ctr_coordinator_refused(const char *url, const struct ctr_http_resp *r,
			    char code_out[CTR_API_CODE], struct ctr_err *e)
{
	ctr_auto_json struct ctr_json *json = NULL;
	const char *code = "", *text = "";
	const struct word *w;

	if (ctr_json_parse("error", ctr_buf_str(&r->body), r->body.n, &json, NULL) == 0) {
		struct ctr_jval root = ctr_jroot(json), c = ctr_jget(&root, "code"),
				t = ctr_jget(&root, "error");

		if (ctr_jstring(&c, &code, NULL) < 0 || ctr_jstring(&t, &text, NULL) < 0)
			code = text = "";
	}
	w = find_word(code);
	if (code_out)
		snprintf(code_out, CTR_API_CODE, "%s", w->code);
	ctr_fail(e, w->no ? CTR_NO : CTR_ENV, "coordinator.refused", "%s: status %u%s%.40s%s%.200s",
		 url, r->status, *code ? ", " : "", code, *text ? ": " : "", text);
	return *w->fix ? ctr_err_fix(e, "%s", w->fix) : -1;
}

int ctr_coordinator_post(const struct ctr_http_opts *o, const char *url, const char *name,
			 const char *json, size_t max, struct ctr_buf *body,
			 char code[CTR_API_CODE], struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf full = { 0 };
	ctr_auto_http_resp struct ctr_http_resp resp = { .body.wipe = body->wipe };
	struct ctr_http_req req = { .accept = "application/json", .json = json, .max = max };
	struct ctr_http_opts own = *o;
	struct ctr_http *http = NULL;
	size_t n = strlen(url);
	int rc;

	if (code)
		*code = '\0';
	if (own.total_s == 0)
		own.total_s = ANSWER_S;
	ctr_buf_addf(&full, "%s%sv1/%s", url, n && url[n - 1] == '/' ? "" : "/", name);
	if (ctr_buf_ok(&full, "URL", e) < 0 || ctr_http_new(&own, &http, e) < 0)
		return -1;
	req.url = full.p;
	rc = ctr_http_do(http, &req, &resp, e);
	ctr_http_free(http);
	if (rc < 0)
		return -1;
	if (resp.status != 200)
		return ctr_coordinator_refused(full.p, &resp, code, e);
	ctr_buf_add(body, resp.body.p, resp.body.n);
	return ctr_buf_ok(body, "answer", e);
}

int ctr_coordinator_ask(const struct ctr_http_opts *o, const char *url,
			uint8_t nonce[CTR_NONCE_SIZE], struct ctr_buf *answer, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf body = { 0 };

	if (getrandom(nonce, CTR_NONCE_SIZE, 0) != CTR_NONCE_SIZE)
		return ctr_fail_sys(e, "coordinator.random", "no nonce");
	ctr_buf_adds(&body, "{\"nonce\":\"");
	ctr_base64_add(&body, nonce, CTR_NONCE_SIZE);
	ctr_buf_adds(&body, "\"}");
	if (ctr_buf_ok(&body, "request", e) < 0)
		return -1;
	return ctr_coordinator_post(o, url, "attest", body.p, CTR_ANSWER_MAX, answer, NULL, e);
}

void ctr_attested_free(struct ctr_attested *a)
{
	ctr_answer_index_free(a->policies);
	ctr_answer_free(&a->answer);
	ctr_evidence_free(&a->evidence);
	*a = (struct ctr_attested){ 0 };
}

int ctr_attested_read(const char *name, const struct ctr_buf *text, struct ctr_attested *a,
		      struct ctr_err *e)
{
	if (ctr_answer_parse(name, ctr_buf_str(text), text->n, &a->answer, e) < 0 ||
	    ctr_answer_index_new(&a->answer, &a->policies, e) < 0)
		return -1;
	if (ctr_evidence_read((const uint8_t *)a->answer.evidence.p, a->answer.evidence.n,
			      &a->evidence, e) < 0)
		return ctr_wrap(e, "%s: evidence", name);
	return 0;
}

int ctr_attested_bind(const struct ctr_attested *a, struct ctr_appraisal *p, struct ctr_err *e)
{
	struct ctr_want *data = &p->snp.expect[CTR_SNP_REPORT_DATA];

	data->what = CTR_WANT_EQUAL;
	if (ctr_answer_report_data(&a->answer, a->nonce, data->v, e) < 0)
		return -1;
	p->tdx.expect[CTR_TDX_REPORTDATA] = *data;
	return 0;
}

static void check_manifest(const struct ctr_answer *a, const struct ctr_coordinator_want *w,
			   struct ctr_checks *cs)
{
	size_t n = a->manifests.n;
	bool there = n > 0, equal = there && ctr_buf_same(&a->manifests.v[n - 1], w->bytes);

	ctr_check(cs, "coordinator.manifest", equal, "the manifest that was given, byte for byte",
		  equal	  ? "so"
		  : there ? "another"
			  : "none",
		  "%s",
		  there ? "the active one is the last of the history: see what was set, and by whom"
			: "no manifest was set, or the Coordinator waits for recovery");
}

/* The policy texts are what the digests in the manifest stand for: without them nobody can read
 * what is permitted. */
static void check_policies(const struct ctr_attested *a, const struct ctr_manifest *m,
			   struct ctr_checks *cs)
{
	ctr_auto_buf struct ctr_buf first = { 0 };
	size_t missing = 0;
	char found[48];

	for (size_t i = 0; i < m->n_policies; i++) {
		if (ctr_answer_policy(a->policies, m->policies[i].hash))
			continue;
		if (missing++ == 0)
			ctr_hex_add(&first, m->policies[i].hash, CTR_SHA256_SIZE);
	}
	snprintf(found, sizeof found, "%zu of %zu missing", missing, m->n_policies);
	cs->bad = cs->bad || first.bad;
	ctr_check(cs, "coordinator.policies", missing == 0,
		  "the text of each policy of the manifest", missing ? found : "so", "%s",
		  ctr_buf_str(&first));
}

static void check_certificate(struct ctr_checks *cs, const char *name, const struct ctr_buf *pem)
{
	ctr_auto_chain struct ctr_chain c = { 0 };
	bool ca = ctr_x509_pem(pem->p, pem->n, name, &c, NULL) == 0 && c.n == 1 &&
		  ctr_x509_is_ca(c.v[0], false);

	ctr_check(cs, name, ca, "the certificate of one CA", ca ? "so" : "not so", NULL);
}

bool ctr_same_certificate(const struct ctr_buf *a, const struct ctr_buf *b)
{
	ctr_auto_chain struct ctr_chain x = { 0 }, y = { 0 };
	ctr_auto_buf struct ctr_buf p = { 0 }, q = { 0 };

	return ctr_x509_pem(a->p, a->n, "a", &x, NULL) == 0 &&
	       ctr_x509_pem(b->p, b->n, "b", &y, NULL) == 0 && x.n == 1 && y.n == 1 &&
	       ctr_x509_print(x.v[0], &p, NULL) == 0 && ctr_x509_print(y.v[0], &q, NULL) == 0 &&
	       ctr_buf_same(&p, &q);
}

int ctr_root_ca_load(const char *path, struct ctr_buf *pem, struct ctr_err *e)
{
	ctr_auto_chain struct ctr_chain c = { 0 };

	if (ctr_file_read(path, CTR_CERT_MAX, pem, e) < 0 ||
	    ctr_x509_pem(pem->p, pem->n, path, &c, e) < 0)
		return -1;
	return c.n == 1 ? 0
			: ctr_fail(e, CTR_FORMAT, "x509.pem", "%s: %zu certificates (expected 1)",
				   path, c.n);
}

/* lesson: a Coordinator that was recovered with another's seed has another root CA */
static void check_pin(const struct ctr_answer *a, const struct ctr_buf *pin, struct ctr_checks *cs)
{
	bool equal = pin && ctr_same_certificate(&a->root_ca, pin);

	if (pin)
		ctr_check(cs, "coordinator.root_ca.pinned", equal, "the root CA that is known",
			  equal ? "so" : "another", "it has another seed: another deployment");
}

void ctr_attested_check(const struct ctr_attested *a, const struct ctr_coordinator_want *w,
			struct ctr_checks *cs)
{
	size_t n = a->answer.manifests.n;
	char found[48];

	snprintf(found, sizeof found, "%zu manifests", n);
	if (w->state == CTR_COORDINATOR_WAITS) {
		ctr_check(cs, "coordinator.waits", n == 0, "no manifest yet, or before recovery",
			  n ? found : "so", "it serves already");
		return;
	}
	if (w->state == CTR_COORDINATOR_SERVES)
		check_manifest(&a->answer, w, cs);
	else
		ctr_check_skip(cs, "coordinator.manifest", "not asked for");
	if (w->state == CTR_COORDINATOR_SERVES || n) {
		check_certificate(cs, "coordinator.root_ca", &a->answer.root_ca);
		check_certificate(cs, "coordinator.mesh_ca", &a->answer.mesh_ca);
		check_pin(&a->answer, w->root_ca, cs);
	}
	if (w->state == CTR_COORDINATOR_SERVES)
		check_policies(a, w->manifest, cs);
}

static int verify(const struct ctr_coordinator *c, const struct ctr_coordinator_want *w,
		  struct ctr_attested *a, struct ctr_err *e)
{
	ctr_auto_appraisal struct ctr_appraisal p;
	ctr_auto_verdict struct ctr_verdict v = { 0 };
	struct ctr_verifier vf = { .opts = c->verify,
				   .appraisal = &p,
				   .refs = w->manifest,
				   .policies = true,
				   .role = CTR_ROLE_COORDINATOR };

	ctr_appraisal_init(&p);
	if (ctr_attested_bind(a, &p, e) < 0 ||
	    ctr_endorse(&c->from, &c->verify, &a->evidence, e) < 0 ||
	    ctr_verify(&vf, &a->evidence, &v, e) < 0)
		return -1;
	ctr_attested_check(a, w, &v.checks);
	return v.accepted && ctr_checks_ok(&v.checks) ? 0 : ctr_checks_reject(&v.checks, e);
}

int ctr_coordinator_attest(const struct ctr_coordinator *c, const struct ctr_coordinator_want *w,
			   struct ctr_attested *a, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf text = { 0 };

	if (ctr_coordinator_ask(&c->from.http, c->url, a->nonce, &text, e) < 0)
		return -1;
	if (ctr_attested_read(c->url, &text, a, e) == 0 && verify(c, w, a, e) == 0)
		return 0;
	ctr_attested_free(a);
	return ctr_wrap(e, "%s", c->url);
}
