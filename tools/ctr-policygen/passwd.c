#include "passwd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"

#define LINES_MAX ((size_t)1 << 20)

void accounts_free(struct accounts *a)
{
	if (!a)
		return;
	free(a->users);
	free(a->groups);
	free(a->text);
	free(a);
}

static void accounts_cleanup(struct accounts **a)
{
	accounts_free(*a);
}

/* As Go's Atoi with its error dropped: 0 for what is no number, the nearest for what is too large.
 */
static int64_t number(const char *s)
{
	const char *digits = *s == '-' || *s == '+' ? s + 1 : s;

	if (!*digits || digits[strspn(digits, "0123456789")])
		return 0;
	return strtoll(s, NULL, 10);
}

/* White space that Go trims and that fits in a byte. */
static bool blank(char c)
{
	return c && strchr(" \t\n\v\f\r", c);
}

/* Cuts the next line that is not blank out of *text, trimmed; NULL at the end. */
static char *next_line(char **text)
{
	while (**text) {
		char *line = *text, *end = line + strcspn(line, "\n");

		*text = *end ? end + 1 : end;
		while (end > line && blank(end[-1]))
			end--;
		*end = '\0';
		while (blank(*line))
			line++;
		if (*line)
			return line;
	}
	return NULL;
}

/*
 * Cuts `line` at its colons into n fields, "" for those that are missing; what is behind the last
 * is dropped.
 */
static void fields(char *line, char **v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char *colon = strchr(line, ':');

		v[i] = line;
		line = colon ? colon + 1 : line + strlen(line);
		if (colon)
			*colon = '\0';
	}
}

static size_t count_lines(const char *s)
{
	size_t n = 1;

	while ((s = strchr(s, '\n'))) {
		s++;
		n++;
	}
	return n;
}

static void read_users(char *text, struct accounts *a)
{
	char *line, *f[6];

	while ((line = next_line(&text))) {
		fields(line, f, 6);
		a->users[a->n_users++] = (struct account){ f[0], f[5], number(f[2]), number(f[3]) };
	}
}

static void read_groups(char *text, struct accounts *a)
{
	char *line, *f[4];

	while ((line = next_line(&text))) {
		fields(line, f, 4);
		a->groups[a->n_groups++] = (struct group){ f[0], number(f[2]), f[3] };
	}
}

int accounts_parse(const char *passwd, size_t n_passwd, const char *group, size_t n_group,
		   struct accounts **out, struct ctr_err *e)
{
	CTR_AUTO(accounts_cleanup) struct accounts *a = calloc(1, sizeof *a);
	char *groups;
	size_t n_users_max, n_groups_max;

	*out = NULL;
	if (!a)
		return ctr_fail_mem(e);
	if ((n_passwd && memchr(passwd, 0, n_passwd)) || (n_group && memchr(group, 0, n_group)))
		return ctr_fail(e, CTR_FORMAT, "image.passwd", "NUL byte in /etc/%s",
				n_passwd && memchr(passwd, 0, n_passwd) ? "passwd" : "group");
	a->text = calloc(1, n_passwd + n_group + 2);
	if (!a->text)
		return ctr_fail_mem(e);
	groups = a->text + n_passwd + 1;
	if (n_passwd)
		memcpy(a->text, passwd, n_passwd);
	if (n_group)
		memcpy(groups, group, n_group);
	n_users_max = count_lines(a->text);
	n_groups_max = count_lines(groups);
	if (n_users_max > LINES_MAX || n_groups_max > LINES_MAX)
		return ctr_fail(e, CTR_FORMAT, "image.passwd", "/etc/%s: more than %zu lines",
				n_users_max > LINES_MAX ? "passwd" : "group", LINES_MAX);
	a->users = calloc(n_users_max, sizeof *a->users);
	a->groups = calloc(n_groups_max, sizeof *a->groups);
	if (!a->users || !a->groups)
		return ctr_fail_mem(e);
	read_users(a->text, a);
	read_groups(groups, a);
	*out = ctr_give(a);
	return 0;
}

const struct account *accounts_by_name(const struct accounts *a, const char *name)
{
	for (size_t i = 0; i < a->n_users; i++) {
		if (strcmp(a->users[i].name, name) == 0)
			return &a->users[i];
	}
	return NULL;
}

const struct account *accounts_by_uid(const struct accounts *a, int64_t uid)
{
	for (size_t i = 0; i < a->n_users; i++) {
		if (a->users[i].uid == uid)
			return &a->users[i];
	}
	return NULL;
}

const struct group *accounts_group(const struct accounts *a, const char *name)
{
	for (size_t i = 0; i < a->n_groups; i++) {
		if (strcmp(a->groups[i].name, name) == 0)
			return &a->groups[i];
	}
	return NULL;
}

static bool lists(const char *members, const char *user)
{
	size_t n = strlen(user);

	for (const char *p = members;; p++) {
		size_t len = strcspn(p, ",");

		if (len == n && len > 0 && strncmp(p, user, n) == 0)
			return true;
		p += len;
		if (!*p)
			return false;
	}
}

int accounts_groups_of(const struct accounts *a, const char *user,
		       int (*fn)(void *ctx, int64_t gid, struct ctr_err *e), void *ctx,
		       struct ctr_err *e)
{
	for (size_t i = 0; i < a->n_groups; i++) {
		if (strcmp(a->groups[i].name, user) == 0 || !lists(a->groups[i].members, user))
			continue;
		if (fn(ctx, a->groups[i].gid, e) < 0)
			return -1;
	}
	return 0;
}
