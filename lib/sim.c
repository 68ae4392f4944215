#include "sim.h"

#include <string.h>

#include "enc.h"
#include "file.h"
#include "sim_int.h"

#define FILE_MAX ((size_t)256 << 10)
#define PAGE 4096

struct ctr_sim {
	enum ctr_tee tee;
	struct ctr_sim_values values;
	struct ctr_sign_key *leaf; /* SNP: of the VCEK or VLEK */
	bool vlek;
	struct ctr_buf cert[3]; /* SNP: leaf, ask, ark in DER; empty where DIR has none */
	struct ctr_sim_tdx_keys tdx;
};

void ctr_sim_free(struct ctr_sim *s)
{
	if (!s)
		return;
	ctr_sim_values_free(&s->values);
	ctr_sign_key_free(s->leaf);
	ctr_sign_key_free(s->tdx.att);
	ctr_sign_key_free(s->tdx.pck);
	ctr_buf_free(&s->tdx.chain);
	for (size_t i = 0; i < sizeof s->cert / sizeof *s->cert; i++)
		ctr_buf_free(&s->cert[i]);
	free(s);
}

static void cleanup(struct ctr_sim **s)
{
	ctr_sim_free(*s);
}
#define auto_sim CTR_AUTO(cleanup)

enum ctr_tee ctr_sim_tee(const struct ctr_sim *s)
{
	return s->tee;
}

/* DIR/name whole; an absent file is an error only where it must be there. */
static int load(const char *dir, const char *name, bool must, struct ctr_buf *b, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf path = { 0 };

	ctr_buf_addf(&path, "%s/%s", dir, name);
	if (ctr_buf_ok(&path, "file name", e) < 0)
		return -1;
	if (!must && access(path.p, F_OK) < 0)
		return 0;
	return ctr_file_read(path.p, FILE_MAX, b, e);
}

static bool exists(const char *dir, const char *name)
{
	ctr_auto_buf struct ctr_buf path = { 0 };

	ctr_buf_addf(&path, "%s/%s", dir, name);
	return !path.bad && access(path.p, F_OK) == 0;
}

static int load_key(const char *dir, const char *name, size_t half, struct ctr_sign_key **key,
		    struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf pem = { .wipe = true };

	return load(dir, name, true, &pem, e) < 0 ? -1
						  : ctr_sign_key_read(name, &pem, half, key, e);
}

static int load_values(const char *dir, const char *name, const char *changes,
		       struct ctr_sim_values *l, struct ctr_err *e)
{
	ctr_auto_buf struct ctr_buf text = { 0 };

	if (load(dir, name, true, &text, e) < 0 || ctr_sim_add_json(l, name, &text, e) < 0)
		return -1;
	return ctr_sim_add_text(l, changes, strlen(changes), e);
}

static int open_snp(const char *dir, struct ctr_sim *s, struct ctr_err *e)
{
	s->vlek = exists(dir, "vlek.key");
	if (s->vlek && exists(dir, "vcek.key"))
		return ctr_fail(e, CTR_USAGE, "sim.dir",
				"%s: has vcek.key and vlek.key (one must go)", dir);
	if (load_key(dir, s->vlek ? "vlek.key" : "vcek.key", 48, &s->leaf, e) < 0 ||
	    load(dir, s->vlek ? "vlek.der" : "vcek.der", false, &s->cert[0], e) < 0 ||
	    load(dir, "ask.der", false, &s->cert[1], e) < 0)
		return -1;
	return load(dir, "ark.der", false, &s->cert[2], e);
}

static int open_tdx(const char *dir, struct ctr_sim *s, struct ctr_err *e)
{
	if (load_key(dir, "att.key", 32, &s->tdx.att, e) < 0 ||
	    load_key(dir, "pck.key", 32, &s->tdx.pck, e) < 0)
		return -1;
	return load(dir, "pck_chain.pem", true, &s->tdx.chain, e);
}

/* A first report tells whether all values fit. */
static int try(const struct ctr_sim *s, struct ctr_err *e)
{
	static const uint8_t zero[CTR_REPORT_DATA];
	ctr_auto_buf struct ctr_buf b = { 0 };

	return ctr_sim_mint(s, zero, &b, e);
}

int ctr_sim_open(const char *dir, const char *changes, struct ctr_sim **out, struct ctr_err *e)
{
	auto_sim struct ctr_sim *s = calloc(1, sizeof *s);
	bool snp = exists(dir, "snp.json"), tdx = exists(dir, "tdx.json");

	*out = NULL;
	if (!s)
		return ctr_fail_mem(e);
	if (snp == tdx)
		return ctr_fail(e, CTR_USAGE, "sim.dir", "%s: has %s (expected one of them)", dir,
				snp ? "snp.json and tdx.json" : "neither snp.json nor tdx.json");
	s->tee = snp ? CTR_TEE_SNP : CTR_TEE_TDX;
	if (load_values(dir, snp ? "snp.json" : "tdx.json", changes, &s->values, e) < 0 ||
	    (snp ? open_snp(dir, s, e) : open_tdx(dir, s, e)) < 0 || try(s, e) < 0)
		return -1;
	*out = ctr_give(s);
	return 0;
}

int ctr_sim_mint(const struct ctr_sim *s, const uint8_t report_data[CTR_REPORT_DATA],
		 struct ctr_buf *b, struct ctr_err *e)
{
	uint8_t report[CTR_SNP_SIZE];

	if (s->tee == CTR_TEE_TDX)
		return ctr_sim_tdx_quote(&s->values, report_data, &s->tdx, b, e);
	if (ctr_sim_snp(&s->values, report_data, report, e) < 0 ||
	    ctr_sim_snp_sign(report, s->leaf, e) < 0)
		return -1;
	ctr_buf_add(b, report, sizeof report);
	return ctr_buf_ok(b, "report", e);
}

/* GUIDs stand in the order of their text (AMD 56421, section 4.1.8.1). */
static const char *const guids[] = {
	"63da758de6644564adc5f4b93be8accd", /* VCEK */
	"4ab7b379bbac4fe4a02f05aef327c782", /* ASK or ASVK */
	"c0b406a4a803495297433fb6014cd0ae", /* ARK */
};
static const char vlek_guid[] = "a8074bc2a25a483eaae639c045a0b8a1";
#define ENTRY 24

int ctr_sim_table(const struct ctr_sim *s, struct ctr_buf *b, struct ctr_err *e)
{
	static const uint8_t zero[PAGE];
	ctr_auto_buf struct ctr_buf data = { 0 };
	size_t at = ENTRY;

	for (size_t i = 0; i < 3; i++)
		at += s->cert[i].n ? ENTRY : 0;
	for (size_t i = 0; i < 3; i++) {
		uint8_t entry[ENTRY];

		if (s->cert[i].n == 0)
			continue;
		if (ctr_hex_parse(i == 0 && s->vlek ? vlek_guid : guids[i], 32, entry, 16, e) < 0)
			return -1;
		ctr_sim_put(entry + 16, 4, at + data.n);
		ctr_sim_put(entry + 20, 4, s->cert[i].n);
		ctr_buf_add(b, entry, sizeof entry);
		ctr_buf_add(&data, s->cert[i].p, s->cert[i].n);
	}
	ctr_buf_add(b, zero, ENTRY);
	if (ctr_buf_ok(&data, "certificate table", e) < 0)
		return -1;
	ctr_buf_add(b, ctr_buf_str(&data), data.n);
	ctr_buf_add(b, zero, (PAGE - (at + data.n) % PAGE) % PAGE);
	return ctr_buf_ok(b, "certificate table", e);
}
