/* needs: tools/ctr-policygen/image.c tools/ctr-policygen/layerset.c tools/ctr-policygen/layer.c */
/* needs: tools/ctr-policygen/tree.c tools/ctr-policygen/tar.c tools/ctr-policygen/unpack.c */
/* needs: tools/ctr-policygen/verity.c tools/ctr-policygen/passwd.c */
/* needs: tests/sim/mkimage.c */
#include "t.h"

#include <sys/stat.h>
#include <unistd.h>

#include "../../tools/ctr-policygen/image.h"
#include "../sim/mkimage.h"
#include "file.h"

#define BUSYBOX "sha256:28d1e443f371ea3ef4164ea38a11397ffa88e2da3f66cd75c415fe80092ec2eb"
#define NOWHERE "sha256:0000000000000000000000000000000000000000000000000000000000000000"
#define MANIFEST "\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\""
#define INDEX "\"mediaType\":\"application/vnd.oci.image.index.v1+json\""

static void images_cleanup(struct images **s)
{
	images_free(*s);
}
#define auto_images CTR_AUTO(images_cleanup) struct images

static struct images *open_dir(const char *dir, const char *platform)
{
	struct image_opts o = { .layouts = &dir, .n_layouts = 1, .platform = platform };
	struct images *s;

	T_OK(images_new(&o, &s, e));
	return s;
}

/* What one fresh look at `dir` says of `ref`: NULL for success, else the error's id. */
static const char *look(const char *dir, const char *ref, enum ctr_code *code)
{
	auto_images *s = open_dir(dir, NULL);
	const struct image *i;
	struct ctr_err e = { 0 };

	if (images_get(s, ref, &i, &e) == 0)
		return NULL;
	if (code)
		*code = e.code;
	assert_null(i);
	return e.id;
}

#define T_LOOK(dir, ref, want_code, want_id)                                                       \
	do {                                                                                       \
		enum ctr_code code = CTR_OK;                                                       \
		const char *id = look(dir, ref, &code);                                            \
		assert_non_null(id);                                                               \
		T_STR(id, want_id);                                                                \
		assert_int_equal(code, want_code);                                                 \
	} while (0)

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

static void reads_reference_images(void **s)
{
	auto_images *im = open_dir(t_shared("kata/images"), NULL);
	const struct image *i, *again;

	(void)s;
	T_OK(images_get(im, "registry.example/busybox:latest", &i, e));
	T_STR(i->digest, BUSYBOX);
	T_STR(i->pinned, "registry.example/busybox:latest@" BUSYBOX);
	T_STR(i->pull, "registry.example/busybox@" BUSYBOX);
	T_STR(i->config.user, "");
	assert_int_equal(i->config.cmd.n, 1);
	T_STR(i->config.cmd.v[0], "sh");
	T_OK(images_get(im, "registry.example/busybox:latest", &again, e));
	assert_ptr_equal(i, again);
	T_OK(images_get(im, "busybox@" BUSYBOX, &i, e));
	T_STR(i->pull, "docker.io/library/busybox@" BUSYBOX);
	T_OK(images_get(im, "registry.example/redis:7.0", &i, e));
	assert_int_equal(i->n_layers, 2);
	T_STR(i->layers[1].diff_id,
	      "sha256:817c48fb587f7f1e908268445b72263a54cb167154d830792422296bb4f11c87");
	T_STR(i->config.volumes.v[1], "/node-conf");
	T_STR(i->config.workdir, "/data");
}

static void missing_image_names_the_places(void **s)
{
	ctr_auto_buf struct ctr_buf sub = { 0 };
	struct mk_image mk = mk_one("r.example/a:1");
	struct ctr_err e = { 0 };
	const struct image *i;

	ctr_buf_addf(&sub, "%s/a", (char *)*s);
	mk_layout(sub.p, &mk);
	assert_null(look(*s, "r.example/a:1", NULL));
	T_LOOK(*s, "r.example/b:1", CTR_ENV, "image.missing");
	T_LOOK(*s, "r.example/a", CTR_ENV, "image.missing");
	T_LOOK(*s, "r.example/a:1@" NOWHERE, CTR_ENV, "image.missing");
	{
		auto_images *im = open_dir(*s, NULL);

		assert_int_equal(images_get(im, "r.example/b:1", &i, &e), -1);
		assert_non_null(strstr(e.msg, "r.example/b:1"));
		assert_non_null(strstr(e.msg, *s));
	}
	mk_image_free(&mk);
}

