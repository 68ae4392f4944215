/* What containerd runs with: its answer to CRI's RuntimeService.Status. */
#ifndef TOOLS_CTR_NODE_INSTALL_CRI_H
#define TOOLS_CTR_NODE_INSTALL_CRI_H

#include "buf.h"

struct cri_handler {
	bool listed;
	struct ctr_buf config; /* the path of Kata's configuration, empty when it has none */
};
void cri_handler_free(struct cri_handler *h);
#define auto_cri_handler CTR_AUTO(cri_handler_free)

/* The reply of gRPC with one StatusResponse (runtime.v1, api.proto), whose info "config" is
 * containerd's configuration of CRI as JSON. CTR_FORMAT "cri", "json.*". */
CTR_MUST int cri_parse(const void *p, size_t n, const char *handler, struct cri_handler *out,
		       struct ctr_err *e);

/* Asks the socket. CTR_ENV "grpc", "http.library", and as above. */
CTR_MUST int cri_ask(const char *socket, const char *handler, unsigned seconds,
		     struct cri_handler *out, struct ctr_err *e);

#endif
