// SPDX-License-Identifier: MIT
/*
 * screen.c - a grid of characters that scrolls. It is kept in memory, as reading a screen is slow,
 * and a character is drawn only where it changes. boot_read() has judged the sizes.
 */
#include "arch/x86/cpu/font.h"
#include "arch/x86/cpu/insn.h"
#include "arch/x86/cpu/paging.h"
#include "arch/x86/cpu/screen.h"
#include "lib/compiler.h"
#include "lib/string.h"

#define COLUMNS_MAX	  256u
#define ROWS_MAX	  128u
#define TAB		  8
#define CRTC_INDEX	  0x3d4
#define CRTC_CURSOR_START 0x0a
#define CRTC_CURSOR_OFF	  0x20
#define GREY_ON_BLACK	  0x0700

static struct boot_screen device; /* (c) after screen_init(), as the next three */
static volatile u8 *memory;	  /* NULL: no screen */
static u32 columns, rows;
/* Where the next character goes, and what is shown. No lock: a mistake is one of looks only. */
static u32 column, row;
static u8 grid[ROWS_MAX][COLUMNS_MAX];

static u32 grey(void)
{
	const struct boot_screen *d = &device;

	/* Two thirds of each colour's full value. */
	return ((1u << d->red_size) - 1) * 2 / 3 << d->red_shift |
	       ((1u << d->green_size) - 1) * 2 / 3 << d->green_shift |
	       ((1u << d->blue_size) - 1) * 2 / 3 << d->blue_shift;
}

static void draw_pixel(volatile u8 *at, u32 colour)
{
	switch (device.bits_per_pixel) {
	case 16:
		*(volatile u16 *)at = (u16)colour;
		break;
	case 24:
		at[0] = (u8)colour;
		at[1] = (u8)(colour >> 8);
		at[2] = (u8)(colour >> 16);
		break;
	case 32:
		*(volatile u32 *)at = colour;
		break;
	}
}

static void draw_glyph(u32 x, u32 y, u8 c)
{
	u32 bytes = device.bits_per_pixel / 8, colour = grey();

	for (u32 line = 0; line < FONT_HEIGHT; line++) {
		u8 bits = font_glyph(c)[line];
		volatile u8 *at = memory + (size_t)(y * FONT_HEIGHT + line) * device.pitch +
				  (size_t)x * FONT_WIDTH * bytes;

		for (u32 i = 0; i < FONT_WIDTH; i++, at += bytes)
			draw_pixel(at, bits << i & 0x80 ? colour : 0);
	}
}

static void put(u32 x, u32 y, u8 c)
{
	if (grid[y][x] == c)
		return;
	grid[y][x] = c;
	if (device.kind == BOOT_SCREEN_PIXELS)
		draw_glyph(x, y, c);
	else
		*(volatile u16 *)(memory + y * device.pitch + x * 2) = GREY_ON_BLACK | c;
}

static void new_line(void)
{
	column = 0;
	if (++row < rows)
		return;
	row = rows - 1;
	for (u32 y = 0; y < rows; y++)
		for (u32 x = 0; x < columns; x++)
			put(x, y, y + 1 < rows ? grid[y + 1][x] : ' ');
}

static void write_byte(u8 c)
{
	switch (c) {
	case '\n':
		new_line();
		return;
	case '\r':
		column = 0;
		return;
	case '\b':
		column -= column > 0;
		return;
	case '\t':
		column = MIN((column / TAB + 1) * TAB, columns - 1);
		return;
	}
	if (c < ' ')
		return;
	if (column == columns)
		new_line();
	put(column++, row, c);
}

void screen_write(const char *text, size_t size)
{
	while (memory && size--)
		write_byte((u8)*text++);
}

/* The loader's cursor would stand still where it was. Bit 5 of register 10 switches it off. */
static void hide_vga_cursor(void)
{
	outb(CRTC_INDEX, CRTC_CURSOR_START);
	outb(CRTC_INDEX + 1, CRTC_CURSOR_OFF);
}

__init bool screen_init(const struct boot_screen *screen)
{
	u64 lines = screen->height;

	if (screen->kind == BOOT_SCREEN_NONE)
		return false;
	device = *screen;
	columns = screen->width;
	rows = screen->height;
	if (screen->kind == BOOT_SCREEN_PIXELS) {
		columns /= FONT_WIDTH;
		rows /= FONT_HEIGHT;
	}
	columns = MIN(columns, COLUMNS_MAX);
	rows = MIN(rows, ROWS_MAX);
	if (!columns || !rows)
		return false;
	memory = paging_map_framebuffer(screen->maddr, lines * screen->pitch);
	if (!memory)
		return false;
	if (screen->kind == BOOT_SCREEN_TEXT)
		hide_vga_cursor();
	memset(grid, 0xff, sizeof(grid)); /* no cell is known to be blank */
	for (u32 y = 0; y < rows; y++)
		for (u32 x = 0; x < columns; x++)
			put(x, y, ' ');
	return true;
}
