/* SPDX-License-Identifier: MIT */
/*
 * judge.h - the loader's promises, derived again from scratch. Given any bytes as a kernel's file,
 * run the loader's own files on them, with the real libraries that unpack, and look whether the
 * result is what the headers promise: byte maps in place of interval arithmetic, a page walk in
 * place of the builder's.
 */
#ifndef TESTS_HOST_LOADER_JUDGE_H
#define TESTS_HOST_LOADER_JUDGE_H

#include <stddef.h>
#include <stdint.h>

#define JUDGE_MEMORY_MAX       (192ul << 20)
#define JUDGE_INITRD_MAX       10000
#define JUDGE_COMMAND_LINE_MAX 5000

/* A user's kernel and the guest that it is for: memory in whole pages, all within the limits. */
struct judged_file {
	const void *bytes;
	size_t size;
	uint64_t memory_size, initrd_size, command_line_size;
};

/*
 * NULL: accepted, and every promise held. Otherwise the refusal. A broken promise aborts with a
 * line that names it. *sum, unless NULL, is one of all RAM when the kernel's segments are in it.
 */
const char *judge_image(const struct judged_file *f, uint64_t *sum);

#endif
