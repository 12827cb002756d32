// SPDX-License-Identifier: MIT
/* memory.c - see memory.h. The answers are those of a machine of 64 MiB with two CPUs. */
#include <stdlib.h>
#include <string.h>
#include "boot/multiboot.h"
#include "tests/host/boot/memory.h"

#define COPIES_MAX 65536

u8 memory[MEMORY_SIZE];
static void *copies[COPIES_MAX];
static unsigned copy_count;

void put(u64 at, u64 value, unsigned bytes)
{
	memcpy(memory + at, &value, bytes);
}

void put_text(u64 at, const char *text)
{
	memcpy(memory + at, text, strlen(text) + 1);
}

void put_checksum(u64 table, u32 size, u64 at)
{
	u8 sum = 0;

	memory[at] = 0;
	for (u32 i = 0; i < size; i++)
		sum = (u8)(sum + memory[table + i]);
	memory[at] = (u8)-sum;
}

const void *map(u64 maddr, u64 size)
{
	void *copy;

	if (maddr >= MEMORY_SIZE || size > MEMORY_SIZE - maddr)
		return NULL;
	/* One byte at a time is how texts are read: keep those apart cheaply. */
	if (size == 1)
		return memory + maddr;
	if (copy_count == COPIES_MAX)
		abort();
	copy = malloc(size);
	memcpy(copy, memory + maddr, size);
	copies[copy_count++] = copy;
	return copy;
}

void map_forget(void)
{
	while (copy_count)
		free(copies[--copy_count]);
}

static void put_header(u64 at, const char *signature, u32 size)
{
	memcpy(memory + at, signature, 4);
	put(at + 4, size, 4);
}

static void make_madt(void)
{
	static const u8 entries[] = {
	    0, 8,  0, 0, 1,    0,    0,	   0,				   /* CPU 0 */
	    0, 8,  1, 5, 1,    0,    0,	   0,				   /* CPU 5 */
	    0, 8,  2, 6, 0,    0,    0,	   0,				   /* not enabled */
	    1, 12, 0, 0, 0,    0,    0xc0, 0xfe, 0,   0, 0, 0,		   /* IO-APIC */
	    2, 10, 0, 9, 20,   0,    0,	   0,	 0xf, 0,		   /* IRQ 9: low, level */
	    9, 16, 0, 0, 0x34, 0x12, 0,	   0,	 1,   0, 0, 0, 0, 0, 0, 0, /* x2APIC CPU 0x1234 */
	};
	u32 size = 44 + sizeof(entries);

	put_header(MADT, "APIC", size);
	memcpy(memory + MADT + 44, entries, sizeof(entries));
	put_checksum(MADT, size, MADT + 9);
}

static void make_fadt(void)
{
	static const u8 s5[] = {8, '_', 'S', '5', '_', 0x12, 6, 4, 0x0a, 5, 0x0a, 7, 0, 0};

	put_header(FADT, "FACP", 116);
	put(FADT + 40, DSDT, 4);
	put(FADT + 64, 0x604, 4);
	put_checksum(FADT, 116, FADT + 9);
	put_header(DSDT, "DSDT", 36 + 20 + sizeof(s5));
	memcpy(memory + DSDT + 36 + 20, s5, sizeof(s5));
	put_checksum(DSDT, 36 + 20 + sizeof(s5), DSDT + 9);
}

void make_acpi(void)
{
	memcpy(memory + RSDP, "RSD PTR ", 8);
	put(RSDP + 16, RSDT, 4);
	put_checksum(RSDP, 20, RSDP + 8);
	put_header(RSDT, "RSDT", 36 + 8);
	put(RSDT + 36, FADT, 4);
	put(RSDT + 40, MADT, 4);
	put_checksum(RSDT, 36 + 8, RSDT + 9);
	make_madt();
	make_fadt();
}

