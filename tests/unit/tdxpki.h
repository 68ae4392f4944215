/* A vendor of one's own: root, CAs, lists, collateral and quotes for tests, each with one flaw or
 * none. */
#ifndef TESTS_UNIT_TDXPKI_H
#define TESTS_UNIT_TDXPKI_H

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "buf.h"
#include "evidence.h"

#define PKI_NOW ((time_t)1780272000) /* 2026-06-01T00:00:00Z */

enum flaw {
	FLAW_NONE,
	/* PCK chain */
	LEAF_NAME,
	CA_NAME,
	CA_FLAG,
	LEAF_CA,
	BY_ROOT,
	NO_ROOT,
	OTHER_ROOT,
	LEAF_CURVE,
	LEAF_OLD,
	LEAF_FUTURE,
	CRITICAL_EXT,
	NO_EXT,
	EXT_TWICE,
	EXT_BROKEN,
	/* quote */
	QE_SIGNATURE,
	QUOTE_SIGNATURE,
	BINDING,
	BINDING_TAIL,
	OFF_CURVE,
	/* lists */
	ROOT_CRL_KEY,
	ROOT_CRL_OLD,
	ROOT_CRL_FUTURE,
	ROOT_CRL_PARTIAL,
	PCK_CRL_KEY,
	PCK_CRL_OLD,
	PCK_CRL_ISSUER,
	CA_REVOKED,
	LEAF_REVOKED,
	TCB_SIGNER_REVOKED,
	QE_SIGNER_REVOKED,
	OTHERS_REVOKED,
	/* TCB info */
	TCB_ROOT,
	TCB_SIGNER_NAME,
	TCB_CHAIN_LONG,
	TCB_SIGNER_OLD,
	TCB_SIGNATURE,
	TCB_OLD,
	TCB_FUTURE,
	TCB_FMSPC,
	TCB_PCEID,
	/* QE identity */
	QE_ROOT,
	QE_SIGNER_NAME,
	QE_SIGNER_OLD,
	QE_ID_SIGNATURE,
	QE_OLD,
	QE_FUTURE,
	QE_MISCSELECT,
	QE_ATTRIBUTES,
	QE_MRSIGNER,
	QE_ISVPRODID,
	QE_LEVEL,
	/* platform */
	MODULE_VERSION,
	MODULE_MRSIGNER,
	MODULE_ATTRIBUTES,
	MODULE_RESERVED,
	MODULE_LEVEL,
	PLATFORM_LEVEL,
	FLAWS,
};

struct pki {
	enum flaw flaw;
	bool v5;	  /* version 5 with a TD report 1.5 */
	uint8_t svn[16];  /* TEE_TCB_SVN */
	uint8_t svn2[16]; /* TEE_TCB_SVN2 */
	uint16_t qe_svn;
	const char *platform_status,
		*module_status; /* of the second levels, which SVNs below the first ones reach */
	/* made by pki_build */
	uint8_t root_spki[32];
	struct ctr_evidence ev;
	EVP_PKEY *pck_key;
};

/* A platform of version 1 of the module at the newest levels, without flaw. */
struct pki pki_default(void);
/* Fails the test when something cannot be made. */
void pki_build(struct pki *p);
void pki_free(struct pki *p);

/* The SGX extension of a PCK certificate, appended. */
void pki_sgx_extension(struct ctr_buf *b);
/* One DER element, appended. */
void pki_der(struct ctr_buf *b, uint8_t tag, const void *p, size_t n);

#endif
