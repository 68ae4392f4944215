/* One handshake with the Coordinator: POST /v1/mesh/cert (ctr-api(7)). */
#ifndef TOOLS_CTR_INITIALIZER_HANDSHAKE_H
#define TOOLS_CTR_INITIALIZER_HANDSHAKE_H

#include <time.h>

#include "http_curl.h"
#include "join.h"
#include "platform.h"

/* What a pod gets; a zeroed one is empty. */
struct joined {
	struct ctr_buf key;			/* PKCS #8 in PEM, wiped */
	struct ctr_buf chain, mesh_ca, root_ca; /* PEM */
	struct ctr_secret secret;		/* n 0: this workload has none */
	time_t from, until;			/* of the certificate */
};
void joined_free(struct joined *j);
#define auto_joined CTR_AUTO(joined_free)

struct handshake {
	const char *url; /* of the Coordinator's API, no slash at the end */
	struct ctr_http *http;
	struct ctr_platform *platform;
};

/*
 * Fresh keys, evidence for them, a certificate and the secret into an empty *out. All of the answer
 * that can be checked without trust in the Coordinator is (check.h). "coordinator.refused": CTR_NO
 * in the Coordinator's own words, else CTR_ENV; CTR_ENV "join.challenge": no nonce came. Ids of
 * ctr_http_do, ctr_platform_issue, ctr_join_print, ctr_join_answer_parse, ctr_hpke_open.
 */
CTR_MUST int handshake_run(const struct handshake *h, struct joined *out, struct ctr_err *e);

/* The mesh CA that the Coordinator serves now, PEM, appended: a hint, nothing proves it. */
CTR_MUST int handshake_mesh_ca(const struct handshake *h, struct ctr_buf *mesh_ca,
			       struct ctr_err *e);

#endif
