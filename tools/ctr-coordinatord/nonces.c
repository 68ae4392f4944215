#include "nonces.h"

#include <pthread.h>
#include <string.h>
#include <sys/random.h>

#include "kdf.h"
#include "rd.h"

#define TIME_SIZE 8
#define RANDOM_SIZE 8
#define MAC_SIZE 16
#define PLAIN_SIZE (TIME_SIZE + RANDOM_SIZE)

/* Open addressing, at most half full. The MAC is the key: nobody outside chooses its bits. */
struct set {
	uint8_t (*v)[MAC_SIZE]; /* all zero is free */
	size_t n, slots;
};

struct nonces {
	uint8_t key[CTR_SHA256_SIZE];
	pthread_mutex_t lock;
	struct set now, before; /* of this period of NONCE_SECONDS, and of the last */
	uint64_t period;
};

int nonces_new(struct nonces **out, struct ctr_err *e)
{
	struct nonces *n = calloc(1, sizeof *n);

	*out = NULL;
	if (!n)
		return ctr_fail_mem(e);
	if (getrandom(n->key, sizeof n->key, 0) != sizeof n->key) {
		free(n);
		return ctr_fail_sys(e, "random", "no random bytes");
	}
	pthread_mutex_init(&n->lock, NULL);
	*out = n;
	return 0;
}

void nonces_free(struct nonces *n)
{
	if (!n)
		return;
	pthread_mutex_destroy(&n->lock);
	free(n->now.v);
	free(n->before.v);
	explicit_bzero(n->key, sizeof n->key);
	free(n);
}

/* HKDF's first step is HMAC-SHA-256 (RFC 5869 section 2.2). */
static int mac(const struct nonces *n, const uint8_t *plain, uint8_t out[CTR_SHA256_SIZE],
	       struct ctr_err *e)
{
	return ctr_hkdf_extract(n->key, sizeof n->key, plain, PLAIN_SIZE, out, e);
}

int nonces_make(const struct nonces *n, time_t now, uint8_t nonce[CTR_NONCE_SIZE],
		struct ctr_err *e)
{
	uint8_t m[CTR_SHA256_SIZE];

	for (int i = 0; i < TIME_SIZE; i++)
		nonce[i] = (uint8_t)((uint64_t)now >> (8 * (TIME_SIZE - 1 - i)));
	if (getrandom(nonce + TIME_SIZE, RANDOM_SIZE, 0) != RANDOM_SIZE)
		return ctr_fail_sys(e, "random", "no random bytes");
	if (mac(n, nonce, m, e) < 0)
		return -1;
	memcpy(nonce + PLAIN_SIZE, m, MAC_SIZE);
	return 0;
}

static uint64_t made_at(const uint8_t *nonce)
{
	uint64_t t = 0;

	for (int i = 0; i < TIME_SIZE; i++)
		t = t << 8 | nonce[i];
	return t;
}

int nonces_check(const struct nonces *n, time_t now, const uint8_t nonce[CTR_NONCE_SIZE],
		 struct ctr_err *e)
{
	uint8_t m[CTR_SHA256_SIZE];

	if (mac(n, nonce, m, e) < 0)
		return -1;
	if (!ctr_same(m, nonce + PLAIN_SIZE, MAC_SIZE))
		return ctr_fail(e, CTR_NO, "nonce.unknown", "the nonce is not one of mine");
	if ((uint64_t)now - made_at(nonce) >= NONCE_SECONDS)
		return ctr_fail(e, CTR_NO, "nonce.old", "the nonce is older than %d seconds",
				NONCE_SECONDS);
	return 0;
}

/* Its slot, or the free one where it belongs. */
static uint8_t *find(const struct set *s, const uint8_t *m)
{
	size_t i;

	memcpy(&i, m, sizeof i);
	while (!ctr_zero(s->v[i &= s->slots - 1], MAC_SIZE) && !ctr_same(s->v[i], m, MAC_SIZE))
		i++;
	return s->v[i];
}

static int grow(struct set *s, struct ctr_err *e)
{
	struct set more = { .n = s->n, .slots = s->slots ? 2 * s->slots : 64 };

	if (2 * s->n < s->slots)
		return 0;
	more.v = calloc(more.slots, sizeof *more.v);
	if (!more.v)
		return ctr_fail_mem(e);
	for (size_t i = 0; i < s->slots; i++) {
		if (!ctr_zero(s->v[i], MAC_SIZE))
			memcpy(find(&more, s->v[i]), s->v[i], MAC_SIZE);
	}
	free(s->v);
	*s = more;
	return 0;
}

/* What is in neither set afterwards is too old to pass nonces_check. */
static void turn(struct nonces *n, time_t now)
{
	uint64_t period = (uint64_t)now / NONCE_SECONDS;

	if (period <= n->period) /* another thread read the clock later */
		return;
	free(n->before.v);
	n->before = n->now;
	n->now = (struct set){ 0 };
	if (period != n->period + 1) {
		free(n->before.v);
		n->before = (struct set){ 0 };
	}
	n->period = period;
}

static bool has(const struct set *s, const uint8_t *m)
{
	return s->n > 0 && !ctr_zero(find(s, m), MAC_SIZE);
}

static int use(struct nonces *n, const uint8_t *m, struct ctr_err *e)
{
	if (has(&n->now, m) || has(&n->before, m))
		return ctr_fail(e, CTR_NO, "nonce.used", "the nonce was used before");
	if (n->now.n >= NONCES_USED)
		return ctr_fail(e, CTR_ENV, "nonce.many", "more than %d joins in %d seconds",
				NONCES_USED, NONCE_SECONDS);
	if (grow(&n->now, e) < 0)
		return -1;
	memcpy(find(&n->now, m), m, MAC_SIZE);
	n->now.n++;
	return 0;
}

int nonces_use(struct nonces *n, time_t now, const uint8_t nonce[CTR_NONCE_SIZE], struct ctr_err *e)
{
	int rc;

	pthread_mutex_lock(&n->lock);
	turn(n, now);
	rc = use(n, nonce + PLAIN_SIZE, e);
	pthread_mutex_unlock(&n->lock);
	return rc;
}
