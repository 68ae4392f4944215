#include "policy.h"

#include <string.h>

#include "pattern.h"
#include "regodata.h"

static void member_string(struct rego *r, const char *key, const char *s)
{
	rego_key(r, key);
	rego_string(r, s);
}

static void member_true(struct rego *r, const char *key, bool yes)
{
	if (!yes)
		return;
	rego_key(r, key);
	rego_word(r, "true");
}

static void strings(struct rego *r, const struct strs *s)
{
	rego_open(r, '[');
	for (size_t i = 0; i < s->n; i++)
		rego_string(r, s->v[i]);
	rego_close(r, ']');
}

/* Appends the JSON of a list whose items may be patterns, as a pattern over that text. */
static void list_pattern(struct ctr_buf *b, const struct vals *vs)
{
	ctr_buf_adds(b, "\\[");
	for (size_t i = 0; i < vs->n; i++) {
		struct ctr_buf q = { 0 };

		if (i)
			ctr_buf_addc(b, ',');
		if (vs->v[i].text) {
			ctr_json_quote(&q, vs->v[i].text, strlen(vs->v[i].text));
			val_escape(b, ctr_buf_str(&q), q.n);
		} else {
			ctr_buf_addf(b, "\"%s\"", vs->v[i].pattern);
		}
		if (q.bad)
			b->bad = q.bad;
		ctr_buf_free(&q);
	}
	ctr_buf_adds(b, "\\]");
}

/* A list as it must be, or a pattern over its JSON when an item is one. */
static void list(struct rego *r, const struct vals *vs)
{
	struct ctr_buf b = { 0 };
	bool exact = true;

	for (size_t i = 0; i < vs->n; i++)
		exact = exact && vs->v[i].text;
	if (!exact) {
		list_pattern(&b, vs);
		rego_val(r, &(struct val){ .pattern = ctr_buf_str(&b) });
		if (b.bad)
			r->b->bad = b.bad;
		ctr_buf_free(&b);
		return;
	}
	rego_open(r, '[');
	for (size_t i = 0; i < vs->n; i++)
		rego_string(r, vs->v[i].text);
	rego_close(r, ']');
}

static void user(struct rego *r, const struct container *c)
{
	rego_key(r, "u");
	rego_open(r, '[');
	rego_int(r, c->uid);
	rego_int(r, c->gid);
	rego_open(r, '[');
	for (size_t i = 0; i < c->n_gids; i++)
		rego_int(r, c->gids[i]);
	rego_close(r, ']');
	rego_close(r, ']');
}

static void capabilities(struct rego *r, const struct container *c)
{
	struct ctr_buf b = { 0 };

	if (c->default_caps)
		return;
	rego_key(r, "cap");
	for (size_t i = 0; i < c->caps.n; i++)
		ctr_buf_addf(&b, "%s%s", i ? " " : "", c->caps.v[i]);
	rego_string(r, ctr_buf_str(&b));
	ctr_buf_free(&b);
}

/* A single file out of a volume gets an entry of its own among the volumes. */
static void volume_name(struct ctr_buf *b, const struct mount *m)
{
	ctr_buf_addf(b, "%s%s%s", m->vol->name, m->file ? "/" : "", m->file ? m->file : "");
}

static void mount_source(struct ctr_buf *b, const struct mount *m)
{
	switch (m->vol->kind) {
	case VOL_DISK:
		ctr_buf_addf(b, "E:%s", m->vol->name);
		return;
	case VOL_MEMORY:
		ctr_buf_addf(b, "/run/kata-containers/sandbox/ephemeral/%s", m->vol->name);
		return;
	case VOL_PATH:
		ctr_buf_adds(b, m->vol->path);
		return;
	default:
		ctr_buf_addc(b, 'S');
	}
}

static void mount(struct rego *r, const struct mount *m)
{
	struct ctr_buf b = { 0 };

	rego_key(r, m->dest);
	rego_open(r, '[');
	mount_source(&b, m);
	rego_string(r, ctr_buf_str(&b));
	rego_string(r, m->ro ? "ro" : "rw");
	if (b.n == 1 && *b.p == 'S') {
		ctr_buf_reset(&b);
		volume_name(&b, m);
		rego_string(r, ctr_buf_str(&b));
	}
	if (b.bad)
		r->b->bad = b.bad;
	ctr_buf_free(&b);
	rego_close(r, ']');
}

static void environment(struct rego *r, const struct container *c)
{
	rego_key(r, "e");
	rego_open(r, '{');
	for (size_t i = 0; i < c->env.n; i++) {
		const struct var *v = &c->env.v[i];

		if (strcmp(v->name, "PATH") == 0 && v->val.text && strcmp(v->val.text, DEFAULT_PATH) == 0)
			continue; /* what the rules assume */
		rego_key(r, v->name);
		rego_val(r, &v->val);
	}
	rego_close(r, '}');
}

