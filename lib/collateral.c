#include "collateral.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "collateral_cache.h"
#include "collateral_list.h"
#include "file.h"

#define TOTAL_S 30
#define LOCK_WAIT_S 120

/* One filling, from beginning to end. */
struct fill {
	const struct ctr_collateral_opts *o;
	struct ctr_evidence *ev;
	struct ctr_http *http; /* made for the first request */
	struct ctr_asks asks;
};

/* What one request's items were found to be, before they go into the evidence. */
struct found {
	struct ctr_buf v[2];
	bool good[2];  /* valid at the time in question */
	bool fresh[2]; /* and not near its end */
	bool have[2];  /* not looked for: the evidence has it */
};

static void found_free(struct found *f)
{
	ctr_buf_free(&f->v[0]);
	ctr_buf_free(&f->v[1]);
}
#define auto_found CTR_AUTO(found_free) struct found

static bool judge(const struct fill *f, enum ctr_item item, const struct ctr_buf *b,
		  time_t *expires)
{
	*expires = 0;
	return !f->o->still_good || f->o->still_good(f->o->ctx, item, b, f->o->at, expires);
}

static bool all(const struct ctr_ask *a, const bool *flag, const bool *have)
{
	for (size_t i = 0; i < a->n && i < 2; i++) {
		if (!flag[i] && !have[i])
			return false;
	}
	return true;
}

/* Puts b in the place of what was found before, when it is better. */
static void keep(struct found *to, size_t i, struct ctr_buf *b, bool good, bool fresh)
{
	bool better = good && (!to->good[i] || (fresh && !to->fresh[i]));

	if (to->have[i] || (to->v[i].n > 0 && !better))
		return;
	ctr_buf_free(&to->v[i]);
	to->v[i] = *b;
	*b = (struct ctr_buf){ 0 };
	to->good[i] = good;
	to->fresh[i] = fresh;
}

/* A file of the caller's directory: one that is there but cannot be read is an error. */
static int dir_file(const char *dir, const char *name, struct ctr_buf *b, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf path = { 0 };

	ctr_buf_addf(&path, "%s/%s", dir, name);
	if (ctr_buf_ok(&path, "file name", e) < 0)
		return -1;
	if (access(path.p, F_OK) < 0 && (errno == ENOENT || errno == ENAMETOOLONG))
		return 0;
	return ctr_file_read(path.p, CTR_EVIDENCE_ITEM_MAX, b, e);
}

/* By its full name, or by the plain one. */
static int from_dir(struct fill *f, const struct ctr_ask *a, struct found *to, struct ctr_err *e)
{
	for (size_t i = 0; i < a->n && f->o->dir; i++) {
		char plain[CTR_ASK_NAME];
		const char *names[] = { a->v[i].name, plain };

		ctr_ask_plain_name(a->v[i].item, plain);
		for (size_t k = 0; k < 2 && !to->have[i] && !to->good[i]; k++) {
			ctr_auto_buf struct ctr_buf b = { 0 };
			time_t expires;
			bool good;

			if (dir_file(f->o->dir, names[k], &b, e) < 0)
				return -1;
			if (b.n == 0)
				continue;
			good = judge(f, a->v[i].item, &b, &expires);
			keep(to, i, &b, good, good);
		}
	}
	return 0;
}

/* Only what is valid; fresh when less than four fifths of its time here are over. */
static int from_cache(struct fill *f, const struct ctr_ask *a, struct found *to, struct ctr_err *e)
{
	for (size_t i = 0; i < a->n && f->o->cache; i++) {
		ctr_auto_buf struct ctr_buf b = { 0 };
		time_t since, expires;
		bool there, fresh;

		if (to->have[i] || to->fresh[i])
			continue;
		if (ctr_ccache_get(f->o->cache, a->v[i].name, &b, &since, &there, e) < 0)
			return -1;
		if (!there || !judge(f, a->v[i].item, &b, &expires))
			continue;
		fresh = expires == 0 || f->o->at < since ||
			(expires > since && f->o->at - since < (expires - since) / 5 * 4);
		keep(to, i, &b, true, fresh);
	}
	return 0;
}

static int refused(const struct ctr_ask *a, unsigned status, struct ctr_err *e)
{
	if (status == 429) {
		ctr_fail(e, CTR_ENV, "collateral.rate-limited", "%s: asked too often (429), for %s",
			 a->url, ctr_item_names[a->v[0].item]);
		return ctr_err_fix(e, "wait, or name a caching proxy");
	}
	ctr_fail(e, CTR_ENV, "collateral.missing", "%s: status %u%s, for %s", a->url, status,
		 status == 404 || status == 410 ? " (there is none)" : "",
		 ctr_item_names[a->v[0].item]);
	return ctr_err_fix(e, "give it in a directory with --collateral");
}

