/* ctr-attest-verify without a subcommand. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "batch.h"
#include "cmd.h"
#include "deployment.h"
#include "enc.h"
#include "file.h"
#include "issue.h"
#include "tool_sources.h"
#include "verify.h"

enum {
	O_MANIFEST = 1,
	O_REFS,
	O_APPRAISAL,
	O_AUTHENTICITY,
	O_INSPECT,
	O_DATA,
	O_POLICY,
	O_ROLE,
	O_AT,
	O_WARN,
	O_BATCH,
	O_ISSUE,
	O_PLATFORM,
	O_EAR,
	O_EAR_KEY,
	O_COORDINATOR,
	O_RESPONSE,
	O_NONCE,
	O_OUTPUT,
	O_ROOT_CA,
};

static const struct ctr_opt opts[] = {
	{ O_MANIFEST, "manifest", 'm', "FILE", "the manifest that permits, with its policies" },
	{ O_REFS, "reference-values", 0, "FILE", "reference values alone, as JSON" },
	{ O_APPRAISAL, "appraisal", 0, "FILE", "what else is asked for, ctr-appraisal(5)" },
	{ O_AUTHENTICITY, "authenticity-only", 0, NULL, "is it genuine, whatever guest it is" },
	{ O_INSPECT, "inspect", 0, NULL, "decode, and believe nothing" },
	{ O_DATA, "report-data", 0, "HEX", "the 64 bytes that the evidence must be bound to" },
	{ O_POLICY, "policy-hash", 0, "HEX", "the policy that it must be: HOST_DATA, MRCONFIGID" },
	{ O_ROLE, "role", 0, "coordinator", "the role that its policy has in the manifest" },
	{ O_AT, "at", 0, "TIME", "verify as of then (YYYY-MM-DDThh:mm:ssZ)" },
	{ O_WARN, "warn-days", 0, "N", "warn of what expires within N days (default 7)" },
	CTR_SOURCES_LOCAL,
	CTR_SOURCES_NET,
	{ O_EAR, "ear", 0, NULL, "the result as claims of an EAT attestation result" },
	{ O_EAR_KEY, "ear-key", 0, "FILE", "as a JWT, signed with this EC key (PEM)" },
	{ O_ISSUE, "issue", 0, NULL, "print this machine's evidence, bound to --report-data" },
	{ O_PLATFORM, "platform", 0, "SPEC",
	  "where --issue gets it: auto (default), configfs-tsm, sev-guest, sim:DIR" },
	{ O_COORDINATOR, "coordinator", 0, "URL", "asks a Coordinator, instead of evidence" },
	{ O_RESPONSE, "response", 0, "FILE", "an answer of a Coordinator that was saved" },
	{ O_NONCE, "nonce", 0, "HEX", "the 32 bytes that were sent for it" },
	{ O_ROOT_CA, "coordinator-root-ca", 0, "FILE", "its root CA must be this one" },
	{ O_OUTPUT, "output", 'o', "DIR",
	  "writes the CAs, manifests and policies that were verified" },
	{ O_BATCH, "batch", 0, NULL, "file names on stdin, one a line; one JSON result a line" },
	CTR_SOURCES_STRICT,
	{ 0 },
};

struct work {
	struct job job;
	struct ctr_sources from;
	const char *manifest, *appraisal;
	const char *platform, *ear_key;
	struct deployment coordinator;
	bool batch, issue, has_nonce;
	const char *refs[16];
	size_t n_refs;
	bool authenticity;
};

static int hex(const char *what, const char *s, struct ctr_want *w, size_t n, struct ctr_err *e)
{
	if (ctr_hex_parse(s, strlen(s), w->v, n, NULL) < 0)
		return ctr_fail(e, CTR_USAGE, "usage", "--%s: not %zu hexadecimal digits", what,
				2 * n);
	w->what = CTR_WANT_EQUAL;
	return 0;
}

static int policy_hash(struct ctr_appraisal *a, const char *s, struct ctr_err *e)
{
	if (hex("policy-hash", s, &a->snp.expect[CTR_SNP_HOST_DATA], CTR_SHA256_SIZE, e) < 0)
		return -1;
	a->tdx.expect[CTR_TDX_MRCONFIGID] =
		a->snp.expect[CTR_SNP_HOST_DATA]; /* the other 16 bytes are zero */
	return 0;
}

