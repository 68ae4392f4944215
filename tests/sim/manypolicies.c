/* manypolicies N MANIFEST: the request that sets this manifest with N more policies, each a few
 * bytes long. */
#include <string.h>

#include "json_b64.h"
#include "manifest.h"
#include "tool.h"

static int add(struct ctr_manifest *m, struct ctr_json *policies, unsigned i, struct ctr_err *e)
{
	struct ctr_manifest_policy *p;
	uint8_t hash[CTR_SHA256_SIZE];
	char text[16];
	int n = snprintf(text, sizeof text, "p%u", i);

	if (ctr_hash(CTR_SHA256, text, (size_t)n, hash, e) < 0 ||
	    ctr_manifest_add(m, hash, &p, e) < 0 || ctr_manifest_set_secret(p, "", e) < 0)
		return -1;
	return ctr_json_add_base64(policies, text, (size_t)n) ? 0 : ctr_fail_mem(e);
}

static int run(unsigned n, const char *path, struct ctr_buf *out, struct ctr_err *e)
{
	ctr_auto_manifest struct ctr_manifest m = { 0 };
	ctr_auto_json struct ctr_json *obj = ctr_json_new_object(), *compact = NULL;
	ctr_auto_buf struct ctr_buf text = { 0 }, bytes = { 0 };
	struct ctr_json *policies = ctr_json_set_array(obj, "policies");

	if (ctr_manifest_load(path, &m, e) < 0)
		return -1;
	for (unsigned i = 0; i < n; i++) {
		if (add(&m, policies, i, e) < 0)
			return -1;
	}
	if (ctr_manifest_print(&m, &text, e) < 0 ||
	    ctr_json_parse(path, text.p, text.n, &compact, e) < 0 ||
	    ctr_json_print(compact, 0, &bytes, e) < 0)
		return -1;
	ctr_json_set_base64(obj, "manifest", bytes.p, bytes.n);
	return ctr_json_print(obj, 0, out, e);
}

int main(int argc, char **argv)
{
	ctr_auto_buf struct ctr_buf out = { 0 };
	struct ctr_err e = { 0 };
	uint64_t n;

	if (argc != 3 || ctr_number(argv[1], "N", 1, 1000000, &n, &e) < 0 ||
	    run((unsigned)n, argv[2], &out, &e) < 0) {
		fprintf(stderr, "manypolicies: %s\n", e.msg);
		return 1;
	}
	fwrite(out.p, 1, out.n, stdout);
	return fflush(stdout) != 0;
}
