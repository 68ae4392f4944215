#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "mesh.h"
#include "tool.h"

enum { OPT_INGRESS = 1, OPT_EGRESS, OPT_ADMIN, OPT_IPV4, OPT_TLS, OPT_RUN, OPT_FORM };

/* The variables as the sidecar has them, and the options that replace them. */
static const struct variable {
	const char *name, *option;
	int (*read)(const struct mesh_text *, struct mesh *, struct ctr_err *);
} variables[] = {
	{ "CONTRAST_INGRESS_PROXY_CONFIG", "--ingress", mesh_ingress },
	{ "CONTRAST_EGRESS_PROXY_CONFIG", "--egress", mesh_egress },
	{ "CONTRAST_ADMIN_PORT", "--admin-port", mesh_admin },
};
#define VARIABLES (sizeof variables / sizeof *variables)

static const struct ctr_opt opts[] = {
	{ OPT_FORM, "envoy", 0, NULL, "Envoy's bootstrap" },
	{ OPT_FORM + 1, "envoy-cert", 0, NULL,
	  "the secret with certificate and key that it names" },
	{ OPT_FORM + 2, "envoy-ca", 0, NULL, "the secret with the mesh CA that it names" },
	{ OPT_FORM + 3, "haproxy", 0, NULL, "HAProxy's configuration" },
	{ OPT_FORM + 4, "nft", 0, NULL, "packet filter rules for nft -f" },
	{ OPT_FORM + 5, "iptables", 0, NULL, "the same for iptables-restore (IPv4 alone)" },
	{ OPT_FORM + 6, "ip6tables", 0, NULL, "and for ip6tables-restore" },
	{ OPT_INGRESS, "ingress", 'i', "TEXT", "instead of CONTRAST_INGRESS_PROXY_CONFIG" },
	{ OPT_EGRESS, "egress", 'e', "TEXT", "instead of CONTRAST_EGRESS_PROXY_CONFIG" },
	{ OPT_ADMIN, "admin-port", 0, "PORT", "instead of CONTRAST_ADMIN_PORT" },
	{ OPT_IPV4, "ipv4-only", 0, NULL,
	  "no IPv6 listeners; the rules drop what comes over IPv6" },
	{ OPT_TLS, "tls-config", 0, "DIR", "the Initializer's (default /contrast/tls-config)" },
	{ OPT_RUN, "run-dir", 0, "DIR", "where the proxy finds its files (default /run/ctr-mesh)" },
	{ 0 },
};

static const mesh_write forms[] = { mesh_envoy, mesh_envoy_cert, mesh_envoy_ca, mesh_haproxy,
				    mesh_nft,	mesh_iptables,	 mesh_ip6tables };

struct args {
	int form; /* an option, 0 for none yet */
	const char *tls_dir, *run_dir;
	bool ipv4_only;
	struct mesh_text text[VARIABLES]; /* p is NULL when nobody gave it */
};

/* Directories stand in the configuration as they are. */
static int directory(const char *value, const char **dst, struct ctr_err *e)
{
	size_t n =
		strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/-");

	*dst = value;
	if (value[0] != '/' || value[n] != '\0' || n > 200 || value[n - 1] == '/')
		return ctr_fail(e, CTR_USAGE, "mesh.path",
				"directory \"%s\" (expected an absolute path of at most 60 "
				"letters, digits, \"._-/\", no \"/\" at the end)",
				value);
	return 0;
}

static int on_opt(void *ctx, int id, const char *value, struct ctr_err *e)
{
	struct args *a = ctx;

	switch (id) {
	case OPT_INGRESS:
	case OPT_EGRESS:
	case OPT_ADMIN:
		a->text[id - OPT_INGRESS] =
			(struct mesh_text){ .p = value,
					    .n = strlen(value),
					    .where = variables[id - OPT_INGRESS].option,
					    .line = 1,
					    .col = 1 };
		return 0;
	case OPT_IPV4:
		a->ipv4_only = true;
		return 0;
	case OPT_TLS:
		return directory(value, &a->tls_dir, e);
	case OPT_RUN:
		return directory(value, &a->run_dir, e);
	default:
		if (a->form && a->form != id)
			return ctr_fail(e, CTR_USAGE, "usage", "one form at a time");
		a->form = id;
		return 0;
	}
}

