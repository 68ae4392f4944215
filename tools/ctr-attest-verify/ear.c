#include "ear.h"

#include <string.h>

#include "enc.h"

#define PROFILE "tag:github.com,2023:veraison/ear"

/* Values of draft-ietf-rats-ar4si. */
enum tier { NONE = 0, AFFIRMING = 2, WARNING = 32, CONTRAINDICATED = 96 };
enum {
	INSTANCE_TRUSTED = 2,
	INSTANCE_UNTRUSTED = 96,
	CRYPTO_FAILED = 99,
	CONFIG_APPROVED = 2,
	CONFIG_UNSAFE = 32,
	EXEC_APPROVED_BOOT = 3,
	EXEC_UNKNOWN = 33,
	HARDWARE_GENUINE = 2,
	HARDWARE_UNSAFE = 32,
	HARDWARE_UNKNOWN = 97,
	RUNTIME_ENCRYPTED = 2,
	RUNTIME_VISIBLE = 96,
};

/* What a check speaks of, by the beginning of its name: the first row that fits. The rest is
 * authenticity. */
enum subject {
	AUTHENTICITY,
	INSTANCE,
	CONFIGURATION,
	EXECUTABLES,
	HARDWARE,
	RUNTIME,
	NOTHING,
	SUBJECTS
};
static const struct {
	const char *prefix;
	enum subject subject;
} subjects[] = {
	{ "snp.policy.debug", RUNTIME },
	{ "tdx.tdattributes.debug", RUNTIME },
	{ "snp.chip_id", INSTANCE },
	{ "tdx.piid", INSTANCE },
	{ "policy.", CONFIGURATION },
	{ "snp.host_data", CONFIGURATION },
	{ "tdx.mrconfigid", CONFIGURATION },
	{ "tdx.mrowner", CONFIGURATION },
	{ "snp.policy", CONFIGURATION },
	{ "snp.vmpl", CONFIGURATION },
	{ "tdx.tdattributes", CONFIGURATION },
	{ "tdx.xfam", CONFIGURATION },
	{ "tdx.mrservicetd", CONFIGURATION },
	{ "snp.measurement", EXECUTABLES },
	{ "snp.id_", EXECUTABLES },
	{ "snp.author_key", EXECUTABLES },
	{ "snp.family_id", EXECUTABLES },
	{ "snp.image_id", EXECUTABLES },
	{ "snp.guest_svn", EXECUTABLES },
	{ "tdx.mrtd", EXECUTABLES },
	{ "tdx.rtmr", EXECUTABLES },
	{ "reference_values", EXECUTABLES },
	{ "appraisal.pins", EXECUTABLES },
	{ "snp.reported_tcb", HARDWARE },
	{ "snp.launch_", HARDWARE },
	{ "snp.current_mit", HARDWARE },
	{ "snp.tcb.", HARDWARE },
	{ "snp.firmware", HARDWARE },
	{ "snp.platform_info", HARDWARE },
	{ "snp.product", HARDWARE },
	{ "tdx.tcb_status", HARDWARE },
	{ "tdx.tcb.", HARDWARE },
	{ "tdx.module", HARDWARE },
	{ "tdx.mrs", HARDWARE },
	{ "tdx.qe.level", HARDWARE },
	{ "tdx.advisories", HARDWARE },
	{ "tdx.tee_tcb_svn", HARDWARE },
	{ "tdx.memory_integrity", HARDWARE },
	{ "tdx.smt_disabled", HARDWARE },
	{ "tdx.static_platform", HARDWARE },
	{ "snp.report_data", NOTHING },
	{ "snp.report_id", NOTHING },
	{ "tdx.reportdata", NOTHING },
};

static enum subject subject_of(const char *name)
{
	for (size_t i = 0; i < sizeof subjects / sizeof *subjects; i++) {
		if (strncmp(name, subjects[i].prefix, strlen(subjects[i].prefix)) == 0)
			return subjects[i].subject;
	}
	return AUTHENTICITY;
}

/* What approves a configuration: the rest only finds no flaw in it. */
static bool approves(const char *name)
{
	return strcmp(name, "policy.listed") == 0 || strcmp(name, "snp.host_data") == 0 ||
	       strcmp(name, "tdx.mrconfigid") == 0;
}

struct tally {
	bool passed[SUBJECTS], failed[SUBJECTS];
};

static void count(const struct ctr_verdict *v, struct tally *t)
{
	*t = (struct tally){ 0 };
	for (size_t i = 0; i < v->checks.n; i++) {
		const struct ctr_check *c = &v->checks.v[i];

		enum subject s = subject_of(c->name);

		t->passed[s] |= c->result == CTR_PASS && (s != CONFIGURATION || approves(c->name));
		t->failed[s] |= c->result == CTR_FAIL;
	}
}

