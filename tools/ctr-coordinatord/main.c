#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

#include "api.h"
#include "collateral_cache.h"
#include "crypto.h"
#include "crypto_tls.h"
#include "event.h"
#include "figures.h"
#include "file.h"
#include "follow.h"
#include "peers.h"
#include "notify.h"
#include "refresh.h"
#include "sandbox.h"
#include "tool.h"
#include "tool_sources.h"

#define LIFETIME ((uint64_t)7 * 86400)
#define DRAIN 20 /* seconds for requests under way */

enum {
	O_PLATFORM = 1,
	O_STORE,
	O_ACCOUNT,
	O_LISTEN,
	O_PROBES,
	O_TRANSIT,
	O_OWNER,
	O_LIFETIME,
	O_PEER,
	O_USER,
	O_LOG,
	O_THREADS,
	O_NO_SANDBOX
};

static const struct ctr_opt opts[] = {
	{ O_PLATFORM, "platform", 0, "SPEC",
	  "where evidence is from: auto (default), configfs-tsm, sev-guest, sim:DIR" },
	{ O_STORE, "store", 0, "SPEC",
	  "where the history is kept: dir:PATH (default dir:/var/lib/ctr-coordinatord), or "
	  "kubernetes:[NAME] for several Coordinators" },
	{ O_ACCOUNT, "service-account", 0, "DIR",
	  "token, ca.crt and namespace for kubernetes: (default " CTR_KUBE_DIR ")" },
	{ O_LISTEN, "listen", 0, "HOST:PORT", "for pods and clients (default :1314)" },
	{ O_PROBES, "listen-probes", 0, "HOST:PORT", "for probes and metrics (default :9102)" },
	{ O_TRANSIT, "listen-transit", 0, "HOST:PORT",
	  "for the transit secrets engine (default :8200; none)" },
	{ O_OWNER, "initial-owner-key", 0, "FILE",
	  "whose signature the first manifest needs, too (public key, PEM)" },
	{ O_LIFETIME, "lifetime", 0, "SECONDS", "of mesh certificates (default 604800, a week)" },
	{ O_PEER, "peer", 0, "URL",
	  "another Coordinator of this deployment, to recover from (repeatable, 16)" },
	CTR_SOURCES_LOCAL,
	CTR_SOURCES_NET,
	CTR_SOURCES_STRICT,
	{ O_USER, "user", 0, "NAME", "become this user" },
	{ O_LOG, "log", 0, "FORM", "text (default) or json" },
	{ O_THREADS, "threads", 0, "N",
	  "that read and write; twice as many answer (default: one a core)" },
	{ O_NO_SANDBOX, "insecure-no-sandbox", 0, NULL, "for debuggers: keep all system calls" },
	{ 0 },
};

struct work {
	struct coord c;
	struct ctr_sources from;
	struct ctr_http_server_conf conf;
	struct ctr_http_listener listeners[LISTENERS];
	const char *platform, *store, *owner, *user;
	unsigned threads;
	const char *peers[PEERS_MAX];
	size_t n_peers;
	const char *notify; /* the service manager's socket */
	bool no_sandbox;
	sigset_t signals;
};

static int log_form(struct ctr_log *l, const char *s, struct ctr_err *e)
{
	l->json = strcmp(s, "json") == 0;
	return l->json || strcmp(s, "text") == 0
		       ? 0
		       : ctr_fail(e, CTR_USAGE, "usage", "--log=%s (expected text or json)", s);
}

static int number(const char *s, const char *what, uint64_t hi, uint64_t *v, struct ctr_err *e)
{
	return ctr_number(s, what, 1, hi, v, e);
}

static int add_peer(struct work *w, const char *url, struct ctr_err *e)
{
	if (w->n_peers == PEERS_MAX)
		return ctr_fail(e, CTR_USAGE, "usage", "--peer: more than %d", PEERS_MAX);
	w->peers[w->n_peers++] = url;
	return 0;
}

