#include "igvm.h"

#include <string.h>

#include "rd.h"

#define AREAS 64		      /* parameter areas */
#define PAGES_MAX ((uint64_t)1 << 20) /* 4 GiB */

enum {
	IGVM_PLATFORM = 0x1,
	IGVM_PLATFORM_LAST = 0x100,
	IGVM_INIT_LAST = 0x300,
	IGVM_AREA,
	IGVM_PAGE,
	IGVM_INSERT,
	IGVM_CONTEXT,
	IGVM_MEMORY,
	IGVM_LAST = 0x313, /* what lies between is for the loader alone */
};
enum { PLATFORM_SNP = 2 };
enum { FLAG_2M = 1, FLAG_UNMEASURED = 2, FLAG_SHARED = 4 };
enum { DATA_NORMAL, DATA_SECRETS, DATA_CPUID, DATA_CPUID_XF };

struct area {
	uint32_t index;
	uint64_t size;
};

struct igvm {
	struct ctr_rd file, headers;
	uint32_t mask; /* of the platform that is measured */
	bool native_zero;
	struct area areas[AREAS];
	size_t n_areas;
	uint64_t pages; /* measured so far */
	unsigned contexts;
	bool kvm; /* the last page is a processor's state where KVM puts it */
	struct launch *l;
};

/* CRC-32 as in zlib, over the headers with the checksum itself as zero. */
static uint32_t crc(uint32_t c, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		c ^= p[i];
		for (int k = 0; k < 8; k++)
			c = c >> 1 ^ (0xedb88320u & (0u - (c & 1)));
	}
	return c;
}

static int checksum(const struct igvm *g, size_t fixed, uint32_t want, struct ctr_err *e)
{
	static const uint8_t zero[4];
	const size_t at = 20;
	uint32_t c = crc(0xffffffff, g->file.p, at);

	c = crc(c, zero, sizeof zero);
	c = crc(c, g->file.p + at + 4, fixed - at - 4);
	c = ~crc(c, g->headers.p, g->headers.left);
	return c == want ? 0
			 : ctr_fail(e, CTR_FORMAT, "igvm.checksum",
				    "IGVM: checksum 0x%08x (expected 0x%08x)", c, want);
}

static int header(struct igvm *g, struct ctr_err *e)
{
	uint32_t version = 0, offset = 0, size = 0, total = 0, want = 0, arch = 0,
		 page = FIRMWARE_PAGE;
	struct ctr_rd r = g->file, skip;
	uint8_t magic[4];

	if (ctr_rd_copy(&r, magic, sizeof magic) < 0 || !ctr_same(magic, "IGVM", sizeof magic))
		return ctr_fail(e, CTR_FORMAT, "igvm.header", "no IGVM file");
	if (ctr_rd_le32(&r, &version) < 0 || version < 1 || version > 2 ||
	    ctr_rd_le32(&r, &offset) < 0 || ctr_rd_le32(&r, &size) < 0 ||
	    ctr_rd_le32(&r, &total) < 0 || ctr_rd_le32(&r, &want) < 0 ||
	    (version == 2 && (ctr_rd_le32(&r, &arch) < 0 || ctr_rd_le32(&r, &page) < 0)))
		return ctr_fail(e, CTR_FORMAT, "igvm.header",
				"IGVM: header cut off, or of version %u (expected 1 or 2)",
				version);
	if (total != g->file.left || offset != r.at || arch != 0 || page != FIRMWARE_PAGE)
		return ctr_fail(e, CTR_FORMAT, "igvm.header",
				"IGVM: other size than its header says, or not for x86-64 with "
				"pages of 4 KiB");
	if (ctr_rd_take(&r, size, &g->headers) < 0 || size % 8 != 0)
		return ctr_fail(e, CTR_FORMAT, "igvm.header",
				"IGVM: variable headers outside of the file");
	r = g->file;
	return ctr_rd_take(&r, offset, &skip) < 0 ? -1 : checksum(g, offset, want, e);
}

/* The next variable header; they are padded to 8 bytes. */
static int next(struct ctr_rd *headers, uint32_t *type, struct ctr_rd *data, struct ctr_err *e)
{
	struct ctr_rd pad;
	uint32_t len = 0;

	if (ctr_rd_le32(headers, type) < 0 || ctr_rd_le32(headers, &len) < 0 ||
	    ctr_rd_take(headers, len, data) < 0 ||
	    ctr_rd_take(headers, (8 - len % 8) % 8, &pad) < 0)
		return ctr_fail(e, CTR_FORMAT, "igvm.directive", "IGVM: a header is cut off");
	return 0;
}

