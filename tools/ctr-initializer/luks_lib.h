/* libcryptsetup's functions, loaded when they are first needed; for luks*.c alone. */
#ifndef TOOLS_CTR_INITIALIZER_LUKS_LIB_H
#define TOOLS_CTR_INITIALIZER_LUKS_LIB_H

#include <libcryptsetup.h>

#include "err.h"

#define LUKS_LIB(X)                                                                                \
	X(init_data_device)                                                                        \
	X(free)                                                                                    \
	X(set_log_callback)                                                                        \
	X(metadata_locking)                                                                        \
	X(volume_key_keyring)                                                                      \
	X(set_data_offset)                                                                         \
	X(format)                                                                                  \
	X(load)                                                                                    \
	X(dump_json)                                                                               \
	X(get_uuid)                                                                                \
	X(volume_key_verify) X(activate_by_volume_key) X(wipe) X(deactivate_by_name) X(get_dir)

/* The real prototypes, so that a call is checked as if it were linked. */
struct luks_lib {
#define X(f) __typeof__(crypt_##f) *f;
	LUKS_LIB(X)
#undef X
};

/* The table, the same for the whole process. NULL is CTR_ENV "luks.library". For one thread. */
const struct luks_lib *luks_lib(struct ctr_err *e);

#endif
