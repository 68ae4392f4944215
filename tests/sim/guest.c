#include "guest.h"

#include <string.h>

void guest_le(struct ctr_buf *b, uint64_t v, size_t n)
{
	for (size_t i = 0; i < n; i++, v >>= 8)
		ctr_buf_addc(b, (char)(v & 255));
}

void guest_put(struct ctr_buf *b, size_t at, uint64_t v, size_t n)
{
	for (size_t i = 0; i < n && at + i < b->n; i++, v >>= 8)
		b->p[at + i] = (char)(v & 255);
}

void guest_pattern(struct ctr_buf *b, size_t n)
{
	uint32_t x = 1;

	for (size_t i = 0; i < n; i++) {
		x = x * 1664525 + 1013904223;
		ctr_buf_addc(b, (char)(x >> 24));
	}
}

/* Overwrites from `at` on by the bytes of `from`. */
static void put_buf(struct ctr_buf *b, size_t at, const struct ctr_buf *from)
{
	memcpy(b->p + at, from->p, from->n);
}

static void section(struct ctr_buf *b, uint32_t gpa, uint32_t size, uint32_t type)
{
	guest_le(b, gpa, 4);
	guest_le(b, size, 4);
	guest_le(b, type, 4);
}

static void sev_metadata(struct ctr_buf *b)
{
	ctr_buf_adds(b, "ASEV");
	guest_le(b, 16 + 6 * 12, 4);
	guest_le(b, 1, 4);
	guest_le(b, 6, 4);
	section(b, 0x800000, 0x9000, 1);
	section(b, 0x80d000, 0x1000, 2);
	section(b, 0x80e000, 0x1000, 3);
	section(b, 0x80f000, 0x1000, 4);
	section(b, 0x810000, 0x1000, 0x10);
	section(b, 0x811000, 0x2000, 1);
}

static void td_section(struct ctr_buf *b, uint32_t at, uint32_t raw, uint64_t gpa, uint64_t size,
		       uint32_t type, uint32_t attributes)
{
	guest_le(b, at, 4);
	guest_le(b, raw, 4);
	guest_le(b, gpa, 8);
	guest_le(b, size, 8);
	guest_le(b, type, 4);
	guest_le(b, attributes, 4);
}

static void tdx_metadata(struct ctr_buf *b)
{
	ctr_buf_adds(b, "TDVF");
	guest_le(b, 16 + 5 * 32, 4);
	guest_le(b, 1, 4);
	guest_le(b, 5, 4);
	td_section(b, 0x1000, 0x1000, 0xfffff000, 0x1000, 0, 1);
	td_section(b, 0, 0xf00, 0xffffd000, 0x2000, 1, 1); /* data that ends within a page */
	td_section(b, 0, 0, 0x80b000, 0x2000, 2, 0);
	td_section(b, 0, 0, 0x810000, 0x1000, 3, 0);
	td_section(b, 0, 0, 0, 0x80000000, 4, 2);
}

static void guid(struct ctr_buf *b, size_t data, const char *bytes)
{
	guest_le(b, data + 18, 2);
	ctr_buf_add(b, bytes, 16);
}

static void table(struct ctr_buf *b)
{
	guest_le(b, 0x810c00, 4);
	guest_le(b, 0x400, 4);
	guid(b, 8, "\x1f\x37\x55\x72\x3b\x3a\x04\x4b\x92\x7b\x1d\xa6\xef\xa8\xd4\x54");
	guest_le(b, 0x800, 4);
	guid(b, 4, "\x66\x65\x88\xdc\x4a\x98\x98\x47\xa7\x5e\x55\x85\xa7\xbf\x67\xcc");
	guest_le(b, 0x600, 4);
	guid(b, 4, "\x35\x65\x7a\xe4\x4a\x98\x98\x47\x86\x5e\x46\x85\xa7\xbf\x8e\xc2");
	guest_le(b, 0x0080b004, 4);
	guid(b, 4, "\xde\x71\xf7\x00\x7e\x1a\xcb\x4f\x89\x0e\x68\xc7\x7e\x2f\xb4\x4e");
	guid(b, b->n, "\xde\x82\xb5\x96\xb2\x1f\xf7\x45\xba\xea\xa3\x66\xc5\x5a\x08\x2d");
}

void guest_firmware(struct ctr_buf *b)
{
	ctr_auto_buf struct ctr_buf sev = { 0 }, tdx = { 0 }, ids = { 0 };

	guest_pattern(b, 0x2000);
	sev_metadata(&sev);
	tdx_metadata(&tdx);
	table(&ids);
	put_buf(b, 0x1800, &sev);
	put_buf(b, 0x1a00, &tdx);
	put_buf(b, 0x2000 - 32 - ids.n, &ids);
}

static uint32_t crc(uint32_t c, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		c ^= (uint8_t)p[i];
		for (int k = 0; k < 8; k++)
			c = c & 1 ? c >> 1 ^ 0xedb88320u : c >> 1;
	}
	return c;
}

