/* SPDX-License-Identifier: MIT */
/* font.h - the framebuffer's characters: 256 glyphs, from a console font of the build machine. */
#ifndef CPU_FONT_H
#define CPU_FONT_H

#include "lib/types.h"

#define FONT_WIDTH  8
#define FONT_HEIGHT 16

/* In font.S: a byte a line, the left pixel its highest bit. */
extern const u8 font_glyphs[256 * FONT_HEIGHT];

static inline const u8 *font_glyph(u8 c)
{
	return font_glyphs + c * FONT_HEIGHT;
}

#endif
