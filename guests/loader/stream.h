/* SPDX-License-Identifier: MIT */
/*
 * stream.h - the kernel's ELF file as it comes out of its packing, first byte to last. Each byte
 * goes to its place in RAM at once: the file is never in memory as a whole. Whoever unpacks asks
 * for a window, stores there, and says how much. Pure; errors are sentences for the user.
 */
#ifndef GUESTS_LOADER_STREAM_H
#define GUESTS_LOADER_STREAM_H

#include "guests/loader/elf.h"
#include "guests/loader/heap.h"

#define STREAM_HEAD 4096 /* the file's headers must lie in its first bytes, as they do */

struct stream {
	char *ram; /* where this program sees gpa 0 */
	struct heap *heap;
	uint64_t limit; /* what the file may unpack to: more is a bomb */
	uint64_t at;	/* bytes that have come */
	bool is_judged; /* the headers have been read */
	struct elf_kernel kernel;
	char head[STREAM_HEAD];
	char waste[STREAM_HEAD]; /* for bytes that are in no segment */
};

void stream_begin(struct stream *s, char *ram, struct heap *heap, uint64_t limit);

/* Room for the next bytes: at least one, and they need not all be stored. */
char *stream_window(struct stream *s, size_t *size);
/* So many have been stored there. */
const char *stream_advance(struct stream *s, size_t count);
/* The same with bytes that lie elsewhere. */
const char *stream_write(struct stream *s, const void *bytes, uint64_t size);

/* That was all of it. NULL: all segments are in RAM, and zero where the file has no bytes. */
const char *stream_end(struct stream *s);

#endif
