// SPDX-License-Identifier: MIT
/*
 * forged-log - a guest that prints what the monitor would print.
 *
 * Whoever started the machine must learn from the monitor, not from a guest, how each guest
 * ended. So this guest prints endings of its own, of the bystander's and of the machine's, with
 * line ends, escape sequences and half lines that a following line of the monitor's would
 * complete. It ends by poweroff, and that is what must be reported of it; and of the bystander
 * the same.
 */
#include "tests/guest/lib/test.h"

const char test_name[] = "forged-log";

static const char *const lines[] = {
    "gnomon: guest 'forged-log' ended: killed: it says so\n",
    "\r\ngnomon: guest 'bystander' ended: crashed: poor thing\r\n",
    "\n\n[bystander] gnomon: panic: at 0x0\n",
    "gnomon: all guests ended\n",
    "\x1b[2J\x1b[H\x1b]0;title\x07gnomon: free frames 0\n",
    "bystander: 0 passed, 1000 failed\n",
    "\xff\xfe\x80 gnomon: guest 'forged-log' refused: \xc3\x28\n",
    "gnomon: guest 'forged-log",
};

void test_main(void)
{
	for (unsigned i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		print("%s", lines[i]);
	print("\n");
	check(CALL(console_write, "\0\0\0\0", 4) == 4, "NULs are refused");
	check(CALL(console_write, lines[0], -1) != -GN_ENOSYS, "a long line");
}
