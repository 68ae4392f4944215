/* TCB info and QE identity: refused with a reason, or the signed part lies within the input and
 * reads the same by itself. */
#include <stdint.h>
#include <stdlib.h>

#include "enc.h"
#include "tdx_tcb.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool ok)
{
	if (!ok)
		abort();
}

static void walk(const struct ctr_tcb_levels *l)
{
	demand(l->n <= CTR_TCB_LEVELS_MAX);
	for (size_t i = 0; i < l->n; i++) {
		demand(l->v[i].status >= CTR_TCB_UP_TO_DATE && l->v[i].status <= CTR_TCB_REVOKED);
		for (size_t j = 0; j < l->v[i].advisories.n; j++)
			demand(l->v[i].advisories.v[j][0] &&
			       !l->v[i].advisories.v[j][CTR_ADVISORY_MAX - 1]);
	}
}

static void within(const struct ctr_tcb_head *h, const uint8_t *data, size_t size)
{
	demand(h->text.left <= size && h->text.at <= size - h->text.left &&
	       h->text.p == data + h->text.at);
	demand(h->text.left >= 2 && h->text.p[0] == '{' && h->text.p[h->text.left - 1] == '}');
}

/* The signed part between the least that can stand around it. */
static void alone(const struct ctr_tcb_head *h, const char *key, struct ctr_buf *b)
{
	ctr_buf_addf(b, "{\"%s\":", key);
	ctr_buf_add(b, h->text.p, h->text.left);
	ctr_buf_adds(b, ",\"signature\":\"");
	ctr_hex_add(b, h->signature, sizeof h->signature);
	ctr_buf_adds(b, "\"}");
}

static void info(const uint8_t *data, size_t size)
{
	ctr_auto_tcb_info struct ctr_tcb_info t = { 0 }, again = { 0 };
	ctr_auto_buf struct ctr_buf b = { 0 };
	struct ctr_err e = { 0 };

	if (ctr_tcb_info_parse(data, size, &t, &e) < 0) {
		demand(e.code == CTR_FORMAT && e.id && e.msg[0]);
		return;
	}
	within(&t.head, data, size);
	walk(&t.levels);
	for (size_t i = 0; i < t.n_modules; i++)
		walk(&t.modules[i].levels);
	alone(&t.head, "tcbInfo", &b);
	demand(b.bad || ctr_tcb_info_parse(b.p, b.n, &again, &e) == 0 || b.n > CTR_TCB_TEXT_MAX);
}

static void identity(const uint8_t *data, size_t size)
{
	ctr_auto_qe_identity struct ctr_qe_identity q = { 0 }, again = { 0 };
	ctr_auto_buf struct ctr_buf b = { 0 };
	struct ctr_err e = { 0 };

	if (ctr_qe_identity_parse(data, size, &q, &e) < 0) {
		demand(e.code == CTR_FORMAT && e.id && e.msg[0]);
		return;
	}
	within(&q.head, data, size);
	walk(&q.levels);
	alone(&q.head, "enclaveIdentity", &b);
	demand(b.bad || ctr_qe_identity_parse(b.p, b.n, &again, &e) == 0 || b.n > CTR_TCB_TEXT_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	info(data, size);
	identity(data, size);
	return 0;
}
