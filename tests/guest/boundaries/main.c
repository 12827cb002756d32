// SPDX-License-Identifier: MIT
/*
 * boundaries - an event at every instruction boundary, none lost, none doubled.
 *
 * vif, RIP and what the code area looks at cannot change in one instruction, so there are moments
 * at which an event must not simply be delivered: between the look at `pending` and the store to
 * vif, between that store and IRETQ, while a frame is being pushed, between STI and HLT. This test
 * makes events come at each such moment. A trial arms the timer for an instant some ticks after the
 * start of a scene, a few instructions of one kind: return to the kernel or to ring 3, take an
 * exception through a trap or an interrupt gate, sleep, make a call. The next trial arms it one
 * tick later, until the event comes after the scene. Under QEMU's -icount, and in Bochs always, a
 * tick is an instruction, so the event comes at each boundary once; tests/system/boundaries reads
 * from the emulator at which.
 *
 * Every scene is played with vif 0 and 1, with another event waiting already, and within a handler.
 * Each event must come exactly once, soon after vif lets it (the test waits without leaving to the
 * monitor, which would help a forgotten event along), every scene must have its own result with all
 * registers kept, and an event may find no more of the stack used than the scene itself uses with
 * one frame.
 *
 * On the command line: "raw", with CLI, STI, IRETQ, SYSRETQ and HLT themselves instead of the code
 * area's slots; "held", raw and an STI before each return; "all": every tick and state. Else a
 * sample.
 */
#include "tests/guest/boundaries/scenes.h"

const char test_name[] = "boundaries";

#define INTERRUPT 0x8e
#define TRAP	  0x8f
#define MSR_STAR  0xc0000081

#define LEAD	3000  /* ticks from the start of a trial to its scene: timer_set takes some */
#define SLACK	60000 /* an event that comes so late was lost */
#define EARLY	3000  /* ticks before the scene's start, where a sweep begins, by strides */
#define STRIDE	50
#define AFTER	40    /* ticks in a row whose event comes behind the scene: it is done */
#define LONGEST 20000 /* a sweep */
#define WAITING 4000  /* a sweep of a scene that waits for its event */
#define SAMPLE	23    /* ticks from one trial to the next, if not all */

/* How deep events may find the stack below the scene: the return address of an operation that was
 * called, and one frame. With vif 1, besides, what the scene has pushed. */
#define ONE_FRAME  64
#define TWO_FRAMES 128
#define IN_HANDLER (FROM_USER + TWO_FRAMES) /* of ring 3's exception */

enum when { BEFORE, WITHIN, BEHIND };
enum { EVENTS_OFF, EVENTS_ON, EVENT_WAITS, STATES };

struct scene {
	const char *name;
	u64 (*play)(void);
	u8 gate;	/* type of the exceptions' gates */
	u8 raises;	/* GN_PORT_SELF, so often */
	u8 exceptions;	/* so many come */
	bool waits;	/* for the event, in ring 3 */
	u16 deepest[2]; /* by vif */
};

/* clang-format off */
static const struct scene scenes[] = {
	{"flags", scene_flags, INTERRUPT, .deepest = {ONE_FRAME, ONE_FRAME}},
	{"iret, vif 1", scene_iret_on, INTERRUPT, .deepest = {ONE_FRAME, TWO_FRAMES}},
	{"iret, vif 0", scene_iret_off, INTERRUPT, .deepest = {ONE_FRAME, TWO_FRAMES}},
	{"iret to user", scene_iret_user, INTERRUPT, .deepest = {ONE_FRAME, TWO_FRAMES}},
	{"iret to waiting user", scene_iret_user_wait, INTERRUPT,
	 .waits = true, .deepest = {ONE_FRAME, TWO_FRAMES}},
	{"sysret", scene_sysret, INTERRUPT, .deepest = {ONE_FRAME, ONE_FRAME}},
	{"sysret to waiting user", scene_sysret_wait, INTERRUPT,
	 .waits = true, .deepest = {ONE_FRAME, ONE_FRAME}},
	{"user exception", scene_user_exception, INTERRUPT,
	 .exceptions = 1, .deepest = {ONE_FRAME, TWO_FRAMES}},
	{"user exception, trap gate", scene_user_exception, TRAP,
	 .exceptions = 1, .deepest = {IN_HANDLER, IN_HANDLER}},
	{"exception", scene_invalid, INTERRUPT,
	 .exceptions = 1, .deepest = {ONE_FRAME, ONE_FRAME}},
	{"exception, trap gate", scene_invalid, TRAP,
	 .exceptions = 1, .deepest = {ONE_FRAME, TWO_FRAMES}},
	{"page fault", scene_page_fault, INTERRUPT,
	 .exceptions = 1, .deepest = {ONE_FRAME, ONE_FRAME}},
	{"page fault, trap gate", scene_page_fault, TRAP,
	 .exceptions = 1, .deepest = {ONE_FRAME, TWO_FRAMES}},
	{"halt", scene_halt, INTERRUPT, .waits = true, .deepest = {ONE_FRAME, ONE_FRAME}},
	{"call", scene_call, INTERRUPT, .deepest = {ONE_FRAME, ONE_FRAME}},
	{"raise", scene_raise, INTERRUPT, .raises = 1, .deepest = {ONE_FRAME, ONE_FRAME}},
};
/* clang-format on */

