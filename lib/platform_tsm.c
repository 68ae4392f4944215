/* Linux, Documentation/ABI/testing/configfs-tsm: one directory is one request. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/random.h>

#include "enc.h"
#include "file.h"
#include "platform_int.h"

#define TRIES 8
#define WORD_MAX 64
#define OUTBLOB_MAX ((size_t)32 << 10)
#define AUXBLOB_MAX CTR_EVIDENCE_ITEM_MAX

/* What a try came to. Anything but AGAIN is final. */
enum outcome { DONE, FAILED, AGAIN };

static int attribute(const char *dir, const char *name, struct ctr_buf *path, struct ctr_err *e)
{
	ctr_buf_addf(path, "%s/%s", dir, name);
	return ctr_buf_ok(path, "file name", e);
}

static int get(const char *dir, const char *name, size_t max, struct ctr_buf *b, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf path = { 0 };

	return attribute(dir, name, &path, e) < 0 ? -1 : ctr_file_read(path.p, max, b, e);
}

/* A word or number, its line end dropped. */
static int get_word(const char *dir, const char *name, struct ctr_buf *b, struct ctr_err *e)
{
	ctr_buf_reset(b);
	if (get(dir, name, WORD_MAX, b, e) < 0)
		return -1;
	while (b->n > 0 && (b->p[b->n - 1] == '\n' || b->p[b->n - 1] == ' '))
		b->p[--b->n] = '\0';
	return 0;
}

