/* needs: tools/ctr-attest-verify/idauth.c tests/sim/guest.c */
#include "t.h"

#include "../../tools/ctr-attest-verify/idauth.h"
#include "../sim/guest.h"
#include "crypto.h"

/* RFC 6979 A.2.5 and A.2.6: keys, and the signatures of "sample" with SHA-256 and SHA-384. */
static const char p256_x[] = "60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6",
		  p256_y[] = "7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299",
		  p256_r[] = "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716",
		  p256_s[] = "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8",
		  p384_x[] = "EC3A4E415B4E19A4568618029F427FA5DA9A8BC4AE92E02E06AAE5286B300C64"
			     "DEF8F0EA9055866064A254515480BC13",
		  p384_y[] = "8015D9B72D7D57244EA8EF9AC0C621896708A59367F9DFB9F54CA84B3F1C9DB1"
			     "288B231C3AE0D4FE7344FD2533264720",
		  p384_r[] = "94EDBB92A5ECB8AAD4736E56C691916B3F88140666CE9FA73D64C4EA95AD133C"
			     "81A648152E44ACF96E36DD1E80FABE46",
		  p384_s[] = "99EF4AEB15F178CEA1FE40DB2603138F130E740A19624526203B6351D0A3A94F"
			     "A329C145786E679E7B82C71A38628AC8";

static void hex(const char *s, uint8_t *out, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned v = 0;

		assert_int_equal(sscanf(s + 2 * i, "%2x", &v), 1);
		out[i] = (uint8_t)v;
	}
}

static void signatures(void **state)
{
	static const struct {
		size_t size;
		const char *x, *y, *r, *s;
	} cases[] = { { 32, p256_x, p256_y, p256_r, p256_s },
		      { 48, p384_x, p384_y, p384_r, p384_s } };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct ctr_ec k = { .size = cases[i].size };
		uint8_t r[48], s[48], zero[48] = { 0 };
		bool good;

		hex(cases[i].x, k.x, k.size);
		hex(cases[i].y, k.y, k.size);
		hex(cases[i].r, r, k.size);
		hex(cases[i].s, s, k.size);
		T_OK(ctr_ec_verify(&k, "sample", 6, r, s, &good, e));
		assert_true(good);
		T_OK(ctr_ec_verify(&k, "Sample", 6, r, s, &good, e));
		assert_false(good);
		T_OK(ctr_ec_verify(&k, "sample", 6, s, r, &good, e));
		assert_false(good);
		T_OK(ctr_ec_verify(&k, "sample", 6, zero, zero, &good, e));
		assert_false(good);
		k.y[0] ^= 1; /* no point of the curve */
		good = true;
		T_FAILS(ctr_ec_verify(&k, "sample", 6, r, s, &good, e), CTR_FORMAT, "key.kind");
		assert_false(good);
		k.size = 20;
		T_FAILS(ctr_ec_verify(&k, "sample", 6, r, s, &good, e), CTR_FORMAT, "key.kind");
	}
}

static void keys_from_pem(void **state)
{
	ctr_auto_buf struct ctr_buf private = { 0 }, public = { 0 }, rsa = { 0 },
				    rsa_public = { 0 };
	struct ctr_ec k, other;

	(void)state;
	T_OK(ctr_key_generate(false, &private, &public, e));
	T_OK(ctr_ec_pem(private.p, private.n, &k, e));
	T_OK(ctr_ec_pem(public.p, public.n, &other, e));
	assert_int_equal(k.size, 48);
	T_MEM(&k, &other, sizeof k);
	T_FAILS(ctr_ec_pem("x", 1, &k, e), CTR_FORMAT, "key.pem");
	T_OK(ctr_key_generate(true, &rsa, &rsa_public, e));
	T_FAILS(ctr_ec_pem(rsa_public.p, rsa_public.n, &k, e), CTR_FORMAT, "key.kind");
}

