/*
 * The store as ConfigMaps in the pod's namespace, for any number of Coordinators: a blob is
 * NAME.manifest.HEX, NAME.policies.HEX or NAME.transition.HEX, immutable; what is longer than 512
 * KiB goes on in objects with .1, .2 and so on behind the name. The record is NAME.latest; its
 * resource version makes the exchange.
 */
#ifndef LIB_HSTORE_KUBE_H
#define LIB_HSTORE_KUBE_H

#include "hstore.h"
#include "kube.h"

#define CTR_HSTORE_KUBE_NAME "coordinator" /* the usual NAME */

/*
 * NAME is a label of RFC 1123 (lower case, digits, hyphens, at most 63); o's strings are borrowed.
 * CTR_USAGE "store.spec"; those of ctr_kube_new. Nothing is asked yet. What
 * the store's calls fail with for want of an answer is CTR_ENV, and of kube.h.
 */
CTR_MUST int ctr_hstore_kube(const struct ctr_kube_opts *o, const char *name,
			     struct ctr_hstore **out, struct ctr_err *e);

#endif
