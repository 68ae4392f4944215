#include <stdlib.h>
#include <string.h>

#include "oci_doc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Any text through both readers; what is taken keeps the promises of the header. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ctr_auto_oci_index struct ctr_oci_index *x = NULL;
	ctr_auto_oci_manifest struct ctr_oci_manifest *m = NULL;
	const struct ctr_oci_platform p = { "linux", "amd64", "" };
	struct ctr_oci_config c;
	struct ctr_err e = { 0 };
	const char *text = (const char *)data;

	if (ctr_oci_doc_parse("doc", text, size, &x, &m, &e) == 0) {
		if (!x == !m || (m && (m->n_layers == 0 || m->n_layers > CTR_OCI_LAYERS)))
			abort();
		for (size_t i = 0; m && i < m->n_layers; i++) {
			if (!ctr_oci_digest_ok(m->layers[i].digest) ||
			    !ctr_oci_is_layer(m->layers[i].media_type))
				abort();
		}
		if (x)
			(void)ctr_oci_pick(x, &p);
	} else if (e.code == CTR_OK) {
		abort();
	}
	for (int i = 0; i < 2; i++) {
		struct ctr_oci_desc d;

		e = (struct ctr_err){ 0 };
		if (ctr_oci_artifact_parse("doc", text, size, i ? "a" : NULL, &d, &e) == 0
			    ? !ctr_oci_digest_ok(d.digest) || d.size > (uint64_t)1 << 50
			    : e.code == CTR_OK)
			abort();
	}
	e = (struct ctr_err){ 0 };
	if (ctr_oci_config_parse("config", text, size, &c, &e) == 0) {
		for (size_t i = 1; i < c.volumes.n; i++) {
			if (strcmp(c.volumes.v[i - 1], c.volumes.v[i]) >= 0)
				abort();
		}
		ctr_oci_config_fini(&c);
	} else if (e.code == CTR_OK) {
		abort();
	}
	return 0;
}
