/* needs: tests/unit/tdxpki.c */
#include "tdx_verify.h"

#include <pthread.h>

#include "t.h"
#include "tdxpki.h"
#include "x509.h"

static struct ctr_verify_opts opts(const struct pki *p)
{
	return (struct ctr_verify_opts){ .at = PKI_NOW, .crl = CTR_CRL_REQUIRED, .test_root = p->root_spki };
}

static const struct ctr_check *find(const struct ctr_checks *cs, const char *name)
{
	const struct ctr_check *hit = NULL;

	for (size_t i = 0; i < cs->n; i++) {
		if (strcmp(cs->v[i].name, name) != 0)
			continue;
		if (hit)
			fail_msg("%s stands twice", name);
		hit = &cs->v[i];
	}
	if (!hit)
		fail_msg("%s is not listed", name);
	return hit;
}

static void result_is(const struct ctr_checks *cs, const char *name, enum ctr_check_result want)
{
	const struct ctr_check *c = find(cs, name);

	if (c->result != want)
		fail_msg("%s: %s: %s (%s)", name, ctr_check_names[c->result], c->found, c->detail);
}

static void nothing_failed(const struct ctr_checks *cs)
{
	const struct ctr_check *c = ctr_checks_failed(cs);

	if (c)
		fail_msg("%s: %s (%s)", c->name, c->found, c->detail);
	assert_true(ctr_checks_ok(cs));
}

static void sound(void **state)
{
	(void)state;
	for (int v5 = 0; v5 < 2; v5++) {
		struct pki p = pki_default();
		struct ctr_verify_opts o;
		ctr_auto_checks struct ctr_checks cs = { 0 };
		ctr_auto_tdx_result struct ctr_tdx_result r = { 0 };

		p.v5 = v5;
		pki_build(&p);
		o = opts(&p);
		T_OK(ctr_tdx_verify(&p.ev, &o, NULL, &cs, &r, e));
		nothing_failed(&cs);
		assert_int_equal(cs.n, 38);
		for (size_t i = 0; i < cs.n; i++)
			assert_int_equal(cs.v[i].result, CTR_PASS);
		assert_true(r.authenticated && r.has_pck && r.has_tcb_info && r.has_qe_identity);
		T_STR(ctr_tcb_status_names[r.status], "UpToDate");
		T_STR(ctr_tcb_status_names[r.platform], "UpToDate");
		T_STR(ctr_tcb_status_names[r.module], "UpToDate");
		T_STR(ctr_tcb_status_names[r.qe], "UpToDate");
		assert_int_equal(r.advisories.n, 0);
		assert_int_equal(r.tcb_info_eval, 20);
		assert_int_equal(r.qe_identity_eval, 21);
		assert_true(r.expires == PKI_NOW + 3 * 86400);
		T_STR(r.expires_item, "pck_crl");
		assert_int_equal(r.pck.comp[15], 200);
		assert_int_equal(r.pck.pcesvn, 13);
		assert_true(r.pck.has_piid && r.pck.dynamic_platform && !r.pck.cached_keys && r.pck.smt_enabled);
		assert_int_equal(r.pck.sgx_type, CTR_SGX_SCALABLE);
		assert_false(ctr_tdx_bit(r.quote.report.tdattributes, CTR_TD_DEBUG));
		pki_free(&p);
	}
}

