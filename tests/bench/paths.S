/* SPDX-License-Identifier: MIT */
/*
 * paths.S - what is measured, instruction by instruction. Under -icount shift=0 the TSC counts
 * executed instructions, so a path reads it, does the thing once, and reads it again; the two reads
 * alone are a path of their own (nothing), whose figure main.c subtracts.
 *
 *   (i)   functions of the kernel: uint64_t path(void), the figure
 *   (ii)  code of the user, run by the library: the figure in RAX
 *   (iii) the kernel's half of those: handlers and entries
 *
 * A pair of names bare_X and gnomon_X is one thing done on each machine. Slots are called through
 * words of memory, since the code area is beyond a direct call.
 */
#include "guest-abi/kit/asm.h"
#include "tests/bench/paths.h"

#define KERNEL_TSC %r9d	/* kept by hypercalls and handlers */
#define USER_TSC   %r12d

	.text

/* ---- (i) ----------------------------------------------------------------------------------- */

.macro path name
	.globl	\name
\name:
	rdtsc
	mov	%eax, KERNEL_TSC
.endm

.macro path_end
	rdtsc
	sub	KERNEL_TSC, %eax
	ret
.endm

path nothing
	path_end

path null_hypercall
	call	*slot_version(%rip)
	path_end

path null_int
	mov	$GN_CALL_version, %eax
	int	$GN_HYPERCALL_VECTOR
	path_end

path bare_cli_sti
	cli
	sti
	path_end

path gnomon_cli_sti
	call	*slot_cli(%rip)
	call	*slot_sti(%rip)
	path_end

path gnomon_inline_cli_sti
	mov	vcpu_page(%rip), %rcx
	movb	$0, GN_VP_VIF(%rcx)
	call	*slot_sti(%rip)
	path_end

path bare_invlpg
	mov	invlpg_address(%rip), %rdi
	invlpg	(%rdi)
	path_end

path gnomon_invlpg
	mov	invlpg_address(%rip), %rdi
	call	*slot_invalidate_page(%rip)
	path_end

path bare_load_cr3
	mov	next_root(%rip), %rdi
	mov	%rdi, %cr3
	path_end

path gnomon_load_cr3
	mov	next_root(%rip), %rdi
	call	*slot_load_cr3(%rip)
	path_end

/* The local APIC sends itself EVENT_VECTOR; the store is complete when the interrupt has come. */
path bare_event
	mov	icr(%rip), %rcx
	movl	$ICR_SELF | EVENT_VECTOR, (%rcx)
	path_end

path gnomon_event
	mov	$GN_PORT_SELF, %edi
	call	*slot_port_raise(%rip)
	path_end

/* A store to a page table. */
path store_entry
	mov	entry_address(%rip), %rdi
	mov	entry_value(%rip), %rcx
	mov	%rcx, (%rdi)
	path_end

/* COW_PAGES entries become read-only, as when a process is copied, and the TLB hears of it. */
.macro mark_cow
	mov	entry_address(%rip), %rdi
	mov	$COW_PAGES, %ecx
1:	andq	$~PTE_WRITABLE, (%rdi)
	add	$8, %rdi
	dec	%ecx
	jnz	1b
	mov	next_root(%rip), %rdi
.endm

path bare_mark_cow
	mark_cow
	mov	%rdi, %cr3
	path_end

path gnomon_mark_cow
	mark_cow
	call	*slot_load_cr3(%rip)
	path_end

/* RING_BATCH pages of the stage's end, which nothing maps. */
path bare_ring
	mov	invlpg_address(%rip), %rdi
	mov	$GN_RING_BATCH, %ecx
1:	invlpg	(%rdi)
	add	$4096, %rdi
	dec	%ecx
	jnz	1b
	path_end

path gnomon_ring
	mov	vcpu_page(%rip), %rcx
	mov	GN_VP_RING + 4(%rcx), %edx
	mov	invlpg_address(%rip), %rdi
	mov	$GN_RING_BATCH, %esi
1:	mov	%edx, %eax
	and	$GN_RING_BATCH - 1, %eax
	lea	(%rax, %rax, 4), %rax
	lea	GN_VP_RING + 8(%rcx, %rax, 8), %rax
	movq	$GN_CALL_invalidate_page, (%rax)
	mov	%rdi, 8(%rax)
	add	$4096, %rdi
	inc	%edx
	dec	%esi
	jnz	1b
	mov	%edx, GN_VP_RING + 4(%rcx)
	call	*slot_drain(%rip)
	path_end

/* An entry gets a new value; on the bare machine that is all. */
path bare_pte_write
	mov	pte_linear(%rip), %rdi
	mov	pte_value(%rip), %rsi
	mov	%rsi, (%rdi)
	path_end

path gnomon_pte_write
	mov	pte_physical(%rip), %rdi
	mov	pte_value(%rip), %rsi
	call	*slot_pte_write(%rip)
	path_end

path bare_pte_swap
	mov	pte_linear(%rip), %rdi
	mov	pte_value(%rip), %rsi
	xchg	%rsi, (%rdi)
	path_end

path gnomon_pte_swap
	mov	pte_linear(%rip), %rdi
	mov	pte_value(%rip), %rsi
	call	*slot_pte_swap(%rip)
	path_end

