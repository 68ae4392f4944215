/*
 * The handshake of the mesh: the first byte says what the rest is. Each text is refused with a
 * reason, or prints and reads back as itself.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "join.h"
#include "peer.h"
#include "rd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool ok)
{
	if (!ok)
		abort();
}

static void refused(const struct ctr_err *e)
{
	demand(e->code == CTR_FORMAT && e->id && e->msg[0]);
}

static bool same(const struct ctr_buf *a, const struct ctr_buf *b)
{
	return a->n == b->n && ctr_same(ctr_buf_str(a), ctr_buf_str(b), a->n);
}

static void request(const char *p, size_t n)
{
	static const uint8_t nonce[CTR_NONCE_SIZE] = { 1 };
	ctr_auto_join struct ctr_join j = { 0 }, k = { 0 };
	ctr_auto_buf struct ctr_buf text = { 0 };
	struct ctr_err e = { 0 };

	if (ctr_join_parse("request", p, n, &j, &e) < 0) {
		refused(&e);
		return;
	}
	demand(ctr_join_print(&j, &text, NULL) == 0);
	demand(ctr_join_parse("again", text.p, text.n, &k, NULL) == 0);
	demand(same(&j.evidence, &k.evidence) && same(&j.cert_key, &k.cert_key) &&
	       same(&j.signature, &k.signature) &&
	       ctr_same(j.kem_key, k.kem_key, sizeof k.kem_key));
	if (ctr_join_verify(&j, nonce, &e) < 0)
		demand(strcmp(e.id, "join.signature") == 0 || strncmp(e.id, "key.", 4) == 0 ||
		       strcmp(e.id, "ecdsa.signature") == 0);
}

static void answer(const char *p, size_t n)
{
	ctr_auto_join_answer struct ctr_join_answer a = { 0 }, b = { 0 };
	ctr_auto_buf struct ctr_buf text = { 0 };
	struct ctr_err e = { 0 };

	if (ctr_join_answer_parse("answer", p, n, &a, &e) < 0) {
		refused(&e);
		return;
	}
	demand(ctr_join_answer_print(&a, &text, NULL) == 0);
	demand(ctr_join_answer_parse("again", text.p, text.n, &b, NULL) == 0);
	demand(same(&a.cert_chain, &b.cert_chain) && same(&a.mesh_ca, &b.mesh_ca) &&
	       same(&a.root_ca, &b.root_ca) && same(&a.sealed, &b.sealed));
}

static void header(const char *p, size_t n)
{
	ctr_auto_buf struct ctr_buf b = { 0 };
	uint8_t nonce[CTR_NONCE_SIZE], again[CTR_NONCE_SIZE];
	char text[CTR_JOIN_HEADER_MAX];
	struct ctr_err e = { 0 };

	ctr_buf_add(&b, p, n);
	if (ctr_join_nonce(ctr_buf_str(&b), nonce, &e) < 0) {
		refused(&e);
		return;
	}
	ctr_join_challenge(nonce, text, sizeof text);
	demand(ctr_join_nonce(text, again, NULL) == 0 && ctr_same(nonce, again, sizeof nonce));
	demand(strcmp(strchr(text, ' '), strchr(ctr_buf_str(&b), ' ')) == 0);
}

static void peer_answer(const char *p, size_t n)
{
	ctr_auto_peer_answer struct ctr_peer_answer a = { 0 }, b = { 0 };
	ctr_auto_buf struct ctr_buf text = { 0 };
	struct ctr_err e = { 0 };

	if (ctr_peer_answer_parse("answer", p, n, &a, &e) < 0) {
		refused(&e);
		return;
	}
	demand(ctr_peer_answer_print(&a, &text, NULL) == 0);
	demand(ctr_peer_answer_parse("again", text.p, text.n, &b, NULL) == 0);
	demand(same(&a.sealed, &b.sealed) && same(&a.evidence, &b.evidence));
}

static void peer_state(const char *p, size_t n)
{
	ctr_auto_peer_state struct ctr_peer_state a = { 0 }, b = { 0 };
	ctr_auto_secret struct ctr_secret in = { 0 }, out = { 0 };
	ctr_auto_buf struct ctr_buf text = { 0 };
	struct ctr_err e = { 0 };

	demand(ctr_secret_new(&in, n, NULL) == 0);
	if (n)
		memcpy(in.p, p, n);
	if (ctr_peer_state_parse(&in, &a, &e) < 0) {
		refused(&e);
		return;
	}
	demand(ctr_peer_state_print(&a, &text, NULL) == 0 &&
	       ctr_secret_new(&out, text.n, NULL) == 0);
	memcpy(out.p, text.p, text.n);
	demand(ctr_peer_state_parse(&out, &b, NULL) == 0);
	demand(a.generation == b.generation && ctr_secret_same(&a.seed, &b.seed) &&
	       ctr_secret_same(&a.salt, &b.salt) && ctr_secret_same(&a.mesh_key, &b.mesh_key) &&
	       same(&a.intermediate, &b.intermediate) && same(&a.mesh_ca, &b.mesh_ca));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const run[])(const char *, size_t) = { request, answer, header, peer_answer,
							     peer_state };

	if (size > 0)
		run[data[0] % 5]((const char *)data + 1, size - 1);
	return 0;
}
