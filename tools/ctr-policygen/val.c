#include "val.h"

#include <string.h>

void val_escape(struct ctr_buf *b, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '@' || s[i] == '%') {
			ctr_buf_addf(b, "\\x%02x", s[i]); /* these stand for digits in the rules' patterns */
			continue;
		}
		if (s[i] && strchr("\\.+*?()|[]{}^$", s[i]))
			ctr_buf_addc(b, '\\');
		ctr_buf_addc(b, s[i]);
	}
}

/* Text until something unknown comes; then what was gathered becomes a pattern. */
struct gather {
	struct ctr_buf b;
	bool pattern;
};

static void add_text(struct gather *g, const char *s, size_t n)
{
	if (g->pattern)
		val_escape(&g->b, s, n);
	else
		ctr_buf_add(&g->b, s, n);
}

static void add_pattern(struct gather *g, const char *p)
{
	if (!g->pattern) {
		struct ctr_buf was = g->b;

		g->b = (struct ctr_buf){ 0 };
		val_escape(&g->b, ctr_buf_str(&was), was.n);
		ctr_buf_free(&was);
		g->pattern = true;
	}
	ctr_buf_adds(&g->b, p);
}

static bool ends(const char *s, size_t n, const char *tail)
{
	size_t t = strlen(tail);

	return n > t && strncmp(s + n - t, tail, t) == 0;
}

/* The form of a service variable by its name, NULL when the name is none. */
static const char *service_form(const char *s, size_t n)
{
	static const char url[] = "(tcp|udp|sctp)://" VAL_IP ":[0-9]{1,5}";
	static const struct {
		const char *tail, *form;
	} forms[] = {
		{ "_SERVICE_HOST", VAL_IP },
		{ "_SERVICE_PORT", "[0-9]{1,5}" },
		{ "_TCP_ADDR", VAL_IP },
		{ "_UDP_ADDR", VAL_IP },
		{ "_TCP_PORT", "[0-9]{1,5}" },
		{ "_UDP_PORT", "[0-9]{1,5}" },
		{ "_TCP_PROTO", "tcp" },
		{ "_UDP_PROTO", "udp" },
		{ "_PORT", url },
		{ "_TCP", url },
		{ "_UDP", url },
	};

	for (size_t i = 0; i < n; i++) {
		if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_", s[i]))
			return NULL;
	}
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
		if (ends(s, n, forms[i].tail))
			return forms[i].form;
	}
	return memmem(s, n, "_SERVICE_PORT_", 14) ? "[0-9]{1,5}" : NULL;
}

static void add_unknown(struct gather *g, const char *s, size_t n)
{
	const char *form = service_form(s + 2, n - 3);

	if (!form) {
		add_text(g, s, n);
		return;
	}
	add_pattern(g, "(");
	add_pattern(g, form);
	ctr_buf_addc(&g->b, '|');
	val_escape(&g->b, s, n);
	ctr_buf_addc(&g->b, ')');
}

/* s at a '$': how many bytes it consumes. */
static size_t dollar(struct gather *g, const char *s, val_lookup look, void *ctx)
{
	const char *close;
	const struct val *v;

	if (s[1] == '$') {
		add_text(g, "$", 1);
		return 2;
	}
	close = s[1] == '(' ? strchr(s, ')') : NULL;
	if (!close) {
		add_text(g, s, 1);
		return 1;
	}
	v = look(ctx, s + 2, (size_t)(close - s) - 2);
	if (!v)
		add_unknown(g, s, (size_t)(close - s) + 1);
	else if (v->text)
		add_text(g, v->text, strlen(v->text));
	else
		add_pattern(g, v->pattern);
	return (size_t)(close - s) + 1;
}

int val_expand(struct arena *a, const char *s, val_lookup look, void *ctx, struct val *out,
	       struct ctr_err *e)
{
	struct gather g = { .b.max = (size_t)4 * 1024 * 1024 };
	bool pattern;
	char *done;

	*out = (struct val){ NULL, NULL };
	while (*s) {
		size_t n = strcspn(s, "$");

		add_text(&g, s, n);
		s += n;
		if (*s)
			s += dollar(&g, s, look, ctx);
	}
	pattern = g.pattern;
	if (ctr_buf_ok(&g.b, "expanded value", e) < 0) {
		ctr_buf_free(&g.b);
		return -1;
	}
	done = arena_buf(a, &g.b);
	if (!done)
		return ctr_fail_mem(e);
	if (pattern)
		out->pattern = done;
	else
		out->text = done;
	return 0;
}
