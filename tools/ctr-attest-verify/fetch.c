/* ctr-attest-verify fetch: fills a directory with what endorses reports, for where there is no
 * network. */
#include <string.h>
#include <time.h>

#include "cmd.h"
#include "endorse.h"
#include "file.h"
#include "tool_sources.h"

enum { O_PRODUCT = 1 };

static const struct ctr_opt opts[] = {
	{ CTR_SRC_DIR, "collateral", 0, "DIR", "the directory to fill" },
	{ O_PRODUCT, "product", 0, "NAME",
	  "Milan, Genoa or Turin, for reports that do not say it" },
	CTR_SOURCES_NET,
	{ 0 },
};

struct work {
	struct ctr_sources src;
	enum ctr_snp_product product;
};

static int on_opt(void *ctx, int id, const char *value, struct ctr_err *e)
{
	struct work *w = ctx;

	if (id != O_PRODUCT)
		return ctr_sources_opt(&w->src, id, value, e);
	w->product = ctr_snp_product_find(value, strlen(value));
	return w->product < CTR_PRODUCTS
		       ? 0
		       : ctr_fail(e, CTR_USAGE, "usage",
				  "--product=%s (expected Milan, Genoa or Turin)", value);
}

/* All is fetched anew, save the leaf, which some have from their host alone. */
static void drop_old(struct ctr_evidence *ev)
{
	for (int i = CTR_ASK; i < CTR_ITEMS; i++)
		ctr_buf_free(&ev->item[i]);
}

/* What cannot be used now is kept: the verification may be as of another time. */
static void warn_dates(const struct work *w, const char *path, const struct ctr_evidence *ev)
{
	for (int i = CTR_VCEK; i < CTR_ITEMS; i++) {
		time_t expires;

		if (ev->item[i].n &&
		    !ctr_endorsement_good(NULL, i, &ev->item[i], w->src.c.at, &expires))
			ctr_log(w->src.c.log, CTR_WARN, "collateral.dates", path, 0, 0,
				"%s is not valid at this time", ctr_item_names[i]);
	}
}

static int fetch(struct work *w, const char *dir, const char *path, struct ctr_buf *out,
		 struct ctr_err *e)
{
	struct ctr_collateral_needs needs = { .crl = CTR_CRL_REQUIRED,
					      .product = w->product,
					      .chain = true };
	ctr_auto_evidence struct ctr_evidence ev = { 0 };
	ctr_auto_buf struct ctr_buf in = { 0 };

	if (ctr_file_read(path, CTR_EVIDENCE_MAX, &in, e) < 0)
		return -1;
	if (ctr_evidence_read((const uint8_t *)ctr_buf_str(&in), in.n, &ev, e) < 0)
		return ctr_wrap(e, "%s", path);
	drop_old(&ev);
	if (ctr_endorse_needs(&ev, &needs, e) < 0 ||
	    ctr_collateral_fill(&w->src.c, &needs, &ev, e) < 0)
		return ctr_wrap(e, "%s", path);
	warn_dates(w, path, &ev);
	return ctr_collateral_save(dir, &needs, &ev, out, e);
}

int cmd_fetch(struct ctr_tool *t, int argc, char **argv, struct ctr_buf *out, struct ctr_err *e)
{
	struct work w = { .product = CTR_PRODUCTS };
	const char *dir;
	int first = 0, rc;

	t->synopsis = "--collateral DIR [options] [file ...]";
	t->summary = "Fetches what endorses reports into a directory, and prints the names of the "
		     "files.";
	t->example = "ctr-attest-verify fetch --collateral dir evidence.cbor";
	t->opts = opts;
	ctr_sources_init(&w.src, time(NULL));
	w.src.no_cache = true;
	rc = ctr_tool_opts(t, argc, argv, on_opt, &w, &first, e);
	if (rc < 0 || t->served)
		return rc;
	dir = w.src.c.dir;
	w.src.c.dir = NULL; /* it is filled, not searched */
	if (!dir)
		return ctr_fail(e, CTR_USAGE, "usage", "which directory? (--collateral)");
	rc = ctr_sources_ready(&w.src, &t->log, e);
	if (rc == 0 && first == argc)
		rc = fetch(&w, dir, "-", out, e);
	for (int i = first; i < argc && rc == 0; i++)
		rc = fetch(&w, dir, argv[i], out, e);
	ctr_sources_free(&w.src);
	return rc;
}
