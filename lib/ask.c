#include "ask.h"

#include <string.h>

#include "ask_int.h"
#include "enc.h"
#include "x509.h"

int ctr_ask_set(struct ctr_ask *a, const struct ctr_buf *url, struct ctr_err *e)
{
	if (ctr_buf_ok(url, "URL", e) < 0)
		return -1;
	if (url->n >= sizeof a->url)
		return ctr_fail(e, CTR_FORMAT, "collateral.url", "%.60s…: too long", url->p);
	memcpy(a->url, ctr_buf_str(url), url->n + 1);
	return 0;
}

int ctr_ask_add(struct ctr_ask *a, enum ctr_item item, const struct ctr_buf *name,
		struct ctr_err *e)
{
	struct ctr_ask_item *to = &a->v[a->n];

	if (ctr_buf_ok(name, "file name", e) < 0)
		return -1;
	if (name->n >= sizeof to->name)
		return ctr_fail(e, CTR_FORMAT, "collateral.url", "%.60s…: too long", name->p);
	to->item = item;
	memcpy(to->name, ctr_buf_str(name), name->n + 1);
	a->n++;
	return 0;
}

void ctr_ask_plain_name(enum ctr_item item, char name[CTR_ASK_NAME])
{
	const char *ext = "der";

	if (item == CTR_TCB_INFO || item == CTR_QE_IDENTITY)
		ext = "json";
	else if (item == CTR_TCB_INFO_CHAIN || item == CTR_QE_IDENTITY_CHAIN ||
		 item == CTR_PCK_CRL_CHAIN)
		ext = "pem";
	snprintf(name, CTR_ASK_NAME, "%s.%s", ctr_item_names[item], ext);
}

static int odd(const struct ctr_ask *a, struct ctr_err *e, const char *what)
{
	return ctr_fail(e, CTR_ENV, "collateral.answer", "%s: the answer is %s", a->url, what);
}

/* A PCCS gives lists as text, whatever was asked for. */
static int list_of(const struct ctr_ask *a, const struct ctr_buf *body, struct ctr_buf *out,
		   struct ctr_err *e)
{
	const char *text = ctr_buf_str(body);
	size_t n = body->n;
	uint8_t *to;

	if (text[0] == 0x30) { /* the tag of a SEQUENCE; in digits it begins with a 3 */
		ctr_buf_add(out, text, n);
		return ctr_buf_ok(out, "revocation list", e);
	}
	while (n > 0 && strchr("\r\n ", text[n - 1]))
		n--;
	to = ctr_buf_room(out, n / 2);
	if (!to)
		return ctr_buf_ok(out, "revocation list", e);
	if (ctr_hex_parse(text, n, to, n / 2, NULL) < 0 || n < 2 || to[0] != 0x30)
		return odd(a, e, "no revocation list");
	ctr_buf_commit(out, n / 2);
	return 0;
}

static int chain_of(const struct ctr_ask *a, const struct ctr_buf *body, struct ctr_buf out[2],
		    struct ctr_err *e)
{
	ctr_auto_chain struct ctr_chain c = { 0 };

	if (ctr_x509_pem(ctr_buf_str(body), body->n, "chain", &c, NULL) < 0 || c.n != 2)
		return odd(a, e, "no chain of two certificates");
	if (ctr_x509_print(c.v[0], &out[0], e) < 0)
		return -1;
	return ctr_x509_print(c.v[1], &out[1], e);
}

/* Percent-encoded text; "+" is one in base64, and stands for itself. */
static bool unquote(const struct ctr_buf *s, struct ctr_buf *out)
{
	for (size_t i = 0; i < s->n; i++) {
		uint8_t byte = (uint8_t)s->p[i];

		if (byte == '%') {
			if (s->n - i < 3 || ctr_hex_parse(s->p + i + 1, 2, &byte, 1, NULL) < 0)
				return false;
			i += 2;
		}
		if (byte == 0 || byte > 0x7e)
			return false;
		ctr_buf_addc(out, (char)byte);
	}
	return true;
}

static int signed_of(const struct ctr_ask *a, const struct ctr_buf *body,
		     const struct ctr_buf *header, struct ctr_buf out[2], struct ctr_err *e)
{
	static const char begin[] = "-----BEGIN CERTIFICATE-----";

	if (!header || header->n == 0)
		return ctr_fail(e, CTR_ENV, "collateral.answer", "%s: the answer has no %s", a->url,
				a->header);
	if (!unquote(header, &out[1]) || strncmp(ctr_buf_str(&out[1]), begin, strlen(begin)) != 0)
		return ctr_fail(e, CTR_ENV, "collateral.answer", "%s: %s is no chain", a->url,
				a->header);
	if (a->v[0].item == CTR_PCK_CRL)
		return list_of(a, body, &out[0], e);
	if (ctr_buf_str(body)[0] != '{')
		return odd(a, e, "no JSON object");
	ctr_buf_add(&out[0], body->p, body->n);
	return ctr_buf_ok(&out[0], "answer", e) < 0 ? -1 : ctr_buf_ok(&out[1], "chain", e);
}

int ctr_ask_split(const struct ctr_ask *a, const struct ctr_buf *body, const struct ctr_buf *header,
		  struct ctr_buf out[2], struct ctr_err *e)
{
	if (body->n == 0)
		return odd(a, e, "empty");
	switch (a->answer) {
	case CTR_ANSWER_DER:
		if (body->p[0] != 0x30)
			return odd(a, e, "no certificate in DER");
		ctr_buf_add(&out[0], body->p, body->n);
		return ctr_buf_ok(&out[0], "answer", e);
	case CTR_ANSWER_CRL:
		return list_of(a, body, &out[0], e);
	case CTR_ANSWER_CHAIN:
		return chain_of(a, body, out, e);
	case CTR_ANSWER_SIGNED:
	default:
		return signed_of(a, body, header, out, e);
	}
}
