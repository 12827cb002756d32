/* SPDX-License-Identifier: MIT */
/* entry.S - system calls, and from task to task. Two instructions are sensitive: IRET, SYSRET. */
#include "guest-abi/kit/site.h"

	.text
/* A task's first way to its user: switch_stacks returns to here, with the frame at RSP. */
	.globl begin_user
begin_user:
	pop	%rdi
	GN_SITE(iret)

/* SYSCALL: RCX = RIP, R11 = RFLAGS, RSP the user's, no interrupt comes. */
	.globl system_call_entry
system_call_entry:
	mov	%rsp, user_stack(%rip)
	mov	system_call_stack(%rip), %rsp
	pushq	user_stack(%rip)
	push	%rcx
	push	%r11
	mov	%rax, %rsi
	push	%rax /* keeps the stack at a multiple of 16 */
	call	system_call
	pop	%rdx
	pop	%r11
	pop	%rcx
	.irp	register, esi, edi, r8d, r9d, r10d
	xor	%\register, %\register
	.endr
	pop	%rsp
	GN_SITE(sysret)

/* switch_stacks(save, load): another task's registers and stack; returns where that one left. */
	.globl switch_stacks
switch_stacks:
	.irp	register, rbx, rbp, r12, r13, r14, r15
	push	%\register
	.endr
	mov	%rsp, (%rdi)
	mov	%rsi, %rsp
	.irp	register, r15, r14, r13, r12, rbp, rbx
	pop	%\register
	.endr
	ret

	.data
	.balign 8
	.globl system_call_stack
system_call_stack: .quad 0
user_stack:	   .quad 0

	.section .note.GNU-stack, "", @progbits
