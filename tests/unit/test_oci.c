#include "oci_doc.h"
#include "t.h"

#define D "sha256:28d1e443f371ea3ef4164ea38a11397ffa88e2da3f66cd75c415fe80092ec2eb"
#define OCI "application/vnd.oci.image."
#define DOCKER "application/vnd.docker."
#define CONFIG                                                                                     \
	"\"config\":{\"mediaType\":\"" OCI "config.v1+json\",\"digest\":\"" D "\",\"size\":2}"
#define LAYER(type) "{\"mediaType\":\"" type "\",\"digest\":\"" D "\",\"size\":3}"
#define ROOTFS "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"" D "\"]}"

static int parse(const char *s, struct ctr_oci_index **x, struct ctr_oci_manifest **m,
		 struct ctr_err *e)
{
	return ctr_oci_doc_parse("doc", s, strlen(s), x, m, e);
}

static void reads_manifests(void **s)
{
	static const char *const good[] = {
		"{\"schemaVersion\":2," CONFIG ",\"layers\":[" LAYER(OCI "layer.v1.tar+gzip") "]}",
		"{\"schemaVersion\":2,\"mediaType\":\"" OCI "manifest.v1+json\"," CONFIG
		",\"layers\":[" LAYER(OCI
				      "layer.v1.tar+zstd") "],\"manifests\":null,\"annotations\":"
							   "null,\"subject\":null}",
		"{\"schemaVersion\":2,\"mediaType\":\"" DOCKER
		"distribution.manifest.v2+json\",\"config\":{\"mediaType\":\"" DOCKER
		"container.image.v1+json\",\"digest\":\"" D
		"\",\"size\":2},\"layers\":[" LAYER(DOCKER "image.rootfs.diff.tar.gzip") "]}",
	};
	struct ctr_oci_index *x;
	struct ctr_oci_manifest *m;

	(void)s;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		T_OK(parse(good[i], &x, &m, e));
		assert_null(x);
		T_STR(m->config.digest, D);
		assert_int_equal(m->config.size, 2);
		assert_int_equal(m->n_layers, 1);
		assert_int_equal(m->layers[0].size, 3);
		ctr_oci_manifest_free(m);
	}
}

#define FILE_OF(digit, title)                                                                      \
	"{\"mediaType\":\"x/y\",\"digest\":\"sha256:" digit digit digit digit                      \
	"\",\"size\":5,\"annotations\":" title "}"
#define SIXTEEN(c) c c c c c c c c c c c c c c c c
#define TITLE(t) "{\"org.opencontainers.image.title\":\"" t "\"}"
#define ARTIFACT(layers)                                                                           \
	"{\"schemaVersion\":2,\"artifactType\":\"x/z\",\"config\":{\"mediaType\":\"" OCI           \
	"empty.v1+json\",\"digest\":\"" D "\",\"size\":2},\"layers\":[" layers "]}"

static void picks_an_artifacts_file(void **s)
{
	static const char one[] = ARTIFACT(FILE_OF(SIXTEEN("1"), "null")),
			  two[] = ARTIFACT(FILE_OF(SIXTEEN("1"), TITLE("a")) "," FILE_OF(
				  SIXTEEN("2"), TITLE("b"))),
			  same[] = ARTIFACT(FILE_OF(SIXTEEN("1"), TITLE("a")) "," FILE_OF(
				  SIXTEEN("2"), TITLE("a"))),
			  odd[] = ARTIFACT(FILE_OF(SIXTEEN("1"), TITLE("a")) ",{}"),
			  none[] = ARTIFACT(""),
			  index[] = "{\"schemaVersion\":2,\"manifests\":[" LAYER("x/y") "]}";
	static const struct {
		const char *text, *title, *id;
		char digit;
	} t[] = {
		{ one, NULL, NULL, '1' },
		{ two, "b", NULL, '2' },
		{ two, NULL, "artifact.layer", 0 },
		{ two, "c", "artifact.layer", 0 },
		{ one, "a", "artifact.layer", 0 },
		{ same, "a", "artifact.layer", 0 },
		{ none, NULL, "artifact.layer", 0 },
		{ odd, "a", "json.missing", 0 },
		{ index, NULL, "image.type", 0 },
		{ "{}", NULL, "json.missing", 0 },
	};

	(void)s;
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		struct ctr_oci_desc d;

		if (t[i].id) {
			T_FAILS(ctr_oci_artifact_parse("doc", t[i].text, strlen(t[i].text),
						       t[i].title, &d, e),
				CTR_FORMAT, t[i].id);
			continue;
		}
		T_OK(ctr_oci_artifact_parse("doc", t[i].text, strlen(t[i].text), t[i].title, &d,
					    e));
		assert_int_equal(d.digest[7], t[i].digit);
		assert_int_equal(d.size, 5);
	}
}

