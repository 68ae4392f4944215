/* Where a document of a stream ends. A scanner of lines: it knows as little YAML as it can. */
#include "yaml_int.h"

#include <string.h>

struct split {
	const char *p;
	size_t n;
	bool last;
	bool marked, begun;	     /* a --- was seen; content was seen */
	enum { NONE, OPEN, SHUT } flow; /* the content is one flow collection (JSON) */
	unsigned depth;
	char quote, before; /* inside a quoted scalar; the last character that is no blank */
};

/* The end of a line with its break. False when it is not in sight and more may come. */
static bool line_end(const struct split *s, size_t from, size_t *end)
{
	size_t i = from, w = 0;

	for (; i < s->n && w == 0; i += w ? 0 : 1) {
		char c = s->p[i];

		if (c == '\n' || c == '\r' || (unsigned char)c >= 0x80)
			w = ctr_yaml_break(s->p, s->n, i);
	}
	*end = i + w;
	/* a CR, or a part of a wide break, at the end of what is here may have its rest to come */
	return s->last || (w > 0 && (s->p[i] != '\r' || i + 1 < s->n));
}

static size_t blanks(const struct split *s, size_t i)
{
	while (i < s->n && (s->p[i] == ' ' || s->p[i] == '\t'))
		i++;
	return i;
}

static bool marker(const struct split *s, size_t i, const char *three, size_t end)
{
	return end - i >= 3 && strncmp(s->p + i, three, 3) == 0 &&
	       (end - i == 3 || s->p[i + 3] == ' ' || s->p[i + 3] == '\t' ||
		ctr_yaml_break(s->p, s->n, i + 3) > 0);
}

/* Goes on in a flow collection up to `end`; the place behind its last bracket, or `end`. */
static size_t in_flow(struct split *s, size_t i, size_t end)
{
	for (; i < end; i++) {
		char c = s->p[i];

		if (s->quote) {
			if (c == '\\' && s->quote == '"')
				i++;
			else if (c == s->quote)
				s->quote = '\0';
			continue;
		}
		if (c == ' ' || c == '\t' || c == '\n' || c == '\r')
			continue;
		if (c == '#' && i > 0 && strchr(" \t\n\r", s->p[i - 1]))
			return end;
		/* a quote within a plain scalar is a character like others; '' goes on with a scalar */
		if ((c == '"' || c == '\'') &&
		    (strchr("{[,:?", s->before) || (c == '\'' && s->before == c)))
			s->quote = c;
		s->depth += c == '{' || c == '[';
		s->before = c;
		if ((c == '}' || c == ']') && --s->depth == 0) {
			s->flow = SHUT;
			return i + 1;
		}
	}
	return end;
}

/*
 * Behind a complete flow collection: another one that follows without a marker is a document of its
 * own. *cut is where it begins (or its line, when the rest of this one is blank), 0 when there is none.
 * False when that is not in sight.
 */
static bool next_flow(const struct split *s, size_t i, size_t *cut)
{
	size_t w, at = 0;

	while ((i = blanks(s, i)) < s->n && (w = ctr_yaml_break(s->p, s->n, i)) > 0) {
		i += w;
		if (at == 0)
			at = i;
	}
	*cut = 0;
	if (i < s->n && (s->p[i] == '{' || s->p[i] == '['))
		*cut = at ? at : i;
	return i < s->n || s->last;
}

/* Further end markers belong to the piece too: they would not be a document. */
static void end_markers(const struct split *s, size_t i, size_t *len)
{
	*len = i;
	while (s->last ? i < s->n : true) {
		if (!s->last && s->n - i < 4) {
			*len = 0;
			return;
		}
		if (!marker(s, i, "...", s->n))
			return;
		if (!line_end(s, i, &i)) {
			*len = 0;
			return;
		}
		*len = i;
	}
}

/* Takes one line. True when the piece ends: *len is its length, 0 when more is needed to tell. */
static bool line(struct split *s, size_t i, size_t end, size_t *len)
{
	bool start = marker(s, i, "---", end), stop = marker(s, i, "...", end);
	size_t at;

	*len = i;
	if (start && (s->marked || s->begun))
		return true;
	if (stop && (s->marked || s->begun)) {
		end_markers(s, end, len);
		return true;
	}
	s->marked |= start;
	at = blanks(s, start ? i + 3 : i);
	if (!s->begun && !stop && at < end && s->p[at] != '#' &&
	    ctr_yaml_break(s->p, s->n, at) == 0 && (s->p[i] != '%' || s->marked)) {
		s->begun = true;
		s->flow = s->p[at] == '{' || s->p[at] == '[' ? OPEN : NONE;
	}
	if (s->flow == OPEN) {
		at = in_flow(s, at, end);
		if (s->flow == SHUT && (!next_flow(s, at, len) || *len > 0))
			return true;
	}
	return false;
}

static size_t find(struct split *s)
{
	size_t i = 0, end, len;

	if (s->n >= 3 && strncmp(s->p, "\xef\xbb\xbf", 3) == 0)
		i = 3;
	for (; i < s->n; i = end) {
		if (!line_end(s, i, &end))
			return 0;
		if (line(s, i, end, &len))
			return len;
	}
	return s->last ? s->n : 0;
}

void ctr_yaml_split(const char *p, size_t n, bool last, size_t *len, unsigned *lines)
{
	struct split s = { .p = p, .n = n, .last = last };
	const char *nl = p;

	*len = find(&s);
	*lines = 0;
	while (*len > 0 && (nl = memchr(nl, '\n', *len - (size_t)(nl - p)))) {
		nl++;
		(*lines)++;
	}
}
