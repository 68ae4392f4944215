/*
 * The initdata disk of a hostile host: what is taken from it packs to a disk that reads the same,
 * and a document in it names files of one directory only. Input without the magic is read as the
 * document.
 */
/* needs: tools/ctr-initdata/disk.c tools/ctr-initdata/doc.c */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tools/ctr-initdata/disk.h"
#include "tools/ctr-initdata/doc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_failed(const struct ctr_err *e)
{
	if (e->code == CTR_OK || !e->id || !e->msg[0])
		abort();
}

static void again(const struct ctr_buf *toml)
{
	ctr_auto_buf struct ctr_buf disk = { 0 }, back = { 0 };
	struct ctr_err e = { 0 };

	if (disk_make(toml->p, toml->n, &disk, &e) < 0 || disk.n % DISK_SECTOR != 0 ||
	    disk_parse(disk.p, disk.n, &back, &e) < 0 || back.n != toml->n ||
	    memcmp(back.p, toml->p, back.n) != 0)
		abort();
}

static void check_doc(const struct doc *d)
{
	bool policy = false;

	for (size_t i = 0; i < d->n; i++) {
		const char *name = d->entry[i].name;

		if (!*name || *name == '.' || strchr(name, '/') || strcmp(name, DOC_WHOLE) == 0)
			abort();
		for (size_t k = 0; k < i; k++) {
			if (strcmp(name, d->entry[k].name) == 0)
				abort();
		}
		policy |= strcmp(name, DOC_POLICY) == 0 && d->entry[i].text.n > 0;
	}
	if (!policy)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	doc_auto struct doc d = { 0 };
	struct ctr_err e = { 0 };

	if (!disk_magic(data, size)) {
		ctr_buf_add(&d.measured, data, size);
	} else if (disk_parse(data, size, &d.measured, &e) < 0) {
		check_failed(&e);
		return 0;
	} else if (d.measured.n > 0) {
		again(&d.measured);
	}
	if (doc_read(&d, &e) < 0)
		check_failed(&e);
	else
		check_doc(&d);
	return 0;
}
