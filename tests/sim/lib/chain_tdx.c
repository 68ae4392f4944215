#include <string.h>

#include "enc.h"
#include "file.h"
#include "chain.h"

static const char *const intel[] = {
	"O", "Intel Corporation", "L", "Santa Clara", "ST", "CA", "C", "US", NULL
};

#define ROOT_CRL_URL "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der"
#define PCK_CRL_URL "https://api.trustedservices.intel.com/sgx/certification/v4/pckcrl?ca="

/* The simulated platform: what its PCK says, and what the TCB info's levels are made from. */
static const uint8_t sgx[16] = { 4, 4, 2, 2, 4, 1, 0, 5 };
static const unsigned pcesvn = 13;
static const uint8_t tdx[16] = { 11, 1, 4 }; /* TEE_TCB_SVN of lib/sim_tdx.c */
static const char mrsigner[] = "dc9e2a7c6f948f17474e34a7fc43ed030f7c1563f1babddf6340c82e0e54a8c5";
#define ZERO48                                                                                     \
	"000000000000000000000000000000000000000000000000"                                         \
	"000000000000000000000000000000000000000000000000"

/* 1.2.840.113741.1.13.1, then up to two more numbers below 128. */
static void add_oid(struct ctr_buf *b, unsigned x, unsigned y)
{
	uint8_t oid[11] = { 0x2a, 0x86, 0x48, 0x86,	  0xf8,	     0x4d,
			    0x01, 0x0d, 0x01, (uint8_t)x, (uint8_t)y };

	pki_tlv(b, 6, oid, y ? 11 : 10);
}

static void add_pair(struct ctr_buf *to, unsigned x, unsigned y, const struct ctr_buf *value)
{
	ctr_auto_buf struct ctr_buf pair = { 0 };

	add_oid(&pair, x, y);
	ctr_buf_add(&pair, value->p, value->n);
	pki_tlv(to, 0x30, pair.p, pair.n);
}

static void add_value(struct ctr_buf *to, unsigned x, unsigned y, unsigned tag, const void *p,
		      size_t n)
{
	ctr_auto_buf struct ctr_buf value = { 0 };

	pki_tlv(&value, tag, p, n);
	add_pair(to, x, y, &value);
}

static void add_int(struct ctr_buf *to, unsigned x, unsigned y, unsigned v)
{
	ctr_auto_buf struct ctr_buf value = { 0 };

	pki_int(&value, v);
	add_pair(to, x, y, &value);
}

static void add_hex(struct ctr_buf *to, unsigned x, const char *hex, size_t n)
{
	uint8_t bytes[16];
	struct ctr_err e = { 0 };

	if (ctr_hex_parse(hex, strlen(hex), bytes, n, &e) < 0) {
		fprintf(stderr, "simchain: %s: %s\n", hex, e.msg);
		exit(2);
	}
	add_value(to, x, 0, 4, bytes, n);
}

/* Intel, PCK certificate specification, section 1.3.5. */
static void sgx_extension(X509 *c, const struct chain_opts *o)
{
	ctr_auto_buf struct ctr_buf all = { 0 }, tcb = { 0 }, value = { 0 }, conf = { 0 },
				    out = { 0 };
	static const uint8_t zero = 0, yes = 0xff;

	add_hex(&all, 1, "5117c0ffee5117c0ffee5117c0ffee51", 16);
	for (unsigned i = 0; i < 16; i++)
		add_int(&tcb, 2, i + 1, sgx[i]);
	add_int(&tcb, 2, 17, pcesvn);
	add_value(&tcb, 2, 18, 4, sgx, sizeof sgx);
	pki_tlv(&value, 0x30, tcb.p, tcb.n);
	add_pair(&all, 2, 0, &value);
	add_hex(&all, 3, o->pceid, 2);
	add_hex(&all, 4, o->fmspc, 6);
	add_value(&all, 5, 0, 10, &zero, 1);
	if (!o->processor) {
		add_hex(&all, 6, "00112233445566778899aabbccddeeff", 16);
		add_value(&conf, 7, 1, 1, &yes, 1);
		add_value(&conf, 7, 2, 1, &zero, 1);
		add_value(&conf, 7, 3, 1, &yes, 1);
		ctr_buf_reset(&value);
		pki_tlv(&value, 0x30, conf.p, conf.n);
		add_pair(&all, 7, 0, &value);
	}
	pki_tlv(&out, 0x30, all.p, all.n);
	pki_ext(c, "1.2.840.113741.1.13.1", out.p, out.n);
}

