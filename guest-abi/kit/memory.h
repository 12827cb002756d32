/* SPDX-License-Identifier: MIT */
/* memory.h - the four functions that a C compiler may call on its own account, in a freestanding
 * program too. */
#ifndef GUEST_ABI_KIT_MEMORY_H
#define GUEST_ABI_KIT_MEMORY_H

#include <stddef.h>

void *memcpy(void *to, const void *from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int byte, size_t size);
int memcmp(const void *a, const void *b, size_t size);

#endif
