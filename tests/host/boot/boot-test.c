// SPDX-License-Identifier: MIT
/*
 * boot-test.c - see README.md. Arguments: the number of mutations, the random seed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "boot/multiboot.h"
#include "tests/host/boot/memory.h"

#define MUTATIONS 20000

static struct boot_info info;
static unsigned passed, failed;

static const char *read_as(u32 magic)
{
	memset(&info, 0, sizeof(info));
	map_forget();
	return boot_read(&info, magic, INFO, IMAGE_START, IMAGE_END, map);
}

static void check(bool good, const char *what)
{
	if (good) {
		passed++;
		return;
	}
	failed++;
	printf("boot: not so: %s\n", what);
}

#define CHECK(condition) check(condition, #condition)

static bool refused_for(unsigned module, const char *why)
{
	return info.module[module].refused && strcmp(info.module[module].refused, why) == 0;
}

static void check_acpi(void)
{
	CHECK(info.acpi.cpu_count == 3 && !info.acpi.missing);
	CHECK(info.acpi.cpu_apic_id[1] == 5 && info.acpi.cpu_apic_id[2] == 0x1234);
	CHECK(info.acpi.ioapic_count == 1 && info.acpi.ioapic[0].maddr == 0xfec00000);
	CHECK(info.acpi.override_count == 1 && info.acpi.override[0].irq == 9);
	CHECK(info.acpi.override[0].gsi == 20 && info.acpi.override[0].active_low);
	CHECK(info.acpi.override[0].level);
	CHECK(info.acpi.pm1a_control == 0x604 && info.acpi.pm1b_control == 0);
	CHECK(info.acpi.sleep_type_a == 5 && info.acpi.sleep_type_b == 7);
}

static void check_common(void)
{
	CHECK(strcmp(info.command_line.bytes, "exit=debug stats") == 0);
	CHECK(info.module_count == 2 && !info.module[0].refused && !info.module[1].refused);
	CHECK(info.module[0].maddr == MODULE1 && info.module[0].size == 0x1800);
	CHECK(strcmp(info.module[0].command_line.bytes, "guest=a append=x y") == 0);
	CHECK(strcmp(info.module[1].command_line.bytes, "") == 0);
	/* Whole pages; what two entries disagree on is not RAM. */
	CHECK(info.ram.count == 3);
	CHECK(info.ram.range[0].start == 0 && info.ram.range[0].end == 0x9f000);
	CHECK(info.ram.range[1].start == 0x100000 && info.ram.range[1].end == 0x3000000);
	CHECK(info.ram.range[2].start == 0x3002000 && info.ram.range[2].end == 0x4000000);
	check_acpi();
}

static void test_good(void)
{
	make_multiboot1();
	CHECK(read_as(MB1_LOADER_MAGIC) == NULL);
	CHECK(strcmp(info.loader, "qemu") == 0 && info.screen.kind == BOOT_SCREEN_TEXT);
	check_common();
	/* Only QEMU puts a path first. */
	put_text(0xd000, "GRUB");
	read_as(MB1_LOADER_MAGIC);
	CHECK(strcmp(info.command_line.bytes, "gnomon.elf exit=debug stats") == 0);

	make_multiboot2();
	CHECK(read_as(MB2_LOADER_MAGIC) == NULL);
	CHECK(strcmp(info.loader, "GRUB.2") == 0);
	CHECK(info.screen.kind == BOOT_SCREEN_PIXELS && info.screen.maddr == 0x80000000);
	CHECK(info.screen.pitch == 4096 && info.screen.width == 1024 && info.screen.height == 768);
	CHECK(info.screen.red_shift == 16 && info.screen.green_shift == 8 &&
	      info.screen.blue_shift == 0);
	check_common();
}

