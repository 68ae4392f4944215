/* The challenges of a WWW-Authenticate header (RFC 9110 section 11.6.1). */
#ifndef LIB_CHALLENGE_H
#define LIB_CHALLENGE_H

#include "err.h"

struct ctr_challenge {
	enum { CTR_CHALLENGE_NONE, CTR_CHALLENGE_BASIC, CTR_CHALLENGE_BEARER } kind;
	char realm[512], service[256], scope[512]; /* printable ASCII, "" when absent */
};

/*
 * Reads one header value s[0..n), a list of challenges, and keeps in *c the best of them and of
 * what it held: Bearer before Basic, the first of a kind, others are passed over. On failure *c is
 * as it was. CTR_FORMAT "registry.challenge": broken grammar, bytes that are not printable ASCII, a
 * parameter that stands twice or is too long, Bearer without a realm.
 */
CTR_MUST int ctr_challenge_parse(const char *s, size_t n, struct ctr_challenge *c,
				 struct ctr_err *e);

#endif
