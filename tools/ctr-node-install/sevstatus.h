/* SNP_PLATFORM_STATUS (AMD publication 56860), asked for through /dev/sev (Linux,
 * include/uapi/linux/psp-sev.h). */
#ifndef TOOLS_CTR_NODE_INSTALL_SEVSTATUS_H
#define TOOLS_CTR_NODE_INSTALL_SEVSTATUS_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"

#define SEV_STATUS_SIZE 32

/* What a check asks of a device. hostio.c has the real one; programs of the tests bring another. */
struct host_io {
	int (*ioctl)(int fd, unsigned long request, uintptr_t arg);
};
extern const struct host_io host_io;

struct sev_status {
	uint8_t major, minor; /* of the ABI */
	uint32_t build;
	uint8_t state; /* 0: not initialised, 1: initialised */
	bool rmp;      /* the reverse map table is initialised */
	bool mask_chip_id, mask_chip_key, vlek;
	uint32_t guests;
	uint8_t current_tcb[8], reported_tcb[8]; /* as in a report */
};

/* Bits that are not known say nothing of the others. CTR_FORMAT "sev.status": the size, a state
 * that is not known. */
CTR_MUST int sev_status_parse(const uint8_t *p, size_t n, struct sev_status *s, struct ctr_err *e);

/* Asks the device. CTR_ENV "sev.status": the kernel's or the firmware's refusal. */
CTR_MUST int sev_status_get(const struct host_io *io, int fd, struct sev_status *s,
			    struct ctr_err *e);

#endif
