/*
 * ConfigMaps by the Kubernetes API (v1), as a pod reaches it. Who answers is not trusted: what
 * comes is bounded and well-formed, no more. The answer is never followed elsewhere.
 */
#ifndef LIB_KUBE_H
#define LIB_KUBE_H

#include "http_curl.h"

#define CTR_KUBE_DIR "/var/run/secrets/kubernetes.io/serviceaccount"
#define CTR_KUBE_BYTES ((size_t)1 << 20) /* that a ConfigMap holds, at most */

/* Strings are borrowed and outlive the client. */
struct ctr_kube_opts {
	const char *host, *port; /* KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT */
	const char *dir;	 /* has token, ca.crt, namespace; NULL: CTR_KUBE_DIR */
	const atomic_bool *stop; /* as in ctr_http_opts */
	struct ctr_log *log;
};

/*
 * One ConfigMap, as far as it matters here: bytes, and a size that its writer gave them. Zeroed:
 * empty.
 */
struct ctr_kube_map {
	char version[64];     /* metadata.resourceVersion; "" in one that is made */
	struct ctr_buf bytes; /* binaryData.bytes */
	uint64_t size;	      /* data.size */
	bool immutable;
};
void ctr_kube_map_free(struct ctr_kube_map *m);
#define ctr_auto_kube_map CTR_AUTO(ctr_kube_map_free)

/* The object p[0..n) into an empty m. CTR_FORMAT "kube.object", and those of json.h and "base64".
 */
CTR_MUST int ctr_kube_map_parse(const char *p, size_t n, struct ctr_kube_map *m, struct ctr_err *e);

/* One object that is sent, appended: `app` is its label app.kubernetes.io/instance. */
CTR_MUST int ctr_kube_map_print(const char *name, const char *app, const struct ctr_kube_map *m,
				struct ctr_buf *b, struct ctr_err *e);

/* Reads the namespace. CTR_ENV "kube.environment" (no pod), "kube.namespace". */
struct ctr_kube;
CTR_MUST int ctr_kube_new(const struct ctr_kube_opts *o, struct ctr_kube **out, struct ctr_err *e);
void ctr_kube_free(struct ctr_kube *k); /* NULL is legal */

/*
 * The calls below may come from several threads. Each reads the token again, for it rotates. 429,
 * 5xx and broken connections are tried again, thrice. They fail with CTR_ENV: "kube.token" (not to
 * be read, or none), "kube.denied" (401, 403), "kube.answer" (another status, or no ConfigMap), and
 * those of ctr_http_do. Names are those of ConfigMaps (RFC 1123), which the caller makes.
 */
CTR_MUST int ctr_kube_get(struct ctr_kube *k, const char *name, struct ctr_kube_map *m, bool *found,
			  struct ctr_err *e);
/* *there: one has this name, and nothing was done. It may be of a try whose answer was lost. */
CTR_MUST int ctr_kube_create(struct ctr_kube *k, const char *name, const char *app,
			     const struct ctr_kube_map *m, bool *there, struct ctr_err *e);
/* Replaces the one of m->version; *conflict: there is another, or none, or the same try came
 * through before. */
CTR_MUST int ctr_kube_update(struct ctr_kube *k, const char *name, const char *app,
			     const struct ctr_kube_map *m, bool *conflict, struct ctr_err *e);
CTR_MUST int ctr_kube_delete(struct ctr_kube *k, const char *name, struct ctr_err *e);

/*
 * Returns when the bytes of that ConfigMap are other than now[0..n), or may be; *changed says so.
 * Otherwise after CTR_KUBE_WATCH_S seconds, somewhat later if nobody answers, soon when *stop turns
 * true.
 */
#define CTR_KUBE_WATCH_S 20
CTR_MUST int ctr_kube_watch(struct ctr_kube *k, const char *name, const void *now, size_t n,
			    const atomic_bool *stop, bool *changed, struct ctr_err *e);

#endif
