// SPDX-License-Identifier: MIT
/*
 * xen-returns - the system call of a Xen guest, its way back, and what a change of process calls,
 * which the switcher answers in ring 0 under the guest's own CR3.
 *
 * A kernel of Xen's ABI returns to its user by a frame on its own stack, which the switcher reads.
 * So everything in such a frame is an attack: a RIP that is no address, selectors that name the
 * monitor's segments or none, flags that would stop interrupts or open the ports, a stack that is
 * not there. What cannot be is the guest's to see to, at its failsafe callback. An event that waits
 * comes before the user's first instruction. set_segment_base becomes a WRMSR: which register, and
 * what address, is the guest's wish.
 *
 * append=no-frame: the stack of the call is not mapped, which ends the guest. append=storm: all
 * ways over and over, for NMIs to hit.
 */
#include "tests/guest/lib-xen/xen.h"

const char test_name[] = "xen-returns";

#define RFLAGS_IF   0x200u
#define RFLAGS_IOPL 0x3000u
#define RFLAGS_NT   0x4000u
#define RFLAGS_VM   0x20000u
#define LAST_PAGE   0x00007ffffffff000ul /* of the lower half */
#define CANONICAL   0x0000800000000000ul /* the first address that is none */

SNIPPET(system_call, "mov $0x1234, %eax; syscall");
SNIPPET(with_rax, "syscall");
SNIPPET(invalid, "ud2");
SNIPPET(read_flags, "pushfq; pop %rbx; ud2");
SNIPPET(read_bases, "mov %fs:0, %rbx; mov %gs:0, %rdx; ud2");

static bool kept(const struct xen_state *s)
{
	const u64 *a = (const u64 *)s, *b = (const u64 *)&xen_taken;

	for (unsigned i = 0; i < offsetof(struct xen_state, frame) / 8; i++)
		if (a[i] != b[i])
			return false;
	return true;
}

/* The user runs one instruction that is taken, and everything is as it should be. */
static bool works(const struct snippet *code, u64 vector, u64 behind)
{
	struct xen_state s = xen_state_for(code);
	u64 taken = xen_run(&s);

	return taken == vector && kept(&s) && xen_taken.rip == XEN_USER_CODE + behind &&
	       xen_taken.cs == GN_USER_CS && xen_taken.ss == GN_USER_SS &&
	       xen_taken.rsp == XEN_USER_STACK && (xen_taken.rflags & RFLAGS_IF);
}

static bool user_works(void)
{
	return works(&invalid, 6, 0) && works(&system_call, XEN_SYSCALL, 7) &&
	       xen_info->mask == 1;
}

static void plain(void)
{
	struct xen_state s;

	check(user_works(), "a user's exception and system call");
	s = xen_state_for(&with_rax);
	check(xen_run(&s) == XEN_SYSCALL && xen_taken.rax == s.frame.rax &&
		  xen_taken.rcx == xen_taken.rip && xen_taken.r11 == xen_taken.rflags,
	      "SYSCALL arrives with RAX %lx, RCX %lx, R11 %lx", xen_taken.rax, xen_taken.rcx,
	      xen_taken.r11);
	s = xen_state_for(&invalid);
	check(xen_run(&s) == 6 && xen_taken.rax == s.frame.rax && xen_taken.rcx == s.frame.rcx &&
		  xen_taken.r11 == s.frame.r11 && xen_info->mask == 0,
	      "RAX, RCX and R11 come from the frame, and events are open in ring 3");
}

/* Whatever the user asks for in RAX, it is its own kernel that hears of it. */
static void whose_call(void)
{
	static const u64 numbers[] = {XEN_CALL_IRET, XEN_CALL_STACK_SWITCH,
				      XEN_CALL_SET_SEGMENT_BASE, 29};

	xen_map(LAST_PAGE, xen_user_code);
	for (unsigned i = 0; i < 2 * sizeof(numbers) / sizeof(numbers[0]); i++) {
		struct xen_state s = xen_state_for(&with_rax);
		u64 at = i % 2 ? LAST_PAGE + 4094 : XEN_USER_CODE;

		xen_user_code[4094] = 0x0f;
		xen_user_code[4095] = 0x05;
		s.frame.rip = at;
		s.frame.rax = numbers[i / 2];
		s.rdi = 0;
		s.rsi = XEN_USER_STACK;
		if (xen_run(&s) != XEN_SYSCALL || xen_taken.rax != s.frame.rax)
			breach("ring 3 makes call %lu at %lx: took %lu, RAX %lx", s.frame.rax, at,
			       xen_taken.vector, xen_taken.rax);
		check(xen_taken.rcx == at + 2 && kept(&s), "SYSCALL at %lx", at);
	}
	xen_map(LAST_PAGE, 0);
}

