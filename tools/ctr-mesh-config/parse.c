#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "mesh.h"

#define DIGITS "0123456789"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* A part of the text: [at, at + n). */
struct span {
	size_t at, n;
};

struct cursor {
	const struct mesh_text *t;
	size_t at;
};

static int fail_at(const struct mesh_text *t, size_t at, struct ctr_err *e, const char *id,
		   const char *fmt, ...) CTR_FMT(5, 6);

static int fail_at(const struct mesh_text *t, size_t at, struct ctr_err *e, const char *id,
		   const char *fmt, ...)
{
	char msg[320];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(msg, sizeof msg, fmt, ap);
	va_end(ap);
	ctr_fail(e, CTR_FORMAT, id, "%s", msg);
	return ctr_err_at(e, t->where, t->line, t->col + (unsigned)at);
}

/* The part as a string, cut to what fits: for messages, and for parts whose length was looked at.
 */
static void copy(const struct mesh_text *t, struct span s, char *dst, size_t size)
{
	size_t n = s.n < size - 1 ? s.n : size - 1;

	if (n > 0)
		memcpy(dst, t->p + s.at, n);
	dst[n] = '\0';
}

static bool is(const struct mesh_text *t, struct span s, const char *word)
{
	return s.n == strlen(word) && strncmp(t->p + s.at, word, s.n) == 0;
}

static int limits(const struct mesh_text *t, struct ctr_err *e)
{
	if (t->n > MESH_TEXT)
		return fail_at(t, MESH_TEXT, e, "mesh.limit", "longer than %zu bytes", MESH_TEXT);
	return 0;
}

static bool at_end(const struct cursor *c)
{
	return c->at == c->t->n;
}

/* What goes up to the next '#' or the end. */
static struct span field(struct cursor *c)
{
	struct span s = { .at = c->at };

	while (!at_end(c) && c->t->p[c->at] != '#')
		c->at++;
	s.n = c->at - s.at;
	return s;
}

/* Three fields, and what must follow: "##" and another entry, or the end. */
static int entry(struct cursor *c, struct span f[3], const char *form, struct ctr_err *e)
{
	const struct mesh_text *t = c->t;

	for (int i = 0; i < 3; i++) {
		if (i > 0 && at_end(c))
			return fail_at(t, c->at, e, "mesh.entry",
				       "the entry ends early (expected %s)", form);
		if (i > 0)
			c->at++;
		f[i] = field(c);
		if (f[i].n == 0)
			return fail_at(t, f[i].at, e, "mesh.entry", "an empty field (expected %s)",
				       form);
	}
	if (at_end(c))
		return 0;
	if (t->n - c->at < 2 || t->p[c->at + 1] != '#')
		return fail_at(t, c->at, e, "mesh.entry",
			       "a field too many (expected %s, entries separated by \"##\")", form);
	c->at += 2;
	if (at_end(c))
		return fail_at(t, c->at, e, "mesh.entry",
			       "nothing behind the last \"##\" (expected %s)", form);
	return 0;
}

static int name(const struct mesh_text *t, struct span s, char dst[64], struct ctr_err *e)
{
	copy(t, s, dst, 64);
	if (s.n > 63 || !strchr(LETTERS DIGITS, dst[0]) || strspn(dst, LETTERS DIGITS "._-") != s.n)
		return fail_at(t, s.at, e, "mesh.name",
			       "name \"%s\" (expected at most 63 letters, digits, dots, dashes and "
			       "underscores, a letter "
			       "or digit first)",
			       dst);
	return 0;
}

static int port(const struct mesh_text *t, struct span s, uint16_t *out, struct ctr_err *e)
{
	char text[8];
	unsigned long v = 0;

	copy(t, s, text, sizeof text);
	for (size_t i = 0; text[i] >= '0' && text[i] <= '9'; i++)
		v = v * 10 + (unsigned)(text[i] - '0');
	if (s.n == 0 || s.n > 5 || strspn(text, DIGITS) != s.n || text[0] == '0' || v > 65535)
		return fail_at(t, s.at, e, "mesh.port",
			       "port \"%s\" (expected a number from 1 to 65535)", text);
	*out = (uint16_t)v;
	return 0;
}

