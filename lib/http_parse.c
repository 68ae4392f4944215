#include "http_parse.h"

#include <string.h>
#include <strings.h>

#define TRAILER_MAX 1024 /* bytes of a trailer line */

/* RFC 9110 section 5.6.2 */
static bool is_tchar(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c != 0 && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_token(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!is_tchar((unsigned char)p[i]))
			return false;
	}
	return n > 0;
}

/* Field content: no control character but tab. Bytes above 0x7f are opaque. */
static bool is_value(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)p[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

size_t ctr_http_head_end(const char *p, size_t n, size_t from)
{
	const char *q;

	from = from > 3 ? from - 3 : 0;
	q = from < n ? memmem(p + from, n - from, "\r\n\r\n", 4) : NULL;
	return q ? (size_t)(q - p) + 4 : 0;
}

/* Cuts one line off, its CR LF made a NUL. A line feed or carriage return by itself is no line end.
 */
static int take_line(char **at, char *end, char **line, size_t *n)
{
	char *lf = memchr(*at, '\n', (size_t)(end - *at));

	if (!lf || lf == *at || lf[-1] != '\r')
		return -1;
	*line = *at;
	*n = (size_t)(lf - *at) - 1;
	lf[-1] = '\0';
	*at = lf + 1;
	return memchr(*line, '\r', *n) ? -1 : 0;
}

/* absolute-form (RFC 9112 section 3.2.2) says the same as origin-form behind its authority. */
static char *skip_authority(char *t)
{
	if (strncasecmp(t, "http://", 7) != 0 || t[7] == '/')
		return t;
	return strchr(t + 7, '/');
}

static int parse_target(char *t, struct ctr_http_head *h, struct ctr_err *e)
{
	for (const char *p = t; *p; p++) {
		if ((unsigned char)*p <= 0x20 || (unsigned char)*p >= 0x7f || *p == '#')
			return ctr_fail(e, CTR_FORMAT, "http.target",
					"the target has a byte that does not belong");
	}
	t = skip_authority(t);
	if (!t || *t != '/')
		return ctr_fail(e, CTR_FORMAT, "http.target", "the target is no path");
	h->path = t;
	h->query = strchr(t, '?');
	if (h->query)
		*h->query++ = '\0';
	return 0;
}

/* method SP request-target SP HTTP-version */
static int parse_line(char *line, size_t n, struct ctr_http_head *h, struct ctr_err *e)
{
	char *target = memchr(line, ' ', n), *version = target ? strchr(target + 1, ' ') : NULL;

	if (strlen(line) != n || !version || !is_token(line, (size_t)(target - line)))
		return ctr_fail(e, CTR_FORMAT, "http.line", "no request line of HTTP");
	*target++ = '\0';
	*version++ = '\0';
	if (strcmp(version, "HTTP/1.1") != 0 && strcmp(version, "HTTP/1.0") != 0)
		return ctr_fail(e, CTR_FORMAT,
				strncmp(version, "HTTP/", 5) == 0 ? "http.version" : "http.line",
				"the version is neither HTTP/1.1 nor HTTP/1.0");
	h->method = line;
	h->minor = version[7] == '1';
	h->keep = h->minor == 1;
	return parse_target(target, h, e);
}

/* What is remembered between header lines. */
struct seen {
	bool host, connection_keep, connection_close;
};

static int once(bool seen, const char *name, struct ctr_err *e)
{
	return seen ? ctr_fail(e, CTR_FORMAT, "http.duplicate", "%s: given twice", name) : 0;
}

/* Digits alone: a sign, a list or a blank is a framing somebody else might read in another way. */
static int on_length(struct ctr_http_head *h, const char *v, struct ctr_err *e)
{
	uint64_t n = 0;
	size_t len = strlen(v);

	if (once(h->has_length, "Content-Length", e) < 0)
		return -1;
	if (len == 0 || len > 15 || strspn(v, "0123456789") != len)
		return ctr_fail(e, CTR_FORMAT, "http.length", "Content-Length is no number");
	for (; *v; v++)
		n = n * 10 + (uint64_t)(*v - '0');
	h->has_length = true;
	h->length = n;
	return 0;
}

static int on_coding(struct ctr_http_head *h, const char *v, struct ctr_err *e)
{
	if (once(h->chunked, "Transfer-Encoding", e) < 0)
		return -1;
	if (h->minor == 0)
		return ctr_fail(e, CTR_FORMAT, "http.framing", "HTTP/1.0 has no Transfer-Encoding");
	if (strcasecmp(v, "chunked") != 0)
		return ctr_fail(e, CTR_FORMAT, "http.coding", "a Transfer-Encoding not known here");
	h->chunked = true;
	return 0;
}

static int on_expect(struct ctr_http_head *h, const char *v, struct ctr_err *e)
{
	if (strcasecmp(v, "100-continue") != 0)
		return ctr_fail(e, CTR_FORMAT, "http.expect", "an expectation not known here");
	h->expects = h->minor == 1; /* RFC 9110 section 10.1.1: HTTP/1.0 cannot */
	return 0;
}

static void on_connection(struct seen *s, const char *v)
{
	while (*v) {
		size_t n = strcspn(v, ", \t");

		s->connection_close |= n == 5 && strncasecmp(v, "close", 5) == 0;
		s->connection_keep |= n == 10 && strncasecmp(v, "keep-alive", 10) == 0;
		v += n;
		v += strspn(v, ", \t");
	}
}

static int on_text(char **where, const char *name, char *v, struct ctr_err *e)
{
	if (once(*where, name, e) < 0)
		return -1;
	*where = v;
	return 0;
}

static int on_header(struct ctr_http_head *h, struct seen *s, const char *name, char *v,
		     struct ctr_err *e)
{
	if (strcasecmp(name, "content-length") == 0)
		return on_length(h, v, e);
	if (strcasecmp(name, "transfer-encoding") == 0)
		return on_coding(h, v, e);
	if (strcasecmp(name, "expect") == 0)
		return on_expect(h, v, e);
	if (strcasecmp(name, "authorization") == 0)
		return on_text(&h->authorization, "Authorization", v, e);
	if (strcasecmp(name, "content-type") == 0)
		return on_text(&h->content_type, "Content-Type", v, e);
	if (strcasecmp(name, "host") == 0) {
		if (once(s->host, "Host", e) < 0)
			return -1;
		s->host = true;
	}
	if (strcasecmp(name, "connection") == 0)
		on_connection(s, v);
	return 0;
}

/* name ":" OWS value OWS; a blank before the colon or a folded line is refused (RFC 9112 5.1, 5.2).
 */
static int parse_header(struct ctr_http_head *h, struct seen *s, char *line, size_t n,
			struct ctr_err *e)
{
	char *colon = memchr(line, ':', n), *end = line + n, *v;

	if (!colon || !is_token(line, (size_t)(colon - line)) ||
	    !is_value(colon + 1, (size_t)(end - colon) - 1))
		return ctr_fail(e, CTR_FORMAT, "http.header", "a malformed header line");
	*colon = '\0';
	v = colon + 1;
	v += strspn(v, " \t");
	while (end > v && (end[-1] == ' ' || end[-1] == '\t'))
		*--end = '\0';
	return on_header(h, s, line, v, e);
}

int ctr_http_head_parse(char *p, size_t n, struct ctr_http_head *h, struct ctr_err *e)
{
	char *end = p + n, *line;
	struct seen s = { 0 };
	size_t len;

	*h = (struct ctr_http_head){ 0 };
	if (n > 2 && p[0] == '\r' &&
	    p[1] == '\n') /* one empty line in front: RFC 9112 section 2.2 */
		p += 2;
	if (take_line(&p, end, &line, &len) < 0)
		return ctr_fail(e, CTR_FORMAT, "http.line", "no request line of HTTP");
	if (parse_line(line, len, h, e) < 0)
		return -1;
	for (unsigned i = 0;; i++) {
		if (take_line(&p, end, &line, &len) < 0)
			return ctr_fail(e, CTR_FORMAT, "http.header", "a malformed header line");
		if (len == 0)
			break;
		if (i == CTR_HTTP_HEADERS)
			return ctr_fail(e, CTR_FORMAT, "http.headers", "more than %d header lines",
					CTR_HTTP_HEADERS);
		if (parse_header(h, &s, line, len, e) < 0)
			return -1;
	}
	if (p != end)
		return ctr_fail(e, CTR_FORMAT, "http.header", "bytes behind the head");
	if (h->minor == 1 && !s.host)
		return ctr_fail(e, CTR_FORMAT, "http.host", "no Host");
	if (h->chunked && h->has_length)
		return ctr_fail(e, CTR_FORMAT, "http.framing",
				"both Content-Length and Transfer-Encoding");
	h->keep = !s.connection_close && (h->minor == 1 || s.connection_keep);
	return 0;
}

unsigned ctr_http_status(const struct ctr_err *e)
{
	static const struct {
		const char *id;
		unsigned status;
	} known[] = {
		{ "http.version", 505 }, { "http.headers", 431 }, { "http.coding", 501 },
		{ "http.expect", 417 },	 { "memory", 503 },
	};

	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		if (e->id && strcmp(e->id, known[i].id) == 0)
			return known[i].status;
	}
	return 400;
}

