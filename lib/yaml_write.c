/* Values as YAML or JSON text. */
#include "yaml_int.h"

#include <inttypes.h>
#include <string.h>

#include "utf8.h"

void ctr_yaml_quote(struct ctr_buf *b, const char *s, size_t n)
{
	static const char names[] = "\"\\\b\f\n\r\t", shorts[] = "\"\\bfnrt";

	ctr_buf_addc(b, '"');
	for (size_t i = 0; i < n;) {
		size_t w = ctr_utf8_len(s + i, n - i);
		unsigned char c = (unsigned char)s[i];
		const char *hit = c ? strchr(names, c) : NULL;

		if (w == 0) { /* cannot come from a document, and must not get into one */
			ctr_buf_adds(b, "\\ufffd");
			w = 1;
		} else if (hit) {
			ctr_buf_addf(b, "\\%c", shorts[hit - names]);
		} else if (c < 0x20 || c == 0x7f) {
			ctr_buf_addf(b, "\\u%04x", c);
		} else if (w == 2 && c == 0xc2 && (unsigned char)s[i + 1] < 0xa0) {
			ctr_buf_addf(b, "\\u%04x", (unsigned char)s[i + 1]);
		} else if (w == 3 && ctr_yaml_break(s, n, i)) {
			ctr_buf_addf(b, "\\u20%x", (unsigned char)s[i + 2] - 0x80);
		} else if (w == 3 && (strncmp(s + i, "\xef\xbb\xbf", 3) == 0 ||
				      strncmp(s + i, "\xef\xbf\xbe", 3) >= 0)) {
			/* U+FEFF, U+FFFE, U+FFFF: EF BF BE is the second of them */
			ctr_buf_addf(b, "\\u%04x",
				     0xf000 | ((unsigned char)s[i + 1] & 0x3f) << 6 |
					     ((unsigned char)s[i + 2] & 0x3f));
		} else {
			ctr_buf_add(b, s + i, w);
		}
		i += w;
	}
	ctr_buf_addc(b, '"');
}

/* Deliberately narrow: what no reader of any version of YAML takes for anything but this string. */
static bool plain(const char *s, size_t n, enum ctr_yaml_form form)
{
	static const char *const words[] = { "null", "true", "false", "yes", "no", "on", "off", "y", "n" };
	const char *inner = form == CTR_YAML_IN_BLOCK ? "-_./@+=:, ()%~" : "-_./@+=";

	if (form == CTR_YAML_IN_JSON || n == 0)
		return false;
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strlen(words[i]) == n && strncasecmp(s, words[i], n) == 0)
			return false;
	for (size_t i = 0; i < n; i++) {
		char c = s[i];
		bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '/';

		if (i == 0 ? !word : !word && !(c >= '0' && c <= '9') && (!c || !strchr(inner, c)))
			return false;
		if (c == ':' && (i + 1 == n || s[i + 1] == ' '))
			return false;
	}
	return s[n - 1] != ' ';
}

/* What may stand between single quotes as it is. */
static bool printable(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (s[i] < 0x20 || s[i] == 0x7f)
			return false; /* other than ASCII goes into double quotes too */
	return true;
}

void ctr_yaml_string(struct ctr_buf *b, const char *s, size_t n, enum ctr_yaml_style style,
		     enum ctr_yaml_form form)
{
	if (style == CTR_YAML_SINGLE && form != CTR_YAML_IN_JSON && printable(s, n)) {
		ctr_buf_addc(b, '\'');
		for (size_t i = 0; i < n; i++) {
			if (s[i] == '\'')
				ctr_buf_addc(b, '\'');
			ctr_buf_addc(b, s[i]);
		}
		ctr_buf_addc(b, '\'');
	} else if (style != CTR_YAML_DOUBLE && plain(s, n, form)) {
		ctr_buf_add(b, s, n);
	} else {
		ctr_yaml_quote(b, s, n);
	}
}

/* JSON has fewer spellings of numbers than YAML. */
static int json_number(struct ctr_buf *b, const struct ctr_yaml_node *n, struct ctr_err *e)
{
	const char *s = n->text;
	bool wide, ok;
	int64_t v;

	if (ctr_yaml_resolve(s, n->len, &v, &wide) == CTR_YAML_INT && !wide) {
		ctr_buf_addf(b, "%" PRId64, v);
		return 0;
	}
	ok = strspn(s, "-0123456789.eE+") == n->len && s[0] != '+' && s[0] != '.' &&
	     s[n->len - 1] != '.' && !strstr(s, ".e") && !strstr(s, ".E") && !strstr(s, "-.") &&
	     (s[*s == '-'] != '0' || strchr(".eE", s[(*s == '-') + 1]));
	if (!ok)
		return ctr_yaml_fail(n->doc, n, e, "yaml.edit", "%s cannot be written in JSON", s);
	ctr_buf_add(b, s, n->len);
	return 0;
}

static int flow_scalar(struct ctr_buf *b, const struct ctr_yaml_node *n,
		       const struct ctr_yaml_flow *f, struct ctr_err *e)
{
	enum ctr_yaml_type t = ctr_yaml_type(n);
	bool json = f->form == CTR_YAML_IN_JSON;

	if (t == CTR_YAML_STR) {
		ctr_yaml_string(b, n->text, f->draft && n->brief ? n->brief : n->len, n->rewritten ? CTR_YAML_PLAIN : n->style, f->form);
		return 0;
	}
	if (json && (t == CTR_YAML_INT || t == CTR_YAML_FLOAT))
		return json_number(b, n, e);
	if (t == CTR_YAML_NULL)
		ctr_buf_adds(b, "null");
	else if (json)
		ctr_buf_adds(b, ctr_yaml_truth(n->text) ? "true" : "false");
	else
		ctr_buf_add(b, n->text, n->len);
	return 0;
}

void ctr_yaml_newline(struct ctr_buf *b, const struct ctr_yaml_flow *f, unsigned level)
{
	ctr_buf_adds(b, f->nl);
	ctr_buf_add(b, f->indent, f->indent_n);
	while (level-- > 0)
		ctr_buf_add(b, f->unit, f->unit_n);
}

void ctr_yaml_flow_key(struct ctr_buf *b, const char *key, const struct ctr_yaml_flow *f)
{
	ctr_yaml_string(b, key, strlen(key), CTR_YAML_PLAIN, f->form);
	ctr_buf_adds(b, f->compact ? ":" : ": ");
}

int ctr_yaml_flow(struct ctr_buf *b, const struct ctr_yaml_node *n, const struct ctr_yaml_flow *f,
		  unsigned level, struct ctr_err *e)
{
	bool map = n->kind == CTR_YAML_MAP;

	if (n->kind == CTR_YAML_SCALAR)
		return flow_scalar(b, n, f, e);
	ctr_buf_addc(b, map ? '{' : '[');
	for (size_t i = 0; i < n->nview; i++) {
		if (i > 0)
			ctr_buf_adds(b, f->nl || f->compact ? "," : ", ");
		if (f->nl)
			ctr_yaml_newline(b, f, level + 1);
		if (map)
			ctr_yaml_flow_key(b, n->view[i].key, f);
		if (ctr_yaml_flow(b, ctr_yaml_target(n->view[i].v), f, level + 1, e) < 0)
			return -1;
	}
	if (f->nl && n->nview > 0)
		ctr_yaml_newline(b, f, level);
	ctr_buf_addc(b, map ? '}' : ']');
	return 0;
}
