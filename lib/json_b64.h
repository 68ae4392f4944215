/* Binary fields of JSON: strings in standard base64. */
#ifndef LIB_JSON_B64_H
#define LIB_JSON_B64_H

#include "json.h"

/* Appends the bytes of v, a string. CTR_FORMAT "json.missing", "json.type", "base64". */
CTR_MUST int ctr_jbase64(const struct ctr_jval *v, struct ctr_buf *b, struct ctr_err *e);

/* Exactly n bytes; another number is CTR_FORMAT `id`. On failure dst is zero. */
CTR_MUST int ctr_jbase64_exact(const struct ctr_jval *v, uint8_t *dst, size_t n, const char *id,
			       struct ctr_err *e);

/* As the setters of json.h. */
struct ctr_json *ctr_json_set_base64(struct ctr_json *obj, const char *key, const void *p,
				     size_t n);
struct ctr_json *ctr_json_add_base64(struct ctr_json *arr, const void *p, size_t n);

#endif
