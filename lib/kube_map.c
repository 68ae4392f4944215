#include <string.h>

#include "json_b64.h"
#include "kube.h"

void ctr_kube_map_free(struct ctr_kube_map *m)
{
	ctr_buf_free(&m->bytes);
	*m = (struct ctr_kube_map){ 0 };
}

/* Opaque, and still nothing that could be more than a word where it is sent back. */
static int version(const struct ctr_jval *v, struct ctr_kube_map *m, struct ctr_err *e)
{
	static const char legal[] = "0123456789abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ-_.";
	const char *s;
	size_t n;

	if (ctr_jstring(v, &s, e) < 0)
		return -1;
	n = strlen(s);
	if (n == 0 || n >= sizeof m->version || strspn(s, legal) != n)
		return ctr_jfail(v, e, "kube.object", "no resource version");
	memcpy(m->version, s, n + 1);
	return 0;
}

/* Decimal, in a string: values of `data` are nothing else. */
static int size(const struct ctr_jval *v, struct ctr_kube_map *m, struct ctr_err *e)
{
	const char *s;
	size_t n;

	if (ctr_jstring(v, &s, e) < 0)
		return -1;
	n = strlen(s);
	if (n == 0 || n > 10 || strspn(s, "0123456789") != n || (n > 1 && *s == '0'))
		return ctr_jfail(v, e, "kube.object", "no size");
	m->size = strtoull(s, NULL, 10);
	return 0;
}

static int read_map(const struct ctr_json *json, struct ctr_kube_map *m, struct ctr_err *e)
{
	struct ctr_jval root = ctr_jroot(json), kind, meta, data, binary, v;
	const char *is;

	if (ctr_jobject(&root, e) < 0)
		return -1;
	kind = ctr_jget(&root, "kind");
	meta = ctr_jget(&root, "metadata");
	data = ctr_jget(&root, "data");
	binary = ctr_jget(&root, "binaryData");
	if (ctr_jstring(&kind, &is, e) < 0 || ctr_jobject(&meta, e) < 0 ||
	    ctr_jobject(&data, e) < 0 || ctr_jobject(&binary, e) < 0)
		return -1;
	if (strcmp(is, "ConfigMap") != 0)
		return ctr_jfail(&kind, e, "kube.object", "no ConfigMap");
	v = ctr_jget(&root, "immutable");
	if (ctr_jhas(&v) && ctr_jbool(&v, &m->immutable, e) < 0)
		return -1;
	v = ctr_jget(&meta, "resourceVersion");
	if (ctr_jhas(&v) && version(&v, m, e) < 0)
		return -1;
	v = ctr_jget(&data, "size");
	if (size(&v, m, e) < 0)
		return -1;
	v = ctr_jget(&binary, "bytes");
	m->bytes.max = CTR_KUBE_BYTES;
	if (m->size == 0 && !ctr_jhas(&v)) /* nothing at all may come back as null */
		return 0;
	return ctr_jbase64(&v, &m->bytes, e) < 0 ? -1 : ctr_buf_ok(&m->bytes, "bytes", e);
}

int ctr_kube_map_parse(const char *p, size_t n, struct ctr_kube_map *m, struct ctr_err *e)
{
	ctr_auto_json struct ctr_json *json = NULL;

	if (ctr_json_parse("ConfigMap", p, n, &json, e) < 0)
		return -1;
	if (read_map(json, m, e) == 0)
		return 0;
	ctr_kube_map_free(m);
	return -1;
}

int ctr_kube_map_print(const char *name, const char *app, const struct ctr_kube_map *m,
		       struct ctr_buf *b, struct ctr_err *e)
{
	ctr_auto_json struct ctr_json *o = ctr_json_new_object();
	struct ctr_json *meta, *labels;
	char text[24];

	snprintf(text, sizeof text, "%llu", (unsigned long long)m->size);
	ctr_json_set_string(o, "apiVersion", "v1");
	ctr_json_set_string(o, "kind", "ConfigMap");
	meta = ctr_json_set_object(o, "metadata");
	ctr_json_set_string(meta, "name", name);
	if (*m->version)
		ctr_json_set_string(meta, "resourceVersion", m->version);
	labels = ctr_json_set_object(meta, "labels");
	ctr_json_set_string(labels, "app.kubernetes.io/instance", app);
	ctr_json_set_string(labels, "app.kubernetes.io/managed-by", "ctr-coordinatord");
	if (m->immutable)
		ctr_json_set_bool(o, "immutable", true);
	ctr_json_set_string(ctr_json_set_object(o, "data"), "size", text);
	if (!ctr_json_set_base64(ctr_json_set_object(o, "binaryData"), "bytes",
				 ctr_buf_str(&m->bytes), m->bytes.n))
		return ctr_fail_mem(e);
	return ctr_json_print(o, 0, b, e);
}
