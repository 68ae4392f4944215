/* Restarting containerd through systemd. */
#ifndef TOOLS_CTR_NODE_INSTALL_UNITS_H
#define TOOLS_CTR_NODE_INSTALL_UNITS_H

#include "log.h"

#include "node.h"

struct units {
	const char *systemctl; /* program to call; NULL: systemctl, by nsenter when the root is not
				  ours */
	bool off;	       /* nothing is restarted */
	const struct node *node;
	struct ctr_log *log;
};

/*
 * Restarts those of the kind's units that are active, and looks whether they still are. None active
 * is fine, and said. CTR_ENV "restart" when one does not come back, or the program cannot be
 * called.
 */
CTR_MUST int units_restart(const struct units *u, struct ctr_err *e);

#endif
