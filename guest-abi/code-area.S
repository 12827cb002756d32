/* SPDX-License-Identifier: MIT */
/*
 * code-area.S - the code that the monitor publishes to guests at GN_CODE_AREA, and that runs in
 * ring 1.
 *
 * A slot of 32 bytes for each operation (hypercalls.h names them); bodies that do not fit lie in
 * the last page. Unused bytes are UD2. Linked at its published address; the monitor maps its frames
 * read-only into every guest, so it holds no secret and no state.
 *
 * Below each slot stands its reading in C, which `make listing` prints beside the instructions:
 * registers by their names; vif, pending, site and so on are fields of the vcpu page.
 *
 * A guest has no interrupt flag of its own: vif, a byte of the vcpu page, stands for it. Setting
 * vif and acting on it are two instructions, and an event may come between them. The ranges at the
 * end of this file say what the monitor does about it when it finds RIP there: mostly it moves RIP
 * back to where the waiting event is looked for. An UD2 at a named site is a request to the monitor
 * that disturbs no register.
 */
#include "guest-abi/hypercalls.h"
#include "guest-abi/layout.h"
#include "guest-abi/ranges.h"
#include "guest-abi/sites.h"

#define VP(offset) (GN_VCPU_PAGE - GN_CODE_AREA + (offset) + gn_code_area)(%rip)
#define PENDING	   VP(GN_VP_PENDING)
#define VIF	   VP(GN_VP_VIF)
#define UD2	   0x0b0f
#define RPL_USER   2	/* in the low byte of a CS: RPL 2 or 3, which is not the kernel's */
#define FLAGS_IF_1 2	/* RFLAGS.IF, in the second byte of RFLAGS */
#define FLAGS_IF_BIT 9
#define FLAGS_FIXED  2	/* bit 1 is always set */
#define LAZY	     (GN_LAZY_MMU | GN_LAZY_CPU)

#define X(number, name, arguments, flags, promise) .set GN_CALL_##name, number ;
GN_HYPERCALLS(X)
#undef X
#define X(name, number, meaning) .set GN_##name, number ;
GN_ERRORS(X)
#undef X

	.set SHIFT_NOTIFIED, GN_CODE_SIZE - GN_CODE_PAGING

	.section .window.text, "ax", @progbits
	.balign 4096
	.globl gn_code_area
gn_code_area:

/* UD2s up to a boundary, behind code of odd length an INT3. */
.macro fill boundary
	.balign 2, 0xcc
	.balignw \boundary, UD2
.endm

/* Begin a slot; the rest of the one before, and whole slots between them, are UD2. */
	.set next_slot, 0
.macro slot number
	fill	GN_SLOT_SIZE
	.rept	(\number - next_slot) * (GN_SLOT_SIZE / 2)
	ud2
	.endr
	.set next_slot, \number + 1
.endm

/* ---- hypercalls: slot n is call n ------------------------------------------------------------ */

#define A0()
#define A1(a)
#define A2(a, b)
#define A3(a, b, c)
#define A4(a, b, c, d)
#define A5(a, b, c, d, e)
/* C: if (lazy & flags) return defer(number); rax = NAME(rdi, rsi, ...), by the monitor */
.macro hypercall_slot number, flags
	slot	\number
	mov	$\number, %eax
	.if \flags & LAZY
	testb	$\flags & LAZY, VP(GN_VP_LAZY)
	jnz	defer
	.endif
	syscall
	ret
.endm
#define X(number, name, arguments, flags, promise) hypercall_slot number, flags ;
GN_HYPERCALLS(X)

/* ---- operations ------------------------------------------------------------------------------ */

	slot	128 /* cli */
	/* C: vif = 0 */
	movb	$0, VIF
	ret

	slot	129 /* sti */
	/* C: vif = 1; if (pending) ud2(): the monitor delivers */
	movb	$1, VIF
	cmpb	$0, PENDING
	jne	sti_check
	ret
sti_check:
	ud2
	ret

	slot	130 /* get_vif */
	/* C: rax = vif */
	movzbl	VIF, %eax
	ret

	slot	131 /* set_vif */
	/* C: vif = dil; if (dil && pending) ud2(): the monitor delivers */
	mov	%dil, VIF
	test	%dil, %dil
	jz	1f
	cmpb	$0, PENDING
	jne	set_vif_check
