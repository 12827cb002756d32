/* SPDX-License-Identifier: MIT */
/* ubench.h - a row of the benchmark: what is done, how often, and what must be there for it. */
#ifndef BENCH_DEBIAN_UBENCH_H
#define BENCH_DEBIAN_UBENCH_H

#include <stdint.h>

struct row {
	const char *name;
	unsigned times;	       /* measured one by one */
	unsigned warm;	       /* before, not measured */
	void (*operate)(void);
	void (*prepare)(void); /* or NULL */
	void (*finish)(void);  /* or NULL */
	unsigned per;	       /* one operation is so many of what the row is named for; 0: 1 */
};

extern const struct row rows[];
extern const unsigned row_count;

#define ROW_NOTHING 0 /* measures nothing */

_Noreturn void fail(const char *what);

#endif
