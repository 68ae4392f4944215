/* needs: tools/ctr-policygen/layer.c tools/ctr-policygen/tree.c tools/ctr-policygen/tar.c */
/* needs: tools/ctr-policygen/unpack.c tools/ctr-policygen/verity.c tests/sim/mkimage.c */
#include "t.h"

#include "../../tools/ctr-policygen/layer.h"
#include "../sim/mkimage.h"
#include "oci_doc.h"

#define TAR "application/vnd.oci.image.layer.v1.tar"
#define auto_paths CTR_AUTO(paths_fini) struct paths
#define auto_tree CTR_AUTO(tree_fini) struct tree

static const char one_line[] = "a:x:1:1\n";

static void default_paths(struct paths *p)
{
	T_OK(paths_add(p, "etc/passwd", true, e));
	T_OK(paths_add(p, "etc/group", true, e));
}

/* Runs an archive through the reader in pieces of `piece` bytes. */
static int read_tar(const struct ctr_buf *tar, size_t piece, struct tree *t, struct ctr_err *e)
{
	auto_tar struct tar *r = NULL;

	if (tar_new(&(struct tar_events){ tree_entry, tree_data, t }, &r, e) < 0)
		return -1;
	for (size_t i = 0; i < tar->n; i += piece) {
		if (tar_add(r, tar->p + i, tar->n - i < piece ? tar->n - i : piece, e) < 0)
			return -1;
	}
	return tar_end(r, e);
}

/* The same with a fresh tree, for archives that are refused. */
static int try_tar(const struct ctr_buf *tar, struct ctr_err *e)
{
	auto_paths p = { 0 };
	auto_tree t = { 0 };

	default_paths(&p);
	if (tree_init(&t, &p, e) < 0)
		return -1;
	return read_tar(tar, 1000, &t, e);
}

/*
 * What a stack of archives has at etc/passwd: "-" for nothing; new paths are added as a caller
 * would.
 */
static int merged(struct ctr_buf *tar, size_t n, char text[64], struct ctr_err *e)
{
	auto_paths p = { 0 };

	default_paths(&p);
	for (int round = 0;; round++) {
		struct tree t[8] = { { .v = NULL } };
		const struct tree *v[8];
		const struct node *file = NULL;
		ctr_auto_buf struct ctr_buf need = { 0 };
		int rc = 0;

		assert_true(round < 20);
		for (size_t i = 0; i < n; i++) {
			v[i] = &t[i];
			if (rc == 0)
				rc = tree_init(&t[i], &p, e) < 0
					     ? -1
					     : read_tar(&tar[i], 512 + (size_t)round, &t[i], e);
		}
		if (rc == 0)
			rc = tree_resolve(v, n, "etc/passwd", &file, &need, e);
		if (rc == 0 && !need.n)
			snprintf(text, 64, "%s", file ? ctr_buf_str(&file->data) : "-");
		for (size_t i = 0; i < n; i++)
			tree_fini(&t[i]);
		if (rc < 0 || !need.n)
			return rc;
		assert_int_equal(paths_add(&p, need.p, true, e), 0);
	}
}

/*
 * A layer as text: entries separated by blanks: "path=text" file, "path/" directory, "path>target"
 * symbolic link, "path~target" hard link, "path!" device.
 */
static struct ctr_buf layer(const char *spec)
{
	struct ctr_buf b = { 0 };
	char copy[512], *rest = copy, *w;

	snprintf(copy, sizeof copy, "%s", spec);
	while ((w = strsep(&rest, " "))) {
		size_t n = strcspn(w, "=>~!");
		char kind = w[n];

		w[n] = '\0';
		if (kind == '=')
			mk_file(&b, w, w + n + 1);
		else if (kind == '>')
			mk_link(&b, w, '2', w + n + 1);
		else if (kind == '~')
			mk_link(&b, w, '1', w + n + 1);
		else
			mk_link(&b, w, kind == '!' ? '3' : '5', NULL);
	}
	mk_end(&b);
	return b;
}

static void check_merge(const char *const *spec, const char *want, const char *id)
{
	struct ctr_buf tar[8];
	char text[64] = "";
	size_t n = 0;

	for (; spec[n]; n++)
		tar[n] = layer(spec[n]);
	if (id) {
		T_FAILS(merged(tar, n, text, e), CTR_FORMAT, id);
	} else {
		T_OK(merged(tar, n, text, e));
		T_STR(text, want);
	}
	for (size_t i = 0; i < n; i++)
		ctr_buf_free(&tar[i]);
}

