#include "tdx_tcb.h"

#include <string.h>

#include "json.h"
#include "x509.h"

const char *const ctr_tcb_status_names[CTR_TCB_STATUSES] = {
	"",
	"UpToDate",
	"SWHardeningNeeded",
	"ConfigurationNeeded",
	"ConfigurationAndSWHardeningNeeded",
	"OutOfDate",
	"OutOfDateConfigurationNeeded",
	"Revoked",
	"TDRelaunchAdvised",
	"TDRelaunchAdvisedConfigurationNeeded",
	"NotSupported",
};

void ctr_advisories_free(struct ctr_advisories *a)
{
	free(a->v);
	*a = (struct ctr_advisories){ 0 };
}

static bool has_advisory(const struct ctr_advisories *a, const char *id)
{
	for (size_t i = 0; i < a->n; i++) {
		if (strcmp(a->v[i], id) == 0)
			return true;
	}
	return false;
}

int ctr_advisories_join(struct ctr_advisories *a, const struct ctr_advisories *more,
			struct ctr_err *e)
{
	char(*v)[CTR_ADVISORY_MAX];

	if (more->n == 0)
		return 0;
	v = reallocarray(a->v, a->n + more->n, sizeof *v);
	if (!v)
		return ctr_fail_mem(e);
	a->v = v;
	for (size_t i = 0; i < more->n; i++) {
		if (!has_advisory(a, more->v[i]))
			memcpy(a->v[a->n++], more->v[i], sizeof *v);
	}
	return 0;
}

static void free_levels(struct ctr_tcb_levels *l)
{
	for (size_t i = 0; i < l->n; i++)
		ctr_advisories_free(&l->v[i].advisories);
	free(l->v);
	*l = (struct ctr_tcb_levels){ 0 };
}

void ctr_tcb_info_free(struct ctr_tcb_info *t)
{
	for (size_t i = 0; i < t->n_modules; i++)
		free_levels(&t->modules[i].levels);
	free(t->modules);
	free_levels(&t->levels);
	*t = (struct ctr_tcb_info){ 0 };
}

void ctr_qe_identity_free(struct ctr_qe_identity *q)
{
	free_levels(&q->levels);
	*q = (struct ctr_qe_identity){ 0 };
}

/* The text was found to be JSON before: these only count quotes and braces. */
static size_t behind_blanks(const char *p, size_t n, size_t i)
{
	while (i < n && (p[i] == ' ' || p[i] == '\t' || p[i] == '\r' || p[i] == '\n'))
		i++;
	return i;
}

static size_t behind_string(const char *p, size_t n, size_t i)
{
	for (i++; i < n && p[i] != '"'; i++) {
		if (p[i] == '\\')
			i++;
	}
	return i < n ? i + 1 : n;
}

static size_t behind_object(const char *p, size_t n, size_t i)
{
	size_t depth = 0;

	while (i < n) {
		if (p[i] == '"') {
			i = behind_string(p, n, i);
			continue;
		}
		if (p[i] == '{')
			depth++;
		else if (p[i] == '}' && --depth == 0)
			return i + 1;
		i++;
	}
	return n;
}

/*
 * The object that is the member `key` of the outermost one, as it stands in the text. A key written
 * with escapes does not count: as duplicates are refused, nothing else can then be taken for it.
 */
static int cut(const char *p, size_t n, const char *key, struct ctr_rd *text, struct ctr_err *e)
{
	size_t len = strlen(key), depth = 0, i = 0, end;
	struct ctr_rd whole, skip;

	while (i < n) {
		if (p[i] != '"') {
			depth += p[i] == '{' || p[i] == '[';
			depth -= p[i] == '}' || p[i] == ']';
			i++;
			continue;
		}
		end = behind_string(p, n, i);
		if (depth == 1 && end - i == len + 2 && strncmp(p + i + 1, key, len) == 0) {
			end = behind_blanks(p, n, end);
			if (end < n && p[end] == ':') {
				i = behind_blanks(p, n, end + 1);
				break;
			}
		}
		i = end;
	}
	ctr_rd_init(&whole, p, n);
	if (i >= n || p[i] != '{' || ctr_rd_take(&whole, i, &skip) < 0 ||
	    ctr_rd_take(&whole, behind_object(p, n, i) - i, text) < 0)
		return ctr_fail(e, CTR_FORMAT, "tcb.text", "no object \"%s\"", key);
	return 0;
}

