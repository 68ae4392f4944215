#include "enc.h"

#include <string.h>

void ctr_hex_add(struct ctr_buf *b, const void *p, size_t n)
{
	static const char digit[] = "0123456789abcdef";
	const uint8_t *u = p;
	uint8_t *to = ctr_buf_room(b, 2 * n);

	if (!to)
		return;
	for (size_t i = 0; i < n; i++) {
		*to++ = (uint8_t)digit[u[i] >> 4];
		*to++ = (uint8_t)digit[u[i] & 15];
	}
	ctr_buf_commit(b, 2 * n);
}

static int nibble(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int ctr_hex_parse(const char *s, size_t len, uint8_t *dst, size_t n, struct ctr_err *e)
{
	memset(dst, 0, n);
	if (len / 2 != n || len % 2)
		return ctr_fail(e, CTR_FORMAT, "hex", "%zu hexadecimal digits (expected %zu)", len,
				2 * n);
	for (size_t i = 0; i < n; i++) {
		int hi = nibble(s[2 * i]), lo = nibble(s[2 * i + 1]);

		if (hi < 0 || lo < 0)
			return ctr_fail(e, CTR_FORMAT, "hex",
					"not a hexadecimal digit at offset %zu",
					2 * i + (hi < 0 ? 0 : 1));
		dst[i] = (uint8_t)(hi << 4 | lo);
	}
	return 0;
}

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void ctr_base64_add(struct ctr_buf *b, const void *p, size_t n)
{
	const uint8_t *u = p;
	size_t out = (n + 2) / 3 * 4;
	uint8_t *to = ctr_buf_room(b, out);

	if (!to)
		return;
	for (size_t i = 0; i < n; i += 3) {
		size_t have = n - i < 3 ? n - i : 3;
		uint32_t v = (uint32_t)u[i] << 16 | (have > 1 ? (uint32_t)u[i + 1] << 8 : 0) |
			     (have > 2 ? u[i + 2] : 0);

		*to++ = (uint8_t)alphabet[v >> 18];
		*to++ = (uint8_t)alphabet[v >> 12 & 63];
		*to++ = have > 1 ? (uint8_t)alphabet[v >> 6 & 63] : '=';
		*to++ = have > 2 ? (uint8_t)alphabet[v & 63] : '=';
	}
	ctr_buf_commit(b, out);
}

void ctr_pem_add(struct ctr_buf *b, const char *label, const void *p, size_t n)
{
	const uint8_t *u = p;

	ctr_buf_addf(b, "-----BEGIN %s-----\n", label);
	for (size_t at = 0; at < n; at += 48) {
		ctr_base64_add(b, u + at, n - at < 48 ? n - at : 48);
		ctr_buf_addc(b, '\n');
	}
	ctr_buf_addf(b, "-----END %s-----\n", label);
}

/* What the characters from '+' to 'z' stand for. */
static const int8_t sextets[] = {
	62, -1, -1, -1, 63, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, -1, -1, -1, -1, -1,
	-1, -1, 0,  1,	2,  3,	4,  5,	6,  7,	8,  9,	10, 11, 12, 13, 14, 15, 16, 17,
	18, 19, 20, 21, 22, 23, 24, 25, -1, -1, -1, -1, -1, -1, 26, 27, 28, 29, 30, 31,
	32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51,
};

static int sextet(char c)
{
	size_t i = (size_t)((unsigned char)c - '+');

	return i < sizeof sextets ? sextets[i] : -1;
}

/* The first of four characters that is none, or -1; `have` of them count. */
static int bad_at(const char *s, size_t have)
{
	for (size_t k = 0; k < have; k++) {
		if (sextet(s[k]) < 0)
			return (int)k;
	}
	return -1;
}

/* A group of four, of which the first `have` count. Where it goes wrong, or -1. */
static int group(const char *s, size_t have, uint32_t *v)
{
	int a = sextet(s[0]), b = sextet(s[1]), c = have > 2 ? sextet(s[2]) : 0,
	    d = have > 3 ? sextet(s[3]) : 0;

	*v = 0;
	if ((a | b | c | d) < 0)
		return bad_at(s, have);
	*v = (uint32_t)a << 18 | (uint32_t)b << 12 | (uint32_t)c << 6 | (uint32_t)d;
	return -1;
}

int ctr_base64_parse(const char *s, size_t len, struct ctr_buf *b, struct ctr_err *e)
{
	size_t pad = 0;
	uint8_t *to;

	if (len % 4)
		return ctr_fail(e, CTR_FORMAT, "base64", "length %zu is not a multiple of four",
				len);
	while (pad < 2 && pad < len && s[len - 1 - pad] == '=')
		pad++;
	to = ctr_buf_room(b, len / 4 * 3);
	if (!to)
		return ctr_buf_ok(b, "base64", e);
	for (size_t i = 0; i < len; i += 4) {
		size_t have = len - i == 4 ? 4 - pad : 4;
		uint32_t v;
		int bad = group(s + i, have, &v);

		if (bad >= 0)
			return ctr_fail(e, CTR_FORMAT, "base64", "bad character at offset %zu",
					i + (size_t)bad);
		if ((have == 3 && (v & 0xff)) || (have == 2 && (v & 0xffff)))
			return ctr_fail(e, CTR_FORMAT, "base64", "stray bits before the padding");
		*to++ = (uint8_t)(v >> 16);
		*to++ = (uint8_t)(v >> 8);
		*to++ = (uint8_t)v;
	}
	ctr_buf_commit(b, len / 4 * 3 - pad);
	return 0;
}
