#include "firmware.h"

#include <string.h>

#define GUID 16
#define ENTRY (2 + GUID) /* length and GUID, behind the data */
#define TAIL 32		 /* reset vector, behind the table */

/* In the byte order of the image: the first three groups least significant byte first. */
static const uint8_t guid_footer[GUID] = { 0xde, 0x82, 0xb5, 0x96, 0xb2, 0x1f, 0xf7, 0x45,
					   0xba, 0xea, 0xa3, 0x66, 0xc5, 0x5a, 0x08, 0x2d };
static const uint8_t guid_reset[GUID] = { 0xde, 0x71, 0xf7, 0x00, 0x7e, 0x1a, 0xcb, 0x4f,
					  0x89, 0x0e, 0x68, 0xc7, 0x7e, 0x2f, 0xb4, 0x4e };
static const uint8_t guid_hashes[GUID] = { 0x1f, 0x37, 0x55, 0x72, 0x3b, 0x3a, 0x04, 0x4b,
					   0x92, 0x7b, 0x1d, 0xa6, 0xef, 0xa8, 0xd4, 0x54 };
static const uint8_t guid_sev[GUID] = { 0x66, 0x65, 0x88, 0xdc, 0x4a, 0x98, 0x98, 0x47,
					0xa7, 0x5e, 0x55, 0x85, 0xa7, 0xbf, 0x67, 0xcc };
static const uint8_t guid_tdx[GUID] = { 0x35, 0x65, 0x7a, 0xe4, 0x4a, 0x98, 0x98, 0x47,
					0x86, 0x5e, 0x46, 0x85, 0xa7, 0xbf, 0x8e, 0xc2 };

/* Bytes [at, at + n) of `whole`. */
static int part(const struct ctr_rd *whole, size_t at, size_t n, struct ctr_rd *sub)
{
	struct ctr_rd r = *whole, skip;

	return ctr_rd_take(&r, at, &skip) < 0 ? -1 : ctr_rd_take(&r, n, sub);
}

static int open_image(struct firmware *fw, const void *p, size_t n, struct ctr_err *e)
{
	*fw = (struct firmware){ 0 };
	ctr_rd_init(&fw->image, p, n);
	if (n == 0 || n > FIRMWARE_MAX || n % FIRMWARE_PAGE != 0)
		return ctr_fail(
			e, CTR_FORMAT, "firmware.size",
			"firmware of %zu bytes (expected whole pages of %u, at most %zu bytes)", n,
			FIRMWARE_PAGE, FIRMWARE_MAX);
	return 0;
}

/* The entries of the table, without its footer. */
static int table(const struct firmware *fw, struct ctr_rd *entries, struct ctr_err *e)
{
	size_t end = fw->image.left - TAIL; /* a page at least */
	uint8_t guid[GUID] = { 0 };
	struct ctr_rd footer;
	uint16_t len = 0;

	ctr_rd_init(entries, NULL, 0);
	if (part(&fw->image, end - ENTRY, ENTRY, &footer) < 0 || ctr_rd_le16(&footer, &len) < 0 ||
	    ctr_rd_copy(&footer, guid, GUID) < 0 || !ctr_same(guid, guid_footer, GUID))
		return ctr_fail(e, CTR_FORMAT, "firmware.table",
				"no table of GUIDs at the end (no OVMF or TDVF?)");
	if (len < ENTRY || len > end || part(&fw->image, end - len, len - ENTRY, entries) < 0)
		return ctr_fail(e, CTR_FORMAT, "firmware.table",
				"table of GUIDs of %u bytes in an image of %zu bytes", len,
				fw->image.left);
	return 0;
}

/* The data of the entry `want`, walking back from the end; *found says whether it is there. */
static int find(const struct ctr_rd *entries, const uint8_t want[GUID], struct ctr_rd *data,
		bool *found, struct ctr_err *e)
{
	size_t end = entries->left;

	*found = false;
	ctr_rd_init(data, NULL, 0);
	while (end > 0) {
		uint8_t guid[GUID] = { 0 };
		struct ctr_rd head;
		uint16_t len = 0;

		if (end < ENTRY || part(entries, end - ENTRY, ENTRY, &head) < 0 ||
		    ctr_rd_le16(&head, &len) < 0 || ctr_rd_copy(&head, guid, GUID) < 0 ||
		    len < ENTRY || len > end)
			return ctr_fail(e, CTR_FORMAT, "firmware.table",
					"table of GUIDs: an entry of %u bytes where %zu are left",
					len, end);
		if (ctr_same(guid, want, GUID)) {
			if (*found)
				return ctr_fail(e, CTR_FORMAT, "firmware.entry",
						"table of GUIDs: an entry stands twice");
			*found = true;
			if (part(entries, end - len, len - ENTRY, data) < 0)
				return ctr_fail(e, CTR_FORMAT, "firmware.table",
						"table of GUIDs: an entry is cut off");
		}
		end -= len;
	}
	return 0;
}

