/* SPDX-License-Identifier: MIT */
/* traps-entry.S - 48 stubs of 16 bytes that push struct gn_frame (traps.h), and the way back. */
#include "guest-abi/kit/site.h"

#define ERROR_CODES 0x60227d00 /* the vectors that push one, as bits: SDM 3A table 6-1 */

	.text
	.balign 16
	.globl gn_trap_stubs
gn_trap_stubs:
	.set	vector, 0
	.rept	48
	.balign 16
	.if vector >= 32 || !(ERROR_CODES >> (vector % 32) & 1)
	pushq	$0
	.endif
	pushq	$vector
	jmp	arrive
	.set	vector, vector + 1
	.endr

arrive:
	.irp	register, rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15
	push	%\register
	.endr
	cld
	mov	%rsp, %rdi
	call	gn_trap
	.irp	register, r15, r14, r13, r12, r11, r10, r9, r8, rbp, rdi, rsi, rdx, rcx, rbx, rax
	pop	%\register
	.endr
	add	$16, %rsp /* vector, error code */
	GN_SITE(iret)

	.section .note.GNU-stack, "", @progbits
