// SPDX-License-Identifier: MIT
/*
 * enter.c - the stage: a page of code and a page of stack for each ring, and the ways to run on it.
 * The kernel's view of both code pages is the identity map, where they can be written.
 */
#include "tests/guest/lib/private.h"

#define INT3	  0xcc
#define PAGE_SIZE 4096
#define RINGS	  4

#define FLAGS_FIXED 2
#define FLAGS_IF    0x200

static u8 code_page[RINGS][PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));
static u8 stack_page[RINGS][PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));
static const u64 code_address[RINGS] = {[KERNEL] = KERNEL_CODE, [USER] = USER_CODE};
static const u64 stack_end[RINGS] = {[KERNEL] = KERNEL_STACK, [USER] = USER_STACK};

/* For entry.S. */
extern const u64 code_area, sysret_slot;
const u64 code_area = GN_CODE_AREA;
const u64 sysret_slot = GN_SLOT(GN_OP_sysret);

void stage_init(void)
{
	for (unsigned ring = KERNEL; ring <= USER; ring += USER - KERNEL) {
		u64 user = ring == USER ? PTE_U : 0;

		for (unsigned i = 0; i < PAGE_SIZE; i++)
			code_page[ring][i] = INT3;
		map(code_address[ring], (u64)code_page[ring], PTE_P | user);
		map(stack_end[ring] - PAGE_SIZE, (u64)stack_page[ring],
		    PTE_P | PTE_W | PTE_NX | user);
	}
}

/* Only what differs is written: an emulator translates a page anew whenever it is written to. */
void stage_code(enum ring ring, const struct snippet *code, unsigned offset)
{
	static unsigned filled[RINGS]; /* up to where there may be something else than INT3 */
	unsigned end = offset + (code->end - code->start);
	unsigned last = filled[ring] > end ? filled[ring] : end;
	u8 *to = code_page[ring];

	for (unsigned i = 0; i < last; i++) {
		u8 byte = i >= offset && i < end ? code->start[i - offset] : INT3;

		if (to[i] != byte)
			to[i] = byte;
	}
	filled[ring] = end;
}

struct state state_for(enum ring ring)
{
	struct state s = {
	    .rip = code_address[ring],
	    .cs = ring == USER ? USER_CS : KERNEL_CS,
	    .rflags = FLAGS_FIXED | (ring == USER ? FLAGS_IF : 0),
	    .rsp = stack_end[ring] - 64,
	    .ss = ring == USER ? USER_SS : KERNEL_SS,
	};

	return s;
}

unsigned enter_through(struct state *s, u64 code)
{
	enter_by = code;
	enter_state(s);
	if (on_gnomon)
		s->cr2 = VCPU_PAGE->cr2;
	else
		__asm__ volatile("mov %%cr2, %0" : "=r"(s->cr2));
	return s->vector;
}

unsigned enter_by_way(struct state *s, enum way way)
{
	switch (way) {
	case BY_IRET:
		return enter_through(s, on_gnomon ? GN_SLOT(GN_OP_iret) : (u64)enter_by_iretq);
	case BY_SYSRET:
		return enter_through(s, (u64)(on_gnomon ? enter_by_sysret_slot : enter_by_sysretq));
	case BY_RAW_IRET:
		return enter_through(s, (u64)enter_by_iretq);
	default:
		return enter_through(s, (u64)enter_by_sysretq);
	}
}

unsigned enter(struct state *s)
{
	return enter_by_way(s, BY_IRET);
}

unsigned run_state(struct state *s, enum ring ring, const struct snippet *code)
{
	stage_code(ring, code, 0);
	return enter(s);
}

struct state run(enum ring ring, const struct snippet *code)
{
	struct state s = state_for(ring);

	run_state(&s, ring, code);
	return s;
}

/* INT3 is a trap: RIP is behind it. */
bool ran_through(const struct state *s, const struct snippet *code)
{
	u64 offset = s->rip - code_address[s->rip >= USER_CODE ? USER : KERNEL];

	return s->vector == DONE && offset == (u64)(code->end - code->start) + 1;
}

SNIPPET(read_word, "mov (%rdi), %rax");
SNIPPET(write_word, "mov %rax, (%rdi)");

struct state try_read(enum ring ring, u64 address)
{
	struct state s = state_for(ring);

	s.rdi = address;
	run_state(&s, ring, &read_word);
	return s;
}

struct state try_write(enum ring ring, u64 address, u64 value)
{
	struct state s = state_for(ring);

	s.rdi = address;
	s.rax = value;
	run_state(&s, ring, &write_word);
	return s;
}

bool rings_work(void)
{
	u64 kept = try_read(KERNEL, USER_STACK - 8).rax;

	if (try_write(USER, USER_STACK - 8, ~kept).vector != DONE)
		return false;
	return try_read(KERNEL, USER_STACK - 8).rax == ~kept &&
	       try_read(USER, KERNEL_CODE).vector == 14;
}
