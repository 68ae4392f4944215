/* needs: tools/ctr-policygen/image.c tools/ctr-policygen/layerset.c tools/ctr-policygen/layer.c */
/* needs: tools/ctr-policygen/tree.c tools/ctr-policygen/tar.c tools/ctr-policygen/unpack.c */
/* needs: tools/ctr-policygen/verity.c tools/ctr-policygen/passwd.c */
/* needs: tests/sim/mkimage.c */
#include "t.h"

#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../tools/ctr-policygen/image.h"
#include "../sim/mkimage.h"
#include "file.h"
#include "oci_layout.h"

#define BUSYBOX "sha256:28d1e443f371ea3ef4164ea38a11397ffa88e2da3f66cd75c415fe80092ec2eb"
#define NOWHERE "sha256:0000000000000000000000000000000000000000000000000000000000000000"

static void images_cleanup(struct images **s)
{
	images_free(*s);
}
#define auto_images CTR_AUTO(images_cleanup) struct images

static int tmp_up(void **s)
{
	*s = mk_tmpdir();
	return 0;
}

static int tmp_down(void **s)
{
	mk_rmdir(*s);
	return 0;
}

/* A source in front of a layout that counts what is asked of it, and can be switched off. */
struct counted {
	struct ctr_oci_source src;
	struct ctr_oci_source *inner;
	_Atomic int resolves, blobs; /* layers are read by several threads */
	bool off;
};

static struct counted *counted(struct ctr_oci_source *s)
{
	void *first = s;

	return first;
}

static int count_resolve(struct ctr_oci_source *s, const struct ctr_imgref *ref,
			 struct ctr_buf *body, char digest[CTR_OCI_DIGEST], bool *found,
			 struct ctr_err *e)
{
	struct counted *c = counted(s);

	c->resolves++;
	if (c->off)
		return ctr_fail(e, CTR_ENV, "test.off", "the source was asked while it was off");
	return c->inner->resolve(c->inner, ref, body, digest, found, e);
}

static int count_blob(struct ctr_oci_source *s, const struct ctr_imgref *ref,
		      const struct ctr_oci_desc *d, ctr_oci_sink sink, void *ctx, bool *found,
		      struct ctr_err *e)
{
	struct counted *c = counted(s);

	c->blobs++;
	if (c->off)
		return ctr_fail(e, CTR_ENV, "test.off", "the source was asked while it was off");
	return c->inner->blob(c->inner, ref, d, sink, ctx, found, e);
}

static void counted_open(struct counted *c, const char *dir)
{
	*c = (struct counted){ .src = { count_resolve, count_blob, NULL } };
	T_OK(ctr_oci_layout_new(&dir, 1, &c->inner, e));
}

static void counted_close(struct counted *c)
{
	c->inner->free(c->inner);
}

static int one_gid(void *ctx, int64_t gid, struct ctr_err *e)
{
	(void)e;
	*(int64_t *)ctx = gid;
	return 0;
}

static void check_many(struct images *im)
{
	const struct accounts *a, *again;
	const struct image *i;
	int64_t gid = 0;

	T_OK(images_get(im, "r.example/many:1", &i, e));
	T_STR(i->config.user, "svc");
	T_OK(image_accounts(im, i, &a, e));
	assert_int_equal(accounts_by_name(a, "svc")->uid, 105);
	T_OK(accounts_groups_of(a, "svc", one_gid, &gid, e));
	assert_int_equal(gid, 7);
	T_OK(image_accounts(im, i, &again, e));
	assert_ptr_equal(a, again);
}

/* lesson: each layer is streamed once; only a link that leads on costs another pass */
static void second_run_asks_nobody(void **s)
{
	struct mk_image mk = mk_many("r.example/many:1");
	ctr_auto_buf struct ctr_buf dir = { 0 }, cache = { 0 };
	struct counted c;

	ctr_buf_addf(&dir, "%s/layout", (char *)*s);
	ctr_buf_addf(&cache, "%s/cache", (char *)*s);
	mk_layout(dir.p, &mk);
	counted_open(&c, dir.p);
	for (int run = 0; run < 3; run++) {
		struct image_opts o = { .registry = &c.src, .cache = cache.p, .verity = run == 2 };
		auto_images *im = NULL;

		c.resolves = c.blobs = 0;
		c.off = run == 1;
		T_OK(images_new(&o, &im, e));
		check_many(im);
		if (run == 0) {
			assert_int_equal(c.resolves, 1);
			assert_int_equal(
				c.blobs,
				1 + 8 + 8); /* configuration, layers, layers again for the link */
		} else {
			assert_int_equal(c.resolves, 0);
			assert_int_equal(c.blobs,
					 run == 2 ? 8
						  : 0); /* the roots were not asked for before */
		}
	}
	counted_close(&c);
	mk_image_free(&mk);
}

