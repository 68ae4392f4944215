#include "lists.h"

void lists_init(struct lists *l)
{
	*l = (struct lists){ 0 };
	pthread_mutex_init(&l->lock, NULL);
}

void lists_free(struct lists *l)
{
	for (int p = 0; p < CTR_PRODUCTS; p++) {
		ctr_buf_free(&l->v[p][0].der);
		ctr_buf_free(&l->v[p][1].der);
	}
}

static enum ctr_snp_product product(const struct ctr_evidence *ev)
{
	const struct ctr_buf *b = &ev->item[CTR_REPORT];
	struct ctr_snp_report r;

	return ev->tee == CTR_TEE_SNP && ctr_snp_parse((const uint8_t *)b->p, b->n, &r, NULL) == 0
		       ? ctr_snp_cpuid_product(&r)
		       : CTR_PRODUCTS;
}

bool lists_get(struct lists *l, time_t now, struct ctr_evidence *ev)
{
	enum ctr_snp_product p = product(ev);
	int cloud = ev->item[CTR_VLEK].n > 0;
	bool known;

	if (p == CTR_PRODUCTS)
		return false;
	pthread_mutex_lock(&l->lock);
	known = now < l->v[p][cloud].until;
	if (known && ev->item[CTR_CRL].n == 0)
		ctr_buf_add(&ev->item[CTR_CRL], l->v[p][cloud].der.p, l->v[p][cloud].der.n);
	pthread_mutex_unlock(&l->lock);
	return known && !ev->item[CTR_CRL].bad;
}

void lists_put(struct lists *l, time_t now, const struct ctr_evidence *ev)
{
	enum ctr_snp_product p = product(ev);
	int cloud = ev->item[CTR_VLEK].n > 0;
	struct ctr_buf copy = { 0 };

	if (p == CTR_PRODUCTS)
		return;
	ctr_buf_add(&copy, ev->item[CTR_CRL].p, ev->item[CTR_CRL].n);
	if (copy.bad) {
		ctr_buf_free(&copy);
		return;
	}
	pthread_mutex_lock(&l->lock);
	ctr_buf_free(&l->v[p][cloud].der);
	l->v[p][cloud].der = copy;
	l->v[p][cloud].until = now + LISTS_SECONDS;
	pthread_mutex_unlock(&l->lock);
}
