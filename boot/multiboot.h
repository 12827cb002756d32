/* SPDX-License-Identifier: MIT */
/*
 * multiboot.h - the numbers of the Multiboot 1 (0.6.96) and Multiboot 2 (2.0) specifications that
 * we use. start.S has the headers; multiboot1.c and multiboot2.c read what the loader answers.
 */
#ifndef BOOT_MULTIBOOT_H
#define BOOT_MULTIBOOT_H

#define MB1_HEADER_MAGIC 0x1badb002
#define MB1_LOADER_MAGIC 0x2badb002
#define MB1_HEADER_FLAGS 0x00010003 /* modules on pages, memory map, address fields valid */

#define MB2_HEADER_MAGIC	0xe85250d6
#define MB2_LOADER_MAGIC	0x36d76289
#define MB2_ARCH_I386		0
#define MB2_OPTIONAL		1
#define MB2_HEADER_END		0
#define MB2_HEADER_ASK		1
#define MB2_HEADER_LOAD		2
#define MB2_HEADER_ENTRY	3
#define MB2_HEADER_CONSOLE	4
#define MB2_HEADER_FRAMEBUFFER	5
#define MB2_HEADER_MODULE_ALIGN 6
#define MB2_CONSOLE_EGA_TEXT	2

#define MB2_TAG_END	     0
#define MB2_TAG_COMMAND_LINE 1
#define MB2_TAG_LOADER	     2
#define MB2_TAG_MODULE	     3
#define MB2_TAG_MEMORY_MAP   6
#define MB2_TAG_FRAMEBUFFER  8
#define MB2_TAG_ACPI_OLD     14
#define MB2_TAG_ACPI_NEW     15

#define MB1_INFO_COMMAND_LINE (1 << 2)
#define MB1_INFO_MODULES      (1 << 3)
#define MB1_INFO_MEMORY_MAP   (1 << 6)
#define MB1_INFO_LOADER	      (1 << 9)
#define MB1_INFO_FRAMEBUFFER  (1 << 12)

/* Both specifications agree on these. */
#define MB_MEMORY_AVAILABLE 1
#define MB_FRAMEBUFFER_RGB  1
#define MB_FRAMEBUFFER_TEXT 2

#endif