1:	ret
set_vif_check:
	ud2
	jmp	1b

	slot	132 /* iret: from here on without events, as long as the instruction would take */
	/* C: vif = 0; site = 0; iret_body() */
	movb	$0, VIF
	movq	$0, VP(GN_VP_SITE)
iret_jump:
	{disp32} jmp iret_body

	slot	133 /* sysret */
	/* C: vif = 0; page->sysret = {rcx, cs, r11, rsp, ss}; rsp = &page->sysret; iretq() */
sysret_slot:
	{disp32} jmp sysret_body

	slot	134 /* get_cr2 */
	/* C: rax = page->cr2 */
	mov	VP(GN_VP_CR2), %rax
	ret

#define PAGING_BODY 64 /* bytes */
/* Page tables: bodies by the guest's coherence policy, in the page of their own below. */
.macro paging_slot number, body
	slot	\number
	{disp32} jmp paging_bodies + \body * PAGING_BODY
.endm
	paging_slot 160, 0 /* pte_set */
	/* C: old = *rdi; *rdi = rsi; if (notified && matters(old, rsi)) announce(rdi) */
	paging_slot 161, 1 /* pte_swap */
	/* C: rax = exchange(rdi, rsi); if (notified && matters(rax, rsi)) announce(rdi) */
	paging_slot 162, 2 /* pte_test_and_set_bit */
	/* C: rax = test_and_set_bit(rdi, rsi); if (notified && matters(...)) announce(rdi) */
	paging_slot 163, 3 /* pte_test_and_clear_bit */
	/* C: rax = test_and_clear_bit(rdi, rsi); if (notified && matters(...)) announce(rdi) */
	paging_slot 164, 4 /* pte_deactivate */
	/* C: rax = exchange(rdi, 0); if (notified && rax & PRESENT) announce(rdi) */

	slot	165 /* set_linear_map */
	/* C: if (rdi >= 4) return -EINVAL; linear[rdi] = {rsi, rdx << 12, r10 << 12}; rax = 0 */
	jmp	set_linear_map_body

	slot	166 /* set_lazy */
	/* C: lazy = dil; rax = dil ? 0 : flush_deferred() */
	mov	%dil, VP(GN_VP_LAZY)
	xor	%eax, %eax
	test	%dil, %dil
	jz	flush_deferred
	ret

	slot	167 /* flush_deferred */
	/* C: rax = ring_head == ring_tail ? 0 : drain() */
flush_deferred:
	mov	VP(GN_VP_RING_HEAD), %eax
	sub	VP(GN_VP_RING_TAIL), %eax
	jz	1f
	mov	$GN_CALL_drain, %eax
	syscall
1:	ret

	slot	192 /* relocation */
	/* C: rax = edi < SITES ? &gn_relocations[edi] : NULL */
	xor	%eax, %eax
	cmp	$GN_SITE_COUNT, %edi
	jae	1f
	mov	%edi, %ecx
	shl	$5, %ecx /* GN_RELOCATION_SIZE */
	lea	gn_relocations(%rip), %rax
	add	%rcx, %rax
1:	ret

	slot	193 /* get_flags */
	/* C: rax = vif << 9 | 2 */
	movzbl	VIF, %eax
	shl	$FLAGS_IF_BIT, %eax
	or	$FLAGS_FIXED, %eax
	ret

	slot	194 /* set_flags */
	/* C: vif = rdi >> 9 & 1; if (vif && pending) ud2(): the monitor delivers */
	bt	$FLAGS_IF_BIT, %edi
	setc	VIF
	jnc	1f
	cmpb	$0, PENDING
	jne	set_flags_check
1:	ret
set_flags_check:
	ud2
	jmp	1b

	slot	195 /* iret_at_site: no event, whose handler would return by here, comes between */
	/* C: vif = 0; site = pop(); iret_body() */
	movb	$0, VIF
	popq	VP(GN_VP_SITE)
iret_at_site_jump:
	{disp32} jmp iret_body

