#include "apply.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "file.h"
#include "json.h"
#include "owned.h"
#include "proof.h"
#include "store.h"

#define JOURNAL STORE_STATE "/pending.json"
#define TEMP ".ctr-node-install.tmp"
#define STATE_MAX ((size_t)64 * 1024)

/* --- the change --- */

int change_make(const struct node *n, const char *handler, const struct cd_runtime *r,
		struct change *c, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf real = { 0 };
	struct cd_file f = { .name = n->config,
			     .is_template = n->is_template,
			     .version = n->version };
	struct stat st;

	*c = (struct change){
		.node = n, .handler = handler, .kata = r ? r->config : NULL, .mode = 0644
	};
	if (node_read(n->root, n->config, TDOC_MAX, &c->before, &c->existed, e) < 0)
		return -1;
	if (c->existed) {
		if (node_path(n->root, n->config, &real, NULL, e) < 0)
			return -1;
		if (stat(real.p, &st) < 0)
			return ctr_fail_sys(e, "open", "%s", real.p);
		c->mode = st.st_mode & 0755; /* never more than the owner may write */
	}
	f.p = ctr_buf_str(&c->before);
	f.n = c->before.n;
	f.created = !c->existed;
	return r ? cd_put(&f, r, &c->after, e) : cd_drop(&f, handler, &c->after, &c->gone, e);
}

bool change_any(const struct change *c)
{
	if (!c->existed)
		return c->after.n > 0;
	return c->gone || !ctr_buf_same(&c->before, &c->after);
}

void change_free(struct change *c)
{
	ctr_buf_free(&c->before);
	ctr_buf_free(&c->after);
}

/* --- files of the node --- */

static int split(const char *root, const char *path, struct ctr_buf *real, struct ctr_buf *dir,
		 struct ctr_err *e)
{
	if (node_path(root, path, real, NULL, e) < 0)
		return -1;
	ctr_buf_add(dir, real->p, (size_t)(strrchr(real->p, '/') - real->p));
	return ctr_buf_ok(dir, "path", e);
}

static int sync_dir(const char *dir, struct ctr_err *e)
{
	ctr_auto_fd int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 || fsync(fd) < 0 ? ctr_fail_sys(e, "write", "%s", dir) : 0;
}

/* Beside its place, through a name that can only be ours, so that the next run may delete it. */
static int stage_text(const char *root, const char *path, const struct ctr_buf *text, unsigned mode,
		      struct ctr_buf *temp, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf real = { 0 }, dir = { 0 };

	if (split(root, path, &real, &dir, e) < 0 || ctr_mkdirs(dir.p, 0755, e) < 0)
		return -1;
	ctr_buf_addf(temp, "%s/" TEMP, dir.p);
	if (ctr_buf_ok(temp, "path", e) < 0)
		return -1;
	return ctr_file_write(temp->p, ctr_buf_str(text), text->n, mode, e);
}

static int put_staged(const char *root, const char *path, const struct ctr_buf *temp,
		      struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf real = { 0 }, dir = { 0 };

	if (split(root, path, &real, &dir, e) < 0)
		return -1;
	if (rename(temp->p, real.p) < 0)
		return ctr_fail_sys(e, "write", "%s", real.p);
	return sync_dir(dir.p, e);
}

static int put_text(const char *root, const char *path, const struct ctr_buf *text, unsigned mode,
		    struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf temp = { 0 };

	if (stage_text(root, path, text, mode, &temp, e) < 0)
		return -1;
	return put_staged(root, path, &temp, e);
}

static int delete_file(const char *root, const char *path, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf real = { 0 }, dir = { 0 };

	if (split(root, path, &real, &dir, e) < 0)
		return -1;
	if (unlink(real.p) < 0)
		return errno == ENOENT ? 0 : ctr_fail_sys(e, "delete", "%s", real.p);
	return sync_dir(dir.p, e);
}

