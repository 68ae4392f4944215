#include "pace.h"

#include <sys/random.h>

#define PAUSE_FIRST 500 /* ms */
#define PAUSE_MAX 60000 /* ms */

uint64_t ctr_pace_renewal(time_t from, time_t until, time_t now, unsigned spread)
{
	uint64_t life = until > from ? (uint64_t)(until - from) : 0, tenth = life / 10, after;

	after = life / 3 * 2 - (tenth ? spread % tenth : 0);
	if (now < from || (uint64_t)(now - from) >= after)
		return 0;
	return after - (uint64_t)(now - from);
}

unsigned ctr_pace_retry(unsigned n, unsigned spread)
{
	unsigned ms = n < 7 ? PAUSE_FIRST << n : PAUSE_MAX;

	return ms / 2 + spread % (ms / 2 + 1);
}

unsigned ctr_pace_spread(void)
{
	unsigned r = 0;

	if (getrandom(&r, sizeof r, GRND_NONBLOCK) < 0)
		r = 0; /* less spread is no failure */
	return r;
}
