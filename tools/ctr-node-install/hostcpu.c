#include "hostcpu.h"

#include <stdio.h>
#include <string.h>

bool host_word(const char *p, size_t n, const char *word)
{
	size_t len = strlen(word), i = 0;

	while (i < n) {
		size_t from = i;

		while (i < n && p[i] != ' ')
			i++;
		if (i - from == len && len > 0 && strncmp(p + from, word, len) == 0)
			return true;
		i++;
	}
	return false;
}

bool host_cpu_has(const struct host_cpu *c, const char *flag)
{
	return host_word(c->flags, c->n_flags, flag);
}

/* A decimal number of at most four digits, and nothing else. */
static bool number(const char *p, size_t n, unsigned *v)
{
	unsigned sum = 0;

	if (n == 0 || n > 4)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (p[i] < '0' || p[i] > '9')
			return false;
		sum = sum * 10 + (unsigned)(p[i] - '0');
	}
	*v = sum;
	return true;
}

/* "key<blanks>: value"; the value in *v. */
static bool field(const char *line, size_t n, const char *key, const char **v, size_t *len)
{
	size_t k = strlen(key);

	if (n < k || strncmp(line, key, k) != 0)
		return false;
	while (k < n && (line[k] == ' ' || line[k] == '\t'))
		k++;
	if (k == n || line[k] != ':')
		return false;
	k++;
	k += k < n && line[k] == ' ';
	*v = line + k;
	*len = n - k;
	return true;
}

static bool printable(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i] <= ' ' || p[i] > '~')
			return false;
	}
	return n > 0;
}

enum { VENDOR = 1, FAMILY = 2, MODEL = 4, FLAGS = 8, ALL = 15 };

static unsigned take(const char *line, size_t n, struct host_cpu *c)
{
	const char *v;
	size_t len;

	if (field(line, n, "vendor_id", &v, &len) && len < sizeof c->vendor && printable(v, len)) {
		snprintf(c->vendor, sizeof c->vendor, "%.*s", (int)len, v);
		return VENDOR;
	}
	if (field(line, n, "cpu family", &v, &len))
		return number(v, len, &c->family) ? FAMILY : 0;
	if (field(line, n, "model", &v, &len))
		return number(v, len, &c->model) ? MODEL : 0;
	if (!field(line, n, "flags", &v, &len))
		return 0;
	c->flags = v;
	c->n_flags = len;
	return FLAGS;
}

int host_cpu_parse(const char *p, size_t n, struct host_cpu *c, struct ctr_err *e)
{
	unsigned seen = 0;

	*c = (struct host_cpu){ .flags = "" };
	while (n > 0) {
		const char *end = memchr(p, '\n', n);
		size_t len = end ? (size_t)(end - p) : n;

		if (len == 0 && seen)
			break;
		seen |= take(p, len, c);
		p += len + (end != NULL);
		n -= len + (end != NULL);
	}
	if (seen != ALL)
		return ctr_fail(e, CTR_FORMAT, "cpuinfo",
				"/proc/cpuinfo: no %s (expected that of an x86 CPU)",
				!(seen & VENDOR)   ? "vendor_id"
				: !(seen & FAMILY) ? "cpu family"
				: !(seen & MODEL)  ? "model"
						   : "flags");
	return 0;
}
