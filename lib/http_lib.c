#include "http_lib.h"

#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

/*
 * libcurl brings some thirty libraries along, several milliseconds of every start, and most runs
 * need no network. So it is not linked.
 */
static struct {
	pthread_once_t once;
	bool ok;
	char why[128];
	struct ctr_http_lib fn;
} lib = { .once = PTHREAD_ONCE_INIT };

static bool symbol(void *so, const char *name, void *fn)
{
	void *p = dlsym(so, name);

	memcpy(fn, &p, sizeof p); /* C has no cast from an object to a function pointer */
	return p;
}

static void load(void)
{
	void *so = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
	const char *why = so ? NULL : dlerror();

#define X(f)                                                 \
	if (so && !why && !symbol(so, "curl_" #f, &lib.fn.f)) \
		why = "libcurl.so.4 lacks curl_" #f;
	CTR_HTTP_LIB(X)
#undef X
	if (!why && lib.fn.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		why = "libcurl.so.4 does not start";
	lib.ok = !why;
	ctr_escape(lib.why, sizeof lib.why, why ? why : "", why ? strlen(why) : 0);
}

const struct ctr_http_lib *ctr_http_lib(struct ctr_err *e)
{
	pthread_once(&lib.once, load);
	if (lib.ok)
		return &lib.fn;
	ctr_fail(e, CTR_ENV, "http.library", "no network without libcurl: %s", lib.why);
	ctr_err_fix(e, "install libcurl4");
	return NULL;
}
