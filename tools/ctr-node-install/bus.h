/* systemd over D-Bus; the only user of sd-bus. */
#ifndef TOOLS_CTR_NODE_INSTALL_BUS_H
#define TOOLS_CTR_NODE_INSTALL_BUS_H

#include "err.h"

#define BUS_STATE 24

struct bus;

/* Connects to the node's system bus; *b is NULL, with the reason in *why, when that cannot be had.
 * Close with bus_close. */
void bus_open(const char *root, struct bus **b, struct ctr_err *why);
void bus_close(struct bus **b); /* NULL is legal */
#define auto_bus CTR_AUTO(bus_close)

/* The unit's ActiveState; "inactive" when systemd does not know it. CTR_ENV "restart". */
CTR_MUST int bus_state(struct bus *b, const char *unit, char state[BUS_STATE], struct ctr_err *e);

/* Restarts the unit and waits for the end of that job. CTR_ENV "restart": refused, failed, or not
 * done after that many seconds. */
CTR_MUST int bus_restart(struct bus *b, const char *unit, unsigned seconds, struct ctr_err *e);

#endif