static int need(const struct ctr_rd *entries, const uint8_t want[GUID], const char *what,
		struct ctr_rd *data, struct ctr_err *e)
{
	bool found;

	if (find(entries, want, data, &found, e) < 0)
		return -1;
	return found ? 0
		     : ctr_fail(e, CTR_FORMAT, "firmware.entry", "the table of GUIDs has no %s",
				what);
}

/*
 * The list of sections that an entry points to by its distance from the end: signature, length of
 * the whole, version 1, count, sections of `item` bytes. *list is left at the first section.
 */
static int metadata(const struct firmware *fw, struct ctr_rd *entry, const char *sign, size_t item,
		    struct ctr_rd *list, uint32_t *count, struct ctr_err *e)
{
	uint32_t back = 0, len = 0, version = 0;
	uint8_t magic[4] = { 0 };
	const size_t head = 16;

	*count = 0;
	if (ctr_rd_le32(entry, &back) < 0 || ctr_rd_end(entry) < 0)
		return ctr_fail(e, CTR_FORMAT, "firmware.entry",
				"%s metadata: a pointer of the wrong size", sign);
	if (back < head || back > fw->image.left ||
	    part(&fw->image, fw->image.left - back, back, list) < 0 ||
	    ctr_rd_copy(list, magic, sizeof magic) < 0 || ctr_rd_le32(list, &len) < 0 ||
	    ctr_rd_le32(list, &version) < 0 || ctr_rd_le32(list, count) < 0)
		return ctr_fail(e, CTR_FORMAT, "firmware.metadata",
				"%s metadata: outside of the image", sign);
	if (!ctr_same(magic, sign, sizeof magic) || version != 1)
		return ctr_fail(e, CTR_FORMAT, "firmware.metadata",
				"%s metadata: wrong signature or version (expected 1)", sign);
	if (len < head || len - head > list->left || *count > (len - head) / item ||
	    *count > FIRMWARE_SECTIONS)
		return ctr_fail(e, CTR_FORMAT, "firmware.metadata",
				"%s metadata: %u sections in %u bytes (at most %d)", sign, *count,
				len, FIRMWARE_SECTIONS);
	return 0;
}

static bool whole_pages(uint64_t gpa, uint64_t size)
{
	return gpa % FIRMWARE_PAGE == 0 && size % FIRMWARE_PAGE == 0;
}

static int sev_section(struct ctr_rd *list, struct fw_sev_section *s, uint64_t *total,
		       struct ctr_err *e)
{
	if (ctr_rd_le32(list, &s->gpa) < 0 || ctr_rd_le32(list, &s->size) < 0 ||
	    ctr_rd_le32(list, &s->type) < 0)
		return ctr_fail(e, CTR_FORMAT, "firmware.metadata", "ASEV metadata: cut off");
	if (!(s->type >= FW_SEV_MEMORY && s->type <= FW_SEV_CALLING_AREA) &&
	    s->type != FW_SEV_KERNEL_HASHES)
		return ctr_fail(e, CTR_FORMAT, "firmware.section",
				"section at 0x%x: unknown type %u", s->gpa, s->type);
	if (!whole_pages(s->gpa, s->size) || s->size > UINT32_MAX - s->gpa)
		return ctr_fail(e, CTR_FORMAT, "firmware.section",
				"section at 0x%x, 0x%x bytes: no whole pages below 4 GiB", s->gpa,
				s->size);
	if ((s->type == FW_SEV_SECRETS || s->type == FW_SEV_CPUID) && s->size != FIRMWARE_PAGE)
		return ctr_fail(e, CTR_FORMAT, "firmware.section",
				"section at 0x%x: 0x%x bytes (expected one page)", s->gpa, s->size);
	*total += s->size;
	if (*total > FIRMWARE_MEMORY)
		return ctr_fail(e, CTR_FORMAT, "firmware.section",
				"the sections name more memory than any firmware needs");
	return 0;
}