/* Each flaw fails the check that is there for it, with its own words; `only`: and no other. */
static const struct row {
	enum flaw flaw;
	const char *check, *words;
	bool only, authenticated;
} rows[] = {
	{ LEAF_NAME, "tdx.pck.chain", "not a PCK certificate", true, false },
	{ CA_NAME, "tdx.pck.chain", "not a PCK CA", true, false },
	{ CA_FLAG, "tdx.pck.chain", "no CA", true, false },
	{ LEAF_CA, "tdx.pck.chain", "leaf is a CA", true, false },
	{ BY_ROOT, "tdx.pck.chain", "not signed by the one that follows", true, false },
	{ NO_ROOT, "tdx.pck.chain", "three certificates", false, false },
	{ OTHER_ROOT, "tdx.pck.root", NULL, false, false },
	{ LEAF_CURVE, "tdx.pck.chain", "not on P-256", false, false },
	{ LEAF_OLD, "tdx.pck.validity", "expired", true, false },
	{ LEAF_FUTURE, "tdx.pck.validity", "not valid yet", true, false },
	{ CRITICAL_EXT, "tdx.pck.chain", "extensions that are unknown", true, false },
	{ NO_EXT, "tdx.pck.extension", "missing", true, true },
	{ EXT_TWICE, "tdx.pck.extension", "twice", false, false },
	{ EXT_BROKEN, "tdx.pck.extension", "encoded", true, true },
	{ QE_SIGNATURE, "tdx.qe.signature", "not signed", true, false },
	{ QUOTE_SIGNATURE, "tdx.quote.signature", "not signed", true, false },
	{ BINDING, "tdx.qe.binding", NULL, true, false },
	{ BINDING_TAIL, "tdx.qe.binding", NULL, true, false },
	{ OFF_CURVE, "tdx.quote.signature", "no point", true, false },
	{ ROOT_CRL_KEY, "tdx.crl.root", "not signed", true, true },
	{ ROOT_CRL_OLD, "tdx.crl.root.validity", "expired", true, true },
	{ ROOT_CRL_FUTURE, "tdx.crl.root.validity", "not valid yet", true, true },
	{ ROOT_CRL_PARTIAL, "tdx.crl.root", "no complete list", true, true },
	{ PCK_CRL_KEY, "tdx.crl.pck", "not signed", true, true },
	{ PCK_CRL_OLD, "tdx.crl.pck.validity", "expired", true, true },
	{ PCK_CRL_ISSUER, "tdx.crl.pck", "another issuer", true, true },
	{ CA_REVOKED, "tdx.revoked.pck_ca", "revoked", true, true },
	{ LEAF_REVOKED, "tdx.revoked.pck", "revoked", true, true },
	{ TCB_SIGNER_REVOKED, "tdx.revoked.tcb_info_signer", "revoked", true, true },
	{ QE_SIGNER_REVOKED, "tdx.revoked.qe_identity_signer", "revoked", true, true },
	{ TCB_ROOT, "tdx.tcb_info.root", NULL, false, true },
	{ TCB_SIGNER_NAME, "tdx.tcb_info.chain", "not the TCB Signing", true, true },
	{ TCB_CHAIN_LONG, "tdx.tcb_info.chain", "two certificates", true, true },
	{ TCB_SIGNER_OLD, "tdx.tcb_info.chain.validity", "expired", true, true },
	{ TCB_SIGNATURE, "tdx.tcb_info.signature", "not signed", true, true },
	{ TCB_OLD, "tdx.tcb_info.validity", "expired", true, true },
	{ TCB_FUTURE, "tdx.tcb_info.validity", "not valid yet", true, true },
	{ TCB_FMSPC, "tdx.tcb_info.fmspc", "20b06f070001", true, true },
	{ TCB_PCEID, "tdx.tcb_info.pceid", "0000", true, true },
	{ QE_ROOT, "tdx.qe_identity.root", NULL, false, true },
	{ QE_SIGNER_NAME, "tdx.qe_identity.chain", "not the TCB Signing", true, true },
	{ QE_SIGNER_OLD, "tdx.qe_identity.chain.validity", "expired", true, true },
	{ QE_ID_SIGNATURE, "tdx.qe_identity.signature", "not signed", true, true },
	{ QE_OLD, "tdx.qe_identity.validity", "expired", true, true },
	{ QE_FUTURE, "tdx.qe_identity.validity", "not valid yet", true, true },
	{ QE_MISCSELECT, "tdx.qe.miscselect", "01000000", true, true },
	{ QE_ATTRIBUTES, "tdx.qe.attributes", "1300", true, true },
	{ QE_MRSIGNER, "tdx.qe.mrsigner", NULL, true, true },
	{ QE_ISVPRODID, "tdx.qe.isvprodid", "1", true, true },
	{ QE_LEVEL, "tdx.qe.level", "older than all", true, true },
	{ MODULE_VERSION, "tdx.module", "version 2", true, true },
	{ MODULE_MRSIGNER, "tdx.module.mrsigner", NULL, true, true },
	{ MODULE_ATTRIBUTES, "tdx.module.attributes", NULL, false, true },
	{ MODULE_RESERVED, "tdx.module.reserved", "not zero", true, true },
	{ MODULE_LEVEL, "tdx.module.level", "older than all", true, true },
	{ PLATFORM_LEVEL, "tdx.tcb.level", "older than all", true, true },
};

