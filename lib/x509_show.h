/* Certificates as JSON, for people and scripts to look at: nothing is verified. */
#ifndef LIB_X509_SHOW_H
#define LIB_X509_SHOW_H

#include "json.h"

/* Adds an object for each certificate of the PEM text to an array (ctr-ca(1) has the members).
 * CTR_FORMAT "x509.pem"; `name` is for messages. */
CTR_MUST int ctr_x509_show(const char *name, const void *pem, size_t n, struct ctr_json *list,
			   struct ctr_err *e);

#endif
