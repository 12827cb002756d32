/* SPDX-License-Identifier: MIT */
/*
 * scenes.S - what main.c runs while an event is on its way, and the handlers. Each scene is called
 * on a stack of its own and answers 0 if all went right. The sensitive operations are reached
 * through struct ways: the code area's slots, or raw instructions.
 */
#include "guest-abi/hypercalls.h"
#include "guest-abi/layout.h"
#include "tests/guest/boundaries/scenes.h"
#include "tests/guest/lib/layout.h"

#define IF_ON	0x202
#define IF_OFF	0x002
#define NOWHERE 0x123456789000	/* mapped by nobody */
#define OTHER_FRAME 0x1000	/* of an entry that is present: each swap of it is told */
#define PATTERN 0x5a5a12345a5a

#define SLOT(n)	   (GN_CODE_AREA + (n) * GN_SLOT_SIZE)
#define VERSION	   SLOT(0)
#define INVALIDATE SLOT(11)
#define PORT_RAISE SLOT(17)
#define GET_VIF	   SLOT(130)
#define SET_VIF	   SLOT(131)
#define PTE_SWAP   SLOT(161)
#define SGDT	   SLOT(225)
#define SIDT	   SLOT(226)
#define SLDT	   SLOT(227)
#define STR	   SLOT(228)
#define SET_FLAGS  SLOT(194)
#define WRITE_CR3  SLOT(196)
#define WRITE_FS   SLOT(197)
#define WRITE_GS   SLOT(198)
#define NO_ADDRESS 0x4000000000000000	/* nor a CR3 */

	.text

/* ---- the frame around a scene ---------------------------------------------------------------- */

	.globl scene_run
scene_run:
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	mov	%rsp, c_stack(%rip)
	mov	%rdi, scene(%rip)
	mov	%dl, scene_vif(%rip)
	movabs	$PATTERN, %rbx
	lea	1(%rbx), %rbp
	lea	2(%rbx), %r12
	lea	3(%rbx), %r13
	lea	4(%rbx), %r14
	lea	5(%rbx), %r15
	lea	scene_stack + STACK_SIZE(%rip), %rsp
	test	%sil, %sil
	jz	1f
	int	$NEST_VECTOR
	jmp	2f
1:	mov	%rsp, scene_rsp(%rip)
	call	*scene(%rip)
2:	mov	%rax, answer(%rip)
	call	*way + WAY_STI(%rip)
	xor	%eax, %eax
	lea	scene_stack + STACK_SIZE(%rip), %rcx
	movabs	$PATTERN, %rdx
.macro kept register, offset
	lea	\offset(%rdx), %rsi
	cmp	%rsi, \register
	setne	%sil
	or	%sil, %al
.endm
	kept	%rbx, 0
	kept	%rbp, 1
	kept	%r12, 2
	kept	%r13, 3
	kept	%r14, 4
	kept	%r15, 5
	cmp	%rcx, %rsp
	setne	%ah
	or	answer(%rip), %rax
	mov	c_stack(%rip), %rsp
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	ret

	.globl nest_handler
nest_handler:
	cmpb	$0, scene_vif(%rip)
	je	1f
	call	*way + WAY_STI(%rip)
1:	mov	%rsp, scene_rsp(%rip)
	call	*scene(%rip)
	jmp	*way + WAY_IRET(%rip)

/* ---- handlers -------------------------------------------------------------------------------- */

.macro event_handler count, iret=way+WAY_IRET
	push	%rax
	push	%rcx
	incq	\count(%rip)
	mov	16(%rsp), %rax
	mov	%rax, event_rip(%rip)
	testb	$3, 24(%rsp)
	jnz	1f
	lea	16(%rsp), %rcx		/* an event in ring 1 on the scenes' stack: how deep? */
	mov	scene_rsp(%rip), %rax
	sub	%rcx, %rax
	lea	scene_stack(%rip), %rcx
	cmp	%rcx, %rsp
	jb	1f
	add	$STACK_SIZE, %rcx
	cmp	%rcx, %rsp
	jae	1f
	cmp	deepest(%rip), %rax
	jle	1f
	mov	%rax, deepest(%rip)
