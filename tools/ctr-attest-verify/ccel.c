#include "ccel.h"

#include <stdlib.h>
#include <string.h>

#include "rd.h"

#define ALG_SHA384 0x000c
#define ALGS 16
#define NO_ACTION 3

struct alg {
	uint16_t id, size;
};

struct parser {
	struct ctr_rd r;
	struct alg algs[ALGS];
	uint32_t n_algs;
	size_t cap;
	struct ccel *log;
};

void ccel_free(struct ccel *log)
{
	free(log->events);
	*log = (struct ccel){ 0 };
}

static int grow(struct parser *p, struct ctr_err *e)
{
	struct ccel_event *v;

	if (p->log->n < p->cap)
		return 0;
	if (p->cap >= CCEL_EVENTS)
		return ctr_fail(e, CTR_FORMAT, "limit", "event log: more than %d events",
				CCEL_EVENTS);
	p->cap = p->cap ? 2 * p->cap : 64;
	v = realloc(p->log->events, p->cap * sizeof *v);
	if (!v)
		return ctr_fail_mem(e);
	p->log->events = v;
	return 0;
}

static int bad_header(struct ctr_err *e)
{
	return ctr_fail(
		e, CTR_FORMAT, "eventlog.header",
		"event log: does not begin with a sound Spec ID event that announces SHA-384");
}

/* The sizes that the algorithm registry gives; 0 for the others, whose size the header says. */
static uint16_t fixed_size(uint16_t id)
{
	static const struct alg known[] = {
		{ 0x4, 20 }, { 0xb, 32 }, { 0xc, 48 }, { 0xd, 64 }, { 0x12, 32 }
	};

	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		if (known[i].id == id)
			return known[i].size;
	}
	return 0;
}

static const struct alg *find_alg(const struct parser *p, uint16_t id)
{
	for (uint32_t i = 0; i < p->n_algs; i++) {
		if (p->algs[i].id == id)
			return &p->algs[i];
	}
	return NULL;
}

/* The data of the Spec ID event: signature, class, versions, algorithms, vendor's data. */
static int algorithms(struct parser *p, struct ctr_rd *d)
{
	uint8_t sign[16] = { 0 }, vendor = 0;
	struct ctr_rd skip;
	uint32_t n = 0;

	if (ctr_rd_copy(d, sign, sizeof sign) < 0 ||
	    !ctr_same(sign, "Spec ID Event03", sizeof sign) || ctr_rd_take(d, 8, &skip) < 0 ||
	    ctr_rd_le32(d, &n) < 0 || n == 0 || n > ALGS)
		return -1;
	while (p->n_algs < n) {
		struct alg a = { 0 };

		if (ctr_rd_le16(d, &a.id) < 0 || ctr_rd_le16(d, &a.size) < 0 || a.size == 0 ||
		    find_alg(p, a.id) || (fixed_size(a.id) && fixed_size(a.id) != a.size))
			return -1;
		p->algs[p->n_algs++] = a;
	}
	if (ctr_rd_u8(d, &vendor) < 0 || ctr_rd_take(d, vendor, &skip) < 0 || ctr_rd_end(d) < 0)
		return -1;
	return find_alg(p, ALG_SHA384) ? 0 : -1;
}

/* The first record has the old form: one digest of 20 bytes. */
static int header(struct parser *p, struct ctr_err *e)
{
	struct ccel_event ev = { 0 };
	struct ctr_rd data;

	if (ctr_rd_le32(&p->r, &ev.index) < 0 || ev.index > CCEL_RTMRS ||
	    ctr_rd_le32(&p->r, &ev.type) < 0 || ev.type != NO_ACTION ||
	    ctr_rd_zeros(&p->r, 20) < 0 || ctr_rd_le32(&p->r, &ev.size) < 0 ||
	    ctr_rd_take(&p->r, ev.size, &data) < 0 || algorithms(p, &data) < 0)
		return bad_header(e);
	p->log->used = p->r.at;
	return 0;
}

