/*
 * The few paths of an image's file system that we care about: what each layer does to them, and
 * what the layers stacked up (overlayfs, OCI image specification layer.md) show at them.
 *
 * A layer is unpacked on its own, links of that layer followed, as containerd does: a symbolic link
 * of a lower layer is hidden by a directory of the same name above it, not followed. Only tracked
 * paths are known, so a link elsewhere in the layer by which an entry would reach a tracked path is
 * not seen: such an image gets other ids than the runtime finds, and its container is refused, not
 * let in.
 */
#ifndef TOOLS_CTR_POLICYGEN_TREE_H
#define TOOLS_CTR_POLICYGEN_TREE_H

#include "buf.h"
#include "tar.h"

#define TREE_FILE_MAX ((size_t)1 << 20)
#define TREE_PATHS_MAX 256

/* A set of paths without leading slash, in byte order, every parent included; "" is the root. */
struct paths {
	char **v;
	bool *leaf; /* the content is wanted too */
	size_t n;
};
/* Adds a path and its parents. CTR_FORMAT "image.links" beyond TREE_PATHS_MAX. */
CTR_MUST int paths_add(struct paths *p, const char *path, bool leaf, struct ctr_err *e);
CTR_MUST int paths_copy(struct paths *dst, const struct paths *src, struct ctr_err *e);
bool paths_cover(const struct paths *all, const struct paths *some);
void paths_fini(struct paths *p);

enum node_type { NODE_NONE, NODE_DIR, NODE_FILE, NODE_SYMLINK, NODE_HARDLINK, NODE_OTHER };

/* What one layer has at a path. */
struct node {
	enum node_type type;
	bool hides;   /* whiteout or opaque directory: lower layers do not show through */
	char *target; /* of a symbolic link; of a hard link whose target was no leaf */
	struct ctr_buf data; /* of a leaf */
};

struct tree {
	struct paths paths;
	struct node *v; /* one for each path */
	size_t open;	/* the node that gets data, paths.n when none */
};

CTR_MUST int tree_init(struct tree *t, const struct paths *p, struct ctr_err *e);
void tree_fini(struct tree *t);
struct node *tree_at(const struct tree *t, const char *path); /* NULL when it is not tracked */

/*
 * The handlers for tar.h, ctx a struct tree. CTR_FORMAT "layer.tree" for entries that cannot be
 * unpacked.
 */
CTR_MUST int tree_entry(void *ctx, const struct tar_entry *en, bool *want, struct ctr_err *e);
CTR_MUST int tree_data(void *ctx, const void *p, size_t n, struct ctr_err *e);

/*
 * The regular file at `path` in the stack v[0..n), v[0] lowest; links are followed inside the
 * image, at most eight. *file is NULL when there is none. When the answer hangs on a path that not
 * every layer tracks yet, it goes into `need` (else left empty): add it, read the layers again.
 * CTR_FORMAT "image.links", "image.passwd" (not a file).
 */
CTR_MUST int tree_resolve(const struct tree *const *v, size_t n, const char *path,
			  const struct node **file, struct ctr_buf *need, struct ctr_err *e);

#endif
