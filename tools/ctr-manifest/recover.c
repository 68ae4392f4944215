/* ctr-manifest recover: a seed share owner gives a restarted Coordinator its seed. */
#include <string.h>

#include "cmd.h"
#include "ca.h"
#include "crypto_hpke.h"
#include "crypto_rsa.h"
#include "enc.h"
#include "file.h"
#include "online.h"
#include "owner.h"
#include "seedshare.h"
#include "setting.h"

enum { O_KEY = 1, O_SHARES, O_MANIFEST, O_FORCE };

static const struct ctr_opt opts[] = {
	{ O_KEY, "seedshare-owner-key", 's', "FILE", "the private key of a share (PEM)" },
	{ O_SHARES, "seed-shares", 0, "FILE", "the seed shares, as set wrote them" },
	{ O_MANIFEST, "manifest", 'm', "FILE",
	  "the active manifest: it permits the Coordinator, which must serve it afterwards" },
	{ O_FORCE, "force", 0, NULL, "also when a Coordinator is recovered already" },
	ONLINE_OPTS,
	{ 0 },
};

struct work {
	struct online on;
	const char *key, *shares, *manifest;
	bool force;
	struct ctr_buf bytes, pem;
	struct ctr_manifest m;
	struct ctr_secret seed, salt;
	struct ctr_root *root; /* what they give */
};

static int on_opt(void *ctx, int id, const char *value, struct ctr_err *e)
{
	struct work *w = ctx;

	if (id >= ONLINE_FIRST)
		return online_opt(&w->on, id, value, e);
	switch (id) {
	case O_KEY:
		w->key = value;
		return 0;
	case O_SHARES:
		w->shares = value;
		return 0;
	case O_MANIFEST:
		w->manifest = value;
		return 0;
	default:
		w->force = true;
		return 0;
	}
}

static void work_free(struct work *w)
{
	online_free(&w->on);
	ctr_buf_free(&w->bytes);
	ctr_buf_free(&w->pem);
	ctr_manifest_free(&w->m);
	ctr_secret_free(&w->seed);
	ctr_secret_free(&w->salt);
	ctr_root_free(w->root);
}

static int load(struct work *w, struct ctr_log *log, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf doc = { 0 };

	if (!w->key || !w->shares || !w->manifest)
		return ctr_fail(e, CTR_USAGE, "usage",
				"--seedshare-owner-key, --seed-shares and --manifest are needed");
	if (online_ready(&w->on, log, e) < 0 ||
	    online_manifest(w->manifest, &w->bytes, &w->m, e) < 0 ||
	    ctr_file_read(w->key, 1 << 16, &w->pem, e) < 0 ||
	    ctr_file_read(w->shares, CTR_SEEDSHARES_MAX, &doc, e) < 0)
		return -1;
	if (ctr_seedshares_open(w->shares, ctr_buf_str(&doc), doc.n, w->key, &w->pem, &w->seed,
				&w->salt, e) < 0 ||
	    ctr_root_derive(&w->seed, &w->salt, &w->root, e) < 0)
		return -1;
	if (w->on.pin.n && !ctr_same_certificate(&w->on.pin, ctr_root_pem(w->root)))
		return ctr_fail(e, CTR_NO, "seedshare.root-ca",
				"%s: the seed gives another root CA than %s has", w->shares,
				w->on.root_ca);
	return 0;
}

/* For the one machine that was verified: only it opens this, and only as an answer to this nonce.
 */
static int seal(const struct work *w, const struct ctr_attested *a, struct ctr_buf *box,
		struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf info = { 0 }, plain = { .wipe = true };

	ctr_recover_info(a->nonce, &info);
	ctr_buf_add(&plain, w->seed.p, w->seed.n);
	ctr_buf_add(&plain, w->salt.p, w->salt.n);
	if (ctr_buf_ok(&info, "info", e) < 0 || ctr_buf_ok(&plain, "seed", e) < 0)
		return -1;
	return ctr_hpke_seal(a->answer.hpke_key, info.p, info.n, NULL, 0, plain.p, plain.n, box, e);
}

static int request(const struct work *w, const struct ctr_attested *a, struct ctr_buf *b,
		   struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf box = { 0 }, sig = { 0 };
	uint8_t digest[CTR_SHA256_SIZE];

	if (seal(w, a, &box, e) < 0 ||
	    ctr_recover_digest(a->nonce, a->answer.hpke_key, box.p, box.n, digest, e) < 0 ||
	    ctr_rsa_sign(w->key, &w->pem, digest, &sig, e) < 0)
		return -1;
	ctr_buf_adds(b, "{\"nonce\":\"");
	ctr_base64_add(b, a->nonce, sizeof a->nonce);
	ctr_buf_adds(b, "\",\"ciphertext\":\"");
	ctr_base64_add(b, box.p, box.n);
	ctr_buf_adds(b, "\",\"signature\":\"");
	ctr_base64_add(b, sig.p, sig.n);
	ctr_buf_addf(b, "\",\"force\":%s}", w->force ? "true" : "false");
	return ctr_buf_ok(b, "request", e);
}

/* lesson: afterwards the Coordinator must have the root CA that this seed gives: nobody gave it
 * another one. */
static int run(struct work *w, struct ctr_err *e)
{
	struct ctr_coordinator_want want = { .state = w->force ? CTR_COORDINATOR_ANY
							       : CTR_COORDINATOR_WAITS,
					     .bytes = &w->bytes,
					     .manifest = &w->m,
					     .root_ca = ctr_root_pem(w->root) };
	ctr_auto_attested struct ctr_attested before = { 0 }, after = { 0 };
	ctr_auto_buf struct ctr_buf body = { 0 }, text = { 0 };

	if (ctr_coordinator_attest(&w->on.c, &want, &before, e) < 0 ||
	    request(w, &before, &body, e) < 0 ||
	    online_change(&w->on, "recover", body.p, &text, NULL, e) < 0 ||
	    recover_answer_parse(w->on.c.url, ctr_buf_str(&text), text.n, e) < 0)
		return -1;
	want.state = CTR_COORDINATOR_SERVES;
	return ctr_coordinator_attest(&w->on.c, &want, &after, e) < 0
		       ? ctr_wrap(e, "after the recovery")
		       : 0;
}

int cmd_recover(struct ctr_tool *t, int argc, char **argv, struct ctr_buf *out, struct ctr_err *e)
{
	CTR_AUTO(work_free) struct work w = { .pem.wipe = true };
	int first = 0;

	(void)out;
	t->synopsis =
		"--coordinator URL --seedshare-owner-key FILE --seed-shares FILE --manifest FILE "
		"[options]";
	t->summary = "Gives a Coordinator that restarted its seed back, after it was verified.";
	t->example = "ctr-manifest recover --coordinator http://127.0.0.1:1314 -s seed.pem "
		     "--seed-shares shares.json -m manifest.json";
	t->opts = opts;
	online_init(&w.on);
	if (ctr_tool_opts(t, argc, argv, on_opt, &w, &first, e) < 0)
		return -1;
	if (t->served)
		return 0;
	if (argc != first)
		return ctr_fail(e, CTR_USAGE, "usage", "%s: no file is expected", argv[first]);
	return load(&w, &t->log, e) < 0 ? -1 : run(&w, e);
}
