#include "kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "../../unit/t.h"
#include "../mkimage.h"
#include "file.h"
#include "pki.h"

struct kernel kernel;

void kernel_write(const char *dir, const char *name, const void *p, size_t n)
{
	char path[512];
	int fd;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	PKI_MUST(fd >= 0 && write(fd, p, n) == (ssize_t)n);
	close(fd);
}

static void bump(const char *dir)
{
	ctr_auto_buf struct ctr_buf b = { 0 };
	char path[512], text[32];
	struct ctr_err e = { 0 };

	snprintf(path, sizeof path, "%s/generation", dir);
	PKI_MUST(ctr_file_read(path, 16, &b, &e) == 0);
	snprintf(text, sizeof text, "%lu\n", strtoul(ctr_buf_str(&b), NULL, 10) + 1);
	kernel_write(dir, "generation", text, strlen(text));
}

static int play_mkdir(const char *path, mode_t mode)
{
	char aux[512];

	if (kernel.no_mkdir) {
		errno = kernel.no_mkdir;
		return -1;
	}
	if (mkdir(path, mode) < 0)
		return -1;
	PKI_MUST(kernel.nmade < KERNEL_TRIES);
	snprintf(kernel.made[kernel.nmade++], sizeof kernel.made[0], "%s", path);
	kernel_write(path, "provider", kernel.provider, strlen(kernel.provider));
	kernel_write(path, "generation", kernel.generation, strlen(kernel.generation));
	kernel_write(path, "inblob", "", 0);
	kernel_write(path, "privlevel", "", 0);
	kernel_write(path, "outblob", "", 0);
	snprintf(aux, sizeof aux, "%s/auxblob", path);
	if (kernel.aux_is_dir)
		PKI_MUST(mkdir(aux, 0700) == 0);
	else if (!kernel.no_aux)
		kernel_write(path, "auxblob", ctr_buf_str(&kernel.aux), kernel.aux.n);
	return 0;
}

/* As configfs: the attributes go with the directory. */
static int play_rmdir(const char *path)
{
	char *name = strdup(path);

	if (kernel.writing)
		pthread_join(kernel.writer, NULL);
	kernel.writing = false;
	kernel.nremoved++;
	mk_rmdir(name);
	return 0;
}

static void answer(struct ctr_buf *b)
{
	ctr_auto_sim_values struct ctr_sim_values l = { 0 };
	uint8_t report[CTR_SNP_SIZE];
	struct ctr_err e = { 0 };

	if (kernel.other_data)
		kernel.asked[63] ^= 1;
	if (strncmp(kernel.provider, "tdx", 3) == 0) {
		PKI_MUST(ctr_sim_tdx_body(&l, kernel.asked, b, &e) == 0);
	} else {
		PKI_MUST(ctr_sim_snp(&l, kernel.asked, report, &e) == 0);
		ctr_buf_add(b, report, sizeof report);
	}
	while (kernel.report_size > b->n)
		ctr_buf_addc(b, 0);
	if (kernel.report_size)
		b->n = kernel.report_size;
}

/* Another writer: between the reading of outblob and the second look at generation. */
static void *interfere(void *ctx)
{
	const char *dir = ctx;
	ctr_auto_buf struct ctr_buf b = { 0 };
	char path[512];
	int fd;

	answer(&b);
	snprintf(path, sizeof path, "%s/outblob", dir);
	fd = open(path, O_WRONLY); /* until the reader is there */
	PKI_MUST(fd >= 0 && write(fd, b.p, b.n) == (ssize_t)b.n);
	bump(dir);
	close(fd); /* lets the reader go on */
	return NULL;
}

static void respond(const char *dir)
{
	ctr_auto_buf struct ctr_buf b = { 0 };
	char path[512];

	if (kernel.races > 0) {
		kernel.races--;
		snprintf(path, sizeof path, "%s/outblob", dir);
		PKI_MUST(unlink(path) == 0 && mkfifo(path, 0600) == 0);
		snprintf(kernel.writer_dir, sizeof kernel.writer_dir, "%s", dir);
		PKI_MUST(pthread_create(&kernel.writer, NULL, interfere, kernel.writer_dir) == 0);
		kernel.writing = true;
		return;
	}
	answer(&b);
	kernel_write(dir, "outblob", b.p, b.n);
}

