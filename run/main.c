// SPDX-License-Identifier: MIT
/* main.c - from the boot loader to the guests. */
#include "arch/x86/cpu/insn.h"
#include "arch/x86/cpu/serial.h"
#include "boot/boot-info.h"
#include "boot/layout.h"
#include "lib/log.h"

void monitor_main(u32 magic, u32 maddr);

extern const u8 image_end[];

static struct boot_info boot_info;

static void com1_write(struct log_sink *sink, const char *text, size_t size)
{
	(void)sink;
	serial_write(SERIAL_COM1, text, size);
}

static void com2_write(struct log_sink *sink, const char *text, size_t size)
{
	(void)sink;
	serial_write(SERIAL_COM2, text, size);
}

static struct log_sink com1 = { .write = com1_write }, com2 = { .write = com2_write };

static const void *boot_map(u64 maddr, u64 size)
{
	if (maddr >= BOOT_MAPPED || size > BOOT_MAPPED - maddr)
		return NULL;
	return (const void *)(DIRECT_BASE + maddr);
}

void monitor_main(u32 magic, u32 maddr)
{
	const char *error;

	serial_init();
	log_add_sink(&com1);
	log_add_sink(&com2);
	error = boot_read(&boot_info, magic, maddr, IMAGE_LOAD, (u64)image_end - IMAGE_BASE, boot_map);
	if (error)
		log_error("%s", error);
	else
		log_info("booted by %s (%s), %lu MiB, %u CPUs", boot_info.protocol, boot_info.loader,
			 boot_info.ram_bytes >> 20, boot_info.acpi.cpu_count);
	log_error("no guest: give at least one module with guest=NAME");
	outb(0xf4, 1);
	halt_for_ever();
}
