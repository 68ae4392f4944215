/*
 * Packet filter rules. All of them stand in prerouting, where TPROXY works, so that each is one
 * atomic script. The decision is about a TCP connection's first packet, recognised by its flags:
 * connection tracking, which an attacker can lead to believe in a connection by other packets
 * first, has no say in it. TPROXY to a port on which nobody listens does not match, and what stands
 * behind it drops. No mark and no policy routing is needed: only what is for an address of the pod
 * goes to the proxy, and the kernel routes that to itself.
 */
#include <stdio.h>

#include "mesh.h"

static bool any(const struct mesh *m, bool plain)
{
	for (size_t i = 0; i < m->n_ingress; i++) {
		if (m->ingress[i].plain == plain)
			return true;
	}
	return false;
}

/* "tcp dport { 80, 443 }" */
static void dports(const struct mesh *m, bool plain, struct ctr_buf *b)
{
	const char *sep = "";

	ctr_buf_adds(b, "\t\ttcp dport { ");
	for (size_t i = 0; i < m->n_ingress; i++) {
		if (m->ingress[i].plain != plain)
			continue;
		ctr_buf_addf(b, "%s%u", sep, m->ingress[i].port);
		sep = ", ";
	}
	ctr_buf_adds(b, " }");
}

static void nft_new(const struct mesh *m, struct ctr_buf *b)
{
	ctr_buf_adds(b, "\tchain connect {\n"
			"\t\tfib daddr type != local drop\n");
	ctr_buf_addf(b, "\t\ttcp dport { %d, %d } drop\n", MESH_PORT_AUTH, MESH_PORT_OPEN);
	if (any(m, true)) {
		dports(m, true, b);
		ctr_buf_adds(b, " accept\n");
	}
	if (any(m, false)) {
		dports(m, false, b);
		ctr_buf_adds(b, " goto open\n");
	}
	ctr_buf_addf(b, "\t\tmeta nfproto ipv4 meta l4proto tcp tproxy ip to :%d accept\n",
		     MESH_PORT_AUTH);
	if (!m->ipv4_only)
		ctr_buf_addf(b, "\t\tmeta nfproto ipv6 meta l4proto tcp tproxy ip6 to :%d accept\n",
			     MESH_PORT_AUTH);
	ctr_buf_adds(b, "\t\tdrop\n\t}\n");
}

static void nft_open(const struct mesh *m, struct ctr_buf *b)
{
	if (!any(m, false))
		return;
	ctr_buf_addf(b,
		     "\tchain open {\n"
		     "\t\tmeta nfproto ipv4 meta l4proto tcp tproxy ip to :%d accept\n",
		     MESH_PORT_OPEN);
	if (!m->ipv4_only)
		ctr_buf_addf(b, "\t\tmeta nfproto ipv6 meta l4proto tcp tproxy ip6 to :%d accept\n",
			     MESH_PORT_OPEN);
	ctr_buf_adds(b, "\t\tdrop\n\t}\n");
}

int mesh_nft(const struct mesh *m, struct ctr_buf *b, struct ctr_err *e)
{
	/* made, then deleted, then made: so that it need not be there, and may */
	ctr_buf_adds(b, "table inet ctr_mesh\n"
			"delete table inet ctr_mesh\n"
			"table inet ctr_mesh {\n");
	if (!m->no_ingress) {
		nft_open(m, b);
		nft_new(m, b);
	}
	ctr_buf_addf(b,
		     "\tchain incoming {\n"
		     "\t\ttype filter hook prerouting priority mangle; policy %s;\n"
		     "\t\tiifname \"lo\" accept\n"
		     "\t\tip saddr 127.0.0.0/8 drop\n"
		     "\t\tip daddr 127.0.0.0/8 drop\n",
		     m->no_ingress ? "accept" : "drop");
	if (!m->no_ingress) {
		if (m->ipv4_only)
			ctr_buf_adds(b, "\t\tmeta nfproto ipv6 drop\n");
		ctr_buf_adds(b, "\t\tct state invalid drop\n"
				"\t\ttcp flags & (fin | syn | rst | ack) == syn goto connect\n"
				"\t\tct state { established, related } accept\n"
				"\t\tmeta l4proto { icmp, icmpv6 } accept\n");
	}
	ctr_buf_adds(b, "\t}\n}\n");
	return ctr_buf_ok(b, "rules", e);
}

static void redirect(struct ctr_buf *b, const char *match, unsigned to)
{
	ctr_buf_addf(b, "-A CTR_MESH -p tcp%s -j TPROXY --on-port %u\n", match, to);
}

static void ipt_new(const struct mesh *m, struct ctr_buf *b)
{
	ctr_buf_adds(b, "-A CTR_MESH -m addrtype ! --dst-type LOCAL -j DROP\n");
	ctr_buf_addf(b,
		     "-A CTR_MESH -p tcp --dport %d -j DROP\n"
		     "-A CTR_MESH -p tcp --dport %d -j DROP\n",
		     MESH_PORT_AUTH, MESH_PORT_OPEN);
	for (size_t i = 0; i < m->n_ingress; i++) {
		char match[32];

		(void)snprintf(match, sizeof match, " --dport %u", m->ingress[i].port);
		if (m->ingress[i].plain)
			ctr_buf_addf(b, "-A CTR_MESH -p tcp%s -j ACCEPT\n", match);
		else
			redirect(b, match, MESH_PORT_OPEN);
	}
	redirect(b, "", MESH_PORT_AUTH);
	ctr_buf_adds(b, "-A CTR_MESH -j DROP\n");
}

/* The mangle table, as a whole: that is what one script replaces at once. */
static int ipt(const struct mesh *m, bool v6, struct ctr_buf *b, struct ctr_err *e)
{
	bool closed = v6 && m->ipv4_only && !m->no_ingress;

	ctr_buf_addf(b,
		     "*mangle\n"
		     ":PREROUTING %s [0:0]\n"
		     ":INPUT ACCEPT [0:0]\n"
		     ":FORWARD ACCEPT [0:0]\n"
		     ":OUTPUT ACCEPT [0:0]\n"
		     ":POSTROUTING ACCEPT [0:0]\n",
		     m->no_ingress ? "ACCEPT" : "DROP");
	if (!m->no_ingress && !closed)
		ctr_buf_adds(b, ":CTR_MESH - [0:0]\n");
	ctr_buf_adds(b, "-A PREROUTING -i lo -j ACCEPT\n");
	if (!v6)
		ctr_buf_adds(b, "-A PREROUTING -s 127.0.0.0/8 -j DROP\n"
				"-A PREROUTING -d 127.0.0.0/8 -j DROP\n");
	if (!m->no_ingress && !closed) {
		ctr_buf_addf(b,
			     "-A PREROUTING -m conntrack --ctstate INVALID -j DROP\n"
			     "-A PREROUTING -p tcp --tcp-flags FIN,SYN,RST,ACK SYN -g CTR_MESH\n"
			     "-A PREROUTING -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT\n"
			     "-A PREROUTING -p %s -j ACCEPT\n",
			     v6 ? "ipv6-icmp" : "icmp");
		ipt_new(m, b);
	}
	ctr_buf_adds(b, "COMMIT\n");
	return ctr_buf_ok(b, "rules", e);
}

int mesh_iptables(const struct mesh *m, struct ctr_buf *out, struct ctr_err *e)
{
	return ipt(m, false, out, e);
}

int mesh_ip6tables(const struct mesh *m, struct ctr_buf *out, struct ctr_err *e)
{
	return ipt(m, true, out, e);
}
