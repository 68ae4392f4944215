#include "x509_names.h"

#include <arpa/inet.h>
#include <string.h>

#include "der_write.h"
#include "manifest.h"

/* Tags of GeneralName: implicit, so the kind of string is not said. */
enum { SEQUENCE = 0x30, TAG_DNS = 0x82, TAG_URI = 0x86, TAG_IP = 0x87 };

/* Of the members of NameConstraints. */
enum { TAG_PERMITTED = 0xa0, TAG_EXCLUDED = 0xa1 };

static void put_text(struct ctr_buf *b, uint8_t tag, const char *s)
{
	ctr_der_put(b, tag, s, strlen(s));
}

/* The address in network order; its length, 0 for none. */
static size_t address(const char *s, uint8_t addr[16])
{
	return inet_pton(AF_INET, s, addr) == 1 ? 4 : inet_pton(AF_INET6, s, addr) == 1 ? 16 : 0;
}

int ctr_x509_sans(const char *const *sans, size_t n, struct ctr_buf *b, struct ctr_err *e)
{
	size_t all = ctr_der_open(b, SEQUENCE);
	uint8_t addr[16];

	for (size_t i = 0; i < n; i++) {
		switch (ctr_san_kind(sans[i])) {
		case CTR_SAN_DNS:
			put_text(b, TAG_DNS, sans[i]);
			break;
		case CTR_SAN_URI:
			put_text(b, TAG_URI, sans[i]);
			break;
		case CTR_SAN_IP:
			ctr_der_put(b, TAG_IP, addr, address(sans[i], addr));
			break;
		default:
			return ctr_fail(e, CTR_FORMAT, "ca.san",
					"\"%.100s\" (expected a DNS name, an IP address or a URI)",
					sans[i]);
		}
	}
	ctr_der_close(b, all);
	return 0;
}

/* "10.0.0.0/8" as address and mask; an address alone is a network of one. */
static size_t network(const char *s, uint8_t out[32])
{
	char text[INET6_ADDRSTRLEN];
	size_t len = strcspn(s, "/"), n;
	uint64_t bits;

	if (len >= sizeof text)
		return 0;
	memcpy(text, s, len);
	text[len] = '\0';
	n = address(text, out);
	bits = 8 * n;
	if (n == 0 || (s[len] && (s[len + 1] == '\0' || strspn(s + len + 1, "0123456789") > 3)))
		return 0;
	if (s[len]) {
		char *end;

		bits = strtoul(s + len + 1, &end, 10);
		if (*end || s[len + 1] < '0' || s[len + 1] > '9' || bits > 8 * n)
			return 0;
	}
	for (size_t i = 0; i < n; i++) {
		unsigned ones = bits >= 8 * (i + 1) ? 8
				: bits > 8 * i	    ? (unsigned)(bits - 8 * i)
						    : 0;

		out[n + i] = (uint8_t)(0xff00U >> ones);
		if (out[i] & ~out[n + i])
			return 0; /* bits of the host: a mistyped network */
	}
	return 2 * n;
}

/* What is permitted, and what is forbidden: contents of GeneralSubtrees. */
struct trees {
	struct ctr_buf in, out;
	bool dns, ip4, ip6;
};

static void trees_free(struct trees *t)
{
	ctr_buf_free(&t->in);
	ctr_buf_free(&t->out);
}

static void put_tree(struct ctr_buf *b, uint8_t tag, const void *p, size_t n)
{
	size_t tree = ctr_der_open(b, SEQUENCE);

	ctr_der_put(b, tag, p, n);
	ctr_der_close(b, tree);
}