static void the_form_of_a_key(void **state)
{
	uint8_t out[AMD_KEY], digest[ID_DIGEST], want[ID_DIGEST];
	struct ctr_ec k = { .size = 48 };

	(void)state;
	for (size_t i = 0; i < 48; i++) {
		k.x[i] = (uint8_t)i;
		k.y[i] = (uint8_t)(100 + i);
	}
	T_OK(amd_key_print(&k, out, e));
	T_MEM(out, "\2\0\0\0\x2f\x2e", 6);
	assert_int_equal(out[4 + 47], 0);
	assert_int_equal(out[76], 147);
	assert_int_equal(out[76 + 47], 100);
	for (size_t i = 76 + 48; i < AMD_KEY; i++)
		assert_int_equal(out[i], 0);
	T_OK(amd_key_digest(&k, digest, e));
	T_OK(ctr_hash(CTR_SHA384, out, sizeof out, want, e));
	T_MEM(digest, want, sizeof want);
	k.size = 32;
	T_FAILS(amd_key_print(&k, out, e), CTR_FORMAT, "key.kind");
}

static void the_form_of_a_block(void **state)
{
	struct id_block b = { .guest_svn = 0x01020304, .policy = 0x30000 };
	uint8_t out[ID_BLOCK];

	(void)state;
	memset(b.launch_digest, 1, sizeof b.launch_digest);
	memset(b.family_id, 2, sizeof b.family_id);
	memset(b.image_id, 3, sizeof b.image_id);
	id_block_print(&b, out);
	assert_true(out[0] == 1 && out[47] == 1 && out[48] == 2 && out[63] == 2 && out[64] == 3 &&
		    out[79] == 3);
	T_MEM(out + 80, "\1\0\0\0\4\3\2\1\0\0\3\0\0\0\0\0", 16);
}

static void page(struct ctr_buf *b)
{
	guest_le(b, 1, 4);
	guest_le(b, 1, 4);
	while (b->n < ID_AUTH)
		ctr_buf_addc(b, 0);
	guest_put(b, 0x40, 0x0102, 2);	    /* R of the block's signature */
	guest_put(b, 0x40 + 72 + 47, 9, 1); /* S, the last byte */
	guest_put(b, 0x240, 2, 4);
	guest_put(b, 0x680 + 72, 7, 1);
	guest_put(b, 0x880 + AMD_KEY - 1, 5, 1);
}

static void parsing_a_page(void **state)
{
	ctr_auto_buf struct ctr_buf b = { 0 };
	struct id_auth a;

	(void)state;
	page(&b);
	T_OK(id_auth_parse(b.p, b.n, &a, e));
	assert_int_equal(a.id_algo, 1);
	assert_int_equal(a.author_algo, 1);
	assert_int_equal(a.block_sig.r[47], 2);
	assert_int_equal(a.block_sig.r[46], 1);
	assert_int_equal(a.block_sig.s[0], 9);
	assert_int_equal(a.key_sig.s[47], 7);
	assert_int_equal(a.id_key[0], 2);
	assert_int_equal(a.author_key[AMD_KEY - 1], 5);
	for (size_t n = 0; n < b.n; n++)
		T_FAILS(id_auth_parse(b.p, n, &a, e), CTR_FORMAT, "idauth.size");
	ctr_buf_addc(&b, 0);
	T_FAILS(id_auth_parse(b.p, b.n, &a, e), CTR_FORMAT, "idauth.size");
}

static void bad(size_t at, uint8_t v, const char *id)
{
	ctr_auto_buf struct ctr_buf b = { 0 };
	struct id_auth a;

	page(&b);
	guest_put(&b, at, v, 1);
	T_FAILS(id_auth_parse(b.p, b.n, &a, e), CTR_FORMAT, id);
}

static void page_refusals(void **state)
{
	(void)state;
	bad(0, 0, "idauth.algorithm");
	bad(0, 2, "idauth.algorithm");
	bad(4, 2, "idauth.algorithm");
	bad(8, 1, "idauth.reserved");
	bad(0x3f, 1, "idauth.reserved");
	bad(0x40 + 48, 1, "idauth.signature");
	bad(0x40 + 72 + 71, 1, "idauth.signature");
	bad(0x40 + 144, 1, "idauth.signature");
	bad(0x240 - 1, 1, "idauth.signature");
	bad(0x644, 1, "idauth.reserved");
	bad(0x680 + 50, 1, "idauth.signature");
	bad(0x880 + AMD_KEY, 1, "idauth.reserved");
	bad(ID_AUTH - 1, 1, "idauth.reserved");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signatures),	     cmocka_unit_test(keys_from_pem),
		cmocka_unit_test(the_form_of_a_key), cmocka_unit_test(the_form_of_a_block),
		cmocka_unit_test(parsing_a_page),    cmocka_unit_test(page_refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
