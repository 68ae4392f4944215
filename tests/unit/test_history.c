/* The history and its store: what is kept comes back, and each thing done to it is refused for its
 * own reason. */
#include <pthread.h>
#include <time.h>

#include "histkit.h"

static struct key key, other;
static struct ctr_hstore *store;
static struct ctr_history h;

static int keys(void **s)
{
	(void)s;
	key_new(&key);
	key_new(&other);
	return 0;
}

static int keys_end(void **s)
{
	(void)s;
	ctr_sign_key_free(key.own);
	ctr_sign_key_free(other.own);
	return 0;
}

static int append(int i, struct ctr_err *e)
{
	struct update up;

	update_make(&up, i);
	return ctr_history_append(store, &key.signer, &up.u, &h, e);
}

/* A store with three manifests. */
static int begin(void **s)
{
	(void)s;
	store_begin();
	T_OK(ctr_hstore_open(spec, &store, e));
	T_OK(ctr_history_load(store, &key.signer, &h, e));
	assert_int_equal(h.n, 0);
	for (int i = 0; i < 3; i++)
		T_OK(append(i, e));
	return 0;
}

static int end(void **s)
{
	(void)s;
	ctr_history_free(&h);
	ctr_hstore_free(store);
	store = NULL;
	store_end();
	return 0;
}

static int load(struct ctr_err *e)
{
	ctr_auto_history struct ctr_history x = { 0 };
	int rc = ctr_history_load(store, &key.signer, &x, e);

	if (rc < 0) /* never a part of it */
		assert_true(x.n == 0 && !x.v && !x.latest.p);
	return rc;
}

static void write_file(const char *path, const void *p, size_t n)
{
	T_OK(ctr_file_write(path, p, n, 0600, e));
}

