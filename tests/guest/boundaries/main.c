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
 * tick is an instruction, so the event comes at each boundary once; tests/system/boundaries asks
 * the monitor at which.
 *
 * Every scene is played with vif 0 and 1, with another event waiting already, and within a handler;
 * and with both again, the timer's event an NMI, which comes whatever vif is, on its own stack.
 * Each event must come exactly once, soon after vif lets it (the test waits without leaving to the
 * monitor, which would help a forgotten event along), every scene must have its own result with all
 * registers kept, and an event may find no more of the stack used than the scene itself uses with
 * one frame.
 *
 * On the command line: "raw", with CLI, STI, IRETQ, SYSRETQ and HLT themselves instead of the code
 * area's slots; "held", raw and an STI before each return; "sites", with IRETQ as a patched site
 * has it; "notified", that the guest runs under this policy; "all": every tick in every state.
 * Else it is every tick of scenes of slots outside of handlers, and a sample of the others.
 * "switcher": not that, but how many instructions the switcher executes with the CPU's IF 0,
 * "switcher once" for somebody who records them.
 */
#include "guest-abi/kit/operations.h"
#include "tests/guest/boundaries/scenes.h"

const char test_name[] = "boundaries";

#define INTERRUPT  0x8e
#define TRAP	   0x8f
#define NO_PAGES   0x0000000070000000			   /* entries that the scenes swap */
#define LINEAR(n)  (0x0000710000000000 + ((u64)(n) << 30)) /* the entries, once more */
#define FLAGS_IF   0x200
#define MSR_STAR   0xc0000081

#define LEAD	3000  /* ticks from the start of a trial to its scene: timer_set takes some */
#define SLACK	60000 /* an event that comes so late was lost */
#define EARLY	3000  /* ticks before the scene's start, where a sweep begins, by strides */
#define STRIDE	50
#define AFTER	40    /* ticks in a row whose event comes behind the scene: it is done */
#define LONGEST 20000 /* a sweep */
#define WAITING 1000  /* a sweep of a scene that waits for its event; more if parts trap */
#define SAMPLE	23    /* ticks from one trial to the next, if not all */

/* How deep events may find the stack below the scene: the return address of an operation that was
 * called, and one frame. With vif 1, besides, what the scene has pushed. */
#define ONE_FRAME  64
#define TWO_FRAMES 128
#define IN_HANDLER (FROM_USER + TWO_FRAMES) /* of ring 3's exception */

enum when { BEFORE, WITHIN, BEHIND };
enum { EVENTS_OFF, EVENTS_ON, EVENT_WAITS, NMI_OFF, NMI_ON, STATES };

struct scene {
	const char *name;
	u64 (*play)(void);
	u8 gate;		  /* type of the exceptions' gates */
	u8 raises;		  /* GN_PORT_SELF, so often */
	u8 exceptions;		  /* so many come */
	bool waits;		  /* for the event, in ring 3 or asleep */
	bool open;		  /* SYSCALL leaves vif 1 */
	bool slots;		  /* about slots: there are no instructions for it */
	void (*in_handler)(void); /* one call into the ring by each handler, as by the scene */
	u8 map;			  /* the linear map of the entries that it swaps, from 1; 0: none */
	u16 deepest[2];		  /* by vif */
};

