/* MRTD and RTMRs of a TDX guest: what its firmware, kernel, initial RAM disk and command line make
 * of them. */
#ifndef TOOLS_CTR_MANIFEST_MRTD_H
#define TOOLS_CTR_MANIFEST_MRTD_H

#include "buf.h"
#include "firmware.h"
#include "hash.h"

#define MRTD_SIZE 48
#define PE_MAX ((size_t)512 << 20) /* bytes of a kernel */

/*
 * MRTD of the firmware (TDX module ABI: TDH.MEM.PAGE.ADD, TDH.MR.EXTEND). by_section: the VMM adds
 * all pages of a section before it extends by their contents; otherwise page by page, as KVM does.
 */
CTR_MUST int mrtd(const struct firmware *fw, bool by_section, uint8_t out[MRTD_SIZE],
		  struct ctr_err *e);

/* Extends a register by a digest, or by the digest of bytes. */
CTR_MUST int rtmr_extend(uint8_t reg[MRTD_SIZE], const uint8_t digest[MRTD_SIZE],
			 struct ctr_err *e);
CTR_MUST int rtmr_measure(uint8_t reg[MRTD_SIZE], const void *p, size_t n, struct ctr_err *e);

/*
 * RTMR1 after a direct boot of the kernel p[0..n), a PE image, that the VMM hands over as it is in
 * the file. separator: the firmware ends the pre-boot phase with a separator here too, as newer
 * ones do. CTR_FORMAT "kernel.pe": no PE32+ image, or one whose digest is not beyond doubt.
 */
CTR_MUST int rtmr1_direct(const void *p, size_t n, bool separator, uint8_t out[MRTD_SIZE],
			  struct ctr_err *e);

/* RTMR2: Linux' EFI stub measures the command line (UTF-16, with its NUL) and the initial RAM disk
 * (SHA-384; NULL: none). */
CTR_MUST int rtmr2_direct(const char *cmdline, const uint8_t *initrd, uint8_t out[MRTD_SIZE],
			  struct ctr_err *e);

/* The Authenticode digest of a PE32+ image with SHA-384; ids as above. */
CTR_MUST int pe_digest(const void *p, size_t n, uint8_t out[MRTD_SIZE], struct ctr_err *e);

#endif
