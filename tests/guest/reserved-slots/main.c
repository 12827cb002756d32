// SPDX-License-Identifier: MIT
/*
 * reserved-slots - PML4 slots 270 and 271 are the monitor's (R1, R4, R5, R7).
 *
 * Two top-level slots of every address space hold what of the monitor a guest's address space
 * maps: the window (code area, vcpu page) and the switcher (constants, GDT, IDT, entry stack,
 * text). Ring 1 may read them, and write two pages: the vcpu page and the entry stack. Ring 3 may
 * do nothing there. This test
 *
 *   - writes to every page from both rings, right after calls that make the monitor itself write to
 *     the GDT and the constants, so that a TLB entry left by the monitor's alias would be found;
 *   - executes what ring 1 may write;
 *   - fills the entry stack with garbage, and then traps and calls;
 *   - puts entries of its own for both slots into its level-4 table: they must be ignored.
 *     Otherwise it would own the GDT, the IDT and the code of ring 0;
 *   - reads where the monitor's image and its map of all memory lie.
 */
#include "tests/guest/lib/test.h"

const char test_name[] = "reserved-slots";

#define PAGES 64 /* of each slot; the rest is tried at every power of two */
#define PF_P  1
#define PF_W  2
#define PF_U  4

static bool may_write(u64 page)
{
	return page == GN_VCPU_PAGE || page == SWITCHER_STACK;
}

/* Calls that change the GDT and the constants. */
static void make_monitor_write(void)
{
	u64 descriptor = 0;

	CALL(set_gdt, &descriptor, 100, 1);
	CALL(set_kernel_stack, KERNEL_STACK);
}

static void write_page(u64 page)
{
	u64 at = page + 4088, old = 0;
	struct state s = try_read(KERNEL, at);

	if (s.vector == DONE)
		old = s.rax;
	make_monitor_write();
	s = try_write(KERNEL, at, old);
	if (s.vector == DONE && !may_write(page))
		breach("ring 1 writes %lx", page);
	else if (s.vector == DONE)
		check(may_write(page), "ring 1 writes %lx", page);
	else
		check(s.vector == 14 && (s.error & (PF_W | PF_U)) == PF_W && s.cr2 == at &&
			  !may_write(page),
		      "ring 1 writes %lx: %lu error %lx CR2 %lx", page, s.vector, s.error, s.cr2);

	s = try_write(USER, at, old);
	if (s.vector == DONE)
		breach("ring 3 writes %lx", page);
	check(s.vector == 14 && (s.error & (PF_W | PF_U)) == (PF_W | PF_U),
	      "ring 3 writes %lx: %lu %lx", page, s.vector, s.error);
	s = try_read(USER, at);
	if (s.vector == DONE)
		breach("ring 3 reads %lx", page);
	check(s.vector == 14 && s.error & PF_U, "ring 3 reads %lx: %lu %lx", page, s.vector,
	      s.error);
}

static void execute(u64 page)
{
	struct state s = state_for(KERNEL);
	u64 kept = *(volatile u64 *)(page + 0x380);

	*(volatile u64 *)(page + 0x380) = 0xcccccccccccccccc;
	s.rip = page + 0x380;
	enter(&s);
	*(volatile u64 *)(page + 0x380) = kept;
	if (s.vector == DONE)
		breach("ring 1 executes what it wrote to %lx", page);
	check(s.vector == 14 && s.error & 0x10, "ring 1 executes %lx: %lu %lx", page, s.vector,
	      s.error);
}

SNIPPET(fill_and_trap, "mov $512, %ecx; rep stosq; ud2");
SNIPPET(fill_and_call, "mov $512, %ecx; rep stosq; xor %eax, %eax; int $0x82");

