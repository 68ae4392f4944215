/* What the yaml_*.c files share (and the tests, which compare trees). Not for other users of libctr. */
#ifndef LIB_YAML_INT_H
#define LIB_YAML_INT_H

#include "yaml.h"

enum ctr_yaml_style {
	CTR_YAML_PLAIN, CTR_YAML_SINGLE, CTR_YAML_DOUBLE, CTR_YAML_LITERAL, CTR_YAML_FOLDED, /* scalars */
	CTR_YAML_BLOCK, CTR_YAML_FLOW, /* collections */
};
enum ctr_yaml_tag {
	CTR_YAML_TAG_NONE, CTR_YAML_TAG_STR, CTR_YAML_TAG_NULL, CTR_YAML_TAG_BOOL, CTR_YAML_TAG_INT,
	CTR_YAML_TAG_FLOAT, CTR_YAML_TAG_MAP, CTR_YAML_TAG_SEQ, CTR_YAML_TAG_OTHER,
};

/* A member or item. What stands in the text has `k` or (items) is not `added`. */
struct ctr_yaml_ent {
	const char *key;	   /* as Kubernetes names it; NULL for an item */
	struct ctr_yaml_node *k;   /* the key in the text; NULL for items and added members */
	struct ctr_yaml_node *v;   /* the value now; may be an alias */
	struct ctr_yaml_node *old; /* the value in the text when an edit replaced it, else NULL */
	bool added, merge;	   /* not in the text; a merge key (<<) */
};

/*
 * props <= at <= end are byte offsets into the document's text: first anchor or tag, the content, and
 * behind the content (a block scalar's includes its trailing blank lines; a block collection's is its
 * last leaf's).
 */
struct ctr_yaml_node {
	struct ctr_yaml *doc;
	struct ctr_yaml_node *self;	/* this node again, reachable from a const pointer */
	struct ctr_yaml_node *up, *to;	/* the collection around it; an alias: what it stands for */
	size_t props, at, end;
	unsigned line, col;		/* of `at`: line feeds before it, and libyaml's column */
	unsigned weight, refs;		/* nodes below it with aliases expanded; aliases to it */
	enum ctr_yaml_kind kind;
	enum ctr_yaml_style style;	/* as in the text */
	enum ctr_yaml_tag tag;
	unsigned char depth, height;
	bool touched;			/* an edit lies here or below */
	bool rewritten;			/* a scalar that now is the string `text` */
	unsigned short brief;		/* an added long string: bytes of it in a draft, else 0 */
	const char *text;		/* scalars */
	size_t len;
	struct ctr_yaml_ent *ents;	/* collections, in the order of the text */
	size_t n, cap;
	struct ctr_yaml_ent *view;	/* a mapping's members with merged ones; == ents without << */
	size_t nview;
};

struct ctr_yaml_chunk;

struct ctr_yaml {
	const char *name, *text;
	size_t n, base; /* base: bytes of a byte order mark */
	unsigned line0;
	struct ctr_yaml_node *root;
	struct ctr_yaml_node **merges; /* mappings with <<, what they refer to first */
	size_t nmerges, merges_cap;
	struct ctr_yaml *next, *subs;  /* values of edits: documents of their own */
	struct ctr_yaml_chunk *chunks;
	struct ctr_yaml_node *host;    /* of such a document: the collection that it was put into */
	bool edited, props, brief;     /* it has edits; an anchor or a tag; a brief string in an edit */
	unsigned char map_step, seq_step; /* first seen indentation below a key, 0xff when none */
};

/* Memory that lives as long as the document; NULL when there is none. */
void *ctr_yaml_alloc(struct ctr_yaml *y, size_t n);
char *ctr_yaml_dup(struct ctr_yaml *y, const char *p, size_t n); /* a NUL is added */

/* Names a failure at a byte offset of the text. Returns -1. */
int ctr_yaml_fail_at(const struct ctr_yaml *y, size_t off, struct ctr_err *e, const char *id,
		     const char *fmt, ...) CTR_FMT(5, 6);

/* The node that an alias stands for, or the node itself. */
struct ctr_yaml_node *ctr_yaml_target(const struct ctr_yaml_node *n);

