/*
 * An API server's ConfigMaps on loopback, for tests/bats/coordinator-kube.bats and
 * tests/unit/test_kube.c: kubed DIR CERT KEY prints its port, then a line for each request. In DIR:
 * `token` is the bearer's, objects/NAME a ConfigMap of the namespace "ns", which tests may change,
 * `how` says what goes wrong, one line: METHOD PART SKIP TIMES ACTION ARGUMENT. It is for requests
 * of that method ("WATCH", or "any") with PART in the target or the body; SKIP of them pass before,
 * TIMES have it. The actions are in the table below.
 */
/* needs: tests/sim/lib/serve.c */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "enc.h"
#include "file.h"
#include "json.h"
#include "lib/serve.h"

#define BASE "/api/v1/namespaces/ns/configmaps"
#define WATCH "?watch=1&timeoutSeconds="
#define FIELD "&fieldSelector=metadata.name%3D"
#define LIMIT ((size_t)1 << 20)

#define MUST(x)                                                                                    \
	do {                                                                                       \
		if (!(x))                                                                          \
			abort();                                                                   \
	} while (0)

static const char *root;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* objects and `how` */

static void path_of(struct ctr_buf *b, const char *dir, const char *name)
{
	ctr_buf_addf(b, "%s/%s%s", root, dir, name);
	MUST(!b->bad);
}

static bool slurp(const char *dir, const char *name, struct ctr_buf *b)
{
	ctr_auto_buf struct ctr_buf path = { 0 };

	path_of(&path, dir, name);
	return access(path.p, R_OK) == 0 && ctr_file_read(path.p, (size_t)4 << 20, b, NULL) == 0;
}

static void spill(const char *dir, const char *name, const char *text)
{
	ctr_auto_buf struct ctr_buf path = { 0 };

	path_of(&path, dir, name);
	MUST(ctr_file_write(path.p, text, strlen(text), 0600, NULL) == 0);
}

static void say(struct sim_conn *c, const char *status, const char *reason)
{
	char text[256];
	int n = snprintf(text, sizeof text,
			 "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"status\":\"Failure\","
			 "\"reason\":\"%s\",\"code\":%.3s}\n",
			 reason, status);

	sim_reply(c, status, "Content-Type: application/json\r\n", text, (size_t)n, (size_t)n);
}

static void give(struct sim_conn *c, const char *status, const struct ctr_buf *b)
{
	sim_reply(c, status, "Content-Type: application/json\r\n", ctr_buf_str(b), b->n, b->n);
}

static unsigned long next_version(void)
{
	ctr_auto_buf struct ctr_buf b = { 0 };
	unsigned long v = slurp("", "version", &b) ? strtoul(b.p, NULL, 10) + 1 : 1000;
	char text[32];

	snprintf(text, sizeof text, "%lu\n", v);
	spill("", "version", text);
	return v;
}

static const char *meta(const struct ctr_json *o, const char *key)
{
	struct ctr_jval r = ctr_jroot(o), m = ctr_jget(&r, "metadata"), v = ctr_jget(&m, key);
	const char *s;

	return ctr_jhas(&v) && ctr_jstring(&v, &s, NULL) == 0 ? s : "";
}

static bool immutable(const struct ctr_json *o)
{
	struct ctr_jval r = ctr_jroot(o), v = ctr_jget(&r, "immutable");
	bool is = false;

	return ctr_jhas(&v) && ctr_jbool(&v, &is, NULL) == 0 && is;
}

/* Bytes of data and binaryData together. */
static size_t weight(const struct ctr_json *o)
{
	struct ctr_jval r = ctr_jroot(o), d = ctr_jget(&r, "data"), b = ctr_jget(&r, "binaryData");
	size_t n = 0;
	const char *s;

	if (ctr_jhas(&d)) {
		for (struct ctr_jval v = ctr_jfirst(&d); v.v; v = ctr_jnext(&v))
			n += ctr_jstring(&v, &s, NULL) == 0 ? strlen(s) : LIMIT + 1;
	}
	if (!ctr_jhas(&b))
		return n;
	for (struct ctr_jval v = ctr_jfirst(&b); v.v; v = ctr_jnext(&v)) {
		ctr_auto_buf struct ctr_buf raw = { 0 };
		bool good = ctr_jstring(&v, &s, NULL) == 0 &&
			    ctr_base64_parse(s, strlen(s), &raw, NULL) == 0;

		n += good ? raw.n : LIMIT + 1;
	}
	return n;
}

