#include "pattern.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>

#define STATES_MAX 100000
#define DIGITS "0123456789"

static int fail(struct ctr_err *e, const char *why)
{
	return ctr_fail(e, CTR_FORMAT, "settings.pattern",
			"%s (expected a POSIX extended expression)", why);
}

/* Behind the end of the bracket expression at s, NULL when the two notations differ on it. */
static const char *bracket(const char *s)
{
	s += s[1] == '^' ? 2 : 1;
	s += *s == ']';
	for (; *s && *s != ']'; s++) {
		const char *end;

		if (*s == '\\' || (strchr("&~-", *s) && s[0] == s[1]))
			return NULL; /* an escape, and set operators, to the engine alone */
		if (*s != '[')
			continue;
		end = s[1] == ':' ? strstr(s, ":]") : NULL;
		if (!end || s[2] == '^')
			return NULL;
		s = end + 1;
	}
	return *s ? s + 1 : NULL;
}

/* What was seen of a pattern so far: compiled, it has about once * repeats states. */
struct walk {
	unsigned depth;	  /* of open groups */
	bool group, many; /* directly behind a group, behind a repetition */
	uint64_t once;	  /* characters with their own counts */
	uint64_t repeats; /* counts of groups, multiplied */
};

/* What stands before `end` is compiled n times more. Lazy and repeated repetitions are not for both
 * notations. */
static const char *repeat(struct walk *w, uint64_t n, const char *end)
{
	if (w->many)
		return NULL;
	if (w->group)
		w->repeats *= n + 1;
	else
		w->once += n;
	return w->once * w->repeats <= STATES_MAX ? end : NULL;
}

/* "{N}", "{N,}" or "{N,M}" */
static const char *count(const char *s, struct walk *w)
{
	const char *largest = s + 1;
	size_t n = strspn(largest, DIGITS);

	s += 1 + n;
	if (n && *s == ',') {
		size_t more = strspn(s + 1, DIGITS);

		largest = more ? s + 1 : largest;
		s += 1 + more;
	}
	if (n == 0 || *s != '}' || strspn(largest, DIGITS) > 4)
		return NULL;
	return repeat(w, strtoul(largest, NULL, 10), s + 1);
}

/* Behind the piece at s, NULL when it is not plain. */
static const char *piece(const char *s, struct walk *w)
{
	switch (*s) {
	case '\\':
		return s[1] && strchr(".[]{}()*+?|^$\\-", s[1]) ? s + 2 : NULL;
	case '[':
		return bracket(s);
	case '{':
		return count(s, w);
	case '}':
		return NULL;
	case '*':
	case '?':
		return repeat(w, 0, s + 1);
	case '+':
		return repeat(w, 1, s + 1);
	case '(':
		w->depth++;
		return s[1] == '?' ? NULL : s + 1;
	case ')':
		return w->depth-- ? s + 1 : NULL;
	default:
		return *s >= ' ' && *s <= '~' ? s + 1 : NULL;
	}
}

/* What both sides understand alike, and what costs little memory. */
static int check_notation(const char *s, struct ctr_err *e)
{
	struct walk w = { .once = strlen(s), .repeats = 1 };
	const char *next;

	if (w.once > PATTERN_MAX)
		return fail(e, "a pattern of more than 500 bytes");
	for (; *s; s = next) {
		next = piece(s, &w);
		if (!next)
			return fail(e, "a pattern too large, or one that the policy engine reads "
				       "in another way");
		w.group = *s == ')';
		w.many = strchr("*?+{", *s) != NULL;
	}
	return w.depth ? fail(e, "a pattern with an open group") : 0;
}

/* True when the pattern takes n times the text, which is no value that anybody means; or when
 * nobody can tell. */
static bool takes(const regex_t *re, const char *text, size_t n)
{
	ctr_auto_buf struct ctr_buf b = { 0 };

	while (n--)
		ctr_buf_adds(&b, text);
	return b.bad || regexec(re, ctr_buf_str(&b), 0, NULL, 0) != REG_NOMATCH;
}

int pattern_check(const char *s, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf b = { 0 };
	regex_t re;
	bool all;

	if (*s == '\0')
		return fail(e, "an empty pattern");
	if (check_notation(s, e) < 0)
		return -1;
	ctr_buf_addf(&b, "^(%s)$", s);
	if (ctr_buf_ok(&b, "pattern", e) < 0)
		return -1;
	if (regcomp(&re, b.p, REG_EXTENDED | REG_NOSUB) != 0)
		return fail(e, "no valid pattern");
	all = takes(&re, "~`^}{Zq4", 75) && takes(&re, "<>!+k0#Y", 75);
	regfree(&re);
	if (!all)
		return 0;
	/* it would be a hole that nobody sees */
	return ctr_fail(e, CTR_FORMAT, "settings.pattern",
			"a pattern that takes every value (expected a tight one)");
}

void pattern_add(struct ctr_buf *b, const char *s)
{
	for (; *s; s++) {
		if (*s == '@' || *s == '%')
			ctr_buf_addf(b, "\\x%02x", *s);
		else
			ctr_buf_addc(b, *s);
	}
}
