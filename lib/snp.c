#include "snp.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "rd.h"

const char *const ctr_snp_product_names[CTR_PRODUCTS] = { "Milan", "Genoa", "Turin" };
const char *const ctr_snp_tcb_short[CTR_TCB_N] = { "bl", "tee", "snp", "ucode", "fmc" };

enum ctr_snp_product ctr_snp_product_find(const char *s, size_t n)
{
	int i = 0;

	while (i < CTR_PRODUCTS && (strlen(ctr_snp_product_names[i]) != n ||
				    strncmp(ctr_snp_product_names[i], s, n) != 0))
		i++;
	return (enum ctr_snp_product)i;
}

int ctr_snp_svn_n(enum ctr_snp_product product)
{
	return product == CTR_TURIN ? CTR_TCB_N : CTR_TCB_N - 1;
}

int ctr_snp_svn(enum ctr_snp_product product, const uint8_t tcb[8], struct ctr_snp_svn *svn)
{
	/* the byte of each component; the others are reserved */
	static const uint8_t older[CTR_TCB_N] = { 0, 1, 6, 7, 0 },
			     turin[CTR_TCB_N] = { 1, 2, 3, 7, 0 };
	const uint8_t *at = product == CTR_TURIN ? turin : older;
	unsigned known = 0;

	*svn = (struct ctr_snp_svn){ 0 };
	for (int i = 0; i < ctr_snp_svn_n(product); i++) {
		svn->v[i] = tcb[at[i]];
		known |= 1u << at[i];
	}
	for (unsigned i = 0; i < 8; i++) {
		if (!(known >> i & 1) && tcb[i])
			return -1;
	}
	return 0;
}

const char *ctr_snp_svn_print(enum ctr_snp_product product, const struct ctr_snp_svn *svn,
			      char b[64])
{
	size_t n = 0;

	*b = '\0';
	for (int i = 0; i < ctr_snp_svn_n(product) && n < 64; i++)
		n += (size_t)snprintf(b + n, 64 - n, "%s%s %u", i ? ", " : "", ctr_snp_tcb_short[i],
				      svn->v[i]);
	return b;
}

static int firmware(struct ctr_rd *d, struct ctr_snp_firmware *f)
{
	return ctr_rd_u8(d, &f->build) < 0 || ctr_rd_u8(d, &f->minor) < 0 ||
			       ctr_rd_u8(d, &f->major) < 0 || ctr_rd_zeros(d, 1) < 0
		       ? -1
		       : 0;
}

static int cpuid(struct ctr_rd *d, struct ctr_snp_report *r)
{
	if (r->version < 3)
		return ctr_rd_zeros(d, 24);
	return ctr_rd_u8(d, &r->cpuid_family) < 0 || ctr_rd_u8(d, &r->cpuid_model) < 0 ||
			       ctr_rd_u8(d, &r->cpuid_stepping) < 0 || ctr_rd_zeros(d, 21) < 0
		       ? -1
		       : 0;
}

static int mitigations(struct ctr_rd *d, struct ctr_snp_report *r)
{
	if (r->version < 5)
		return ctr_rd_zeros(d, 16);
	return ctr_rd_le64(d, &r->launch_mit) < 0 || ctr_rd_le64(d, &r->current_mit) < 0 ? -1 : 0;
}

