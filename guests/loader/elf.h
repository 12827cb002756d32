/* SPDX-License-Identifier: MIT */
/*
 * elf.h - a kernel image in the ELF64 format, judged: what of the file goes where. Pure: no memory
 * but its arguments, no calls; the same file is compiled for the host's tests.
 */
#ifndef GUESTS_LOADER_ELF_H
#define GUESTS_LOADER_ELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ELF_MAX_SEGMENTS 32
#define ELF_MAX_NOTES	 8
#define ELF_MEMORY_MAX	 (1ul << 40) /* no segment reaches further up in guest physical memory */

/*
 * A segment to load. Promised: file_offset + file_size does not wrap, and no two segments share
 * bytes of the file; file_size <= size, size > 0, at + size <= ELF_MEMORY_MAX.
 */
struct elf_segment {
	uint64_t file_offset, file_size;
	uint64_t at;	       /* guest physical */
	uint64_t link_address; /* where the kernel wants to see it: not judged by elf_read() */
	uint64_t size;
	bool writable, executable;
};

/* Bytes of the file that are a list of notes: not judged. */
struct elf_note_range {
	uint64_t file_offset, size, align;
};

/* Promised: segments are sorted by at, and no two of them have a page in common. */
struct elf_kernel {
	uint64_t entry; /* the file's, not judged by elf_read() */
	uint64_t end;	/* no segment reaches beyond it */
	unsigned count; /* at least 1 */
	struct elf_segment segment[ELF_MAX_SEGMENTS];
	unsigned note_count;
	struct elf_note_range note[ELF_MAX_NOTES];
};

/*
 * Read the headers, which are in the file's first bytes: head_size of them at head. NULL if all
 * promises above hold, else why not, in words for the user.
 */
const char *elf_read(const void *head, uint64_t head_size, struct elf_kernel *kernel);

/*
 * Is the kernel linked as the native ABI wants it? If NULL: no segment's link address + size wraps,
 * each lies in its page as at does, no two share a page of addresses, and entry is in a segment
 * that may be executed.
 */
const char *elf_judge_links(const struct elf_kernel *kernel);

#endif
