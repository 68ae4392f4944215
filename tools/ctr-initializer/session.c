#include "session.h"

#include <stdlib.h>
#include <string.h>

#include "coordinator.h"
#include "guard.h"
#include "pace.h"
#include "x509.h"

#define COMMAND_MAX 60	    /* seconds for --on-renew */
#define CHECK_MAX 3600	    /* seconds between looks that led to nothing new */
#define LONGEST (24 * 3600) /* seconds of one sleep: the clock may be set */

static int same_root(const struct joined *before, const struct joined *now, struct ctr_err *e)
{
	if (before->root_ca.n == 0 || ctr_same_certificate(&before->root_ca, &now->root_ca))
		return 0;
	ctr_fail(e, CTR_NO, "join.root-ca", "another root CA than at the first join");
	return ctr_err_fix(e,
			   "a deployment keeps its root CA: start the pod anew if it was replaced");
}

static int write_output(const struct session *s, const struct joined *j, struct ctr_err *e)
{
	bool changed = false;
	int rc;

	guard_hold();
	rc = output_write(&s->output, j, &changed, e);
	guard_release();
	if (rc == 0 && changed)
		ctr_log(s->log, CTR_WARN, "join.secret", s->name, 0, 0,
			"the workload secret is another than before");
	return rc;
}

/* One try. `before`: what the answer must agree with; *now gets what was joined. */
static int join_once(const struct session *s, const struct joined *before, struct joined *now,
		     struct ctr_err *e)
{
	if (handshake_run(&s->h, now, e) < 0 || same_root(before, now, e) < 0 ||
	    (s->verify && s->verify(s->ctx, now, e) < 0))
		return -1;
	return write_output(s, now, e);
}

static int out_of_time(const struct session *s, const struct ctr_err *last, struct ctr_err *e)
{
	ctr_fail(e, CTR_ENV, "join.timeout", "no certificate within %u s; last: %s", s->timeout,
		 last->msg);
	return last->fix[0] ? ctr_err_fix(e, "%s", last->fix) : -1;
}

static void say(const struct session *s, const struct ctr_err *why, unsigned ms, unsigned refusals)
{
	char of[48] = "";

	if (refusals && s->tries)
		snprintf(of, sizeof of, " (refusal %u of %u)", refusals, s->tries);
	ctr_log(s->log, CTR_WARN, why->id, s->name, 0, 0, "%s%s; next try in %u.%u s", why->msg, of,
		ms / 1000, ms % 1000 / 100);
}

/* Tries until one works. until: of guard_now, 0 for never; tries 0: any number of refusals. */
static int join(const struct session *s, const struct joined *before, struct joined *now,
		uint64_t until, unsigned tries, struct ctr_err *e)
{
	for (unsigned n = 0, refusals = 0;; n++) {
		struct ctr_err why = { 0 };
		uint64_t t;
		unsigned ms = ctr_pace_retry(n, ctr_pace_spread());

		joined_free(now);
		if (join_once(s, before, now, &why) == 0)
			return 0;
		/* waiting may help; a wrong answer, or no as an answer, may be put right by others
		 */
		refusals = why.code == CTR_ENV ? 0 : refusals + 1;
		if (tries && refusals >= tries)
			return ctr_err_pass(e, &why);
		t = guard_now();
		if (until && t >= until)
			return out_of_time(s, &why, e);
		if (until && ms > until - t)
			ms = (unsigned)(until - t);
		say(s, &why, ms, refusals);
		guard_pause(ms);
	}
}

/* id: "join.done" for a new certificate, "join.watch" for the one that is there. */
static void say_certificate(const struct session *s, const char *id, const struct joined *j)
{
	char until[CTR_TIME_MAX];

	ctr_log(s->log, CTR_INFO, id, s->name, 0, 0, "certificate until %s%s",
		ctr_time_print(j->until, until), j->secret.n ? ", with a workload secret" : "");
}

