/*
 * The guest's kernel, the firmware and the host, played for the tests of platforms: configfs-tsm on
 * directories of the test's own, and ioctls. What is asked of it wrongly fails the test.
 */
#ifndef TESTS_SIM_LIB_KERNEL_H
#define TESTS_SIM_LIB_KERNEL_H

#include <pthread.h>

#include "platform.h"

#define KERNEL_TRIES 64

/* What to do, and what was done. A test sets it up anew; io's paths are the test's to set. */
extern struct kernel {
	const char *provider;
	int no_mkdir;		/* errno of mkdir */
	int busy;		/* writes that find the counter about to wrap */
	int races;		/* requests that another writer gets into */
	int early;		/* … before the report is read */
	int lost;		/* inblobs that the kernel drops when the file is closed */
	const char *generation; /* what the attribute says at first */
	int refuse;		/* errno of writing privlevel */
	bool short_write, other_data, no_aux, aux_is_dir;
	size_t report_size; /* that outblob is cut or filled to, 0: as it is */
	struct ctr_buf aux;
	char made[KERNEL_TRIES][300]; /* directories, in order */
	size_t nmade, nremoved;
	char privlevel[8];
	pthread_t writer;
	bool writing;
	char writer_dir[300];
	uint8_t asked[CTR_REPORT_DATA];
	/* ioctl */
	unsigned long numbers[KERNEL_TRIES];
	size_t calls;
	int vmm_busy, interrupted, error; /* calls that fail; errno of all others */
	uint64_t exitinfo2;
	uint32_t status, size, need, vmpl;
	bool no_extended;
	unsigned paused;
} kernel;

extern struct ctr_platform_io kernel_io;

/* A file of a directory, replaced. */
void kernel_write(const char *dir, const char *name, const void *p, size_t n);
/* size bytes, little-endian. */
void kernel_put(uint8_t *p, size_t n, uint64_t v);

#endif
