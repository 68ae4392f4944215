/*
 * A configuration of containerd's: refused with a reason, or our handler goes in (twice is as once)
 * and out again, and every byte is as it was. The first byte chooses: a template, a schema, a
 * snapshotter.
 */
/* needs: tools/ctr-node-install/containerd.c tools/ctr-node-install/owned.c tools/ctr-node-install/tomldoc.c tools/ctr-node-install/tomlword.c */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tools/ctr-node-install/containerd.h"
#include "tools/ctr-node-install/owned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void refused(const struct ctr_err *e)
{
	if (e->code != CTR_FORMAT || !e->id || !e->msg[0])
		abort();
}

static void must(int rc)
{
	if (rc < 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cd_runtime r = { .handler = "kata-x", .shim = "/opt/s", .config = "/opt/c" };
	ctr_auto_buf struct ctr_buf one = { 0 }, two = { 0 }, back = { 0 }, rest = { 0 };
	struct cd_file f = { .name = "config.toml" };
	struct ctr_err e = { 0 };
	struct owned parts;
	bool gone, had;

	if (size < 1)
		return 0;
	f.is_template = data[0] & 1;
	f.version = data[0] & 2 ? 3 : 2;
	r.snapshotter = data[0] & 4 ? "snap" : NULL;
	r.address = data[0] & 8 ? "/run/s.sock" : NULL;
	f.p = (const char *)data + 1;
	f.n = size - 1;
	if (cd_put(&f, &r, &one, &e) < 0) {
		refused(&e);
		return 0;
	}
	must(owned_find(f.name, f.p, f.n, &parts, &e));
	had = parts.n > 0;
	f.p = one.p;
	f.n = one.n;
	must(cd_put(&f, &r, &two, &e));
	if (!ctr_buf_same(&one, &two))
		abort();
	must(cd_drop(&f, r.handler, &back, &gone, &e));
	if (!had && (back.n != size - 1 || (back.n && memcmp(back.p, data + 1, back.n) != 0)))
		abort();
	must(owned_find(f.name, back.p ? back.p : "", back.n, &parts, &e));
	owned_rest(back.p ? back.p : "", back.n, &parts, &rest);
	return 0;
}