static void refuses_documents(void **s)
{
	static const struct {
		const char *text, *id;
	} bad[] = {
		{ "", "json.syntax" },
		{ "[]", "json.type" },
		{ "{}", "json.missing" },
		{ "{\"schemaVersion\":2}", "image.type" },
		{ "{\"schemaVersion\":3," CONFIG ",\"layers\":[]}", "image.type" },
		{ "{\"schemaVersion\":1,\"fsLayers\":[]}", "image.type" },
		{ "{\"schemaVersion\":2,\"fsLayers\":[]," CONFIG "}", "image.type" },
		{ "{\"schemaVersion\":1,\"mediaType\":\"" DOCKER
		  "distribution.manifest.v1+prettyjws\"}",
		  "image.type" },
		{ "{\"schemaVersion\":2,\"mediaType\":\"" DOCKER
		  "distribution.manifest.v1+json\"," CONFIG "}",
		  "image.type" },
		{ "{\"schemaVersion\":2,\"mediaType\":\"text/html\"," CONFIG ",\"layers\":[]}",
		  "image.type" },
		{ "{\"schemaVersion\":2,\"mediaType\":\"application/"
		  "vnd.oci.artifact.manifest.v1+json\"}",
		  "image.type" },
		/* one text, two readings */
		{ "{\"schemaVersion\":2,\"mediaType\":\"" OCI "index.v1+json\"," CONFIG
		  ",\"layers\":[]}",
		  "image.type" },
		{ "{\"schemaVersion\":2,\"mediaType\":\"" OCI
		  "manifest.v1+json\",\"manifests\":[]}",
		  "image.type" },
		{ "{\"schemaVersion\":2,\"manifests\":[]," CONFIG "}", "image.type" },
		{ "{\"schemaVersion\":2,\"manifests\":[],\"layers\":[]}", "image.type" },
		{ "{\"schemaVersion\":2,\"mediaType\":\"" OCI "manifest.v1+json\"," CONFIG
		  ",\"manifests\":[]}",
		  "image.type" },
		{ "{\"schemaVersion\":2,\"schemaVersion\":2," CONFIG "}", "json.duplicate" },
		/* artifacts */
		{ "{\"schemaVersion\":2,\"config\":{\"mediaType\":\"application/"
		  "vnd.oci.empty.v1+json\",\"digest\":\"" D
		  "\",\"size\":2},\"layers\":[" LAYER(OCI "layer.v1.tar") "]}",
		  "image.type" },
		{ "{\"schemaVersion\":2,\"config\":{\"mediaType\":\"application/"
		  "vnd.cncf.helm.config.v1+json\",\"digest\":\"" D "\",\"size\":2},\"layers\":[]}",
		  "image.type" },
		/* layers */
		{ "{\"schemaVersion\":2," CONFIG "}", "image.empty" },
		{ "{\"schemaVersion\":2," CONFIG ",\"layers\":null}", "image.empty" },
		{ "{\"schemaVersion\":2," CONFIG ",\"layers\":{}}", "json.type" },
		{ "{\"schemaVersion\":2," CONFIG
		  ",\"layers\":[" LAYER(OCI "layer.nondistributable.v1.tar+gzip") "]}",
		  "image.layer" },
		{ "{\"schemaVersion\":2," CONFIG
		  ",\"layers\":[" LAYER(DOCKER "image.rootfs.foreign.diff.tar.gzip") "]}",
		  "image.layer" },
		{ "{\"schemaVersion\":2," CONFIG
		  ",\"layers\":[" LAYER(OCI "layer.v1.tar+gzip+encrypted") "]}",
		  "image.layer" },
		{ "{\"schemaVersion\":2," CONFIG ",\"layers\":[" LAYER("application/x-tar") "]}",
		  "image.layer" },
		{ "{\"schemaVersion\":2," CONFIG ",\"layers\":[{\"digest\":\"" D "\",\"size\":3}]}",
		  "image.layer" },
		{ "{\"schemaVersion\":2," CONFIG ",\"layers\":[{\"size\":3}]}", "json.missing" },
		{ "{\"schemaVersion\":2," CONFIG
		  ",\"layers\":[{\"digest\":\"sha256:00\",\"size\":3}]}",
		  "image.digest-form" },
		{ "{\"schemaVersion\":2," CONFIG ",\"layers\":[{\"digest\":\"" D
		  "\",\"size\":-1}]}",
		  "json.range" },
		{ "{\"schemaVersion\":2," CONFIG ",\"layers\":[{\"digest\":\"" D "\"}]}",
		  "json.missing" },
	};
	struct ctr_oci_index *x;
	struct ctr_oci_manifest *m;

	(void)s;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		T_FAILS(parse(bad[i].text, &x, &m, e), CTR_FORMAT, bad[i].id);
		assert_null(x);
		assert_null(m);
	}
}

