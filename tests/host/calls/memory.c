// SPDX-License-Identifier: MIT
/* memory.c - see memory.h. */
#include "hypercall/xen/interface.h"
#include "tests/host/calls/draw.h"

bool memory_put(const struct memory *m, u64 gpa, const void *bytes, size_t size)
{
	return !guest_copy_write(&m->g->p2m, GPA(gpa), bytes, size, NULL);
}

bool memory_put_word(const struct memory *m, u64 gpa, u64 word)
{
	return memory_put(m, gpa, &word, sizeof(word));
}

static void put_entry(const struct memory *m, u64 table, unsigned slot, u64 to, u64 flags)
{
	memory_put_word(m, memory_address(table) + slot * 8, memory_address(to) | PTE_P | flags);
}

void memory_mend(const struct memory *m)
{
	const u64 all = PTE_W | PTE_A | PTE_D | PTE_U;

	put_entry(m, MEMORY_L4, 0, MEMORY_L3, all);
	put_entry(m, MEMORY_L4, MEMORY_TREE_SLOT, MEMORY_TREE, all);
	put_entry(m, MEMORY_L4, 300, MEMORY_L3, all);
	put_entry(m, MEMORY_L3, 0, MEMORY_L2, all);
	put_entry(m, MEMORY_L2, 0, MEMORY_L1, all);
	put_entry(m, MEMORY_L2, 1, 0, all | PTE_PS);
	for (u64 i = 0; i < m->frames; i++)
		put_entry(m, MEMORY_L1, i, i, i % 2 && i > MEMORY_BUFFER ? all : all & ~PTE_U);
	for (unsigned level = 0; level < 3; level++)
		put_entry(m, MEMORY_TREE + level, 0, MEMORY_TREE + level + 1, all);
}

static void put_code(const struct memory *m)
{
	static const u8 store[] = {0x48, 0x89, 0x07}, call[] = {0xcd, GN_HYPERCALL_VECTOR};

	for (u64 at = memory_address(MEMORY_CODE); at < memory_address(MEMORY_CODE_END); at += 8)
		memory_put_word(m, at, host_random());
	memory_put(m, MEMORY_STORE_RIP, store, sizeof(store));
	memory_put(m, MEMORY_CALL_RIP, call, sizeof(call));
}

void memory_make(const struct memory *m)
{
	const u64 info = memory_address(MEMORY_START_INFO);

	memory_mend(m);
	put_code(m);
	memory_put_word(m, info + XEN_START_INFO_CONSOLE,
			one_in(8) ? draw(m, DRAW_GFN) : MEMORY_CONSOLE);
	memory_put_word(m, info + XEN_START_INFO_TABLES, one_in(2) ? 4 : draw(m, DRAW_COUNT));
}
