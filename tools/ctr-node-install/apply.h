/*
 * Changing containerd's configuration on a node that keeps working. Before the file is touched, a
 * journal says what it was; the journal goes when containerd has been restarted with the change.
 * Whoever finds one finishes: it restarts, and if that fails puts the file back.
 */
#ifndef TOOLS_CTR_NODE_INSTALL_APPLY_H
#define TOOLS_CTR_NODE_INSTALL_APPLY_H

#include "units.h"

struct change {
	const struct node *node;
	struct ctr_buf before, after;
	const char *handler, *kata; /* borrowed; Kata's configuration, NULL when it is taken out */
	bool existed, gone;	    /* the file before, and that it is to be deleted */
	unsigned mode;
};

/* The node's file with the handler put in (r), or taken out (r NULL). Free with change_free. */
CTR_MUST int change_make(const struct node *n, const char *handler, const struct cd_runtime *r,
			 struct change *c, struct ctr_err *e);
bool change_any(const struct change *c);
void change_free(struct change *c);
#define auto_change CTR_AUTO(change_free)

/* True when an earlier run did not finish. */
CTR_MUST int apply_pending(const char *root, bool *pending, struct ctr_err *e);

/*
 * Makes the change and restarts; without a change and without an unfinished run, neither. What
 * containerd itself refuses is not put in place (CTR_FORMAT, CTR_ENV "containerd.check"). On
 * CTR_ENV "restart" or "restart.handler" the file is as it was, and containerd was restarted with
 * that.
 */
CTR_MUST int apply(const struct change *c, const struct units *u, struct ctr_err *e);

/* One run at a time: the lock is held until the descriptor is closed. CTR_ENV "busy". Also deletes
 * what an interrupted run left beside `n`'s file and in our directories. */
CTR_MUST int apply_lock(const struct node *n, int *fd, struct ctr_err *e);

/* Where the handler is written, across runs: remembered before the first write, forgotten after the
 * last. */
CTR_MUST int apply_remember(const struct node *n, const char *handler, struct ctr_err *e);
CTR_MUST int apply_forget(const struct node *n, const char *handler, struct ctr_err *e);
/* Points n to the file that was remembered, if that still has our part. */
CTR_MUST int apply_recall(struct node *n, const char *handler, struct ctr_err *e);

#endif
