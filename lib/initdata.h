/* The policy on the pod: initdata documents and the plain form (ctr-policygen(1)). */
#ifndef LIB_INITDATA_H
#define LIB_INITDATA_H

#include "buf.h"
#include "hash.h"

#define CTR_INITDATA_MAX ((size_t)16 * 1024 * 1024) /* of the document, decompressed */

/* How a pod carries its policy, each form with an annotation of its own (k8s.h). */
enum ctr_policy_form {
	CTR_FORM_INITDATA, /* base64(gzip(TOML)), the TOML is measured */
	CTR_FORM_POLICY,   /* base64(Rego), the Rego is measured */
};

struct ctr_policy {
	struct ctr_buf measured; /* the bytes whose digest HOSTDATA holds */
	struct ctr_buf rego;	 /* the policy's text: UTF-8 without NUL, never empty */
	uint8_t digest[CTR_SHA256_SIZE];
};
void ctr_policy_free(struct ctr_policy *p);
#define ctr_auto_policy CTR_AUTO(ctr_policy_free)

/*
 * Reads an annotation's value; p is freed by the caller on failure too. CTR_FORMAT: "initdata.base64";
 * "initdata.gzip" (broken, too large, anything behind it); "initdata.toml" (line in the message);
 * "initdata.version" (not 0.1.0), "initdata.algorithm" (not sha256, the one that HOSTDATA holds whole),
 * "initdata.policy" (none, empty, or no text).
 */
CTR_MUST int ctr_policy_read(enum ctr_policy_form form, const char *s, size_t n,
			     struct ctr_policy *p, struct ctr_err *e);

/* The same for the bare document, as the guest finds it. */
CTR_MUST int ctr_initdata_parse(const char *toml, size_t n, struct ctr_policy *p,
				struct ctr_err *e);

/* Appends the document that holds the policy: same text, same bytes. "initdata.policy", "limit". */
CTR_MUST int ctr_initdata_build(const char *rego, size_t n, struct ctr_buf *toml,
				struct ctr_err *e);

/* Appends base64(gzip(toml)): same bytes in, same bytes out. */
CTR_MUST int ctr_initdata_pack(const char *toml, size_t n, struct ctr_buf *b, struct ctr_err *e);

/*
 * Any document, also one that no policy of a manifest can be: the algorithm may be sha384 or sha512, and
 * there may be no policy. Calls fn for each entry of [data] in order; name and value as in toml.h.
 * CTR_FORMAT "initdata.toml", "initdata.version", "initdata.algorithm" (none of the three).
 */
typedef int (*ctr_initdata_fn)(void *ctx, const char *name, const char *value, size_t n,
			       unsigned line, struct ctr_err *e);
CTR_MUST int ctr_initdata_walk(const char *toml, size_t n, enum ctr_hash_alg *alg,
			       ctr_initdata_fn fn, void *ctx, struct ctr_err *e);
extern const char *const ctr_initdata_algs[3]; /* by enum ctr_hash_alg: "sha256", … */

/*
 * Building any document: the head, then entries, appended. "initdata.text" (no UTF-8 text), "limit".
 * Names are not looked at but quoted: what comes of it is to be read back before it is used.
 */
void ctr_initdata_head(enum ctr_hash_alg alg, struct ctr_buf *toml);
CTR_MUST int ctr_initdata_entry(const char *name, const char *text, size_t n, struct ctr_buf *toml,
				struct ctr_err *e);

/*
 * Packs many policies that begin with the same text: that is compressed and hashed once. What comes out
 * is what build, hash and pack give for prefix || rest. One packer may serve several threads at once.
 */
struct ctr_initdata_packer;
CTR_MUST int ctr_initdata_packer_new(const char *prefix, size_t n, struct ctr_initdata_packer **p,
				     struct ctr_err *e);
CTR_MUST int ctr_initdata_packer_pack(const struct ctr_initdata_packer *p, const char *rest,
				      size_t n, struct ctr_buf *b,
				      uint8_t digest[CTR_SHA256_SIZE], struct ctr_err *e);
void ctr_initdata_packer_free(struct ctr_initdata_packer *p);
void ctr_initdata_packer_cleanup(struct ctr_initdata_packer **p);
#define ctr_auto_packer CTR_AUTO(ctr_initdata_packer_cleanup)

#endif
