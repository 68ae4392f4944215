/* The filter: a stream of documents in, the same stream with policies out. */
#ifndef TOOLS_CTR_POLICYGEN_STREAM_H
#define TOOLS_CTR_POLICYGEN_STREAM_H

#include "file.h"
#include "inject.h"
#include "initdata.h"
#include "settings.h"

struct stream_opts {
	const char *const *files; /* "-" is standard input */
	size_t n_files;
	const char *const *classes; /* prefixes of runtime classes, NULL-ended; NULL: the defaults */
	bool all;		    /* take every pod */
	enum ctr_policy_form form;
	const char *explain; /* NAME or KIND/NAME: describe its policy instead */
	bool verity;	     /* also hold the layers' dm-verity root hashes */
	struct inject_opts inject;
	const struct settings *settings;
	struct ctr_log *log;
};

/*
 * Reads everything, then writes into `out`, which is to be sent only after success. Errors stand at file, line and
 * column and name the object.
 */
CTR_MUST int stream_run(const struct stream_opts *o, struct images *images, struct ctr_spool *out,
			struct ctr_err *e);

#endif
