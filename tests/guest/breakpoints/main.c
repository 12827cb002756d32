// SPDX-License-Identifier: MIT
/*
 * breakpoints - debug traps at the doors of ring 0 (R10).
 *
 * A single step or a data breakpoint that is due when SYSCALL or INT enters ring 0 fires on the
 * first instruction there: SYSCALL behind a MOV SS holds it back just long enough (SDM 3A 6.8.3;
 * it broke most kernels in 2018). At that moment RSP is still the guest's. The monitor must take
 * it on a stack of its own, note it and go on. INT1 (F1) raises #DB whatever the gate's DPL is.
 * And a breakpoint set on the switcher itself would fire at every entry: a guest that can write
 * debug registers may not name addresses there.
 *
 * Emulators differ in whether such a trap is lost, so only this is asked: every way arrives, with
 * the right RIP or with #DB before or behind it, and the rings work.
 */
#include "tests/guest/lib/test.h"

const char test_name[] = "breakpoints";

#define FIXED 2
#define TF    0x100
#define IF    0x200

/* TF is set by the POPFQ; the MOV SS behind it delays the trap. */
SNIPPET(step_syscall, "popfq; syscall");
SNIPPET(step_int, "popfq; int $0x80");
SNIPPET(step_int3, "popfq; int3");
SNIPPET(step_hypercall, "popfq; xor %eax, %eax; int $0x82");
SNIPPET(step_slot, "popfq; call *%rbp");
SNIPPET(step_fault, "popfq; ud2");
SNIPPET(shadow_syscall, "popfq; mov %cx, %ss; syscall");
SNIPPET(shadow_int, "popfq; mov %cx, %ss; int $0x80");
SNIPPET(shadow_int3, "popfq; mov %cx, %ss; int3");
SNIPPET(shadow_int1, "popfq; mov %cx, %ss; .byte 0xf1");
SNIPPET(shadow_hypercall, "popfq; mov %cx, %ss; int $0x82");
SNIPPET(int1, "popfq; .byte 0xf1");

static const struct {
	const char *name;
	const struct snippet *code;
	u64 vector; /* beside #DB */
} ways[] = {
    {"SYSCALL", &step_syscall, TAKEN_SYSCALL},
    {"INT 0x80", &step_int, 0x80},
    {"INT3", &step_int3, 3},
    {"INT 0x82", &step_hypercall, DONE},
    {"UD2", &step_fault, 6},
    {"MOV SS, SYSCALL", &shadow_syscall, TAKEN_SYSCALL},
    {"MOV SS, INT 0x80", &shadow_int, 0x80},
    {"MOV SS, INT3", &shadow_int3, 3},
    {"MOV SS, INT1", &shadow_int1, 1},
    {"MOV SS, INT 0x82", &shadow_hypercall, DONE},
    {"INT1", &int1, 1},
};

/* What POPFQ pops. */
static struct state prepare(enum ring ring, u64 flags)
{
	struct state s = state_for(ring);

	*(volatile u64 *)s.rsp = flags | FIXED | (ring == USER ? IF : 0);
	s.rcx = ring == USER ? USER_SS : on_gnomon ? GN_KERNEL_SS : KERNEL_SS;
	s.rbp = GN_SLOT(GN_CALL_version);
	return s;
}

/* Step on and on until the way is taken, as a debugger would. */
static void take(enum ring ring, unsigned i, u64 flags)
{
	struct state s = prepare(ring, flags);
	bool refused =
	    ring == USER && (ways[i].code == &step_hypercall || ways[i].code == &shadow_hypercall);
	u64 expected = refused ? 13 : ways[i].vector;
	unsigned steps = 0;

	run_state(&s, ring, ways[i].code);
	while (s.vector == 1 && expected != 1 && steps++ < 16)
		enter(&s);
	if (expected == 1 && on_tcg && s.vector == 6)
		return; /* TCG has no INT1 */
	check(s.vector == expected, "%s in ring %d with flags %lx took %lu after %u steps",
	      ways[i].name, ring, flags, s.vector, steps);
	check(rings_work(), "after %s in ring %d", ways[i].name, ring);
}

/* Single-step through a call of the code area: the stub, the switcher, and back. */
static void step_through_call(void)
{
	struct state s = prepare(KERNEL, TF);
	unsigned steps = 0;

	run_state(&s, KERNEL, &step_slot);
	for (; s.vector == 1 && steps < 64; steps++)
		enter(&s);
	check(s.vector == DONE && s.rax == (GN_ABI_MAJOR << 16 | GN_ABI_MINOR),
	      "stepping through a call: vector %lu RAX %lx after %u steps", s.vector, s.rax, steps);
}

/*
 * TF is set when SYSCALL begins: its trap comes at ring 0's first instruction, where RSP is still
 * the guest's, and here leads nowhere.
 */
SNIPPET(only_syscall, "syscall");

static void step_without_stack(u64 rsp)
{
	struct state s = state_for(USER);

	s.rflags |= TF;
	s.rsp = rsp;
	run_state(&s, USER, &only_syscall);
	if (s.vector == 1)
		enter(&s);
	check(s.vector == TAKEN_SYSCALL || s.vector == DONE,
	      "a stepped SYSCALL with RSP %lx took %lu", rsp, s.vector);
	check(rings_work(), "after a stepped SYSCALL with RSP %lx", rsp);
}

/* Debug registers over everything that the switcher touches, each kind of breakpoint. */
#define DR7_ALL_GLOBAL 0xaa
#define EXECUTE	       0x00000000
#define WRITE	       0x11110000
#define ACCESS	       0x33330000

SNIPPET(set_debug,
	"mov %rbx, %dr0; mov %rcx, %dr1; mov %rdx, %dr2; mov %rsi, %dr3; mov %rdi, %dr7");

static void cover_switcher(u64 kind)
{
	struct state s = state_for(KERNEL);

	s.rbx = SWITCHER_TEXT;
	s.rcx = SWITCHER_STACK;
	s.rdx = SWITCHER_STACK + 0xff8;
	s.rsi = SWITCHER_CONSTANTS;
	s.rdi = DR7_ALL_GLOBAL | kind;
	run_state(&s, KERNEL, &set_debug);
	check(s.vector == 13 || s.vector == DONE, "MOV to DR took %lu", s.vector);
	for (unsigned i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		take(USER, i, 0);
	s = state_for(KERNEL);
	run_state(&s, KERNEL, &set_debug);
}

void test_main(void)
{
	for (unsigned i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		if (!on_gnomon &&
		    (ways[i].code == &step_hypercall || ways[i].code == &shadow_hypercall))
			continue;
		for (enum ring ring = KERNEL; ring <= USER; ring += USER - KERNEL) {
			take(ring, i, 0);
			take(ring, i, TF);
		}
	}
	if (!on_gnomon)
		return;
	step_without_stack(0x123456789000);
	step_without_stack(0);
	step_without_stack(SWITCHER_GDT + 0x800);
	step_through_call();
	cover_switcher(EXECUTE);
	cover_switcher(WRITE);
	cover_switcher(ACCESS);
}
