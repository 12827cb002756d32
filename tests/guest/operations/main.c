// SPDX-License-Identifier: MIT
/*
 * operations - what the ABI offers in the place of privileged work does what it says.
 *
 * Calls that have a number and nothing behind it yet are refused by -ENODEV, whatever they are
 * given: a kernel that tries them learns that it has one vCPU and no APIC.
 */
#include "tests/guest/lib/test.h"

const char test_name[] = "operations";

static void absent_calls(void)
{
	static const struct {
		const char *name;
		u64 number;
	} calls[] = {
#define X(number, name, arguments, flags, promise) {(flags)&GN_ABSENT ? #name : NULL, number},
	    GN_HYPERCALLS(X)
#undef X
	};
	unsigned absent = 0;

	for (unsigned i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		if (!calls[i].name)
			continue;
		absent++;
		for (u64 a = 0; a < 3; a++) {
			s64 answer = hypercall(calls[i].number, a - 1, a * 0x20, 0, 0, 0);

			check(answer == -(s64)GN_ENODEV, "%s: %ld", calls[i].name, answer);
		}
	}
	check(absent == 4, "%u calls of those with several vCPUs", absent);
}

void test_main(void)
{
	if (on_gnomon)
		absent_calls();
}
