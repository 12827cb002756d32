// SPDX-License-Identifier: MIT
/*
 * storm - hypercalls with arguments that nobody in his right mind would give.
 *
 * Each round makes one call: any number, the arguments drawn from a list of bad places (ends of
 * pages, addresses that are not canonical, the window, the switcher and the monitor, frames past
 * the end of memory and past 52 bits, sizes that wrap) or from chance. Before it the vcpu page may
 * be scribbled over and the ring filled with calls of the same kind. A call that is obeyed must do
 * no harm but to its caller: so what would only take this kernel away from itself (a root that maps
 * nothing, its own tables overwritten, a real shutdown, sleep without an alarm) is left out, and
 * what else a call may have changed is put right behind it. A tree of page tables apart is there to
 * be ruined: calls write into it, and now and then it is mended and read through.
 *
 * The bystander's memory and registers are checked meanwhile. The command line: "full" for 10^6
 * calls, else 10^5.
 */
#include "tests/guest/lib/test.h"

const char test_name[] = "storm";

#define MENDING_INTERVAL 2048
#define NUMBERS		 40 /* a few more than there are calls */
#define ARGUMENTS	 5
#define TREE		 0x0000280000000000 /* the ruined tables' own top-level slot, 80 */
#define LEVELS		 4
#define YIELD_ONE_IN	 256 /* each gives the time slice away */
#define PRINT_MAX	 4

static u64 seed = 0x9e3779b97f4a7c15;
static u64 *tree[LEVELS], *scratch, refused, obeyed;