static void flags(void)
{
	const u64 wished = 0x202 | RFLAGS_IOPL | RFLAGS_NT | RFLAGS_VM | 0x180000;
	struct xen_state s = xen_state_for(&read_flags);

	s.frame.rflags = wished;
	xen_run(&s);
	if (xen_taken.rbx & (RFLAGS_IOPL | RFLAGS_NT | RFLAGS_VM))
		breach("the user runs with RFLAGS %lx", xen_taken.rbx);
	s = xen_state_for(&read_flags);
	s.frame.rflags = 2;
	xen_run(&s);
	if (!(xen_taken.rbx & RFLAGS_IF))
		breach("the user runs with interrupts off, RFLAGS %lx", xen_taken.rbx);
	check(user_works(), "after flags");
}

static void addresses(void)
{
	static const u64 none[] = {CANONICAL, CANONICAL + 1, 0x1234567812345678, ~0ul << 47,
				   0xffff7fffffffffff};

	for (unsigned i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		struct xen_state s = xen_state_for(&invalid);

		s.frame.rip = none[i];
		xen_run(&s);
		/* The first of ring 1's half is an address, and a fault of the user's. */
		check(xen_taken.vector == (none[i] == ~0ul << 47 ? 14 : XEN_FAILSAFE) &&
			  xen_taken.rip == none[i] && xen_taken.cs == GN_USER_CS,
		      "a return to %lx: took %lu at %lx", none[i], xen_taken.vector,
		      xen_taken.rip);
		s = xen_state_for(&invalid);
		s.frame.rsp = none[i];
		check(xen_run(&s) == 6 && xen_taken.rsp == none[i], "the user's RSP is %lx",
		      none[i]);
	}
	check(user_works(), "after addresses");
}

static void selectors(void)
{
	static const u16 code[] = {0, 3, 7, 0x13, 0x1b, 0x2b, 0x3b, MONITOR_CS | 3, 0xfa3, 0xffff};
	static const u16 data[] = {0, 3, 7, 0x18, 0x1b, 0x28, 0x33, 0x3b, 0xf88, 0xf8b, 0xffff};

	for (unsigned i = 0; i < sizeof(code) / sizeof(code[0]); i++) {
		struct xen_state s = xen_state_for(&invalid);

		s.frame.cs = code[i];
		if ((code[i] & 3) != 3)
			continue;
		check(xen_run(&s) == XEN_FAILSAFE && xen_taken.cs == code[i], "CS %x: took %lu",
		      code[i], xen_taken.vector);
	}
	for (unsigned i = 0; i < sizeof(data) / sizeof(data[0]); i++) {
		struct xen_state s = xen_state_for(&invalid);

		s.frame.ss = data[i];
		check(xen_run(&s) == XEN_FAILSAFE && xen_taken.ss == data[i], "SS %x: took %lu",
		      data[i], xen_taken.vector);
	}
	check(user_works(), "after selectors");
}

/* The selectors are the usual ones, but what they name has changed. */
static void descriptors(void)
{
	static const u8 index[] = {GN_USER_CS / 8, GN_USER_SS / 8};
	static const u64 change[] = {0, 0x00af9b000000ffff, 0x00cf93000000ffff, 0x00cff1000000ffff};

	for (unsigned i = 0; i < 2; i++) {
		u64 good = xen_gdt[index[i]];

		for (unsigned j = 0; j < sizeof(change) / sizeof(change[0]); j++) {
			struct xen_state s = xen_state_for(&invalid);

			check(xen_set_descriptor(index[i], change[j]) == 0, "update_descriptor");
			check(xen_run(&s) == XEN_FAILSAFE, "descriptor %u is %lx: took %lu",
			      index[i], change[j], xen_taken.vector);
		}
		check(xen_set_descriptor(index[i], good) == 0 && user_works(),
		      "after descriptor %u", index[i]);
	}
}

static void events(void)
{
	struct xen_state s = xen_state_for(&invalid);

	xen_info->pending_sel = 1;
	xen_info->pending = 1;
	check(xen_run(&s) == XEN_EVENT && xen_taken.rip == XEN_USER_CODE &&
		  xen_taken.cs == GN_USER_CS && xen_info->mask == 1 &&
		  (xen_taken.rflags & RFLAGS_IF) && xen_taken.rax == s.frame.rax,
	      "an event that waits: took %lu at %lx", xen_taken.vector, xen_taken.rip);
	xen_info->pending = 0;
	check(user_works(), "after the event");
}

static u64 read_gs(void)
{
	u64 value;

	__asm__ volatile("mov %%gs:0, %0" : "=r"(value));
	return value;
}

static u64 kernel_word = 0xabcdef;

