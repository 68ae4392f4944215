/* needs: tools/ctr-node-install/cri.c */
#include "t.h"

#include "../../tools/ctr-node-install/cri.h"

/* A field with bytes of less than 128, and the frame of gRPC around a message. */
static void bytes(struct ctr_buf *b, char tag, const struct ctr_buf *in)
{
	ctr_buf_addc(b, tag);
	if (in->n > 127)
		ctr_buf_addc(b, (char)(0x80 | (in->n & 0x7f)));
	ctr_buf_addc(b, (char)(in->n > 127 ? in->n >> 7 : in->n));
	ctr_buf_add(b, ctr_buf_str(in), in->n);
}

static void text(struct ctr_buf *b, char tag, const char *s)
{
	ctr_auto_buf struct ctr_buf in = { 0 };

	ctr_buf_adds(&in, s);
	bytes(b, tag, &in);
}

/* What containerd answers: a status, the map's entries, the handlers; all in `reply`. */
static void answer(struct ctr_buf *reply, const char *key, const char *json)
{
	ctr_auto_buf struct ctr_buf msg = { 0 }, other = { 0 }, entry = { 0 };
	const char number[] = { 0x20, (char)0xac, 0x02, 0x29, 1, 2, 3, 4, 5,
				6,    7,	  8,	0x35, 1, 2, 3, 4 };

	text(&msg, 0x0a, "status");
	text(&other, 0x0a, "golang");
	text(&other, 0x12, "\"go1\"");
	bytes(&msg, 0x12, &other);
	text(&entry, 0x0a, key);
	text(&entry, 0x12, json);
	bytes(&msg, 0x12, &entry);
	ctr_buf_add(&msg, number, sizeof number); /* of fields that are not known here */
	ctr_buf_add(reply, "\0\0\0", 3);
	ctr_buf_addc(reply, (char)(msg.n >> 8));
	ctr_buf_addc(reply, (char)msg.n);
	ctr_buf_add(reply, msg.p, msg.n);
}

#define LISTS(name, rest) "{\"containerd\":{\"runtimes\":{\"" name "\":{" rest "}}}}"

static void finds_the_handler(void **state)
{
	static const struct {
		const char *json;
		bool listed;
		const char *config;
	} rows[] = {
		{ LISTS("kata", "\"options\":{\"ConfigPath\":\"/a/b\"}"), true, "/a/b" },
		{ LISTS("kata", "\"options\":null"), true, "" },
		{ LISTS("kata", "\"options\":{}"), true, "" },
		{ LISTS("runc", "\"options\":{\"ConfigPath\":\"/a/b\"}"), false, "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		ctr_auto_buf struct ctr_buf reply = { 0 };
		auto_cri_handler struct cri_handler h = { 0 };

		answer(&reply, "config", rows[i].json);
		T_OK(cri_parse(reply.p, reply.n, "kata", &h, e));
		assert_int_equal(h.listed, rows[i].listed);
		T_STR(ctr_buf_str(&h.config), rows[i].config);
	}
}

static void what_is_no_answer(void **state)
{
	static const struct {
		const char *key, *json, *id;
	} rows[] = {
		{ "conf", LISTS("kata", ""), "cri" },
		{ "config", "{\"containerd\":", "json.syntax" },
		{ "config", "{}", "json.missing" },
		{ "config", "{\"containerd\":{\"runtimes\":[]}}", "json.type" },
		{ "config", LISTS("kata", "\"options\":{\"ConfigPath\":1}"), "json.type" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		ctr_auto_buf struct ctr_buf reply = { 0 };
		auto_cri_handler struct cri_handler h = { 0 };

		answer(&reply, rows[i].key, rows[i].json);
		T_FAILS(cri_parse(reply.p, reply.n, "kata", &h, e), CTR_FORMAT, rows[i].id);
	}
}

/* Every cut, a byte too many, a compressed message: never taken for an answer. */
static void broken_bytes(void **state)
{
	ctr_auto_buf struct ctr_buf reply = { 0 };

	(void)state;
	answer(&reply, "config", LISTS("kata", ""));
	for (size_t n = 0; n < reply.n; n++) {
		auto_cri_handler struct cri_handler h = { 0 };

		T_FAILS(cri_parse(reply.p, n, "kata", &h, e), CTR_FORMAT, "cri");
	}
	ctr_buf_addc(&reply, 0);
	T_FAILS(cri_parse(reply.p, reply.n, "kata", &(struct cri_handler){ 0 }, e), CTR_FORMAT,
		"cri");
	reply.p[0] = 1;
	T_FAILS(cri_parse(reply.p, reply.n - 1, "kata", &(struct cri_handler){ 0 }, e), CTR_FORMAT,
		"cri");
}

static void nobody_there(void **state)
{
	(void)state;
	T_FAILS(cri_ask("/nonexistent", "kata", 1, &(struct cri_handler){ 0 }, e), CTR_ENV, "grpc");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_the_handler),
		cmocka_unit_test(what_is_no_answer),
		cmocka_unit_test(broken_bytes),
		cmocka_unit_test(nobody_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
