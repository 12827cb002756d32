// SPDX-License-Identifier: MIT
/*
 * ldt - a local descriptor table that a kernel has loaded, by LLDT or, on Gnomon, by its call.
 *
 *   (i)   users and kernels have their segments from it, and faults name its selectors
 *   (ii)  a return to a user whose code is in it does not pass an event by (Gnomon)
 *   (iii) it holds nothing that the GDT may not (R13, Gnomon)
 *
 * The bare machine says what is right of (i).
 */
#include "guest-abi/kit/operations.h"
#include "tests/guest/lib/test.h"

const char test_name[] = "ldt";

#define NP	  11
#define GP	  13
#define EVENT	  0x41
#define LDT_SEL	  0x50
#define OTHER_SEL 0x60
#define PRESENT	  (1ul << 47)
#define TYPE_LDT  (2ul << 40)

enum { USER64, USER32, USER_DATA, KERNEL_DATA, KERNEL_CODE64, ENTRIES, GATE = ENTRIES, ALL = 8 };
#define LOCAL(index, rpl) ((index)*8 + 4 + (rpl))

static u64 global[14], local[ALL] = {
    [USER64] = 0x00affb000000ffff,
    [USER32] = 0x50cffb000000ffff, /* based at USER_CODE */
    [USER_DATA] = 0x00cff3000000ffff,
    [KERNEL_DATA] = 0x00cf93000000ffff,
    [KERNEL_CODE64] = 0x00af9b000000ffff,
};

SNIPPET(load_table, "lgdt (%rdi)");
SNIPPET(load_local, "lldt %ax");
SNIPPET(look, "mov %cs, %eax; mov %ss, %ebx; mov %ecx, %ds; mov %ds, %edx");
SNIPPET(look32, ".code32; mov %cs, %eax; mov %ecx, %ds; mov %ds, %edx; .code64");
SNIPPET(kernel_data, "mov %ecx, %ds; mov %ds, %edx; mov %eax, %ds");
SNIPPET(far_return, "push %rbx; push %rcx; lretq");
SNIPPET(through_gate, "rex.w lcall *(%rdi)");

extern u64 gdt[]; /* the library's */

static void describe(unsigned selector, u64 type, u64 base, u64 limit)
{
	global[selector / 8] = (limit & 0xffff) | (base & 0xffffff) << 16 | type | PRESENT |
			       (base >> 24 & 0xff) << 56;
	global[selector / 8 + 1] = base >> 32;
}

static void load_gdt(void)
{
	static struct {
		u16 limit;
		u64 base;
	} __attribute__((packed)) image = {sizeof(global) - 1, (u64)global};
	struct state s = state_for(KERNEL);

	for (unsigned i = 0; i <= TSS_SEL / 8 + 1; i++)
		global[i] = gdt[i];
	describe(LDT_SEL, TYPE_LDT, (u64)local, ENTRIES * 8 - 1);
	s.rdi = (u64)&image;
	run_state(&s, KERNEL, &load_table);
	check(ran_through(&s, &load_table), "LGDT took %lu", s.vector);
}

static struct state lldt(u16 selector)
{
	struct state s = state_for(KERNEL);

	s.rax = selector;
	run_state(&s, KERNEL, &load_local);
	return s;
}

static struct state local_user(void)
{
	struct state s = state_for(USER);

	s.cs = LOCAL(USER64, 3);
	s.ss = s.rcx = LOCAL(USER_DATA, 3);
	return s;
}

/* ---- (i) ---- */

static u16 sldt(void)
{
	u16 selector;

	if (on_gnomon)
		return gn_sldt(); /* the instruction traps only where there is UMIP */
	__asm__ volatile("sldt %0" : "=r"(selector));
	return selector;
}

static void segments(void)
{
	struct state s = lldt(LDT_SEL);

	check(ran_through(&s, &load_local) && sldt() == LDT_SEL, "LLDT took %lu, SLDT says %x",
	      s.vector, sldt());
	s = local_user();
	run_state(&s, USER, &look);
	check(ran_through(&s, &look) && s.rax == LOCAL(USER64, 3) && s.cs == s.rax &&
		  s.rbx == LOCAL(USER_DATA, 3) && s.ss == s.rbx && s.rdx == s.rbx,
	      "a 64-bit user took %lu: CS %lx SS %lx DS %lx", s.vector, s.rax, s.rbx, s.rdx);
	s = local_user();
	s.cs = LOCAL(USER32, 3);
	s.rip = 0;
	stage_code(USER, &look32, 0);
	enter(&s);
	check(s.vector == DONE && s.rip == (u64)(look32.end - look32.start) + 1 &&
		  s.rax == LOCAL(USER32, 3) && s.rdx == LOCAL(USER_DATA, 3),
	      "a 32-bit user took %lu at %lx: CS %lx DS %lx", s.vector, s.rip, s.rax, s.rdx);
	s = state_for(KERNEL);
	s.rcx = LOCAL(KERNEL_DATA, 0);
	run_state(&s, KERNEL, &kernel_data);
	check(ran_through(&s, &kernel_data) && s.rdx == LOCAL(KERNEL_DATA, 0),
	      "a kernel's DS took %lu, is %lx", s.vector, s.rdx);
}