static void test_escapes(void)
{
	make_multiboot1();
	put_text(0xa000, "gnomon.elf \\\"a\\\\b\\'c\\d\\");
	read_as(MB1_LOADER_MAGIC);
	CHECK(strcmp(info.command_line.bytes, "\"a\\b'c\\d\\") == 0);
}

static void test_modules(void)
{
	make_multiboot1();
	put(0xb000, IMAGE_START, 4);
	put(0xb004, IMAGE_START + 1, 4);
	put(0xb014, MODULE2, 4);
	read_as(MB1_LOADER_MAGIC);
	CHECK(refused_for(0, "it overlaps the monitor") && refused_for(1, "it is empty"));
	put(0xb000, MODULE1 + 1, 4);
	put(0xb010, 0xa0000, 4);
	put(0xb014, 0xa0001, 4);
	read_as(MB1_LOADER_MAGIC);
	CHECK(refused_for(0, "it is empty") && refused_for(1, "it does not lie in memory"));
	put(0xb004, MODULE1 + 2, 4);
	read_as(MB1_LOADER_MAGIC);
	CHECK(refused_for(0, "it does not begin on a page"));
	put(0xb000, MODULE2, 4);
	put(0xb004, MODULE2 + 0x1001, 4);
	put(0xb010, MODULE2 + 0x1000, 4);
	put(0xb014, MODULE2 + 0x1010, 4);
	read_as(MB1_LOADER_MAGIC);
	CHECK(!info.module[0].refused && refused_for(1, "it overlaps an earlier module"));
}

static void test_long_texts(void)
{
	make_multiboot1();
	put_text(0xd000, "GRUB");
	put(INFO + 16, 0x10000, 4);
	memset(memory + 0x10000, 'a', BOOT_COMMAND_LINE_MAX);
	read_as(MB1_LOADER_MAGIC);
	CHECK(strlen(info.command_line.bytes) == BOOT_COMMAND_LINE_MAX);
	memory[0x10000 + BOOT_COMMAND_LINE_MAX] = 'a';
	read_as(MB1_LOADER_MAGIC);
	CHECK(info.command_line.too_long && info.command_line.bytes[0] == 0);
	/* Many: the room for all of them ends, and each that finds none says so. */
	memory[0x10000 + BOOT_COMMAND_LINE_MAX] = 0;
	put(INFO + 20, BOOT_MODULE_MAX + 3, 4);
	for (u64 i = 0; i < BOOT_MODULE_MAX + 3; i++)
		put(0xb008 + i * 16, 0x10000, 4);
	read_as(MB1_LOADER_MAGIC);
	CHECK(info.module_count == BOOT_MODULE_MAX && info.modules_left_out == 3);
	CHECK(!info.module[0].command_line.too_long);
	CHECK(info.module[BOOT_MODULE_MAX - 1].command_line.too_long);
}

static void test_refusals(void)
{
	make_multiboot1();
	CHECK(read_as(0x12345678) != NULL);
	put(INFO, 0, 4);
	CHECK(read_as(MB1_LOADER_MAGIC) != NULL);
	put(INFO, 1 << 6, 4);
	put(INFO + 44, 0, 4);
	CHECK(read_as(MB1_LOADER_MAGIC) != NULL);
	make_multiboot2();
	put(INFO, 0xffffffff, 4);
	CHECK(read_as(MB2_LOADER_MAGIC) != NULL);
	put(INFO, 8, 4);
	CHECK(read_as(MB2_LOADER_MAGIC) != NULL);
}

static void test_acpi(void)
{
	make_multiboot1();
	memory[MADT + 20] ^= 1; /* its checksum is wrong: as if it were not there */
	read_as(MB1_LOADER_MAGIC);
	CHECK(info.acpi.cpu_count == 0 && info.acpi.missing && info.acpi.pm1a_control == 0x604);
	make_multiboot1();
	memory[RSDP] = 'r';
	read_as(MB1_LOADER_MAGIC);
	CHECK(info.rsdp == 0 && info.acpi.missing && info.screen.kind == BOOT_SCREEN_NONE);
	make_multiboot1();
	memory[MADT + 44 + 1] = 0; /* an entry of no length ends the list */
	put_checksum(MADT, 44 + 62, MADT + 9);
	read_as(MB1_LOADER_MAGIC);
	CHECK(info.acpi.cpu_count == 0 && info.acpi.missing);
}