/* In the order of the structure. The length is known: what fails is a byte that must be zero. */
static int fields(struct ctr_rd *d, struct ctr_snp_report *r)
{
	return ctr_rd_le32(d, &r->guest_svn) < 0 || ctr_rd_le64(d, &r->policy) < 0 ||
			       ctr_rd_copy(d, r->family_id, 16) < 0 ||
			       ctr_rd_copy(d, r->image_id, 16) < 0 ||
			       ctr_rd_le32(d, &r->vmpl) < 0 ||
			       ctr_rd_le32(d, &r->signature_algo) < 0 ||
			       ctr_rd_copy(d, r->current_tcb, 8) < 0 ||
			       ctr_rd_le64(d, &r->platform_info) < 0 ||
			       ctr_rd_le32(d, &r->signer_info) < 0 || ctr_rd_zeros(d, 4) < 0 ||
			       ctr_rd_copy(d, r->report_data, 64) < 0 ||
			       ctr_rd_copy(d, r->measurement, 48) < 0 ||
			       ctr_rd_copy(d, r->host_data, 32) < 0 ||
			       ctr_rd_copy(d, r->id_key_digest, 48) < 0 ||
			       ctr_rd_copy(d, r->author_key_digest, 48) < 0 ||
			       ctr_rd_copy(d, r->report_id, 32) < 0 ||
			       ctr_rd_copy(d, r->report_id_ma, 32) < 0 ||
			       ctr_rd_copy(d, r->reported_tcb, 8) < 0 || cpuid(d, r) < 0 ||
			       ctr_rd_copy(d, r->chip_id, 64) < 0 ||
			       ctr_rd_copy(d, r->committed_tcb, 8) < 0 ||
			       firmware(d, &r->current) < 0 || firmware(d, &r->committed) < 0 ||
			       ctr_rd_copy(d, r->launch_tcb, 8) < 0 || mitigations(d, r) < 0 ||
			       ctr_rd_zeros(d, 152) < 0 || ctr_rd_copy(d, r->r, 48) < 0 ||
			       ctr_rd_zeros(d, 24) < 0 || ctr_rd_copy(d, r->s, 48) < 0 ||
			       ctr_rd_zeros(d, 24) < 0 || ctr_rd_zeros(d, 368) < 0
		       ? -1
		       : 0;
}

int ctr_snp_parse(const uint8_t *p, size_t n, struct ctr_snp_report *r, struct ctr_err *e)
{
	struct ctr_rd d;

	*r = (struct ctr_snp_report){ 0 };
	if (n != CTR_SNP_REPORT_SIZE)
		return ctr_fail(e, CTR_FORMAT, "snp.length",
				"an SNP report of %zu bytes (expected %d)", n, CTR_SNP_REPORT_SIZE);
	memcpy(r->raw, p, n);
	ctr_rd_init(&d, p, n);
	if (ctr_rd_le32(&d, &r->version) < 0 || r->version < 2 || r->version > 5)
		return ctr_fail(e, CTR_FORMAT, "snp.version",
				"an SNP report of version %u (expected 2 to 5)", r->version);
	if (fields(&d, r) < 0)
		return ctr_fail(e, CTR_FORMAT, "snp.reserved",
				"reserved bytes before 0x%zx are not zero", d.at);
	if (!(r->policy & CTR_SNP_POLICY_RESERVED_ONE) || r->policy >> 26)
		return ctr_fail(e, CTR_FORMAT, "snp.reserved",
				"POLICY 0x%" PRIx64 ": reserved bit 17 must be one, 26 to 63 zero",
				r->policy);
	if (r->signer_info >> 5)
		return ctr_fail(e, CTR_FORMAT, "snp.reserved",
				"SIGNER_INFO 0x%x: bits 5 to 31 must be zero", r->signer_info);
	if (r->signature_algo != 1)
		return ctr_fail(e, CTR_FORMAT, "snp.field",
				"SIGNATURE_ALGO %u (expected 1, ECDSA P-384 with SHA-384)",
				r->signature_algo);
	if (r->vmpl > 3)
		return ctr_fail(e, CTR_FORMAT, "snp.field",
				"VMPL %u: no level of a guest (expected 0 to 3)", r->vmpl);
	return 0;
}

enum ctr_snp_product ctr_snp_cpu_product(unsigned family, unsigned model)
{
	static const struct {
		unsigned family, from, to;
		enum ctr_snp_product product;
	} known[] = {
		{ 0x19, 0x00, 0x0f, CTR_MILAN },
		{ 0x19, 0x10, 0x1f, CTR_GENOA },
		{ 0x19, 0xa0, 0xaf, CTR_GENOA }, /* Bergamo, Siena */
		{ 0x1a, 0x00, 0x11, CTR_TURIN },
	};

	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		if (family == known[i].family && model >= known[i].from && model <= known[i].to)
			return known[i].product;
	}
	return CTR_PRODUCTS;
}

