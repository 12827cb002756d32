/* SPDX-License-Identifier: MIT */
/*
 * sites.h - the operations that a site may stand for. A site is an annotated instruction of a
 * kernel: on the bare machine it is the instruction itself, on Gnomon what the relocation table of
 * the code area says. C11 and assembler. Kernels write sites with kit/site.h, or kit/cpu.h above
 * it.
 *
 * GN_SITE_NAME is: number, room, size, bytes. The native instruction has size bytes and stands at
 * the end of the site's room, with NOPs before it. A number once given is never reused.
 */
#ifndef GUEST_ABI_SITES_H
#define GUEST_ABI_SITES_H

/* clang-format off */
#define GN_SITE_cli		0, 7, 1, 0xfa
#define GN_SITE_sti		1, 6, 1, 0xfb
#define GN_SITE_save_flags	2, 6, 2, 0x9c, 0x58
#define GN_SITE_restore_flags	3, 6, 2, 0x57, 0x9d
#define GN_SITE_iret		4, 6, 2, 0x48, 0xcf
#define GN_SITE_sysret		5, 6, 3, 0x48, 0x0f, 0x07
#define GN_SITE_sti_hlt		6, 6, 2, 0xfb, 0xf4
#define GN_SITE_read_cr2	7, 7, 3, 0x0f, 0x20, 0xd0
#define GN_SITE_write_cr3	8, 6, 3, 0x0f, 0x22, 0xdf
#define GN_SITE_invlpg		9, 6, 3, 0x0f, 0x01, 0x3f
#define GN_SITE_write_fs_base	10, 20, 16, 0xb9, 0x00, 0x01, 0x00, 0xc0, 0x89, 0xf8, \
				0x48, 0x89, 0xfa, 0x48, 0xc1, 0xea, 0x20, 0x0f, 0x30
#define GN_SITE_write_gs_base	11, 20, 16, 0xb9, 0x01, 0x01, 0x00, 0xc0, 0x89, 0xf8, \
				0x48, 0x89, 0xfa, 0x48, 0xc1, 0xea, 0x20, 0x0f, 0x30
#define GN_SITE_wbinvd		12, 6, 2, 0x0f, 0x09
#define GN_SITE_hlt		13, 8, 1, 0xf4
#define GN_SITE_clts		14, 8, 2, 0x0f, 0x06
#define GN_SITE_swapgs		15, 8, 3, 0x0f, 0x01, 0xf8
#define GN_SITE_read_cr0	16, 8, 3, 0x0f, 0x20, 0xc0
#define GN_SITE_write_cr0	17, 8, 3, 0x0f, 0x22, 0xc7
#define GN_SITE_read_cr3	18, 8, 3, 0x0f, 0x20, 0xd8
#define GN_SITE_read_cr4	19, 8, 3, 0x0f, 0x20, 0xe0
#define GN_SITE_write_cr4	20, 8, 3, 0x0f, 0x22, 0xe7
#define GN_SITE_rdmsr		21, 8, 2, 0x0f, 0x32
#define GN_SITE_wrmsr		22, 8, 2, 0x0f, 0x30
#define GN_SITE_cpuid		23, 8, 2, 0x0f, 0xa2
#define GN_SITE_rdtsc		24, 8, 2, 0x0f, 0x31
#define GN_SITE_pte_set		25, 6, 3, 0x48, 0x89, 0x37
#define GN_SITE_pte_swap	26, 6, 6, 0x48, 0x89, 0xf0, 0x48, 0x87, 0x07
#define GN_SITE_pte_test_and_set_bit \
				27, 10, 10, 0x31, 0xc0, 0xf0, 0x48, 0x0f, 0xab, 0x37, \
				0x0f, 0x92, 0xc0
#define GN_SITE_pte_test_and_clear_bit \
				28, 10, 10, 0x31, 0xc0, 0xf0, 0x48, 0x0f, 0xb3, 0x37, \
				0x0f, 0x92, 0xc0
#define GN_SITE_pte_deactivate	29, 6, 5, 0x31, 0xc0, 0x48, 0x87, 0x07
#define GN_SITE_COUNT		30

/* S(name, "the native instruction", "registers that are lost on either machine"), by number.
 * "flags" are the arithmetic ones. */
