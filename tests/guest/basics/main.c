// SPDX-License-Identifier: MIT
/*
 * basics - does the library itself work here?
 *
 * Every other test rests on what is checked here: a test kernel starts on its own stack with RAM
 * mapped at its physical address; code runs in its kernel ring and in ring 3 and comes back with
 * all registers as they were; the common faults arrive with the vector, error code and CR2 that
 * the manual names (SDM 3A 6.15); a system call arrives with the user's RSP and its RFLAGS in
 * R11; SYSRET goes back.
 */
#include "tests/guest/lib/test.h"

const char test_name[] = "basics";

SNIPPET(nothing, "nop");
SNIPPET(invalid, "ud2");
SNIPPET(divide, "xor %ecx, %ecx; div %ecx");
SNIPPET(call_kernel, "mov $42, %eax; syscall");
SNIPPET(push_pop, "push %rbx; pop %rax");
SNIPPET(breakpoint, "int3");

static void check_registers(enum ring ring)
{
	struct state before = state_for(ring), after;
	u64 *b = (u64 *)&before, *a = (u64 *)&after;

	for (unsigned i = STATE_RAX / 8; i <= STATE_R15 / 8; i++)
		b[i] = 0x0123456789abcdef * (i + 1);
	after = before;
	run_state(&after, ring, &nothing);
	check(ran_through(&after, &nothing), "ring %d: vector %lu at %lx", ring, after.vector,
	      after.rip);
	for (unsigned i = STATE_RAX / 8; i <= STATE_R15 / 8; i++)
		check(a[i] == b[i], "ring %d: register %u is %lx, was %lx", ring, i, a[i], b[i]);
	check(after.rsp == before.rsp, "ring %d: RSP %lx", ring, after.rsp);
	check(after.cs == before.cs && after.ss == before.ss, "ring %d: CS %lx SS %lx", ring,
	      after.cs, after.ss);
}

static void check_faults(enum ring ring)
{
	u64 user_bit = ring == USER ? 4 : 0;
	struct state s = run(ring, &invalid);

	check(s.vector == 6 && s.rip == state_for(ring).rip, "ring %d: UD2 took %lu", ring,
	      s.vector);
	s = run(ring, &divide);
	check(s.vector == 0, "ring %d: division by 0 took %lu", ring, s.vector);
	s = run(ring, &push_pop);
	check(s.vector == DONE, "ring %d: push and pop took %lu", ring, s.vector);
	s = run(ring, &breakpoint);
	check(s.vector == 3 && s.rip == state_for(ring).rip + 1, "ring %d: INT3 took %lu at %lx",
	      ring, s.vector, s.rip);

	s = try_read(ring, 0x123456789000);
	check(s.vector == 14 && s.error == user_bit && s.cr2 == 0x123456789000,
	      "ring %d: read of nothing: %lu error %lx CR2 %lx", ring, s.vector, s.error, s.cr2);
	s = try_write(ring, 0x123456789008, 0);
	check(s.vector == 14 && s.error == (user_bit | 2) && s.cr2 == 0x123456789008,
	      "ring %d: write to nothing: %lu error %lx CR2 %lx", ring, s.vector, s.error, s.cr2);
	s = try_read(ring, 0x8000000000000000);
	check(s.vector == 13 && s.error == 0, "ring %d: read of no address: %lu", ring, s.vector);
	s = state_for(ring);
	s.rip = KERNEL_STACK - 64;
	enter(&s);
	check(s.vector == 14 && s.error == (user_bit | 0x11),
	      "ring %d: fetch from NX: %lu error %lx", ring, s.vector, s.error);
}

static void check_protection(void)
{
	struct state s = try_read(USER, KERNEL_CODE);

	check(s.vector == 14 && s.error == 5, "user reads kernel: %lu error %lx", s.vector,
	      s.error);
	s = try_write(USER, USER_CODE, 0);
	check(s.vector == 14 && s.error == 7, "user writes read-only: %lu error %lx", s.vector,
	      s.error);
	s = try_write(KERNEL, KERNEL_CODE, 0);
	check(s.vector == 14 && s.error == 3, "kernel writes read-only: %lu error %lx", s.vector,
	      s.error);
	s = try_write(USER, USER_STACK - 8, 77);
	check(s.vector == DONE, "user writes its stack: %lu", s.vector);
	s = try_read(KERNEL, USER_STACK - 8);
	check(s.vector == DONE && s.rax == 77, "kernel reads it: %lu, %lu", s.vector, s.rax);
}

static void check_system_call(void)
{
	struct state s = state_for(USER);

	s.rflags |= 0x8d5; /* CF PF AF ZF SF OF */
	run_state(&s, USER, &call_kernel);
	check(s.vector == TAKEN_SYSCALL && s.rax == 42, "SYSCALL took %lu", s.vector);
	check(s.rsp == state_for(USER).rsp, "SYSCALL: RSP %lx", s.rsp);
	check(s.rip == USER_CODE + 7, "SYSCALL: RCX %lx", s.rip);
	check((s.rflags & ~0x10000ul) == 0xad7, "SYSCALL: R11 %lx", s.rflags);

	s.rcx = s.rip;
	s.r11 = s.rflags;
	enter_by_way(&s, BY_SYSRET);
	check(s.vector == DONE && s.rip == USER_CODE + 8, "SYSRET: %lu at %lx", s.vector, s.rip);
	check(s.cs == USER_CS && s.ss == USER_SS, "SYSRET: CS %lx SS %lx", s.cs, s.ss);
	check((s.rflags & 0xfff) == 0xad7, "SYSRET: RFLAGS %lx", s.rflags);
}

void test_main(void)
{
	check_registers(KERNEL);
	check_registers(USER);
	check_faults(KERNEL);
	check_faults(USER);
	check_protection();
	check_system_call();
}
