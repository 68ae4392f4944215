#include <string.h>

#include "cmd.h"
#include "evidence.h"
#include "file.h"
#include "x509.h"

enum { O_VEK = CTR_ITEMS + 1, O_CERTS };

static const struct ctr_opt opts[] = {
	{ CTR_VCEK + 1, "vcek", 0, "FILE",
	  "the chip's certificate (DER or PEM, as all certificates)" },
	{ CTR_VLEK + 1, "vlek", 0, "FILE", "the cloud provider's certificate" },
	{ O_VEK + 1, "vek", 0, "FILE", "one of the two, whichever it says it is" },
	{ CTR_ASK + 1, "ask", 0, "FILE", "ASK or ASVK (default: the shipped one)" },
	{ CTR_ARK + 1, "ark", 0, "FILE", "ARK (default: the shipped one)" },
	{ CTR_CRL + 1, "crl", 0, "FILE", "revocation list of the ARK (DER)" },
	{ O_CERTS + 1, "cert-table", 0, "FILE",
	  "certificate table of an extended report (auxblob)" },
	{ CTR_TCB_INFO + 1, "tcb-info", 0, "FILE", "TCB info as PCS sent it (JSON)" },
	{ CTR_TCB_INFO_CHAIN + 1, "tcb-info-chain", 0, "FILE", "its issuer chain (PEM)" },
	{ CTR_QE_IDENTITY + 1, "qe-identity", 0, "FILE", "QE identity as PCS sent it (JSON)" },
	{ CTR_QE_IDENTITY_CHAIN + 1, "qe-identity-chain", 0, "FILE", "its issuer chain (PEM)" },
	{ CTR_PCK_CRL + 1, "pck-crl", 0, "FILE", "revocation list of the PCK CA (DER)" },
	{ CTR_PCK_CRL_CHAIN + 1, "pck-crl-chain", 0, "FILE", "its issuer chain (PEM)" },
	{ CTR_ROOT_CRL + 1, "root-crl", 0, "FILE",
	  "revocation list of the Intel SGX Root CA (DER)" },
	{ 0 },
};

struct work {
	struct ctr_evidence extra; /* what options brought */
	struct ctr_buf table;
};

/* PEM becomes DER; what is neither stays as it is, for the verifier to refuse. */
static int certificate(struct ctr_buf *b, struct ctr_err *e)
{
	ctr_auto_chain struct ctr_chain c = { 0 };
	struct ctr_err ignored = { 0 };

	if (b->n == 0 || b->p[0] != '-' ||
	    ctr_x509_pem(b->p, b->n, "certificate", &c, &ignored) < 0 || c.n != 1)
		return 0;
	ctr_buf_reset(b);
	return ctr_x509_print(c.v[0], b, e);
}

static bool is_vlek(const struct ctr_buf *b)
{
	ctr_auto_x509 X509 *c = NULL;
	struct ctr_err ignored = { 0 };
	char cn[64];

	return ctr_x509_der(b->p, b->n, "certificate", &c, &ignored) == 0 &&
	       ctr_x509_cn(c, false, cn, sizeof cn) && strcmp(cn, "SEV-VLEK") == 0;
}

static int on_opt(void *ctx, int id, const char *value, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf b = { 0 };
	struct work *w = ctx;
	int item = id - 1;

	if (ctr_file_read(value, CTR_EVIDENCE_ITEM_MAX, item == O_CERTS ? &w->table : &b, e) < 0)
		return -1;
	if (item == O_CERTS)
		return 0;
	if ((item == O_VEK || (item >= CTR_VCEK && item <= CTR_ARK)) && certificate(&b, e) < 0)
		return -1;
	if (item == O_VEK)
		item = is_vlek(&b) ? CTR_VLEK : CTR_VCEK;
	if (w->extra.item[item].n)
		return ctr_fail(e, CTR_USAGE, "usage", "two files for %s", ctr_item_names[item]);
	ctr_buf_free(&w->extra.item[item]);
	w->extra.item[item] = b;
	b = (struct ctr_buf){ 0 };
	return 0;
}

static int merge(struct ctr_evidence *ev, struct work *w, struct ctr_err *e)
{
	for (int i = 0; i < CTR_ITEMS; i++) {
		if (w->extra.item[i].n == 0)
			continue;
		ctr_buf_free(&ev->item[i]);
		ev->item[i] = w->extra.item[i];
		w->extra.item[i] = (struct ctr_buf){ 0 };
	}
	return w->table.n ? ctr_evidence_add_table(ev, (const uint8_t *)w->table.p, w->table.n, e)
			  : 0;
}

static int bundle(struct work *w, const char *path, struct ctr_buf *out, struct ctr_err *e)
{
	ctr_auto_evidence struct ctr_evidence ev = { 0 };
	ctr_auto_buf struct ctr_buf in = { 0 };

	if (ctr_file_read(path, CTR_EVIDENCE_MAX, &in, e) < 0 ||
	    ctr_evidence_read((const uint8_t *)in.p, in.n, &ev, e) < 0)
		return ctr_wrap(e, "%s", path);
	return merge(&ev, w, e) < 0 ? -1 : ctr_evidence_print(&ev, out, e);
}

int cmd_bundle(struct ctr_tool *t, int argc, char **argv, struct ctr_buf *out, struct ctr_err *e)
{
	struct work w = { 0 };
	int first = 0, rc;

	t->synopsis = "[options] [file]";
	t->summary = "Packs a report or quote and what endorses it into evidence (CBOR).";
	t->example = "ctr-attest-verify bundle --vek vcek.der report.bin > evidence.cbor";
	t->opts = opts;
	rc = ctr_tool_opts(t, argc, argv, on_opt, &w, &first, e);
	if (rc == 0 && !t->served)
		rc = argc - first > 1 ? ctr_fail(e, CTR_USAGE, "usage", "more than one report")
				      : bundle(&w, first < argc ? argv[first] : "-", out, e);
	ctr_evidence_free(&w.extra);
	ctr_buf_free(&w.table);
	return rc;
}