/* The id of this module, and the URL with its query, for what the client below says. */
static int unreachable(const struct ctr_ask *a, const struct ctr_err *why, struct ctr_err *e)
{
	size_t shown = strcspn(a->url, "?");
	const char *text = why->msg;

	if (why->code != CTR_ENV || strcmp(why->id, "memory") == 0 ||
	    strcmp(why->id, "http.stopped") == 0 || strcmp(why->id, "http.library") == 0)
		return ctr_err_pass(e, why);
	if (strncmp(text, a->url, shown) == 0 && strncmp(text + shown, ": ", 2) == 0)
		text += shown + 2;
	ctr_fail(e, CTR_ENV, "collateral.missing", "%s: %s", a->url, text);
	return ctr_err_fix(e, "check the network, or give %s in a directory with --collateral",
			   ctr_item_names[a->v[0].item]);
}

/* What does not stop the filling. */
static void warn(const struct fill *f, const struct ctr_err *why)
{
	if (f->o->log)
		ctr_log(f->o->log, CTR_WARN, why->id, NULL, 0, 0, "%s", why->msg);
}

static int request(struct fill *f, const struct ctr_ask *a, struct ctr_buf out[2],
		   struct ctr_err *e)
{
	ctr_auto_http_resp struct ctr_http_resp resp = { 0 };
	ctr_auto_buf struct ctr_buf header = { 0 };
	struct ctr_http_req q = { .url = a->url, .max = CTR_EVIDENCE_ITEM_MAX };
	struct ctr_http_opts ho = f->o->http;
	struct ctr_err why = { 0 };
	bool has;

	ho.total_s = ho.total_s ? ho.total_s : TOTAL_S;
	if (!f->http && ctr_http_new(&ho, &f->http, e) < 0)
		return -1;
	if (ctr_http_do(f->http, &q, &resp, &why) < 0) {
		if (strcmp(why.id, "http.large") == 0)
			return ctr_fail(e, CTR_ENV, "collateral.answer",
					"%s: the answer is larger than %zu bytes", a->url,
					CTR_EVIDENCE_ITEM_MAX);
		return unreachable(a, &why, e);
	}
	if ((resp.status == 404 || resp.status == 410) && f->o->cache &&
	    ctr_ccache_set_none(f->o->cache, a->v[0].name, &why) < 0)
		warn(f, &why);
	if (resp.status != 200)
		return refused(a, resp.status, e);
	has = a->header && ctr_http_header(&resp, a->header, 0, &header);
	return ctr_ask_split(a, &resp.body, has ? &header : NULL, out, e);
}

/* What came is kept when it is valid; a cache that is full is no reason to stop. */
static void take(struct fill *f, const struct ctr_ask *a, struct ctr_buf out[2], struct found *to)
{
	for (size_t i = 0; i < a->n; i++) {
		struct ctr_err why = { 0 };
		time_t expires;
		bool good = judge(f, a->v[i].item, &out[i], &expires);

		if (good && f->o->cache &&
		    ctr_ccache_put(f->o->cache, a->v[i].name, &out[i], &why) < 0)
			warn(f, &why);
		keep(to, i, &out[i], good, good);
	}
}

static int nowhere(const struct fill *f, const struct ctr_ask *a, struct ctr_err *e)
{
	const char *name = ctr_item_names[a->v[0].item];

	if (a->url[0] == '\0') {
		ctr_fail(e, CTR_ENV, a->why_id, "%s", a->why);
		return ctr_err_fix(e,
				   "give it in the evidence, or as %s in a directory with "
				   "--collateral",
				   name);
	}
	if (!f->o->offline)
		return 0;
	ctr_fail(e, CTR_ENV, "collateral.offline", "%s: not asked for %s (offline)", a->url, name);
	return ctr_err_fix(
		e, "fill a directory with ctr-attest-verify fetch where there is a network");
}

/* From the service, one process at a time: whoever waited finds the answer in the cache. */
static int from_service(struct fill *f, const struct ctr_ask *a, struct found *to,
			struct ctr_err *e)
{
	struct ctr_buf out[2] = { { 0 }, { 0 } };
	ctr_auto_fd int lock = -1;
	int rc;

	if (nowhere(f, a, e) < 0)
		return -1;
	if (f->o->cache) {
		if (ctr_ccache_lock(f->o->cache, a->v[0].name, LOCK_WAIT_S, f->o->http.stop, &lock,
				    e) < 0 ||
		    from_cache(f, a, to, e) < 0)
			return -1;
		if (all(a, to->fresh, to->have))
			return 0;
		if (ctr_ccache_none(f->o->cache, a->v[0].name))
			return ctr_fail(
				e, CTR_ENV, "collateral.missing",
				"%s: there is none, for %s (as answered less than %d s ago)",
				a->url, ctr_item_names[a->v[0].item], CTR_COLLATERAL_NONE_S);
	}
	if (f->o->log)
		ctr_log(f->o->log, CTR_INFO, "collateral.fetch", NULL, 0, 0, "fetching %s", a->url);
	rc = request(f, a, out, e);
	if (rc == 0)
		take(f, a, out, to);
	ctr_buf_free(&out[0]);
	ctr_buf_free(&out[1]);
	return rc;
}

