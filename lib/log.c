#include "log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "buf.h"
#include "json.h"

static const char *word(enum ctr_level level)
{
	return level == CTR_QUIET ? "error" : level == CTR_WARN ? "warning" : "note";
}

static void as_text(struct ctr_log *l, enum ctr_level level, const struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf b = { 0 };

	ctr_buf_addf(&b, "%s: ", l->tool);
	if (e->where[0])
		ctr_buf_addf(&b, "%s:", e->where);
	if (e->line)
		ctr_buf_addf(&b, "%u:%u:", e->line, e->col);
	if (e->where[0] || e->line)
		ctr_buf_addc(&b, ' ');
	if (level == CTR_WARN)
		ctr_buf_adds(&b, "warning: ");
	ctr_buf_adds(&b, e->msg);
	if (e->fix[0])
		ctr_buf_addf(&b, "; %s", e->fix);
	ctr_buf_addc(&b, '\n');
	fputs(ctr_buf_str(&b), stderr);
}

static void as_json(struct ctr_log *l, enum ctr_level level, const struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf b = { 0 };

	ctr_buf_adds(&b, "{\"tool\":");
	ctr_json_quote(&b, l->tool, strlen(l->tool));
	ctr_buf_addf(&b, ",\"level\":\"%s\",\"id\":\"%s\"", word(level), e->id ? e->id : "");
	if (level == CTR_QUIET)
		ctr_buf_addf(&b, ",\"status\":%d", (int)e->code);
	if (e->where[0]) {
		ctr_buf_adds(&b, ",\"where\":");
		ctr_json_quote(&b, e->where, strlen(e->where));
	}
	if (e->line)
		ctr_buf_addf(&b, ",\"line\":%u,\"column\":%u", e->line, e->col);
	ctr_buf_adds(&b, ",\"message\":");
	ctr_json_quote(&b, e->msg, strlen(e->msg));
	if (e->fix[0]) {
		ctr_buf_adds(&b, ",\"fix\":");
		ctr_json_quote(&b, e->fix, strlen(e->fix));
	}
	ctr_buf_adds(&b, "}\n");
	fputs(ctr_buf_str(&b), stderr);
}

static void emit(struct ctr_log *l, enum ctr_level level, const struct ctr_err *e)
{
	ctr_progress_hold(l->progress);
	if (l->json)
		as_json(l, level, e);
	else
		as_text(l, level, e);
	ctr_progress_release(l->progress);
}

void ctr_log(struct ctr_log *l, enum ctr_level level, const char *id, const char *where,
	     unsigned line, unsigned col, const char *fmt, ...)
{
	struct ctr_err m = { 0 };
	char text[512];
	va_list ap;

	if (level == CTR_WARN)
		l->warnings++;
	if ((int)level > l->level)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (where || line)
		ctr_err_at(&m, where, line, col);
	ctr_fail(&m, CTR_NO, id, "%s", text);
	emit(l, level, &m);
}

void ctr_log_err(struct ctr_log *l, const struct ctr_err *e)
{
	emit(l, CTR_QUIET, e);
}
