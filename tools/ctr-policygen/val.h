/* Expected values: a text, or a pattern where the generator cannot know the text. */
#ifndef TOOLS_CTR_POLICYGEN_VAL_H
#define TOOLS_CTR_POLICYGEN_VAL_H

#include "arena.h"

/*
 * Exactly one is set. A pattern is a Rust regular expression without anchors; {{n}} {{s}} {{u}} {{h}} in it stand for
 * pod name, namespace, uid and hostname of the running pod, which the rules fill in.
 */
struct val {
	const char *text, *pattern;
};

struct vals {
	struct val *v;
	size_t n;
};

/* Patterns of what the cluster decides. */
#define VAL_IP "([0-9]{1,3}(\\.[0-9]{1,3}){3}|[0-9a-f:]{2,39})"
#define VAL_NUMBER "[0-9]{1,20}"
#define VAL_NODE "[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?"

/* Appends the text with everything that means something in a pattern escaped. */
void val_escape(struct ctr_buf *b, const char *s, size_t n);

/* Looks a variable up for expansion; NULL when it is not defined. */
typedef const struct val *(*val_lookup)(void *ctx, const char *name, size_t n);

/*
 * Kubernetes' $(NAME) expansion in one pass: defined names are replaced, others stay, $$ becomes $.
 * A pattern in it makes the whole a pattern. Service variables that the pod does not define are
 * the cluster's: they match their form, or stay as they stand (unless sure).
 */
CTR_MUST int val_expand(struct arena *a, const char *s, val_lookup look, void *ctx,
			struct val *out, struct ctr_err *e);

#endif
