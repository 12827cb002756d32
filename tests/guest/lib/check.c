// SPDX-License-Identifier: MIT
/*
 * check.c - counting what held and what did not. A test that has printed no line with counts has
 * crashed, whatever else it printed; see tests/guest/run.
 */
#include "tests/guest/lib/private.h"

unsigned checks_passed, checks_failed;

static void line(const char *head, const char *format, va_list *args)
{
	print("%s: %s: ", test_name, head);
	print_v(format, args);
	print("\n");
}

bool check(bool holds, const char *format, ...)
{
	va_list args;

	if (holds) {
		checks_passed++;
		return true;
	}
	checks_failed++;
	va_start(args, format);
	line("FAILED", format, &args);
	va_end(args);
	return false;
}

void breach(const char *format, ...)
{
	va_list args;

	checks_failed++;
	va_start(args, format);
	line("BREACH", format, &args);
	va_end(args);
}

void result(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	line("result", format, &args);
	va_end(args);
}

void note(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	line("note", format, &args);
	va_end(args);
}