static struct pki_ca make(const char *dir, const char *file, const struct pki_cert *c,
			  const struct pki_ca *by)
{
	struct pki_ca ca = { .key = pki_key(dir, file, "P-256"), .alg = PKI_ECDSA_SHA256 };

	ca.cert = pki_new(c, ca.key, by ? by : &ca);
	return ca;
}

static struct pki_ca make_ca(const struct chain_opts *o, const char *file, const char *cn, bool ca,
			     const struct pki_ca *by)
{
	struct pki_cert c = { .base = intel,
			      .cn = cn,
			      .ca = ca,
			      .key_ids = true,
			      .pathlen = by ? 0 : 1,
			      .usage = ca ? "critical,keyCertSign,cRLSign"
					  : "critical,digitalSignature,nonRepudiation",
			      .crl_url = ROOT_CRL_URL };
	struct pki_ca x;

	c.from = o->ca_from ? o->ca_from : pki_time("2018-05-21T10:45:10Z");
	c.until = o->ca_until ? o->ca_until : pki_time("2049-12-31T23:59:59Z");
	x = make(o->keys, file, &c, by);
	pki_sign(x.cert, by ? by : &x);
	return x;
}

static struct pki_ca make_pck(const struct chain_opts *o, const struct pki_ca *ca)
{
	struct pki_cert c = { .base = intel,
			      .cn = "Intel SGX PCK Certificate",
			      .from = o->from,
			      .until = o->until,
			      .key_ids = true,
			      .usage = "critical,digitalSignature,nonRepudiation",
			      .crl_url = o->processor ? PCK_CRL_URL "processor&encoding=der"
						      : PCK_CRL_URL "platform&encoding=der" };
	struct pki_ca x = make(o->dir, "pck", &c, ca);

	sgx_extension(x.cert, o);
	for (size_t i = 0; i < o->next; i++)
		pki_change(x.cert, o->ext[i]);
	pki_sign(x.cert, ca);
	return x;
}

static void add_components(struct ctr_buf *b, const char *name, const uint8_t v[16], unsigned less)
{
	ctr_buf_addf(b, "\"%s\":[", name);
	for (int i = 0; i < 16; i++)
		ctr_buf_addf(b, "%s{\"svn\":%u}", i ? "," : "",
			     v[i] > less ? v[i] - less
			     : v[i]	 ? 1
					 : 0);
	ctr_buf_adds(b, "]");
}

static void add_status(struct ctr_buf *b, const char *date, const char *status,
		       const char *advisories)
{
	ctr_buf_addf(b, "\"tcbDate\":\"%s\",\"tcbStatus\":\"%s\"", date, status);
	if (!advisories)
		return;
	ctr_buf_adds(b, ",\"advisoryIDs\":[");
	for (const char *p = advisories; *p;) {
		size_t n = strcspn(p, ",");

		ctr_buf_addf(b, "\"%.*s\"", (int)n, p);
		p += n;
		if (*p) {
			p++;
			ctr_buf_adds(b, ",");
		}
	}
	ctr_buf_adds(b, "]");
}

static void add_level(struct ctr_buf *b, unsigned less, const char *date, const char *status,
		      const char *advisories)
{
	ctr_buf_adds(b, "{\"tcb\":{");
	add_components(b, "sgxtcbcomponents", sgx, less);
	ctr_buf_addf(b, ",\"pcesvn\":%u,", pcesvn - less);
	add_components(b, "tdxtcbcomponents", tdx, less);
	ctr_buf_adds(b, "},");
	add_status(b, date, status, advisories);
	ctr_buf_adds(b, "}");
}

static void add_svn_level(struct ctr_buf *b, unsigned svn, const char *date, const char *status,
			  const char *advisories)
{
	ctr_buf_addf(b, "{\"tcb\":{\"isvsvn\":%u},", svn);
	add_status(b, date, status, advisories);
	ctr_buf_adds(b, "}");
}