static void counts_are_bounded(void **s)
{
	ctr_auto_buf struct ctr_buf b = { 0 };
	struct ctr_oci_index *x;
	struct ctr_oci_manifest *m;

	(void)s;
	ctr_buf_adds(&b, "{\"schemaVersion\":2," CONFIG ",\"layers\":[");
	for (int i = 0; i < CTR_OCI_LAYERS; i++)
		ctr_buf_adds(&b, LAYER(OCI "layer.v1.tar") ",");
	b.p[b.n - 1] = ']';
	ctr_buf_addc(&b, '}');
	T_OK(ctr_oci_doc_parse("doc", b.p, b.n, &x, &m, e));
	ctr_oci_manifest_free(m);
	b.n -= 2;
	ctr_buf_adds(&b, "," LAYER(OCI "layer.v1.tar") "]}");
	T_FAILS(ctr_oci_doc_parse("doc", b.p, b.n, &x, &m, e), CTR_FORMAT, "limit");
	ctr_buf_reset(&b);
	ctr_buf_adds(&b, "{\"schemaVersion\":2,\"manifests\":[0");
	for (int i = 0; i < CTR_OCI_ENTRIES; i++)
		ctr_buf_adds(&b, ",0");
	ctr_buf_adds(&b, "]}");
	T_FAILS(ctr_oci_doc_parse("doc", b.p, b.n, &x, &m, e), CTR_FORMAT, "limit");
}

static void picks_from_an_index(void **s)
{
#define E(p, type, size) "{\"mediaType\":\"" type "\",\"digest\":\"" D "\",\"size\":" #size p "}"
#define P(o, a, v)                                                                                 \
	",\"platform\":{\"os\":\"" o "\",\"architecture\":\"" a "\",\"variant\":\"" v "\"}"
	static const char text[] =
		"{\"schemaVersion\":2,\"mediaType\":\"" DOCKER
		"distribution.manifest.list.v2+json\",\"manifests\":[" E(
			P("unknown", "unknown", ""), OCI "manifest.v1+json",
			1) "," E(P("linux", "amd64", "v3"), OCI "manifest.v1+json",
				 2) "," E(P("linux", "amd64", "v1"), OCI "manifest.v1+json",
					  3) "," E(P("linux", "amd64", ""), OCI "manifest.v1+json",
						   4) "," E(P("linux", "arm", "v7"),
							    OCI "manifest.v1+json",
							    5) "," E(P("", "", ""),
								     OCI "manifest.v1+json",
								     6) "," E(P("windows", "amd64",
										""),
									      OCI "index.v1+json",
									      7) "," E("",
										       OCI
										       "manifest."
										       "v1+json",
										       8) "]}";
	static const struct {
		const char *want;
		uint64_t size; /* 0: none */
	} t[] = {
		{ "linux/amd64", 3 },  { "linux/amd64/v1", 3 }, { "linux/amd64/v3", 2 },
		{ "linux/arm/v7", 5 }, { "windows/amd64", 7 },	{ "linux/arm", 8 },
		{ "linux/s390x", 8 },
	};
	struct ctr_oci_index *x;
	struct ctr_oci_manifest *m;
	struct ctr_oci_platform p;

	(void)s;
	T_OK(parse(text, &x, &m, e));
	assert_null(m);
	assert_int_equal(x->n, 8);
	assert_true(x->v[6].is_index);
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		const struct ctr_oci_entry *hit;

		T_OK(ctr_oci_platform_parse(t[i].want, &p, e));
		hit = ctr_oci_pick(x, &p);
		assert_int_equal(hit ? hit->desc.size : 0, t[i].size);
	}
	x->n--; /* without the entry that names no platform */
	T_OK(ctr_oci_platform_parse("linux/s390x", &p, e));
	assert_null(ctr_oci_pick(x, &p));
	x->n++;
	x->v[0].has_platform = false; /* two of that kind: no guessing */
	assert_null(ctr_oci_pick(x, &p));
	ctr_oci_index_free(x);
}

