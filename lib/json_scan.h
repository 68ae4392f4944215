/* The strict pass over JSON text that comes before cJSON sees it. */
#ifndef LIB_JSON_SCAN_H
#define LIB_JSON_SCAN_H

#include "err.h"

/* 0 when p[0..n) is exactly one RFC 8259 text within `depth`; else CTR_FORMAT with line and column. */
CTR_MUST int ctr_json_scan(const char *name, const char *p, size_t n, unsigned depth,
			   struct ctr_err *e);

#endif
