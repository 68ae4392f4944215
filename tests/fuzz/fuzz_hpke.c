/* Sealed messages: each has an answer, none that was not sealed for the key opens, and what is
 * sealed opens to itself. */
#include <stdlib.h>
#include <string.h>

#include "crypto_hpke.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool ok)
{
	if (!ok)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ctr_auto_secret struct ctr_secret sk = { 0 }, pt = { 0 }, back = { 0 };
	ctr_auto_buf struct ctr_buf sealed = { 0 };
	uint8_t pk[CTR_X25519_SIZE];
	struct ctr_err e = { 0 };

	demand(ctr_hpke_generate(&sk, pk, &e) == 0);
	demand(ctr_hpke_open(&sk, "fuzz", 4, NULL, 0, data, size, &pt, &e) < 0 && !pt.p);
	demand(size < CTR_HPKE_EXTRA ? strcmp(e.id, "hpke.length") == 0
				     : e.code == CTR_NO || e.code == CTR_FORMAT);
	if (size > CTR_HPKE_MAX)
		return 0;
	e = (struct ctr_err){ 0 };
	demand(ctr_hpke_seal(pk, "fuzz", 4, data, size, data, size, &sealed, &e) == 0);
	demand(ctr_hpke_open(&sk, "fuzz", 4, data, size, sealed.p, sealed.n, &back, &e) == 0 &&
	       back.n == size);
	demand(size == 0 || memcmp(back.p, data, size) == 0);
	return 0;
}
