// SPDX-License-Identifier: MIT
/*
 * secrets - look everywhere for something that is not ours (R3, R7).
 *
 * The monitor has filled all free memory with a pattern (debug=secret), and the bystander keeps
 * the same pattern in its memory and in its registers while time slices end in the middle of its
 * work. This guest looks for it in
 *
 *   - its own RAM as it was given: frames must come empty;
 *   - every page of the reserved slots that ring 1 can read, again and again, each time behind a
 *     yield in which the bystander ran: above all the entry stack, where the CPU pushes whatever it
 *     interrupts;
 *   - its registers, SSE registers included, behind such a yield;
 *   - what calls write for it, and what is in the pages around.
 */
#include "tests/guest/lib/secret.h"
#include "tests/guest/lib/test.h"

const char test_name[] = "secrets";

#define YIELDS 24

static bool has_secret(u64 page)
{
	for (unsigned i = 0; i < 512; i++)
		if (SECRET_IS(((volatile u64 *)page)[i]))
			return true;
	return false;
}

/*
 * The image holds the constant in its own code, never aligned as a whole word but in tables:
 * leave it out.
 */
static void scan_ram(void)
{
	extern const u8 image_start[], image_end[];
	unsigned found = 0;

	for (u64 page = 4096; page < MEMORY_SIZE; page += 4096)
		if ((page < (u64)image_start || page >= (u64)image_end) && has_secret(page))
			found++;
	if (found)
		breach("%u pages of new RAM hold somebody's data", found);
	check(!found, "RAM is not empty");
}

/* Which of a slot's first pages can be read: 512 of them, and one at each power of two. */
static void scan_slot(u64 base)
{
	for (u64 at = 0; at < 512 * 4096; at += 4096)
		if (try_read(KERNEL, base + at).vector == DONE && has_secret(base + at))
			breach("the page at %lx holds somebody's data", base + at);
	for (unsigned shift = 21; shift < 39; shift++)
		if (try_read(KERNEL, base + (1ul << shift)).vector == DONE)
			check(!has_secret(base + (1ul << shift)), "the page at %lx",
			      base + (1ul << shift));
}

/* The words of the entry stack, copied at once: looking at them one by one changes them. */
static void scan_stack(unsigned turn)
{
	static u64 copy[512];

	for (unsigned i = 0; i < 512; i++)
		copy[i] = ((volatile u64 *)SWITCHER_STACK)[i];
	for (unsigned i = 0; i < 512; i++)
		if (SECRET_IS(copy[i])) {
			breach("yield %u: word %x of the entry stack is somebody's: %lx", turn,
			       i * 8, copy[i]);
			return;
		}
	check(true, "stack");
}

SNIPPET(yield, "int $0x82; movq %xmm7, %rax");

static void scan_registers(unsigned turn)
{
	struct state s = state_for(KERNEL);
	const u64 *registers = (const u64 *)&s;

	s.rax = GN_CALL_yield;
	run_state(&s, KERNEL, &yield);
	for (unsigned i = 0; i <= STATE_R15 / 8; i++)
		if (SECRET_IS(registers[i]))
			breach("yield %u: register %u is somebody's: %lx", turn, i, registers[i]);
	check(s.vector == DONE, "yield %u took %lu", turn, s.vector);
}

void test_main(void)
{
	scan_ram();
	for (unsigned turn = 0; turn < YIELDS; turn++) {
		CALL(yield);
		scan_stack(turn);
		scan_registers(turn);
	}
	scan_slot(GN_WINDOW_BASE);
	scan_slot(SWITCHER);
}
