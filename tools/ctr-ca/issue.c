#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cadir.h"
#include "cmd.h"
#include "file.h"
#include "list.h"
#include "request.h"
#include "when.h"

enum { OPT_CA = 1, OPT_SAN, OPT_CSR_NAMES, OPT_DAYS, OPT_AT, OPT_BATCH };

static const struct ctr_opt opts[] = {
	{ OPT_CA, "ca", 0, "DIR", "the mesh CA, as ctr-ca mesh made it" },
	{ OPT_SAN, "san", 0, "NAME", "DNS name, IP address or URI it is for (repeatable)" },
	{ OPT_CSR_NAMES, "csr-names", 0, NULL, "or the names that the request asks for" },
	{ OPT_DAYS, "days", 0, "N", "how long it is valid (default 30; never longer than the CA)" },
	{ OPT_AT, "at", 0, "TIME", "from then, not now (YYYY-MM-DDThh:mm:ssZ)" },
	{ OPT_BATCH, "batch", 0, NULL, "one JSON request a line in, one JSON answer a line out" },
	{ 0 },
};

struct args {
	const char *ca;
	struct list sans;
	bool csr_names, batch;
	struct when when;
};

static int on_opt(void *ctx, int id, const char *value, struct ctr_err *e)
{
	struct args *a = ctx;

	switch (id) {
	case OPT_CA:
		a->ca = value;
		return 0;
	case OPT_SAN:
		return list_push(&a->sans, value, e);
	case OPT_CSR_NAMES:
		a->csr_names = true;
		return 0;
	case OPT_DAYS:
		return when_days(&a->when, value, e);
	case OPT_AT:
		return when_at(&a->when, value, e);
	default:
		a->batch = true;
		return 0;
	}
}

static int issue(const struct args *a, const struct request *r, const struct ctr_mesh *m,
		 struct ctr_buf *chain, struct ctr_err *e)
{
	return request_issue(r, m, when_time(&a->when), a->when.days, chain, e);
}

/* {"chain": PEM}, appended. */
static int answer_json(const struct args *a, const char *name, const char *p, size_t n,
		       const struct ctr_mesh *m, struct ctr_buf *out, struct ctr_err *e)
{
	ctr_auto_json struct ctr_json *obj = ctr_json_new_object();
	ctr_auto_buf struct ctr_buf chain = { 0 };
	auto_request struct request r = { 0 };

	if (request_parse(name, p, n, a->csr_names, &r, e) < 0 || issue(a, &r, m, &chain, e) < 0)
		return -1;
	ctr_json_set_string(obj, "chain", ctr_buf_str(&chain));
	if (ctr_json_print(obj, 0, out, e) < 0)
		return -1;
	ctr_buf_addc(out, '\n');
	return ctr_buf_ok(out, "answer", e);
}

static int answer_csr(const struct args *a, const char *p, size_t n, const struct ctr_mesh *m,
		      struct ctr_buf *out, struct ctr_err *e)
{
	auto_request struct request r = { 0 };

	if (a->sans.n == 0 && !a->csr_names)
		return ctr_fail(e, CTR_USAGE, "usage",
				"no names: --san or --csr-names is needed with a bare request");
	if (request_csr("standard input", p, n, a->csr_names, &r, e) < 0)
		return -1;
	if (a->csr_names && r.csr.n_sans == 0)
		return ctr_fail(e, CTR_FORMAT, "ca.san", "the request asks for no name");
	if (a->sans.n > 0) {
		r.sans = calloc(a->sans.n, sizeof *r.sans);
		if (!r.sans)
			return ctr_fail_mem(e);
		memcpy(r.sans, a->sans.v, a->sans.n * sizeof *r.sans);
		r.n_sans = a->sans.n;
	}
	return issue(a, &r, m, out, e);
}

static int one(const struct args *a, const struct ctr_mesh *m, struct ctr_buf *out,
	       struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf in = { .wipe = true }; /* a key may be in it by mistake */
	const char *p;

	if (ctr_file_read("-", REQUEST_MAX, &in, e) < 0)
		return -1;
	p = ctr_buf_str(&in);
	while (isspace((unsigned char)*p))
		p++;
	if (*p != '{')
		return answer_csr(a, ctr_buf_str(&in), in.n, m, out, e);
	if (a->sans.n > 0)
		return ctr_fail(e, CTR_USAGE, "usage",
				"--san is for a bare request: JSON has its own sans");
	return answer_json(a, "standard input", ctr_buf_str(&in), in.n, m, out, e);
}

