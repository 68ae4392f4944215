#include "luks.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "file.h"
#include "luks_check.h"
#include "luks_int.h"

void luks_free(struct luks *l)
{
	if (!l)
		return;
	if (l->lib)
		l->lib->free(l->cd);
	if (l->fd >= 0)
		close(l->fd);
	free(l);
}

void luks_cleanup(struct luks **l)
{
	luks_free(*l);
}

size_t luks_key_size(bool integrity)
{
	return integrity ? 64 + 32 : 64; /* AES-256-XTS, and HMAC-SHA-256 */
}

/* The library says what is wrong in words alone; the last of them are kept. */
static void on_log(int level, const char *text, void *ctx)
{
	struct luks *l = ctx;

	if (level == CRYPT_LOG_ERROR)
		snprintf(l->why, sizeof l->why, ": %.*s", (int)strcspn(text, "\n"), text);
}

int luks_failed(const struct luks *l, int rc, const char *id, const char *what, struct ctr_err *e)
{
	return ctr_fail(e, CTR_ENV, id, "%s: %s%s", what, strerror(-rc), l->why);
}

/* A handle on the copy and, for the data, the device. */
static int new (const char *device, const void *header, struct luks **out, struct ctr_err *e)
{
	struct luks *l = calloc(1, sizeof *l);
	char path[64];
	int rc;

	*out = l;
	if (!l)
		return ctr_fail_mem(e);
	l->fd = -1;
	l->lib = luks_lib(e);
	if (!l->lib)
		return -1;
	l->fd = memfd_create("luks", MFD_CLOEXEC);
	if (l->fd < 0 || ftruncate(l->fd, (off_t)LUKS_OFFSET) < 0)
		return ctr_fail_sys(e, "luks.format", "memory for the header");
	if (header && ctr_fd_write(l->fd, "header", header, LUKS_HEADER, e) < 0)
		return -1;
	snprintf(path, sizeof path, "/proc/self/fd/%d", l->fd);
	rc = l->lib->init_data_device(&l->cd, path, device);
	if (rc < 0)
		return luks_failed(l, rc, "luks.open", device, e);
	l->lib->set_log_callback(l->cd, on_log, l);
	/* nobody else has the copy; and the kernel's keyring may be shared with other containers */
	l->lib->metadata_locking(l->cd, 0);
	l->lib->volume_key_keyring(l->cd, 0);
	return 0;
}

static int check(struct luks *l, bool integrity, struct ctr_err *e)
{
	const char *json;
	int rc = l->lib->dump_json(l->cd, &json, 0);

	if (rc < 0)
		return luks_failed(l, rc, "luks.header", "LUKS2 header", e);
	return luks_check(json, strlen(json), integrity, e);
}

int luks_format(const char *device, bool integrity, const char *uuid, const struct ctr_secret *key,
		struct luks **out, struct ctr_err *e)
{
	/* a key of full entropy needs no stretching: the digest that tells a wrong one is all that
	 * the function is for, and its least cost will do */
	struct crypt_pbkdf_type kdf = { .type = CRYPT_KDF_PBKDF2,
					.hash = "sha256",
					.iterations = LUKS_ITERATIONS,
					.flags = CRYPT_PBKDF_NO_BENCHMARK };
	struct crypt_params_luks2 p = { .pbkdf = &kdf,
					.integrity = integrity ? LUKS_INTEGRITY : NULL,
					.data_device = device,
					.sector_size = LUKS_SECTOR };
	auto_luks struct luks *l = NULL;
	int rc;

	*out = NULL;
	if (new (device, NULL, &l, e) < 0)
		return -1;
	rc = l->lib->set_data_offset(l->cd, LUKS_OFFSET / 512);
	if (rc == 0)
		rc = l->lib->format(l->cd, CRYPT_LUKS2, LUKS_CIPHER, LUKS_MODE, uuid,
				    (const char *)key->p, key->n, &p);
	if (rc < 0)
		return luks_failed(l, rc, "luks.format", device, e);
	/* what this library writes must be what is read again */
	if (check(l, integrity, e) < 0)
		return ctr_wrap(e, "just made");
	*out = ctr_give(l);
	return 0;
}

int luks_load(const char *device, bool integrity, const void *header, struct luks **out,
	      struct ctr_err *e)
{
	auto_luks struct luks *l = NULL;
	int rc;

	*out = NULL;
	if (new (device, header, &l, e) < 0)
		return -1;
	rc = l->lib->load(l->cd, CRYPT_LUKS2, NULL);
	if (rc < 0)
		return ctr_fail(e, CTR_NO, "luks.header", "%s: no LUKS2 header%s", device, l->why);
	if (check(l, integrity, e) < 0)
		return -1;
	*out = ctr_give(l);
	return 0;
}

const char *luks_uuid(const struct luks *l)
{
	const char *u = l->lib->get_uuid(l->cd);

	return u ? u : "";
}

int luks_header(const struct luks *l, struct ctr_buf *out, struct ctr_err *e)
{
	uint8_t *to = ctr_buf_room(out, LUKS_HEADER);

	if (!to)
		return ctr_buf_ok(out, "header", e);
	if (pread(l->fd, to, LUKS_HEADER, 0) != (ssize_t)LUKS_HEADER)
		return ctr_fail_sys(e, "luks.format", "header");
	ctr_buf_commit(out, LUKS_HEADER);
	return 0;
}

int luks_verify(const struct luks *l, const struct ctr_secret *key, struct ctr_err *e)
{
	return l->lib->volume_key_verify(l->cd, (const char *)key->p, key->n) >= 0
		       ? 0
		       : ctr_fail(e, CTR_NO, "luks.key",
				  "the volume was made with another secret, or under another name");
}