static void judge(const struct row *w, const struct ctr_checks *cs, const struct ctr_tdx_result *r)
{
	const struct ctr_check *c = find(cs, w->check), *first = ctr_checks_failed(cs);

	if (c->result != CTR_FAIL)
		fail_msg("flaw %d: %s: %s", w->flaw, w->check, ctr_check_names[c->result]);
	if (w->words && !strstr(c->found, w->words) && !strstr(c->detail, w->words))
		fail_msg("flaw %d: %s: \"%s\" \"%s\" without \"%s\"", w->flaw, w->check, c->found, c->detail, w->words);
	if (w->only && (cs->failed != 1 || first != c))
		fail_msg("flaw %d: %zu failed, %s (%s) the first", w->flaw, cs->failed, first->name, first->found);
	if (r->authenticated != w->authenticated)
		fail_msg("flaw %d: authenticated %d", w->flaw, r->authenticated);
	if (!r->authenticated)
		assert_true(r->status == CTR_TCB_NONE && r->platform == CTR_TCB_NONE && r->qe == CTR_TCB_NONE);
	assert_int_equal(cs->n, 38);
	assert_false(ctr_checks_ok(cs));
}

static void rejects(void **state)
{
	bool tested[FLAWS] = { false };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct pki p = pki_default();
		struct ctr_verify_opts o;
		ctr_auto_checks struct ctr_checks cs = { 0 };
		ctr_auto_tdx_result struct ctr_tdx_result r = { 0 };

		p.flaw = rows[i].flaw;
		p.v5 = i & 1;
		pki_build(&p);
		o = opts(&p);
		T_OK(ctr_tdx_verify(&p.ev, &o, NULL, &cs, &r, e));
		judge(&rows[i], &cs, &r);
		tested[rows[i].flaw] = true;
		pki_free(&p);
	}
	tested[FLAW_NONE] = tested[OTHERS_REVOKED] = true;
	for (size_t i = 0; i < FLAWS; i++) {
		if (!tested[i])
			fail_msg("flaw %zu is not tested", i);
	}
}

/* A number on the list of another issuer revokes nothing. */
static void revocation_is_by_issuer(void **state)
{
	struct pki p = pki_default();
	struct ctr_verify_opts o;
	ctr_auto_checks struct ctr_checks cs = { 0 };
	ctr_auto_tdx_result struct ctr_tdx_result r = { 0 };

	(void)state;
	p.flaw = OTHERS_REVOKED;
	pki_build(&p);
	o = opts(&p);
	T_OK(ctr_tdx_verify(&p.ev, &o, NULL, &cs, &r, e));
	nothing_failed(&cs);
	pki_free(&p);
}

