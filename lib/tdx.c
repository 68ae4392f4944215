#include "tdx.h"

#include "enc.h"

#define HEADER_SIZE 48
#define BODY_10_SIZE 584
#define BODY_15_SIZE 648
#define QE_REPORT_SIZE 384

enum { BODY_10 = 2, BODY_15 = 3 };
enum { KEY_P256 = 2, TEE_TDX = 0x81, CERT_PEM = 5, CERT_QE = 6 };

static const uint8_t intel_vendor[16] = { 0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9,
					  0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07 };

static int too_short(const struct ctr_rd *r, const char *what, struct ctr_err *e)
{
	return ctr_fail(e, CTR_FORMAT, "tdx.length",
			"quote: %s: short or of another length at offset %zu", what, r->at);
}

static int header(struct ctr_rd *r, struct ctr_tdx_quote *q, struct ctr_err *e)
{
	if (ctr_rd_le16(r, &q->version) < 0 || ctr_rd_le16(r, &q->att_key_type) < 0 ||
	    ctr_rd_le32(r, &q->tee_type) < 0 ||
	    ctr_rd_copy(r, q->reserved, sizeof q->reserved) < 0 ||
	    ctr_rd_copy(r, q->qe_vendor_id, sizeof q->qe_vendor_id) < 0 ||
	    ctr_rd_copy(r, q->user_data, sizeof q->user_data) < 0)
		return too_short(r, "header", e);
	if (q->version != 4 && q->version != 5)
		return ctr_fail(e, CTR_FORMAT, "tdx.version", "quote version %u (expected 4 or 5)",
				q->version);
	if (q->att_key_type != KEY_P256)
		return ctr_fail(e, CTR_FORMAT, "tdx.key-type",
				"attestation key type %u (expected 2, ECDSA P-256)",
				q->att_key_type);
	if (q->tee_type != TEE_TDX)
		return ctr_fail(e, CTR_FORMAT, "tdx.tee-type", "TEE type 0x%x (expected 0x81, TDX)",
				q->tee_type);
	if (!ctr_same(q->qe_vendor_id, intel_vendor, sizeof intel_vendor))
		return ctr_fail(e, CTR_FORMAT, "tdx.vendor", "QE vendor id is not Intel's");
	return 0;
}

/* In version 5 the body says what it is; in version 4 it can only be a TD report 1.0. */
static int body_kind(struct ctr_rd *r, struct ctr_tdx_quote *q, struct ctr_err *e)
{
	uint32_t size = BODY_10_SIZE;

	q->body_type = BODY_10;
	if (q->version == 5 && (ctr_rd_le16(r, &q->body_type) < 0 || ctr_rd_le32(r, &size) < 0))
		return too_short(r, "body type", e);
	if ((q->body_type == BODY_10 && size == BODY_10_SIZE) ||
	    (q->body_type == BODY_15 && size == BODY_15_SIZE))
		return 0;
	return ctr_fail(e, CTR_FORMAT, "tdx.body",
			"body type %u, %u bytes (expected 2 with %d or 3 with %d)", q->body_type,
			size, BODY_10_SIZE, BODY_15_SIZE);
}

static int report(struct ctr_rd *r, bool v15, struct ctr_tdx_report *t, struct ctr_err *e)
{
	t->v15 = v15;
	if (ctr_rd_copy(r, t->tee_tcb_svn, sizeof t->tee_tcb_svn) < 0 ||
	    ctr_rd_copy(r, t->mrseam, sizeof t->mrseam) < 0 ||
	    ctr_rd_copy(r, t->mrsignerseam, sizeof t->mrsignerseam) < 0 ||
	    ctr_rd_copy(r, t->seamattributes, sizeof t->seamattributes) < 0 ||
	    ctr_rd_copy(r, t->tdattributes, sizeof t->tdattributes) < 0 ||
	    ctr_rd_copy(r, t->xfam, sizeof t->xfam) < 0 ||
	    ctr_rd_copy(r, t->mrtd, sizeof t->mrtd) < 0 ||
	    ctr_rd_copy(r, t->mrconfigid, sizeof t->mrconfigid) < 0 ||
	    ctr_rd_copy(r, t->mrowner, sizeof t->mrowner) < 0 ||
	    ctr_rd_copy(r, t->mrownerconfig, sizeof t->mrownerconfig) < 0 ||
	    ctr_rd_copy(r, t->rtmr, sizeof t->rtmr) < 0 ||
	    ctr_rd_copy(r, t->reportdata, sizeof t->reportdata) < 0)
		return too_short(r, "TD report", e);
	if (v15 && (ctr_rd_copy(r, t->tee_tcb_svn2, sizeof t->tee_tcb_svn2) < 0 ||
		    ctr_rd_copy(r, t->mrservicetd, sizeof t->mrservicetd) < 0))
		return too_short(r, "TD report", e);
	return 0;
}