/* A line up to CR LF: 1 when it is there, 0 when more is needed. */
static int chunk_line(struct ctr_rd *r, size_t max, struct ctr_rd *line, struct ctr_err *e)
{
	const char *lf = r->left ? memchr(r->p, '\n', r->left) : NULL;
	size_t n = lf ? (size_t)(lf - (const char *)r->p) + 1 : r->left;
	struct ctr_rd feed;

	if (n > max)
		return ctr_fail(e, CTR_FORMAT, "http.chunk", "a line between chunks is too long");
	if (!lf)
		return 0;
	if (n < 2 || lf[-1] != '\r' || ctr_rd_take(r, n - 2, line) < 0 ||
	    ctr_rd_take(r, 2, &feed) < 0 || !is_value((const char *)line->p, line->left))
		return ctr_fail(e, CTR_FORMAT, "http.chunk", "a malformed line between chunks");
	return 1;
}

static int hex_digit(uint8_t b)
{
	if (b >= '0' && b <= '9')
		return b - '0';
	b |= 32;
	return b >= 'a' && b <= 'f' ? b - 'a' + 10 : -1;
}

/* chunk-size [ chunk-ext ]: extensions are passed over, as RFC 9112 section 7.1.1 wants. */
static int chunk_size(struct ctr_http_chunks *c, struct ctr_rd *line, struct ctr_err *e)
{
	unsigned digits = 0;
	uint8_t b = 0;

	c->left = 0;
	while (ctr_rd_u8(line, &b) == 0 && b != ';') {
		int d = hex_digit(b);

		if (d < 0 || ++digits > 12)
			return ctr_fail(e, CTR_FORMAT, "http.chunk", "a chunk's size is no number");
		c->left = c->left << 4 | (uint64_t)d;
	}
	if (digits == 0)
		return ctr_fail(e, CTR_FORMAT, "http.chunk", "a chunk has no size");
	c->state = c->left ? CTR_CHUNK_DATA : CTR_CHUNK_TRAILER;
	return 0;
}

