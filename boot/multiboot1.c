// SPDX-License-Identifier: MIT
/* multiboot1.c - the information structure of Multiboot 0.6.96, section 3.3. */
#include "boot/multiboot.h"
#include "boot/private.h"
#include "lib/string.h"

#define INFO_SIZE	116
#define MAP_ENTRIES_MAX 1024

/* Each entry begins with its own size, which does not count itself. */
static const char *read_memory_map(struct boot_reading *r, u64 maddr, u32 length)
{
	u64 end = maddr + length;

	for (u32 i = 0; i < MAP_ENTRIES_MAX && maddr + 24 <= end; i++) {
		const u8 *entry = r->map(maddr, 24);

		if (!entry)
			break;
		boot_add_memory(r, load_u64(entry + 4), load_u64(entry + 12), load_u32(entry + 20));
		maddr += 4ul + load_u32(entry);
	}
	return r->info->ram.count ? NULL : "the boot loader's memory map names no memory";
}

static void read_modules(struct boot_reading *r, u64 maddr, u32 count)
{
	/* A count of four billion would take seconds to read for nothing. */
	if (count > BOOT_MODULE_MAX) {
		r->info->modules_left_out = count - BOOT_MODULE_MAX;
		count = BOOT_MODULE_MAX;
	}
	for (u32 i = 0; i < count; i++, maddr += 16) {
		const u8 *module = r->map(maddr, 16);

		if (!module)
			break;
		boot_add_module(r, load_u32(module), load_u32(module + 4), load_u32(module + 8));
	}
}

/* Tables where a BIOS puts them mean a BIOS, and that means the text mode of old. */
static void set_vga_text(struct boot_screen *screen)
{
	*screen = (struct boot_screen){
		.kind = BOOT_SCREEN_TEXT,
		.maddr = 0xb8000,
		.pitch = 160,
		.width = 80,
		.height = 25,
	};
}

const char *boot_read_multiboot1(struct boot_reading *r, u64 maddr)
{
	const u8 *info = r->map(maddr, INFO_SIZE);
	u32 flags;

	if (!info)
		return "the boot loader's information lies outside memory";
	r->info->protocol = "multiboot1";
	flags = load_u32(info);
	if (flags & MB1_INFO_LOADER)
		boot_set_loader(r, load_u32(info + 64));
	/* QEMU puts the file's path before the arguments, GRUB does not. */
	r->path_first = strcmp(r->info->loader, "qemu") == 0;
	if (flags & MB1_INFO_COMMAND_LINE)
		boot_copy_text(r, &r->info->command_line, load_u32(info + 16));
	if (flags & MB1_INFO_MODULES)
		read_modules(r, load_u32(info + 24), load_u32(info + 20));
	if (flags & MB1_INFO_FRAMEBUFFER)
		boot_set_screen(r, info + 88, info + 110);
	r->info->rsdp = boot_find_rsdp(r->map);
	if (!(flags & MB1_INFO_FRAMEBUFFER) && r->info->rsdp)
		set_vga_text(&r->info->screen);
	if (!(flags & MB1_INFO_MEMORY_MAP))
		return "the boot loader gave no memory map";
	return read_memory_map(r, load_u32(info + 48), load_u32(info + 44));
}
