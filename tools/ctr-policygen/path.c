#include "path.h"

#include <string.h>

/* True for "." and "..", which lead elsewhere than they say. */
static bool dots(const char *s, size_t n)
{
	return (n == 1 && s[0] == '.') || (n == 2 && s[0] == '.' && s[1] == '.');
}

const char *path_clean(struct arena *a, const char *path)
{
	struct ctr_buf b = { 0 };

	if (*path != '/')
		return NULL;
	while (*path) {
		size_t n;

		path += strspn(path, "/");
		n = strcspn(path, "/");
		if (n == 0)
			break;
		if (dots(path, n)) {
			ctr_buf_free(&b);
			return NULL;
		}
		ctr_buf_addc(&b, '/');
		ctr_buf_add(&b, path, n);
		path += n;
	}
	if (b.n == 0)
		ctr_buf_addc(&b, '/');
	return arena_buf(a, &b);
}

bool path_is_clean(const char *path)
{
	if (*path != '/')
		return false;
	while (*path) {
		size_t n = strcspn(path + 1, "/");

		if (n == 0 || dots(path + 1, n))
			return false;
		path += 1 + n;
	}
	return true;
}
