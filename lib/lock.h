/* SPDX-License-Identifier: MIT */
/*
 * lock.h - a lock that CPUs spin on, interrupts being off in the monitor. A CPU names itself by its
 * number. Every lock has a place in one order; debug builds stop when a CPU that holds a lock takes
 * one of the same or an earlier place.
 */
#ifndef LIB_LOCK_H
#define LIB_LOCK_H

#include "lib/bug.h"
#include "lib/types.h"

#define LOCK_CPU_MAX 64
#define LOCK_FREE    0

struct lock {
	u32 owner; /* (a) LOCK_FREE, or the holder's number + 1 */
	u32 order; /* (c) 1 to 31: locks are taken in rising order */
};

#define LOCK_INIT(place)                                                                           \
	{                                                                                          \
		.owner = LOCK_FREE, .order = (place)                                               \
	}

#ifdef GN_DEBUG
extern u32 lock_held[LOCK_CPU_MAX]; /* each CPU its own word: a bit for each place it holds */

static inline void lock_note(const struct lock *lock, u32 cpu, bool take)
{
	BUG_ON(cpu >= LOCK_CPU_MAX || lock->order < 1 || lock->order > 31);
	BUG_ON(take && lock_held[cpu] >> lock->order);
	lock_held[cpu] ^= 1u << lock->order;
}
#else
static inline void lock_note(const struct lock *lock, u32 cpu, bool take)
{
	(void)lock;
	(void)cpu;
	(void)take;
}
#endif

static inline bool lock_is_held(const struct lock *lock, u32 cpu)
{
	return __atomic_load_n(&lock->owner, __ATOMIC_RELAXED) == cpu + 1;
}

static inline void lock_take(struct lock *lock, u32 cpu)
{
	u32 expected = LOCK_FREE;

	BUG_ON(lock_is_held(lock, cpu)); /* it would wait for itself */
	lock_note(lock, cpu, true);
	while (!__atomic_compare_exchange_n(&lock->owner, &expected, cpu + 1, false,
					    __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
		expected = LOCK_FREE;
		__builtin_ia32_pause();
	}
}

static inline void lock_drop(struct lock *lock, u32 cpu)
{
	BUG_ON(!lock_is_held(lock, cpu));
	lock_note(lock, cpu, false);
	__atomic_store_n(&lock->owner, LOCK_FREE, __ATOMIC_RELEASE);
}

#endif
