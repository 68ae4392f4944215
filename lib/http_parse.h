/* HTTP/1.x messages as a server reads them (RFC 9110, 9112): stricter than asked, no guesses about
 * framing. */
#ifndef LIB_HTTP_PARSE_H
#define LIB_HTTP_PARSE_H

#include "rd.h"

#define CTR_HTTP_HEADERS 64    /* header lines in a request, and trailer lines behind chunks */
#define CTR_HTTP_CHUNK_EXT 256 /* bytes of a chunk-size line */

/*
 * The head of a request. The strings lie in the bytes that were parsed, which are changed for it
 * (NULs behind the strings): they live as long as those.
 */
struct ctr_http_head {
	char *method;			    /* any token */
	char *path;			    /* begins with '/', as sent: nothing is decoded */
	char *query;			    /* behind the first '?', NULL without one */
	char *authorization, *content_type; /* NULL when absent */
	unsigned minor;			    /* HTTP/1.minor, 0 or 1 */
	bool chunked;
	bool has_length;
	bool expects;	 /* Expect: 100-continue */
	bool keep;	 /* the connection may live on */
	uint64_t length; /* Content-Length */
};

/*
 * Length of the head that p[0..n) starts with, with its empty line; 0 while that is not there.
 * `from` is where the last look ended (0 at first), so that a slow sender costs no square of time.
 */
size_t ctr_http_head_end(const char *p, size_t n, size_t from);

/*
 * Parses a head that ctr_http_head_end measured. CTR_FORMAT: "http.line", "http.version" (505),
 * "http.target", "http.header", "http.headers" (431), "http.host", "http.length", "http.coding"
 * (501), "http.framing" (length and coding at once), "http.duplicate", "http.expect" (417). Each
 * error's status is ctr_http_status's.
 */
CTR_MUST int ctr_http_head_parse(char *p, size_t n, struct ctr_http_head *h, struct ctr_err *e);

/* The status for a failure of this module: that in brackets above, else 400. */
unsigned ctr_http_status(const struct ctr_err *e);

/* A body in chunks, read piece by piece. Starts zeroed. */
struct ctr_http_chunks {
	enum {
		CTR_CHUNK_SIZE,
		CTR_CHUNK_DATA,
		CTR_CHUNK_END,
		CTR_CHUNK_TRAILER,
		CTR_CHUNK_DONE
	} state;
	uint64_t left; /* bytes of this chunk to come */
	unsigned trailers;
};

/*
 * Takes from r what can be taken: data is the next piece of the body, empty when more is needed or
 * all is there (then state is CTR_CHUNK_DONE and r behind the body). CTR_FORMAT "http.chunk".
 */
CTR_MUST int ctr_http_chunk(struct ctr_http_chunks *c, struct ctr_rd *r, struct ctr_rd *data,
			    struct ctr_err *e);

#endif
