/* Certificates and lists, DER and PEM: whatever they are, looking at them ends, and what is no
 * certificate has a reason. */
#include <openssl/objects.h>
#include <stdint.h>
#include <stdlib.h>

#include "snp_cert.h"
#include "x509.h"
#include "x509_show.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool ok)
{
	if (!ok)
		abort();
}

static void look(X509 *c)
{
	struct ctr_snp_vek vek;
	struct ctr_err e = { 0 };
	uint8_t spki[CTR_SHA256_SIZE];
	struct ctr_rd ext;
	time_t from, until;
	char cn[64];

	(void)ctr_x509_cn(c, false, cn, sizeof cn);
	(void)ctr_x509_cn(c, true, cn, sizeof cn);
	(void)ctr_x509_window(c, &from, &until);
	(void)ctr_x509_is_ca(c, true);
	(void)ctr_x509_is_leaf(c);
	(void)ctr_x509_sound(c);
	(void)ctr_x509_key_ec(c, NID_secp384r1);
	(void)ctr_x509_signed(c, c, CTR_SIG_PSS_SHA384);
	(void)ctr_x509_signed(c, c, CTR_SIG_ECDSA_SHA256);
	(void)ctr_x509_ext(c, "1.3.6.1.4.1.3704.1.4", &ext);
	if (ctr_x509_spki(c, spki, &e) < 0)
		return;
	if (ctr_snp_vek_read(c, &vek, &e) < 0)
		demand(e.code == CTR_FORMAT && e.id && e.msg[0]);
	else
		demand(vek.product < CTR_PRODUCTS && vek.vlek == (vek.csp[0] != '\0'));
}

static void list(X509_CRL *l)
{
	time_t from, until;

	(void)ctr_crl_window(l, &from, &until);
	(void)ctr_crl_sound(l);
}

/* Whatever is shown is JSON. */
static void show(const uint8_t *data, size_t size)
{
	ctr_auto_json struct ctr_json *list = ctr_json_new_array(), *again = NULL;
	ctr_auto_buf struct ctr_buf text = { 0 };
	struct ctr_err e = { 0 };

	if (ctr_x509_show("chain", data, size, list, &e) < 0) {
		demand(e.code == CTR_FORMAT);
		return;
	}
	demand(ctr_json_print(list, 0, &text, &e) == 0 &&
	       ctr_json_parse("again", text.p, text.n, &again, &e) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ctr_auto_chain struct ctr_chain chain = { 0 };
	ctr_auto_x509 X509 *c = NULL;
	ctr_auto_crl X509_CRL *l = NULL;
	struct ctr_err e = { 0 };

	if (ctr_x509_der(data, size, "certificate", &c, &e) == 0)
		look(c);
	else
		demand(e.code == CTR_FORMAT && !c);
	if (ctr_crl_der(data, size, "list", &l, NULL) == 0)
		list(l);
	show(data, size);
	if (ctr_x509_pem(data, size, "chain", &chain, NULL) == 0) {
		demand(chain.n > 0);
		for (size_t i = 0; i < chain.n; i++)
			look(chain.v[i]);
	}
	return 0;
}
