/* How long each tool takes to start: --version, against /bin/true in the same run. */
#include <dirent.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define RUNS 200
#define BOUND_MS 5.0

extern char **environ;

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void run(char *path)
{
	char version[] = "--version";
	char *argv[] = { path, version, NULL };
	posix_spawn_file_actions_t fa;
	int status;
	pid_t pid;

	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_addopen(&fa, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	if (posix_spawn(&pid, path, &fa, NULL, argv, environ) != 0 || waitpid(pid, &status, 0) != pid ||
	    status != 0) {
		fprintf(stderr, "%s --version failed\n", path);
		exit(1);
	}
	posix_spawn_file_actions_destroy(&fa);
}

static int by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Medians of both, taken in turns so that a slow moment of the machine hits both. */
static void measure(char *path, const char *name)
{
	static double tool[RUNS], bare[RUNS];
	char true_path[] = "/bin/true";

	for (int i = 0; i < RUNS; i++) {
		double t0 = now_ms(), t1;

		run(path);
		t1 = now_ms();
		run(true_path);
		bare[i] = now_ms() - t1;
		tool[i] = t1 - t0;
	}
	qsort(tool, RUNS, sizeof *tool, by_value);
	qsort(bare, RUNS, sizeof *bare, by_value);
	printf("start %s: %.2f ms, ratio %.2f to /bin/true (bound: %.0f ms)\n", name, tool[RUNS / 2],
	       tool[RUNS / 2] / bare[RUNS / 2], BOUND_MS);
}

int main(void)
{
	const char *bin = getenv("BIN");
	struct dirent **names;
	int n = scandir(bin ? bin : "build/bin", &names, NULL, alphasort);

	if (n < 0) {
		perror("BIN");
		return 1;
	}
	for (int i = 0; i < n; i++) {
		char path[4096];

		if (names[i]->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, "%s/%s", bin ? bin : "build/bin", names[i]->d_name);
		measure(path, names[i]->d_name);
	}
	return 0;
}
