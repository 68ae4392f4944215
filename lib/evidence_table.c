#include "evidence.h"

#include <string.h>

#include "enc.h"
#include "x509.h"

/*
 * The certificate table of an extended report (AMD 56421): entries of 24 bytes up to one of zeros,
 * then the data. The host made it, so nothing in it is believed.
 */
#define ENTRY 24
#define ENTRIES_MAX 64
#define GUID_TEXT 37

struct entry {
	char guid[GUID_TEXT];
	uint32_t offset, length;
};

struct table {
	struct entry v[ENTRIES_MAX];
	size_t n;
};

/* GUIDs in the order of their text. */
static const struct {
	char guid[GUID_TEXT];
	enum ctr_item item;
} known[] = {
	{ "63da758d-e664-4564-adc5-f4b93be8accd", CTR_VCEK },
	{ "a8074bc2-a25a-483e-aae6-39c045a0b8a1", CTR_VLEK },
	{ "4ab7b379-bbac-4fe4-a02f-05aef327c782", CTR_ASK },
	{ "c0b406a4-a803-4952-9743-3fb6014cd0ae", CTR_ARK },
	{ "92f81bc3-5811-4d3d-97ff-d19f88dc67ea", CTR_CRL },
};

static int bad(struct ctr_err *e, size_t i, const char *what)
{
	return ctr_fail(e, CTR_FORMAT, "cert-table", "certificate table: entry %zu %s", i, what);
}

static int guid_text(const struct ctr_rd *raw, char text[GUID_TEXT], struct ctr_err *e)
{
	static const size_t dashes[] = { 4, 6, 8, 10 };
	ctr_auto_buf struct ctr_buf b = { 0 };
	size_t from = 0;

	for (size_t i = 0; i < 4; i++) {
		ctr_hex_add(&b, raw->p + from, dashes[i] - from);
		ctr_buf_addc(&b, '-');
		from = dashes[i];
	}
	ctr_hex_add(&b, raw->p + from, 16 - from);
	if (ctr_buf_ok(&b, "GUID", e) < 0)
		return -1;
	memcpy(text, b.p, GUID_TEXT);
	return 0;
}

static int read_entries(struct ctr_rd *r, struct table *t, struct ctr_err *e)
{
	for (t->n = 0;; t->n++) {
		struct ctr_rd raw = *r, guid;
		struct entry *en = &t->v[t->n];

		if (ctr_rd_zeros(&raw, ENTRY) == 0) {
			*r = raw;
			return 0;
		}
		if (r->left < ENTRY)
			return bad(e, t->n, "is missing (expected one of zeros at the end)");
		if (t->n == ENTRIES_MAX)
			return bad(e, t->n, "is one too many");
		if (ctr_rd_take(r, 16, &guid) < 0 || ctr_rd_le32(r, &en->offset) < 0 ||
		    ctr_rd_le32(r, &en->length) < 0 || guid_text(&guid, en->guid, e) < 0)
			return bad(e, t->n, "is cut short");
	}
}

static int check_entries(const struct table *t, size_t header, size_t n, struct ctr_err *e)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct entry *en = &t->v[i];

		if (en->length == 0 || en->length > CTR_EVIDENCE_ITEM_MAX)
			return bad(e, i, "is empty or too large");
		if (en->offset < header)
			return bad(e, i, "points into the header");
		if (en->offset > n || en->length > n - en->offset)
			return bad(e, i, "ends behind the table");
		for (size_t k = 0; k < i; k++) {
			if (strcmp(t->v[k].guid, en->guid) == 0)
				return bad(e, i, "is there twice");
		}
	}
	return 0;
}

static size_t which(const char *guid)
{
	size_t i = 0;

	while (i < sizeof known / sizeof *known && strcmp(known[i].guid, guid) != 0)
		i++;
	return i;
}