static void merges_as_the_runtime_mounts(void **s)
{
	static const struct {
		const char *spec[5], *want;
	} t[] = {
		{ { "etc/passwd=1" }, "1" },
		{ { "./etc/passwd=1" }, "1" },
		{ { "/etc/passwd=1" }, "1" },
		{ { "etc//./x/../passwd=1" }, "1" },
		{ { "../../etc/passwd=1" }, "1" },
		{ { "etc/passwd=1 etc/passwd=2" }, "2" },
		{ { "bin/sh=x" }, "-" },
		{ { "etc/passwd=1", "etc/passwd=2" }, "2" },
		{ { "etc/passwd=1", "etc/hosts=2" }, "1" },
		{ { "etc/passwd=1", "etc/" }, "1" },
		/* whiteouts */
		{ { "etc/passwd=1", "etc/.wh.passwd=" }, "-" },
		{ { "etc/passwd=1", "etc/.wh.passwd= etc/passwd=2" }, "2" },
		{ { "etc/passwd=1", "etc/passwd=2 etc/.wh.passwd=" }, "2" },
		{ { "etc/passwd=1", "etc/.wh.passwd=", "etc/passwd=3" }, "3" },
		{ { "etc/passwd=1", "etc/.wh..wh..opq=" }, "-" },
		{ { "etc/passwd=1", "etc/ etc/.wh..wh..opq= etc/group=g" }, "-" },
		{ { "etc/passwd=1", "etc/passwd=2 etc/.wh..wh..opq=" }, "2" },
		{ { "etc/passwd=1", ".wh..wh..opq=" }, "-" },
		{ { "etc/passwd=1", ".wh.etc=" }, "-" },
		{ { "etc/passwd=1", ".wh.etc= etc/hosts=h" }, "-" },
		{ { "etc/passwd=1", ".wh.etc=", "etc/hosts=h" }, "-" },
		{ { "etc/passwd=1", ".wh.etc= etc/passwd=2" }, "2" },
		{ { "etc/passwd=1", "etc/.wh.passwd-=" }, "1" },
		{ { "etc/passwd=1", "etc/.wh..wh.plnk=" }, "1" },
		{ { "etc/passwd=1", "usr/.wh..wh..opq=" }, "1" },
		/* files and directories in each other's place */
		{ { "etc/passwd=1", "etc=file" }, "-" },
		{ { "etc/passwd=1", "etc=file", "etc/hosts=h" }, "-" },
		{ { "etc/passwd=1 etc=file etc/" }, "-" },
		{ { "etc/passwd=1", "etc!" }, "-" },
		/* symbolic links */
		{ { "usr/lib/passwd=1 etc/passwd>../usr/lib/passwd" }, "1" },
		{ { "usr/lib/passwd=1 etc/passwd>/usr/lib/passwd" }, "1" },
		{ { "usr/lib/passwd=1", "etc/passwd>../../../../usr/lib/passwd" }, "1" },
		{ { "etc/passwd>../usr/lib/passwd", "usr/lib/passwd=2" }, "2" },
		{ { "usr/etc/passwd=1 etc>usr/etc" }, "1" },
		{ { "etc>usr/etc etc/passwd=1" }, "1" }, /* through the link, in one layer */
		{ { "etc>usr/etc usr/etc/passwd=1", "etc/passwd=2" }, "2" },
		{ { "etc>usr/etc usr/etc/passwd=1", "etc/hosts=2" },
		  "-" }, /* a directory hides the link */
		{ { "a/passwd=1 b>a c>b d>c e>d f>e g>f etc>g" }, "1" },
		{ { "etc/passwd>x etc/x>./y etc/y=1" }, "1" },
		{ { "etc/passwd>nowhere" }, "-" },
		{ { "etc/passwd>../usr/passwd usr/passwd=1", "usr/.wh.passwd=" }, "-" },
		{ { "etc>usr/etc usr/etc/passwd=1", "usr/etc/.wh..wh..opq=" }, "-" },
		{ { "etc>usr/etc usr/etc/passwd=1", ".wh.etc=" }, "-" },
		{ { "lib>usr/lib usr/lib/p=1 etc/passwd>/lib/p" }, "1" },
		{ { "lib>usr/lib usr/x/p=1 etc/passwd>/lib/../x/p" },
		  "1" }, /* up from where the link led */
		/* hard links */
		{ { "etc/p=1 etc/passwd~etc/p" }, "1" },
		{ { "etc/p=1 etc/passwd~etc/p etc/p=2" }, "1" },
		{ { "x/p=1 etc/passwd~/x/p", "x/p=2" }, "1" },
		{ { "x/p>../y y=1 etc/passwd~x/p" }, "1" },
		{ { "etc/passwd=1 etc/q~etc/passwd", "etc/.wh.passwd=" }, "-" },
	};

	(void)s;
	for (size_t i = 0; i < sizeof t / sizeof *t; i++)
		check_merge(t[i].spec, t[i].want, NULL);
}

