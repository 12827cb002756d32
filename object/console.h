/* SPDX-License-Identifier: MIT */
/*
 * console.h - a guest's console: what it prints goes to the machine's console, with its name before
 * each line when there are several guests; what is typed goes to the guest that has the keyboard.
 */
#ifndef OBJECT_CONSOLE_H
#define OBJECT_CONSOLE_H

#include "lib/types.h"

struct guest;

#define CONSOLE_INPUT 256
#define CONSOLE_LINE  128

struct console {
	char input[CONSOLE_INPUT]; /* a ring */
	u32 head, tail;		   /* tail - head bytes wait */
	char line[CONSOLE_LINE]; /* its last line of output */
	u32 line_size;
	bool line_ended; /* the next byte begins another */
	bool shared;	 /* its lines carry the guest's name, and are written when complete */
};

void guest_console_write(struct guest *g, const char *text, size_t size);
/* Bytes copied, at most size. */
size_t guest_console_read(struct guest *g, char *to, size_t size);
/* A key for this guest; a full ring loses it. */
void guest_console_type(struct guest *g, char key);
static inline bool guest_console_is_full(const struct console *c)
{
	return c->tail - c->head == CONSOLE_INPUT;
}
/* Print what is held back of an unfinished line. */
void guest_console_flush(struct guest *g);

#endif
