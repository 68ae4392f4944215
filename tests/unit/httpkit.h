/* A server of lib/http_server.h with routes for every case, and a client that says what it wants.
 */
#ifndef TESTS_UNIT_HTTPKIT_H
#define TESTS_UNIT_HTTPKIT_H

#include <stdatomic.h>

#include "http_server.h"
#include "t.h"

/*
 * Listener 0: GET /quick (in the loop), GET /slow (until kit_gate), GET /large?N (an answer of N
 * bytes), POST /join (JSON, until kit_gate too), POST /echo (JSON, 64 KiB), POST /raw (any type, 64
 * KiB, answers length and sum), POST /big (4 MiB), POST /keys/... (answers the rest), GET /auth,
 * GET /who (peer certificate), GET /none (204), GET /bad (no status), GET /inject (a line feed in
 * the challenge), GET /id, PUT /quick. Listener 1: GET /probe, in the loop.
 */
struct kit {
	struct ctr_http_server *server;
	struct ctr_http_listener listeners[2];
	atomic_uint done, slow, refused;
	atomic_int last_route;
	char refusal[64]; /* id of the last one */
};

/* Starts it, on loopback; what conf leaves at zero is filled in. */
void kit_start(struct kit *k, struct ctr_http_server_conf conf);
void kit_stop(struct kit *k);
/* GET /slow goes on; shut: waits again. */
void kit_gate(bool open);

int kit_dial(unsigned port);
int kit_dial_main(const struct kit *k);
/* With a small window, so that answers back up into the server. */
int kit_dial_narrow(const struct kit *k);
/* Something comes, or the end, in that many milliseconds. */
bool kit_readable(int fd, int ms);
/* How many bytes come until the end, or until two seconds without any. */
size_t kit_drain(int fd);
/* Until a counter has reached n; 20 seconds are too long. */
void kit_await(atomic_uint *v, unsigned n);
void kit_send(int fd, const char *text);
void kit_send_n(int fd, const void *p, size_t n);

struct reply {
	unsigned status; /* 0: none came */
	char head[1024];
	struct ctr_buf body;
};
/* Reads one answer; `bodiless`: to HEAD. */
void kit_read(int fd, bool bodiless, struct reply *r);
/* One answer with that status whose body is `body`, NULL for any. */
void kit_expect(int fd, unsigned status, const char *body);
/* The peer has closed: nothing more comes. */
void kit_expect_end(int fd);
/* Sends text on a new connection, expects an answer, and whether the connection ends then. */
void kit_case(const struct kit *k, const char *text, unsigned status, const char *body, bool ends);

/*
 * Runs `client` in a process of its own, whose descriptors are not ours and which must not fail a
 * test but end with a status. It says something through `tell`, and goes on at the end of `go`.
 */
pid_t kit_fork(const struct kit *k, int (*client)(unsigned port, int tell, int go), int *told,
	       int *go);
void kit_join(pid_t pid); /* it ends with status 0 */
/* For such a client: -1 or a connection; the answer begins with `want`. */
int kit_try(unsigned port);
bool kit_asks(int fd, const char *text, const char *want);

/* Whether scripts/check runs us under valgrind. */
bool kit_valgrind(void);
/* Resident and peak memory of this process in KiB. */
unsigned long kit_memory(const char *field);
uint64_t kit_ms(void);

#endif
