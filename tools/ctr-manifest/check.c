#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "manifest.h"
#include "merge.h"
#include "rd.h"

enum { OPT_JSON = 1, OPT_STRICT };

static const struct ctr_opt opts[] = {
	{ OPT_JSON, "json", 0, NULL, "findings as JSON" },
	{ OPT_STRICT, "strict", 0, NULL, "weak settings make the answer no, too" },
	{ 0 },
};

/* In order of weight: the first two make the answer no. */
enum kind { INVALID, MISSING, WEAK, NOTE, KINDS };
static const char *const kind_names[KINDS] = { "invalid", "missing", "weak", "note" };

struct report {
	const struct ctr_manifest *m;
	bool json, strict;
	struct ctr_buf text;	/* one line a finding */
	struct ctr_json *list;	/* the same for --json */
	unsigned count[KINDS];
};

/* path is the JSON path, as in the errors of reading. */
static void found(struct report *r, enum kind k, const char *id, const char *path, const char *fmt,
		  ...) CTR_FMT(5, 6);

static void found(struct report *r, enum kind k, const char *id, const char *path, const char *fmt,
		  ...)
{
	char msg[256];
	va_list ap;
	struct ctr_json *o;

	va_start(ap, fmt);
	vsnprintf(msg, sizeof msg, fmt, ap);
	va_end(ap);
	r->count[k]++;
	ctr_buf_addf(&r->text, "%s: %s: %s\n", kind_names[k], path, msg);
	if (!r->json)
		return;
	o = ctr_json_add_object(r->list);
	if (!ctr_json_set_string(o, "kind", kind_names[k]) || !ctr_json_set_string(o, "id", id) ||
	    !ctr_json_set_string(o, "path", path) || !ctr_json_set_string(o, "message", msg))
		r->text.bad = CTR_BUF_MEMORY;
}

/* The path of a reference value set, or of a member of it. */
struct path {
	char s[160];
};

static struct path at(const char *kind, size_t i, const char *member)
{
	struct path p;

	snprintf(p.s, sizeof p.s, "$.ReferenceValues.%s[%zu]%s%s", kind, i, *member ? "." : "", member);
	return p;
}

/* A digest that must be known, and must be one: all zeros stand for "nobody measured". */
static void check_hex(struct report *r, const struct ctr_ref_hex *h, size_t n, bool digest,
		      struct path p)
{
	if (!h->known)
		found(r, MISSING, "check.missing", p.s, "not filled in; nothing matches until it is");
	else if (digest && ctr_zero(h->v, n))
		found(r, INVALID, "check.pins-nothing", p.s, "all zeros: no measurement");
}

static void check_roles(struct report *r)
{
	unsigned n = 0;

	for (size_t i = 0; i < r->m->n_policies; i++)
		n += r->m->policies[i].role == CTR_ROLE_COORDINATOR;
	if (n == 0)
		found(r, INVALID, "check.coordinator", "$.Policies",
		      "no policy has the role coordinator");
	else if (n > 1)
		found(r, WEAK, "check.coordinators", "$.Policies",
		      "%u policies have the role coordinator: right while one takes the place of another",
		      n);
}

/* Pods with one workload secret ID read each other's secrets: right for versions of one workload only. */
static int check_secrets(struct report *r, struct ctr_err *e)
{
	struct ctr_manifest_policy **v;
	size_t n = r->m->n_policies;

	if (merge_index(r->m, &v, e) < 0)
		return -1;
	for (size_t i = 1; i < n; i++) {
		const char *id = v[i]->secret_id;

		/* once for each ID */
		if (*id && strcmp(v[i - 1]->secret_id, id) == 0 &&
		    (i < 2 || strcmp(v[i - 2]->secret_id, id) != 0))
			found(r, NOTE, "check.shared-secret", "$.Policies",
			      "several policies have the workload secret ID %s and share its secret", id);
	}
	free(v);
	return 0;
}

static void check_snp_tcb(struct report *r, const struct ctr_snp_ref *s, size_t i)
{
	static const char *const names[] = { "MinimumTCB.BootloaderVersion", "MinimumTCB.TEEVersion",
					     "MinimumTCB.SNPVersion", "MinimumTCB.MicrocodeVersion",
					     "MinimumTCB.FMCVersion" };

	for (int c = 0; c < CTR_TCB_N; c++) {
		if (c == CTR_TCB_FMC && s->product != CTR_TURIN)
			continue;
		if (s->tcb[c] < 0)
			found(r, MISSING, "check.missing", at("snp", i, names[c]).s,
			      "not filled in; nothing matches until it is");
		/* the TEE and FMC versions of real machines can be 0 */
		else if (s->tcb[c] == 0 && c != CTR_TCB_TEE && c != CTR_TCB_FMC)
			found(r, WEAK, "check.minimum-tcb", at("snp", i, names[c]).s,
			      "0: firmware with known holes is accepted");
	}
}

static void check_snp(struct report *r, const struct ctr_snp_ref *s, size_t i)
{
	check_hex(r, &s->measurement, 48, true, at("snp", i, "TrustedMeasurement"));
	check_snp_tcb(r, s, i);
	if (!s->policy.known)
		found(r, MISSING, "check.missing", at("snp", i, "GuestPolicy").s,
		      "not filled in; nothing matches until it is");
	if (!s->platform_info.known)
		found(r, MISSING, "check.missing", at("snp", i, "PlatformInfo").s,
		      "not filled in; nothing matches until it is");
	if (s->policy.v & CTR_SNP_POLICY_DEBUG)
		found(r, WEAK, "check.debug", at("snp", i, "GuestPolicy.Debug").s,
		      "DEBUG IS ALLOWED: the host may read and change the memory of every pod");
	if (s->policy.v & CTR_SNP_POLICY_MIGRATE_MA)
		found(r, WEAK, "check.migration", at("snp", i, "GuestPolicy.MigrateMA").s,
		      "a migration agent is allowed: it may read the memory of every pod");
	if (s->n_chips == 0)
		found(r, NOTE, "check.any-chip", at("snp", i, "AllowedChipIDs").s,
		      "empty: every genuine chip of the product is accepted");
}