/* A layer that another image shares may have been read with more paths than the rest. */
static void layers_may_track_different_paths(void **s)
{
	struct ctr_buf tar[2] = { layer("x/p=1 etc/passwd>/x/p"), layer("etc/hosts=h") };
	auto_paths few = { 0 };
	auto_paths more = { 0 };
	auto_tree low = { 0 };
	auto_tree high = { 0 };
	const struct tree *v[] = { &low, &high };
	ctr_auto_buf struct ctr_buf need = { 0 };
	const struct node *file;

	(void)s;
	default_paths(&few);
	default_paths(&more);
	T_OK(paths_add(&more, "x/p", true, e));
	T_OK(tree_init(&low, &few, e));
	T_OK(tree_init(&high, &more, e));
	T_OK(read_tar(&tar[0], 512, &low, e));
	T_OK(read_tar(&tar[1], 512, &high, e));
	T_OK(tree_resolve(v, 2, "etc/passwd", &file, &need, e));
	assert_null(file);
	T_STR(need.p, "x/p");
	ctr_buf_free(&tar[0]);
	ctr_buf_free(&tar[1]);
}

static void refuses_what_cannot_be_unpacked(void **s)
{
	static const struct {
		const char *spec[3], *id;
	} t[] = {
		{ { "etc/passwd>etc/passwd" }, NULL }, /* etc/etc/passwd: dangling, see below */
		{ { "etc/passwd>passwd" }, "image.links" },
		{ { "etc/passwd>x etc/x>passwd" }, "image.links" },
		{ { "etc>etc" }, "image.links" },
		{ { "a/passwd=1 b>a c>b d>c e>d f>e g>f h>g i>h etc>i" }, "image.links" },
		{ { "etc/passwd/" }, "image.passwd" },
		{ { "etc/passwd!" }, "image.passwd" },
		{ { "etc/passwd~etc/nothing" }, "layer.tree" },
		{ { "etc/passwd~etc" }, "layer.tree" },
		{ { "x/p=1", "etc/passwd~x/p" }, "layer.tree" },
		{ { "etc=file etc/passwd=1" }, "layer.tree" },
		{ { "etc/.wh.=" }, "layer.tree" },
		{ { "etc/.wh...=" }, "layer.tree" },
		{ { "etc/.wh..=" }, "layer.tree" },
	};

	(void)s;
	for (size_t i = 0; i < sizeof t / sizeof *t; i++)
		check_merge(t[i].spec, "-", t[i].id);
}

static void pieces_do_not_matter(void **s)
{
	struct ctr_buf tar = layer("etc/ etc/passwd=hello usr/x=y etc/group=grp");
	auto_paths p = { 0 };

	(void)s;
	default_paths(&p);
	for (size_t piece = 1; piece <= tar.n; piece += piece < 520 ? 1 : 511) {
		auto_tree t = { 0 };

		T_OK(tree_init(&t, &p, e));
		T_OK(read_tar(&tar, piece, &t, e));
		T_STR(tree_at(&t, "etc/passwd")->data.p, "hello");
		T_STR(tree_at(&t, "etc/group")->data.p, "grp");
	}
	ctr_buf_free(&tar);
}

static void every_cut_is_noticed(void **s)
{
	struct ctr_buf tar = layer("etc/passwd=hello usr/x=y");

	(void)s;
	for (size_t n = 0; n < tar.n; n++) {
		struct ctr_buf cut = tar;

		cut.n = n;
		/* at the border of an entry, and inside the end blocks, an archive may stop */
		if (n == 0 || n == 1024 || n == 2048 || n == 2560)
			T_OK(try_tar(&cut, e));
		else if (n < 2560)
			T_FAILS(try_tar(&cut, e), CTR_FORMAT, "layer.tar");
	}
	ctr_buf_free(&tar);
}

/* The header is good until `change` has been at it; the checksum is made again. */
static void check_header(void (*change)(uint8_t *h), const char *id)
{
	struct ctr_buf tar = layer("etc/passwd=hello");

	change((uint8_t *)tar.p);
	if (id)
		T_FAILS(try_tar(&tar, e), CTR_FORMAT, id);
	else
		T_OK(try_tar(&tar, e));
	ctr_buf_free(&tar);
}

