/* SPDX-License-Identifier: MIT */
/*
 * thunks.S - retpolines: how compiled code calls and jumps by register. A RET whose predicted
 * target is the harmless loop replaces the indirect branch, whose prediction a guest in ring 1
 * could have trained (Intel, "Retpoline: A Branch Target Injection Mitigation").
 */
	.macro	thunk register
	.section .text.__x86_indirect_thunk_\register, "ax"
	.balign	16
	.globl	__x86_indirect_thunk_\register
	.type	__x86_indirect_thunk_\register, @function
__x86_indirect_thunk_\register:
	call	2f
1:	pause
	lfence
	jmp	1b
2:	mov	%\register, (%rsp)
	ret
	.size	__x86_indirect_thunk_\register, . - __x86_indirect_thunk_\register
	.endm

	.irp	register, rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15
	thunk	\register
	.endr

	.section .note.GNU-stack, "", @progbits