static int platform(struct igvm *g, struct ctr_err *e)
{
	struct ctr_rd r = g->headers, d;
	bool found = false;
	uint32_t type;

	while (r.left > 0) {
		uint32_t mask = 0;
		uint8_t vtl, kind = 0;

		if (next(&r, &type, &d, e) < 0)
			return -1;
		if (type != IGVM_PLATFORM)
			continue;
		if (ctr_rd_le32(&d, &mask) < 0 || ctr_rd_u8(&d, &vtl) < 0 ||
		    ctr_rd_u8(&d, &kind) < 0)
			return ctr_fail(e, CTR_FORMAT, "igvm.directive",
					"IGVM: a platform header is cut off");
		if (kind != PLATFORM_SNP)
			continue;
		if (found || mask == 0 || (mask & (mask - 1)))
			return ctr_fail(
				e, CTR_FORMAT, "igvm.platform",
				"IGVM: SEV-SNP stands twice, or its mask 0x%x is not one bit",
				mask);
		found = true;
		g->mask = mask;
	}
	return found ? 0 : ctr_fail(e, CTR_FORMAT, "igvm.platform", "IGVM: not for SEV-SNP");
}

static int broken(const char *what, struct ctr_err *e)
{
	return ctr_fail(e, CTR_FORMAT, "igvm.directive",
			"IGVM: %s is cut off, or not as the format has it", what);
}

/* A page of data in the file. */
static int page_at(const struct igvm *g, uint32_t offset, struct ctr_rd *page, struct ctr_err *e)
{
	struct ctr_rd r = g->file, skip;

	if (ctr_rd_take(&r, offset, &skip) < 0 || ctr_rd_take(&r, FIRMWARE_PAGE, page) < 0)
		return ctr_fail(e, CTR_FORMAT, "igvm.data",
				"IGVM: the data of a page is outside of the file");
	return 0;
}

static int count(struct igvm *g, uint64_t pages, struct ctr_err *e)
{
	g->kvm = false;
	g->pages += pages;
	if (pages > PAGES_MAX || g->pages > PAGES_MAX)
		return ctr_fail(e, CTR_FORMAT, "limit", "IGVM: more than 4 GiB are loaded");
	return 0;
}

static int data_page(struct igvm *g, uint64_t gpa, uint32_t offset, bool measured,
		     struct ctr_err *e)
{
	static const uint8_t zeros[FIRMWARE_PAGE];
	struct ctr_rd page;

	if (!measured)
		return launch_page(g->l, PAGE_UNMEASURED, gpa, NULL, e);
	if (offset == 0)
		return g->native_zero ? launch_page(g->l, PAGE_ZERO, gpa, NULL, e)
				      : launch_bytes(g->l, PAGE_NORMAL, gpa, zeros, e);
	return page_at(g, offset, &page, e) < 0 ? -1
						: launch_bytes(g->l, PAGE_NORMAL, gpa, page.p, e);
}

static int on_page(struct igvm *g, struct ctr_rd *d, struct ctr_err *e)
{
	uint32_t mask = 0, offset = 0, flags = 0;
	uint16_t type = 0;
	uint64_t gpa = 0;

	if (ctr_rd_le64(d, &gpa) < 0 || ctr_rd_le32(d, &mask) < 0 || ctr_rd_le32(d, &offset) < 0 ||
	    ctr_rd_le32(d, &flags) < 0 || ctr_rd_le16(d, &type) < 0 || ctr_rd_zeros(d, 2) < 0 ||
	    ctr_rd_end(d) < 0 || gpa % FIRMWARE_PAGE != 0)
		return broken("page data", e);
	if (!(mask & g->mask) || (flags & FLAG_SHARED))
		return 0;
	if ((flags & ~(uint32_t)FLAG_UNMEASURED) || type > DATA_CPUID_XF)
		return ctr_fail(
			e, CTR_FORMAT, "igvm.directive",
			"IGVM: page at 0x%llx: flags 0x%x or data type %u are not supported",
			(unsigned long long)gpa, flags, type);
	if (count(g, 1, e) < 0)
		return -1;
	if (type == DATA_NORMAL)
		return data_page(g, gpa, offset, !(flags & FLAG_UNMEASURED), e);
	return launch_page(g->l, type == DATA_SECRETS ? PAGE_SECRETS : PAGE_CPUID, gpa, NULL, e);
}

