// SPDX-License-Identifier: MIT
/*
 * boot.c - from a boot loader's answer to struct boot_info. The two protocols' readers feed the
 * functions here, and at the end everything is judged together: memory that two entries of the map
 * disagree on is no RAM, and a module must lie in RAM, on a page, apart from us and from the other
 * modules. Every byte is the loader's, or the firmware's, or from whoever could write the disk: no
 * length is believed, and nothing is read but through map().
 */
#include "boot/boot-info.h"
#include "boot/multiboot.h"
#include "boot/private.h"
#include "lib/log.h"
#include "lib/string.h"

#define PAGE	  4096ul
#define TEXT_ROOM 65536

static char text_room[TEXT_ROOM];   /* (c) after boot_read(): all command lines */
static size_t text_used;	    /* (c) likewise */
static struct boot_reading reading; /* too large for a stack frame */

/* Copy to at most room bytes, the zero included. Returns false if no zero was found in so many. */
static bool copy_string(boot_map_fn map, u64 maddr, char *to, size_t room)
{
	for (size_t i = 0; i < room; i++) {
		const char *c = map(maddr + i, 1);

		to[i] = c ? *c : 0;
		if (!to[i])
			return true;
	}
	return false;
}

static char *skip_path(char *text)
{
	while (*text && *text != ' ')
		text++;
	while (*text == ' ')
		text++;
	return text;
}

/* GRUB puts a backslash before quotes and backslashes, and so does tools/gnomon for QEMU: take it
 * away, in place. */
static void unescape(char *text)
{
	char *to = text;

	for (; *text; text++) {
		if (text[0] == '\\' && text[1] && strchr("\\'\"", text[1]))
			text++;
		*to++ = *text;
	}
	*to = 0;
}

void boot_copy_text(struct boot_reading *r, struct boot_text *text, u64 maddr)
{
	size_t room = MIN(TEXT_ROOM - text_used, BOOT_COMMAND_LINE_MAX + 1ul);
	char *to = text_room + text_used;

	if (!copy_string(r->map, maddr, to, room)) {
		*text = (struct boot_text){.bytes = "", .too_long = true};
		return;
	}
	text_used += strlen(to) + 1;
	to = r->path_first ? skip_path(to) : to;
	unescape(to);
	*text = (struct boot_text){.bytes = to};
}

void boot_set_loader(struct boot_reading *r, u64 name)
{
	char copy[sizeof(r->info->loader)];

	copy_string(r->map, name, copy, sizeof(copy));
	log_quote(r->info->loader, sizeof(r->info->loader), copy, strnlen(copy, sizeof(copy)));
}

void boot_add_memory(struct boot_reading *r, u64 maddr, u64 size, u32 type)
{
	u64 end = maddr + size;

	if (end < maddr)
		end = ~0ul;
	if (type == MB_MEMORY_AVAILABLE)
		range_add(&r->info->ram, ALIGN_UP(MIN(maddr, ~0ul - PAGE), PAGE),
			  ALIGN_DOWN(end, PAGE));
	else
		range_add(&r->not_ram, ALIGN_DOWN(maddr, PAGE),
			  ALIGN_UP(MIN(end, ~0ul - PAGE), PAGE));
}

void boot_add_module(struct boot_reading *r, u64 start, u64 end, u64 command_line)
{
	struct boot_info *info = r->info;
	struct boot_module *module;

	if (info->module_count == BOOT_MODULE_MAX) {
		info->modules_left_out++;
		return;
	}
	module = &info->module[info->module_count++];
	module->maddr = start;
	module->size = end > start ? end - start : 0;
	boot_copy_text(r, &module->command_line, command_line);
}

