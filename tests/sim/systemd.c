/*
 * systemd ADDRESS DIR: plays systemd's manager on a bus. A unit is a file DIR/UNIT that holds its
 * state. A restart is written to DIR/calls, and does what DIR/mode says: nothing or "done";
 * "failed" (so is the unit then); "deny" (an error is the answer); "hang" (no end of the job);
 * "gone" (the job is done, but the unit is not active). DIR/hook is run before a restart is done,
 * its failure is the job's. "ready" is printed when the name is ours.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>

#define MANAGER "org.freedesktop.systemd1.Manager"
#define UNIT_PATH "/org/freedesktop/systemd1/unit/"
#define NO_UNIT "org.freedesktop.systemd1.NoSuchUnit"
#define WORD 64

static const char *dir;

static void must(int rc, const char *what)
{
	if (rc >= 0)
		return;
	fprintf(stderr, "systemd: %s: %s\n", what, strerror(-rc));
	exit(1);
}

/* The first word of DIR/name, "" when there is none. */
static bool look(const char *name, char word[WORD])
{
	char path[4096];
	FILE *f;

	word[0] = '\0';
	snprintf(path, sizeof path, "%s/%s", dir, name);
	f = fopen(path, "r");
	if (!f)
		return false;
	if (fscanf(f, "%63s", word) != 1)
		word[0] = '\0';
	fclose(f);
	return true;
}

static void note(const char *name, const char *how, const char *text)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	f = fopen(path, how);
	if (!f || fprintf(f, "%s\n", text) < 0 || fclose(f) != 0)
		must(-5, path);
}

/* The object of a unit: its name in hexadecimal. */
static void object_of(const char *unit, char path[512])
{
	size_t n = (size_t)snprintf(path, 512, UNIT_PATH);

	for (; *unit && n < 500; unit++, n += 2)
		snprintf(path + n, 512 - n, "%02x", (unsigned char)*unit);
}

static void unit_of(const char *path, char unit[WORD])
{
	size_t n = 0;
	unsigned c;

	for (path += strlen(UNIT_PATH); n < WORD - 1 && sscanf(path, "%2x", &c) == 1; path += 2)
		unit[n++] = (char)c;
	unit[n] = '\0';
}

static int get_unit(sd_bus_message *m)
{
	char state[WORD], path[512];
	const char *unit;

	must(sd_bus_message_read(m, "s", &unit), "GetUnit");
	if (!look(unit, state))
		return sd_bus_reply_method_errorf(m, NO_UNIT, "Unit %s not loaded.", unit);
	object_of(unit, path);
	return sd_bus_reply_method_return(m, "o", path);
}

static int get_property(sd_bus_message *m)
{
	char unit[WORD], state[WORD];

	unit_of(sd_bus_message_get_path(m), unit);
	look(unit, state);
	return sd_bus_reply_method_return(m, "v", "s", state);
}

static void removed(sd_bus *bus, const char *job, const char *unit, const char *result)
{
	must(sd_bus_emit_signal(bus, "/org/freedesktop/systemd1", MANAGER, "JobRemoved", "uoss", 1U,
				job, unit, result),
	     "JobRemoved");
}

static int restart(sd_bus *bus, sd_bus_message *m)
{
	static unsigned id;
	char mode[WORD], job[64], hook[4096];
	const char *unit, *how;

	must(sd_bus_message_read(m, "ss", &unit, &how), "RestartUnit");
	look("mode", mode);
	note("calls", "a", unit);
	if (strcmp(mode, "deny") == 0)
		return sd_bus_reply_method_errorf(m, "org.freedesktop.DBus.Error.AccessDenied",
						  "Not for you.");
	snprintf(job, sizeof job, "/org/freedesktop/systemd1/job/%u", ++id);
	must(sd_bus_reply_method_return(m, "o", job), "answer");
	if (strcmp(mode, "hang") == 0)
		return 1;
	/* somebody else's */
	removed(bus, "/org/freedesktop/systemd1/job/999", unit, "failed");
	snprintf(hook, sizeof hook, "[ ! -x '%s/hook' ] || '%s/hook' '%s'", dir, dir, unit);
	if (!mode[0])
		snprintf(mode, sizeof mode, "%s", system(hook) == 0 ? "done" : "failed");
	note(unit, "w", strcmp(mode, "done") == 0 ? "active" : "failed");
	removed(bus, job, unit, strcmp(mode, "gone") == 0 ? "done" : mode);
	return 1;
}

static int on_message(sd_bus_message *m, void *ctx, sd_bus_error *err)
{
	(void)err;
	if (sd_bus_message_is_method_call(m, MANAGER, "GetUnit"))
		return get_unit(m);
	if (sd_bus_message_is_method_call(m, MANAGER, "RestartUnit"))
		return restart(ctx, m);
	if (sd_bus_message_is_method_call(m, MANAGER, "Subscribe"))
		return sd_bus_reply_method_return(m, "");
	if (sd_bus_message_is_method_call(m, "org.freedesktop.DBus.Properties", "Get"))
		return get_property(m);
	return 0;
}

int main(int argc, char **argv)
{
	sd_bus *bus = NULL;

	if (argc != 3)
		return 2;
	dir = argv[2];
	must(sd_bus_new(&bus), "bus");
	must(sd_bus_set_address(bus, argv[1]), argv[1]);
	must(sd_bus_set_bus_client(bus, 1), "bus");
	must(sd_bus_start(bus), argv[1]);
	must(sd_bus_add_filter(bus, NULL, on_message, bus), "filter");
	must(sd_bus_request_name(bus, "org.freedesktop.systemd1", 0), "name");
	puts("ready");
	fflush(stdout);
	for (;;) {
		int rc = sd_bus_process(bus, NULL);

		if (rc == 0)
			rc = sd_bus_wait(bus, UINT64_MAX);
		if (rc < 0)
			return 0;
	}
}
