/* SPDX-License-Identifier: MIT */
/*
 * area.h - one CPU's switcher area, PML4 slot 271: all of us that a guest's address space maps.
 *
 *	page 0   constants, and the TSS at AREA_TSS_OFFSET	read-only
 *	page 1   GDT						read-only
 *	page 2   IDT						read-only, shared by all CPUs
 *	page 3   entry stack and the IST stacks			read-write, no execute
 *	page 16  text (entry.S, xen.S)			read-only, executable, shared
 *
 * Every page is supervisor, so ring 1 can read all of it, and write the entry stack: nothing here
 * is a secret, and ring 0 trusts no word of page 3 that it, or the CPU, did not write since the
 * last entry (the guest does not run in between, and no other CPU's root maps this CPU's page 3).
 * The monitor changes pages 0 and 1 through the direct map, at another linear address.
 */
#ifndef ARCH_X86_SWITCHER_AREA_H
#define ARCH_X86_SWITCHER_AREA_H

#define AREA_BASE	0xffff878000000000
#define AREA_END	0xffff880000000000 /* of our slots */
#define AREA_CONSTANTS	AREA_BASE
#define AREA_TSS_OFFSET 0x800
#define AREA_GDT	(AREA_BASE + 0x1000)
#define AREA_IDT	(AREA_BASE + 0x2000)
#define AREA_STACK	(AREA_BASE + 0x3000)
#define AREA_TEXT	(AREA_BASE + 0x10000)

/*
 * IRETQ to a 16-bit stack loads SP only: what is above it in RSP stays, and the user can see bits
 * 16 to 31 (SDM 2A, IRET). So the entry stack's page is mapped once in each 64 KiB of 4 GiB more,
 * and such a return is made from the place whose bits 16 to 31 are the user's own.
 */
#define AREA_ALIASES	  (AREA_BASE + (4ul << 30))
#define AREA_ALIASES_SIZE (4ul << 30)
#define AREA_ALIAS_PAGES  16 /* from one to the next */

#define AREA_PAGE_CONSTANTS 0
#define AREA_PAGE_GDT	    1
#define AREA_PAGE_IDT	    2
#define AREA_PAGE_STACK	    3
#define AREA_PAGE_TEXT	    16

/* Within the stack page: where each stack begins (they grow down), with 512 bytes or more each. */
#define AREA_STACK_MC	 0x400
#define AREA_STACK_DF	 0x600
#define AREA_STACK_DB	 0x800
#define AREA_STACK_NMI	 0xc00
#define AREA_STACK_ENTRY 0x1000

/* The IST index of each of them. */
#define AREA_IST_NMI 1
#define AREA_IST_DB  2
#define AREA_IST_DF  3
#define AREA_IST_MC  4

/* The monitor's selectors, at the end of the GDT behind the guest's (guest-abi/layout.h). */
#define AREA_MONITOR_CS 0xf80
#define AREA_MONITOR_SS 0xf88
#define AREA_TSS_SEL	0xfa0
#define AREA_LDT_SEL	0xfb0

/* What SYSCALL clears at least (R11): TF IF DF IOPL NT RF AC. */
#define AREA_FMASK 0x57700

/* Exit reasons past the 256 vectors. */
#define EXIT_HYPERCALL	    256 /* SYSCALL from the code area */
#define EXIT_COMPAT_SYSCALL 257 /* SYSCALL from 32-bit code */
#define EXIT_RETURN_FAULT   258 /* the IRETQ that enters the guest faulted: nothing of it has run */

/* Stubs: one for each vector, 4 bytes, those of exceptions apart; behind each group of the others
 * stands a jump. */
#define AREA_STUB_SIZE	4
#define AREA_STUB_GROUP 32
#define AREA_STUB_JUMP	8
#define AREA_EXCEPTIONS 32

/* What xen.S lets a guest's user have of the RFLAGS that its kernel says: RFLAGS_GUEST and IF. */
#define AREA_RFLAGS_USER 0x250fd5

/* The two bytes of a Xen guest's vcpu_info that it uses: behind area_constants.info. */
#define AREA_INFO_PENDING 0
#define AREA_INFO_MASK	  1