/* Without a test root only Intel's own counts. */
static void pinned_root(void **state)
{
	struct pki p = pki_default();
	struct ctr_verify_opts o;
	ctr_auto_checks struct ctr_checks cs = { 0 };
	ctr_auto_tdx_result struct ctr_tdx_result r = { 0 };

	(void)state;
	pki_build(&p);
	o = opts(&p);
	o.test_root = NULL;
	T_OK(ctr_tdx_verify(&p.ev, &o, NULL, &cs, &r, e));
	result_is(&cs, "tdx.pck.root", CTR_FAIL);
	result_is(&cs, "tdx.tcb_info.root", CTR_FAIL);
	result_is(&cs, "tdx.qe_identity.root", CTR_FAIL);
	result_is(&cs, "tdx.tcb.level", CTR_SKIPPED);
	assert_false(r.authenticated);
	assert_int_equal(r.status, CTR_TCB_NONE);
	assert_false(r.has_tcb_info);
	pki_free(&p);
}

/* What a flawed part was to tell stays unknown. */
static void unfit_collateral_says_nothing(void **state)
{
	static const enum flaw flaws[] = { TCB_SIGNATURE, TCB_FMSPC, NO_EXT, QE_ID_SIGNATURE, QE_MRSIGNER, MODULE_VERSION };

	(void)state;
	for (size_t i = 0; i < sizeof flaws / sizeof *flaws; i++) {
		struct pki p = pki_default();
		struct ctr_verify_opts o;
		ctr_auto_checks struct ctr_checks cs = { 0 };
		ctr_auto_tdx_result struct ctr_tdx_result r = { 0 };

		p.flaw = flaws[i];
		pki_build(&p);
		o = opts(&p);
		T_OK(ctr_tdx_verify(&p.ev, &o, NULL, &cs, &r, e));
		assert_int_equal(r.status, CTR_TCB_NONE);
		assert_int_equal(r.has_tcb_info, i >= 3);
		if (i < 3)
			result_is(&cs, "tdx.tcb.level", CTR_SKIPPED);
		if (flaws[i] == QE_ID_SIGNATURE || flaws[i] == QE_MRSIGNER)
			result_is(&cs, "tdx.qe.level", CTR_SKIPPED);
		if (flaws[i] == MODULE_VERSION)
			result_is(&cs, "tdx.module.level", CTR_SKIPPED);
		pki_free(&p);
	}
}

static void missing_items(void **state)
{
	static const enum ctr_item items[] = { CTR_TCB_INFO,	      CTR_TCB_INFO_CHAIN, CTR_QE_IDENTITY,
					       CTR_QE_IDENTITY_CHAIN, CTR_PCK_CRL,	  CTR_ROOT_CRL };
	static const char *const names[] = { "tcb_info", "tcb_info_chain", "qe_identity", "qe_identity_chain", "pck_crl", "root_crl" };

	(void)state;
	for (size_t i = 0; i < 6; i++) {
		struct pki p = pki_default();
		struct ctr_verify_opts o;
		ctr_auto_checks struct ctr_checks cs = { 0 };
		struct ctr_err e = { 0 };
		struct ctr_tdx_result r;

		pki_build(&p);
		o = opts(&p);
		ctr_buf_free(&p.ev.item[items[i]]);
		assert_int_equal(ctr_tdx_verify(&p.ev, &o, NULL, &cs, &r, &e), -1);
		assert_int_equal(e.code, CTR_ENV);
		T_STR(e.id, "collateral.missing");
		assert_non_null(strstr(e.msg, names[i]));
		assert_true(e.fix[0]);
		assert_int_equal(cs.n, 0);
		pki_free(&p);
	}
}

/* Only signatures, the chain and who made the quoting enclave: all else is listed as skipped. */
static void tcb_optional(void **state)
{
	struct pki p = pki_default();
	struct ctr_verify_opts o;
	ctr_auto_checks struct ctr_checks cs = { 0 };
	ctr_auto_tdx_result struct ctr_tdx_result r = { 0 };

	(void)state;
	pki_build(&p);
	for (size_t i = CTR_TCB_INFO; i <= CTR_ROOT_CRL; i++)
		ctr_buf_free(&p.ev.item[i]);
	o = opts(&p);
	o.tcb_optional = true;
	T_FAILS(ctr_tdx_verify(&p.ev, &o, NULL, &cs, &r, e), CTR_ENV, "collateral.missing");
	o.crl = CTR_CRL_IF_AVAILABLE;
	T_OK(ctr_tdx_verify(&p.ev, &o, NULL, &cs, &r, e));
	nothing_failed(&cs);
	assert_true(r.authenticated);
	assert_int_equal(r.status, CTR_TCB_NONE);
	assert_int_equal(cs.n, 38);
	for (size_t i = 0; i < cs.n; i++) {
		if (cs.v[i].result == CTR_SKIPPED)
			assert_true(cs.v[i].detail[0]);
		else
			assert_true(strncmp(cs.v[i].name, "tdx.pck.", 8) == 0 || strstr(cs.v[i].name, ".signature") ||
				    strncmp(cs.v[i].name, "tdx.qe.", 7) == 0);
	}
	pki_free(&p);
}

