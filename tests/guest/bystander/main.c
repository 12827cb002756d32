// SPDX-License-Identifier: MIT
/*
 * bystander - the other guest, which has nothing to do with it.
 *
 * It runs beside each attack. Its memory is full of a secret, its registers too while it
 * computes; round after round it checks that every word and every register is as it left it, that
 * its segment bases and its SSE registers are its own, and that its calls and its ring 3 still
 * work. It ends when it has the machine to itself: when a yield comes back at once, most times of
 * many. But not before the number of milliseconds on its command line, which attacks want that
 * give their time slices away. So it has seen the attack from its beginning to its end; the
 * runner makes sure by the order in which the guests end.
 */
#include "guest-abi/kit/clock.h"
#include "tests/guest/lib/secret.h"
#include "tests/guest/lib/test.h"

const char test_name[] = "bystander";

#define WORDS	0x60000		  /* 3 MiB */
#define MEMORY	((u64 *)0x800000) /* behind the image, which ends below 4 MiB; 8 to 11 MiB */
#define SPINS	200000
#define BASE_FS 0x0000123456789000
#define BASE_GS 0x000072345678a000

static u64 milliseconds(void)
{
	u64 value = 0;

	for (unsigned i = 0; command_line[i] >= '0' && command_line[i] <= '9'; i++)
		value = value * 10 + (command_line[i] - '0');
	return value;
}

static bool memory_is_mine(void)
{
	for (u64 i = 0; i < WORDS; i++)
		if (MEMORY[i] != SECRET + (i & 0xffff))
			return false;
	return true;
}

/*
 * All registers but RCX, which counts, and two that compare hold the secret; no call, so time
 * runs out here.
 */
SNIPPET(spin, "mov %rax, %rbx; mov %rax, %rdx; mov %rax, %rsi; mov %rax, %rdi; mov %rax, %rbp\n"
	      "mov %rax, %r8; mov %rax, %r9; mov %rax, %r10; mov %rax, %r11; mov %rax, %r12\n"
	      "mov %rax, %r13; mov %rax, %r14; mov %rax, %r15; movq %rax, %xmm7\n"
	      "1: dec %rcx; jnz 1b; movq %xmm7, %rcx");

static void spin_with_secret(enum ring ring, u64 round)
{
	struct state s = state_for(ring);
	const u64 *registers = (const u64 *)&s;
	u64 mine = SECRET + (round & 0xffff);

	s.rax = mine;
	s.rcx = SPINS;
	run_state(&s, ring, &spin);
	check(s.vector == DONE, "round %lu: vector %lu at %lx", round, s.vector, s.rip);
	for (unsigned i = 0; i <= STATE_R15 / 8; i++)
		if (registers[i] != mine)
			check(false, "round %lu: register %u is %lx", round, i, registers[i]);
}

SNIPPET(read_bases, "mov %fs:0, %rax; mov %gs:8, %rbx; mov %fs, %ecx; mov %ds, %edx");

static void check_bases(u64 round)
{
	struct state s = run(USER, &read_bases);

	check(s.vector == DONE && s.rax == SECRET && s.rbx == SECRET + 1,
	      "round %lu: %%fs:0 %lx %%gs:8 %lx", round, s.rax, s.rbx);
}

#define YIELDS	   16
#define AT_ONCE	   1000000 /* ns; another guest's time slice is 10 ms */
#define MOST_TIMES 12	   /* what the emulator's own machine does besides may take time too */

/* When no other guest can run, a yield comes back at once. */
static bool is_alone(void)
{
	unsigned at_once = 0;

	for (unsigned i = 0; i < YIELDS; i++) {
		u64 start = gn_clock_ns();

		CALL(yield);
		at_once += gn_clock_ns() - start < AT_ONCE;
	}
	return at_once >= MOST_TIMES;
}

void test_main(void)
{
	u64 end = gn_clock_ns() + milliseconds() * 1000000, round = 0;

	for (u64 i = 0; i < WORDS; i++)
		MEMORY[i] = SECRET + (i & 0xffff);
	map(BASE_FS, (u64)MEMORY, PTE_P | PTE_U);
	map(BASE_GS, (u64)MEMORY, PTE_P | PTE_U);
	CALL(set_segment_base, GN_BASE_FS, BASE_FS);
	CALL(set_segment_base, GN_BASE_GS, BASE_GS);
	do {
		spin_with_secret(round & 1 ? USER : KERNEL, round);
		check(memory_is_mine(), "round %lu: memory has changed", round);
		check_bases(round);
		check(rings_work(), "round %lu: the rings", round);
		round++;
	} while (gn_clock_ns() < end || !is_alone());
}
