// SPDX-License-Identifier: MIT
/*
 * multiboot2.c - the tags of Multiboot 2.0, section 3.6: a size, then tags at multiples of 8 bytes.
 */
#include "boot/multiboot.h"
#include "boot/private.h"

#define INFO_SIZE_MAX (1 << 20)

struct tag {
	u64 maddr;
	const u8 *bytes; /* all size bytes can be read */
	u32 type, size;
};

static void read_memory_map(struct boot_reading *r, const struct tag *tag)
{
	u32 entry_size;

	if (tag->size < 16)
		return;
	entry_size = load_u32(tag->bytes + 8);
	if (entry_size < 20)
		return;
	for (u64 at = 16; at + entry_size <= tag->size; at += entry_size) {
		const u8 *entry = tag->bytes + at;

		boot_add_memory(r, load_u64(entry), load_u64(entry + 8), load_u32(entry + 16));
	}
}

static void read_tag(struct boot_reading *r, const struct tag *tag)
{
	const u8 *bytes = tag->bytes;

	switch (tag->type) {
	case MB2_TAG_COMMAND_LINE:
		boot_copy_text(r, &r->info->command_line, tag->maddr + 8);
		break;
	case MB2_TAG_LOADER:
		boot_set_loader(r, tag->maddr + 8);
		break;
	case MB2_TAG_MODULE:
		if (tag->size > 16)
			boot_add_module(r, load_u32(bytes + 8), load_u32(bytes + 12),
					tag->maddr + 16);
		break;
	case MB2_TAG_MEMORY_MAP:
		read_memory_map(r, tag);
		break;
	case MB2_TAG_FRAMEBUFFER:
		if (tag->size >= 38)
			boot_set_screen(r, bytes + 8, bytes + 32);
		break;
	case MB2_TAG_ACPI_OLD:
		if (tag->size >= 8 + 20 && !r->info->rsdp)
			r->info->rsdp = tag->maddr + 8;
		break;
	case MB2_TAG_ACPI_NEW:
		if (tag->size >= 8 + 36)
			r->info->rsdp = tag->maddr + 8;
		break;
	}
}

const char *boot_read_multiboot2(struct boot_reading *r, u64 maddr)
{
	const u8 *head = r->map(maddr, 8);
	u32 total = head ? load_u32(head) : 0;

	if (total < 16 || total > INFO_SIZE_MAX || !r->map(maddr, total))
		return "the boot loader's information lies outside memory, or is too large";
	r->info->protocol = "multiboot2";
	for (u64 at = 8; at + 8 <= total;) {
		struct tag tag = {.maddr = maddr + at, .bytes = r->map(maddr + at, total - at)};

		tag.type = load_u32(tag.bytes);
		tag.size = load_u32(tag.bytes + 4);
		if (tag.type == MB2_TAG_END || tag.size < 8 || tag.size > total - at)
			break;
		read_tag(r, &tag);
		at += ALIGN_UP((u64)tag.size, 8);
	}
	return r->info->ram.count ? NULL : "the boot loader's memory map names no memory";
}