/* It does not make a wrong item right. */
static void tcb_optional_still_checks(void **state)
{
	struct pki p = pki_default();
	struct ctr_verify_opts o;
	ctr_auto_checks struct ctr_checks cs = { 0 };
	ctr_auto_tdx_result struct ctr_tdx_result r = { 0 };

	(void)state;
	p.flaw = TCB_SIGNATURE;
	pki_build(&p);
	o = opts(&p);
	o.tcb_optional = true;
	T_OK(ctr_tdx_verify(&p.ev, &o, NULL, &cs, &r, e));
	result_is(&cs, "tdx.tcb_info.signature", CTR_FAIL);
	pki_free(&p);
}

static void lists_by_choice(void **state)
{
	static const struct {
		enum flaw flaw;
		enum ctr_crl_mode mode;
		enum ctr_check_result want;
	} cases[] = {
		{ LEAF_REVOKED, CTR_CRL_IF_AVAILABLE, CTR_FAIL },
		{ LEAF_REVOKED, CTR_CRL_NEVER, CTR_SKIPPED },
		{ FLAW_NONE, CTR_CRL_NEVER, CTR_SKIPPED },
	};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct pki p = pki_default();
		struct ctr_verify_opts o;
		ctr_auto_checks struct ctr_checks cs = { 0 };
		ctr_auto_tdx_result struct ctr_tdx_result r = { 0 };

		p.flaw = cases[i].flaw;
		pki_build(&p);
		o = opts(&p);
		o.crl = cases[i].mode;
		T_OK(ctr_tdx_verify(&p.ev, &o, NULL, &cs, &r, e));
		result_is(&cs, "tdx.revoked.pck", cases[i].want);
		assert_int_equal(cs.n, 38);
		pki_free(&p);
	}
}

static void malformed(void **state)
{
	static const struct {
		enum ctr_item item;
		const char *id;
	} cases[] = { { CTR_REPORT, "tdx.length" },	      { CTR_TCB_INFO, "json.syntax" },	{ CTR_TCB_INFO_CHAIN, "x509.pem" },
		      { CTR_QE_IDENTITY, "json.syntax" },     { CTR_QE_IDENTITY_CHAIN, "x509.pem" }, { CTR_PCK_CRL, "x509.crl" },
		      { CTR_ROOT_CRL, "x509.crl" } };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct pki p = pki_default();
		struct ctr_verify_opts o;
		ctr_auto_checks struct ctr_checks cs = { 0 };
		struct ctr_tdx_result r;

		pki_build(&p);
		o = opts(&p);
		p.ev.item[cases[i].item].n -= 5;
		T_FAILS(ctr_tdx_verify(&p.ev, &o, NULL, &cs, &r, e), CTR_FORMAT, cases[i].id);
		pki_free(&p);
	}
}

