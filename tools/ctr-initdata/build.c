#include <string.h>

#include "cmd.h"
#include "disk.h"
#include "doc.h"
#include "enc.h"
#include "file.h"
#include "initdata.h"

enum { OPT_POLICY = 1, OPT_FILE, OPT_ALGORITHM, OPT_DISK, OPT_ANNOTATION, OPT_DIGEST };

static const struct ctr_opt opts[] = {
	{ OPT_POLICY, "policy", 'p', "FILE", "the same as --file=" DOC_POLICY "=FILE" },
	{ OPT_FILE, "file", 'f', "NAME=FILE", "an entry; repeatable, in this order" },
	{ OPT_ALGORITHM, "algorithm", 'a', "NAME", "sha256 (default), sha384 or sha512" },
	{ OPT_DISK, "disk", 0, NULL, "not the document but the disk that holds it" },
	{ OPT_ANNOTATION, "annotation", 0, NULL,
	  "not the document but the value of the pod's annotation" },
	{ OPT_DIGEST, "digest", 0, NULL, "not the document but its digest" },
	{ 0 },
};

struct args {
	const char *entry[CTR_TOML_KEYS]; /* NAME=FILE, or the policy's FILE */
	bool policy[CTR_TOML_KEYS];
	size_t n;
	enum ctr_hash_alg alg;
	int form; /* an option, 0 for the document */
};

static int on_algorithm(struct args *a, const char *value, struct ctr_err *e)
{
	for (int i = CTR_SHA256; i <= CTR_SHA512; i++) {
		a->alg = (enum ctr_hash_alg)i;
		if (strcmp(value, ctr_initdata_algs[i]) == 0)
			return 0;
	}
	return ctr_fail(e, CTR_USAGE, "usage", "--algorithm=%s (expected sha256, sha384 or sha512)",
			value);
}

static int on_opt(void *ctx, int id, const char *value, struct ctr_err *e)
{
	struct args *a = ctx;

	if (id == OPT_ALGORITHM)
		return on_algorithm(a, value, e);
	if (id != OPT_POLICY && id != OPT_FILE) {
		if (a->form && a->form != id)
			return ctr_fail(e, CTR_USAGE, "usage",
					"one of --disk, --annotation and --digest");
		a->form = id;
		return 0;
	}
	if (a->n == CTR_TOML_KEYS)
		return ctr_fail(e, CTR_USAGE, "usage", "too many entries");
	if (id == OPT_FILE && (*value == '=' || !strchr(value, '=')))
		return ctr_fail(e, CTR_USAGE, "usage", "--file=%s (expected NAME=FILE)", value);
	a->policy[a->n] = id == OPT_POLICY;
	a->entry[a->n++] = value;
	return 0;
}

static int add(const struct args *a, size_t i, struct ctr_buf *toml, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf text = { 0 };
	ctr_auto char *name = strdup(a->policy[i] ? DOC_POLICY : a->entry[i]);
	const char *file = a->policy[i] ? a->entry[i] : strchr(a->entry[i], '=') + 1;

	if (!name)
		return ctr_fail_mem(e);
	name[strcspn(name, "=")] = '\0';
	if (ctr_file_read(file, CTR_INITDATA_MAX, &text, e) < 0)
		return -1;
	return ctr_initdata_entry(name, ctr_buf_str(&text), text.n, toml, e);
}

static int run(const struct args *a, struct ctr_buf *out, struct ctr_err *e)
{
	doc_auto struct doc d = { 0 };

	ctr_initdata_head(a->alg, &d.measured);
	for (size_t i = 0; i < a->n; i++) {
		if (add(a, i, &d.measured, e) < 0)
			return -1;
	}
	/* read back: what the guest would refuse is not made */
	if (doc_read(&d, e) < 0)
		return -1;
	switch (a->form) {
	case OPT_DISK:
		return disk_make(d.measured.p, d.measured.n, out, e);
	case OPT_ANNOTATION:
		if (ctr_initdata_pack(d.measured.p, d.measured.n, out, e) < 0)
			return -1;
		ctr_buf_addc(out, '\n');
		break;
	case OPT_DIGEST:
		ctr_hex_add(out, d.digest, ctr_hash_size(d.alg));
		ctr_buf_addc(out, '\n');
		break;
	default:
		ctr_buf_add(out, d.measured.p, d.measured.n);
	}
	return ctr_buf_ok(out, "initdata", e);
}

int cmd_build(struct ctr_tool *t, int argc, char **argv, struct ctr_buf *out, struct ctr_err *e)
{
	struct args a = { .alg = CTR_SHA256 };
	int first = 0;

	t->synopsis = "--policy=FILE [--file=NAME=FILE ...] [options]";
	t->summary = "Makes an initdata document of files: same files, same bytes.";
	t->example = "ctr-initdata build --policy policy.rego --digest";
	t->opts = opts;
	if (ctr_tool_opts(t, argc, argv, on_opt, &a, &first, e) < 0)
		return -1;
	if (t->served)
		return 0;
	if (argc != first)
		return ctr_fail(e, CTR_USAGE, "usage", "%s: no operand is taken", argv[first]);
	return run(&a, out, e);
}
