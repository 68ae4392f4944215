/* Layers as they travel: gzip, zstd or plain, unpacked while they stream. */
#ifndef TOOLS_CTR_POLICYGEN_UNPACK_H
#define TOOLS_CTR_POLICYGEN_UNPACK_H

#include "cleanup.h"
#include "oci.h"

struct unpack;

/*
 * For a layer's media type; sink gets the unpacked bytes, at most `max`. CTR_FORMAT
 * "layer.compression" where the content is packed in another way than the media type says, or
 * broken; "limit" beyond max.
 */
CTR_MUST int unpack_new(const char *media_type, uint64_t max, ctr_oci_sink sink, void *ctx,
			struct unpack **out, struct ctr_err *e);
CTR_MUST int unpack_add(struct unpack *u, const void *p, size_t n, struct ctr_err *e);
CTR_MUST int unpack_end(struct unpack *u, struct ctr_err *e);
void unpack_free(struct unpack *u);
void unpack_cleanup(struct unpack **u);
#define auto_unpack CTR_AUTO(unpack_cleanup)

#endif
