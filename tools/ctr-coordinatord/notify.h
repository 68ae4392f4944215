/* Telling the service manager (sd_notify(3)): a datagram to the socket that it named. */
#ifndef TOOLS_CTR_COORDINATORD_NOTIFY_H
#define TOOLS_CTR_COORDINATORD_NOTIFY_H

/* `path` is $NOTIFY_SOCKET: NULL when nobody asked. Best effort. */
void notify(const char *path, const char *state);

#endif
