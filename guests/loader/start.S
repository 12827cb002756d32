/* SPDX-License-Identifier: MIT */
/* start.S - the image's first bytes: the header for the monitor, and the first instruction. */
#include "guest-abi/loader.h"

	.section .text.start, "ax", @progbits
	/* struct gn_loader_header; loader.ld counts the pages. */
	.long	GN_LOADER_MAGIC
	.long	loader_text_pages, loader_rodata_pages, loader_data_pages, loader_zero_pages
	.long	0
	.quad	loader_start

/* RDI = GN_LOADER_INFO, RSP = the end of the last zero page. A frame of 0 ends a backtrace. */
	.globl	loader_start
loader_start:
	xor	%ebp, %ebp
	push	%rbp
	push	%rbp /* the stack is aligned to 16 at a call */
	call	loader_main

	.section .note.GNU-stack, "", @progbits