#define SCENES (sizeof(scenes) / sizeof(scenes[0]))

SNIPPET(user_call, "syscall");
SNIPPET(user_exception, "int3");
SNIPPET(user_wait, "mov $0x50020000, %r8d\n"
		   "1: cmpq $0, (%r8)\n"
		   "jne 2f\n"
		   "rdtsc\n"
		   "shl $32, %rdx\n"
		   "or %rdx, %rax\n"
		   "cmp %rsi, %rax\n"
		   "jb 1b\n"
		   "mov $1, %edi\n"
		   "2: syscall");

static bool every, raw;
static u64 trials, lost, doubled, wrong, deep, longest;

static u64 rdtsc(void)
{
	return __builtin_ia32_rdtsc();
}

/* The instant at which the TSC is this, for timer_set. (The scale is constant.) */
static u64 ns_at(u64 tsc)
{
	const volatile struct gn_clock *clock = &VCPU_PAGE->clock;
	u64 ticks = tsc - clock->tsc_base;

	ticks = clock->shift < 0 ? ticks >> -clock->shift : ticks << clock->shift;
	return clock->ns_base + (u64)((unsigned __int128)ticks * clock->mul >> 32);
}

static void set_gate(unsigned vector, void (*handler)(void), u8 type)
{
	u64 at = (u64)handler, gate[2];

	gate[0] = (at & 0xffff) | KERNEL_CS << 16 | (u64)(type | (vector == 3) * 0x60) << 40 |
		  (at & 0xffff0000) << 32;
	gate[1] = at >> 32;
	CALL(set_idt, gate, vector, 1);
}

/* One event, so many ticks after the scene's start; when it came. (Set by vif 1 before: with vif 0
 * it may only have become pending then.) */
static enum when play(const struct scene *s, unsigned state, bool nested, s64 tick)
{
	u64 start, self = s->raises || state == EVENT_WAITS, end, answer;
	enum when when;

	__asm__ volatile("call *%0" : : "m"(way.cli) : "rax", "memory", "cc");
	timer_events = self_events = exceptions = deepest = 0;
	if (state == EVENT_WAITS)
		CALL(port_raise, GN_PORT_SELF);
	start = rdtsc() + LEAD;
	wait_limit = start + (u64)tick + SLACK;
	CALL(timer_set, ns_at(start + (u64)tick));
	if (state == EVENTS_ON)
		__asm__ volatile("call *%0" : : "m"(way.sti) : "rax", "memory", "cc");
	while (rdtsc() < start)
		;
	when = timer_events || (state != EVENTS_ON && VCPU_PAGE->pending) ? BEFORE : WITHIN;
	answer = scene_run(s->play, nested, state == EVENTS_ON);
	if (!timer_events)
		when = BEHIND;
	while (!timer_events && rdtsc() < wait_limit)
		;
	end = rdtsc() + 200;
	while (rdtsc() < end)
		;

	trials++;
	lost += !timer_events || self_events < self || exceptions < s->exceptions;
	doubled += timer_events > 1 || self_events > self || exceptions > s->exceptions;
	wrong += answer != 0;
	deep += deepest > s->deepest[state == EVENTS_ON];
	longest = deepest > longest ? deepest : longest;
	return when;
}

static bool is_clean(void)
{
	return !(lost | doubled | wrong | deep);
}

