/* Memory that is freed at once: what is known of one pod lives and dies together. */
#ifndef TOOLS_CTR_POLICYGEN_ARENA_H
#define TOOLS_CTR_POLICYGEN_ARENA_H

#include "buf.h"

struct arena {
	struct arena_block *last;
};

void arena_free(struct arena *a); /* all of it; the arena is empty and usable again */
#define arena_auto CTR_AUTO(arena_free)

/* Zeroed memory, NULL when there is none. */
void *arena_get(struct arena *a, size_t n);
/* Copies with a NUL behind; NULL when memory is out. */
char *arena_mem(struct arena *a, const void *p, size_t n);
char *arena_str(struct arena *a, const char *s);
char *arena_fmt(struct arena *a, const char *fmt, ...) CTR_FMT(2, 3);
/* The text of b moved into the arena, b emptied; NULL when memory is out or b went bad. */
char *arena_buf(struct arena *a, struct ctr_buf *b);

/* Appends a zeroed item of `size` to the array *v of *n items; NULL when memory is out. */
void *arena_push(struct arena *a, void **v, size_t *n, size_t size);
#define ARENA_PUSH(a, v, n) \
	((__typeof__(*(v)) *)arena_push((a), (void **)&(v), &(n), sizeof *(v)))

#endif