/* clang-format off */
static const struct scene scenes[] = {
	{"flags", scene_flags, INTERRUPT, .deepest = {ONE_FRAME, ONE_FRAME}},
	{"set_vif", scene_set_vif, INTERRUPT,
	 .slots = true, .deepest = {ONE_FRAME, ONE_FRAME}},
	{"set_flags", scene_set_flags, INTERRUPT,
	 .slots = true, .deepest = {ONE_FRAME, ONE_FRAME}},
	{"iret, vif 1", scene_iret_on, INTERRUPT, .deepest = {ONE_FRAME, TWO_FRAMES}},
	{"iret, vif 0", scene_iret_off, INTERRUPT, .deepest = {ONE_FRAME, TWO_FRAMES}},
	{"iret to user", scene_iret_user, INTERRUPT, .deepest = {ONE_FRAME, TWO_FRAMES}},
	{"iret to user, SYSCALL leaves vif 1", scene_iret_user, INTERRUPT,
	 .open = true, .deepest = {ONE_FRAME, TWO_FRAMES}},
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
	{"exception, its handler waits", scene_invalid_wait, INTERRUPT,
	 .exceptions = 1, .waits = true, .deepest = {ONE_FRAME, ONE_FRAME}},
	{"page fault", scene_page_fault, INTERRUPT,
	 .exceptions = 1, .deepest = {ONE_FRAME, ONE_FRAME}},
	{"page fault, trap gate", scene_page_fault, TRAP,
	 .exceptions = 1, .deepest = {ONE_FRAME, TWO_FRAMES}},
	{"exception, pending set", scene_invalid_pending, TRAP,
	 .slots = true, .exceptions = 1, .deepest = {ONE_FRAME, TWO_FRAMES}},
	{"page fault, pending set", scene_page_fault_pending, TRAP,
	 .slots = true, .exceptions = 1, .deepest = {ONE_FRAME, TWO_FRAMES}},
	{"halt", scene_halt, INTERRUPT, .waits = true, .deepest = {ONE_FRAME, ONE_FRAME}},
	{"call", scene_call, INTERRUPT, .deepest = {ONE_FRAME, ONE_FRAME}},
	{"no system-call entry", scene_iret_user, INTERRUPT,
	 .exceptions = 1, .deepest = {ONE_FRAME, TWO_FRAMES}},
	{"no stack", scene_no_stack, INTERRUPT,
	 .exceptions = 1, .deepest = {ONE_FRAME, ONE_FRAME}},
	{"refused", scene_refused, INTERRUPT,
	 .slots = true, .exceptions = 3, .deepest = {ONE_FRAME, ONE_FRAME}},
	{"iret refused", scene_iret_refused, INTERRUPT,
	 .slots = true, .exceptions = 1, .deepest = {ONE_FRAME, TWO_FRAMES}},
	{"iret refused at a site", scene_iret_refused_at_site, INTERRUPT,
	 .slots = true, .exceptions = 1, .deepest = {ONE_FRAME, TWO_FRAMES}},
	{"sysret refused", scene_sysret_refused, INTERRUPT,
	 .slots = true, .exceptions = 1, .deepest = {ONE_FRAME, ONE_FRAME}},
	{"store tables", scene_store_tables, INTERRUPT,
	 .slots = true, .deepest = {ONE_FRAME, ONE_FRAME}},
	{"defer", scene_defer, INTERRUPT,
	 .slots = true, .in_handler = defer_in_handler, .deepest = {ONE_FRAME, ONE_FRAME}},
#define NOTIFY(name, number)                                                                       \
	{name, scene_swap, INTERRUPT, .slots = true, .in_handler = swap_in_handler,                \
	 .map = (number), .deepest = {ONE_FRAME, ONE_FRAME}}
	NOTIFY("notify", 0), NOTIFY("notify by map 0", 1), NOTIFY("notify by map 1", 2),
	NOTIFY("notify by map 2", 3), NOTIFY("notify by map 3", 4),
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

static bool all, raw;
static u64 *entries; /* of page tables, for nothing */
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

/* What the scene and the handlers have put into the ring since then is there, once each. (What has
 * been carried out still stands there.) */
static void judge_ring(u32 first)
{
	u32 end = VCPU_PAGE->ring_tail, expected = 1 + (u32)(timer_events + self_events);

	for (u32 i = first; i != end && i - first < expected; i++)
		for (u32 j = i + 1; j != end && j - first < expected; j++)
			doubled += VCPU_PAGE->ring[i % GN_RING_ENTRIES].argument[0] ==
				   VCPU_PAGE->ring[j % GN_RING_ENTRIES].argument[0];
	lost += end - first < expected;
	doubled += end - first > expected;
	wrong += gn_set_lazy(0) != 0;
}

static bool has_vif(unsigned state)
{
	return state == EVENTS_ON || state == NMI_ON;
}

/* One event, so many ticks after the scene's start; when it came. (Set by vif 1 before: with vif 0
 * it may only have become pending then.) */
static enum when play(const struct scene *s, unsigned state, bool nested, s64 tick)
{
	u64 start, self = s->raises || state == EVENT_WAITS, end, answer;
	u32 ring = VCPU_PAGE->ring_tail;
	enum when when;

	__asm__ volatile("call *%0" : : "m"(way.cli) : "rax", "memory", "cc");
	timer_events = self_events = exceptions = deepest = 0;
	if (state == EVENT_WAITS)
		CALL(port_raise, GN_PORT_SELF);
	if (s->in_handler)
		gn_set_lazy(GN_LAZY_MMU);
	start = rdtsc() + LEAD;
	wait_limit = start + (u64)tick + SLACK;
	/* In the middle of a tick: so the roundings up to the APIC's count skip none. */
	CALL(timer_set, (ns_at(start + (u64)tick) + ns_at(start + (u64)tick + 1)) / 2);
	if (has_vif(state))
		__asm__ volatile("call *%0" : : "m"(way.sti) : "rax", "memory", "cc");
	while (rdtsc() < start)
		;
	when = timer_events || (!has_vif(state) && VCPU_PAGE->pending) ? BEFORE : WITHIN;
	answer = scene_run(s->play, nested, has_vif(state));
	if (!timer_events)
		when = BEHIND;
	while (!timer_events && rdtsc() < wait_limit)
		;
	end = rdtsc() + 200;
	while (rdtsc() < end)
		;

	trials++;
	if (s->in_handler)
		judge_ring(ring);
	lost += !timer_events || self_events < self || exceptions < s->exceptions;
	doubled += timer_events > 1 || self_events > self || exceptions > s->exceptions;
	wrong += answer != 0;
	deep += deepest > s->deepest[has_vif(state)];
	longest = deepest > longest ? deepest : longest;
	return when;
}

static bool is_clean(void)
{
	return !(lost | doubled | wrong | deep);
}

static s64 early; /* the timer is late by what the monitor does before it sets the APIC's */

/* Find the tick from which on the event does not come before the scene. */
static void find_early(const struct scene *s, unsigned state, bool nested)
{
	if (state != EVENT_WAITS) /* then it cannot be seen: as without one */
		for (early = -EARLY; early < LONGEST && is_clean(); early += STRIDE)
			if (play(s, state, nested, early) != BEFORE)
				break;
}

static void sweep(const struct scene *s, unsigned state, bool nested)
{
	unsigned behind = 0, step = all || !(raw || nested) ? 1 : SAMPLE;
	s64 tick, longest = s->waits ? (nested || raw ? 4 : 1) * WAITING : LONGEST;

	find_early(s, state, nested);
	for (tick = early - STRIDE; behind < AFTER && tick < early + longest && is_clean();
	     tick += step)
		behind = play(s, state, nested, tick) == BEHIND ? behind + step : 0;
}

/* The timer's event is one, or an NMI, on a stack of its own. */
static void bind_timer(bool nmi)
{
	CALL(port_poll, GN_PORT_TIMER);
	CALL(port_bind, GN_PORT_TIMER, nmi ? NMI_VECTOR : TIMER_VECTOR);
}

/* What is the same for all trials of a scene. */
static void set_scene(const struct scene *s)
{
	set_gate(3, leave_handler, s->gate);
	set_gate(6,
		 s->play == scene_iret_user	 ? no_entry_handler
		 : s->play == scene_invalid_wait ? waiting_handler
						 : invalid_handler,
		 s->gate);
	set_gate(14, fault_handler, s->gate);
	set_gate(13, s->play == scene_refused ? refusal_handler : return_fault_handler, INTERRUPT);
	CALL(set_syscall_entry,
	     s->play == scene_iret_user && s->exceptions ? 0 : (u64)scene_syscall_entry,
	     s->open ? 0 : FLAGS_IF);
	handler_call = s->in_handler;
	swapped = s->map ? (u64 *)(LINEAR(s->map - 1) + (u64)entries % 4096) : entries;
	longest = 0;
}

static void play_all(const struct scene *s)
{
	u64 before = trials;

	set_scene(s);
	for (unsigned state = 0; state < STATES && is_clean(); state++) {
		/* CLI keeps no NMI from coming between the test and HLT, which then sleeps on; but
		 * it keeps an event from the handler that waits. */
		if (s->play == (state < NMI_OFF ? scene_invalid_wait : scene_halt))
			continue;
		bind_timer(state >= NMI_OFF);
		for (unsigned nested = 0; nested < 2 && is_clean(); nested++)
			sweep(s, state, nested);
	}
	bind_timer(false);
	print("%s: %lu trials, at most %lu bytes deep\n", s->name, trials - before, longest);
}

/*
 * How many ticks in a row lead to the same place. While the CPU's own IF is 0, in the switcher and
 * in the monitor, an interrupt waits for the instruction to which they return: so many instructions
 * have been executed there.
 */
static void print_offsets(const struct scene *s)
{
	u64 count = 0, rip = 0;
	unsigned behind = 0;

	set_scene(s);
	find_early(s, EVENTS_ON, false);
	for (s64 tick = early - STRIDE; behind < AFTER && is_clean(); tick++) {
		behind = play(s, EVENTS_ON, false, tick) == BEHIND ? behind + 1 : 0;
		if (event_rip != rip && count > 1)
			print("offsets of %s: %lu at %lx\n", s->name, count, rip);
		count = event_rip == rip ? count + 1 : 1;
		rip = event_rip;
	}
}

/* The two ways into the switcher by SYSCALL: with "once", for somebody who records each
 * instruction; else where events come. */
static void show_switcher(void)
{
	for (const struct scene *s = scenes; s < scenes + SCENES; s++) {
		if (s->play != scene_call && !s->open)
			continue;
		set_scene(s);
		if (command_line_has("once"))
			play(s, EVENTS_ON, false, LEAD);
		else
			print_offsets(s);
	}
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
				  (u64)raw_halt, 0, 0}
		  : (struct ways){GN_SLOT(GN_OP_cli), GN_SLOT(GN_OP_sti), GN_SLOT(GN_OP_iret),
				  GN_SLOT(GN_OP_sysret), GN_SLOT(GN_CALL_halt),
				  GN_SLOT(GN_OP_iret), GN_SLOT(GN_OP_iret)};
	/* For SYSRETQ, which the monitor then executes: the selectors behind USER_CS32. */
	__asm__ volatile("wrmsr" : : "c"(MSR_STAR), "a"(0), "d"(USER_CS32 << 16 | KERNEL_CS));
	if (command_line_has("held")) {
		way.iret = (u64)raw_sti_iret;
		way.sysret = (u64)raw_sti_sysret;
	}
	if (command_line_has("sites")) {
		way.iret = (u64)site_iret;
		way.refused = (u64)site_refused;
		way.fault = (u64)site_refused_end - IRETQ_SIZE;
	}
	kernel_stack_set((u64)scene_stack + STACK_SIZE - FROM_USER);
	set_gate(TIMER_VECTOR, timer_handler, INTERRUPT);
	set_gate(SELF_VECTOR, self_handler, INTERRUPT);
	set_gate(NEST_VECTOR, nest_handler, INTERRUPT);
	gate_set_handler(8, (u64)leave_handler, 1, 0);
	gate_set_handler(NMI_VECTOR, (u64)nmi_handler, 2, 0);
	CALL(set_ist, 2, page_alloc() + 4096);
	entries = pte_of(NO_PAGES);
	for (unsigned i = 0; i < 4; i++)
		entries[i] = (u64)page | PTE_P | PTE_W | PTE_NX;
	for (unsigned i = 0; i < GN_LINEAR_MAPS; i++) {
		u64 frame = (u64)entries & PTE_ADDR;

		map(LINEAR(i), frame, PTE_P | PTE_W | PTE_NX);
		gn_set_linear_map(i, (void *)LINEAR(i), 1, frame >> 12);
	}
	bind_timer(false);
	CALL(port_bind, GN_PORT_SELF, SELF_VECTOR);
}

static void play_scenes(void)
{
	for (const struct scene *s = scenes; s < scenes + SCENES && is_clean(); s++)
		if (!(raw && s->slots) && (s->play != scene_swap || command_line_has("notified")))
			play_all(s);
}

void test_main(void)
{
	all = command_line_has("all");
	raw = command_line_has("raw") || command_line_has("held");
	prepare();
	if (command_line_has("switcher"))
		show_switcher();
	else
		play_scenes();
	print("%lu trials, %lu lost, %lu doubled, %lu wrong, %lu too deep\n", trials, lost, doubled,
	      wrong, deep);
	check(lost == 0, "%lu events or exceptions were lost", lost);
	check(doubled == 0, "%lu events or exceptions were doubled", doubled);
	check(wrong == 0, "%lu scenes went wrong", wrong);
	check(deep == 0, "%lu events found the stack too deep", deep);
	__asm__ volatile("call *%0" : : "m"(way.cli) : "rax", "memory", "cc");
}
