#include "node.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <glob.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "file.h"
#include "json.h"
#include "owned.h"

#define RANCHER_K3S "/var/lib/rancher/k3s/agent/etc/containerd/"
#define RANCHER_RKE2 "/var/lib/rancher/rke2/agent/etc/containerd/"

static const struct node_kind kinds[] = {
	{ "k3s",
	  "/var/lib/rancher/k3s/agent/etc/containerd",
	  RANCHER_K3S "config.toml",
	  RANCHER_K3S "config.toml.tmpl",
	  RANCHER_K3S "config-v3.toml.tmpl",
	  NULL,
	  { "k3s.service", "k3s-agent.service" },
	  "/run/k3s/containerd/containerd.sock",
	  { "/var/lib/rancher/k3s/data/current/bin/containerd" } },
	{ "rke2",
	  "/var/lib/rancher/rke2/agent/etc/containerd",
	  RANCHER_RKE2 "config.toml",
	  RANCHER_RKE2 "config.toml.tmpl",
	  RANCHER_RKE2 "config-v3.toml.tmpl",
	  NULL,
	  { "rke2-server.service", "rke2-agent.service" },
	  "/run/k3s/containerd/containerd.sock",
	  { "/var/lib/rancher/rke2/bin/containerd" } },
	{ "microk8s",
	  "/var/snap/microk8s/current/args",
	  "/var/snap/microk8s/current/args/containerd-template.toml",
	  NULL,
	  NULL,
	  NULL,
	  { "snap.microk8s.daemon-containerd.service" },
	  "/var/snap/microk8s/common/run/containerd.sock",
	  { NULL } }, /* runs inside its snap alone */
	{ "k0s",
	  "/etc/k0s/containerd.toml",
	  "/etc/k0s/containerd.toml",
	  NULL,
	  NULL,
	  "/etc/k0s/containerd.d",
	  { "k0sworker.service", "k0scontroller.service" },
	  "/run/k0s/containerd.sock",
	  { "/var/lib/k0s/bin/containerd" } },
	{ "containerd",
	  NULL,
	  "/etc/containerd/config.toml",
	  NULL,
	  NULL,
	  NULL,
	  { "containerd.service" },
	  "/run/containerd/containerd.sock",
	  { "/usr/bin/containerd", "/usr/local/bin/containerd" } },
};
#define KINDS (sizeof kinds / sizeof *kinds)

const struct node_kind *node_kind(const char *name)
{
	for (size_t i = 0; i < KINDS; i++) {
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	}
	return NULL;
}

const char *node_kinds(void)
{
	return "containerd, k3s, rke2, microk8s, k0s";
}

/* Opens a path below the root with openat2, so that a link of the node's cannot lead out of it. */
int node_open(const char *root, const char *path)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT };
	ctr_auto_fd int dir = open(*root ? root : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0)
		return -1;
	return (int)syscall(SYS_openat2, dir, path, &how, sizeof how);
}

static int real_of(int fd, struct ctr_buf *b, struct ctr_err *e)
{
	char link[64], path[4096];
	ssize_t n;

	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof path);
	if (n <= 0 || (size_t)n >= sizeof path)
		return ctr_fail_sys(e, "node.path", "%s", link);
	ctr_buf_add(b, path, (size_t)n);
	return ctr_buf_ok(b, "path", e);
}

int node_path(const char *root, const char *path, struct ctr_buf *b, bool *exists,
	      struct ctr_err *e)
{
	ctr_auto_fd int fd = node_open(root, path);
	const char *slash = strrchr(path, '/');
	ctr_auto char *up = NULL;
	struct stat st;

	if (exists)
		*exists = fd >= 0;
	if (fd >= 0)
		return real_of(fd, b, e);
	if (errno != ENOENT || !slash || slash == path)
		return ctr_fail_sys(e, "node.path", "%s%s", root, path);
	up = strndup(path, (size_t)(slash - path));
	if (!up)
		return ctr_fail_mem(e);
	if (node_path(root, up, b, NULL, e) < 0)
		return -1;
	ctr_buf_adds(b, slash);
	if (ctr_buf_ok(b, "path", e) < 0)
		return -1;
	/* replacing a link that leads nowhere would hide what its owner meant */
	if (lstat(b->p, &st) == 0)
		return ctr_fail(e, CTR_ENV, "node.path", "%s%s: a link to nowhere", root, path);
	return 0;
}

