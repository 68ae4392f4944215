/* What a container runs: its arguments, and the commands of its probes and hooks. */
#include <string.h>

#include "pod.h"

/* All strings of a sequence; *n 0 and v NULL when it is absent. */
static int strings(struct pod *p, const struct ctr_yaml_node *map, const char *key, struct strs *out,
		   struct ctr_err *e)
{
	const struct ctr_yaml_node *list, *s;

	*out = (struct strs){ 0 };
	if (ctr_yaml_seq(p->y, map, key, &list, e) < 0)
		return -1;
	for (size_t i = 0; (s = ctr_yaml_at(list, i, NULL)); i++) {
		size_t n;
		const char *text = ctr_yaml_text(s, &n), **to;

		if (!text || ctr_yaml_type(s) != CTR_YAML_STR || strlen(text) != n)
			return pod_fail(p, s, e, "yaml.type", "%s: expected a string", key);
		to = ARENA_PUSH(&p->mem, out->v, out->n);
		if (!to)
			return ctr_fail_mem(e);
		*to = text;
	}
	return 0;
}

static int add_args(struct pod *p, struct vals *to, const char *const *v, size_t n,
		    val_lookup look, void *ctx, struct ctr_err *e)
{
	for (size_t i = 0; i < n; i++) {
		struct val *val = ARENA_PUSH(&p->mem, to->v, to->n);

		if (!val)
			return ctr_fail_mem(e);
		if (!look)
			val->text = v[i];
		else if (val_expand(&p->mem, v[i], look, ctx, val, e) < 0)
			return -1;
	}
	return 0;
}

/* command and args see envFrom and env, not the image's variables. */
static const struct val *of_pod(void *ctx, const char *name, size_t n)
{
	const struct container *c = ctx;
	const struct var *v = var_find(&c->env, name, n);

	return v && v->of_pod ? &v->val : NULL;
}

static int arguments(struct pod *p, struct container *c, struct ctr_err *e)
{
	const struct ctr_oci_config *im = &c->image->config;
	struct strs command, args;

	if (strings(p, c->node, "command", &command, e) < 0 ||
	    strings(p, c->node, "args", &args, e) < 0)
		return -1;
	if (command.n) {
		if (add_args(p, &c->args, command.v, command.n, of_pod, c, e) < 0)
			return -1;
	} else if (add_args(p, &c->args, (const char *const *)im->entrypoint.v, im->entrypoint.n,
			    NULL, NULL, e) < 0) {
		return -1;
	}
	if (args.n) {
		if (add_args(p, &c->args, args.v, args.n, of_pod, c, e) < 0)
			return -1;
	} else if (!command.n && add_args(p, &c->args, (const char *const *)im->cmd.v, im->cmd.n,
					  NULL, NULL, e) < 0) {
		return -1;
	}
	if (c->args.n == 0)
		return pod_fail(p, c->node, e, "container.command",
				"container \"%s\" has no command, and its image has none", c->name);
	return 0;
}

/* A probe's command sees the entries of env with their text as written; those with valueFrom are empty. */
static const struct val *as_written(void *ctx, const char *name, size_t n)
{
	struct container *c = ctx;
	const struct var *v = var_find(&c->env, name, n);

	return v && v->in_env ? &v->written : NULL;
}

static int handler(struct pod *p, struct container *c, const struct ctr_yaml_node *h, bool probe,
		   struct ctr_err *e)
{
	const struct ctr_yaml_node *exec;
	struct strs command;
	struct vals *to;

	if (ctr_yaml_map(p->y, h, "exec", &exec, e) < 0)
		return -1;
	if (!exec)
		return 0;
	if (strings(p, exec, "command", &command, e) < 0)
		return -1;
	if (command.n == 0)
		return pod_fail(p, exec, e, "container.exec", "exec without a command");
	to = ARENA_PUSH(&p->mem, c->commands, c->n_commands);
	if (!to)
		return ctr_fail_mem(e);
	return add_args(p, to, command.v, command.n, probe ? as_written : NULL, c, e);
}

int container_commands(struct pod *p, struct container *c, struct ctr_err *e)
{
	static const char *const probes[] = { "startupProbe", "livenessProbe", "readinessProbe" };
	static const char *const hooks[] = { "postStart", "preStop" };
	const struct ctr_yaml_node *h, *life;

	if (arguments(p, c, e) < 0)
		return -1;
	for (size_t i = 0; i < 3; i++) {
		if (ctr_yaml_map(p->y, c->node, probes[i], &h, e) < 0 ||
		    handler(p, c, h, true, e) < 0)
			return -1;
	}
	if (ctr_yaml_map(p->y, c->node, "lifecycle", &life, e) < 0)
		return -1;
	for (size_t i = 0; i < 2; i++) {
		if (ctr_yaml_map(p->y, life, hooks[i], &h, e) < 0 || handler(p, c, h, false, e) < 0)
			return -1;
	}
	return 0;
}