static bool text_is_good(const struct boot_text *t)
{
	return t->bytes && strlen(t->bytes) <= BOOT_COMMAND_LINE_MAX;
}

static bool ram_is_good(void)
{
	u64 last = 0;

	for (u32 i = 0; i < info.ram.count; i++) {
		const struct range *r = &info.ram.range[i];

		if (r->start % 4096 || r->end % 4096 || r->start >= r->end)
			return false;
		if (i && r->start <= last)
			return false;
		last = r->end;
	}
	return info.ram.count <= RANGE_MAX && range_contains(&info.ram, IMAGE_START, IMAGE_END);
}

static bool modules_are_good(void)
{
	for (u32 i = 0; i < info.module_count; i++) {
		const struct boot_module *m = &info.module[i], *n;
		u64 end = (m->maddr + m->size + 4095) & ~4095ul;

		if (!text_is_good(&m->command_line))
			return false;
		if (m->refused)
			continue;
		if (m->maddr % 4096 || !range_contains(&info.ram, m->maddr, end) ||
		    (m->maddr < IMAGE_END && end > IMAGE_START))
			return false;
		for (n = info.module; n < m; n++)
			if (!n->refused && n->maddr < end && n->maddr + n->size > m->maddr)
				return false;
	}
	return info.module_count <= BOOT_MODULE_MAX;
}

static bool screen_is_good(void)
{
	const struct boot_screen *s = &info.screen;
	u64 line =
	    s->kind == BOOT_SCREEN_TEXT ? s->width * 2ul : s->width * (u64)(s->bits_per_pixel / 8);

	return s->kind == BOOT_SCREEN_NONE ||
	       (line <= s->pitch && s->height && s->width && (u64)s->pitch * s->height < 1ul << 32);
}

/* Promises that hold whatever the bytes were. */
static void test_mutations(unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		bool second = rand() & 1;
		unsigned changes = 1 + (unsigned)rand() % 8;

		if (second)
			make_multiboot2();
		else
			make_multiboot1();
		while (changes--) {
			static const u32 areas[] = {INFO, INFO, 0xb000, 0xc000,
						    RSDT, MADT, FADT,	DSDT};
			u32 at = areas[(unsigned)rand() % 8] + (unsigned)rand() % 320;

			memory[at] = rand() & 1 ? (u8)rand() : rand() & 1 ? 0xff : 0;
		}
		if (rand() & 1) {
			put_checksum(MADT, 44 + 62, MADT + 9);
			put_checksum(FADT, 116, FADT + 9);
			put_checksum(RSDT, 44, RSDT + 9);
		}
		if (read_as(second ? MB2_LOADER_MAGIC : MB1_LOADER_MAGIC))
			continue;
		if (!text_is_good(&info.command_line) || !ram_is_good() || !modules_are_good() ||
		    !screen_is_good() || info.acpi.cpu_count > BOOT_CPU_MAX) {
			printf("boot: a promise is broken in mutation %u\n", i);
			failed++;
			return;
		}
	}
	passed++;
}

int main(int argc, char **argv)
{
	unsigned count = argc > 1 ? (unsigned)atoi(argv[1]) : MUTATIONS;
	unsigned seed = argc > 2 ? (unsigned)atoi(argv[2]) : 1;

	test_good();
	test_escapes();
	test_modules();
	test_long_texts();
	test_refusals();
	test_acpi();
	srand(seed);
	test_mutations(count);
	map_forget();
	printf("boot (seed %u): %u passed, %u failed\n", seed, passed, failed);
	return failed != 0;
}
