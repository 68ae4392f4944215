/*
 * Makes what stands behind simulated reports: simchain snp|tdx DIR [options]; mints one on standard
 * output: simchain report DIR [NAME=VALUE…]; makes the slow keys once for all chains: simchain keys
 * DIR.
 */
/* needs: tests/sim/lib/pki.c tests/sim/lib/chain_snp.c tests/sim/lib/chain_tdx.c */
#include <string.h>

#include "lib/chain.h"
#include "sim.h"
#include "tool.h"

enum {
	KEYS = 1,
	FROM,
	UNTIL,
	CRL_FROM,
	CRL_UNTIL,
	REVOKED,
	NO_CRL,
	PRODUCT,
	TCB,
	CHIP,
	VLEK,
	CSP,
	FMSPC,
	PCEID,
	STATUS,
	MODULE,
	QE,
	ADVISORIES,
	EVAL,
	PROCESSOR,
	INFO_FROM,
	INFO_UNTIL,
	CA_FROM,
	CA_UNTIL,
	EXT,
	INFO,
	IDENTITY,
};

static const struct ctr_opt table[] = {
	{ KEYS, "keys", 0, "DIR",
	  "where the CAs' keys are, or will be (default: the DIR of the chain)" },
	{ FROM, "not-before", 0, "TIME", "the leaf's validity (default: from yesterday)" },
	{ UNTIL, "not-after", 0, "TIME", "until (default: seven years on)" },
	{ CA_FROM, "ca-not-before", 0, "TIME", "the CAs' validity (default: as the real ones)" },
	{ CA_UNTIL, "ca-not-after", 0, "TIME", "until" },
	{ EXT, "ext", 0, "OID=HEX",
	  "changes an extension of the leaf; no HEX: takes it out; +OID: one more (repeatable)" },
	{ CRL_FROM, "crl-from", 0, "TIME", "revocation lists: this update (default: yesterday)" },
	{ CRL_UNTIL, "crl-until", 0, "TIME", "next update (default: in 30 days)" },
	{ REVOKED, "revoked", 0, "WHICH", "what the lists hold: ark, ask; ca, tcb, pck" },
	{ NO_CRL, "no-crl", 0, NULL, "no revocation lists" },
	{ PRODUCT, "product", 0, "NAME", "snp: Milan (default), Genoa, Turin" },
	{ TCB, "tcb", 0, "LIST", "snp: bl=…,tee=…,snp=…,ucode=…,fmc=…" },
	{ CHIP, "chip-id", 0, "HEX", "snp: 64 bytes, Turin 8" },
	{ VLEK, "vlek", 0, NULL, "snp: a VLEK" },
	{ CSP, "csp-id", 0, "TEXT", "snp: the VLEK's cloud" },
	{ FMSPC, "fmspc", 0, "HEX", "tdx: 6 bytes" },
	{ PCEID, "pceid", 0, "HEX", "tdx: 2 bytes" },
	{ STATUS, "status", 0, "STATUS", "tdx: of the platform's TCB level (default UpToDate)" },
	{ MODULE, "module-status", 0, "STATUS", "tdx: of the module's" },
	{ QE, "qe-status", 0, "STATUS", "tdx: of the quoting enclave's" },
	{ ADVISORIES, "advisories", 0, "LIST", "tdx: of the platform's level" },
	{ EVAL, "eval", 0, "N", "tdx: tcbEvaluationDataNumber (default 18)" },
	{ PROCESSOR, "processor", 0, NULL, "tdx: PCK from the Processor CA" },
	{ INFO_FROM, "issue-date", 0, "TIME",
	  "tdx: of TCB info and QE identity (default: yesterday)" },
	{ INFO_UNTIL, "next-update", 0, "TIME", "tdx: (default: in 30 days)" },
	{ INFO, "tcb-info", 0, "FILE", "tdx: the TCB info object to sign, as it is" },
	{ IDENTITY, "qe-identity", 0, "FILE", "tdx: the QE identity object to sign" },
	{ 0 },
};

static struct ctr_tool tool = {
	.name = "simchain",
	.synopsis = "[options] snp|tdx|report|keys DIR [NAME=VALUE ...]",
	.summary = "Makes throw-away certificates, collateral and reports.",
	.example = "simchain --product=Turin snp dir",
	.opts = table,
};

