#include "utf8.h"

#include <string.h>

static bool in(unsigned char c, unsigned lo, unsigned hi)
{
	return c >= lo && c <= hi;
}

size_t ctr_utf8_len(const char *text, size_t n)
{
	const unsigned char *p = (const unsigned char *)text;

	if (n == 0)
		return 0;
	if (p[0] < 0x80)
		return 1;
	if (in(p[0], 0xc2, 0xdf))
		return n >= 2 && in(p[1], 0x80, 0xbf) ? 2 : 0;
	if (in(p[0], 0xe0, 0xef)) {
		unsigned lo = p[0] == 0xe0 ? 0xa0 : 0x80; /* no overlong forms */
		unsigned hi = p[0] == 0xed ? 0x9f : 0xbf; /* no surrogates */

		return n >= 3 && in(p[1], lo, hi) && in(p[2], 0x80, 0xbf) ? 3 : 0;
	}
	if (in(p[0], 0xf0, 0xf4)) {
		unsigned lo = p[0] == 0xf0 ? 0x90 : 0x80;
		unsigned hi = p[0] == 0xf4 ? 0x8f : 0xbf;

		return n >= 4 && in(p[1], lo, hi) && in(p[2], 0x80, 0xbf) && in(p[3], 0x80, 0xbf)
			       ? 4
			       : 0;
	}
	return 0;
}

/* True when the eight bytes at p are ASCII, as most text is. */
static bool plain(const char *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof v);
	return (v & UINT64_C(0x8080808080808080)) == 0;
}

bool ctr_utf8_valid(const char *p, size_t n)
{
	for (size_t i = 0; i < n;) {
		size_t w = n - i >= 8 && plain(p + i) ? 8 : ctr_utf8_len(p + i, n - i);

		if (w == 0)
			return false;
		i += w;
	}
	return true;
}
