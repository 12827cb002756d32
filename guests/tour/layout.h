/* SPDX-License-Identifier: MIT */
/*
 * layout.h - the tour's address space. The upper half is the kernel's and the same in every address
 * space; the lower half is a process's own. Slots 270 and 271 are the monitor's.
 *
 *	0x0000000000400000	the user program (read, execute), shared by all processes
 *	0x0000000010000000	a process's heap, a page for each that it touches
 *	0x00007ffffffff000	the end of a process's stack, likewise
 *	0xffff800000000000	all RAM at its physical address + this (read, write)
 *	0xffffffff80100000	the kernel, at physical address 1 MiB
 */
#ifndef GUESTS_TOUR_LAYOUT_H
#define GUESTS_TOUR_LAYOUT_H

#define PAGE_SIZE 4096

#define USER_TEXT	  0x0000000000400000
#define USER_HEAP	  0x0000000010000000
#define USER_HEAP_SIZE	  0x0000000000100000
#define USER_STACK_END	  0x00007ffffffff000
#define USER_STACK_SIZE	  0x0000000000010000
#define DIRECT_MAP	  0xffff800000000000
#define KERNEL_OFFSET	  0xffffffff80000000 /* linear minus physical address */
#define KERNEL_FIRST_SLOT 256 /* in the level-4 table */

#endif
