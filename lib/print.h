/* SPDX-License-Identifier: MIT */
/*
 * print.h - text from values. The formats: %s %c %d %i %u %x %p %% with width, precision for %s, 0,
 * - and # flags, and the l, ll, z lengths. The result is always terminated when size > 0.
 */
#ifndef LIB_PRINT_H
#define LIB_PRINT_H

#include <stdarg.h>
#include "lib/compiler.h"
#include "lib/types.h"

/* Both return the length that the whole text would have had, like the C library's. */
int print_format_v(char *to, size_t size, const char *format, va_list args);
int print_format(char *to, size_t size, const char *format, ...) __printf(3, 4);

#endif