static int number(const struct ctr_jval *obj, const char *key, uint64_t max, uint64_t *v,
		  struct ctr_err *e)
{
	struct ctr_jval j = ctr_jget(obj, key);

	return ctr_juint(&j, max, v, e);
}

static int hex(const struct ctr_jval *obj, const char *key, uint8_t *dst, size_t n,
	       struct ctr_err *e)
{
	struct ctr_jval j = ctr_jget(obj, key);

	return ctr_jhex(&j, dst, n, e);
}

static int date(const struct ctr_jval *obj, const char *key, time_t *t, struct ctr_err *e)
{
	struct ctr_jval j = ctr_jget(obj, key);
	struct ctr_err why = { 0 };
	const char *s;

	*t = 0;
	if (ctr_jstring(&j, &s, e) < 0)
		return -1;
	return ctr_time_parse(s, t, &why) < 0 ? ctr_jfail(&j, e, "time", "%s", why.msg) : 0;
}

/* An array's length, at most max. */
static int count(const struct ctr_jval *arr, size_t max, size_t *n, struct ctr_err *e)
{
	*n = 0;
	if (ctr_jarray(arr, e) < 0)
		return -1;
	if (ctr_jcount(arr) > max)
		return ctr_jfail(arr, e, "tcb.count", "more than %zu items", max);
	*n = ctr_jcount(arr);
	return 0;
}