/* The next line without its end; false at the end of the input. One that is too long is read over,
 * and cut so that it is refused. */
static bool next_line(FILE *in, struct ctr_buf *line)
{
	int c;

	ctr_buf_reset(line);
	while ((c = getc_unlocked(in)) != EOF && c != '\n') {
		if (line->n <= REQUEST_MAX)
			ctr_buf_addc(line, (char)c);
	}
	return c != EOF || line->n > 0;
}

static int refuse(uint64_t line, const struct ctr_err *why, struct ctr_buf *out, struct ctr_err *e)
{
	ctr_auto_json struct ctr_json *obj = ctr_json_new_object();

	ctr_json_set_uint(obj, "line", line);
	ctr_json_set_uint(obj, "status", (uint64_t)why->code);
	ctr_json_set_string(obj, "id", why->id);
	ctr_json_set_string(obj, "error", why->msg);
	ctr_buf_reset(out);
	if (ctr_json_print(obj, 0, out, e) < 0)
		return -1;
	ctr_buf_addc(out, '\n');
	return ctr_buf_ok(out, "answer", e);
}

static int batch(const struct args *a, const struct ctr_mesh *m, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf line = { .wipe = true }, out = { 0 };
	enum ctr_code worst = CTR_OK;
	uint64_t bad = 0;

	for (uint64_t n = 1; next_line(stdin, &line); n++) {
		struct ctr_err why = { 0 };

		ctr_buf_reset(&out);
		if (ctr_buf_ok(&line, "request", &why) < 0 ||
		    answer_json(a, "request", ctr_buf_str(&line), line.n, m, &out, &why) < 0) {
			worst = why.code > worst ? why.code : worst;
			bad++;
			if (refuse(n, &why, &out, e) < 0)
				return -1;
		}
		if (ctr_fd_write(STDOUT_FILENO, "standard output", out.p, out.n, e) < 0)
			return -1;
	}
	if (ferror(stdin))
		return ctr_fail_sys(e, "read", "standard input");
	return bad == 0 ? 0
			: ctr_fail(e, worst, "batch.refused", "%llu requests were refused",
				   (unsigned long long)bad);
}

static int run(const struct args *a, struct ctr_log *log, struct ctr_buf *out, struct ctr_err *e)
{
	ctr_auto_mesh struct ctr_mesh *m = NULL;

	if (!a->ca)
		return ctr_fail(e, CTR_USAGE, "usage", "--ca is needed");
	if (a->sans.n > 0 && (a->csr_names || a->batch))
		return ctr_fail(e, CTR_USAGE, "usage", "--san and %s exclude each other",
				a->csr_names ? "--csr-names" : "--batch");
	if (ctr_tool_guard(e) < 0 || cadir_read(a->ca, log, &m, e) < 0)
		return -1;
	return a->batch ? batch(a, m, e) : one(a, m, out, e);
}

int cmd_issue(struct ctr_tool *t, int argc, char **argv, struct ctr_buf *out, struct ctr_err *e)
{
	struct args a = { 0 };
	int first = 0, rc;

	t->synopsis = "--ca=DIR [options] < csr.pem";
	t->summary = "Makes a mesh certificate for the key of a certification request, and writes "
		     "the chain.\n"
		     "JSON is taken too: {\"csr\" or \"public_key\", \"sans\", \"claims\"} gives "
		     "{\"chain\"}.";
	t->example = "ctr-ca issue --ca ca --san web.shop.svc < csr.pem > certChain.pem";
	t->opts = opts;
	rc = ctr_tool_opts(t, argc, argv, on_opt, &a, &first, e);
	if (rc == 0 && !t->served)
		rc = argc > first ? ctr_fail(e, CTR_USAGE, "usage", "%s: no operand is taken",
					     argv[first])
				  : run(&a, &t->log, out, e);
	list_free(&a.sans);
	return rc;
}
