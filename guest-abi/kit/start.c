// SPDX-License-Identifier: MIT
/*
 * start.c - from the first stack to kernel_main(): gather what either machine tells, map the vcpu
 * page within the kernel's reach, patch the kernel's sites. See start.h.
 */
#include "guest-abi/kit/start.h"
#include <stddef.h>
#include "guest-abi/kit/console.h"
#include "guest-abi/kit/cpu.h"
#include "guest-abi/kit/operations.h"
#include "guest-abi/kit/patch.h"
#include "guest-abi/layout.h"

#define PAGE_SIZE   4096ul
#define MIB	    (1ul << 20)
#define MAPPED_BARE (1ul << 30)
#define PTE_P	    (1ul << 0)
#define PTE_W	    (1ul << 1)
#define PTE_PS	    (1ul << 7)
#define PTE_NX	    (1ul << 63)
#define PTE_ADDRESS 0x000ffffffffff000ul

/* Multiboot2: the information is its size (4), 0 (4) and tags at multiples of 8. */
enum { TAG_END, TAG_COMMAND_LINE, TAG_MODULE = 3, TAG_MEMORY = 4 };
struct tag {
	uint32_t type, size;
	union {
		struct {
			uint32_t lower, upper; /* KiB below and above 1 MiB */
		} memory;
		struct {
			uint32_t start, end;
		} module;
		char text[4];
	};
};

void gn_start(const struct gn_start_info *info, uint64_t multiboot);

extern const struct gn_site gn_site_table[], gn_site_table_end[];
struct gn_boot gn_boot;
static uint64_t targets[GN_SITE_COUNT];

static uint64_t page_up(uint64_t address)
{
	return (address + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
}

static void copy_command_line(const char *text)
{
	for (unsigned i = 0; text[i] && i < sizeof(gn_boot.command_line) - 1; i++)
		gn_boot.command_line[i] = text[i];
}

static void avoid(uint64_t end)
{
	if (gn_boot.free_start < end)
		gn_boot.free_start = page_up(end);
}

static void read_multiboot(uint64_t at)
{
	const uint64_t end = at + *(const uint32_t *)at;

	avoid((uint64_t)(kernel_end - kernel_base));
	avoid(end);
	for (at += 8; at < end;) {
		const struct tag *tag = (const struct tag *)at;

		if (tag->type == TAG_END)
			break;
		if (tag->type == TAG_COMMAND_LINE)
			copy_command_line(tag->text);
		if (tag->type == TAG_MODULE)
			avoid(tag->module.end);
		if (tag->type == TAG_MEMORY)
			gn_boot.memory_size = MIB + tag->memory.upper * 1024ul;
		at += (tag->size + 7ul) & ~7ul;
	}
	gn_boot.free_end = gn_boot.memory_size < MAPPED_BARE ? gn_boot.memory_size : MAPPED_BARE;
	gn_boot.free_end &= ~(PAGE_SIZE - 1);
}

static void read_start_info(const struct gn_start_info *info)
{
	gn_boot.on_gnomon = true;
	gn_boot.memory_size = info->memory_size;
	gn_boot.free_start = info->free_start;
	gn_boot.free_end = info->free_end;
	gn_boot.vcpu_page = info->vcpu_page_gfn * PAGE_SIZE;
	copy_command_line((const char *)info->command_line);
}

/* The loader maps the kernel in small pages, and its tables are in RAM like all else. */
static void map_vcpu_page(void)
{
	const uint64_t address = (uint64_t)gn_vcpu_alias;
	uint64_t *entry = NULL, table = gn_cpu_read_cr3();

	for (unsigned shift = 39; shift >= 12; shift -= 9) {
		entry = (uint64_t *)(table & PTE_ADDRESS) + (address >> shift & 511);
		if (shift > 12 && (*entry & (PTE_P | PTE_PS)) != PTE_P)
			gn_panic("the vcpu page has no small page at %lx", address);
		table = *entry;
	}
	gn_pte_set(entry, gn_boot.vcpu_page | PTE_P | PTE_W | PTE_NX);
	gn_cpu_invlpg(address);
}

static void patch_sites(void)
{
	const struct gn_patch patch = {
	    .sites = gn_site_table,
	    .sites_end = gn_site_table_end,
	    .text = (uint64_t)kernel_text,
	    .text_end = (uint64_t)kernel_text_end,
	    .write_offset = -(int64_t)kernel_base, /* the text itself is read-only */
	    .vcpu_page = (uint64_t)gn_vcpu_alias,
	    .targets = targets,
	    .relocation = gn_relocation,
	};
	const struct gn_site *wrong;
	const char *why = gn_patch_sites(&patch, &wrong);

	if (why)
		gn_panic("site %d at %lx: %s", wrong ? (int)(wrong - gn_site_table) : -1,
			 wrong ? gn_site_start(wrong) : 0, why);
}

void gn_start(const struct gn_start_info *info, uint64_t multiboot)
{
	bool on_gnomon = info && info->magic == GN_START_MAGIC;

	gn_console_init(on_gnomon);
	if (on_gnomon) {
		read_start_info(info);
		map_vcpu_page();
		patch_sites();
	} else {
		read_multiboot(multiboot);
	}
	kernel_main();
	gn_panic("kernel_main() has returned");
}