void boot_set_screen(struct boot_reading *r, const u8 *record, const u8 *colours)
{
	struct boot_screen *screen = &r->info->screen;
	u8 type = record[21];

	*screen = (struct boot_screen){
		.maddr = load_u64(record),
		.pitch = load_u32(record + 8),
		.width = load_u32(record + 12),
		.height = load_u32(record + 16),
		.bits_per_pixel = record[20],
	};
	if (type == MB_FRAMEBUFFER_TEXT) {
		screen->kind = BOOT_SCREEN_TEXT;
		return;
	}
	if (type != MB_FRAMEBUFFER_RGB)
		return;
	screen->red_shift = colours[0];
	screen->red_size = colours[1];
	screen->green_shift = colours[2];
	screen->green_size = colours[3];
	screen->blue_shift = colours[4];
	screen->blue_size = colours[5];
	screen->kind = BOOT_SCREEN_PIXELS;
}

static bool is_colour(u8 shift, u8 size, u8 bits)
{
	return size >= 1 && size <= 8 && shift + size <= bits;
}

/* A screen that could make us write outside its own lines is none. */
static void judge_screen(struct boot_screen *s)
{
	bool fits = s->width >= 8 && s->width <= 16384 && s->height >= 8 && s->height <= 16384;

	if (s->kind == BOOT_SCREEN_TEXT)
		fits = s->width >= 20 && s->width <= 256 && s->height >= 10 && s->height <= 128 &&
		       s->pitch >= s->width * 2 && s->pitch <= 4096;
	else if (s->kind == BOOT_SCREEN_PIXELS)
		fits = fits &&
		       (s->bits_per_pixel == 16 || s->bits_per_pixel == 24 ||
			s->bits_per_pixel == 32) &&
		       s->pitch >= s->width * (s->bits_per_pixel / 8u) && s->pitch <= 1 << 17 &&
		       is_colour(s->red_shift, s->red_size, s->bits_per_pixel) &&
		       is_colour(s->green_shift, s->green_size, s->bits_per_pixel) &&
		       is_colour(s->blue_shift, s->blue_size, s->bits_per_pixel);
	if (!fits || s->maddr >> 52)
		s->kind = BOOT_SCREEN_NONE;
}

static bool overlap(u64 a_start, u64 a_end, u64 b_start, u64 b_end)
{
	return a_start < b_end && b_start < a_end;
}

static void judge_module(struct boot_info *info, u32 index, u64 image_start, u64 image_end)
{
	struct boot_module *module = &info->module[index];
	u64 start = module->maddr, end = ALIGN_UP(start + module->size, PAGE);

	if (module->size == 0)
		module->refused = "it is empty";
	else if (start % PAGE)
		module->refused = "it does not begin on a page";
	else if (!range_contains(&info->ram, start, end))
		module->refused = "it does not lie in memory";
	else if (overlap(start, end, image_start, image_end))
		module->refused = "it overlaps the monitor";
	for (u32 i = 0; i < index && !module->refused; i++) {
		struct boot_module *other = &info->module[i];

		if (!other->refused &&
		    overlap(start, end, other->maddr, other->maddr + other->size))
			module->refused = "it overlaps an earlier module";
	}
}

const char *boot_read(struct boot_info *info, u32 magic, u32 maddr, u64 image_start, u64 image_end,
		      boot_map_fn map)
{
	const char *error;

	reading = (struct boot_reading){.info = info, .map = map};
	info->command_line.bytes = "";
	text_used = 0;
	if (magic == MB1_LOADER_MAGIC)
		error = boot_read_multiboot1(&reading, maddr);
	else if (magic == MB2_LOADER_MAGIC)
		error = boot_read_multiboot2(&reading, maddr);
	else
		error = "started by something that speaks neither multiboot1 nor multiboot2";
	if (error)
		return error;
	if (reading.not_ram.overflowed)
		return "the boot loader's memory map has too many pieces";

	info->ram_bytes = range_total(&info->ram);
	for (u32 i = 0; i < reading.not_ram.count; i++)
		range_remove(&info->ram, reading.not_ram.range[i].start,
			     reading.not_ram.range[i].end);
	/* We run from there, so it is memory, whatever the map says. */
	range_add(&info->ram, image_start, image_end);
	for (u32 i = 0; i < info->module_count; i++)
		judge_module(info, i, image_start, image_end);
	judge_screen(&info->screen);
	boot_read_acpi(&reading);
	return NULL;
}
