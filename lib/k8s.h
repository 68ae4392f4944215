/* Kubernetes objects as the tools see them: which are pods or make pods, and where their parts stand. */
#ifndef LIB_K8S_H
#define LIB_K8S_H

#include "yaml.h"

#define CTR_K8S_LISTS 4			 /* lists in lists, at most */
#define CTR_K8S_OBJECTS 1000000		 /* objects of one document */

/* Annotations that the tools understand; all on the pod (template). */
#define CTR_ANN_PREFIX "contrast.edgeless.systems/"
#define CTR_ANN_ROLE CTR_ANN_PREFIX "pod-role"
#define CTR_ANN_SECRET_ID CTR_ANN_PREFIX "workload-secret-id"
#define CTR_ANN_POLICY "io.katacontainers.config.agent.policy"
#define CTR_ANN_INITDATA "io.katacontainers.config.hypervisor.cc_init_data"

enum ctr_k8s_kind {
	CTR_K8S_OTHER, /* passes through: services, unknown kinds, custom resources */
	CTR_K8S_POD,
	CTR_K8S_DEPLOYMENT,
	CTR_K8S_REPLICASET,
	CTR_K8S_REPLICATIONCONTROLLER,
	CTR_K8S_STATEFULSET,
	CTR_K8S_DAEMONSET,
	CTR_K8S_JOB,
	CTR_K8S_CRONJOB,
	CTR_K8S_CONFIGMAP,
	CTR_K8S_SECRET,
	CTR_K8S_PVC,
	CTR_K8S_SERVICEACCOUNT,
};

/* One object. Everything borrows from the document; absent strings and nodes are NULL. */
struct ctr_k8s_obj {
	enum ctr_k8s_kind type; /* OTHER also for a known kind's name in another API group */
	const char *api, *kind; /* "apps/v1", "Deployment" */
	const char *name, *generate_name, *ns;
	const struct ctr_yaml_node *root, *meta; /* the object and its metadata */
	bool has_pod; /* a Pod or a controller; then pod and spec are set: */
	const struct ctr_yaml_node *pod;      /* parent of the next two: the object or its pod template */
	const struct ctr_yaml_node *pod_meta; /* may be NULL on a template */
	const struct ctr_yaml_node *spec;     /* the pod spec */
};

/*
 * Calls fn for each object of the document in order; List and the kinds' own lists (PodList …) are
 * flattened, their items may leave out apiVersion and kind then. An empty document has none. Refused
 * with CTR_FORMAT at the node: "k8s.object" (no mapping), "k8s.kind" (apiVersion or kind missing),
 * "k8s.version" (an API version that Kubernetes no longer serves), "k8s.list" (depth, items), "k8s.name"
 * (missing or not of DNS-1123 form, kinds above only), "k8s.template" (no pod spec), "yaml.type".
 * A failing fn ends the walk with its error. fn may edit y, and must not keep the object.
 */
typedef int (*ctr_k8s_fn)(void *ctx, struct ctr_yaml *y, const struct ctr_k8s_obj *o,
			  struct ctr_err *e);
CTR_MUST int ctr_k8s_objects(struct ctr_yaml *y, ctr_k8s_fn fn, void *ctx, struct ctr_err *e);

/*
 * Reads a stream ("-": standard input) document by document, holding one at a time, each at most
 * CTR_YAML_MAX bytes; fn gets each, empty ones included, in order. `name` of messages is the path.
 */
typedef int (*ctr_k8s_doc_fn)(void *ctx, struct ctr_yaml *y, struct ctr_err *e);
CTR_MUST int ctr_k8s_read(const char *path, ctr_k8s_doc_fn fn, void *ctx, struct ctr_err *e);

/*
 * An annotation of the pod: NULL when absent. What is no string fails with "yaml.type".
 * *at, where not NULL, gets its node, for messages.
 */
CTR_MUST int ctr_k8s_annotation(const struct ctr_yaml *y, const struct ctr_k8s_obj *o,
				const char *key, const char **v, const struct ctr_yaml_node **at,
				struct ctr_err *e);

/* As above; what the pod template lacks is taken from the controller's own metadata. */
CTR_MUST int ctr_k8s_setting(const struct ctr_yaml *y, const struct ctr_k8s_obj *o,
			     const char *key, const char **v, const struct ctr_yaml_node **at,
			     struct ctr_err *e);

/* "Deployment default/web" for messages, cut to n bytes. */
void ctr_k8s_title(const struct ctr_k8s_obj *o, char *dst, size_t n);

/* True when cls begins with one of the NULL-ended prefixes; NULL for those of confidential runtimes. */
bool ctr_k8s_class_matches(const char *cls, const char *const *prefixes);

/* RFC 1123 label (63 bytes) or subdomain (253) in lower case, as Kubernetes validates names. */
bool ctr_k8s_label(const char *s);
bool ctr_k8s_subdomain(const char *s);

#endif