static int report_data(struct ctr_appraisal *a, const char *s, struct ctr_err *e)
{
	if (hex("report-data", s, &a->snp.expect[CTR_SNP_REPORT_DATA], 64, e) < 0)
		return -1;
	a->tdx.expect[CTR_TDX_REPORTDATA] = a->snp.expect[CTR_SNP_REPORT_DATA];
	return 0;
}

static int role(struct job *j, const char *s, struct ctr_err *e)
{
	if (strcmp(s, "coordinator") != 0)
		return ctr_fail(e, CTR_USAGE, "usage", "--role=%s (expected coordinator)", s);
	j->vf.role = CTR_ROLE_COORDINATOR;
	return 0;
}

static int at(struct work *w, const char *s, struct ctr_err *e)
{
	if (ctr_time_parse(s, &w->from.verify.at, NULL) < 0)
		return ctr_fail(e, CTR_USAGE, "usage", "--at=%s (expected YYYY-MM-DDThh:mm:ssZ)",
				s);
	w->job.at_given = true;
	return 0;
}

static int warn_days(struct job *j, const char *s, struct ctr_err *e)
{
	uint64_t n;

	if (ctr_number(s, "--warn-days", 0, 3650, &n, e) < 0)
		return -1;
	j->warn_days = (unsigned)n;
	return 0;
}

static int nonce(struct work *w, const char *s, struct ctr_err *e)
{
	w->has_nonce = ctr_hex_parse(s, strlen(s), w->coordinator.nonce, CTR_NONCE_SIZE, NULL) == 0;
	return w->has_nonce ? 0
			    : ctr_fail(e, CTR_USAGE, "usage", "--nonce: not %d hexadecimal digits",
				       2 * CTR_NONCE_SIZE);
}

static int add_refs(struct work *w, const char *path, struct ctr_err *e)
{
	if (w->n_refs == sizeof w->refs / sizeof *w->refs)
		return ctr_fail(e, CTR_USAGE, "usage", "too many --reference-values");
	w->refs[w->n_refs++] = path;
	return 0;
}

static int on_opt(void *ctx, int id, const char *value, struct ctr_err *e)
{
	struct work *w = ctx;

	if (id >= CTR_SRC_FIRST && id <= CTR_SRC_LAST)
		return ctr_sources_opt(&w->from, id, value, e);
	switch (id) {
	case O_MANIFEST:
		w->manifest = value;
		return 0;
	case O_REFS:
		return add_refs(w, value, e);
	case O_APPRAISAL:
		w->appraisal = value;
		return 0;
	case O_AUTHENTICITY:
		w->authenticity = true;
		return 0;
	case O_INSPECT:
		w->job.inspect = true;
		return 0;
	case O_DATA:
		return report_data(&w->job.appraisal, value, e);
	case O_POLICY:
		return policy_hash(&w->job.appraisal, value, e);
	case O_ROLE:
		return role(&w->job, value, e);
	case O_AT:
		return at(w, value, e);
	case O_WARN:
		return warn_days(&w->job, value, e);
	case O_BATCH:
		w->batch = true;
		return 0;
	case O_COORDINATOR:
		w->coordinator.url = value;
		return 0;
	case O_RESPONSE:
		w->coordinator.response = value;
		return 0;
	case O_NONCE:
		return nonce(w, value, e);
	case O_ROOT_CA:
		w->coordinator.root_ca = value;
		return 0;
	case O_OUTPUT:
		w->coordinator.output = value;
		return 0;
	case O_EAR:
		w->job.ear = true;
		return 0;
	case O_EAR_KEY:
		w->ear_key = value;
		return 0;
	case O_ISSUE:
		w->issue = true;
		return 0;
	default:
		w->platform = value;
		return 0;
	}
}

/* What the file says after all, beside what an option said: both must hold, so they must be the
 * same. */
static bool agree(const struct ctr_want *option, const struct ctr_want *snp,
		  const struct ctr_want *tdx)
{
	return option->what != CTR_WANT_EQUAL || (ctr_same(option->v, snp->v, sizeof option->v) &&
						  ctr_same(option->v, tdx->v, sizeof option->v));
}