/* The switcher may believe no word of its stack that the CPU did not just push. */
static void fill_stack(u64 word)
{
	struct state s = state_for(KERNEL);

	s.rdi = SWITCHER_STACK;
	s.rax = word;
	run_state(&s, KERNEL, &fill_and_trap);
	check(s.vector == 6 && s.rdi == SWITCHER_STACK + 4096, "UD2 with a stack of %lx: %lu", word,
	      s.vector);
	s = state_for(KERNEL);
	s.rdi = SWITCHER_STACK;
	s.rax = word;
	run_state(&s, KERNEL, &fill_and_call);
	check(s.vector == DONE && s.rax == (GN_ABI_MAJOR << 16 | GN_ABI_MINOR),
	      "a call with a stack of %lx: %lu RAX %lx", word, s.vector, s.rax);
	check(rings_work(), "after a stack of %lx", word);
}

static u8 own_page[4096] __attribute__((aligned(4096)));

/* Our own tables for a slot: its first 64 pages all lead to own_page, for everybody, writable. */
static u64 own_tables(void)
{
	u64 *l3 = page_alloc(), *l2 = page_alloc(), *l1 = page_alloc();
	const u64 all = PTE_P | PTE_W | PTE_U;

	for (unsigned i = 0; i < PAGES; i++)
		l1[i] = (u64)own_page | all;
	l2[0] = (u64)l1 | all;
	l3[0] = (u64)l2 | all;
	return (u64)l3 | all;
}

static u64 sum_of(u64 page)
{
	u64 sum = 0;

	for (unsigned i = 0; i < 512; i++)
		sum = sum * 31 + ((volatile u64 *)page)[i];
	return sum;
}

static void own_entries(void)
{
	static const u64 pages[] = {GN_CODE_AREA, SWITCHER_GDT, SWITCHER_IDT, SWITCHER_TEXT};
	u64 before[4], *kept = page_root, *root = root_copy();

	for (unsigned i = 0; i < 4; i++)
		before[i] = sum_of(pages[i]);
	root[GN_RESERVED_FIRST_SLOT] = own_tables();
	root[GN_RESERVED_LAST_SLOT] = own_tables();
	load_root(root);
	for (unsigned i = 0; i < 4; i++) {
		struct state s;

		if (sum_of(pages[i]) != before[i])
			breach("an entry of the guest's replaces %lx", pages[i]);
		s = try_write(KERNEL, pages[i] + 8, 0);
		if (s.vector == DONE)
			breach("an entry of the guest's makes %lx writable", pages[i]);
		s = try_read(USER, pages[i]);
		if (s.vector == DONE)
			breach("an entry of the guest's opens %lx to ring 3", pages[i]);
		check(s.vector == 14, "ring 3 reads %lx: %lu", pages[i], s.vector);
	}
	check(rings_work(), "with entries of its own");
	load_root(kept);
}

static void read_monitor(void)
{
	static const u64 bases[] = {MONITOR_IMAGE, MONITOR_MEMORY, MONITOR_IMAGE - 0x1000,
				    0xffff888000000000, 0xffff890000000000};

	for (unsigned i = 0; i < sizeof(bases) / sizeof(bases[0]); i++)
		for (u64 offset = 0; offset < 1ul << 40; offset = offset ? offset << 1 : 4096) {
			struct state s = try_read(KERNEL, bases[i] + offset);

			if (s.vector == DONE)
				breach("ring 1 reads the monitor at %lx", bases[i] + offset);
			check(s.vector == 14, "read of %lx: %lu", bases[i] + offset, s.vector);
		}
}

void test_main(void)
{
	for (unsigned i = 0; i < PAGES; i++) {
		write_page(GN_WINDOW_BASE + i * 4096);
		write_page(SWITCHER + i * 4096);
	}
	for (unsigned shift = 19; shift < 39; shift++) {
		write_page(GN_WINDOW_BASE + (1ul << shift));
		write_page(SWITCHER + (1ul << shift));
	}
	execute(GN_VCPU_PAGE);
	execute(SWITCHER_STACK);
	fill_stack(0);
	fill_stack(~0ul);
	fill_stack(SWITCHER_TEXT);
	fill_stack(KERNEL_CODE);
	own_entries();
	read_monitor();
	check(rings_work(), "at the end");
}
