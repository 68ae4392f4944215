#include "luks_lib.h"

#include <dlfcn.h>
#include <string.h>

#define SO "libcryptsetup.so.12"

/* It brings eight libraries along, and an image that only joins need not have them. So it is not
 * linked. */
static struct luks_lib lib;
static bool loaded;

static bool symbol(void *so, const char *name, void *fn)
{
	void *p = dlsym(so, name);

	memcpy(fn, &p, sizeof p); /* C has no cast from an object to a function pointer */
	return p;
}

const struct luks_lib *luks_lib(struct ctr_err *e)
{
	void *so = loaded ? NULL : dlopen(SO, RTLD_NOW | RTLD_LOCAL);
	const char *why = loaded || so ? NULL : dlerror();

#define X(f)                                                                                       \
	if (so && !why && !symbol(so, "crypt_" #f, &lib.f))                                        \
		why = SO " lacks crypt_" #f;
	LUKS_LIB(X)
#undef X
	if (!why) {
		loaded = true;
		return &lib;
	}
	ctr_fail(e, CTR_ENV, "luks.library", "no volumes without libcryptsetup: %s", why);
	ctr_err_fix(e, "install libcryptsetup12");
	return NULL;
}
