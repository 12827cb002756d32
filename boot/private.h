/* SPDX-License-Identifier: MIT */
/*
 * private.h - what the readers of this folder share: the state of one reading, little-endian loads,
 * and the functions through which they add to struct boot_info.
 */
#ifndef BOOT_PRIVATE_H
#define BOOT_PRIVATE_H

#include "boot/boot-info.h"
#include "lib/compiler.h"

struct boot_reading {
	struct boot_info *info;
	boot_map_fn map;
	bool path_first;	  /* command lines begin with a file's path, which is no argument */
	struct range_set not_ram; /* what some entry of the memory map calls other than available */
};

/* Their bytes lie at any alignment. */
static inline u16 load_u16(const u8 *p)
{
	return (u16)(p[0] | p[1] << 8);
}

static inline u32 load_u32(const u8 *p)
{
	return load_u16(p) | (u32)load_u16(p + 2) << 16;
}

static inline u64 load_u64(const u8 *p)
{
	return load_u32(p) | (u64)load_u32(p + 4) << 32;
}

/* boot.c */
void boot_add_memory(struct boot_reading *r, u64 maddr, u64 size, u32 type);
void boot_add_module(struct boot_reading *r, u64 start, u64 end, u64 command_line);
void boot_set_loader(struct boot_reading *r, u64 name);
/* Colours as in both specifications' framebuffer records: position and size of red, green, blue. */
void boot_set_screen(struct boot_reading *r, const u8 *record, const u8 *colours);
/* Copy the zero-terminated text at maddr. */
void boot_copy_text(struct boot_reading *r, struct boot_text *text, u64 maddr);

/* multiboot1.c, multiboot2.c: NULL, or what makes it impossible to go on. */
const char *boot_read_multiboot1(struct boot_reading *r, u64 maddr);
const char *boot_read_multiboot2(struct boot_reading *r, u64 maddr);

/* acpi.c: fill info->acpi from info->rsdp, or say what is missing. */
void boot_read_acpi(struct boot_reading *r);
u64 boot_find_rsdp(boot_map_fn map); /* where a BIOS puts it; 0 = nowhere */

#endif
