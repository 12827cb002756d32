// SPDX-License-Identifier: MIT
/*
 * selectors - every selector, in every way to load one (R13, R14).
 *
 * The guest runs on the monitor's GDT. In it lie the descriptors of ring 0, and beside them the
 * guest's own, which a call lets it write: a conforming code segment, a call gate or a descriptor
 * of DPL 0 among them would be a door to ring 0. And a guest may load whatever it likes: by far
 * jumps and returns, by IRETQ with any CS and SS, by MOV to any segment register. From each it
 * must come back in ring 1 or 3, with a fault where the CPU or the monitor refused.
 *
 * Where code did run, it says on which CS: its lowest two bits are the ring that it ran in.
 *
 * QEMU's TCG takes the ring from the DPL of SS, and a null SS has DPL 0 there: MOV of a null
 * selector to SS in ring 1 is ring 0 from then on, which no monitor can prevent. Silicon and
 * Bochs keep the ring, so that one load is left out on TCG.
 */
#include "tests/guest/lib/test.h"

const char test_name[] = "selectors";

#define GDT_BYTES 0x1000

SNIPPET(say_ring, "mov %cs, %eax");
SNIPPET(load_ds, "mov %ax, %ds");
SNIPPET(load_es, "mov %ax, %es");
SNIPPET(load_fs, "mov %ax, %fs");
SNIPPET(load_gs, "mov %ax, %gs");
SNIPPET(load_ss, "mov %ax, %ss");
SNIPPET(far_return, "push %rbx; push %rcx; lretq");
SNIPPET(far_return_32, "sub $8, %rsp; mov %ecx, (%rsp); mov %ebx, 4(%rsp); lretl");
SNIPPET(far_jump, "mov %rcx, (%rdi); mov %bx, 8(%rdi); rex.w ljmp *(%rdi)");
SNIPPET(far_call, "mov %rcx, (%rdi); mov %bx, 8(%rdi); rex.w lcall *(%rdi)");
SNIPPET(interrupt_return, "push %rdx; push %rsi; pushfq; push %rbx; push %rcx; iretq");

static u8 pointer[16];

/* Where the far transfers go: some way into the stage, behind the snippet. */
#define TARGET 128

static const u8 target_code[] = {0x8c, 0xc8}; /* mov %cs, %eax; then INT3 */

/*
 * A far transfer from the kernel's ring to (selector, stage + TARGET). RBX the selector, RCX
 * where, RSI and RDX the stack for IRETQ.
 */
static void transfer(const struct snippet *code, u16 selector, u16 ss, const char *name)
{
	static u8 both[256];
	struct snippet staged = {both, both + TARGET + sizeof(target_code)};
	struct state s = state_for(KERNEL);

	for (unsigned i = 0; i < TARGET; i++)
		both[i] = i < code->end - code->start ? code->start[i] : 0xcc;
	for (unsigned i = 0; i < sizeof(target_code); i++)
		both[TARGET + i] = target_code[i];
	s.rax = ~0ul;
	s.rbx = selector;
	s.rcx = KERNEL_CODE + TARGET;
	s.rdi = (u64)pointer;
	s.rsi = KERNEL_STACK - 256;
	s.rdx = ss;
	run_state(&s, KERNEL, &staged);
	if (s.vector == DONE && s.rip > KERNEL_CODE + TARGET && !(s.rax & 3))
		breach("%s to selector %x runs in ring 0", name, selector);
	check(s.vector != TAKEN_SYSCALL && s.vector < 32, "%s to selector %x took %lu", name,
	      selector, s.vector);
}

static void transfers(void)
{
	static const u16 stacks[] = {0, GN_KERNEL_SS, USER_SS, MONITOR_CS + 8,
				     GN_GUEST_KERNEL_SS | 1};

	for (unsigned selector = 0; selector < GDT_BYTES; selector++) {
		transfer(&far_return, selector, 0, "LRETQ");
		transfer(&far_return_32, selector, 0, "LRET");
		transfer(&far_jump, selector, 0, "far JMP");
		transfer(&far_call, selector, 0, "far CALL");
		transfer(&interrupt_return, selector, stacks[selector / 8 % 5], "IRETQ");
	}
	check(rings_work(), "after the far transfers");
}

/* IRETQ of the right CS with each SS. */
static void stacks(void)
{
	for (unsigned ss = 0; ss < GDT_BYTES; ss++)
		transfer(&interrupt_return, GN_KERNEL_CS, ss, "IRETQ");
	check(rings_work(), "after the stacks");
}

