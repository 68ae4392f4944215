/* The devices of the machine. Apart, so that a program of the tests can play them. */
#include <sys/ioctl.h>

#include "sevstatus.h"

static int ask(int fd, unsigned long request, uintptr_t arg)
{
	return ioctl(fd, request, arg);
}

const struct host_io host_io = { ask };