static int sweep_dir(const char *root, const char *path, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf real = { 0 }, dir = { 0 };
	struct dirent *d;
	int rc = 0;
	DIR *all;

	if (split(root, path, &real, &dir, e) < 0)
		return -1;
	all = opendir(dir.p);
	while (all && rc == 0 && (d = readdir(all))) {
		if (strncmp(d->d_name, TEMP, strlen(TEMP)) == 0 &&
		    unlinkat(dirfd(all), d->d_name, 0) < 0)
			rc = ctr_fail_sys(e, "delete", "%s/%s", dir.p, d->d_name);
	}
	if (all)
		closedir(all);
	return rc;
}

int apply_lock(const struct node *n, int *fd, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf state = { 0 };

	if (node_path(n->root, STORE_STATE, &state, NULL, e) < 0 ||
	    ctr_mkdirs(state.p, 0755, e) < 0)
		return -1;
	*fd = open(state.p, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*fd < 0)
		return ctr_fail_sys(e, "open", "%s", state.p);
	if (flock(*fd, LOCK_EX | LOCK_NB) < 0)
		return ctr_fail(e, CTR_ENV, "busy", "%s: another ctr-node-install is at work",
				state.p);
	if (sweep_dir(n->root, n->config, e) < 0 || sweep_dir(n->root, JOURNAL, e) < 0)
		return -1;
	return store_sweep(n->root, e);
}

/* --- the journal --- */

struct journal {
	struct ctr_json *json;
	const char *path, *backup; /* backup NULL: there was no file */
	unsigned mode;
};

static void journal_free(struct journal *j)
{
	ctr_json_free(j->json);
	j->json = NULL;
}
#define auto_journal CTR_AUTO(journal_free)

static int journal_parse(const struct ctr_buf *text, struct journal *j, struct ctr_err *e)
{
	struct ctr_jval top, path, backup, mode;
	uint64_t m;

	if (ctr_json_parse(JOURNAL, ctr_buf_str(text), text->n, &j->json, e) < 0)
		return -1;
	top = ctr_jroot(j->json);
	path = ctr_jget(&top, "path");
	backup = ctr_jget(&top, "backup");
	mode = ctr_jget(&top, "mode");
	if (ctr_jstring(&path, &j->path, e) < 0 || ctr_juint(&mode, 07777, &m, e) < 0 ||
	    (ctr_jhas(&backup) && ctr_jstring(&backup, &j->backup, e) < 0))
		return ctr_wrap(e, JOURNAL);
	j->mode = (unsigned)m;
	return 0;
}

static int journal_read(const char *root, struct journal *j, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf text = { 0 };
	bool exists;

	if (node_read(root, JOURNAL, STATE_MAX, &text, &exists, e) < 0)
		return -1;
	return exists ? journal_parse(&text, j, e) : 0;
}

int apply_pending(const char *root, bool *pending, struct ctr_err *e)
{
	auto_journal struct journal j = { 0 };

	if (journal_read(root, &j, e) < 0)
		return -1;
	*pending = j.json != NULL;
	return 0;
}

static int put_json(const char *root, const char *path, const struct ctr_json *j, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf text = { 0 };

	if (ctr_json_print(j, 2, &text, e) < 0)
		return -1;
	ctr_buf_addc(&text, '\n');
	return put_text(root, path, &text, 0644, e);
}

static int back_up(const struct change *c, struct ctr_buf *path, struct ctr_err *e)
{
	time_t now = time(NULL);
	struct tm tm;
	char when[32];

	gmtime_r(&now, &tm);
	strftime(when, sizeof when, "%Y%m%dT%H%M%SZ", &tm);
	ctr_buf_addf(path, STORE_STATE "/backup-%s-%s", when, strrchr(c->node->config, '/') + 1);
	if (ctr_buf_ok(path, "path", e) < 0)
		return -1;
	return put_text(c->node->root, path->p, &c->before, 0600, e);
}

