/* Certification requests and public keys: what is accepted has a key that certificates can be for,
 * and names that there are. */
#include <stdlib.h>
#include <string.h>

#include "crypto_spki.h"
#include "enc.h"
#include "manifest.h"
#include "x509_csr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool ok)
{
	if (!ok)
		abort();
}

static void request(const uint8_t *data, size_t size, bool names)
{
	ctr_auto_csr struct ctr_csr c = { 0 };
	struct ctr_err e = { 0 };
	bool rsa;

	if (ctr_csr_parse("request", data, size, names, &c, &e) < 0) {
		demand((e.code == CTR_FORMAT || e.code == CTR_NO) && e.msg[0] && !c.spki.p &&
		       !c.sans);
		return;
	}
	demand(ctr_spki_check(c.spki.p, c.spki.n, &rsa, &e) == 0);
	demand(names || c.n_sans == 0);
	for (size_t i = 0; i < c.n_sans; i++)
		demand(ctr_san_kind(c.sans[i]) != CTR_SAN_NONE);
}

/* A key has one encoding: written again it is the same. */
static void key(const uint8_t *data, size_t size)
{
	ctr_auto_buf struct ctr_buf der = { 0 }, pem = { 0 }, again = { 0 };
	struct ctr_err e = { 0 };
	bool rsa;

	if (ctr_spki_check(data, size, &rsa, &e) < 0)
		demand(e.code == CTR_FORMAT && strcmp(e.id, "ca.key") == 0);
	if (ctr_spki_pem((const char *)data, size, &der, NULL) < 0)
		return;
	if (ctr_spki_check(der.p, der.n, &rsa, NULL) < 0)
		return;
	ctr_pem_add(&pem, "PUBLIC KEY", der.p, der.n);
	e = (struct ctr_err){ 0 };
	demand(ctr_spki_pem(pem.p, pem.n, &again, &e) == 0 && again.n == der.n &&
	       memcmp(again.p, der.p, der.n) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	request(data, size, false);
	request(data, size, true);
	key(data, size);
	return 0;
}
