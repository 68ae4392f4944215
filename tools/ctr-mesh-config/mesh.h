/* What a pod's mesh annotations say, read strictly: every text in here may stand in a configuration
 * file as it is. */
#ifndef TOOLS_CTR_MESH_CONFIG_MESH_H
#define TOOLS_CTR_MESH_CONFIG_MESH_H

#include <stdint.h>

#include "buf.h"

#define MESH_ENTRIES 64		     /* of each kind */
#define MESH_TEXT ((size_t)16 << 10) /* bytes of one variable */

/* Where the proxy takes redirected connections: with a client's certificate, and without. As in
 * Contrast. */
#define MESH_PORT_AUTH 15006
#define MESH_PORT_OPEN 15007

/* A port that differs from the rule, which is mutual TLS. */
struct mesh_ingress {
	char name[64];
	uint16_t port;
	bool plain; /* not redirected at all; otherwise TLS without a client's certificate */
};

struct mesh_egress {
	char name[64];
	char addr[46], host[254]; /* without brackets; addresses in the form of RFC 5952 */
	bool addr_v6, host_v6, host_ip;
	uint16_t port, host_port;
};

struct mesh {
	bool no_ingress; /* DISABLED: incoming connections are left alone */
	size_t n_ingress, n_egress;
	struct mesh_ingress ingress[MESH_ENTRIES];
	struct mesh_egress egress[MESH_ENTRIES];
	uint16_t admin; /* of 127.0.0.1, 0 for none */
	bool ipv4_only;
	const char *tls_dir, *run_dir; /* borrowed */
};

/* A variable's text with the place that it stands at, for messages: col is that of its first byte,
 * from 1. */
struct mesh_text {
	const char *p;
	size_t n;
	const char *where;
	unsigned line, col;
};

/*
 * Each reads one variable into m. All fail with CTR_FORMAT and the column: "mesh.limit",
 * "mesh.entry" (a field too few, too many, or an empty entry), "mesh.name", "mesh.port",
 * "mesh.reserved" (a port of the proxy's own), "mesh.bool", "mesh.address", "mesh.host",
 * "mesh.duplicate".
 */
CTR_MUST int mesh_ingress(const struct mesh_text *t, struct mesh *m, struct ctr_err *e);
CTR_MUST int mesh_egress(const struct mesh_text *t, struct mesh *m, struct ctr_err *e);
CTR_MUST int mesh_admin(const struct mesh_text *t, struct mesh *m, struct ctr_err *e);

/* What no variable shows alone: "mesh.nothing", "mesh.address" (IPv6 without IPv6),
 * "mesh.duplicate" (the admin's). */
CTR_MUST int mesh_check(const struct mesh *m, struct ctr_err *e);

/* "10.0.0.1" or "[fd00::1]". */
void mesh_addr(struct ctr_buf *b, const char *addr, bool v6);

/* The outputs: the same for the same mesh, byte for byte. */
typedef int (*mesh_write)(const struct mesh *m, struct ctr_buf *out, struct ctr_err *e);
CTR_MUST int mesh_envoy(const struct mesh *m, struct ctr_buf *out, struct ctr_err *e);
CTR_MUST int mesh_envoy_cert(const struct mesh *m, struct ctr_buf *out, struct ctr_err *e);
CTR_MUST int mesh_envoy_ca(const struct mesh *m, struct ctr_buf *out, struct ctr_err *e);
CTR_MUST int mesh_haproxy(const struct mesh *m, struct ctr_buf *out, struct ctr_err *e);
CTR_MUST int mesh_nft(const struct mesh *m, struct ctr_buf *out, struct ctr_err *e);
CTR_MUST int mesh_iptables(const struct mesh *m, struct ctr_buf *out, struct ctr_err *e);
CTR_MUST int mesh_ip6tables(const struct mesh *m, struct ctr_buf *out, struct ctr_err *e);

#endif
