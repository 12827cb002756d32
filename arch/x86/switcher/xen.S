/* SPDX-License-Identifier: MIT */
/*
 * xen.S - SYSCALL of guests that expect Xen's frames: the users' system calls, and the way back
 * from them, without the monitor and without a write of CR3. It runs under the guest's CR3 and
 * keeps the rules of entry.S, which to read first.
 *
 * Ring 1 asks for what it wants in RAX. The three calls that each system call or each change of
 * process makes are answered here where nothing is unusual; all others, and what is unusual about
 * these, are the monitor's, which then sees the call as if nothing had been tried.
 *
 * What a guest says is read once, into registers and the entry stack, and judged there. An address
 * that faults is nothing to us: ring0 of entry.S leads such a fault to iret_unusual.
 */
#include "arch/x86/switcher/area.h"
#include "arch/x86/switcher/asm-offsets.h"
#include "guest-abi/layout.h"
#include "guest-abi/xen.h"

#define RFLAGS_IF_BYTE 2 /* RFLAGS.IF, in the second byte of RFLAGS */
#define USER_BITS      47

	.section .switcher.text, "ax", @progbits

/*
 * RCX = return RIP, R11 = RFLAGS, RSP the guest's. The upper half belongs to ring 1: the shadows
 * let no user there. So the sign of RIP says whose SYSCALL this is.
 */
	.balign 16
	.globl switcher_syscall_xen
switcher_syscall_xen:
	mov	%rsp, SCRATCH(SCRATCH_RSP)
	lea	AREA(AREA_STACK + AREA_STACK_ENTRY), %rsp
	test	%rcx, %rcx
	js	xen_call
	/* The user's: the stub takes its kernel's stack and pushes the frame, in ring 1. */
	pushq	$GN_KERNEL_SS
	pushq	SCRATCH(SCRATCH_RSP)
	pushq	$RFLAGS_IN_STUB
	pushq	$GN_KERNEL_CS
	pushq	CONSTANT(CONST_SYSCALL_ENTRY)
	swapgs
	iretq

xen_call:
	cmp	$XEN_CALL_IRET, %rax
	je	xen_iret
	cmp	$XEN_CALL_SET_SEGMENT_BASE, %rax
	je	xen_set_segment_base
	cmp	$XEN_CALL_STACK_SWITCH, %rax
	je	xen_stack_switch
	push	%rax
	jmp	switcher_hypercall

/*
 * The guest returns to its user by the frame at its RSP. RAX = 0 for anybody else's address that
 * only a wrong prediction brings here. The words wait on the entry stack as IRETQ wants them:
 *	+0 RIP  +8 CS  +16 RFLAGS  +24 RSP  +32 SS  +40 RCX  +48 R11, of the call
 */
xen_iret:
	push	%r11
	push	%rcx
	mov	%rcx, %rax
	sar	$63, %rax
	and	SCRATCH(SCRATCH_RSP), %rax
	cmp	CONSTANT(CONST_KERNEL_FIRST), %rax
	jb	iret_unusual
	.globl switcher_loads, switcher_loads_end, switcher_load_fault
switcher_loads:
	pushq	XEN_IRET_SS(%rax)
	pushq	XEN_IRET_RSP(%rax)
	pushq	XEN_IRET_RFLAGS(%rax)
	pushq	XEN_IRET_CS(%rax)
	pushq	XEN_IRET_RIP(%rax)
	mov	(%rsp), %rcx
	cmp	CONSTANT(CONST_IRET_LIMIT), %rcx
	jae	iret_unusual
	cmpq	$GN_USER_CS, 8(%rsp)
	jne	iret_unusual
	cmpq	$GN_USER_SS, 32(%rsp)
	jne	iret_unusual
	testb	$RFLAGS_IF_BYTE, 17(%rsp)
	jz	iret_unusual
	andq	$AREA_RFLAGS_USER, 16(%rsp)
	mov	CONSTANT(CONST_INFO), %r11
	cmpb	$0, AREA_INFO_PENDING(%r11)
	jne	iret_unusual
	movb	$0, AREA_INFO_MASK(%r11)
	mov	XEN_IRET_R11(%rax), %r11
	mov	XEN_IRET_RCX(%rax), %rcx
	mov	XEN_IRET_RAX(%rax), %rax
switcher_loads_end:
	swapgs
	iretq

/* Back to what the call came with, for the monitor. */
switcher_load_fault:
iret_unusual:
	lea	AREA(AREA_STACK + AREA_STACK_ENTRY - 16), %rsp
	pop	%rcx
	pop	%r11
	pushq	$XEN_CALL_IRET
	jmp	switcher_hypercall

/* Return to ring 1 behind its call; R11 and RCX are lost there, as SYSCALL's are. */
.macro frame_of_caller
	pushq	$GN_KERNEL_SS
	pushq	SCRATCH(SCRATCH_RSP)
	push	%r11
	pushq	$GN_KERNEL_CS
	push	%rcx
.endm

/* (which, base): FS and the user's GS, to where a user may be. */
xen_set_segment_base:
	cmp	$XEN_SEGBASE_GS_USER, %rdi
	ja	call_unusual
	mov	%rsi, %rax
	shr	$USER_BITS, %rax
	mov	$XEN_CALL_SET_SEGMENT_BASE, %eax
	jnz	call_unusual
	frame_of_caller
	mov	%rdx, %r11
	lea	(%rdi, %rdi), %ecx
	add	$AREA_MSR_FS_BASE, %ecx
	mov	%rsi, %rdx
	shr	$32, %rdx
	mov	%esi, %eax
	wrmsr
	mov	%r11, %rdx
	xor	%eax, %eax
	iretq

call_unusual:
	push	%rax
	jmp	switcher_hypercall

/* (segment, RSP): where frames of users go. Ring 1 pushes them, so it need not be good for that. */
xen_stack_switch:
	cmp	CONSTANT(CONST_KERNEL_FIRST), %rsi
	jb	call_unusual
	frame_of_caller
	mov	%rsi, %rax
	and	$-16, %rax
	movabs	%rax, GN_VCPU_PAGE + GN_VP_KERNEL_STACK
	xor	%eax, %eax
	iretq

	.section .note.GNU-stack, "", @progbits
