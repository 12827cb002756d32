// SPDX-License-Identifier: MIT
/*
 * switcher-jump - jump to every byte of the code that the monitor maps into a guest (R14).
 *
 * The switcher's text and the code area can be read and executed by ring 1. Nothing in them may do for ring
 * 1 what ring 1 could not do itself, at any entry point, aligned or not. And the monitor may not take a fault
 * for its own because of the address where it happened: what counts is the ring in the saved CS. The IRETQ
 * that enters the guest, jumped to by ring 1 with a bad frame, is the sharpest case.
 *
 * The stack is full of the address of an INT3, so that a RET comes home. RAX names a harmless call in case a
 * SYSCALL is met. The first bytes of the calls' slots are left out: there the guest calls, and is obeyed.
 */
#include "tests/guest/lib/test.h"

const char test_name[] = "switcher-jump";

static u64 ground[1024] __attribute__((aligned(4096)));

SNIPPET(land, "int3");

static struct state prepare(u64 rip)
{
	struct state s = state_for(KERNEL);
	u64 *registers = (u64 *)&s;

	for (unsigned i = STATE_RBX / 8; i <= STATE_R15 / 8; i++)
		registers[i] = (u64)&ground[512];
	s.rax = GN_CALL_version;
	s.rip = rip;
	for (u64 at = KERNEL_STACK - 64; at < KERNEL_STACK; at += 8)
		*(volatile u64 *)at = KERNEL_CODE;
	return s;
}

static bool is_present(u64 page)
{
	return try_read(KERNEL, page).vector == DONE;
}

/* The first byte of a call's slot makes that call, which is as good as made by its number. */
static bool is_call(u64 rip)
{
	u64 offset = rip - GN_CODE_AREA;

	return offset < GN_FIRST_OP_SLOT * GN_SLOT_SIZE && offset % GN_SLOT_SIZE == 0 &&
	       offset / GN_SLOT_SIZE != GN_CALL_version;
}

static void jump_to_page(u64 page)
{
	for (u64 rip = page; rip < page + 4096; rip++) {
		struct state s;

		if (is_call(rip))
			continue;
		s = prepare(rip);
		stage_code(KERNEL, &land, 0);
		enter(&s);
		check(s.vector <= TAKEN_SYSCALL, "a jump to %lx took %lu", rip, s.vector);
		if (rip % 64)
			continue;
		s = state_for(USER);
		s.rip = rip;
		enter(&s);
		if (s.vector != 14)
			breach("ring 3 executes %lx: vector %lu", rip, s.vector);
		check((s.error & 5) == 5 || (s.error & 4), "ring 3 at %lx: error %lx", rip, s.error);
	}
	check(rings_work(), "after jumps to %lx", page);
}

void test_main(void)
{
	unsigned pages = 0;

	for (u64 page = SWITCHER_TEXT; is_present(page); page += 4096, pages++)
		jump_to_page(page);
	check(pages > 0, "the switcher's text is not where it was expected");
	for (u64 page = GN_CODE_AREA; page < GN_CODE_AREA + GN_CODE_SIZE; page += 4096)
		jump_to_page(page);
}