static bool legal(const char *name)
{
	size_t n = strlen(name);

	return n > 0 && n < 254 && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-.") == n &&
	       !strchr("-.", name[0]) && !strchr("-.", name[n - 1]) && !strstr(name, "..");
}

/* Keeps o, with a version of its own, and answers with it. */
static void keep(struct sim_conn *c, const char *status, const char *name, struct ctr_json *o)
{
	ctr_auto_buf struct ctr_buf text = { 0 };
	char v[32];

	snprintf(v, sizeof v, "%lu", next_version());
	ctr_json_remove(ctr_json_child(o, "metadata", 0), "resourceVersion");
	ctr_json_set_string(ctr_json_child(o, "metadata", 0), "resourceVersion", v);
	ctr_json_set_string(ctr_json_child(o, "metadata", 0), "namespace", "ns");
	MUST(ctr_json_print(o, 0, &text, NULL) == 0);
	spill("objects/", name, text.p);
	give(c, status, &text);
}

static bool acceptable(struct sim_conn *c, const struct ctr_json *o)
{
	if (c->n_body > (size_t)3 << 20)
		say(c, "413 Request Entity Too Large", "RequestEntityTooLarge");
	else if (!o)
		say(c, "400 Bad Request", "BadRequest");
	else if (!legal(meta(o, "name")) || weight(o) > LIMIT)
		say(c, "422 Unprocessable Entity", "Invalid");
	else
		return true;
	return false;
}

static void on_post(struct sim_conn *c)
{
	ctr_auto_json struct ctr_json *o = NULL;
	ctr_auto_buf struct ctr_buf old = { 0 };
	int bad = ctr_json_parse("body", c->body, c->n_body, &o, NULL);

	if (!acceptable(c, bad ? NULL : o))
		return;
	if (*meta(o, "resourceVersion"))
		say(c, "400 Bad Request", "BadRequest");
	else if (slurp("objects/", meta(o, "name"), &old))
		say(c, "409 Conflict", "AlreadyExists");
	else
		keep(c, "201 Created", meta(o, "name"), o);
}

static void on_put(struct sim_conn *c, const char *name)
{
	ctr_auto_json struct ctr_json *o = NULL, *was = NULL;
	ctr_auto_buf struct ctr_buf old = { 0 };
	int bad = ctr_json_parse("body", c->body, c->n_body, &o, NULL);

	if (!acceptable(c, bad ? NULL : o))
		return;
	if (strcmp(name, meta(o, "name")) != 0)
		say(c, "400 Bad Request", "BadRequest");
	else if (!slurp("objects/", name, &old))
		say(c, "404 Not Found", "NotFound");
	else if (ctr_json_parse("old", old.p, old.n, &was, NULL) < 0 || immutable(was))
		say(c, "422 Unprocessable Entity", "Invalid");
	else if (*meta(o, "resourceVersion") &&
		 strcmp(meta(o, "resourceVersion"), meta(was, "resourceVersion")) != 0)
		say(c, "409 Conflict", "Conflict");
	else
		keep(c, "200 OK", name, o);
}

static void on_get(struct sim_conn *c, const char *name)
{
	ctr_auto_buf struct ctr_buf b = { 0 };

	if (slurp("objects/", name, &b))
		give(c, "200 OK", &b);
	else
		say(c, "404 Not Found", "NotFound");
}

static void on_delete(struct sim_conn *c, const char *name)
{
	ctr_auto_buf struct ctr_buf path = { 0 };

	path_of(&path, "objects/", name);
	if (unlink(path.p) == 0)
		say(c, "200 OK", "Success");
	else
		say(c, "404 Not Found", "NotFound");
}

