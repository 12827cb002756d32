// SPDX-License-Identifier: MIT
/*
 * doors - the other ways into ring 0: SYSENTER, SYSCALL and INT of 32-bit code, task switches
 * (R17).
 *
 * Ring 3 may run 32-bit code, which has entries of its own: SYSENTER, whose target lies in MSRs,
 * and SYSCALL, which AMD sends to another address than the 64-bit one. A CPU on which nobody has
 * set them up would enter ring 0 at address 0, which is the guest's. Each must be an exception of
 * the user's. INT 0x80 must arrive as it does from 64-bit code, and a hypercall by INT must be
 * refused as it is there.
 */
#include "tests/guest/lib/test.h"

const char test_name[] = "doors";

#define UD_BIT (1ul << 6)
#define GP_BIT (1ul << 13)

SNIPPET(sysenter, "sysenter");
SNIPPET(compat_syscall, "syscall");
SNIPPET(int_80, "int $0x80");
SNIPPET(int_hypercall, "int $0x82");
SNIPPET(int_double_fault, "int $8");
SNIPPET(far_tss, ".byte 0xea, 0, 0, 0, 0, 0xa0, 0x0f");	    /* ljmp to the monitor's TSS, 0xfa0 */
SNIPPET(far_monitor, ".byte 0xea, 0, 0, 0, 0, 0x80, 0x0f"); /* ljmp to its code */
SNIPPET(nothing, "nop");

static const struct {
	const char *name;
	const struct snippet *code;
	u64 expected; /* vectors as bits; 0: INT 0x80 */
} ways[] = {
    {"SYSENTER", &sysenter, UD_BIT | GP_BIT},
    {"SYSCALL", &compat_syscall, UD_BIT},
    {"INT 0x80", &int_80, 0},
    {"INT 0x82", &int_hypercall, GP_BIT},
    {"INT 8", &int_double_fault, GP_BIT},
    {"a far JMP to the TSS", &far_tss, GP_BIT},
    {"a far JMP to ring 0", &far_monitor, GP_BIT},
    {"NOP", &nothing, 1ul << DONE},
};

/*
 * 32-bit code of ring 3. On the bare machine SYSCALL's entry is not set up: the test leaves it
 * out.
 */
static void compat(unsigned i)
{
	struct state s = state_for(USER);

	if (!on_gnomon && ways[i].code == &compat_syscall)
		return;
	s.cs = USER_CS32;
	run_state(&s, USER, ways[i].code);
	if (ways[i].expected)
		check(s.vector < 64 && ways[i].expected >> s.vector & 1,
		      "32-bit %s took %lu, error %lx", ways[i].name, s.vector, s.error);
	else
		check(s.vector == 0x80 && s.cs == USER_CS32, "32-bit %s took %lu, CS %lx",
		      ways[i].name, s.vector, s.cs);
	check(rings_work(), "after 32-bit %s", ways[i].name);
}

/* 64-bit SYSENTER, from both rings. */
static void long_sysenter(void)
{
	struct state s = run(USER, &sysenter);

	check(s.vector == 6 || s.vector == 13, "SYSENTER in ring 3 took %lu", s.vector);
	if (!on_gnomon)
		return;
	s = run(KERNEL, &sysenter);
	check(s.vector == 6 || s.vector == 13, "SYSENTER in ring 1 took %lu", s.vector);
	s = run(KERNEL, &compat_syscall);
	check(s.vector == TAKEN_SYSCALL, "SYSCALL outside the code area took %lu", s.vector);
}

void test_main(void)
{
	for (unsigned i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		compat(i);
	long_sysenter();
}
