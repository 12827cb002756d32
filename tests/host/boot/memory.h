/* SPDX-License-Identifier: MIT */
/* memory.h - a small physical memory with a boot loader's answer in it. */
#ifndef TESTS_HOST_BOOT_MEMORY_H
#define TESTS_HOST_BOOT_MEMORY_H

#include "boot/boot-info.h"

#define MEMORY_SIZE (2ul << 20)
#define IMAGE_START 0x100000ul
#define IMAGE_END   0x140000ul
#define MODULE1	    0x150000ul
#define MODULE2	    0x160000ul
#define INFO	    0x9000u
#define RSDP	    0xe0010u
#define RSDT	    0xe1000u
#define MADT	    0xe2000u
#define FADT	    0xe3000u
#define DSDT	    0xe4000u

extern u8 memory[MEMORY_SIZE];

void put(u64 at, u64 value, unsigned bytes);
void put_text(u64 at, const char *text);
void put_checksum(u64 table, u32 size, u64 at); /* makes the bytes' sum 0 */

/* As boot_map_fn: a copy of exactly these bytes, until map_forget(). */
const void *map(u64 maddr, u64 size);
void map_forget(void);

/* Each makes memory anew. INFO is the information's address; the tables are the same for both. */
void make_multiboot1(void);
void make_multiboot2(void);
void make_acpi(void);

#endif