static int on_text(struct chain_opts *o, int id, const char *v)
{
	const char **to[] = { [KEYS] = &o->keys,       [REVOKED] = &o->revoked,
			      [PRODUCT] = &o->product, [TCB] = &o->tcb,
			      [CHIP] = &o->chip_id,    [CSP] = &o->csp_id,
			      [FMSPC] = &o->fmspc,     [PCEID] = &o->pceid,
			      [STATUS] = &o->status,   [MODULE] = &o->module_status,
			      [QE] = &o->qe_status,    [ADVISORIES] = &o->advisories,
			      [INFO] = &o->info,       [IDENTITY] = &o->identity };

	*to[id] = v;
	return 0;
}

static int on_opt(void *ctx, int id, const char *v, struct ctr_err *e)
{
	struct chain_opts *o = ctx;
	time_t *times[] = { [FROM] = &o->from,		 [UNTIL] = &o->until,
			    [CRL_FROM] = &o->crl_from,	 [CRL_UNTIL] = &o->crl_until,
			    [INFO_FROM] = &o->info_from, [INFO_UNTIL] = &o->info_until,
			    [CA_FROM] = &o->ca_from,	 [CA_UNTIL] = &o->ca_until };
	uint64_t n;

	if ((size_t)id < sizeof times / sizeof *times && times[id]) {
		*times[id] = pki_time(v);
		return 0;
	}
	switch (id) {
	case NO_CRL:
		o->no_crl = true;
		return 0;
	case VLEK:
		o->vlek = true;
		return 0;
	case PROCESSOR:
		o->processor = true;
		return 0;
	case EXT:
		if (o->next == CHAIN_EXTS)
			return ctr_fail(e, CTR_USAGE, "usage", "more than %d changes", CHAIN_EXTS);
		o->ext[o->next++] = v;
		return 0;
	case EVAL:
		if (ctr_number(v, "evaluation number", 0, 1000000, &n, e) < 0)
			return -1;
		o->eval = (unsigned)n;
		return 0;
	default:
		return on_text(o, id, v);
	}
}

static int report(const char *dir, char **names, int n, struct ctr_err *e)
{
	static const uint8_t zero[CTR_REPORT_DATA];
	ctr_auto_buf struct ctr_buf changes = { 0 }, out = { 0 };
	struct ctr_sim *s;
	int rc;

	for (int i = 0; i < n; i++)
		ctr_buf_addf(&changes, "%s%s", i ? "," : "", names[i]);
	if (ctr_buf_ok(&changes, "values", e) < 0 ||
	    ctr_sim_open(dir, ctr_buf_str(&changes), &s, e) < 0)
		return -1;
	rc = ctr_sim_mint(s, zero, &out, e);
	ctr_sim_free(s);
	if (rc == 0)
		fwrite(out.p, 1, out.n, stdout);
	return rc;
}

static void keys(const char *dir)
{
	static const char *const names[] = { "ark", "ask", "asvk" };

	for (size_t i = 0; i < 3; i++)
		EVP_PKEY_free(pki_key(dir, names[i], "RSA"));
}

int main(int argc, char **argv)
{
	time_t now = time(NULL), day = 86400;
	struct chain_opts o = {
		.from = now - day,
		.until = now + 7 * 365 * day,
		.crl_from = now - day,
		.crl_until = now + 30 * day,
		.info_from = now - day,
		.info_until = now + 30 * day,
		.product = "Milan",
		.csp_id = "CN=cloud.example",
		.fmspc = "90c06f000000",
		.pceid = "0000",
		.status = "UpToDate",
		.module_status = "UpToDate",
		.qe_status = "UpToDate",
		.eval = 18,
	};
	struct ctr_err e = { 0 };
	const char *what;
	int first, rc = 0;

	ctr_tool_init(&tool);
	if (ctr_tool_opts(&tool, argc, argv, on_opt, &o, &first, &e) < 0)
		return ctr_tool_die(&tool, &e);
	if (tool.served)
		return ctr_tool_close(&tool);
	what = argc - first >= 2 ? argv[first] : "";
	o.dir = argc - first >= 2 ? argv[first + 1] : "";
	o.keys = o.keys ? o.keys : o.dir;
	if (strcmp(what, "report") == 0)
		rc = report(o.dir, argv + first + 2, argc - first - 2, &e);
	else if (strcmp(what, "snp") == 0 && argc - first == 2)
		chain_snp(&o);
	else if (strcmp(what, "tdx") == 0 && argc - first == 2)
		chain_tdx(&o);
	else if (strcmp(what, "keys") == 0 && argc - first == 2)
		keys(o.dir);
	else
		rc = ctr_fail(&e, CTR_USAGE, "usage",
			      "expected snp, tdx, report or keys, and a directory");
	return rc < 0 ? ctr_tool_die(&tool, &e) : ctr_tool_close(&tool);
}
