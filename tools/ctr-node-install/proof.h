/* What containerd itself says: of a configuration before it is put in place, and of what it runs
 * with afterwards. */
#ifndef TOOLS_CTR_NODE_INSTALL_PROOF_H
#define TOOLS_CTR_NODE_INSTALL_PROOF_H

#include "node.h"

struct proof {
	const struct node *node;
	const char *handler;
	const char *config; /* of Kata, for the handler; NULL: there must be no such handler */
	const char *dir;    /* real path of a directory for temporary files */
	const char *temp;   /* start of their names */
};

/*
 * Lets the node's containerd read the file that is about to take the place of node->config, with
 * what it imports or what imports it. `staged` is its real path, beside that place. Nothing
 * where there is no containerd, and for templates. CTR_FORMAT "containerd.check": it is refused,
 * or does not say what it should; CTR_ENV "containerd.check": it cannot be asked.
 */
CTR_MUST int proof_file(const struct proof *p, const char *staged, struct ctr_err *e);

/* Waits until the running containerd lists the handler with that configuration, or no longer
 * lists it. CTR_ENV "restart.handler" after `seconds`. */
CTR_MUST int proof_running(const struct proof *p, unsigned seconds, struct ctr_err *e);

#endif
