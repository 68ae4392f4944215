/* What ctr-initializer takes from the Coordinator's own CA. */
/* needs: tools/ctr-initializer/check.c */
#include "ca.h"
#include "crypto_sign.h"
#include "t.h"
#include "tools/ctr-initializer/check.h"

#define NOW 1800000000

/* Seed and salt of this byte. */
static struct ctr_root *root_of(int c)
{
	ctr_auto_secret struct ctr_secret seed = { 0 }, salt = { 0 };
	struct ctr_root *r;

	T_OK(ctr_secret_new(&seed, CTR_SEED_SIZE, e));
	T_OK(ctr_secret_new(&salt, CTR_SALT_SIZE, e));
	memset(seed.p, c, seed.n);
	T_OK(ctr_root_derive(&seed, &salt, &r, e));
	return r;
}

static void copy(struct ctr_buf *to, const struct ctr_buf *from)
{
	ctr_buf_reset(to);
	ctr_buf_add(to, from->p, from->n);
}

static void takes_what_the_ca_issues(void **s)
{
	static const char *const names[] = { "web", "*", "10.1.2.3" };
	struct ctr_mesh_opts opts = { .now = NOW };
	ctr_auto_root struct ctr_root *root = root_of(1), *other = root_of(2);
	ctr_auto_mesh struct ctr_mesh *mesh = NULL, *next = NULL;
	ctr_auto_join_answer struct ctr_join_answer a = { 0 };
	ctr_auto_buf struct ctr_buf spki = { 0 };
	struct ctr_sign_key *key;
	struct joined out = { 0 };
	struct ctr_issue i = { .sans = names, .n_sans = 3, .now = NOW, .seconds = 3600 };

	(void)s;
	T_OK(ctr_sign_key_new(&key, e));
	T_OK(ctr_sign_key_spki(key, &spki, e));
	i.spki = (struct ctr_bytes){ spki.p, spki.n };
	T_OK(ctr_mesh_new(root, &opts, &mesh, e));
	T_OK(ctr_mesh_new(root, &opts, &next, e));
	T_OK(ctr_mesh_issue(mesh, &i, &a.cert_chain, e));
	copy(&a.mesh_ca, ctr_mesh_pem(mesh));
	copy(&a.root_ca, ctr_root_pem(root));
	T_OK(check_answer(&a, &spki, NOW, &out, e));
	assert_true(out.from <= NOW && out.until == NOW + 3600);
	T_OK(check_answer(&a, &spki, out.from - 300, &out, e));
	T_FAILS(check_answer(&a, &spki, out.from - 301, &out, e), CTR_NO, "x509.path");
	T_FAILS(check_answer(&a, &spki, out.until + 1, &out, e), CTR_NO, "x509.path");
	/* the mesh CA of the next manifest, the root of another seed */
	copy(&a.mesh_ca, ctr_mesh_pem(next));
	T_FAILS(check_answer(&a, &spki, NOW, &out, e), CTR_NO, "x509.path");
	copy(&a.mesh_ca, ctr_mesh_pem(mesh));
	copy(&a.root_ca, ctr_root_pem(other));
	T_FAILS(check_answer(&a, &spki, NOW, &out, e), CTR_NO, "x509.path");
	ctr_sign_key_free(key);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_what_the_ca_issues),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
