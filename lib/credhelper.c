#include "credhelper.h"

#include <string.h>

#include "spawn.h"

#define OUTPUT_MAX ((size_t)64 * 1024)

int ctr_credhelper_get(const char *name, const char *server, unsigned seconds, struct ctr_buf *out,
		       bool *found, struct ctr_err *e)
{
	static const char none[] = "credentials not found";
	const char *letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
	char prog[128];
	const char *argv[] = { prog, "get", NULL };
	const struct ctr_spawn s = { .argv = argv,
				     .in = server,
				     .out = out,
				     .quiet = true,
				     .seconds = seconds,
				     .id = "registry.helper" };
	int status = 0;

	*found = false;
	out->max = OUTPUT_MAX;
	if (!*name || strlen(name) > 64 || name[strspn(name, letters)])
		return ctr_fail(e, CTR_FORMAT, "registry.credentials",
				"\"%s\": not the name of a credential helper", name);
	snprintf(prog, sizeof prog, "docker-credential-%s", name);
	if (ctr_spawn(&s, &status, e) < 0)
		return -1;
	*found = status == 0;
	if (*found || (out->n >= sizeof none - 1 && strncmp(out->p, none, sizeof none - 1) == 0))
		return 0;
	return ctr_fail(e, CTR_ENV, "registry.helper", "%s: failed for %s (status %d)", prog,
			server, status);
}
