// SPDX-License-Identifier: MIT
/*
 * window.c - see window.h. Everything is supervisor (U=0 at the top suffices): the code area
 * read-only and executable, the vcpu page writable and not executable.
 */
#include "arch/x86/vcpu/window.h"
#include "arch/x86/cpu/paging.h"
#include "boot/layout.h"
#include "guest-abi/layout.h"
#include "lib/compiler.h"
#include "lib/errno.h"
#include "mm/frame.h"
#include "mm/machine.h"

extern const u8 window_image[]; /* the code area where it was loaded */

#define INDEX(address) ((address) >> PAGE_SHIFT & 511)

void window_clear(mfn_t tables[WINDOW_TABLES])
{
	for (unsigned i = 0; i < WINDOW_TABLES; i++)
		tables[i] = MFN_NONE;
}

int window_make(mfn_t tables[WINDOW_TABLES], mfn_t page, u16 owner, bool notified,
		u64 *top_entry)
{
	const u64 inner = PTE_P | PTE_W | PTE_A;
	u64 *l1;

	for (unsigned i = 0; i < WINDOW_TABLES; i++) {
		tables[i] = frame_alloc(FRAME_SWITCHER, owner);
		if (mfn_is_none(tables[i]))
			return -ENOMEM;
	}
	*top_entry = mfn_to_maddr(tables[0]).v | inner;
	*(u64 *)machine_map(tables[0]) = mfn_to_maddr(tables[1]).v | inner;
	*(u64 *)machine_map(tables[1]) = mfn_to_maddr(tables[2]).v | inner;
	l1 = machine_map(tables[2]);
	for (u64 i = 0; i < GN_CODE_SIZE / PAGE_SIZE; i++)
		l1[i] = ((u64)window_image - IMAGE_BASE + i * PAGE_SIZE) | PTE_P | PTE_A;
	if (notified)
		l1[INDEX(GN_CODE_AREA + GN_CODE_PAGING)] += GN_CODE_SIZE - GN_CODE_PAGING;
	l1[INDEX(GN_VCPU_PAGE)] = mfn_to_maddr(page).v | PTE_P | PTE_W | PTE_A | PTE_D | PTE_NX;
	return 0;
}

void window_show(mfn_t tables[WINDOW_TABLES], u64 address, mfn_t page, u64 flags)
{
	u64 *l1 = machine_map(tables[WINDOW_TABLES - 1]);

	l1[INDEX(address)] = mfn_to_maddr(page).v | PTE_P | PTE_A | PTE_NX | flags;
}

const u8 *window_code(const mfn_t tables[WINDOW_TABLES], u64 address)
{
	const u64 *l1 = machine_map(tables[WINDOW_TABLES - 1]);
	const u8 *page = machine_map(MFN((l1[INDEX(address)] & PTE_FRAME) >> PAGE_SHIFT));

	return page + (address & ~PAGE_MASK);
}

void window_destroy(mfn_t tables[WINDOW_TABLES])
{
	for (unsigned i = 0; i < WINDOW_TABLES; i++)
		if (!mfn_is_none(tables[i]))
			frame_put(tables[i]);
	window_clear(tables);
}
