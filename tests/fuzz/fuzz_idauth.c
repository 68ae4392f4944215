/* needs: tools/ctr-attest-verify/idauth.c */
/* An ID authentication page is refused with a reason, or printing what was read gives the page
 * back. */
#include <stdlib.h>
#include <string.h>

#include "tools/ctr-attest-verify/idauth.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void number(uint8_t *to, const uint8_t be[CTR_EC_MAX])
{
	for (size_t i = 0; i < CTR_EC_MAX; i++)
		to[i] = be[CTR_EC_MAX - 1 - i];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t again[ID_AUTH] = { 0 };
	struct ctr_err e = { 0 };
	struct id_auth a;

	if (id_auth_parse(data, size, &a, &e) < 0) {
		if (e.code != CTR_FORMAT || !e.id || !e.msg[0])
			abort();
		return 0;
	}
	again[0] = (uint8_t)a.id_algo;
	again[4] = (uint8_t)a.author_algo;
	number(again + 0x40, a.block_sig.r);
	number(again + 0x40 + 72, a.block_sig.s);
	memcpy(again + 0x240, a.id_key, AMD_KEY);
	number(again + 0x680, a.key_sig.r);
	number(again + 0x680 + 72, a.key_sig.s);
	memcpy(again + 0x880, a.author_key, AMD_KEY);
	if (memcmp(again, data, size) != 0)
		abort();
	return 0;
}