static void from_environment(struct args *a)
{
	for (size_t i = 0; i < VARIABLES; i++) {
		const char *s = getenv(variables[i].name);

		if (s && !a->text[i].p)
			a->text[i] = (struct mesh_text){ .p = s,
							 .n = strlen(s),
							 .where = variables[i].name,
							 .line = 1,
							 .col = 1 };
	}
}

static int one_line(struct args *a, bool seen[VARIABLES], const char *file, unsigned line,
		    const char *p, size_t n, struct ctr_err *e)
{
	for (size_t i = 0; i < VARIABLES; i++) {
		size_t k = strlen(variables[i].name);

		if (n <= k || strncmp(p, variables[i].name, k) != 0 || p[k] != '=')
			continue;
		if (seen[i]) {
			ctr_fail(e, CTR_FORMAT, "mesh.duplicate", "%s a second time",
				 variables[i].name);
			return ctr_err_at(e, file, line, 1);
		}
		seen[i] = true;
		if (!a->text[i].p)
			a->text[i] = (struct mesh_text){ .p = p + k + 1,
							 .n = n - k - 1,
							 .where = file,
							 .line = line,
							 .col = (unsigned)k + 2 };
		return 0;
	}
	ctr_fail(e, CTR_FORMAT, "mesh.variable",
		 "no variable of the mesh (expected NAME=TEXT with one of %s, %s, %s)",
		 variables[0].name, variables[1].name, variables[2].name);
	return ctr_err_at(e, file, line, 1);
}

/* Lines NAME=TEXT; the texts are borrowed from `b`. */
static int from_file(struct args *a, const char *file, struct ctr_buf *b, struct ctr_err *e)
{
	bool seen[VARIABLES] = { false };
	unsigned line = 1;

	if (ctr_file_read(file, 4 * MESH_TEXT, b, e) < 0)
		return -1;
	for (size_t at = 0; at < b->n; line++) {
		size_t n = 0;

		while (at + n < b->n && b->p[at + n] != '\n')
			n++;
		if (n > 0 && one_line(a, seen, file, line, b->p + at, n, e) < 0)
			return -1;
		at += n + 1;
	}
	return 0;
}

static int run(struct args *a, struct ctr_buf *out, struct ctr_err *e)
{
	struct mesh m = { .tls_dir = a->tls_dir, .run_dir = a->run_dir, .ipv4_only = a->ipv4_only };

	/* A pod without a mesh has no sidecar. That both are absent is a mistake, which must not
	 * pass for a choice. */
	if (!a->text[0].p && !a->text[1].p) {
		ctr_fail(e, CTR_USAGE, "usage", "neither %s nor %s is given", variables[0].name,
			 variables[1].name);
		return ctr_err_fix(e, "an empty text for ingress means that every port wants a "
				      "client's certificate");
	}
	for (size_t i = 0; i < VARIABLES; i++) {
		if (a->text[i].p && variables[i].read(&a->text[i], &m, e) < 0)
			return -1;
	}
	if (mesh_check(&m, e) < 0 || forms[a->form - OPT_FORM](&m, out, e) < 0)
		return -1;
	return ctr_buf_ok(out, "configuration", e);
}

static int make(struct ctr_tool *t, int argc, char **argv, struct ctr_buf *out, struct ctr_err *e)
{
	struct args a = { .tls_dir = "/contrast/tls-config", .run_dir = "/run/ctr-mesh" };
	ctr_auto_buf struct ctr_buf text = { 0 };
	int first = 0;

	t->synopsis = "--FORM [options] [file]";
	t->summary =
		"Turns a pod's mesh annotations into proxy configuration and packet filter rules.";
	t->example = "ctr-mesh-config --nft --ingress 'web#8080#false' | nft -c -f -";
	t->opts = opts;
	if (ctr_tool_opts(t, argc, argv, on_opt, &a, &first, e) < 0)
		return -1;
	if (t->served)
		return 0;
	if (!a.form)
		return ctr_fail(e, CTR_USAGE, "usage",
				"no form is asked for (such as --haproxy or --nft)");
	if (argc - first > 1)
		return ctr_fail(e, CTR_USAGE, "usage", "%s: one file at most", argv[first + 1]);
	if (first < argc && from_file(&a, argv[first], &text, e) < 0)
		return -1;
	if (first == argc)
		from_environment(&a);
	return run(&a, out, e);
}

int main(int argc, char **argv)
{
	static const struct ctr_cmd none[] = { { 0 } };

	return ctr_tool_run("ctr-mesh-config", none, make, argc, argv);
}