path gnomon_drain
	call	*slot_drain(%rip)
	path_end

/* COW_PAGES entries in a row lose W, then the TLB is flushed. */
path bare_cow
	mov	pte_linear(%rip), %rdi
	mov	$COW_PAGES, %edx
1:	lock btrq $1, (%rdi)
	add	$8, %rdi
	dec	%edx
	jnz	1b
	mov	%cr3, %rax
	mov	%rax, %cr3
	path_end

path gnomon_cow
	mov	pte_linear(%rip), %rdi
	mov	$COW_PAGES, %edx
	mov	$1, %esi
1:	call	*slot_pte_test_and_clear_bit(%rip)
	add	$8, %rdi
	dec	%edx
	jnz	1b
	call	*slot_flush_tlb(%rip)
	path_end

/* ---- (ii) ---------------------------------------------------------------------------------- */

	.section .rodata
.macro user_path name
	.globl	\name\()_start
\name\()_start:
	rdtsc
	mov	%eax, USER_TSC
.endm

.macro user_path_end name
	rdtsc
	sub	USER_TSC, %eax
	.globl	\name\()_end
\name\()_end:
.endm

user_path user_nothing
	user_path_end user_nothing

user_path user_syscall
	syscall
	user_path_end user_syscall

user_path user_touch
	mov	(%rdi), %rcx
	user_path_end user_touch

user_path user_undefined
	ud2
	user_path_end user_undefined

/* Begun by bare_iret or gnomon_iret. */
	.globl user_arrived_start, user_arrived_end
user_arrived_start:
	user_path_end user_arrived

	.text

/* ---- (iii) --------------------------------------------------------------------------------- */

/* A system call that does nothing. */
	.globl bare_syscall, gnomon_syscall
bare_syscall:
	sysretq
gnomon_syscall:
	jmp	*slot_sysret(%rip)

/* The frame is at RSP. */
	.globl bare_iret, gnomon_iret
bare_iret:
	rdtsc
	mov	%eax, USER_TSC
	iretq
gnomon_iret:
	rdtsc
	mov	%eax, USER_TSC
	jmp	*slot_iret(%rip)

/* Handlers that note when they were reached; then the library reports the exception. */
	.globl undefined_handler, page_fault_handler
undefined_handler:
	rdtsc
	sub	USER_TSC, %eax
	jmp	exception_stubs + 6 * 16
page_fault_handler:
	rdtsc
	sub	USER_TSC, %eax
	jmp	exception_stubs + 14 * 16

/* The least that a demand-paging kernel does: fill the entry, drop the error code, go back. */
.macro supply_page
	push	%rax
	push	%rcx
	mov	demand_entry(%rip), %rax
	mov	demand_value(%rip), %rcx
	mov	%rcx, (%rax)
	pop	%rcx
	pop	%rax
	lea	8(%rsp), %rsp
.endm
	.globl bare_demand_handler, gnomon_demand_handler
bare_demand_handler:
	supply_page
	iretq
gnomon_demand_handler:
	supply_page
	jmp	*slot_iret(%rip)

	.globl bare_event_handler, gnomon_event_handler
bare_event_handler:
	push	%rax
	mov	end_of_interrupt(%rip), %rax
	movl	$0, (%rax)
	pop	%rax
	incl	events(%rip)
	iretq
gnomon_event_handler:
	incl	events(%rip)
	jmp	*slot_iret(%rip)

	.data
	.balign 8
	.globl	next_root, invlpg_address, entry_address, entry_value, demand_entry
	.globl	demand_value, events, icr, end_of_interrupt
	.globl	pte_linear, pte_physical, pte_value
next_root:		.quad 0
pte_linear:		.quad 0
pte_physical:		.quad 0
pte_value:		.quad 0
invlpg_address:		.quad 0
entry_address:		.quad 0
entry_value:		.quad 0
demand_entry:		.quad 0
demand_value:		.quad 0
events:			.quad 0
icr:			.quad APIC + 0x300
end_of_interrupt:	.quad APIC + 0xb0
vcpu_page:		.quad GN_VCPU_PAGE
slot_version:		.quad GN_SLOT(GN_CALL_version)
slot_invalidate_page:	.quad GN_SLOT(GN_CALL_invalidate_page)
slot_load_cr3:		.quad GN_SLOT(GN_CALL_load_cr3)
slot_port_raise:	.quad GN_SLOT(GN_CALL_port_raise)
slot_drain:		.quad GN_SLOT(GN_CALL_drain)
slot_flush_tlb:		.quad GN_SLOT(GN_CALL_flush_tlb)
slot_pte_write:		.quad GN_SLOT(GN_CALL_pte_write)
slot_pte_swap:		.quad GN_SLOT(GN_OP_pte_swap)
slot_pte_test_and_clear_bit: .quad GN_SLOT(GN_OP_pte_test_and_clear_bit)
slot_cli:		.quad GN_SLOT(GN_OP_cli)
slot_sti:		.quad GN_SLOT(GN_OP_sti)
slot_iret:		.quad GN_SLOT(GN_OP_iret)
slot_sysret:		.quad GN_SLOT(GN_OP_sysret)

	.section .note.GNU-stack, "", @progbits
