// SPDX-License-Identifier: MIT
/*
 * flags - every bit of RFLAGS on every way into the kernel and back (R11, R16, R19).
 *
 * Whatever flags the guest has set are still set in the first instruction of ring 0 unless the
 * CPU or SYSCALL's mask clears them: DF turns the monitor's string copies around, NT makes its
 * IRETQ fault, AC opens user pages to it, TF makes it trap, IOPL opens the ports. And what the
 * monitor gives back must be what the guest had, but for what no guest may have: IOPL, VM, VIF,
 * VIP, and a real IF of 0.
 *
 * So each flag and a few mixtures are loaded in both rings, each way is taken, and the flags that
 * are reported and that are found afterwards are compared with what the architecture says. The
 * bare machine runs the same comparisons.
 */
#include "tests/guest/lib/test.h"

const char test_name[] = "flags";

enum {
	STATUS = 0x8d5, /* CF PF AF ZF SF OF */
	FIXED = 1 << 1,
	TF = 1 << 8,
	IF = 1 << 9,
	DF = 1 << 10,
	IOPL = 3 << 12,
	NT = 1 << 14,
	RF = 1 << 16,
	VM = 1 << 17,
	AC = 1 << 18,
	VIF = 1 << 19,
	VIP = 1 << 20,
	ID = 1 << 21,
};

static const u64 mixtures[] = {STATUS,
			       DF,
			       IOPL,
			       NT,
			       AC,
			       VIF,
			       VIP,
			       ID,
			       VM,
			       DF | AC | NT,
			       STATUS | DF | AC | ID,
			       IOPL | NT | AC | DF | ID};

SNIPPET(by_fault, "push %rax; popfq; ud2");
SNIPPET(by_int, "push %rax; popfq; int $0x80");
SNIPPET(by_syscall, "push %rax; popfq; syscall");
SNIPPET(by_hypercall, "push %rax; popfq; mov $0, %eax; int $0x82; pushfq; pop %rbx");
SNIPPET(by_slot, "push %rax; popfq; call *%rbp; pushfq; pop %rbx");
SNIPPET(by_page_fault, "push %rax; popfq; mov 0x123456789000, %eax");

/* What POPFQ lets a ring set, and what the report must then say. */
static u64 settable(enum ring ring)
{
	u64 always = STATUS | DF | NT | AC | ID;

	return ring == KERNEL && !on_gnomon ? always | IOPL : always;
}

static void compare(const struct state *s, enum ring ring, u64 loaded, const char *way)
{
	u64 seen = s->rflags & ~(u64)(IF | RF), want = FIXED | (loaded & settable(ring));

	/* POPFQ never clears or sets VIF and VIP at will, and no monitor here uses them. */
	check(seen == want, "%s in ring %d with %lx: RFLAGS %lx, not %lx", way, ring, loaded, seen,
	      want);
	if (ring == USER && !(s->rflags & IF))
		breach("%s in ring %d with %lx: IF is 0 in ring 3", way, ring, loaded);
}

static void from(enum ring ring, const struct snippet *code, u64 vector, u64 loaded,
		 const char *way)
{
	struct state s = state_for(ring);

	s.rax = loaded | FIXED | (ring == USER ? IF : 0);
	run_state(&s, ring, code);
	if (check(s.vector == vector, "%s in ring %d with %lx took %lu", way, ring, loaded,
		  s.vector))
		compare(&s, ring, loaded, way);
}

/* A call keeps every flag. */
static void call(const struct snippet *code, u64 loaded, const char *way)
{
	struct state s = state_for(KERNEL);

	s.rax = loaded | FIXED;
	s.rbp = GN_SLOT(GN_CALL_version);
	run_state(&s, KERNEL, code);
	if (!check(s.vector == DONE, "%s with %lx took %lu", way, loaded, s.vector))
		return;
	s.rflags = s.rbx;
	compare(&s, KERNEL, loaded, way);
	if (!(s.rbx & IF))
		breach("%s with %lx: the real IF is 0", way, loaded);
}

/*
 * A return with these flags in the frame; then what the ring sees. A raw IRETQ to the kernel's ring
 * is the monitor's to carry out, since the frame's CS has RPL 0.
 */
SNIPPET(look, "pushfq; pop %rax");

static void by_return(enum ring ring, u64 loaded, enum way way, const char *name)
{
	struct state s = state_for(ring);

	stage_code(ring, &look, 0);
	s.rflags = loaded | FIXED | (ring == USER ? IF : 0);
	s.rcx = s.rip;
	s.r11 = s.rflags;
	enter_by_way(&s, way);
	if (!check(s.vector == DONE, "%s with %lx took %lu", name, loaded, s.vector))
		return;
	if (on_gnomon && (s.rax & IOPL))
		breach("%s gives ring %d IOPL: %lx", name, ring, s.rax);
	if (!(s.rax & IF))
		breach("%s gives ring %d a real IF of 0", name, ring);
	check((s.rax & (STATUS | DF | AC | ID)) == (loaded & (STATUS | DF | AC | ID)),
	      "%s with %lx gives %lx", name, loaded, s.rax);
}

/* IF cannot be cleared for real by any of these. */
static void interrupts_off(void)
{
	struct state s = state_for(KERNEL);

	s.rax = FIXED;
	run_state(&s, KERNEL, &by_slot);
	s = state_for(USER);
	s.rflags = FIXED; /* IF 0 */
	stage_code(USER, &look, 0);
	enter_by_way(&s, BY_RAW_IRET);
	if (!(s.rax & IF))
		breach("a raw IRETQ gives ring 3 IF 0");
	check(s.vector == DONE, "a raw IRETQ with IF 0: %lu", s.vector);
}

static void attack(u64 loaded)
{
	for (enum ring ring = KERNEL; ring <= USER; ring += USER - KERNEL) {
		from(ring, &by_fault, 6, loaded, "UD2");
		from(ring, &by_int, 0x80, loaded, "INT 0x80");
		from(ring, &by_syscall, TAKEN_SYSCALL, loaded, "SYSCALL");
		from(ring, &by_page_fault, 14, loaded, "a page fault");
	}
	if (!(loaded & (NT | VM | IOPL | VIF | VIP)))
		by_return(USER, loaded, BY_SYSRET, "SYSRET");
	if (!(loaded & VM))
		by_return(USER, loaded & ~(u64)NT, BY_IRET, "IRET");
	if (on_gnomon && !(loaded & (VM | NT | VIF | VIP)))
		by_return(KERNEL, loaded, BY_RAW_IRET, "a raw IRETQ");
	if (on_gnomon) {
		call(&by_hypercall, loaded, "INT 0x82");
		call(&by_slot, loaded, "a slot");
	}
	check(rings_work(), "after %lx", loaded);
}

void test_main(void)
{
	for (unsigned i = 0; i < sizeof(mixtures) / sizeof(mixtures[0]); i++)
		attack(mixtures[i]);
	if (on_gnomon)
		interrupts_off();
}
