/* When to come again. */
#ifndef LIB_PACE_H
#define LIB_PACE_H

#include <stdint.h>
#include <time.h>

/* Seconds from now until a certificate is renewed: two thirds of its lifetime, less up to a tenth
 * (`spread`, any number), so that pods do not come at once. 0 when that is over, or the clock
 * stands before its begin. */
uint64_t ctr_pace_renewal(time_t from, time_t until, time_t now, unsigned spread);

/* Milliseconds before try `n` (from 0): doubled from half a second up to a minute, half of it
 * random. */
unsigned ctr_pace_retry(unsigned n, unsigned spread);

/* Any number, for `spread`; no secret. */
unsigned ctr_pace_spread(void);

#endif
