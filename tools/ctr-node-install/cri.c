#include "cri.h"

#include <string.h>

#include "http_grpc.h"
#include "json.h"
#include "rd.h"

#define REPLY_MAX ((size_t)8 * 1024 * 1024)

enum { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 };
enum { STATUS_INFO = 2, ENTRY_KEY = 1, ENTRY_VALUE = 2 };

static int varint(struct ctr_rd *r, uint64_t *v)
{
	uint8_t b = 0x80;

	*v = 0;
	for (unsigned shift = 0; b & 0x80; shift += 7) {
		if (shift > 63 || ctr_rd_u8(r, &b) < 0)
			return -1;
		*v |= (uint64_t)(b & 0x7f) << shift;
	}
	return 0;
}

/* The next field of a message; `in` is empty unless it has bytes. */
static int field(struct ctr_rd *r, uint64_t *number, struct ctr_rd *in)
{
	uint64_t tag, n;

	ctr_rd_init(in, NULL, 0);
	if (varint(r, &tag) < 0)
		return -1;
	*number = tag >> 3;
	switch (tag & 7) {
	case WIRE_VARINT:
		return varint(r, &n);
	case WIRE_64:
		return ctr_rd_take(r, 8, &(struct ctr_rd){ 0 });
	case WIRE_BYTES:
		return varint(r, &n) < 0 || n > r->left ? -1 : ctr_rd_take(r, (size_t)n, in);
	case WIRE_32:
		return ctr_rd_take(r, 4, &(struct ctr_rd){ 0 });
	default:
		return -1;
	}
}

static bool is(const struct ctr_rd *r, const char *word)
{
	return r->left == strlen(word) && ctr_same(r->p, word, r->left);
}

/* An entry of the map: its value when the key is the one. */
static int entry(struct ctr_rd r, const char *key, struct ctr_rd *value, bool *found)
{
	struct ctr_rd k, v, in;
	uint64_t number;

	ctr_rd_init(&k, NULL, 0);
	ctr_rd_init(&v, NULL, 0);
	while (r.left) {
		if (field(&r, &number, &in) < 0)
			return -1;
		if (number == ENTRY_KEY)
			k = in;
		if (number == ENTRY_VALUE)
			v = in;
	}
	if (is(&k, key)) {
		*value = v;
		*found = true;
	}
	return 0;
}

/* The frame of gRPC, then the message's map. */
static int find_config(const void *p, size_t n, struct ctr_rd *json)
{
	struct ctr_rd all, msg, in;
	uint64_t number;
	bool found = false;
	uint32_t len;
	uint8_t zip;

	ctr_rd_init(&all, p, n);
	if (ctr_rd_u8(&all, &zip) < 0 || zip != 0 || ctr_rd_be32(&all, &len) < 0 ||
	    ctr_rd_take(&all, len, &msg) < 0 || ctr_rd_end(&all) < 0)
		return -1;
	while (msg.left) {
		if (field(&msg, &number, &in) < 0 ||
		    (number == STATUS_INFO && entry(in, "config", json, &found) < 0))
			return -1;
	}
	return found ? 0 : -1;
}

int cri_parse(const void *p, size_t n, const char *handler, struct cri_handler *out,
	      struct ctr_err *e)
{
	ctr_auto_json struct ctr_json *j = NULL;
	struct ctr_jval top, cd, all, one, opts, path;
	struct ctr_rd json;
	const char *s;

	ctr_rd_init(&json, NULL, 0);
	if (find_config(p, n, &json) < 0)
		return ctr_fail(e, CTR_FORMAT, "cri",
				"the answer to Status has no configuration in it");
	if (ctr_json_parse("CRI", (const char *)json.p, json.left, &j, e) < 0)
		return -1;
	top = ctr_jroot(j);
	cd = ctr_jget(&top, "containerd");
	all = ctr_jget(&cd, "runtimes");
	if (ctr_jobject(&all, e) < 0)
		return -1;
	one = ctr_jget(&all, handler);
	opts = ctr_jget(&one, "options");
	path = ctr_jget(&opts, "ConfigPath");
	out->listed = ctr_jhas(&one);
	if (!ctr_jhas(&path))
		return 0;
	if (ctr_jstring(&path, &s, e) < 0)
		return -1;
	ctr_buf_adds(&out->config, s);
	return ctr_buf_ok(&out->config, "CRI", e);
}

int cri_ask(const char *socket, const char *handler, unsigned seconds, struct cri_handler *out,
	    struct ctr_err *e)
{
	static const uint8_t verbose[] = { 0x08, 0x01 }; /* StatusRequest { verbose = true } */
	ctr_auto_buf struct ctr_buf reply = { .max = REPLY_MAX };

	if (ctr_grpc_call(socket, "runtime.v1.RuntimeService/Status", verbose, sizeof verbose,
			  seconds, &reply, e) < 0)
		return -1;
	return cri_parse(reply.p, reply.n, handler, out, e);
}

void cri_handler_free(struct cri_handler *h)
{
	ctr_buf_free(&h->config);
	h->listed = false;
}
