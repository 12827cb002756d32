// SPDX-License-Identifier: MIT
/*
 * ldt-gate - a local descriptor table that nobody loaded (R13).
 *
 * After a reset a CPU's LDTR is not empty: its base is 0, its limit 64 KiB, and it counts as
 * present (SDM 3A table 9-1). Boot loaders leave it so. A guest owns linear address 0 of its own
 * address space, so unless the monitor loads a null LDTR, the guest can write a descriptor table
 * of its own there: with a call gate to the monitor's code segment at any address, which is ring
 * 0 for a far CALL, from ring 1 and from ring 3.
 */
#include "tests/guest/lib/test.h"

const char test_name[] = "ldt-gate";

#define LDT	  ((volatile u64 *)0x1000 - 512) /* begins at 0; the entries from 512 are used */
#define GATE	  516				 /* and 517 */
#define FLAT_CODE 518
#define IN_LDT	  4 /* TI */
#define PRESENT	  (1ul << 47)
#define CALL_GATE (12ul << 40)
#define LONG_CODE 0x00af9b000000ffff

SNIPPET(through_gate, "rex.w lcall *(%rdi)");
SNIPPET(far_return, "push %rbx; push %rcx; lretq");
SNIPPET(load_ds, "mov %ax, %ds");

/* Where the gate leads: code of the kernel's, so that SMEP has nothing to say. */
static u8 gate_code[] __attribute__((aligned(16))) = {0x8c, 0xc8, 0xcc}; /* mov %cs, %eax; int3 */

static struct {
	u64 offset;
	u16 selector;
} __attribute__((packed)) far_pointer;

static void attack(enum ring ring, unsigned dpl)
{
	u64 to = (u64)gate_code;
	struct state s = state_for(ring);

	LDT[GATE] = (to & 0xffff) | (u64)MONITOR_CS << 16 | PRESENT | CALL_GATE | (u64)dpl << 45 |
		    (to & 0xffff0000) << 32;
	LDT[GATE + 1] = to >> 32;
	LDT[FLAT_CODE] = LONG_CODE;

	far_pointer.offset = 0;
	far_pointer.selector = GATE * 8 | IN_LDT | (ring == USER ? 3 : 1);
	*(volatile u64 *)(USER_STACK - 256) = 0;
	*(volatile u16 *)(USER_STACK - 248) = far_pointer.selector;
	s.rdi = ring == USER ? USER_STACK - 256 : (u64)&far_pointer;
	s.rax = ~0ul;
	run_state(&s, ring, &through_gate);
	if (s.rip >= (u64)gate_code && s.rip <= (u64)gate_code + sizeof(gate_code))
		breach("a call gate in the LDT at linear address 0 leads ring %d to CS %lx", ring,
		       s.rax);
	check(s.vector == 13, "far CALL through the LDT in ring %d took %lu", ring, s.vector);
}

static void plain_selectors(void)
{
	struct state s = state_for(KERNEL);

	s.rbx = FLAT_CODE * 8 | IN_LDT;
	s.rcx = KERNEL_CODE + 64;
	run_state(&s, KERNEL, &far_return);
	check(s.vector == 13, "LRETQ to code of the LDT took %lu", s.vector);
	s = state_for(USER);
	s.rax = FLAT_CODE * 8 | IN_LDT | 3;
	run_state(&s, USER, &load_ds);
	if (s.vector == DONE)
		breach("ring 3 loads DS from linear address 0");
	check(s.vector == 13, "DS from the LDT took %lu", s.vector);
}

void test_main(void)
{
	attack(KERNEL, 1);
	attack(KERNEL, 3);
	/* Ring 3 can write there too, where a kernel lets it. */
	map(0x1000, 0x1000, PTE_P | PTE_W | PTE_U);
	attack(USER, 3);
	plain_selectors();
	check(rings_work(), "at the end");
}
