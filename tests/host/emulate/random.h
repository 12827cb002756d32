/* SPDX-License-Identifier: MIT */
/* random.h - xorshift64*: the tests' source of chance. The seed is printed and can be given. */
#ifndef TESTS_HOST_EMULATE_RANDOM_H
#define TESTS_HOST_EMULATE_RANDOM_H

#include "lib/types.h"

static u64 random_state = 88172645463325252ul;

static inline u64 random_u64(void)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return random_state * 2685821657736338717ul;
}

static inline unsigned random_below(unsigned n)
{
	return (unsigned)((random_u64() >> 33) % n);
}

#endif
