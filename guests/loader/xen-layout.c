// SPDX-License-Identifier: MIT
/*
 * xen-layout.c - see xen.h. The order is that of Xen's own builder, which Linux relies on: the
 * kernel, an initrd that must be mapped, the p2m list, start info, console, page tables, boot
 * stack; at least 512 KiB more, up to a border of 4 MiB. Behind the map an initrd that need not be
 * mapped.
 */
#include "guests/loader/xen.h"

#define SLACK	  (512ul << 10)
#define MAP_ALIGN (4ul << 20)
#define MAP_MAX	  (512ul << 20)	     /* Linux maps no more around its image */
#define LOWEST	  0xffff880000000000 /* below are Xen's own addresses */

static uint64_t take(uint64_t *end, uint64_t size)
{
	uint64_t at = *end;

	*end = page_up(at + size);
	return at;
}

/* Tables of this level for the linear addresses [start, last]. */
static uint64_t tables_of_level(uint64_t start, uint64_t last, unsigned level)
{
	unsigned shift = 12 + 9 * level;

	return (last >> shift) - (start >> shift) + 1;
}

static uint64_t map_up(uint64_t address)
{
	return (address + MAP_ALIGN - 1) & ~(MAP_ALIGN - 1);
}

/*
 * The map's tables lie in the map: more of them can make it longer, and longer maps need more.
 * Linux later forgets of this map what lies before the end of the tables, up to a border: the slack
 * must not pass it, or pages stay writable and executable.
 */
static void lay_out_tables(const struct xen_notes *notes, struct xen_layout *l)
{
	uint64_t counted;

	l->table_count = 1;
	do {
		uint64_t end = l->tables + l->table_count * PAGE_SIZE;

		l->stack = take(&end, PAGE_SIZE);
		l->map_end = map_up(end + SLACK);
		if (l->map_end > map_up(l->tables + l->table_count * PAGE_SIZE)) {
			l->tables = l->map_end - MAP_ALIGN;
			continue;
		}
		counted = 0;
		for (unsigned level = 1; level <= 4; level++)
			counted += tables_of_level(notes->virt_base,
						   notes->virt_base + l->map_end - 1, level);
		if (counted == l->table_count)
			break;
		l->table_count = counted;
	} while (l->map_end <= MAP_MAX);
}

static const char *judge_notes(const struct xen_notes *notes, const struct elf_kernel *kernel)
{
	if (notes->paddr_offset)
		return "the kernel's Xen notes move its physical addresses: not supported";
	if (notes->virt_base < LOWEST || notes->virt_base % PAGE_SIZE ||
	    notes->virt_base > -(MAP_MAX + MAP_ALIGN))
		return "the kernel's Xen notes put it at addresses that no kernel can have";
	if (notes->entry < notes->virt_base || notes->entry - notes->virt_base >= kernel->end)
		return "the kernel's Xen notes name an entry point outside of it";
	if (notes->hypercall_page &&
	    (notes->hypercall_page % PAGE_SIZE || notes->hypercall_page < notes->virt_base ||
	     notes->hypercall_page - notes->virt_base >= page_down(kernel->end)))
		return "the kernel's Xen notes name a hypercall page outside of it";
	return NULL;
}

const char *xen_lay_out(const struct gn_loader_info *info, const struct elf_kernel *kernel,
			const struct xen_notes *notes, struct xen_layout *l)
{
	const char *why = judge_notes(notes, kernel);
	uint64_t end = page_up(kernel->end);

	if (why)
		return why;
	*l = (struct xen_layout){0};
	if (!notes->mod_start_pfn)
		l->mapped_initrd = take(&end, info->initrd_size);
	l->p2m = take(&end, info->memory_size / PAGE_SIZE * sizeof(uint64_t));
	l->start_info = take(&end, PAGE_SIZE);
	l->console = take(&end, PAGE_SIZE);
	l->tables = end;
	lay_out_tables(notes, l);
	if (l->map_end > MAP_MAX)
		return "the kernel and what belongs to it do not fit into its first 512 MiB";
	l->end = l->map_end;
	if (notes->mod_start_pfn)
		l->initrd = take(&l->end, info->initrd_size);
	if (notes->is_linux && l->end < kernel->end + linux_room(info->initrd_size))
		l->end = kernel->end + linux_room(info->initrd_size);
	return l->end > info->memory_size ? memory_too_small : NULL;
}
