#include <string.h>

#include "sim_int.h"

/* Offsets are those of version 4; in version 5 the body stands TYPE_SIZE bytes further back. */
#define HEADER 48
#define TYPE_SIZE 6
#define BODY_1_0 584
#define BODY_1_5 648
#define BODY(x) (HEADER + (x))
#define REPORT_DATA BODY(520)

static const struct ctr_sim_field fields[] = {
	{ "version", 0, 2, true },
	{ "att_key_type", 2, 2, true },
	{ "tee_type", 4, 4, true },
	{ "qe_svn", 8, 2, true },
	{ "pce_svn", 10, 2, true },
	{ "qe_vendor_id", 12, 16, false },
	{ "user_data", 28, 20, false },
	{ "tee_tcb_svn", BODY(0), 16, false },
	{ "mrseam", BODY(16), 48, false },
	{ "mrsignerseam", BODY(64), 48, false },
	{ "seamattributes", BODY(112), 8, true },
	{ "tdattributes", BODY(120), 8, true },
	{ "xfam", BODY(128), 8, true },
	{ "mrtd", BODY(136), 48, false },
	{ "mrconfigid", BODY(184), 48, false },
	{ "mrowner", BODY(232), 48, false },
	{ "mrownerconfig", BODY(280), 48, false },
	{ "rtmr0", BODY(328), 48, false },
	{ "rtmr1", BODY(376), 48, false },
	{ "rtmr2", BODY(424), 48, false },
	{ "rtmr3", BODY(472), 48, false },
	{ "report_data", REPORT_DATA, 64, false },
	{ "tee_tcb_svn2", BODY(584), 16, false },
	{ "mrservicetd", BODY(600), 48, false },
	{ 0 },
};

static const struct ctr_sim_field qe_fields[] = {
	{ "qe_cpusvn", 0, 16, false },
	{ "qe_miscselect", 16, 4, true },
	{ "qe_attributes", 48, 16, false },
	{ "qe_mrenclave", 64, 32, false },
	{ "qe_mrsigner", 128, 32, false },
	{ "qe_isvprodid", 256, 2, true },
	{ "qe_isvsvn", 258, 2, true },
	{ "qe_report_data", 320, 64, false },
	{ 0 },
};
#define QE_REPORT 384
#define QE_REPORT_DATA 320

static const char usual[] =
	"att_key_type=2,tee_type=0x81,qe_vendor_id=939a7233f79c4ca9940a0db3957f0607,"
	"tee_tcb_svn=0b0104,tdattributes=0x10000000,xfam=0x602e7,tee_tcb_svn2=0b0104";
static const char qe_usual[] =
	"qe_attributes=1500000000000000e7000000,"
	"qe_mrsigner=dc9e2a7c6f948f17474e34a7fc43ed030f7c1563f1babddf6340c82e0e54a8c5,qe_isvprodid="
	"2,qe_isvsvn=7";
static const char qe_auth_usual[] =
	"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
#define QE_AUTH_MAX 1024

/* Names that are no fields of header and body. */
static bool elsewhere(const char *name)
{
	static const char *const others[] = { "body_type", "qe_auth_data", "trailing" };

	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		if (strcmp(name, others[i]) == 0)
			return true;
	}
	for (const struct ctr_sim_field *f = qe_fields; f->name; f++) {
		if (strcmp(name, f->name) == 0)
			return true;
	}
	return false;
}

static int number(const struct ctr_sim_values *l, const char *name, size_t size, uint64_t usually,
		  uint64_t *n, struct ctr_err *e)
{
	*n = usually;
	for (size_t i = l->n; i > 0; i--) {
		if (strcmp(l->v[i - 1].name, name) == 0)
			return ctr_sim_number(&l->v[i - 1], size, n, e);
	}
	return 0;
}

static int set_all(const struct ctr_sim_values *l, uint8_t *image, size_t n, struct ctr_err *e)
{
	for (size_t i = 0; i < l->n; i++) {
		bool done;

		if (elsewhere(l->v[i].name))
			continue;
		if (ctr_sim_set(fields, &l->v[i], image, n, &done, e) < 0)
			return -1;
		if (!done)
			return ctr_sim_unknown(&l->v[i], e);
	}
	return 0;
}

static int set_usual(const char *text, uint8_t *image, size_t n, struct ctr_err *e)
{
	ctr_auto_sim_values struct ctr_sim_values l = { 0 };

	return ctr_sim_add_text(&l, text, strlen(text), e) < 0 ? -1 : set_all(&l, image, n, e);
}

int ctr_sim_tdx_body(const struct ctr_sim_values *l, const uint8_t report_data[CTR_REPORT_DATA],
		     struct ctr_buf *b, struct ctr_err *e)
{
	uint8_t image[HEADER + BODY_1_5] = { 0 }, form[TYPE_SIZE] = { 0 };
	size_t body;
	uint64_t version, type;