static void sweep(const struct scene *s, unsigned state, bool nested)
{
	static s64 early; /* the timer is late by what the monitor does before it sets the APIC's */
	u64 before = trials;
	s64 longest_sweep = s->waits ? WAITING : LONGEST;
	unsigned behind = 0;
	s64 tick;

	longest = 0;
	if (state != EVENT_WAITS) /* then it cannot be seen: as without one */
		for (early = -EARLY; early < LONGEST && is_clean(); early += STRIDE)
			if (play(s, state, nested, early) != BEFORE)
				break;
	for (tick = early - STRIDE; behind < AFTER && tick < early + longest_sweep && is_clean();
	     tick += every ? 1 : SAMPLE)
		behind = play(s, state, nested, tick) == BEHIND ? behind + (every ? 1 : SAMPLE) : 0;
	if (every || !is_clean())
		print("%s, %s%s: %lu trials, %lu bytes deep\n", s->name,
		      state == EVENTS_OFF  ? "vif 0"
		      : state == EVENTS_ON ? "vif 1"
					   : "vif 0 and an event waits",
		      nested ? ", in a handler" : "", trials - before, longest);
}

static void put_user_program(u8 *page, u64 at, const struct snippet *code)
{
	for (const u8 *c = code->start; c < code->end; c++)
		page[at - USER_CALL + (u64)(c - code->start)] = *c;
}

static void prepare(void)
{
	u8 *page = page_alloc();

	put_user_program(page, USER_CALL, &user_call);
	put_user_program(page, USER_EXCEPTION, &user_exception);
	put_user_program(page, USER_WAIT, &user_wait);
	map(USER_CALL, (u64)page, PTE_P | PTE_U);
	map(USER_COUNTS, (u64)&timer_events, PTE_P | PTE_U | PTE_NX);
	way = raw ? (struct ways){(u64)raw_cli, (u64)raw_sti, (u64)raw_iret, (u64)raw_sysret,
				  (u64)raw_halt}
		  : (struct ways){GN_SLOT(GN_OP_cli), GN_SLOT(GN_OP_sti), GN_SLOT(GN_OP_iret),
				  GN_SLOT(GN_OP_sysret), GN_SLOT(GN_CALL_halt)};
	/* For SYSRETQ, which the monitor then executes: the selectors behind USER_CS32. */
	__asm__ volatile("wrmsr" : : "c"(MSR_STAR), "a"(0), "d"(USER_CS32 << 16 | KERNEL_CS));
	if (command_line_has("held")) {
		way.iret = (u64)raw_sti_iret;
		way.sysret = (u64)raw_sti_sysret;
	}
	syscall_entry_set((u64)scene_syscall_entry);
	kernel_stack_set((u64)scene_stack + STACK_SIZE - FROM_USER);
	set_gate(TIMER_VECTOR, timer_handler, INTERRUPT);
	set_gate(SELF_VECTOR, self_handler, INTERRUPT);
	set_gate(NEST_VECTOR, nest_handler, INTERRUPT);
	CALL(port_bind, GN_PORT_TIMER, TIMER_VECTOR);
	CALL(port_bind, GN_PORT_SELF, SELF_VECTOR);
}

void test_main(void)
{
	every = command_line_has("all");
	raw = command_line_has("raw") || command_line_has("held");
	prepare();
	for (const struct scene *s = scenes; s < scenes + SCENES && is_clean(); s++) {
		set_gate(3, breakpoint_handler, s->gate);
		set_gate(6, invalid_handler, s->gate);
		set_gate(14, fault_handler, s->gate);
		for (unsigned state = 0; state < STATES; state++)
			for (unsigned nested = 0; nested < 2 && is_clean(); nested++)
				sweep(s, state, nested);
		if (!is_clean())
			print("it was scene \"%s\"\n", s->name);
	}
	print("%lu trials, %lu lost, %lu doubled, %lu wrong, %lu too deep\n", trials, lost, doubled,
	      wrong, deep);
	check(lost == 0, "%lu events or exceptions were lost", lost);
	check(doubled == 0, "%lu events or exceptions were doubled", doubled);
	check(wrong == 0, "%lu scenes went wrong", wrong);
	check(deep == 0, "%lu events found the stack too deep", deep);
	__asm__ volatile("call *%0" : : "m"(way.cli) : "rax", "memory", "cc");
}
