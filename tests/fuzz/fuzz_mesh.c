/* needs: tools/ctr-mesh-config/parse.c tools/ctr-mesh-config/haproxy.c tools/ctr-mesh-config/rules.c tools/ctr-mesh-config/envoy.c */
#include <stdlib.h>
#include <string.h>

#include "tools/ctr-mesh-config/mesh.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef int (*reader)(const struct mesh_text *, struct mesh *, struct ctr_err *);

/* Three lines: ingress, egress, administration. A failure is the input's, and its column in the
 * text or just behind. */
static int read_all(const char *p, size_t n, struct mesh *m)
{
	static const reader readers[] = { mesh_ingress, mesh_egress, mesh_admin };
	struct ctr_err e = { 0 };

	for (size_t i = 0; i < 3; i++) {
		struct mesh_text t = { .p = p, .where = "x", .line = 1, .col = 1 };

		while (t.n < n && p[t.n] != '\n')
			t.n++;
		if (readers[i](&t, m, &e) < 0) {
			if (e.code != CTR_FORMAT || e.line != 1 || e.col < 1 || e.col > t.n + 1)
				abort();
			return -1;
		}
		p += t.n < n ? t.n + 1 : t.n;
		n -= t.n < n ? t.n + 1 : t.n;
	}
	return mesh_check(m, &e);
}

static void print(const struct mesh *m, struct ctr_buf *b)
{
	if (m->no_ingress)
		ctr_buf_adds(b, "DISABLED");
	for (size_t i = 0; i < m->n_ingress; i++)
		ctr_buf_addf(b, "%s%s#%u#%s", i > 0 ? "##" : "", m->ingress[i].name,
			     m->ingress[i].port, m->ingress[i].plain ? "true" : "false");
	ctr_buf_addc(b, '\n');
	for (size_t i = 0; i < m->n_egress; i++) {
		const struct mesh_egress *g = &m->egress[i];

		ctr_buf_addf(b, "%s%s#", i > 0 ? "##" : "", g->name);
		mesh_addr(b, g->addr, g->addr_v6);
		ctr_buf_addf(b, ":%u#", g->port);
		mesh_addr(b, g->host, g->host_v6);
		ctr_buf_addf(b, ":%u", g->host_port);
	}
	ctr_buf_addc(b, '\n');
	if (m->admin)
		ctr_buf_addf(b, "%u", m->admin);
}

static size_t count(const struct ctr_buf *b, char c)
{
	size_t n = 0;

	for (size_t i = 0; i < b->n; i++) {
		n += b->p[i] == c;
		if ((b->p[i] < ' ' && b->p[i] != '\n' && b->p[i] != '\t') || b->p[i] > '~')
			abort();
	}
	return n;
}

/* No text brings a line, a word or a block of its own into what is written. */
static void write_all(const struct mesh *m)
{
	static const mesh_write writers[] = { mesh_envoy,    mesh_envoy_cert, mesh_envoy_ca,
					      mesh_haproxy,  mesh_nft,	      mesh_iptables,
					      mesh_ip6tables };
	struct ctr_err e = { 0 };

	for (size_t i = 0; i < sizeof writers / sizeof *writers; i++) {
		ctr_auto_buf struct ctr_buf b = { 0 };

		if (writers[i](m, &b, &e) < 0 || count(&b, '{') != count(&b, '}'))
			abort();
		if (writers[i] == mesh_haproxy &&
		    count(&b, '\n') !=
			    18 + (m->admin ? 8 : 0) + (m->no_ingress ? 0 : 12) + 4 * m->n_egress)
			abort();
		if (writers[i] == mesh_iptables &&
		    count(&b, '\n') != (m->no_ingress ? 10 : 20 + m->n_ingress))
			abort();
	}
}

/* What is taken is taken again in its one form, with the same meaning. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mesh a = { .tls_dir = "/contrast/tls-config", .run_dir = "/run" }, b = a;
	ctr_auto_buf struct ctr_buf one = { 0 }, two = { 0 };

	if (read_all((const char *)data, size, &a) < 0)
		return 0;
	print(&a, &one);
	if (one.bad || read_all(one.p, one.n, &b) < 0)
		abort();
	print(&b, &two);
	if (two.bad || !ctr_buf_same(&one, &two))
		abort();
	write_all(&a);
	return 0;
}
