/* SPDX-License-Identifier: MIT */
/*
 * loader-image.S - the guests' loader (guests/loader), a flat image inside the monitor's read-only
 * data. The monitor never runs it: it maps these pages into new guests.
 */
	.section .rodata.loader_image, "a", @progbits
	.balign 4096
	.globl loader_image, loader_image_end
loader_image:
	.incbin "guests/loader.bin"
loader_image_end:

	.section .note.GNU-stack, "", @progbits