int firmware_snp(const void *p, size_t n, struct firmware *fw, struct ctr_err *e)
{
	struct ctr_rd entries, data, list;
	uint64_t total = 0;
	uint32_t count;

	if (open_image(fw, p, n, e) < 0 || table(fw, &entries, e) < 0 ||
	    need(&entries, guid_reset, "reset block for SEV-ES", &data, e) < 0)
		return -1;
	if (ctr_rd_le32(&data, &fw->ap_eip) < 0 || ctr_rd_end(&data) < 0)
		return ctr_fail(e, CTR_FORMAT, "firmware.entry",
				"reset block: wrong size (expected 4 bytes)");
	if (find(&entries, guid_hashes, &data, &fw->has_hashes, e) < 0)
		return -1;
	if (fw->has_hashes && (ctr_rd_le32(&data, &fw->hashes_gpa) < 0 ||
			       ctr_rd_le32(&data, &fw->hashes_size) < 0 || ctr_rd_end(&data) < 0))
		return ctr_fail(e, CTR_FORMAT, "firmware.entry",
				"kernel hash area: wrong size (expected 8 bytes)");
	if (need(&entries, guid_sev, "SEV metadata (no firmware for SEV-SNP?)", &data, e) < 0 ||
	    metadata(fw, &data, "ASEV", 12, &list, &count, e) < 0)
		return -1;
	for (; fw->n_sev < count; fw->n_sev++) {
		if (sev_section(&list, &fw->sev[fw->n_sev], &total, e) < 0)
			return -1;
	}
	return 0;
}

static int td_section(const struct firmware *fw, struct ctr_rd *list, struct fw_td_section *s,
		      uint64_t *total, struct ctr_err *e)
{
	uint32_t offset = 0, raw = 0;

	if (ctr_rd_le32(list, &offset) < 0 || ctr_rd_le32(list, &raw) < 0 ||
	    ctr_rd_le64(list, &s->gpa) < 0 || ctr_rd_le64(list, &s->size) < 0 ||
	    ctr_rd_le32(list, &s->type) < 0 || ctr_rd_le32(list, &s->attributes) < 0)
		return ctr_fail(e, CTR_FORMAT, "firmware.metadata", "TDVF metadata: cut off");
	if (s->type > FW_TD_PARAMETERS || (s->attributes & ~(FW_TD_EXTEND | FW_TD_AUG)))
		return ctr_fail(e, CTR_FORMAT, "firmware.section",
				"section %u: unknown type %u or attributes 0x%x",
				(unsigned)fw->n_td, s->type, s->attributes);
	if (!whole_pages(s->gpa, s->size) || s->size > UINT64_MAX - s->gpa || raw > s->size)
		return ctr_fail(e, CTR_FORMAT, "firmware.section",
				"section %u: no whole pages, or more data than memory",
				(unsigned)fw->n_td);
	if (part(&fw->image, offset, raw, &s->data) < 0)
		return ctr_fail(e, CTR_FORMAT, "firmware.section",
				"section %u: its data is outside of the image", (unsigned)fw->n_td);
	if ((s->attributes & FW_TD_EXTEND) && (s->attributes & FW_TD_AUG))
		return ctr_fail(e, CTR_FORMAT, "firmware.section",
				"section %u: measured, but not added at build time",
				(unsigned)fw->n_td);
	if (s->attributes & FW_TD_AUG)
		return 0;
	*total = s->size > FIRMWARE_MEMORY ? UINT64_MAX : *total + s->size;
	if (*total > FIRMWARE_MEMORY)
		return ctr_fail(e, CTR_FORMAT, "firmware.section",
				"the sections name more memory than any firmware needs");
	return 0;
}

int firmware_tdx(const void *p, size_t n, struct firmware *fw, struct ctr_err *e)
{
	struct ctr_rd entries, data, list;
	uint64_t total = 0;
	uint32_t count;

	if (open_image(fw, p, n, e) < 0 || table(fw, &entries, e) < 0 ||
	    need(&entries, guid_tdx, "TDX metadata (no firmware for TDX?)", &data, e) < 0 ||
	    metadata(fw, &data, "TDVF", 32, &list, &count, e) < 0)
		return -1;
	for (; fw->n_td < count; fw->n_td++) {
		if (td_section(fw, &list, &fw->td[fw->n_td], &total, e) < 0)
			return -1;
	}
	return 0;
}
