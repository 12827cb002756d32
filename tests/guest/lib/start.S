/* SPDX-License-Identifier: MIT */
/*
 * start.S - the two ways into a test kernel.
 *
 *   start_bare	   multiboot 1 or 2 on a machine without a monitor: 32-bit protected mode, CPL 0
 *   start_gnomon  the ELF's entry: 64-bit, ring 1, RSI = struct gn_start_info
 *
 * Both end in kernel_main(start info or NULL) on our own stack. The headers have address fields,
 * since QEMU loads a 64-bit ELF by them only.
 */
#include "tests/guest/lib/layout.h"

#define MULTIBOOT_MAGIC 0x1badb002
#define MULTIBOOT_FLAGS 0x00010000

#define CR0_PG_WP  0x80010000
#define CR4_PAE	   0x20
#define MSR_EFER   0xc0000080
#define EFER	   0x901	/* NXE, LME, SCE */
#define BIG_PAGE   0x83		/* present, writable, 2 MiB */
#define BOOT_SPAN  16		/* of them: 32 MiB */

	.section .multiboot, "a"
	.balign 4
multiboot_header:
	.long	MULTIBOOT_MAGIC, MULTIBOOT_FLAGS, -(MULTIBOOT_MAGIC + MULTIBOOT_FLAGS)
	.long	multiboot_header, image_start, image_data_end, image_end, start_bare

#define MULTIBOOT2_MAGIC  0xe85250d6
#define MULTIBOOT2_LENGTH (multiboot2_end - multiboot2_header)

	.balign 8
multiboot2_header:
	.long	MULTIBOOT2_MAGIC, 0, MULTIBOOT2_LENGTH, -(MULTIBOOT2_MAGIC + MULTIBOOT2_LENGTH)
	.short	2, 0			/* addresses */
	.long	24, multiboot2_header, image_start, image_data_end, image_end
	.short	3, 0			/* entry */
	.long	12, start_bare
	.balign 8
	.short	0, 0			/* end */
	.long	8
multiboot2_end:

	.text
	.code32
start_bare:
	cli
	cld
	mov	%eax, boot_magic
	mov	%ebx, boot_info
	movl	$boot_pdpt + 3, boot_pml4
	movl	$boot_pd + 3, boot_pdpt
	xor	%ecx, %ecx
	mov	$BIG_PAGE, %eax
1:	mov	%eax, boot_pd(, %ecx, 8)
	add	$0x200000, %eax
	inc	%ecx
	cmp	$BOOT_SPAN, %ecx
	jb	1b
	mov	$boot_pml4, %eax
	mov	%eax, %cr3
	mov	$CR4_PAE, %eax
	mov	%eax, %cr4
	mov	$MSR_EFER, %ecx
	mov	$EFER, %eax
	xor	%edx, %edx
	wrmsr
	mov	%cr0, %eax
	or	$CR0_PG_WP, %eax
	mov	%eax, %cr0
	lgdt	boot_gdt_pointer
	ljmp	$KERNEL_CS, $start_long

	.code64
start_long:
	mov	$KERNEL_SS, %eax
	mov	%eax, %ss
	mov	%eax, %ds
	mov	%eax, %es
	xor	%esi, %esi
	.globl start_gnomon
start_gnomon:
	lea	boot_stack_end(%rip), %rsp
	mov	%rsi, %rdi
	xor	%ebp, %ebp
	call	kernel_main
	ud2

	.data
	.balign 8
	.globl gdt
gdt:	.quad	0, 0
	.quad	0x00af9b000000ffff	/* KERNEL_CS */
	.quad	0x00cf93000000ffff	/* KERNEL_SS */
	.quad	0x00cffb000000ffff	/* USER_CS32 */
	.quad	0x00cff3000000ffff	/* USER_SS */
	.quad	0x00affb000000ffff	/* USER_CS */
	.quad	0, 0			/* TSS_SEL, filled by machine.c */
gdt_end:
	.globl boot_gdt_pointer
boot_gdt_pointer:
	.word	gdt_end - gdt - 1
	.quad	gdt

	.balign 8
	.globl boot_info, boot_magic
boot_info:	.quad	0
boot_magic:	.quad	0

	.bss
	.balign 4096
boot_pml4:	.skip 4096
boot_pdpt:	.skip 4096
boot_pd:	.skip 4096
		.skip 16384
boot_stack_end:

	.section .note.GNU-stack, "", @progbits
