#include "online.h"

#include <string.h>

#include "file.h"

#define ANSWER_MAX ((size_t)32 << 20) /* bytes; the seed share document is the most of it */

void online_init(struct online *o)
{
	*o = (struct online){ 0 };
	ctr_sources_init(&o->from, time(NULL));
}

void online_free(struct online *o)
{
	ctr_buf_free(&o->pin);
	ctr_sources_free(&o->from);
}

int online_opt(struct online *o, int id, const char *value, struct ctr_err *e)
{
	if (id >= CTR_SRC_FIRST)
		return ctr_sources_opt(&o->from, id, value, e);
	if (id == ONLINE_URL)
		o->c.url = value;
	else
		o->root_ca = value;
	return 0;
}

int online_ready(struct online *o, struct ctr_log *log, struct ctr_err *e)
{
	if (!o->c.url || !*o->c.url)
		return ctr_fail(e, CTR_USAGE, "usage", "which Coordinator? (--coordinator)");
	if ((o->root_ca && ctr_root_ca_load(o->root_ca, &o->pin, e) < 0) ||
	    ctr_sources_ready(&o->from, log, e) < 0)
		return -1;
	o->c.from = o->from.c;
	o->c.verify = o->from.verify;
	return 0;
}

int online_change(const struct online *o, const char *name, const char *json, struct ctr_buf *body,
		  char code[CTR_API_CODE], struct ctr_err *e)
{
	struct ctr_http_opts http = o->c.from.http;
	struct ctr_err why = { 0 };

	http.tries = 1;
	if (ctr_coordinator_post(&http, o->c.url, name, json, ANSWER_MAX, body, code, &why) == 0)
		return 0;
	if (why.code != CTR_NO && strcmp(why.id, "http.connect") != 0)
		ctr_err_fix(&why, "it may have been done all the same: ctr-manifest get shows it");
	return ctr_err_pass(e, &why);
}

int online_manifest(const char *path, struct ctr_buf *bytes, struct ctr_manifest *m,
		    struct ctr_err *e)
{
	const char *name = strcmp(path, "-") == 0 ? "standard input" : path;

	return ctr_file_read(path, CTR_MANIFEST_MAX, bytes, e) < 0
		       ? -1
		       : ctr_manifest_parse(name, ctr_buf_str(bytes), bytes->n, m, e);
}
