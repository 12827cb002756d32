/* SPDX-License-Identifier: MIT */
/*
 * memory.h - an attacker's physical memory: what lies in which frame, made as its loader would, and
 * stored to as its CPU would. Linear addresses below 2 MiB are physical ones.
 */
#ifndef TESTS_HOST_CALLS_MEMORY_H
#define TESTS_HOST_CALLS_MEMORY_H

#include "object/guest.h"

/* Frames. RAM ends somewhere behind MEMORY_DATA. */
enum {
	MEMORY_L4 = 1, /* one table a level, for all that the kernel needs */
	MEMORY_L3,
	MEMORY_L2,
	MEMORY_L1,
	MEMORY_CODE = 6, /* the instructions that it stores by, and chance */
	MEMORY_CODE_END = 8,
	MEMORY_STACK = 8,
	MEMORY_START_INFO = 9,
	MEMORY_TREE = 10, /* tables that are there to be ruined */
	MEMORY_TREE_END = 24,
	MEMORY_BUFFER = 24,
	MEMORY_BUFFER_END = 40,
	MEMORY_CONSOLE = 40,
	MEMORY_DATA = 41,
	MEMORY_LEAST = 64,
};

#define MEMORY_TREE_SLOT 80	  /* of the level-4 table: the ruined tree */
#define MEMORY_STORE_RIP 0x6000ul /* MOV %rax, (%rdi) */
#define MEMORY_CALL_RIP	 0x6010ul /* INT: a hypercall */

struct memory {
	struct guest *g;
	u64 frames; /* of RAM */
};

static inline u64 memory_address(u64 frame)
{
	return frame << PAGE_SHIFT;
}

/* A store of the guest's, with its tables out of the way. False: it has no such memory. */
bool memory_put(const struct memory *m, u64 gpa, const void *bytes, size_t size);
bool memory_put_word(const struct memory *m, u64 gpa, u64 word);

/* Tables, code and start info, in RAM that may hold anything. */
void memory_make(const struct memory *m);
/* The way to the kernel's own memory, and the beginnings of the ruined tree, are as they were. */
void memory_mend(const struct memory *m);

#endif
