#include "ask.h"

#include "ask_int.h"
#include "enc.h"
#include "rd.h"

/* "bl04-tee00-snp24-ucode219", and "blSPL=04&teeSPL=00…": FMC comes first where the product has it.
 */
static void add_tcb(struct ctr_buf *b, enum ctr_snp_product p, const struct ctr_snp_svn *tcb,
		    const char *between, const char *form)
{
	int n = ctr_snp_svn_n(p);

	for (int i = 0; i < n; i++) {
		int c = n == CTR_TCB_N ? (i + CTR_TCB_FMC) % CTR_TCB_N : i;

		ctr_buf_adds(b, i ? between : "");
		ctr_buf_adds(b, ctr_snp_tcb_short[c]);
		ctr_buf_addf(b, "%s%02u", form, tcb->v[c]);
	}
}

int ctr_kds_vcek(const char *base, enum ctr_snp_product p, const uint8_t chip_id[64],
		 const struct ctr_snp_svn *tcb, struct ctr_ask *a, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf url = { 0 }, name = { 0 }, hex = { 0 };

	*a = (struct ctr_ask){ .answer = CTR_ANSWER_DER };
	ctr_hex_add(&hex, chip_id, p == CTR_TURIN ? 8 : 64);
	if (ctr_buf_ok(&hex, "chip id", e) < 0)
		return -1;
	ctr_buf_addf(&name, "vcek-%s-%s-", ctr_snp_product_names[p], hex.p);
	add_tcb(&name, p, tcb, "-", "");
	ctr_buf_adds(&name, ".der");
	if (ctr_zero(chip_id, 64)) {
		a->why_id = "collateral.chip-id";
		a->why = "the report's CHIP_ID is zero (the host masks it), so the certificate of "
			 "its "
			 "key cannot be asked for";
	} else {
		ctr_buf_addf(&url, "%s/vcek/v1/%s/%s?", base, ctr_snp_product_names[p], hex.p);
		add_tcb(&url, p, tcb, "&", "SPL=");
	}
	return ctr_ask_set(a, &url, e) < 0 ? -1 : ctr_ask_add(a, CTR_VCEK, &name, e);
}

int ctr_kds_vlek(enum ctr_snp_product p, const struct ctr_snp_svn *tcb, struct ctr_ask *a,
		 struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf name = { 0 };

	*a = (struct ctr_ask){ .answer = CTR_ANSWER_DER, .why_id = "collateral.vlek" };
	a->why = "the report is signed by a VLEK, whose certificate only the cloud provider can "
		 "fetch";
	ctr_buf_addf(&name, "vlek-%s-", ctr_snp_product_names[p]);
	add_tcb(&name, p, tcb, "-", "");
	ctr_buf_adds(&name, ".der");
	return ctr_ask_add(a, CTR_VLEK, &name, e);
}

static const char *side(bool vlek)
{
	return vlek ? "vlek" : "vcek";
}

int ctr_kds_chain(const char *base, enum ctr_snp_product p, bool vlek, struct ctr_ask *a,
		  struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf url = { 0 }, ask = { 0 }, ark = { 0 };
	const char *product = ctr_snp_product_names[p];

	*a = (struct ctr_ask){ .answer = CTR_ANSWER_CHAIN };
	ctr_buf_addf(&url, "%s/%s/v1/%s/cert_chain", base, side(vlek), product);
	ctr_buf_addf(&ask, "%s-%s.der", vlek ? "asvk" : "ask", product);
	ctr_buf_addf(&ark, "ark-%s.der", product);
	return ctr_ask_set(a, &url, e) < 0 || ctr_ask_add(a, CTR_ASK, &ask, e) < 0
		       ? -1
		       : ctr_ask_add(a, CTR_ARK, &ark, e);
}

int ctr_kds_crl(const char *base, enum ctr_snp_product p, bool vlek, struct ctr_ask *a,
		struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf url = { 0 }, name = { 0 };

	*a = (struct ctr_ask){ .answer = CTR_ANSWER_CRL };
	ctr_buf_addf(&url, "%s/%s/v1/%s/crl", base, side(vlek), ctr_snp_product_names[p]);
	ctr_buf_addf(&name, "crl-%s-%s.der", side(vlek), ctr_snp_product_names[p]);
	return ctr_ask_set(a, &url, e) < 0 ? -1 : ctr_ask_add(a, CTR_CRL, &name, e);
}
