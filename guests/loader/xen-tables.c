// SPDX-License-Identifier: MIT
/*
 * xen-tables.c - see xen.h: the map of [0, map_end) at virt_base by pages of 4 KiB (SDM 3A 4.5).
 * The number of tables of each level follows from the addresses, so each table's place does too.
 * All is supervisor's, writable and executable, as under Xen; but the tables themselves are
 * read-only, as pinned tables must be.
 */
#include "guest-abi/kit/memory.h"
#include "guests/loader/xen.h"

#define PRESENT	 (1ul << 0)
#define WRITABLE (1ul << 1)
#define ACCESSED (1ul << 5)
#define DIRTY	 (1ul << 6)

/* An entry of a table of level n stands for 2^shift bytes. */
static unsigned shift_of(unsigned level)
{
	return 12 + 9 * (level - 1);
}

static uint64_t *entry_at(char *ram, uint64_t table, uint64_t address, unsigned level)
{
	return (uint64_t *)(ram + table) + (address >> shift_of(level) & 511);
}

void xen_build_tables(char *ram, const struct xen_notes *notes, const struct xen_layout *l)
{
	const uint64_t first = notes->virt_base, last = first + l->map_end - 1;
	const uint64_t tables_end = l->tables + l->table_count * PAGE_SIZE;
	uint64_t table = l->tables, below = l->tables + PAGE_SIZE;

	memset(ram + l->tables, 0, l->table_count * PAGE_SIZE);
	for (unsigned level = 4; level > 1; level--) {
		uint64_t at = first >> shift_of(level), count = (last >> shift_of(level)) - at + 1;

		/* The entries of one level, which are the tables of the next, are in one run. */
		for (uint64_t i = 0; i < count; i++)
			*entry_at(ram, table + ((at + i) / 512 - at / 512) * PAGE_SIZE,
				  (at + i) << shift_of(level), level) =
			    (below + i * PAGE_SIZE) | PRESENT | WRITABLE | ACCESSED;
		table = below;
		below += count * PAGE_SIZE;
	}
	for (uint64_t gpa = 0; gpa < l->map_end; gpa += PAGE_SIZE) {
		uint64_t nth = (first + gpa) / (PAGE_SIZE * 512) - first / (PAGE_SIZE * 512);
		bool is_table = gpa >= l->tables && gpa < tables_end;

		*entry_at(ram, table + nth * PAGE_SIZE, first + gpa, 1) =
		    gpa | PRESENT | ACCESSED | (is_table ? 0 : WRITABLE | DIRTY);
	}
}
