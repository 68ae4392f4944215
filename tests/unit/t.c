#include "t.h"

#include <unistd.h>

#include "file.h"

const char *t_shared(const char *sub)
{
	static char path[512];
	const char *base = getenv("SHARED");

	snprintf(path, sizeof path, "%s/%s", base ? base : "../shared", sub);
	if (access(path, R_OK) < 0) {
		print_message("skip: %s is absent\n", path);
		skip();
	}
	return path;
}

struct ctr_buf t_file(const char *path)
{
	struct ctr_buf b = { 0 };

	T_OK(ctr_file_read(path, (size_t)1 << 30, &b, e));
	return b;
}