/* A port that something of ours would listen on, or that would lead back into the proxy. */
static int free_port(const struct mesh_text *t, struct span s, uint16_t *out, struct ctr_err *e)
{
	if (port(t, s, out, e) < 0)
		return -1;
	if (*out == MESH_PORT_AUTH || *out == MESH_PORT_OPEN)
		return fail_at(t, s.at, e, "mesh.reserved",
			       "port %u is one of the proxy's own, %d and %d", *out, MESH_PORT_AUTH,
			       MESH_PORT_OPEN);
	return 0;
}

/* Splits "host:port" or "[v6]:port" at the colon. */
static int split(const struct mesh_text *t, struct span s, struct span *host, struct span *po,
		 bool *bracket, struct ctr_err *e)
{
	size_t i = 0;

	*bracket = t->p[s.at] == '[';
	while (i < s.n && t->p[s.at + i] != (*bracket ? ']' : ':'))
		i++;
	host->at = s.at + *bracket;
	host->n = i - (*bracket && i > 0);
	i += *bracket;
	if (i >= s.n || t->p[s.at + i] != ':')
		return fail_at(t, s.at + (i < s.n ? i : s.n), e, "mesh.entry",
			       "no port (expected \":\" and a port%s)",
			       *bracket ? " behind \"]\"" : "");
	po->at = s.at + i + 1;
	po->n = s.n - i - 1;
	return 0;
}

/* An address in its one form. */
static bool address(const char *text, bool v6, char dst[46])
{
	uint8_t a[16];

	return inet_pton(v6 ? AF_INET6 : AF_INET, text, a) == 1 &&
	       inet_ntop(v6 ? AF_INET6 : AF_INET, a, dst, 46);
}

static int local(const struct mesh_text *t, struct span s, struct mesh_egress *g, struct ctr_err *e)
{
	struct span host = { 0 }, po = { 0 };
	char text[64];

	if (split(t, s, &host, &po, &g->addr_v6, e) < 0)
		return -1;
	copy(t, host, text, sizeof text);
	/* from elsewhere nobody may come to use the pod's certificate */
	if (host.n >= sizeof text || !address(text, g->addr_v6, g->addr) ||
	    (g->addr_v6 ? strcmp(g->addr, "::1") != 0 : strncmp(g->addr, "127.", 4) != 0))
		return fail_at(t, host.at, e, "mesh.address",
			       "local address \"%s\" (expected one of 127.0.0.0/8, or [::1])",
			       text);
	return free_port(t, po, &g->port, e);
}

/* A DNS name: labels of letters, digits, dashes and underscores; the last one not a number, which
 * resolvers would take for a part of an address. */
static bool dns_name(const char *s)
{
	size_t n = 0;

	for (const char *p = s;; p += n + 1) {
		n = strcspn(p, ".");
		if (n == 0 || n > 63 || strspn(p, LETTERS DIGITS "-_") < n || *p == '-' ||
		    p[n - 1] == '-')
			return false;
		if (p[n] == '\0')
			return strspn(p, DIGITS) < n && strncmp(p, "0x", 2) != 0 &&
			       strncmp(p, "0X", 2) != 0;
	}
}

static int remote(const struct mesh_text *t, struct span s, struct mesh_egress *g,
		  struct ctr_err *e)
{
	struct span host = { 0 }, po = { 0 };
	char text[sizeof g->host], canon[46];

	if (split(t, s, &host, &po, &g->host_v6, e) < 0)
		return -1;
	copy(t, host, text, sizeof text);
	g->host_ip = host.n < sizeof text && address(text, g->host_v6, canon);
	if (host.n >= sizeof text || (!g->host_ip && (g->host_v6 || !dns_name(text))))
		return fail_at(t, host.at, e, "mesh.host",
			       "host \"%.80s\" (expected a DNS name, an IPv4 address, or an IPv6 "
			       "address in brackets)",
			       text);
	memcpy(g->host, g->host_ip ? canon : text, strlen(g->host_ip ? canon : text) + 1);
	return port(t, po, &g->host_port, e);
}

static int duplicate(const struct mesh_text *t, struct span s, struct ctr_err *e)
{
	char text[80];

	copy(t, s, text, sizeof text);
	return fail_at(t, s.at, e, "mesh.duplicate", "\"%s\" a second time", text);
}

