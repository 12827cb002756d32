/* SPDX-License-Identifier: MIT */
/*
 * start.S - where a test kernel of Xen's ABI begins, enters its user, and comes back.
 *
 * What Xen's ABI leaves on the stack, low to high: RCX R11 [error] RIP CS RFLAGS RSP SS. A stub
 * adds the vector, taken adds all other registers, and that is struct xen_taken of xen.h.
 */
#include "guest-abi/xen.h"
#include "tests/guest/lib-xen/vectors.h"

#define NOTE_ENTRY	  1
#define NOTE_VIRT_BASE	  3
#define NOTE_PADDR_OFFSET 4

	.section .note.Xen, "a", @note
.macro note type, value
	.long	4, 8, \type
	.asciz	"Xen"
	.quad	\value
.endm
	.balign 4
	note NOTE_ENTRY, start_xen
	note NOTE_VIRT_BASE, 0xffffffff80000000
	note NOTE_PADDR_OFFSET, 0

	.text
	.globl start_xen
start_xen:
	cld
	mov	%rsi, %rdi
	lea	boot_stack_end(%rip), %rsp
	call	xen_main
	ud2

/* (struct xen_state *): all registers from there, then the iret call with RSP = its frame. Returns
 * when anything has been taken. */
	.globl xen_enter
xen_enter:
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	mov	%rsp, kernel_rsp(%rip)
	mov	%rdi, %rsp
	pop	%rbx
	pop	%rdx
	pop	%rsi
	pop	%rbp
	pop	%r8
	pop	%r9
	pop	%r10
	pop	%r12
	pop	%r13
	pop	%r14
	pop	%r15
	pop	%rdi
	mov	$XEN_CALL_IRET, %eax
	syscall
	ud2

/* (RSP): the iret call with no frame there. */
	.globl xen_iret_at
xen_iret_at:
	mov	%rdi, %rsp
	mov	$XEN_CALL_IRET, %eax
	syscall
	ud2

/* The registers below what the stub left, in the order of struct xen_state. */
taken:
	push	%rax
	push	%rdi
	push	%r15
	push	%r14
	push	%r13
	push	%r12
	push	%r10
	push	%r9
	push	%r8
	push	%rbp
	push	%rsi
	push	%rdx
	push	%rbx
	cld
	mov	%rsp, %rsi
	mov	%rsp, xen_stack(%rip)
	lea	xen_words(%rip), %rdi
	mov	$XEN_WORDS, %ecx
	rep movsq
	mov	kernel_rsp(%rip), %rsp
	test	%rsp, %rsp
	jz	xen_unexpected
	movq	$0, kernel_rsp(%rip)
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	ret

/* One stub a vector, then those of the callbacks. */
	.globl xen_stubs
	.balign XEN_STUB_SIZE
xen_stubs:
	.set	vector, 0
	.rept	XEN_VECTORS
	.balign XEN_STUB_SIZE
	pushq	$vector
	jmp	taken
	.set	vector, vector + 1
	.endr

	.bss
	.balign 16
	.globl xen_trap_stack_end
	.skip	8192
xen_trap_stack_end:
	.skip	8192 /* behind it too: a copy reads past a short frame */
boot_stack_end:
	.skip	512
kernel_rsp:
	.skip	8

	.section .note.GNU-stack, "", @progbits