/* One step that is no data: 1 when it was made, 0 when more bytes are needed. */
static int chunk_step(struct ctr_http_chunks *c, struct ctr_rd *r, struct ctr_err *e)
{
	struct ctr_rd line = { 0 };
	bool trailer = c->state == CTR_CHUNK_TRAILER;
	int got = chunk_line(r, trailer ? TRAILER_MAX : CTR_HTTP_CHUNK_EXT, &line, e);

	if (got <= 0)
		return got;
	switch (c->state) {
	case CTR_CHUNK_SIZE:
		return chunk_size(c, &line, e) < 0 ? -1 : 1;
	case CTR_CHUNK_END:
		if (line.left)
			return ctr_fail(e, CTR_FORMAT, "http.chunk",
					"a chunk is longer than its size");
		c->state = CTR_CHUNK_SIZE;
		return 1;
	default: /* trailers are nothing that we act on */
		if (line.left == 0)
			c->state = CTR_CHUNK_DONE;
		else if (++c->trailers > CTR_HTTP_HEADERS)
			return ctr_fail(e, CTR_FORMAT, "http.chunk", "too many trailer lines");
		return 1;
	}
}

int ctr_http_chunk(struct ctr_http_chunks *c, struct ctr_rd *r, struct ctr_rd *data,
		   struct ctr_err *e)
{
	int made = 1;

	ctr_rd_init(data, NULL, 0);
	while (made == 1 && c->state != CTR_CHUNK_DATA && c->state != CTR_CHUNK_DONE)
		made = chunk_step(c, r, e);
	if (made < 0)
		return -1;
	if (c->state == CTR_CHUNK_DATA) {
		if (ctr_rd_take(r, c->left < r->left ? (size_t)c->left : r->left, data) < 0)
			return ctr_fail(e, CTR_FORMAT, "http.chunk", "a chunk is cut");
		c->left -= data->left;
		if (c->left == 0)
			c->state = CTR_CHUNK_END;
	}
	return 0;
}