static void flip_name(uint8_t *h)
{
	h[0] ^= 1;
}

static void bad_size(uint8_t *h)
{
	memcpy(h + 124, "0000000000x", 12);
	mk_checksum(h);
}

static void negative_size(uint8_t *h)
{
	memset(h + 124, 0xff, 12);
	mk_checksum(h);
}

static void huge_size(uint8_t *h)
{
	memset(h + 124, 0, 12);
	h[124] = 0x80;
	h[127] = 1; /* 2^64 */
	mk_checksum(h);
}

static void impossible_size(uint8_t *h)
{
	memset(h + 124, 0, 12);
	h[124] = 0x80;
	h[129] = 0x7f;
	mk_checksum(h);
}

static void base256_size(uint8_t *h)
{
	memset(h + 124, 0, 12);
	h[124] = 0x80;
	h[135] = 5;
	mk_checksum(h);
}

static void large_file(uint8_t *h)
{
	memcpy(h + 124, "00004000001", 12);
	mk_checksum(h);
}

static void sparse_file(uint8_t *h)
{
	h[156] = 'S';
	mk_checksum(h);
}

static void signed_sum(uint8_t *h)
{
	char text[16];
	int sum = 0;

	h[265] = 0xe9; /* an owner's name in Latin-1 */
	memset(h + 148, ' ', 8);
	for (size_t i = 0; i < 512; i++)
		sum += h[i] < 128 ? h[i] : h[i] - 256;
	snprintf(text, sizeof text, "%06o", (unsigned)sum);
	memcpy(h + 148, text, 7);
}

static void headers(void **s)
{
	(void)s;
	check_header(flip_name, "layer.tar");
	check_header(bad_size, "layer.tar");
	check_header(negative_size, "layer.tar");
	check_header(huge_size, "layer.tar");
	check_header(impossible_size, "layer.tar");
	check_header(large_file, "image.passwd");
	check_header(sparse_file, "image.passwd");
	check_header(base256_size, NULL);
	check_header(signed_sum, NULL);
}

static void pax(struct ctr_buf *tar, const char *key, const char *value)
{
	ctr_auto_buf struct ctr_buf b = { 0 };
	size_t n = strlen(key) + strlen(value) + 3, len = n + 1;

	while (len != n + (size_t)snprintf(NULL, 0, "%zu", len))
		len++;
	ctr_buf_addf(&b, "%zu %s=%s\n", len, key, value);
	mk_entry(tar, "PaxHeaders/x", 'x', NULL, b.p, b.n);
}

static void long_names(void **s)
{
	struct ctr_buf tar = { 0 };
	char text[64];

	(void)s;
	pax(&tar, "path", "etc/passwd");
	mk_file(&tar, "short", "pax");
	T_OK(merged(&tar, 1, text, e));
	T_STR(text, "pax");
	mk_file(&tar, "etc/passwd", "plain"); /* the header was for one entry only */
	T_OK(merged(&tar, 1, text, e));
	T_STR(text, "plain");
	mk_entry(&tar, "././@LongLink", 'L', NULL, "etc/passwd", 11);
	mk_file(&tar, "short", "gnu");
	T_OK(merged(&tar, 1, text, e));
	T_STR(text, "gnu");
	mk_entry(&tar, "././@LongLink", 'K', NULL, "/x/target", 10);
	mk_link(&tar, "etc/passwd", '2', "y");
	mk_file(&tar, "x/target", "linked");
	T_OK(merged(&tar, 1, text, e));
	T_STR(text, "linked");
	pax(&tar, "linkpath", "/z");
	mk_link(&tar, "etc/passwd", '2', "y");
	mk_file(&tar, "z", "pax link");
	T_OK(merged(&tar, 1, text, e));
	T_STR(text, "pax link");
	pax(&tar, "size", "0000000000003");
	mk_entry(&tar, "etc/passwd", '0', NULL, "abc", 3);
	T_OK(merged(&tar, 1, text, e));
	T_STR(text, "abc");
	mk_entry(&tar, "pax_global_header", 'g', NULL, "18 path=etc/other\n",
		 18); /* applies to nothing */
	mk_file(&tar, "etc/passwd", "last");
	T_OK(merged(&tar, 1, text, e));
	T_STR(text, "last");
	ctr_buf_free(&tar);
}

