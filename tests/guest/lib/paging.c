// SPDX-License-Identifier: MIT
/*
 * paging.c - the test's page tables, four levels of 4 KiB pages. RAM is identity-mapped, so a
 * table's physical address is its address. Entries above a leaf let everything through: the leaf
 * decides.
 */
#include "tests/guest/lib/private.h"
#include "guest-abi/kit/operations.h"

#define TABLE_FLAGS (PTE_P | PTE_W | PTE_U)
#define POOL_PAGES  256

static u8 pool[POOL_PAGES][4096] __attribute__((aligned(4096)));
static unsigned pool_used;
u64 *page_root;

void *page_alloc(void)
{
	if (pool_used == POOL_PAGES) {
		check(false, "the test needs more than %u pages", POOL_PAGES);
		test_end();
	}
	return pool[pool_used++];
}

static u64 *entry_in(u64 *root, u64 address)
{
	u64 *table = root;

	for (unsigned shift = 39; shift > 12; shift -= 9) {
		u64 *entry = &table[address >> shift & 511];

		if (!(*entry & PTE_P))
			*entry = (u64)page_alloc() | TABLE_FLAGS;
		table = (u64 *)(*entry & PTE_ADDR);
	}
	return &table[address >> 12 & 511];
}

u64 *pte_of(u64 address)
{
	return entry_in(page_root, address);
}

void invalidate(u64 address)
{
	if (on_gnomon)
		CALL(invalidate_page, address);
	else
		__asm__ volatile("invlpg (%0)" : : "r"(address) : "memory");
}

void pte_store(u64 *entry, u64 value)
{
	if (on_gnomon)
		gn_pte_set(entry, value);
	else
		*entry = value;
}

void map(u64 address, u64 physical, u64 flags)
{
	*pte_of(address) = physical | flags;
	invalidate(address);
}

void load_root(u64 *root)
{
	page_root = root;
	if (on_gnomon)
		CALL(load_cr3, root);
	else
		__asm__ volatile("mov %0, %%cr3" : : "r"(root) : "memory");
}

u64 *root_copy(void)
{
	u64 *root = page_alloc();

	for (unsigned i = 0; i < 512; i++)
		root[i] = page_root[i];
	return root;
}

void paging_init(void)
{
	u64 *root = page_alloc();

	for (u64 page = 4096; page < MEMORY_SIZE; page += 4096)
		*entry_in(root, page) = page | PTE_P | PTE_W;
	load_root(root);
}
