/* A LUKS2 header's metadata: refused with the place, or there is one segment with our cipher, and
 * nothing that could bring another key. */
/* needs: tools/ctr-initializer/luks_check.c */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "tools/ctr-initializer/luks_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool ok)
{
	if (!ok)
		abort();
}

static void taken(const char *p, size_t n, bool integrity)
{
	ctr_auto_json struct ctr_json *tree = NULL;
	struct ctr_jval root, v, seg;
	const char *s;

	demand(ctr_json_parse("header", p, n, &tree, NULL) == 0);
	root = ctr_jroot(tree);
	v = ctr_jget(&root, "keyslots");
	demand(ctr_jcount(&v) == 0);
	v = ctr_jget(&root, "tokens");
	demand(ctr_jcount(&v) == 0);
	v = ctr_jget(&root, "segments");
	demand(ctr_jcount(&v) == 1);
	seg = ctr_jfirst(&v);
	v = ctr_jget(&seg, "encryption");
	demand(ctr_jstring(&v, &s, NULL) == 0 && strcmp(s, "aes-xts-plain64") == 0);
	v = ctr_jget(&seg, "integrity");
	demand((v.v != NULL) == integrity);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (int integrity = 0; integrity < 2; integrity++) {
		struct ctr_err e = { 0 };

		if (luks_check((const char *)data, size, integrity, &e) == 0)
			taken((const char *)data, size, integrity);
		else
			demand(e.code == CTR_NO && strcmp(e.id, "luks.header") == 0);
	}
	return 0;
}
