// SPDX-License-Identifier: MIT
/* stream.c - see stream.h. */
#include "guests/loader/stream.h"
#include "guest-abi/kit/memory.h"

void stream_begin(struct stream *s, char *ram, struct heap *heap, uint64_t limit)
{
	s->ram = ram;
	s->heap = heap;
	s->limit = limit;
	s->at = 0;
	s->is_judged = false;
}

/* The segment that the byte at this offset of the file belongs to; none: NULL, and *next is where
 * the next one begins. */
static const struct elf_segment *segment_of(const struct stream *s, uint64_t offset, uint64_t *next)
{
	*next = UINT64_MAX;
	for (unsigned i = 0; i < s->kernel.count; i++) {
		const struct elf_segment *g = &s->kernel.segment[i];

		if (offset >= g->file_offset && offset - g->file_offset < g->file_size)
			return g;
		if (g->file_offset > offset && g->file_size && g->file_offset < *next)
			*next = g->file_offset;
	}
	return NULL;
}

/* Where the bytes from this offset of the file go, and how many of them in one piece. */
static char *place_of(struct stream *s, uint64_t offset, uint64_t *size)
{
	uint64_t next;
	const struct elf_segment *g = segment_of(s, offset, &next);

	if (g) {
		*size = g->file_size - (offset - g->file_offset);
		return s->ram + g->at + (offset - g->file_offset);
	}
	*size = next - offset < sizeof(s->waste) ? next - offset : sizeof(s->waste);
	return s->waste;
}

/*
 * The headers have come: read them, and put those first bytes that are in a segment too where they
 * belong. From here on the heap stays above the kernel.
 */
static const char *judge_head(struct stream *s)
{
	uint64_t have = s->at, size;
	const char *why = elf_read(s->head, have, &s->kernel);

	s->is_judged = true;
	if (why)
		return why;
	if (!heap_keep_above(s->heap, s->kernel.end))
		return memory_too_small;
	for (uint64_t done = 0; done < have; done += size) {
		char *to = place_of(s, done, &size);

		if (size > have - done)
			size = have - done;
		memcpy(to, s->head + done, size);
	}
	return NULL;
}

char *stream_window(struct stream *s, size_t *size)
{
	if (s->is_judged)
		return place_of(s, s->at, size);
	*size = STREAM_HEAD - s->at;
	return s->head + s->at;
}

const char *stream_advance(struct stream *s, size_t count)
{
	if (count > s->limit - s->at)
		return "the kernel unpacks to more bytes than the guest has memory";
	s->at += count;
	return !s->is_judged && s->at == STREAM_HEAD ? judge_head(s) : NULL;
}

const char *stream_write(struct stream *s, const void *bytes, uint64_t size)
{
	const char *from = bytes, *why = NULL;

	while (size && !why) {
		size_t room;
		char *to = stream_window(s, &room);

		if (room > size)
			room = size;
		if (to != s->waste)
			memcpy(to, from, room);
		from += room;
		size -= room;
		why = stream_advance(s, room);
	}
	return why;
}

const char *stream_end(struct stream *s)
{
	const char *why = s->is_judged ? NULL : judge_head(s);

	for (unsigned i = 0; i < s->kernel.count && !why; i++) {
		const struct elf_segment *g = &s->kernel.segment[i];

		if (g->file_size && g->file_offset + g->file_size > s->at)
			why = "the kernel's ELF file is cut off: a segment lies beyond its end";
		else
			memset(s->ram + g->at + g->file_size, 0, g->size - g->file_size);
	}
	return why;
}