/* Out of order, with a hole that one entry calls RAM and another does not. */
static const struct {
	u64 start, size;
	u32 type;
} map_entries[] = {
    {0x100000, 0x3f00000, 1},
    {0, 0x9fc00, 1},
    {0xf0000, 0x10000, 2},
    {0x3000000, 0x1234, 2},
};

#define MAP_COUNT (sizeof(map_entries) / sizeof(map_entries[0]))

static void put_module(u64 at, u64 start, u64 size, u64 text)
{
	put(at, start, 4);
	put(at + 4, start + size, 4);
	put(at + 8, text, 4);
}

void make_multiboot1(void)
{
	memset(memory, 0, sizeof(memory));
	make_acpi();
	put(INFO, 1 << 2 | 1 << 3 | 1 << 6 | 1 << 9, 4);
	put(INFO + 16, 0xa000, 4);
	put_text(0xa000, "gnomon.elf exit=debug stats");
	put(INFO + 20, 2, 4);
	put(INFO + 24, 0xb000, 4);
	put_module(0xb000, MODULE1, 0x1800, 0xb100);
	put_module(0xb010, MODULE2, 5, 0xb200);
	put_text(0xb100, "a/path guest=a append=x y");
	put_text(0xb200, "a/path");
	put(INFO + 44, MAP_COUNT * 24, 4);
	put(INFO + 48, 0xc000, 4);
	for (unsigned i = 0; i < MAP_COUNT; i++) {
		put(0xc000 + i * 24, 20, 4);
		put(0xc004 + i * 24, map_entries[i].start, 8);
		put(0xc00c + i * 24, map_entries[i].size, 8);
		put(0xc014 + i * 24, map_entries[i].type, 4);
	}
	put(INFO + 64, 0xd000, 4);
	put_text(0xd000, "qemu");
}

static u64 put_tag(u64 at, u32 type, const void *bytes, u32 size)
{
	put(at, type, 4);
	put(at + 4, 8 + size, 4);
	memcpy(memory + at + 8, bytes, size);
	return (at + 8 + size + 7) & ~7ul;
}

static u64 put_module_tag(u64 at, u32 start, u32 size, const char *text)
{
	u8 bytes[64];
	u32 end = start + size;

	memcpy(bytes, &start, 4);
	memcpy(bytes + 4, &end, 4);
	memcpy(bytes + 8, text, strlen(text) + 1);
	return put_tag(at, MB2_TAG_MODULE, bytes, (u32)(8 + strlen(text) + 1));
}

void make_multiboot2(void)
{
	static const u8 screen[] = {0, 0, 0, 0x80, 0, 0,  0, 0, 0, 16, 0, 0, 0, 4, 0,
				    0, 0, 3, 0,	   0, 32, 1, 0, 0, 16, 8, 8, 8, 0, 8};
	u8 entries[8 + MAP_COUNT * 24] = {24};
	u64 at = INFO + 8;

	memset(memory, 0, sizeof(memory));
	make_acpi();
	for (unsigned i = 0; i < MAP_COUNT; i++) {
		memcpy(entries + 8 + i * 24, &map_entries[i].start, 8);
		memcpy(entries + 16 + i * 24, &map_entries[i].size, 8);
		memcpy(entries + 24 + i * 24, &map_entries[i].type, 4);
	}
	at = put_tag(at, MB2_TAG_COMMAND_LINE, "exit=debug stats", 17);
	at = put_tag(at, MB2_TAG_LOADER, "GRUB\n2", 7);
	at = put_module_tag(at, MODULE1, 0x1800, "guest=a append=x y");
	at = put_module_tag(at, MODULE2, 5, "");
	at = put_tag(at, MB2_TAG_MEMORY_MAP, entries, sizeof(entries));
	at = put_tag(at, MB2_TAG_FRAMEBUFFER, screen, sizeof(screen));
	at = put_tag(at, MB2_TAG_ACPI_OLD, memory + RSDP, 20);
	at = put_tag(at, MB2_TAG_END, "", 0);
	put(INFO, at - INFO, 4);
}
