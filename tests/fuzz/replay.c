/* Runs the files and directories named on the command line through a fuzz target. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The name goes first: when the target crashes, the last line names the input. */
static int run_file(const char *path)
{
	ctr_auto_buf struct ctr_buf b = { 0 };
	struct ctr_err e = { 0 };

	fprintf(stderr, "%s\n", path);
	if (ctr_file_read(path, (size_t)64 << 20, &b, &e) < 0) {
		fprintf(stderr, "%s\n", e.msg);
		return -1;
	}
	LLVMFuzzerTestOneInput((const uint8_t *)ctr_buf_str(&b), b.n);
	return 1;
}

static int run_dir(const char *path)
{
	struct dirent **names;
	int n = scandir(path, &names, NULL, alphasort), done = 0;

	if (n < 0) {
		perror(path);
		return -1;
	}
	for (int i = 0; i < n; i++) {
		char sub[4096];

		if (names[i]->d_name[0] != '.' && done >= 0) {
			snprintf(sub, sizeof sub, "%s/%s", path, names[i]->d_name);
			done = run_file(sub) < 0 ? -1 : done + 1;
		}
		free(names[i]);
	}
	free(names);
	return done;
}

int main(int argc, char **argv)
{
	int total = 0;

	for (int i = 1; i < argc; i++) {
		struct stat st;
		bool dir = stat(argv[i], &st) == 0 && S_ISDIR(st.st_mode);
		int n = dir ? run_dir(argv[i]) : run_file(argv[i]);

		if (n <= 0) {
			fprintf(stderr, "%s: no input\n", argv[i]);
			return 1;
		}
		total += n;
	}
	printf("%d inputs\n", total);
	return total > 0 ? 0 : 1;
}
