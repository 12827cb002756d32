// SPDX-License-Identifier: MIT
/*
 * tables.c - attacks by page tables: random entries, which lead to each other, to data, to frames
 * of nobody; stored by every kind of store and call, used between the stores. The root's own
 * window is random, the rest of it is the kernel's, so that the kernel goes on below it.
 */
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/uaccess.h>
#include <asm/tlbflush.h>
#include "tests/debian/hostile/attack.h"

enum { NORMAL, MACHPHYS, PRESERVE_AD };	     /* of mmu_update, in a pointer's low bits */
enum { MMU_UPDATE = 1, UPDATE_VA = 14, MMUEXT = 26 };
enum { PIN_L1, PIN_L4 = 3, UNPIN, NEW_BASE, FLUSH_LOCAL, INVLPG_LOCAL, FLUSH_MULTI, INVLPG_MULTI,
       FLUSH_ALL, INVLPG_ALL, SET_LDT = 13, USER_BASE = 15 };

struct update {
	u64 at, value;
};

struct operation {
	u32 command, pad;
	u64 a, b;
};

#define PRESENT	 1ul
#define LARGE	 0x80ul
#define FRAME	 0xffffffffff000ul

/* What a tame guest may have in its tables: it leads to the pool, and not to the root, or the guest
 * would not last: the monitor makes a kernel's stores to tables that it has pinned, though they are
 * mapped read-only. Who uses a frame that he does not have is killed for it; one that the monitor
 * publishes is no table, which the kernel ends its process for; a large page goes beyond the pool.
 */
static u64 tamed(u64 value)
{
	const u64 number = (value & FRAME) >> PAGE_SHIFT;

	if (wild || !(value & PRESENT))
		return value;
	if (number >= ram_pages || page_private(pfn_to_page(number)) != POOL_MARK ||
	    number == __pa(pool[0]) >> PAGE_SHIFT)
		return value & ~PRESENT;
	return value & ~LARGE;
}

u64 entry(void)
{
	u64 flags = below(4) ? 0x67 : chance() & 0xfff; /* present, writable, user, A, D */
	u64 value = (frame() << PAGE_SHIFT & FRAME) | flags;

	if (below(4) == 0)
		value |= 1ul << 63;
	if (below(64) == 0)
		value |= chance() & 0x7ff0000000000000ul; /* software's and, maybe, reserved bits */
	if (below(8) == 0)
		value &= ~PRESENT;
	return tamed(value);
}

/* After calls and stores that may have mixed entries: all that can be a table is tame again. What
 * an entry of two halves led to may be the kernel's, and must not be used by an old translation. */
static void tame_tables(void)
{
	const struct operation flush = {.command = FLUSH_LOCAL};
	bool was_wild = false;

	for (unsigned page = 0; page < PAGES && !wild; page++) {
		u64 *entries = (void *)pool[page];

		for (unsigned i = page ? 0 : FIRST_SLOT; i < (page ? 512 : SLOTS_END); i++) {
			if (!(entries[i] & PRESENT) || entries[i] == tamed(entries[i]))
				continue;
			WRITE_ONCE(entries[i], tamed(entries[i]));
			was_wild = true;
		}
	}
	if (was_wild)
		call(MMUEXT, (u64)&flush, 1, 0, 0x7ff0, 0);
}

/* An entry of a table that the window is likely to use; of the root only the window's slots. */
static u64 place(void)
{
	unsigned table = below(TABLES);

	if (table)
		return pool[table] + (below(4) ? below(4) : below(512)) * 8;
	return pool[0] + (FIRST_SLOT + below(below(2) ? 4 : SLOTS_END - FIRST_SLOT)) * 8;
}

