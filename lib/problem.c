#include "problem.h"

#include <string.h>

#include "json.h"

static const struct {
	const char *code;
	unsigned status;
} problems[CTR_P_N] = {
	[CTR_P_INVALID_ARGUMENT] = { "invalid_argument", 400 },
	[CTR_P_INVALID_SIGNATURE] = { "invalid_signature", 403 },
	[CTR_P_PERMISSION_DENIED] = { "permission_denied", 403 },
	[CTR_P_NO_MANIFEST] = { "no_manifest", 412 },
	[CTR_P_NEEDS_RECOVERY] = { "needs_recovery", 412 },
	[CTR_P_ALREADY_RECOVERED] = { "already_recovered", 412 },
	[CTR_P_MANIFEST_CONFLICT] = { "manifest_conflict", 409 },
	[CTR_P_ATTESTATION_FAILED] = { "attestation_failed", 403 },
	[CTR_P_INTERNAL] = { "internal", 500 },
};

const char *ctr_problem_code(enum ctr_problem p)
{
	return problems[p].code;
}

unsigned ctr_problem_status(enum ctr_problem p)
{
	return problems[p].status;
}

enum ctr_problem ctr_problem_find(const char *word)
{
	int p = 0;

	while (p < CTR_P_N && strcmp(problems[p].code, word) != 0)
		p++;
	return (enum ctr_problem)p;
}

void ctr_problem_add(struct ctr_buf *b, enum ctr_problem p, unsigned status, const char *text)
{
	char shown[513];

	ctr_escape(shown, sizeof shown, text, strlen(text));
	ctr_buf_addf(b, "{\"version\":\"%s\",\"status_code\":%u,\"code\":\"%s\",\"error\":",
		     CTR_VERSION, status ? status : problems[p].status, problems[p].code);
	ctr_json_quote(b, shown, strlen(shown));
	ctr_buf_adds(b, "}\n");
}
