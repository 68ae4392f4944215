#include <string.h>

#include "cmd.h"
#include "evidence.h"
#include "file.h"
#include "hash.h"
#include "json.h"
#include "snp_cert.h"

static const struct ctr_opt opts[] = { { 0 } };

static int on_opt(void *ctx, int id, const char *value, struct ctr_err *e)
{
	(void)ctx;
	(void)id;
	(void)value;
	return ctr_fail(e, CTR_USAGE, "usage", "no such option");
}

static int on_entry(void *ctx, const char *kind, size_t offset, const uint8_t *p, size_t n,
		    struct ctr_err *e)
{
	struct ctr_json *o = ctr_json_add_object(ctx);
	uint8_t digest[CTR_SHA256_SIZE];

	if (ctr_hash(CTR_SHA256, p, n, digest, e) < 0)
		return -1;
	ctr_json_set_string(o, "kind", kind);
	ctr_json_set_uint(o, "offset", offset);
	ctr_json_set_uint(o, "length", n);
	return ctr_json_set_hex(o, "sha256", digest, sizeof digest) ? 0 : ctr_fail_mem(e);
}

/* A certificate by itself, DER or PEM; NULL when it is none. */
static X509 *certificate(const struct ctr_buf *b)
{
	struct ctr_err ignored = { 0 };
	struct ctr_chain c = { 0 };
	X509 *x = NULL;

	if (b->n && b->p[0] == '-' && ctr_x509_pem(b->p, b->n, "certificate", &c, &ignored) == 0) {
		x = ctr_give(c.v[0]);
		ctr_chain_free(&c);
	} else if (b->n && b->p[0] == 0x30 &&
		   ctr_x509_der(b->p, b->n, "certificate", &x, &ignored) < 0) {
		x = NULL;
	}
	return x;
}

static int list(const char *path, struct ctr_buf *out, struct ctr_err *e)
{
	ctr_auto_json struct ctr_json *obj = ctr_json_new_object();
	ctr_auto_buf struct ctr_buf in = { 0 };
	ctr_auto_x509 X509 *x = NULL;
	struct ctr_snp_vek vek;
	int rc;

	if (ctr_file_read(path, CTR_EVIDENCE_MAX, &in, e) < 0)
		return -1;
	x = certificate(&in);
	if (x) {
		rc = ctr_snp_vek_read(x, &vek, e);
		if (rc == 0)
			ctr_snp_vek_claims(&vek, obj);
	} else {
		rc = ctr_table_walk((const uint8_t *)in.p, in.n, on_entry,
				    ctr_json_set_array(obj, "entries"), e);
	}
	if (rc < 0)
		return ctr_wrap(e, "%s", path);
	if (ctr_json_print(obj, 2, out, e) < 0)
		return -1;
	ctr_buf_addc(out, '\n');
	return ctr_buf_ok(out, "result", e);
}

int cmd_certs(struct ctr_tool *t, int argc, char **argv, struct ctr_buf *out, struct ctr_err *e)
{
	int first = 0;

	t->synopsis = "[file]";
	t->summary = "Lists a certificate table of the host, or what a VCEK or VLEK says of its "
		     "chip; believes neither.";
	t->example = "ctr-attest-verify certs auxblob";
	t->opts = opts;
	if (ctr_tool_opts(t, argc, argv, on_opt, NULL, &first, e) < 0)
		return -1;
	if (t->served)
		return 0;
	if (argc - first > 1)
		return ctr_fail(e, CTR_USAGE, "usage", "more than one file");
	return list(first < argc ? argv[first] : "-", out, e);
}
