// SPDX-License-Identifier: MIT
/*
 * nmi - a non-maskable interrupt, as a kernel asks for one.
 *
 * It comes whatever the interrupt flag is, through the gate of vector 2, with the frame of any
 * other interrupt. Until the handler's IRET, or that of an exception within it, no second one
 * comes: one that is raised meanwhile comes then, once (SDM 3A 6.7.1). On the bare machine the
 * local APIC sends it to its own CPU; on Gnomon a port is bound to vector 2. `boundaries` has one
 * come at each instruction of the code area.
 */
#include "guest-abi/kit/clock.h"
#include "guest-abi/kit/operations.h"
#include "tests/guest/lib/test.h"

const char test_name[] = "nmi";

#define NMI	  2
#define EVENT	  0x40
#define FLAGS_IF  0x200
#define MS	  1000000ul
#define PATIENCE  100000 /* turns of a loop */
#define NO_DEVICE 0x10	 /* PCD */

#define APIC_PAGE     0x0000000060000000
#define APIC_PHYSICAL 0xfee00000
#define APIC_ID	      0x20
#define APIC_SPURIOUS 0xf0
#define APIC_ICR      0x300
#define APIC_ICR_HIGH 0x310
#define ICR_NMI	      0x4400 /* delivery mode NMI, level assert */

/* What the handler does, beside counting. */
enum { NOTHING, RAISE, RAISE_AND_TRAP };

static unsigned task;
static bool timer_is_nmi;
static volatile unsigned nmis, events, depth, deepest, traps, order;
static u64 seen_rip, seen_cs, seen_flags;
u64 nmi_return; /* IRETQ, or the slot */

void nmi_entry(void), trap_entry(void), event_entry(void), nmi_raw_return(void);
__asm__(".text\n"
	"nmi_entry: push %rax; push %rcx; push %rdx; push %rsi; push %rdi; push %r8; push %r9\n"
	"push %r10; push %r11; lea 72(%rsp), %rdi; call nmi_seen; pop %r11; pop %r10; pop %r9\n"
	"pop %r8; pop %rdi; pop %rsi; pop %rdx; pop %rcx; pop %rax; jmp *nmi_return(%rip)\n"
	"event_entry: push %rax; push %rcx; push %rdx; push %rsi; push %rdi; push %r8; push %r9\n"
	"push %r10; push %r11; call event_seen; pop %r11; pop %r10; pop %r9\n"
	"pop %r8; pop %rdi; pop %rsi; pop %rdx; pop %rcx; pop %rax; jmp *nmi_return(%rip)\n"
	"trap_entry: incl traps(%rip); jmp *nmi_return(%rip)\n"
	"nmi_raw_return: iretq");

static volatile u32 *apic(unsigned offset)
{
	return (volatile u32 *)((u64)APIC_PAGE + offset);
}

static void raise(void)
{
	if (on_gnomon) {
		CALL(port_raise, GN_PORT_SELF);
	} else {
		*apic(APIC_ICR_HIGH) = *apic(APIC_ID);
		*apic(APIC_ICR) = ICR_NMI;
	}
}

static void wait_for(volatile unsigned *count, unsigned wanted)
{
	for (unsigned i = 0; *count < wanted && i < PATIENCE; i++)
		__asm__ volatile("pause");
}

/* Is there time for one that should not come? */
static void wait_in_vain(unsigned wanted)
{
	for (unsigned i = 0; nmis == wanted && i < PATIENCE / 10; i++)
		__asm__ volatile("pause");
}

void nmi_seen(const u64 *frame);
void nmi_seen(const u64 *frame)
{
	unsigned number = ++nmis;

	depth++;
	deepest = depth > deepest ? depth : deepest;
	order = order * 10 + 1;
	seen_rip = frame[0];
	seen_cs = frame[1];
	seen_flags = frame[2];
	if (on_gnomon) {
		CALL(port_poll, GN_PORT_SELF);
		if (timer_is_nmi)
			CALL(port_poll, GN_PORT_TIMER);
	}
	if (task != NOTHING && number == 1) {
		raise();
		raise();
		wait_in_vain(1);
		check(nmis == 1, "an NMI came in the handler of another");
		if (task == RAISE_AND_TRAP) {
			__asm__ volatile("int3");
			wait_for(&nmis, 2);
			check(nmis == 2,
			      "none came behind the IRET of an exception in the handler");
		}
	}
	depth--;
}

void event_seen(void);
void event_seen(void)
{
	events++;
	order = order * 10 + 2;
	CALL(port_poll, GN_PORT_TIMER);
}

static void begin(unsigned what)
{
	task = what;
	nmis = events = depth = deepest = traps = order = 0;
}

static void set_flag(bool on)
{
	if (on_gnomon)
		gn_set_vif(on);
	else if (on)
		__asm__ volatile("sti");
	else
		__asm__ volatile("cli");
}

static void judge(const char *name, unsigned expected, unsigned deep, bool flag)
{
	wait_for(&nmis, expected);
	wait_in_vain(expected);
	check(nmis == expected && deepest == deep, "%s: %u came, %u deep", name, nmis, deepest);
	check(seen_cs == KERNEL_CS && !!(seen_flags & FLAGS_IF) == flag,
	      "%s: CS %lx, RFLAGS %lx at %lx", name, seen_cs, seen_flags, seen_rip);
}

