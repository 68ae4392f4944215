/* Runs the files and directories named on the command line through a fuzz target. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int run_file(const char *path)
{
	ctr_auto_buf struct ctr_buf b = { 0 };
	struct ctr_err e = { 0 };

	if (ctr_file_read(path, (size_t)64 << 20, &b, &e) < 0) {
		fprintf(stderr, "%s\n", e.msg);
		return -1;
	}
	LLVMFuzzerTestOneInput((const uint8_t *)ctr_buf_str(&b), b.n);
	return 1;
}

static int run(const char *path)
{
	struct stat st;
	struct dirent *d;
	int n = 0;
	DIR *dir;

	if (stat(path, &st) < 0 || !S_ISDIR(st.st_mode))
		return run_file(path);
	dir = opendir(path);
	while (dir && (d = readdir(dir))) {
		char sub[1024];

		if (d->d_name[0] == '.')
			continue;
		snprintf(sub, sizeof sub, "%s/%s", path, d->d_name);
		if (run_file(sub) < 0) {
			n = -1;
			break;
		}
		n++;
	}
	if (dir)
		closedir(dir);
	return n;
}

int main(int argc, char **argv)
{
	int total = 0;

	for (int i = 1; i < argc; i++) {
		int n = run(argv[i]);

		if (n < 0)
			return 1;
		total += n;
	}
	printf("%d inputs\n", total);
	return total > 0 ? 0 : 1;
}
