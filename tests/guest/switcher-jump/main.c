// SPDX-License-Identifier: MIT
/*
 * switcher-jump - jump to every byte of the code that the monitor maps into a guest (R14).
 *
 * The switcher's text and the code area can be read and executed by ring 1. Nothing in them may
 * do for ring 1 what ring 1 could not do itself, at any entry point, aligned or not. And the
 * monitor may not take a fault for its own because of the address where it happened: what counts
 * is the ring in the saved CS. The IRETQ that enters the guest, jumped to by ring 1 with a bad
 * frame, is the sharpest case.
 *
 * The stack is full of the address of an INT3, so that a RET comes home. RAX is no address and no
 * call's number, in case a SYSCALL is met; a timer ends what goes round in a circle or halts. The
 * first bytes of the slots of calls and of single instructions are left out: there the guest is
 * obeyed, though it loads an IDT of zeros or fills its memory by REP INSB.
 */
#include "guest-abi/kit/clock.h"
#include "tests/guest/lib/test.h"

const char test_name[] = "switcher-jump";

#define TIMER	0x90
#define IF	0x200
#define NO_CALL 0x5a5a5a5a00000000

static u64 ground[1024] __attribute__((aligned(4096)));

SNIPPET(land, "int3");

static struct state prepare(enum ring ring, u64 rip)
{
	struct state s = state_for(ring);
	u64 *registers = (u64 *)&s;

	for (unsigned i = STATE_RBX / 8; i <= STATE_R15 / 8; i++)
		registers[i] = (u64)&ground[512];
	s.rax = NO_CALL;
	s.rip = rip;
	s.rflags |= IF;
	for (u64 at = KERNEL_STACK - 64; at < KERNEL_STACK; at += 8)
		*(volatile u64 *)at = KERNEL_CODE;
	return s;
}

static bool is_present(u64 page)
{
	return try_read(KERNEL, page).vector == DONE;
}

/* The first byte of a call's slot makes that call, which is as good as made by its number; that of
 * an instruction's executes it, and the second, behind a prefix, another one. */
static bool is_call(u64 rip)
{
	u64 offset = rip - GN_CODE_AREA, slot = offset / GN_SLOT_SIZE;

	if (offset >= GN_CODE_SIZE || offset % GN_SLOT_SIZE > 1)
		return false;
	if (slot >= GN_OP_cpuid && slot <= GN_OP_outs32)
		return true;
	if (offset % GN_SLOT_SIZE)
		return false;
	return (slot < GN_FIRST_OP_SLOT && slot != GN_CALL_version) || slot == GN_OP_write_cr3;
}

/* In the middle of a row of UD2, which fills what is not used. */
static bool is_filling(u64 rip)
{
	const u8 *code = (const u8 *)(rip & ~1ul);

	for (int i = -8; i < 8; i += 2)
		if ((u64)(code + i) >> 12 != rip >> 12 || code[i] != 0x0f || code[i + 1] != 0x0b)
			return false;
	return true;
}

static u64 due; /* ns since the monitor booted; 0: no timer runs */

/* An event must be due within 10 to 50 ms. Few calls: each gives the time slice away. */
static void arm_timer(void)
{
	u64 now = gn_clock_ns();

	if (due < now + 10000000) {
		due = now + 50000000;
		CALL(timer_set, due);
		CALL(port_poll, GN_PORT_TIMER);
	}
}

static void disarm_timer(void)
{
	due = 0;
	CALL(timer_set, due);
	CALL(port_poll, GN_PORT_TIMER);
}

/*
 * In the stubs that push frames any fault is taken for one of the push, and so becomes a double
 * fault; a second one would be a triple fault, unless something else has been delivered in
 * between.
 */
static void forget_double_fault(void)
{
	struct state s = state_for(KERNEL);

	enter(&s);
}

/* The timer may have been about to fire: once more, then. */
static struct state jump(enum ring ring, u64 rip)
{
	struct state s;

	for (unsigned i = 0; i < 2; i++) {
		arm_timer();
		s = prepare(ring, rip);
		enter(&s);
		if (s.vector != TIMER)
			break;
	}
	if (s.vector == 8)
		forget_double_fault();
	return s;
}

static void jump_to_page(u64 page)
{
	for (u64 rip = page; rip < page + 4096; rip++) {
		struct state s;

		if (is_call(rip) || is_filling(rip))
			continue;
		s = jump(KERNEL, rip);
		check(s.vector <= TAKEN_SYSCALL, "a jump to %lx took %lu", rip, s.vector);
		if (rip % 64)
			continue;
		s = jump(USER, rip);
		if (s.vector != 14)
			breach("ring 3 executes %lx: vector %lu", rip, s.vector);
		check((s.error & 5) == 5 || (s.error & 4), "ring 3 at %lx: error %lx", rip,
		      s.error);
	}
	disarm_timer();
	check(rings_work(), "after jumps to %lx", page);
	stage_code(KERNEL, &land, 0);
}

void test_main(void)
{
	unsigned pages = 0;

	stage_code(KERNEL, &land, 0);
	CALL(port_bind, GN_PORT_TIMER, TIMER);
	for (u64 page = SWITCHER_TEXT; is_present(page); page += 4096, pages++)
		jump_to_page(page);
	check(pages > 0, "the switcher's text is not where it was expected");
	for (u64 page = GN_CODE_AREA; page < GN_CODE_AREA + GN_CODE_SIZE; page += 4096)
		jump_to_page(page);
}
