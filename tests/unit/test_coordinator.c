/* What must hold of a Coordinator's answer, for each thing that it is asked for. */
#include "coordinator.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "t.h"

static struct ctr_buf ca[2], leaf;
static const struct ctr_manifest nothing;

/* A self-signed certificate in PEM. */
static struct ctr_buf certificate(const char *constraints)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *c = X509_new();
	X509_EXTENSION *a = X509V3_EXT_conf(NULL, NULL, "basicConstraints", constraints),
		       *b = X509V3_EXT_conf(NULL, NULL, "keyUsage", "critical,keyCertSign,cRLSign");
	BIO *bio = BIO_new(BIO_s_mem());
	struct ctr_buf out = { 0 };
	char *p;
	long n;

	X509_set_version(c, X509_VERSION_3);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(c), "CN", MBSTRING_ASC,
				   (const uint8_t *)"x", -1, -1, 0);
	X509_set_issuer_name(c, X509_get_subject_name(c));
	X509_gmtime_adj(X509_getm_notBefore(c), 0);
	X509_gmtime_adj(X509_getm_notAfter(c), 3600);
	X509_set_pubkey(c, key);
	X509_add_ext(c, a, -1);
	X509_add_ext(c, b, -1);
	assert_true(X509_sign(c, key, EVP_sha256()) > 0 && PEM_write_bio_X509(bio, c) == 1);
	n = BIO_get_mem_data(bio, &p);
	ctr_buf_add(&out, p, (size_t)n);
	BIO_free(bio);
	X509_EXTENSION_free(a);
	X509_EXTENSION_free(b);
	X509_free(c);
	EVP_PKEY_free(key);
	return out;
}

static int setup(void **state)
{
	(void)state;
	ca[0] = certificate("critical,CA:TRUE");
	ca[1] = certificate("critical,CA:TRUE");
	leaf = certificate("critical,CA:FALSE");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	ctr_buf_free(&ca[0]);
	ctr_buf_free(&ca[1]);
	ctr_buf_free(&leaf);
	return 0;
}

/* An answer with these manifests, NULL for none, and certificates. */
static void make(struct ctr_attested *a, const char *first, const char *last,
		 const struct ctr_buf *root, const struct ctr_buf *mesh)
{
	const char *texts[] = { first, last };

	*a = (struct ctr_attested){ 0 };
	a->answer.manifests.v = calloc(2, sizeof *a->answer.manifests.v);
	for (int i = 0; i < 2; i++) {
		if (texts[i])
			ctr_buf_adds(&a->answer.manifests.v[a->answer.manifests.n++], texts[i]);
	}
	if (root)
		ctr_buf_add(&a->answer.root_ca, root->p, root->n);
	if (mesh)
		ctr_buf_add(&a->answer.mesh_ca, mesh->p, mesh->n);
	T_OK(ctr_answer_index_new(&a->answer, &a->policies, e));
}

/* The names of the checks that failed, with commas; "" for none. */
static void judged(const struct ctr_attested *a, const struct ctr_coordinator_want *w,
		   const char *want)
{
	ctr_auto_checks struct ctr_checks cs = { 0 };
	ctr_auto_buf struct ctr_buf names = { 0 };

	ctr_attested_check(a, w, &cs);
	assert_false(cs.bad);
	assert_true(cs.n > 0);
	for (size_t i = 0; i < cs.n; i++) {
		if (cs.v[i].result == CTR_FAIL)
			ctr_buf_addf(&names, "%s%s", names.n ? "," : "", cs.v[i].name);
	}
	T_STR(ctr_buf_str(&names), want);
}

static void serves_the_manifest_and_no_other(void **state)
{
	ctr_auto_attested struct ctr_attested a;
	struct ctr_buf bytes = { .p = (char[]){ "new" }, .n = 3 };
	struct ctr_coordinator_want w = { CTR_COORDINATOR_SERVES, &bytes, &nothing, NULL };

	(void)state;
	make(&a, "old", "new", &ca[0], &ca[1]);
	judged(&a, &w, "");
	bytes.p[2] = 'x';
	judged(&a, &w, "coordinator.manifest");
	bytes = (struct ctr_buf){ .p = (char[]){ "old" }, .n = 3 };
	judged(&a, &w, "coordinator.manifest"); /* rolled back */
}

static void nothing_is_served_without_state(void **state)
{
	ctr_auto_attested struct ctr_attested a;
	struct ctr_buf empty = { 0 };
	struct ctr_coordinator_want w = { CTR_COORDINATOR_SERVES, &empty, &nothing, &ca[0] };

	(void)state;
	make(&a, NULL, NULL, NULL, NULL);
	judged(&a, &w,
	       "coordinator.manifest,coordinator.root_ca,coordinator.mesh_ca,"
	       "coordinator.root_ca.pinned");
	w.state = CTR_COORDINATOR_WAITS;
	judged(&a, &w, "");
}