static void bases(void)
{
	u64 *words = (u64 *)xen_user_stack;
	struct xen_state s = xen_state_for(&read_bases);

	words[0] = 0xf5;
	words[1] = 0x65;
	check(!xen_call(XEN_CALL_SET_SEGMENT_BASE, XEN_SEGBASE_GS_KERNEL, (u64)&kernel_word, 0) &&
		  read_gs() == kernel_word,
	      "the kernel's GS");
	check(!xen_call(XEN_CALL_SET_SEGMENT_BASE, XEN_SEGBASE_FS, XEN_USER_STACK - 4096, 0) &&
		  !xen_call(XEN_CALL_SET_SEGMENT_BASE, XEN_SEGBASE_GS_USER,
			    XEN_USER_STACK - 4096 + 8, 0) &&
		  read_gs() == kernel_word,
	      "the user's FS and GS");
	check(xen_run(&s) == 6 && xen_taken.rbx == 0xf5 && xen_taken.rdx == 0x65 &&
		  read_gs() == kernel_word,
	      "bases in ring 3: %lx %lx", xen_taken.rbx, xen_taken.rdx);
	s = xen_state_for(&system_call);
	check(xen_run(&s) == XEN_SYSCALL && read_gs() == kernel_word, "GS after a system call");
	check(xen_call_keeps(XEN_CALL_SET_SEGMENT_BASE, XEN_SEGBASE_FS, 0x1234) &&
		  xen_call_keeps(XEN_CALL_SET_SEGMENT_BASE, XEN_SEGBASE_FS, CANONICAL) &&
		  xen_call_keeps(XEN_CALL_SET_SEGMENT_BASE, 1000, 0),
	      "set_segment_base keeps registers");
}

/* A base that is no address; a number that leads to another MSR (LSTAR is 63 before GS's). */
static void wrong_bases(void)
{
	static const u64 number[] = {4, 5, 0x100, -63ul, -64ul, -1ul, 1ul << 63, (1ul << 63) + 1};

	check(xen_call(XEN_CALL_SET_SEGMENT_BASE, XEN_SEGBASE_FS, CANONICAL, 0) < 0 &&
		  xen_call(XEN_CALL_SET_SEGMENT_BASE, XEN_SEGBASE_GS_USER, 1ul << 63, 0) < 0,
	      "a base that is no address");
	for (unsigned i = 0; i < sizeof(number) / sizeof(number[0]); i++)
		if (xen_call(XEN_CALL_SET_SEGMENT_BASE, number[i], 0x1000, 0) >= 0)
			breach("set_segment_base %lx is taken", number[i]);
	check(user_works(), "after wrong bases");
}

static void stacks(void)
{
	static u8 other[8192] __attribute__((aligned(16)));
	u64 end = (u64)other + sizeof(other);

	check(xen_call_keeps(XEN_CALL_STACK_SWITCH, 0x18, end - 3) && user_works() &&
		  xen_taken.stack > end - 512 && xen_taken.stack < end,
	      "a frame at %lx, not below %lx", xen_taken.stack, end);
	check(xen_call(XEN_CALL_STACK_SWITCH, 0x18, GN_VCPU_PAGE + 2048, 0) < 0 &&
		  xen_call(XEN_CALL_STACK_SWITCH, 0x18, SWITCHER_STACK + 4096, 0) < 0 &&
		  xen_call(XEN_CALL_STACK_SWITCH, 0x18, CANONICAL, 0) < 0,
	      "a stack in the window, in the switcher, nowhere");
	check(user_works() && xen_taken.stack > end - 512 && xen_taken.stack < end,
	      "a refused stack changes nothing");
}

/* The time that users read without a call is a copy, where the kernel may write. */
static void time_copy(void)
{
	static u64 copy[5];
	u64 at = (u64)copy, nowhere = 0xffffffffbffff000, none = 0;
	bool same = true;

	check(!xen_call(24, 13, 0, (u64)&at) && copy[4] == 0, "register_vcpu_time_memory_area");
	for (unsigned i = 0; i < 4; i++)
		same &= copy[i] == xen_info->time[i];
	check(same && (copy[3] >> 40 & 1), "the copy is the time, and says that it is stable");
	check(xen_call(24, 13, 0, (u64)&nowhere) < 0 && xen_call(24, 13, 0, nowhere) < 0 &&
		  !xen_call(24, 13, 0, (u64)&none),
	      "a time area that is not mapped, and none");
}

/* The user's LDT: data, code, then what nobody may have: a call gate to ring 0, an LDT, code that
 * conforms. Entries as ring 3 names them: LOCAL(n). */
#define LOCAL(n) ((n) * 8 | 4 | 3)
#define GATE	 2
static u64 ldt[8];

