#include "units.h"

#include <string.h>

#include "bus.h"
#include "spawn.h"

#define UNITS (sizeof((struct node_kind *)NULL)->units / sizeof(char *))
#define WORD_MAX ((size_t)4096)

/* bus NULL: by the program. */
struct manager {
	const struct units *u;
	struct bus *bus;
};

static int systemctl(const struct units *u, const char *verb, const char *unit, struct ctr_buf *out,
		     int *status, struct ctr_err *e)
{
	const char *own[] = { u->systemctl ? u->systemctl : "systemctl", verb, unit, NULL };
	const char *enter[] = { "nsenter", "--target", "1",  "--mount", "--",
				own[0],	   verb,       unit, NULL };
	const struct ctr_spawn s = { .argv = !u->systemctl && u->node->root[0] ? enter : own,
				     .out = out,
				     .seconds = u->seconds,
				     .id = "restart" };

	return ctr_spawn(&s, status, e);
}

/* The program says it by a word, and by its status: 0 active, 3 not, 4 no such unit. Anything else
 * is nsenter's: systemd was not asked, and a node whose containerd may run must not pass for one
 * where it does not. */
static int told(const struct units *u, const char *unit, char state[BUS_STATE], struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf out = { .max = WORD_MAX };
	int status = 0;

	if (systemctl(u, "is-active", unit, &out, &status, e) < 0)
		return -1;
	if (status != 0 && status != 3 && status != 4 && !out.n)
		return ctr_fail(e, CTR_ENV, "restart", "systemd cannot be asked for %s (status %d)",
				unit, status);
	snprintf(state, BUS_STATE, "%.*s", (int)strcspn(ctr_buf_str(&out), "\n"),
		 ctr_buf_str(&out));
	if (status == 0 || !state[0])
		snprintf(state, BUS_STATE, "%s", status == 0 ? "active" : "inactive");
	return 0;
}

static int state_of(const struct manager *m, const char *unit, char state[BUS_STATE],
		    struct ctr_err *e)
{
	return m->bus ? bus_state(m->bus, unit, state, e) : told(m->u, unit, state, e);
}

static void announce(const struct units *u, const char *unit)
{
	bool api = strncmp(unit, "k3s", 3) == 0 || strncmp(unit, "rke2", 4) == 0 ||
		   strncmp(unit, "k0s", 3) == 0;

	ctr_log(u->log, api ? CTR_WARN : CTR_INFO, "restart.impact", NULL, 0, 0,
		"%s is restarted%s", unit,
		api ? ": what else it runs on this node (kubelet, on servers the API) pauses" : "");
}

static int restart_one(const struct manager *m, const char *unit, struct ctr_err *e)
{
	char state[BUS_STATE];
	int status = 0;

	announce(m->u, unit);
	if ((m->bus ? bus_restart(m->bus, unit, m->u->seconds, e)
		    : systemctl(m->u, "restart", unit, NULL, &status, e)) < 0)
		return -1;
	if (status != 0)
		return ctr_fail(e, CTR_ENV, "restart", "%s does not come back (status %d)", unit,
				status);
	if (state_of(m, unit, state, e) < 0)
		return -1;
	if (strcmp(state, "active") != 0 && strcmp(state, "reloading") != 0)
		return ctr_fail(e, CTR_ENV, "restart", "%s does not come back (%s)", unit, state);
	return 0;
}

/* One that failed was meant to run: perhaps it was our change that kept it from that. */
static bool runs(const char *state)
{
	return strcmp(state, "inactive") != 0 && strcmp(state, "unknown") != 0;
}

int units_restart(const struct units *u, bool *any, struct ctr_err *e)
{
	auto_bus struct bus *bus = NULL;
	struct manager m = { .u = u };
	struct ctr_err why = { 0 };

	*any = false;
	if (u->off)
		return 0;
	if (!u->systemctl)
		bus_open(u->node->root, &bus, &why);
	m.bus = bus;
	if (!u->systemctl && !bus)
		ctr_log(u->log, CTR_INFO, "restart.bus", NULL, 0, 0, "no D-Bus: %s", why.msg);
	for (size_t i = 0; i < UNITS && u->node->kind->units[i]; i++) {
		const char *unit = u->node->kind->units[i];
		char state[BUS_STATE];

		if (state_of(&m, unit, state, e) < 0)
			return -1;
		if (!runs(state))
			continue;
		*any = true;
		if (restart_one(&m, unit, e) < 0)
			return -1;
	}
	if (!*any)
		ctr_log(u->log, CTR_WARN, "restart.none", NULL, 0, 0,
			"no unit of %s is active: the change counts from its next start",
			u->node->kind->name);
	return 0;
}
