/* needs: tools/ctr-policygen/passwd.c */
#include <stdlib.h>
#include <string.h>

#include "../../tools/ctr-policygen/passwd.h"
#include "rd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int count(void *ctx, int64_t gid, struct ctr_err *e)
{
	(void)gid;
	(void)e;
	++*(size_t *)ctx;
	return 0;
}

/*
 * The two files are parted by a byte 1. Each line is found by its own name and id, at itself or
 * before.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ctr_rd r, passwd;
	struct accounts *a;
	struct ctr_err e = { 0 };
	size_t n = 0;

	ctr_rd_init(&r, data, size);
	ctr_rd_until(&r, 1, &passwd);
	if (accounts_parse((const char *)passwd.p, passwd.left, (const char *)r.p, r.left, &a, &e) <
	    0)
		return 0;
	for (size_t i = 0; i < a->n_users && i < 100; i++) {
		if (accounts_by_name(a, a->users[i].name) > &a->users[i] ||
		    !accounts_by_name(a, a->users[i].name) ||
		    accounts_by_uid(a, a->users[i].uid) > &a->users[i] ||
		    !accounts_by_uid(a, a->users[i].uid))
			abort();
		if (accounts_groups_of(a, a->users[i].name, count, &n, &e) < 0 ||
		    n > 100 * a->n_groups)
			abort();
	}
	for (size_t i = 0; i < a->n_groups && i < 100; i++) {
		if (!accounts_group(a, a->groups[i].name))
			abort();
	}
	accounts_free(a);
	return 0;
}