static int one_ingress(struct cursor *c, struct mesh *m, struct ctr_err *e)
{
	struct mesh_ingress g = { 0 };
	const struct mesh_text *t = c->t;
	struct span f[3] = { 0 };

	if (entry(c, f, "NAME#PORT#true or NAME#PORT#false", e) < 0 ||
	    name(t, f[0], g.name, e) < 0 || free_port(t, f[1], &g.port, e) < 0)
		return -1;
	g.plain = is(t, f[2], "true");
	if (!g.plain && !is(t, f[2], "false"))
		return fail_at(t, f[2].at, e, "mesh.bool",
			       "neither \"true\" (no TLS) nor \"false\" (TLS, open to all)");
	for (size_t i = 0; i < m->n_ingress; i++) {
		if (strcmp(m->ingress[i].name, g.name) == 0)
			return duplicate(t, f[0], e);
		if (m->ingress[i].port == g.port)
			return duplicate(t, f[1], e);
	}
	if (m->n_ingress == MESH_ENTRIES)
		return fail_at(t, f[0].at, e, "mesh.limit", "more than %d entries", MESH_ENTRIES);
	m->ingress[m->n_ingress++] = g;
	return 0;
}

int mesh_ingress(const struct mesh_text *t, struct mesh *m, struct ctr_err *e)
{
	struct cursor c = { .t = t };

	if (limits(t, e) < 0)
		return -1;
	m->no_ingress = is(t, (struct span){ .n = t->n }, "DISABLED");
	if (m->no_ingress)
		return 0;
	while (!at_end(&c)) {
		if (one_ingress(&c, m, e) < 0)
			return -1;
	}
	return 0;
}

static int one_egress(struct cursor *c, struct mesh *m, struct ctr_err *e)
{
	struct mesh_egress g = { 0 };
	const struct mesh_text *t = c->t;
	struct span f[3] = { 0 };

	if (entry(c, f, "NAME#ADDRESS:PORT#HOST:PORT", e) < 0 || name(t, f[0], g.name, e) < 0 ||
	    local(t, f[1], &g, e) < 0 || remote(t, f[2], &g, e) < 0)
		return -1;
	for (size_t i = 0; i < m->n_egress; i++) {
		if (strcmp(m->egress[i].name, g.name) == 0)
			return duplicate(t, f[0], e);
		if (m->egress[i].port == g.port && strcmp(m->egress[i].addr, g.addr) == 0)
			return duplicate(t, f[1], e);
	}
	if (m->n_egress == MESH_ENTRIES)
		return fail_at(t, f[0].at, e, "mesh.limit", "more than %d entries", MESH_ENTRIES);
	m->egress[m->n_egress++] = g;
	return 0;
}

int mesh_egress(const struct mesh_text *t, struct mesh *m, struct ctr_err *e)
{
	struct cursor c = { .t = t };

	if (limits(t, e) < 0)
		return -1;
	while (!at_end(&c)) {
		if (one_egress(&c, m, e) < 0)
			return -1;
	}
	return 0;
}

int mesh_admin(const struct mesh_text *t, struct mesh *m, struct ctr_err *e)
{
	if (limits(t, e) < 0)
		return -1;
	return t->n == 0 ? 0 : free_port(t, (struct span){ .n = t->n }, &m->admin, e);
}

int mesh_check(const struct mesh *m, struct ctr_err *e)
{
	if (m->no_ingress && m->n_egress == 0)
		return ctr_fail(e, CTR_FORMAT, "mesh.nothing",
				"ingress is DISABLED and there is no egress");
	for (size_t i = 0; i < m->n_egress; i++) {
		const struct mesh_egress *g = &m->egress[i];

		if (m->ipv4_only && (g->addr_v6 || g->host_v6))
			return ctr_fail(e, CTR_FORMAT, "mesh.address",
					"egress \"%s\" has an IPv6 address (--ipv4-only)", g->name);
		if (m->admin && g->port == m->admin && strcmp(g->addr, "127.0.0.1") == 0)
			return ctr_fail(e, CTR_FORMAT, "mesh.duplicate",
					"egress \"%s\" has the administration's port %u", g->name,
					m->admin);
	}
	return 0;
}

void mesh_addr(struct ctr_buf *b, const char *addr, bool v6)
{
	ctr_buf_addf(b, v6 ? "[%s]" : "%s", addr);
}
