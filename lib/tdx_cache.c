#include "tdx_cache.h"

#include <pthread.h>
#include <string.h>

#include "hash.h"

#define SLOTS 256
struct ctr_tdx_cache {
	pthread_mutex_t lock;
	struct ctr_tdx_trust
		*slot[SLOTS]; /* by the first byte of the key; a newer one takes the place */
};

int ctr_tdx_cache_new(struct ctr_tdx_cache **c, struct ctr_err *e)
{
	*c = calloc(1, sizeof **c);
	if (*c && pthread_mutex_init(&(*c)->lock, NULL) == 0)
		return 0;
	free(*c);
	*c = NULL;
	return ctr_fail_mem(e);
}

void ctr_tdx_trust_put(struct ctr_tdx_cache *c, struct ctr_tdx_trust *t)
{
	bool last;

	if (!t)
		return;
	if (c)
		pthread_mutex_lock(&c->lock);
	last = --t->refs == 0;
	if (c)
		pthread_mutex_unlock(&c->lock);
	if (last) {
		ctr_tdx_trust_free(t);
		free(t);
	}
}

void ctr_tdx_cache_free(struct ctr_tdx_cache *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < SLOTS; i++)
		ctr_tdx_trust_put(c, c->slot[i]);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

static int add(struct ctr_hasher *h, const void *p, size_t n, struct ctr_err *e)
{
	uint64_t len = n;

	return ctr_hasher_add(h, &len, sizeof len, e) < 0 ? -1 : n ? ctr_hasher_add(h, p, n, e) : 0;
}

/* Over all that trust is made of, each part with its length, so that no two sets give the same
 * bytes. */
static int trust_key(const struct ctr_evidence *ev, const struct ctr_tdx_quote *q,
		     const struct ctr_verify_opts *o, uint8_t out[CTR_SHA256_SIZE],
		     struct ctr_err *e)
{
	static const enum ctr_item items[] = { CTR_TCB_INFO,	CTR_TCB_INFO_CHAIN,
					       CTR_QE_IDENTITY, CTR_QE_IDENTITY_CHAIN,
					       CTR_PCK_CRL,	CTR_ROOT_CRL };
	ctr_auto_hasher struct ctr_hasher *h = NULL;
	uint8_t head[2] = { (uint8_t)o->crl, o->tcb_optional };

	if (ctr_hasher_new(CTR_SHA256, &h, e) < 0 || add(h, head, sizeof head, e) < 0 ||
	    add(h, o->test_root, o->test_root ? CTR_SHA256_SIZE : 0, e) < 0 ||
	    add(h, q->chain.p, q->chain.left, e) < 0)
		return -1;
	for (size_t i = 0; i < sizeof items / sizeof *items; i++) {
		if (add(h, ev->item[items[i]].p, ev->item[items[i]].n, e) < 0)
			return -1;
	}
	return ctr_hasher_end(h, out, e);
}

static struct ctr_tdx_trust *known(struct ctr_tdx_cache *c, const uint8_t key[CTR_SHA256_SIZE])
{
	struct ctr_tdx_trust *t;

	pthread_mutex_lock(&c->lock);
	t = c->slot[key[0]];
	if (t && ctr_same(t->id, key, CTR_SHA256_SIZE))
		t->refs++;
	else
		t = NULL;
	pthread_mutex_unlock(&c->lock);
	return t;
}

static void keep(struct ctr_tdx_cache *c, struct ctr_tdx_trust *t)
{
	struct ctr_tdx_trust *old;

	pthread_mutex_lock(&c->lock);
	old = c->slot[t->id[0]];
	c->slot[t->id[0]] = t;
	t->refs++;
	pthread_mutex_unlock(&c->lock);
	ctr_tdx_trust_put(c, old);
}

int ctr_tdx_trust_get(struct ctr_tdx_cache *c, const struct ctr_evidence *ev,
		      const struct ctr_tdx_quote *q, const struct ctr_verify_opts *o,
		      struct ctr_tdx_trust **out, struct ctr_err *e)
{
	uint8_t key[CTR_SHA256_SIZE] = { 0 };
	struct ctr_tdx_trust *t;

	*out = NULL;
	if (c && trust_key(ev, q, o, key, e) < 0)
		return -1;
	if (c && (*out = known(c, key)))
		return 0;
	t = calloc(1, sizeof *t);
	if (!t)
		return ctr_fail_mem(e);
	if (ctr_tdx_trust_check(ev, q, o, t, e) < 0) {
		free(t); /* the failed check left nothing in it */
		return -1;
	}
	t->refs = 1;
	memcpy(t->id, key, sizeof key);
	if (c)
		keep(c, t);
	*out = t;
	return 0;
}
