#include "progress.h"

#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "buf.h"
#include "json.h"

#define MIB (1024.0 * 1024.0)

int ctr_progress_parse(const char *s, enum ctr_progress_mode *mode, struct ctr_err *e)
{
	static const char *const words[] = {
		[CTR_PROGRESS_AUTO] = "auto",
		[CTR_PROGRESS_NONE] = "none",
		[CTR_PROGRESS_TEXT] = "text",
		[CTR_PROGRESS_JSON] = "json",
	};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if (strcmp(s, words[i]) == 0) {
			*mode = (enum ctr_progress_mode)i;
			return 0;
		}
	}
	return ctr_fail(e, CTR_USAGE, "usage", "--progress=%s (expected auto, json, none or text)",
			s);
}

void ctr_progress_init(struct ctr_progress *p, const char *tool, enum ctr_progress_mode mode)
{
	if (mode == CTR_PROGRESS_AUTO)
		mode = isatty(STDERR_FILENO) ? CTR_PROGRESS_TEXT : CTR_PROGRESS_NONE;
	*p = (struct ctr_progress){
		.tool = tool,
		.after = 500,
		.mode = mode,
		.lock = PTHREAD_MUTEX_INITIALIZER,
	};
}

static bool silent(const struct ctr_progress *p)
{
	return !p || p->mode == CTR_PROGRESS_NONE;
}

static uint64_t now(void)
{
	struct timespec t = { 0 };

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* One write, so that lines of several processes do not mix; nothing hangs on its success. */
static void put(const struct ctr_buf *b)
{
	if (!b->bad && write(STDERR_FILENO, b->p, b->n) < 0)
		return;
}

/* Blanks and carriage returns are what every terminal understands. */
static void wipe(struct ctr_progress *p)
{
	ctr_auto_buf struct ctr_buf b = { 0 };

	if (p->drawn)
		ctr_buf_addf(&b, "\r%*s\r", p->drawn, "");
	p->drawn = 0;
	if (b.n)
		put(&b);
}

static void draw(struct ctr_progress *p, uint64_t done)
{
	ctr_auto_buf struct ctr_buf b = { 0 };
	struct winsize w = { 0 };
	size_t columns =
		ioctl(STDERR_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 1 ? w.ws_col - 1u : 79;
	char text[256];
	int n;

	if (p->total)
		n = snprintf(text, sizeof text, "%s: %.1f of %.1f MiB, %s", p->tool,
			     (double)done / MIB, (double)p->total / MIB, p->what);
	else
		n = snprintf(text, sizeof text, "%s: %.1f MiB, %s", p->tool, (double)done / MIB,
			     p->what);
	if (n < 0)
		return;
	n = n < (int)sizeof text ? n : (int)sizeof text - 1;
	n = (size_t)n < columns ? n : (int)columns;
	ctr_buf_addf(&b, "\r%.*s%*s", n, text, p->drawn > n ? p->drawn - n : 0, "");
	p->drawn = n > p->drawn ? n : p->drawn;
	put(&b);
}

static void report(struct ctr_progress *p, uint64_t done)
{
	ctr_auto_buf struct ctr_buf b = { 0 };

	ctr_buf_adds(&b, "{\"tool\":");
	ctr_json_quote(&b, p->tool, strlen(p->tool));
	ctr_buf_adds(&b, ",\"level\":\"progress\",\"what\":");
	ctr_json_quote(&b, p->what, strlen(p->what));
	ctr_buf_addf(&b, ",\"done\":%llu", (unsigned long long)done);
	if (p->total)
		ctr_buf_addf(&b, ",\"total\":%llu", (unsigned long long)p->total);
	ctr_buf_adds(&b, "}\n");
	put(&b);
}

/* Under the lock. A download that had to begin again counts twice. */
static void show(struct ctr_progress *p)
{
	uint64_t done = p->done;

	done = p->total && done > p->total ? p->total : done;
	if (p->mode == CTR_PROGRESS_JSON)
		report(p, done);
	else
		draw(p, done);
}

void ctr_progress_begin(struct ctr_progress *p, const char *what, uint64_t total)
{
	if (silent(p))
		return;
	pthread_mutex_lock(&p->lock);
	ctr_escape(p->what, sizeof p->what, what, strlen(what));
	p->total = total;
	p->done = 0;
	if (!p->begun)
		p->next = now() + p->after;
	p->begun = true;
	pthread_mutex_unlock(&p->lock);
}

void ctr_progress_add(struct ctr_progress *p, uint64_t n)
{
	uint64_t t;

	if (silent(p))
		return;
	p->done += n;
	t = now();
	/* who finds the lock taken goes on with its work: another line follows */
	if (t < p->next || pthread_mutex_trylock(&p->lock) != 0)
		return;
	if (t >= p->next) {
		p->next = t + p->after;
		show(p);
	}
	pthread_mutex_unlock(&p->lock);
}

void ctr_progress_end(struct ctr_progress *p)
{
	if (silent(p))
		return;
	pthread_mutex_lock(&p->lock);
	if (p->mode == CTR_PROGRESS_JSON)
		show(p);
	else
		wipe(p);
	pthread_mutex_unlock(&p->lock);
}

void ctr_progress_hold(struct ctr_progress *p)
{
	if (silent(p))
		return;
	pthread_mutex_lock(&p->lock);
	wipe(p);
}

void ctr_progress_release(struct ctr_progress *p)
{
	if (!silent(p))
		pthread_mutex_unlock(&p->lock);
}