static int advisories(const struct ctr_jval *level, struct ctr_advisories *a, struct ctr_err *e)
{
	struct ctr_jval list = ctr_jget(level, "advisoryIDs");
	const char *s;
	size_t n;

	if (!ctr_jhas(&list))
		return 0;
	if (count(&list, CTR_ADVISORIES_MAX, &n, e) < 0)
		return -1;
	if (n && !(a->v = calloc(n, sizeof *a->v)))
		return ctr_fail_mem(e);
	for (struct ctr_jval j = ctr_jfirst(&list); j.v; j = ctr_jnext(&j)) {
		if (ctr_jstring(&j, &s, e) < 0)
			return -1;
		if (*s == '\0' || strlen(s) >= CTR_ADVISORY_MAX ||
		    strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") != strlen(s))
			return ctr_jfail(&j, e, "tcb.advisory",
					 "no advisory id (expected INTEL-SA-NNNNN)");
		memcpy(a->v[a->n++], s, strlen(s) + 1);
	}
	return 0;
}

static int status(const struct ctr_jval *level, enum ctr_tcb_status *st, struct ctr_err *e)
{
	struct ctr_jval j = ctr_jget(level, "tcbStatus");
	const char *s;

	if (ctr_jstring(&j, &s, e) < 0)
		return -1;
	for (unsigned i = CTR_TCB_UP_TO_DATE; i <= CTR_TCB_REVOKED; i++) {
		if (strcmp(s, ctr_tcb_status_names[i]) == 0) {
			*st = (enum ctr_tcb_status)i;
			return 0;
		}
	}
	return ctr_jfail(&j, e, "tcb.status", "unknown status \"%.40s\"", s);
}

/* Exactly sixteen: a comparison must not end at the shorter list. */
static int components(const struct ctr_jval *tcb, const char *key, uint8_t out[16],
		      struct ctr_err *e)
{
	struct ctr_jval list = ctr_jget(tcb, key);
	size_t n, i = 0;
	uint64_t v;

	if (count(&list, 16, &n, e) < 0)
		return -1;
	if (n != 16)
		return ctr_jfail(&list, e, "tcb.count", "%zu components (expected 16)", n);
	for (struct ctr_jval j = ctr_jfirst(&list); j.v; j = ctr_jnext(&j)) {
		if (ctr_jobject(&j, e) < 0 || number(&j, "svn", UINT8_MAX, &v, e) < 0)
			return -1;
		out[i++] = (uint8_t)v;
	}
	return 0;
}

static int level(const struct ctr_jval *j, bool platform, struct ctr_tcb_level *l,
		 struct ctr_err *e)
{
	struct ctr_jval tcb;
	uint64_t svn;

	if (ctr_jobject(j, e) < 0)
		return -1;
	tcb = ctr_jget(j, "tcb");
	if (ctr_jobject(&tcb, e) < 0 ||
	    number(&tcb, platform ? "pcesvn" : "isvsvn", UINT16_MAX, &svn, e) < 0)
		return -1;
	l->svn = (uint16_t)svn;
	if (platform && (components(&tcb, "sgxtcbcomponents", l->sgx, e) < 0 ||
			 components(&tcb, "tdxtcbcomponents", l->tdx, e) < 0))
		return -1;
	if (date(j, "tcbDate", &l->date, e) < 0 || status(j, &l->status, e) < 0)
		return -1;
	return advisories(j, &l->advisories, e);
}

static int levels(const struct ctr_jval *obj, bool platform, struct ctr_tcb_levels *l,
		  struct ctr_err *e)
{
	struct ctr_jval list = ctr_jget(obj, "tcbLevels");
	size_t n;

	if (count(&list, CTR_TCB_LEVELS_MAX, &n, e) < 0)
		return -1;
	if (n && !(l->v = calloc(n, sizeof *l->v)))
		return ctr_fail_mem(e);
	for (struct ctr_jval j = ctr_jfirst(&list); j.v; j = ctr_jnext(&j)) {
		/* counted first: what a failing level holds is freed with the rest */
		if (level(&j, platform, &l->v[l->n++], e) < 0)
			return -1;
	}
	return 0;
}

static int module_values(const struct ctr_jval *j, struct ctr_tdx_module *m, struct ctr_err *e)
{
	if (ctr_jobject(j, e) < 0 || hex(j, "mrsigner", m->mrsigner, sizeof m->mrsigner, e) < 0 ||
	    hex(j, "attributes", m->attributes, sizeof m->attributes, e) < 0 ||
	    hex(j, "attributesMask", m->attributes_mask, sizeof m->attributes_mask, e) < 0)
		return -1;
	return 0;
}

static int modules(const struct ctr_jval *obj, struct ctr_tcb_info *t, struct ctr_err *e)
{
	struct ctr_jval list = ctr_jget(obj, "tdxModuleIdentities"), id;
	const char *s;
	size_t n;

	if (!ctr_jhas(&list))
		return 0;
	if (count(&list, CTR_TCB_MODULES_MAX, &n, e) < 0)
		return -1;
	if (n && !(t->modules = calloc(n, sizeof *t->modules)))
		return ctr_fail_mem(e);
	for (struct ctr_jval j = ctr_jfirst(&list); j.v; j = ctr_jnext(&j)) {
		struct ctr_tdx_module *m = &t->modules[t->n_modules++];

		if (module_values(&j, m, e) < 0)
			return -1;
		id = ctr_jget(&j, "id");
		if (ctr_jstring(&id, &s, e) < 0)
			return -1;
		if (strlen(s) >= sizeof m->id)
			return ctr_jfail(&id, e, "tcb.text", "no module id (expected TDX_NN)");
		memcpy(m->id, s, strlen(s) + 1);
		if (levels(&j, false, &m->levels, e) < 0)
			return -1;
	}
	return 0;
}

/* The signature, the signed text, and that as a tree: what is read is what is signed. */
static int open_text(const char *name, const char *key, const char *p, size_t n,
		     struct ctr_tcb_head *h, struct ctr_json **inner, struct ctr_err *e)
{
	ctr_auto_json struct ctr_json *outer = NULL;
	struct ctr_jval root;

	if (n > CTR_TCB_TEXT_MAX)
		return ctr_fail(e, CTR_FORMAT, "tcb.size", "%s: %zu bytes (at most %zu)", name, n,
				CTR_TCB_TEXT_MAX);
	if (ctr_json_parse(name, p, n, &outer, e) < 0)
		return -1;
	root = ctr_jroot(outer);
	if (ctr_jobject(&root, e) < 0 ||
	    hex(&root, "signature", h->signature, sizeof h->signature, e) < 0 ||
	    cut(p, n, key, &h->text, e) < 0)
		return -1;
	return ctr_json_parse(name, p + h->text.at, h->text.left, inner, e);
}

static int head(const struct ctr_jval *j, const char *bad, const char *want_id,
		uint64_t want_version, struct ctr_tcb_head *h, struct ctr_err *e)
{
	struct ctr_jval id = ctr_jget(j, "id");
	uint64_t version, eval;
	const char *s;

	if (ctr_jstring(&id, &s, e) < 0 || number(j, "version", UINT32_MAX, &version, e) < 0)
		return -1;
	if (strcmp(s, want_id) != 0 || version != want_version)
		return ctr_jfail(&id, e, bad, "\"%.40s\" version %llu (expected %s version %llu)",
				 s, (unsigned long long)version, want_id,
				 (unsigned long long)want_version);
	if (number(j, "tcbEvaluationDataNumber", UINT32_MAX, &eval, e) < 0 ||
	    date(j, "issueDate", &h->issued, e) < 0 || date(j, "nextUpdate", &h->next, e) < 0)
		return -1;
	h->eval = (uint32_t)eval;
	return 0;
}

static int tcb_info(const struct ctr_jval *j, struct ctr_tcb_info *t, struct ctr_err *e)
{
	struct ctr_jval module = ctr_jget(j, "tdxModule"), kind = ctr_jget(j, "tcbType");
	uint64_t type;

	if (head(j, "tcb_info.type", "TDX", 3, &t->head, e) < 0 ||
	    ctr_juint(&kind, UINT32_MAX, &type, e) < 0)
		return -1;
	if (type != 0)
		return ctr_jfail(&kind, e, "tcb_info.type",
				 "unknown way to compare (expected tcbType 0)");
	if (hex(j, "fmspc", t->fmspc, sizeof t->fmspc, e) < 0 ||
	    hex(j, "pceId", t->pceid, sizeof t->pceid, e) < 0 ||
	    module_values(&module, &t->module, e) < 0 || modules(j, t, e) < 0)
		return -1;
	return levels(j, true, &t->levels, e);
}

int ctr_tcb_info_parse(const void *p, size_t n, struct ctr_tcb_info *t, struct ctr_err *e)
{
	ctr_auto_json struct ctr_json *inner = NULL;
	struct ctr_jval root;

	*t = (struct ctr_tcb_info){ 0 };
	if (open_text("tcb_info", "tcbInfo", p, n, &t->head, &inner, e) == 0) {
		root = ctr_jroot(inner);
		if (tcb_info(&root, t, e) == 0)
			return 0;
	}
	ctr_tcb_info_free(t);
	return ctr_err_at(e, "tcb_info", 0, 0);
}

static int qe_identity(const struct ctr_jval *j, struct ctr_qe_identity *q, struct ctr_err *e)
{
	uint64_t prod;

	if (head(j, "qe_identity.type", "TD_QE", 2, &q->head, e) < 0 ||
	    hex(j, "miscselect", q->miscselect, sizeof q->miscselect, e) < 0 ||
	    hex(j, "miscselectMask", q->miscselect_mask, sizeof q->miscselect_mask, e) < 0 ||
	    hex(j, "attributes", q->attributes, sizeof q->attributes, e) < 0 ||
	    hex(j, "attributesMask", q->attributes_mask, sizeof q->attributes_mask, e) < 0 ||
	    hex(j, "mrsigner", q->mrsigner, sizeof q->mrsigner, e) < 0 ||
	    number(j, "isvprodid", UINT16_MAX, &prod, e) < 0)
		return -1;
	q->isvprodid = (uint16_t)prod;
	return levels(j, false, &q->levels, e);
}

int ctr_qe_identity_parse(const void *p, size_t n, struct ctr_qe_identity *q, struct ctr_err *e)
{
	ctr_auto_json struct ctr_json *inner = NULL;
	struct ctr_jval root;

	*q = (struct ctr_qe_identity){ 0 };
	if (open_text("qe_identity", "enclaveIdentity", p, n, &q->head, &inner, e) == 0) {
		root = ctr_jroot(inner);
		if (qe_identity(&root, q, e) == 0)
			return 0;
	}
	ctr_qe_identity_free(q);
	return ctr_err_at(e, "qe_identity", 0, 0);
}