static void in_kernel(void)
{
	for (unsigned flag = 0; flag < 2; flag++) {
		begin(NOTHING);
		set_flag(flag);
		raise();
		judge("raised", 1, 1, flag);
		raise();
		judge("raised again", 2, 1, flag);
		begin(RAISE);
		raise();
		judge("raised in the handler", 2, 1, flag);
		begin(RAISE_AND_TRAP);
		raise();
		wait_for(&nmis, 2);
		wait_in_vain(2);
		check(nmis == 2 && deepest == 2 && traps == 1, "a trap in it: %u came, %u deep",
		      nmis, deepest);
		set_flag(false);
	}
}

/* ---- Gnomon alone: the timer as its source ---- */

static void bind_timer(u8 vector)
{
	timer_is_nmi = vector == NMI;
	CALL(port_bind, GN_PORT_TIMER, vector);
}

SNIPPET(user_waits, "1: mov (%rdi), %eax; test %eax, %eax; jz 1b; mov $7, %ebx");
#define USER_FLAG 0x0000000061000000

static void in_user(void)
{
	struct state s = state_for(USER);
	u64 page = (u64)&nmis & PTE_ADDR;

	begin(NOTHING);
	map(USER_FLAG, page, PTE_P | PTE_U | PTE_NX);
	s.rdi = USER_FLAG + ((u64)&nmis & 0xfff);
	CALL(timer_set, gn_clock_ns() + 200 * MS); /* the bystander's turn may come first */
	check(!nmis, "it was early");
	run_state(&s, USER, &user_waits);
	check(ran_through(&s, &user_waits) && s.rbx == 7, "ring 3 took %lu at %lx", s.vector,
	      s.rip);
	check(nmis == 1 && seen_cs == USER_CS && seen_flags & FLAGS_IF, "ring 3: CS %lx", seen_cs);
	/* The way back to ring 3 is open: the handler's IRET has been seen. */
	check(rings_work(), "after an NMI in ring 3");
}

/* Nobody enters the monitor here but the timer. */
static void by_timer(void)
{
	begin(NOTHING);
	CALL(timer_set, gn_clock_ns() + 5 * MS);
	for (u64 end = gn_clock_ns() + 2000 * MS; !nmis && gn_clock_ns() < end;)
		;
	judge("by the timer", 1, 1, false);
}

/* Before an event that waits, too, and that comes behind it. */
static void before_events(void)
{
	bind_timer(EVENT);
	begin(NOTHING);
	CALL(timer_set, 1);
	check(!nmis && !events && VCPU_PAGE->pending, "an event with vif 0");
	raise();
	judge("while an event waits", 1, 1, false);
	check(!events, "an event with vif 0 came behind an NMI");
	set_flag(true);
	wait_for(&events, 1);
	check(order == 12, "their order: %u", order);
	CALL(port_mask, GN_PORT_TIMER, 1);
	CALL(port_mask, GN_PORT_SELF, 1);
	begin(NOTHING);
	CALL(timer_set, 1);
	raise();
	CALL(port_mask, GN_PORT_TIMER, 0);
	check(events == 1 && !nmis, "a masked one came");
	CALL(port_mask, GN_PORT_SELF, 0);
	judge("not masked any more", 1, 1, true);
	set_flag(false);
	bind_timer(NMI);
}

/* As an event: #NP, with the error code that says which gate, and that nobody asked for it. */
SNIPPET(raise_by_int, "mov $17, %eax; mov $2, %edi; int $0x82"); /* port_raise(GN_PORT_SELF) */

static void no_gate(void)
{
	struct state s;

	gate_unset(NMI);
	s = run(KERNEL, &raise_by_int);
	check(s.vector == 11 && s.error == NMI * 8 + 3, "without a gate: %lu, error %lx", s.vector,
	      s.error);
}

void test_main(void)
{
	map(APIC_PAGE, APIC_PHYSICAL, PTE_P | PTE_W | PTE_NX | NO_DEVICE);
	gate_set_handler(NMI, (u64)nmi_entry, 0, 0);
	gate_set_handler(3, (u64)trap_entry, 0, 0);
	nmi_return = (u64)nmi_raw_return;
	if (!on_gnomon) {
		*apic(APIC_SPURIOUS) |= 0x1ff;
		in_kernel();
		return;
	}
	check(CALL(port_bind, GN_PORT_SELF, 3) == -(s64)GN_EINVAL, "a port at vector 3");
	check(CALL(port_bind, GN_PORT_SELF, NMI) == 0, "a port at vector 2 is refused");
	bind_timer(NMI);
	gate_set_handler(EVENT, (u64)event_entry, 0, 0);
	in_kernel();
	nmi_return = GN_SLOT(GN_OP_iret);
	in_kernel();
	by_timer();
	before_events();
	gate_set(3, 1, 3);
	in_user();
	nmi_return = (u64)nmi_raw_return;
	in_user();
	no_gate();
}
