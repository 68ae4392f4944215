/* The reference vectors: each is accepted or refused as it says, and for the reason that it says.
 */
#include "enc.h"
#include "json.h"
#include "t.h"
#include "tdx_verify.h"
#include "x509.h"

/* What a reason means here: the begin of an error's id or of a failed check's name. None: the quote
 * is genuine, policy refuses it. */
static const struct {
	const char *reason, *names[7];
} reasons[] = {
	{ "cert-name", { "tdx.pck.chain" } },
	{ "cert-revoked", { "tdx.revoked." } },
	{ "cert-validity",
	  { "tdx.pck.validity", "tdx.tcb_info.chain.validity", "tdx.qe_identity.chain.validity" } },
	{ "chain-pck", { "tdx.pck.root", "tdx.pck.chain", "x509.pem" } },
	{ "chain-tcb",
	  { "tdx.tcb_info.chain", "tdx.tcb_info.root", "tdx.qe_identity.root",
	    "collateral.missing" } },
	{ "collateral-expired", { "tdx.tcb_info.validity", "tdx.qe_identity.validity" } },
	{ "collateral-future", { "tdx.tcb_info.validity", "tdx.qe_identity.validity" } },
	{ "collateral-parse", { "json.", "tcb.", "time", "collateral.missing" } },
	{ "collateral-signature",
	  { "tdx.tcb_info.signature", "tdx.qe_identity.signature", "tdx.tcb_info.chain",
	    "json.hex" } },
	{ "collateral-type", { "tcb_info.type", "qe_identity.type" } },
	{ "crl-expired", { "tdx.crl.root.validity", "tdx.crl.pck.validity" } },
	{ "crl-invalid", { "tdx.crl.", "x509.crl", "collateral.missing" } },
	{ "fmspc-mismatch", { "tdx.tcb_info.fmspc" } },
	{ "parse-cert", { "tdx.pck.extension" } },
	{ "parse-cert-type", { "tdx.cert-type" } },
	{ "parse-field",
	  { "tdx.key-type", "tdx.tee-type", "tdx.vendor", "tdx.body", "tdx.cert-type", "tdx.length",
	    "tdx.quote.signature" } },
	{ "parse-length", { "tdx.length", "tdx.cert-type", "x509.pem" } },
	{ "parse-version", { "tdx.version" } },
	{ "pceid-mismatch", { "tdx.tcb_info.pceid" } },
	{ "qe-identity-mismatch",
	  { "tdx.qe.miscselect", "tdx.qe.attributes", "tdx.qe.mrsigner", "tdx.qe.isvprodid" } },
	{ "qe-not-supported", { "tdx.qe.level" } },
	{ "qe-report-data", { "tdx.qe.binding" } },
	{ "root-untrusted", { "tdx.pck.root" } },
	{ "sig-qe-report", { "tdx.qe.signature" } },
	{ "sig-quote", { "tdx.quote.signature" } },
	{ "tcb-not-supported", { "tdx.tcb.level" } },
	{ "tdx-module-mismatch", { "tdx.module" } },
	{ "tdx-module-not-supported", { "tdx.module.level" } },
	{ "advisory-refused", { 0 } },
	{ "policy-debug", { 0 } },
	{ "policy-service-td", { 0 } },
	{ "policy-td-attributes", { 0 } },
	{ "policy-xfam", { 0 } },
	{ "tcb-below-minimum", { 0 } },
	{ "tcb-eval-too-low", { 0 } },
	{ "tcb-status", { 0 } },
	{ "value-mrconfigid", { 0 } },
	{ "value-mrowner", { 0 } },
	{ "value-mrseam", { 0 } },
	{ "value-mrtd", { 0 } },
	{ "value-report-data", { 0 } },
	{ "value-rtmr", { 0 } },
	{ "value-td-attributes", { 0 } },
	{ "value-xfam", { 0 } },
};

/* "" when it is absent. */
static const char *text(const struct ctr_jval *obj, const char *key)
{
	struct ctr_jval j = ctr_jget(obj, key);
	const char *s = "";

	if (ctr_jhas(&j))
		T_OK(ctr_jstring(&j, &s, e));
	return s;
}

static void load(const struct ctr_jval *in, const char *key, struct ctr_buf *b)
{
	char path[256];

	if (!text(in, key)[0])
		return;
	snprintf(path, sizeof path, "attestation/vectors/%s", text(in, key));
	*b = t_file(t_shared(path));
}

