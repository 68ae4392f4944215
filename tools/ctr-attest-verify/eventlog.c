#include <stdio.h>
#include <string.h>

#include "ccel.h"
#include "cmd.h"
#include "enc.h"
#include "file.h"
#include "json.h"
#include "rd.h"

#define QUOTE_MAX ((size_t)1 << 20)

enum { OPT_QUOTE = 1, OPT_RTMRS };

static const struct ctr_opt opts[] = {
	{ OPT_QUOTE, "quote", 0, "FILE",
	  "compare with the registers of this TDX quote (which is not verified here)" },
	{ OPT_RTMRS, "rtmrs", 0, "HEX,HEX,HEX,HEX", "compare with these registers" },
	{ 0 },
};

struct args {
	const char *quote, *rtmrs;
};

static int on_opt(void *ctx, int id, const char *value, struct ctr_err *e)
{
	struct args *a = ctx;
	const char **to = id == OPT_QUOTE ? &a->quote : &a->rtmrs;

	if (*to)
		return ctr_fail(e, CTR_USAGE, "usage", "an option is given twice");
	*to = value;
	return 0;
}

/* Four registers in hexadecimal, commas between them. */
static int parse_rtmrs(const char *s, uint8_t rtmr[CCEL_RTMRS][CCEL_DIGEST], struct ctr_err *e)
{
	struct ctr_rd r, part;

	ctr_rd_init(&r, s, strlen(s));
	for (int i = 0; i < CCEL_RTMRS; i++) {
		struct ctr_err why = { 0 };

		ctr_rd_until(&r, ',', &part);
		if (ctr_hex_parse((const char *)part.p, part.left, rtmr[i], CCEL_DIGEST, &why) < 0)
			return ctr_fail(e, CTR_USAGE, "usage",
					"--rtmrs: register %d is not 96 hexadecimal digits", i);
	}
	if (strlen(s) != CCEL_RTMRS * (2 * CCEL_DIGEST + 1) - 1)
		return ctr_fail(e, CTR_USAGE, "usage", "--rtmrs: more than four registers");
	return 0;
}

static int wanted(const struct args *a, uint8_t rtmr[CCEL_RTMRS][CCEL_DIGEST], struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf quote = { 0 };

	if (a->rtmrs)
		return parse_rtmrs(a->rtmrs, rtmr, e);
	if (!a->quote)
		return 0;
	if (ctr_file_read(a->quote, QUOTE_MAX, &quote, e) < 0)
		return -1;
	return ccel_quote(quote.p, quote.n, rtmr, e) < 0 ? ctr_wrap(e, "%s", a->quote) : 0;
}

/* A string member or, with key NULL, item. */
static int hex(struct ctr_json *j, const char *key, const uint8_t *p, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf b = { 0 };

	ctr_hex_add(&b, p, CCEL_DIGEST);
	if (ctr_buf_ok(&b, "digest", e) < 0)
		return -1;
	return (key ? ctr_json_set_string(j, key, b.p) : ctr_json_add_string(j, b.p))
		       ? 0
		       : ctr_fail_mem(e);
}

static int add_event(struct ctr_json *list, const struct ccel_event *ev, struct ctr_err *e)
{
	struct ctr_json *j = ctr_json_add_object(list);
	const char *name = ccel_type(ev->type);
	char number[16];

	snprintf(number, sizeof number, "0x%08x", ev->type);
	if (!ctr_json_set_uint(j, "index", ev->index) ||
	    !ctr_json_set_string(j, "type", name ? name : number) ||
	    hex(j, "digest", ev->digest, e) < 0 || !ctr_json_set_uint(j, "bytes", ev->size) ||
	    !ctr_json_set_bool(j, "extended", ev->extended) ||
	    !ctr_json_set_bool(j, "data_bound", ev->bound))
		return ctr_fail_mem(e);
	return 0;
}

static int print(const struct ccel *log, const bool *matches, struct ctr_buf *out,
		 struct ctr_err *e)
{
	ctr_auto_json struct ctr_json *j = ctr_json_new_object();
	struct ctr_json *list;

	if (!ctr_json_set_uint(j, "events", log->n) ||
	    !ctr_json_set_uint(j, "bytes_used", log->used) ||
	    (matches && !ctr_json_set_bool(j, "matches", *matches)))
		return ctr_fail_mem(e);
	list = ctr_json_set_array(j, "rtmr");
	for (int i = 0; i < CCEL_RTMRS; i++) {
		if (hex(list, NULL, log->rtmr[i], e) < 0)
			return -1;
	}
	list = ctr_json_set_array(j, "log");
	for (size_t i = 0; i < log->n; i++) {
		if (add_event(list, &log->events[i], e) < 0)
			return -1;
	}
	if (ctr_json_print(j, 2, out, e) < 0)
		return -1;
	ctr_buf_addc(out, '\n');
	return ctr_buf_ok(out, "output", e);
}

static int run(const struct args *a, const char *path, struct ctr_buf *out, struct ctr_err *e)
{
	uint8_t want[CCEL_RTMRS][CCEL_DIGEST] = { 0 };
	ctr_auto_buf struct ctr_buf file = { 0 };
	auto_ccel struct ccel log = { 0 };
	bool compare = a->quote || a->rtmrs, matches = true;
	int differs = 0;

	if (a->quote && a->rtmrs)
		return ctr_fail(e, CTR_USAGE, "usage", "--quote and --rtmrs exclude each other");
	if (wanted(a, want, e) < 0 || ctr_file_read(path, CCEL_MAX, &file, e) < 0)
		return -1;
	if (ccel_replay(file.p, file.n, &log, e) < 0)
		return ctr_wrap(e, "%s", path);
	for (int i = CCEL_RTMRS - 1; compare && i >= 0; i--) {
		if (!ctr_same(want[i], log.rtmr[i], CCEL_DIGEST)) {
			matches = false;
			differs = i;
		}
	}
	if (print(&log, compare ? &matches : NULL, out, e) < 0)
		return -1;
	return matches ? 0
		       : ctr_fail(e, CTR_NO, "eventlog.differs",
				  "%s: the replay does not end with RTMR%d", path, differs);
}

int cmd_eventlog(struct ctr_tool *t, int argc, char **argv, struct ctr_buf *out, struct ctr_err *e)
{
	struct args a = { 0 };
	int first = 0;

	t->synopsis = "[--quote FILE | --rtmrs HEX,HEX,HEX,HEX] [log]";
	t->summary = "Replays the event log of a TDX guest and says what the registers end with.";
	t->example = "ctr-attest-verify eventlog --quote quote.bin ccel.bin";
	t->opts = opts;
	if (ctr_tool_opts(t, argc, argv, on_opt, &a, &first, e) < 0)
		return -1;
	if (t->served)
		return 0;
	if (argc - first > 1)
		return ctr_fail(e, CTR_USAGE, "usage", "%s: one log at a time", argv[first + 1]);
	return run(&a, argc > first ? argv[first] : "-", out, e);
}