/* A hypercall whose refusal is a fault of the caller's instruction. */
.macro refusing_call number, name
	mov	$\number, %eax
	syscall
	test	%eax, %eax
	js	refused_\name
	ret
refused_\name:
	ud2
.endm
	slot	196 /* write_cr3 */
	/* C: if (load_cr3(rdi) < 0) ud2(): #GP, 3 bytes before the return address */
	refusing_call GN_CALL_load_cr3, cr3

	slot	197 /* write_fs_base */
	/* C: if (set_segment_base(FS, rdi) < 0) ud2(): #GP, 2 bytes before the return address */
	mov	%rdi, %rsi
	mov	$GN_BASE_FS, %edi
	refusing_call GN_CALL_set_segment_base, fs_base

	slot	198 /* write_gs_base */
	/* C: if (set_segment_base(GS, rdi) < 0) ud2(): #GP, 2 bytes before the return address */
	mov	%rdi, %rsi
	mov	$GN_BASE_GS, %edi
	refusing_call GN_CALL_set_segment_base, gs_base

#include "guest-abi/code-area-instructions.S"

	fill	4096
	.set next_slot, 256

/* ---- page tables ----------------------------------------------------------------------------- */

/*
 * A guest finds one of two pages here, by its coherence policy. Under `trapped` a store to a table
 * is seen anyway: plain instructions. This page is followed, behind the whole code area, by the
 * other one, for `notified`; each body begins at the same place in both.
 */
.macro body number, page=paging_bodies
	fill	PAGING_BODY
	.org	\page + \number * PAGING_BODY /* refuses a body too long */
.endm

paging_bodies:
	body	0
	mov	%rsi, (%rdi)
	ret
	body	1
	mov	%rsi, %rax
	xchg	%rax, (%rdi)
	ret
	body	2
	xor	%eax, %eax
	lock bts %rsi, (%rdi)
	setc	%al
	ret
	body	3
	xor	%eax, %eax
	lock btr %rsi, (%rdi)
	setc	%al
	ret
	body	4
	xor	%eax, %eax
	xchg	%rax, (%rdi)
	ret
	fill	4096

/* ---- longer bodies --------------------------------------------------------------------------- */

/* tour: IRET without the monitor */
/*
 * iret: the frame at RSP is
 *	+0 RIP  +8 CS  +16 RFLAGS  +24 RSP  +32 SS
 * A kernel's frame says RPL 0, which IRETQ would refuse in ring 1: it gets ring 1's own selectors.
 * It looks at PENDING whatever vif will be: an NMI's handler returns through the monitor. A user's
 * needs no look: while an event waits, code of ring 3 is not present, and the IRETQ faults.
 */
iret_body:
	testb	$RPL_USER, 8(%rsp)
	jnz	iret_user
	movq	$GN_KERNEL_CS, 8(%rsp)
	movq	$GN_KERNEL_SS, 32(%rsp)
iret_on_test:
	cmpb	$0, PENDING
	jne	iret_request
	testb	$FLAGS_IF_1, 17(%rsp)
	jz	iret_user /* vif is 0 */
	movb	$1, VIF
iret_on:
	iretq
iret_user:
	iretq
/* tour ends */
iret_request:
	ud2

/* sysret: build the frame in the vcpu page, since RSP is the user's already. */
sysret_body:
	movb	$0, VIF
	mov	%rsp, VP(GN_VP_SYSRET + 24)
	mov	%rcx, VP(GN_VP_SYSRET + 0)
	mov	%r11, VP(GN_VP_SYSRET + 16)
	lea	VP(GN_VP_SYSRET), %rsp
sysret_iretq:
	iretq

/* tour: a frame is pushed in ring 1 */
/*
 * deliver: the monitor enters here, vif 0, RSP on the stack that the gate names, to have the frame
 * pushed with the guest's own rights: a bad stack faults in ring 1. Two forms of gate (an interrupt
 * gate leaves vif 0, a trap gate sets it again), with an error code or without.
 */
.macro push_frame error
	pushq	VP(GN_VP_DELIVER_SS)
	pushq	VP(GN_VP_DELIVER_RSP)
	pushq	VP(GN_VP_DELIVER_FLAGS)
	pushq	VP(GN_VP_DELIVER_CS)
	pushq	VP(GN_VP_DELIVER_RIP)
	.if \error
	pushq	VP(GN_VP_DELIVER_ERROR)
	.endif
