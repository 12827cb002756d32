/* SPDX-License-Identifier: MIT */
/*
 * start.S - the two ways into a kernel (start.h says what it finds then):
 *
 *   gn_start_bare    multiboot2 on a machine without a monitor: 32-bit, CPL 0, EBX = information
 *   gn_start_gnomon  the ELF file's entry: 64-bit, ring 1, RSI = struct gn_start_info
 *
 * Both end in gn_start(RSI or 0, EBX or 0), in start.c, on a stack of our own.
 */
#include "guest-abi/layout.h"

#define PHYSICAL(symbol) (symbol - 0xffffffff80000000) /* kernel_base of kernel.ld */

#define MULTIBOOT2_MAGIC  0xe85250d6
#define MULTIBOOT2_LENGTH (multiboot2_end - multiboot2_header)
#define MULTIBOOT2_LOADED 0x36d76289 /* EAX */

#define CR0_PG_WP 0x80010001 /* and PE */
#define CR4_PAE	  0x20
#define MSR_EFER  0xc0000080
#define EFER	  0x901 /* NXE, LME, SCE */
#define TABLE	  3	/* present, writable */
#define BIG_PAGE  0x83	/* and 2 MiB */

	.section .multiboot, "a"
	.balign 8
multiboot2_header:
	.long	MULTIBOOT2_MAGIC, 0, MULTIBOOT2_LENGTH, -(MULTIBOOT2_MAGIC + MULTIBOOT2_LENGTH)
	.short	3, 0 /* the entry */
	.long	12, PHYSICAL(gn_start_bare)
	.balign 8
	.short	0, 0 /* the end */
	.long	8
multiboot2_end:

	.text
	.code32
	.globl gn_start_bare
gn_start_bare:
	cld
	cmp	$MULTIBOOT2_LOADED, %eax
	jne	2f
	/* The first GiB, at its physical address and where the kernel is linked. */
	movl	$PHYSICAL(boot_low) + TABLE, PHYSICAL(boot_root)
	movl	$PHYSICAL(boot_high) + TABLE, PHYSICAL(boot_root + 511 * 8)
	movl	$PHYSICAL(boot_pages) + TABLE, PHYSICAL(boot_low)
	movl	$PHYSICAL(boot_pages) + TABLE, PHYSICAL(boot_high + 510 * 8)
	xor	%ecx, %ecx
	mov	$BIG_PAGE, %eax
1:	mov	%eax, PHYSICAL(boot_pages)(, %ecx, 8)
	add	$0x200000, %eax
	inc	%ecx
	cmp	$512, %ecx
	jb	1b
	mov	$PHYSICAL(boot_root), %eax
	mov	%eax, %cr3
	mov	$CR4_PAE, %eax
	mov	%eax, %cr4
	mov	$MSR_EFER, %ecx
	mov	$EFER, %eax
	xor	%edx, %edx
	wrmsr
	mov	$CR0_PG_WP, %eax
	mov	%eax, %cr0
	lgdt	PHYSICAL(boot_gdt_low)
	ljmp	$GN_GUEST_KERNEL_CS, $PHYSICAL(start_long)
2:	hlt
	jmp	2b

	.code64
start_long:
	mov	$GN_GUEST_KERNEL_SS, %eax
	mov	%eax, %ss
	mov	%eax, %ds
	mov	%eax, %es
	xor	%esi, %esi
	lgdt	boot_gdt_high
	mov	$gn_start_gnomon, %rax
	jmp	*%rax

	.globl gn_start_gnomon
gn_start_gnomon:
	lea	boot_stack_end(%rip), %rsp
	xor	%ebp, %ebp
	mov	%rsi, %rdi
	mov	%ebx, %esi /* 0 on Gnomon */
	call	gn_start
	ud2

	.section .rodata
	.balign 8
boot_gdt: /* as Gnomon's own, guest-abi/layout.h */
	.quad	0, 0
	.quad	0x00af9b000000ffff /* GN_GUEST_KERNEL_CS */
	.quad	0x00cf93000000ffff /* GN_GUEST_KERNEL_SS */
	.quad	0x00cffb000000ffff
	.quad	0x00cff3000000ffff /* GN_USER_SS */
	.quad	0x00affb000000ffff /* GN_USER_CS */
boot_gdt_low:
	.word	boot_gdt_low - boot_gdt - 1
	.quad	PHYSICAL(boot_gdt)
boot_gdt_high:
	.word	boot_gdt_low - boot_gdt - 1
	.quad	boot_gdt

	.bss
	.balign 4096
	.globl gn_vcpu_alias
gn_vcpu_alias:	.skip 4096
boot_root:	.skip 4096
boot_low:	.skip 4096
boot_high:	.skip 4096
boot_pages:	.skip 4096
		.skip 16384
boot_stack_end:

	.section .note.GNU-stack, "", @progbits
