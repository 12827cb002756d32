// SPDX-License-Identifier: MIT
/*
 * calls.c - attacks by hypercalls: each that there is, and some that there are not, with arguments
 * that lead into the pool, past the end of memory, or anywhere. Tame ones leave out what takes the
 * ground from under the guest: its gates, its descriptors, its callbacks, its end.
 */
#include <linux/mm.h>
#include "tests/debian/hostile/attack.h"

enum { SET_TRAP_TABLE, MMU_UPDATE, SET_GDT, STACK_SWITCH, FPU_TASKSWITCH = 5, SET_DEBUGREG = 8,
       GET_DEBUGREG, UPDATE_DESCRIPTOR, MEMORY_OP = 12, MULTICALL, UPDATE_VA, SET_TIMER,
       XEN_VERSION = 17, CONSOLE_IO, IRET = 23, VCPU_OP, SET_SEGMENT_BASE, MMUEXT, SCHED_OP = 29,
       CALLBACK_OP, EVENT_CHANNEL_OP = 32, NUMBERS = 41 };
enum { MAP_MACHPHYS = 12, BIND_VIRQ = 1, CLOSE = 3, SEND, BIND_IPI = 7, BIND_VCPU, UNMASK };

struct entry {
	u64 nr;
	s64 result;
	u64 argument[6];
};

long call(u64 nr, u64 a, u64 b, u64 c, u64 d, u64 e)
{
	register u64 r10 asm("r10") = d;
	register u64 r8 asm("r8") = e;

	asm volatile("syscall"
		     : "+a"(nr), "+D"(a), "+S"(b), "+d"(c), "+r"(r10), "+r"(r8)
		     : : "rcx", "r11", "memory");
	return nr;
}

/* Of what a vCPU has: breakpoints that do not strike, its information, its time slice. */
static void tame_processor(struct entry *e)
{
	switch (below(5)) {
	case 0:
		e->nr = SET_DEBUGREG;
		e->argument[0] = below(10);
		e->argument[1] = e->argument[0] < 4 ? number() : 0;
		break;
	case 1:
		e->nr = GET_DEBUGREG;
		e->argument[0] = below(10);
		break;
	case 2: /* anything but a new place for its information, and but its timer */
		e->nr = VCPU_OP;
		e->argument[0] = below(3) ? 3 + below(2) : 20 + below(1000);
		e->argument[1] = below(2) ? 0 : number();
		break;
	case 3:
		e->nr = SCHED_OP;
		e->argument[0] = below(2) ? 0 : 4 + below(100);
		break;
	default: /* refused: addresses that no guest may name, more descriptors than there are */
		e->nr = below(2) ? SET_GDT : CALLBACK_OP;
		e->argument[0] = below(2) ? 0xffff878000000000ul : 0x800000000000ul;
		e->argument[1] = e->nr == SET_GDT ? 8193 + chance() / 2 : e->argument[0];
	}
}

static void tame_memory(struct entry *e)
{
	switch (below(4)) {
	case 0:
		e->nr = UPDATE_DESCRIPTOR;
		e->argument[0] = __pa(pool_address());
		e->argument[1] = chance();
		break;
	case 1:
		e->nr = MEMORY_OP;
		e->argument[0] = below(2) ? MAP_MACHPHYS : below(32);
		break;
	case 2:
		e->nr = MMU_UPDATE;
		e->argument[0] = 0xffff870000000000ul + number();
		e->argument[1] = chance();
		break;
	default:
		e->nr = UPDATE_VA;
		e->argument[0] = window_address();
		e->argument[1] = entry();
	}
}

/* A number and arguments that do not end the guest at once. */
static void tame(struct entry *e)
{
	for (unsigned i = 0; i < 6; i++)
		e->argument[i] = pointer();
	switch (below(16)) {
	case 0 ... 4:
		tame_processor(e);
		break;
	case 5 ... 8:
		tame_memory(e);
		break;
	case 9:
		e->nr = XEN_VERSION;
		e->argument[0] = below(12);
		break;
	case 10:
		e->nr = CONSOLE_IO;
		e->argument[0] = below(3);
		e->argument[1] = below(4) ? below(40) : 0x80000000ul + below(40);
		break;
	case 11 ... 13: /* of ports that are not the kernel's own, or of no port */
		e->nr = EVENT_CHANNEL_OP;
		e->argument[0] = below(2) ? BIND_VIRQ + 6 * below(2) : below(16);
		e->argument[1] = pool_address();
		*(u32 *)e->argument[1] = below(2) ? 20 + below(60) : chance();
		break;
	default:
		e->nr = below(2) ? NUMBERS + chance() / 2 : 33 + below(8);
	}
}

static void any(struct entry *e)
{
	do
		e->nr = below(NUMBERS);
	while (e->nr == SCHED_OP); /* it could end, or sleep for ever */
	for (unsigned i = 0; i < 6; i++)
		e->argument[i] = below(2) ? below(8) : pointer();
}

static void choose(struct entry *e)
{
	if (wild)
		any(e);
	else
		tame(e);
}

void attack_calls(void)
{
	static struct entry list[40];
	unsigned count = below(8) ? 0 : 1 + below(40);

	if (!count) {
		choose(list);
		call(list->nr, list->argument[0], list->argument[1], list->argument[2],
		     list->argument[3], list->argument[4]);
		return;
	}
	for (unsigned i = 0; i < count; i++)
		choose(&list[i]);
	call(MULTICALL, (u64)list, count, 0, 0, 0);
}
