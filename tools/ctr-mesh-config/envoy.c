/* Envoy's v3 API; the names are those of its protocol buffers. */
#include <stdio.h>
#include <string.h>

#include "json.h"
#include "mesh.h"

#define TYPE "type.googleapis.com/envoy."
#define TCP_PROXY TYPE "extensions.filters.network.tcp_proxy.v3.TcpProxy"
#define ORIGINAL_DST TYPE "extensions.filters.listener.original_dst.v3.OriginalDst"
#define DOWNSTREAM TYPE "extensions.transport_sockets.tls.v3.DownstreamTlsContext"
#define UPSTREAM TYPE "extensions.transport_sockets.tls.v3.UpstreamTlsContext"
#define SECRET TYPE "extensions.transport_sockets.tls.v3.Secret"

/* A member "name" and an object "typed_config" of this type, which is returned. */
static struct ctr_json *typed(struct ctr_json *obj, const char *name, const char *type)
{
	struct ctr_json *c;

	ctr_json_set_string(obj, "name", name);
	c = ctr_json_set_object(obj, "typed_config");
	ctr_json_set_string(c, "@type", type);
	return c;
}

/* {"address": {"socket_address": ...}} into obj. */
static void address(struct ctr_json *obj, const char *addr, unsigned port)
{
	struct ctr_json *s =
		ctr_json_set_object(ctr_json_set_object(obj, "address"), "socket_address");

	ctr_json_set_string(s, "address", addr);
	ctr_json_set_uint(s, "port_value", port);
}

static void file_secret(const struct mesh *m, struct ctr_json *obj, const char *name)
{
	struct ctr_json *s = ctr_json_set_object(obj, "sds_config");
	char path[256];

	(void)snprintf(path, sizeof path, "%s/envoy-%s.json", m->run_dir, name);
	ctr_json_set_string(obj, "name", name);
	ctr_json_set_string(s, "resource_api_version", "V3");
	ctr_json_set_string(ctr_json_set_object(s, "path_config_source"), "path", path);
}

/* The pod's certificate and, unless the listener is open to all, the CA that the peer's is from. */
static struct ctr_json *tls(const struct mesh *m, struct ctr_json *obj, const char *type, bool auth)
{
	struct ctr_json *c = typed(ctr_json_set_object(obj, "transport_socket"),
				   "envoy.transport_sockets.tls", type);
	struct ctr_json *common = ctr_json_set_object(c, "common_tls_context");
	struct ctr_json *params = ctr_json_set_object(common, "tls_params");

	/* 1.2, since Contrast's own sidecars offer no more as clients */
	ctr_json_set_string(params, "tls_minimum_protocol_version", "TLSv1_2");
	ctr_json_set_string(params, "tls_maximum_protocol_version", "TLSv1_3");
	file_secret(m,
		    ctr_json_add_object(
			    ctr_json_set_array(common, "tls_certificate_sds_secret_configs")),
		    "cert");
	if (auth)
		file_secret(m, ctr_json_set_object(common, "validation_context_sds_secret_config"),
			    "ca");
	return c;
}

static struct ctr_json *chain(struct ctr_json *chains, const char *name, const char *cluster)
{
	struct ctr_json *c = ctr_json_add_object(chains), *f;

	ctr_json_set_string(c, "name", name);
	f = typed(ctr_json_add_object(ctr_json_set_array(c, "filters")),
		  "envoy.filters.network.tcp_proxy", TCP_PROXY);
	ctr_json_set_string(f, "stat_prefix", name);
	ctr_json_set_string(f, "cluster", cluster);
	return c;
}

static void ingress(const struct mesh *m, struct ctr_json *listeners, const char *name,
		    unsigned port, bool auth)
{
	struct ctr_json *l = ctr_json_add_object(listeners), *chains, *c;
	static const struct {
		const char *name;
		unsigned port;
	} circles[] = { { "circle", MESH_PORT_AUTH }, { "circle-open", MESH_PORT_OPEN } };

	ctr_json_set_string(l, "name", name);
	address(l, "0.0.0.0", port);
	if (!m->ipv4_only)
		address(ctr_json_add_object(ctr_json_set_array(l, "additional_addresses")),
			"::", port);
	ctr_json_set_bool(l, "transparent", true);
	typed(ctr_json_add_object(ctr_json_set_array(l, "listener_filters")),
	      "envoy.filters.listener.original_dst", ORIGINAL_DST);
	chains = ctr_json_set_array(l, "filter_chains");
	/* a connection to the proxy itself would be one in a circle */
	for (size_t i = 0; i < 2; i++) {
		c = chain(chains, circles[i].name, "nowhere");
		ctr_json_set_uint(ctr_json_set_object(c, "filter_chain_match"), "destination_port",
				  circles[i].port);
	}
	c = tls(m, chain(chains, name, "ingress"), DOWNSTREAM, auth);
	ctr_json_set_bool(c, "require_client_certificate", auth);
	/* no session is taken up again: each connection is judged by the CA of its time */
	ctr_json_set_bool(c, "disable_stateless_session_resumption", true);
	ctr_json_set_bool(c, "disable_stateful_session_resumption", true);
}

