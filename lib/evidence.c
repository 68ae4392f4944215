#include "evidence.h"

#include <string.h>

#include "cbor.h"
#include "enc.h"

/*
 * The CMW record's type (RFC 9999). The content format is from the range for experiments (RFC 7252
 * section 12.3), until one is registered; its tag is the one that RFC 9277 section 4.3 gives.
 */
#define MEDIA_TYPE "application/vnd.ctr.evidence+cbor"
#define CONTENT_FORMAT 65000
#define TAG (UINT64_C(1668546817) + CONTENT_FORMAT / 255 * 256 + CONTENT_FORMAT % 255)
#define IND_ENDORSEMENTS 2
#define IND_EVIDENCE 4

#define SNP_SIZE 1184

const char *const ctr_tee_names[2] = { "snp", "tdx" };

const char *const ctr_item_names[CTR_ITEMS] = {
	[CTR_REPORT] = "report",
	[CTR_VCEK] = "vcek",
	[CTR_VLEK] = "vlek",
	[CTR_ASK] = "ask",
	[CTR_ARK] = "ark",
	[CTR_CRL] = "crl",
	[CTR_TCB_INFO] = "tcb_info",
	[CTR_TCB_INFO_CHAIN] = "tcb_info_chain",
	[CTR_QE_IDENTITY] = "qe_identity",
	[CTR_QE_IDENTITY_CHAIN] = "qe_identity_chain",
	[CTR_PCK_CRL] = "pck_crl",
	[CTR_PCK_CRL_CHAIN] = "pck_crl_chain",
	[CTR_ROOT_CRL] = "root_crl",
};

/* The container's maps and what stands in each, in the order of the keys' encodings. */
enum group { TOP, CERTS, COLLATERAL, GROUPS };
static const struct {
	const char *name; /* in the outer map */
	enum ctr_item v[7];
	size_t n;
} groups[GROUPS] = {
	[TOP] = { "", { CTR_CRL, CTR_REPORT }, 2 },
	[CERTS] = { "certs", { CTR_ARK, CTR_ASK, CTR_VCEK, CTR_VLEK }, 4 },
	[COLLATERAL] = { "collateral",
			 { CTR_PCK_CRL, CTR_ROOT_CRL, CTR_TCB_INFO, CTR_QE_IDENTITY,
			   CTR_PCK_CRL_CHAIN, CTR_TCB_INFO_CHAIN, CTR_QE_IDENTITY_CHAIN },
			 7 },
};

void ctr_evidence_free(struct ctr_evidence *ev)
{
	for (size_t i = 0; i < CTR_ITEMS; i++)
		ctr_buf_free(&ev->item[i]);
	*ev = (struct ctr_evidence){ 0 };
}

static int get_item(const struct ctr_cval *map, enum ctr_item which, struct ctr_evidence *ev,
		    struct ctr_err *e)
{
	struct ctr_cval v = ctr_cget(map, ctr_item_names[which]);
	struct ctr_rd r;

	if (!v.there && which != CTR_REPORT)
		return 0;
	if (ctr_cbytes(&v, CTR_EVIDENCE_ITEM_MAX, &r, e) < 0)
		return -1;
	if (r.left == 0)
		return ctr_cfail(&v, e, "cbor.size", "empty (expected at least one byte)");
	ctr_buf_add(&ev->item[which], r.p, r.left);
	return ctr_buf_ok(&ev->item[which], ctr_item_names[which], e);
}

static int get_group(const struct ctr_cval *map, enum group g, struct ctr_evidence *ev,
		     struct ctr_err *e)
{
	for (size_t i = 0; i < groups[g].n; i++) {
		if (get_item(map, groups[g].v[i], ev, e) < 0)
			return -1;
	}
	return 0;
}

static int get_submap(const struct ctr_cval *top, enum group g, struct ctr_evidence *ev,
		      struct ctr_err *e)
{
	struct ctr_cval map = ctr_cget(top, groups[g].name);
	const char *keys[8] = { NULL };

