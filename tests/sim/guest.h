/* Small images that tests measure: firmware with the tables of OVMF and TDVF, an IGVM file, a PE
 * image. */
#ifndef TESTS_SIM_GUEST_H
#define TESTS_SIM_GUEST_H

#include "buf.h"

/* Appends n bytes of v, least significant first. */
void guest_le(struct ctr_buf *b, uint64_t v, size_t n);
/* Overwrites n bytes at offset `at`. */
void guest_put(struct ctr_buf *b, size_t at, uint64_t v, size_t n);
/* Bytes that differ from page to page. */
void guest_pattern(struct ctr_buf *b, size_t n);

/*
 * Two pages of firmware for SEV-SNP with direct boot and for TDX. Where its parts are, from the
 * end: the footer's length at 50; the entries' data and lengths: reset block 72, 68; TDX 94, 90;
 * SEV 116, 112; kernel hashes 142, 134; SEV metadata at 0x800, TDX metadata at 0x600 (each with a
 * head of 16 bytes).
 */
void guest_firmware(struct ctr_buf *b);

/* An IGVM file, version 1 or 2: its headers, then a page of data. `crc` is to be called after
 * changes. */
void guest_igvm(struct ctr_buf *b, unsigned version);
void guest_igvm_crc(struct ctr_buf *b);

/* A PE32+ image with two sections. */
void guest_pe(struct ctr_buf *b);

#endif
