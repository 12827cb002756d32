/* SPDX-License-Identifier: MIT */
/*
 * code-area-notified.S - the page of the code area in which page tables are changed, for guests
 * whose coherence policy is `notified`. Part of code-area.S, which includes it.
 *
 * It is seen in the place of paging_bodies, so what lies in other pages is SHIFT_NOTIFIED bytes
 * farther from it than it is linked. The guest changes its table itself; the monitor must hear of
 * it when a bit of the entry changes that its shadows are made from, if the old or the new entry is
 * present: all bits but A, D, G and those free for the kernel, and A or D where they are taken
 * away.
 */
	.set PTE_AD, 0x60
	.set PTE_TOLD, 0x800ffffffffff09f
	.set PTE_TOLD_OR_AD, PTE_TOLD | PTE_AD
	.set PTE_P_BIT, 0

notified_bodies:
.macro swap_body
	mov	%rsi, %rax
	xchg	%rax, (%rdi)
	mov	%rax, %r11
	xor	%rsi, %r11	/* what has changed */
	mov	%rax, %rcx
	or	$~PTE_AD, %rcx
	and	%rcx, %r11	/* without A and D that were 0 */
	movabs	$PTE_TOLD_OR_AD, %rcx
	test	%rcx, %r11
	jz	1f
	mov	%esi, %ecx
	or	%eax, %ecx
	test	$1, %cl
	jnz	announce
1:	ret
.endm
/* After an entry's bit RSI has changed, RAX what it was: bits are those to tell of. */
.macro bit_body bits
	movabs	$\bits, %rcx
	bt	%rsi, %rcx
	jnc	1f
	cmp	$PTE_P_BIT, %rsi
	je	announce
	testb	$1, (%rdi)
	jnz	announce
1:	ret
.endm

	body	0, notified_bodies
	swap_body
	body	1, notified_bodies
	swap_body
	body	2, notified_bodies
	xor	%eax, %eax
	lock bts %rsi, (%rdi)
	setc	%al
	jc	1f
	bit_body PTE_TOLD
	body	3, notified_bodies
	xor	%eax, %eax
	lock btr %rsi, (%rdi)
	setc	%al
	jnc	1f
	bit_body PTE_TOLD_OR_AD
	body	4, notified_bodies
	xor	%eax, %eax
	xchg	%rax, (%rdi)
	test	$1, %al
	jnz	announce
	ret

/*
 * announce: put {pte_changed, physical address of the entry at RDI} into the ring; keeps RAX. The
 * address comes from the first linear map that holds it, else it is RDI itself. A range, as defer.
 */
.macro map_test number, found
	mov	%rdi, %rcx
	sub	VP(GN_VP_LINEAR + \number * GN_VP_LINEAR_BYTES + GN_VP_LINEAR_FIRST + \
		   SHIFT_NOTIFIED), %rcx
	cmp	VP(GN_VP_LINEAR + \number * GN_VP_LINEAR_BYTES + GN_VP_LINEAR_SIZE + \
		   SHIFT_NOTIFIED), %rcx
	jb	\found
.endm
.macro map_found number
	add	VP(GN_VP_LINEAR + \number * GN_VP_LINEAR_BYTES + GN_VP_LINEAR_PHYSICAL + \
		   SHIFT_NOTIFIED), %rcx
.endm

	fill	32
announce_other:
	map_test 1, announce_1
	map_test 2, announce_2
	map_test 3, announce_3
	mov	%rdi, %rcx
	jmp	announce_gpa
announce_1:
	map_found 1
	jmp	announce_gpa
announce_2:
	map_found 2
	jmp	announce_gpa
announce_3:
	map_found 3
	jmp	announce_gpa
announce:
	mov	%rdi, %rcx
	sub	VP(GN_VP_LINEAR + GN_VP_LINEAR_FIRST + SHIFT_NOTIFIED), %rcx
	cmp	VP(GN_VP_LINEAR + GN_VP_LINEAR_SIZE + SHIFT_NOTIFIED), %rcx
	jae	announce_other
	map_found 0
announce_gpa:
	ring_entry announce_full, SHIFT_NOTIFIED
	movq	$GN_CALL_pte_changed, (%r11)
	mov	%rcx, 8(%r11)
announce_last:
	incl	VP(GN_VP_RING_TAIL + SHIFT_NOTIFIED)
	ret
announce_full:
	push	%rax
	mov	$GN_CALL_drain, %eax
	syscall
	pop	%rax
	jmp	announce
	fill	4096
