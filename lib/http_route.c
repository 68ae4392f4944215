#include "http_route.h"

#include <string.h>
#include <strings.h>

/* What follows the route's path in `path`, NULL when it is another one. */
static const char *match(const struct ctr_http_route *r, const char *path)
{
	size_t n = strlen(r->path);

	if (n == 0 || r->path[n - 1] != '*')
		return strcmp(r->path, path) == 0 ? "" : NULL;
	return strncmp(r->path, path, n - 1) == 0 && path[n - 1] ? path + n - 1 : NULL;
}

static bool serves(const struct ctr_http_route *r, const char *method)
{
	return strcmp(r->method, method) == 0 ||
	       (strcmp(method, "HEAD") == 0 && strcmp(r->method, "GET") == 0);
}

const struct ctr_http_route *ctr_http_route_find(const struct ctr_http_server_conf *conf,
						 unsigned listener, const char *method,
						 const char *path, const char **rest, bool *known)
{
	*known = false;
	for (unsigned i = 0; i < conf->n_routes; i++) {
		const struct ctr_http_route *r = &conf->routes[i];
		const char *behind = r->listeners >> listener & 1 ? match(r, path) : NULL;

		if (behind && serves(r, method)) {
			*rest = behind;
			return r;
		}
		*known |= behind != NULL;
	}
	return NULL;
}

void ctr_http_route_allow(const struct ctr_http_server_conf *conf, unsigned listener,
			  const char *path, struct ctr_buf *b)
{
	for (unsigned i = 0; i < conf->n_routes; i++) {
		const struct ctr_http_route *r = &conf->routes[i];

		if (!(r->listeners >> listener & 1) || !match(r, path))
			continue;
		ctr_buf_addf(b, "%s%s", b->n ? ", " : "", r->method);
		if (strcmp(r->method, "GET") == 0)
			ctr_buf_adds(b, ", HEAD");
	}
}

bool ctr_http_type_json(const char *type)
{
	size_t n = strlen("application/json");

	if (!type || strncasecmp(type, "application/json", n) != 0)
		return false;
	n += strspn(type + n, " \t");
	return type[n] == '\0' || type[n] == ';';
}

static const char *reason(unsigned status)
{
	static const struct {
		unsigned status;
		const char *text;
	} known[] = {
		{ 200, "OK" },
		{ 201, "Created" },
		{ 202, "Accepted" },
		{ 204, "No Content" },
		{ 400, "Bad Request" },
		{ 401, "Unauthorized" },
		{ 403, "Forbidden" },
		{ 404, "Not Found" },
		{ 405, "Method Not Allowed" },
		{ 408, "Request Timeout" },
		{ 409, "Conflict" },
		{ 412, "Precondition Failed" },
		{ 413, "Content Too Large" },
		{ 415, "Unsupported Media Type" },
		{ 417, "Expectation Failed" },
		{ 429, "Too Many Requests" },
		{ 431, "Request Header Fields Too Large" },
		{ 500, "Internal Server Error" },
		{ 501, "Not Implemented" },
		{ 503, "Service Unavailable" },
		{ 505, "HTTP Version Not Supported" },
	};

	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		if (known[i].status == status)
			return known[i].text;
	}
	return "Status"; /* any text does: RFC 9112 section 4 */
}

void ctr_http_head_print(struct ctr_buf *b, const struct ctr_http_answer *a, const char *allow,
			 bool keep)
{
	ctr_buf_addf(b, "HTTP/1.1 %u %s\r\n", a->status, reason(a->status));
	if (a->status != 204) /* RFC 9110 section 8.6 */
		ctr_buf_addf(b, "Content-Type: %s\r\nContent-Length: %zu\r\n",
			     a->type ? a->type : "application/json", a->body.n);
	ctr_buf_adds(b, "Cache-Control: no-store\r\n");
	if (a->challenge[0])
		ctr_buf_addf(b, "WWW-Authenticate: %s\r\n", a->challenge);
	if (allow && *allow)
		ctr_buf_addf(b, "Allow: %s\r\n", allow);
	ctr_buf_addf(b, "Connection: %s\r\n\r\n", keep ? "keep-alive" : "close");
}
