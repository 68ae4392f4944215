#include "bus.h"

#include <stdint.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <time.h>

#include "node.h"

#define SOCKET "/run/dbus/system_bus_socket"
#define SYSTEMD "org.freedesktop.systemd1"
#define MANAGER_PATH "/org/freedesktop/systemd1"
#define MANAGER "org.freedesktop.systemd1.Manager"
#define CALL_US ((uint64_t)25 * 1000000) /* for one answer */

struct bus {
	sd_bus *sd;
	const char *job; /* awaited */
	char result[32]; /* of it, "" until then */
};

static int fail(struct ctr_err *e, const char *what, const sd_bus_error *err, int rc)
{
	if (err && sd_bus_error_is_set(err))
		return ctr_fail(e, CTR_ENV, "restart", "%s: %s (%s)", what, err->message,
				err->name);
	return ctr_fail(e, CTR_ENV, "restart", "%s: %s", what, strerror(-rc));
}

/* The socket by its descriptor: a link of the node's does not lead out of the root, and a long
 * path does no harm. */
static int connect_to(struct bus *b, const char *root, struct ctr_err *why)
{
	ctr_auto_fd int fd = node_open(root, SOCKET);
	const char *name;
	char address[64];
	int rc;

	if (fd < 0)
		return ctr_fail_sys(why, "restart", "%s" SOCKET, root);
	snprintf(address, sizeof address, "unix:path=/proc/self/fd/%d", fd);
	rc = sd_bus_new(&b->sd);
	if (rc >= 0)
		rc = sd_bus_set_address(b->sd, address);
	if (rc >= 0)
		rc = sd_bus_set_bus_client(b->sd, 1);
	if (rc >= 0)
		rc = sd_bus_start(b->sd);
	/* waits until we are let in */
	if (rc >= 0)
		rc = sd_bus_get_unique_name(b->sd, &name);
	if (rc >= 0)
		rc = sd_bus_set_method_call_timeout(b->sd, CALL_US);
	return rc < 0 ? fail(why, SOCKET, NULL, rc) : 0;
}

static int on_job(sd_bus_message *m, void *ctx, sd_bus_error *err)
{
	const char *job, *unit, *result;
	struct bus *b = ctx;
	uint32_t id;

	(void)err;
	if (sd_bus_message_read(m, "uoss", &id, &job, &unit, &result) >= 0 && b->job &&
	    strcmp(job, b->job) == 0)
		snprintf(b->result, sizeof b->result, "%s", result);
	return 0;
}

void bus_open(const char *root, struct bus **out, struct ctr_err *why)
{
	struct bus *b = calloc(1, sizeof *b);
	int rc;

	*out = NULL;
	if (!b) {
		ctr_fail_mem(why);
		return;
	}
	rc = connect_to(b, root, why);
	if (rc == 0 && (rc = sd_bus_match_signal(b->sd, NULL, SYSTEMD, MANAGER_PATH, MANAGER,
						 "JobRemoved", on_job, b)) < 0)
		fail(why, "JobRemoved", NULL, rc);
	/* without subscribers systemd may be silent; who may not subscribe still hears of his own
	 */
	if (rc >= 0)
		sd_bus_call_method(b->sd, SYSTEMD, MANAGER_PATH, MANAGER, "Subscribe", NULL, NULL,
				   "");
	if (rc >= 0)
		*out = b;
	else
		bus_close(&b);
}

void bus_close(struct bus **b)
{
	if (*b)
		sd_bus_close_unref((*b)->sd);
	free(*b);
	*b = NULL;
}

int bus_state(struct bus *b, const char *unit, char state[BUS_STATE], struct ctr_err *e)
{
	sd_bus_message *reply = NULL;
	sd_bus_error err = SD_BUS_ERROR_NULL;
	const char *path;
	char *value = NULL;
	int rc = sd_bus_call_method(b->sd, SYSTEMD, MANAGER_PATH, MANAGER, "GetUnit", &err, &reply,
				    "s", unit);

	snprintf(state, BUS_STATE, "inactive");
	if (rc >= 0)
		rc = sd_bus_message_read(reply, "o", &path);
	if (rc >= 0)
		rc = sd_bus_get_property_string(b->sd, SYSTEMD, path, SYSTEMD ".Unit",
						"ActiveState", &err, &value);
	if (rc >= 0)
		snprintf(state, BUS_STATE, "%s", value);
	else if (sd_bus_error_has_name(&err, SYSTEMD ".NoSuchUnit"))
		rc = 0;
	else
		fail(e, unit, &err, rc);
	free(value);
	sd_bus_message_unref(reply);
	sd_bus_error_free(&err);
	return rc < 0 ? -1 : 0;
}

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static int await(struct bus *b, const char *unit, unsigned seconds, struct ctr_err *e)
{
	uint64_t until = now_us() + (uint64_t)seconds * 1000000, now;
	int rc = 0;

	while (rc >= 0 && !b->result[0]) {
		rc = sd_bus_process(b->sd, NULL);
		if (rc != 0 || b->result[0])
			continue;
		now = now_us();
		if (now >= until)
			return ctr_fail(e, CTR_ENV, "restart", "%s: not restarted in time (%u s)",
					unit, seconds);
		rc = sd_bus_wait(b->sd, until - now);
	}
	if (rc < 0)
		return fail(e, unit, NULL, rc);
	if (strcmp(b->result, "done") != 0)
		return ctr_fail(e, CTR_ENV, "restart", "%s does not come back (%s)", unit,
				b->result);
	return 0;
}

int bus_restart(struct bus *b, const char *unit, unsigned seconds, struct ctr_err *e)
{
	sd_bus_error err = SD_BUS_ERROR_NULL;
	sd_bus_message *reply = NULL;
	int rc = sd_bus_call_method(b->sd, SYSTEMD, MANAGER_PATH, MANAGER, "RestartUnit", &err,
				    &reply, "ss", unit, "replace");

	b->result[0] = '\0';
	if (rc >= 0)
		rc = sd_bus_message_read(reply, "o", &b->job);
	rc = rc < 0 ? fail(e, unit, &err, rc) : await(b, unit, seconds, e);
	b->job = NULL;
	sd_bus_message_unref(reply);
	sd_bus_error_free(&err);
	return rc;
}