int node_read(const char *root, const char *path, size_t max, struct ctr_buf *b, bool *exists,
	      struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf real = { 0 };
	struct stat st;

	if (node_path(root, path, &real, exists, e) < 0)
		return -1;
	if (!*exists)
		return 0;
	if (stat(real.p, &st) < 0 || !S_ISREG(st.st_mode))
		return ctr_fail(e, CTR_ENV, "node.path", "%s: no regular file", real.p);
	return ctr_file_read(real.p, max, b, e);
}

static const struct node_kind *detect(const char *root)
{
	size_t i = 0;

	for (; kinds[i].mark; i++) {
		ctr_auto_fd int fd = node_open(root, kinds[i].mark);

		if (fd >= 0)
			break;
	}
	return &kinds[i];
}

/* What looking at containerd's configuration found. */
struct look {
	const char *handler;
	char own[80];	       /* the name of our file in a directory of imports */
	struct ctr_buf dropin; /* directory for it, empty when there is none */
};

/* A file that is imported: it must be readable, and must not have our handler; our own file is not
 * looked at. */
static int imported(const char *root, const char *path, const struct look *l, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf text = { 0 };
	const char *slash = strrchr(path, '/');
	tdoc_auto struct tdoc d = { 0 };
	unsigned version = 0;
	bool exists;

	if (slash && strcmp(slash + 1, l->own) == 0)
		return 0;
	if (node_read(root, path, TDOC_MAX, &text, &exists, e) < 0)
		return -1;
	if (!exists) {
		ctr_fail(e, CTR_FORMAT, "containerd.import", "%s is imported, and is not there",
			 path);
		return ctr_err_fix(e, "take it out of the imports, or put the file back");
	}
	if (tdoc_parse(path, ctr_buf_str(&text), text.n, &d, e) < 0 ||
	    cd_version(path, &d, &version, e) < 0)
		return -1;
	if (cd_has_handler(&d, version, l->handler))
		return ctr_fail(e, CTR_FORMAT, "containerd.taken",
				"%s: the runtime handler %s is there already, and not ours", path,
				l->handler);
	return 0;
}

static int each_match(const char *root, const char *pattern, const struct look *l,
		      struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf full = { 0 };
	glob_t g = { 0 };
	int rc = 0;

	ctr_buf_addf(&full, "%s%s", root, pattern);
	if (ctr_buf_ok(&full, "path", e) < 0)
		return -1;
	if (glob(full.p, 0, NULL, &g) == 0) {
		for (size_t i = 0; rc == 0 && i < g.gl_pathc; i++)
			rc = imported(root, g.gl_pathv[i] + strlen(root), l, e);
	}
	globfree(&g);
	return rc;
}

/* A pattern that would take a file of ours in, in a directory without wildcards. */
static bool takes_ours(const char *pattern, const char *own)
{
	const char *slash = strrchr(pattern, '/');

	return slash && !memchr(pattern, '*', (size_t)(slash - pattern)) &&
	       fnmatch(slash + 1, own, 0) == 0;
}

static int one_import(const struct node *n, const char *base, const char *word, unsigned version,
		      struct look *l, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf path = { 0 };
	const char *slash = strrchr(base, '/');

	if (word[0] != '/')
		ctr_buf_add(&path, base, (size_t)(slash + 1 - base));
	ctr_buf_adds(&path, word);
	if (ctr_buf_ok(&path, "path", e) < 0)
		return -1;
	if (!strchr(path.p, '*'))
		return imported(n->root, path.p, l, e);
	/* containerd 1.x lets a plugin's table in an import take the place of all of it: only
	 * merged from 3 on */
	if (version >= 3 && !l->dropin.n && takes_ours(path.p, l->own))
		ctr_buf_add(&l->dropin, path.p, (size_t)(strrchr(path.p, '/') - path.p));
	return each_match(n->root, path.p, l, e);
}

static int imports(const struct node *n, const struct tdoc *d, const char *base, unsigned version,
		   struct look *l, struct ctr_err *e)
{
	const struct tdoc_entry *v = tdoc_find(d, "imports");
	ctr_auto_json struct ctr_json *list = NULL;
	struct ctr_jval top;

