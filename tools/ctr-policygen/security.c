/* Privileges of a container. */
#include <string.h>

#include "pod.h"

static const char *const defaults[] = {
	"AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE",
	"NET_RAW", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT",
};

static const char *const others[] = {
	"AUDIT_CONTROL", "AUDIT_READ", "BLOCK_SUSPEND", "BPF", "CHECKPOINT_RESTORE", "DAC_READ_SEARCH",
	"IPC_LOCK", "IPC_OWNER", "LEASE", "LINUX_IMMUTABLE", "MAC_ADMIN", "MAC_OVERRIDE", "NET_ADMIN",
	"NET_BROADCAST", "PERFMON", "SYSLOG", "SYS_ADMIN", "SYS_BOOT", "SYS_MODULE", "SYS_NICE",
	"SYS_PACCT", "SYS_PTRACE", "SYS_RAWIO", "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG",
	"WAKE_ALARM",
};
#define N_DEFAULT (sizeof defaults / sizeof *defaults)
#define N_ALL (N_DEFAULT + sizeof others / sizeof *others)

static const char *capability(size_t i)
{
	return i < N_DEFAULT ? defaults[i] : others[i - N_DEFAULT];
}

static int index_of(const char *name)
{
	if (strncmp(name, "CAP_", 4) == 0)
		name += 4;
	for (size_t i = 0; i < N_ALL; i++) {
		if (strcmp(name, capability(i)) == 0)
			return (int)i;
	}
	return -1;
}

static bool is_all(const char *s)
{
	return s && (strcmp(s, "ALL") == 0 || strcmp(s, "CAP_ALL") == 0);
}

/* `all` looks for ALL only, otherwise for single names. */
static int apply(struct pod *p, const struct ctr_yaml_node *list, bool all, bool value, bool *has,
		 struct ctr_err *e)
{
	const struct ctr_yaml_node *n;

	for (size_t i = 0; (n = ctr_yaml_at(list, i, NULL)); i++) {
		const char *s = ctr_yaml_text(n, NULL);
		int at = s ? index_of(s) : -1;

		if (at < 0 && !is_all(s))
			return pod_fail(p, n, e, "security.capability", "unknown capability \"%s\"",
					s ? s : "");
		if (all != is_all(s))
			continue;
		for (size_t k = 0; k < N_ALL; k++) {
			if (all || k == (size_t)at)
				has[k] = value;
		}
	}
	return 0;
}

static int by_name(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return strcmp(*x, *y);
}

static int keep(struct pod *p, struct container *c, const bool *has, struct ctr_err *e)
{
	c->default_caps = true;
	for (size_t i = 0; i < N_ALL; i++) {
		const char **to;

		if (has[i] != (i < N_DEFAULT))
			c->default_caps = false;
		if (!has[i])
			continue;
		to = ARENA_PUSH(&p->mem, c->caps.v, c->caps.n);
		if (!to)
			return ctr_fail_mem(e);
		*to = capability(i);
	}
	if (c->caps.n)
		qsort(c->caps.v, c->caps.n, sizeof *c->caps.v, by_name);
	return 0;
}

/* ALL first, then single adds, then single drops, as containerd does it. */
static int capabilities(struct pod *p, struct container *c, const struct ctr_yaml_node *sc,
			struct ctr_err *e)
{
	const struct ctr_yaml_node *caps, *add, *drop;
	bool has[N_ALL];

	for (size_t i = 0; i < N_ALL; i++)
		has[i] = c->privileged || i < N_DEFAULT;
	if (ctr_yaml_map(p->y, sc, "capabilities", &caps, e) < 0 ||
	    ctr_yaml_seq(p->y, caps, "add", &add, e) < 0 ||
	    ctr_yaml_seq(p->y, caps, "drop", &drop, e) < 0)
		return -1;
	if (!c->privileged &&
	    (apply(p, add, true, true, has, e) < 0 || apply(p, drop, true, false, has, e) < 0 ||
	     apply(p, add, false, true, has, e) < 0 || apply(p, drop, false, false, has, e) < 0))
		return -1;
	return keep(p, c, has, e);
}

int container_security(struct pod *p, struct container *c, struct ctr_err *e)
{
	const struct ctr_yaml_node *sc;
	const char *proc;
	bool escalation;

	if (ctr_yaml_map(p->y, c->node, "securityContext", &sc, e) < 0 ||
	    ctr_yaml_bool(p->y, sc, "privileged", false, &c->privileged, e) < 0 ||
	    ctr_yaml_bool(p->y, sc, "readOnlyRootFilesystem", false, &c->read_only, e) < 0 ||
	    ctr_yaml_bool(p->y, sc, "allowPrivilegeEscalation", true, &escalation, e) < 0 ||
	    ctr_yaml_str(p->y, sc, "procMount", &proc, e) < 0)
		return -1;
	c->no_new_privs = !escalation;
	c->unmasked = c->privileged || (proc && strcmp(proc, "Unmasked") == 0);
	return capabilities(p, c, sc, e);
}
