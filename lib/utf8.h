/* Well-formed UTF-8 (RFC 3629). */
#ifndef LIB_UTF8_H
#define LIB_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Length in bytes (1 to 4) of the well-formed character at p, 0 when it is broken or n is 0. */
size_t ctr_utf8_len(const char *p, size_t n);

/* True when all n bytes are well-formed UTF-8. */
bool ctr_utf8_valid(const char *p, size_t n);

#endif