static void make_ldt(void)
{
	u64 to = XEN_USER_CODE + 64;

	ldt[0] = 0x00cff3000000ffff;
	ldt[1] = 0x00affb000000ffff;
	ldt[GATE] = (to & 0xffff) | (u64)MONITOR_CS << 16 | 0xecul << 40 |
		    (to >> 16 & 0xffff) << 48;
	ldt[GATE + 1] = 0;
	ldt[4] = 0x0000e20000000fff;
	ldt[5] = 0x00afff000000ffff;
	ldt[6] = 0x00af9b000000ffff;
	ldt[7] = 0x00cff3000000ffff;
}

SNIPPET(through_gate, "rex.w lcall *8(%rip); ud2");

static void local_descriptors(void)
{
	struct xen_state s;

	make_ldt();
	check(xen_set_ldt(ldt, 7) == 0, "SET_LDT");
	s = xen_state_for(&invalid);
	s.frame.cs = LOCAL(1);
	s.frame.ss = LOCAL(0);
	check(xen_run(&s) == 6 && kept(&s) && xen_taken.cs == LOCAL(1) && xen_taken.ss == LOCAL(0),
	      "CS and SS of the LDT: took %lu, CS %lx", xen_taken.vector, xen_taken.cs);
	for (unsigned i = GATE; i < 9; i++) {
		s = xen_state_for(&invalid);
		s.frame.cs = LOCAL(i);
		check(xen_run(&s) == XEN_FAILSAFE, "CS %lx: took %lu", s.frame.cs,
		      xen_taken.vector);
	}
	s = xen_state_for(&through_gate);
	*(u64 *)(xen_user_code + 15) = 0;
	*(u16 *)(xen_user_code + 23) = LOCAL(GATE);
	xen_user_code[64] = 0x8c; /* mov %cs, %eax; ud2 */
	xen_user_code[65] = 0xc8;
	xen_user_code[66] = 0x0f;
	xen_user_code[67] = 0x0b;
	if (xen_run(&s) != 13 || xen_taken.cs != GN_USER_CS)
		breach("a call gate in the LDT: took %lu, RIP %lx, CS %lx", xen_taken.vector,
		       xen_taken.rip, xen_taken.rax);
}

/* A segment of the LDT outlives that others run; and without the LDT nothing can be loaded. */
static void local_data(void)
{
	u16 ds;

	__asm__ volatile("mov %0, %%ds" : : "r"((u16)LOCAL(0)));
	for (unsigned i = 0; i < 10; i++)
		xen_call(29, 0, 0, 0); /* yield */
	__asm__ volatile("mov %%ds, %0" : "=r"(ds));
	check(ds == LOCAL(0), "DS is %x after others ran", ds);
	__asm__ volatile("mov %0, %%ds" : : "r"(0));
	for (unsigned count = 0; count < 2; count++) {
		struct xen_state s = xen_state_for(&invalid);

		check(xen_set_ldt(ldt, count) == 0, "an LDT of %u entries", count);
		s.frame.cs = LOCAL(1);
		check(xen_run(&s) == XEN_FAILSAFE, "CS behind the LDT: took %lu",
		      xen_taken.vector);
	}
	check(xen_set_ldt((u64 *)0xffffffffbffff000, 1) < 0 &&
		  xen_set_ldt((u64 *)CANONICAL, 8192) < 0 && xen_set_ldt(0, 0) == 0,
	      "an LDT that is not there");
	check(user_works(), "after the LDT");
}

static void storm(void)
{
	u64 wrong = 0;

	for (unsigned i = 0; i < 20000; i++) {
		struct xen_state s = xen_state_for(&invalid);

		s.frame.rflags = 2; /* not for the switcher */
		wrong += xen_run(&s) != 6 || !kept(&s);
		wrong += !user_works();
		wrong += !xen_call_keeps(XEN_CALL_SET_SEGMENT_BASE, 0, CANONICAL);
		wrong += !xen_call_keeps(XEN_CALL_SET_SEGMENT_BASE, i & 1, 0x1234);
		wrong += !xen_call_keeps(XEN_CALL_STACK_SWITCH, 0x18, xen_taken.stack + 56);
		wrong += !xen_call_keeps(29, 0, 0);
		wrong += xen_call(17, 0, 0, 0) != (4 << 16 | 17);
	}
	check(!wrong, "%lu crossings were disturbed", wrong);
}

void test_main(void)
{
	if (command_line_is("no-frame"))
		xen_iret_at(0xffffffffbffff000);
	if (command_line_is("storm")) {
		storm();
		return;
	}
	plain();
	whose_call();
	flags();
	addresses();
	selectors();
	descriptors();
	events();
	bases();
	wrong_bases();
	stacks();
	time_copy();
	local_descriptors();
	local_data();
}