static void fixed_clusters(struct ctr_json *clusters)
{
	struct ctr_json *c = ctr_json_add_object(clusters);

	ctr_json_set_string(c, "name", "ingress");
	ctr_json_set_string(c, "type", "ORIGINAL_DST");
	ctr_json_set_string(c, "lb_policy", "CLUSTER_PROVIDED");
	ctr_json_set_string(c, "connect_timeout", "10s");
	c = ctr_json_add_object(clusters);
	ctr_json_set_string(c, "name", "nowhere");
	ctr_json_set_string(c, "type", "STATIC");
	ctr_json_set_string(c, "connect_timeout", "10s");
}

static void egress(const struct mesh *m, const struct mesh_egress *g, struct ctr_json *listeners,
		   struct ctr_json *clusters)
{
	struct ctr_json *l = ctr_json_add_object(listeners), *c = ctr_json_add_object(clusters),
			*ends;
	char name[80];

	(void)snprintf(name, sizeof name, "egress-%s", g->name);
	ctr_json_set_string(l, "name", name);
	address(l, g->addr, g->port);
	chain(ctr_json_set_array(l, "filter_chains"), name, name);

	ctr_json_set_string(c, "name", name);
	ctr_json_set_string(c, "type", g->host_ip ? "STATIC" : "LOGICAL_DNS");
	if (!g->host_ip)
		ctr_json_set_string(c, "dns_lookup_family",
				    m->ipv4_only ? "V4_ONLY" : "V4_PREFERRED");
	ctr_json_set_string(c, "connect_timeout", "10s");
	ends = ctr_json_set_object(c, "load_assignment");
	ctr_json_set_string(ends, "cluster_name", name);
	ends = ctr_json_add_object(ctr_json_set_array(ends, "endpoints"));
	ends = ctr_json_add_object(ctr_json_set_array(ends, "lb_endpoints"));
	address(ctr_json_set_object(ends, "endpoint"), g->host, g->host_port);
	ctr_json_set_uint(tls(m, c, UPSTREAM, true), "max_session_keys", 0);
}

static int print(const struct ctr_json *j, struct ctr_buf *out, struct ctr_err *e)
{
	if (ctr_json_print(j, 2, out, e) < 0)
		return -1;
	ctr_buf_addc(out, '\n');
	return ctr_buf_ok(out, "configuration", e);
}

int mesh_envoy(const struct mesh *m, struct ctr_buf *out, struct ctr_err *e)
{
	ctr_auto_json struct ctr_json *root = ctr_json_new_object();
	struct ctr_json *o, *listeners, *clusters;

	/* Envoy wants both before it reads secrets, from files too */
	o = ctr_json_set_object(root, "node");
	ctr_json_set_string(o, "id", "ctr-mesh");
	ctr_json_set_string(o, "cluster", "ctr-mesh");
	if (m->admin)
		address(ctr_json_set_object(root, "admin"), "127.0.0.1", m->admin);
	o = ctr_json_set_object(root, "static_resources");
	listeners = ctr_json_set_array(o, "listeners");
	clusters = ctr_json_set_array(o, "clusters");
	if (!m->no_ingress) {
		ingress(m, listeners, "ingress", MESH_PORT_AUTH, true);
		ingress(m, listeners, "ingress-open", MESH_PORT_OPEN, false);
		fixed_clusters(clusters);
	}
	for (size_t i = 0; i < m->n_egress; i++)
		egress(m, &m->egress[i], listeners, clusters);
	return print(root, out, e);
}

/* A file in the Initializer's directory. */
static void data_file(const struct mesh *m, struct ctr_json *obj, const char *key, const char *file)
{
	char path[256];

	(void)snprintf(path, sizeof path, "%s/%s", m->tls_dir, file);
	ctr_json_set_string(ctr_json_set_object(obj, key), "filename", path);
}

/* Renewal: the Initializer swaps a link in the directory above, and that is what Envoy has to
 * watch. */
static void watch(const struct mesh *m, struct ctr_json *obj)
{
	int n = (int)(strrchr(m->tls_dir, '/') - m->tls_dir);
	char path[256];

	(void)snprintf(path, sizeof path, "%.*s", n > 0 ? n : 1, m->tls_dir);
	ctr_json_set_string(ctr_json_set_object(obj, "watched_directory"), "path", path);
}

static struct ctr_json *secret(struct ctr_json *root, const char *name)
{
	struct ctr_json *s = ctr_json_add_object(ctr_json_set_array(root, "resources"));

	ctr_json_set_string(s, "@type", SECRET);
	ctr_json_set_string(s, "name", name);
	return s;
}

int mesh_envoy_cert(const struct mesh *m, struct ctr_buf *out, struct ctr_err *e)
{
	ctr_auto_json struct ctr_json *root = ctr_json_new_object();
	struct ctr_json *c = ctr_json_set_object(secret(root, "cert"), "tls_certificate");

	data_file(m, c, "certificate_chain", "certChain.pem");
	data_file(m, c, "private_key", "key.pem");
	watch(m, c);
	return print(root, out, e);
}

int mesh_envoy_ca(const struct mesh *m, struct ctr_buf *out, struct ctr_err *e)
{
	ctr_auto_json struct ctr_json *root = ctr_json_new_object();
	struct ctr_json *c = ctr_json_set_object(secret(root, "ca"), "validation_context");

	data_file(m, c, "trusted_ca", "mesh-ca.pem");
	watch(m, c);
	return print(root, out, e);
}
