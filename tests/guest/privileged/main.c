// SPDX-License-Identifier: MIT
/*
 * privileged - every privileged instruction, from ring 3 and from the kernel's ring (R16, R17).
 *
 * From ring 3 each must fault exactly as on the bare machine. From the kernel's ring the bare
 * machine would carry it out; in ring 1 the CPU refuses it, and the monitor may hand the fault to
 * the guest or emulate what the instruction means to that guest alone. What must never happen is
 * that it has its real effect. So each is executed with operands whose real effect would be seen
 * at once: interrupts off for good, a machine reset, a cache thrown away, a debug trap. If the
 * machine still runs and the kernel still owns its tables afterwards, the instruction was refused
 * or emulated.
 */
#include "tests/guest/lib/test.h"

const char test_name[] = "privileged";

/*
 * The instructions; operands lie in RAX, RCX, RDX, RDI. Those marked RING3 would, emulated, leave
 * the guest itself without its tables: what they mean to a kernel is the subject of the test
 * `emulated`.
 */
#define INSTRUCTIONS(X)                                                                            \
	X(cli, "cli", GP, BOTH)                                                                    \
	X(sti, "sti", GP, BOTH)                                                                    \
	X(hlt, "hlt", GP, BOTH)                                                                    \
	X(lgdt, "lgdt (%rdi)", GP, RING3)                                                          \
	X(lidt, "lidt (%rdi)", GP, RING3)                                                          \
	X(lldt, "lldt %ax", GP, BOTH)                                                              \
	X(ltr, "ltr %ax", GP, BOTH)                                                                \
	X(lmsw, "lmsw %ax", GP, RING3)                                                             \
	X(clts, "clts", GP, BOTH)                                                                  \
	X(write_cr0, "mov %rax, %cr0", GP, RING3)                                                  \
	X(write_cr3, "mov %rax, %cr3", GP, RING3)                                                  \
	X(write_cr4, "mov %rax, %cr4", GP, RING3)                                                  \
	X(write_cr8, "mov %rax, %cr8", GP, BOTH)                                                   \
	X(read_cr0, "mov %cr0, %rax", GP, BOTH)                                                    \
	X(read_cr3, "mov %cr3, %rax", GP, BOTH)                                                    \
	X(read_cr4, "mov %cr4, %rax", GP, BOTH)                                                    \
	X(read_dr7, "mov %dr7, %rax", GP, BOTH)                                                    \
	X(write_dr7, "mov %rax, %dr7", GP, BOTH)                                                   \
	X(rdmsr, "rdmsr", GP, BOTH)                                                                \
	X(wrmsr, "wrmsr", GP, RING3)                                                               \
	X(invlpg, "invlpg (%rdi)", GP, BOTH)                                                       \
	X(invd, "invd", GP, BOTH)                                                                  \
	X(wbinvd, "wbinvd", GP, BOTH)                                                              \
	X(swapgs, "swapgs", GP, BOTH)                                                              \
	X(sysretq, "sysretq", GP, RING3)                                                           \
	X(sysexit, "rex.w sysexit", GP_OR_UD, BOTH)                                                \
	X(xsetbv, "xsetbv", GP_OR_UD, BOTH)                                                        \
	X(monitor, "monitor", UD_OR_THROUGH, BOTH)                                                 \
	X(in, "in $0x71, %al", GP, BOTH)                                                           \
	X(out, "mov $3, %al; out %al, $0x92", GP, BOTH)                                            \
	X(reset, "mov $0xcf9, %edx; mov $6, %al; out %al, %dx", GP, BOTH)                          \
	X(ins, "mov $0x71, %edx; insb", GP, BOTH)                                                  \
	X(outs, "mov $0x92, %edx; outsb", GP, BOTH)                                                \
	X(stac, ".byte 0x0f, 0x01, 0xcb", UD, BOTH)                                                \
	X(vmcall, "vmcall", UD, BOTH)                                                              \
	X(rsm, "rsm", UD, BOTH)                                                                    \
	X(invpcid, "invpcid (%rdi), %rax", GP_OR_UD, BOTH)

#define UD_BIT	      (1ul << 6)
#define GP_BIT	      (1ul << 13)
#define THROUGH_BIT   (1ul << DONE)
#define GP	      GP_BIT
#define UD	      UD_BIT
#define GP_OR_UD      (GP_BIT | UD_BIT)
#define UD_OR_THROUGH (UD_BIT | THROUGH_BIT)

#define X(name, text, expected, rings) SNIPPET(name, text);
INSTRUCTIONS(X)
#undef X

static const struct {
	const char *name;
	const struct snippet *code;
	u64 user; /* vectors, as bits, that ring 3 may take */
	enum { RING3, BOTH } rings;
} instructions[] = {
#define X(name, text, expected, rings) {#name, &name, expected, rings},
    INSTRUCTIONS(X)
#undef X
};

#define COUNT (sizeof(instructions) / sizeof(instructions[0]))

/*
 * Operands: RAX and RDX all zero bits (paging off, no tables), RCX an MSR (LSTAR), RDI ten zero
 * bytes.
 */
#define MSR_LSTAR 0xc0000082

#define EVENT 0x90

static u8 zeros[64];

static struct state operands(enum ring ring)
{
	struct state s = state_for(ring);

	s.rcx = MSR_LSTAR;
	s.rdi = ring == USER ? USER_STACK - 512 : (u64)zeros;
	s.rsi = s.rdi;
	return s;
}

static void from_user(void)
{
	for (unsigned i = 0; i < COUNT; i++) {
		struct state s = operands(USER);

		run_state(&s, USER, instructions[i].code);
		check(s.vector < 64 && instructions[i].user >> s.vector & 1,
		      "%s at ring 3 took %lu, error %lx", instructions[i].name, s.vector, s.error);
		check(s.vector == DONE || s.error == 0, "%s at ring 3: error %lx",
		      instructions[i].name, s.error);
	}
}

/* An event waits all the time, so that an emulated HLT wakes up; an emulated STI lets it come. */
static void from_kernel(void)
{
	CALL(port_bind, GN_PORT_SELF, EVENT);
	for (unsigned i = 0; i < COUNT; i++) {
		struct state s = operands(KERNEL);
		u64 root = (u64)page_root;

		if (instructions[i].rings == RING3)
			continue;
		CALL(port_raise, GN_PORT_SELF);
		run_state(&s, KERNEL, instructions[i].code);
		CALL(port_poll, GN_PORT_SELF);
		check(s.vector == 6 || s.vector == EVENT || s.vector == 13 || s.vector == DONE,
		      "%s at ring 1 took %lu", instructions[i].name, s.vector);
		if (s.vector == DONE)
			note("%s at ring 1 is emulated", instructions[i].name);
		if (instructions[i].code == &read_cr3 && s.vector == DONE)
			check(s.rax == root, "CR3 reads %lx, the guest's is %lx", s.rax, root);
		check(rings_work(), "%s at ring 1 had its effect", instructions[i].name);
	}
}

void test_main(void)
{
	from_user();
	if (on_gnomon)
		from_kernel();
}
