/* What the readers of the image documents share (oci_doc.c, oci_config.c). */
#ifndef LIB_OCI_JSON_H
#define LIB_OCI_JSON_H

#include "json.h"
#include "oci_doc.h"

/* A member's text into dst; absent or null gives "". Too long is CTR_FORMAT "limit". */
CTR_MUST int ctr_oci_text(const struct ctr_jval *obj, const char *key, char *dst, size_t size,
			  struct ctr_err *e);
/* A value's text on the heap; absent or null gives "". */
CTR_MUST int ctr_oci_strdup(const struct ctr_jval *v, char **dst, struct ctr_err *e);
/* A digest, borrowed. CTR_FORMAT "image.digest-form". */
CTR_MUST int ctr_oci_digest_at(const struct ctr_jval *v, const char **s, struct ctr_err *e);
/* os, architecture and variant of an object. */
CTR_MUST int ctr_oci_platform_at(const struct ctr_jval *v, struct ctr_oci_platform *p,
				 struct ctr_err *e);
/* Counts an array's items, at most max; absent and null count none. */
CTR_MUST int ctr_oci_array(const struct ctr_jval *v, size_t max, size_t *n, struct ctr_err *e);

#endif
