/* Restarting containerd through systemd: over D-Bus where that can be had, else by systemctl. */
#ifndef TOOLS_CTR_NODE_INSTALL_UNITS_H
#define TOOLS_CTR_NODE_INSTALL_UNITS_H

#include "log.h"

#include "node.h"

struct units {
	const char *systemctl; /* program to call; NULL: D-Bus, or else systemctl, by nsenter when
				  the root is not ours */
	bool off;	       /* nothing is restarted */
	bool no_wait;	       /* that the handler is listed is not waited for */
	unsigned seconds;      /* for a restart; then for the handler */
	const struct node *node;
	struct ctr_log *log;
};

/*
 * Restarts those of the kind's units that run, or that failed to, and looks whether they are
 * active then. None is fine, and said; *any tells. CTR_ENV "restart" when one does not come back,
 * or systemd cannot be asked.
 */
CTR_MUST int units_restart(const struct units *u, bool *any, struct ctr_err *e);

#endif
