/*
 * A Coordinator's answer, made up: answer --platform sim:DIR --nonce HEX [options]. What the evidence is bound to is what the
 * options say; --lie NAME changes the answer after the evidence was made.
 */
#include <string.h>

#include "answer.h"
#include "enc.h"
#include "file.h"
#include "platform.h"
#include "tool.h"

enum { PLATFORM = 1, NONCE, MANIFEST, POLICY, ROOT, MESH, KEY, LIE };

static const struct ctr_opt table[] = {
	{ PLATFORM, "platform", 0, "SPEC", "who signs" },
	{ NONCE, "nonce", 0, "HEX", "of the one who asks" },
	{ MANIFEST, "manifest", 0, "FILE", "oldest first (repeatable)" },
	{ POLICY, "policy", 0, "FILE", "a policy's measured bytes (repeatable)" },
	{ ROOT, "root-ca", 0, "FILE", "PEM" },
	{ MESH, "mesh-ca", 0, "FILE", "PEM" },
	{ KEY, "hpke-key", 0, "HEX", "32 bytes" },
	{ LIE, "lie", 0, "root|mesh|key", "changed behind the evidence's back" },
	{ 0 },
};

static struct ctr_tool tool = {
	.name = "answer",
	.synopsis = "--platform SPEC --nonce HEX [options]",
	.summary = "Makes a Coordinator's answer to an attestation request.",
	.example = "answer --platform sim:DIR --nonce HEX --manifest manifest.json",
	.opts = table,
};

struct work {
	struct ctr_answer a;
	const char *platform, *lie;
	uint8_t nonce[CTR_NONCE_SIZE];
};

static int blob(struct ctr_blobs *l, const char *path, struct ctr_err *e)
{
	struct ctr_buf *v = realloc(l->v, (l->n + 1) * sizeof *v);

	if (!v)
		return ctr_fail_mem(e);
	l->v = v;
	v[l->n] = (struct ctr_buf){ 0 };
	return ctr_file_read(path, CTR_JSON_MAX, &v[l->n++], e);
}

static int on_opt(void *ctx, int id, const char *value, struct ctr_err *e)
{
	struct work *w = ctx;

	switch (id) {
	case PLATFORM: w->platform = value; return 0;
	case NONCE: return ctr_hex_parse(value, strlen(value), w->nonce, sizeof w->nonce, e);
	case MANIFEST: return blob(&w->a.manifests, value, e);
	case POLICY: return blob(&w->a.policies, value, e);
	case ROOT: return ctr_file_read(value, 1 << 16, &w->a.root_ca, e);
	case MESH: return ctr_file_read(value, 1 << 16, &w->a.mesh_ca, e);
	case KEY: return ctr_hex_parse(value, strlen(value), w->a.hpke_key, sizeof w->a.hpke_key, e);
	default: w->lie = value; return 0;
	}
}

static void lie(struct work *w)
{
	if (!w->lie)
		return;
	if (strcmp(w->lie, "key") == 0)
		w->a.hpke_key[0] ^= 1;
	else
		ctr_buf_addc(strcmp(w->lie, "root") == 0 ? &w->a.root_ca : &w->a.mesh_ca, '\n');
}

static int make(struct work *w, struct ctr_buf *out, struct ctr_err *e)
{
	ctr_auto_platform struct ctr_platform *p = NULL;
	ctr_auto_evidence struct ctr_evidence ev = { 0 };
	uint8_t data[CTR_REPORT_DATA_SIZE];

	for (size_t i = 0; i < w->a.manifests.n; i++) {
		if (ctr_transition_next(w->a.transition, w->a.manifests.v[i].p, w->a.manifests.v[i].n, w->a.transition, e) < 0)
			return -1;
	}
	if (ctr_answer_report_data(&w->a, w->nonce, data, e) < 0 || ctr_platform_open(w->platform, NULL, &p, e) < 0 ||
	    ctr_platform_issue(p, data, &ev, e) < 0 || ctr_evidence_print(&ev, &w->a.evidence, e) < 0)
		return -1;
	lie(w);
	return ctr_answer_print(&w->a, out, e);
}

int main(int argc, char **argv)
{
	ctr_auto_buf struct ctr_buf out = { 0 };
	struct ctr_err e = { 0 };
	struct work w = { 0 };
	int first;

	ctr_tool_init(&tool);
	if (ctr_tool_opts(&tool, argc, argv, on_opt, &w, &first, &e) < 0)
		return ctr_tool_die(&tool, &e);
	if (tool.served)
		return ctr_tool_close(&tool);
	if (!w.platform || make(&w, &out, &e) < 0 || ctr_fd_write(STDOUT_FILENO, "standard output", out.p, out.n, &e) < 0)
		return ctr_tool_die(&tool, &e);
	ctr_answer_free(&w.a);
	return ctr_tool_close(&tool);
}
