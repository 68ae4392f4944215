#include "verify.h"

#include <string.h>

#include "ear.h"
#include "file.h"

static int load(const char *path, struct ctr_evidence *ev, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf in = { 0 };

	if (ctr_file_read(path, CTR_EVIDENCE_MAX, &in, e) < 0)
		return -1;
	return ctr_evidence_read((const uint8_t *)in.p, in.n, ev, e) < 0 ? ctr_wrap(e, "%s", path)
									 : 0;
}

/* Every field as it is, believed by nobody. */
static int inspect(const struct ctr_evidence *ev, struct ctr_json *obj, struct ctr_err *e)
{
	struct ctr_json *claims, *items;

	ctr_json_set_string(obj, "tee", ctr_tee_names[ev->tee]);
	claims = ctr_json_set_object(obj, "claims");
	ctr_json_set_bool(claims, "authenticated", false);
	if (ev->tee == CTR_TEE_SNP) {
		struct ctr_snp_report r;

		if (ctr_snp_parse((const uint8_t *)ev->item[CTR_REPORT].p, ev->item[CTR_REPORT].n,
				  &r, e) < 0)
			return -1;
		ctr_snp_claims(&r, ctr_snp_cpuid_product(&r), claims);
	} else {
		struct ctr_tdx_quote q;

		if (ctr_tdx_parse(ev->item[CTR_REPORT].p, ev->item[CTR_REPORT].n, &q, e) < 0 ||
		    ctr_tdx_claims(&q, claims, e) < 0)
			return -1;
	}
	items = ctr_json_set_object(obj, "evidence");
	for (int i = 0; i < CTR_ITEMS; i++) {
		if (ev->item[i].n)
			ctr_json_set_uint(items, ctr_item_names[i], ev->item[i].n);
	}
	return items ? 0 : ctr_fail_mem(e);
}

/* lesson: a TCB change cut off machines unnoticed for days */
static void warn_expiry(const struct job *j, const char *path, const struct ctr_verdict *v)
{
	time_t now = j->vf.opts.at, soon = now + (time_t)j->warn_days * 86400;
	char at[CTR_TIME_MAX];
	size_t n;
	const struct ctr_expiry *x = ctr_verdict_expiries(v, &n);

	for (size_t i = 0; i < n && j->warn_days; i++) {
		if (x[i].until >= now && x[i].until < soon)
			ctr_log(j->log, CTR_WARN, "collateral.expires", path, 0, 0,
				"%s expires at %s: get a new one", x[i].item,
				ctr_time_print(x[i].until, at));
	}
}

static int verify(const struct job *j, const char *path, const struct ctr_evidence *ev,
		  const struct job_more *more, struct ctr_json *obj, struct ctr_err *e)
{
	ctr_auto_verdict struct ctr_verdict v = { 0 };

	if (ctr_verify(&j->vf, ev, &v, e) < 0 || (more && more->check(more->ctx, &v.checks, e) < 0))
		return -1;
	v.accepted = v.accepted && ctr_checks_ok(&v.checks);
	if ((j->ear ? ear_claims(j, &v, obj, e) : ctr_verdict_json(&j->vf, &v, obj, e)) < 0)
		return -1;
	if (j->at_given && !j->ear)
		ctr_json_set_bool(obj, "verified_at_given", true);
	warn_expiry(j, path, &v);
	return v.accepted ? 0 : ctr_checks_reject(&v.checks, e);
}

int job_evidence(const struct job *j, const char *path, struct ctr_evidence *ev,
		 const struct job_more *more, bool compact, struct ctr_buf *out, struct ctr_err *e)
{
	ctr_auto_json struct ctr_json *obj = ctr_json_new_object();
	struct ctr_err printing = { 0 };
	int rc;

	if (!j->inspect && ctr_endorse(&j->from, &j->vf.opts, ev, e) < 0)
		return ctr_wrap(e, "%s", path);
	if (compact && !j->ear)
		ctr_json_set_string(obj, "file", path);
	rc = j->inspect ? inspect(ev, obj, e) : verify(j, path, ev, more, obj, e);
	if (rc < 0 && e->code != CTR_NO)
		return ctr_wrap(e, "%s", path);
	if ((j->ear_key ? ear_jwt(j, obj, out, &printing)
			: ctr_json_print(obj, compact ? 0 : 2, out, &printing)) < 0) {
		*e = printing;
		return -1;
	}
	ctr_buf_addc(out, '\n');
	if (ctr_buf_ok(out, "result", &printing) < 0) {
		*e = printing;
		return -1;
	}
	return rc;
}

int job_run(const struct job *j, const char *path, bool compact, struct ctr_buf *out,
	    struct ctr_err *e)
{
	ctr_auto_evidence struct ctr_evidence ev = { 0 };

	return load(path, &ev, e) < 0 ? -1 : job_evidence(j, path, &ev, NULL, compact, out, e);
}