	if (number(l, "version", 2, 4, &version, e) < 0 ||
	    number(l, "body_type", 2, version == 5 ? 3 : 2, &type, e) < 0)
		return -1;
	if ((version != 4 && version != 5) || (type != 2 && type != 3) ||
	    (version == 4 && type != 2))
		return ctr_fail(
			e, CTR_USAGE, "sim.value",
			"no such quote (expected version 4, or version 5 with body_type 2 or 3)");
	body = type == 3 ? BODY_1_5 : BODY_1_0;
	ctr_sim_put(image, 2, version);
	memcpy(image + REPORT_DATA, report_data, CTR_REPORT_DATA);
	/* a TD report 1.0 is the first part of that of 1.5 */
	if (set_usual(usual, image, sizeof image, e) < 0 || set_all(l, image, HEADER + body, e) < 0)
		return -1;
	ctr_sim_put(form, 2, type);
	ctr_sim_put(form + 2, 4, body);
	ctr_buf_add(b, image, HEADER);
	if (version == 5)
		ctr_buf_add(b, form, sizeof form);
	ctr_buf_add(b, image + HEADER, body);
	return ctr_buf_ok(b, "quote", e);
}

static int set_qe(const struct ctr_sim_values *l, uint8_t *report, struct ctr_err *e)
{
	for (size_t i = 0; i < l->n; i++) {
		bool done;

		/* "@OFFSET" is of header and body */
		if (l->v[i].name[0] != '@' &&
		    ctr_sim_set(qe_fields, &l->v[i], report, QE_REPORT, &done, e) < 0)
			return -1;
	}
	return 0;
}

/* The report of the quoting enclave binds the attestation key to the PCK (DCAP quote library,
 * section A.4). */
static int qe_report(const struct ctr_sim_values *l, const uint8_t point[64], const uint8_t *auth,
		     size_t nauth, uint8_t report[QE_REPORT], struct ctr_err *e)
{
	ctr_auto_sim_values struct ctr_sim_values first = { 0 };
	ctr_auto_buf struct ctr_buf bound = { 0 };

	memset(report, 0, QE_REPORT);
	ctr_buf_add(&bound, point, 64);
	ctr_buf_add(&bound, auth, nauth);
	if (ctr_buf_ok(&bound, "QE authentication data", e) < 0 ||
	    ctr_hash(CTR_SHA256, bound.p, bound.n, report + QE_REPORT_DATA, e) < 0 ||
	    ctr_sim_add_text(&first, qe_usual, sizeof qe_usual - 1, e) < 0 ||
	    set_qe(&first, report, e) < 0)
		return -1;
	return set_qe(l, report, e);
}

static void add_le(struct ctr_buf *b, size_t size, uint64_t v)
{
	uint8_t x[8];

	ctr_sim_put(x, size, v);
	ctr_buf_add(b, x, size);
}

#define CERT_QE 6
#define CERT_PCK_CHAIN 5

/* What stands behind the body, its own length left out. */
static int signature(const struct ctr_sim_values *l, const struct ctr_sim_tdx_keys *k,
		     const struct ctr_buf *body, struct ctr_buf *b, struct ctr_err *e)
{
	const char *text = ctr_sim_last(l, "qe_auth_data");
	struct ctr_sim_value v = { .name = "qe_auth_data", .value = text ? text : qe_auth_usual };
	uint8_t quote_sig[64], point[64], report[QE_REPORT], report_sig[64], auth[QE_AUTH_MAX];
	size_t nauth = strlen(v.value) / 2, pem = k->chain.n + 1; /* with a NUL */

	if (ctr_sim_bytes(&v, auth, sizeof auth, e) < 0 ||
	    ctr_sign_key_point(k->att, point, e) < 0 ||
	    ctr_sign(k->att, CTR_SHA256, body->p, body->n, quote_sig, e) < 0 ||
	    qe_report(l, point, auth, nauth, report, e) < 0 ||
	    ctr_sign(k->pck, CTR_SHA256, report, sizeof report, report_sig, e) < 0)
		return -1;
	ctr_buf_add(b, quote_sig, sizeof quote_sig);
	ctr_buf_add(b, point, sizeof point);
	add_le(b, 2, CERT_QE);
	add_le(b, 4, sizeof report + sizeof report_sig + 2 + nauth + 6 + pem);
	ctr_buf_add(b, report, sizeof report);
	ctr_buf_add(b, report_sig, sizeof report_sig);
	add_le(b, 2, nauth);
	ctr_buf_add(b, auth, nauth);
	add_le(b, 2, CERT_PCK_CHAIN);
	add_le(b, 4, pem);
	ctr_buf_add(b, ctr_buf_str(&k->chain), pem);
	return ctr_buf_ok(b, "quote", e);
}

int ctr_sim_tdx_quote(const struct ctr_sim_values *l, const uint8_t report_data[CTR_REPORT_DATA],
		      const struct ctr_sim_tdx_keys *k, struct ctr_buf *b, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf body = { 0 }, sig = { 0 };
	uint64_t trailing;

	if (number(l, "trailing", 2, 0, &trailing, e) < 0 ||
	    ctr_sim_tdx_body(l, report_data, &body, e) < 0 || signature(l, k, &body, &sig, e) < 0)
		return -1;
	ctr_buf_add(b, body.p, body.n);
	add_le(b, 4, sig.n);
	ctr_buf_add(b, sig.p, sig.n);
	for (uint64_t i = 0; i < trailing; i++)
		ctr_buf_addc(b, 0);
	return ctr_buf_ok(b, "quote", e);
}