static int on_opt(void *ctx, int id, const char *value, struct ctr_err *e)
{
	struct work *w = ctx;
	uint64_t n = 0;
	int rc = 0;

	if (id >= CTR_SRC_FIRST && id <= CTR_SRC_LAST)
		return ctr_sources_opt(&w->from, id, value, e);
	switch (id) {
	case O_PLATFORM:
		w->platform = value;
		return 0;
	case O_STORE:
		w->store = value;
		return 0;
	case O_ACCOUNT:
		w->c.kube.dir = value;
		return 0;
	case O_LISTEN:
		w->listeners[L_API].address = value;
		return 0;
	case O_PROBES:
		w->listeners[L_PROBES].address = value;
		return 0;
	case O_TRANSIT:
		w->listeners[L_TRANSIT].address = value;
		return 0;
	case O_OWNER:
		w->owner = value;
		return 0;
	case O_LIFETIME:
		return number(value, "--lifetime", (uint64_t)10 * 365 * 86400, &w->c.cert_seconds,
			      e);
	case O_PEER:
		return add_peer(w, value, e);
	case O_USER:
		w->user = value;
		return 0;
	case O_LOG:
		return log_form(w->c.log, value, e);
	case O_THREADS:
		rc = number(value, "--threads", 256, &n, e);
		w->threads = (unsigned)n;
		return rc;
	default:
		w->no_sandbox = true;
		return 0;
	}
}

static int load_owner(struct work *w, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf pem = { 0 }, der = { 0 };

	if (!w->owner)
		return 0;
	if (ctr_file_read(w->owner, 1 << 16, &pem, e) < 0)
		return -1;
	if (ctr_key_ec_spki(ctr_buf_str(&pem), pem.n, &der, e) < 0)
		return ctr_wrap(e, "%s", w->owner);
	w->c.owned = true;
	return ctr_hash(CTR_SHA256, der.p, der.n, w->c.owner, e);
}

/* Half of the workers may wait for reports of the platform. */
static void configure(struct work *w)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned n = w->threads ? w->threads : cores > 0 ? (unsigned)cores : 1;

	w->conf.loops = n;
	w->conf.workers = 2 * n;
	w->c.attests_max = n;
	w->conf.listeners = w->listeners;
	w->conf.n_listeners = w->listeners[L_TRANSIT].address ? LISTENERS : L_TRANSIT;
	w->conf.routes = api_routes;
	w->conf.n_routes = api_n_routes;
	w->conf.handle = api_handle;
	w->conf.refuse = api_refuse;
	w->conf.done = api_done;
	w->conf.ctx = &w->c;
	w->conf.log = w->c.log;
}

static void raise_descriptors(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) < 0)
		return;
	files.rlim_cur = files.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &files) < 0)
		return;
}

/* Before the file system is closed to us. The usual place need not be one: a user without home. */
static int open_cache(struct work *w, struct ctr_err *e)
{
	bool usual = w->from.cache.n > 0;
	struct ctr_err why = { 0 };

	if (!w->c.from.cache || ctr_ccache_open(w->c.from.cache, &why) == 0)
		return 0;
	if (!usual)
		return ctr_err_pass(e, &why);
	ctr_log(w->c.log, CTR_WARN, why.id, NULL, 0, 0,
		"nothing that is fetched is kept (choose a directory with --cache): %s", why.msg);
	w->c.from.cache = NULL;
	return 0;
}

static int open_all(struct work *w, struct ctr_err *e)
{
	raise_descriptors();
	if (w->listeners[L_TRANSIT].address && ctr_tls_server_new(&w->c.tls, e) < 0)
		return -1;
	w->listeners[L_TRANSIT].tls = w->c.tls;
	if (w->n_peers && peers_new(&w->c, w->peers, w->n_peers, &w->c.peers, e) < 0)
		return -1;
	if (load_owner(w, e) < 0 || figures_new(&w->c.metrics, e) < 0 ||
	    sandbox_user(w->user, e) < 0 || open_cache(w, e) < 0 ||
	    coord_open(&w->c, w->platform, w->store, e) < 0)
		return -1;
	sandbox_lock(&w->c.hpke);
	return 0;
}

static int enter(const struct work *w, struct ctr_err *e)
{
	/* where the platform is asked, too */
	const char *dirs[4] = { "/sys/kernel/config/tsm" };
	int n = 1;

	if (!ctr_hstore_shared(w->c.store))
		dirs[n++] = w->store + strlen("dir:");
	if (w->c.from.cache)
		dirs[n] = w->c.from.cache;
	return w->no_sandbox ? 0 : sandbox_enter(dirs, w->c.log, e);
}

static void say_ready(const struct work *w, const struct ctr_http_server *s)
{
	char transit[32] = "none";

	if (w->c.tls)
		snprintf(transit, sizeof transit, "%u", ctr_http_server_port(s, L_TRANSIT));
	event(w->c.log, "listening", NULL, "ports: api %u, probes %u, transit %s; %s",
	      ctr_http_server_port(s, L_API), ctr_http_server_port(s, L_PROBES), transit,
	      w->c.recovering ? "the history waits for recovery" : "waiting for a manifest");
}

