/* SPDX-License-Identifier: MIT */
/*
 * judge.h - the loader's promises, derived again from scratch. Given any bytes as a kernel's file,
 * run the loader's own elf.c, place.c and tables.c on them and look whether the result is what
 * their headers promise: byte maps in place of interval arithmetic, a page walk in place of the
 * builder's.
 */
#ifndef TESTS_HOST_LOADER_JUDGE_H
#define TESTS_HOST_LOADER_JUDGE_H

#include <stddef.h>
#include <stdint.h>

/*
 * NULL: accepted, and every promise held. Otherwise the refusal. A broken promise aborts with a
 * line that names it. memory_size is in whole pages, at most JUDGE_MEMORY_MAX.
 */
#define JUDGE_MEMORY_MAX (8ul << 20)
const char *judge_image(const void *image, size_t size, uint64_t memory_size);

#endif
