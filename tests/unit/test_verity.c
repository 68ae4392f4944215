/* needs: tools/ctr-policygen/verity.c */
/* needs: tests/sim/mkimage.c */
#include "t.h"

#include <unistd.h>

#include "../../tools/ctr-policygen/verity.h"
#include "../sim/mkimage.h"
#include "enc.h"

#define BLOCK ((size_t)4096)

static const uint8_t zero_salt[32];

/* Bytes that differ from block to block. */
static char *pattern(size_t n)
{
	char *p = malloc(n + 1);
	uint32_t x = 1;

	assert_non_null(p);
	for (size_t i = 0; i < n; i++) {
		x = x * 1664525 + 1013904223;
		p[i] = (char)(x >> 24);
	}
	return p;
}

static void root_of(const char *p, size_t n, size_t piece, const uint8_t *salt, size_t n_salt,
		    char hex[65])
{
	auto_verity struct verity *v = NULL;
	ctr_auto_buf struct ctr_buf b = { 0 };
	uint8_t root[VERITY_ROOT];

	T_OK(verity_new(salt, n_salt, &v, e));
	for (size_t i = 0; i < n; i += piece)
		T_OK(verity_add(v, p + i, n - i < piece ? n - i : piece, e));
	T_OK(verity_end(v, root, e));
	ctr_hex_add(&b, root, sizeof root);
	memcpy(hex, b.p, 65);
}

/* What veritysetup prints as root hash of data padded to blocks. */
static void veritysetup(const char *dir, const char *p, size_t n, const char *salt, char hex[65])
{
	ctr_auto_buf struct ctr_buf padded = { 0 }, data = { 0 }, tree = { 0 }, out = { 0 };
	char verb[] = "format", tool[] = "veritysetup", opt[] = "--salt";
	const char *line;

	ctr_buf_add(&padded, p, n);
	while (padded.n % BLOCK)
		ctr_buf_addc(&padded, '\0');
	mk_write(dir, "data", padded.p, padded.n);
	ctr_buf_addf(&data, "%s/data", dir);
	ctr_buf_addf(&tree, "%s/tree", dir);
	ctr_auto char *value = strdup(salt);
	assert_int_equal(mk_run((char *[]){ tool, verb, opt, value, data.p, tree.p, NULL }, &out),
			 0);
	line = strstr(ctr_buf_str(&out), "Root hash:");
	assert_non_null(line);
	assert_int_equal(sscanf(line, "Root hash: %64s", hex), 1);
	assert_int_equal(strlen(hex), 64);
	unlink(tree.p);
}

static void agrees_with_veritysetup(void **s)
{
	static const size_t sizes[] = { 1,	     1024,	    BLOCK - 1,
					BLOCK,	     BLOCK + 1,	    2 * BLOCK,
					127 * BLOCK, 128 * BLOCK,   128 * BLOCK + 1,
					129 * BLOCK, 16384 * BLOCK, 16385 * BLOCK };
	static const uint8_t salt[] = { 0xde, 0xad, 0x01 };
	char *dir, *p, ours[65], theirs[65], tool[] = "veritysetup", version[] = "--version";
	ctr_auto_buf struct ctr_buf out = { 0 };

	(void)s;
	if (mk_run((char *[]){ tool, version, NULL }, &out) != 0) {
		print_message("skip: veritysetup is not installed\n");
		skip();
	}
	dir = mk_tmpdir();
	p = pattern(16385 * BLOCK);
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		root_of(p, sizes[i], 10007, zero_salt, sizeof zero_salt, ours);
		veritysetup(dir, p, sizes[i],
			    "0000000000000000000000000000000000000000000000000000000000000000",
			    theirs);
		T_STR(ours, theirs);
		root_of(p, sizes[i], 65536, NULL, 0, ours);
		veritysetup(dir, p, sizes[i], "-", theirs);
		T_STR(ours, theirs);
	}
	root_of(p, 200 * BLOCK, 1, salt, sizeof salt, ours);
	veritysetup(dir, p, 200 * BLOCK, "dead01", theirs);
	T_STR(ours, theirs);
	free(p);
	mk_rmdir(dir);
}

static void pieces_do_not_matter(void **s)
{
	static const size_t pieces[] = { 1, 511, 4095, 4096, 4097, 100000, 300 * BLOCK };
	char *p = pattern(300 * BLOCK), first[65], hex[65];

	(void)s;
	root_of(p, 300 * BLOCK, 4096, zero_salt, 32, first);
	for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
		root_of(p, 300 * BLOCK, pieces[i], zero_salt, 32, hex);
		T_STR(hex, first);
	}
	p[150 * BLOCK] ^= 1;
	root_of(p, 300 * BLOCK, 4096, zero_salt, 32, hex);
	assert_string_not_equal(hex, first);
	free(p);
}

static void refuses_nothing_and_too_much_salt(void **s)
{
	auto_verity struct verity *v = NULL;
	struct verity *none;
	uint8_t root[VERITY_ROOT], salt[VERITY_SALT_MAX + 1] = { 0 };

	(void)s;
	T_OK(verity_new(NULL, 0, &v, e));
	T_FAILS(verity_end(v, root, e), CTR_FORMAT, "verity.empty");
	T_FAILS(verity_new(salt, sizeof salt, &none, e), CTR_USAGE, "verity.salt");
	assert_null(none);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_veritysetup),
		cmocka_unit_test(pieces_do_not_matter),
		cmocka_unit_test(refuses_nothing_and_too_much_salt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
