// SPDX-License-Identifier: MIT
/*
 * deaths - ways for a guest to end that must be its end alone.
 *
 * The word on the command line says which. Each ends in one line of the monitor's log with the
 * reason, and the bystander goes on:
 *
 *   triple	a fault, no gate for it, and none for the double fault
 *   no-stack	a fault whose frame cannot be pushed, nor the double fault's
 *   no-table	CR3 leads to a page of zeros, so that nothing at all is mapped
 *   text	a crash whose text tries to be more than one line of the log
 *   reboot	which with on_reboot=end is an end like another
 */
#include "tests/guest/lib/test.h"

const char test_name[] = "deaths";

SNIPPET(fault, "mov 0x123456789000, %eax");

static void triple(void)
{
	gate_unset(14);
	gate_unset(8);
	run(KERNEL, &fault);
}

static void no_stack(void)
{
	CALL(set_ist, 1, 0x123456789000);
	run(USER, &fault);
}

static void hostile_text(void)
{
	static const char text[] = "ouch\ngnomon: guest 'bystander' ended: killed: \x1b[2J no\n"
				   "gnomon: panic: not at all; and much more than eighty bytes";

	CALL(shutdown, GN_SHUTDOWN_CRASH, text, sizeof(text) - 1);
}

void test_main(void)
{
	CALL(yield);
	if (command_line_is("triple"))
		triple();
	if (command_line_is("no-stack"))
		no_stack();
	if (command_line_is("no-table"))
		CALL(load_cr3, page_alloc());
	if (command_line_is("text"))
		hostile_text();
	if (command_line_is("reboot"))
		CALL(shutdown, GN_SHUTDOWN_REBOOT, 0, 0);
	breach("the guest lives on after '%s'", command_line);
}
