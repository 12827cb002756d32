/* SPDX-License-Identifier: MIT */
/*
 * speculation-entry.S - what the plan asks for when a guest has just left: called by the switcher
 * under the monitor's CR3 and stack. The guest's registers are saved, so RAX, RCX and RDX are free.
 */
#include "arch/x86/cpu/speculation.h"

#define MSR_PRED_CMD  0x49
#define PRED_CMD_IBPB 1
#define RSB_ENTRIES   32	/* at least as many as any CPU has */
#define BHB_OUTER     12
#define BHB_INNER     7

	.section .text.speculation_enter_monitor, "ax"
	.balign 64
	.globl	speculation_enter_monitor
	.type	speculation_enter_monitor, @function
speculation_enter_monitor:
	testl	$SPECULATION_IBPB, speculation_plan(%rip)
	jz	1f
	movl	$MSR_PRED_CMD, %ecx
	movl	$PRED_CMD_IBPB, %eax
	xorl	%edx, %edx
	wrmsr
1:	testl	$SPECULATION_BHB_CLEAR, speculation_plan(%rip)
	jz	2f
	call	clear_branch_history
	/* As many calls as the return stack has entries. No speculation leaves the loop behind
	 * each. */
2:	movl	$RSB_ENTRIES, %ecx
3:	call	5f
4:	pause
	lfence
	jmp	4b
5:	decl	%ecx
	jnz	3b
	addq	$RSB_ENTRIES * 8, %rsp
	lfence
	ret
	.size	speculation_enter_monitor, . - speculation_enter_monitor

/*
 * Enough taken branches of our own to push all of the guest's out of the history: as many as
 * Intel's "Branch History Injection" asks for where the history is longest, on Alder Lake and
 * later. Their BHI_DIS_S would not do, as it parts ring 3 from the others, and the guest's kernel
 * is in ring 1.
 */
clear_branch_history:
	movl	$BHB_OUTER, %ecx
	call	6f
	lfence
	ret
	.balign 64
6:	call	7f
	ret
	.balign 64
7:	movl	$BHB_INNER, %eax
8:	jmp	9f
	nop
9:	decl	%eax
	jnz	8b
	decl	%ecx
	jnz	6b
	ret

	.section .note.GNU-stack, "", @progbits
