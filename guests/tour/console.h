/* SPDX-License-Identifier: MIT */
/* console.h - text to and from the guest's console, and the end of the guest. */
#ifndef GUESTS_TOUR_CONSOLE_H
#define GUESTS_TOUR_CONSOLE_H

#include <stddef.h>
#include <stdint.h>

/* The formats: %s %c, and of 64 bits each %d %u %x; a width, and - for "to the left". */
void format(char *to, size_t size, const char *format, ...);
void print(const char *format, ...);
void console_write(const char *text, size_t size);

/* Keys have come (GN_PORT_CONSOLE). */
void console_event(void);
/* The next key; sleeps, letting processes run, until there is one. */
char console_key(void);

/* End the guest: kind is GN_SHUTDOWN_. */
_Noreturn void shut_down(uint64_t kind, const char *text);

#endif
