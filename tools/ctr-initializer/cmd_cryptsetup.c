#include "cmd.h"
#include "guard.h"
#include "volume.h"

enum { DEVICE = 1, MOUNT, NAME, OUTPUT, INTEGRITY, FORMAT, EXISTING, STAY, READY };

static const struct ctr_opt table[] = {
	{ DEVICE, "device", 'd', "PATH", "the block device" },
	{ MOUNT, "mount", 'm', "DIR", "where it is mounted" },
	{ NAME, "name", 0, "NAME", "of the volume (default: from the mount point)" },
	{ OUTPUT, "output", 'o', "DIR", "where join put the secret (default " OUTPUT_DEFAULT ")" },
	{ INTEGRITY, "integrity", 0, NULL, "notice what was changed on the device" },
	{ FORMAT, "format", 0, NULL, "make a volume also where something else is" },
	{ EXISTING, "existing", 0, NULL, "never make one" },
	{ STAY, "stay", 0, NULL, "stay until TERM, then unmount" },
	{ READY, "ready", 0, "DIR", "only say whether a volume is mounted there" },
	{ 0 },
};

struct args {
	struct volume v;
	const char *ready;
	bool stay;
};

static int on_opt(void *ctx, int id, const char *value, struct ctr_err *e)
{
	struct args *a = ctx;
	struct volume *v = &a->v;

	(void)e;
	switch (id) {
	case DEVICE:
		v->device = value;
		return 0;
	case MOUNT:
		v->mount = value;
		return 0;
	case NAME:
		v->name = value;
		return 0;
	case OUTPUT:
		v->output = value;
		return 0;
	case INTEGRITY:
		v->integrity = true;
		return 0;
	case FORMAT:
		v->format = true;
		return 0;
	case EXISTING:
		v->existing = true;
		return 0;
	case STAY:
		a->stay = true;
		return 0;
	default:
		a->ready = value;
		return 0;
	}
}

static int check_args(struct volume *v, char name[VOLUME_NAME_MAX + 1], struct ctr_err *e)
{
	if (!v->device || !v->mount)
		return ctr_fail(e, CTR_USAGE, "usage", "--device and --mount are needed");
	if (v->format && v->existing)
		return ctr_fail(e, CTR_USAGE, "usage", "--format or --existing, not both");
	if (!v->name && !volume_name(v->mount, name))
		return ctr_fail(e, CTR_USAGE, "usage", "--mount=%s: gives no name: use --name",
				v->mount);
	if (!v->name)
		v->name = name;
	if (!volume_name_sound(v->name))
		return ctr_fail(e, CTR_USAGE, "usage",
				"--name=%s (expected letters, digits, \"_.-\", at most %d)",
				v->name, VOLUME_NAME_MAX);
	return 0;
}

int cmd_cryptsetup(struct ctr_tool *t, int argc, char **argv, struct ctr_buf *out,
		   struct ctr_err *e)
{
	struct args a = { .v = { .output = OUTPUT_DEFAULT, .log = &t->log } };
	char name[VOLUME_NAME_MAX + 1];
	int first;

	(void)out;
	t->synopsis = "--device PATH --mount DIR [options]";
	t->summary = "Opens and mounts a volume that is encrypted by the workload secret.";
	t->example = "ctr-initializer cryptsetup --device /dev/vdb --mount /data";
	t->opts = table;
	if (ctr_tool_opts(t, argc, argv, on_opt, &a, &first, e) < 0 || t->served)
		return t->served ? 0 : -1;
	if (first < argc)
		return ctr_fail(e, CTR_USAGE, "usage", "%s: no operands", argv[first]);
	if (a.ready)
		return volume_ready(a.ready, e);
	if (check_args(&a.v, name, e) < 0 || ctr_tool_guard(e) < 0)
		return -1;
	if (!a.stay)
		return volume_run(&a.v, e);
	guard_delay_end();
	if (volume_run(&a.v, e) < 0)
		return -1;
	guard_wait_end();
	return volume_end(&a.v, e);
}