static void evidence(const struct ctr_jval *in, struct ctr_evidence *ev)
{
	ev->tee = CTR_TEE_TDX;
	load(in, "quote", &ev->item[CTR_REPORT]);
	load(in, "tcb_info", &ev->item[CTR_TCB_INFO]);
	load(in, "tcb_sign_chain", &ev->item[CTR_TCB_INFO_CHAIN]);
	load(in, "qe_identity", &ev->item[CTR_QE_IDENTITY]);
	load(in, "qe_sign_chain", &ev->item[CTR_QE_IDENTITY_CHAIN]);
	load(in, "pck_crl", &ev->item[CTR_PCK_CRL]);
	load(in, "root_crl", &ev->item[CTR_ROOT_CRL]);
}

static void root_of(const struct ctr_jval *in, uint8_t spki[32])
{
	ctr_auto_buf struct ctr_buf b = { 0 };
	ctr_auto_x509 X509 *c = NULL;

	load(in, "roots", &b);
	T_OK(ctr_x509_der(b.p, b.n, "root", &c, e));
	T_OK(ctr_x509_spki(c, spki, e));
}

static bool is_named(const char *name, const char *const *names)
{
	for (size_t i = 0; i < 7 && names[i]; i++) {
		if (strncmp(name, names[i], strlen(names[i])) == 0)
			return true;
	}
	return false;
}

static const char *const *names_of(const char *reason)
{
	for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++) {
		if (strcmp(reasons[i].reason, reason) == 0)
			return reasons[i].names;
	}
	fail_msg("unknown reason %s", reason);
	return NULL;
}

/* Refused by this library, and one of the things that it says is the reason. */
static void refused(const char *id, const char *reason, const struct ctr_checks *cs,
		    const struct ctr_err *e)
{
	const char *const *names = names_of(reason);
	bool hit = e->id && is_named(e->id, names);

	for (size_t i = 0; i < cs->n; i++)
		hit = hit || (cs->v[i].result == CTR_FAIL && is_named(cs->v[i].name, names));
	if (!hit)
		fail_msg("%s: not refused for %s: %s, %zu failed", id, reason, e->id ? e->id : "",
			 cs->failed);
}

static void same_text(const char *id, const char *what, const char *want, const char *found)
{
	if (want[0] && strcmp(want, found) != 0)
		fail_msg("%s: %s %s (expected %s)", id, what, found, want);
}

static void same_advisories(const char *id, const struct ctr_jval *ex,
			    const struct ctr_advisories *a)
{
	struct ctr_jval list = ctr_jget(ex, "advisories");
	const char *s = "";
	size_t hits = 0;

	if (!ctr_jhas(&list))
		return;
	for (struct ctr_jval j = ctr_jfirst(&list); j.v; j = ctr_jnext(&j)) {
		T_OK(ctr_jstring(&j, &s, e));
		for (size_t i = 0; i < a->n; i++)
			hits += strcmp(a->v[i], s) == 0;
	}
	if (hits != a->n || hits != ctr_jcount(&list))
		fail_msg("%s: other advisories", id);
}

static void same_result(const char *id, const struct ctr_jval *ex, const struct ctr_tdx_result *r)
{
	struct ctr_jval eval = ctr_jget(ex, "tcb_eval");
	uint8_t fmspc[6];
	uint64_t n = 0;
	char date[CTR_TIME_MAX];

	same_text(id, "status", text(ex, "tcb_status"), ctr_tcb_status_names[r->status]);
	same_text(id, "module", text(ex, "module_status"), ctr_tcb_status_names[r->module]);
	same_text(id, "QE", text(ex, "qe_status"), ctr_tcb_status_names[r->qe]);
	same_text(id, "date", text(ex, "tcb_date"), ctr_time_print(r->tcb_date, date));
	same_advisories(id, ex, &r->advisories);
	if (ctr_jhas(&eval)) {
		T_OK(ctr_juint(&eval, UINT32_MAX, &n, e));
		assert_int_equal(n, r->tcb_info_eval);
	}
	if (text(ex, "fmspc")[0]) {
		T_OK(ctr_hex_parse(text(ex, "fmspc"), strlen(text(ex, "fmspc")), fmspc, 6, e));
		T_MEM(fmspc, r->pck.fmspc, 6);
	}
}