static void add_times(struct ctr_buf *b, const struct chain_opts *o)
{
	char from[32], until[32];

	ctr_buf_addf(b, "\"issueDate\":\"%s\",\"nextUpdate\":\"%s\"",
		     pki_time_text(o->info_from, from), pki_time_text(o->info_until, until));
}

#define NEW "2024-11-13T00:00:00Z"
#define OLD "2023-02-15T00:00:00Z"

/* PCS API v4, TCB info v3; the first level of each list is the platform's own. */
static void tcb_info(struct ctr_buf *b, const struct chain_opts *o)
{
	const char *zeros = "\"mrsigner\":\"" ZERO48 "\",\"attributes\":\"0000000000000000\","
			    "\"attributesMask\":\"FFFFFFFFFFFFFFFF\"";

	ctr_buf_adds(b, "{\"id\":\"TDX\",\"version\":3,");
	add_times(b, o);
	ctr_buf_addf(
		b,
		",\"fmspc\":\"%s\",\"pceId\":\"%s\",\"tcbType\":0,\"tcbEvaluationDataNumber\":%u,"
		"\"tdxModule\":{%s},\"tdxModuleIdentities\":[{\"id\":\"TDX_01\",%s,\"tcbLevels\":[",
		o->fmspc, o->pceid, o->eval, zeros, zeros);
	add_svn_level(b, tdx[0], NEW, o->module_status, NULL);
	ctr_buf_adds(b, ",");
	add_svn_level(b, 2, OLD, "OutOfDate", "INTEL-SA-00002");
	ctr_buf_adds(b, "]}],\"tcbLevels\":[");
	add_level(b, 0, NEW, o->status, o->advisories);
	ctr_buf_adds(b, ",");
	add_level(b, 1, OLD, "OutOfDate", "INTEL-SA-00001");
	ctr_buf_adds(b, "]}");
}

/* QE identity v2 of the quoting enclave in lib/sim_tdx.c. */
static void qe_identity(struct ctr_buf *b, const struct chain_opts *o)
{
	ctr_buf_adds(b, "{\"id\":\"TD_QE\",\"version\":2,");
	add_times(b, o);
	ctr_buf_addf(b,
		     ",\"tcbEvaluationDataNumber\":%u,\"miscselect\":\"00000000\","
		     "\"miscselectMask\":\"FFFFFFFF\","
		     "\"attributes\":\"11000000000000000000000000000000\","
		     "\"attributesMask\":\"FBFFFFFFFFFFFFFF0000000000000000\",\"mrsigner\":\"%s\","
		     "\"isvprodid\":2,"
		     "\"tcbLevels\":[",
		     o->eval, mrsigner);
	add_svn_level(b, 7, NEW, o->qe_status, NULL);
	ctr_buf_adds(b, ",");
	add_svn_level(b, 4, OLD, "OutOfDate", "INTEL-SA-00003");
	ctr_buf_adds(b, "]}");
}

/* A test's own object, which may be wrong in any way. */
static void read_inner(const char *path, struct ctr_buf *b)
{
	struct ctr_err e = { 0 };

	if (ctr_file_read(path, (size_t)1 << 20, b, &e) < 0) {
		fprintf(stderr, "simchain: %s\n", e.msg);
		exit(4);
	}
	while (b->n > 0 && b->p[b->n - 1] == '\n')
		b->p[--b->n] = '\0';
}

/* The signature is over exactly the bytes of the inner object. */
static void write_signed(const struct chain_opts *o, const char *file, const char *name,
			 const struct ctr_buf *inner, EVP_PKEY *key)
{
	ctr_auto_buf struct ctr_buf b = { 0 };

	ctr_buf_addf(&b, "{\"%s\":%s,\"signature\":\"", name, inner->p);
	pki_raw_sign(key, inner->p, inner->n, &b);
	ctr_buf_adds(&b, "\"}");
	pki_write(o->dir, file, b.p, b.n, 0644);
}