static void tags_are_asked_again_on_demand(void **s)
{
	struct mk_image old = mk_one("r.example/a:1"), new = mk_one("r.example/a:1");
	ctr_auto_buf struct ctr_buf dir = { 0 }, cache = { 0 };

	mk_file(&new.layer[0], "more", "x");
	ctr_buf_addf(&dir, "%s/layout", (char *)*s);
	ctr_buf_addf(&cache, "%s/cache", (char *)*s);
	for (int run = 0; run < 4; run++) {
		struct counted c;
		struct image_opts o = { .registry = &c.src, .cache = cache.p, .refresh = run == 2 };
		auto_images *im = NULL;
		const struct image *i;

		if (run < 2)
			mk_layout(dir.p, run == 0 ? &old : &new);
		counted_open(&c, dir.p);
		T_OK(images_new(&o, &im, e));
		T_OK(images_get(im, "r.example/a:1", &i, e));
		T_STR(i->digest, run < 2 ? old.digest : new.digest);
		counted_close(&c);
	}
	mk_image_free(&old);
	mk_image_free(&new);
}

static int spoil(const char *path, const struct stat *st, int kind, struct FTW *f)
{
	struct ctr_buf b;
	struct ctr_err e = { 0 };

	(void)st;
	(void)f;
	if (kind != FTW_F)
		return 0;
	b = t_file(path);
	b.p[b.n / 2] ^= 0x10;
	assert_int_equal(ctr_file_write(path, b.p, b.n, 0600, &e), 0);
	ctr_buf_free(&b);
	return 0;
}

static void corrupt_cache_is_fetched_again(void **s)
{
	struct mk_image mk = mk_one("r.example/a:1");
	ctr_auto_buf struct ctr_buf dir = { 0 }, cache = { 0 }, sub = { 0 };
	static const char *const parts[] = { "blobs", "refs" };
	struct counted c;

	ctr_buf_addf(&dir, "%s/layout", (char *)*s);
	ctr_buf_addf(&cache, "%s/cache", (char *)*s);
	mk_layout(dir.p, &mk);
	counted_open(&c, dir.p);
	for (size_t run = 0; run < 4; run++) {
		struct image_opts o = { .registry = &c.src, .cache = cache.p };
		auto_images *im = NULL;
		const struct image *i;

		c.off = run == 3; /* mended by now */
		T_OK(images_new(&o, &im, e));
		T_OK(images_get(im, "r.example/a:1", &i, e));
		T_STR(i->digest, mk.digest);
		if (run < 2) {
			ctr_buf_reset(&sub);
			ctr_buf_addf(&sub, "%s/%s", cache.p, parts[run]);
			nftw(sub.p, spoil, 8, FTW_PHYS);
		}
	}
	counted_close(&c);
	mk_image_free(&mk);
}

static void cache_of_others_is_refused(void **s)
{
	struct image_opts o = { .cache = *s };
	struct images *im;
	struct stat st;

	assert_int_equal(chmod(*s, 0770), 0);
	T_FAILS(images_new(&o, &im, e), CTR_ENV, "cache.owner");
	assert_int_equal(chmod(*s, 0707), 0);
	T_FAILS(images_new(&o, &im, e), CTR_ENV, "cache.owner");
	assert_int_equal(chmod(*s, 0755), 0);
	T_OK(images_new(&o, &im, e));
	images_free(im);
	{
		ctr_auto_buf struct ctr_buf sub = { 0 };

		ctr_buf_addf(&sub, "%s/derived", (char *)*s);
		assert_int_equal(stat(sub.p, &st), 0);
		assert_int_equal(st.st_mode & 0777, 0700);
		assert_int_equal(chmod(sub.p, 0777), 0);
	}
	T_FAILS(images_new(&o, &im, e), CTR_ENV, "cache.owner");
	if (geteuid() == 0) {
		assert_int_equal(chown(*s, 12345, 12345), 0);
		T_FAILS(images_new(&o, &im, e), CTR_ENV, "cache.owner");
		assert_int_equal(chown(*s, 0, 0), 0);
	}
	o.cache = "/dev/null/cache";
	T_FAILS(images_new(&o, &im, e), CTR_ENV, "mkdir");
}

/* A source that breaks its promise is found out. */
static int lie(struct ctr_oci_source *s, const struct ctr_imgref *ref, struct ctr_buf *body,
	       char digest[CTR_OCI_DIGEST], bool *found, struct ctr_err *e)
{
	(void)s;
	(void)ref;
	ctr_buf_adds(body, "{}");
	memcpy(digest, BUSYBOX, CTR_OCI_DIGEST);
	*found = true;
	return ctr_buf_ok(body, "test", e);
}

static void sources_are_not_trusted(void **s)
{
	struct ctr_oci_source liar = { lie, NULL, NULL };

	for (int cached = 0; cached <= 1; cached++) {
		struct image_opts o = { .registry = &liar, .cache = cached ? *s : NULL };
		auto_images *im = NULL;
		const struct image *i;

		T_OK(images_new(&o, &im, e));
		T_FAILS(images_get(im, "a", &i, e), CTR_FORMAT, "image.digest");
		T_FAILS(images_get(im, "a@" NOWHERE, &i, e), CTR_FORMAT, "image.digest");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(second_run_asks_nobody, tmp_up, tmp_down),
		cmocka_unit_test_setup_teardown(tags_are_asked_again_on_demand, tmp_up, tmp_down),
		cmocka_unit_test_setup_teardown(corrupt_cache_is_fetched_again, tmp_up, tmp_down),
		cmocka_unit_test_setup_teardown(cache_of_others_is_refused, tmp_up, tmp_down),
		cmocka_unit_test_setup_teardown(sources_are_not_trusted, tmp_up, tmp_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
