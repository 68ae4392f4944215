#include "err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "utf8.h"

void ctr_escape(char *dst, size_t n, const char *text, size_t len)
{
	static const char hex[] = "0123456789abcdef";
	size_t o = 0;

	for (size_t i = 0; i < len && n > 0;) {
		size_t w = ctr_utf8_len(text + i, len - i);
		unsigned char c = (unsigned char)text[i];

		if (w == 0 || c < 0x20 || c == 0x7f) {
			if (n - o < 5)
				break;
			dst[o++] = '\\';
			dst[o++] = 'x';
			dst[o++] = hex[c >> 4];
			dst[o++] = hex[c & 15];
			i++;
			continue;
		}
		if (n - o < w + 1)
			break;
		memcpy(dst + o, text + i, w);
		o += w;
		i += w;
	}
	if (n > 0)
		dst[o] = '\0';
}

CTR_FMT(3, 0) static void set_msg(char *dst, size_t n, const char *fmt, va_list ap)
{
	char raw[1024];
	int len = vsnprintf(raw, sizeof raw, fmt, ap);

	if (len < 0)
		len = 0;
	ctr_escape(dst, n, raw, (size_t)len < sizeof raw ? (size_t)len : sizeof raw - 1);
}

int ctr_fail(struct ctr_err *e, enum ctr_code code, const char *id, const char *fmt, ...)
{
	va_list ap;

	if (!e || e->code != CTR_OK)
		return -1;
	e->code = code;
	e->id = id;
	va_start(ap, fmt);
	set_msg(e->msg, sizeof e->msg, fmt, ap);
	va_end(ap);
	return -1;
}

int ctr_fail_sys(struct ctr_err *e, const char *id, const char *fmt, ...)
{
	int sys = errno;
	char text[sizeof e->msg];
	va_list ap;

	va_start(ap, fmt);
	set_msg(text, sizeof text, fmt, ap);
	va_end(ap);
	if (!e || e->code != CTR_OK)
		return -1;
	ctr_fail(e, CTR_ENV, id, "%s: %s", text, strerror(sys));
	e->sys = sys;
	return -1;
}

int ctr_fail_mem(struct ctr_err *e)
{
	return ctr_fail(e, CTR_ENV, "memory", "out of memory");
}

int ctr_wrap(struct ctr_err *e, const char *fmt, ...)
{
	char head[256], all[sizeof e->msg + sizeof head + 2];
	va_list ap;

	if (!e)
		return -1;
	va_start(ap, fmt);
	set_msg(head, sizeof head, fmt, ap);
	va_end(ap);
	/* cut to size by ctr_escape, which does not split a character; the text was escaped before */
	if (snprintf(all, sizeof all, "%s: %s", head, e->msg) > 0)
		ctr_escape(e->msg, sizeof e->msg, all, strlen(all));
	return -1;
}

int ctr_err_pass(struct ctr_err *e, const struct ctr_err *from)
{
	if (e && e->code == CTR_OK)
		*e = *from;
	return -1;
}

int ctr_err_at(struct ctr_err *e, const char *where, unsigned line, unsigned col)
{
	if (!e || e->line != 0 || e->where[0] != '\0')
		return -1;
	e->line = line;
	e->col = col;
	ctr_escape(e->where, sizeof e->where, where ? where : "", where ? strlen(where) : 0);
	return -1;
}

int ctr_err_fix(struct ctr_err *e, const char *fmt, ...)
{
	va_list ap;

	if (!e || e->fix[0] != '\0')
		return -1;
	va_start(ap, fmt);
	set_msg(e->fix, sizeof e->fix, fmt, ap);
	va_end(ap);
	return -1;
}
