/* SPDX-License-Identifier: MIT */
/*
 * image.h - what kind of file the user gave as a kernel: Linux's bzImage, which carries a packed
 * ELF file behind its boot code, or the ELF file itself, packed or not. Pure.
 */
#ifndef GUESTS_LOADER_IMAGE_H
#define GUESTS_LOADER_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct payload {
	const unsigned char *bytes; /* within the image */
	uint64_t size;
	bool is_bzimage;
	uint32_t unpacked_size; /* what a bzImage says; to be compared, never trusted */
	uint64_t kernel_end;	/* the same of where in RAM it will end: for messages alone */
};

/* NULL and the ELF file's bytes, as they are packed; or why not. */
const char *image_find_payload(const void *image, uint64_t size, struct payload *payload);

#endif
