/*
 * An update that dies, or finds the disk full, at each of its system calls: afterwards the store
 * has the old history or the new one, whole. The calls that change anything are defined here and
 * count; the program's own come before libc's.
 */
#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>

#include "histkit.h"

enum mode { COUNT, DIE, DIE_HALF, FULL, FULL_ONCE };
static enum mode mode;
static int calls, at; /* counted while at > 0 */
static bool recorded;
static char record[512]; /* the calls' first letters */

/* True when this call is to fail. */
static bool fails(const char *name)
{
	if (at == 0)
		return false;
	calls++;
	if (recorded && strlen(record) + strlen(name) + 2 < sizeof record) {
		strncat(record, name, sizeof record - strlen(record) - 1);
		strncat(record, " ", sizeof record - strlen(record) - 1);
	}
	if (calls == at && mode == DIE)
		kill(getpid(), SIGKILL);
	if ((mode == FULL && calls >= at) || (mode == FULL_ONCE && calls == at)) {
		errno = ENOSPC;
		return true;
	}
	return false;
}

ssize_t write(int fd, const void *p, size_t n)
{
	if (fails("write"))
		return -1;
	if (at && calls == at && mode == DIE_HALF) {
		syscall(SYS_write, fd, p, n / 2);
		kill(getpid(), SIGKILL);
	}
	return syscall(SYS_write, fd, p, n);
}

int fsync(int fd)
{
	return fails("fsync") ? -1 : (int)syscall(SYS_fsync, fd);
}

int syncfs(int fd)
{
	return fails("syncfs") ? -1 : (int)syscall(SYS_syncfs, fd);
}

int openat(int dirfd, const char *path, int flags, ...)
{
	va_list ap;
	mode_t m;

	va_start(ap, flags);
	m = flags & O_CREAT ? va_arg(ap, mode_t) : 0;
	va_end(ap);
	if (flags & O_CREAT && fails("create"))
		return -1;
	return (int)syscall(SYS_openat, dirfd, path, flags, m);
}

int renameat(int from, const char *a, int to, const char *b)
{
	return fails("rename") ? -1 : (int)syscall(SYS_renameat2, from, a, to, b, 0);
}

int linkat(int from, const char *a, int to, const char *b, int flags)
{
	return fails("link") ? -1 : (int)syscall(SYS_linkat, from, a, to, b, flags);
}

/* A full disk lets files go. */
int unlinkat(int d, const char *path, int flags)
{
	enum mode keep = mode;

	if (keep == FULL || keep == FULL_ONCE)
		mode = COUNT;
	fails("unlink");
	mode = keep;
	return (int)syscall(SYS_unlinkat, d, path, flags);
}

static struct key key;
static int start; /* manifests in the store before the update */

static int begin(struct ctr_hstore **store, struct ctr_history *h)
{
	T_OK(ctr_hstore_open(spec, store, e));
	T_OK(ctr_history_load(*store, &key.signer, h, e));
	return 0;
}

static int update(struct ctr_hstore *store, struct ctr_history *h, int i, struct ctr_err *e)
{
	struct update up;

	update_make(&up, i);
	return ctr_history_append(store, &key.signer, &up.u, h, e);
}

static void fill(void)
{
	ctr_auto_hstore struct ctr_hstore *store = NULL;
	ctr_auto_history struct ctr_history h = { 0 };

	store_begin();
	begin(&store, &h);
	for (int i = 0; i < start; i++)
		T_OK(update(store, &h, i, e));
}

/* Old or new; what it names is all there, and it can be updated. */
static size_t look(void)
{
	ctr_auto_hstore struct ctr_hstore *store = NULL;
	ctr_auto_history struct ctr_history h = { 0 };
	size_t n;

	begin(&store, &h);
	n = h.n;
	assert_true(n == (size_t)start || n == (size_t)start + 1);
	for (size_t i = 0; i < n; i++) {
		ctr_auto_buf struct ctr_buf b = { 0 };
		struct ctr_policy named[2];
		struct update up;

		update_make(&up, (int)i);
		assert_int_equal(h.v[i].n, up.u.manifest.n);
		T_MEM(h.v[i].bytes, up.manifest, h.v[i].n);
		update_named(&up, named);
		T_OK(ctr_hstore_get(store, CTR_BLOB_POLICIES, h.v[i].hash, &b, e));
		T_OK(ctr_policies_parse(b.p, b.n, named, 2, e));
	}
	T_OK(update(store, &h, (int)n, e));
	return n;
}

