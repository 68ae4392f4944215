/* A stream: its pieces join to the stream, and do not depend on how it arrives. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ctr_auto_buf struct ctr_buf b = { 0 };
	size_t at = 0, len, part;
	unsigned lines, n;

	ctr_buf_add(&b, data, size);
	for (unsigned pieces = 0; at < size; at += len, pieces++) {
		ctr_auto_yaml struct ctr_yaml *y = NULL;
		size_t lf = 0;

		ctr_yaml_split(b.p + at, size - at, true, &len, &lines);
		if (len == 0 || len > size - at)
			abort();
		for (size_t i = at; i < at + len; i++)
			lf += b.p[i] == '\n';
		if (lf != lines)
			abort();
		for (size_t k = 0; pieces < 8 && k <= size - at && k < 200; k++) {
			ctr_yaml_split(b.p + at, k, false, &part, &n);
			if (part != 0 && (part != len || n != lines || part > k))
				abort();
		}
		if (pieces < 8)
			(void)!ctr_yaml_parse("f", 1, b.p + at, len, &y, NULL);
	}
	return 0;
}