static void broken_extended_headers(void **s)
{
	static const struct {
		const char *text;
		size_t n;
	} bad[] = {
		{ "x", 1 },
		{ "5", 1 },
		{ "9 path=ab", 9 },
		{ "99 path=a\n", 10 },
		{ "0 path=a\n", 9 },
		{ "2 \n", 3 },
		{ "4 a\n", 4 },
		{ "-9 path=a\n", 10 },
		{ "11 path=a\0\n", 11 },
		{ "10 size=x\n", 10 },
		{ "18446744073709551626 path=a\n", 28 },
		{ "31 size=9999999999999999999999\n", 31 },
		{ "9 path=a\n9 path=b", 17 },
		{ " 9 path=a\n", 10 },
	};
	ctr_auto_buf struct ctr_buf big = { 0 };
	struct ctr_buf tar = { 0 };

	(void)s;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		ctr_buf_reset(&tar);
		mk_entry(&tar, "p", 'x', NULL, bad[i].text, bad[i].n);
		mk_file(&tar, "f", "data");
		T_FAILS(try_tar(&tar, e), CTR_FORMAT, "layer.tar");
	}
	while (big.n < TAR_PAX_MAX + 1)
		ctr_buf_adds(&big, "0123456789abcdef");
	ctr_buf_reset(&tar);
	mk_entry(&tar, "p", 'x', NULL, big.p, TAR_PAX_MAX + 1);
	T_FAILS(try_tar(&tar, e), CTR_FORMAT, "limit");
	ctr_buf_reset(&tar);
	mk_entry(&tar, "p", 'g', NULL, big.p, TAR_PAX_MAX + 1);
	T_FAILS(try_tar(&tar, e), CTR_FORMAT, "limit");
	ctr_buf_reset(&tar);
	mk_entry(&tar, "p", 'L', NULL, big.p, TAR_NAME_MAX + 1);
	T_FAILS(try_tar(&tar, e), CTR_FORMAT, "limit");
	big.p[TAR_NAME_MAX + 1] = '\0';
	ctr_buf_reset(&tar);
	pax(&tar, "path", big.p);
	T_FAILS(try_tar(&tar, e), CTR_FORMAT, "limit");
	ctr_buf_reset(&tar);
	pax(&tar, "GNU.sparse.name", "etc/passwd");
	mk_file(&tar, "GNUSparseFile.0/passwd", "data");
	T_FAILS(try_tar(&tar, e), CTR_FORMAT, "image.passwd");
	ctr_buf_reset(&tar);
	mk_file(&tar, "etc/passwd", "x");
	ctr_buf_add(&tar, (char[512]){ 0 }, 512);
	mk_file(&tar, "etc/passwd", "y");
	T_FAILS(try_tar(&tar, e), CTR_FORMAT, "layer.tar");
	ctr_buf_free(&tar);
}

/* Behind the end blocks everything is ignored, as Go does; old sparse files have their map skipped.
 */
static void ends_and_sparse_maps(void **s)
{
	struct ctr_buf tar = { 0 };
	uint8_t map[512] = { 0 };
	char text[64];

	(void)s;
	mk_entry(&tar, "big", 'S', NULL, "", 0);
	memcpy(tar.p + 124, "00000000004", 12);
	tar.p[482] = 1;
	mk_checksum((uint8_t *)tar.p);
	map[504] = 1;
	ctr_buf_add(&tar, map, sizeof map);
	map[504] = 0;
	ctr_buf_add(&tar, map, sizeof map);
	memcpy(map, "data", 4);
	ctr_buf_add(&tar, map, sizeof map);
	mk_file(&tar, "etc/passwd", "after");
	mk_end(&tar);
	mk_file(&tar, "etc/passwd", "ignored");
	ctr_buf_adds(&tar, "junk");
	T_OK(merged(&tar, 1, text, e));
	T_STR(text, "after");
	ctr_buf_free(&tar);
}

static int read_layer(const char *type, const struct ctr_buf *in, const char *diff_id,
		      const struct layer_want *w, struct layer **l, struct ctr_err *e)
{
	auto_layer_reader struct layer_reader *r = NULL;

	if (layer_reader_new(type, w, &r, e) < 0 || layer_reader_add(r, in->p, in->n, e) < 0)
		return -1;
	return layer_reader_end(r, diff_id, l, e);
}