static void check_tdx(struct report *r, const struct ctr_tdx_ref *t, size_t i)
{
	check_hex(r, &t->mrtd, 48, true, at("tdx", i, "MrTd"));
	check_hex(r, &t->mrseam, 48, true, at("tdx", i, "MrSeam"));
	check_hex(r, &t->xfam, 8, false, at("tdx", i, "Xfam"));
	for (int k = 0; k < 4; k++) {
		char name[16];

		snprintf(name, sizeof name, "Rtmrs[%d]", k);
		check_hex(r, &t->rtmr[k], 48, false, at("tdx", i, name));
	}
	if (t->rtmr[1].known && t->rtmr[2].known && ctr_zero(t->rtmr[1].v, 48) && ctr_zero(t->rtmr[2].v, 48))
		found(r, WEAK, "check.rtmr", at("tdx", i, "Rtmrs").s,
		      "1 and 2 are zero: neither kernel nor command line is pinned");
	if (t->n_piids == 0)
		found(r, NOTE, "check.any-chip", at("tdx", i, "AllowedPIIDs").s,
		      "empty: every genuine platform is accepted");
}

static void check_names(struct report *r)
{
	for (size_t i = 0; i < r->m->n_policies; i++) {
		if (r->m->policies[i].n_sans == 0) {
			found(r, NOTE, "check.no-name", "$.Policies",
			      "a policy has no SANs: its certificate names nobody");
			return;
		}
	}
}

static int examine(struct report *r, struct ctr_err *e)
{
	const struct ctr_manifest *m = r->m;

	check_roles(r);
	check_names(r);
	if (check_secrets(r, e) < 0)
		return -1;
	if (m->n_snp + m->n_tdx == 0)
		found(r, INVALID, "check.pins-nothing", "$.ReferenceValues",
		      "no reference values at all: nothing says what hardware and guest to trust");
	for (size_t i = 0; i < m->n_snp; i++)
		check_snp(r, &m->snp[i], i);
	for (size_t i = 0; i < m->n_tdx; i++)
		check_tdx(r, &m->tdx[i], i);
	if (m->n_owners == 0)
		found(r, NOTE, "check.no-owner", "$.WorkloadOwnerKeyDigests",
		      "empty: this manifest can never be updated");
	if (m->n_seedshare == 0)
		found(r, NOTE, "check.no-recovery", "$.SeedshareOwnerPubKeys",
		      "empty: nobody can recover the Coordinator's state");
	return ctr_buf_ok(&r->text, "findings", e);
}

static int answer(struct report *r, struct ctr_buf *out, struct ctr_err *e)
{
	bool no = r->count[INVALID] + r->count[MISSING] > 0 || (r->strict && r->count[WEAK] > 0);

	if (r->json) {
		ctr_auto_json struct ctr_json *top = ctr_json_new_object();

		if (!ctr_json_set_bool(top, "valid", !no) ||
		    !ctr_json_set_copy(top, "findings", r->list))
			return ctr_fail_mem(e);
		if (ctr_json_print(top, 2, out, e) < 0)
			return -1;
		ctr_buf_addc(out, '\n');
	} else {
		ctr_buf_add(out, r->text.p, r->text.n);
	}
	if (ctr_buf_ok(out, "findings", e) < 0)
		return -1;
	if (no)
		return ctr_fail(e, CTR_NO, "check.no",
				"the manifest is not fit for use: %u invalid, %u missing, %u weak",
				r->count[INVALID], r->count[MISSING], r->count[WEAK]);
	return 0;
}

static int on_opt(void *ctx, int id, const char *value, struct ctr_err *e)
{
	struct report *r = ctx;

	(void)value;
	(void)e;
	if (id == OPT_JSON)
		r->json = true;
	else
		r->strict = true;
	return 0;
}

int cmd_check(struct ctr_tool *t, int argc, char **argv, struct ctr_buf *out, struct ctr_err *e)
{
	ctr_auto_manifest struct ctr_manifest m = { 0 };
	struct report r = { .m = &m };
	int first = 0, rc;

	t->synopsis = "[options] [manifest]";
	t->summary = "Says whether a manifest is sound and complete, and what is weak about it.";
	t->example = "ctr-manifest check manifest.json";
	t->opts = opts;
	if (ctr_tool_opts(t, argc, argv, on_opt, &r, &first, e) < 0)
		return -1;
	if (t->served)
		return 0;
	if (argc - first > 1)
		return ctr_fail(e, CTR_USAGE, "usage", "%s: one manifest at a time", argv[first + 1]);
	if (ctr_manifest_load(first < argc ? argv[first] : "-", &m, e) < 0)
		return -1;
	r.list = ctr_json_new_array();
	rc = r.list ? examine(&r, e) : ctr_fail_mem(e);
	if (rc == 0)
		rc = answer(&r, out, e);
	ctr_json_free(r.list);
	ctr_buf_free(&r.text);
	return rc;
}
