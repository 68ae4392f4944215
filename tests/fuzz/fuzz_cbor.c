/* What is accepted survives being written again, every getter can walk it, and its path leads to
 * it. */
#include <stdlib.h>
#include <string.h>

#include "cbor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool ok)
{
	if (!ok)
		abort();
}

static void write_text(const struct ctr_cval *v, struct ctr_buf *b)
{
	struct ctr_rd r;
	char *s;

	demand(ctr_ctext(v, SIZE_MAX, &r, NULL) == 0);
	s = malloc(r.left + 1);
	demand(s != NULL);
	memcpy(s, r.p, r.left);
	s[r.left] = '\0';
	if (strlen(s) == r.left) {
		demand(ctr_ctext_is(v, s));
		ctr_cbor_text(b, s);
	} else {
		ctr_craw(v, &r); /* a NUL: the writer takes strings */
		ctr_buf_add(b, r.p, r.left);
	}
	free(s);
}

static void write_number(const struct ctr_cval *v, struct ctr_buf *b)
{
	struct ctr_rd r;
	int64_t i;

	if (ctr_cint(v, &i, NULL) == 0) {
		ctr_cbor_int(b, i);
		return;
	}
	ctr_craw(v, &r);
	ctr_buf_add(b, r.p, r.left);
}

static void write_item(const struct ctr_cval *v, struct ctr_buf *b)
{
	struct ctr_cval k, inner;
	struct ctr_rd r;
	uint64_t tag;
	bool yes;

	switch (ctr_ctype(v)) {
	case CTR_CBOR_UINT:
	case CTR_CBOR_NEGINT:
		write_number(v, b);
		break;
	case CTR_CBOR_BYTES:
		demand(ctr_cbytes(v, SIZE_MAX, &r, NULL) == 0);
		ctr_cbor_bytes(b, r.p, r.left);
		break;
	case CTR_CBOR_TEXT:
		write_text(v, b);
		break;
	case CTR_CBOR_ARRAY:
		ctr_cbor_array(b, ctr_ccount(v));
		break;
	case CTR_CBOR_MAP:
		ctr_cbor_map(b, ctr_ccount(v));
		break;
	case CTR_CBOR_TAG:
		demand(ctr_ctag(v, &tag, &inner, NULL) == 0);
		ctr_cbor_tag(b, tag);
		write_item(&inner, b);
		break;
	case CTR_CBOR_BOOL:
		demand(ctr_cbool(v, &yes, NULL) == 0);
		ctr_cbor_bool(b, yes);
		break;
	case CTR_CBOR_NULL:
		ctr_cbor_null(b);
		break;
	}
	for (struct ctr_cval c = ctr_cfirst(v); c.there; c = ctr_cnext(&c)) {
		k = ctr_ckey(&c);
		demand(k.there == (ctr_ctype(v) == CTR_CBOR_MAP));
		if (k.there)
			write_item(&k, b);
		write_item(&c, b);
	}
}

/* Quadratic, so only for small documents. */
static void walk_paths(const struct ctr_cval *v)
{
	for (struct ctr_cval c = ctr_cfirst(v); c.there; c = ctr_cnext(&c)) {
		ctr_auto_buf struct ctr_buf path = { 0 };

		ctr_cpath(&c, &path);
		demand(path.n > 1 && path.p[0] == '$');
		walk_paths(&c);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ctr_auto_buf struct ctr_buf one = { 0 }, two = { 0 };
	ctr_auto_cbor struct ctr_cbor *c = NULL, *d = NULL;
	struct ctr_err e = { 0 };
	struct ctr_cval root;
	struct ctr_rd raw;

	if (ctr_cbor_parse(data, size, 0, &c, &e) < 0) {
		demand(e.code == CTR_FORMAT && e.id && e.msg[0]);
		return 0;
	}
	root = ctr_croot(c);
	ctr_craw(&root, &raw);
	demand(raw.left == size);
	write_item(&root, &one);
	demand(one.n <= size && ctr_cbor_parse(one.p, one.n, 0, &d, &e) == 0);
	root = ctr_croot(d);
	write_item(&root, &two);
	demand(one.n == two.n && memcmp(one.p, two.p, one.n) == 0);
	if (size < 4096)
		walk_paths(&root);
	return 0;
}