/* SGX report body, 384 bytes (Intel SDM volume 3D, table 38-21). */
static int qe_report(struct ctr_rd r, struct ctr_sgx_report *q, struct ctr_err *e)
{
	struct ctr_rd skip;

	if (ctr_rd_copy(&r, q->cpusvn, sizeof q->cpusvn) < 0 ||
	    ctr_rd_copy(&r, q->miscselect, sizeof q->miscselect) < 0 ||
	    ctr_rd_take(&r, 28, &skip) < 0 ||
	    ctr_rd_copy(&r, q->attributes, sizeof q->attributes) < 0 ||
	    ctr_rd_copy(&r, q->mrenclave, sizeof q->mrenclave) < 0 ||
	    ctr_rd_take(&r, 32, &skip) < 0 ||
	    ctr_rd_copy(&r, q->mrsigner, sizeof q->mrsigner) < 0 ||
	    ctr_rd_take(&r, 96, &skip) < 0 || ctr_rd_le16(&r, &q->isvprodid) < 0 ||
	    ctr_rd_le16(&r, &q->isvsvn) < 0 || ctr_rd_take(&r, 60, &skip) < 0 ||
	    ctr_rd_copy(&r, q->reportdata, sizeof q->reportdata) < 0 || ctr_rd_end(&r) < 0)
		return too_short(&r, "QE report", e);
	return 0;
}

/* Type and length of certification data: the part must fill what is left of the one around it. */
static int certification(struct ctr_rd *r, uint16_t want, const char *what, struct ctr_rd *sub,
			 struct ctr_err *e)
{
	uint16_t type;

	if (ctr_rd_le16(r, &type) < 0)
		return too_short(r, what, e);
	if (type != want)
		return ctr_fail(e, CTR_FORMAT, "tdx.cert-type", "%s of type %u (expected %u)", what,
				type, want);
	if (ctr_rd_sub_le32(r, CTR_TDX_SIG_MAX, sub) < 0 || ctr_rd_end(r) < 0)
		return too_short(r, what, e);
	return 0;
}

static int signature_data(struct ctr_rd *r, struct ctr_tdx_quote *q, struct ctr_err *e)
{
	struct ctr_rd qe;
	uint16_t auth;

	if (ctr_rd_copy(r, q->signature, sizeof q->signature) < 0 ||
	    ctr_rd_copy(r, q->att_key, sizeof q->att_key) < 0)
		return too_short(r, "signature", e);
	if (certification(r, CERT_QE, "certification data", &qe, e) < 0)
		return -1;
	if (ctr_rd_take(&qe, QE_REPORT_SIZE, &q->qe_bytes) < 0 ||
	    ctr_rd_copy(&qe, q->qe_signature, sizeof q->qe_signature) < 0 ||
	    ctr_rd_le16(&qe, &auth) < 0 || ctr_rd_take(&qe, auth, &q->qe_auth) < 0)
		return too_short(&qe, "QE report", e);
	if (certification(&qe, CERT_PEM, "PCK certification data", &q->chain, e) < 0)
		return -1;
	return qe_report(q->qe_bytes, &q->qe, e);
}

int ctr_tdx_parse(const void *p, size_t n, struct ctr_tdx_quote *q, struct ctr_err *e)
{
	struct ctr_rd r, whole, sig;

	*q = (struct ctr_tdx_quote){ 0 };
	if (n > CTR_TDX_QUOTE_MAX)
		return ctr_fail(e, CTR_FORMAT, "tdx.size", "quote of %zu bytes (at most %zu)", n,
				CTR_TDX_QUOTE_MAX);
	ctr_rd_init(&r, p, n);
	whole = r;
	if (header(&r, q, e) < 0 || body_kind(&r, q, e) < 0 ||
	    report(&r, q->body_type == BODY_15, &q->report, e) < 0)
		return -1;
	if (ctr_rd_take(&whole, r.at, &q->signed_part) < 0 ||
	    ctr_rd_sub_le32(&r, CTR_TDX_SIG_MAX, &sig) < 0)
		return too_short(&r, "signature data", e);
	q->trailing = r;
	return signature_data(&sig, q, e);
}

