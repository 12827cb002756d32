/* SPDX-License-Identifier: MIT */
/*
 * entry.S - the switcher: every way between a guest and the monitor. Mapped in guests; linked at
 * AREA_TEXT and reached at the same address under the guest's CR3 and the monitor's.
 *
 *   (i)   switcher_run	the monitor runs a guest
 *   (ii)  exit			a guest comes back: by a vector, or by a hypercall
 *   (iii) ring 0		an exception at CPL 0
 *   (iv)  SYSCALL		a user's goes to its kernel, not to the monitor; or a hypercall.
 *			Those of Xen guests arrive in xen.S
 *   (v)   NMI, #DB		which may come at any instruction here
 *   (vi)  stubs		one for each vector
 *
 * Rules kept here. Under a guest's CR3 ring 0 stores to the entry stack and the window only. No
 * push before RSP is ours. No RET and no indirect branch: a guest in ring 1 shares the branch
 * predictor of ring 0. IF is 0 throughout: every gate is an interrupt gate, and SYSCALL's mask
 * clears IF.
 */
#include "arch/x86/switcher/area.h"
#include "arch/x86/switcher/asm-offsets.h"
#include "guest-abi/layout.h"

	.section .switcher.text, "ax", @progbits
	.balign 4096
	.globl switcher_text
switcher_text:

/* ---- (i) into the guest ---------------------------------------------------------------------- */

/* tour: into the guest */
/*
 * RDI = struct guest_regs *; called by switcher_enter() of area.h, which has no register of its own
 * left to lose but RBP. The frame for IRETQ, on the entry stack:
 *	+0 RIP  +8 CS  +16 RFLAGS  +24 RSP  +32 SS
 * RAX waits below it until CR3 is the guest's. What the guest may see of this page afterwards is
 * its own registers.
 */
	.globl switcher_run
switcher_run:
	push	%rbp
	mov	%rsp, REGS_MONITOR_STACK(%rdi)
	testb	$AREA_MITIGATE_ENTRY, CONSTANT(CONST_MITIGATIONS)
	jz	1f
	verw	CONSTANT(CONST_VERW)	/* from here on only the guest's own values pass */
1:	mov	REGS_ENTRY_STACK(%rdi), %rsp
	pushq	REGS_SS(%rdi)
	pushq	REGS_RSP(%rdi)
	pushq	REGS_RFLAGS(%rdi)
	pushq	REGS_CS(%rdi)
	pushq	REGS_RIP(%rdi)
	pushq	REGS_RAX(%rdi)
	mov	REGS_RBX(%rdi), %rbx
	mov	REGS_RCX(%rdi), %rcx
	mov	REGS_RDX(%rdi), %rdx
	mov	REGS_RSI(%rdi), %rsi
	mov	REGS_RBP(%rdi), %rbp
	mov	REGS_R8(%rdi), %r8
	mov	REGS_R9(%rdi), %r9
	mov	REGS_R10(%rdi), %r10
	mov	REGS_R11(%rdi), %r11
	mov	REGS_R12(%rdi), %r12
	mov	REGS_R13(%rdi), %r13
	mov	REGS_R14(%rdi), %r14
	mov	REGS_R15(%rdi), %r15
	mov	REGS_RDI(%rdi), %rdi
	mov	CONSTANT(CONST_GUEST_CR3), %rax
	mov	%rax, %cr3
	pop	%rax
	.globl switcher_return_to_guest
switcher_return_to_guest:
	iretq
/* tour ends */

/* ---- (ii) out of the guest ------------------------------------------------------------------- */

/* Store the registers but RAX, which is on the stack; leaves regs in RAX and CR3 the monitor's. */
.macro save_registers
	mov	CONSTANT(CONST_MONITOR_CR3), %rax
	mov	%rax, %cr3
	mov	CONSTANT(CONST_REGS), %rax
	mov	%rdi, REGS_RDI(%rax)
	mov	%rsi, REGS_RSI(%rax)
	mov	%rdx, REGS_RDX(%rax)
	mov	%r10, REGS_R10(%rax)
	mov	%r8, REGS_R8(%rax)
	mov	%r9, REGS_R9(%rax)
	mov	%rbx, REGS_RBX(%rax)
	mov	%rcx, REGS_RCX(%rax)
	mov	%rbp, REGS_RBP(%rax)
	mov	%r11, REGS_R11(%rax)
	mov	%r12, REGS_R12(%rax)
	mov	%r13, REGS_R13(%rax)
	mov	%r14, REGS_R14(%rax)
	mov	%r15, REGS_R15(%rax)
.endm

