// SPDX-License-Identifier: MIT
/*
 * paging.c - builds the monitor's page tables, at boot and only then: 4 levels, SDM 3A 4.5.
 * Accessed and dirty bits are set beforehand, as nothing here is ever aged.
 */
#include "arch/x86/cpu/early-memory.h"
#include "arch/x86/cpu/features.h"
#include "arch/x86/cpu/insn.h"
#include "arch/x86/cpu/paging.h"
#include "arch/x86/switcher/area.h"
#include "boot/layout.h"
#include "lib/bug.h"
#include "lib/compiler.h"
#include "lib/string.h"

#define TABLE	    (PTE_P | PTE_W | PTE_A)
#define CODE	    (PTE_P | PTE_A)
#define CONSTANTS   (PTE_P | PTE_A | PTE_NX)
#define DATA	    (PTE_P | PTE_W | PTE_A | PTE_D | PTE_NX)
#define DEVICE	    (DATA | PTE_PCD | PTE_PWT)
#define FRAMEBUFFER (DATA | PTE_PWT) /* by PAGING_PAT */
#define DEVICE_ROOM (1ul << 30)

#define SIZE_1G (1ul << 30)
#define SIZE_2M (1ul << 21)

/* From the linker script. */
extern const u8 init_start[], init_end[], text_start[], text_end[];
extern const u8 rodata_start[], rodata_end[], data_start[], boot_memory_start[];

/* The shared tables: (c), and only boot changes what is in them. */
static u64 *image_l2, *cpu_l2, *direct_l3, *device_l3, *identity_l3;
static u64 device_used; /* bytes of DEVICE_ROOM; boot only */

static __init u64 *new_table(void)
{
	return early_memory_pointer(early_memory_take(PAGE_SIZE));
}

static maddr_t table_maddr(const u64 *table)
{
	return MADDR((u64)table - DIRECT_BASE);
}

static __init u64 *lower_table(u64 *entry)
{
	if (!(*entry & PTE_P))
		*entry = table_maddr(new_table()).v | TABLE;
	BUG_ON(*entry & PTE_PS);
	return early_memory_pointer(MADDR(*entry & PTE_FRAME));
}

static u64 index_of(u64 address, unsigned level)
{
	return address >> (PAGE_SHIFT + 9 * (level - 1)) & 511;
}

/* Map size bytes at address within the table of the level given, with the largest pages that fit.
 * */
static __init void map(u64 *table, unsigned level, u64 address, u64 maddr, u64 size, u64 flags)
{
	static const u64 page_size[] = {0, PAGE_SIZE, SIZE_2M, SIZE_1G};

	while (size) {
		u64 *t = table;
		unsigned l = level;

		for (; l > 1; l--) {
			u64 here = page_size[l];

			if (!((address | maddr) & (here - 1)) && size >= here &&
			    (l < 3 || cpu_features.pages_1g))
				break;
			t = lower_table(&t[index_of(address, l)]);
		}
		t[index_of(address, l)] = maddr | flags | (l > 1 ? PTE_PS : 0);
		address += page_size[l];
		maddr += page_size[l];
		size -= page_size[l];
	}
}

static __init void map_image(const u8 *start, const u8 *end, u64 flags)
{
	/* Page by page: a large page would need the linker's help, and the image is small. */
	for (const u8 *p = start; p < end; p += PAGE_SIZE)
		map(image_l2, 2, (u64)p, (u64)p - IMAGE_BASE, PAGE_SIZE, flags);
}

static __init void map_direct(u64 start, u64 end, u64 flags)
{
	if (start < end)
		map(direct_l3, 3, DIRECT_BASE + start, start, end - start, flags);
}

/* Everything from the 32-bit code to rodata must not be written, by any alias, but for boot's code,
 * which soon is free memory. */
static __init void map_ram(const struct range *ram)
{
	const struct {
		u64 end, flags;
	} pieces[] = {
		{IMAGE_LOAD, DATA},
		{(u64)init_start - IMAGE_BASE, CONSTANTS},
		{(u64)init_end - IMAGE_BASE, DATA},
		{(u64)rodata_end - IMAGE_BASE, CONSTANTS},
		{~0ul, DATA},
	};
	u64 start = ram->start;

	for (unsigned i = 0; i < ARRAY_SIZE(pieces); i++) {
		u64 end = MIN(ram->end, pieces[i].end);

		map_direct(start, end, pieces[i].flags);
		start = MAX(start, end);
	}
}