static uint64_t get(const struct ctr_buf *b, size_t at)
{
	uint32_t v = 0;

	for (int i = 3; i >= 0; i--)
		v = v << 8 | (uint8_t)b->p[at + (size_t)i];
	return v;
}

void guest_igvm_crc(struct ctr_buf *b)
{
	size_t n = get(b, 8) + get(b, 12);

	guest_put(b, 20, 0, 4);
	guest_put(b, 20, ~crc(0xffffffff, b->p, n < b->n ? n : b->n), 4);
}

static void head(struct ctr_buf *b, uint32_t type, uint32_t n)
{
	guest_le(b, type, 4);
	guest_le(b, n, 4);
}

static void igvm_page(struct ctr_buf *b, uint64_t gpa, uint32_t mask, uint32_t at, uint32_t flags,
		      uint16_t type)
{
	head(b, 0x302, 24);
	guest_le(b, gpa, 8);
	guest_le(b, mask, 4);
	guest_le(b, at, 4);
	guest_le(b, flags, 4);
	guest_le(b, type, 4);
}

static void igvm_platform(struct ctr_buf *b, uint32_t mask, uint8_t kind)
{
	head(b, 0x1, 16);
	guest_le(b, mask, 4);
	guest_le(b, 0, 1);
	guest_le(b, kind, 1);
	guest_le(b, 1, 2);
	guest_le(b, 0, 8);
}

static void igvm_headers(struct ctr_buf *b, uint32_t data)
{
	igvm_platform(b, 2, 3);
	igvm_platform(b, 1, 2);
	head(b, 0x101, 16); /* guest policy */
	guest_le(b, 0x30000, 8);
	guest_le(b, 1, 8);
	head(b, 0x301, 16); /* parameter area 7 of two pages */
	guest_le(b, 0x2000, 8);
	guest_le(b, 7, 8);
	igvm_page(b, 0x1000, 3, data, 0, 0);
	igvm_page(b, 0x2000, 1, 0, 0, 0);    /* zeros */
	igvm_page(b, 0x3000, 1, data, 2, 0); /* not measured */
	igvm_page(b, 0x4000, 1, data, 4, 0); /* shared */
	igvm_page(b, 0x5000, 2, data, 0, 0); /* for the other platform */
	igvm_page(b, 0x6000, 1, 0, 0, 1);
	igvm_page(b, 0x7000, 1, 0, 0, 2);
	igvm_page(b, 0x8000, 1, 0, 0, 3);
	head(b, 0x303, 16); /* the parameters' place */
	guest_le(b, 0x9000, 8);
	guest_le(b, 1, 4);
	guest_le(b, 7, 4);
	head(b, 0x307, 8); /* where the number of processors goes */
	guest_le(b, 7, 8);
	head(b, 0x304, 20); /* state of a processor: a length that is padded */
	guest_le(b, 0xfffffffff000, 8);
	guest_le(b, 1, 4);
	guest_le(b, data, 4);
	guest_le(b, 0, 4 + 4);
}

void guest_igvm(struct ctr_buf *b, unsigned version)
{
	ctr_auto_buf struct ctr_buf sizes = { 0 };
	uint32_t fixed = version == 2 ? 32 : 24;

	igvm_headers(&sizes, 0);
	ctr_buf_adds(b, "IGVM");
	guest_le(b, version, 4);
	guest_le(b, fixed, 4);
	guest_le(b, sizes.n, 4);
	guest_le(b, fixed + sizes.n + 4096, 4);
	guest_le(b, 0, 4);
	if (version == 2)
		guest_le(b, (uint64_t)4096 << 32, 8);
	igvm_headers(b, fixed + (uint32_t)sizes.n);
	guest_pattern(b, 4096);
	guest_igvm_crc(b);
}

void guest_pe(struct ctr_buf *b)
{
	guest_pattern(b, 0x800);
	memset(b->p, 0, 0x200);
	memcpy(b->p, "MZ", 2);
	guest_put(b, 0x3c, 0x40, 4);
	memcpy(b->p + 0x40, "PE\0\0\x64\x86", 6);
	guest_put(b, 0x46, 2, 2);	    /* sections */
	guest_put(b, 0x54, 112 + 6 * 8, 2); /* optional header, with six directories */
	guest_put(b, 0x58, 0x20b, 2);
	guest_put(b, 0x58 + 60, 0x200, 4);
	guest_put(b, 0x58 + 64, 0x12345678, 4); /* checksum */
	guest_put(b, 0x58 + 108, 6, 4);
	guest_put(b, 0x58 + 144, 0x700, 4); /* certificates: the last 256 bytes */
	guest_put(b, 0x58 + 148, 0x100, 4);
	for (size_t i = 0; i < 2; i++) { /* the later one first */
		size_t at = 0x58 + 160 + 40 * i;

		guest_put(b, at + 16, i ? 0x200 : 0x280, 4);
		guest_put(b, at + 20, i ? 0x200 : 0x400, 4);
	}
}