static void write_chain(const struct chain_opts *o, const char *file, X509 *leaf, X509 *ca,
			X509 *root)
{
	ctr_auto_buf struct ctr_buf b = { 0 };

	pki_pem(leaf, &b);
	if (ca)
		pki_pem(ca, &b);
	pki_pem(root, &b);
	pki_write(o->dir, file, b.p, b.n, 0644);
}

static void write_crl(const struct chain_opts *o, const char *file, const struct pki_ca *by,
		      X509 *revoked)
{
	X509_CRL *l = pki_crl(by, &revoked, revoked ? 1 : 0, o->crl_from, o->crl_until);

	if (!o->no_crl)
		pki_write_crl(o->dir, file, l);
	X509_CRL_free(l);
}

static void write_crls(const struct chain_opts *o, const struct pki_ca *root,
		       const struct pki_ca *ca, X509 *tcb, X509 *pck)
{
	const char *r = o->revoked ? o->revoked : "";
	bool is_ca = strcmp(r, "ca") == 0, is_tcb = strcmp(r, "tcb") == 0,
	     is_pck = strcmp(r, "pck") == 0;

	if (*r && !is_ca && !is_tcb && !is_pck) {
		fprintf(stderr, "simchain: --revoked: ca, tcb or pck\n");
		exit(2);
	}
	write_crl(o, "root_crl.der", root, is_ca ? ca->cert : is_tcb ? tcb : NULL);
	write_crl(o, "pck_crl.der", ca, is_pck ? pck : NULL);
}

static void write_values(const struct chain_opts *o)
{
	ctr_auto_buf struct ctr_buf b = { 0 };
	static const char *const names[] = { "mrseam", "mrtd", "rtmr0", "rtmr1", "rtmr2" };

	ctr_buf_adds(&b, "{\n  \"user_data\": \"00112233445566778899aabbccddeeff\",\n");
	for (size_t k = 0; k < 5; k++) {
		ctr_buf_addf(&b, "  \"%s\": \"", names[k]);
		for (unsigned i = 0; i < 48; i++)
			ctr_buf_addf(&b, "%02x", (unsigned)(0x20 * k + i + 1) & 0xff);
		ctr_buf_addf(&b, "\"%s\n", k < 4 ? "," : "");
	}
	ctr_buf_adds(&b, "}\n");
	pki_write(o->dir, "tdx.json", b.p, b.n, 0644);
}

static void ca_free(struct pki_ca *ca)
{
	X509_free(ca->cert);
	EVP_PKEY_free(ca->key);
}

void chain_tdx(const struct chain_opts *o)
{
	struct pki_ca root = make_ca(o, "root", "Intel SGX Root CA", true, NULL);
	struct pki_ca ca =
		make_ca(o, o->processor ? "processor" : "platform",
			o->processor ? "Intel SGX PCK Processor CA" : "Intel SGX PCK Platform CA",
			true, &root);
	struct pki_ca tcb = make_ca(o, "tcb", "Intel SGX TCB Signing", false, &root);
	struct pki_ca pck = make_pck(o, &ca);
	ctr_auto_buf struct ctr_buf info = { 0 }, identity = { 0 };

	if (o->info)
		read_inner(o->info, &info);
	else
		tcb_info(&info, o);
	if (o->identity)
		read_inner(o->identity, &identity);
	else
		qe_identity(&identity, o);
	write_signed(o, "tcb_info.json", "tcbInfo", &info, tcb.key);
	write_signed(o, "qe_identity.json", "enclaveIdentity", &identity, tcb.key);
	write_chain(o, "tcb_info_chain.pem", tcb.cert, NULL, root.cert);
	write_chain(o, "qe_identity_chain.pem", tcb.cert, NULL, root.cert);
	write_chain(o, "pck_crl_chain.pem", ca.cert, NULL, root.cert);
	write_chain(o, "pck_chain.pem", pck.cert, ca.cert, root.cert);
	pki_write_cert(o->dir, "root.der", root.cert);
	write_crls(o, &root, &ca, tcb.cert, pck.cert);
	EVP_PKEY_free(pki_key(o->dir, "att", "P-256"));
	write_values(o);
	ca_free(&pck);
	ca_free(&tcb);
	ca_free(&ca);
	ca_free(&root);
}
