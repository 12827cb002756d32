// SPDX-License-Identifier: MIT
/*
 * asm-offsets.c - the structure offsets that entry.S uses, from C. Compiled to assembler text only;
 * the build turns each "->NAME value" line into a #define.
 */
#include "arch/x86/switcher/area.h"

#define OFFSET(name, type, member)                                                                 \
	__asm__ volatile("\n.ascii \"->" #name " %c0\"\n" : : "i"(offsetof(type, member)))

void asm_offsets(void);

void asm_offsets(void)
{
	OFFSET(REGS_RDI, struct guest_regs, rdi);
	OFFSET(REGS_RSI, struct guest_regs, rsi);
	OFFSET(REGS_RDX, struct guest_regs, rdx);
	OFFSET(REGS_R10, struct guest_regs, r10);
	OFFSET(REGS_R8, struct guest_regs, r8);
	OFFSET(REGS_R9, struct guest_regs, r9);
	OFFSET(REGS_RBX, struct guest_regs, rbx);
	OFFSET(REGS_RCX, struct guest_regs, rcx);
	OFFSET(REGS_RBP, struct guest_regs, rbp);
	OFFSET(REGS_R11, struct guest_regs, r11);
	OFFSET(REGS_R12, struct guest_regs, r12);
	OFFSET(REGS_R13, struct guest_regs, r13);
	OFFSET(REGS_R14, struct guest_regs, r14);
	OFFSET(REGS_R15, struct guest_regs, r15);
	OFFSET(REGS_RAX, struct guest_regs, rax);
	OFFSET(REGS_VECTOR, struct guest_regs, vector);
	OFFSET(REGS_ERROR, struct guest_regs, error);
	OFFSET(REGS_RIP, struct guest_regs, rip);
	OFFSET(REGS_CS, struct guest_regs, cs);
	OFFSET(REGS_RFLAGS, struct guest_regs, rflags);
	OFFSET(REGS_RSP, struct guest_regs, rsp);
	OFFSET(REGS_SS, struct guest_regs, ss);
	OFFSET(REGS_MONITOR_STACK, struct guest_regs, monitor_stack);
	OFFSET(REGS_ENTRY_STACK, struct guest_regs, entry_stack);
	OFFSET(CONST_MONITOR_CR3, struct area_constants, monitor_cr3);
	OFFSET(CONST_THIS_CPU, struct area_constants, this_cpu);
	OFFSET(CONST_GUEST_CR3, struct area_constants, guest_cr3);
	OFFSET(CONST_REGS, struct area_constants, regs);
	OFFSET(CONST_SYSCALL_ENTRY, struct area_constants, syscall_entry);
	OFFSET(CONST_SYSCALL_KEEP, struct area_constants, syscall_keep);
	OFFSET(CONST_SYSCALL_VIF, struct area_constants, syscall_vif);
	OFFSET(CONST_CODE_AREA, struct area_constants, code_area);
	OFFSET(CONST_KERNEL_FIRST, struct area_constants, kernel_first);
	OFFSET(CONST_IRET_LIMIT, struct area_constants, iret_limit);
	OFFSET(CONST_INFO, struct area_constants, info);
	OFFSET(CONST_NMI_STACK, struct area_constants, nmi_stack);
	OFFSET(CONST_MITIGATIONS, struct area_constants, mitigations);
	OFFSET(CONST_VERW, struct area_constants, verw_selector);
	OFFSET(SCRATCH_RSP, struct area_scratch, rsp);
	OFFSET(SCRATCH_DEBUG, struct area_scratch, debug);
}