static void platforms(void **s)
{
	static const char *const bad[] = { "",
					   "linux",
					   "linux/",
					   "/amd64",
					   "linux/amd64/",
					   "linux/amd64/v1/x",
					   "linux//v1",
					   "linux/0123456789012345678901234567890123456789" };
	struct ctr_oci_platform p;

	(void)s;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		T_FAILS(ctr_oci_platform_parse(bad[i], &p, e), CTR_USAGE, "platform");
	T_OK(ctr_oci_platform_parse("linux/arm64/v8", &p, e));
	T_STR(p.variant, "");
	T_OK(ctr_oci_platform_parse("linux/arm/v6", &p, e));
	T_STR(p.variant, "v6");
}

static int config(const char *s, struct ctr_oci_config *c, struct ctr_err *e)
{
	return ctr_oci_config_parse("config", s, strlen(s), c, e);
}

static void reads_configurations(void **s)
{
	struct ctr_oci_config c;

	(void)s;
	T_OK(config("{\"architecture\":\"amd64\",\"os\":\"linux\",\"config\":{\"User\":\"u:g\","
		    "\"Env\":[\"A=1\",\"B\"],"
		    "\"Entrypoint\":[\"/e\"],\"Cmd\":[\"c\",\"d\"],\"WorkingDir\":\"/w\","
		    "\"Volumes\":{\"/z\":{},\"/a\":null,\"/m\":{}}}," ROOTFS "}",
		    &c, e));
	T_STR(c.user, "u:g");
	T_STR(c.workdir, "/w");
	assert_int_equal(c.env.n, 2);
	T_STR(c.env.v[1], "B");
	T_STR(c.entrypoint.v[0], "/e");
	assert_int_equal(c.cmd.n, 2);
	assert_int_equal(c.volumes.n, 3);
	T_STR(c.volumes.v[0], "/a");
	T_STR(c.volumes.v[1], "/m");
	T_STR(c.volumes.v[2], "/z");
	T_STR(c.diff_ids.v[0], D);
	T_STR(c.platform.arch, "amd64");
	ctr_oci_config_fini(&c);
}

static void null_is_absent(void **s)
{
	static const char *const same[] = {
		"{" ROOTFS "}",
		"{\"config\":null," ROOTFS "}",
		"{\"config\":{},\"os\":null,\"history\":null," ROOTFS "}",
		"{\"config\":{\"User\":null,\"Env\":null,\"Entrypoint\":null,\"Cmd\":null,"
		"\"WorkingDir\":null,"
		"\"Volumes\":null,\"Labels\":null},\"architecture\":null,\"variant\":null," ROOTFS
		"}",
		"{\"config\":{\"Env\":[],\"Volumes\":{}}," ROOTFS "}",
	};
	struct ctr_oci_config c;

	(void)s;
	for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
		T_OK(config(same[i], &c, e));
		T_STR(c.user, "");
		T_STR(c.workdir, "");
		assert_int_equal(c.env.n + c.entrypoint.n + c.cmd.n + c.volumes.n, 0);
		T_STR(c.platform.os, "");
		assert_int_equal(c.diff_ids.n, 1);
		ctr_oci_config_fini(&c);
	}
}