static void vector(const struct ctr_verdict *v, struct ctr_json *obj)
{
	struct tally t;

	count(v, &t);
	if (!v->authenticated) {
		ctr_json_set_uint(obj, "instance-identity", CRYPTO_FAILED);
		ctr_json_set_uint(obj, "hardware", HARDWARE_UNKNOWN);
		return; /* of the rest nothing is known */
	}
	ctr_json_set_uint(obj, "instance-identity",
			  t.failed[INSTANCE] ? INSTANCE_UNTRUSTED : INSTANCE_TRUSTED);
	ctr_json_set_uint(obj, "hardware",
			  t.failed[HARDWARE] || t.failed[AUTHENTICITY] ? HARDWARE_UNSAFE
								       : HARDWARE_GENUINE);
	ctr_json_set_uint(obj, "runtime-opaque",
			  t.failed[RUNTIME] ? RUNTIME_VISIBLE : RUNTIME_ENCRYPTED);
	if (t.failed[EXECUTABLES] || t.passed[EXECUTABLES])
		ctr_json_set_uint(obj, "executables",
				  t.failed[EXECUTABLES] ? EXEC_UNKNOWN : EXEC_APPROVED_BOOT);
	if (t.failed[CONFIGURATION] || t.passed[CONFIGURATION])
		ctr_json_set_uint(obj, "configuration",
				  t.failed[CONFIGURATION] ? CONFIG_UNSAFE : CONFIG_APPROVED);
}

static void nonce(const struct ctr_verdict *v, struct ctr_json *obj)
{
	const uint8_t *data =
		v->tee == CTR_TEE_SNP ? v->snp.report.report_data : v->tdx.quote.report.reportdata;

	/* what the evidence is bound to; hexadecimal, as elsewhere in the result */
	ctr_json_set_hex(obj, "eat_nonce", data, 64);
}

int ear_claims(const struct job *j, const struct ctr_verdict *v, struct ctr_json *obj,
	       struct ctr_err *e)
{
	struct ctr_json *id, *module, *claims;

	ctr_json_set_string(obj, "eat_profile", PROFILE);
	ctr_json_set_uint(obj, "iat", (uint64_t)j->vf.opts.at);
	id = ctr_json_set_object(obj, "ear.verifier-id");
	ctr_json_set_string(id, "developer", "confidential-container-tools");
	ctr_json_set_string(id, "build", "ctr-attest-verify " CTR_VERSION);
	if (v->authenticated)
		nonce(v, obj);
	module = ctr_json_set_object(ctr_json_set_object(obj, "submods"), ctr_tee_names[v->tee]);
	/* a genuine report of any guest affirms nothing */
	ctr_json_set_string(module, "ear.status",
			    !v->accepted      ? "contraindicated"
			    : j->vf.any_guest ? "none"
					      : "affirming");
	vector(v, ctr_json_set_object(module, "ear.trustworthiness-vector"));
	claims = ctr_json_set_object(module, "ear.veraison.annotated-evidence");
	return ctr_verdict_json(&j->vf, v, claims, e);
}

static void base64url(struct ctr_buf *b, const void *p, size_t n)
{
	size_t at = b->n;

	ctr_base64_add(b, p, n);
	if (b->bad)
		return;
	while (b->n > at && b->p[b->n - 1] == '=')
		b->p[--b->n] = '\0';
	for (char *c = b->p + at; *c; c++)
		*c = *c == '+' ? '-' : *c == '/' ? '_' : *c;
}

int ear_jwt(const struct job *j, const struct ctr_json *claims, struct ctr_buf *out,
	    struct ctr_err *e)
{
	bool p384 = ctr_sign_key_half(j->ear_key) == 48;
	const char *head = p384 ? "{\"alg\":\"ES384\",\"typ\":\"JWT\"}"
				: "{\"alg\":\"ES256\",\"typ\":\"JWT\"}";
	ctr_auto_buf struct ctr_buf text = { 0 }, token = { 0 };
	uint8_t rs[2 * 48];

	if (ctr_json_print(claims, 0, &text, e) < 0)
		return -1;
	base64url(&token, head, strlen(head));
	ctr_buf_addc(&token, '.');
	base64url(&token, text.p, text.n);
	if (ctr_buf_ok(&token, "token", e) < 0 ||
	    ctr_sign(j->ear_key, p384 ? CTR_SHA384 : CTR_SHA256, token.p, token.n, rs, e) < 0)
		return -1;
	ctr_buf_addc(&token, '.');
	base64url(&token, rs, p384 ? 96 : 64);
	ctr_buf_add(out, token.p, token.n);
	return ctr_buf_ok(&token, "token", e) < 0 ? -1 : ctr_buf_ok(out, "token", e);
}
