/* WWW-Authenticate: what comes out is terminated, printable, and a Bearer has its realm. */
#include <stdint.h>
#include <string.h>

#include "challenge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const char *s, size_t max)
{
	size_t n = strnlen(s, max);

	if (n == max)
		__builtin_trap();
	for (size_t i = 0; i < n; i++) {
		if (s[i] < 0x20 || s[i] > 0x7e)
			__builtin_trap();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ctr_challenge c = { 0 };
	struct ctr_err e = { 0 };
	int rc = ctr_challenge_parse((const char *)data, size, &c, &e);

	if ((rc < 0) != (e.code != CTR_OK) || (rc < 0 && c.kind != CTR_CHALLENGE_NONE))
		__builtin_trap();
	check(c.realm, sizeof c.realm);
	check(c.service, sizeof c.service);
	check(c.scope, sizeof c.scope);
	if (c.kind == CTR_CHALLENGE_BEARER && !c.realm[0])
		__builtin_trap();
	return 0;
}