/* Every width and kind of store; some are of two entries at once. */
static void store(void)
{
	const u64 at = place(), value = entry();
	const bool root = at - pool[0] < PAGE_SIZE;
	u64 seen = value;

	switch (below(root ? 4 : 12)) {
	case 0:
		asm volatile("mov %0, (%1)" : : "r"(value), "r"(at) : "memory");
		break;
	case 1:
		asm volatile("xchg %0, (%1)" : "+r"(seen) : "r"(at) : "memory");
		break;
	case 2:
		asm volatile("lock btr %0, (%1)" : : "r"(below(64)), "r"(at) : "memory");
		break;
	case 3:
		asm volatile("lock andb %0, (%1)" : : "q"((u8)chance()), "r"(at) : "memory");
		break;
	case 4:
		asm volatile("lock cmpxchg %1, (%2)"
			     : "+a"(seen) : "r"(value), "r"(at) : "memory");
		break;
	case 5:
		asm volatile("mov %k0, (%1)" : : "r"(value), "r"(at + 4 * below(2)) : "memory");
		break;
	case 6:
		asm volatile("mov %w0, (%1)" : : "r"(value), "r"(at + below(7)) : "memory");
		break;
	case 7:
		asm volatile("mov %b0, (%1)" : : "q"(value), "r"(at + below(8)) : "memory");
		break;
	case 8: /* not aligned; it may end in the next page, which is nobody's to harm */
		asm volatile("mov %0, (%1)"
			     : : "r"(value), "r"((at & ~15ul) + below(9)) : "memory");
		break;
	case 9: {
		u64 count = 1 + below(16), to = at & ~255ul;

		asm volatile("rep stosq" : "+D"(to), "+c"(count) : "a"(value) : "memory");
		break;
	}
	case 10: {
		u64 count = 1 + below(16), to = at & ~255ul, from = pool[1 + below(TABLES - 1)];

		asm volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(count) : : "memory");
		break;
	}
	default:
		asm volatile("lock xadd %0, (%1)" : "+r"(seen) : "r"(at) : "memory");
	}
}

static void update(void)
{
	static struct update list[300];
	unsigned count = below(8) ? 1 + below(8) : below(300);

	for (unsigned i = 0; i < count; i++) {
		u64 at = below(16) ? __pa(place()) : frame() << PAGE_SHIFT;

		if (!wild && at >> PAGE_SHIFT < ram_pages && !below(16))
			at = ram_pages << PAGE_SHIFT;
		if (!wild && at >> PAGE_SHIFT < ram_pages)
			at = __pa(place());
		list[i] = (struct update){at | below(4), entry()};
	}
	call(MMU_UPDATE, (u64)list, count, below(2) ? 0 : pointer(), 0x7ff0, 0);
}

/* Is it a command that could take the tables away that the kernel stands on? */
static bool is_harmful(u32 command, u64 frame_number)
{
	return command == NEW_BASE && frame_number < ram_pages &&
	       frame_number != __pa(pool[0]) >> PAGE_SHIFT;
}

static void operate(void)
{
	static struct operation list[64];
	unsigned count = below(8) ? 1 + below(4) : below(64);

	for (unsigned i = 0; i < count; i++) {
		struct operation *o = &list[i];

		do {
			*o = (struct operation){.command = below(20), .b = number()};
			o->a = o->command >= FLUSH_LOCAL && o->command <= INVLPG_ALL
				       ? window_address() : frame();
			if (o->command == USER_BASE)
				o->a = __pa(pool[below(TABLES)]) >> PAGE_SHIFT;
		} while (!wild && (is_harmful(o->command, o->a) || o->command == NEW_BASE));
	}
	call(MMUEXT, (u64)list, count, below(2) ? 0 : pointer(), 0x7ff0, 0);
}

static void load_root(u64 frame_number)
{
	struct operation o = {.command = NEW_BASE, .a = frame_number};

	call(MMUEXT, (u64)&o, 1, 0, 0x7ff0, 0);
}

/* Reads and writes are tried; a fault's fixup brings us back. What is written may go to a table. */
static void touch(void)
{
	u64 at = window_address(), value;

	if (below(2))
		try_read(at, &value);
	else
		try_write(wild ? at : at & ~7ul, entry());
}

/* Between root and root: the kernel takes interrupts on ours, whose upper half is its own. Of its
 * lower half nothing is there: no entry of ours may lead to the process's tables. */
void attack_tables(void)
{
	const u64 kernel = __pa(current->active_mm->pgd) >> PAGE_SHIFT;
	u64 *root = (void *)pool[0];
	unsigned count = 1 + below(64);
	bool mixed = true;

	for (unsigned i = 0; i < 512; i++)
		if (i >= 256)
			WRITE_ONCE(root[i], READ_ONCE(((u64 *)current->active_mm->pgd)[i]));
		else if (i < FIRST_SLOT || i >= SLOTS_END)
			WRITE_ONCE(root[i], 0);
	preempt_disable();
	pagefault_disable();
	load_root(__pa(root) >> PAGE_SHIFT);
	while (count--) {
		const unsigned what = below(16);

		if (what >= 6 && mixed) /* calls walk the tables, too */
			tame_tables();
		mixed = what < 10;
		switch (what) {
		case 0 ... 5:
			store();
			break;
		case 6:
			update();
			break;
		case 7:
			operate();
			break;
		case 8:
			call(UPDATE_VA, window_address(), entry(), below(8), 0, 0);
			break;
		case 9:
			attack_calls();
			break;
		default:
			touch();
		}
	}
	load_root(kernel);
	pagefault_enable();
	preempt_enable();
}
