/* SPDX-License-Identifier: MIT */
/*
 * entry.S - every way into the kernel and out of it again.
 *
 *   (i)   exceptions and events	by a gate, as on hardware
 *   (ii)  system calls			by SYSCALL, as on hardware
 *   (iii) context_switch		from one process's kernel stack to another's
 *   (iv)  attempt			run something that is expected to fail
 *
 * What differs from a kernel at CPL 0 is two instructions: IRETQ and SYSRETQ are jumps to the code
 * area, because they also turn events on again, and no processor would let ring 1 do that.
 */
#include "guest-abi/kit/asm.h"
#include "guests/tour/trap.h"

	.text

/* struct frame (trap.h) is complete when these are on the stack. */
.macro push_registers
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

.macro pop_registers
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%r11
	pop	%r10
	pop	%r9
	pop	%r8
	pop	%rbp
	pop	%rdi
	pop	%rsi
	pop	%rdx
	pop	%rcx
	pop	%rbx
	pop	%rax
.endm

/* ---- (i) a stub of 16 bytes for each vector -------------------------------------------------- */

/*
 * The frame that arrives, low to high, is the processor's own; an error code only for some vectors:
 *	(error code)  RIP  CS  RFLAGS  RSP  SS
 */
	.balign 16
	.globl	trap_stubs
trap_stubs:
	.set	vector, 0
	.rept	TRAP_VECTORS
	.balign 16
	.if !((TRAP_HAS_ERROR >> vector) & 1)
	pushq	$0
	.endif
	pushq	$vector
	jmp	trap
	.set	vector, vector + 1
	.endr

trap:
	push_registers
	cld
	mov	%rsp, %rdi
	call	trap_handle
	.globl	trap_return
trap_return:
	pop_registers
	add	$16, %rsp	/* vector and error code */
	gn_jump	iret

/* ---- (ii) ------------------------------------------------------------------------------------ */

/*
 * RCX = the user's RIP, R11 = its RFLAGS, RSP still its own, vif 0: no event comes before there is
 * a stack. One CPU, so two words of memory do what SWAPGS is for elsewhere.
 */
	.globl	system_call_entry
system_call_entry:
	mov	%rsp, user_rsp(%rip)
	mov	kernel_stack(%rip), %rsp
	pushq	$GN_USER_SS
	pushq	user_rsp(%rip)
	push	%r11
	pushq	$GN_USER_CS
	push	%rcx
	pushq	$0
	pushq	$TRAP_SYSTEM_CALL
	push_registers
	mov	%rsp, %rdi
	call	system_call_handle
	pop_registers
	mov	16(%rsp), %rcx
	mov	32(%rsp), %r11
	mov	40(%rsp), %rsp
	gn_jump	sysret

/* ---- (iii) ----------------------------------------------------------------------------------- */

/* void context_switch(uint64_t *save_rsp, uint64_t rsp): returns when somebody switches back. */
	.globl	context_switch
context_switch:
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	mov	%rsp, (%rdi)
	mov	%rsi, %rsp
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	ret

/* ---- (iv) ------------------------------------------------------------------------------------ */

/*
 * int attempt(void (*act)(uint64_t), uint64_t argument): ATTEMPT_DONE if act returns, else the
 * vector of the exception that stopped it. While attempt_rsp is not 0, trap_handle() sends every
 * exception to attempt_stopped with the vector in RAX.
 */
	.globl	attempt, attempt_stopped
attempt:
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	mov	%rsp, attempt_rsp(%rip)
	mov	%rdi, %rax
	mov	%rsi, %rdi
	sub	$8, %rsp	/* aligned to 16 at the call */
	call	*%rax
	mov	$ATTEMPT_DONE, %eax
attempt_stopped:
	mov	attempt_rsp(%rip), %rsp
	movq	$0, attempt_rsp(%rip)
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	ret

	.section .bss
	.balign 8
user_rsp:
	.skip	8
	.globl	kernel_stack
kernel_stack:		/* the end of the current process's kernel stack */
	.skip	8
	.globl	attempt_rsp
attempt_rsp:
	.skip	8

	.section .note.GNU-stack, "", @progbits
