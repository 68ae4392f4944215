/* The checks that a verifier made, one after another, for people to read: a verdict is that none
 * failed. */
#ifndef LIB_CHECKS_H
#define LIB_CHECKS_H

#include <stdint.h>

#include "cleanup.h"
#include "err.h"

enum ctr_check_result { CTR_PASS, CTR_FAIL, CTR_SKIPPED };
extern const char *const ctr_check_names[3]; /* "pass", "fail", "skipped" */

struct ctr_check {
	const char *name; /* "snp.report.signature": stable, dotted, from a literal */
	enum ctr_check_result result;
	unsigned set; /* of reference values, counted from 1; 0 when it is not of one */
	char *expected, *found,
		*detail; /* "" when there is nothing to say; detail says what to do */
};

/* A zeroed one is empty. Memory that runs out fails the whole (see ctr_checks_ok). */
struct ctr_checks {
	struct ctr_check *v;
	size_t n, cap, failed;
	unsigned set; /* what the next checks get */
	bool bad;
};
void ctr_checks_free(struct ctr_checks *cs);
#define ctr_auto_checks CTR_AUTO(ctr_checks_free)

/* Makes room for and records one check; the texts are copied, NULL is "". Returns `pass`. */
bool ctr_check(struct ctr_checks *cs, const char *name, bool pass, const char *expected,
	       const char *found, const char *detail, ...) CTR_FMT(6, 7);
/* One that was not made, and why: "not asked for" is as good a reason as "the chain is broken". */
void ctr_check_skip(struct ctr_checks *cs, const char *name, const char *why, ...) CTR_FMT(3, 4);

/* The same over n bytes, shown in hexadecimal. */
bool ctr_check_bytes(struct ctr_checks *cs, const char *name, const uint8_t *expected,
		     const uint8_t *found, size_t n, const char *detail);
/* One that fails whatever was found: nobody said what it must be. */
void ctr_check_unknown(struct ctr_checks *cs, const char *name, const uint8_t *found, size_t n);
/* found >= least, and found == wanted, in decimal. */
bool ctr_check_least(struct ctr_checks *cs, const char *name, uint64_t least, uint64_t found,
		     const char *detail);
bool ctr_check_number(struct ctr_checks *cs, const char *name, uint64_t wanted, uint64_t found,
		      const char *detail);

/* All of `from` again, behind what is there; each stays of its set. */
void ctr_checks_append(struct ctr_checks *cs, const struct ctr_checks *from);

/* True when nothing failed, memory included, and at least one check was made. */
bool ctr_checks_ok(const struct ctr_checks *cs);
/* The first one that failed, NULL for none. */
const struct ctr_check *ctr_checks_failed(const struct ctr_checks *cs);

/* Each as an object: name, result, expected, found, detail, and reference_value counted from 0. */
struct ctr_json;
void ctr_checks_json(const struct ctr_checks *cs, struct ctr_json *arr);

/* The failure that a verdict ends with: CTR_NO, the first failed check's name as id. Returns -1. */
int ctr_checks_reject(const struct ctr_checks *cs, struct ctr_err *e);

#endif
