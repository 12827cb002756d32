/* SPDX-License-Identifier: MIT */
/*
 * start.h - what a kernel that is linked with the kit's start (start.S, start.c, kernel.ld) is
 * given. The same ELF file is started by a multiboot2 loader on the bare machine, at CPL 0, and by
 * Gnomon, in ring 1. When kernel_main() is called, its sites are patched and, on either machine,
 *
 *	- it runs where kernel.ld links it, on a stack of 16 KiB, with the interrupt flag clear;
 *	- RAM is mapped at its physical address, too (the bare machine: the first GiB of it);
 *	- the GDT has the selectors of guest-abi/layout.h: GN_GUEST_KERNEL_CS ... GN_USER_CS;
 *	- there is no IDT.
 *
 * A kernel that makes page tables of its own maps the page at gn_vcpu_alias to gn_boot.vcpu_page
 * there: patched sites store to it.
 */
#ifndef GUEST_ABI_KIT_START_H
#define GUEST_ABI_KIT_START_H

#include <stdbool.h>
#include <stdint.h>

struct gn_boot {
	bool on_gnomon;
	uint64_t memory_size;	       /* the end of RAM (the bare machine has holes below 1 MiB) */
	uint64_t free_start, free_end; /* physical: RAM that nothing uses, in whole pages */
	uint64_t vcpu_page;	       /* the physical address of what belongs at gn_vcpu_alias */
	char command_line[256];
};

extern struct gn_boot gn_boot; /* constant when kernel_main() is called */

/* The kernel's own; it does not return. */
void kernel_main(void);

/* The linker script's; kernel_base is the distance from physical to linked address. */
extern char kernel_base[], kernel_text[], kernel_text_end[], kernel_rodata[], kernel_data[],
    kernel_end[];
/* Code and constants for ring 3: section .user. Part of the text, whole pages. */
extern char kernel_user[], kernel_user_end[];

extern char gn_vcpu_alias[4096];

#endif
