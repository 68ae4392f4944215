/* Patterns that people write into settings. */
#ifndef TOOLS_CTR_POLICYGEN_PATTERN_H
#define TOOLS_CTR_POLICYGEN_PATTERN_H

#include "buf.h"

#define PATTERN_MAX 500 /* bytes */

/*
 * A POSIX extended regular expression (IEEE 1003.1, XBD 9.4) over printable ASCII, for all of a
 * value, in the part of the notation that the policy engine reads alike: no escaped letter or
 * digit, no group that opens with "(?", in brackets neither backslash nor set operator, no
 * repetition without a number. CTR_FORMAT "settings.pattern" for what is none, and for one that
 * takes everything.
 */
CTR_MUST int pattern_check(const char *s, struct ctr_err *e);

/* Appends the pattern as the rules have patterns, where @ and % stand for digits. */
void pattern_add(struct ctr_buf *b, const char *s);

#endif
