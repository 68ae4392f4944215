/* Base64 and hexadecimal have one spelling for each value: what is accepted encodes back to itself. */
#include <stdlib.h>
#include <string.h>

#include "enc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same(const struct ctr_buf *b, const uint8_t *data, size_t size)
{
	if (b->n != size || (size > 0 && memcmp(b->p, data, size) != 0))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ctr_auto_buf struct ctr_buf raw = { 0 }, back = { 0 }, text = { 0 }, bytes = { 0 };
	struct ctr_err e = { 0 };

	if (ctr_base64_parse((const char *)data, size, &raw, &e) == 0) {
		ctr_base64_add(&back, ctr_buf_str(&raw), raw.n);
		same(&back, data, size);
	}
	ctr_base64_add(&text, data, size);
	if (ctr_base64_parse(ctr_buf_str(&text), text.n, &bytes, &e) < 0)
		abort();
	same(&bytes, data, size);
	ctr_buf_reset(&text);
	ctr_hex_add(&text, data, size);
	if (size > 0) {
		if (ctr_hex_parse(text.p, text.n, (uint8_t *)bytes.p, size, &e) < 0)
			abort();
		same(&bytes, data, size);
	}
	return 0;
}