static void event(struct sim_conn *c, const char *type, const struct ctr_buf *object)
{
	ctr_auto_buf struct ctr_buf b = { 0 };

	ctr_buf_addf(&b, "{\"type\":\"%s\",\"object\":", type);
	ctr_buf_add(&b, object->p, object->n);
	ctr_buf_adds(&b, "}\n");
	sim_put(c, b.p, b.n);
	(void)BIO_flush(c->io);
}

/* Whatever changes the object, this process or a test, is an event. */
static void on_watch(struct sim_conn *c, const char *name, unsigned seconds)
{
	static const char head[] = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
				   "Connection: close\r\n\r\n";
	ctr_auto_buf struct ctr_buf was = { 0 };

	sim_put(c, head, sizeof head - 1);
	(void)BIO_flush(c->io);
	for (unsigned i = 0; i < seconds * 50; i++) {
		ctr_auto_buf struct ctr_buf now = { 0 };

		pthread_mutex_lock(&lock);
		(void)slurp("objects/", name, &now);
		pthread_mutex_unlock(&lock);
		if (!ctr_buf_same(&now, &was)) {
			event(c,
			      now.n == 0 ? "DELETED"
			      : was.n	 ? "MODIFIED"
					 : "ADDED",
			      now.n ? &now : &was);
			ctr_buf_free(&was);
			was = now;
			now = (struct ctr_buf){ 0 };
		}
		usleep(20000);
	}
}

static void route(struct sim_conn *c)
{
	const char *rest = c->path + sizeof BASE - 1, *name = rest + 1, *field;

	if (strncmp(c->path, BASE, sizeof BASE - 1) != 0) {
		say(c, "404 Not Found", "NotFound");
		return;
	}
	field = strstr(rest, FIELD);
	if (strncmp(rest, WATCH, sizeof WATCH - 1) == 0 && field) {
		on_watch(c, field + sizeof FIELD - 1,
			 (unsigned)strtoul(rest + sizeof WATCH - 1, NULL, 10));
		return;
	}
	pthread_mutex_lock(&lock);
	if (*rest == '\0' && strcmp(c->method, "POST") == 0)
		on_post(c);
	else if (*rest != '/' || !legal(name))
		say(c, "405 Method Not Allowed", "MethodNotAllowed");
	else if (strcmp(c->method, "GET") == 0)
		on_get(c, name);
	else if (strcmp(c->method, "PUT") == 0)
		on_put(c, name);
	else if (strcmp(c->method, "DELETE") == 0)
		on_delete(c, name);
	else
		say(c, "405 Method Not Allowed", "MethodNotAllowed");
	pthread_mutex_unlock(&lock);
}

static void as_status(struct sim_conn *c, const char *arg)
{
	char status[32];

	snprintf(status, sizeof status, "%s Test", arg);
	if (strcmp(arg, "429") == 0)
		sim_reply(c, status, "Retry-After: 1\r\n", "", 0, 0);
	else
		say(c, status, "Test");
}

/* The connection ends without an answer: before anything was done, or after. */
static void as_close(struct sim_conn *c, const char *arg)
{
	(void)c, (void)arg;
}

static void as_lose(struct sim_conn *c, const char *arg)
{
	BIO *io = c->io;

	(void)arg;
	c->io = BIO_new(BIO_s_null());
	route(c);
	BIO_free(c->io);
	c->io = io;
}

static void kills(const char *arg)
{
	pid_t pid = (pid_t)strtol(arg, NULL, 10);

	MUST(pid > 1 && kill(pid, SIGKILL) == 0);
}

/* The client dies, before or after its request is done. */
static void as_kill(struct sim_conn *c, const char *arg)
{
	(void)c;
	kills(arg);
}

static void as_killed(struct sim_conn *c, const char *arg)
{
	as_lose(c, NULL);
	kills(arg);
}