static int bad_event(const struct parser *p, const char *why, struct ctr_err *e)
{
	return ctr_fail(e, CTR_FORMAT, "eventlog.event", "event log: event %zu at byte %zu: %s",
			p->log->n, p->log->used, why);
}

/* Filler: an area is larger than its log. */
static bool at_end(const struct parser *p)
{
	struct ctr_rd r = p->r;
	uint32_t index = 0, type = 0;
	uint8_t all = 0, any = 0xff, b;

	if (r.left >= 8) {
		bool head = ctr_rd_le32(&r, &index) == 0 && ctr_rd_le32(&r, &type) == 0;

		return head && (index == 0xffffffff || (index == 0 && type == 0));
	}
	while (ctr_rd_u8(&r, &b) == 0) {
		all |= b;
		any &= b;
	}
	return all == 0 || any == 0xff;
}

static int digests(struct parser *p, struct ccel_event *ev, struct ctr_err *e)
{
	bool found = false;
	uint32_t n = 0;

	if (ctr_rd_le32(&p->r, &n) < 0 || n > p->n_algs)
		return bad_event(p, "cut off, or more digests than the header announces", e);
	while (n-- > 0) {
		const struct alg *a;
		struct ctr_rd skip;
		uint16_t id = 0;

		if (ctr_rd_le16(&p->r, &id) < 0)
			return bad_event(p, "cut off", e);
		a = find_alg(p, id);
		if (!a || (id == ALG_SHA384 && found))
			return bad_event(
				p, "a digest that the header does not announce, or one twice", e);
		found |= id == ALG_SHA384;
		if ((id == ALG_SHA384 ? ctr_rd_copy(&p->r, ev->digest, CCEL_DIGEST)
				      : ctr_rd_take(&p->r, a->size, &skip)) < 0)
			return bad_event(p, "cut off", e);
	}
	return found ? 0 : bad_event(p, "no SHA-384 digest", e);
}

static int extend(struct ccel *log, struct ccel_event *ev, struct ctr_err *e)
{
	uint8_t b[2 * CCEL_DIGEST], *reg;

	if (ev->type == NO_ACTION)
		return 0;
	reg = log->rtmr[ev->index - 1];
	memcpy(b, reg, CCEL_DIGEST);
	memcpy(b + CCEL_DIGEST, ev->digest, CCEL_DIGEST);
	ev->extended = true;
	return ctr_hash(CTR_SHA384, b, sizeof b, reg, e);
}

static int event(struct parser *p, struct ctr_err *e)
{
	struct ccel_event ev = { 0 };
	uint8_t digest[CCEL_DIGEST];
	struct ctr_rd data;

	if (ctr_rd_le32(&p->r, &ev.index) < 0 || ctr_rd_le32(&p->r, &ev.type) < 0)
		return bad_event(p, "cut off", e);
	if (ev.index > CCEL_RTMRS || (ev.index == 0 && ev.type != NO_ACTION))
		return bad_event(p, "a register that no event can extend", e);
	if (digests(p, &ev, e) < 0)
		return -1;
	if (ctr_rd_le32(&p->r, &ev.size) < 0 || ctr_rd_take(&p->r, ev.size, &data) < 0)
		return bad_event(p, "its data is cut off", e);
	if (grow(p, e) < 0 || ctr_hash(CTR_SHA384, data.p, data.left, digest, e) < 0)
		return -1;
	ev.bound = ctr_same(digest, ev.digest, CCEL_DIGEST);
	if (extend(p->log, &ev, e) < 0)
		return -1;
	p->log->events[p->log->n++] = ev;
	p->log->used = p->r.at;
	return 0;
}

int ccel_replay(const void *bytes, size_t n, struct ccel *log, struct ctr_err *e)
{
	struct parser p = { .log = log };

	ctr_rd_init(&p.r, bytes, n);
	if (header(&p, e) < 0)
		return -1;
	while (!at_end(&p)) {
		if (event(&p, e) < 0)
			return -1;
	}
	return 0;
}

