/* Where endorsements come from: the evidence, a directory, the cache, the vendor's service. */
#ifndef LIB_COLLATERAL_H
#define LIB_COLLATERAL_H

#include <time.h>

#include "evidence.h"
#include "http_curl.h"
#include "snp.h"
#include "verify.h"

/*
 * Whether an item can be used at that time, or another has to be found; *expires is when it ends, 0
 * when never. Whether it is genuine, and the one that the report wants, the verifier says each
 * time.
 */
typedef bool (*ctr_still_good)(void *ctx, enum ctr_item item, const struct ctr_buf *b, time_t at,
			       time_t *expires);

/* Zero is a sound default for every field. Strings are borrowed. */
struct ctr_collateral_opts {
	const char *dir;	   /* files by the names of ctr-attest-verify(1); NULL: none */
	const char *cache;	   /* directory, made when missing; NULL: none */
	const char *kds_url;	   /* instead of CTR_KDS_URL, without a query */
	const char *pcs_url;	   /* instead of CTR_PCS_URL: a PCCS, for example */
	const char *root_crl_url;  /* instead of Intel's, or the PCCS's */
	bool offline;		   /* never touches the network, nor loads what could */
	time_t at;		   /* seconds since the epoch: when items must be valid */
	ctr_still_good still_good; /* NULL: what is there is taken, and kept for ever */
	void *ctx;
	struct ctr_http_opts http; /* total_s 0: 30 */
	struct ctr_log *log;	   /* NULL: silent */
};

/* What the verification will want. */
struct ctr_collateral_needs {
	enum ctr_crl_mode crl; /* IF_AVAILABLE: a list that cannot be had is only said */
	/* for reports that do not say theirs (version 2); CTR_PRODUCTS: not known */
	enum ctr_snp_product product;
	/* SNP: ASK and ARK must be had, too; else those of the directory stand before the shipped
	 * ones */
	bool chain;
	bool tcb_optional; /* TDX: TCB info and QE identity that cannot be had are only said */
	uint8_t fmspc[6];  /* TDX: of the PCK certificate */
	bool processor_ca; /* TDX: its issuer is the Processor CA, not the Platform CA */
};

/*
 * Fills what ev lacks, in this order: o->dir, the cache, the service. What is there already stays.
 * A cached item that is not valid at o->at is not used; one that is near its end (four fifths of
 * its time in the cache are over) is fetched anew, and used when that fails. What o->dir holds is
 * used even when it is not valid, if nothing better can be had: the verifier then says why. CTR_ENV
 * with the URL in the message: "collateral.missing" (not there, or nobody answers),
 * "collateral.offline", "collateral.rate-limited", "collateral.answer"; "collateral.vlek" and
 * "collateral.chip-id" when no service can be asked; "collateral.product" when the report does not
 * say its product and needs does not either; "http.stopped", "http.library". CTR_FORMAT: "snp.…" of
 * a report that cannot be read, "collateral.url". CTR_USAGE "collateral.url" when a base URL is
 * none.
 */
CTR_MUST int ctr_collateral_fill(const struct ctr_collateral_opts *o,
				 const struct ctr_collateral_needs *n, struct ctr_evidence *ev,
				 struct ctr_err *e);

/*
 * Writes ev's endorsements into a directory (made when missing) under the names that o->dir is
 * searched for, mode 0644. The names are appended to `names`, one a line.
 */
CTR_MUST int ctr_collateral_save(const char *dir, const struct ctr_collateral_needs *n,
				 const struct ctr_evidence *ev, struct ctr_buf *names,
				 struct ctr_err *e);

#endif