1:	cmpq	$0, handler_call(%rip)
	je	2f
	push	%rdx			/* what the scene does, the handler does elsewhere */
	push	%rsi
	push	%rdi
	push	%r8
	push	%r10
	push	%r11
	lea	\count(%rip), %rdi
	call	*handler_call(%rip)
	pop	%r11
	pop	%r10
	pop	%r8
	pop	%rdi
	pop	%rsi
	pop	%rdx
2:	pop	%rcx
	pop	%rax
	jmp	*\iret(%rip)
.endm

	.globl timer_handler
timer_handler:
	event_handler timer_events
/* The same as an NMI, which leaves by a site of its own: not the one that it may have come at. */
	.globl nmi_handler
nmi_handler:
	event_handler timer_events, iret=nmi_iret
	.globl self_handler
self_handler:
	event_handler self_events

	.globl invalid_handler
invalid_handler:
	incq	exceptions(%rip)
	addq	$2, (%rsp)
	jmp	*way + WAY_IRET(%rip)

/* It does not go on before the event has come: an NMI that would wait for its IRET is late. */
	.globl waiting_handler
waiting_handler:
	push	%rax
	push	%rdx
1:	cmpq	$0, timer_events(%rip)
	jne	2f
	rdtsc
	shl	$32, %rdx
	or	%rdx, %rax
	cmp	wait_limit(%rip), %rax
	jb	1b
	incq	exceptions(%rip)
2:	pop	%rdx
	pop	%rax
	jmp	invalid_handler

	.globl fault_handler
fault_handler:
	incq	exceptions(%rip)
	add	$8, %rsp
	addq	$2, (%rsp)
	jmp	*way + WAY_IRET(%rip)

/* The fault is at the instruction that the call stands for. */
	.globl refusal_handler
refusal_handler:
	incq	exceptions(%rip)
	mov	refused_size(%rip), %rax
	add	$8, %rsp
	add	%rax, (%rsp)
	jmp	*way + WAY_IRET(%rip)

/* A return that the CPU refuses: where the fault is, the scene says. */
	.globl return_fault_handler
return_fault_handler:
	incq	exceptions(%rip)
	mov	8(%rsp), %rcx
	xor	%eax, %eax
	cmp	faults_at(%rip), %rcx
	setne	%al
	movabs	$GN_VCPU_PAGE + GN_VP_SYSRET + 32, %rcx
	movq	$USER_SS, (%rcx)
	mov	kernel_rsp(%rip), %rsp
	ret

/* A SYSCALL that the guest has no entry for: the fault is the user's. */
	.globl no_entry_handler
no_entry_handler:
	incq	exceptions(%rip)
	xor	%eax, %eax
	cmpq	$USER_CALL, (%rsp)
	setne	%al
	mov	kernel_rsp(%rip), %rsp
	ret

/* From ring 3, or from a stack that is none: back to the scene that went there. */
	.globl leave_handler
leave_handler:
	incq	exceptions(%rip)
	mov	kernel_rsp(%rip), %rsp
	xor	%eax, %eax
	ret

	.globl scene_syscall_entry
scene_syscall_entry:
	mov	kernel_rsp(%rip), %rsp
	mov	%rdi, %rax
	ret

/* ---- scenes ---------------------------------------------------------------------------------- */

	.globl scene_flags
scene_flags:
	call	*way + WAY_STI(%rip)
	call	*way + WAY_CLI(%rip)
	call	*way + WAY_STI(%rip)
	call	*way + WAY_CLI(%rip)
	xor	%eax, %eax
	ret

	.globl scene_set_vif
scene_set_vif:
	mov	$1, %edi
	movabs	$SET_VIF, %rax
	call	*%rax
	movabs	$GET_VIF, %rax
	call	*%rax
	xor	$1, %eax
	jnz	1f
	xor	%edi, %edi
	movabs	$SET_VIF, %rax
	call	*%rax
	xor	%eax, %eax
1:	ret

	.globl scene_set_flags
scene_set_flags:
	mov	$IF_ON, %edi
	movabs	$SET_FLAGS, %rax
	call	*%rax
	mov	$IF_OFF, %edi
	movabs	$SET_FLAGS, %rax
	call	*%rax
	xor	%eax, %eax
	ret

