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
static void put(struct ctr_json *obj)
{
	ctr_auto_buf struct ctr_buf b = { 0 };

	if (ctr_json_print(obj, 0, &b, NULL) < 0)
		return;
	ctr_buf_addc(&b, '\n');
	fputs(ctr_buf_str(&b), stderr);
}

/* The same for people, with --log=text: the sentence, then the words to look it up by. */
static void say(struct ctr_log *l, const char *id, const char *request, const char *where,
		const char *text)
{
	struct ctr_err m = { 0 };

	if (where)
		ctr_err_at(&m, where, 0, 0);
	(void)!ctr_fail(&m, CTR_NO, id, "%s (%s%s%s)", text, id, request ? ", request " : "",
			request ? request : "");
	ctr_log_err(l, &m);
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
			ctr_json_set_uint(obj, "reference_value", k->set - 1);
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
	put(obj);
}

void event_refusal(struct ctr_log *l, const char *request, const char *route,
		   const struct ctr_err *why)
{
	const char *id = why->id ? why->id : "";
	ctr_auto_json struct ctr_json *obj = NULL;

	if (!l->json) {
		say(l, id, request, why->where[0] ? why->where : NULL, why->msg);
		return;
	}
	obj = start(l, why->code == CTR_ENV ? "error" : "note", id, request);
	ctr_json_set_string(obj, "route", route);
	ctr_json_set_string(obj, "message", why->msg);
	if (why->where[0])
		ctr_json_set_string(obj, "where", why->where);
	put(obj);
}

void event(struct ctr_log *l, const char *id, const char *request, const char *fmt, ...)
{
	ctr_auto_json struct ctr_json *obj = NULL;
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (!l->json) {
		say(l, id, request, NULL, text);
		return;
	}
	obj = start(l, "note", id, request);
	ctr_json_set_string(obj, "message", text);
	put(obj);
}
