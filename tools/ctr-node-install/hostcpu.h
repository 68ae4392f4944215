/* The CPU as the kernel sees it: /proc/cpuinfo on x86 (Linux, arch/x86/kernel/cpu/proc.c). */
#ifndef TOOLS_CTR_NODE_INSTALL_HOSTCPU_H
#define TOOLS_CTR_NODE_INSTALL_HOSTCPU_H

#include <stdbool.h>

#include "err.h"

#define HOSTCPU_MAX ((size_t)16 * 1024 * 1024) /* of the file: some 1,500 bytes for each CPU */

struct host_cpu {
	char vendor[16]; /* "AuthenticAMD" */
	unsigned family, model;
	const char *flags; /* in the text, n_flags bytes; words between blanks */
	size_t n_flags;
};

/*
 * Reads the first CPU of the text, which must outlive c: all CPUs of a machine that runs
 * confidential guests are alike. CTR_FORMAT "cpuinfo": vendor, family, model or flags are missing,
 * as they are on other architectures.
 */
CTR_MUST int host_cpu_parse(const char *p, size_t n, struct host_cpu *c, struct ctr_err *e);

bool host_cpu_has(const struct host_cpu *c, const char *flag);

/* A word in a text of words between blanks. */
bool host_word(const char *p, size_t n, const char *word);

#endif