#define AREA_MSR_FS_BASE 0xc0000100 /* that of the GS that SWAPGS brings is two further */

/* area_constants.mitigations, chosen at boot: clean the predictors on each exit; clear the CPU's
 * buffers on each entry. */
#define AREA_MITIGATE_EXIT  1
#define AREA_MITIGATE_ENTRY 2

#ifdef __ASSEMBLER__
/* The area's pages are a fixed distance from the text, so RIP-relative. */
#define AREA(address)	 (switcher_text + (address) - AREA_TEXT)(%rip)
#define CONSTANT(offset) AREA(AREA_CONSTANTS + (offset))
#define SCRATCH(offset)	 AREA(AREA_STACK + (offset))

#define RFLAGS_IN_STUB 0x202 /* IF, and the bit that is always 1 */
#else
#include "lib/compiler.h"
#include "lib/types.h"

/*
 * A guest's registers between an exit and the next entry. Those that the monitor asks for most
 * stand first: rax and what follows it, as the exit pops them from the entry stack. A hypercall's
 * arguments stand in their order.
 */
struct guest_regs {
	u64 rax;
	u64 vector; /* the exit reason: a vector or EXIT_ */
	u64 error;  /* error code of a vector that has one, else 0; not of EXIT_HYPERCALL */
	u64 rip, cs, rflags, rsp, ss;
	u64 rdi, rsi, rdx, r10, r8; /* arguments */
	u64 r9, rbx, rcx, rbp, r11, r12, r13, r14, r15;
	u64 monitor_stack; /* the monitor's RSP while the guest runs */
	u64 entry_stack;   /* where it is entered from: the entry stack, perhaps by an alias */
};

/* Page 0. Written by the monitor between runs, through the direct map. */
struct area_constants {
	u64 this_cpu;	   /* struct cpu *, for NMI and exceptions */
	u64 monitor_cr3;   /* this CPU's */
	u64 guest_cr3;	   /* of the vCPU that runs next */
	u64 regs;	   /* struct guest_regs * of that vCPU */
	u64 syscall_entry; /* where SYSCALL of its ring 3 arrives: is_guest_address() */
	u64 syscall_keep;  /* RFLAGS bits that survive it; IF among them */
	u64 syscall_vif;   /* vif after it */
	u64 code_area;	   /* GN_CODE_AREA: a SYSCALL there is ring 1's */
	/* For Xen's frames: stacks of ring 1 lie from here on; ring 3 returns below this (0: by the
	 * monitor alone); the guest's vcpu_info in the window. */
	u64 kernel_first, iret_limit, info;
	u64 nmi_stack;	   /* unique address */
	u64 mitigations;   /* AREA_MITIGATE_ */
	u64 verw_selector; /* a writable data segment, for VERW */
};

/* The first bytes of page 3. */
struct area_scratch {
	u64 rsp;  /* SYSCALL parks the guest's RSP here */
	u8 debug; /* a #DB came at CPL 0 in the switcher; delivered at the next boundary */
	u8 unused[7];
};

/* The 64-bit TSS, SDM 3A 8.7. */
struct area_tss {
	u32 reserved0;
	u64 rsp[3];
	u64 reserved1;
	u64 ist[7];
	u64 reserved2;
	u16 reserved3, iomap_base;
} __packed;

/* Entry points in the text, for the IDT and the MSRs. */
extern const u8 switcher_exceptions[], switcher_interrupts[], switcher_nmi[], switcher_debug[];
extern const u8 switcher_text[], switcher_text_end[];
extern const u8 switcher_syscall[], switcher_syscall_xen[], switcher_compat_syscall[];
extern const u8 switcher_return_to_guest[];

/*
 * Run the guest whose registers these are (they are also area_constants.regs) until its next exit.
 * All registers but RSP and RBP come back as the guest left them; the compiler saves those that it
 * needs.
 */
static inline void switcher_enter(struct guest_regs *regs)
{
	__asm__ volatile("call switcher_run"
			 : "+D"(regs)
			 :
			 : "rax", "rbx", "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11", "r12",
			   "r13", "r14", "r15", "memory", "cc");
}
#endif

#endif