static void without_sources(void **s)
{
	struct image_opts o = { 0 };
	const char *none = "/nonexistent-layout";
	auto_images *im = NULL;
	struct images *bad;
	const struct image *i;

	T_OK(images_new(&o, &im, e));
	T_FAILS(images_get(im, "busybox", &i, e), CTR_ENV, "image.missing");
	T_FAILS(images_get(im, "Busybox", &i, e), CTR_FORMAT, "image.ref");
	o.platform = "linux";
	T_FAILS(images_new(&o, &bad, e), CTR_USAGE, "platform");
	o = (struct image_opts){ .layouts = &none, .n_layouts = 1 };
	T_FAILS(images_new(&o, &bad, e), CTR_ENV, "image.layout");
	none = *s; /* there, but no layout in it */
	T_FAILS(images_new(&o, &bad, e), CTR_ENV, "image.layout");
}

static void other_content_is_refused(void **s)
{
	struct mk_image mk = mk_one("a:1");
	char ref[128], name[800], path[1400];
	struct ctr_buf b;

	mk_layout(*s, &mk);
	snprintf(ref, sizeof ref, "a@%s", mk.digest);
	snprintf(name, sizeof name, "blobs/sha256/%s", mk.digest + 7);
	snprintf(path, sizeof path, "%s/%s", (char *)*s, name);
	b = t_file(path);
	b.p[b.n / 2] ^= 1;
	mk_write(*s, name, b.p, b.n);
	T_LOOK(*s, ref, CTR_FORMAT, "image.digest");
	b.p[b.n / 2] ^= 1;
	mk_write(*s, name, b.p, b.n - 1);
	T_LOOK(*s, ref, CTR_FORMAT, "image.digest");
	ctr_buf_free(&b);
	/* a link is no blob, wherever it leads; neither is a pipe, which must not hang us */
	unlink(path);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	T_LOOK(*s, ref, CTR_FORMAT, "image.layout");
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	T_LOOK(*s, ref, CTR_FORMAT, "image.size");
	mk_image_free(&mk);
}

static void size_and_presence_as_the_index_says(void **s)
{
	struct mk_image mk = mk_one("r.example/a:1");
	char path[1400];

	mk_layout(*s, &mk);
	assert_null(look(*s, "r.example/a:1", NULL));
	mk.manifest_size++;
	{
		ctr_auto_buf struct ctr_buf b = { 0 };

		ctr_buf_addf(&b,
			     "{" MANIFEST ",\"digest\":\"%s\",\"size\":%zu,\"annotations\":{"
			     "\"org.opencontainers.image.ref.name\":\"r.example/a:1\"}}",
			     mk.digest, mk.manifest_size);
		mk_index(*s, b.p);
	}
	T_LOOK(*s, "r.example/a:1", CTR_FORMAT, "image.size");
	snprintf(path, sizeof path, "%s/blobs/sha256/%s", (char *)*s, mk.digest + 7);
	unlink(path);
	T_LOOK(*s, "r.example/a:1", CTR_FORMAT, "image.layout");
	mk_image_free(&mk);
}

