/* A change as a unified diff. */
#ifndef TOOLS_CTR_NODE_INSTALL_TEXTDIFF_H
#define TOOLS_CTR_NODE_INSTALL_TEXTDIFF_H

#include "buf.h"

/* Appends one hunk from the first line that differs to the last, with three lines around; nothing
 * when the texts are the same. had, has: the file existed before, exists after. `path` begins with
 * a slash. */
void textdiff(const char *path, const struct ctr_buf *before, bool had, const struct ctr_buf *after,
	      bool has, struct ctr_buf *out);

#endif
