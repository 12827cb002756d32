/* SPDX-License-Identifier: MIT */
/*
 * bug.h - our own mistakes. BUG_ON stays in release builds, ASSERT in debug builds only (but always
 * parses). No byte that a guest supplies may decide either: a guest can die, the monitor cannot.
 * The monitor's bug_panic() prints registers and stops (arch/x86/cpu); a host test's aborts.
 */
#ifndef LIB_BUG_H
#define LIB_BUG_H

#include "lib/compiler.h"

__noreturn void bug_panic(const char *format, ...) __printf(1, 2);

#define TEXT_OF(word)	    #word
#define TEXT_OF_VALUE(word) TEXT_OF(word)

/* The preprocessor makes one text of it, so that a check costs its condition and a call. */
#define BUG_ON(condition)                                                                          \
	do {                                                                                       \
		if (unlikely(condition))                                                           \
			bug_panic("BUG: " #condition " at " __FILE__ ":" TEXT_OF_VALUE(__LINE__)); \
	} while (0)

#ifdef GN_DEBUG
#define ASSERT(condition) BUG_ON(!(condition))
#else
#define ASSERT(condition) ((void)sizeof(!(condition)))
#endif

#endif
