/*
 * One who has a deployment's state and answers at a peer's address, honest or not: peerd --platform
 * SPEC --state FILE serves /HOW/v1/mesh/recover and /HOW/v1/mesh/ca on loopback; HOW says what is
 * wrong. FILE is the plaintext of sealed_state (lib/peer.h). Prints the port, then a line for each
 * request.
 */
/* needs: tests/sim/lib/serve.c tests/sim/lib/pki.c */
#include <string.h>

#include "file.h"
#include "lib/pki.h"
#include "lib/serve.h"
#include "peer.h"
#include "platform.h"
#include "tool.h"

enum { PLATFORM = 1, STATE };

static const struct ctr_opt table[] = {
	{ PLATFORM, "platform", 0, "SPEC", "who signs" },
	{ STATE, "state", 0, "FILE", "what is given away" },
	{ 0 },
};

static const char *platform;
static struct ctr_secret state;

static int on_opt(void *ctx, int id, const char *value, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf b = { 0 };

	(void)ctx;
	if (id == PLATFORM) {
		platform = value;
		return 0;
	}
	if (ctr_file_read(value, CTR_PEER_MAX, &b, e) < 0 || ctr_secret_new(&state, b.n, e) < 0)
		return -1;
	memcpy(state.p, b.p, b.n);
	return 0;
}

static bool is(const struct sim_conn *c, const char *how)
{
	return strcmp(c->how, how) == 0;
}

/* Another P-256 key than that of the certificates. */
static void other_key(struct ctr_secret *key)
{
	ctr_auto_buf struct ctr_buf pem = { 0 };
	struct ctr_sign_key *k;

	PKI_MUST(ctr_sign_key_new(&k, NULL) == 0 && ctr_sign_key_pem(k, &pem, NULL) == 0);
	ctr_sign_key_free(k);
	ctr_secret_free(key);
	PKI_MUST(ctr_secret_new(key, pem.n, NULL) == 0);
	memcpy(key->p, pem.p, pem.n);
}

static void plaintext(const struct sim_conn *c, struct ctr_buf *text)
{
	ctr_auto_peer_state struct ctr_peer_state s = { 0 };

	if (is(c, "nostate")) {
		ctr_buf_adds(text, "no state");
		return;
	}
	PKI_MUST(ctr_peer_state_parse(&state, &s, NULL) == 0);
	s.generation += is(c, "newer") ? 1 : 0;
	s.generation -= is(c, "older") ? 1 : 0;
	s.transition[0] ^= is(c, "fork");
	s.seed.p[0] ^= is(c, "seed");
	s.salt.p[0] ^= is(c, "salt");
	if (is(c, "meshkey"))
		other_key(&s.mesh_key);
	if (is(c, "meshca")) {
		ctr_buf_reset(&s.mesh_ca);
		ctr_buf_add(&s.mesh_ca, s.intermediate.p, s.intermediate.n);
	}
	PKI_MUST(ctr_peer_state_print(&s, text, NULL) == 0);
}

static void seal(const struct sim_conn *c, const struct ctr_join *j, const uint8_t *nonce,
		 struct ctr_buf *out)
{
	ctr_auto_buf struct ctr_buf info = { 0 }, text = { 0 };
	ctr_auto_secret struct ctr_secret sk = { 0 };
	uint8_t pk[CTR_X25519_SIZE];

	memcpy(pk, j->kem_key, sizeof pk);
	if (is(c, "otherkey"))
		PKI_MUST(ctr_hpke_generate(&sk, pk, NULL) == 0);
	plaintext(c, &text);
	/* the purpose is part of what is sealed */
	if (is(c, "purpose"))
		ctr_join_info(nonce, &info);
	else
		ctr_peer_info(nonce, &info);
	PKI_MUST(ctr_hpke_seal(pk, info.p, info.n, NULL, 0, text.p, text.n, out, NULL) == 0);
}