static int first(const struct session *s, struct joined *now, struct ctr_err *e)
{
	const struct joined none = { 0 };
	uint64_t until = s->timeout ? guard_now() + (uint64_t)s->timeout * 1000 : 0;

	if (join(s, &none, now, until, s->tries, e) < 0)
		return -1;
	say_certificate(s, "join.done", now);
	return 0;
}

int session_join(const struct session *s, struct ctr_err *e)
{
	auto_joined struct joined now = { 0 };

	return first(s, &now, e);
}

/* Keys and secrets are in the files now: a sidecar has no use for them. What is left of the
 * lifetime counts from here: the CA may have dated the certificate back. */
static void forget(struct joined *j)
{
	j->from = time(NULL);
	ctr_buf_free(&j->key);
	ctr_secret_free(&j->secret);
}

static bool another_mesh_ca(const struct session *s, const struct joined *now)
{
	ctr_auto_buf struct ctr_buf served = { 0 };
	struct ctr_err why = { 0 };

	if (handshake_mesh_ca(&s->h, &served, &why) < 0) {
		ctr_log(s->log, CTR_INFO, "join.check", s->name, 0, 0, "%s", why.msg);
		return false;
	}
	return !ctr_same_certificate(&served, &now->mesh_ca);
}

struct watch {
	uint64_t every; /* seconds, 0: no looks */
	unsigned spread;
	unsigned early; /* renewals in a row that were due at once */
};

/* Returns when it is time to join again; true: because of the mesh CA. */
static bool wait_for_cause(const struct session *s, const struct joined *now, struct watch *w)
{
	for (;;) {
		uint64_t due = ctr_pace_renewal(now->from, now->until, time(NULL), w->spread);
		uint64_t sleep = due < LONGEST ? due : LONGEST;
		bool look = w->every && w->every < sleep;
		uint64_t ms = (look ? w->every : sleep) * 1000;

		if (due == 0)
			return false;
		w->early = 0;
		/* looks of many pods spread over time */
		if (guard_pause(look ? ms - ctr_pace_spread() % (ms / 4 + 1) : ms))
			return false;
		if (look && another_mesh_ca(s, now))
			return true;
	}
}

static void tell(const struct session *s)
{
	const char *const argv[] = { "/bin/sh", "-c", s->on_renew, NULL };
	struct ctr_err why = { 0 };

	if (s->on_renew && guard_exec(argv, COMMAND_MAX, &why) < 0)
		ctr_log(s->log, CTR_WARN, "join.on-renew", NULL, 0, 0, "--on-renew: %s", why.msg);
}

/* Who says that there is a new mesh CA and then gives the old one is asked less and less. */
static void adapt(const struct session *s, struct watch *w, bool hint, bool news)
{
	if (!hint || news)
		w->every = s->check;
	else
		w->every = w->every * 2 < CHECK_MAX ? w->every * 2 : CHECK_MAX;
}

int session_renew(const struct session *s, struct ctr_err *e)
{
	auto_joined struct joined now = { 0 };
	struct watch w = { .every = s->check };
	bool there;

	/* what cannot be read is made anew */
	if (output_read(&s->output, &now, &there, NULL) < 0)
		there = false;
	if (there) {
		say_certificate(s, "join.watch", &now);
	} else {
		joined_free(&now);
		if (first(s, &now, e) < 0)
			return -1;
		forget(&now);
	}
	for (;;) {
		auto_joined struct joined next = { 0 };
		bool hint;

		w.spread = ctr_pace_spread();
		if (w.early > 1) /* a clock that makes no sense must not lead to a storm */
			guard_pause(ctr_pace_retry(w.early, ctr_pace_spread()));
		w.early++;
		hint = wait_for_cause(s, &now, &w);
		/* without limits it does not fail */
		if (join(s, &now, &next, 0, 0, e) < 0)
			return -1;
		say_certificate(s, "join.done", &next);
		forget(&next);
		adapt(s, &w, hint, !ctr_same_certificate(&now.mesh_ca, &next.mesh_ca));
		joined_free(&now);
		now = next;
		next = (struct joined){ 0 };
		tell(s);
	}
}