/* The decoded fields against the claims, where both have the name. */
static size_t same_claims(const char *id, const struct ctr_jval *ex, const struct ctr_tdx_quote *q)
{
	struct ctr_jval want = ctr_jget(ex, "decoded"), root;
	ctr_auto_json struct ctr_json *obj = ctr_json_new_object();
	size_t n = 0;

	if (!ctr_jhas(&want))
		return 0;
	T_OK(ctr_tdx_claims(q, obj, e));
	root = ctr_jroot(obj);
	for (struct ctr_jval j = ctr_jfirst(&want); j.v; j = ctr_jnext(&j)) {
		struct ctr_jval found = ctr_jget(&root, j.key);

		if (ctr_jtype(&j) != CTR_JSON_STRING || !ctr_jhas(&found) ||
		    ctr_jtype(&found) != CTR_JSON_STRING)
			continue;
		same_text(id, j.key, text(&want, j.key), text(&root, j.key));
		n++;
	}
	if (n < 10)
		fail_msg("%s: only %zu fields to compare", id, n);
	return n;
}

static void genuine(const char *id, const struct ctr_jval *ex, int rc, const struct ctr_checks *cs,
		    const struct ctr_tdx_result *r, const struct ctr_err *e)
{
	const struct ctr_check *c = ctr_checks_failed(cs);

	if (rc < 0)
		fail_msg("%s: %s: %s", id, e->id, e->msg);
	if (c)
		fail_msg("%s: %s: %s (%s)", id, c->name, c->found, c->detail);
	assert_true(r->authenticated);
	same_result(id, ex, r);
	same_claims(id, ex, &r->quote);
	if (strcmp(text(ex, "reason"), "tcb-status") == 0)
		assert_int_not_equal(r->status, CTR_TCB_UP_TO_DATE);
}

static void run(const struct ctr_jval *c, bool quote_only, struct ctr_tdx_cache *cache)
{
	struct ctr_jval in = ctr_jget(c, "inputs"), ex = ctr_jget(c, "expect"),
			also = ctr_jget(&ex, "also_acceptable");
	struct ctr_verify_opts o = { .crl = quote_only ? CTR_CRL_NEVER : CTR_CRL_REQUIRED,
				     .tcb_optional = quote_only };
	ctr_auto_checks struct ctr_checks cs = { 0 };
	ctr_auto_tdx_result struct ctr_tdx_result r = { 0 };
	struct ctr_evidence ev = { 0 };
	struct ctr_err why = { 0 };
	uint8_t root[32];
	int rc;

	T_OK(ctr_time_parse(text(&in, "verify_at"), &o.at, e));
	if (strcmp(text(&in, "roots"), "intel") != 0) {
		root_of(&in, root);
		o.test_root = root;
	}
	evidence(&in, &ev);
	rc = ctr_tdx_verify(&ev, &o, cache, &cs, &r, &why);
	if (rc < 0 || !ctr_checks_ok(&cs)) {
		/* refused: an acceptable answer to some that others accept */
		if (strcmp(text(&ex, "result"), "accept") != 0)
			refused(text(c, "id"), text(&ex, "reason"), &cs, &why);
		else if (!ctr_jhas(&also) || strcmp(why.id ? why.id : "", "x509.pem") != 0)
			genuine(text(c, "id"), &ex, rc, &cs, &r, &why);
	} else {
		if (strcmp(text(&ex, "result"), "accept") != 0 && names_of(text(&ex, "reason"))[0])
			fail_msg("%s: accepted", text(c, "id"));
		genuine(text(c, "id"), &ex, rc, &cs, &r, &why);
	}
	for (size_t i = 0; i < CTR_ITEMS; i++)
		ctr_buf_free(&ev.item[i]);
}

static void all(const char *tech, size_t least, bool cached)
{
	ctr_auto_json struct ctr_json *j = NULL;
	struct ctr_tdx_cache *cache = NULL;
	struct ctr_jval root, cases;
	size_t n = 0;

	T_OK(ctr_json_load(t_shared("attestation/vectors/cases.json"), CTR_JSON_MAX, &j, e));
	if (cached)
		T_OK(ctr_tdx_cache_new(&cache, e));
	root = ctr_jroot(j);
	cases = ctr_jget(&root, "cases");
	for (struct ctr_jval c = ctr_jfirst(&cases); c.v; c = ctr_jnext(&c)) {
		if (strcmp(text(&c, "tech"), tech) != 0)
			continue;
		run(&c, strcmp(tech, "tdx-quote") == 0, cache);
		n++;
	}
	ctr_tdx_cache_free(cache);
	assert_true(n >= least);
}

static void quotes(void **state)
{
	(void)state;
	all("tdx-quote", 224, false);
}

static void quotes_with_collateral(void **state)
{
	(void)state;
	all("tdx", 268, false);
}

static void with_a_cache(void **state)
{
	(void)state;
	all("tdx", 268, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quotes),
		cmocka_unit_test(quotes_with_collateral),
		cmocka_unit_test(with_a_cache),
	};

	return cmocka_run_group_tests_name("tdx_vectors", tests, NULL, NULL);
}