/* Mounts are private unless they stand here. */
static void propagations(struct rego *r, const struct container *c)
{
	bool open = false;

	for (size_t i = 0; i < c->n_mounts; i++) {
		if (strcmp(c->mounts[i].propagation, "rprivate") == 0)
			continue;
		if (!open) {
			rego_key(r, "mp");
			rego_open(r, '{');
			open = true;
		}
		member_string(r, c->mounts[i].dest, c->mounts[i].propagation);
	}
	if (open)
		rego_close(r, '}');
}

static void image(struct rego *r, const struct container *c)
{
	member_string(r, "img", c->place == PLACE_SANDBOX ? "pause" : c->image->pull);
}

/* dm-verity root hashes of the layers, lowest first, where they were asked for. */
static void layers(struct rego *r, const struct image *im)
{
	if (!im || im->n_layers == 0 || im->layers[0].verity_root[0] == '\0')
		return;
	rego_key(r, "vr");
	rego_open(r, '[');
	for (size_t i = 0; i < im->n_layers; i++)
		rego_string(r, im->layers[i].verity_root);
	rego_close(r, ']');
}

static void flags(struct rego *r, const struct pod *p, const struct container *c)
{
	bool app = c->place != PLACE_SANDBOX;

	member_true(r, "ro", c->read_only);
	member_true(r, "nnp", c->no_new_privs);
	member_true(r, "tty", c->tty);
	member_true(r, "in", c->in);
	member_true(r, "raw", c->unmasked);
	member_true(r, "pid", app && p->shared_pids);
	if (c->privileged) /* an older runtime makes /sys of the sandbox writable, a newer one does not */
		member_string(r, "rw", app ? "rw" : "r[ow]");
	if (*c->root_propagation)
		member_string(r, "rp", c->root_propagation);
	if (c->termination_path && strcmp(c->termination_path, "/dev/termination-log") != 0)
		member_string(r, "tp", c->termination_path);
	if (app && !p->token) {
		rego_key(r, "sa");
		rego_word(r, "false");
	}
	if (!app || !p->service_links)
		member_string(r, "svc", app ? "KUBERNETES" : "-");
	if (c->gpus) {
		rego_key(r, "gpu");
		rego_int(r, (int64_t)c->gpus);
	}
}

static void container(struct rego *r, const struct pod *p, const struct container *c)
{
	static const char *const kinds[] = { "p", "i", "s", "a" };

	rego_key(r, c->name);
	rego_open(r, '{');
	member_string(r, "k", kinds[c->place]);
	rego_key(r, "i");
	rego_int(r, (int64_t)c->order);
	image(r, c);
	layers(r, c->place == PLACE_SANDBOX ? NULL : c->image);
	rego_key(r, "a");
	list(r, &c->args);
	if (strcmp(c->cwd, "/") != 0)
		member_string(r, "cwd", c->cwd);
	user(r, c);
	capabilities(r, c);
	flags(r, p, c);
	environment(r, c);
	if (c->n_mounts) {
		rego_key(r, "m");
		rego_open(r, '{');
		for (size_t i = 0; i < c->n_mounts; i++)
			mount(r, &c->mounts[i]);
		rego_close(r, '}');
	}
	propagations(r, c);
	if (c->devices.n) {
		rego_key(r, "dev");
		strings(r, &c->devices);
	}
	if (c->n_commands) {
		rego_key(r, "x");
		rego_open(r, '[');
		for (size_t i = 0; i < c->n_commands; i++)
			list(r, &c->commands[i]);
		rego_close(r, ']');
	}
	rego_close(r, '}');
}

static void file_sizes(struct rego *r, const struct volume *v)
{
	rego_key(r, "f");
	rego_open(r, '{');
	for (size_t i = 0; i < v->n_files; i++) {
		rego_key(r, v->files[i].path);
		rego_int(r, v->files[i].size);
	}
	rego_close(r, '}');
}

/* Only what the host copies needs an entry: f one file, v files by key, d a directory, e empty. */
static void volume(struct rego *r, const struct mount *m)
{
	struct ctr_buf b = { 0 };

	volume_name(&b, m);
	rego_key(r, ctr_buf_str(&b));
	ctr_buf_free(&b);
	rego_open(r, '{');
	member_string(r, "k", m->file			  ? "f"
			      : m->vol->kind == VOL_FILES ? "v"
			      : m->vol->kind == VOL_COPY  ? "d"
							  : "e");
	if (m->file) {
		rego_key(r, "n");
		rego_int(r, m->file_size);
	} else if (m->vol->kind == VOL_FILES) {
		file_sizes(r, m->vol);
	}
	rego_close(r, '}');
}

