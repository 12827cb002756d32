/* SPDX-License-Identifier: MIT */
/*
 * trampoline.S - the first instructions of a CPU that we start. It wakes in real mode at the
 * beginning of a page below 1 MiB (SDM 3A 9.4.3) into which smp.c has copied this, CS being the
 * page's address / 16, and goes to 64-bit mode in one step: PAE, root, EFER.LME and then protection
 * and paging at once (SDM 3A 10.8.5). The root maps this page at its own address for the few
 * instructions that are left.
 */
#include "arch/x86/cpu/trampoline.h"

#define HERE(symbol) (symbol - trampoline_start)
#define CODE64	     8
#define EFER	     0xc0000080
#define EFER_LME_NXE 0x900
#define CR0_FIRST    0x80010031	/* PG WP NE ET PE */

	.section .rodata, "a"
	.balign 16
	.globl trampoline_start, trampoline_words, trampoline_end
	.code16
trampoline_start:
	cli
	cld
	mov	%cs, %ax
	mov	%ax, %ds
	movzwl	%ax, %ebx
	shll	$4, %ebx		/* this page's address */
	movl	HERE(trampoline_words) + TRAMPOLINE_CR4, %eax
	movl	%eax, %cr4
	movl	HERE(trampoline_words) + TRAMPOLINE_CR3, %eax
	movl	%eax, %cr3
	movl	$EFER, %ecx
	movl	$EFER_LME_NXE, %eax
	xorl	%edx, %edx
	wrmsr
	addl	%ebx, HERE(gdt_base)
	addl	%ebx, HERE(target)
	lgdtl	HERE(gdt_pointer)
	movl	$CR0_FIRST, %eax
	movl	%eax, %cr0
	ljmpl	*HERE(target)

	.code64
enter64:
	xorl	%eax, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	movl	%eax, %fs
	movl	%eax, %gs
	movq	trampoline_words + TRAMPOLINE_STACK(%rip), %rsp
	movq	trampoline_words + TRAMPOLINE_CPU(%rip), %rdi
	movq	trampoline_words + TRAMPOLINE_ENTRY(%rip), %rax
	pushq	$0			/* no caller */
	xorl	%ebp, %ebp
	jmp	*%rax

	.balign 8
gdt:
	.quad	0
	.quad	0x00af9b000000ffff	/* CODE64 */
gdt_end:
	.short	0
gdt_pointer:
	.short	gdt_end - gdt - 1
gdt_base:
	.long	HERE(gdt)
target:
	.long	HERE(enter64)
	.short	CODE64
	.balign 8
trampoline_words:
	.skip	32
trampoline_end:

	.section .note.GNU-stack, "", @progbits
