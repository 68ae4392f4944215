/* Paths inside a container, as mounts name them. */
#ifndef TOOLS_CTR_POLICYGEN_PATH_H
#define TOOLS_CTR_POLICYGEN_PATH_H

#include "arena.h"

/*
 * path without repeated and trailing slashes, in the arena. NULL when it is not absolute, when a
 * segment is "." or "..", and when memory is out.
 */
const char *path_clean(struct arena *a, const char *path);

/* True for what path_clean leaves as it is, other than "/". */
bool path_is_clean(const char *path);

#endif
