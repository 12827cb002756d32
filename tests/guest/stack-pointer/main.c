// SPDX-License-Identifier: MIT
/*
 * stack-pointer - RSP anywhere, on every way into the kernel (R8, R9, R20).
 *
 * SYSCALL does not touch RSP, so whatever runs behind it at ring 0 first has a stack of the
 * attacker's choice: none at all, or one inside the monitor's own tables. The same RSP is there
 * at a fault, an INT and a hypercall. So RSP is put to every place that could be special, in both
 * rings, and each way is taken. Always the same must come out as with a good RSP, with that very
 * RSP reported.
 *
 * Then the stack that the guest itself names for its frames is put there: with a gate without
 * IST, and as the ring-0 stack. A frame that cannot be pushed is the guest's double fault; it
 * must not be pushed with the monitor's rights.
 */
#include "tests/guest/lib/test.h"

const char test_name[] = "stack-pointer";

#define UNMAPPED 0x0000123456789000

static const u64 places[] = {
    0,
    1,
    8,
    -8,
    -1,
    UNMAPPED,
    0x0000800000000000, /* the first and the last address that is none */
    0xffff7fffffffffff,
    0x00007ffffffffff8,
    0xffff800000000000,
    KERNEL_CODE + 64, /* read-only */
    SWITCHER_CONSTANTS + 0x900,
    SWITCHER_GDT + 0x800,
    SWITCHER_IDT + 0x100,
    SWITCHER_STACK + 0x40,
    SWITCHER_STACK + 0xc00,
    SWITCHER_STACK + 0xfd8,
    SWITCHER_STACK + 0x1000,
    SWITCHER_TEXT + 0x80,
    GN_CODE_AREA + 0x400,
    GN_VCPU_PAGE + 192,
    GN_VCPU_PAGE + 0x1000,
    MONITOR_IMAGE + 0x1000,
    MONITOR_MEMORY + 0x1000,
};

#define PLACES (sizeof(places) / sizeof(places[0]))

SNIPPET(by_syscall, "syscall");
SNIPPET(by_fault, "ud2");
SNIPPET(by_breakpoint, "int3");
SNIPPET(by_int, "int $0x80");
SNIPPET(by_page_fault, "mov 0x123456789000, %eax");
SNIPPET(by_protection, "mov %ax, (%rip)");
SNIPPET(by_hypercall, "xor %eax, %eax; int $0x82");

static const struct {
	const char *name;
	const struct snippet *code;
	u64 user, kernel; /* what is taken */
} ways[] = {
    {"SYSCALL", &by_syscall, TAKEN_SYSCALL, TAKEN_SYSCALL},
    {"UD2", &by_fault, 6, 6},
    {"INT3", &by_breakpoint, 3, 3},
    {"INT 0x80", &by_int, 0x80, 0x80},
    {"a page fault", &by_page_fault, 14, 14},
    {"a store to code", &by_protection, 14, 14},
    {"a hypercall", &by_hypercall, 13, DONE},
};

static void attack(enum ring ring, u64 rsp)
{
	for (unsigned i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		struct state s = state_for(ring);
		u64 expected = ring == USER ? ways[i].user : ways[i].kernel;

		if (!on_gnomon && ways[i].code == &by_hypercall)
			continue;
		s.rsp = rsp;
		run_state(&s, ring, ways[i].code);
		check(s.vector == expected && s.rsp == rsp,
		      "%s, ring %d, RSP %lx: took %lu, RSP %lx", ways[i].name, ring, rsp, s.vector,
		      s.rsp);
	}
	check(rings_work(), "after RSP %lx in ring %d", rsp, ring);
}

/*
 * Places where no frame can be pushed by the guest's kernel: a page fault there is a double
 * fault.
 */
static bool is_no_stack(u64 rsp)
{
	return !(rsp > SWITCHER_STACK && rsp <= SWITCHER_STACK + 0x1000) &&
	       !(rsp > GN_VCPU_PAGE && rsp <= GN_VCPU_PAGE + 0x1000);
}

static void bad_frame_stack(u64 rsp)
{
	struct state s = state_for(KERNEL);

	gate_set(14, 0, 0);
	s.rsp = rsp;
	run_state(&s, KERNEL, &by_page_fault);
	check(s.vector == 8, "a frame on %lx in the kernel's ring: took %lu", rsp, s.vector);
	if (!on_gnomon || s.vector != 8)
		goto out;
	if (CALL(set_kernel_stack, rsp) == 0) {
		s = run(USER, &by_page_fault);
		check(s.vector == 8, "a frame on %lx from ring 3: took %lu", rsp, s.vector);
	}
out:
	gate_set(14, 1, 0);
}

void test_main(void)
{
	for (unsigned i = 0; i < PLACES; i++) {
		attack(USER, places[i]);
		attack(KERNEL, places[i]);
	}
	for (unsigned i = 0; i < PLACES; i++)
		if (is_no_stack(places[i]) && places[i] > 64)
			bad_frame_stack(places[i]);
	check(rings_work(), "at the end");
}
