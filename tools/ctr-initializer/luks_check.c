#include "luks_check.h"

#include <stdio.h>
#include <string.h>

#include "json.h"

static int equal(const struct ctr_jval *obj, const char *key, const char *want, struct ctr_err *e)
{
	struct ctr_jval v = ctr_jget(obj, key);
	const char *s;

	if (ctr_jstring(&v, &s, e) < 0)
		return -1;
	return strcmp(s, want) == 0
		       ? 0
		       : ctr_jfail(&v, e, "luks.header", "\"%.64s\" (expected \"%s\")", s, want);
}

static int number(const struct ctr_jval *obj, const char *key, uint64_t want, struct ctr_err *e)
{
	struct ctr_jval v = ctr_jget(obj, key);
	uint64_t n;

	if (ctr_juint(&v, (uint64_t)1 << 53, &n, e) < 0)
		return -1;
	return n == want ? 0
			 : ctr_jfail(&v, e, "luks.header", "%llu (expected %llu)",
				     (unsigned long long)n, (unsigned long long)want);
}

/* An object with this many members. */
static int members(const struct ctr_jval *v, size_t n, struct ctr_err *e)
{
	if (ctr_jobject(v, e) < 0)
		return -1;
	return ctr_jcount(v) == n ? 0
				  : ctr_jfail(v, e, "luks.header", "%zu members (expected %zu)",
					      ctr_jcount(v), n);
}

/* An array of these strings, one or none. */
static int list(const struct ctr_jval *obj, const char *key, const char *only, struct ctr_err *e)
{
	struct ctr_jval v = ctr_jget(obj, key), first;
	const char *s;

	if (ctr_jarray(&v, e) < 0)
		return -1;
	if (ctr_jcount(&v) != (only ? 1 : 0))
		return ctr_jfail(&v, e, "luks.header", "%zu items", ctr_jcount(&v));
	if (!only)
		return 0;
	first = ctr_jfirst(&v);
	if (ctr_jstring(&first, &s, e) < 0)
		return -1;
	return strcmp(s, only) == 0 ? 0 : ctr_jfail(&first, e, "luks.header", "\"%.16s\"", s);
}

static int check_integrity(const struct ctr_jval *seg, struct ctr_err *e)
{
	static const char *const keys[] = { "type", "journal_encryption", "journal_integrity",
					    NULL };
	struct ctr_jval v = ctr_jget(seg, "integrity");

	if (ctr_jobject(&v, e) < 0 || ctr_jonly(&v, keys, e) < 0 ||
	    equal(&v, "type", LUKS_INTEGRITY, e) < 0 ||
	    equal(&v, "journal_encryption", "none", e) < 0)
		return -1;
	return equal(&v, "journal_integrity", "none", e);
}

static int check_segment(const struct ctr_jval *root, bool integrity, struct ctr_err *e)
{
	static const char *const plain[] = { "type",	   "offset",	  "size", "iv_tweak",
					     "encryption", "sector_size", NULL };
	static const char *const with[] = { "type",	  "offset",	 "size",      "iv_tweak",
					    "encryption", "sector_size", "integrity", NULL };
	struct ctr_jval all = ctr_jget(root, "segments"), seg;
	char offset[24];

	snprintf(offset, sizeof offset, "%zu", LUKS_OFFSET);
	if (members(&all, 1, e) < 0)
		return -1;
	seg = ctr_jget(&all, "0");
	if (ctr_jobject(&seg, e) < 0 || ctr_jonly(&seg, integrity ? with : plain, e) < 0 ||
	    equal(&seg, "type", "crypt", e) < 0 || equal(&seg, "offset", offset, e) < 0 ||
	    equal(&seg, "size", "dynamic", e) < 0 || equal(&seg, "iv_tweak", "0", e) < 0 ||
	    equal(&seg, "encryption", LUKS_CIPHER "-" LUKS_MODE, e) < 0 ||
	    number(&seg, "sector_size", LUKS_SECTOR, e) < 0)
		return -1;
	return integrity ? check_integrity(&seg, e) : 0;
}

/* Salt and digest say whether a key is right, and nothing more. */
static int check_digest(const struct ctr_jval *root, struct ctr_err *e)
{
	static const char *const keys[] = { "type",	  "keyslots", "segments", "hash",
					    "iterations", "salt",     "digest",	  NULL };
	struct ctr_jval all = ctr_jget(root, "digests"), d;

	if (members(&all, 1, e) < 0)
		return -1;
	d = ctr_jget(&all, "0");
	if (ctr_jobject(&d, e) < 0 || ctr_jonly(&d, keys, e) < 0 ||
	    equal(&d, "type", "pbkdf2", e) < 0 || list(&d, "keyslots", NULL, e) < 0 ||
	    list(&d, "segments", "0", e) < 0 || equal(&d, "hash", "sha256", e) < 0)
		return -1;
	return number(&d, "iterations", LUKS_ITERATIONS, e);
}

static int check_config(const struct ctr_jval *root, struct ctr_err *e)
{
	static const char *const keys[] = { "json_size", "keyslots_size", NULL };
	struct ctr_jval v = ctr_jget(root, "config");

	/* no "flags", no "requirements"; sizes of areas that hold nothing */
	return ctr_jobject(&v, e) < 0 ? -1 : ctr_jonly(&v, keys, e);
}

static int check(const struct ctr_jval *root, bool integrity, struct ctr_err *e)
{
	static const char *const keys[] = { "keyslots", "tokens", "segments",
					    "digests",	"config", NULL };
	struct ctr_jval slots, tokens;

	if (ctr_jobject(root, e) < 0 || ctr_jonly(root, keys, e) < 0)
		return -1;
	slots = ctr_jget(root, "keyslots");
	tokens = ctr_jget(root, "tokens");
	if (members(&slots, 0, e) < 0 || members(&tokens, 0, e) < 0 ||
	    check_segment(root, integrity, e) < 0 || check_digest(root, e) < 0)
		return -1;
	return check_config(root, e);
}

int luks_check(const char *json, size_t n, bool integrity, struct ctr_err *e)
{
	ctr_auto_json struct ctr_json *tree = NULL;
	struct ctr_err why = { 0 };
	struct ctr_jval root;

	if (ctr_json_parse("LUKS2 header", json, n, &tree, &why) == 0) {
		root = ctr_jroot(tree);
		if (check(&root, integrity, &why) == 0)
			return 0;
	}
	if (why.code == CTR_ENV)
		return ctr_err_pass(e, &why);
	return ctr_fail(e, CTR_NO, "luks.header", "the LUKS2 header is none of ours: %s: %s",
			why.where, why.msg);
}
