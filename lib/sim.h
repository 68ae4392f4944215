/*
 * A platform in software: mints SNP reports and TDX quotes, byte for byte as the hardware lays them
 * out, signed by keys in a directory. For tests and demonstrations: no verifier trusts such keys
 * unless it is told to by an option whose name says so.
 */
#ifndef LIB_SIM_H
#define LIB_SIM_H

#include "evidence.h"

#define CTR_SNP_SIZE 1184	     /* bytes of a report (AMD 56860, ATTESTATION_REPORT) */
#define CTR_SNP_SIGNED 672	     /* of these, what the signature covers */
#define CTR_REPORT_DATA 64	     /* bytes of REPORT_DATA */
#define CTR_SIM_VALUES 128	     /* values in one list */
#define CTR_SIM_TEXT ((size_t)16384) /* bytes of one of them */

/* Values for fields, "name" and "value", in the order given: what comes later wins. A zeroed one is
 * empty. */
struct ctr_sim_values {
	struct ctr_sim_value {
		const char *name, *value; /* in `own`, where there is one */
		char *own;
	} v[CTR_SIM_VALUES];
	size_t n;
};
void ctr_sim_values_free(struct ctr_sim_values *l);
#define ctr_auto_sim_values CTR_AUTO(ctr_sim_values_free)

/* Adds copies. CTR_USAGE "sim.value": no name, too many, too long. */
CTR_MUST int ctr_sim_add(struct ctr_sim_values *l, const char *name, size_t nname,
			 const char *value, size_t nvalue, struct ctr_err *e);
/* Adds "name=value,name=value…"; "" adds nothing. CTR_USAGE "sim.value" also where there is no '='.
 */
CTR_MUST int ctr_sim_add_text(struct ctr_sim_values *l, const char *text, size_t n,
			      struct ctr_err *e);
/* Adds the members of a flat JSON object: strings, and whole numbers. As ctr_json_parse, and
 * CTR_FORMAT "json.type", "json.range". */
CTR_MUST int ctr_sim_add_json(struct ctr_sim_values *l, const char *name,
			      const struct ctr_buf *text, struct ctr_err *e);
/* The value of the last one of this name, NULL when there is none. */
const char *ctr_sim_last(const struct ctr_sim_values *l, const char *name);

/*
 * An SNP report with the signature left zero. Fields have the names of the specification in lower
 * case: version, guest_svn, policy, family_id, image_id, vmpl, signature_algo, current_tcb,
 * platform_info, signer_info, report_data, measurement, host_data, id_key_digest,
 * author_key_digest, report_id, report_id_ma, reported_tcb, cpuid_fam_id, cpuid_mod_id, cpuid_step,
 * chip_id, committed_tcb, current_build, current_minor, current_major, committed_build,
 * committed_minor, committed_major, launch_tcb, launch_mit_vector, current_mit_vector. Besides:
 * product (Milan, Genoa, Turin: layout of TCBs, CPUID), bl, tee, snp, ucode, fmc (all four TCBs)
 * and TCB.PART such as launch_tcb.snp.
 *
 * Numbers are decimal or 0x…; bytes are hexadecimal, in the order of memory, zeros following when
 * there are too few; so are TCBs. "@OFFSET" takes bytes for any place, reserved ones too. CTR_USAGE
 * "sim.field" (no such field, product or part), "sim.value" (a value that does not fit).
 */
CTR_MUST int ctr_sim_snp(const struct ctr_sim_values *l, const uint8_t report_data[CTR_REPORT_DATA],
			 uint8_t report[CTR_SNP_SIZE], struct ctr_err *e);

/*
 * What a TDX quote signs, appended: header, for version 5 type and size, and TD report (facts of
 * the DCAP quote library). Fields: version (4, 5), body_type (2, 3; version 5), att_key_type,
 * tee_type, qe_svn, pce_svn, qe_vendor_id, user_data, tee_tcb_svn, mrseam, mrsignerseam,
 * seamattributes, tdattributes, xfam, mrtd, mrconfigid, mrowner, mrownerconfig, rtmr0 … rtmr3,
 * report_data, tee_tcb_svn2, mrservicetd. Values and errors as above.
 */
CTR_MUST int ctr_sim_tdx_body(const struct ctr_sim_values *l,
			      const uint8_t report_data[CTR_REPORT_DATA], struct ctr_buf *b,
			      struct ctr_err *e);

/* A directory with keys, certificates and values (section SIMULATED PLATFORM of the manual). */
struct ctr_sim;
/*
 * Opens DIR with snp.json or tdx.json; `changes`, "name=value,…", wins over what the file says. The
 * caller frees *s. CTR_ENV "open"; CTR_USAGE "sim.dir" (neither file, or both), "sim.field",
 * "sim.value"; CTR_FORMAT "key.pem", "key.kind" and those of JSON.
 */
CTR_MUST int ctr_sim_open(const char *dir, const char *changes, struct ctr_sim **s,
			  struct ctr_err *e);
void ctr_sim_free(struct ctr_sim *s); /* NULL is legal */
enum ctr_tee ctr_sim_tee(const struct ctr_sim *s);

/* A signed report or quote, appended. A value for report_data takes the place of what is asked for.
 */
CTR_MUST int ctr_sim_mint(const struct ctr_sim *s, const uint8_t report_data[CTR_REPORT_DATA],
			  struct ctr_buf *b, struct ctr_err *e);
/* The certificate table that the host would give (AMD 56421), appended: leaf, ask, ark, as far as
 * DIR has them. */
CTR_MUST int ctr_sim_table(const struct ctr_sim *s, struct ctr_buf *b, struct ctr_err *e);

#endif