.endm

deliver:
	push_frame 0
	jmp	*VP(GN_VP_DELIVER_HANDLER)
deliver_error:
	push_frame 1
deliver_error_jump:
	jmp	*VP(GN_VP_DELIVER_HANDLER)
deliver_error_end:
deliver_trap:
	push_frame 0
deliver_trap_test:
	cmpb	$0, PENDING
	jne	deliver_trap_request
	movb	$1, VIF
deliver_trap_jump:
	jmp	*VP(GN_VP_DELIVER_HANDLER)
deliver_trap_request:
	ud2
/* tour ends */
deliver_trap_error:
	push_frame 1
deliver_trap_error_test:
	cmpb	$0, PENDING
	jne	deliver_trap_error_request
	movb	$1, VIF
deliver_trap_error_jump:
	jmp	*VP(GN_VP_DELIVER_HANDLER)
deliver_trap_error_request:
	ud2
/*
 * deliver and deliver_error once more, byte by byte but for the jump: an NMI that finds the ones
 * has the others finish, which then come back for it. (Those for trap gates look at PENDING.)
 */
deliver_held:
	push_frame 0
deliver_held_request:
	.rept	(deliver_error_end - deliver_error_jump) / 2
	ud2
	.endr
	push_frame 1
deliver_error_held_request:
	ud2
/* The frames of Xen's ABI: RCX and R11 below the CPU's words, and no change of vif here. */
deliver_xen:
	push_frame 0
	push	%r11
	push	%rcx
	jmp	*VP(GN_VP_DELIVER_HANDLER)
deliver_xen_error:
	push_frame 1
	push	%r11
	push	%rcx
	jmp	*VP(GN_VP_DELIVER_HANDLER)

/* And DS ES FS GS between them: of a frame that the guest wanted to return by, but cannot. */
deliver_xen_failsafe:
	push_frame 0
	pushq	%gs
	pushq	%fs
	pushq	$0
	mov	%es, (%rsp)
	pushq	$0
	mov	%ds, (%rsp)
	push	%r11
	push	%rcx
	jmp	*VP(GN_VP_DELIVER_HANDLER)

/* SYSCALL of a Xen guest's user; RSP is the user's still. RCX and R11 are saved by the time they
 * are used. An event that comes before the mask is set is one that came before the kernel's first
 * instruction. */
xen_syscall:
	mov	%rsp, VP(GN_VP_SYSCALL_RSP)
	mov	VP(GN_VP_KERNEL_STACK), %rsp
	pushq	$GN_USER_SS
	pushq	VP(GN_VP_SYSCALL_RSP)
	push	%r11
	pushq	$GN_USER_CS
	push	%rcx
	push	%r11
	push	%rcx
	mov	VP(GN_VP_MASK), %rcx
	movb	$1, (%rcx)
deliver_last:
	jmp	*VP(GN_VP_SYSCALL_HANDLER)

/*
 * defer: a call (EAX, arguments in RDI, RSI, RDX, R10) goes into the ring. Its entry is written
 * first and counted last, so a handler that comes between and defers calls itself would overwrite
 * it: after an event this begins again (a range).
 */
.macro ring_entry full, shift=0 /* R11: the next entry. RCX is kept. */
	mov	VP(GN_VP_RING_TAIL + \shift), %r11d
	sub	VP(GN_VP_RING_HEAD + \shift), %r11d
	cmp	$GN_RING_ENTRIES, %r11d
	jae	\full
	mov	VP(GN_VP_RING_TAIL + \shift), %r11d
	and	$GN_RING_ENTRIES - 1, %r11d
	imul	$GN_RING_ENTRY_BYTES, %r11, %r11
	add	ring_address + \shift(%rip), %r11
.endm
ring_address:
	.quad	GN_VCPU_PAGE + GN_VP_RING_FIRST

defer:
	ring_entry defer_full
	mov	%rax, (%r11)
	mov	%rdi, 8(%r11)
	mov	%rsi, 16(%r11)
	mov	%rdx, 24(%r11)
	mov	%r10, 32(%r11)
