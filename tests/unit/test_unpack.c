/* needs: tools/ctr-policygen/unpack.c tests/sim/mkimage.c */
#include "t.h"

#include "../../tools/ctr-policygen/unpack.h"
#include "../sim/mkimage.h"

#define TAR "application/vnd.oci.image.layer.v1.tar"

static int append(void *ctx, const void *p, size_t n, struct ctr_err *e)
{
	ctr_buf_add(ctx, p, n);
	return ctr_buf_ok(ctx, "test", e);
}

static int unpack_all(const char *type, const struct ctr_buf *in, size_t piece, struct ctr_buf *out,
		      struct ctr_err *e)
{
	auto_unpack struct unpack *u = NULL;

	if (unpack_new(type, 1000000, append, out, &u, e) < 0)
		return -1;
	for (size_t i = 0; i < in->n; i += piece) {
		if (unpack_add(u, in->p + i, in->n - i < piece ? in->n - i : piece, e) < 0)
			return -1;
	}
	return unpack_end(u, e);
}

static void unpacks(void **s)
{
	static const size_t pieces[] = { 1, 3, 7, 100, 1 << 20 };
	ctr_auto_buf struct ctr_buf text = { 0 }, gz = { 0 }, zs = { 0 }, out = { 0 };

	(void)s;
	for (int i = 0; i < 40000; i++)
		ctr_buf_addf(&text, "line %d\n", i * 7919 % 10007);
	mk_gzip(&text, &gz);
	mk_gzip(&text, &gz); /* members and frames one after another */
	ctr_buf_add(&zs, "\x52\x2a\x4d\x18\x03\x00\x00\x00xyz", 11);
	mk_zstd(&text, &zs);
	mk_zstd(&text, &zs);
	for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
		ctr_buf_reset(&out);
		T_OK(unpack_all(TAR "+gzip", &gz, pieces[i], &out, e));
		assert_int_equal(out.n, 2 * text.n);
		T_MEM(out.p + text.n, text.p, text.n);
		ctr_buf_reset(&out);
		T_OK(unpack_all(TAR "+zstd", &zs, pieces[i], &out, e));
		assert_int_equal(out.n, 2 * text.n);
		T_MEM(out.p + text.n, text.p, text.n);
		ctr_buf_reset(&out);
		T_OK(unpack_all(TAR, &text, pieces[i], &out, e));
		assert_int_equal(out.n, text.n);
	}
}

static void refuses(void **s)
{
	ctr_auto_buf struct ctr_buf text = { 0 }, gz = { 0 }, zs = { 0 }, out = { 0 }, none = { 0 };

	(void)s;
	ctr_buf_adds(&text, "some text to pack, long enough to be cut in the middle");
	mk_gzip(&text, &gz);
	mk_zstd(&text, &zs);
	for (size_t i = 0; i < 2; i++) {
		struct ctr_buf *good = i ? &zs : &gz;
		const char *type = i ? TAR "+zstd" : TAR "+gzip";

		T_FAILS(unpack_all(type, &text, 9, &out, e), CTR_FORMAT, "layer.compression");
		T_FAILS(unpack_all(type, i ? &gz : &zs, 9, &out, e), CTR_FORMAT,
			"layer.compression");
		T_FAILS(unpack_all(TAR, good, 9, &out, e), CTR_FORMAT, "layer.compression");
		T_FAILS(unpack_all(type, &none, 9, &out, e), CTR_FORMAT, "layer.compression");
		for (size_t n = 0; n < good->n; n++) {
			struct ctr_buf cut = *good;

			cut.n = n;
			T_FAILS(unpack_all(type, &cut, 9, &out, e), CTR_FORMAT,
				"layer.compression");
		}
		ctr_buf_adds(good, "trailing bytes");
		T_FAILS(unpack_all(type, good, 9, &out, e), CTR_FORMAT, "layer.compression");
	}
	ctr_buf_reset(&out);
	T_OK(unpack_all(TAR, &none, 9, &out, e));
	assert_int_equal(out.n, 0);
}

/* A million bytes are allowed here, in any packing. */
static void bombs_are_refused(void **s)
{
	static const char *const types[] = { TAR, TAR "+gzip", TAR "+zstd" };

	(void)s;
	for (size_t over = 0; over <= 1; over++) {
		struct ctr_buf in[3] = { { 0 } };

		memset(ctr_buf_room(&in[0], 1000000 + over), 0, 1000000 + over);
		ctr_buf_commit(&in[0], 1000000 + over);
		mk_gzip(&in[0], &in[1]);
		mk_zstd(&in[0], &in[2]);
		for (size_t i = 0; i < 3; i++) {
			ctr_auto_buf struct ctr_buf out = { 0 };

			if (over)
				T_FAILS(unpack_all(types[i], &in[i], 4096, &out, e), CTR_FORMAT,
					"limit");
			else
				T_OK(unpack_all(types[i], &in[i], 4096, &out, e));
			assert_true(out.n <= 1000000);
		}
		for (size_t i = 0; i < 3; i++)
			ctr_buf_free(&in[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unpacks),
		cmocka_unit_test(refuses),
		cmocka_unit_test(bombs_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
