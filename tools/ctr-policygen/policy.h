/* The policy's text: the rules, then the pod's data. */
#ifndef TOOLS_CTR_POLICYGEN_POLICY_H
#define TOOLS_CTR_POLICYGEN_POLICY_H

#include "initdata.h"
#include "pod.h"

/* The rules, as minified at build time. */
extern const char rules_rego[];
extern const size_t rules_rego_len;

/* Bytes of rules_rego that every policy begins with; parts for some pods follow. */
size_t policy_rules(void);

/* Appends the data section for the pod and the parts of the rules that it needs. CTR_FORMAT "policy.key" for a name too long for a line, "limit". */
CTR_MUST int policy_data(const struct pod *p, const struct settings *s, struct ctr_buf *b,
			 struct ctr_err *e);

/* Appends what the policy allows, in words, for --explain. */
CTR_MUST int policy_explain(const struct pod *p, const struct settings *s, struct ctr_buf *b,
			    struct ctr_err *e);

#endif
