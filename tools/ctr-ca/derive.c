#include <unistd.h>

#include "cmd.h"
#include "file.h"
#include "json.h"
#include "list.h"
#include "seed.h"

enum { OPT_NEW = 1, OPT_KEYS, OPT_SECRET, OPT_OUTPUT };

static const struct ctr_opt opts[] = {
	{ OPT_NEW, "new", 0, NULL, "read nothing: write a fresh seed and salt as JSON" },
	{ OPT_OUTPUT, "output", 'o', "FILE",
	  "write to this new file, mode 0600, not standard output" },
	{ OPT_KEYS, "with-keys", 0, NULL, "write the private keys too" },
	{ OPT_SECRET, "secret-id", 0, "ID",
	  "and the secrets of this workload secret ID (repeatable)" },
	{ 0 },
};

struct args {
	bool fresh, keys;
	struct list ids;
	const char *file;
};

static int on_opt(void *ctx, int id, const char *value, struct ctr_err *e)
{
	struct args *a = ctx;

	if (id == OPT_SECRET)
		return list_push(&a->ids, value, e);
	if (id == OPT_OUTPUT)
		a->file = value;
	else
		*(id == OPT_NEW ? &a->fresh : &a->keys) = true;
	return 0;
}

static void add_pem(struct ctr_json *obj, const char *key, const struct ctr_buf *pem)
{
	ctr_json_set_string(obj, key, ctr_buf_str(pem));
}

/* A key in PEM has no NUL within, nor one at its end. */
static int add_key(struct ctr_json *obj, const char *key, const struct ctr_secret *pem,
		   struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf text = { .wipe = true };

	ctr_buf_add(&text, pem->p, pem->n);
	if (ctr_buf_ok(&text, "key", e) < 0)
		return -1;
	add_pem(obj, key, &text);
	return 0;
}

static int add_keys(struct ctr_json *obj, const struct ctr_root *r, struct ctr_err *e)
{
	ctr_auto_secret struct ctr_secret ca = { 0 }, history = { 0 };

	if (ctr_root_ca_key(r, &ca, e) < 0 || ctr_root_history_key(r, &history, e) < 0 ||
	    add_key(obj, "root_ca_private_key", &ca, e) < 0)
		return -1;
	return add_key(obj, "history_private_key", &history, e);
}

static int add_secrets(struct ctr_json *obj, const struct ctr_root *r, const struct list *ids,
		       struct ctr_err *e)
{
	struct ctr_json *all = ids->n > 0 ? ctr_json_set_array(obj, "secrets") : NULL;

	for (size_t i = 0; i < ids->n; i++) {
		ctr_auto_secret struct ctr_secret workload = { 0 }, transit = { 0 };
		struct ctr_json *one = ctr_json_add_object(all);

		if (ctr_root_workload_secret(r, ids->v[i], &workload, e) < 0 ||
		    ctr_root_transit_key(r, ids->v[i], &transit, e) < 0)
			return -1;
		ctr_json_set_string(one, "id", ids->v[i]);
		ctr_json_set_hex(one, "workload_secret", workload.p, workload.n);
		if (!ctr_json_set_hex(one, "transit_key", transit.p, transit.n))
			return ctr_fail_mem(e);
	}
	return 0;
}

static int derive(const struct args *a, struct ctr_buf *out, struct ctr_err *e)
{
	ctr_auto_json_secret struct ctr_json *obj = ctr_json_new_object();
	ctr_auto_root struct ctr_root *r = NULL;

	if (seed_read(&r, e) < 0)
		return -1;
	add_pem(obj, "root_ca", ctr_root_pem(r));
	add_pem(obj, "history_key", ctr_root_history_pem(r));
	if (a->keys && (add_keys(obj, r, e) < 0 || add_secrets(obj, r, &a->ids, e) < 0))
		return -1;
	if (ctr_json_print(obj, 2, out, e) < 0)
		return -1;
	ctr_buf_addc(out, '\n');
	return ctr_buf_ok(out, "answer", e);
}

/* A seed that is written over cannot be had again. */
static int must_be_new(const char *path, struct ctr_err *e)
{
	if (access(path, F_OK) < 0)
		return 0;
	ctr_fail(e, CTR_ENV, "ca.exists", "%s exists", path);
	return ctr_err_fix(e, "choose another name, or remove it first");
}

static int run(const struct args *a, struct ctr_log *log, struct ctr_buf *out, struct ctr_err *e)
{
	if (ctr_tool_guard(e) < 0 || (a->file && must_be_new(a->file, e) < 0))
		return -1;
	if (!a->file && (a->fresh || a->keys))
		ctr_tool_warn_exposed(log, a->fresh ? "the seed" : "private key material",
				      "--output FILE");
	if ((a->fresh ? seed_new(out, e) : derive(a, out, e)) < 0)
		return -1;
	if (!a->file)
		return 0;
	if (ctr_file_write(a->file, out->p, out->n, 0600, e) < 0)
		return -1;
	ctr_buf_free(out); /* nothing of it goes to standard output */
	return 0;
}

int cmd_derive(struct ctr_tool *t, int argc, char **argv, struct ctr_buf *out, struct ctr_err *e)
{
	struct args a = { 0 };
	int first = 0, rc;

	t->synopsis = "[--with-keys [--secret-id=ID ...]] < seed.json | --new";
	t->summary =
		"Makes the root CA certificate and the history key of a seed and a salt, read as\n"
		"{\"seed\":hex,\"salt\":hex}; the same each time.";
	t->example = "ctr-ca derive < seed.json | jq -r .root_ca > coordinator-root-ca.pem";
	t->opts = opts;
	rc = ctr_tool_opts(t, argc, argv, on_opt, &a, &first, e);
	if (rc == 0 && !t->served && argc > first)
		rc = ctr_fail(e, CTR_USAGE, "usage", "%s: no operand is taken", argv[first]);
	else if (rc == 0 && ((a.fresh && a.keys) || (a.ids.n > 0 && !a.keys)))
		rc = ctr_fail(e, CTR_USAGE, "usage",
			      a.fresh ? "--new and --with-keys exclude each other"
				      : "--secret-id needs --with-keys");
	if (rc == 0 && !t->served)
		rc = run(&a, &t->log, out, e);
	list_free(&a.ids);
	return rc;
}