	if (!map.there)
		return 0;
	for (size_t i = 0; i < groups[g].n; i++)
		keys[i] = ctr_item_names[groups[g].v[i]];
	if (ctr_cmap(&map, e) < 0 || ctr_conly(&map, keys, e) < 0)
		return -1;
	return get_group(&map, g, ev, e);
}

static int get_tee(const struct ctr_cval *top, enum ctr_tee *tee, struct ctr_err *e)
{
	struct ctr_cval v = ctr_cget(top, "tee");
	struct ctr_rd r;

	if (ctr_ctext(&v, 16, &r, e) < 0)
		return -1;
	*tee = ctr_ctext_is(&v, "tdx") ? CTR_TEE_TDX : CTR_TEE_SNP;
	if (!ctr_ctext_is(&v, ctr_tee_names[*tee]))
		return ctr_cfail(&v, e, "cbor.type", "unknown (expected \"snp\" or \"tdx\")");
	return 0;
}

/* What endorses the one is unknown beside the other. */
static int get_container(const struct ctr_cval *top, struct ctr_evidence *ev, struct ctr_err *e)
{
	static const char *const keys[][5] = {
		[CTR_TEE_SNP] = { "crl", "tee", "certs", "report" },
		[CTR_TEE_TDX] = { "tee", "report", "collateral" },
	};

	if (ctr_cmap(top, e) < 0 || get_tee(top, &ev->tee, e) < 0 ||
	    ctr_conly(top, keys[ev->tee], e) < 0)
		return -1;
	if (get_group(top, TOP, ev, e) < 0 || get_submap(top, CERTS, ev, e) < 0)
		return -1;
	return get_submap(top, COLLATERAL, ev, e);
}

static int parse_bytes(const struct ctr_rd *r, struct ctr_evidence *ev, struct ctr_err *e)
{
	ctr_auto_cbor struct ctr_cbor *c = NULL;
	struct ctr_cval top;

	if (ctr_cbor_parse(r->p, r->left, 2, &c, e) < 0)
		return ctr_wrap(e, "within the record");
	top = ctr_croot(c);
	return get_container(&top, ev, e);
}

static int cmw(const struct ctr_cval *v, struct ctr_err *e, const char *what)
{
	return ctr_cfail(v, e, "evidence.cmw", "%s", what);
}

/* [type, value, ind?] */
static int get_record(const struct ctr_cval *rec, struct ctr_evidence *ev, struct ctr_err *e)
{
	struct ctr_cval type = ctr_cfirst(rec), value, ind;
	struct ctr_rd r;
	uint64_t n;

	if (ctr_ccount(rec) < 2 || ctr_ccount(rec) > 3)
		return cmw(rec, e, "not two or three items (expected type, value, ind)");
	value = ctr_cnext(&type);
	ind = ctr_cnext(&value);
	if (!ctr_ctext_is(&type, MEDIA_TYPE) &&
	    (ctr_cuint(&type, UINT64_MAX, &n, NULL) < 0 || n != CONTENT_FORMAT))
		return cmw(&type, e, "another type (expected " MEDIA_TYPE ")");
	if (ctr_ctype(&value) != CTR_CBOR_BYTES)
		return cmw(&value, e, "the value is no byte string");
	if (ind.there && (ctr_cuint(&ind, UINT32_MAX, &n, NULL) < 0 || !(n & IND_EVIDENCE)))
		return cmw(&ind, e, "not marked as evidence");
	if (ctr_cbytes(&value, CTR_EVIDENCE_MAX, &r, e) < 0)
		return -1;
	return parse_bytes(&r, ev, e);
}

