/* What is ours in containerd's configuration: one runtime handler each, in a part of its own
 * (owned.h). */
#ifndef TOOLS_CTR_NODE_INSTALL_CONTAINERD_H
#define TOOLS_CTR_NODE_INSTALL_CONTAINERD_H

#include "buf.h"
#include "tomldoc.h"

/* A part with this name is in a file that we made: it goes when nothing else is left in it. */
#define CD_CREATED "created"

struct cd_runtime {
	const char *handler;
	const char *shim;	 /* absolute path on the node */
	const char *config;	 /* Kata's configuration, likewise */
	const char *snapshotter; /* NULL: containerd's default */
	const char *address;	 /* its socket when it is a proxy plugin, else NULL */
};

/*
 * The schema of a configuration: what `version` says, 1 when it does not, 0 when there is nothing
 * but comments. CTR_FORMAT "containerd.version" for what we do not know (above 4, no number).
 */
CTR_MUST int cd_version(const char *file, const struct tdoc *d, unsigned *version,
			struct ctr_err *e);

/* Appends our tables for that schema. */
void cd_body(unsigned version, const struct cd_runtime *r, struct ctr_buf *b);
void cd_proxy_body(const struct cd_runtime *r, struct ctr_buf *b);

struct cd_file {
	const char *name; /* for messages */
	const char *p;
	size_t n;
	bool is_template; /* Go template text: nothing is parsed, ours is appended */
	bool created;	  /* it does not exist yet */
	unsigned version; /* schema to write, for a template and for a file that does not say */
};

/*
 * Appends to `out` the file with our handler in it, and nothing else changed. When it is there as
 * it should be, out is the file. Read again afterwards: what it says must be what it said and ours,
 * nothing else. CTR_FORMAT: "toml", "owned", "containerd.version", "containerd.taken" (the handler
 * or snapshotter is somebody else's), "containerd.entangled" (somebody's keys stand in a table of
 * ours).
 */
CTR_MUST int cd_put(const struct cd_file *f, const struct cd_runtime *r, struct ctr_buf *out,
		    struct ctr_err *e);

/* Likewise without the handler. *gone: nothing is left in a file that we made. */
CTR_MUST int cd_drop(const struct cd_file *f, const char *handler, struct ctr_buf *out, bool *gone,
		     struct ctr_err *e);

/* The handler's path of Kata's configuration as a value of the document, NULL when it has none. */
const char *cd_kata_config(const struct tdoc *d, unsigned version, const char *handler);

/* True when a table of the handler is in the document. */
bool cd_has_handler(const struct tdoc *d, unsigned version, const char *handler);

#endif