/* A piece of an item, whatever its length, never does for the whole; nothing behind it is read. */
static void truncated(void **state)
{
	struct pki p = pki_default();
	struct ctr_verify_opts o;

	(void)state;
	pki_build(&p);
	o = opts(&p);
	for (size_t i = 0; i < CTR_ITEMS; i++) {
		struct ctr_evidence ev = p.ev;

		for (size_t n = 0; n + 1 < p.ev.item[i].n; n += 11) {
			ctr_auto_checks struct ctr_checks cs = { 0 };
			ctr_auto_tdx_result struct ctr_tdx_result r = { 0 };
			struct ctr_err e = { 0 };
			char *part = malloc(n ? n : 1);

			assert_non_null(part);
			memcpy(part, p.ev.item[i].p, n);
			ev.item[i] = (struct ctr_buf){ .p = part, .n = n };
			if (ctr_tdx_verify(&ev, &o, NULL, &cs, &r, &e) < 0)
				assert_true(e.code == (n || i == CTR_REPORT ? CTR_FORMAT : CTR_ENV) && e.id && e.msg[0]);
			else
				assert_false(ctr_checks_ok(&cs));
			free(part);
		}
	}
	pki_free(&p);
}

/* No byte of what is signed may change; the PEM text alone has more than one spelling. */
static void every_byte_counts(void **state)
{
	static const struct {
		enum ctr_item item;
		size_t step;
	} cases[] = { { CTR_REPORT, 1 }, { CTR_TCB_INFO, 7 }, { CTR_QE_IDENTITY, 7 }, { CTR_PCK_CRL, 3 }, { CTR_ROOT_CRL, 3 } };
	struct pki p = pki_default();
	struct ctr_tdx_cache *c = NULL;
	struct ctr_verify_opts o;

	(void)state;
	p.v5 = true;
	pki_build(&p);
	o = opts(&p);
	T_OK(ctr_tdx_cache_new(&c, e));
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct ctr_buf *b = &p.ev.item[cases[i].item];
		const char *end = memmem(b->p, b->n, "-----BEGIN", 10);
		size_t n = end ? (size_t)(end - b->p) : b->n;

		while (n && b->p[n - 1] == '\n')
			n--;
		for (size_t at = 0; at < n; at += cases[i].step) {
			ctr_auto_checks struct ctr_checks cs = { 0 };
			ctr_auto_tdx_result struct ctr_tdx_result r = { 0 };
			struct ctr_err e = { 0 };

			b->p[at] ^= 1;
			if (ctr_tdx_verify(&p.ev, &o, c, &cs, &r, &e) == 0 && ctr_checks_ok(&cs))
				fail_msg("item %d: byte %zu changed, and nobody saw it", cases[i].item, at);
			b->p[at] ^= 1;
		}
	}
	ctr_tdx_cache_free(c);
	pki_free(&p);
}

static const char *status_of(struct pki *p, struct ctr_tdx_result *r)
{
	ctr_auto_checks struct ctr_checks cs = { 0 };
	struct ctr_verify_opts o;

	pki_build(p);
	o = opts(p);
	T_OK(ctr_tdx_verify(&p->ev, &o, NULL, &cs, r, e));
	nothing_failed(&cs);
	return ctr_tcb_status_names[r->status];
}