enum ctr_snp_product ctr_snp_cpuid_product(const struct ctr_snp_report *r)
{
	return r->version >= 3 ? ctr_snp_cpu_product(r->cpuid_family, r->cpuid_model)
			       : CTR_PRODUCTS;
}

static void mask(struct ctr_json *obj, const char *key, uint64_t v)
{
	char text[24];

	snprintf(text, sizeof text, "0x%" PRIx64, v);
	ctr_json_set_string(obj, key, text);
}

static void tcb(struct ctr_json *obj, const char *key, enum ctr_snp_product product,
		const uint8_t v[8])
{
	struct ctr_snp_svn svn;
	struct ctr_json *o;

	if (product == CTR_PRODUCTS || ctr_snp_svn(product, v, &svn) < 0) {
		ctr_json_set_hex(obj, key, v, 8);
		return;
	}
	o = ctr_json_set_object(obj, key);
	for (int i = 0; i < ctr_snp_svn_n(product); i++)
		ctr_json_set_uint(o, ctr_snp_tcb_short[i], svn.v[i]);
}

static void version(struct ctr_json *obj, const char *key, const struct ctr_snp_firmware *f)
{
	char text[16];

	snprintf(text, sizeof text, "%u.%u.%u", f->major, f->minor, f->build);
	ctr_json_set_string(obj, key, text);
}

void ctr_snp_claims(const struct ctr_snp_report *r, enum ctr_snp_product product,
		    struct ctr_json *obj)
{
	const uint8_t fms[3] = { r->cpuid_family, r->cpuid_model, r->cpuid_stepping };

	ctr_json_set_uint(obj, "version", r->version);
	ctr_json_set_uint(obj, "guest_svn", r->guest_svn);
	mask(obj, "policy", r->policy);
	ctr_json_set_hex(obj, "family_id", r->family_id, sizeof r->family_id);
	ctr_json_set_hex(obj, "image_id", r->image_id, sizeof r->image_id);
	ctr_json_set_uint(obj, "vmpl", r->vmpl);
	ctr_json_set_uint(obj, "signature_algo", r->signature_algo);
	tcb(obj, "current_tcb", product, r->current_tcb);
	mask(obj, "platform_info", r->platform_info);
	mask(obj, "signer_info", r->signer_info);
	ctr_json_set_hex(obj, "report_data", r->report_data, sizeof r->report_data);
	ctr_json_set_hex(obj, "measurement", r->measurement, sizeof r->measurement);
	ctr_json_set_hex(obj, "host_data", r->host_data, sizeof r->host_data);
	ctr_json_set_hex(obj, "id_key_digest", r->id_key_digest, sizeof r->id_key_digest);
	ctr_json_set_hex(obj, "author_key_digest", r->author_key_digest,
			 sizeof r->author_key_digest);
	ctr_json_set_hex(obj, "report_id", r->report_id, sizeof r->report_id);
	ctr_json_set_hex(obj, "report_id_ma", r->report_id_ma, sizeof r->report_id_ma);
	tcb(obj, "reported_tcb", product, r->reported_tcb);
	if (r->version >= 3)
		ctr_json_set_hex(obj, "cpuid_fms", fms, sizeof fms);
	ctr_json_set_hex(obj, "chip_id", r->chip_id, sizeof r->chip_id);
	tcb(obj, "committed_tcb", product, r->committed_tcb);
	version(obj, "current_version", &r->current);
	version(obj, "committed_version", &r->committed);
	tcb(obj, "launch_tcb", product, r->launch_tcb);
	if (r->version >= 5) {
		mask(obj, "launch_mit_vector", r->launch_mit);
		mask(obj, "current_mit_vector", r->current_mit);
	}
}
