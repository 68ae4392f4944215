#include "trust.h"

/* A file of data/trust between two symbols; the Makefile knows that this object depends on them. */
#define EMBED(name, file)                                                                          \
	__asm__(".pushsection .rodata\n.globl trust_" #name "\n.hidden trust_" #name               \
		"\ntrust_" #name ":\n.incbin \"data/trust/" file "\"\n.globl trust_" #name         \
		"_end\n.hidden trust_" #name "_end\ntrust_" #name                                  \
		"_end:\n.byte 0\n.popsection\n");                                                  \
	extern const uint8_t trust_##name[], trust_##name##_end[]

EMBED(ark_milan, "ark-milan.der");
EMBED(ark_genoa, "ark-genoa.der");
EMBED(ark_turin, "ark-turin.der");
EMBED(ask_milan, "ask-milan.der");
EMBED(ask_genoa, "ask-genoa.der");
EMBED(ask_turin, "ask-turin.der");
EMBED(asvk_milan, "asvk-milan.der");
EMBED(asvk_genoa, "asvk-genoa.der");
EMBED(asvk_turin, "asvk-turin.der");
EMBED(intel_root, "intel-sgx-root-ca.der");

struct ctr_rd ctr_trust_amd(enum ctr_snp_product product, enum ctr_amd_ca kind)
{
#define ROW(name)                                                                                  \
	{                                                                                          \
		trust_##name, trust_##name##_end                                                   \
	}
	static const uint8_t *const all[3][CTR_PRODUCTS][2] = {
		[CTR_AMD_ARK] = { ROW(ark_milan), ROW(ark_genoa), ROW(ark_turin) },
		[CTR_AMD_ASK] = { ROW(ask_milan), ROW(ask_genoa), ROW(ask_turin) },
		[CTR_AMD_ASVK] = { ROW(asvk_milan), ROW(asvk_genoa), ROW(asvk_turin) },
	};
	const uint8_t *const *at = all[kind][product];
	struct ctr_rd r;

	ctr_rd_init(&r, at[0], (size_t)((uintptr_t)at[1] - (uintptr_t)at[0]));
	return r;
}

struct ctr_rd ctr_trust_intel_root(void)
{
	struct ctr_rd r;

	ctr_rd_init(&r, trust_intel_root,
		    (size_t)((uintptr_t)trust_intel_root_end - (uintptr_t)trust_intel_root));
	return r;
}