/* Tag forms have the container as it is, or in a byte string. */
static int get_tagged(const struct ctr_cval *v, struct ctr_evidence *ev, struct ctr_err *e)
{
	struct ctr_cval inner;
	struct ctr_rd r;
	uint64_t tag;

	if (ctr_ctag(v, &tag, &inner, e) < 0)
		return -1;
	if (tag != TAG)
		return cmw(v, e, "another tag (expected that of " MEDIA_TYPE ")");
	if (ctr_ctype(&inner) != CTR_CBOR_BYTES)
		return get_container(&inner, ev, e);
	if (ctr_cbytes(&inner, CTR_EVIDENCE_MAX, &r, e) < 0)
		return -1;
	return parse_bytes(&r, ev, e);
}

static int parse(const uint8_t *p, size_t n, struct ctr_evidence *ev, struct ctr_err *e)
{
	ctr_auto_cbor struct ctr_cbor *c = NULL;
	struct ctr_cval root;

	if (n > CTR_EVIDENCE_MAX)
		return ctr_fail(e, CTR_FORMAT, "evidence.size",
				"evidence of %zu bytes (expected at most %zu)", n,
				CTR_EVIDENCE_MAX);
	if (ctr_cbor_parse(p, n, 3, &c, e) < 0)
		return -1;
	root = ctr_croot(c);
	switch (ctr_ctype(&root)) {
	case CTR_CBOR_ARRAY:
		return get_record(&root, ev, e);
	case CTR_CBOR_TAG:
		return get_tagged(&root, ev, e);
	default:
		return get_container(&root, ev, e);
	}
}

/* The ids of this module for those of CBOR. */
static void rename_fault(struct ctr_err *why)
{
	static const char *const ids[][2] = {
		{ "cbor.unknown", "evidence.key" },	    { "cbor.key", "evidence.key" },
		{ "cbor.duplicate", "evidence.duplicate" }, { "cbor.type", "evidence.type" },
		{ "cbor.missing", "evidence.missing" },	    { "cbor.size", "evidence.size" },
	};

	for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
		if (strcmp(why->id, ids[i][0]) == 0)
			why->id = ids[i][1];
	}
	if (strncmp(why->id, "cbor.", 5) == 0)
		why->id = "evidence.cbor";
}

int ctr_evidence_parse(const uint8_t *p, size_t n, struct ctr_evidence *ev, struct ctr_err *e)
{
	struct ctr_err why = { 0 };

	if (parse(p, n, ev, &why) == 0)
		return 0;
	ctr_evidence_free(ev);
	rename_fault(&why);
	ctr_wrap(&why, "evidence");
	return ctr_err_pass(e, &why);
}

static size_t present(const struct ctr_evidence *ev, enum group g)
{
	size_t n = 0;

	for (size_t i = 0; i < groups[g].n; i++)
		n += ev->item[groups[g].v[i]].n > 0;
	return n;
}

static void put_item(const struct ctr_evidence *ev, enum ctr_item which, struct ctr_buf *b)
{
	const struct ctr_buf *item = &ev->item[which];

	if (item->n == 0)
		return;
	ctr_cbor_text(b, ctr_item_names[which]);
	ctr_cbor_bytes(b, item->p, item->n);
}

static void put_group(const struct ctr_evidence *ev, enum group g, struct ctr_buf *b)
{
	size_t n = present(ev, g);

	if (n == 0)
		return;
	ctr_cbor_text(b, groups[g].name);
	ctr_cbor_map(b, n);
	for (size_t i = 0; i < groups[g].n; i++)
		put_item(ev, groups[g].v[i], b);
}

