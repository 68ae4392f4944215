#include "quantity.h"

#include <string.h>

/* In billionths, so that "1n" is whole; the largest that Kubernetes takes, 2^63, fits below 2^93. */
typedef unsigned __int128 wide;
#define NANO ((wide)1000000000)
#define MAX_WIDE (((wide)1 << 63) * NANO)

static bool times(wide *v, wide by)
{
	if (*v > MAX_WIDE / by)
		return false;
	*v *= by;
	return true;
}

/* Multiplies by what the suffix says; false when there is no such suffix. */
static bool scale(wide *v, const char *s)
{
	static const char decimal[] = "kMGTPE", binary[] = "KMGTPE";
	const char *hit;
	wide by = 1;

	if (*s == '\0')
		return true;
	if (strcmp(s, "m") == 0 || strcmp(s, "u") == 0 || strcmp(s, "n") == 0) {
		wide div = *s == 'm' ? 1000 : *s == 'u' ? 1000000 : NANO;

		*v = (*v + div - 1) / div; /* finer than a billionth is rounded up */
		return true;
	}
	if ((*s == 'e' || *s == 'E') && s[1] >= '0' && s[1] <= '9') {
		unsigned exp = 0;

		for (s++; *s >= '0' && *s <= '9' && exp < 20; s++)
			exp = exp * 10 + (unsigned)(*s - '0');
		while (exp-- > 0) {
			if (!times(v, 10))
				return false;
		}
		return *s == '\0';
	}
	hit = strchr(s[1] == 'i' ? binary : decimal, *s);
	if (!hit || (s[1] == 'i' ? s[2] : s[1]) != '\0')
		return false;
	for (long i = 0; i <= hit - (s[1] == 'i' ? binary : decimal); i++)
		by *= s[1] == 'i' ? 1024 : 1000;
	return times(v, by);
}

static int parse(const char *s, wide *v, struct ctr_err *e)
{
	const char *from = s;
	wide unit = NANO;
	bool digits = false, rest = false;

	*v = 0;
	for (; (*s >= '0' && *s <= '9') && *v <= MAX_WIDE / 16; s++, digits = true)
		*v = *v * 10 + (wide)(*s - '0') * NANO;
	if (*s == '.') {
		for (s++; *s >= '0' && *s <= '9'; s++, digits = true) {
			unit /= 10;
			rest = rest || (unit == 0 && *s != '0');
			*v += unit * (wide)(*s - '0');
		}
	}
	*v += rest ? 1 : 0;
	if (!digits || !scale(v, s))
		return ctr_fail(e, CTR_FORMAT, "quantity", "\"%s\" is not a quantity", from);
	return 0;
}

int quantity_divide(const char *value, const char *divisor, uint64_t *out, struct ctr_err *e)
{
	wide v, d;

	*out = 0;
	if (parse(value, &v, e) < 0 || parse(divisor, &d, e) < 0)
		return -1;
	if (d == 0)
		return ctr_fail(e, CTR_FORMAT, "quantity", "the divisor is zero");
	*out = (uint64_t)((v + d - 1) / d);
	return 0;
}

int quantity_count(const char *value, uint64_t *out, struct ctr_err *e)
{
	wide v;

	*out = 0;
	if (parse(value, &v, e) < 0)
		return -1;
	if (v % NANO || v / NANO > 64)
		return ctr_fail(e, CTR_FORMAT, "quantity", "\"%s\" is not a count up to 64", value);
	*out = (uint64_t)(v / NANO);
	return 0;
}