static bool copied(const struct mount *m)
{
	return m->vol->kind == VOL_FILES || m->vol->kind == VOL_COPY || m->vol->kind == VOL_EMPTY;
}

static bool same_volume(const struct mount *a, const struct mount *b)
{
	return a->vol == b->vol && !a->file == !b->file &&
	       (!a->file || strcmp(a->file, b->file) == 0);
}

/* True when an earlier mount of the pod has the same entry. */
static bool seen(const struct pod *p, const struct mount *m)
{
	for (size_t i = 0; i < p->n; i++) {
		for (size_t k = 0; k < p->c[i].n_mounts; k++) {
			if (&p->c[i].mounts[k] == m)
				return false;
			if (same_volume(&p->c[i].mounts[k], m))
				return true;
		}
	}
	return false;
}

static void volumes(struct rego *r, const struct pod *p)
{
	rego_key(r, "v");
	rego_open(r, '{');
	for (size_t i = 0; i < p->n; i++) {
		for (size_t k = 0; k < p->c[i].n_mounts; k++) {
			const struct mount *m = &p->c[i].mounts[k];

			if (copied(m) && !seen(p, m))
				volume(r, m);
		}
	}
	rego_close(r, '}');
}

/* d.xe */
static void allowed_env(struct rego *r, const struct ctr_jval *env)
{
	struct ctr_err ignored = { 0 };
	const char *pattern;

	rego_open(r, '{');
	for (struct ctr_jval c = ctr_jfirst(env); c.v; c = ctr_jnext(&c)) {
		ctr_auto_buf struct ctr_buf b = { 0 };

		if (ctr_jstring(&c, &pattern, &ignored) < 0)
			continue;
		pattern_add(&b, pattern);
		rego_key(r, c.key);
		rego_val(r, &(struct val){ .pattern = ctr_buf_str(&b) });
		if (b.bad)
			r->b->bad = b.bad;
	}
	rego_close(r, '}');
}

/* d.xm */
static void allowed_mounts(struct rego *r, const struct ctr_jval *mounts)
{
	static const char *const keys[] = { "destination", "source", "type", "options" };
	struct ctr_err ignored = { 0 };
	const char *dest;

	rego_open(r, '{');
	for (struct ctr_jval m = ctr_jfirst(mounts); m.v; m = ctr_jnext(&m)) {
		struct ctr_jval at = ctr_jget(&m, "destination");

		if (ctr_jstring(&at, &dest, &ignored) < 0)
			continue;
		rego_key(r, dest);
		rego_open(r, '{');
		for (size_t i = 0; i < 4; i++) {
			struct ctr_jval v = ctr_jget(&m, keys[i]);

			rego_key(r, i == 2 ? "type_" : keys[i]);
			rego_json(r, &v);
		}
		rego_close(r, '}');
	}
	rego_close(r, '}');
}

/* d.x, d.xe, d.xm, d.log */
static void allowed_by_settings(struct rego *r, const struct settings *s)
{
	struct ctr_jval root = ctr_jroot(s->json), exec = ctr_jget(&root, "exec");
	struct ctr_jval env = ctr_jget(&root, "env"), mounts = ctr_jget(&root, "mounts");

	rego_key(r, "log");
	rego_word(r, s->read_logs ? "true" : "false");
	rego_key(r, "x");
	if (exec.v)
		rego_json(r, &exec);
	else
		rego_word(r, "[]");
	rego_key(r, "xe");
	allowed_env(r, &env);
	rego_key(r, "xm");
	allowed_mounts(r, &mounts);
}

static int check_key(const struct pod *p, const struct ctr_yaml_node *at, const char *key,
		     const char *what, struct ctr_err *e)
{
	if (rego_fits(key))
		return 0;
	return pod_fail(p, at, e, "policy.key", "%s is too long for a line of the policy: %.60s...", what,
			key);
}

static int check_container(const struct pod *p, const struct container *c, struct ctr_err *e)
{
	for (size_t k = 0; k < c->n_mounts; k++) {
		const struct mount *m = &c->mounts[k];
		ctr_auto_buf struct ctr_buf name = { 0 };

		volume_name(&name, m);
		if (ctr_buf_ok(&name, "volume name", e) < 0 ||
		    check_key(p, c->node, m->dest, "a mountPath", e) < 0 ||
		    check_key(p, c->node, name.p, "a volume with its subPath", e) < 0)
			return -1;
		for (size_t f = 0; f < m->vol->n_files; f++) {
			if (check_key(p, c->node, m->vol->files[f].path, "the path of a file", e) < 0)
				return -1;
		}
	}
	for (size_t k = 0; k < c->env.n; k++) {
		if (check_key(p, c->node, c->env.v[k].name, "the name of a variable", e) < 0)
			return -1;
	}
	return 0;
}