.macro iret_to flags
	mov	%rsp, %rax
	pushq	$KERNEL_SS
	push	%rax
	pushq	$\flags
	pushq	$KERNEL_CS
	lea	9f(%rip), %rcx
	push	%rcx
	jmp	*way + WAY_IRET(%rip)
9:	xor	%eax, %eax
	ret
.endm

	.globl scene_iret_on
scene_iret_on:
	iret_to IF_ON
	.globl scene_iret_off
scene_iret_off:
	iret_to IF_OFF

.macro iret_to_user program
	mov	%rsp, kernel_rsp(%rip)
	mov	wait_limit(%rip), %rsi
	xor	%edi, %edi
	pushq	$USER_SS
	pushq	$USER_RSP
	pushq	$IF_ON
	pushq	$USER_CS
	pushq	$\program
	jmp	*way + WAY_IRET(%rip)
.endm

	.globl scene_iret_user
scene_iret_user:
	iret_to_user USER_CALL
	.globl scene_iret_user_wait
scene_iret_user_wait:
	iret_to_user USER_WAIT
	.globl scene_user_exception
scene_user_exception:
	iret_to_user USER_EXCEPTION

.macro sysret_to_user program
	call	*way + WAY_CLI(%rip)
	mov	%rsp, kernel_rsp(%rip)
	mov	wait_limit(%rip), %rsi
	xor	%edi, %edi
	mov	$\program, %ecx
	mov	$IF_ON, %r11d
	mov	$USER_RSP, %esp
	jmp	*way + WAY_SYSRET(%rip)
.endm

	.globl scene_sysret
scene_sysret:
	sysret_to_user USER_CALL
	.globl scene_sysret_wait
scene_sysret_wait:
	sysret_to_user USER_WAIT

	.globl scene_invalid, scene_invalid_wait
scene_invalid_wait:
	jmp	scene_invalid
scene_invalid:
	ud2
	xor	%eax, %eax
	ret

/* The same with a pending that the scene itself has set: the stubs ask the monitor. */
	.globl scene_invalid_pending, scene_page_fault_pending
scene_invalid_pending:
	movabs	$GN_VCPU_PAGE + GN_VP_PENDING, %rax
	movb	$1, (%rax)
	jmp	scene_invalid
scene_page_fault_pending:
	movabs	$GN_VCPU_PAGE + GN_VP_PENDING, %rax
	movb	$1, (%rax)

	.globl scene_page_fault
scene_page_fault:
	movabs	$NOWHERE, %rax
	mov	(%rax), %eax
	xor	%eax, %eax
	ret

/* The idle loop of every kernel. */
	.globl scene_halt
scene_halt:
	call	*way + WAY_CLI(%rip)
	cmpq	$0, timer_events(%rip)
	jne	1f
	call	*way + WAY_HALT(%rip)
	jmp	scene_halt
1:	xor	%eax, %eax
	ret

	.globl scene_call
scene_call:
	movabs	$VERSION, %rax
	call	*%rax
	xor	$(GN_ABI_MAJOR << 16 | GN_ABI_MINOR), %rax
	ret

	.globl scene_raise
scene_raise:
	mov	$GN_PORT_SELF, %edi
	movabs	$PORT_RAISE, %rax
	call	*%rax
	ret

/* A frame cannot be pushed. No event may come meanwhile: its own could not either. */
	.globl scene_no_stack
scene_no_stack:
	call	*way + WAY_CLI(%rip)
	mov	%rsp, kernel_rsp(%rip)
	movabs	$NOWHERE, %rsp
	ud2

.macro refuse slot, size
	movq	$\size, refused_size(%rip)
	movabs	$NO_ADDRESS, %rdi
	movabs	$\slot, %rax
	call	*%rax
.endm
	.globl scene_refused
scene_refused:
	refuse	WRITE_CR3, 3
	refuse	WRITE_FS, 2
	refuse	WRITE_GS, 2
	xor	%eax, %eax
	ret

/* No table has been loaded by an instruction: what is read is 0. */
	.globl scene_store_tables
scene_store_tables:
	lea	stored(%rip), %rdi
	movabs	$SGDT, %rax
	call	*%rax
	lea	16(%rdi), %rdi
	movabs	$SIDT, %rax
	call	*%rax
	movabs	$SLDT, %rax
	call	*%rax
	mov	%rax, %rsi
	movabs	$STR, %rax
	call	*%rax
	or	%rsi, %rax
	or	stored(%rip), %rax
	or	stored + 16(%rip), %rax
	ret

