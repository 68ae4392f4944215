/* /etc/passwd and /etc/group, read as the runtime reads them (github.com/moby/sys/user). */
#ifndef TOOLS_CTR_POLICYGEN_PASSWD_H
#define TOOLS_CTR_POLICYGEN_PASSWD_H

#include <stdint.h>

#include "err.h"

/*
 * Missing or malformed fields read as 0 or "", a number beyond 64 bits as the nearest one; the
 * caller refuses ids outside 0 to 2^31-1 as the runtime does. Strings borrow from struct accounts.
 */
struct account {
	const char *name, *home;
	int64_t uid, gid;
};

struct group {
	const char *name;
	int64_t gid;
	const char *members; /* "a,b,c" */
};

struct accounts {
	struct account *users;
	struct group *groups;
	size_t n_users, n_groups;
	char *text; /* what the strings borrow from */
};

/*
 * Both files whole; NULL with length 0 for one that is absent. CTR_FORMAT "image.passwd" for a NUL
 * byte or 2^20 lines.
 */
CTR_MUST int accounts_parse(const char *passwd, size_t n_passwd, const char *group, size_t n_group,
			    struct accounts **out, struct ctr_err *e);
void accounts_free(struct accounts *a);

/* The first line that fits, or NULL. */
const struct account *accounts_by_name(const struct accounts *a, const char *name);
const struct account *accounts_by_uid(const struct accounts *a, int64_t uid);
const struct group *accounts_group(const struct accounts *a, const char *name);

/*
 * The groups that list `user` as a member, save one named like the user (containerd takes that for
 * the primary group): calls fn for each in file order until it fails, and returns what it returned
 * last.
 */
CTR_MUST int accounts_groups_of(const struct accounts *a, const char *user,
				int (*fn)(void *ctx, int64_t gid, struct ctr_err *e), void *ctx,
				struct ctr_err *e);

#endif
