// SPDX-License-Identifier: MIT
/* lock.c - which places of the lock order each CPU holds, for the check in debug builds. */
#include "lib/lock.h"

#ifdef GN_DEBUG
u32 lock_held[LOCK_CPU_MAX];
#endif
