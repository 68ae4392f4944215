#include "settings.h"

#include <string.h>

#include "path.h"
#include "pattern.h"
#include "regodata.h"

#define MOUNTS_MAX 256

static const char *const known[] = { "pause_image", "read_logs",     "image_accounts", "exec",
				     "env",	    "mounts",	     "gpu_resources",  NULL };

static int strings(const struct ctr_jval *list, struct ctr_err *e)
{
	const char *s;

	if (ctr_jarray(list, e) < 0)
		return -1;
	for (struct ctr_jval c = ctr_jfirst(list); c.v; c = ctr_jnext(&c)) {
		if (ctr_jstring(&c, &s, e) < 0)
			return -1;
	}
	return 0;
}

static int check_exec(const struct ctr_jval *list, struct ctr_err *e)
{
	if (ctr_jarray(list, e) < 0)
		return -1;
	for (struct ctr_jval c = ctr_jfirst(list); c.v; c = ctr_jnext(&c)) {
		if (strings(&c, e) < 0)
			return -1;
		if (ctr_jcount(&c) == 0)
			return ctr_jfail(&c, e, "settings.exec", "an empty command");
	}
	return 0;
}

static int check_env(const struct ctr_jval *map, struct ctr_err *e)
{
	struct ctr_err why = { 0 };
	const char *s;

	if (ctr_jobject(map, e) < 0)
		return -1;
	for (struct ctr_jval c = ctr_jfirst(map); c.v; c = ctr_jnext(&c)) {
		if (*c.key == '\0' || strchr(c.key, '=') || !rego_fits(c.key))
			return ctr_jfail(&c, e, "settings.env", "not the name of a variable");
		if (ctr_jstring(&c, &s, e) < 0)
			return -1;
		if (pattern_check(s, &why) < 0)
			return ctr_jfail(&c, e, why.id, "%s", why.msg);
	}
	return 0;
}

/*
 * The rules give other sources a meaning: S is what the host copies, E: an encrypted volume, and the agent's own
 * directory has the pod's volumes.
 */
static bool plain_source(const char *s)
{
	if (*s == '/')
		return path_is_clean(s) && strncmp(s, "/run/kata-containers/", 21) != 0;
	return *s && s[strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_-")] == '\0';
}

static int check_mount(const struct ctr_jval *m, struct ctr_err *e)
{
	static const char *const keys[] = { "destination", "type", "source", "options", NULL };
	struct ctr_jval dest = ctr_jget(m, "destination"), type = ctr_jget(m, "type");
	struct ctr_jval source = ctr_jget(m, "source"), options = ctr_jget(m, "options");
	const char *s;

	if (ctr_jobject(m, e) < 0 || ctr_jonly(m, keys, e) < 0 || ctr_jstring(&type, &s, e) < 0 ||
	    strings(&options, e) < 0 || ctr_jstring(&source, &s, e) < 0)
		return -1;
	if (!plain_source(s))
		return ctr_jfail(&source, e, "settings.mount",
				 "neither a clean absolute path nor the name of a file system");
	if (ctr_jstring(&dest, &s, e) < 0)
		return -1;
	if (!path_is_clean(s) || !rego_fits(s))
		return ctr_jfail(&dest, e, "settings.mount", "not a clean absolute path below /");
	return 0;
}

/* True when an earlier mount of the list has the same destination; both are strings. */
static bool repeated(const struct ctr_jval *list, const struct ctr_jval *m)
{
	struct ctr_jval dest = ctr_jget(m, "destination");
	const char *a = NULL, *b = NULL;
	struct ctr_err ignored = { 0 };

	for (struct ctr_jval c = ctr_jfirst(list); c.v && c.v != m->v; c = ctr_jnext(&c)) {
		struct ctr_jval other = ctr_jget(&c, "destination");

		if (ctr_jstring(&dest, &a, &ignored) < 0 || ctr_jstring(&other, &b, &ignored) < 0 ||
		    strcmp(a, b) == 0)
			return true;
	}
	return false;
}

static int check_mounts(const struct ctr_jval *list, struct ctr_err *e)
{
	if (ctr_jarray(list, e) < 0)
		return -1;
	if (ctr_jcount(list) > MOUNTS_MAX)
		return ctr_jfail(list, e, "limit", "more than %d mounts", MOUNTS_MAX);
	for (struct ctr_jval m = ctr_jfirst(list); m.v; m = ctr_jnext(&m)) {
		if (check_mount(&m, e) < 0)
			return -1;
		if (repeated(list, &m))
			return ctr_jfail(&m, e, "settings.mount", "two mounts at one destination");
	}
	return 0;
}

static int check(struct settings *s, const struct ctr_jval *root, struct ctr_err *e)
{
	struct ctr_jval pause = ctr_jget(root, "pause_image"), logs = ctr_jget(root, "read_logs");
	struct ctr_jval exec = ctr_jget(root, "exec"), env = ctr_jget(root, "env");
	struct ctr_jval accounts = ctr_jget(root, "image_accounts");
	struct ctr_jval mounts = ctr_jget(root, "mounts"), gpus = ctr_jget(root, "gpu_resources");

	if (ctr_jobject(root, e) < 0 || ctr_jonly(root, known, e) < 0)
		return -1;
	if ((pause.v && ctr_jstring(&pause, &s->pause_image, e) < 0) ||
	    (logs.v && ctr_jbool(&logs, &s->read_logs, e) < 0) ||
	    (accounts.v && ctr_jbool(&accounts, &s->image_accounts, e) < 0) ||
	    (exec.v && check_exec(&exec, e) < 0) || (env.v && check_env(&env, e) < 0) ||
	    (gpus.v && strings(&gpus, e) < 0) || (mounts.v && check_mounts(&mounts, e) < 0))
		return -1;
	return 0;
}

int settings_load(const char *path, struct settings *s, struct ctr_err *e)
{
	struct ctr_jval root;

	*s = (struct settings){ .image_accounts = true };
	if (!path)
		return 0;
	if (ctr_json_load(path, (size_t)1 << 20, &s->json, e) < 0)
		return -1;
	root = ctr_jroot(s->json);
	return check(s, &root, e) < 0 ? ctr_wrap(e, "%s", path) : 0;
}

void settings_free(struct settings *s)
{
	ctr_json_free(s->json);
	*s = (struct settings){ 0 };
}

bool settings_gpu(const struct settings *s, const char *resource)
{
	struct ctr_jval root = ctr_jroot(s->json), list = ctr_jget(&root, "gpu_resources");
	struct ctr_err ignored = { 0 };
	const char *name;

	if (!list.v)
		return strcmp(resource, "nvidia.com/pgpu") == 0;
	for (struct ctr_jval c = ctr_jfirst(&list); c.v; c = ctr_jnext(&c)) {
		if (ctr_jstring(&c, &name, &ignored) == 0 && strcmp(name, resource) == 0)
			return true;
	}
	return false;
}
