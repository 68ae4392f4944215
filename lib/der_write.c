#include "der_write.h"

#include <string.h>

size_t ctr_der_open(struct ctr_buf *b, uint8_t tag)
{
	ctr_buf_addc(b, (char)tag);
	return b->n;
}

/* The length is put in front of the content when it is known. */
void ctr_der_close(struct ctr_buf *b, size_t at)
{
	size_t n = b->bad ? 0 : b->n - at, k = n < 0x80 ? 1 : n < 0x100 ? 2 : 3;

	if (n > 0xffff)
		b->bad = CTR_BUF_LIMIT;
	if (b->bad || !ctr_buf_room(b, k))
		return;
	memmove(b->p + at + k, b->p + at, n);
	ctr_buf_commit(b, k);
	if (k > 1)
		b->p[at++] = (char)(0x80 | (k - 1));
	if (k > 2)
		b->p[at++] = (char)(n >> 8);
	b->p[at] = (char)n;
}

void ctr_der_put(struct ctr_buf *b, uint8_t tag, const void *p, size_t n)
{
	size_t at = ctr_der_open(b, tag);

	ctr_buf_add(b, p, n);
	ctr_der_close(b, at);
}