/* An older journal stays: what it names is the last that containerd ran with. */
static int journal_write(const struct change *c, const struct journal *old, struct ctr_err *e)
{
	ctr_auto_json struct ctr_json *j = ctr_json_new_object();
	ctr_auto_buf struct ctr_buf backup = { 0 };

	if (old->json && strcmp(old->path, c->node->config) == 0)
		return 0;
	if (c->existed && back_up(c, &backup, e) < 0)
		return -1;
	ctr_json_set_string(j, "path", c->node->config);
	ctr_json_set_uint(j, "mode", c->mode);
	if (c->existed)
		ctr_json_set_string(j, "backup", ctr_buf_str(&backup));
	return put_json(c->node->root, JOURNAL, j, e);
}

static int put_back(const struct change *c, struct ctr_err *e)
{
	auto_journal struct journal j = { 0 };
	ctr_auto_buf struct ctr_buf text = { 0 };
	bool exists;

	if (journal_read(c->node->root, &j, e) < 0 || !j.json)
		return -1;
	if (!j.backup)
		return delete_file(c->node->root, j.path, e);
	if (node_read(c->node->root, j.backup, TDOC_MAX, &text, &exists, e) < 0)
		return -1;
	if (!exists)
		return ctr_fail(e, CTR_ENV, "restart", "%s is gone", j.backup);
	return put_text(c->node->root, j.path, &text, j.mode, e);
}

/* The failure that is reported is the first; what became of the way back is added to it. */
static int roll_back(const struct change *c, const struct units *u, struct ctr_err *e)
{
	struct ctr_err why = { 0 };
	bool any;

	if (put_back(c, &why) < 0)
		return ctr_err_fix(
			e, "%s could NOT be put back (%.80s); the backup is in " STORE_STATE,
			c->node->config, why.msg);
	if (units_restart(u, &any, &why) < 0)
		return ctr_err_fix(e, "%s is as it was, but the restart failed again: see its log",
				   c->node->config);
	if (delete_file(c->node->root, JOURNAL, &why) < 0)
		return ctr_err_fix(e, "%s is as it was", c->node->config);
	return ctr_err_fix(e, "%s is as it was and runs again; see the unit's log for why",
			   c->node->config);
}

/* What containerd reads there first is what is then put in place, byte for byte. */
static int stage(const struct change *c, struct ctr_buf *temp, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf state = { 0 };
	struct proof p = {
		.node = c->node, .handler = c->handler, .config = c->kata, .temp = TEMP
	};
	struct ctr_err why = { 0 };
	int rc;

	if (node_path(c->node->root, STORE_STATE, &state, NULL, e) < 0 ||
	    stage_text(c->node->root, c->node->config, &c->after, c->mode, temp, e) < 0)
		return -1;
	p.dir = state.p;
	rc = proof_file(&p, temp->p, e);
	/* else the next run sweeps */
	if (sweep_dir(c->node->root, JOURNAL, rc < 0 ? &why : e) < 0)
		rc = -1;
	if (rc < 0)
		unlink(temp->p);
	return rc;
}

static int make(const struct change *c, const struct journal *old, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf temp = { 0 };

	if (!c->gone && stage(c, &temp, e) < 0)
		return -1;
	if (journal_write(c, old, e) < 0)
		return -1;
	return c->gone ? delete_file(c->node->root, c->node->config, e)
		       : put_staged(c->node->root, c->node->config, &temp, e);
}

static int restart(const struct change *c, const struct units *u, struct ctr_err *e)
{
	struct proof p = { .node = c->node, .handler = c->handler, .config = c->kata };
	bool any;

	if (units_restart(u, &any, e) < 0)
		return -1;
	return any && !u->no_wait ? proof_running(&p, u->seconds, e) : 0;
}

