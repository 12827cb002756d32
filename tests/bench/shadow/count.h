/* SPDX-License-Identifier: MIT */
/* count.h - count instructions one by one: exact, and the same on every machine. */
#ifndef TESTS_BENCH_SHADOW_COUNT_H
#define TESTS_BENCH_SHADOW_COUNT_H

/* Run in a child process that this one single-steps from its first call of count_mark() to the
 * second. 0: it did not come so far. */
unsigned long count_instructions(void (*run)(void));
void count_mark(void);

#endif
