/* SPDX-License-Identifier: MIT */
/*
 * layout.h - where the monitor is linked and mapped: the numbers that the linker script, the first
 * instructions (start.S) and the page tables (arch/x86/cpu/paging.c) must agree on. HACKING.md has
 * the picture.
 */
#ifndef BOOT_LAYOUT_H
#define BOOT_LAYOUT_H

#ifdef __ASSEMBLER__
#define LAYOUT_U64(x) x
#else
#define LAYOUT_U64(x) x##ul
#endif

/* Top-level slots of 512 GiB each. */
#define SLOT_SWITCHER 271 /* switcher, image and per-CPU memory, one GiB each */
#define SLOT_DIRECT   272 /* all RAM */
#define SLOT_DEVICE   273 /* device registers, the framebuffer */

#define IMAGE_BASE  LAYOUT_U64(0xffff878040000000) /* the image, at IMAGE_BASE + its address */
#define CPU_BASE    LAYOUT_U64(0xffff878080000000) /* the CPUs' stacks */
#define DIRECT_BASE LAYOUT_U64(0xffff880000000000) /* RAM, at DIRECT_BASE + its address */
#define DEVICE_BASE LAYOUT_U64(0xffff888000000000)

#define IMAGE_LOAD 0x100000 /* physical address where a boot loader puts the first byte */

/* start.S maps this much of physical memory, and all that boot loaders pass to us lies in it. */
#define BOOT_MAPPED LAYOUT_U64(0x100000000)

#endif