/* Keys stand on one line as they are. */
static int check_keys(const struct pod *p, struct ctr_err *e)
{
	struct ctr_jval sysctls = ctr_jroot(p->sysctls);
	const struct ctr_yaml_node *spec = p->obj->spec;

	for (size_t i = 0; i < p->annotations.n; i += 2) {
		if (check_key(p, ctr_yaml_get(p->obj->pod_meta, "annotations"), p->annotations.v[i],
			      "the name of an annotation", e) < 0)
			return -1;
	}
	for (struct ctr_jval v = ctr_jfirst(&sysctls); v.v; v = ctr_jnext(&v)) {
		if (check_key(p, ctr_yaml_get(spec, "securityContext"), v.key, "the name of a sysctl",
			      e) < 0)
			return -1;
	}
	for (size_t i = 0; i < p->n; i++) {
		if (check_container(p, &p->c[i], e) < 0)
			return -1;
	}
	return 0;
}

static void names(struct rego *r, const struct pod *p)
{
	member_string(r, "n", p->name_pattern);
	if (strcmp(p->hostname_pattern, p->name_pattern) != 0)
		member_string(r, "hr", p->hostname_pattern);
	member_string(r, "ns", p->ns_pattern);
	if (p->hostname)
		member_string(r, "h", p->hostname);
	rego_key(r, "fg");
	if (p->fs_group < 0)
		rego_word(r, "null");
	else
		rego_int(r, p->fs_group);
	if (p->annotations.n) {
		rego_key(r, "an");
		rego_open(r, '{');
		for (size_t i = 0; i < p->annotations.n; i += 2)
			member_string(r, p->annotations.v[i], p->annotations.v[i + 1]);
		rego_close(r, '}');
	}
	rego_key(r, "o");
	rego_open(r, '[');
	for (size_t i = 0; i < p->n; i++) {
		if (p->c[i].place == PLACE_INIT || p->c[i].place == PLACE_SIDECAR)
			rego_string(r, p->c[i].name);
	}
	rego_close(r, ']');
}

/* Appends the part of the rules that begins with "#% name". */
static void part(struct ctr_buf *b, const char *name)
{
	const char *at = rules_rego, *end;
	size_t n = strlen(name);

	while ((at = strstr(at, "\n#% "))) {
		at += 4;
		if (strncmp(at, name, n) == 0 && at[n] == '\n')
			break;
	}
	if (!at)
		abort(); /* the parts are named in rules.rego */
	at += n + 1;
	end = strstr(at, "\n#% ");
	ctr_buf_add(b, at, end ? (size_t)(end - at) + 1 : strlen(at));
}

static void parts(const struct pod *p, const struct settings *s, struct ctr_buf *b)
{
	/* the sandbox has no layers, the first container always has */
	bool verity = p->n > 1 && p->c[1].image->layers[0].verity_root[0];
	struct ctr_jval root = ctr_jroot(s->json), extra = ctr_jget(&root, "exec");
	bool memory = false, devices = false, exec = extra.v != NULL;

	for (size_t i = 0; i < p->n_volumes; i++)
		memory = memory || p->volumes[i].kind == VOL_MEMORY;
	for (size_t i = 0; i < p->n; i++) {
		devices = devices || p->c[i].gpus || p->c[i].devices.n;
		exec = exec || p->c[i].n_commands;
	}
	if (memory)
		part(b, "memory");
	part(b, verity ? "verity" : "no-verity");
	part(b, devices ? "devices" : "no-devices");
	part(b, exec ? "exec" : "no-exec");
}

size_t policy_rules(void)
{
	const char *end = strstr(rules_rego, "\n#% ");

	return end ? (size_t)(end - rules_rego) + 1 : rules_rego_len;
}

int policy_data(const struct pod *p, const struct settings *s, struct ctr_buf *b, struct ctr_err *e)
{
	struct ctr_jval sysctls = ctr_jroot(p->sysctls);
	struct rego r;

	if (check_keys(p, e) < 0)
		return -1;
	rego_init(&r, b);
	ctr_buf_adds(b, "d:=");
	rego_open(&r, '{');
	names(&r, p);
	rego_key(&r, "sc");
	rego_json(&r, &sysctls);
	allowed_by_settings(&r, s);
	volumes(&r, p);
	rego_key(&r, "c");
	rego_open(&r, '{');
	for (size_t i = 0; i < p->n; i++)
		container(&r, p, &p->c[i]);
	rego_close(&r, '}');
	rego_close(&r, '}');
	ctr_buf_addc(b, '\n');
	parts(p, s, b);
	return ctr_buf_ok(b, "policy", e);
}