static int load_appraisal(struct work *w, struct ctr_err *e)
{
	struct ctr_appraisal *a = &w->job.appraisal;
	struct ctr_want data = a->snp.expect[CTR_SNP_REPORT_DATA],
			host = a->snp.expect[CTR_SNP_HOST_DATA];

	if (!w->appraisal)
		return 0;
	if (ctr_appraisal_load(w->appraisal, a, e) < 0)
		return -1;
	if (agree(&data, &a->snp.expect[CTR_SNP_REPORT_DATA], &a->tdx.expect[CTR_TDX_REPORTDATA]) &&
	    agree(&host, &a->snp.expect[CTR_SNP_HOST_DATA], &a->tdx.expect[CTR_TDX_MRCONFIGID]))
		return 0;
	return ctr_fail(e, CTR_USAGE, "usage",
			"%s asks for other report data or another policy than --report-data and "
			"--policy-hash",
			w->appraisal);
}

static int load_refs(struct work *w, struct ctr_err *e)
{
	struct job *j = &w->job;

	if (w->manifest && ctr_manifest_load(w->manifest, &j->refs, e) < 0)
		return -1;
	for (size_t i = 0; i < w->n_refs; i++) {
		ctr_auto_json struct ctr_json *json = NULL;
		struct ctr_jval root;

		if (ctr_json_load(w->refs[i], CTR_MANIFEST_MAX, &json, e) < 0)
			return -1;
		root = ctr_jroot(json);
		if (ctr_manifest_add_refs(&j->refs, &root, e) < 0)
			return ctr_wrap(e, "%s", w->refs[i]);
	}
	if (w->manifest || w->n_refs)
		j->vf.refs = &j->refs;
	j->vf.policies = w->manifest != NULL;
	return 0;
}

static int load_ear_key(struct work *w, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf pem = { .wipe = true };

	if (!w->ear_key)
		return 0;
	w->job.ear = true;
	return ctr_file_read(w->ear_key, 1 << 16, &pem, e) < 0
		       ? -1
		       : ctr_sign_key_read(w->ear_key, &pem, 0, &w->job.ear_key, e);
}

/* Its certificates are worth what the evidence is bound to: nothing about it may be left open. */
static int check_coordinator(const struct work *w, const char *path, struct ctr_err *e)
{
	const struct deployment *c = &w->coordinator;

	if (!c->response && !c->url)
		return w->has_nonce || c->output || c->root_ca
			       ? ctr_fail(
					 e, CTR_USAGE, "usage",
					 "--nonce, --output and --coordinator-root-ca go with "
					 "--coordinator or --response")
			       : 0;
	if ((c->response && c->url) || (c->url && *c->url == '\0'))
		return ctr_fail(e, CTR_USAGE, "usage", "one of --coordinator and --response");
	if (w->has_nonce != (c->response != NULL))
		return ctr_fail(e, CTR_USAGE, "usage",
				"--response needs --nonce; --coordinator makes its own");
	if (!w->manifest || w->n_refs)
		return ctr_fail(
			e, CTR_USAGE, "usage",
			"a Coordinator is verified with --manifest, and no other reference values");
	if (c->url && w->from.c.offline)
		return ctr_fail(e, CTR_USAGE, "usage",
				"--coordinator cannot be --offline; see --response");
	if (strcmp(path, "-") != 0)
		return ctr_fail(e, CTR_USAGE, "usage", "%s: the evidence is in the answer", path);
	if (w->batch || w->job.appraisal.snp.expect[CTR_SNP_REPORT_DATA].what == CTR_WANT_EQUAL)
		return ctr_fail(e, CTR_USAGE, "usage",
				"neither --batch nor --report-data here: the nonce stands for it");
	return 0;
}

/* lesson: a policy that pinned nothing still said yes */
static int check_question(const struct work *w, const char *path, struct ctr_err *e)
{
	const struct job *j = &w->job;
	int ways = (w->manifest || w->n_refs) + w->authenticity + j->inspect + w->issue;

	if (ways > 1)
		return ctr_fail(e, CTR_USAGE, "usage",
				"only one of --manifest or --reference-values, "
				"--authenticity-only, --inspect, --issue");
	if (check_coordinator(w, path, e) < 0)
		return -1;
	if (j->inspect || w->authenticity)
		return 0;
	if (!j->vf.refs && !w->appraisal) {
		ctr_fail(e, CTR_USAGE, "usage",
			 "what is permitted? Nothing says which guest it must be");
		return ctr_err_fix(e, "give --manifest, --reference-values or --appraisal; "
				      "--authenticity-only if any guest will do");
	}
	if (!j->vf.refs && !ctr_appraisal_pins(&j->appraisal, CTR_TEE_SNP) &&
	    !ctr_appraisal_pins(&j->appraisal, CTR_TEE_TDX)) {
		ctr_fail(e, CTR_FORMAT, "appraisal.pins-nothing",
			 "%s: no launch measurement is asked for: any guest would do",
			 w->appraisal);
		return ctr_err_fix(
			e, "add expect_measurement or expect_mrtd, or say --authenticity-only");
	}
	if (j->vf.role != CTR_ROLE_NONE && !w->manifest)
		return ctr_fail(e, CTR_USAGE, "usage",
				"--role needs --manifest, which knows the roles");
	if (!w->coordinator.response && !w->coordinator.url &&
	    j->appraisal.snp.expect[CTR_SNP_REPORT_DATA].what == CTR_WANT_NOTHING)
		ctr_log(j->log, CTR_WARN, "report-data.any", NULL, 0, 0,
			"without --report-data nothing shows that the evidence is fresh, and whose "
			"it is");
	return 0;
}

