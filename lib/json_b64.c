#include "json_b64.h"

#include <string.h>

#include "enc.h"

int ctr_jbase64(const struct ctr_jval *v, struct ctr_buf *b, struct ctr_err *e)
{
	struct ctr_err why = { 0 };
	const char *s;

	if (ctr_jstring(v, &s, e) < 0)
		return -1;
	if (ctr_base64_parse(s, strlen(s), b, &why) == 0)
		return 0;
	return why.code == CTR_FORMAT ? ctr_jfail(v, e, why.id, "%s", why.msg)
				      : ctr_err_pass(e, &why);
}

int ctr_jbase64_exact(const struct ctr_jval *v, uint8_t *dst, size_t n, const char *id,
		      struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf b = { .wipe = true };

	memset(dst, 0, n);
	if (ctr_jbase64(v, &b, e) < 0)
		return -1;
	if (b.n != n)
		return ctr_jfail(v, e, id, "%zu bytes (expected %zu)", b.n, n);
	memcpy(dst, b.p, n);
	return 0;
}

/* Secrets pass here too. */
struct ctr_json *ctr_json_set_base64(struct ctr_json *obj, const char *key, const void *p, size_t n)
{
	ctr_auto_buf struct ctr_buf b = { .wipe = true };

	ctr_base64_add(&b, p, n);
	return b.bad ? NULL : ctr_json_set_string(obj, key, ctr_buf_str(&b));
}

struct ctr_json *ctr_json_add_base64(struct ctr_json *arr, const void *p, size_t n)
{
	ctr_auto_buf struct ctr_buf b = { .wipe = true };

	ctr_base64_add(&b, p, n);
	return b.bad ? NULL : ctr_json_add_string(arr, ctr_buf_str(&b));
}
