/* needs: tools/ctr-policygen/layer.c tools/ctr-policygen/tree.c tools/ctr-policygen/tar.c */
/* needs: tools/ctr-policygen/unpack.c tools/ctr-policygen/verity.c tests/sim/mkimage.c */
/*
 * Seconds for a GB of layer (unpacked): diff_id, accounts and dm-verity root, against what nobody
 * can do without, unpacking it and hashing it once. Twice the bytes must take twice the time.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <zlib.h>

#include "../../tools/ctr-policygen/layer.h"
#include "../sim/mkimage.h"
#include "hash.h"
#include "oci_doc.h"
#include "rd.h"

#define PIECE ((size_t)256 * 1024)

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void must(bool ok, const struct ctr_err *e)
{
	if (ok)
		return;
	fprintf(stderr, "bench_layer: %s\n", e->msg);
	exit(1);
}

/* About `size` bytes of files that shrink to about a half, as programs do. */
static struct ctr_buf make_tar(size_t size)
{
	static uint8_t text[32768];
	struct ctr_buf tar = { 0 };
	uint32_t x = 1;
	char name[64];

	for (size_t i = 0; tar.n < size; i++) {
		for (size_t k = 0; k < sizeof text; k++) {
			x = x * 1664525 + 1013904223;
			text[k] = (uint8_t)(x >> 24 & 0x1f);
		}
		snprintf(name, sizeof name, "usr/lib/d%zu/f%zu", i % 100, i);
		mk_entry(&tar, name, '0', NULL, text, sizeof text);
	}
	mk_file(&tar, "etc/passwd", "root:x:0:0::/root:/bin/sh\n");
	mk_end(&tar);
	return tar;
}

static double run(const struct ctr_buf *gz, const char *diff_id, bool verity)
{
	CTR_AUTO(paths_fini) struct paths paths = { 0 };
	const struct layer_want want = { .paths = &paths, .verity = verity };
	auto_layer_reader struct layer_reader *r = NULL;
	auto_layer struct layer *l = NULL;
	struct ctr_err e = { 0 };
	struct ctr_rd rd, part;
	double t0 = now();

	must(paths_add(&paths, "etc/passwd", true, &e) == 0 &&
		     paths_add(&paths, "etc/group", true, &e) == 0,
	     &e);
	must(layer_reader_new("application/vnd.oci.image.layer.v1.tar+gzip", &want, &r, &e) == 0,
	     &e);
	ctr_rd_init(&rd, gz->p, gz->n);
	while (rd.left > 0)
		must(ctr_rd_take(&rd, rd.left < PIECE ? rd.left : PIECE, &part) == 0 &&
			     layer_reader_add(r, part.p, part.left, &e) == 0,
		     &e);
	must(layer_reader_end(r, diff_id, &l, &e) == 0, &e);
	return now() - t0;
}

static double bare(const struct ctr_buf *gz)
{
	static uint8_t out[128 * 1024];
	ctr_auto_hasher struct ctr_hasher *h = NULL;
	struct ctr_err e = { 0 };
	z_stream z = { 0 };
	uint8_t sum[CTR_SHA256_SIZE];
	double t0 = now();
	int rc;

	must(ctr_hasher_new(CTR_SHA256, &h, &e) == 0 && inflateInit2(&z, 15 + 16) == Z_OK, &e);
	z.next_in = (Bytef *)gz->p;
	z.avail_in = (uInt)gz->n;
	do {
		z.next_out = out;
		z.avail_out = sizeof out;
		rc = inflate(&z, Z_NO_FLUSH);
		must(rc >= 0 && ctr_hasher_add(h, out, sizeof out - z.avail_out, &e) == 0, &e);
	} while (rc != Z_STREAM_END);
	must(ctr_hasher_end(h, sum, &e) == 0, &e);
	inflateEnd(&z);
	return now() - t0;
}

static double best(double a, double b)
{
	return a < b ? a : b;
}

int main(void)
{
	double once = 0;

	for (size_t size = (size_t)64 << 20; size <= (size_t)128 << 20; size *= 2) {
		ctr_auto_buf struct ctr_buf tar = make_tar(size), gz = { 0 };
		double gb = (double)tar.n / 1e9, floor = 1e9, plain = 1e9, verity = 1e9;
		char diff_id[CTR_OCI_DIGEST];
		struct ctr_err e = { 0 };

		must(ctr_oci_digest(tar.p, tar.n, diff_id, &e) == 0, &e);
		mk_gzip(&tar, &gz);
		for (int i = 0; i < 3; i++) {
			floor = best(floor, bare(&gz));
			plain = best(plain, run(&gz, diff_id, false));
			verity = best(verity, run(&gz, diff_id, true));
		}
		if (!once) {
			once = plain;
			printf("layer: %.2f s/GB, ratio %.2f to unpacking and hashing alone "
			       "(bound: 1.15)\n",
			       plain / gb, plain / floor);
			printf("layer with dm-verity: %.2f s/GB, ratio %.2f to unpacking and "
			       "hashing alone (bound: 1.30)\n",
			       verity / gb, verity / floor);
		} else {
			printf("layer of twice the bytes: ratio %.2f to the time of once (bound: "
			       "2.20)\n",
			       plain / once);
		}
	}
	return 0;
}
