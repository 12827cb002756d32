// SPDX-License-Identifier: MIT
/*
 * bases - segment registers and their bases across guests (R12, R13, R15).
 *
 * FS, GS and their bases live in the CPU while a guest runs, and the next guest finds them there
 * unless they are exchanged. Where the CPU lets ring 1 and ring 3 write the bases themselves
 * (FSGSBASE), the monitor does not see it happen. This guest sets bases by calls and, if it can,
 * by instructions, loads selectors, yields to the bystander, which has others, and looks whether
 * its own are still there.
 */
#include "tests/guest/lib/test.h"

const char test_name[] = "bases";

#define AT	   0x0000000060000000
#define TURNS	   12
#define WORD_FS(t) (0xf500000000000000 | (t))
#define WORD_GS(t) (0x6500000000000000 | (t))

static u64 page[512] __attribute__((aligned(4096)));

SNIPPET(read_both, "mov %fs:0, %rax; mov %gs:0, %rbx; mov %ds, %ecx; mov %es, %edx; mov %fs, %esi");
SNIPPET(load_selectors, "mov %eax, %ds; mov %eax, %es");
SNIPPET(yield, "int $0x82");
SNIPPET(write_fs, "wrfsbase %rdi");
SNIPPET(read_fs, "rdfsbase %rax");

static void look(enum ring ring, unsigned turn)
{
	struct state s = run(ring, &read_both);

	check(s.vector == DONE && s.rax == WORD_FS(turn) && s.rbx == WORD_GS(turn),
	      "turn %u, ring %d: vector %lu, %%fs:0 %lx, %%gs:0 %lx", turn, ring, s.vector, s.rax,
	      s.rbx);
	check((s.rcx & 0xffff) == USER_SS && (s.rdx & 0xffff) == USER_SS, "turn %u: DS %lx ES %lx",
	      turn, s.rcx, s.rdx);
}

static void set(unsigned turn)
{
	u64 fs = AT + turn * 64, gs = AT + turn * 64 + 32;

	page[turn * 8] = WORD_FS(turn);
	page[turn * 8 + 4] = WORD_GS(turn);
	check(CALL(set_segment_base, GN_BASE_FS, fs) == 0, "turn %u: set FS", turn);
	check(CALL(set_segment_base, GN_BASE_GS, gs) == 0, "turn %u: set GS", turn);
}

/* By the guest's own instruction, where there is one. */
static void set_by_instruction(unsigned turn)
{
	struct state s = state_for(KERNEL);

	s.rdi = AT + turn * 64;
	run_state(&s, KERNEL, &write_fs);
	if (s.vector == 6)
		return;
	check(s.vector == DONE, "WRFSBASE took %lu", s.vector);
	CALL(yield);
	s = run(KERNEL, &read_fs);
	check(s.vector == DONE && s.rax == AT + turn * 64, "RDFSBASE: %lx", s.rax);
}

void test_main(void)
{
	struct state s = state_for(KERNEL);

	map(AT, (u64)page, PTE_P | PTE_W | PTE_U);
	s.rax = USER_SS;
	run_state(&s, KERNEL, &load_selectors);
	for (unsigned turn = 0; turn < TURNS; turn++) {
		set(turn);
		s = state_for(KERNEL);
		s.rax = GN_CALL_yield;
		run_state(&s, KERNEL, &yield);
		look(KERNEL, turn);
		look(USER, turn);
		set_by_instruction(turn);
	}
}