/* The exceptions' stubs. NMI and #DB, which have entries of their own, do not use theirs. */
	.balign 16
	.globl switcher_exceptions
switcher_exceptions:
	.set	vector, 0
	.rept	AREA_EXCEPTIONS
	.byte	0x6a, vector	/* push imm8 */
	.if vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21 || \
	    vector == 29 || vector == 30	/* those for which the CPU pushes an error code */
	jmp	trap
	.else
	jmp	trap_no_error
	.endif
	.set	vector, vector + 1
	.endr
	.org	switcher_exceptions + AREA_EXCEPTIONS * AREA_STUB_SIZE

/* A stub of a vector without an error code has pushed the vector alone, as a signed byte. */
trap_no_error:
	pushq	(%rsp)
	andq	$255, (%rsp)
	movq	$0, 8(%rsp)

/* tour: out of the guest */
/*
 * On the stack, low to high, whichever way led here:
 *	+0 RAX  +8 vector  +16 error code or 0  +24 RIP  +32 CS  +40 RFLAGS  +48 RSP  +56 SS
 * Each word is copied once; the monitor judges the copy.
 */
trap:
	push	%rax
	testb	$3, 32(%rsp)
	jz	ring0
exit:
	save_registers
	popq	REGS_RAX(%rax)
	popq	REGS_VECTOR(%rax)
	popq	REGS_ERROR(%rax)
	popq	REGS_RIP(%rax)
	popq	REGS_CS(%rax)
	popq	REGS_RFLAGS(%rax)
	popq	REGS_RSP(%rax)
	popq	REGS_SS(%rax)
	cld
	jmp	to_monitor
/* tour ends */

/* ---- (iii) an exception or interrupt at CPL 0 ------------------------------------------------ */

/*
 * The IRETQ into the guest may fault (a bad selector, a RIP that is not canonical): nothing of the
 * guest has run, its registers are as they were, and only vector and error code are new. An
 * interrupt comes only where the monitor idles with IF=1. A load of the guest's memory may find
 * none there (#GP, #PF). Anything else is our bug.
 */
ring0:
	lea	switcher_return_to_guest(%rip), %rax
	cmp	%rax, 24(%rsp)
	je	return_fault
	lea	switcher_loads(%rip), %rax
	cmp	%rax, 24(%rsp)
	jb	ring0_own
	lea	switcher_loads_end(%rip), %rax
	cmp	%rax, 24(%rsp)
	jb	load_fault
ring0_own:
	pop	%rax
	cmpq	$32, (%rsp)
	jae	switcher_monitor_interrupt
	push	%rax
	mov	CONSTANT(CONST_MONITOR_CR3), %rax
	mov	%rax, %cr3
	pop	%rax
	jmp	switcher_monitor_exception

load_fault:
	mov	8(%rsp), %eax
	sub	$13, %eax
	cmp	$1, %eax
	jbe	switcher_load_fault
	jmp	ring0_own

return_fault:
	save_registers
	popq	REGS_RAX(%rax)
	popq	REGS_VECTOR(%rax)
	movq	$EXIT_RETURN_FAULT, REGS_VECTOR(%rax)
	popq	REGS_ERROR(%rax)
	mov	REGS_MONITOR_STACK(%rax), %rsp
	cld
	jmp	switcher_exit

/* ---- (iv) SYSCALL ---------------------------------------------------------------------------- */

/* tour: a user's system call */
/*
 * RCX = return RIP, R11 = RFLAGS, RSP the guest's, any ring: the CPU does not say which. The byte
 * before the return RIP was executed; if it lies in the code area, which ring 3 cannot execute,
 * this was ring 1. (The return RIP itself would not do: SYSCALL in the last bytes of a user page
 * returns to the next.)
 */
	.balign 16
	.globl switcher_syscall
switcher_syscall:
	mov	%rsp, SCRATCH(SCRATCH_RSP)
	lea	AREA(AREA_STACK + AREA_STACK_ENTRY), %rsp
	push	%rax
	lea	-1(%rcx), %rax
	sub	CONSTANT(CONST_CODE_AREA), %rax
	cmp	$GN_CODE_SIZE, %rax
	jb	switcher_hypercall
	/* The user's: to its kernel as hardware would do it. No frame; RSP stays the user's. */
	pushq	$GN_KERNEL_SS
	pushq	SCRATCH(SCRATCH_RSP)
	mov	%r11, %rax
	and	CONSTANT(CONST_SYSCALL_KEEP), %rax
	push	%rax
	pushq	$GN_KERNEL_CS
	pushq	CONSTANT(CONST_SYSCALL_ENTRY)
	mov	CONSTANT(CONST_SYSCALL_VIF), %al
	movabs	%al, GN_VCPU_PAGE + GN_VP_VIF
	mov	40(%rsp), %rax
	iretq