/* One write is one setting: a short one, or a second, would be something else. */
static int put(struct ctr_platform *p, const char *dir, const char *name, const void *data,
	       size_t n, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf path = { 0 };
	ctr_auto_fd int fd = -1;
	ssize_t done;

	if (attribute(dir, name, &path, e) < 0)
		return -1;
	fd = open(path.p, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return ctr_fail_sys(e, "platform.io", "%s", path.p);
	do
		done = p->io->write(fd, data, n);
	while (done < 0 && errno == EINTR);
	if (done < 0)
		return ctr_fail_sys(e, "platform.io", "%s", path.p);
	return (size_t)done == n ? 0
				 : ctr_fail(e, CTR_ENV, "platform.io", "%s: took %zd of %zu bytes",
					    path.p, done, n);
}

/* A name that nobody can have taken or guessed: whoever shares the directory could change the
 * request. */
static int make(struct ctr_platform *p, struct ctr_buf *dir, struct ctr_err *e)
{
	uint8_t random[16];

	if (getrandom(random, sizeof random, 0) != sizeof random)
		return ctr_fail_sys(e, "random", "no random bytes");
	ctr_buf_addf(dir, "%s/ctr-", p->io->tsm);
	ctr_hex_add(dir, random, sizeof random);
	if (ctr_buf_ok(dir, "file name", e) < 0)
		return -1;
	if (p->io->mkdir(dir->p, 0700) == 0)
		return 0;
	if (errno == ENXIO)
		return ctr_fail(e, CTR_ENV, "platform.provider",
				"%s: no provider (the guest driver is not loaded)", p->io->tsm);
	return ctr_fail_sys(e, "platform.open", "%s", p->io->tsm);
}

static int provider(struct ctr_platform *p, const char *dir, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf word = { 0 };

	if (get_word(dir, "provider", &word, e) < 0)
		return -1;
	if (strcmp(ctr_buf_str(&word), "sev_guest") == 0)
		p->tee = CTR_TEE_SNP;
	else if (strcmp(ctr_buf_str(&word), "tdx_guest") == 0)
		p->tee = CTR_TEE_TDX;
	else
		return ctr_fail(e, CTR_ENV, "platform.provider",
				"%s: unknown provider \"%s\" (sev_guest, tdx_guest)", p->io->tsm,
				ctr_buf_str(&word));
	return 0;
}

static int tsm_open(struct ctr_platform *p, const char *arg, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf dir = { 0 };
	int rc;

	(void)arg;
	if (make(p, &dir, e) < 0)
		return -1;
	rc = provider(p, dir.p, e);
	p->io->rmdir(dir.p);
	return rc;
}

/* auxblob does not exist in older kernels, and is empty where the host gave nothing. */
static int get_aux(const char *dir, struct ctr_buf *b, struct ctr_err *e)
{
	struct ctr_err mine = { 0 };

	if (get(dir, "auxblob", AUXBLOB_MAX, b, &mine) == 0 || mine.sys == ENOENT)
		return 0;
	return ctr_err_pass(e, &mine);
}

/* Reading it is what makes the report. */
static int get_report(const struct ctr_platform *p, const char *dir, struct ctr_buf *b,
		      struct ctr_err *e)
{
	if (get(dir, "outblob", OUTBLOB_MAX, b, e) == 0)
		return 0;
	return p->tee == CTR_TEE_TDX
		       ? ctr_err_fix(e, "does the host run a quote generation service?")
		       : -1;
}

/* How often the entry was written to. */
static int generation(const char *dir, uint64_t *n, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf word = { 0 };
	char *end = NULL;

	if (get_word(dir, "generation", &word, e) < 0)
		return -1;
	errno = 0;
	*n = strtoull(ctr_buf_str(&word), &end, 10);
	if (word.n == 0 || *end || errno)
		return ctr_fail(e, CTR_ENV, "platform.io", "%s/generation: \"%s\" is no number",
				dir, ctr_buf_str(&word));
	return 0;
}

/* An inblob that the kernel did not take is not reported by close: only the generation shows it. */
static int ask(struct ctr_platform *p, const char *dir, const uint8_t *report_data,
	       unsigned *writes, struct ctr_err *e)
{
	char vmpl = (char)('0' + p->vmpl);

	*writes = p->has_vmpl ? 2 : 1;
	if (p->has_vmpl && put(p, dir, "privlevel", &vmpl, 1, e) < 0)
		return -1;
	return put(p, dir, "inblob", report_data, CTR_REPORT_DATA, e);
}

/* The results are ours when the writes from first to last look were as many as we made. */
static enum outcome request(struct ctr_platform *p, const char *dir, const uint8_t *report_data,
			    struct ctr_buf *report, struct ctr_buf *table, struct ctr_err *e)
{
	struct ctr_err mine = { 0 };
	uint64_t before, after;
	unsigned writes;

	if (provider(p, dir, e) < 0 || generation(dir, &before, e) < 0)
		return FAILED;
	if (ask(p, dir, report_data, &writes, &mine) < 0) {
		if (mine.sys == EBUSY) /* the counter would wrap: somebody writes there, too */
			return AGAIN;
		ctr_err_pass(e, &mine);
		return FAILED;
	}
	if (get_report(p, dir, report, e) < 0 || get_aux(dir, table, e) < 0 ||
	    generation(dir, &after, e) < 0)
		return FAILED;
	return after - before == writes ? DONE : AGAIN;
}

static int tsm_report(struct ctr_platform *p, const uint8_t *report_data, struct ctr_buf *report,
		      struct ctr_buf *table, struct ctr_err *e)
{
	for (int i = 0; i < TRIES; i++) {
		ctr_auto_buf struct ctr_buf dir = { 0 };
		enum outcome o;

		ctr_buf_reset(report);
		ctr_buf_reset(table);
		if (make(p, &dir, e) < 0)
			return -1;
		o = request(p, dir.p, report_data, report, table, e);
		p->io->rmdir(dir.p);
		if (o == DONE)
			return 0;
		if (o == FAILED)
			return ctr_wrap(e, "configfs-tsm");
	}
	return ctr_fail(e, CTR_ENV, "platform.race",
			"%s: other writers changed the request %d times", p->io->tsm, TRIES);
}

const struct ctr_platform_kind ctr_platform_tsm = {
	.name = "configfs-tsm",
	.vmpl = true,
	.open = tsm_open,
	.report = tsm_report,
};
