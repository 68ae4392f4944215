/* One call of gRPC to a server on this machine: HTTP/2 without TLS, over a Unix socket. */
#ifndef LIB_HTTP_GRPC_H
#define LIB_HTTP_GRPC_H

#include "buf.h"

/*
 * Calls `method` ("package.Service/Method") with one message, and appends the reply as it came:
 * for each message a byte that is 0 and its length (32 bits, big endian), then its bytes. At most
 * reply->max bytes, within `seconds`. CTR_ENV "http.library", "grpc" (no connection, too long, or
 * a status that is not 0).
 */
CTR_MUST int ctr_grpc_call(const char *socket, const char *method, const void *msg, size_t n,
			   unsigned seconds, struct ctr_buf *reply, struct ctr_err *e);

#endif