#define GN_SITES(S) \
	S(cli, "CLI", "") \
	S(sti, "STI", "flags") \
	S(save_flags, "PUSHFQ; POP RAX", "flags; of RAX bit 9 alone counts") \
	S(restore_flags, "PUSH RDI; POPFQ", "flags; of RDI bit 9 alone counts") \
	S(iret, "IRETQ", "") \
	S(sysret, "SYSRETQ", "") \
	S(sti_hlt, "STI; HLT", "RAX RCX R11 flags") \
	S(read_cr2, "MOV RAX, CR2", "flags") \
	S(write_cr3, "MOV CR3, RDI", "RAX RCX R11 flags") \
	S(invlpg, "INVLPG [RDI]", "RAX RCX R11 flags") \
	S(write_fs_base, "WRMSR: FS base = RDI", "RAX RCX RDX RSI RDI R11 flags") \
	S(write_gs_base, "WRMSR: GS base = RDI", "RAX RCX RDX RSI RDI R11 flags") \
	S(wbinvd, "WBINVD", "flags") \
	S(hlt, "HLT", "RAX RCX R11 flags") \
	S(clts, "CLTS", "RAX RCX R11 flags") \
	S(swapgs, "SWAPGS", "flags") \
	S(read_cr0, "MOV RAX, CR0", "flags") \
	S(write_cr0, "MOV CR0, RDI", "RAX RCX R11 flags") \
	S(read_cr3, "MOV RAX, CR3", "flags") \
	S(read_cr4, "MOV RAX, CR4", "flags") \
	S(write_cr4, "MOV CR4, RDI", "RAX RCX R11 flags") \
	S(rdmsr, "RDMSR", "flags") \
	S(wrmsr, "WRMSR", "flags") \
	S(cpuid, "CPUID", "flags") \
	S(rdtsc, "RDTSC", "flags") \
	S(pte_set, "MOV [RDI], RSI", "RAX RCX R11 flags") \
	S(pte_swap, "MOV RAX, RSI; XCHG [RDI], RAX", "RCX R11 flags") \
	S(pte_test_and_set_bit, "RAX = LOCK BTS [RDI], RSI", "RCX R11 flags") \
	S(pte_test_and_clear_bit, "RAX = LOCK BTR [RDI], RSI", "RCX R11 flags") \
	S(pte_deactivate, "XOR EAX, EAX; XCHG [RDI], RAX", "RCX R11 flags")
/* clang-format on */

/* What becomes of a site. */
#define GN_RELOCATE_NATIVE 0 /* the instruction stays: it traps and is emulated, or need not trap */
#define GN_RELOCATE_INLINE 1 /* these bytes; a call instead where the vcpu page is out of reach */
#define GN_RELOCATE_CALL   2 /* call target */
#define GN_RELOCATE_JUMP   3 /* jump to target */
#define GN_RELOCATE_NOP    4 /* nothing */

#define GN_RELOCATION_SIZE  32
#define GN_RELOCATION_BYTES 16

/* Fields of a relocation, by offset. */
#define GN_RELOCATION_LENGTH 1
#define GN_RELOCATION_FIELD  2
#define GN_RELOCATION_TARGET 8
#define GN_RELOCATION_INLINE 16

#ifndef __ASSEMBLER__
#include <stdint.h>

/* What the monitor says of one operation; operation `relocation` of the code area finds it. */
struct gn_relocation {
	uint8_t kind;
	uint8_t length; /* of the bytes of an inline form, which are one instruction */
	uint8_t field;	/* where in them a 32-bit displacement from RIP is: it holds an offset */
	uint8_t reserved[5]; /* in the vcpu page, and becomes the distance to there */
	uint64_t target;
	uint8_t bytes[GN_RELOCATION_BYTES];
};

/* One record of a kernel's table of sites. */
struct gn_site {
	int32_t start; /* the site's first byte, relative to this field */
	uint16_t operation;
	uint8_t room;
	uint8_t reserved; /* 0 */
};

_Static_assert(sizeof(struct gn_relocation) == GN_RELOCATION_SIZE, "");
_Static_assert(__builtin_offsetof(struct gn_relocation, field) == GN_RELOCATION_FIELD, "");
_Static_assert(__builtin_offsetof(struct gn_relocation, target) == GN_RELOCATION_TARGET, "");
_Static_assert(__builtin_offsetof(struct gn_relocation, bytes) == GN_RELOCATION_INLINE, "");
_Static_assert(sizeof(struct gn_site) == 8, "");
#endif

#endif
