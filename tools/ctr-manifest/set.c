/* ctr-manifest set: a manifest to a Coordinator that is verified before and after. */
#include <string.h>
#include <unistd.h>

#include "ca.h"
#include "cmd.h"
#include "crypto.h"
#include "enc.h"
#include "file.h"
#include "history.h"
#include "online.h"
#include "owner.h"
#include "rd.h"
#include "seedshare.h"
#include "setting.h"
#include "texts.h"

enum { O_POLICIES = 1, O_KEY, O_SHARES, O_SHARE_KEY, O_RETRY, O_PREVIOUS };

static const struct ctr_opt opts[] = {
	{ O_POLICIES, "policies", 'p', "FILE|DIR",
	  "annotated YAML, or a directory of policies; all that the manifest names" },
	{ O_KEY, "workload-owner-key", 'w', "FILE", "sign with this private key (PEM)" },
	{ O_SHARES, "seed-shares-out", 'o', "FILE",
	  "write the seed shares here; a first manifest with seed share owners needs it" },
	{ O_SHARE_KEY, "seedshare-owner-key", 's', "FILE",
	  "check with this private key (PEM) that its share gives the Coordinator's root CA" },
	{ O_RETRY, "retry-conflict", 0, NULL,
	  "when another update came first, set this one after it" },
	{ O_PREVIOUS, "previous-transition-hash", 0, "HEX",
	  "refuse when the history ends with another one" },
	ONLINE_OPTS,
	{ 0 },
};

struct work {
	struct online on;
	const char *policies, *key, *shares, *share_key;
	bool retry, has_previous;
	uint8_t previous[CTR_SHA256_SIZE];
	struct ctr_log *log;
	struct ctr_buf bytes, pem, share_pem; /* of the manifest, of the keys */
	struct ctr_manifest m;
	struct ctr_blobs texts;
	struct ctr_attested before;
	struct setting_answer answer;
	uint8_t next[CTR_SHA256_SIZE]; /* the T that ours has */
};

static int on_opt(void *ctx, int id, const char *value, struct ctr_err *e)
{
	struct work *w = ctx;

	if (id >= ONLINE_FIRST)
		return online_opt(&w->on, id, value, e);
	switch (id) {
	case O_POLICIES:
		w->policies = value;
		return 0;
	case O_KEY:
		w->key = value;
		return 0;
	case O_SHARES:
		w->shares = value;
		return 0;
	case O_SHARE_KEY:
		w->share_key = value;
		return 0;
	case O_RETRY:
		w->retry = true;
		return 0;
	default:
		w->has_previous = true;
		if (ctr_hex_parse(value, strlen(value), w->previous, sizeof w->previous, NULL) == 0)
			return 0;
		return ctr_fail(e, CTR_USAGE, "usage",
				"--previous-transition-hash: not %zu hexadecimal digits",
				2 * sizeof w->previous);
	}
}

static void work_free(struct work *w)
{
	online_free(&w->on);
	ctr_buf_free(&w->bytes);
	ctr_buf_free(&w->pem);
	ctr_buf_free(&w->share_pem);
	ctr_manifest_free(&w->m);
	texts_free(&w->texts);
	ctr_attested_free(&w->before);
	setting_answer_free(&w->answer);
}

/* Shares that cannot be written would be lost, and with them the deployment when it restarts: the
 * place is tried before anything is sent. Those of another deployment are not replaced. */
static int try_place(const char *path, struct ctr_err *e)
{
	if (access(path, F_OK) == 0) {
		ctr_fail(e, CTR_ENV, "seedshare.exists", "%s exists", path);
		return ctr_err_fix(e, "choose another name; seed shares cannot be had again");
	}
	if (ctr_file_write(path, "", 0, 0600, e) < 0)
		return -1;
	return unlink(path) == 0 ? 0 : ctr_fail_sys(e, "write", "%s", path);
}

/* Before it is too late: a key that no share will be for. */
static int is_owner(const struct work *w, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf pub = { 0 };

	if (ctr_key_rsa_public(ctr_buf_str(&w->share_pem), w->share_pem.n, &pub, e) < 0)
		return ctr_wrap(e, "%s", w->share_key);
	for (size_t i = 0; i < w->m.n_seedshare; i++) {
		const struct ctr_seedshare_key *k = &w->m.seedshare[i];

		if (k->n == pub.n && ctr_same(k->der, pub.p, pub.n))
			return 0;
	}
	return ctr_fail(e, CTR_NO, "seedshare.none", "%s: no seed share owner of the manifest",
			w->share_key);
}