static int issue_evidence(const struct work *w, const char *path, struct ctr_buf *out,
			  struct ctr_err *e)
{
	const struct ctr_want *data = &w->job.appraisal.snp.expect[CTR_SNP_REPORT_DATA];

	if (data->what != CTR_WANT_EQUAL)
		return ctr_fail(e, CTR_USAGE, "usage", "--issue needs --report-data");
	if (strcmp(path, "-") != 0)
		return ctr_fail(e, CTR_USAGE, "usage", "--issue takes no file");
	return issue(w->platform ? w->platform : "auto", data->v, out, e);
}

static int run(struct work *w, const char *path, struct ctr_buf *out, struct ctr_err *e)
{
	int rc = -1;

	if (w->issue)
		return issue_evidence(w, path, out, e);
	if (load_appraisal(w, e) < 0 || load_refs(w, e) < 0 ||
	    ctr_sources_ready(&w->from, w->job.log, e) < 0 || load_ear_key(w, e) < 0 ||
	    check_question(w, path, e) < 0)
		return -1;
	w->job.vf.any_guest = w->authenticity;
	w->job.vf.opts = w->from.verify;
	w->job.from = w->from.c;
	w->coordinator.manifest = w->manifest;
	if (w->coordinator.response || w->coordinator.url)
		return deployment_run(&w->job, &w->coordinator, out, e);
	if (!w->batch)
		return job_run(&w->job, path, false, out, e);
	if (ctr_snp_cache_new(&w->job.vf.snp, e) == 0 && ctr_tdx_cache_new(&w->job.vf.tdx, e) == 0)
		rc = batch_run(&w->job, stdin, e);
	ctr_snp_cache_free(w->job.vf.snp);
	ctr_tdx_cache_free(w->job.vf.tdx);
	return rc;
}

int cmd_verify(struct ctr_tool *t, int argc, char **argv, struct ctr_buf *out, struct ctr_err *e)
{
	struct work w = { .job = { .log = &t->log, .warn_days = 7 } };
	int first = 0, rc;

	t->synopsis = "[options] [file]";
	t->summary =
		"Answers whether a hardware report is genuine and is what a manifest permits. With "
		"a first word:\n\n"
		"  bundle    packs a report and what endorses it into evidence\n"
		"  certs     lists a certificate table, or what a certificate says of its chip\n"
		"  fetch     fetches what endorses evidence, for --collateral\n"
		"  eventlog  replays the event log of a TDX guest\n"
		"  idblock   makes or checks what signs an SEV-SNP guest's launch\n\n"
		"each with its own --help.";
	t->example =
		"ctr-attest-verify --manifest manifest.json --report-data $HEX < evidence.cbor";
	t->opts = opts;
	ctr_appraisal_init(&w.job.appraisal);
	w.job.vf.appraisal = &w.job.appraisal;
	ctr_sources_init(&w.from, time(NULL));
	rc = ctr_tool_opts(t, argc, argv, on_opt, &w, &first, e);
	if (rc == 0 && !t->served)
		rc = argc - first > (w.batch ? 0 : 1)
			     ? ctr_fail(
				       e, CTR_USAGE, "usage",
				       "too many files (expected one; with --batch names on stdin)")
			     : run(&w, first < argc ? argv[first] : "-", out, e);
	ctr_sign_key_free(w.job.ear_key);
	ctr_sources_free(&w.from);
	ctr_appraisal_free(&w.job.appraisal);
	ctr_manifest_free(&w.job.refs);
	return rc;
}