/* Only what reading would accept again. */
static int check(const struct ctr_evidence *ev, struct ctr_err *e)
{
	size_t foreign = ev->tee == CTR_TEE_SNP ? present(ev, COLLATERAL)
						: present(ev, CERTS) + (ev->item[CTR_CRL].n > 0);

	if (ev->item[CTR_REPORT].n == 0)
		return ctr_fail(e, CTR_FORMAT, "evidence.missing", "evidence without a report");
	if (foreign)
		return ctr_fail(e, CTR_FORMAT, "evidence.key",
				"evidence of the other kind of machine beside the %s report",
				ctr_tee_names[ev->tee]);
	for (size_t i = 0; i < CTR_ITEMS; i++) {
		if (ev->item[i].n > CTR_EVIDENCE_ITEM_MAX)
			return ctr_fail(e, CTR_FORMAT, "evidence.size",
					"%s of %zu bytes (expected at most %zu)", ctr_item_names[i],
					ev->item[i].n, CTR_EVIDENCE_ITEM_MAX);
	}
	return 0;
}

int ctr_evidence_print(const struct ctr_evidence *ev, struct ctr_buf *b, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf in = { .max = CTR_EVIDENCE_MAX }, out = { 0 };
	size_t certs = present(ev, CERTS), coll = present(ev, COLLATERAL);
	bool endorsed = certs || coll || ev->item[CTR_CRL].n;

	if (check(ev, e) < 0)
		return -1;
	ctr_cbor_map(&in, 2 + (ev->item[CTR_CRL].n > 0) + (certs > 0) + (coll > 0));
	put_item(ev, CTR_CRL, &in);
	ctr_cbor_text(&in, "tee");
	ctr_cbor_text(&in, ctr_tee_names[ev->tee]);
	put_group(ev, CERTS, &in);
	put_item(ev, CTR_REPORT, &in);
	put_group(ev, COLLATERAL, &in);
	ctr_cbor_array(&out, 3);
	ctr_cbor_text(&out, MEDIA_TYPE);
	ctr_cbor_bytes(&out, in.p, in.n);
	ctr_cbor_uint(&out, IND_EVIDENCE | (endorsed ? IND_ENDORSEMENTS : 0));
	if (in.bad == CTR_BUF_LIMIT || (!in.bad && out.n > CTR_EVIDENCE_MAX))
		return ctr_fail(e, CTR_FORMAT, "evidence.size", "evidence of more than %zu bytes",
				CTR_EVIDENCE_MAX);
	if (ctr_buf_ok(&in, "evidence", e) < 0 || ctr_buf_ok(&out, "evidence", e) < 0)
		return -1;
	ctr_buf_add(b, out.p, out.n);
	return ctr_buf_ok(b, "evidence", e);
}

static int form(struct ctr_err *e, const char *what)
{
	ctr_fail(e, CTR_FORMAT, "evidence.form", "%s", what);
	return ctr_err_fix(e, "give evidence as ctr-evidence(5) describes it");
}

static int keep_report(enum ctr_tee tee, const uint8_t *p, size_t n, struct ctr_evidence *ev,
		       struct ctr_err *e)
{
	if (n > CTR_EVIDENCE_ITEM_MAX)
		return ctr_fail(e, CTR_FORMAT, "evidence.size",
				"a report of %zu bytes (expected at most %zu)", n,
				CTR_EVIDENCE_ITEM_MAX);
	ev->tee = tee;
	ctr_buf_add(&ev->item[CTR_REPORT], p, n);
	return ctr_buf_ok(&ev->item[CTR_REPORT], "report", e);
}

/*
 * An Azure vTPM's report: a header of 32 bytes, an area of 1184 for the hardware's report, then
 * size, version and type (2: SNP, 4: TDX) of the request. What follows is bound by REPORT_DATA.
 */
static int read_hcl(const uint8_t *p, size_t n, struct ctr_evidence *ev, struct ctr_err *e)
{
	struct ctr_rd r, skip, report;
	uint32_t type;

	ctr_rd_init(&r, p, n);
	if (ctr_rd_take(&r, 32, &skip) < 0 || ctr_rd_take(&r, SNP_SIZE, &report) < 0 ||
	    ctr_rd_take(&r, 8, &skip) < 0 || ctr_rd_le32(&r, &type) < 0)
		return form(e, "an HCL report that is cut short");
	if (type == 4)
		return form(e, "an HCL report of a TDX machine, which no one else can verify "
			       "(expected its quote)");
	if (type != 2)
		return form(e, "an HCL report without an SNP report");
	return keep_report(CTR_TEE_SNP, report.p, report.left, ev, e);
}

