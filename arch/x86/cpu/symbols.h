/* SPDX-License-Identifier: MIT */
/* symbols.h - the names of the monitor's functions, for backtraces; symbols.awk made the table. */
#ifndef CPU_SYMBOLS_H
#define CPU_SYMBOLS_H

#include "lib/types.h"

/* The function that address lies in, and how far; NULL if it is not in the monitor's text. */
const char *symbols_lookup(u64 address, u64 *offset);

/* The monitor's text, or the switcher's? */
bool symbols_is_text(u64 address);

/* So many bytes before the text are boot's, and can be looked at for now. */
void symbols_set_init(u64 size);

#endif
