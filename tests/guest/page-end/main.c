// SPDX-License-Identifier: MIT
/*
 * page-end - SYSCALL in the last bytes of a page: whose is it? (R15, and the hypercall's rule)
 *
 * SYSCALL does not say which ring it came from. The monitor takes it for a hypercall if the byte
 * before the return address lies in the code area, which ring 3 cannot execute. If it judged by
 * the return address itself, the last page of the slot below the window would betray it: that
 * page is the guest's, may be ring 3's, and a SYSCALL in its last two bytes returns to the first
 * byte of the code area. So ring 3 puts one there, with the number of a call in RAX; it must
 * arrive at the guest kernel's own entry.
 *
 * The same at the end of the lower half of the address space, where the return address is no
 * address at all, and where a page that is not there follows.
 */
#include "tests/guest/lib/test.h"

const char test_name[] = "page-end";

static u8 code[4096] __attribute__((aligned(4096)));

static void attack(u64 page, u64 call)
{
	struct state s = state_for(USER);

	code[4094] = 0x0f; /* syscall */
	code[4095] = 0x05;
	map(page, (u64)code, PTE_P | PTE_U);
	s.rip = page + 4094;
	s.rax = call;
	s.rdi = 100; /* set_ist's index out of range, console_write's address... */
	s.r15 = 42;
	enter(&s);
	if (s.vector != TAKEN_SYSCALL && (s.cs & 3) != 3)
		breach("ring 3 makes hypercall %lu from %lx, and comes back in the kernel's ring",
		       call, page + 4094);
	check(s.vector == TAKEN_SYSCALL && s.rip == page + 4096 && s.rax == call && s.r15 == 42,
	      "SYSCALL at the end of %lx: took %lu, RIP %lx, RAX %lx", page, s.vector, s.rip,
	      s.rax);

	/* And back to where there is nothing: a fault of the user's, there. */
	s.rcx = s.rip;
	s.r11 = 0x202;
	enter_by_way(&s, BY_SYSRET);
	check(s.vector == 14 || s.vector == 13, "SYSRET behind %lx took %lu", page, s.vector);
	check(rings_work(), "after %lx", page);
	map(page, 0, 0);
}

void test_main(void)
{
	attack(0x0000000070000000, 0);
	attack(0x00007ffffffff000, 0);
	for (u64 call = 0; call < 25; call++)
		attack(GN_CODE_AREA - 4096, call);
	attack(0xfffffffffffff000, 0);	   /* the return address wraps around to 0 */
	attack(SWITCHER + (1ul << 39), 0); /* the first page behind our slots */
}