int ctr_table_walk(const uint8_t *p, size_t n, ctr_table_fn fn, void *ctx, struct ctr_err *e)
{
	struct ctr_rd r, skip, data;
	struct table t;

	if (n > CTR_EVIDENCE_MAX)
		return ctr_fail(e, CTR_FORMAT, "cert-table",
				"certificate table: %zu bytes (expected at most %zu)", n,
				CTR_EVIDENCE_MAX);
	ctr_rd_init(&r, p, n);
	if (read_entries(&r, &t, e) < 0 || check_entries(&t, r.at, n, e) < 0)
		return -1;
	for (size_t i = 0; i < t.n; i++) {
		size_t k = which(t.v[i].guid);
		const char *kind = k < sizeof known / sizeof *known ? ctr_item_names[known[k].item]
								    : t.v[i].guid;

		ctr_rd_init(&r, p, n);
		if (ctr_rd_take(&r, t.v[i].offset, &skip) < 0 ||
		    ctr_rd_take(&r, t.v[i].length, &data) < 0)
			return bad(e, i, "ends behind the table");
		if (fn(ctx, kind, t.v[i].offset, data.p, data.left, e) < 0)
			return -1;
	}
	return 0;
}

/* A certificate in either form, as DER. */
static int to_der(const char *kind, const uint8_t *p, size_t n, struct ctr_buf *b,
		  struct ctr_err *e)
{
	ctr_auto_chain struct ctr_chain pem = { 0 };
	ctr_auto_x509 X509 *der = NULL;

	if (p[0] == 0x30) {
		if (ctr_x509_der(p, n, kind, &der, e) < 0)
			return -1;
		ctr_buf_add(b, p, n);
		return ctr_buf_ok(b, kind, e);
	}
	if (ctr_x509_pem(p, n, kind, &pem, e) < 0)
		return -1;
	if (pem.n != 1)
		return ctr_fail(e, CTR_FORMAT, "x509.pem", "%s: %zu certificates (expected one)",
				kind, pem.n);
	return ctr_x509_print(pem.v[0], b, e);
}

static int take(void *ctx, const char *kind, size_t offset, const uint8_t *p, size_t n,
		struct ctr_err *e)
{
	struct ctr_evidence *found = ctx;
	ctr_auto_crl X509_CRL *crl = NULL;

	(void)offset;
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		enum ctr_item item = known[i].item;
		struct ctr_buf *b = &found->item[item];

		if (strcmp(ctr_item_names[item], kind) != 0)
			continue;
		if (item != CTR_CRL)
			return to_der(kind, p, n, b, e);
		if (ctr_crl_der(p, n, kind, &crl, e) < 0)
			return -1;
		ctr_buf_add(b, p, n);
		return ctr_buf_ok(b, kind, e);
	}
	return 0;
}

static int add(struct ctr_evidence *ev, struct ctr_evidence *found, const uint8_t *p, size_t n,
	       struct ctr_err *e)
{
	if (ev->tee != CTR_TEE_SNP)
		return ctr_fail(e, CTR_FORMAT, "cert-table",
				"certificate table: beside a report that is not an SNP one");
	if (ctr_table_walk(p, n, take, found, e) < 0)
		return -1;
	for (size_t i = 0; i < CTR_ITEMS; i++) {
		if (ev->item[i].n > 0 || found->item[i].n == 0)
			continue;
		ctr_buf_free(&ev->item[i]);
		ev->item[i] = found->item[i];
		found->item[i] = (struct ctr_buf){ 0 };
	}
	return 0;
}

int ctr_evidence_add_table(struct ctr_evidence *ev, const uint8_t *p, size_t n, struct ctr_err *e)
{
	struct ctr_evidence found = { 0 };
	struct ctr_err why = { 0 };
	int rc = add(ev, &found, p, n, &why);

	ctr_evidence_free(&found);
	if (rc == 0)
		return 0;
	if (why.code == CTR_FORMAT && strcmp(why.id, "cert-table") != 0) {
		why.id = "cert-table";
		ctr_wrap(&why, "certificate table");
	}
	return ctr_err_pass(e, &why);
}