defer_last:
	incl	VP(GN_VP_RING_TAIL)
	xor	%eax, %eax
	ret
defer_full:
	push	%rax
	mov	$GN_CALL_drain, %eax
	syscall
	pop	%rax
	jmp	defer

set_linear_map_body:
	mov	$-GN_EINVAL, %rax
	cmp	$GN_LINEAR_MAPS, %rdi
	jae	1f
	imul	$GN_VP_LINEAR_BYTES, %rdi, %rcx
	lea	VP(GN_VP_LINEAR), %r11
	add	%rcx, %r11
	mov	%rsi, GN_VP_LINEAR_FIRST(%r11)
	mov	%r10, %rcx
	shl	$12, %rcx
	mov	%rcx, GN_VP_LINEAR_PHYSICAL(%r11)
	mov	%rdx, %rcx
	shl	$12, %rcx
	mov	%rcx, GN_VP_LINEAR_SIZE(%r11)
	xor	%eax, %eax
1:	ret

/* Where a guest's SYSCALL from ring 3 arrives until the guest has said where it wants it. */
no_syscall_entry:
	ud2

/*
 * What becomes of a kernel's sites, by number: struct gn_relocation. The monitor may say more here
 * than NATIVE whenever a slot for it exists: kernels need not be built anew.
 */
#define NUMBER_OF(number, ...) number
#define NUMBER(name)	       NUMBER_OF(name)
	.balign 8, 0xcc
gn_relocations:
.macro relocation site, kind, slot=0, field=0, length=0
	.org	gn_relocations + \site * GN_RELOCATION_SIZE, 0
	.byte	\kind, \length, \field
	.org	gn_relocations + \site * GN_RELOCATION_SIZE + GN_RELOCATION_TARGET, 0
	.if	\slot
	.quad	GN_SLOT(\slot)
	.endif
	.org	gn_relocations + \site * GN_RELOCATION_SIZE + GN_RELOCATION_INLINE, 0
.endm
	relocation NUMBER(GN_SITE_cli), GN_RELOCATE_INLINE, 128, 2, 7
	.byte	0xc6, 0x05	/* movb $0, vif(%rip) */
	.long	GN_VP_VIF
	.byte	0
	relocation NUMBER(GN_SITE_sti), GN_RELOCATE_CALL, 129
	relocation NUMBER(GN_SITE_save_flags), GN_RELOCATE_CALL, 193
	relocation NUMBER(GN_SITE_restore_flags), GN_RELOCATE_CALL, 194
	relocation NUMBER(GN_SITE_iret), GN_RELOCATE_CALL, 195
	relocation NUMBER(GN_SITE_sysret), GN_RELOCATE_JUMP, 133
	relocation NUMBER(GN_SITE_sti_hlt), GN_RELOCATE_CALL, GN_CALL_halt
	relocation NUMBER(GN_SITE_read_cr2), GN_RELOCATE_INLINE, 134, 3, 7
	.byte	0x48, 0x8b, 0x05	/* mov cr2(%rip), %rax */
	.long	GN_VP_CR2
	relocation NUMBER(GN_SITE_write_cr3), GN_RELOCATE_CALL, 196
	relocation NUMBER(GN_SITE_invlpg), GN_RELOCATE_CALL, GN_CALL_invalidate_page
	relocation NUMBER(GN_SITE_write_fs_base), GN_RELOCATE_CALL, 197
	relocation NUMBER(GN_SITE_write_gs_base), GN_RELOCATE_CALL, 198
	relocation NUMBER(GN_SITE_wbinvd), GN_RELOCATE_NOP /* no device sees a guest's memory */
	/* Those between are NATIVE. */
	relocation NUMBER(GN_SITE_pte_set), GN_RELOCATE_CALL, 160
	relocation NUMBER(GN_SITE_pte_swap), GN_RELOCATE_CALL, 161
	relocation NUMBER(GN_SITE_pte_test_and_set_bit), GN_RELOCATE_CALL, 162
	relocation NUMBER(GN_SITE_pte_test_and_clear_bit), GN_RELOCATE_CALL, 163
	relocation NUMBER(GN_SITE_pte_deactivate), GN_RELOCATE_CALL, 164
	.org	gn_relocations + GN_SITE_COUNT * GN_RELOCATION_SIZE, 0
	fill	4096

