/* SPDX-License-Identifier: MIT */
/*
 * start.S - the monitor's first instructions. A boot loader leaves us in 32-bit protected mode
 * without paging, the loader's magic number in EAX and the address of its information in EBX
 * (Multiboot 3.2, Multiboot2 3.3). Here: check for long mode, map the first 4 GiB three times (at 0
 * for the next few instructions, at the direct map, and its first GiB where the image is linked),
 * enter 64-bit mode and call monitor_main(magic, information). All of these tables are replaced in
 * paging.c and then freed.
 */
#include "boot/layout.h"
#include "boot/multiboot.h"

#define PHYSICAL(symbol) (symbol - IMAGE_BASE)
#define COM1		 0x3f8
#define COM2		 0x2f8
#define PTE_TABLE	 0x03	/* present, writable */
#define PTE_LARGE	 0x83	/* and a large page */
#define PAGE		 4096
#define BOOT_STACK	 16384
#define CODE64		 8

	.section .boot.header, "a"

	.balign 8
multiboot1:
	.long MB1_HEADER_MAGIC, MB1_HEADER_FLAGS, -(MB1_HEADER_MAGIC + MB1_HEADER_FLAGS)
	.long multiboot1, IMAGE_LOAD, PHYSICAL(image_load_end), PHYSICAL(image_end), start

	.balign 8
multiboot2:
	.long MB2_HEADER_MAGIC, MB2_ARCH_I386, multiboot2_end - multiboot2
	.long -(MB2_HEADER_MAGIC + MB2_ARCH_I386 + (multiboot2_end - multiboot2))

	/* With addresses given a loader does not look at the ELF and loads none of its debug
	 * sections. */
	.short MB2_HEADER_LOAD, 0
	.long 24, multiboot2, IMAGE_LOAD, PHYSICAL(image_load_end), PHYSICAL(image_end)
	.short MB2_HEADER_ENTRY, 0
	.long 12, start
	.balign 8
	.short MB2_HEADER_MODULE_ALIGN, 0
	.long 8
	.short MB2_HEADER_CONSOLE, MB2_OPTIONAL
	.long 12, MB2_CONSOLE_EGA_TEXT
	.balign 8
	.short MB2_HEADER_FRAMEBUFFER, MB2_OPTIONAL	/* any size, any depth */
	.long 20, 0, 0, 0
	.balign 8
	.short MB2_HEADER_END, 0
	.long 8
multiboot2_end:

	.section .boot, "ax"
	.code32

	.globl start
start:
	cli
	cld
	movl	$PHYSICAL(boot_stack_top), %esp
	movl	%eax, %ebp		/* magic, for monitor_main; EBX keeps the information */
	movl	%ebx, %esi

	/* Long mode: CPUID exists, and leaf 0x80000001 EDX bit 29 (SDM 2A CPUID). */
	pushfl
	popl	%eax
	movl	%eax, %ecx
	xorl	$1 << 21, %eax
	pushl	%eax
	popfl
	pushfl
	popl	%eax
	cmpl	%eax, %ecx
	je	no_long_mode
	movl	$0x80000000, %eax
	cpuid
	cmpl	$0x80000001, %eax
	jb	no_long_mode
	movl	$0x80000001, %eax
	cpuid
	btl	$29, %edx
	jnc	no_long_mode

	/* The tables are zero: the loader cleared them with the rest of .bss. */
	movl	$PHYSICAL(boot_l3_low) + PTE_TABLE, PHYSICAL(boot_l4)
	movl	$PHYSICAL(boot_l3_low) + PTE_TABLE, PHYSICAL(boot_l4) + SLOT_DIRECT * 8
	movl	$PHYSICAL(boot_l3_image) + PTE_TABLE, PHYSICAL(boot_l4) + SLOT_SWITCHER * 8
	movl	$PHYSICAL(boot_l2) + PTE_TABLE, PHYSICAL(boot_l3_image) + 8
	movl	$PHYSICAL(boot_l3_low), %edi
	movl	$PHYSICAL(boot_l2) + PTE_TABLE, %eax
	movl	$4, %ecx