/* tour ends */

/* The way out that is walked most: what a trap's frame would say is known. SYSCALL's mask has
 * cleared DF. RAX is on the stack. */
	.globl switcher_hypercall
switcher_hypercall:
	save_registers
	popq	REGS_RAX(%rax)
	movq	$EXIT_HYPERCALL, REGS_VECTOR(%rax)
	mov	%rcx, REGS_RIP(%rax)
	movq	$GN_KERNEL_CS, REGS_CS(%rax)
	mov	%r11, REGS_RFLAGS(%rax)
	mov	SCRATCH(SCRATCH_RSP), %rcx
	mov	%rcx, REGS_RSP(%rax)
	movq	$GN_KERNEL_SS, REGS_SS(%rax)
to_monitor:
	mov	REGS_MONITOR_STACK(%rax), %rsp
	testb	$AREA_MITIGATE_EXIT, CONSTANT(CONST_MITIGATIONS)
	jz	switcher_exit
	jmp	switcher_exit_mitigated

/* SYSCALL of 32-bit code (AMD has it in long mode; Intel raises #UD). GN_USER_SS - 8 is its STAR
 * selector. */
	.globl switcher_compat_syscall
switcher_compat_syscall:
	mov	%rsp, SCRATCH(SCRATCH_RSP)
	lea	AREA(AREA_STACK + AREA_STACK_ENTRY), %rsp
	pushq	$GN_USER_SS
	pushq	SCRATCH(SCRATCH_RSP)
	push	%r11
	pushq	$(GN_USER_SS - 8)
	push	%rcx
	pushq	$0
	pushq	$EXIT_COMPAT_SYSCALL
	push	%rax
	jmp	exit

/* ---- (v) NMI and #DB ------------------------------------------------------------------------- */

/* tour: an NMI */
/*
 * An NMI: any ring, any CR3, any RSP. The handler runs on a stack of its own in the monitor; it
 * raises nothing and executes no IRET, so NMIs stay blocked and this IST frame stays whole until
 * the IRETQ here. It clears DR7 first, since a guest's breakpoints may name addresses that the
 * monitor uses.
 */
	.globl switcher_nmi
switcher_nmi:
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
	cld
	mov	%dr7, %rbp
	xor	%eax, %eax
	mov	%rax, %dr7
	mov	%cr3, %rbx
	mov	CONSTANT(CONST_MONITOR_CR3), %rax
	mov	%rax, %cr3
	mov	%rsp, %r12
	mov	CONSTANT(CONST_THIS_CPU), %rdi
	lea	96(%rsp), %rsi	/* the frame: RIP CS RFLAGS RSP SS */
	mov	CONSTANT(CONST_NMI_STACK), %rsp
	call	cpu_nmi
	mov	%r12, %rsp
	mov	%rbx, %cr3
	mov	%rbp, %dr7
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
	iretq
/* tour ends */

/*
 * #DB at CPL 0 in the switcher: a single step or a data breakpoint that was pending when SYSCALL or
 * an interrupt came (the MOV SS shadow, SDM 3A 6.8.3). Note it, go on.
 */
	.globl switcher_debug
switcher_debug:
	pushq	$0
	pushq	$1
	push	%rax
	testb	$3, 32(%rsp)
	jnz	exit
	pop	%rax
	lea	16(%rsp), %rsp
	movb	$1, SCRATCH(SCRATCH_DEBUG)
	iretq

/* ---- (vi) one stub a vector, AREA_STUB_SIZE bytes each --------------------------------------- */

/*
 * Those of exceptions stand before trap_no_error, which they reach by a jump of two bytes; those of
 * interrupts have a longer jump for each AREA_STUB_GROUP of them.
 */
	.balign 16
	.globl switcher_interrupts
switcher_interrupts:
	.set	vector, AREA_EXCEPTIONS
	.rept	(256 - AREA_EXCEPTIONS) / AREA_STUB_GROUP
	.rept	AREA_STUB_GROUP
	.byte	0x6a, vector	/* push imm8 */
	jmp	1f
	.set	vector, vector + 1
	.endr
1:	jmp	trap_no_error
	.balign AREA_STUB_JUMP
	.endr
	.org	switcher_interrupts + (256 - AREA_EXCEPTIONS) / AREA_STUB_GROUP * \
		(AREA_STUB_GROUP * AREA_STUB_SIZE + AREA_STUB_JUMP)

	.section .note.GNU-stack, "", @progbits