static void refuses_configurations(void **s)
{
	static const struct {
		const char *text, *id;
	} bad[] = {
		{ "[]", "json.type" },
		{ "{}", "json.missing" },
		{ "{\"rootfs\":{\"type\":\"tree\",\"diff_ids\":[]}}", "image.config" },
		{ "{\"rootfs\":{\"diff_ids\":[]}}", "json.missing" },
		{ "{\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"x\"]}}", "image.digest-form" },
		{ "{\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[7]}}", "json.type" },
		{ "{\"config\":[]," ROOTFS "}", "json.type" },
		{ "{\"config\":{\"User\":7}," ROOTFS "}", "json.type" },
		{ "{\"config\":{\"Env\":\"A=1\"}," ROOTFS "}", "json.type" },
		{ "{\"config\":{\"Env\":[1]}," ROOTFS "}", "json.type" },
		{ "{\"config\":{\"Cmd\":{}}," ROOTFS "}", "json.type" },
		{ "{\"config\":{\"Volumes\":[]}," ROOTFS "}", "json.type" },
		{ "{\"config\":{\"User\":\"a\\u0000b\"}," ROOTFS "}", "json.syntax" },
		/* read by one reader, not by the other */
		{ "{\"config\":{\"user\":\"root\"}," ROOTFS "}", "image.config" },
		{ "{\"config\":{\"User\":\"a\",\"USER\":\"root\"}," ROOTFS "}", "image.config" },
		{ "{\"Config\":{}," ROOTFS "}", "image.config" },
		{ "{\"architecture\":\"0123456789012345678901234567890123456789\"," ROOTFS "}",
		  "limit" },
	};
	ctr_auto_buf struct ctr_buf b = { 0 };
	struct ctr_oci_config c;

	(void)s;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		T_FAILS(config(bad[i].text, &c, e), CTR_FORMAT, bad[i].id);
		assert_null(c.env.v);
		assert_null(c.user);
	}
	ctr_buf_adds(&b, "{\"config\":{\"Env\":[\"A=0\"");
	for (int i = 0; i < CTR_OCI_ENTRIES; i++)
		ctr_buf_adds(&b, ",\"B=1\"");
	ctr_buf_adds(&b, "]}," ROOTFS "}");
	T_FAILS(config(b.p, &c, e), CTR_FORMAT, "limit");
	ctr_buf_reset(&b);
	ctr_buf_adds(&b, "{\"config\":{\"Volumes\":{\"/x\":{}");
	for (int i = 0; i < CTR_OCI_ENTRIES; i++)
		ctr_buf_addf(&b, ",\"/%d\":{}", i);
	ctr_buf_adds(&b, "}}," ROOTFS "}");
	T_FAILS(config(b.p, &c, e), CTR_FORMAT, "limit");
}

static void verifies_bytes(void **s)
{
	struct ctr_oci_desc d = { .size = 3 };

	(void)s;
	T_OK(ctr_oci_digest("abc", 3, d.digest, e));
	T_STR(d.digest, "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	T_OK(ctr_oci_verify(&d, "abc", 3, e));
	T_FAILS(ctr_oci_verify(&d, "abd", 3, e), CTR_FORMAT, "image.digest");
	T_FAILS(ctr_oci_verify(&d, "abcd", 4, e), CTR_FORMAT, "image.size");
	T_OK(ctr_oci_digest(NULL, 0, d.digest, e));
	d.size = 0;
	T_OK(ctr_oci_verify(&d, NULL, 0, e));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_manifests),	  cmocka_unit_test(picks_an_artifacts_file),
		cmocka_unit_test(refuses_documents),	  cmocka_unit_test(counts_are_bounded),
		cmocka_unit_test(picks_from_an_index),	  cmocka_unit_test(platforms),
		cmocka_unit_test(reads_configurations),	  cmocka_unit_test(null_is_absent),
		cmocka_unit_test(refuses_configurations), cmocka_unit_test(verifies_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
