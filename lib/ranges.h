/* SPDX-License-Identifier: MIT */
/*
 * ranges.h - a small set of numbers kept as disjoint ranges [start, end) in rising order. When it
 * has no room for one more range it forgets the smallest and remembers that it did.
 */
#ifndef LIB_RANGES_H
#define LIB_RANGES_H

#include "lib/types.h"

#define RANGE_MAX 128

struct range {
	u64 start, end;
};

struct range_set {
	u32 count;
	bool overflowed;
	struct range range[RANGE_MAX];
};

/* An empty or reversed range changes nothing. */
void range_add(struct range_set *set, u64 start, u64 end);
void range_remove(struct range_set *set, u64 start, u64 end);
bool range_contains(const struct range_set *set, u64 start, u64 end);
u64 range_total(const struct range_set *set);

/* Find and remove size numbers, the first a multiple of align (a power of two), all below limit,
 * the highest such. Returns the first, or ~0 if there is no room. */
u64 range_take(struct range_set *set, u64 size, u64 align, u64 limit);

#endif