static void malformed_layouts_are_refused(void **s)
{
	static const struct {
		const char *layout, *index, *id;
	} t[] = {
		{ "{\"imageLayoutVersion\":\"2.0.0\"}", "{\"schemaVersion\":2,\"manifests\":[]}",
		  "image.layout" },
		{ "{}", "{\"schemaVersion\":2,\"manifests\":[]}", "json.missing" },
		{ "{\"imageLayoutVersion\":\"1.0.0\"}", "{\"schemaVersion\":2", "json.syntax" },
		{ "{\"imageLayoutVersion\":\"1.0.0\"}", "{\"schemaVersion\":2}", "image.type" },
	};

	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		const char *dir = *s;
		struct image_opts o = { .layouts = &dir, .n_layouts = 1 };
		struct images *im;

		mk_write(dir, "oci-layout", t[i].layout, strlen(t[i].layout));
		mk_write(dir, "index.json", t[i].index, strlen(t[i].index));
		T_FAILS(images_new(&o, &im, e), CTR_FORMAT, t[i].id);
	}
}

static void names_of_images_in_a_layout(void **s)
{
	ctr_auto_buf struct ctr_buf b = { 0 }, sub = { 0 };
	struct mk_image mk = mk_one(NULL);

	ctr_buf_addf(&sub, "%s/bare", (char *)*s);
	mk_put(sub.p, &mk);
	ctr_buf_addf(&b,
		     "{" MANIFEST ",\"digest\":\"%s\",\"size\":%zu,\"annotations\":{"
		     "\"org.opencontainers.image.ref.name\":\"2\",\"io.containerd.image.name\":"
		     "\"full.example/x:2\"}},"
		     "{" MANIFEST ",\"digest\":\"%s\",\"size\":%zu,\"annotations\":{"
		     "\"org.opencontainers.image.ref.name\":\"tag\"}}",
		     mk.digest, mk.manifest_size, mk.digest, mk.manifest_size);
	mk_index(sub.p, b.p);
	assert_null(look(*s, "full.example/x:2", NULL));
	assert_null(look(*s, "bare:tag", NULL));
	assert_null(look(*s, "docker.io/library/bare:tag", NULL));
	T_LOOK(*s, "bare:2", CTR_ENV, "image.missing");
	T_LOOK(*s, "evil.example/bare:tag", CTR_ENV, "image.missing");
	ctr_buf_addc(&sub, '/'); /* the layout itself, spelled with a slash */
	assert_null(look(sub.p, "bare:tag", NULL));
	mk_image_free(&mk);
}

static void one_name_for_two_images(void **s)
{
	ctr_auto_buf struct ctr_buf b = { 0 };
	struct mk_image v[] = { mk_one("first"), mk_one("second") };
	char ref[128];

	for (size_t k = 0; k < 2; k++) {
		mk_put(*s, &v[k]);
		ctr_buf_addf(&b,
			     "%s{" MANIFEST ",\"digest\":\"%s\",\"size\":%zu,\"annotations\":{"
			     "\"org.opencontainers.image.ref.name\":\"r.example/x:1\"}}",
			     k ? "," : "", v[k].digest, v[k].manifest_size);
	}
	mk_index(*s, b.p);
	T_LOOK(*s, "r.example/x:1", CTR_FORMAT, "image.ambiguous");
	snprintf(ref, sizeof ref, "r.example/x:1@%s", v[1].digest);
	assert_null(look(*s, ref, NULL));
	mk_image_free(&v[0]);
	mk_image_free(&v[1]);
}

static void add_entry(struct ctr_buf *b, const struct mk_image *m, const char *platform)
{
	ctr_buf_addf(b, "%s{" MANIFEST ",\"digest\":\"%s\",\"size\":%zu%s%s}", b->n ? "," : "",
		     m->digest, m->manifest_size, platform ? ",\"platform\":" : "",
		     platform ? platform : "");
}

/* Stores an index with these entries under the name r.example/multi:1. */
static void put_index(const char *dir, const char *entries, char digest[CTR_OCI_DIGEST])
{
	ctr_auto_buf struct ctr_buf x = { 0 }, b = { 0 };

	ctr_buf_addf(&x, "{\"schemaVersion\":2," INDEX ",\"manifests\":[%s]}", entries);
	mk_blob(dir, x.p, x.n, digest);
	ctr_buf_addf(&b,
		     "{" INDEX ",\"digest\":\"%s\",\"size\":%zu,\"annotations\":{"
		     "\"org.opencontainers.image.ref.name\":\"r.example/multi:1\"}}",
		     digest, x.n);
	mk_index(dir, b.p);
}

