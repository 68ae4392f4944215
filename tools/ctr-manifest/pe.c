#include <stdlib.h>
#include <string.h>

#include "mrtd.h"

#define SECTIONS 96 /* the loader's own limit */

/* What the digest needs (Microsoft PE format; Authenticode: "Calculating the PE Image Hash"). */
struct pe {
	struct ctr_rd file;
	size_t checksum, security; /* offsets of what is left out */
	uint32_t headers;	   /* size of all headers */
	uint32_t certificates;	   /* bytes at the end */
	struct {
		uint32_t at, n;
	} section[SECTIONS];
	size_t n;
};

static int seek(const struct ctr_rd *whole, size_t at, struct ctr_rd *r)
{
	struct ctr_rd skip;

	*r = *whole;
	return ctr_rd_take(r, at, &skip);
}

static int broken(const char *what, struct ctr_err *e)
{
	return ctr_fail(e, CTR_FORMAT, "kernel.pe", "kernel: %s", what);
}

/* The optional header, with r at its start. */
static int optional_header(struct pe *pe, struct ctr_rd *r, struct ctr_err *e)
{
	size_t start = r->at;
	uint32_t directories = 0, at = 0;
	struct ctr_rd skip;
	uint16_t magic = 0;

	if (ctr_rd_le16(r, &magic) < 0 || magic != 0x20b)
		return broken("no PE32+ image (expected a Linux kernel with EFI stub)", e);
	pe->checksum = start + 64;
	pe->security = start + 144;
	if (ctr_rd_take(r, 58, &skip) < 0 || ctr_rd_le32(r, &pe->headers) < 0 ||
	    ctr_rd_take(r, 44, &skip) < 0 || ctr_rd_le32(r, &directories) < 0 ||
	    ctr_rd_take(r, 32, &skip) < 0 || ctr_rd_le32(r, &at) < 0 ||
	    ctr_rd_le32(r, &pe->certificates) < 0)
		return broken("the PE header is cut off", e);
	if (directories < 5)
		return broken(
			"a PE header without a place for certificates: its digest is in doubt", e);
	if (pe->certificates && (at > pe->file.left || pe->file.left - at != pe->certificates))
		return broken("the certificates do not stand at the end", e);
	return 0;
}

static int by_place(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static int parse(struct pe *pe, struct ctr_err *e)
{
	uint16_t magic = 0, n = 0, optional = 0;
	struct ctr_rd r = pe->file, head, skip;
	uint32_t at = 0;
	uint8_t sign[4];

	if (ctr_rd_le16(&r, &magic) < 0 || magic != 0x5a4d || seek(&pe->file, 0x3c, &r) < 0 ||
	    ctr_rd_le32(&r, &at) < 0 || seek(&pe->file, at, &r) < 0 ||
	    ctr_rd_copy(&r, sign, 4) < 0 || !ctr_same(sign, "PE\0", 4) ||
	    ctr_rd_take(&r, 2, &skip) < 0 || ctr_rd_le16(&r, &n) < 0 ||
	    ctr_rd_take(&r, 12, &skip) < 0 || ctr_rd_le16(&r, &optional) < 0 ||
	    ctr_rd_take(&r, 2, &skip) < 0)
		return broken("no PE image (expected a Linux kernel with EFI stub)", e);
	head = r;
	if (optional_header(pe, &head, e) < 0)
		return -1;
	if (n > SECTIONS || ctr_rd_take(&r, optional, &skip) < 0)
		return broken("the PE header is cut off, or has too many sections", e);
	for (; n > 0; n--) {
		uint32_t size = 0, place = 0;

		if (ctr_rd_take(&r, 16, &skip) < 0 || ctr_rd_le32(&r, &size) < 0 ||
		    ctr_rd_le32(&r, &place) < 0 || ctr_rd_take(&r, 16, &skip) < 0)
			return broken("the PE header is cut off", e);
		if (size == 0)
			continue;
		pe->section[pe->n].at = place;
		pe->section[pe->n++].n = size;
	}
	if (r.at > pe->headers)
		return broken("the PE headers are longer than they say", e);
	qsort(pe->section, pe->n, sizeof *pe->section, by_place);
	return 0;
}

static int add(struct ctr_hasher *h, const struct pe *pe, size_t from, size_t to, struct ctr_err *e)
{
	struct ctr_rd r, bytes;

	if (to < from || seek(&pe->file, from, &r) < 0 || ctr_rd_take(&r, to - from, &bytes) < 0)
		return broken("a part lies outside of the file", e);
	return ctr_hasher_add(h, bytes.p, bytes.left, e);
}

/* Only what leaves no doubt: sections that follow each other without gap or overlap, and no
 * padding. */
int pe_digest(const void *p, size_t n, uint8_t out[MRTD_SIZE], struct ctr_err *e)
{
	ctr_auto_hasher struct ctr_hasher *h = NULL;
	struct pe pe = { 0 };
	size_t at;

	ctr_rd_init(&pe.file, p, n);
	if (parse(&pe, e) < 0 || ctr_hasher_new(CTR_SHA384, &h, e) < 0 ||
	    add(h, &pe, 0, pe.checksum, e) < 0 ||
	    add(h, &pe, pe.checksum + 4, pe.security, e) < 0 ||
	    add(h, &pe, pe.security + 8, pe.headers, e) < 0)
		return -1;
	at = pe.headers;
	for (size_t i = 0; i < pe.n; i++) {
		if (pe.section[i].at != at)
			return broken("there is a gap before a section, or two overlap: its digest "
				      "is in doubt",
				      e);
		if (add(h, &pe, at, at + pe.section[i].n, e) < 0)
			return -1;
		at += pe.section[i].n;
	}
	if (n % 8 != 0)
		return broken("not a multiple of 8 bytes long: its digest is in doubt", e);
	if (add(h, &pe, at, n - pe.certificates, e) < 0)
		return -1;
	return ctr_hasher_end(h, out, e);
}