int apply(const struct change *c, const struct units *u, struct ctr_err *e)
{
	auto_journal struct journal old = { 0 };
	const char *root = c->node->root;

	if (journal_read(root, &old, e) < 0)
		return -1;
	if (!change_any(c) && !old.json)
		return 0;
	if (change_any(c) && make(c, &old, e) < 0)
		return -1;
	if (restart(c, u, e) < 0)
		return roll_back(c, u, e);
	return delete_file(root, JOURNAL, e);
}

/* --- where a handler is written --- */

static int state_path(const char *handler, struct ctr_buf *b, struct ctr_err *e)
{
	ctr_buf_addf(b, STORE_STATE "/handler-%s.json", handler);
	return ctr_buf_ok(b, "path", e);
}

static int has_dir(const struct node *n, bool *has, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf real = { 0 };
	ctr_auto char *dir = strndup(n->config, (size_t)(strrchr(n->config, '/') - n->config));

	return dir ? node_path(n->root, dir, &real, has, e) : ctr_fail_mem(e);
}

int apply_remember(const struct node *n, const char *handler, struct ctr_err *e)
{
	ctr_auto_json struct ctr_json *j = ctr_json_new_object();
	ctr_auto_buf struct ctr_buf path = { 0 }, old = { 0 };
	bool exists, dir;

	if (state_path(handler, &path, e) < 0 || has_dir(n, &dir, e) < 0 ||
	    node_read(n->root, path.p, STATE_MAX, &old, &exists, e) < 0)
		return -1;
	if (exists)
		return 0;
	ctr_json_set_string(j, "path", n->config);
	ctr_json_set_bool(j, "madeDirectory", !dir);
	return put_json(n->root, path.p, j, e);
}

static int recall(const struct node *n, const char *handler, struct ctr_json **j,
		  const char **where, bool *made, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf path = { 0 }, text = { 0 };
	struct ctr_jval top, p, m;
	bool exists;

	if (state_path(handler, &path, e) < 0 ||
	    node_read(n->root, path.p, STATE_MAX, &text, &exists, e) < 0)
		return -1;
	if (!exists)
		return 0;
	if (ctr_json_parse(path.p, ctr_buf_str(&text), text.n, j, e) < 0)
		return -1;
	top = ctr_jroot(*j);
	p = ctr_jget(&top, "path");
	m = ctr_jget(&top, "madeDirectory");
	return ctr_jstring(&p, where, e) < 0 || ctr_jbool(&m, made, e) < 0 ? -1 : 0;
}

int apply_forget(const struct node *n, const char *handler, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf path = { 0 }, real = { 0 }, dir = { 0 };
	ctr_auto_json struct ctr_json *j = NULL;
	const char *where = NULL;
	bool made = false;

	if (recall(n, handler, &j, &where, &made, e) < 0 || state_path(handler, &path, e) < 0)
		return -1;
	if (made && split(n->root, where, &real, &dir, e) == 0 && rmdir(dir.p) < 0 &&
	    errno != ENOTEMPTY && errno != ENOENT)
		return ctr_fail_sys(e, "delete", "%s", dir.p);
	return delete_file(n->root, path.p, e);
}

int apply_recall(struct node *n, const char *handler, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf text = { 0 }, name = { 0 };
	ctr_auto_json struct ctr_json *j = NULL;
	const char *where = NULL;
	struct owned parts;
	bool made, exists;
	char *copy;

	if (recall(n, handler, &j, &where, &made, e) < 0)
		return -1;
	if (!where || strcmp(where, n->config) == 0)
		return 0;
	if (node_read(n->root, where, TDOC_MAX, &text, &exists, e) < 0)
		return -1;
	if (!exists)
		return 0;
	ctr_buf_addf(&name, "handler:%s", handler);
	if (owned_find(where, ctr_buf_str(&text), text.n, &parts, e) < 0)
		return -1;
	if (!owned_get(&parts, ctr_buf_str(&name)))
		return 0;
	copy = strdup(where);
	if (!copy)
		return ctr_fail_mem(e);
	free(n->config);
	n->config = copy;
	n->is_template = strstr(where, ".tmpl") != NULL;
	return 0;
}