/* Whether it goes on with what there is when the service gave nothing. */
static int without(const struct fill *f, size_t which, const struct found *to,
		   const struct ctr_err *why)
{
	const struct ctr_ask *a = &f->asks.v[which];
	bool there[2] = { to->v[0].n > 0, to->v[1].n > 0 };

	if (strcmp(why->id, "memory") == 0 || strcmp(why->id, "http.stopped") == 0)
		return -1;
	if (!all(a, there, to->have) && !f->asks.optional[which])
		return -1;
	/* offline was asked for: that what is valid was not fetched anew is no news */
	if (strcmp(why->id, "collateral.offline") != 0 || !all(a, to->good, to->have))
		warn(f, why);
	return 0;
}

static int fill_one(struct fill *f, size_t which, struct ctr_err *e)
{
	const struct ctr_ask *a = &f->asks.v[which];
	struct ctr_err why = { 0 };
	auto_found to = { 0 };

	for (size_t i = 0; i < a->n; i++)
		to.have[i] = f->ev->item[a->v[i].item].n > 0;
	if (from_dir(f, a, &to, e) < 0)
		return -1;
	if (!f->asks.local[which] && !all(a, to.good, to.have) && from_cache(f, a, &to, e) < 0)
		return -1;
	if (!f->asks.local[which] && !all(a, to.fresh, to.have) &&
	    from_service(f, a, &to, &why) < 0 && without(f, which, &to, &why) < 0)
		return ctr_err_pass(e, &why);
	for (size_t i = 0; i < a->n; i++) {
		if (to.have[i] || to.v[i].n == 0)
			continue;
		ctr_buf_free(&f->ev->item[a->v[i].item]);
		f->ev->item[a->v[i].item] = to.v[i];
		to.v[i] = (struct ctr_buf){ 0 };
	}
	return 0;
}

static int check_dir(const char *dir, struct ctr_err *e)
{
	struct stat st;

	if (stat(dir, &st) < 0)
		return ctr_fail_sys(e, "open", "%s", dir);
	if (!S_ISDIR(st.st_mode))
		return ctr_fail(e, CTR_ENV, "open", "%s: not a directory", dir);
	return 0;
}

int ctr_collateral_fill(const struct ctr_collateral_opts *o, const struct ctr_collateral_needs *n,
			struct ctr_evidence *ev, struct ctr_err *e)
{
	struct fill f = { .o = o, .ev = ev };
	int rc = ctr_collateral_list(o, n, ev, ev, &f.asks, e);

	if (rc == 0 && f.asks.n > 0 && o->dir)
		rc = check_dir(o->dir, e);
	if (rc == 0 && f.asks.n > 0 && o->cache)
		rc = ctr_ccache_open(o->cache, e);
	for (size_t i = 0; i < f.asks.n && rc == 0; i++)
		rc = fill_one(&f, i, e);
	ctr_http_free(f.http);
	return rc;
}

static int save_item(const char *dir, const struct ctr_ask_item *item,
		     const struct ctr_evidence *ev, struct ctr_buf *names, struct ctr_err *e)
{
	const struct ctr_buf *b = &ev->item[item->item];
	ctr_auto_buf struct ctr_buf path = { 0 };

	if (b->n == 0)
		return 0;
	ctr_buf_addf(&path, "%s/%s", dir, item->name);
	if (ctr_buf_ok(&path, "file name", e) < 0 ||
	    ctr_file_write(path.p, b->p, b->n, 0644, e) < 0)
		return -1;
	ctr_buf_addf(names, "%s\n", item->name);
	return ctr_buf_ok(names, "names", e);
}

int ctr_collateral_save(const char *dir, const struct ctr_collateral_needs *n,
			const struct ctr_evidence *ev, struct ctr_buf *names, struct ctr_err *e)
{
	const struct ctr_collateral_opts o = { 0 };
	struct ctr_collateral_needs every = *n;
	/* the report alone, borrowed: all the rest is lacking, so all is listed */
	const struct ctr_evidence bare = { .tee = ev->tee,
					   .item[CTR_REPORT] = ev->item[CTR_REPORT] };
	struct ctr_asks asks;

	every.chain = true;
	every.crl = CTR_CRL_REQUIRED;
	if (ctr_collateral_list(&o, &every, &bare, ev, &asks, e) < 0 ||
	    ctr_mkdirs(dir, 0755, e) < 0)
		return -1;
	for (size_t k = 0; k < asks.n; k++) {
		for (size_t i = 0; i < asks.v[k].n; i++) {
			if (save_item(dir, &asks.v[k].v[i], ev, names, e) < 0)
				return -1;
		}
	}
	return 0;
}
