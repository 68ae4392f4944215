/* What a policy allows, for people: --explain. Values of variables are never shown, the text ends up in tickets. */
#include <string.h>

#include "policy.h"

static void words(struct ctr_buf *b, const char *label, const struct vals *vs)
{
	ctr_buf_addf(b, "    %-12s", label);
	for (size_t i = 0; i < vs->n; i++) {
		ctr_buf_addc(b, ' ');
		if (vs->v[i].text)
			ctr_json_quote(b, vs->v[i].text, strlen(vs->v[i].text));
		else
			ctr_buf_addf(b, "/%s/", vs->v[i].pattern);
	}
	ctr_buf_addc(b, '\n');
}

static void strings(struct ctr_buf *b, const char *label, const struct strs *s)
{
	if (s->n == 0)
		return;
	ctr_buf_addf(b, "    %-12s", label);
	for (size_t i = 0; i < s->n; i++)
		ctr_buf_addf(b, " %s", s->v[i]);
	ctr_buf_addc(b, '\n');
}

static void user(struct ctr_buf *b, const struct container *c)
{
	ctr_buf_addf(b, "    %-12s %lld, group %lld, groups", "user", (long long)c->uid,
		     (long long)c->gid);
	for (size_t i = 0; i < c->n_gids; i++)
		ctr_buf_addf(b, " %lld", (long long)c->gids[i]);
	ctr_buf_addc(b, '\n');
}

static void privileges(struct ctr_buf *b, const struct container *c)
{
	const struct {
		bool yes;
		const char *word;
	} flags[] = {
		{ c->privileged, " privileged" },
		{ c->no_new_privs, " no-new-privileges" },
		{ c->read_only, " read-only-root" },
		{ c->unmasked, " unmasked-proc" },
		{ c->tty, " tty" },
		{ c->in, " stdin" },
	};

	ctr_buf_addf(b, "    %-12s%s", "privileges",
		     c->default_caps ? " default capabilities" : " capabilities below");
	for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
		ctr_buf_adds(b, flags[i].yes ? flags[i].word : "");
	ctr_buf_addc(b, '\n');
	if (!c->default_caps && c->caps.n == 0)
		ctr_buf_addf(b, "    %-12s none\n", "capabilities");
	else if (!c->default_caps)
		strings(b, "capabilities", &c->caps);
}

static void variables(struct ctr_buf *b, const struct container *c)
{
	ctr_buf_addf(b, "    %-12s", "environment");
	for (size_t i = 0; i < c->env.n; i++)
		ctr_buf_addf(b, " %s%s", c->env.v[i].name, c->env.v[i].val.text ? "" : "~");
	ctr_buf_addc(b, '\n');
}

static const char *content(const struct mount *m)
{
	switch (m->vol->kind) {
	case VOL_DISK:
		return "emptyDir, encrypted by the guest";
	case VOL_MEMORY:
		return "emptyDir in the guest's memory";
	case VOL_FILES:
		return m->file ? "one file of a ConfigMap or Secret: the host's word"
			       : "files of known names: the host's word";
	case VOL_COPY:
		return "a copy of the host's directory: the host's word";
	case VOL_PATH:
		return "a path of the guest";
	case VOL_EMPTY:
		return "the image's VOLUME, held empty";
	}
	return "";
}

static void mounts(struct ctr_buf *b, const struct container *c)
{
	for (size_t i = 0; i < c->n_mounts; i++) {
		const struct mount *m = &c->mounts[i];

		ctr_buf_addf(b, "    %-12s %s (%s%s%s) %s: %s\n", i ? "" : "mounts", m->dest,
			     m->ro ? "ro" : "rw", strcmp(m->propagation, "rprivate") ? ", " : "",
			     strcmp(m->propagation, "rprivate") ? m->propagation : "", m->vol->name,
			     content(m));
	}
}

static void one(struct ctr_buf *b, const struct pod *p, const struct container *c)
{
	static const char *const kinds[] = { "sandbox", "init container", "sidecar", "container" };

	ctr_buf_addf(b, "  %s %s\n", kinds[c->place], c->name);
	ctr_buf_addf(b, "    %-12s %s\n", "image",
		     c->place == PLACE_SANDBOX ? "the guest's own pause" : c->image->pull);
	words(b, "command", &c->args);
	ctr_buf_addf(b, "    %-12s %s\n", "directory", c->cwd);
	user(b, c);
	privileges(b, c);
	variables(b, c);
	mounts(b, c);
	strings(b, "devices", &c->devices);
	if (c->gpus)
		ctr_buf_addf(b, "    %-12s %llu\n", "GPUs", (unsigned long long)c->gpus);
	for (size_t i = 0; i < c->n_commands; i++)
		words(b, i ? "" : "exec", &c->commands[i]);
	if (c->place != PLACE_SANDBOX)
		ctr_buf_addf(b, "    %-12s%s%s\n", "also",
			     p->token ? " service account token," : "",
			     p->service_links ? " variables of services" : " variables of service kubernetes");
}

/* Files that the host copies in, with the sizes that it must keep. */
static void files(struct ctr_buf *b, const struct pod *p)
{
	for (size_t i = 0; i < p->n_volumes; i++) {
		const struct volume *v = &p->volumes[i];

		if (v->kind != VOL_FILES)
			continue;
		ctr_buf_addf(b, "  files of volume %s\n", v->name);
		for (size_t k = 0; k < v->n_files; k++) {
			ctr_buf_addf(b, "    %s, ", v->files[k].path);
			if (v->files[k].size >= 0)
				ctr_buf_addf(b, "%lld bytes\n", (long long)v->files[k].size);
			else
				ctr_buf_adds(b, "up to 1048576 bytes\n");
		}
	}
}

int policy_explain(const struct pod *p, const struct settings *s, struct ctr_buf *b, struct ctr_err *e)
{
	ctr_buf_addf(b, "%s\n", p->title);
	ctr_buf_addf(b, "  pod name     /%s/\n  hostname     /%s/\n  namespace    /%s/\n", p->name_pattern,
		     p->hostname_pattern, p->ns_pattern);
	if (p->fs_group >= 0)
		ctr_buf_addf(b, "  fsGroup      %lld\n", (long long)p->fs_group);
	for (size_t i = 0; i < p->n; i++)
		one(b, p, &p->c[i]);
	files(b, p);
	ctr_buf_addf(b, "  logs         %s\n",
		     s->read_logs ? "the host reads them" : "hidden from the host");
	ctr_buf_adds(b, "  A name with ~ stands for a value that only the cluster knows: it is held to a pattern.\n"
			"  Containers run in this order; init containers end, and sidecars run, before what follows.\n"
			"  The host writes /etc/hosts, /etc/resolv.conf, /etc/hostname and the token, can end any\n"
			"  container at any time, and carries all network traffic.\n");
	return ctr_buf_ok(b, "explanation", e);
}
