/* SPDX-License-Identifier: MIT */
/*
 * start.S - the first instruction. RSI is the address of struct gn_start_info, and there is no
 * stack (guest-abi/layout.h). The loader's tables are in force: this image where it is linked, and
 * RAM at its physical address.
 */
	.section .text.start, "ax", @progbits
	.globl	tour_start
tour_start:
	lea	first_stack_end(%rip), %rsp
	xor	%ebp, %ebp
	mov	%rsi, %rdi
	call	tour_main

	.section .bss
	.balign 16
	.skip	16384
first_stack_end:

	.section .note.GNU-stack, "", @progbits
