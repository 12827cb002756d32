/* SPDX-License-Identifier: MIT */
/*
 * font.S - the glyphs of a PSF1 font (4 bytes of header, then 256 glyphs) that the Makefile
 * unpacked.
 */
	.section .rodata, "a"
	.globl	font_glyphs
font_glyphs:
	.incbin	"font.psf", 4, 256 * 16

	.section .note.GNU-stack, "", @progbits
