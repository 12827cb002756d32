/* SPDX-License-Identifier: MIT */
/*
 * entry.S - into a state and out of it again.
 *
 * enter_state(s) loads every register from *s by one IRETQ: the bare CPU's own, or the code area's
 * slot. The next exception, interrupt or SYSCALL saves every register into *s and returns from
 * enter_state. Only one state is entered at a time, on one CPU, so the way back lies in two words
 * of memory. When none is entered, the library or the test itself has faulted: unexpected() says
 * so.
 */
#include "tests/guest/lib/layout.h"
#include "guest-abi/hypercalls.h"
#include "guest-abi/layout.h"

/* The vectors that push an error code, as bits (SDM 3A table 6-1). */
#define ERROR_CODES 0x60227d00

	.text
	.globl enter_state
enter_state:
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	mov	%rsp, way_back(%rip)
	mov	%rdi, entered(%rip)
	pushq	STATE_SS(%rdi)
	pushq	STATE_RSP(%rdi)
	pushq	STATE_RFLAGS(%rdi)
	pushq	STATE_CS(%rdi)
	pushq	STATE_RIP(%rdi)
	mov	STATE_RAX(%rdi), %rax
	mov	STATE_RBX(%rdi), %rbx
	mov	STATE_RCX(%rdi), %rcx
	mov	STATE_RDX(%rdi), %rdx
	mov	STATE_RSI(%rdi), %rsi
	mov	STATE_RBP(%rdi), %rbp
	mov	STATE_R8(%rdi), %r8
	mov	STATE_R9(%rdi), %r9
	mov	STATE_R10(%rdi), %r10
	mov	STATE_R11(%rdi), %r11
	mov	STATE_R12(%rdi), %r12
	mov	STATE_R13(%rdi), %r13
	mov	STATE_R14(%rdi), %r14
	mov	STATE_R15(%rdi), %r15
	mov	STATE_RDI(%rdi), %rdi
	jmp	*enter_by(%rip)

	.globl enter_by_iretq
enter_by_iretq:
	iretq

/* As SYSRET would: RCX and R11 carry RIP and RFLAGS. */
	.globl enter_by_sysretq
enter_by_sysretq:
	mov	24(%rsp), %rsp
	sysretq

	.globl enter_by_sysret_slot
enter_by_sysret_slot:
	mov	24(%rsp), %rsp
	jmp	*sysret_slot(%rip)

/* Save what both ways out save; RAX is in *s already, and RDI is s. */
.macro save_state
	mov	%rbx, STATE_RBX(%rdi)
	mov	%rcx, STATE_RCX(%rdi)
	mov	%rdx, STATE_RDX(%rdi)
	mov	%rsi, STATE_RSI(%rdi)
	mov	%rbp, STATE_RBP(%rdi)
	mov	%r8, STATE_R8(%rdi)
	mov	%r9, STATE_R9(%rdi)
	mov	%r10, STATE_R10(%rdi)
	mov	%r11, STATE_R11(%rdi)
	mov	%r12, STATE_R12(%rdi)
	mov	%r13, STATE_R13(%rdi)
	mov	%r14, STATE_R14(%rdi)
	mov	%r15, STATE_R15(%rdi)
.endm

/* Low to high: +0 vector  +8 error code  +16 RIP  +24 CS  +32 RFLAGS  +40 RSP  +48 SS. */
exception:
	push	%rdi
	mov	entered(%rip), %rdi
	test	%rdi, %rdi
	jz	no_state
	mov	%rax, STATE_RAX(%rdi)
	save_state
	popq	STATE_RDI(%rdi)
	popq	STATE_VECTOR(%rdi)
	popq	STATE_ERROR(%rdi)
	popq	STATE_RIP(%rdi)
	popq	STATE_CS(%rdi)
	popq	STATE_RFLAGS(%rdi)
	popq	STATE_RSP(%rdi)
	popq	STATE_SS(%rdi)
back:
	movq	$0, entered(%rip)
	mov	way_back(%rip), %rsp
	pushq	$2
	popfq
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	ret

no_state:
	lea	8(%rsp), %rdi
	cld
	and	$~15, %rsp
	call	unexpected

/* SYSCALL: RSP is the user's, and there is no frame. */
	.globl syscall_entry
syscall_entry:
	mov	%rsp, syscall_rsp(%rip)
	mov	%rdi, syscall_rdi(%rip)
	mov	entered(%rip), %rdi
	mov	%rax, STATE_RAX(%rdi)
	save_state
	mov	%rcx, STATE_RIP(%rdi)
	mov	%r11, STATE_RFLAGS(%rdi)
	mov	syscall_rsp(%rip), %rax
	mov	%rax, STATE_RSP(%rdi)
	mov	syscall_rdi(%rip), %rax
	mov	%rax, STATE_RDI(%rdi)
	movq	$TAKEN_SYSCALL, STATE_VECTOR(%rdi)
	movq	$0, STATE_ERROR(%rdi)
	jmp	back

/* long hypercall(number, a1 ... a5): by its slot, as the ABI asks: RDI RSI RDX R10 R8. */
	.globl hypercall
hypercall:
	mov	%rdi, %rax
	mov	%rsi, %rdi
	mov	%rdx, %rsi
	mov	%rcx, %rdx
	mov	%r8, %r10
	mov	%r9, %r8
	shl	$5, %rax	/* GN_SLOT_SIZE */
	add	code_area(%rip), %rax
	jmp	*%rax

/* One stub a vector, 16 bytes each; those without an error code push 0 in its place. */
	.balign 16
	.globl exception_stubs
exception_stubs:
	.set	vector, 0
	.rept	256
	.balign 16
	.if vector >= 32 || !(ERROR_CODES >> (vector % 32) & 1)
	pushq	$0
	.endif
	pushq	$vector
	jmp	exception
	.set	vector, vector + 1
	.endr

	.data
	.balign 8
	.globl enter_by
enter_by:	.quad enter_by_iretq
	.globl entered
entered:	.quad 0
way_back:	.quad 0
syscall_rsp:	.quad 0
syscall_rdi:	.quad 0

	.section .note.GNU-stack, "", @progbits