#define NO_STACK 0x13	/* the kernel's data, for ring 3 */

	.globl scene_iret_refused, scene_iret_refused_at_site
scene_iret_refused:
	mov	way + WAY_FAULT(%rip), %rcx
	mov	way + WAY_REFUSED(%rip), %rax
iret_refused:
	mov	%rsp, kernel_rsp(%rip)
	mov	%rcx, faults_at(%rip)
	pushq	$NO_STACK
	pushq	$USER_RSP
	pushq	$IF_ON
	pushq	$USER_CS
	pushq	$USER_EXCEPTION
	jmp	*%rax
scene_iret_refused_at_site:
	lea	site_refused_end - IRETQ_SIZE(%rip), %rcx
	lea	site_refused(%rip), %rax
	jmp	iret_refused

/* The frame is the vcpu page's: somebody has spoilt it. If an event waits the monitor returns, and
 * does not look at it; then there is the program's exception. */
	.globl scene_sysret_refused
scene_sysret_refused:
	movq	$USER_EXCEPTION, faults_at(%rip)
	movabs	$GN_VCPU_PAGE + GN_VP_SYSRET + 32, %rax
	movq	$NO_STACK, (%rax)
	sysret_to_user USER_EXCEPTION

/* A call into the ring, by the scene or, RDI its counter, by a handler. */
	.globl scene_defer, defer_in_handler
scene_defer:
	lea	scene(%rip), %rdi
defer_in_handler:
	movabs	$INVALIDATE, %rax
	jmp	*%rax

/* A notice into the ring. */
	.globl scene_swap, swap_in_handler
scene_swap:
	mov	swapped(%rip), %rdi
	mov	(%rdi), %rsi
	xor	$OTHER_FRAME, %rsi
	movabs	$PTE_SWAP, %rax
	call	*%rax
	xor	%eax, %eax
	ret
swap_in_handler:
	lea	timer_events(%rip), %rax
	sub	%rdi, %rax		/* 0, -8: an entry for each kind of event */
	mov	swapped(%rip), %rdi
	sub	%rax, %rdi
	add	$16, %rdi
	mov	(%rdi), %rsi
	xor	$OTHER_FRAME, %rsi
	movabs	$PTE_SWAP, %rax
	jmp	*%rax

/* IRETQ as a patched site has it (guest-abi/sites.h): events come within the call, too, and their
 * handlers return by another site than the one that faults. */
	.globl site_iret, site_refused, site_refused_end
site_iret:
	call	*iret_at_site(%rip)
site_refused:
	call	*iret_at_site(%rip)
site_refused_end:
iret_at_site:	.quad SLOT(195)
nmi_iret:	.quad site_iret

/* ---- raw instructions ------------------------------------------------------------------------ */

	.globl raw_cli, raw_sti, raw_iret, raw_sysret, raw_halt, raw_sti_iret, raw_sti_sysret
raw_cli:
	cli
	ret
raw_sti:
	sti
	ret
raw_halt:
	sti
	hlt
	ret
raw_sti_iret:
	sti
raw_iret:
	iretq
raw_sti_sysret:
	sti
raw_sysret:
	sysretq

	.data
	.balign 8
	.globl way
way:	.quad	raw_cli, raw_sti, raw_iret, raw_sysret, raw_halt

	.bss
	.balign 4096
	.globl timer_events, self_events, exceptions
timer_events:	.skip 8		/* on a page that ring 3 reads */
self_events:	.skip 8
exceptions:	.skip 8
	.balign 4096
	.globl deepest, event_rip, wait_limit, scene_stack, handler_call, swapped
deepest:	.skip 8
event_rip:	.skip 8
wait_limit:	.skip 8
handler_call:	.skip 8
faults_at:	.skip 8
swapped:	.skip 8
refused_size:	.skip 8
stored:		.skip 32
scene:		.skip 8
scene_rsp:	.skip 8
answer:		.skip 8
c_stack:	.skip 8
kernel_rsp:	.skip 8
scene_vif:	.skip 8
	.balign 16
scene_stack:	.skip STACK_SIZE

	.section .note.GNU-stack, "", @progbits
