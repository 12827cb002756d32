// SPDX-License-Identifier: MIT
/*
 * nmi-storm - keep every way through the switcher busy while NMIs rain on it (R9).
 *
 * An NMI may come at any instruction of the switcher: with the guest's CR3 or the monitor's, with
 * the guest's RSP or the entry stack, between the store of a register and its use. With the
 * monitor's option debug=nmi one comes every few thousand instructions, at a phase that drifts.
 * This guest crosses between rings 3, 1 and 0 in every way that it has, over and over; each
 * crossing must have the result that it has without NMIs, and no register may change on the way.
 * The monitor prints at the end which of the switcher's instructions were hit; tests/system/nmi-map
 * compares them with those that there are.
 *
 * Without the option, and on the bare machine, it is a short stress of the crossings.
 */
#include "tests/guest/lib/test.h"

const char test_name[] = "nmi-storm";

#define ROUNDS_SHORT 50
#define ROUNDS_LONG  4000 /* with append=storm */
#define CALLS	     40	  /* hypercalls a round: they are quick */
#define SYSTEM_CALLS 4

SNIPPET(nothing, "nop");
SNIPPET(invalid, "ud2");
SNIPPET(call_kernel, "mov $42, %eax; syscall");
SNIPPET(interrupt, "int $0x80");
SNIPPET(hypercall_by_vector, "xor %eax, %eax; int $0x82");

static u64 wrong;

static bool registers_kept(const struct state *s, const struct state *before)
{
	const u64 *a = (const u64 *)s, *b = (const u64 *)before;

	/* RAX, RCX and R11 are what the crossings use. */
	for (unsigned i = STATE_RBX / 8; i <= STATE_R15 / 8; i++)
		if (i != STATE_RCX / 8 && i != STATE_R11 / 8 && a[i] != b[i])
			return false;
	return s->rsp == before->rsp;
}

/* Run it from registers that say so if one is exchanged for another. */
static void expect(enum ring ring, const struct snippet *code, unsigned vector)
{
	struct state before = state_for(ring), s;
	u64 *words = (u64 *)&before;

	for (unsigned i = STATE_RAX / 8; i <= STATE_R15 / 8; i++)
		words[i] = 0x1111111111111111 * (u64)(i + 1);
	s = before;
	if (run_state(&s, ring, code) != vector || !registers_kept(&s, &before))
		wrong++;
}

static void cross(void)
{
	for (unsigned i = 0; i < SYSTEM_CALLS; i++)
		expect(USER, &call_kernel, TAKEN_SYSCALL);
	expect(USER, &invalid, 6);
	expect(USER, &interrupt, 0x80);
	expect(USER, &nothing, DONE);
	expect(KERNEL, &invalid, 6);
	expect(KERNEL, &nothing, DONE);
	if (try_read(USER, 0x123456789000).vector != 14 ||
	    try_write(KERNEL, 0x123456789000, 1).vector != 14)
		wrong++;
	if (!on_gnomon)
		return;
	expect(KERNEL, &hypercall_by_vector, DONE);
	for (unsigned i = 0; i < CALLS; i++)
		if (CALL(version) != (GN_ABI_MAJOR << 16 | GN_ABI_MINOR))
			wrong++;
	load_root(page_root);
}

void test_main(void)
{
	unsigned rounds = command_line_is("storm") ? ROUNDS_LONG : ROUNDS_SHORT;

	for (unsigned i = 0; i < rounds; i++)
		cross();
	check(wrong == 0, "%lu crossings went wrong in %u rounds", wrong, rounds);
	check(rings_work(), "after the storm");
}