static const struct area *find_area(const struct igvm *g, uint32_t index)
{
	for (size_t i = 0; i < g->n_areas; i++) {
		if (g->areas[i].index == index)
			return &g->areas[i];
	}
	return NULL;
}

static int on_area(struct igvm *g, struct ctr_rd *d, struct ctr_err *e)
{
	struct area a = { 0 };
	uint32_t offset;

	if (ctr_rd_le64(d, &a.size) < 0 || ctr_rd_le32(d, &a.index) < 0 ||
	    ctr_rd_le32(d, &offset) < 0 || ctr_rd_end(d) < 0 || a.size == 0 ||
	    a.size % FIRMWARE_PAGE != 0)
		return broken("a parameter area", e);
	if (find_area(g, a.index) || g->n_areas == AREAS)
		return ctr_fail(e, CTR_FORMAT, "igvm.directive",
				"IGVM: parameter area %u stands twice, or is one too many",
				a.index);
	g->areas[g->n_areas++] = a;
	return 0;
}

/* What the loader fills in is not measured. */
static int on_insert(struct igvm *g, struct ctr_rd *d, struct ctr_err *e)
{
	uint32_t mask = 0, index = 0;
	const struct area *a;
	uint64_t gpa = 0;

	if (ctr_rd_le64(d, &gpa) < 0 || ctr_rd_le32(d, &mask) < 0 || ctr_rd_le32(d, &index) < 0 ||
	    ctr_rd_end(d) < 0 || gpa % FIRMWARE_PAGE != 0)
		return broken("a parameter insert", e);
	if (!(mask & g->mask))
		return 0;
	a = find_area(g, index);
	if (!a)
		return ctr_fail(e, CTR_FORMAT, "igvm.directive",
				"IGVM: there is no parameter area %u", index);
	return count(g, a->size / FIRMWARE_PAGE, e) < 0
		       ? -1
		       : launch_region(g->l, PAGE_UNMEASURED, gpa, a->size, e);
}

static int on_context(struct igvm *g, struct ctr_rd *d, struct ctr_err *e)
{
	uint32_t mask = 0, offset = 0;
	uint16_t index = 0;
	uint64_t gpa = 0;
	struct ctr_rd page;

	if (ctr_rd_le64(d, &gpa) < 0 || ctr_rd_le32(d, &mask) < 0 || ctr_rd_le32(d, &offset) < 0 ||
	    ctr_rd_le16(d, &index) < 0 || ctr_rd_zeros(d, 2) < 0 || ctr_rd_end(d) < 0 ||
	    gpa % FIRMWARE_PAGE != 0)
		return broken("a processor's context", e);
	if (!(mask & g->mask))
		return 0;
	if (count(g, 1, e) < 0 || page_at(g, offset, &page, e) < 0)
		return -1;
	g->kvm = ++g->contexts == 1 && gpa == 0xfffffffff000;
	return launch_bytes(g->l, PAGE_VMSA, gpa, page.p, e);
}

static int directive(struct igvm *g, uint32_t type, struct ctr_rd *d, struct ctr_err *e)
{
	if (type >= IGVM_PLATFORM && type <= IGVM_INIT_LAST)
		return 0;
	switch (type) {
	case IGVM_AREA:
		return on_area(g, d, e);
	case IGVM_PAGE:
		return on_page(g, d, e);
	case IGVM_INSERT:
		return on_insert(g, d, e);
	case IGVM_CONTEXT:
		return on_context(g, d, e);
	default:
		if (type >= IGVM_MEMORY && type <= IGVM_LAST)
			return 0;
		return ctr_fail(e, CTR_FORMAT, "igvm.directive",
				"IGVM: unknown header of type 0x%x", type);
	}
}

int igvm_snp(const void *p, size_t n, bool native_zero, struct launch *l, bool *kvm,
	     struct ctr_err *e)
{
	struct igvm g = { .native_zero = native_zero, .l = l };
	struct ctr_rd r, d;
	uint32_t type;

	*kvm = false;
	ctr_rd_init(&g.file, p, n);
	if (header(&g, e) < 0 || platform(&g, e) < 0)
		return -1;
	for (r = g.headers; r.left > 0;) {
		if (next(&r, &type, &d, e) < 0 || directive(&g, type, &d, e) < 0)
			return -1;
	}
	*kvm = g.kvm;
	if (g.pages == 0)
		return ctr_fail(e, CTR_FORMAT, "igvm.directive",
				"IGVM: nothing is loaded for SEV-SNP");
	return 0;
}
