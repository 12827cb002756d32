// SPDX-License-Identifier: MIT
/*
 * small-stack - a user with a 16-bit stack.
 *
 * IRETQ to a stack segment without the B bit loads SP and leaves what is above it as it was in the
 * kernel's RSP (SDM 2A, IRET). A 32-bit user sees bits 16 to 31 of that. What a guest's kernel does
 * about its own IRETQ is its own matter; but a user that was merely interrupted, by the monitor and
 * for the monitor's purposes, must find its ESP as it left it, and nothing of ours in it. The user
 * sets ESP, touches pages that no shadow has yet, and looks; on the bare machine nothing interrupts
 * it.
 */
#include "tests/guest/lib/test.h"

const char test_name[] = "small-stack";

#define SMALL_SS 0x0b		      /* descriptor 1, ring 3 */
#define SMALL	 0x0000f3000000fffful /* data of DPL 3, 64 KiB, no B: SP, not ESP */
#define PAGES	 8
#define FRESH	 0x60000000
#define ESP	 0x5000ff00

extern u64 gdt[];

/* EBX: a page that has not been touched. */
SNIPPET(look, ".code32\n"
	      "mov $0x2b, %ecx\n" /* USER_SS */
	      "mov %ecx, %ds\n"
	      "mov $0x5000ff00, %esp\n"
	      "mov (%ebx), %ecx\n"
	      "mov %esp, %eax\n"
	      ".code64");

void test_main(void)
{
	const u64 descriptor = SMALL;

	if (on_gnomon)
		check(CALL(set_gdt, &descriptor, SMALL_SS / 8, 1) == 0, "a 16-bit stack segment");
	else
		gdt[SMALL_SS / 8] = descriptor;
	for (unsigned i = 0; i < PAGES; i++) {
		struct state s = state_for(USER);

		map(FRESH + i * 4096, (u64)page_alloc(), PTE_P | PTE_U);
		s.cs = USER_CS32;
		s.ss = SMALL_SS;
		s.rbx = FRESH + i * 4096;
		run_state(&s, USER, &look);
		check(s.vector == DONE, "vector %lu at %lx", s.vector, s.rip);
		check((u32)s.rax == ESP, "ESP was %x, then %lx", ESP, s.rax);
		check(s.ss == SMALL_SS, "SS is %lx", s.ss);
	}
	check(rings_work(), "after it");
}