uint64_t ctr_tdx_le64(const uint8_t field[8])
{
	uint64_t v = 0;

	for (int i = 7; i >= 0; i--)
		v = v << 8 | field[i];
	return v;
}

bool ctr_tdx_bit(const uint8_t field[8], unsigned bit)
{
	return bit < 64 && (ctr_tdx_le64(field) >> bit & 1);
}

struct claim {
	const char *name;
	const uint8_t *p;
	size_t n;
};

#define CLAIM(s, f)                                                                                \
	{                                                                                          \
#f, (s)->f, sizeof(s)->f                                                           \
	}

static bool hex_claims(struct ctr_json *obj, const struct claim *c, size_t n)
{
	ctr_auto_buf struct ctr_buf b = { 0 };

	for (size_t i = 0; i < n; i++) {
		ctr_buf_reset(&b);
		ctr_hex_add(&b, c[i].p, c[i].n);
		if (b.bad || !ctr_json_set_string(obj, c[i].name, ctr_buf_str(&b)))
			return false;
	}
	return true;
}

static bool report_claims(const struct ctr_tdx_report *t, struct ctr_json *obj)
{
	const struct claim c[] = {
		CLAIM(t, tee_tcb_svn),
		CLAIM(t, mrseam),
		CLAIM(t, mrsignerseam),
		CLAIM(t, seamattributes),
		CLAIM(t, tdattributes),
		CLAIM(t, xfam),
		CLAIM(t, mrtd),
		CLAIM(t, mrconfigid),
		CLAIM(t, mrowner),
		CLAIM(t, mrownerconfig),
		{ "rtmr0", t->rtmr[0], 48 },
		{ "rtmr1", t->rtmr[1], 48 },
		{ "rtmr2", t->rtmr[2], 48 },
		{ "rtmr3", t->rtmr[3], 48 },
		CLAIM(t, reportdata),
		CLAIM(t, tee_tcb_svn2),
		CLAIM(t, mrservicetd),
	};

	return hex_claims(obj, c, sizeof c / sizeof *c - (t->v15 ? 0 : 2));
}

static bool qe_claims(const struct ctr_sgx_report *q, struct ctr_json *obj)
{
	const struct claim c[] = {
		CLAIM(q, cpusvn),    CLAIM(q, miscselect), CLAIM(q, attributes),
		CLAIM(q, mrenclave), CLAIM(q, mrsigner),   CLAIM(q, reportdata)
	};

	return hex_claims(obj, c, sizeof c / sizeof *c) &&
	       ctr_json_set_uint(obj, "isvprodid", q->isvprodid) &&
	       ctr_json_set_uint(obj, "isvsvn", q->isvsvn);
}

int ctr_tdx_claims(const struct ctr_tdx_quote *q, struct ctr_json *obj, struct ctr_err *e)
{
	const struct claim head[] = { CLAIM(q, reserved), CLAIM(q, qe_vendor_id),
				      CLAIM(q, user_data) };
	const struct claim tail[] = { CLAIM(q, signature),
				      CLAIM(q, att_key),
				      CLAIM(q, qe_signature),
				      { "qe_auth_data", q->qe_auth.p, q->qe_auth.left } };

	if (!ctr_json_set_uint(obj, "version", q->version) ||
	    !ctr_json_set_uint(obj, "att_key_type", q->att_key_type) ||
	    !ctr_json_set_uint(obj, "tee_type", q->tee_type) ||
	    !ctr_json_set_uint(obj, "body_type", q->body_type) ||
	    !hex_claims(obj, head, sizeof head / sizeof *head) || !report_claims(&q->report, obj) ||
	    !qe_claims(&q->qe, ctr_json_set_object(obj, "qe_report")) ||
	    !hex_claims(obj, tail, sizeof tail / sizeof *tail) ||
	    !ctr_json_set_uint(obj, "trailing_bytes", q->trailing.left))
		return ctr_fail_mem(e);
	return 0;
}