/* Builds the tree of y->text (as ctr_yaml_parse says). */
CTR_MUST int ctr_yaml_load(struct ctr_yaml *y, struct ctr_err *e);

/* The name that Kubernetes gives to a plain key; NULL when readers differ or memory is out. */
const char *ctr_yaml_key(struct ctr_yaml *y, const struct ctr_yaml_node *k);

/* Sets *twice to a member whose key came before, or NULL. */
CTR_MUST int ctr_yaml_twice(const struct ctr_yaml_node *map, const struct ctr_yaml_ent **twice,
			    struct ctr_err *e);

/* Takes note of a mapping with a merge key, and merges. */
CTR_MUST int ctr_yaml_add_merge(struct ctr_yaml_node *map, struct ctr_err *e);

/* Fills `view` of a mapping with merge keys; "yaml.merge" when readers would differ. */
CTR_MUST int ctr_yaml_merge(struct ctr_yaml_node *map, struct ctr_err *e);

/* Sorts out a scalar's plain text; *v is an int's value; *wide is set when it does not fit. */
enum ctr_yaml_type ctr_yaml_resolve(const char *s, size_t n, int64_t *v, bool *wide);

bool ctr_yaml_truth(const char *s); /* of what is a bool */

/* A full tag, or NULL. "!" says that it is no plain scalar, which makes it a string. */
enum ctr_yaml_tag ctr_yaml_tag_of(const char *tag);

/* True when a tag says other than what the node is, or something that Kubernetes does not know. */
bool ctr_yaml_odd(const struct ctr_yaml_node *n);

/* Equal as values: order of members counts, style and comments do not. */
bool ctr_yaml_same(const struct ctr_yaml_node *a, const struct ctr_yaml_node *b);

/* The same where b was read from the draft of a's document, in which long strings are cut to `brief`. */
bool ctr_yaml_same_draft(const struct ctr_yaml_node *a, const struct ctr_yaml_node *b);

/* Behind blanks, line ends and comments from i on. */
size_t ctr_yaml_blanks(const struct ctr_yaml *y, size_t i);

/*
 * libyaml refuses the surrogate pairs by which JSON writes characters beyond 16 bits. When p[0..n) is
 * true JSON with such pairs, *out is a copy where each is one escape of YAML (12 bytes become 10), to
 * be freed; otherwise it stays NULL. (Elsewhere than in JSON a backslash may stand for itself.)
 */
CTR_MUST int ctr_yaml_join(const char *p, size_t n, char **out, size_t *nout, struct ctr_err *e);

/* Where a value is to stand. */
enum ctr_yaml_form { CTR_YAML_IN_BLOCK, CTR_YAML_IN_FLOW, CTR_YAML_IN_JSON };

/* In double quotes, good for YAML and JSON. */
void ctr_yaml_quote(struct ctr_buf *b, const char *s, size_t n);

/* A string, in the style if it allows that, else plain where that is safe, else in double quotes. */
void ctr_yaml_string(struct ctr_buf *b, const char *s, size_t n, enum ctr_yaml_style style,
		     enum ctr_yaml_form form);

/* How flow style is written: nl is NULL for one line, else each entry gets one. */
struct ctr_yaml_flow {
	enum ctr_yaml_form form;
	bool compact; /* no blank behind ':' and ',' */
	bool draft;
	const char *nl, *indent, *unit;
	size_t indent_n, unit_n;
};
void ctr_yaml_newline(struct ctr_buf *b, const struct ctr_yaml_flow *f, unsigned level);
void ctr_yaml_flow_key(struct ctr_buf *b, const char *key, const struct ctr_yaml_flow *f);
CTR_MUST int ctr_yaml_flow(struct ctr_buf *b, const struct ctr_yaml_node *n,
			   const struct ctr_yaml_flow *f, unsigned level, struct ctr_err *e);

/* Length of the line break at p[i] (LF, CRLF, CR, NEL, LS, PS), 0 when there is none. */
size_t ctr_yaml_break(const char *p, size_t n, size_t i);

#endif
