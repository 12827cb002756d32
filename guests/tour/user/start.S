/* SPDX-License-Identifier: MIT */
/*
 * start.S - the image's first byte. The kernel enters here with RSP at the end of the stack, the
 * program in RDI, its argument in RSI. What the program returns is its exit status.
 */
	.section .text.start, "ax", @progbits
	.globl	user_start
user_start:
	xor	%ebp, %ebp
	call	user_main
	mov	%rax, %rdi
	xor	%eax, %eax	/* SYSTEM_EXIT */
	syscall

	.section .note.GNU-stack, "", @progbits
