#include "seed.h"

#include <errno.h>
#include <sys/random.h>

#include "enc.h"
#include "file.h"
#include "json.h"

#define SEED_JSON_MAX 4096

static int member(const struct ctr_jval *top, const char *key, size_t n, struct ctr_secret *s,
		  struct ctr_err *e)
{
	struct ctr_jval v = ctr_jget(top, key);

	return ctr_secret_new(s, n, e) < 0 ? -1 : ctr_jhex(&v, s->p, n, e);
}

int seed_parse(const char *name, const char *p, size_t n, struct ctr_root **r, struct ctr_err *e)
{
	static const char *const keys[] = { "seed", "salt", NULL };
	ctr_auto_json_secret struct ctr_json *j = NULL;
	ctr_auto_secret struct ctr_secret seed = { 0 }, salt = { 0 };
	struct ctr_jval top;

	*r = NULL;
	if (ctr_json_parse(name, p, n, &j, e) < 0)
		return -1;
	top = ctr_jroot(j);
	if (ctr_jobject(&top, e) < 0 || ctr_jonly(&top, keys, e) < 0 ||
	    member(&top, "seed", CTR_SEED_SIZE, &seed, e) < 0 ||
	    member(&top, "salt", CTR_SALT_SIZE, &salt, e) < 0)
		return -1;
	return ctr_root_derive(&seed, &salt, r, e);
}

int seed_read(struct ctr_root **r, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf text = { .wipe = true };

	*r = NULL;
	if (ctr_file_read("-", SEED_JSON_MAX, &text, e) < 0)
		return -1;
	return seed_parse("standard input", ctr_buf_str(&text), text.n, r, e);
}

static int fill(struct ctr_secret *s, size_t n, struct ctr_err *e)
{
	if (ctr_secret_new(s, n, e) < 0)
		return -1;
	/* up to 256 bytes come whole, or not at all */
	while (getrandom(s->p, n, 0) != (ssize_t)n) {
		if (errno != EINTR)
			return ctr_fail_sys(e, "random", "no random numbers");
	}
	return 0;
}

int seed_new(struct ctr_buf *out, struct ctr_err *e)
{
	ctr_auto_secret struct ctr_secret seed = { 0 }, salt = { 0 };

	out->wipe = true;
	if (fill(&seed, CTR_SEED_SIZE, e) < 0 || fill(&salt, CTR_SALT_SIZE, e) < 0)
		return -1;
	ctr_buf_adds(out, "{\"seed\":\"");
	ctr_hex_add(out, seed.p, seed.n);
	ctr_buf_adds(out, "\",\"salt\":\"");
	ctr_hex_add(out, salt.p, salt.n);
	ctr_buf_adds(out, "\"}\n");
	return ctr_buf_ok(out, "seed", e);
}
