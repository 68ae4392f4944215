#include <string.h>

#include "cmd.h"
#include "disk.h"
#include "doc.h"
#include "enc.h"
#include "file.h"
#include "gzip.h"
#include "initdata.h"
#include "json.h"

enum { OPT_POLICY = 1 };

static const struct ctr_opt opts[] = {
	{ OPT_POLICY, "policy", 'p', NULL, "the input is a policy (Rego) that is measured alone" },
	{ 0 },
};

static int on_opt(void *ctx, int id, const char *value, struct ctr_err *e)
{
	bool *policy = ctx;

	(void)id;
	(void)value;
	(void)e;
	*policy = true;
	return 0;
}

/* base64 of gzip's first three bytes; no document begins so, for there is no such key. */
static bool is_annotation(const struct ctr_buf *in)
{
	return strncmp(ctr_buf_str(in), "H4sI", 4) == 0;
}

static int unpack(const struct ctr_buf *in, struct doc *d, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf gz = { 0 };
	size_t n = in->n;

	while (n > 0 && in->p[n - 1] == '\n')
		n--;
	if (ctr_base64_parse(in->p, n, &gz, e) < 0)
		return -1;
	return ctr_gunzip(gz.p, gz.n, CTR_INITDATA_MAX, "initdata.gzip", &d->measured, e);
}

/* Takes the input apart, whichever of the forms it has. */
static int read_any(const struct ctr_buf *in, bool policy, struct doc *d, const char **form,
		    struct ctr_err *e)
{
	int rc = 0;

	*form = policy ? "policy" : "document";
	if (!policy && disk_magic(ctr_buf_str(in), in->n)) {
		*form = "disk";
		rc = disk_parse(in->p, in->n, &d->measured, e);
	} else if (!policy && is_annotation(in)) {
		*form = "annotation";
		rc = unpack(in, d, e);
	} else {
		ctr_buf_add(&d->measured, ctr_buf_str(in), in->n);
		rc = ctr_buf_ok(&d->measured, "initdata", e);
	}
	if (rc < 0)
		return -1;
	if (d->measured.n > CTR_INITDATA_MAX)
		return ctr_fail(e, CTR_FORMAT, "limit", "larger than %zu bytes", CTR_INITDATA_MAX);
	return policy ? doc_read_policy(d, e) : doc_read(d, e);
}

static void member(struct ctr_buf *out, const char *name, const uint8_t *p, size_t n)
{
	ctr_buf_addf(out, "  \"%s\": \"", name);
	ctr_hex_add(out, p, n);
	ctr_buf_adds(out, "\",\n");
}

/* By hand: lib/json.c would bring its library, of which there is no static one, into the guest. */
static int print(const struct doc *d, const char *form, struct ctr_buf *out, struct ctr_err *e)
{
	ctr_buf_addf(out, "{\n  \"form\": \"%s\",\n  \"bytes\": %zu,\n  \"algorithm\": \"%s\",\n",
		     form, d->measured.n, ctr_initdata_algs[d->alg]);
	member(out, "digest", d->digest, ctr_hash_size(d->alg));
	member(out, "host_data", d->expected, DOC_SNP);
	member(out, "mrconfigid", d->expected, DOC_TDX);
	ctr_buf_adds(out, "  \"entries\": [");
	for (size_t i = 0; i < d->n; i++) {
		uint8_t digest[CTR_SHA256_SIZE];
		const struct ctr_buf *text = &d->entry[i].text;

		if (ctr_hash(CTR_SHA256, text->p, text->n, digest, e) < 0)
			return -1;
		ctr_buf_adds(out, i ? ",\n    {\"name\": " : "\n    {\"name\": ");
		ctr_json_quote(out, d->entry[i].name, strlen(d->entry[i].name));
		ctr_buf_addf(out, ", \"bytes\": %zu, \"sha256\": \"", text->n);
		ctr_hex_add(out, digest, sizeof digest);
		ctr_buf_adds(out, "\"}");
	}
	ctr_buf_adds(out, "\n  ]\n}\n");
	return ctr_buf_ok(out, "output", e);
}

int cmd_inspect(struct ctr_tool *t, int argc, char **argv, struct ctr_buf *out, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf in = { 0 };
	doc_auto struct doc d = { 0 };
	const char *form = NULL;
	bool policy = false;
	int first = 0;

	t->synopsis = "[options] [file]";
	t->summary = "Shows what an initdata document, annotation or disk holds, and what its "
		     "guest must report.";
	t->example = "ctr-initdata inspect --policy policy.rego";
	t->opts = opts;
	if (ctr_tool_opts(t, argc, argv, on_opt, &policy, &first, e) < 0)
		return -1;
	if (t->served)
		return 0;
	if (argc - first > 1)
		return ctr_fail(e, CTR_USAGE, "usage", "%s: one file, not more", argv[first + 1]);
	/* an annotation of the largest document is a third longer */
	if (ctr_file_read(argc > first ? argv[first] : "-", DISK_MAX / 3 * 4, &in, e) < 0 ||
	    read_any(&in, policy, &d, &form, e) < 0)
		return -1;
	return print(&d, form, out, e);
}