static void picks_the_platform(void **s)
{
	ctr_auto_buf struct ctr_buf b = { 0 };
	struct mk_image amd = mk_one("amd"), arm = mk_one("arm"), att = mk_one("att");
	char digest[CTR_OCI_DIGEST];
	const struct image *i;

	arm.arch = "arm64";
	mk_put(*s, &amd);
	mk_put(*s, &arm);
	mk_put(*s, &att);
	add_entry(&b, &att, "{\"os\":\"unknown\",\"architecture\":\"unknown\"}");
	add_entry(&b, &arm, "{\"os\":\"linux\",\"architecture\":\"arm64\",\"variant\":\"v8\"}");
	add_entry(&b, &att, "{\"os\":\"linux\",\"architecture\":\"amd64\",\"variant\":\"v3\"}");
	add_entry(&b, &amd, "{\"os\":\"linux\",\"architecture\":\"amd64\"}");
	put_index(*s, b.p, digest);
	{
		auto_images *im = open_dir(*s, NULL);
		auto_images *im_arm = open_dir(*s, "linux/arm64");
		auto_images *im_ppc = open_dir(*s, "linux/ppc64le");

		T_OK(images_get(im, "r.example/multi:1", &i, e));
		T_STR(i->digest, digest); /* the index is what is pinned */
		T_STR(i->layers[0].desc.digest, amd.layer_digest[0]);
		T_OK(images_get(im_arm, "r.example/multi:1", &i, e));
		T_STR(i->layers[0].desc.digest, arm.layer_digest[0]);
		T_FAILS(images_get(im_ppc, "r.example/multi:1", &i, e), CTR_FORMAT,
			"image.platform");
	}
	/* the index lies about the architecture: the configuration has the last word */
	ctr_buf_reset(&b);
	add_entry(&b, &arm, "{\"os\":\"linux\",\"architecture\":\"amd64\"}");
	put_index(*s, b.p, digest);
	T_LOOK(*s, "r.example/multi:1", CTR_FORMAT, "image.platform");
	mk_image_free(&amd);
	mk_image_free(&arm);
	mk_image_free(&att);
}

static void nested_indexes_have_a_depth(void **s)
{
	ctr_auto_buf struct ctr_buf b = { 0 };
	struct mk_image amd = mk_one("amd");
	char digest[CTR_OCI_DIGEST];

	mk_put(*s, &amd);
	add_entry(&b, &amd, NULL);
	for (int depth = 1; depth <= 3; depth++) {
		put_index(*s, b.p, digest);
		if (depth <= 2)
			assert_null(look(*s, "r.example/multi:1", NULL));
		else
			T_LOOK(*s, "r.example/multi:1", CTR_FORMAT, "image.type");
		ctr_buf_reset(&b);
		ctr_buf_addf(&b, "{" INDEX ",\"digest\":\"%s\",\"size\":1}", digest);
	}
	mk_image_free(&amd);
}

