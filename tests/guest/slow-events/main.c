// SPDX-License-Identifier: MIT
/*
 * slow-events - a kernel that keeps an event waiting, and one that traps much.
 *
 * With vif 0 an event waits. POPF cannot trap, so a kernel that sets IF by it only believes that
 * events come; the monitor tells once, with the RIP, when one has waited for 10 ms. And it tells at
 * the end which instructions trapped most. tests/system/cases.py reads both in the log.
 */
#include "guest-abi/kit/clock.h"
#include "tests/guest/lib/test.h"

const char test_name[] = "slow-events";

#define EVENT	    0x40
#define LONG_ENOUGH 60000000 /* ns */
#define TRAPS	    3000

static volatile u64 events __attribute__((used));

void count_event(void);
__asm__(".text\n"
	"count_event: incq events(%rip)\n"
	"iretq");

static void wait(u64 ns)
{
	u64 end = gn_clock_ns() + ns;

	while (gn_clock_ns() < end)
		;
}

void test_main(void)
{
	gate_set_handler(EVENT, (u64)count_event, 0, 0);
	CALL(port_bind, GN_PORT_SELF, EVENT);
	for (unsigned i = 0; i < TRAPS; i++)
		__asm__ volatile("cli");
	CALL(port_raise, GN_PORT_SELF);
	__asm__ volatile("pushfq; orl $0x200, (%%rsp); popfq" : : : "memory", "cc");
	wait(LONG_ENOUGH);
	check(events == 0, "%lu events with vif 0", events);
	__asm__ volatile("sti; nop" : : : "memory");
	check(events == 1, "%lu events after STI", events);
	__asm__ volatile("cli");
}