1:	movl	%eax, (%edi)
	addl	$PAGE, %eax
	addl	$8, %edi
	loop	1b
	movl	$PHYSICAL(boot_l2), %edi
	movl	$PTE_LARGE, %eax
	movl	$4 * 512, %ecx
2:	movl	%eax, (%edi)
	addl	$2 << 20, %eax
	addl	$8, %edi
	loop	2b

	/* PAE, root, EFER.LME, paging: in this order (SDM 3A 10.8.5). */
	movl	%cr4, %eax
	orl	$1 << 5, %eax
	movl	%eax, %cr4
	movl	$PHYSICAL(boot_l4), %eax
	movl	%eax, %cr3
	movl	$0xc0000080, %ecx
	rdmsr
	orl	$1 << 8, %eax
	wrmsr
	movl	%cr0, %eax
	orl	$(1 << 31) | (1 << 16), %eax
	movl	%eax, %cr0
	lgdtl	PHYSICAL(boot_gdt_pointer)
	ljmpl	$CODE64, $enter64

	.code64
enter64:
	movabsq	$start64, %rax
	jmp	*%rax

	.code32
	/* Say so wherever somebody may look, without knowing that a port exists, and stop. */
no_long_mode:
	movl	$no_long_mode_text, %esi
	movl	$0xb8000, %edi
3:	lodsb
	testb	%al, %al
	jz	5f
	movb	$7, %ah
	stosw
	movl	$COM1, %edx
	call	put_byte
	movl	$COM2, %edx
	call	put_byte
	jmp	3b
5:	hlt
	jmp	5b

put_byte:
	movb	%al, %bl
	addl	$5, %edx		/* line status: wait a bounded time for an empty register */
	movl	$100000, %ecx
6:	inb	%dx, %al
	testb	$0x20, %al
	loopz	6b
	subl	$5, %edx
	movb	%bl, %al
	outb	%al, %dx
	ret

no_long_mode_text:
	.asciz	"gnomon: this CPU lacks long mode (64-bit); Gnomon needs an x86-64 machine\n"

	.section .rodata, "a"
	.balign 8
	/* Accessed bits are set already, or the CPU would write to read-only memory. */
	.globl boot_gdt
boot_gdt:
	.quad	0
	.quad	0x00af9b000000ffff	/* CODE64 */
	.quad	0x00cf93000000ffff
boot_gdt_end:
	.short	0
boot_gdt_pointer:			/* for 32-bit code, before paging */
	.short	boot_gdt_end - boot_gdt - 1
	.long	PHYSICAL(boot_gdt)
	.balign	8
	.short	0, 0, 0
boot_gdt_pointer64:
	.short	boot_gdt_end - boot_gdt - 1
	.quad	boot_gdt

	.section .text.init, "ax"
	.code64
/* tour: the first 64-bit instructions */
start64:
	lgdt	boot_gdt_pointer64(%rip)
	xorl	%eax, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	movl	%eax, %fs
	movl	%eax, %gs
	leaq	boot_stack_top(%rip), %rsp
	movl	%ebp, %edi		/* ESI holds the information's address */
	movl	%esi, %esi
	xorl	%ebp, %ebp		/* the backtrace ends here */
	call	monitor_main
	ud2
/* tour ends */

	.section .boot.bss, "aw", @nobits
	.balign PAGE
boot_l4:	.skip PAGE
boot_l3_low:	.skip PAGE
boot_l3_image:	.skip PAGE
boot_l2:	.skip 4 * PAGE
	.globl	boot_stack, boot_stack_top
boot_stack:	.skip BOOT_STACK
boot_stack_top:

	.section .note.GNU-stack, "", @progbits
