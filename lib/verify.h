/* What every verification of evidence needs to know. */
#ifndef LIB_VERIFY_H
#define LIB_VERIFY_H

#include <stdint.h>
#include <time.h>

#include "hash.h"

enum ctr_crl_mode {
	CTR_CRL_REQUIRED,     /* a list that is missing is a failure */
	CTR_CRL_IF_AVAILABLE, /* a list that is there must be right; a missing one is a skipped
				 check */
	CTR_CRL_NEVER,	      /* not looked at; a skipped check */
};

struct ctr_verify_opts {
	time_t at; /* seconds since the epoch: when everything must be valid */
	enum ctr_crl_mode crl;
	/* SHA-256 of a SubjectPublicKeyInfo that alone is trusted instead of the vendors' roots;
	 * NULL outside of tests */
	const uint8_t *test_root;
	bool tcb_optional; /* TDX: TCB info and QE identity that are not there are skipped checks,
			      and the status is not known */
};

/* One of the things that a verdict stands on, and when it runs out. */
#define CTR_EXPIRIES 8
struct ctr_expiry {
	const char *item; /* "CRL", "tcb_info", … */
	time_t until;
};

#endif