static void layer_text_survives_the_cache(void **s)
{
	struct ctr_buf tar = layer("etc/passwd=a:x:1:1 etc/group>../x\xff\"y x~z .wh.usr= z=1");
	auto_paths p = { 0 };
	struct layer_want w = { .paths = &p, .verity = true };
	auto_layer struct layer *l = NULL;
	auto_layer struct layer *again = NULL;
	ctr_auto_buf struct ctr_buf text = { 0 }, twice = { 0 };
	struct layer *none;
	char id[CTR_OCI_DIGEST];

	(void)s;
	default_paths(&p);
	T_OK(paths_add(&p, "x\xff\"y", true, e));
	T_OK(paths_add(&p, "usr", false, e));
	T_OK(ctr_oci_digest(tar.p, tar.n, id, e));
	T_OK(read_layer(TAR, &tar, id, &w, &l, e));
	T_OK(layer_build(l, &text, e));
	T_OK(layer_parse(text.p, text.n, &again, e));
	T_OK(layer_build(again, &twice, e));
	T_STR(text.p, twice.p);
	assert_true(layer_serves(again, &w));
	assert_true(tree_at(&again->tree, "usr")->hides);
	T_STR(tree_at(&again->tree, "etc/group")->target, "../x\xff\"y");
	T_STR(tree_at(&again->tree, "etc/passwd")->data.p, "a:x:1:1");
	w.no_salt = true;
	assert_false(layer_serves(again, &w));
	T_OK(paths_add(&p, "etc/other", true, e));
	w.verity = false;
	assert_false(layer_serves(again, &w));
	/* no cut and no flip makes it crash; whatever is read is a layer */
	for (size_t i = 0; i < text.n; i++) {
		struct layer *bad = NULL;

		assert_int_equal(layer_parse(text.p, i, &bad, NULL), -1);
		text.p[i] ^= 0x15;
		if (layer_parse(text.p, text.n, &bad, NULL) == 0)
			layer_free(bad);
		text.p[i] ^= 0x15;
	}
	T_FAILS(layer_parse("{\"diff_id\":\"x\",\"verity\":\"\",\"no_salt\":false,\"nodes\":[]}",
			    54, &none, e),
		CTR_FORMAT, "layer.cache");
	ctr_buf_free(&tar);
}

static void other_diff_id_is_refused(void **s)
{
	struct ctr_buf tar = layer("etc/passwd=x");
	auto_paths p = { 0 };
	const struct layer_want w = { .paths = &p };
	struct layer *l = NULL;

	(void)s;
	T_FAILS(read_layer(TAR, &tar, "sha256:0", &w, &l, e), CTR_FORMAT, "layer.diff-id");
	assert_null(l);
	ctr_buf_free(&tar);
}

static void too_many_paths_are_refused(void **s)
{
	auto_paths p = { 0 };
	char path[32];

	(void)s;
	for (int i = 1; i < TREE_PATHS_MAX; i++) {
		snprintf(path, sizeof path, "p%d", i);
		T_OK(paths_add(&p, path, true, e));
	}
	T_FAILS(paths_add(&p, "one-more", true, e), CTR_FORMAT, "image.links");
}

/* A mutilated archive is refused or read, never more. */
static void mutations_do_no_harm(void **s)
{
	struct ctr_buf tar = layer("etc/passwd>../x x=1 .wh.usr= etc/group~x");

	(void)s;
	pax(&tar, "path", "etc/passwd");
	mk_file(&tar, "y", one_line);
	for (size_t i = 0; i < tar.n; i += 3) {
		uint8_t *block = (uint8_t *)tar.p + i / 512 * 512;
		char keep[512], old = tar.p[i];

		memcpy(keep, block, 512);
		tar.p[i] ^= 0x41;
		(void)!try_tar(&tar, NULL);
		mk_checksum(block);
		(void)!try_tar(&tar, NULL);
		memcpy(block, keep, 512);
		assert_int_equal(tar.p[i], old);
	}
	ctr_buf_free(&tar);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(merges_as_the_runtime_mounts),
		cmocka_unit_test(layers_may_track_different_paths),
		cmocka_unit_test(refuses_what_cannot_be_unpacked),
		cmocka_unit_test(pieces_do_not_matter),
		cmocka_unit_test(every_cut_is_noticed),
		cmocka_unit_test(headers),
		cmocka_unit_test(long_names),
		cmocka_unit_test(broken_extended_headers),
		cmocka_unit_test(ends_and_sparse_maps),
		cmocka_unit_test(layer_text_survives_the_cache),
		cmocka_unit_test(other_diff_id_is_refused),
		cmocka_unit_test(too_many_paths_are_refused),
		cmocka_unit_test(mutations_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
