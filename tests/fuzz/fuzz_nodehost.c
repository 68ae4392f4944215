/* What check-node reads of the kernel: the CPU, and what the SEV firmware says. */
/* needs: tools/ctr-node-install/hostcpu.c tools/ctr-node-install/sevstatus.c */
#include <stdlib.h>
#include <string.h>

#include "tools/ctr-node-install/hostcpu.h"
#include "tools/ctr-node-install/sevstatus.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is taken lies in the text, ends there, and its words are found. */
static void check_cpu(const char *p, size_t n)
{
	struct host_cpu c;
	struct ctr_err e = { 0 };
	char word[64];
	size_t len;

	if (host_cpu_parse(p, n, &c, &e) < 0)
		return;
	if (c.flags < p || c.n_flags > n - (size_t)(c.flags - p) || c.family > 9999 ||
	    c.model > 9999 || !c.vendor[0] || memchr(c.flags, '\n', c.n_flags))
		abort();
	for (len = 0; len < c.n_flags && len < sizeof word - 1 && c.flags[len] != ' '; len++)
		word[len] = c.flags[len];
	word[len] = '\0';
	if (len > 0 && strlen(word) == len && len < sizeof word - 1 && !host_cpu_has(&c, word))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sev_status s;
	struct ctr_err e = { 0 };

	if (sev_status_parse(data, size, &s, &e) == 0 &&
	    (size != SEV_STATUS_SIZE || s.state > 1 || s.reported_tcb[7] != data[size - 1]))
		abort();
	check_cpu((const char *)data, size);
	return 0;
}