/* The update in a child that dies at call n; false when it ended before. */
static bool dies(enum mode how, int n)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		struct ctr_hstore *store = NULL;
		struct ctr_history h = { 0 };
		struct ctr_err e = { 0 };

		if (ctr_hstore_open(spec, &store, &e) < 0 ||
		    ctr_history_load(store, &key.signer, &h, &e) < 0)
			_exit(3);
		mode = how;
		at = n;
		_exit(update(store, &h, start, &e) < 0 ? 2 : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFSIGNALED(status)) {
		assert_int_equal(WTERMSIG(status), SIGKILL);
		return true;
	}
	assert_int_equal(WEXITSTATUS(status), 0);
	return false;
}

static void killed(void **s)
{
	(void)s;
	for (start = 0; start < 3; start++) {
		int n = 1, old = 0;
		bool died = true;

		for (; died; n++) {
			fill();
			died = dies(DIE, n);
			old += look() == (size_t)start;
			store_end();
		}
		assert_true(n > 14 && old > 10 && old < n - 2); /* both were seen */
		for (int i = 1; i < n; i++) {
			fill();
			dies(DIE_HALF, i);
			look();
			store_end();
		}
	}
}

/* The process lives on: it reports, serves what it had, and does the update when there is room. */
static void full(enum mode how)
{
	bool failed = true;

	for (int n = 1; failed; n++) {
		ctr_auto_hstore struct ctr_hstore *store = NULL;
		ctr_auto_history struct ctr_history h = { 0 };
		struct ctr_err err = { 0 };

		fill();
		begin(&store, &h);
		mode = how;
		calls = 0;
		at = n;
		failed = update(store, &h, start, &err) < 0;
		at = 0;
		if (failed) {
			bool unsure = strcmp(err.id, "store.unsure") == 0;

			assert_int_equal(err.code, CTR_ENV);
			assert_int_equal(err.sys, ENOSPC);
			assert_int_equal(h.n, start);
			if (!unsure) {
				T_STR(err.id, "store.write");
				T_OK(ctr_history_refresh(store, &key.signer, &h, e));
				assert_int_equal(h.n, start);
				T_OK(update(store, &h, start, e));
			} else {
				T_OK(ctr_history_refresh(store, &key.signer, &h, e));
				assert_int_equal(h.n, start + 1);
			}
		}
		assert_true(n < 100);
		ctr_hstore_free(store);
		store = NULL;
		assert_int_equal(look(), start + 1);
		store_end();
	}
}

static void disk_full(void **s)
{
	(void)s;
	for (start = 0; start < 3; start++) {
		full(FULL);
		full(FULL_ONCE);
	}
}

/* A kill leaves what was written in the kernel; power does not. So the order counts: blobs, sync,
 * record, sync. */
static void order_on_disk(void **s)
{
	ctr_auto_hstore struct ctr_hstore *store = NULL;
	ctr_auto_history struct ctr_history h = { 0 };

	(void)s;
	start = 1;
	fill();
	begin(&store, &h);
	mode = COUNT;
	calls = 0;
	at = 1;
	recorded = true;
	T_OK(update(store, &h, start, e));
	at = 0;
	/* manifest, transition, policies */
#define BLOB "create write "
	T_STR(record, BLOB BLOB BLOB
		      "syncfs unlink link create write fsync rename fsync unlink ");
	store_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(killed),
		cmocka_unit_test(disk_full),
		cmocka_unit_test(order_on_disk),
	};

	key_new(&key);
	int rc = cmocka_run_group_tests(tests, NULL, NULL);
	ctr_sign_key_free(key.own);
	return rc;
}
