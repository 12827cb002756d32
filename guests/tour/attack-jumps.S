/* SPDX-License-Identifier: MIT */
/* attack-jumps.S - see attacks.h: ways to go where ring 1 must not. */
#define ATTACK_STACK_SIZE 1024

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

/*
 * RDI = address. Whatever the code there uses is zero: registers, and a stack of its own, in whose
 * middle it begins. So it cannot harm this kernel by accident, which is not the question.
 */
	.globl	attack_jump
attack_jump:
	mov	%rdi, %rdx
	lea	attack_stack(%rip), %rdi
	mov	$ATTACK_STACK_SIZE / 8, %ecx
	xor	%eax, %eax
	cld
	rep stosq
	lea	attack_stack + ATTACK_STACK_SIZE / 2(%rip), %rsp
	push	%rdx
	xor	%ebx, %ebx
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
	ret

	.section .bss
	.balign 16
attack_stack:
	.skip	ATTACK_STACK_SIZE

	.section .note.GNU-stack, "", @progbits
