/* Takes the place of lib/platform_kinds.c: what runs in a guest has no simulated platform to be
 * talked into. */
#include "platform_int.h"

const struct ctr_platform_kind *const ctr_platform_kinds[] = {
	&ctr_platform_tsm,
	&ctr_platform_sev,
	&ctr_platform_tdx,
	NULL,
};