#include "guest-abi/code-area-notified.S"

/* ---- what the monitor knows of this code: struct gn_range, for arch/x86/vcpu/ranges.c -------- */

	.section .rodata.gn_ranges, "a", @progbits
	.balign 8
.macro range first, last, kind, target=0
	.quad \first, \last, \kind, \target
.endm
	.globl gn_ranges, gn_ranges_end /* the first is the lowest */
gn_ranges:
	/* An event that comes while RIP is in [first, last]: the interrupted code begins again. */
	range announce_other-SHIFT_NOTIFIED, announce_last-SHIFT_NOTIFIED, \
	      GN_RANGE_RESTART, announce-SHIFT_NOTIFIED
	range defer, defer_last, GN_RANGE_RESTART, defer
	/* An event that waits while RIP is in [first, last]: vif = 0, RIP = target, look again. */
	range iret_on_test, iret_on, GN_RANGE_REWIND, iret_on_test
	range deliver_trap_test, deliver_trap_jump, GN_RANGE_REWIND, deliver_trap_test
	range deliver_trap_error_test, deliver_trap_error_jump, GN_RANGE_REWIND, \
	      deliver_trap_error_test
gn_ranges_end:

	.globl gn_places, gn_places_end
gn_places:
	/* An UD2 or a fault with RIP in [first, last]: what it means. */
	range sti_check, sti_check, GN_PLACE_CHECK
	range set_vif_check, set_vif_check, GN_PLACE_CHECK
	range set_flags_check, set_flags_check, GN_PLACE_CHECK
	range iret_request, iret_request, GN_PLACE_IRET
	range deliver_trap_request, deliver_trap_request, GN_PLACE_DELIVERED
	range deliver_trap_error_request, deliver_trap_error_request, GN_PLACE_DELIVERED
	range no_syscall_entry, no_syscall_entry, GN_PLACE_NO_SYSCALL
	range emulate_sgdt, emulate_sgdt, GN_PLACE_EMULATE
	range emulate_sidt, emulate_sidt, GN_PLACE_EMULATE
	range emulate_sldt, emulate_sldt, GN_PLACE_EMULATE
	range emulate_str, emulate_str, GN_PLACE_EMULATE
	range deliver_held_request, deliver_held_request, GN_PLACE_PUSHED
	range deliver_error_held_request, deliver_error_held_request, GN_PLACE_PUSHED
	range refused_cr3, refused_cr3, GN_PLACE_REFUSED, 3	/* MOV to CR3 */
	range refused_fs_base, refused_fs_base, GN_PLACE_REFUSED, 2 /* WRMSR */
	range refused_gs_base, refused_gs_base, GN_PLACE_REFUSED, 2
	/* Faults of the code itself: an IRETQ that cannot, or may not yet; a stack that takes no
	 * frame. */
	range iret_jump, iret_jump, GN_PLACE_IRET_FAULT
	range iret_at_site_jump, iret_at_site_jump, GN_PLACE_IRET_FAULT
	range iret_body, iret_user, GN_PLACE_IRET_FAULT
	range sysret_iretq, sysret_iretq, GN_PLACE_SYSRET_FAULT
	range deliver, deliver_last, GN_PLACE_STACK_FAULT
gn_places_end:

	.globl gn_held, gn_held_end
gn_held: /* an NMI that comes while RIP is in [first, last]: it goes on from target */
	range deliver, deliver_error_jump, 0, deliver_held
gn_held_end:

	.globl gn_deliver_entry
gn_deliver_entry: /* by frames << 2 | trap << 1 | has error code */
	.quad deliver, deliver_error, deliver_trap, deliver_trap_error
	.quad deliver_xen, deliver_xen_error
	.globl gn_xen_failsafe
gn_xen_failsafe:
	.quad deliver_xen_failsafe
	.globl gn_xen_syscall
gn_xen_syscall:
	.quad xen_syscall
	.globl gn_no_syscall_entry
gn_no_syscall_entry:
	.quad no_syscall_entry

	.section .note.GNU-stack, "", @progbits
