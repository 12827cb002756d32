/* SPDX-License-Identifier: MIT */
/* attack-jumps.S - see attacks.h: ways to go where ring 1 must not. */
	.text

/* RDI = frame, RSI = target */
	.globl	attack_iret
attack_iret:
	pushq	32(%rdi)
	pushq	24(%rdi)
	pushq	16(%rdi)
	pushq	8(%rdi)
	pushq	0(%rdi)
	jmp	*%rsi

	.globl	attack_iretq
attack_iretq:
	iretq

/* RDI = address */
	.globl	attack_jump
attack_jump:
	push	%rdi
	mov	$-1, %rax
	xor	%ebx, %ebx
	xor	%ecx, %ecx
	xor	%edx, %edx
	xor	%esi, %esi
	xor	%edi, %edi
	xor	%ebp, %ebp
	xor	%r8d, %r8d
	xor	%r9d, %r9d
	xor	%r10d, %r10d
	xor	%r11d, %r11d
	xor	%r12d, %r12d
	xor	%r13d, %r13d
	xor	%r14d, %r14d
	xor	%r15d, %r15d
	call	*(%rsp)
	pop	%rdi
	ret

	.section .note.GNU-stack, "", @progbits
