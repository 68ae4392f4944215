#include "event.h"

#include <stdarg.h>
#include <string.h>

#include "enc.h"

static struct ctr_json *start(const struct ctr_log *l, const char *level, const char *id,
			      const char *request)
{
	struct ctr_json *obj = ctr_json_new_object();

	ctr_json_set_string(obj, "tool", l->tool);
	ctr_json_set_string(obj, "level", level);
	ctr_json_set_string(obj, "id", id);
	if (request)
		ctr_json_set_string(obj, "request", request);
	return obj;
}

/* One write, so that lines of several threads do not mix. */
static void put(struct ctr_log *l, struct ctr_json *obj)
{
	ctr_auto_buf struct ctr_buf b = { 0 };

	if (!l->json)
		ctr_buf_addf(&b, "%s: ", l->tool);
	if (ctr_json_print(obj, 0, &b, NULL) < 0)
		return;
	ctr_buf_addc(&b, '\n');
	fputs(ctr_buf_str(&b), stderr);
}

static void failed(const struct ctr_checks *cs, struct ctr_json *list)
{
	for (size_t i = 0; i < cs->n; i++) {
		const struct ctr_check *k = &cs->v[i];
		struct ctr_json *obj;

		if (k->result != CTR_FAIL)
			continue;
		obj = ctr_json_add_object(list);
		ctr_json_set_string(obj, "name", k->name);
		if (k->set)
			ctr_json_set_uint(obj, "set", k->set);
		ctr_json_set_string(obj, "expected", k->expected);
		ctr_json_set_string(obj, "found", k->found);
	}
}

void event_verdict(struct ctr_log *l, const char *request, const struct ctr_verdict *v)
{
	ctr_auto_json struct ctr_json *obj = start(l, "warning", "attestation.refused", request);

	ctr_json_set_string(obj, "tee", ctr_tee_names[v->tee]);
	ctr_json_set_bool(obj, "authenticated", v->authenticated);
	ctr_json_set_hex(obj, "policy_hash", ctr_verdict_host_data(v), CTR_SHA256_SIZE);
	failed(&v->checks, ctr_json_set_array(obj, "failed"));
	put(l, obj);
}

void event_refusal(struct ctr_log *l, const char *request, const char *route,
		   const struct ctr_err *why)
{
	ctr_auto_json struct ctr_json *obj =
		start(l, why->code == CTR_ENV ? "error" : "note", why->id ? why->id : "", request);

	ctr_json_set_string(obj, "route", route);
	ctr_json_set_string(obj, "message", why->msg);
	if (why->where[0])
		ctr_json_set_string(obj, "where", why->where);
	put(l, obj);
}

void event(struct ctr_log *l, const char *id, const char *request, const char *fmt, ...)
{
	ctr_auto_json struct ctr_json *obj = start(l, "note", id, request);
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	ctr_json_set_string(obj, "message", text);
	put(l, obj);
}