static void any_history_needs_certificates(void **state)
{
	ctr_auto_attested struct ctr_attested a, none;
	struct ctr_coordinator_want w = { CTR_COORDINATOR_ANY, NULL, &nothing, NULL };

	(void)state;
	make(&a, "old", NULL, &ca[0], &leaf);
	judged(&a, &w, "coordinator.mesh_ca");
	make(&none, NULL, NULL, NULL, NULL);
	judged(&none, &w, "");
}

static void policies_must_be_there(void **state)
{
	ctr_auto_attested struct ctr_attested a;
	ctr_auto_manifest struct ctr_manifest m = { 0 };
	struct ctr_manifest_policy *p;
	struct ctr_buf bytes = { .p = (char[]){ "new" }, .n = 3 };
	struct ctr_coordinator_want w = { CTR_COORDINATOR_SERVES, &bytes, &m, NULL };
	uint8_t hash[CTR_SHA256_SIZE] = { 1 };

	(void)state;
	T_OK(ctr_manifest_add(&m, hash, &p, e));
	make(&a, "new", NULL, &ca[0], &ca[1]);
	judged(&a, &w, "coordinator.policies");
}

/* lesson: a Coordinator that was recovered with another's seed has another root CA */
static void a_pinned_root_stays(void **state)
{
	ctr_auto_attested struct ctr_attested a;
	ctr_auto_buf struct ctr_buf spelled = { 0 };
	struct ctr_coordinator_want w = { CTR_COORDINATOR_ANY, NULL, &nothing, &ca[0] };

	(void)state;
	make(&a, "old", NULL, &ca[0], &ca[1]);
	judged(&a, &w, "");
	ctr_buf_adds(&spelled, "text in front of it\n");
	ctr_buf_add(&spelled, ca[0].p, ca[0].n);
	w.root_ca = &spelled; /* the same certificate */
	judged(&a, &w, "");
	w.root_ca = &ca[1];
	judged(&a, &w, "coordinator.root_ca.pinned");
}

static void who_serves_does_not_wait(void **state)
{
	ctr_auto_attested struct ctr_attested a;
	struct ctr_coordinator_want w = { CTR_COORDINATOR_WAITS, NULL, &nothing, NULL };

	(void)state;
	make(&a, "old", NULL, &ca[0], &ca[1]);
	judged(&a, &w, "coordinator.waits");
}

static void certificates_are_compared_whole(void **state)
{
	ctr_auto_buf struct ctr_buf two = { 0 }, none = { 0 };

	(void)state;
	assert_true(ctr_same_certificate(&ca[0], &ca[0]));
	assert_false(ctr_same_certificate(&ca[0], &ca[1]));
	ctr_buf_add(&two, ca[0].p, ca[0].n);
	ctr_buf_add(&two, ca[0].p, ca[0].n);
	assert_false(ctr_same_certificate(&ca[0], &two));
	assert_false(ctr_same_certificate(&two, &two));
	assert_false(ctr_same_certificate(&none, &none));
}

/* SNP and TDX are asked for the same. */
static void binds_what_was_answered(void **state)
{
	ctr_auto_attested struct ctr_attested a;
	ctr_auto_appraisal struct ctr_appraisal p, q;

	(void)state;
	make(&a, "old", NULL, &ca[0], &ca[1]);
	ctr_appraisal_init(&p);
	ctr_appraisal_init(&q);
	T_OK(ctr_attested_bind(&a, &p, e));
	assert_int_equal(p.snp.expect[CTR_SNP_REPORT_DATA].what, CTR_WANT_EQUAL);
	T_MEM(p.snp.expect[CTR_SNP_REPORT_DATA].v, p.tdx.expect[CTR_TDX_REPORTDATA].v, 64);
	a.nonce[0] ^= 1;
	T_OK(ctr_attested_bind(&a, &q, e));
	assert_memory_not_equal(p.snp.expect[CTR_SNP_REPORT_DATA].v,
				q.snp.expect[CTR_SNP_REPORT_DATA].v, 64);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(serves_the_manifest_and_no_other),
		cmocka_unit_test(nothing_is_served_without_state),
		cmocka_unit_test(any_history_needs_certificates),
		cmocka_unit_test(policies_must_be_there),
		cmocka_unit_test(a_pinned_root_stays),
		cmocka_unit_test(who_serves_does_not_wait),
		cmocka_unit_test(certificates_are_compared_whole),
		cmocka_unit_test(binds_what_was_answered),
	};

	return cmocka_run_group_tests_name("coordinator", tests, setup, teardown);
}
