/*
 * Takes the place of tools/ctr-node-install/hostio.c: a device of the node is a file, and what it
 * says is in it. /dev/kvm: "API TYPES", decimal and hexadecimal. /dev/sev: the 32 bytes of
 * SNP_PLATFORM_STATUS; one byte is the firmware's refusal, none a kernel that lacks the command.
 */
#include <errno.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tools/ctr-node-install/sevstatus.h"

static int kvm(int fd, unsigned long request)
{
	char text[64] = "";
	unsigned api, types;

	if (pread(fd, text, sizeof text - 1, 0) < 0 || sscanf(text, "%u %x", &api, &types) != 2) {
		errno = ENOTTY;
		return -1;
	}
	return (int)(request == KVM_GET_API_VERSION ? api : types);
}

static int sev(int fd, uint8_t *issue)
{
	uint8_t status[SEV_STATUS_SIZE];
	ssize_t n = pread(fd, status, sizeof status, 0);
	uint64_t at;

	memcpy(&at, issue + 4, sizeof at);
	if (n == (ssize_t)sizeof status) {
		memcpy((void *)(uintptr_t)at, status, sizeof status);
		return 0;
	}
	errno = n == 1 ? EIO : EINVAL;
	issue[12] = n == 1 ? status[0] : 0;
	return -1;
}

static int ask(int fd, unsigned long request, uintptr_t arg)
{
	if (request == KVM_GET_API_VERSION || request == KVM_CHECK_EXTENSION)
		return kvm(fd, request);
	return sev(fd, (uint8_t *)arg);
}

const struct host_io host_io = { ask };
