/*
 * Drives lib/collateral.c for tests/bats/collateral.bats: collget [options] EVIDENCE. Items are
 * what the test made up: "until=N" in one says when it ends, "bad" that it is not valid.
 */
#include <string.h>

#include "collateral.h"
#include "enc.h"
#include "file.h"
#include "tool.h"

struct opts {
	struct ctr_collateral_opts c;
	struct ctr_collateral_needs n;
	const char *save;
};

enum {
	DIR_ = 1,
	CACHE,
	KDS,
	PCS,
	ROOT,
	OFFLINE,
	AT,
	TRIES,
	TOTAL,
	CRL,
	CHAIN,
	FMSPC,
	PROCESSOR,
	SAVE
};

static const struct ctr_opt table[] = {
	{ DIR_, "collateral", 0, "DIR", "directory" },
	{ CACHE, "cache", 0, "DIR", "cache" },
	{ KDS, "kds", 0, "URL", "AMD's service" },
	{ PCS, "pcs", 0, "URL", "Intel's service" },
	{ ROOT, "root-crl", 0, "URL", "Intel's root CRL" },
	{ OFFLINE, "offline", 0, NULL, "no network" },
	{ AT, "at", 0, "SECONDS", "time" },
	{ TRIES, "tries", 0, "N", "tries" },
	{ TOTAL, "total", 0, "SECONDS", "for one transfer" },
	{ CRL, "crl", 0, "MODE", "never, available or required" },
	{ CHAIN, "chain", 0, NULL, "ASK and ARK too" },
	{ FMSPC, "fmspc", 0, "HEX", "of the platform" },
	{ PROCESSOR, "processor", 0, NULL, "the Processor CA" },
	{ SAVE, "save", 0, "DIR", "write what was found there" },
	{ 0 },
};

static struct ctr_tool tool = {
	.name = "collget",
	.synopsis = "[options] EVIDENCE",
	.summary = "Finds endorsements.",
	.example = "collget report.bin",
	.opts = table,
};

static bool still_good(void *ctx, enum ctr_item item, const struct ctr_buf *b, time_t at,
		       time_t *expires)
{
	const char *until = memmem(b->p, b->n, "until=", 6);

	(void)ctx;
	(void)item;
	*expires = until ? (time_t)strtoll(until + 6, NULL, 10) : 0;
	return !memmem(b->p, b->n, "bad", 3) && (*expires == 0 || at < *expires);
}

static int set_crl(struct opts *o, const char *v, struct ctr_err *e)
{
	static const char *const modes[] = { "required", "available", "never" };

	for (size_t i = 0; i < 3; i++) {
		if (strcmp(v, modes[i]) == 0) {
			o->n.crl = (enum ctr_crl_mode)i;
			return 0;
		}
	}
	return ctr_fail(e, CTR_USAGE, "usage", "--crl=required|available|never");
}

static int on_opt(void *ctx, int id, const char *v, struct ctr_err *e)
{
	struct opts *o = ctx;
	uint64_t n = 0;

	if ((id == AT || id == TRIES || id == TOTAL) &&
	    ctr_number(v, "number", 0, (uint64_t)1 << 40, &n, e) < 0)
		return -1;
	switch (id) {
	case DIR_:
		o->c.dir = v;
		break;
	case CACHE:
		o->c.cache = v;
		break;
	case KDS:
		o->c.kds_url = v;
		break;
	case PCS:
		o->c.pcs_url = v;
		break;
	case ROOT:
		o->c.root_crl_url = v;
		break;
	case OFFLINE:
		o->c.offline = true;
		break;
	case AT:
		o->c.at = (time_t)n;
		break;
	case TRIES:
		o->c.http.tries = (unsigned)n;
		break;
	case TOTAL:
		o->c.http.total_s = (unsigned)n;
		break;
	case CRL:
		return set_crl(o, v, e);
	case CHAIN:
		o->n.chain = true;
		break;
	case FMSPC:
		return ctr_hex_parse(v, strlen(v), o->n.fmspc, 6, e);
	case PROCESSOR:
		o->n.processor_ca = true;
		break;
	default:
		o->save = v;
	}
	return 0;
}

static int run(struct opts *o, const char *path, struct ctr_err *e)
{
	ctr_auto_evidence struct ctr_evidence ev = { 0 };
	ctr_auto_buf struct ctr_buf b = { 0 };
	ctr_auto_buf struct ctr_buf names = { 0 };

	if (ctr_file_read(path, CTR_EVIDENCE_MAX, &b, e) < 0 ||
	    ctr_evidence_read((const uint8_t *)ctr_buf_str(&b), b.n, &ev, e) < 0 ||
	    ctr_collateral_fill(&o->c, &o->n, &ev, e) < 0)
		return -1;
	for (int i = CTR_REPORT + 1; i < CTR_ITEMS; i++) {
		char text[200];

		if (ev.item[i].n == 0)
			continue;
		ctr_escape(text, sizeof text, ev.item[i].p, ev.item[i].n);
		printf("%s %s\n", ctr_item_names[i], text);
	}
	if (!o->save)
		return 0;
	if (ctr_collateral_save(o->save, &o->n, &ev, &names, e) < 0)
		return -1;
	for (const char *p = ctr_buf_str(&names); *p; p += strcspn(p, "\n") + 1)
		printf("saved %.*s\n", (int)strcspn(p, "\n"), p);
	return 0;
}

int main(int argc, char **argv)
{
	struct opts o = { .c = { .at = 1000, .still_good = still_good } };
	struct ctr_err e = { 0 };
	int first;

	ctr_tool_init(&tool);
	if (ctr_tool_opts(&tool, argc, argv, on_opt, &o, &first, &e) < 0)
		return ctr_tool_die(&tool, &e);
	if (tool.served)
		return ctr_tool_close(&tool);
	if (argc - first != 1) {
		ctr_fail(&e, CTR_USAGE, "usage", "expected one operand");
		return ctr_tool_die(&tool, &e);
	}
	o.n.product = CTR_PRODUCTS;
	o.c.log = &tool.log;
	o.c.http.log = &tool.log;
	o.c.http.backoff_ms = 20;
	if (run(&o, argv[first], &e) < 0)
		return ctr_tool_die(&tool, &e);
	return ctr_tool_close(&tool);
}