static void as_hang(struct sim_conn *c, const char *arg)
{
	(void)c, (void)arg;
	sleep(60);
}

/* Half of what it says that it sends. */
static void as_cut(struct sim_conn *c, const char *arg)
{
	static const char half[] = "{\"kind\":\"ConfigMap\",\"metadata\":{}";

	(void)arg;
	sim_reply(c, "200 OK", "", half, 2 * sizeof half, sizeof half - 1);
}

static void as_text(struct sim_conn *c, const char *arg)
{
	sim_reply(c, "200 OK", "Content-Type: application/json\r\n", arg, strlen(arg), strlen(arg));
}

static void as_huge(struct sim_conn *c, const char *arg)
{
	size_t n = (size_t)8 << 20;
	char *p = malloc(n);

	(void)arg;
	MUST(p);
	memset(p, ' ', n);
	sim_reply(c, "200 OK", "", p, n, n);
	free(p);
}

static void as_moved(struct sim_conn *c, const char *arg)
{
	char head[256];

	snprintf(head, sizeof head, "Location: %s\r\n", arg);
	sim_reply(c, "302 Found", head, "", 0, 0);
}

static const struct {
	const char *how;
	void (*run)(struct sim_conn *c, const char *arg);
} actions[] = {
	{ "status", as_status }, { "close", as_close }, { "lose", as_lose }, { "kill", as_kill },
	{ "killed", as_killed }, { "hang", as_hang },	{ "cut", as_cut },   { "text", as_text },
	{ "huge", as_huge },	 { "moved", as_moved },
};

/* How many requests met the line so far: from zero for each new file. */
static int met(void)
{
	static struct stat was;
	static int n;
	ctr_auto_buf struct ctr_buf path = { 0 };
	struct stat now = { 0 };

	path_of(&path, "", "how");
	if (stat(path.p, &now) < 0 || now.st_ino != was.st_ino ||
	    now.st_mtim.tv_sec != was.st_mtim.tv_sec || now.st_mtim.tv_nsec != was.st_mtim.tv_nsec)
		n = 0;
	was = now;
	return n++;
}

/* Whether the line `how` is about this request; then its action and argument. */
static bool struck(const struct sim_conn *c, char how[16], char arg[256])
{
	ctr_auto_buf struct ctr_buf b = { 0 };
	const char *method = strstr(c->path, WATCH) ? "WATCH" : c->method;
	char m[8], part[128];
	int skip, times, n;
	bool is = false;

	pthread_mutex_lock(&lock);
	if (slurp("", "how", &b) &&
	    sscanf(ctr_buf_str(&b), "%7s %127s %d %d %15s %255s", m, part, &skip, &times, how,
		   arg) == 6 &&
	    (strcmp(m, method) == 0 || strcmp(m, "any") == 0) &&
	    (strstr(c->path, part) || strstr(c->body, part))) {
		n = met();
		is = n >= skip && n < skip + times;
	}
	pthread_mutex_unlock(&lock);
	return is;
}

static void answer(struct sim_conn *c)
{
	ctr_auto_buf struct ctr_buf token = { 0 };
	char how[16], arg[256];

	if (struck(c, how, arg)) {
		for (size_t i = 0; i < sizeof actions / sizeof *actions; i++) {
			if (strcmp(actions[i].how, how) == 0)
				actions[i].run(c, arg);
		}
		return;
	}
	MUST(slurp("", "token", &token));
	if (strncmp(c->auth, "Bearer ", 7) != 0 || strcmp(c->auth + 7, ctr_buf_str(&token)) != 0)
		say(c, "401 Unauthorized", "Unauthorized");
	else
		route(c);
}

int main(int argc, char **argv)
{
	static struct sim_port port = { .name = "kubed", .answer = answer };

	if (argc != 4)
		return 2;
	root = argv[1];
	signal(SIGPIPE, SIG_IGN);
	sim_open(&port, argv[2], argv[3]);
	printf("PORT=%d\n", port.number);
	fflush(stdout);
	sim_start(&port);
	for (;;)
		pause();
}