static void grows(void **s)
{
	ctr_auto_history struct ctr_history x = { 0 };
	struct ctr_bytes m[3];
	struct update up;
	struct stat st;
	uint8_t t[CTR_SHA256_SIZE];

	(void)s;
	T_OK(ctr_history_load(store, &key.signer, &x, e));
	assert_int_equal(x.n, 3);
	for (int i = 0; i < 3; i++) {
		update_make(&up, i);
		assert_int_equal(x.v[i].n, up.u.manifest.n);
		T_MEM(x.v[i].bytes, up.manifest, up.u.manifest.n);
		T_MEM(x.v[i].hash, h.v[i].hash, CTR_SHA256_SIZE);
		m[i] = (struct ctr_bytes){ x.v[i].bytes, x.v[i].n };
	}
	ctr_history_last(&x, t);
	T_OK(ctr_history_verify(m, 3, t, e));
	T_OK(ctr_history_refresh(store, &key.signer, &x, e));
	assert_int_equal(stat(in_store("transitions", "latest"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(stat(in_store("policies", ""), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(access(in_store("transitions", "new"), F_OK), -1);
	assert_int_equal(access(in_store("transitions", "latest.old"), F_OK), -1);
}

/* T over figures worked out with sha256sum: manifests "a", "b". */
static void known_answer(void **s)
{
	static const char want[] =
		"891794b3cdad1e39255a1b9f9308ee1d7c63be3859204667d8320e1981f3c058";
	const struct ctr_bytes ab[] = { { "a", 1 }, { "b", 1 } }, ba[] = { { "b", 1 }, { "a", 1 } };
	uint8_t t[CTR_SHA256_SIZE], zero[CTR_SHA256_SIZE] = { 0 };

	(void)s;
	T_OK(ctr_hex_parse(want, strlen(want), t, sizeof t, e));
	T_OK(ctr_history_verify(ab, 2, t, e));
	T_OK(ctr_history_verify(NULL, 0, zero, e));
	T_FAILS(ctr_history_verify(ba, 2, t, e), CTR_NO, "history.transition"); /* reordered */
	T_FAILS(ctr_history_verify(ab, 1, t, e), CTR_NO, "history.transition"); /* rolled back */
	T_FAILS(ctr_history_verify(ab + 1, 1, t, e), CTR_NO, "history.transition");
	T_FAILS(ctr_history_verify(NULL, 0, t, e), CTR_NO, "history.transition");
}

static void verified_in_time(void **s)
{
	static struct ctr_bytes m[1000];
	static char text[16384];
	uint8_t t[CTR_SHA256_SIZE] = { 0 };
	clock_t from;

	(void)s;
	for (size_t i = 0; i < 1000; i++) {
		uint8_t next[CTR_SHA256_SIZE];

		m[i] = (struct ctr_bytes){ text, sizeof text - i };
		T_OK(ctr_history_next(t, m[i].p, m[i].n, next, e));
		memcpy(t, next, sizeof t);
	}
	from = clock();
	T_OK(ctr_history_verify(m, 1000, t, e));
	assert_true(clock() - from < CLOCKS_PER_SEC);
}

static void order_of_updates(void **s)
{
	ctr_auto_history struct ctr_history late = { 0 };
	struct update up;
	uint8_t t[CTR_SHA256_SIZE];

	(void)s;
	update_make(&up, 7);
	up.u.previous = h.v[1].hash;
	T_FAILS(ctr_history_append(store, &key.signer, &up.u, &h, e), CTR_NO, "history.conflict");
	T_OK(ctr_history_load(store, &key.signer, &late, e));
	ctr_history_last(&h, t);
	up.u.previous = t;
	T_OK(ctr_history_append(store, &key.signer, &up.u, &h, e));
	/* one that has not seen it: refused, and then it has */
	up.u.previous = NULL;
	T_FAILS(ctr_history_append(store, &key.signer, &up.u, &late, e), CTR_NO,
		"history.conflict");
	assert_int_equal(late.n, 4);
	T_MEM(late.v[3].hash, h.v[3].hash, CTR_SHA256_SIZE);
	T_OK(ctr_history_append(store, &key.signer, &up.u, &late, e));
	T_OK(ctr_history_refresh(store, &key.signer, &h, e));
	assert_int_equal(h.n, 5);
}

static void *racer(void *arg)
{
	ctr_auto_history struct ctr_history mine = { 0 };
	struct ctr_err e = { 0 };
	struct update up;
	intptr_t i = (intptr_t)arg;

	update_make(&up, 100 + (int)i);
	up.u.previous = h.v[2].hash;
	if (ctr_history_load(store, &key.signer, &mine, &e) < 0)
		return (void *)3; /* the other's update is no reason */
	if (ctr_history_append(store, &key.signer, &up.u, &mine, &e) == 0)
		return (void *)1;
	return e.code == CTR_NO && strcmp(e.id, "history.conflict") == 0 ? (void *)2 : (void *)3;
}

static void one_of_two_wins(void **s)
{
	(void)s;
	for (int round = 0; round < 20; round++) {
		pthread_t a, b;
		void *ra, *rb;

		assert_int_equal(pthread_create(&a, NULL, racer, (void *)0), 0);
		assert_int_equal(pthread_create(&b, NULL, racer, (void *)1), 0);
		pthread_join(a, &ra);
		pthread_join(b, &rb);
		assert_int_equal((intptr_t)ra + (intptr_t)rb, 3);
		assert_int_not_equal((intptr_t)ra, 3);
		assert_int_not_equal((intptr_t)rb, 3);
		T_OK(load(e));
		end(NULL);
		begin(NULL);
	}
}

static void policies_are_those_named(void **s)
{
	struct update up;

	(void)s;
	update_make(&up, 8);
	up.u.n_policies = 1;
	T_FAILS(ctr_history_append(store, &key.signer, &up.u, &h, e), CTR_NO,
		"history.policy-missing");
	up.u.n_policies = 2;
	up.policies[1] = up.policies[0];
	T_FAILS(ctr_history_append(store, &key.signer, &up.u, &h, e), CTR_NO, "history.policy");
	update_make(&up, 8);
	up.policy[1][0] ^= 1;
	T_FAILS(ctr_history_append(store, &key.signer, &up.u, &h, e), CTR_NO, "history.policy");
	update_make(&up, 8);
	up.u.manifest = (struct ctr_bytes){ "{\"x\":1}", 7 };
	T_FAILS(ctr_history_append(store, &key.signer, &up.u, &h, e), CTR_FORMAT, "json.unknown");
	assert_int_equal(h.n, 3);
	T_OK(load(e));
}

/* What an earlier manifest brought is not stored again; a manifest that brings nothing has no blob. */
static void policies_once(void **s)
{
	ctr_auto_buf struct ctr_buf b = { 0 };
	struct ctr_policy named[2];
	uint8_t known[2][CTR_SHA256_SIZE];
	struct update up;

	(void)s;
	update_make(&up, 8);
	update_named(&up, named);
	memcpy(known[0], named[0].hash, sizeof known[0]);
	memcpy(known[1], named[1].hash, sizeof known[1]);
	up.u.known = (const uint8_t(*)[CTR_SHA256_SIZE])known;
	up.u.n_known = 1;
	T_OK(ctr_history_append(store, &key.signer, &up.u, &h, e));
	T_OK(ctr_hstore_get(store, CTR_BLOB_POLICIES, h.v[3].hash, &b, e));
	T_OK(ctr_policies_parse(b.p, b.n, named + 1, 1, e));
	up.u.n_known = 2;
	T_OK(ctr_history_append(store, &key.signer, &up.u, &h, e));
	assert_int_equal(access(blob_path("policies", h.v[4].hash), F_OK), -1);
}

/* Every bit of every file but the lock, and every cut: never the history, always a reason. */
static void every_bit(void **s)
{
	static const char *const subs[] = { "manifests", "transitions" };

	(void)s;
	for (size_t i = 0; i < 2; i++) {
		DIR *d = opendir(in_store(subs[i], ""));

		assert_non_null(d);
		for (struct dirent *f; (f = readdir(d));) {
			bool latest = strcmp(f->d_name, "latest") == 0;
			char path[400];
			struct ctr_buf b;

			if (f->d_name[0] == '.')
				continue;
			snprintf(path, sizeof path, "%s", in_store(subs[i], f->d_name));
			b = t_file(path);
			for (size_t bit = 0; bit < 8 * b.n; bit += latest ? 1 : 29) {
				b.p[bit / 8] ^= (char)(1 << bit % 8);
				write_file(path, b.p, b.n);
				if (latest && bit / 8 < 14)
					T_FAILS(load(e), CTR_FORMAT, "history.latest");
				else if (latest)
					T_FAILS(load(e), CTR_NO, "history.signature");
				else
					T_FAILS(load(e), CTR_FORMAT, "store.hash");
				b.p[bit / 8] ^= (char)(1 << bit % 8);
			}
			for (size_t n = latest ? 1 : 0; n < b.n; n += 7) {
				write_file(path, b.p, n);
				if (latest && n <= 46)
					T_FAILS(load(e), CTR_FORMAT, "history.latest");
				else if (latest)
					T_FAILS(load(e), CTR_NO, "history.signature");
				else
					T_FAILS(load(e), CTR_FORMAT, "store.hash");
			}
			write_file(path, b.p, b.n);
			ctr_buf_free(&b);
		}
		closedir(d);
	}
	T_OK(load(e));
}

static void missing(void **s)
{
	(void)s;
	assert_int_equal(unlink(blob_path("manifests", h.v[1].manifest)), 0);
	T_FAILS(load(e), CTR_ENV, "store.missing");
	T_OK(append(1, e)); /* the same bytes, put back */
	T_OK(load(e));
	assert_int_equal(unlink(blob_path("transitions", h.v[0].hash)), 0);
	T_FAILS(load(e), CTR_ENV, "store.missing");
}

static void rolled_back(void **s)
{
	struct ctr_buf two = { 0 }, three = t_file(in_store("transitions", "latest"));
	uint8_t before[CTR_SHA256_SIZE];

	(void)s;
	T_OK(append(3, e));
	two = t_file(in_store("transitions", "latest"));
	/* signed, whole, and older */
	write_file(in_store("transitions", "latest"), three.p, three.n);
	ctr_history_last(&h, before);
	T_FAILS(ctr_history_refresh(store, &key.signer, &h, e), CTR_NO, "history.rollback");
	T_FAILS(append(4, e), CTR_NO, "history.rollback");
	assert_int_equal(h.n, 4);
	T_MEM(h.v[3].hash, before, CTR_SHA256_SIZE);
	unlink(in_store("transitions", "latest"));
	T_FAILS(ctr_history_refresh(store, &key.signer, &h, e), CTR_NO, "history.rollback");
	T_FAILS(append(4, e), CTR_NO, "history.rollback");
	write_file(in_store("transitions", "latest"), two.p, two.n);
	T_OK(append(4, e));
	ctr_buf_free(&two);
	ctr_buf_free(&three);
}

/* Another branch of the same length, signed by the key: no successor of what was seen. */
static void forked(void **s)
{
	ctr_auto_history struct ctr_history branch = { 0 };
	struct ctr_buf old = t_file(in_store("transitions", "latest"));
	struct update up;

	(void)s;
	T_OK(ctr_history_load(store, &key.signer, &branch, e));
	T_OK(append(3, e));
	write_file(in_store("transitions", "latest"), old.p, old.n);
	for (int i = 0; i < 2; i++) {
		update_make(&up, 50 + i);
		T_OK(ctr_history_append(store, &key.signer, &up.u, &branch, e));
	}
	assert_int_equal(branch.n, 5);
	T_FAILS(ctr_history_refresh(store, &key.signer, &h, e), CTR_NO, "history.rollback");
	ctr_buf_free(&old);
}

static void of_another_store(void **s)
{
	ctr_auto_history struct ctr_history x = { 0 };

	(void)s;
	T_FAILS(ctr_history_load(store, &other.signer, &x, e), CTR_NO, "history.signature");
}

/* A record, soundly signed, over whatever transition blob. */
static void sign_blob(const void *blob, size_t n)
{
	ctr_auto_buf struct ctr_buf b = { 0 };
	uint8_t t[CTR_SHA256_SIZE];

	T_OK(ctr_hash(CTR_SHA256, blob, n, t, e));
	write_file(blob_path("transitions", t), blob, n);
	ctr_buf_adds(&b, "ctr-latest-v1\n");
	ctr_buf_add(&b, t, sizeof t);
	T_OK(key_sign(&key, b.p, b.n, &b, e));
	write_file(in_store("transitions", "latest"), b.p, b.n);
}

static void transitions_are_64_bytes(void **s)
{
	uint8_t blob[65] = { 0 };

	(void)s;
	memcpy(blob, h.v[0].manifest, CTR_SHA256_SIZE);
	sign_blob(blob, 64);
	T_OK(load(e));
	sign_blob(blob, 63);
	T_FAILS(load(e), CTR_FORMAT, "history.blob");
	sign_blob(blob, 65);
	T_FAILS(load(e), CTR_FORMAT, "store.kind");
}

/* The first transition's file says that the last one came before it. */
static void cycle(void **s)
{
	uint8_t blob[64];

	(void)s;
	memcpy(blob, h.v[0].manifest, 32);
	memcpy(blob + 32, h.v[2].hash, 32);
	write_file(blob_path("transitions", h.v[0].hash), blob, sizeof blob);
	T_FAILS(load(e), CTR_FORMAT, "store.hash");
}

static void odd_files(void **s)
{
	char path[400], elsewhere[400];
	struct ctr_buf b;

	(void)s;
	snprintf(path, sizeof path, "%s", blob_path("manifests", h.v[0].manifest));
	snprintf(elsewhere, sizeof elsewhere, "%s/elsewhere", dir);
	b = t_file(path);
	write_file(elsewhere, b.p, b.n); /* the right bytes, and still */
	unlink(path);
	assert_int_equal(symlink(elsewhere, path), 0);
	T_FAILS(load(e), CTR_FORMAT, "store.kind");
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	T_FAILS(load(e), CTR_FORMAT, "store.kind");
	unlink(path);
	assert_int_equal(mkdir(path, 0700), 0);
	T_FAILS(load(e), CTR_FORMAT, "store.kind");
	T_FAILS(append(0, e), CTR_ENV, "store.write");
	rmdir(path);
	write_file(path, b.p, b.n);
	assert_int_equal(truncate(path, (off_t)1 << 40), 0);
	T_FAILS(load(e), CTR_FORMAT, "store.kind");
	unlink(path);
	assert_int_equal(symlink(elsewhere, path), 0);
	T_OK(append(0, e)); /* put in the link's place, not through it */
	T_OK(load(e));
	snprintf(path, sizeof path, "%s", in_store("transitions", "latest"));
	assert_int_equal(truncate(path, 1 << 20), 0);
	T_FAILS(load(e), CTR_FORMAT, "store.kind");
	unlink(path);
	assert_int_equal(symlink(elsewhere, path), 0);
	T_FAILS(load(e), CTR_FORMAT, "store.kind");
	T_FAILS(append(5, e), CTR_FORMAT, "store.kind");
	ctr_buf_free(&b);
}

static void directories(void **s)
{
	struct ctr_hstore *x = NULL;

	(void)s;
	T_FAILS(ctr_hstore_open(spec, &x, e), CTR_ENV, "store.busy");
	T_FAILS(ctr_hstore_open("/tmp", &x, e), CTR_USAGE, "store.spec");
	T_FAILS(ctr_hstore_open("dir:", &x, e), CTR_USAGE, "store.spec");
	T_FAILS(ctr_hstore_open("dir:/no/such/place", &x, e), CTR_ENV, "store.open");
	ctr_hstore_free(store);
	store = NULL;
	assert_int_equal(chmod(in_store("policies", ""), 0770), 0);
	T_FAILS(ctr_hstore_open(spec, &x, e), CTR_ENV, "store.owner");
	assert_int_equal(chmod(in_store("policies", ""), 0700), 0);
	snprintf(spec, sizeof spec, "dir:%s/link", dir);
	assert_int_equal(symlink("s", spec + 4), 0);
	T_FAILS(ctr_hstore_open(spec, &x, e), CTR_ENV, "store.open");
	assert_null(x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(grows, begin, end),
		cmocka_unit_test(known_answer),
		cmocka_unit_test(verified_in_time),
		cmocka_unit_test_setup_teardown(order_of_updates, begin, end),
		cmocka_unit_test_setup_teardown(one_of_two_wins, begin, end),
		cmocka_unit_test_setup_teardown(policies_are_those_named, begin, end),
		cmocka_unit_test_setup_teardown(policies_once, begin, end),
		cmocka_unit_test_setup_teardown(every_bit, begin, end),
		cmocka_unit_test_setup_teardown(missing, begin, end),
		cmocka_unit_test_setup_teardown(rolled_back, begin, end),
		cmocka_unit_test_setup_teardown(forked, begin, end),
		cmocka_unit_test_setup_teardown(of_another_store, begin, end),
		cmocka_unit_test_setup_teardown(transitions_are_64_bytes, begin, end),
		cmocka_unit_test_setup_teardown(cycle, begin, end),
		cmocka_unit_test_setup_teardown(odd_files, begin, end),
		cmocka_unit_test_setup_teardown(directories, begin, end),
	};

	return cmocka_run_group_tests(tests, keys, keys_end);
}