static void layers_and_diff_ids_must_agree(void **s)
{
	static const char config[] = "{\"architecture\":\"amd64\",\"os\":\"linux\",\"rootfs\":"
				     "{\"type\":\"layers\",\"diff_ids\":[]}}";
	struct mk_image mk = mk_one("a:1");
	ctr_auto_buf struct ctr_buf m = { 0 };
	char cd[CTR_OCI_DIGEST], ref[128];

	mk_layout(*s, &mk);
	mk_blob(*s, config, sizeof config - 1, cd);
	ctr_buf_addf(&m,
		     "{\"schemaVersion\":2,\"config\":{\"mediaType\":\"application/"
		     "vnd.oci.image.config.v1+json\","
		     "\"digest\":\"%s\",\"size\":%zu},\"layers\":[{\"mediaType\":"
		     "\"application/vnd.oci.image.layer.v1.tar\",\"digest\":\"%s\",\"size\":1}]}",
		     cd, sizeof config - 1, mk.layer_digest[0]);
	mk_blob(*s, m.p, m.n, mk.digest);
	snprintf(ref, sizeof ref, "a@%s", mk.digest);
	T_LOOK(*s, ref, CTR_FORMAT, "image.layers");
	mk_image_free(&mk);
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

static void accounts_of_reference_images(void **s)
{
	auto_images *im = open_dir(t_shared("kata/images"), NULL);
	const struct accounts *a;
	const struct image *i;

	(void)s;
	T_OK(images_get(im, "registry.example/gid:latest", &i, e));
	T_OK(image_accounts(im, i, &a, e));
	assert_int_equal(accounts_by_name(a, "svc")->uid, 2);
	assert_int_equal(accounts_by_uid(a, 2)->gid, 1);
	T_OK(images_get(im, "registry.example/busybox:latest", &i, e));
	T_OK(image_accounts(im, i, &a, e));
	assert_null(accounts_by_name(a, "svc"));
	T_OK(images_get(im, "registry.example/redis:7.0", &i, e));
	T_OK(image_accounts(im, i, &a, e));
	assert_non_null(accounts_by_name(a, "redis"));
}

/* lesson: determinism across threads */
static void lesson_determinism_across_threads(void **s)
{
	struct mk_image mk = mk_many("r.example/many:1");
	const char *dir = *s;
	char first[8][65];

	mk_layout(dir, &mk);
	for (unsigned threads = 1; threads <= 9; threads += 2) {
		struct image_opts o = {
			.layouts = &dir, .n_layouts = 1, .threads = threads, .verity = true
		};
		auto_images *im = NULL;
		const struct image *i;

		T_OK(images_new(&o, &im, e));
		check_many(im);
		T_OK(images_get(im, "r.example/many:1", &i, e));
		for (size_t k = 0; k < i->n_layers; k++) {
			if (threads == 1)
				memcpy(first[k], i->layers[k].verity_root, 65);
			assert_int_equal(strlen(i->layers[k].verity_root), 64);
			T_STR(i->layers[k].verity_root, first[k]);
		}
	}
	mk_image_free(&mk);
}

/* Layers 2 and 5 are broken: it is always 2 that is named. */
static void the_lowest_broken_layer_is_named(void **s)
{
	struct mk_image mk = mk_many("r.example/many:1");
	const char *dir = *s;

	mk_layout(dir, &mk);
	for (size_t k = 2; k <= 5; k += 3) {
		char name[800], path[1400];
		struct ctr_buf b;

		snprintf(name, sizeof name, "blobs/sha256/%s", mk.layer_digest[k] + 7);
		snprintf(path, sizeof path, "%s/%s", dir, name);
		b = t_file(path);
		b.p[b.n - 1] ^= 1;
		mk_write(dir, name, b.p, b.n);
		ctr_buf_free(&b);
	}
	for (unsigned threads = 1; threads <= 8; threads++) {
		struct image_opts o = { .layouts = &dir, .n_layouts = 1, .threads = threads };
		struct ctr_err err = { 0 };
		auto_images *im = NULL;
		const struct accounts *a;
		const struct image *i;

		T_OK(images_new(&o, &im, e));
		T_OK(images_get(im, "r.example/many:1", &i, e));
		assert_int_equal(image_accounts(im, i, &a, &err), -1);
		assert_int_equal(err.code, CTR_FORMAT);
		assert_null(a);
		assert_non_null(strstr(err.msg, "r.example/many:1"));
		assert_non_null(strstr(err.msg, mk.layer_digest[2]));
	}
	mk_image_free(&mk);
}

static void verity_roots_without_accounts(void **s)
{
	struct mk_image mk = mk_many("r.example/many:1");
	const char *dir = *s;
	char salted[65];

	mk_layout(dir, &mk);
	for (int no_salt = 0; no_salt <= 1; no_salt++) {
		struct image_opts o = { .layouts = &dir, .n_layouts = 1, .no_salt = no_salt };
		auto_images *im = NULL;
		const struct image *i;

		T_OK(images_new(&o, &im, e));
		T_OK(images_get(im, "r.example/many:1", &i, e));
		T_STR(i->layers[0].verity_root, "");
		T_OK(image_verity(im, i, e));
		assert_int_equal(strlen(i->layers[7].verity_root), 64);
		if (no_salt)
			assert_string_not_equal(i->layers[0].verity_root, salted);
		memcpy(salted, i->layers[0].verity_root, 65);
	}
	mk_image_free(&mk);
}

static void sizes_are_bounded(void **s)
{
	struct mk_image mk = mk_one("a:1");
	ctr_auto_buf struct ctr_buf b = { 0 };
	char digest[CTR_OCI_DIGEST], ref[128];

	mk_layout(*s, &mk);
	while (b.n <= CTR_OCI_MANIFEST_MAX)
		ctr_buf_adds(&b, "                                ");
	mk_blob(*s, b.p, b.n, digest);
	snprintf(ref, sizeof ref, "a@%s", digest);
	T_LOOK(*s, ref, CTR_FORMAT, "limit");
	ctr_buf_reset(&b);
	ctr_buf_addf(&b,
		     "{\"schemaVersion\":2,\"config\":{\"mediaType\":\"application/"
		     "vnd.oci.image.config.v1+json\","
		     "\"digest\":\"%s\",\"size\":%zu},\"layers\":[{\"mediaType\":\"application/"
		     "vnd.oci.image.layer.v1.tar\","
		     "\"digest\":\"%s\",\"size\":1}]}",
		     digest, CTR_OCI_CONFIG_MAX + 1, digest);
	mk_blob(*s, b.p, b.n, digest);
	snprintf(ref, sizeof ref, "a@%s", digest);
	T_LOOK(*s, ref, CTR_FORMAT, "limit");
	mk_image_free(&mk);
}

/* lesson: odd images early */
static void lesson_odd_images_early(void **s)
{
	struct mk_image empty = { .name = "r.example/empty:1" };

	mk_layout(*s, &empty);
	T_LOOK(*s, "r.example/empty:1", CTR_FORMAT, "image.empty");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_reference_images),
		cmocka_unit_test_setup_teardown(missing_image_names_the_places, tmp_up, tmp_down),
		cmocka_unit_test_setup_teardown(without_sources, tmp_up, tmp_down),
		cmocka_unit_test_setup_teardown(other_content_is_refused, tmp_up, tmp_down),
		cmocka_unit_test_setup_teardown(size_and_presence_as_the_index_says, tmp_up,
						tmp_down),
		cmocka_unit_test_setup_teardown(malformed_layouts_are_refused, tmp_up, tmp_down),
		cmocka_unit_test_setup_teardown(names_of_images_in_a_layout, tmp_up, tmp_down),
		cmocka_unit_test_setup_teardown(one_name_for_two_images, tmp_up, tmp_down),
		cmocka_unit_test_setup_teardown(picks_the_platform, tmp_up, tmp_down),
		cmocka_unit_test_setup_teardown(nested_indexes_have_a_depth, tmp_up, tmp_down),
		cmocka_unit_test_setup_teardown(layers_and_diff_ids_must_agree, tmp_up, tmp_down),
		cmocka_unit_test(accounts_of_reference_images),
		cmocka_unit_test_setup_teardown(lesson_determinism_across_threads, tmp_up,
						tmp_down),
		cmocka_unit_test_setup_teardown(the_lowest_broken_layer_is_named, tmp_up, tmp_down),
		cmocka_unit_test_setup_teardown(verity_roots_without_accounts, tmp_up, tmp_down),
		cmocka_unit_test_setup_teardown(sizes_are_bounded, tmp_up, tmp_down),
		cmocka_unit_test_setup_teardown(lesson_odd_images_early, tmp_up, tmp_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
