/* Mutual TLS 1.3 for a server, over OpenSSL, on descriptors that do not block. */
#ifndef LIB_CRYPTO_TLS_H
#define LIB_CRYPTO_TLS_H

#include "chan.h"
#include "err.h"

#define CTR_TLS_CERT_MAX 65536 /* bytes of the certificates that a peer may send */

/*
 * What a server proves, and whom it lets in: clients with a certificate that one of the trusted
 * CAs signed itself, made for client authentication. TLS 1.3 alone: all peers are of our time, and
 * it leaves no renegotiation, no static keys and no names in the clear to reason about. No session
 * is resumed, no early data taken: every connection proves itself to the CA of its day.
 */
struct ctr_tls_server;

/* Lets nobody in until ctr_tls_server_set. */
CTR_MUST int ctr_tls_server_new(struct ctr_tls_server **out, struct ctr_err *e);
void ctr_tls_server_free(struct ctr_tls_server *s); /* NULL is legal */

/*
 * From here on handshakes use this chain (PEM, the leaf first), its key (PEM) and trust these CAs
 * (PEM) alone; connections made before become stale. Safe at any time from any thread; after a
 * failure all is as before. CTR_FORMAT "tls.chain", "tls.key" (none, or not the leaf's),
 * "tls.trust"; "memory".
 */
CTR_MUST int ctr_tls_server_set(struct ctr_tls_server *s, const char *chain, const char *key,
				const char *trust, struct ctr_err *e);

/* From here on nobody is let in, and connections made before are stale. */
void ctr_tls_server_unset(struct ctr_tls_server *s);

/* One connection. It does not own the descriptor. CTR_ENV "tls.unset", "memory". */
struct ctr_tls;
CTR_MUST int ctr_tls_new(struct ctr_tls_server *s, int fd, struct ctr_tls **out, struct ctr_err *e);
void ctr_tls_free(struct ctr_tls *t); /* NULL is legal */

/* As lib/chan.h has them; peer is NULL before the handshake is done. */
enum ctr_chan ctr_tls_handshake(struct ctr_tls *t);
enum ctr_chan ctr_tls_read(struct ctr_tls *t, void *p, size_t n, size_t *got);
enum ctr_chan ctr_tls_write(struct ctr_tls *t, const void *p, size_t n, size_t *put);
bool ctr_tls_pending(struct ctr_tls *t);
bool ctr_tls_stale(struct ctr_tls *t);
const uint8_t *ctr_tls_peer(struct ctr_tls *t, size_t *n);
void ctr_tls_shut(struct ctr_tls *t);

#endif
