#include "challenge.h"

#include <string.h>
#include <strings.h>

#define ALNUM "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
#define TOKEN ALNUM "!#$%&'*+-.^_`|~"
#define TOKEN68 ALNUM "-._~+/"

/* The text and how far it has been read; past the end it reads as NUL. */
struct scan {
	const char *s;
	size_t n, at;
	struct ctr_err *e;
};

static int broken(const struct scan *t, const char *what)
{
	return ctr_fail(t->e, CTR_FORMAT, "registry.challenge",
			"WWW-Authenticate: %s at offset %zu", what, t->at);
}

static char peek(const struct scan *t)
{
	return t->at < t->n ? t->s[t->at] : '\0';
}

static size_t span(struct scan *t, const char *set)
{
	size_t from = t->at;

	while (t->at < t->n && t->s[t->at] && strchr(set, t->s[t->at]))
		t->at++;
	return t->at - from;
}

static bool at_end(const struct scan *t)
{
	return t->at == t->n;
}

/* name BWS "=" — without moving: does a parameter begin here? */
static bool param_ahead(struct scan t)
{
	if (span(&t, TOKEN) == 0)
		return false;
	span(&t, " \t");
	return peek(&t) == '=';
}

/* token68 up to a comma or the end; moves behind it when it is one. */
static bool take_token68(struct scan *t)
{
	struct scan ahead = *t;

	if (span(&ahead, TOKEN68) == 0)
		return false;
	span(&ahead, "=");
	span(&ahead, " \t");
	if (!at_end(&ahead) && peek(&ahead) != ',')
		return false;
	*t = ahead;
	return true;
}

/* token or quoted-string into dst (size max), which stays empty when dst is NULL. */
static int value(struct scan *t, char *dst, size_t max)
{
	bool quoted = peek(t) == '"';
	size_t o = 0, from = t->at;

	t->at += quoted;
	for (;; t->at++) {
		char c = peek(t);

		if (quoted ? c == '"' : !c || !strchr(TOKEN, c))
			break;
		if (quoted && c == '\\') {
			t->at++;
			c = peek(t);
		}
		if (at_end(t) || c < 0x20 || c > 0x7e)
			return broken(t, "a byte that does not belong");
		if (dst && o + 1 >= max)
			return broken(t, "a value that is too long");
		if (dst)
			dst[o++] = c;
	}
	t->at += quoted;
	if (t->at == from)
		return broken(t, "a missing value");
	if (dst)
		dst[o] = '\0';
	return 0;
}

static int param(struct scan *t, struct ctr_challenge *c)
{
	struct {
		const char *name;
		char *dst;
		size_t max;
	} known[] = { { "realm", c->realm, sizeof c->realm },
		      { "service", c->service, sizeof c->service },
		      { "scope", c->scope, sizeof c->scope } };
	const char *name = t->s + t->at;
	size_t n = span(t, TOKEN), i = 0;

	span(t, " \t");
	t->at++; /* the "=" that param_ahead saw */
	span(t, " \t");
	while (i < 3 && (strlen(known[i].name) != n || strncasecmp(known[i].name, name, n) != 0))
		i++;
	if (i == 3)
		return value(t, NULL, 0);
	if (known[i].dst[0])
		return broken(t, "a parameter that stands twice");
	return value(t, known[i].dst, known[i].max);
}

static int params(struct scan *t, struct ctr_challenge *c)
{
	while (param_ahead(*t)) {
		struct scan after;

		if (param(t, c) < 0)
			return -1;
		span(t, " \t");
		if (!at_end(t) && peek(t) != ',')
			return broken(t, "no comma");
		after = *t;
		span(&after, ", \t");
		if (param_ahead(after))
			*t = after;
	}
	return 0;
}

static int challenge(struct scan *t, struct ctr_challenge *c)
{
	const char *scheme = t->s + t->at;
	size_t n = span(t, TOKEN);

	if (n == 0)
		return broken(t, "no scheme");
	if (n == 6 && strncasecmp(scheme, "bearer", n) == 0)
		c->kind = CTR_CHALLENGE_BEARER;
	else if (n == 5 && strncasecmp(scheme, "basic", n) == 0)
		c->kind = CTR_CHALLENGE_BASIC;
	if (!at_end(t) && peek(t) != ',' && span(t, " \t") == 0)
		return broken(t, "a byte that does not belong");
	if (!take_token68(t) && params(t, c) < 0)
		return -1;
	if (!at_end(t) && peek(t) != ',')
		return broken(t, "a byte that does not belong");
	if (c->kind == CTR_CHALLENGE_BEARER && !c->realm[0])
		return broken(t, "Bearer without a realm");
	return 0;
}

int ctr_challenge_parse(const char *s, size_t n, struct ctr_challenge *c, struct ctr_err *e)
{
	struct scan t = { s, n, 0, e };
	struct ctr_challenge best = *c;

	while (span(&t, ", \t"), !at_end(&t)) {
		struct ctr_challenge one = { .kind = CTR_CHALLENGE_NONE };

		if (challenge(&t, &one) < 0)
			return -1;
		if (one.kind > best.kind)
			best = one;
	}
	*c = best;
	return 0;
}
