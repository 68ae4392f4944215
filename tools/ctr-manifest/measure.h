/* The parts of "ctr-manifest measure". */
#ifndef TOOLS_CTR_MANIFEST_MEASURE_H
#define TOOLS_CTR_MANIFEST_MEASURE_H

#include "hash.h"
#include "log.h"
#include "manifest.h"

enum {
	OPT_OVMF = 1,
	OPT_IGVM,
	OPT_TDVF,
	OPT_KERNEL,
	OPT_INITRD,
	OPT_APPEND,
	OPT_VCPUS,
	OPT_TYPE,
	OPT_SIG,
	OPT_FEATURES,
	OPT_VMM,
	OPT_SEED,
	OPT_FIRMWARE,
	OPT_ZERO,
	OPT_ORDER,
	OPT_UNCHANGED,
	OPT_SEPARATOR,
	OPT_WORD,
	OPT_PRODUCT,
	OPT_PLATFORM,
	OPT_DIGEST,
	OPT_N,
};

/* What is measured by what. */
enum measure_way { WAY_OVMF, WAY_IGVM, WAY_TDVF };

struct measure_args {
	const char *v[OPT_N]; /* NULL: not given; a flag: "" */
};

/* The result for the options, complete and checked to go together: a reference value set, or the
 * digest alone. */
CTR_MUST int measure_snp(const struct measure_args *a, enum measure_way way, struct ctr_log *log,
			 struct ctr_buf *out, struct ctr_err *e);
CTR_MUST int measure_tdx(const struct measure_args *a, struct ctr_log *log, struct ctr_buf *out,
			 struct ctr_err *e);

/* The digest of a file ("-": standard input) of at most 4 GiB, in pieces. CTR_FORMAT "limit",
 * CTR_ENV "open", "read". */
CTR_MUST int measure_file(const char *path, enum ctr_hash_alg alg, uint8_t *out, struct ctr_err *e);

/* The value of --platform, "" when not given; allocated. */
CTR_MUST int measure_platform(const struct measure_args *a, char **s, struct ctr_err *e);
/* A SHA-384 digest as a line of hexadecimal. */
CTR_MUST int measure_print(const uint8_t digest[48], struct ctr_buf *out, struct ctr_err *e);

#endif
