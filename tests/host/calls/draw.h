/* SPDX-License-Identifier: MIT */
/*
 * draw.h - arguments, table entries and buffers that a hostile guest might choose: half of them
 * nearly right, since nonsense is refused by the first check that it meets.
 */
#ifndef TESTS_HOST_CALLS_DRAW_H
#define TESTS_HOST_CALLS_DRAW_H

#include "tests/host/calls/memory.h"
#include "tests/host/mm/host.h"

static inline bool one_in(unsigned n)
{
	return host_random() % n == 0;
}

/* What an argument stands for, as far as its name or place tells. */
enum draw_kind {
	DRAW_ANY,
	DRAW_BUFFER,  /* linear, where draw_buffer() has written */
	DRAW_COUNT,   /* of bytes or entries */
	DRAW_SMALL,   /* an index or an operation */
	DRAW_ADDRESS, /* linear: an entry point, a stack, a base */
	DRAW_TABLE,   /* physical: a table's entry */
	DRAW_ENTRY,   /* what is stored there */
	DRAW_ROOT,    /* for CR3 */
	DRAW_GFN,
	DRAW_TIME,
	DRAW_ZERO,
};

u64 draw(const struct memory *m, enum draw_kind kind);

/* What a buffer holds. */
enum draw_content {
	CONTENT_WORDS,
	CONTENT_GATES,
	CONTENT_DESCRIPTORS,
	CONTENT_ENTRIES,
	CONTENT_GFNS,
	CONTENT_SMALL,
	/* structures of hypercall/xen/interface.h */
	CONTENT_TRAPS,
	CONTENT_UPDATES,
	CONTENT_OPERATIONS,
	CONTENT_CALLS,
	CONTENT_CALLBACK,
	CONTENT_FRAME,
	CONTENT_INFO,
	CONTENTS,
};

/* Fill some of it; returns its linear address, mostly. */
u64 draw_buffer(const struct memory *m, enum draw_content content);

/* A call's arguments, by number: from the names in guest-abi/hypercalls.h, or for Xen's ABI from a
 * table here. Returns what its buffer should hold. */
enum draw_content draw_native(const struct memory *m, u64 number, u64 arguments[6]);
enum draw_content draw_xen(const struct memory *m, u64 number, u64 arguments[6]);

#endif
