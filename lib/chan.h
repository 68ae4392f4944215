/* A byte channel that never blocks: a socket, or TLS over one. */
#ifndef LIB_CHAN_H
#define LIB_CHAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ctr_chan {
	CTR_CHAN_OK,
	CTR_CHAN_READ,	/* nothing yet: again once the descriptor is readable */
	CTR_CHAN_WRITE, /* nothing yet: again once it is writable */
	CTR_CHAN_END,	/* the peer has sent all it will */
	CTR_CHAN_FAIL,	/* broken, or the peer breaks the protocol */
};

/* What a channel does; those marked with * may be NULL. */
struct ctr_chan_ops {
	/* * Before the first byte. */
	enum ctr_chan (*handshake)(void *ch);
	/* CTR_CHAN_OK with *got or *put at least 1; a write that gave CTR_CHAN_READ or _WRITE is
	 * repeated. */
	enum ctr_chan (*read)(void *ch, void *p, size_t n, size_t *got);
	enum ctr_chan (*write)(void *ch, const void *p, size_t n, size_t *put);
	/* * Bytes can be read although the descriptor does not say so. */
	bool (*pending)(void *ch);
	/* * What the peer proved holds no longer: no further request from it. */
	bool (*stale)(void *ch);
	/* * The peer's certificate, DER, which lives as long as the channel. */
	const uint8_t *(*peer)(void *ch, size_t *n);
	/* Nothing more will be written. */
	void (*shut)(void *ch);
};

#endif