int ccel_quote(const void *bytes, size_t n, uint8_t rtmr[CCEL_RTMRS][CCEL_DIGEST],
	       struct ctr_err *e)
{
	const size_t header = 48, before = 328; /* bytes of a TD report before RTMR0 */
	uint16_t version = 0, key = 0, body = 2;
	uint32_t tee = 0, size = 584;
	struct ctr_rd r, skip, report;

	ctr_rd_init(&r, bytes, n);
	if (ctr_rd_le16(&r, &version) < 0 || ctr_rd_le16(&r, &key) < 0 ||
	    ctr_rd_le32(&r, &tee) < 0 || (version != 4 && version != 5) || tee != 0x81 ||
	    ctr_rd_take(&r, header - 8, &skip) < 0)
		return ctr_fail(e, CTR_FORMAT, "eventlog.quote",
				"quote: not a TDX quote of version 4 or 5");
	if (version == 5 && (ctr_rd_le16(&r, &body) < 0 || ctr_rd_le32(&r, &size) < 0))
		return ctr_fail(e, CTR_FORMAT, "eventlog.quote", "quote: cut off");
	if (!(body == 2 && size == 584) && !(body == 3 && size == 648))
		return ctr_fail(e, CTR_FORMAT, "eventlog.quote",
				"quote: report of type %u with %u bytes", body, size);
	if (ctr_rd_take(&r, size, &report) < 0 || ctr_rd_take(&report, before, &skip) < 0)
		return ctr_fail(e, CTR_FORMAT, "eventlog.quote", "quote: cut off");
	for (int i = 0; i < CCEL_RTMRS; i++) {
		if (ctr_rd_copy(&report, rtmr[i], CCEL_DIGEST) < 0)
			return ctr_fail(e, CTR_FORMAT, "eventlog.quote", "quote: cut off");
	}
	return 0;
}

const char *ccel_type(uint32_t type)
{
	static const struct {
		uint32_t type;
		const char *name;
	} names[] = {
		{ 0x3, "EV_NO_ACTION" },
		{ 0x4, "EV_SEPARATOR" },
		{ 0x5, "EV_ACTION" },
		{ 0x6, "EV_EVENT_TAG" },
		{ 0x7, "EV_S_CRTM_CONTENTS" },
		{ 0x8, "EV_S_CRTM_VERSION" },
		{ 0xa, "EV_PLATFORM_CONFIG_FLAGS" },
		{ 0xc, "EV_COMPACT_HASH" },
		{ 0xd, "EV_IPL" },
		{ 0xe, "EV_IPL_PARTITION_DATA" },
		{ 0x80000001, "EV_EFI_VARIABLE_DRIVER_CONFIG" },
		{ 0x80000002, "EV_EFI_VARIABLE_BOOT" },
		{ 0x80000003, "EV_EFI_BOOT_SERVICES_APPLICATION" },
		{ 0x80000004, "EV_EFI_BOOT_SERVICES_DRIVER" },
		{ 0x80000005, "EV_EFI_RUNTIME_SERVICES_DRIVER" },
		{ 0x80000006, "EV_EFI_GPT_EVENT" },
		{ 0x80000007, "EV_EFI_ACTION" },
		{ 0x80000008, "EV_EFI_PLATFORM_FIRMWARE_BLOB" },
		{ 0x80000009, "EV_EFI_HANDOFF_TABLES" },
		{ 0x8000000a, "EV_EFI_PLATFORM_FIRMWARE_BLOB2" },
		{ 0x8000000b, "EV_EFI_HANDOFF_TABLES2" },
		{ 0x8000000c, "EV_EFI_VARIABLE_BOOT2" },
		{ 0x800000e0, "EV_EFI_VARIABLE_AUTHORITY" },
	};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (names[i].type == type)
			return names[i].name;
	}
	return NULL;
}
