#include "cadir.h"
#include "cmd.h"
#include "list.h"
#include "seed.h"
#include "when.h"

enum { OPT_OUTPUT = 1, OPT_PERMIT, OPT_DAYS, OPT_AT };

static const struct ctr_opt opts[] = {
	{ OPT_OUTPUT, "output", 'o', "DIR", "make this directory" },
	{ OPT_PERMIT, "permit", 0, "NAME", "certificates may be for this name alone (repeatable)" },
	{ OPT_DAYS, "days", 0, "N", "how long the CA is valid (default 3650)" },
	{ OPT_AT, "at", 0, "TIME", "from then, not now (YYYY-MM-DDThh:mm:ssZ)" },
	{ 0 },
};

struct args {
	const char *dir;
	struct list permit;
	struct when when;
};

static int on_opt(void *ctx, int id, const char *value, struct ctr_err *e)
{
	struct args *a = ctx;

	switch (id) {
	case OPT_OUTPUT:
		a->dir = value;
		return 0;
	case OPT_PERMIT:
		return list_push(&a->permit, value, e);
	case OPT_DAYS:
		return when_days(&a->when, value, e);
	default:
		return when_at(&a->when, value, e);
	}
}

static int run(const struct args *a, struct ctr_err *e)
{
	struct ctr_mesh_opts o = { .now = when_time(&a->when),
				   .days = a->when.days,
				   .permitted = a->permit.v,
				   .n_permitted = a->permit.n };
	ctr_auto_root struct ctr_root *r = NULL;
	ctr_auto_mesh struct ctr_mesh *m = NULL;

	if (ctr_tool_guard(e) < 0 || seed_read(&r, e) < 0 || ctr_mesh_new(r, &o, &m, e) < 0)
		return -1;
	return cadir_write(a->dir, r, m, e);
}

int cmd_mesh(struct ctr_tool *t, int argc, char **argv, struct ctr_buf *out, struct ctr_err *e)
{
	struct args a = { 0 };
	int first = 0, rc;

	(void)out;
	t->synopsis = "--output=DIR [options] < seed.json";
	t->summary = "Makes a mesh CA: a fresh key, an intermediate certificate by the root CA of "
		     "the seed,\n"
		     "and a self-signed one of the same name.";
	t->example = "ctr-ca mesh --output ca --permit shop.svc < seed.json";
	t->opts = opts;
	rc = ctr_tool_opts(t, argc, argv, on_opt, &a, &first, e);
	if (rc == 0 && !t->served) {
		if (argc > first || !a.dir)
			rc = ctr_fail(e, CTR_USAGE, "usage", "%s",
				      a.dir ? "no operand is taken" : "--output is needed");
		else
			rc = run(&a, e);
	}
	list_free(&a.permit);
	return rc;
}