static void takes(struct state *s, unsigned vector, u64 error, const char *what)
{
	check(s->vector == vector && s->error == error, "%s took %lu, error %lx", what, s->vector,
	      s->error);
}

static void refused(void)
{
	struct state s = local_user();

	s.cs = LOCAL(ENTRIES, 3);
	enter(&s);
	takes(&s, GP, LOCAL(ENTRIES, 0), "code beyond the limit");
	s = local_user();
	s.cs = LOCAL(USER_DATA, 3);
	enter(&s);
	takes(&s, GP, LOCAL(USER_DATA, 0), "data as code");
	s = state_for(USER);
	s.rcx = LOCAL(KERNEL_DATA, 3);
	run_state(&s, USER, &look);
	takes(&s, GP, LOCAL(KERNEL_DATA, 0), "a user with the kernel's data");
	s = lldt(USER_SS & ~3);
	takes(&s, GP, USER_SS & ~3, "LLDT of data");
	s = lldt(LOCAL(USER_DATA, 0));
	takes(&s, GP, LOCAL(USER_DATA, 0), "LLDT of a local selector");
	s = lldt(sizeof(global));
	takes(&s, GP, sizeof(global), "LLDT beyond the limit");
	describe(OTHER_SEL, TYPE_LDT, (u64)local, ENTRIES * 8 - 1);
	global[OTHER_SEL / 8] &= ~PRESENT;
	s = lldt(OTHER_SEL);
	takes(&s, NP, OTHER_SEL, "LLDT of what is absent");
	s = local_user();
	run_state(&s, USER, &look);
	check(ran_through(&s, &look), "after them a user took %lu", s.vector);
}

static void no_table(void)
{
	struct state s = lldt(0);

	check(ran_through(&s, &load_local) && sldt() == 0, "LLDT of null took %lu", s.vector);
	s = local_user();
	enter(&s);
	takes(&s, GP, LOCAL(USER64, 0), "code of no table");
	s = state_for(USER);
	s.rcx = LOCAL(USER_DATA, 3);
	run_state(&s, USER, &look);
	takes(&s, GP, LOCAL(USER_DATA, 0), "data of no table");
}

/* ---- (ii) ---- */

static void expect_event(const char *when, enum way way)
{
	struct state s = local_user();

	stage_code(USER, &look, 0);
	enter_by_way(&s, way);
	check(s.vector == EVENT && s.rip == USER_CODE && s.cs == LOCAL(USER64, 3),
	      "%s: the return took %lu at %lx, CS %lx", when, s.vector, s.rip, s.cs);
	enter(&s);
	check(s.vector == DONE && s.rax == LOCAL(USER64, 3), "%s: then the user took %lu", when,
	      s.vector);
}

static void events(void)
{
	const u64 code = local[USER64];
	s64 seen;

	CALL(port_bind, GN_PORT_SELF, EVENT);
	for (enum way way = BY_IRET; way <= BY_RAW_IRET; way += BY_RAW_IRET - BY_IRET) {
		CALL(port_raise, GN_PORT_SELF);
		expect_event("an event waits", way);
		CALL(port_raise, GN_PORT_SELF);
		seen = CALL(get_descriptor, LOCAL(USER64, 3));
		check((u64)seen == code, "while one waits the code is %lx", (u64)seen);
		check(!CALL(set_ldt, &code, USER64, 1), "set_ldt");
		expect_event("the code is set while one waits", way);
		CALL(port_raise, GN_PORT_SELF);
		lldt(LDT_SEL);
		expect_event("the table is loaded while one waits", way);
	}
	CALL(port_bind, GN_PORT_SELF, 0);
}

/* ---- (iii) ---- */

static u8 gate_code[] __attribute__((aligned(16))) = {0x8c, 0xc8, 0xcc}; /* mov %cs, %eax; int3 */