static void attest(const struct sim_conn *c, struct ctr_peer_answer *a, const uint8_t *nonce)
{
	ctr_auto_platform struct ctr_platform *p = NULL;
	ctr_auto_evidence struct ctr_evidence ev = { 0 };
	uint8_t data[CTR_REPORT_DATA_SIZE], bind[CTR_NONCE_SIZE];

	if (is(c, "noevidence")) {
		ctr_buf_adds(&a->evidence, "none");
		return;
	}
	memcpy(bind, nonce, sizeof bind);
	bind[0] ^= is(c, "replay");
	a->sealed.p[0] ^= is(c, "relay");
	PKI_MUST(ctr_peer_report_data(a, bind, data, NULL) == 0);
	a->sealed.p[0] ^= is(c, "relay");
	PKI_MUST(ctr_platform_open(platform, NULL, &p, NULL) == 0 &&
		 ctr_platform_issue(p, data, &ev, NULL) == 0 &&
		 ctr_evidence_print(&ev, &a->evidence, NULL) == 0);
}

static void recover(struct sim_conn *c)
{
	static const uint8_t nonce[CTR_NONCE_SIZE] = { 7 };
	ctr_auto_join struct ctr_join j = { 0 };
	ctr_auto_peer_answer struct ctr_peer_answer a = { 0 };
	ctr_auto_buf struct ctr_buf out = { 0 };
	char text[CTR_JOIN_HEADER_MAX], head[256];

	if (!c->auth[0]) {
		ctr_join_challenge(nonce, text, sizeof text);
		snprintf(head, sizeof head, "WWW-Authenticate: %s\r\n", text);
		sim_say(c, "401 Unauthorized", head);
		return;
	}
	PKI_MUST(ctr_join_parse("request", c->body, strlen(c->body), &j, NULL) == 0);
	seal(c, &j, nonce, &a.sealed);
	attest(c, &a, nonce);
	PKI_MUST(ctr_peer_answer_print(&a, &out, NULL) == 0);
	/* the last brace is missing */
	sim_reply(c, "200 OK", "Content-Type: application/json\r\n", out.p,
		  is(c, "cut") ? out.n - 1 : out.n, is(c, "cut") ? out.n - 1 : out.n);
}

static void on_recover(struct sim_conn *c)
{
	static const char large[2 << 20];

	if (is(c, "slow") || (is(c, "slower") && c->auth[0]))
		sleep(30);
	else if (is(c, "garbage"))
		sim_say(c, "200 OK", "");
	else if (is(c, "large") && c->auth[0])
		sim_reply(c, "200 OK", "", large, sizeof large, sizeof large);
	else if (is(c, "waits"))
		sim_say(c, "412 Precondition Failed", "");
	else
		recover(c);
}

static void on_ca(struct sim_conn *c)
{
	ctr_auto_peer_state struct ctr_peer_state s = { 0 };
	ctr_auto_buf struct ctr_buf text = { 0 };

	if (is(c, "slow"))
		sleep(30);
	PKI_MUST(ctr_peer_state_parse(&state, &s, NULL) == 0 &&
		 ctr_join_ca_print(&s.mesh_ca, &text, NULL) == 0);
	if (is(c, "waits"))
		sim_say(c, "412 Precondition Failed", "");
	else
		sim_reply(c, "200 OK", "Content-Type: application/json\r\n", text.p, text.n,
			  text.n);
}

static void on_request(struct sim_conn *c)
{
	char rest[64] = "";

	if (sscanf(c->path, "/%63[a-z]%63s", c->how, rest) != 2)
		sim_say(c, "404 Not Found", "");
	else if (strcmp(rest, "/v1/mesh/recover") == 0)
		on_recover(c);
	else if (strcmp(rest, "/v1/mesh/ca") == 0)
		on_ca(c);
	else
		sim_say(c, "404 Not Found", "");
}

int main(int argc, char **argv)
{
	struct ctr_tool t = { .name = "peerd",
			      .synopsis = "--platform SPEC --state FILE",
			      .summary = "Gives a Coordinator's state away.",
			      .example = "peerd --platform sim:DIR --state state.json",
			      .opts = table };
	static struct sim_port port = { .name = "peerd", .answer = on_request };
	struct ctr_err e = { 0 };
	int first;

	ctr_tool_init(&t);
	if (ctr_tool_opts(&t, argc, argv, on_opt, NULL, &first, &e) < 0)
		return ctr_tool_die(&t, &e);
	if (t.served)
		return ctr_tool_close(&t);
	sim_open(&port, NULL, NULL);
	printf("PORT=%d\n", port.number);
	fflush(stdout);
	sim_start(&port);
	for (;;)
		pause();
}
