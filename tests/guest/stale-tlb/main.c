// SPDX-License-Identifier: MIT
/*
 * stale-tlb - a translation that was taken away is gone (R5, and what INVLPG and CR3 promise).
 *
 * The kernel uses a page so that every cache on the way holds its translation: the CPU's TLB and,
 * on Gnomon, the shadow tables. Then it takes something away in its own table and says so, by
 * INVLPG, by loading CR3, or by a flush. From that moment on the old right may not be used, in
 * either ring: a write-protected page, an unmapped one, one that was ring 3's, one that now leads
 * elsewhere. A stale entry that is more permissive than the tables is how a kernel's
 * copy-on-write leaks between its processes.
 */
#include "tests/guest/lib/test.h"

const char test_name[] = "stale-tlb";

#define AT 0x0000000060000000

static u64 page_a[512] __attribute__((aligned(4096)));
static u64 page_b[512] __attribute__((aligned(4096)));

enum flush { BY_INVLPG, BY_CR3, BY_OTHER_ROOT, BY_FLUSH, FLUSHES };
static const char *const flush_names[] = {"INVLPG", "CR3", "another root and back", "a flush"};

static void forget(enum flush how)
{
	u64 *root = page_root;

	switch (how) {
	case BY_INVLPG:
		invalidate(AT);
		break;
	case BY_OTHER_ROOT:
		load_root(root_copy());
		load_root(root);
		break;
	case BY_FLUSH:
		if (on_gnomon) {
			CALL(flush_tlb);
			break;
		}
		__attribute__((fallthrough));
	default:
		load_root(root);
	}
}

/* Map a page with all rights, use it from both rings, then change the entry. */
static void change(u64 entry, enum flush how)
{
	map(AT, (u64)page_a, PTE_P | PTE_W | PTE_U);
	check(try_write(KERNEL, AT, 1).vector == DONE &&
		  try_write(USER, AT + 8, 2).vector == DONE && try_read(USER, AT).rax == 1 &&
		  try_read(KERNEL, AT + 8).rax == 2,
	      "the page cannot be used at all");
	*pte_of(AT) = entry;
	forget(how);
}

static void expect(enum ring ring, bool write, u64 error, const char *what, enum flush how)
{
	struct state s = write ? try_write(ring, AT, 3) : try_read(ring, AT);

	if (s.vector == DONE)
		breach("%s, then %s: ring %d still may %s", what, flush_names[how], ring,
		       write ? "write" : "read");
	check(s.vector == 14 && s.error == error && s.cr2 == AT, "%s: %lu error %lx", what,
	      s.vector, s.error);
}

static void attack(enum flush how)
{
	const char *what = "made read-only";

	change((u64)page_a | PTE_P | PTE_U, how);
	expect(USER, true, 7, what, how);
	expect(KERNEL, true, 3, what, how);

	what = "unmapped";
	change(0, how);
	expect(KERNEL, false, 0, what, how);
	expect(USER, true, 6, what, how);

	what = "made the kernel's";
	change((u64)page_a | PTE_P | PTE_W, how);
	expect(USER, false, 5, what, how);

	change((u64)page_b | PTE_P | PTE_W | PTE_U, how);
	page_b[0] = 77;
	if (try_read(USER, AT).rax != 77)
		breach("moved, then %s: the old page is read", flush_names[how]);
	check(try_write(KERNEL, AT, 78).vector == DONE && page_b[0] == 78 && page_a[0] != 78,
	      "moved: a write goes to the old page");
}

void test_main(void)
{
	for (enum flush how = BY_INVLPG; how < FLUSHES; how++)
		attack(how);
}
