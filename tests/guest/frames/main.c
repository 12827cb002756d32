// SPDX-License-Identifier: MIT
/*
 * frames - machine memory that is not the guest's, reached by the guest's own page tables (R3,
 * R18).
 *
 * A guest writes any physical address into its page tables. Only the pages of its own RAM, and
 * the vcpu page, may come out; the monitor's translation from the guest's frames to the machine's
 * is the only source of frames. So every frame number from the end of RAM to far above the
 * machine's memory is mapped, and a hypercall is asked to read from there and to write to it:
 * that refuses without harm.
 *
 * An access of the guest's own to such a page ends the guest. With a word on its command line it
 * does that: leaf, table or cr3 say in which place of its tables the bad frame number stands;
 * published uses the vcpu page as a page table, which the guest can write without anybody's
 * knowledge.
 */
#include "tests/guest/lib/test.h"

const char test_name[] = "frames";

#define AT 0x0000000060000000
#define LOW_FRAMES                                                                                 \
	0x20000 /* frame by frame up to here: 512 MiB, more than the machine of the test has */

static void try_frame(u64 gfn)
{
	s64 size;

	if (gfn == start_info.vcpu_page_gfn)
		return;
	*pte_of(AT) = (gfn << 12 & PTE_ADDR) | PTE_P | PTE_W;
	size = CALL(get_stats, AT, sizeof(struct gn_stats));
	if (size > 0)
		breach("a call writes to frame %lx", gfn);
	if (size != -GN_EFAULT)
		check(false, "get_stats to frame %lx: %ld", gfn, size);
}

static void scan(void)
{
	u64 first = start_info.memory_size >> 12;

	for (u64 gfn = first; gfn < LOW_FRAMES; gfn++)
		try_frame(gfn);
	for (u64 gfn = 0xfe000; gfn < 0x101000; gfn += 0x10)
		try_frame(gfn); /* APICs, firmware */
	for (unsigned shift = 20; shift < 40; shift++)
		for (u64 low = 0; low < 4; low++)
			try_frame((1ul << shift) + low);
	check(checks_failed == 0, "some frame was not refused");
	check(rings_work(), "after the scan");
}

static void give_away(u64 gfn)
{
	u64 *root = root_copy(), *l3 = page_alloc();
	u64 bad = gfn << 12 | PTE_P | PTE_W | PTE_U;

	if (command_line_is("leaf")) {
		map(AT, bad, 0);
		breach("read %lx from a frame of others", *(volatile u64 *)AT);
	} else if (command_line_is("table")) {
		l3[0] = bad;
		root[300] = (u64)l3 | PTE_P | PTE_W;
		load_root(root);
		breach("read %lx through a table of others", *(volatile u64 *)0xffff960000000000);
	} else if (command_line_is("cr3")) {
		load_root((u64 *)(gfn << 12));
		breach("ran on a root of others");
	} else if (command_line_is("published")) {
		l3[0] =
		    PTE_P | PTE_W | PTE_PS; /* the second table on the way, to 2 MiB of our own */
		root[300] = start_info.vcpu_page_gfn << 12 | PTE_P | PTE_W;
		load_root(root);
		VCPU_PAGE->ring[0].call = (u64)l3 | PTE_P | PTE_W; /* some entry of it */
		for (u64 at = 0xffff960000000000; at < 0xffff968000000000; at += 1ul << 30)
			if (CALL(console_write, at, 1) > 0)
				breach("the vcpu page is a page table, at %lx", at);
	}
}

void test_main(void)
{
	if (!command_line[0])
		scan();
	give_away((start_info.memory_size >> 12) + 0x1000);
}
