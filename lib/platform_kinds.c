/* A file of its own, so that a program may have another list. */
#include "platform_int.h"

const struct ctr_platform_kind *const ctr_platform_kinds[] = {
	&ctr_platform_tsm, &ctr_platform_sev, &ctr_platform_tdx, &ctr_platform_sim, NULL,
};
