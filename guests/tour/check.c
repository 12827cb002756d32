// SPDX-License-Identifier: MIT
/* check.c - see check.h. */
#include "guests/tour/check.h"
#include "guests/tour/console.h"

static uint64_t passed, failed;

bool check(bool good, const char *what, const char *how)
{
	if (good)
		passed++;
	else
		failed++;
	print("  %-6s %s%s%s%s\n", good ? "ok" : "FAILED", what, *how ? " (" : "", how,
	      *how ? ")" : "");
	return good;
}

uint64_t check_passed(void)
{
	return passed;
}

uint64_t check_failed(void)
{
	return failed;
}
