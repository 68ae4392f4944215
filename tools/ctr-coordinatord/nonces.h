/*
 * The nonces of /v1/mesh (ctr-api(7)). One that is given out costs no memory: it carries
 * its time and a MAC. Only those that genuine evidence was bound to are remembered, until they
 * would be too old anyway.
 */
#ifndef TOOLS_CTR_COORDINATORD_NONCES_H
#define TOOLS_CTR_COORDINATORD_NONCES_H

#include <time.h>

#include "answer.h"

#define NONCE_SECONDS 120
#define NONCES_USED 131072 /* remembered within this time; further ones are refused */

struct nonces;
CTR_MUST int nonces_new(struct nonces **n, struct ctr_err *e);
void nonces_free(struct nonces *n); /* NULL is legal */

/* `now` is any clock that never goes back, in seconds. All are safe from several threads. */
CTR_MUST int nonces_make(const struct nonces *n, time_t now, uint8_t nonce[CTR_NONCE_SIZE],
			 struct ctr_err *e);
/* CTR_NO "nonce.unknown" (not from this process), "nonce.old". */
CTR_MUST int nonces_check(const struct nonces *n, time_t now, const uint8_t nonce[CTR_NONCE_SIZE],
			  struct ctr_err *e);
/* Of one that was checked: the first call alone succeeds. CTR_NO "nonce.used"; CTR_ENV
 * "nonce.many". */
CTR_MUST int nonces_use(struct nonces *n, time_t now, const uint8_t nonce[CTR_NONCE_SIZE],
			struct ctr_err *e);

#endif
