/* Does an answer hold together? */
#ifndef TOOLS_CTR_INITIALIZER_CHECK_H
#define TOOLS_CTR_INITIALIZER_CHECK_H

#include "handshake.h"

/*
 * The chain is a certificate for the key and one or more above it; it leads to the mesh CA, which
 * the peers trust, and to the root CA. out gets its validity. A certificate that begins up to five
 * minutes from now is taken: clocks differ. CTR_FORMAT "x509.pem", CTR_NO "answer.chain" (another
 * number of certificates), "answer.key" (for another key), "answer.leaf" (not an end's),
 * "x509.path".
 */
CTR_MUST int check_answer(const struct ctr_join_answer *a, const struct ctr_buf *spki, time_t now,
			  struct joined *out, struct ctr_err *e);

#endif