	if (!v)
		return 0;
	/* an array of strings is one of JSON too */
	if (!v->value || v->value[0] != '[' ||
	    ctr_json_parse(base, v->value, strlen(v->value), &list, &(struct ctr_err){ 0 }) < 0)
		return ctr_fail(e, CTR_FORMAT, "containerd.import",
				"%s: imports (expected file names)", base);
	top = ctr_jroot(list);
	for (struct ctr_jval i = ctr_jfirst(&top); i.v; i = ctr_jnext(&i)) {
		const char *word;

		if (ctr_jstring(&i, &word, e) < 0)
			return ctr_wrap(e, "%s: imports", base);
		if (one_import(n, base, word, version, l, e) < 0)
			return -1;
	}
	return 0;
}

static int set_config(struct node *n, const char *path, const char *name, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf b = { 0 };

	ctr_buf_addf(&b, "%s%s%s", path, name ? "/" : "", name ? name : "");
	if (ctr_buf_ok(&b, "path", e) < 0)
		return -1;
	n->config = ctr_give(b.p);
	return 0;
}

/* k0s merges what is in its directory for CRI itself, as long as the configuration is its own. */
static bool k0s_manages(const struct node *n, const struct ctr_buf *text, bool exists)
{
	return n->kind->dropin && (!exists || (text->n && strstr(text->p, "k0s_managed=true")));
}

/* Our part is in the configuration itself, from before there were imports: there it stays. */
static bool inline_already(const struct ctr_buf *text, const char *handler)
{
	ctr_auto_buf struct ctr_buf name = { 0 };
	struct owned parts;

	ctr_buf_addf(&name, "handler:%s", handler);
	return text->n && owned_find("", text->p, text->n, &parts, NULL) == 0 &&
	       owned_get(&parts, ctr_buf_str(&name));
}

static int choose(struct node *n, const struct ctr_buf *text, const struct tdoc *d, bool exists,
		  unsigned version, const struct look *l, struct ctr_err *e)
{
	n->version = version ? version : 2;
	if (inline_already(text, l->handler))
		return set_config(n, n->kind->config, NULL, e);
	if (l->dropin.n && cd_has_handler(d, version, l->handler))
		return ctr_fail(e, CTR_FORMAT, "containerd.taken",
				"%s: the runtime handler %s is there already, and not ours",
				n->kind->config, l->handler);
	if (l->dropin.n) {
		n->is_dropin = true;
		return set_config(n, l->dropin.p, l->own, e);
	}
	if (!n->kind->tmpl2)
		return set_config(n, n->kind->config, NULL, e);
	if (!exists) {
		ctr_fail(e, CTR_ENV, "node.config", "%s%s is not there yet", n->root,
			 n->kind->config);
		return ctr_err_fix(e, "start %s once: its schema decides which template is read",
				   n->kind->name);
	}
	n->is_template = true;
	return set_config(n, n->version >= 3 ? n->kind->tmpl3 : n->kind->tmpl2, NULL, e);
}

int node_find(const char *root, const struct node_kind *kind, const char *handler, struct node *n,
	      struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf text = { 0 };
	tdoc_auto struct tdoc d = { 0 };
	struct look l = { .handler = handler };
	unsigned version = 0;
	bool exists;
	int rc;

	*n = (struct node){ .root = root, .kind = kind ? kind : detect(root) };
	snprintf(l.own, sizeof l.own, "ctr-node-install-%s.toml", handler);
	if (node_read(root, n->kind->config, TDOC_MAX, &text, &exists, e) < 0 ||
	    tdoc_parse(n->kind->config, ctr_buf_str(&text), text.n, &d, e) < 0 ||
	    cd_version(n->kind->config, &d, &version, e) < 0)
		return -1;
	if (k0s_manages(n, &text, exists)) {
		ctr_buf_adds(&l.dropin, n->kind->dropin);
		rc = 0;
	} else {
		rc = imports(n, &d, n->kind->config, version, &l, e);
	}
	if (rc == 0)
		rc = choose(n, &text, &d, exists, version, &l, e);
	ctr_buf_free(&l.dropin);
	return rc;
}

void node_free(struct node *n)
{
	free(n->config);
	n->config = NULL;
}
