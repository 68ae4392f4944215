/* A Coordinator's answer: refused with a reason, or it prints and reads back as itself, and its
 * policies are found. */
#include <stdint.h>
#include <stdlib.h>

#include "answer.h"
#include "rd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool ok)
{
	if (!ok)
		abort();
}

static void again(const struct ctr_answer *a)
{
	ctr_auto_answer struct ctr_answer b = { 0 };
	ctr_auto_buf struct ctr_buf text = { 0 };
	uint8_t one[CTR_REPORT_DATA_SIZE], two[CTR_REPORT_DATA_SIZE];
	const uint8_t nonce[CTR_NONCE_SIZE] = { 1 };

	demand(ctr_answer_print(a, &text, NULL) == 0);
	demand(ctr_answer_parse("again", text.p, text.n, &b, NULL) == 0);
	demand(ctr_answer_report_data(a, nonce, one, NULL) == 0 &&
	       ctr_answer_report_data(&b, nonce, two, NULL) == 0);
	demand(ctr_same(one, two, sizeof one) && a->policies.n == b.policies.n);
}

static void policies(const struct ctr_answer *a)
{
	struct ctr_answer_index *x;

	demand(ctr_answer_index_new(a, &x, NULL) == 0);
	for (size_t i = 0; i < a->policies.n; i++) {
		const struct ctr_buf *p = &a->policies.v[i], *found;
		uint8_t digest[CTR_SHA256_SIZE];

		demand(ctr_hash(CTR_SHA256, p->p, p->n, digest, NULL) == 0);
		found = ctr_answer_policy(x, digest);
		demand(found && found->n == p->n &&
		       ctr_same(ctr_buf_str(found), ctr_buf_str(p), p->n));
	}
	ctr_answer_index_free(x);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ctr_auto_answer struct ctr_answer a = { 0 };
	struct ctr_err e = { 0 };

	if (ctr_answer_parse("answer", (const char *)data, size, &a, &e) < 0) {
		demand(e.code == CTR_FORMAT && e.id && e.msg[0]);
		return 0;
	}
	again(&a);
	policies(&a);
	return 0;
}
