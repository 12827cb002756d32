/* SPDX-License-Identifier: MIT */
/*
 * console.h - where people look: COM1 and the screen show guests' text and the log; COM2 gets the
 * log alone, so that what a guest prints can never be taken for it.
 */
#ifndef CPU_CONSOLE_H
#define CPU_CONSOLE_H

#include "boot/boot-info.h"

#define CONSOLE_COM1	 (1u << 0)
#define CONSOLE_SCREEN	 (1u << 1)
#define CONSOLE_LOG_COM2 (1u << 2)

/* What of these to use. Each shows the log so far at once; the screen later, when devices can be
 * mapped. */
void console_init(u32 outputs);
void console_add_screen(const struct boot_screen *screen);
void console_write(const char *text, size_t size);
int console_read(void); /* a byte typed on COM1, or -1 */

#endif
