/* What a plain scalar means to Kubernetes' reader, which follows YAML 1.1 in its own way. */
#include "yaml_int.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

static bool one_of(const char *s, const char *const *list)
{
	for (; *list; list++)
		if (strcmp(s, *list) == 0)
			return true;
	return false;
}

static const char *const yes[] = { "y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE",
				   "on", "On", "ON", NULL };
static const char *const no[] = { "n", "N", "no", "No", "NO", "false", "False", "FALSE",
				  "off", "Off", "OFF", NULL };
static const char *const null[] = { "", "~", "null", "Null", "NULL", NULL };
static const char *const special[] = { ".nan", ".NaN", ".NAN", ".inf", ".Inf", ".INF", "+.inf",
				       "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF", NULL };

bool ctr_yaml_truth(const char *s)
{
	return one_of(s, yes);
}

enum ctr_yaml_tag ctr_yaml_tag_of(const char *tag)
{
	static const char prefix[] = "tag:yaml.org,2002:";
	static const struct {
		const char *name;
		enum ctr_yaml_tag tag;
	} known[] = {
		{ "str", CTR_YAML_TAG_STR },	 { "null", CTR_YAML_TAG_NULL },
		{ "bool", CTR_YAML_TAG_BOOL },	 { "int", CTR_YAML_TAG_INT },
		{ "float", CTR_YAML_TAG_FLOAT }, { "map", CTR_YAML_TAG_MAP },
		{ "seq", CTR_YAML_TAG_SEQ },
	};

	if (!tag)
		return CTR_YAML_TAG_NONE;
	if (strcmp(tag, "!") == 0)
		return CTR_YAML_TAG_STR;
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (strncmp(tag, prefix, strlen(prefix)) == 0 &&
		    strcmp(tag + strlen(prefix), known[i].name) == 0)
			return known[i].tag;
	return CTR_YAML_TAG_OTHER;
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 32;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 99;
}

/* An integer as Go's strconv reads it: sign; 0x, 0o, 0b or 0 in front; any size. */
static bool is_int(const char *s, int64_t *v, bool *wide)
{
	bool neg = *s == '-';
	uint64_t sum = 0, max = neg ? (uint64_t)INT64_MAX + 1 : INT64_MAX;
	int base = 10;

	s += *s == '-' || *s == '+';
	if (s[0] == '0' && s[1] != '\0') {
		char c = s[1] | 32;

		base = c == 'x' ? 16 : c == 'b' ? 2 : 8;
		s += c == 'x' || c == 'b' || c == 'o' ? 2 : 1;
	}
	if (*s == '\0')
		return false;
	*wide = false;
	for (; *s; s++) {
		int d = digit(*s);

		if (d >= base)
			return false;
		*wide |= sum > (max - (uint64_t)d) / (uint64_t)base;
		sum = *wide ? 0 : sum * (uint64_t)base + (uint64_t)d;
	}
	*v = neg ? (int64_t)(0 - sum) : (int64_t)sum;
	return true;
}

static const char *digits(const char *s)
{
	while (*s >= '0' && *s <= '9')
		s++;
	return s;
}

/* [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)? and in a double's range */
static bool is_float(const char *s)
{
	const char *p = s + (*s == '-' || *s == '+'), *q = digits(p);

	if (*q == '.') {
		const char *r = digits(q + 1);

		if (q == p && r == q + 1)
			return false;
		q = r;
	} else if (q == p) {
		return false;
	}
	if (*q == 'e' || *q == 'E') {
		q += q[1] == '-' || q[1] == '+' ? 2 : 1;
		p = q;
		q = digits(q);
		if (q == p)
			return false;
	}
	return *q == '\0' && isfinite(strtod(s, NULL));
}

enum ctr_yaml_type ctr_yaml_resolve(const char *s, size_t n, int64_t *v, bool *wide)
{
	char num[512];
	size_t o = 0;

