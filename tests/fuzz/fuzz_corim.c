/* needs: tools/ctr-manifest/corim.c tools/ctr-manifest/corim_snp.c tools/ctr-manifest/corim_tdx.c */
/* needs: tools/ctr-manifest/cose.c tools/ctr-manifest/refs.c tools/ctr-manifest/patch.c */
/* A CoRIM is refused with a reason, or gives sets that stand in a manifest; a signed one never does
 * with a key of ours. */
#include <stdlib.h>
#include <string.h>

#include "tools/ctr-manifest/corim.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void printable(const struct ctr_manifest *m)
{
	ctr_auto_manifest struct ctr_manifest again = { 0 };
	ctr_auto_json struct ctr_json *j = NULL;
	ctr_auto_buf struct ctr_buf b = { 0 };
	struct ctr_err e = { 0 };
	struct ctr_jval v;

	if (m->n_snp + m->n_tdx == 0 || ctr_manifest_print_refs(m, &b, &e) < 0 ||
	    ctr_json_parse("sets", b.p, b.n, &j, &e) < 0)
		abort();
	v = ctr_jroot(j);
	if (ctr_manifest_add_refs(&again, &v, &e) < 0 || again.n_snp != m->n_snp ||
	    again.n_tdx != m->n_tdx)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* the generator of P-256: nobody signs with the key 1 */
	static const struct ctr_ec key = {
		.size = 32,
		.x = { 0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47, 0xf8, 0xbc, 0xe6,
		       0xe5, 0x63, 0xa4, 0x40, 0xf2, 0x77, 0x03, 0x7d, 0x81, 0x2d, 0xeb,
		       0x33, 0xa0, 0xf4, 0xa1, 0x39, 0x45, 0xd8, 0x98, 0xc2, 0x96 },
		.y = { 0x4f, 0xe3, 0x42, 0xe2, 0xfe, 0x1a, 0x7f, 0x9b, 0x8e, 0xe7, 0xeb,
		       0x4a, 0x7c, 0x0f, 0x9e, 0x16, 0x2b, 0xce, 0x33, 0x57, 0x6b, 0x31,
		       0x5e, 0xce, 0xcb, 0xb6, 0x40, 0x68, 0x37, 0xbf, 0x51, 0xf5 },
	};
	const struct corim_opts plain = { .plain = true, .product = CTR_TURIN, .now = 1000 },
				signed_only = { .key = &key, .product = CTR_TURIN, .now = 1000 };
	ctr_auto_manifest struct ctr_manifest m = { 0 }, none = { 0 };
	struct ctr_err e = { 0 };

	if (corim_read(data, size, &plain, &m, &e) == 0)
		printable(&m);
	else if (e.code == CTR_OK || e.code == CTR_USAGE || !e.id || !e.msg[0] ||
		 m.n_snp + m.n_tdx > 0)
		abort();
	e = (struct ctr_err){ 0 };
	if (corim_read(data, size, &signed_only, &none, &e) == 0 || e.code == CTR_OK)
		abort();
	return 0;
}