static int load(struct work *w, const char *path, struct ctr_err *e)
{
	if (!w->policies)
		return ctr_fail(e, CTR_USAGE, "usage", "where are the policies? (--policies)");
	if (strcmp(path, "-") == 0 && strcmp(w->policies, "-") == 0)
		return ctr_fail(e, CTR_USAGE, "usage",
				"manifest and policies cannot both be standard input");
	if (w->retry && w->has_previous)
		return ctr_fail(
			e, CTR_USAGE, "usage",
			"--retry-conflict and --previous-transition-hash exclude each other");
	if (online_ready(&w->on, w->log, e) < 0 || online_manifest(path, &w->bytes, &w->m, e) < 0 ||
	    texts_load(w->policies, &w->m, w->log, &w->texts, e) < 0)
		return -1;
	if (w->key && ctr_file_read(w->key, 1 << 16, &w->pem, e) < 0)
		return -1;
	if (w->share_key &&
	    (ctr_file_read(w->share_key, 1 << 16, &w->share_pem, e) < 0 || is_owner(w, e) < 0))
		return -1;
	return w->shares ? try_place(w->shares, e) : 0;
}

/* The Coordinator that is about to enforce the manifest must be one by that manifest. */
static int look_before(struct work *w, struct ctr_err *e)
{
	struct ctr_coordinator_want want = { .state = CTR_COORDINATOR_ANY,
					     .manifest = &w->m,
					     .root_ca = w->on.pin.n ? &w->on.pin : NULL };
	const struct ctr_answer *a = &w->before.answer;

	ctr_attested_free(&w->before);
	if (ctr_coordinator_attest(&w->on.c, &want, &w->before, e) < 0)
		return -1;
	if (w->has_previous && !ctr_same(w->previous, a->transition, sizeof w->previous)) {
		ctr_auto_buf struct ctr_buf hex = { 0 };

		ctr_hex_add(&hex, a->transition, sizeof a->transition);
		return ctr_fail(e, CTR_NO, "set.previous", "the history ends with %s",
				ctr_buf_str(&hex));
	}
	if (a->manifests.n == 0 && w->m.n_seedshare && !w->shares) {
		ctr_fail(e, CTR_USAGE, "usage",
			 "the seed shares of a first manifest are given once (--seed-shares-out)");
		return -1;
	}
	if (a->manifests.n == 0 && w->m.n_seedshare == 0)
		ctr_log(w->log, CTR_WARN, "set.no-recovery", NULL, 0, 0,
			"no seed share owner: once no Coordinator runs, the deployment is lost");
	return 0;
}

static int post(struct work *w, char code[CTR_API_CODE], struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf spki = { 0 }, sig = { 0 }, body = { 0 }, text = { 0 };
	struct setting s = { .manifest = &w->bytes,
			     .policies = &w->texts,
			     .previous = w->before.answer.transition,
			     .spki = &spki,
			     .signature = &sig };

	if (ctr_history_next(s.previous, w->bytes.p, w->bytes.n, w->next, e) < 0 ||
	    (w->key && ctr_owner_sign(w->key, &w->pem, w->next, &spki, &sig, e) < 0) ||
	    setting_print(&s, &body, e) < 0 ||
	    online_change(&w->on, "manifest", body.p, &text, code, e) < 0)
		return -1;
	return setting_answer_parse(w->on.c.url, ctr_buf_str(&text), text.n, &w->answer, e);
}

static int set(struct work *w, struct ctr_err *e)
{
	for (bool again = w->retry;; again = false) {
		struct ctr_err why = { 0 };
		char code[CTR_API_CODE] = "";

		if (look_before(w, e) < 0)
			return -1;
		if (post(w, code, &why) == 0)
			return 0;
		if (!again || strcmp(code, "manifest_conflict") != 0)
			return ctr_err_pass(e, &why);
		ctr_log(w->log, CTR_WARN, "set.conflict", NULL, 0, 0,
			"another update came first; setting this one after it");
	}
}

/* They are given once: if the file cannot be written after all, to whoever reads the output. */
static int keep_shares(const struct work *w, struct ctr_err *e)
{
	const struct ctr_buf *doc = &w->answer.seed_shares;
	struct ctr_err why = { 0 };

	if (w->before.answer.manifests.n || w->m.n_seedshare == 0)
		return 0;
	if (doc->n == 0) {
		ctr_fail(e, CTR_NO, "seedshare.missing", "no seed shares in the answer");
		return ctr_err_fix(e, "nobody can recover this deployment: start anew");
	}
	if (ctr_file_write(w->shares, doc->p, doc->n, 0600, e) == 0)
		return 0;
	if (ctr_fd_write(STDOUT_FILENO, "standard output", doc->p, doc->n, &why) == 0)
		ctr_err_fix(e, "the shares are on standard output instead: keep them");
	return -1;
}