	*v = 0;
	*wide = false;
	if (strlen(s) != n)
		return CTR_YAML_STR;
	if (n <= 5) {
		if (one_of(s, null))
			return CTR_YAML_NULL;
		if (one_of(s, yes) || one_of(s, no))
			return CTR_YAML_BOOL;
		if (one_of(s, special))
			return CTR_YAML_FLOAT;
	}
	if (!((*s >= '0' && *s <= '9') || *s == '-' || *s == '+' || *s == '.'))
		return CTR_YAML_STR;
	for (const char *p = s; *p; p++) {
		if (*p == '_') {
			/* behind a leading point they may only part digits */
			if (*s == '.' && (digit(p[-1]) > 9 || digit(p[1]) > 9))
				return CTR_YAML_STR;
			continue;
		}
		if (o == sizeof num - 1)
			return CTR_YAML_STR; /* longer than any number that anybody means */
		num[o++] = *p;
	}
	num[o] = '\0';
	if (*s != '.' && is_int(num, v, wide))
		return CTR_YAML_INT;
	return is_float(num) ? CTR_YAML_FLOAT : CTR_YAML_STR;
}

enum ctr_yaml_type ctr_yaml_type(const struct ctr_yaml_node *n)
{
	enum ctr_yaml_type t = CTR_YAML_STR;
	bool wide;
	int64_t v;

	n = ctr_yaml_target(n);
	if (!n)
		return CTR_YAML_NULL;
	if (n->kind != CTR_YAML_SCALAR || n->rewritten || n->tag == CTR_YAML_TAG_STR ||
	    n->tag == CTR_YAML_TAG_OTHER)
		return CTR_YAML_STR;
	if (n->tag == CTR_YAML_TAG_NONE && n->style != CTR_YAML_PLAIN)
		return CTR_YAML_STR;
	t = ctr_yaml_resolve(n->text, n->len, &v, &wide);
	return n->tag == CTR_YAML_TAG_FLOAT && t == CTR_YAML_INT ? CTR_YAML_FLOAT : t;
}

bool ctr_yaml_odd(const struct ctr_yaml_node *n)
{
	static const enum ctr_yaml_tag fits[] = {
		[CTR_YAML_NULL] = CTR_YAML_TAG_NULL, [CTR_YAML_BOOL] = CTR_YAML_TAG_BOOL,
		[CTR_YAML_INT] = CTR_YAML_TAG_INT, [CTR_YAML_FLOAT] = CTR_YAML_TAG_FLOAT,
		[CTR_YAML_STR] = CTR_YAML_TAG_STR,
	};

	n = ctr_yaml_target(n);
	if (!n || n->tag == CTR_YAML_TAG_NONE)
		return false;
	if (n->kind == CTR_YAML_SCALAR)
		return n->tag != fits[ctr_yaml_type(n)];
	/* "!" on a collection is read as no tag at all */
	return n->tag != CTR_YAML_TAG_STR &&
	       n->tag != (n->kind == CTR_YAML_MAP ? CTR_YAML_TAG_MAP : CTR_YAML_TAG_SEQ);
}

/* A decimal fraction that every writer of shortest decimals would write so. */
static bool settled_float(const char *s, size_t n)
{
	double d = strtod(s, NULL);

	return n <= 12 && !strpbrk(s, "eE_+") && digits(s + (*s == '-'))[0] == '.' &&
	       s[n - 1] >= '1' && s[n - 1] <= '9' && s[*s == '-'] != '.' &&
	       (s[*s == '-'] != '0' || s[(*s == '-') + 1] == '.') && (d < 0 ? -d : d) >= 1e-4 &&
	       (d < 0 ? -d : d) < 1e6;
}

const char *ctr_yaml_key(struct ctr_yaml *y, const struct ctr_yaml_node *k)
{
	char num[24];
	bool wide;
	int64_t v;

	switch (ctr_yaml_resolve(k->text, k->len, &v, &wide)) {
	case CTR_YAML_NULL:
		return NULL;
	case CTR_YAML_BOOL:
		return ctr_yaml_truth(k->text) ? "true" : "false";
	case CTR_YAML_INT:
		snprintf(num, sizeof num, "%" PRId64, v);
		return wide ? NULL : ctr_yaml_dup(y, num, strlen(num));
	case CTR_YAML_FLOAT:
		return settled_float(k->text, k->len) ? k->text : NULL;
	case CTR_YAML_STR:
		break;
	}
	return k->text;
}