static void old_platforms(void **state)
{
	static const struct {
		uint8_t module_svn, loader;
		uint16_t qe;
		const char *platform, *module, *want;
		size_t advisories;
	} cases[] = {
		{ 7, 2, 6, "OutOfDate", "OutOfDate", "OutOfDate", 2 },
		{ 7, 2, 6, "SWHardeningNeeded", "OutOfDate", "SWHardeningNeeded", 2 },
		{ 7, 2, 6, "Revoked", "OutOfDate", "Revoked", 2 },
		{ 4, 3, 6, "OutOfDate", "OutOfDate", "OutOfDate", 2 },
		{ 4, 3, 6, "OutOfDate", "Revoked", "Revoked", 2 },
		{ 4, 2, 6, "ConfigurationNeeded", "OutOfDate", "OutOfDateConfigurationNeeded", 3 },
		{ 4, 2, 6, "OutOfDate", "OutOfDate", "OutOfDate", 3 },
		{ 7, 3, 4, "OutOfDate", "OutOfDate", "OutOfDate", 0 },
		{ 7, 2, 4, "ConfigurationAndSWHardeningNeeded", "OutOfDate", "OutOfDateConfigurationNeeded", 2 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct pki p = pki_default();
		ctr_auto_tdx_result struct ctr_tdx_result r = { 0 };

		p.svn[0] = cases[i].module_svn;
		p.svn[2] = cases[i].loader;
		p.qe_svn = cases[i].qe;
		p.platform_status = cases[i].platform;
		p.module_status = cases[i].module;
		T_STR(status_of(&p, &r), cases[i].want);
		assert_int_equal(r.advisories.n, cases[i].advisories);
		pki_free(&p);
	}
}

/* The platform was brought up to date under a running TD: only TD 1.5 can tell. */
static void relaunch(void **state)
{
	static const struct {
		bool v5;
		uint8_t svn2[3];
		uint16_t qe;
		const char *platform, *want;
	} cases[] = {
		{ true, { 7, 1, 3 }, 6, "OutOfDate", "TDRelaunchAdvised" },
		{ true, { 9, 1, 4 }, 6, "OutOfDate", "TDRelaunchAdvised" },
		{ true, { 7, 1, 3 }, 6, "OutOfDateConfigurationNeeded", "TDRelaunchAdvisedConfigurationNeeded" },
		{ true, { 6, 1, 3 }, 6, "OutOfDate", "OutOfDate" },  /* the module now is not the newest either */
		{ true, { 7, 1, 2 }, 6, "OutOfDate", "OutOfDate" },  /* nor its loader */
		{ true, { 7, 2, 3 }, 6, "OutOfDate", "OutOfDate" },  /* or it is one that nobody knows */
		{ true, { 7, 1, 3 }, 4, "OutOfDate", "OutOfDate" },  /* the QE is old */
		{ true, { 7, 1, 3 }, 6, "Revoked", "Revoked" },
		{ false, { 7, 1, 3 }, 6, "OutOfDate", "OutOfDate" }, /* TD 1.0 */
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct pki p = pki_default();
		ctr_auto_tdx_result struct ctr_tdx_result r = { 0 };

		p.v5 = cases[i].v5;
		memcpy(p.svn, "\x04\x01\x02", 3);
		memcpy(p.svn2, cases[i].svn2, 3);
		p.qe_svn = cases[i].qe;
		p.platform_status = cases[i].platform;
		T_STR(status_of(&p, &r), cases[i].want);
		pki_free(&p);
	}
}

/* The last second is in, the next one is not. */
static void time_edges(void **state)
{
	struct pki p = pki_default();
	struct ctr_verify_opts o;

	(void)state;
	pki_build(&p);
	o = opts(&p);
	for (int after = -1; after < 2; after++) {
		ctr_auto_checks struct ctr_checks cs = { 0 };
		ctr_auto_tdx_result struct ctr_tdx_result r = { 0 };

		o.at = PKI_NOW + 3 * 86400 + after;
		T_OK(ctr_tdx_verify(&p.ev, &o, NULL, &cs, &r, e));
		result_is(&cs, "tdx.crl.pck.validity", after > 0 ? CTR_FAIL : CTR_PASS);
		assert_int_equal(cs.failed, after > 0);
	}
	pki_free(&p);
}

static void same_checks(const struct ctr_checks *a, const struct ctr_checks *b)
{
	assert_int_equal(a->n, b->n);
	assert_int_equal(a->failed, b->failed);
	for (size_t i = 0; i < a->n; i++) {
		T_STR(a->v[i].name, b->v[i].name);
		assert_int_equal(a->v[i].result, b->v[i].result);
		T_STR(a->v[i].expected, b->v[i].expected);
		T_STR(a->v[i].found, b->v[i].found);
		T_STR(a->v[i].detail, b->v[i].detail);
	}
}

/* A cache changes nothing that can be seen, whatever it was asked before. */
static void cache_is_transparent(void **state)
{
	static const enum flaw flaws[] = { FLAW_NONE, LEAF_REVOKED, TCB_SIGNATURE, QE_SIGNATURE, NO_ROOT };
	struct ctr_tdx_cache *c = NULL;

	(void)state;
	T_OK(ctr_tdx_cache_new(&c, e));
	for (size_t i = 0; i < sizeof flaws / sizeof *flaws; i++) {
		struct pki p = pki_default();
		struct ctr_verify_opts o;

		p.flaw = flaws[i];
		pki_build(&p);
		o = opts(&p);
		for (int round = 0; round < 6; round++) {
			ctr_auto_checks struct ctr_checks with = { 0 }, without = { 0 };
			ctr_auto_tdx_result struct ctr_tdx_result r = { 0 }, s = { 0 };

			o.crl = round == 3 ? CTR_CRL_NEVER : CTR_CRL_REQUIRED;
			o.test_root = round == 4 ? NULL : p.root_spki;
			o.at = PKI_NOW + (round == 2 ? 1000L * 86400 : 0);
			T_OK(ctr_tdx_verify(&p.ev, &o, c, &with, &r, e));
			T_OK(ctr_tdx_verify(&p.ev, &o, NULL, &without, &s, e));
			same_checks(&with, &without);
			assert_int_equal(r.authenticated, s.authenticated);
			assert_int_equal(r.status, s.status);
			assert_true(r.expires == s.expires);
		}
		pki_free(&p);
	}
	ctr_tdx_cache_free(c);
	ctr_tdx_cache_free(NULL);
}

struct job {
	const struct pki *p;
	struct ctr_tdx_cache *c;
	unsigned wrong;
};

static void *work(void *arg)
{
	struct job *j = arg;

	for (int i = 0; i < 200; i++) {
		const struct pki *p = &j->p[i & 1];
		struct ctr_verify_opts o = opts(p);
		ctr_auto_checks struct ctr_checks cs = { 0 };
		ctr_auto_tdx_result struct ctr_tdx_result r = { 0 };
		struct ctr_err e = { 0 };

		if (ctr_tdx_verify(&p->ev, &o, j->c, &cs, &r, &e) < 0 || cs.failed != (i & 1U))
			j->wrong++;
	}
	return NULL;
}

static void cache_of_many_threads(void **state)
{
	struct pki p[2] = { pki_default(), pki_default() };
	struct ctr_tdx_cache *c = NULL;
	struct job jobs[4];
	pthread_t t[4];

	(void)state;
	p[1].flaw = LEAF_REVOKED;
	pki_build(&p[0]);
	pki_build(&p[1]);
	T_OK(ctr_tdx_cache_new(&c, e));
	for (int i = 0; i < 4; i++) {
		jobs[i] = (struct job){ p, c, 0 };
		assert_int_equal(pthread_create(&t[i], NULL, work, &jobs[i]), 0);
	}
	for (int i = 0; i < 4; i++) {
		pthread_join(t[i], NULL);
		assert_int_equal(jobs[i].wrong, 0);
	}
	ctr_tdx_cache_free(c);
	pki_free(&p[0]);
	pki_free(&p[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sound),
		cmocka_unit_test(rejects),
		cmocka_unit_test(revocation_is_by_issuer),
		cmocka_unit_test(pinned_root),
		cmocka_unit_test(unfit_collateral_says_nothing),
		cmocka_unit_test(missing_items),
		cmocka_unit_test(tcb_optional),
		cmocka_unit_test(tcb_optional_still_checks),
		cmocka_unit_test(lists_by_choice),
		cmocka_unit_test(malformed),
		cmocka_unit_test(truncated),
		cmocka_unit_test(every_byte_counts),
		cmocka_unit_test(old_platforms),
		cmocka_unit_test(relaunch),
		cmocka_unit_test(time_edges),
		cmocka_unit_test(cache_is_transparent),
		cmocka_unit_test(cache_of_many_threads),
	};

	return cmocka_run_group_tests_name("tdx_verify", tests, NULL, NULL);
}