/* Until TERM or INT; HUP fetches our own endorsements again, and asks peers and store now. */
static void wait_for_end(const struct work *w, struct refresher *r, struct follow *f)
{
	for (;;) {
		int sig = sigwaitinfo(&w->signals, NULL);

		if (sig == SIGHUP) {
			refresh_now(r);
			peers_now(w->c.peers);
			follow_now(f);
		} else if (sig >= 0 || errno != EINTR) {
			return;
		}
	}
}

static int serve(struct work *w, struct ctr_err *e)
{
	struct ctr_http_server *s = NULL;
	struct refresher *r = NULL;
	struct follow *f = NULL;
	int rc = -1;

	configure(w);
	if (ctr_http_server_new(&w->conf, &s, e) == 0 && enter(w, e) == 0 &&
	    ctr_http_server_start(s, e) == 0 && refresh_start(&w->c, &r, e) == 0 &&
	    peers_start(w->c.peers, e) == 0 && follow_start(&w->c, &f, e) == 0) {
		say_ready(w, s);
		notify(w->notify, "READY=1");
		wait_for_end(w, r, f);
		notify(w->notify, "STOPPING=1");
		event(w->c.log, "stopping", NULL, "requests under way are answered first");
		ctr_http_server_stop(s, DRAIN);
		rc = 0;
	}
	atomic_store(&w->c.ending, true);
	follow_stop(f);
	peers_stop(w->c.peers);
	refresh_stop(r);
	ctr_http_server_free(s);
	return rc;
}

static int run(struct work *w, struct ctr_err *e)
{
	if (strncmp(w->store, "dir:", 4) != 0 && strncmp(w->store, "kubernetes:", 11) != 0)
		return ctr_fail(e, CTR_USAGE, "store.spec",
				"--store=%s (expected dir:PATH or kubernetes:[NAME])", w->store);
	if (w->n_peers && w->owner)
		return ctr_fail(e, CTR_USAGE, "usage",
				"--peer with --initial-owner-key: a history from a peer does not "
				"show who signed its first manifest");
	if (w->listeners[L_TRANSIT].address && strcmp(w->listeners[L_TRANSIT].address, "none") == 0)
		w->listeners[L_TRANSIT].address = NULL;
	sigemptyset(&w->signals);
	sigaddset(&w->signals, SIGTERM);
	sigaddset(&w->signals, SIGINT);
	sigaddset(&w->signals, SIGHUP);
	if (pthread_sigmask(SIG_BLOCK, &w->signals, NULL) != 0)
		return ctr_fail_sys(e, "signals", "signals cannot be blocked");
	/* each thread would have an arena of its own, and keep what it once needed */
	mallopt(M_ARENA_MAX, 2);
	if (sandbox_memory(w->c.log, e) < 0 || ctr_sources_ready(&w->from, w->c.log, e) < 0)
		return -1;
	w->c.from = w->from.c;
	w->c.verify = w->from.verify;
	return open_all(w, e) < 0 ? -1 : serve(w, e);
}

int main(int argc, char **argv)
{
	struct ctr_tool t = { .name = "ctr-coordinatord",
			      .synopsis = "[options]",
			      .summary = "Enforces a manifest: verifies pods, and gives them "
					 "certificates and secrets.",
			      .example = "ctr-coordinatord --store dir:/var/lib/coordinator",
			      .opts = opts };
	struct work w = { .notify = getenv("NOTIFY_SOCKET"),
			  .platform = "auto",
			  .store = "dir:/var/lib/ctr-coordinatord" };
	struct ctr_err e = { 0 };
	int first = 0, rc;

	ctr_tool_init(&t);
	w.c.log = &t.log;
	w.c.cert_seconds = LIFETIME;
	w.c.kube.host = getenv("KUBERNETES_SERVICE_HOST");
	w.c.kube.port = getenv("KUBERNETES_SERVICE_PORT");
	w.listeners[L_API].address = ":1314";
	w.listeners[L_PROBES].address = ":9102";
	w.listeners[L_TRANSIT].address = ":8200";
	ctr_sources_init(&w.from, time(NULL));
	rc = ctr_tool_opts(&t, argc, argv, on_opt, &w, &first, &e);
	if (rc == 0 && !t.served)
		rc = first < argc ? ctr_fail(&e, CTR_USAGE, "usage", "%s: no operand is expected",
					     argv[first])
				  : run(&w, &e);
	peers_free(w.c.peers);
	coord_close(&w.c);
	ctr_tls_server_free(w.c.tls);
	ctr_metrics_free(w.c.metrics);
	ctr_sources_free(&w.from);
	return rc < 0 ? ctr_tool_die(&t, &e) : ctr_tool_close(&t);
}
