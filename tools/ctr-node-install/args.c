#include <ctype.h>
#include <dirent.h>
#include <string.h>
#include <sys/stat.h>

#include "cmd.h"
#include "file.h"
#include "owned.h"

#define TIMEOUT_S 180
#define CMDLINE_MAX ((size_t)4 * 1024 * 1024)

static int take_root(struct args *a, const char *value, struct ctr_err *e)
{
	char real[4096];

	if (!realpath(value, real))
		return ctr_fail_sys(e, "root", "%s", value);
	if (strlen(real) >= sizeof a->root)
		return ctr_fail(e, CTR_USAGE, "usage", "%s: too long", value);
	snprintf(a->root, sizeof a->root, "%.*s", (int)(sizeof a->root - 1),
		 strcmp(real, "/") == 0 ? "" : real);
	return 0;
}

int args_take(void *ctx, int id, const char *value, struct ctr_err *e)
{
	struct args *a = ctx;

	switch (id) {
	case OPT_ROOT:
		return take_root(a, value, e);
	case OPT_KIND:
		a->kind = node_kind(value);
		if (!a->kind)
			return ctr_fail(e, CTR_USAGE, "usage", "--kind=%s (expected one of %s)",
					value, node_kinds());
		return 0;
	case OPT_SYSTEMCTL:
		a->systemctl = value;
		return 0;
	case OPT_CONFIG:
		a->config = value;
		return 0;
	case OPT_CA_FILE:
		a->ca_file = value;
		return 0;
	case OPT_PROC:
		a->proc = value;
		return 0;
	case OPT_PROGRESS:
		return ctr_progress_parse(value, &a->progress, e);
	case OPT_NO_RESTART:
		a->no_restart = true;
		return 0;
	case OPT_NO_WAIT:
		a->no_wait = true;
		return 0;
	case OPT_TIMEOUT:
		return ctr_number(value, "--timeout", 1, 3600, &a->seconds, e);
	case OPT_ALL:
		a->all = true;
		return 0;
	default:
		a->dry_run = true;
		return 0;
	}
}

int args_read(struct ctr_tool *t, int argc, char **argv, struct args *a, int max, int *first,
	      struct ctr_err *e)
{
	a->proc = "/proc";
	a->seconds = TIMEOUT_S;
	if (ctr_tool_opts(t, argc, argv, args_take, a, first, e) < 0)
		return -1;
	if (!t->served && argc - *first > max)
		return ctr_fail(e, CTR_USAGE, "usage", "%s: too many operands", argv[*first + max]);
	/* modes are given where files are made; directories are made 0755 */
	umask(022);
	return 0;
}

struct units args_units(const struct args *a, const struct node *n, struct ctr_log *log)
{
	return (struct units){ .systemctl = a->systemctl,
			       .off = a->no_restart,
			       .no_wait = a->no_wait,
			       .seconds = (unsigned)a->seconds,
			       .node = n,
			       .log = log };
}

int args_node(const struct args *a, const char *handler, struct node *n, struct ctr_err *e)
{
	if (node_find(a->root, a->kind, handler, n, e) < 0)
		return -1;
	return apply_recall(n, handler, e);
}

int active_version(const struct node *n, const char *handler, char id[STORE_ID + 1],
		   struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf text = { 0 }, name = { 0 }, want = { 0 }, in = { 0 };
	const struct owned_part *part;
	struct owned parts;
	const char *at;
	bool exists;

	id[0] = '\0';
	if (node_read(n->root, n->config, TDOC_MAX, &text, &exists, e) < 0 ||
	    owned_find(n->config, ctr_buf_str(&text), text.n, &parts, e) < 0)
		return -1;
	ctr_buf_addf(&name, "handler:%s", handler);
	ctr_buf_addf(&want, "ConfigPath = \"" STORE_DIR "/%s-", handler);
	part = owned_get(&parts, ctr_buf_str(&name));
	if (!part || part->end == part->in)
		return 0;
	ctr_buf_add(&in, text.p + part->in, part->end - part->in);
	at = strstr(ctr_buf_str(&in), ctr_buf_str(&want));
	if (at && strlen(at) > want.n + STORE_ID)
		snprintf(id, STORE_ID + 1, "%s", at + want.n);
	return 0;
}

/* Arguments are separated by NULs. */
static bool mentions(const char *p, size_t n, const char *dir)
{
	return n && memmem(p, n, dir, strlen(dir));
}

static bool process_uses(const char *proc, const char *pid, const char *dir)
{
	ctr_auto_buf struct ctr_buf path = { 0 }, line = { 0 };
	struct ctr_err gone = { 0 };
	char exe[4096];
	ssize_t n;

	ctr_buf_addf(&path, "%s/%s/cmdline", proc, pid);
	/* a process that ended meanwhile uses nothing */
	if (ctr_file_read(ctr_buf_str(&path), CMDLINE_MAX, &line, &gone) == 0 &&
	    mentions(line.p, line.n, dir))
		return true;
	ctr_buf_reset(&path);
	ctr_buf_addf(&path, "%s/%s/exe", proc, pid);
	n = readlink(ctr_buf_str(&path), exe, sizeof exe);
	return n > 0 && mentions(exe, (size_t)n, dir);
}

int in_use(const char *proc, const struct store_version *v, bool *used, struct ctr_err *e)
{
	DIR *all = opendir(proc);
	bool any = false;
	struct dirent *d;
	char dir[160];

	snprintf(dir, sizeof dir, "%s/", v->dir);
	*used = false;
	if (!all)
		return ctr_fail_sys(e, "proc", "%s", proc);
	while (!*used && (d = readdir(all))) {
		if (!isdigit((unsigned char)d->d_name[0]))
			continue;
		any = true;
		*used = process_uses(proc, d->d_name, dir);
	}
	closedir(all);
	if (any)
		return 0;
	ctr_fail(e, CTR_ENV, "proc", "%s has no processes: what runs cannot be known", proc);
	return ctr_err_fix(e, "mount the node's /proc, and name it with --proc");
}
