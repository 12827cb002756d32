// SPDX-License-Identifier: MIT
/*
 * paging-audit.c - re-derives from the tables as they are what paging.h promises of them
 * (debug=audit):
 *
 *   (1) only the slots of switcher, direct map and devices are in use; nothing is global or user
 *   (2) no page is both writable and executable
 *   (3) no alias of the image's text and constants is writable (where boot's code was, is memory
 *       like any other)
 *   (4) nothing in the direct map or the device slot is executable
 *   (5) around each stack lie pages that are not present
 */
#include "arch/x86/cpu/cpu.h"
#include "arch/x86/cpu/early-memory.h"
#include "boot/layout.h"
#include "lib/bug.h"

#define PTE_USER   (1ul << 2)
#define PTE_GLOBAL (1ul << 8)

extern const u8 init_start[], init_end[], rodata_end[]; /* from the linker script, as in paging.c */

struct audit {
	u64 pages; /* entries that map something */
	u64 address;
	const char *fault; /* the first one found, there */
};

static u64 page_size(unsigned level)
{
	return 1ul << (PAGE_SHIFT + 9 * (level - 1));
}

static const char *judge_page(u64 address, u64 entry, unsigned level)
{
	u64 start = entry & PTE_FRAME & ~(page_size(level) - 1), end = start + page_size(level);
	bool writable = entry & PTE_W, executable = !(entry & PTE_NX);

	if (writable && executable)
		return "a page is writable and executable";
	if (writable && start < (u64)rodata_end - IMAGE_BASE && end > IMAGE_LOAD &&
	    (start < (u64)init_start - IMAGE_BASE || end > (u64)init_end - IMAGE_BASE))
		return "the image's text or constants are writable";
	if (executable && address >= DIRECT_BASE)
		return "data is executable";
	if (address >= CPU_BASE && address < AREA_ALIASES && cpu_is_guard_page(address))
		return "a stack has no guard page";
	return NULL;
}

static void walk(struct audit *a, const u64 *table, unsigned level, u64 base)
{
	for (u64 i = 0; i < 512 && !a->fault; i++) {
		u64 entry = table[i], address = base + i * page_size(level);

		if (!(entry & PTE_P))
			continue;
		a->address = address;
		if (entry & (PTE_USER | PTE_GLOBAL)) {
			a->fault = "an entry is global or user";
		} else if (level == 1 || (entry & PTE_PS)) {
			a->pages++;
			a->fault = judge_page(address, entry, level);
		} else {
			walk(a, early_memory_pointer(MADDR(entry & PTE_FRAME)), level - 1, address);
		}
	}
}

u64 paging_audit(const struct paging_root *root)
{
	const u64 *top = early_memory_pointer(root->root);
	struct audit a = {0};

	for (u64 i = 0; i < 512; i++)
		if ((top[i] & PTE_P) && (i < SLOT_SWITCHER || i > SLOT_DEVICE))
			bug_panic("audit: slot %lu of the monitor's tables is in use", i);
	walk(&a, top, 4, ~0ul << 48);
	if (a.fault)
		bug_panic("audit: %s at 0x%lx", a.fault, a.address);
	return a.pages;
}
