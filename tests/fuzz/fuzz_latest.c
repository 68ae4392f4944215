/* The record of a store: what is accepted is the magic word, the hash and the signature, and
 * nothing else. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "history.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t t[CTR_SHA256_SIZE];
	struct ctr_bytes sig;
	struct ctr_err e = { 0 };

	if (ctr_latest_parse(data, size, t, &sig, &e) < 0) {
		if (e.code != CTR_FORMAT || strcmp(e.id, "history.latest") != 0)
			abort();
		return 0;
	}
	if (sig.n == 0 || sig.n > CTR_LATEST_SIG_MAX || size != 14 + sizeof t + sig.n ||
	    memcmp(data, "ctr-latest-v1\n", 14) != 0 || memcmp(data + 14, t, sizeof t) != 0 ||
	    memcmp(data + 14 + sizeof t, sig.p, sig.n) != 0)
		abort();
	return 0;
}
