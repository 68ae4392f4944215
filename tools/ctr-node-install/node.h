/* A node's file system below a root, and the places where a Kubernetes distribution has
 * containerd's files. */
#ifndef TOOLS_CTR_NODE_INSTALL_NODE_H
#define TOOLS_CTR_NODE_INSTALL_NODE_H

#include "containerd.h"

#define NODE_BINS 2

struct node_kind {
	const char *name;	   /* "k3s" */
	const char *mark;	   /* a path that only this kind has */
	const char *config;	   /* what containerd reads */
	const char *tmpl2, *tmpl3; /* templates it is made from, by schema; NULL: edited itself */
	const char *dropin;   /* a directory whose files are merged whatever the schema, or NULL */
	const char *units[3]; /* of systemd, tried in order */
	const char *socket;   /* of CRI, unless the configuration names another */
	const char *bins[NODE_BINS]; /* where containerd itself may be */
};

struct node {
	const char *root; /* "" for the machine itself */
	const struct node_kind *kind;
	char *config; /* the file to change, as the node sees it */
	bool is_template, is_dropin;
	unsigned version; /* schema to write there */
};

/* The kind by name, NULL when there is none; names for messages. */
const struct node_kind *node_kind(const char *name);
const char *node_kinds(void);

/* The real path of a node's path: symbolic links stay below the root. *exists may be NULL. */
CTR_MUST int node_path(const char *root, const char *path, struct ctr_buf *b, bool *exists,
		       struct ctr_err *e);

/* Opens a node's path with O_PATH, likewise below the root; -1 with errno. */
int node_open(const char *root, const char *path);

/* Reads a node's file; absent is empty, with *exists false. */
CTR_MUST int node_read(const char *root, const char *path, size_t max, struct ctr_buf *b,
		       bool *exists, struct ctr_err *e);

/*
 * Finds out what kind it is (unless `kind` says) and which file has to be changed for the handler:
 * a file of our own where imports are merged, a template, or containerd's configuration. All files
 * it imports are read. CTR_FORMAT: "toml", "containerd.version", "containerd.taken",
 * "containerd.import" (a file that is not there). CTR_ENV: "node.config" (k3s and RKE2 that never
 * ran), "node.path".
 */
CTR_MUST int node_find(const char *root, const struct node_kind *kind, const char *handler,
		       struct node *n, struct ctr_err *e);
void node_free(struct node *n);
#define auto_node CTR_AUTO(node_free)

#endif
