/* What every unit test uses: cmocka, and checks that name the expected failure. */
#ifndef TESTS_UNIT_T_H
#define TESTS_UNIT_T_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "buf.h"
#include "err.h"

/* The call uses `struct ctr_err *e`, which these declare. */
#define T_OK(call)                                                                              \
	do {                                                                                    \
		struct ctr_err t_err = { 0 }, *e = &t_err;                                      \
		if ((call) < 0)                                                                 \
			fail_msg("%s: [%s] %s", #call, e->id ? e->id : "", e->msg);             \
	} while (0)

/* It fails with this code and this id; a crash or another reason is no refusal. */
#define T_FAILS(call, want_code, want_id)                                                       \
	do {                                                                                    \
		struct ctr_err t_err = { 0 }, *e = &t_err;                                      \
		if ((call) >= 0)                                                                \
			fail_msg("%s: accepted", #call);                                        \
		if (e->code != (want_code) || !e->id || strcmp(e->id, (want_id)) != 0)          \
			fail_msg("%s: code %d id %s (%s)", #call, (int)e->code,                 \
				 e->id ? e->id : "", e->msg);                                   \
		if (e->msg[0] == '\0')                                                          \
			fail_msg("%s: no message", #call);                                      \
	} while (0)

#define T_MEM(a, b, n) assert_memory_equal(a, b, n)
#define T_STR(a, b) assert_string_equal(a, b)

/* The path of reference data below SHARED (default ../shared), or skips the test when it is absent. */
const char *t_shared(const char *sub);

/* A file read whole; fails the test when it cannot. Free with ctr_buf_free. */
struct ctr_buf t_file(const char *path);

#endif
