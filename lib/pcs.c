#include "ask.h"

#include <string.h>

#include "ask_int.h"
#include "enc.h"

static int made(struct ctr_ask *a, const struct ctr_buf *url, enum ctr_item item,
		const struct ctr_buf *name, enum ctr_item chain, const struct ctr_buf *chain_name,
		struct ctr_err *e)
{
	return ctr_ask_set(a, url, e) < 0 || ctr_ask_add(a, item, name, e) < 0
		       ? -1
		       : ctr_ask_add(a, chain, chain_name, e);
}

int ctr_pcs_tcb_info(const char *base, const uint8_t fmspc[6], struct ctr_ask *a, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf url = { 0 }, name = { 0 }, chain = { 0 }, hex = { 0 };

	*a = (struct ctr_ask){ .answer = CTR_ANSWER_SIGNED, .header = "TCB-Info-Issuer-Chain" };
	ctr_hex_add(&hex, fmspc, 6);
	if (ctr_buf_ok(&hex, "FMSPC", e) < 0)
		return -1;
	ctr_buf_addf(&url, "%s/tdx/certification/v4/tcb?fmspc=%s", base, hex.p);
	ctr_buf_addf(&name, "tcb_info-%s.json", hex.p);
	ctr_buf_addf(&chain, "tcb_info_chain-%s.pem", hex.p);
	return made(a, &url, CTR_TCB_INFO, &name, CTR_TCB_INFO_CHAIN, &chain, e);
}

int ctr_pcs_qe_identity(const char *base, struct ctr_ask *a, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf url = { 0 }, name = { 0 }, chain = { 0 };

	*a = (struct ctr_ask){ .answer = CTR_ANSWER_SIGNED };
	a->header = "SGX-Enclave-Identity-Issuer-Chain";
	ctr_buf_addf(&url, "%s/tdx/certification/v4/qe/identity", base);
	ctr_buf_adds(&name, "qe_identity.json");
	ctr_buf_adds(&chain, "qe_identity_chain.pem");
	return made(a, &url, CTR_QE_IDENTITY, &name, CTR_QE_IDENTITY_CHAIN, &chain, e);
}

int ctr_pcs_pck_crl(const char *base, bool processor_ca, struct ctr_ask *a, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf url = { 0 }, name = { 0 }, chain = { 0 };
	const char *ca = processor_ca ? "processor" : "platform";

	*a = (struct ctr_ask){ .answer = CTR_ANSWER_SIGNED, .header = "SGX-PCK-CRL-Issuer-Chain" };
	ctr_buf_addf(&url, "%s/sgx/certification/v4/pckcrl?ca=%s&encoding=der", base, ca);
	ctr_buf_addf(&name, "pck_crl-%s.der", ca);
	ctr_buf_addf(&chain, "pck_crl_chain-%s.pem", ca);
	return made(a, &url, CTR_PCK_CRL, &name, CTR_PCK_CRL_CHAIN, &chain, e);
}

int ctr_pcs_root_crl(const char *base, const char *url, struct ctr_ask *a, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf from = { 0 }, name = { 0 };

	*a = (struct ctr_ask){ .answer = CTR_ANSWER_CRL };
	if (url)
		ctr_buf_adds(&from, url);
	else if (strcmp(base, CTR_PCS_URL) == 0)
		ctr_buf_adds(&from, CTR_ROOT_CRL_URL);
	else
		ctr_buf_addf(&from, "%s/sgx/certification/v4/rootcacrl", base);
	ctr_buf_adds(&name, "root_crl.der");
	return ctr_ask_set(a, &from, e) < 0 ? -1 : ctr_ask_add(a, CTR_ROOT_CRL, &name, e);
}
