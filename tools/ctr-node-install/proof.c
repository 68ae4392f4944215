#include "proof.h"

#include <string.h>
#include <time.h>

#include "cri.h"
#include "file.h"
#include "json.h"
#include "spawn.h"

#define DUMP_S 60
#define ASK_S 10
#define WORDS_MAX ((size_t)256 * 1024)

/* --- before --- */

static const char *find_binary(const struct node *n)
{
	for (size_t i = 0; i < NODE_BINS && n->kind->bins[i]; i++) {
		ctr_auto_fd int fd = node_open(n->root, n->kind->bins[i]);

		if (fd >= 0)
			return n->kind->bins[i];
	}
	return NULL;
}

/* A file that imports two, in this order and after all that it says itself. */
static int wrap(const struct proof *p, const char *suffix, const char *first, const char *second,
		struct ctr_buf *path, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf text = { 0 };

	ctr_buf_addf(path, "%s/%s%s", p->dir, p->temp, suffix);
	ctr_buf_addf(&text, "version = %u\nimports = [", p->node->version);
	ctr_json_quote(&text, first, strlen(first));
	if (second) {
		ctr_buf_adds(&text, ", ");
		ctr_json_quote(&text, second, strlen(second));
	}
	ctr_buf_adds(&text, "]\n");
	if (ctr_buf_ok(path, "path", e) < 0 || ctr_buf_ok(&text, "path", e) < 0)
		return -1;
	return ctr_file_write(path->p, text.p, text.n, 0600, e);
}

/*
 * What containerd is given. A file of its own stands beside its place, so that relative imports
 * lead where they will. Of one that is imported it is the file that imports it, and ours behind
 * all of its imports: they are taken level by level, and the last word counts.
 */
static int arrange(const struct proof *p, const char *staged, struct ctr_buf *top,
		   struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf inner = { 0 };
	size_t root = strlen(p->node->root);

	if (!p->node->is_dropin || p->node->kind->dropin) {
		ctr_buf_adds(top, staged);
		return ctr_buf_ok(top, "path", e);
	}
	if (wrap(p, "-inner", staged + root, NULL, &inner, e) < 0)
		return -1;
	return wrap(p, "-outer", p->node->kind->config, inner.p + root, top, e);
}

/* The last line of its standard error is the reason. */
static int refused(const char *binary, struct ctr_buf *err, struct ctr_err *e)
{
	const char *last;

	while (err->n && err->p[err->n - 1] == '\n')
		err->p[--err->n] = '\0';
	last = err->n ? strrchr(err->p, '\n') : NULL;
	ctr_fail(e, CTR_FORMAT, "containerd.check",
		 "%s does not take the changed configuration: %s", binary,
		 last ? last + 1 : ctr_buf_str(err));
	return ctr_err_fix(e, "nothing was put in place; see whether it takes the present one");
}

static int says(const struct proof *p, const struct ctr_buf *dump, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf want = { 0 };
	tdoc_auto struct tdoc d = { 0 };
	unsigned version = 0;
	const char *value;

	if (tdoc_parse("config dump", ctr_buf_str(dump), dump->n, &d, e) < 0 ||
	    cd_version("config dump", &d, &version, e) < 0)
		return ctr_wrap(e, "containerd's own words");
	if (p->config)
		ctr_json_quote(&want, p->config, strlen(p->config));
	value = cd_kata_config(&d, version, p->handler);
	if (p->config ? value && strcmp(value, ctr_buf_str(&want)) == 0
		      : !cd_has_handler(&d, version, p->handler))
		return 0;
	return ctr_fail(e, CTR_FORMAT, "containerd.check",
			"containerd reads the changed configuration, but %s the handler %s",
			p->config ? "not" : "still", p->handler);
}

int proof_file(const struct proof *p, const char *staged, struct ctr_err *e)
{
	static const char *const env[] = { "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin",
					   NULL };
	const char *binary = find_binary(p->node);
	ctr_auto_buf struct ctr_buf top = { 0 }, out = { .max = TDOC_MAX },
				    err = { .max = WORDS_MAX };
	const char *argv[] = { binary, "--config", NULL, "config", "dump", NULL };
	const struct ctr_spawn s = { .argv = argv,
				     .env = env,
				     .root = p->node->root,
				     .out = &out,
				     .err = &err,
				     .seconds = DUMP_S,
				     .id = "containerd.check" };
	int status = 0;

	if (!binary || p->node->is_template)
		return 0;
	if (arrange(p, staged, &top, e) < 0)
		return -1;
	argv[2] = top.p + strlen(p->node->root);
	if (ctr_spawn(&s, &status, e) < 0)
		return -1;
	return status ? refused(binary, &err, e) : says(p, &out, e);
}

/* --- after --- */

/* What the configuration says, up to schema 3 or since; where it says nothing, the kind's. */
static int socket_path(const struct node *n, struct ctr_buf *path, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf text = { 0 };
	ctr_auto_json struct ctr_json *j = NULL;
	tdoc_auto struct tdoc d = { 0 };
	const struct tdoc_entry *v;
	const char *s = "";
	bool exists;

	if (node_read(n->root, n->kind->config, TDOC_MAX, &text, &exists, e) < 0 ||
	    tdoc_parse(n->kind->config, ctr_buf_str(&text), text.n, &d, e) < 0)
		return -1;
	v = tdoc_find(&d, "grpc.address");
	if (!v)
		v = tdoc_find(&d, "plugins.\"io.containerd.server.v1.grpc\".address");
	if (v && v->value && *v->value == '"') {
		struct ctr_jval top;

		if (ctr_json_parse(n->kind->config, v->value, strlen(v->value), &j, e) < 0)
			return -1;
		top = ctr_jroot(j);
		if (ctr_jstring(&top, &s, e) < 0)
			return -1;
	}
	ctr_buf_adds(path, *s == '/' ? s : n->kind->socket);
	return ctr_buf_ok(path, "path", e);
}

static int ask(const struct proof *p, const char *path, struct ctr_err *e)
{
	auto_cri_handler struct cri_handler h = { 0 };
	ctr_auto_fd int fd = node_open(p->node->root, path);
	char name[64];

	if (fd < 0)
		return ctr_fail_sys(e, "cri", "%s", path);
	/* by its descriptor: below the root, and however long the path */
	snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
	if (cri_ask(name, p->handler, ASK_S, &h, e) < 0)
		return ctr_wrap(e, "%s", path);
	if (p->config ? strcmp(ctr_buf_str(&h.config), p->config) == 0 : !h.listed)
		return 0;
	return ctr_fail(e, CTR_ENV, "cri", "%s: %s", path,
			!h.listed   ? "it is not listed"
			: p->config ? "it is listed with another configuration"
				    : "it is still listed");
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int proof_running(const struct proof *p, unsigned seconds, struct ctr_err *e)
{
	const struct timespec nap = { .tv_nsec = 200000000 };
	int64_t until = now_ms() + (int64_t)seconds * 1000;
	ctr_auto_buf struct ctr_buf path = { 0 };
	struct ctr_err why = { 0 };

	if (socket_path(p->node, &path, e) < 0)
		return -1;
	while (ask(p, path.p, &why) < 0) {
		if (now_ms() >= until)
			return ctr_fail(e, CTR_ENV, "restart.handler",
					"the handler %s, %u s after the restart: %s", p->handler,
					seconds, why.msg);
		why = (struct ctr_err){ 0 };
		nanosleep(&nap, NULL);
	}
	return 0;
}
