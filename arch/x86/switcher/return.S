/* SPDX-License-Identifier: MIT */
/*
 * return.S - the monitor's side of the switcher's jumps: not mapped in guests, CR3 is the
 * monitor's, RSP is the monitor's stack.
 */
#include "arch/x86/switcher/area.h"

	.section .text.switcher_exit, "ax", @progbits

/* Mitigations on: nothing of the monitor may predict by what the guest trained, RET least of all.
 * */
	.balign 16
	.globl switcher_exit_mitigated
switcher_exit_mitigated:
	call	speculation_enter_monitor
	.globl switcher_exit
switcher_exit:
	pop	%rbp
	ret

.macro push_all
	push	%rax
	push	%rbx
	push	%rcx
	push	%rdx
	push	%rsi
	push	%rdi
	push	%rbp
	push	%r8
	push	%r9
	push	%r10
	push	%r11
	push	%r12
	push	%r13
	push	%r14
	push	%r15
.endm

/* An exception in the monitor: struct cpu_frame is on the stack when all registers are. */
	.balign 16
	.globl switcher_monitor_exception
switcher_monitor_exception:
	push_all
	mov	%rsp, %rdi
	cld
	call	cpu_exception_panic

/* An interrupt while the monitor idles. The stack holds vector, 0, RIP, CS, RFLAGS, RSP, SS. */
	.balign 16
	.globl switcher_monitor_interrupt
switcher_monitor_interrupt:
	push	%rax
	push	%rcx
	push	%rdx
	push	%rsi
	push	%rdi
	push	%r8
	push	%r9
	push	%r10
	push	%r11
	mov	72(%rsp), %rdi
	cld
	call	cpu_idle_interrupt
	pop	%r11
	pop	%r10
	pop	%r9
	pop	%r8
	pop	%rdi
	pop	%rsi
	pop	%rdx
	pop	%rcx
	pop	%rax
	lea	16(%rsp), %rsp
	iretq

	.section .note.GNU-stack, "", @progbits
