#include "mkimage.h"

#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <zlib.h>
#include <zstd.h>

#include "enc.h"
#include "file.h"
#include "hash.h"
#include "oci_doc.h"

#define MUST(x)                                                                                    \
	do {                                                                                       \
		if (!(x)) {                                                                        \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x);                    \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

void mk_checksum(uint8_t *p)
{
	char text[8];
	unsigned sum = 0;

	memset(p + 148, ' ', 8);
	for (size_t i = 0; i < 512; i++)
		sum += p[i];
	snprintf(text, sizeof text, "%06o", sum & 0777777);
	memcpy(p + 148, text, 7);
}

static void pad(struct ctr_buf *tar)
{
	static const char zero[512];

	ctr_buf_add(tar, zero, (512 - tar->n % 512) % 512);
}

/* A field's text, without a NUL where it fills the field. */
static void field(uint8_t *dst, const char *text, size_t size)
{
	MUST(strlen(text) <= size);
	for (size_t i = 0; i < size && text[i]; i++)
		dst[i] = (uint8_t)text[i];
}

void mk_entry(struct ctr_buf *tar, const char *name, char type, const char *link, const void *data,
	      size_t n)
{
	uint8_t h[512] = { 0 };
	char size[16];

	snprintf(size, sizeof size, "%011zo", n);
	field(h, name, 100);
	field(h + 100, "0000644", 8);
	field(h + 108, "0000000", 8);
	field(h + 116, "0000000", 8);
	field(h + 124, size, 12);
	field(h + 136, "00000000000", 12);
	h[156] = (uint8_t)type;
	field(h + 157, link ? link : "", 100);
	field(h + 257, "ustar", 6);
	field(h + 263, "00", 2);
	mk_checksum(h);
	ctr_buf_add(tar, h, sizeof h);
	ctr_buf_add(tar, data, n);
	pad(tar);
	MUST(!tar->bad);
}

void mk_file(struct ctr_buf *tar, const char *name, const char *text)
{
	mk_entry(tar, name, '0', NULL, text, strlen(text));
}

void mk_link(struct ctr_buf *tar, const char *name, char type, const char *target)
{
	mk_entry(tar, name, type, target, "", 0);
}

void mk_end(struct ctr_buf *tar)
{
	static const char zero[1024];

	ctr_buf_add(tar, zero, sizeof zero);
}

void mk_gzip(const struct ctr_buf *in, struct ctr_buf *out)
{
	z_stream z = { 0 };
	size_t room = in->n + in->n / 100 + 100;

	MUST(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
	z.next_in = (Bytef *)in->p;
	z.avail_in = (uInt)in->n;
	z.next_out = ctr_buf_room(out, room);
	z.avail_out = (uInt)room;
	MUST(z.next_out && deflate(&z, Z_FINISH) == Z_STREAM_END);
	ctr_buf_commit(out, z.total_out);
	deflateEnd(&z);
}

void mk_zstd(const struct ctr_buf *in, struct ctr_buf *out)
{
	size_t room = ZSTD_compressBound(in->n);
	uint8_t *to = ctr_buf_room(out, room);
	size_t n;

	MUST(to);
	n = ZSTD_compress(to, room, in->n ? in->p : "", in->n, 3);
	MUST(!ZSTD_isError(n));
	ctr_buf_commit(out, n);
}

char *mk_tmpdir(void)
{
	const char *base = getenv("TMPDIR");
	struct ctr_buf b = { 0 };

	ctr_buf_addf(&b, "%s/ctr-test-XXXXXX", base ? base : "/tmp");
	MUST(!b.bad && mkdtemp(b.p));
	return b.p;
}

static int drop(const char *path, const struct stat *st, int kind, struct FTW *f)
{
	(void)st;
	(void)kind;
	(void)f;
	return remove(path);
}

void mk_rmdir(char *dir)
{
	nftw(dir, drop, 16, FTW_DEPTH | FTW_PHYS);
	free(dir);
}

void mk_write(const char *dir, const char *name, const void *p, size_t n)
{
	ctr_auto_buf struct ctr_buf path = { 0 };
	struct ctr_err e = { 0 };
	char *slash;

	ctr_buf_addf(&path, "%s/%s", dir, name);
	MUST(!path.bad);
	slash = strrchr(path.p, '/');
	*slash = '\0';
	MUST(ctr_mkdirs(path.p, 0755, &e) == 0);
	*slash = '/';
	MUST(ctr_file_write(path.p, p, n, 0644, &e) == 0);
}

void mk_blob(const char *dir, const void *p, size_t n, char digest[CTR_OCI_DIGEST])
{
	char name[128];
	struct ctr_err e = { 0 };

	MUST(ctr_oci_digest(p, n, digest, &e) == 0);
	snprintf(name, sizeof name, "blobs/sha256/%s", digest + 7);
	mk_write(dir, name, p, n);
}

static void put_layer(const char *dir, struct mk_image *im, size_t i, struct ctr_buf *list,
		      struct ctr_buf *ids)
{
	static const char *const suffix[] = { "", "+gzip", "+zstd" };
	ctr_auto_buf struct ctr_buf packed = { 0 };
	char id[CTR_OCI_DIGEST];
	struct ctr_err e = { 0 };

	MUST(ctr_oci_digest(im->layer[i].p, im->layer[i].n, id, &e) == 0);
	if (im->pack[i] == MK_GZIP)
		mk_gzip(&im->layer[i], &packed);
	else if (im->pack[i] == MK_ZSTD)
		mk_zstd(&im->layer[i], &packed);
	else
		ctr_buf_add(&packed, im->layer[i].p, im->layer[i].n);
	mk_blob(dir, ctr_buf_str(&packed), packed.n, im->layer_digest[i]);
	ctr_buf_addf(list,
		     "%s{\"mediaType\":\"application/"
		     "vnd.oci.image.layer.v1.tar%s\",\"digest\":\"%s\",\"size\":%zu}",
		     i ? "," : "", suffix[im->pack[i]], im->layer_digest[i], packed.n);
	ctr_buf_addf(ids, "%s\"%s\"", i ? "," : "", id);
}

void mk_put(const char *dir, struct mk_image *im)
{
	ctr_auto_buf struct ctr_buf list = { 0 }, ids = { 0 }, config = { 0 }, manifest = { 0 };
	char digest[CTR_OCI_DIGEST];

	for (size_t i = 0; i < im->n; i++)
		put_layer(dir, im, i, &list, &ids);
	ctr_buf_addf(&config,
		     "{\"architecture\":\"%s\",\"os\":\"linux\",\"config\":%s,"
		     "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[%s]}}",
		     im->arch ? im->arch : "amd64", im->config ? im->config : "{}",
		     ctr_buf_str(&ids));
	mk_blob(dir, config.p, config.n, digest);
	ctr_buf_addf(
		&manifest,
		"{\"schemaVersion\":2,\"config\":{\"mediaType\":"
		"\"application/"
		"vnd.oci.image.config.v1+json\",\"digest\":\"%s\",\"size\":%zu},\"layers\":[%s]}",
		digest, config.n, ctr_buf_str(&list));
	mk_blob(dir, manifest.p, manifest.n, im->digest);
	im->manifest_size = manifest.n;
}

void mk_index(const char *dir, const char *manifests)
{
	ctr_auto_buf struct ctr_buf b = { 0 };

	ctr_buf_addf(&b, "{\"schemaVersion\":2,\"manifests\":[%s]}", manifests);
	mk_write(dir, "oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}", 30);
	mk_write(dir, "index.json", b.p, b.n);
}

void mk_layout(const char *dir, struct mk_image *im)
{
	ctr_auto_buf struct ctr_buf b = { 0 };

	mk_put(dir, im);
	ctr_buf_addf(&b,
		     "{\"mediaType\":\"application/"
		     "vnd.oci.image.manifest.v1+json\",\"digest\":\"%s\",\"size\":%zu",
		     im->digest, im->manifest_size);
	if (im->name)
		ctr_buf_addf(&b, ",\"annotations\":{\"org.opencontainers.image.ref.name\":\"%s\"}",
			     im->name);
	ctr_buf_addc(&b, '}');
	mk_index(dir, b.p);
}

void mk_image_free(struct mk_image *im)
{
	for (size_t i = 0; i < im->n; i++)
		ctr_buf_free(&im->layer[i]);
}

struct mk_image mk_one(const char *name)
{
	struct mk_image im = { .name = name, .n = 1 };

	mk_file(&im.layer[0], "hello", name ? name : "x");
	mk_end(&im.layer[0]);
	return im;
}

struct mk_image mk_many(const char *name)
{
	struct mk_image im = { .name = name, .config = "{\"User\":\"svc\"}", .n = 8 };
	char text[64];

	for (size_t i = 0; i < im.n; i++) {
		snprintf(text, sizeof text, "svc:x:%zu:%zu::/:\n", 100 + i, 200 + i);
		im.pack[i] = (enum mk_pack)(i % 3);
		if (i < 6)
			mk_file(&im.layer[i], "etc/passwd", text);
		mk_file(&im.layer[i], "usr/filler", text);
	}
	mk_file(&im.layer[3], "lib/group", "g:x:7:svc\n");
	mk_link(&im.layer[4], "etc/group", '2', "../lib/group");
	mk_file(&im.layer[6], "etc/.wh.shadow", "");
	for (size_t i = 0; i < im.n; i++)
		mk_end(&im.layer[i]);
	return im;
}

int mk_run(char *const *argv, struct ctr_buf *out)
{
	struct ctr_err e = { 0 };
	int fd[2], status;
	pid_t pid;

	MUST(pipe(fd) == 0);
	pid = fork();
	MUST(pid >= 0);
	if (pid == 0) {
		dup2(fd[1], STDOUT_FILENO);
		close(fd[0]);
		close(fd[1]);
		execvp(argv[0], argv);
		_exit(127);
	}
	close(fd[1]);
	MUST(ctr_fd_read(fd[0], argv[0], (size_t)1 << 20, out, &e) == 0);
	close(fd[0]);
	MUST(waitpid(pid, &status, 0) == pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}