/* Version 4 or later, a key type that is not zero (in an SNP report that is), TEE type 0x81. */
static bool is_quote(const uint8_t *p, size_t n)
{
	uint16_t version, key;
	struct ctr_rd r;
	uint32_t tee;

	ctr_rd_init(&r, p, n);
	return ctr_rd_le16(&r, &version) == 0 && ctr_rd_le16(&r, &key) == 0 &&
	       ctr_rd_le32(&r, &tee) == 0 && version >= 4 && key != 0 && tee == 0x81;
}

static bool starts(const uint8_t *p, size_t n, const char *s)
{
	return n >= strlen(s) && strncmp((const char *)p, s, strlen(s)) == 0;
}

static int read_binary(const uint8_t *p, size_t n, struct ctr_evidence *ev, struct ctr_err *e)
{
	if (n > 0 && p[0] >= 0x80 && p[0] <= 0xdb) /* an array, map or tag: no report begins so */
		return ctr_evidence_parse(p, n, ev, e);
	if (starts(p, n, "HCLA"))
		return read_hcl(p, n, ev, e);
	if (is_quote(p, n))
		return keep_report(CTR_TEE_TDX, p, n, ev, e);
	if (n == SNP_SIZE)
		return keep_report(CTR_TEE_SNP, p, n, ev, e);
	return form(e, "no form of evidence (expected CBOR, an SNP report of 1184 bytes, a TDX "
		       "quote, or an HCL report)");
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The digits of text without blanks. False when a byte is no digit of hexadecimal or base64. */
static bool digits(const uint8_t *p, size_t n, struct ctr_buf *b, bool *hex)
{
	static const char set[] =
		"0123456789abcdefABCDEFghijklmnopqrstuvwxyzGHIJKLMNOPQRSTUVWXYZ+/=";

	*hex = true;
	for (size_t i = 0; i < n; i++) {
		const char *at = p[i] ? strchr(set, p[i]) : NULL;

		if (is_blank(p[i]))
			continue;
		if (!at)
			return false;
		*hex = *hex && at - set < 22;
		ctr_buf_addc(b, (char)p[i]);
	}
	return b->n > 0;
}

static int from_hex(const struct ctr_buf *text, struct ctr_buf *out, struct ctr_err *e)
{
	uint8_t *to = ctr_buf_room(out, text->n / 2);

	if (!to)
		return ctr_buf_ok(out, "evidence", e);
	if (ctr_hex_parse(text->p, text->n, to, text->n / 2, e) < 0)
		return -1;
	ctr_buf_commit(out, text->n / 2);
	return 0;
}

int ctr_evidence_read(const uint8_t *p, size_t n, struct ctr_evidence *ev, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf text = { 0 }, raw = { 0 };
	struct ctr_err why = { 0 };
	bool hex;

	/* room for lines of hexadecimal digits */
	if (n > 3 * CTR_EVIDENCE_MAX)
		return ctr_fail(e, CTR_FORMAT, "evidence.size", "evidence of %zu bytes", n);
	if (!digits(p, n, &text, &hex))
		return read_binary(p, n, ev, e);
	if (ctr_buf_ok(&text, "evidence", e) < 0)
		return -1;
	if ((hex ? from_hex(&text, &raw, &why) : ctr_base64_parse(text.p, text.n, &raw, &why)) <
	    0) {
		if (why.code != CTR_FORMAT)
			return ctr_err_pass(e, &why);
		return form(e, hex ? "an odd number of hexadecimal digits" : "broken base64");
	}
	return read_binary((const uint8_t *)ctr_buf_str(&raw), raw.n, ev, e);
}