/* tour: what the monitor maps */
__init void paging_init(const struct range_set *ram)
{
	image_l2 = new_table();
	cpu_l2 = new_table();
	direct_l3 = new_table();
	device_l3 = new_table();
	identity_l3 = new_table();
	map_image(init_start, init_end, CODE);
	map_image(text_start, text_end, CODE);
	map_image(rodata_start, rodata_end, CONSTANTS);
	map_image(data_start, boot_memory_start, DATA);
	for (u32 i = 0; i < ram->count; i++)
		map_ram(&ram->range[i]);
}
/* tour ends */

/* CPUs that idle may remember the pages; they run none of that code, and the first thing that a CPU
 * does for a guest is to write CR3. */
void paging_unmap_init(void)
{
	for (const u8 *p = init_start; p < init_end; p += PAGE_SIZE) {
		u64 *table = early_memory_pointer(MADDR(image_l2[index_of((u64)p, 2)] & PTE_FRAME));

		table[index_of((u64)p, 1)] = 0;
	}
	write_cr3(read_cr3());
}

__init void paging_make_root(struct paging_root *root)
{
	u64 *l4 = new_table(), *l3 = new_table(), *guest_l3 = new_table();
	u64 *area_l2 = new_table(), *area_l1 = new_table();
	u64 *alias_l2 = new_table(), *alias_l1 = new_table();
	u64 first = index_of(AREA_ALIASES, 3);
	u64 last = index_of(AREA_ALIASES + AREA_ALIASES_SIZE - 1, 3);

	for (unsigned i = 0; i < 512; i++)
		alias_l2[i] = table_maddr(alias_l1).v | TABLE;
	for (u64 i = first; i <= last; i++)
		l3[i] = guest_l3[i] = table_maddr(alias_l2).v | TABLE;
	area_l2[0] = table_maddr(area_l1).v | TABLE;
	l3[0] = guest_l3[0] = table_maddr(area_l2).v | TABLE;
	l3[index_of(IMAGE_BASE, 3)] = table_maddr(image_l2).v | TABLE;
	l3[index_of(CPU_BASE, 3)] = table_maddr(cpu_l2).v | TABLE;
	l4[SLOT_SWITCHER] = table_maddr(l3).v | TABLE;
	l4[SLOT_DIRECT] = table_maddr(direct_l3).v | TABLE;
	l4[SLOT_DEVICE] = table_maddr(device_l3).v | TABLE;
	*root = (struct paging_root){
		.root = table_maddr(l4),
		.guest_l4e = table_maddr(guest_l3).v | TABLE,
		.area_l1 = area_l1,
		.alias_l1 = alias_l1,
	};
}

__init void paging_map_cpu_page(u64 address, maddr_t page)
{
	map(cpu_l2, 2, address, page.v, PAGE_SIZE, DATA);
}

__init void paging_map_identity(struct paging_root *root, maddr_t page)
{
	u64 *l4 = early_memory_pointer(root->root);

	map(identity_l3, 3, page.v, page.v, PAGE_SIZE, CODE | PTE_W | PTE_D);
	l4[0] = table_maddr(identity_l3).v | TABLE;
}

__init void paging_unmap_identity(struct paging_root *root)
{
	u64 *l4 = early_memory_pointer(root->root);

	l4[0] = 0;
}

static __init volatile void *map_device(u64 maddr, u64 size, u64 flags)
{
	u64 start = ALIGN_DOWN(maddr, PAGE_SIZE), offset = maddr - start;
	u64 address = DEVICE_BASE + device_used;

	if (size == 0 || size > DEVICE_ROOM || maddr >> 52)
		return NULL;
	size = ALIGN_UP(offset + size, PAGE_SIZE);
	if (size > DEVICE_ROOM - device_used)
		return NULL;
	for (u64 at = 0; at < size; at += PAGE_SIZE)
		map(device_l3, 3, address + at, start + at, PAGE_SIZE, flags);
	device_used += size;
	return (volatile u8 *)address + offset;
}

__init volatile void *paging_map_device(u64 maddr, u64 size)
{
	return map_device(maddr, size, DEVICE);
}

__init volatile void *paging_map_framebuffer(u64 maddr, u64 size)
{
	return map_device(maddr, size, FRAMEBUFFER);
}