/* Frames with each selector for the code area's IRET, to ring 3. */
static void slot_frames(void)
{
	for (unsigned selector = 0; selector < GDT_BYTES; selector++) {
		struct state s = state_for(USER);

		stage_code(USER, &say_ring, 0);
		s.cs = selector;
		if (!(selector & 2))
			continue; /* the kernel's, by the slot's rule */
		enter(&s);
		if (s.vector == DONE && (s.rax & 3) != 3)
			breach("the IRET slot takes CS %x to ring %lu", selector, s.rax & 3);
		check(s.vector == DONE || s.vector == 13 || s.vector == 11 || s.vector == 14,
		      "the IRET slot with CS %x took %lu", selector, s.vector);
	}
	for (unsigned selector = 0; selector < GDT_BYTES; selector++) {
		struct state s = state_for(USER);

		stage_code(USER, &say_ring, 0);
		s.ss = selector;
		enter(&s);
		check(s.vector == DONE || s.vector == 13 || s.vector == 12 || s.vector == 11,
		      "the IRET slot with SS %x took %lu", selector, s.vector);
	}
	check(rings_work(), "after the slot's frames");
}

static void loads(enum ring ring)
{
	static const struct snippet *const codes[] = {&load_ds, &load_es, &load_fs, &load_gs,
						      &load_ss};

	for (unsigned i = 0; i < 5; i++)
		for (unsigned selector = 0; selector < 2 * GDT_BYTES;
		     selector += selector < 0x400 ? 1 : 5) {
			struct state s = state_for(ring);

			if (on_tcg && codes[i] == &load_ss && selector < 4)
				continue;
			s.rax = selector;
			run_state(&s, ring, codes[i]);
			check(s.vector == DONE || s.vector == 13 || s.vector == 12 ||
				  s.vector == 11,
			      "load %u of %x in ring %d took %lu", i, selector, ring, s.vector);
		}
	check(rings_work(), "after the loads in ring %d", ring);
}

/* Descriptors that no guest may have. */
#define PRESENT (1ul << 47)
#define SEGMENT (1ul << 44)
#define LONG	(1ul << 53)
#define TYPE(t) ((u64)(t) << 40)
#define DPL(d)	((u64)(d) << 45)

#define OURS 200 /* an entry of ours, and the selector of it in ring 1 */

static void descriptors(void)
{
	static const struct {
		const char *name;
		u64 low;
	} bad[] = {
	    {"a call gate", PRESENT | TYPE(12) | DPL(3) | (u64)MONITOR_CS << 16 | 0x1000},
	    {"a call gate of DPL 0", PRESENT | TYPE(12) | (u64)MONITOR_CS << 16},
	    {"an LDT", PRESENT | TYPE(2) | 0xffff},
	    {"a TSS", PRESENT | TYPE(9) | 0xffff},
	    {"an interrupt gate", PRESENT | TYPE(14) | DPL(3) | (u64)MONITOR_CS << 16},
	    {"conforming code", PRESENT | SEGMENT | TYPE(14) | LONG},
	    {"conforming code of DPL 3", PRESENT | SEGMENT | TYPE(15) | LONG | DPL(3)},
	    {"code of DPL 2", PRESENT | SEGMENT | TYPE(11) | LONG | DPL(2)},
	    {"data of DPL 2", PRESENT | SEGMENT | TYPE(3) | DPL(2)},
	};

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		u64 both[2] = {bad[i].low, 0};
		s64 result = CALL(set_gdt, both, OURS, 2);

		if (result >= 0)
			breach("set_gdt takes %s", bad[i].name);
		check(result == -GN_EINVAL, "set_gdt of %s: %ld", bad[i].name, result);
		transfer(&far_call, OURS * 8 + 3, 0, bad[i].name);
		transfer(&far_return, OURS * 8 + 1, 0, bad[i].name);
	}

	/* The monitor's own entries, alone and at the end of a long row. */
	u64 row[16] = {0};
	check(CALL(set_gdt, row, MONITOR_CS / 8, 1) == -GN_EINVAL,
	      "set_gdt reaches the monitor's entries");
	check(CALL(set_gdt, row, GN_GDT_ENTRIES - 8, 16) == -GN_EINVAL,
	      "set_gdt runs past the guest's");
	check(CALL(set_gdt, row, -1, 2) == -GN_EINVAL, "set_gdt wraps around");
	check(CALL(set_gdt, row, 1, -1) == -GN_EINVAL, "set_gdt takes any count");
}

/* Code of DPL 0 becomes DPL 1; it runs, in ring 1. */
static void code_of_ours(void)
{
	u64 code = PRESENT | SEGMENT | TYPE(10) | LONG;

	check(CALL(set_gdt, &code, OURS, 1) == 0, "set_gdt refuses plain code");
	transfer(&far_return, OURS * 8, 0, "LRETQ to code of ours");
	transfer(&far_return, OURS * 8 + 1, 0, "LRETQ to code of ours");
	code = 0;
	CALL(set_gdt, &code, OURS, 1);
}

void test_main(void)
{
	descriptors();
	code_of_ours();
	transfers();
	stacks();
	slot_frames();
	loads(KERNEL);
	loads(USER);
}
