/* needs: tools/ctr-policygen/pattern.c */
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "../../tools/ctr-policygen/pattern.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A pattern that is taken compiles, alone too, and has no sign of the rules when it is written. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ctr_auto_buf struct ctr_buf s = { 0 }, out = { 0 };
	struct ctr_err e = { 0 };
	regex_t re;

	ctr_buf_add(&s, data, size);
	if (s.bad || pattern_check(ctr_buf_str(&s), &e) < 0)
		return 0;
	if (regcomp(&re, s.p, REG_EXTENDED | REG_NOSUB) != 0)
		abort();
	regfree(&re);
	pattern_add(&out, s.p);
	if (out.bad || strpbrk(out.p, "@%"))
		abort();
	return 0;
}