static int permit(struct trees *t, const char *s, struct ctr_err *e)
{
	uint8_t net[32];
	size_t n = network(s, net);
	char below[256];

	if (n > 0) {
		*(n == 8 ? &t->ip4 : &t->ip6) = true;
		put_tree(&t->in, TAG_IP, net, n);
		return 0;
	}
	if (ctr_san_kind(s) != CTR_SAN_DNS || *s == '*')
		return ctr_fail(e, CTR_USAGE, "ca.permit",
				"\"%.100s\" cannot be permitted (expected a DNS name without "
				"wildcard, an IP address or a network such as 10.0.0.0/8)",
				s);
	t->dns = true;
	/* for URIs, a name is one host, and one with a dot in front all below it */
	snprintf(below, sizeof below, ".%s", s);
	put_tree(&t->in, TAG_DNS, s, strlen(s));
	put_tree(&t->in, TAG_URI, s, strlen(s));
	put_tree(&t->in, TAG_URI, below, strlen(below));
	return 0;
}

/* To a verifier, a kind of name that no constraint is about is free. */
static void forbid_rest(struct trees *t)
{
	static const uint8_t all[32];

	if (!t->dns) {
		put_tree(&t->out, TAG_DNS, "", 0);
		put_tree(&t->in, TAG_URI, "invalid", 7); /* no host has this name (RFC 2606) */
	}
	if (!t->ip4)
		put_tree(&t->out, TAG_IP, all, 8);
	if (!t->ip6)
		put_tree(&t->out, TAG_IP, all, 32);
}

int ctr_x509_constraints(const char *const *permitted, size_t n, struct ctr_buf *b,
			 struct ctr_err *e)
{
	CTR_AUTO(trees_free) struct trees t = { 0 };
	size_t all;

	for (size_t i = 0; i < n; i++) {
		if (permit(&t, permitted[i], e) < 0)
			return -1;
	}
	forbid_rest(&t);
	if (ctr_buf_ok(&t.in, "name constraints", e) < 0 ||
	    ctr_buf_ok(&t.out, "name constraints", e) < 0)
		return -1;
	all = ctr_der_open(b, SEQUENCE);
	ctr_der_put(b, TAG_PERMITTED, t.in.p, t.in.n);
	if (t.out.n > 0)
		ctr_der_put(b, TAG_EXCLUDED, t.out.p, t.out.n);
	ctr_der_close(b, all);
	return 0;
}

/* How many ones a mask begins with; -1 when it is none. */
static int prefix(const uint8_t *mask, size_t n)
{
	size_t ones = 0;

	while (ones < 8 * n && mask[ones / 8] >> (7 - ones % 8) & 1)
		ones++;
	for (size_t i = ones; i < 8 * n; i++) {
		if (mask[i / 8] >> (7 - i % 8) & 1)
			return -1;
	}
	return (int)ones;
}

static bool ip_text(const uint8_t *p, size_t n, struct ctr_buf *b)
{
	char text[INET6_ADDRSTRLEN];
	bool net = n == 8 || n == 32;
	size_t half = net ? n / 2 : n;
	int bits = net ? prefix(p + half, half) : 0;

	if ((half != 4 && half != 16) || bits < 0 ||
	    !inet_ntop(half == 4 ? AF_INET : AF_INET6, p, text, sizeof text))
		return false;
	ctr_buf_adds(b, text);
	if (net)
		ctr_buf_addf(b, "/%d", bits);
	return true;
}

bool ctr_x509_name_text(const GENERAL_NAME *name, struct ctr_buf *b)
{
	int type;
	const ASN1_STRING *s = GENERAL_NAME_get0_value(name, &type);
	const uint8_t *p;
	size_t n;

	if (type != GEN_DNS && type != GEN_URI && type != GEN_IPADD)
		return false;
	p = ASN1_STRING_get0_data(s);
	n = (size_t)ASN1_STRING_length(s);
	if (type == GEN_IPADD)
		return ip_text(p, n, b);
	for (size_t i = 0; i < n; i++) {
		if (p[i] < 0x20 || p[i] > 0x7e)
			return false;
	}
	ctr_buf_add(b, p, n);
	return true;
}
