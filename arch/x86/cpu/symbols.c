// SPDX-License-Identifier: MIT
/*
 * symbols.c - looks addresses up in the table that the build links into the image: the monitor is
 * linked once without it, symbols.awk lists the functions of the result, and the second link adds
 * the list behind everything that it describes.
 */
#include "arch/x86/cpu/symbols.h"

/* symbols.awk: the low halves of addresses in rising order, and for each where its name begins. */
extern const u32 symbol_count;
extern const u32 symbol_address[];
extern const u32 symbol_name[];
extern const char symbol_text[];
extern const u8 text_start[], text_end[];

static u64 init_size; /* of boot's code, which lies before the rest; (c) after boot */

void symbols_set_init(u64 size)
{
	init_size = size;
}

bool symbols_is_text(u64 address)
{
	return address >= (u64)text_start - init_size && address < (u64)text_end;
}

const char *symbols_lookup(u64 address, u64 *offset)
{
	u32 low = 0, high = symbol_count;

	if (!symbols_is_text(address))
		return NULL;
	while (low < high) {
		u32 middle = low + (high - low) / 2;

		if (symbol_address[middle] <= (u32)address)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0)
		return NULL;
	*offset = (u32)address - symbol_address[low - 1];
	return symbol_text + symbol_name[low - 1];
}
