/* Images on disk: OCI image layouts (image-layout.md) as a source. */
#ifndef LIB_OCI_LAYOUT_H
#define LIB_OCI_LAYOUT_H

#include "oci.h"

/*
 * Each directory is a layout (it has the file oci-layout) or holds layouts, one level down. An
 * image is found by digest, or by a name that index.json gives: the annotation
 * io.containerd.image.name, or org.opencontainers.image.ref.name, a full reference or, being a bare
 * tag, with the layout's directory as the image's name. The first directory that has the image
 * wins; in a directory of layouts, the first in byte order. CTR_ENV "image.layout": not there, or
 * no layout; CTR_FORMAT "image.layout": malformed. Two images of one name in one layout are
 * CTR_FORMAT "image.ambiguous" when asked for.
 */
CTR_MUST int ctr_oci_layout_new(const char *const *dirs, size_t n, struct ctr_oci_source **out,
				struct ctr_err *e);

/*
 * Streams an open file into sink while checking it against desc ("image.size" before the first byte
 * goes out, "image.digest" at the end). `name` is for messages.
 */
CTR_MUST int ctr_oci_send_fd(int fd, const char *name, const struct ctr_oci_desc *desc,
			     ctr_oci_sink sink, void *ctx, struct ctr_err *e);

#endif