static void gate(enum ring ring, u64 type)
{
	static struct {
		u64 offset;
		u16 selector;
	} __attribute__((packed)) pointer;
	u64 to = (u64)gate_code;
	struct state s = state_for(ring);

	local[GATE] = (to & 0xffff) | (u64)MONITOR_CS << 16 | PRESENT | type << 40 | 3ul << 45 |
		      (to & 0xffff0000) << 32;
	local[GATE + 1] = to >> 32;
	lldt(LDT_SEL);
	pointer.selector = LOCAL(GATE, ring == USER ? 3 : 0);
	*(volatile u16 *)(USER_STACK - 248) = pointer.selector;
	s.rdi = ring == USER ? USER_STACK - 256 : (u64)&pointer;
	run_state(&s, ring, &through_gate);
	if (s.rip >= to && s.rip <= to + sizeof(gate_code))
		breach("a gate of the LDT leads ring %d to CS %lx", ring, s.rax);
	takes(&s, GP, LOCAL(GATE, 0), "a far CALL through the LDT");
	check(CALL(set_ldt, &local[GATE], GATE, 1) == -(s64)GN_EINVAL, "set_ldt takes type %lx",
	      type);
}

/* Code that ring 1 may enter from ring 3, were it conforming; descriptors of the monitor's ring. */
static void privileged(void)
{
	u64 conforming = local[KERNEL_CODE64] | 1ul << 42, dpl_2 = local[USER64] & ~(1ul << 45);
	struct state s = local_user();

	describe(LDT_SEL, TYPE_LDT, (u64)local, ALL * 8 - 1);
	gate(KERNEL, 12);
	gate(USER, 12);
	gate(USER, 14);
	gate(USER, 2);
	check(CALL(set_ldt, &conforming, USER64, 1) == -(s64)GN_EINVAL, "conforming code");
	check(CALL(set_ldt, &dpl_2, USER64, 1) == -(s64)GN_EINVAL, "code of DPL 2");
	local[GATE] = conforming;
	lldt(LDT_SEL);
	s.rbx = LOCAL(GATE, 3);
	s.rcx = USER_CODE + 64;
	run_state(&s, USER, &far_return);
	takes(&s, GP, LOCAL(GATE, 0), "a far return to conforming code");
}

/* As long as a limit can say: 512 entries count. */
static void long_table(void)
{
	static u64 many[8192];
	struct state s;

	for (unsigned i = 0; i < sizeof(many) / sizeof(many[0]); i++)
		many[i] = local[USER_DATA];
	describe(LDT_SEL, TYPE_LDT, (u64)many, sizeof(many) - 1);
	lldt(LDT_SEL);
	s = state_for(USER);
	s.rcx = LOCAL(511, 3);
	run_state(&s, USER, &look);
	check(ran_through(&s, &look), "DS from entry 511 took %lu", s.vector);
	s = state_for(USER);
	s.rcx = LOCAL(512, 3);
	run_state(&s, USER, &look);
	takes(&s, GP, LOCAL(512, 0), "DS from entry 512");
}

static void bounds(void)
{
	u64 one = local[USER_DATA];
	struct state s;

	check(CALL(set_ldt, &one, 512, 1) == -(s64)GN_EINVAL, "set_ldt of entry 512");
	check(CALL(set_ldt, &one, -1ul, 2) == -(s64)GN_EINVAL, "set_ldt that wraps");
	check(CALL(set_ldt, 0x123456789000, 0, 1) == -(s64)GN_EFAULT, "set_ldt from nowhere");
	check(CALL(get_descriptor, LOCAL(511, 0)) == 0, "beyond the table's end");
	check(CALL(get_descriptor, LOCAL(512, 0)) == -(s64)GN_EINVAL, "beyond any table's end");
	check(!CALL(set_ldt, &one, 511, 1), "set_ldt of entry 511");
	check((u64)CALL(get_descriptor, LOCAL(511, 0)) == one, "entry 511");
	check((u64)CALL(get_descriptor, LOCAL(USER64, 0)) == local[USER64], "the table has grown");
	lldt(0);
	check(!CALL(set_ldt, &one, 511, 1), "set_ldt where there is no table");
	check(CALL(get_descriptor, LOCAL(USER64, 0)) == 0, "a new table has old entries");
	describe(LDT_SEL, TYPE_LDT, 1ul << 62, ALL * 8 - 1);
	s = lldt(LDT_SEL);
	takes(&s, GP, LDT_SEL, "a table at no address");
	describe(LDT_SEL, TYPE_LDT, 0x123456789000, 0xffff);
	s = lldt(LDT_SEL);
	check(s.vector == 14 && s.cr2 == 0x123456789000, "a table in no page: %lu, CR2 %lx",
	      s.vector, s.cr2);
}

void test_main(void)
{
	load_gdt();
	segments();
	refused();
	if (on_gnomon) {
		events();
		privileged();
		bounds();
		long_table();
	}
	no_table();
	check(rings_work(), "at the end");
}