static ssize_t play_write(int fd, const void *p, size_t n)
{
	char link[64], path[512] = "", *name;

	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	PKI_MUST(readlink(link, path, sizeof path - 1) > 0);
	name = strrchr(path, '/');
	*name++ = '\0';
	if (kernel.busy > 0) {
		kernel.busy--;
		errno = EBUSY;
		return -1;
	}
	if (strcmp(name, "inblob") == 0 && kernel.lost > 0) {
		kernel.lost--;
		return (ssize_t)n;
	}
	for (bump(path); kernel.early > 0; kernel.early--)
		bump(path);
	if (strcmp(name, "privlevel") == 0) {
		errno = kernel.refuse;
		memcpy(kernel.privlevel, p,
		       n < sizeof kernel.privlevel ? n : sizeof kernel.privlevel - 1);
		return kernel.refuse ? -1 : (ssize_t)n;
	}
	assert_string_equal(name, "inblob");
	if (kernel.short_write)
		return 10;
	assert_int_equal(n, CTR_REPORT_DATA);
	memcpy(kernel.asked, p, n);
	respond(path);
	return (ssize_t)n;
}

static uint64_t le(const uint8_t *p, size_t n)
{
	uint64_t v = 0;

	while (n-- > 0)
		v = v << 8 | p[n];
	return v;
}

static uint8_t *at(const uint8_t *p)
{
	return (uint8_t *)(uintptr_t)le(p, 8);
}

void kernel_put(uint8_t *p, size_t n, uint64_t v)
{
	for (; n > 0; n--, v >>= 8)
		*p++ = (uint8_t)v;
}

/* Writes MSG_REPORT_RSP. */
static void firmware(const uint8_t *request, uint8_t *response)
{
	ctr_auto_buf struct ctr_buf b = { 0 };

	memcpy(kernel.asked, request, CTR_REPORT_DATA);
	kernel.vmpl = (uint32_t)le(request + 64, 4);
	answer(&b);
	kernel_put(response, 4, kernel.status);
	kernel_put(response + 4, 4, kernel.size);
	memcpy(response + 32, b.p, b.n);
}

static int sev_ioctl(unsigned long number, uint8_t *q)
{
	uint8_t *request = at(q + 8);
	bool extended = number == 0xc0205302;

	assert_int_equal(q[0], 1);
	if (extended && kernel.no_extended) {
		errno = ENOTTY;
		return -1;
	}
	if (kernel.error || kernel.exitinfo2) {
		kernel_put(q + 24, 8, kernel.exitinfo2);
		errno = kernel.error ? kernel.error : EIO;
		return -1;
	}
	if (extended && le(request + 104, 4) < kernel.need) {
		kernel_put(request + 104, 4, kernel.need);
		kernel_put(q + 24, 8, (uint64_t)1 << 32);
		errno = EIO;
		return -1;
	}
	if (extended && kernel.aux.n)
		memcpy(at(request + 96), kernel.aux.p, kernel.aux.n);
	firmware(request, at(q + 16));
	return 0;
}

static int play_ioctl(int fd, unsigned long number, void *arg)
{
	uint8_t *q = arg;

	assert_true(fd >= 0);
	kernel.numbers[kernel.calls++ % KERNEL_TRIES] = number;
	if (kernel.interrupted > 0) {
		kernel.interrupted--;
		errno = EINTR;
		return -1;
	}
	if (kernel.vmm_busy > 0) {
		kernel.vmm_busy--;
		kernel_put(q + 24, 8, (uint64_t)2 << 32);
		errno = EIO;
		return -1;
	}
	if (number == 0xc0205300 || number == 0xc0205302)
		return sev_ioctl(number, q);
	assert_int_equal(number, 0xc4405401);
	if (kernel.error) {
		errno = kernel.error;
		return -1;
	}
	q[64] = 0x81;
	memcpy(q + 64 + 0x80, q, CTR_REPORT_DATA);
	return 0;
}

static void play_pause(unsigned ms)
{
	kernel.paused += ms;
}

struct ctr_platform_io kernel_io = {
	.mkdir = play_mkdir,
	.rmdir = play_rmdir,
	.write = play_write,
	.ioctl = play_ioctl,
	.pause = play_pause,
};