static int differs(const char *what, struct ctr_err *e)
{
	ctr_fail(e, CTR_NO, "set.answer", "%s in the answer is not the one of the evidence", what);
	return ctr_err_fix(e, "somebody in between changed it");
}

/* What was answered came over an open line: it counts when the evidence says the same. */
static int look_after(const struct work *w, struct ctr_err *e)
{
	const struct ctr_answer *was = &w->before.answer;
	const struct setting_answer *said = &w->answer;
	ctr_auto_attested struct ctr_attested now = { 0 };
	struct ctr_coordinator_want want = { .state = CTR_COORDINATOR_SERVES,
					     .bytes = &w->bytes,
					     .manifest = &w->m };

	if (was->manifests.n)
		want.root_ca = &was->root_ca;
	else if (w->on.pin.n)
		want.root_ca = &w->on.pin;
	if (ctr_coordinator_attest(&w->on.c, &want, &now, e) < 0)
		return ctr_wrap(e, "after the manifest was set");
	if (!ctr_same(now.answer.transition, w->next, sizeof w->next))
		return ctr_fail(e, CTR_NO, "set.history",
				"the manifest does not follow the history that was there");
	if (!ctr_same(said->transition, w->next, sizeof w->next))
		return differs("the transition hash", e);
	if (!ctr_buf_same(&said->root_ca, &now.answer.root_ca))
		return differs("the root CA", e);
	return ctr_buf_same(&said->mesh_ca, &now.answer.mesh_ca) ? 0 : differs("the mesh CA", e);
}

/* The evidence is not bound to the shares: only who opens one can tell whose they are. */
static int try_share(const struct work *w, struct ctr_err *e)
{
	ctr_auto_secret struct ctr_secret seed = { 0 }, salt = { 0 };
	ctr_auto_root struct ctr_root *root = NULL;
	const struct ctr_buf *doc = &w->answer.seed_shares;

	if (!w->share_key || w->before.answer.manifests.n)
		return 0;
	if (ctr_seedshares_open(w->shares, ctr_buf_str(doc), doc->n, w->share_key, &w->share_pem,
				&seed, &salt, e) < 0 ||
	    ctr_root_derive(&seed, &salt, &root, e) < 0)
		return -1;
	if (ctr_same_certificate(&w->answer.root_ca, ctr_root_pem(root)))
		return 0;
	ctr_fail(e, CTR_NO, "seedshare.root-ca", "%s: the seed gives another root CA", w->shares);
	return ctr_err_fix(e, "somebody in between changed the shares: start anew");
}

static int report(const struct work *w, struct ctr_buf *out, struct ctr_err *e)
{
	ctr_auto_json struct ctr_json *obj = ctr_json_new_object();

	ctr_json_set_hex(obj, "transition_hash", w->next, sizeof w->next);
	ctr_json_set_uint(obj, "generation", w->before.answer.manifests.n + 1);
	ctr_json_set_string(obj, "root_ca", ctr_buf_str(&w->answer.root_ca));
	ctr_json_set_string(obj, "mesh_ca", ctr_buf_str(&w->answer.mesh_ca));
	if (ctr_json_print(obj, 2, out, e) < 0)
		return -1;
	ctr_buf_addc(out, '\n');
	return ctr_buf_ok(out, "result", e);
}

static int run(struct work *w, const char *path, struct ctr_buf *out, struct ctr_err *e)
{
	return load(w, path, e) < 0 || set(w, e) < 0 || keep_shares(w, e) < 0 ||
			       look_after(w, e) < 0 || try_share(w, e) < 0
		       ? -1
		       : report(w, out, e);
}

int cmd_set(struct ctr_tool *t, int argc, char **argv, struct ctr_buf *out, struct ctr_err *e)
{
	CTR_AUTO(work_free)
	struct work w = { .log = &t->log, .pem.wipe = true, .share_pem.wipe = true };
	int first = 0;

	t->synopsis = "--coordinator URL --policies FILE|DIR [options] [manifest]";
	t->summary =
		"Sets a manifest on a Coordinator that is verified before and after, and prints "
		"the transition hash and the certificates of its CAs.";
	t->example = "ctr-manifest set --coordinator http://127.0.0.1:1314 -p annotated.yaml "
		     "-o shares.json < manifest.json";
	t->opts = opts;
	online_init(&w.on);
	if (ctr_tool_opts(t, argc, argv, on_opt, &w, &first, e) < 0)
		return -1;
	if (t->served)
		return 0;
	if (argc - first > 1)
		return ctr_fail(e, CTR_USAGE, "usage", "too many files (expected one manifest)");
	return run(&w, first < argc ? argv[first] : "-", out, e);
}
