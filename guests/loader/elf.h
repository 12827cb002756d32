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

/*
 * A segment to load. Promised: file_offset + file_size is within the image, file_size <= size, size
 * > 0, at + size is within RAM; link_address + size does not wrap, and lies in its page as at does.
 */
struct elf_segment {
	uint64_t file_offset, file_size;
	uint64_t at;	       /* guest physical */
	uint64_t link_address; /* where the kernel wants to see it */
	uint64_t size;
	bool writable, executable;
};

/* Promised: sorted by at, and no two segments have a page in common. */
struct elf_kernel {
	uint64_t entry; /* a linear address within an executable segment */
	unsigned count; /* at least 1 */
	struct elf_segment segment[ELF_MAX_SEGMENTS];
};

/*
 * Read the headers of image. NULL if all promises above hold, else why not, in words for the user.
 * The image must not change meanwhile.
 */
const char *elf_read(const void *image, uint64_t size, uint64_t memory_size,
		     struct elf_kernel *kernel);

#endif
