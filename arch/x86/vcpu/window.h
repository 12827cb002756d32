/* SPDX-License-Identifier: MIT */
/* window.h - the tables under PML4 slot 270 of a vCPU's roots: code area and vcpu page. */
#ifndef ARCH_X86_VCPU_WINDOW_H
#define ARCH_X86_VCPU_WINDOW_H

#include "mm/types.h"

/* The three tables, level 3 first. window_make() answers with the top-level entry; -ENOMEM.
 * notified: the guest tells of changed page tables, so its code area does. */
#define WINDOW_TABLES 3
void window_clear(mfn_t tables[WINDOW_TABLES]);
int window_make(mfn_t tables[WINDOW_TABLES], mfn_t page, u16 owner, bool notified,
		u64 *top_entry)
    __attribute__((warn_unused_result));
/* Show one more page, at GN_VCPU_INFO_PAGE or GN_LDT; flags: PTE_W, PTE_D or 0. */
void window_show(mfn_t tables[WINDOW_TABLES], u64 address, mfn_t page, u64 flags);
/* The code area's bytes as this window shows them, for the emulator. */
const u8 *window_code(const mfn_t tables[WINDOW_TABLES], u64 address);
void window_destroy(mfn_t tables[WINDOW_TABLES]);

#endif
