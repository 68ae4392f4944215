#include "tdx_chain.h"

#include <string.h>

const uint8_t ctr_tdx_root[CTR_SHA256_SIZE] = {
	0xa0, 0xaf, 0x03, 0x12, 0x89, 0xf5, 0xd5, 0xd4, 0x13, 0x2f, 0x91,
	0x86, 0x06, 0x8a, 0x7f, 0xc1, 0x36, 0x28, 0x63, 0x3b, 0xa2, 0x35,
	0x77, 0x74, 0x72, 0xe2, 0x9b, 0x6b, 0x6c, 0x67, 0xa4, 0x9e,
};

static const char *names_fault(const struct ctr_chain *c, enum ctr_tdx_chain_kind kind)
{
	char cn[128];

	if (!ctr_x509_cn(c->v[0], false, cn, sizeof cn))
		return "the leaf has no common name";
	if (kind == CTR_TDX_SIGNER)
		return strcmp(cn, "Intel SGX TCB Signing") == 0
			       ? NULL
			       : "the leaf is not the TCB Signing certificate";
	if (!strstr(cn, "SGX PCK Certificate"))
		return "the leaf is not a PCK certificate";
	if (!ctr_x509_cn(c->v[1], false, cn, sizeof cn) ||
	    (strcmp(cn, "Intel SGX PCK Platform CA") != 0 &&
	     strcmp(cn, "Intel SGX PCK Processor CA") != 0))
		return "the issuer is not a PCK CA";
	return NULL;
}

static const char *link_fault(X509 *c, X509 *issuer, bool leaf)
{
	if (!ctr_x509_sound(c))
		return "a certificate has extensions that are unknown, broken or there twice";
	if (!ctr_x509_key_ec(c, NID_X9_62_prime256v1))
		return "a key is not on P-256";
	if (leaf ? !ctr_x509_is_leaf(c) : !ctr_x509_is_ca(c, true))
		return leaf ? "the leaf is a CA" : "an issuer is no CA";
	if (!ctr_x509_same_name(c, issuer))
		return "a certificate is not of the issuer that follows it";
	return ctr_x509_signed(c, issuer, CTR_SIG_ECDSA_SHA256)
		       ? NULL
		       : "a certificate is not signed by the one that follows it";
}

const char *ctr_tdx_chain_fault(const struct ctr_chain *c, enum ctr_tdx_chain_kind kind)
{
	const char *fault;

	if (c->n != (kind == CTR_TDX_PCK ? 3 : 2))
		return kind == CTR_TDX_PCK ? "no chain of three certificates"
					   : "no chain of two certificates";
	for (size_t i = 0; i < c->n; i++) {
		fault = link_fault(c->v[i], c->v[i + 1 < c->n ? i + 1 : i], i == 0);
		if (fault)
			return fault;
	}
	return names_fault(c, kind);
}

bool ctr_tdx_chain_window(const struct ctr_chain *c, time_t *from, time_t *until)
{
	time_t a, b;

	*from = *until = 0;
	for (size_t i = 0; i < c->n; i++) {
		if (!ctr_x509_window(c->v[i], &a, &b))
			return false;
		*from = i == 0 || a > *from ? a : *from;
		*until = i == 0 || b < *until ? b : *until;
	}
	return c->n > 0;
}

const char *ctr_tdx_crl_fault(X509_CRL *l, const X509 *issuer)
{
	if (!ctr_crl_sound(l))
		return "no complete list, or one with unknown critical extensions";
	if (!ctr_crl_of(l, issuer))
		return "the list of another issuer";
	return ctr_crl_signed(l, issuer, CTR_SIG_ECDSA_SHA256) ? NULL : "not signed by the issuer";
}
