#include "oci_json.h"

#include <string.h>

/* A text of bounded length into dst; absent or null leaves "". */
int ctr_oci_text(const struct ctr_jval *obj, const char *key, char *dst, size_t size,
		 struct ctr_err *e)
{
	struct ctr_jval v = ctr_jget(obj, key);
	const char *s = "";

	if (ctr_jhas(&v) && ctr_jstring(&v, &s, e) < 0)
		return -1;
	if (strlen(s) >= size)
		return ctr_jfail(&v, e, "limit", "longer than %zu characters", size - 1);
	memcpy(dst, s, strlen(s) + 1);
	return 0;
}

int ctr_oci_strdup(const struct ctr_jval *v, char **dst, struct ctr_err *e)
{
	const char *s = "";

	if (ctr_jhas(v) && ctr_jstring(v, &s, e) < 0)
		return -1;
	*dst = strdup(s);
	return *dst ? 0 : ctr_fail_mem(e);
}

int ctr_oci_digest_at(const struct ctr_jval *v, const char **s, struct ctr_err *e)
{
	if (ctr_jstring(v, s, e) < 0)
		return -1;
	if (!ctr_oci_digest_ok(*s))
		return ctr_jfail(v, e, "image.digest-form",
				 "not a digest (expected sha256: and 64 lower-case digits)");
	return 0;
}

static void normal_variant(struct ctr_oci_platform *p)
{
	if ((strcmp(p->arch, "amd64") == 0 && strcmp(p->variant, "v1") == 0) ||
	    (strcmp(p->arch, "arm64") == 0 && strcmp(p->variant, "v8") == 0))
		p->variant[0] = '\0';
}

int ctr_oci_platform_at(const struct ctr_jval *v, struct ctr_oci_platform *p, struct ctr_err *e)
{
	if (ctr_oci_text(v, "os", p->os, sizeof p->os, e) < 0 ||
	    ctr_oci_text(v, "architecture", p->arch, sizeof p->arch, e) < 0 ||
	    ctr_oci_text(v, "variant", p->variant, sizeof p->variant, e) < 0)
		return -1;
	normal_variant(p);
	return 0;
}

int ctr_oci_platform_parse(const char *s, struct ctr_oci_platform *p, struct ctr_err *e)
{
	char *part[] = { p->os, p->arch, p->variant };
	size_t n = 0;

	*p = (struct ctr_oci_platform){ 0 };
	for (const char *at = s;; at++) {
		size_t len = strcspn(at, "/");

		if (n == sizeof part / sizeof *part || len == 0 || len >= sizeof p->os)
			break;
		memcpy(part[n++], at, len);
		at += len;
		if (*at == '\0' && n > 1) {
			normal_variant(p);
			return 0;
		}
		if (*at == '\0')
			break;
	}
	return ctr_fail(e, CTR_USAGE, "platform",
			"\"%s\" is not a platform (expected os/arch[/variant])", s);
}

bool ctr_oci_platform_fits(const struct ctr_oci_platform *have, const struct ctr_oci_platform *want)
{
	return (!have->os[0] || strcmp(have->os, want->os) == 0) &&
	       (!have->arch[0] || strcmp(have->arch, want->arch) == 0) &&
	       (!have->variant[0] || strcmp(have->variant, want->variant) == 0);
}

/* An array of at most max items; absent and null count none. */
int ctr_oci_array(const struct ctr_jval *v, size_t max, size_t *n, struct ctr_err *e)
{
	*n = 0;
	if (!ctr_jhas(v))
		return 0;
	if (ctr_jarray(v, e) < 0)
		return -1;
	*n = ctr_jcount(v);
	if (*n > max)
		return ctr_jfail(v, e, "limit", "%zu items (at most %zu)", *n, max);
	return 0;
}
