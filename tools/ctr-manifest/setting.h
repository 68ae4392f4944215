/* The messages by which an owner sets a manifest or recovers a Coordinator (ctr-api(7)). */
#ifndef TOOLS_CTR_MANIFEST_SETTING_H
#define TOOLS_CTR_MANIFEST_SETTING_H

#include "answer.h"

struct setting {
	const struct ctr_buf *manifest;
	const struct ctr_blobs *policies;
	const uint8_t *previous;		/* T that it is to follow */
	const struct ctr_buf *spki, *signature; /* empty: not signed */
};
/* The body of POST /v1/manifest, appended. */
CTR_MUST int setting_print(const struct setting *s, struct ctr_buf *b, struct ctr_err *e);

/* A zeroed one is empty. */
struct setting_answer {
	struct ctr_buf root_ca, mesh_ca; /* PEM */
	uint8_t transition[CTR_SHA256_SIZE];
	struct ctr_buf seed_shares; /* lib/seedshare.h; n 0: none */
};
void setting_answer_free(struct setting_answer *a);

/* Reads the answer into an empty one. CTR_FORMAT: "json.…", "base64", "answer.version" (not v1),
 * "answer.size" (of the transition hash; no certificate). */
CTR_MUST int setting_answer_parse(const char *name, const char *p, size_t n,
				  struct setting_answer *a, struct ctr_err *e);

/* The answer to POST /v1/recover says its version and nothing else; errors as above. */
CTR_MUST int recover_answer_parse(const char *name, const char *p, size_t n, struct ctr_err *e);

#endif