static u64 random(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static bool one_in(unsigned n)
{
	return random() % n == 0;
}

/* Where calls may read and write: a page of data, or one of the ruined tables. */
static u64 own_page(void)
{
	unsigned which = random() % (LEVELS + 1);

	return (u64)(which < LEVELS ? tree[which] : scratch);
}

static u64 place(void)
{
	static const u64 places[] = {
		0,
		1,
		0xfff,
		MEMORY_SIZE - 8,
		MEMORY_SIZE - 1,
		MEMORY_SIZE,
		1ul << 31,
		1ul << 32,
		(1ul << 32) + 8,
		0x7ffffffffff8,
		0x800000000000,
		0xffff7ffffffffff8,
		GN_CODE_AREA,
		GN_CODE_AREA + GN_CODE_SIZE - 1,
		GN_VCPU_PAGE + 4090,
		GN_WINDOW_BASE + 0x8000000000 - 8,
		SWITCHER_CONSTANTS,
		SWITCHER_GDT,
		SWITCHER_STACK,
		SWITCHER_TEXT,
		MONITOR_IMAGE,
		MONITOR_MEMORY,
		1ul << 44,
		1ul << 52,
		(1ul << 52) - 8,
		~0ul << 52,
		1ul << 63,
		~0ul - 7,
		~0ul,
	};

	return places[random() % (sizeof(places) / sizeof(places[0]))];
}

static u64 number(void)
{
	switch (random() % 4) {
	case 0:
		return random() % 16;
	case 1:
		return random() % 512;
	case 2:
		return 1ul << random() % 64;
	default:
		return place();
	}
}

static u64 argument(void)
{
	switch (random() % 8) {
	case 0:
		return random();
	case 1:
	case 2:
		return place();
	case 3:
		return own_page() + 4096 - random() % 16;
	case 4:
	case 5:
		return own_page() + (random() & 0xff8);
	default:
		return number();
	}
}

/* A physical address where a call may write: a ruined table, or no memory of ours. */
static u64 target(u64 wanted)
{
	return wanted < MEMORY_SIZE ? own_page() + (wanted & 0xfff) : wanted;
}

/* Leave out what would only end this kernel. */
static void spare_us(u64 call, u64 *a)
{
	switch (call) {
	case GN_CALL_console_write:
		a[1] = a[0] < MEMORY_SIZE ? random() % PRINT_MAX : a[1];
		break;
	case GN_CALL_console_read:
	case GN_CALL_get_stats:
		a[0] = a[0] - GN_VCPU_PAGE < 4096 ? target(0) : target(a[0]);
		break;
	case GN_CALL_set_gdt: /* not the library's own descriptors */
		a[1] |= 8;
		break;
	case GN_CALL_load_cr3:
		a[0] = a[0] < MEMORY_SIZE ? (u64)page_root | (a[0] & 0xfff) : a[0] | 1ul << 60;
		break;
	case GN_CALL_timer_periodic: /* what is not refused gives the time slice away */
		a[1] = one_in(YIELD_ONE_IN) ? a[1] : a[1] % GN_TIMER_PERIOD;
		break;
	case GN_CALL_block:
	case GN_CALL_halt: /* an event is there, and no gate for it: see mend() */
		break;
	case GN_CALL_shutdown:
		a[0] |= 4;
		break;
	case GN_CALL_pte_write:
	case GN_CALL_table_allocate:
		a[0] = target(a[0]);
		break;
	}
}

static bool is_left_out(u64 call)
{
	if (call == GN_CALL_yield || call == GN_CALL_timer_set)
		return !one_in(YIELD_ONE_IN);
	return call == GN_CALL_block || call == GN_CALL_halt;
}

/* By the software interrupt, which takes any number. */
static s64 make_call(u64 call, u64 *a)
{
	register u64 r10 __asm__("r10") = a[3];
	register u64 r8 __asm__("r8") = a[4];

	__asm__ volatile("int %5"
			 : "+a"(call), "+D"(a[0]), "+S"(a[1]), "+d"(a[2]), "+r"(r10)
			 : "i"(GN_HYPERCALL_VECTOR), "r"(r8)
			 : "memory", "cc");
	return (s64)call;
}

static void draw(u64 *call, u64 *a)
{
	*call = one_in(16) ? number() : random() % NUMBERS;
	for (unsigned i = 0; i < ARGUMENTS; i++)
		a[i] = argument();
	spare_us(*call, a);
}

/* The ring is any 64 rows; head and tail may lie. */
static void fill_ring(void)
{
	volatile struct gn_vcpu_page *page = VCPU_PAGE;

	for (unsigned i = 0; i < GN_RING_ENTRIES; i++) {
		u64 call, a[ARGUMENTS];

		draw(&call, a);
		page->ring[i].call = one_in(8) ? call | 1ul << random() % 64 : call;
		for (unsigned j = 0; j < ARGUMENTS - 1; j++)
			page->ring[i].argument[j] = a[j];
	}
	page->ring_head = random();
	page->ring_tail = one_in(2) ? page->ring_head + random() % 80 : random();
}

/* All of the page but vif, which stays 0, and the ring. */
static void scribble(void)
{
	volatile u64 *words = (volatile u64 *)GN_VCPU_PAGE;

	words[1 + random() % (GN_VP_RING / 8 - 1)] = argument();
	VCPU_PAGE->pending = random();
}

static u64 *entry(unsigned level)
{
	return &tree[level - 1][0];
}

/* Everything that a call may have changed is as the library made it; the tree maps scratch. */
static void mend(void)
{
	VCPU_PAGE->ring_head = VCPU_PAGE->ring_tail = 0;
	for (unsigned i = GN_VP_LINEAR / 8; i < GN_VP_RING / 8; i++)
		((volatile u64 *)GN_VCPU_PAGE)[i] = 0;
	machine_restore();
	for (unsigned port = 0; port < GN_PORT_COUNT; port++) {
		CALL(port_bind, port, 0);
		CALL(port_poll, port);
	}
	CALL(timer_set, 0);
	CALL(set_segment_base, GN_BASE_FS, 0);
	CALL(set_segment_base, GN_BASE_GS, 0);
	for (unsigned level = 1; level <= LEVELS - 1; level++) {
		for (unsigned i = 0; i < 512; i++)
			if (tree[level - 1][i])
				pte_store(&tree[level - 1][i], 0);
		pte_store(entry(level), (level > 1 ? (u64)tree[level - 2] : (u64)scratch) | PTE_P |
					    PTE_W | PTE_U);
	}
	load_root(page_root);
}

static void one_call(void)
{
	u64 call, a[ARGUMENTS];
	s64 answer;

	draw(&call, a);
	if (is_left_out(call))
		return;
	if (one_in(16))
		fill_ring();
	if (one_in(4))
		scribble();
	answer = make_call(call, a);
	if (answer < 0)
		refused++;
	else
		obeyed++;
	if (call >= 128)
		check(answer == -(s64)GN_ENOSYS, "call %lx is answered by %lx", call, (u64)answer);
	check(call != GN_CALL_shutdown || answer < 0, "a shutdown of kind %lx returns %lx", a[0],
	      (u64)answer);
	VCPU_PAGE->vif = 0;
}

static void look(unsigned round)
{
	mend();
	check(rings_work(), "after round %u", round);
	scratch[8] = round;
	check(try_read(KERNEL, TREE + 64).rax == round, "the tree, round %u", round);
}

void test_main(void)
{
	unsigned rounds = command_line_has("full") ? 1000000 : 100000;

	for (unsigned i = 0; i < LEVELS; i++)
		tree[i] = page_alloc();
	scratch = page_alloc();
	pte_store(&page_root[TREE >> 39 & 511], (u64)tree[2] | PTE_P | PTE_W | PTE_U);
	note("seed %lx", seed);
	for (unsigned round = 1; round <= rounds; round++) {
		one_call();
		if (round % MENDING_INTERVAL == 0 || round == rounds)
			look(round);
	}
	note("%lu obeyed, %lu refused", obeyed, refused);
	check(obeyed > rounds / 16 && refused > rounds / 16, "the storm was one-sided");
}
