/* Shared by the parts of corim: what one profile makes of a reference triple. */
#ifndef TOOLS_CTR_MANIFEST_CORIM_INT_H
#define TOOLS_CTR_MANIFEST_CORIM_INT_H

#include "cbor.h"
#include "corim.h"

enum { ENV_CLASS, ENV_INSTANCE, ENV_GROUP };   /* environment-map */
enum { MEAS_KEY, MEAS_VALUE, MEAS_AUTHORITY }; /* measurement-map */
enum {
	VAL_SVN = 1,
	VAL_DIGESTS,
	VAL_FLAGS,
	VAL_RAW,
	VAL_REGISTERS = 14
}; /* measurement-values-map */
enum { TAG_UUID = 37, TAG_OID = 111, TAG_SVN = 552, TAG_MIN_SVN, TAG_BYTES = 560 };

struct corim {
	const struct corim_opts *o;
	const struct profile *profile;
	struct ctr_manifest sets;
	bool has_seam;
	uint8_t seam[48];
};

struct profile {
	const char *uri; /* NULL: oid counts */
	const char *oid; /* BER content */
	size_t oid_n;
	int (*triple)(struct corim *c, const struct ctr_cval *env, const struct ctr_cval *list,
		      struct ctr_err *e);
	/* SEV-SNP: keys of the measurements; open are those for what the user fills in, ended by -1
	 */
	int64_t measurement, reported_tcb, open[4];
};

int corim_snp(struct corim *c, const struct ctr_cval *env, const struct ctr_cval *list,
	      struct ctr_err *e);
int corim_tdx(struct corim *c, const struct ctr_cval *env, const struct ctr_cval *list,
	      struct ctr_err *e);

/* A measurement of the list: its key (*key.there may be false) and values; an authority is
 * "corim.unsupported". */
CTR_MUST int corim_measurement(const struct ctr_cval *v, struct ctr_cval *key,
			       struct ctr_cval *values, struct ctr_err *e);
/* The one SHA-384 digest in [alg, bytes] or an array of these. "corim.digest" for none or several.
 */
CTR_MUST int corim_digest(const struct ctr_cval *v, uint8_t out[48], struct ctr_err *e);
/* The class identifier, with its tag. */
CTR_MUST int corim_class(const struct ctr_cval *env, uint64_t *tag, struct ctr_rd *id,
			 struct ctr_err *e);
bool corim_id_is(const struct ctr_rd *id, const char *bytes, size_t n);
/* Makes room for one more set of `size` bytes, zeroed; NULL after a failure. */
void *corim_grow(void **v, size_t *n, size_t size, struct ctr_err *e);

#endif
