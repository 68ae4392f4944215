#include "tomlword.h"

#include <string.h>

static bool digits(const char **s, size_t least)
{
	size_t n = 0;

	for (; **s >= '0' && **s <= '9'; (*s)++)
		n++;
	return n >= least;
}

/* Digits with single underscores between them. */
static bool grouped(const char **s, const char *alphabet)
{
	bool any = false;

	for (; **s; (*s)++) {
		if (strchr(alphabet, **s))
			any = true;
		else if (**s != '_' || !any || !(*s)[1] || !strchr(alphabet, (*s)[1]))
			break;
	}
	return any;
}

static bool based(const char *s)
{
	const char *alphabet = s[1] == 'x'   ? "0123456789abcdefABCDEF"
			       : s[1] == 'o' ? "01234567"
			       : s[1] == 'b' ? "01"
					     : NULL;

	if (s[0] != '0' || !alphabet)
		return false;
	s += 2;
	return grouped(&s, alphabet) && !*s;
}

static bool number(const char *s)
{
	static const char ten[] = "0123456789";
	const char *first;

	if (based(s))
		return true;
	s += *s == '+' || *s == '-';
	if (strcmp(s, "inf") == 0 || strcmp(s, "nan") == 0)
		return true;
	first = s;
	if (!grouped(&s, ten) || (*first == '0' && s - first > 1))
		return false;
	if (*s == '.' && (s++, !grouped(&s, ten)))
		return false;
	if (*s == 'e' || *s == 'E') {
		s++;
		s += *s == '+' || *s == '-';
		if (!grouped(&s, ten))
			return false;
	}
	return !*s;
}

static bool time_of_day(const char **s)
{
	static const char form[] = "00:00:00";

	for (const char *f = form; *f; f++, (*s)++) {
		if (*f == '0' ? **s < '0' || **s > '9' : **s != *f)
			return false;
	}
	if (**s == '.') {
		(*s)++;
		return digits(s, 1);
	}
	return true;
}

static bool date(const char *s)
{
	static const char form[] = "0000-00-00", zone[] = "00:00";

	if (time_of_day(&(const char *){ s }) && strlen(s) >= 8) {
		time_of_day(&s);
		return !*s;
	}
	for (const char *f = form; *f; f++, s++) {
		if (*f == '0' ? *s < '0' || *s > '9' : *s != *f)
			return false;
	}
	if (!*s)
		return true;
	if (*s != 'T' && *s != 't')
		return false;
	s++;
	if (!time_of_day(&s))
		return false;
	if (!*s || strcmp(s, "Z") == 0 || strcmp(s, "z") == 0)
		return true;
	if (*s != '+' && *s != '-')
		return false;
	s++;
	for (const char *f = zone; *f; f++, s++) {
		if (*f == '0' ? *s < '0' || *s > '9' : *s != *f)
			return false;
	}
	return !*s;
}

bool tomlword_ok(const char *s)
{
	return strcmp(s, "true") == 0 || strcmp(s, "false") == 0 || number(s) || date(s);
}
