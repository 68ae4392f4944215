#include "mesh.h"

static void listener(const struct mesh *m, const char *name, unsigned port, bool auth,
		     struct ctr_buf *b)
{
	ctr_buf_addf(b, "\nlisten %s\n", name);
	for (int v6 = 0; v6 < (m->ipv4_only ? 1 : 2); v6++) {
		ctr_buf_addf(b, "\tbind %s:%u transparent%s ssl crt %s/mesh.pem",
			     v6 ? "[::]" : "0.0.0.0", port, v6 ? " v6only" : "", m->run_dir);
		if (auth)
			ctr_buf_addf(b, " ca-file %s/mesh-ca.pem verify required\n", m->run_dir);
		else
			ctr_buf_adds(b, " verify none\n");
	}
	/* a connection to the proxy itself would be one in a circle */
	ctr_buf_addf(b,
		     "\ttcp-request connection reject if { dst_port %d %d }\n"
		     "\toption transparent\n",
		     MESH_PORT_AUTH, MESH_PORT_OPEN);
}

static void egress(const struct mesh *m, const struct mesh_egress *g, struct ctr_buf *b)
{
	ctr_buf_addf(b, "\nlisten egress-%s\n\tbind ", g->name);
	mesh_addr(b, g->addr, g->addr_v6);
	ctr_buf_addf(b, ":%u\n\tserver remote ", g->port);
	mesh_addr(b, g->host, g->host_v6);
	ctr_buf_addf(b, ":%u ssl crt %s/mesh.pem ca-file %s/mesh-ca.pem verify required%s\n",
		     g->host_port, m->run_dir, m->run_dir,
		     g->host_ip	    ? ""
		     : m->ipv4_only ? " resolve-prefer ipv4 init-addr libc,none"
				    : " init-addr libc,none");
}

int mesh_haproxy(const struct mesh *m, struct ctr_buf *b, struct ctr_err *e)
{
	/*
	 * No session is taken up again: each connection is judged by the CA of its time. TLS 1.2,
	 * since Contrast's own sidecars offer no more as clients. The worker is nobody once it has
	 * its sockets and keys.
	 */
	ctr_buf_adds(b, "global\n"
			"\tmaxconn 8192\n"
			"\tuid 65532\n"
			"\tgid 65532\n"
			"\tlog stdout format raw daemon notice\n"
			"\ttune.ssl.cachesize 0\n"
			"\tssl-default-bind-options ssl-min-ver TLSv1.2 no-tls-tickets\n"
			"\tssl-default-server-options ssl-min-ver TLSv1.2 no-tls-tickets\n"
			"\ndefaults\n"
			"\tmode tcp\n"
			"\tlog global\n"
			"\toption dontlognull\n"
			"\ttimeout connect 10s\n"
			"\ttimeout client 1h\n"
			"\ttimeout server 1h\n"
			"\ttimeout client-fin 30s\n"
			"\ttimeout server-fin 30s\n");
	if (m->admin)
		ctr_buf_addf(b,
			     "\nfrontend admin\n"
			     "\tbind 127.0.0.1:%u\n"
			     "\tmode http\n"
			     "\ttimeout client 30s\n"
			     "\thttp-request use-service prometheus-exporter if { path /metrics }\n"
			     "\tstats enable\n"
			     "\tstats uri /\n",
			     m->admin);
	if (!m->no_ingress) {
		listener(m, "ingress", MESH_PORT_AUTH, true, b);
		listener(m, "ingress-open", MESH_PORT_OPEN, false, b);
	}
	for (size_t i = 0; i < m->n_egress; i++)
		egress(m, &m->egress[i], b);
	return ctr_buf_ok(b, "configuration", e);
}
