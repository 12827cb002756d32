// SPDX-License-Identifier: MIT
/*
 * console.c - see console.h. A guest that has the machine to itself writes byte by byte; several
 * share it by whole lines.
 */
#include "object/console.h"
#include "arch/x86/cpu/console.h"
#include "lib/string.h"
#include "object/guest.h"

static void end_line(struct guest *g)
{
	struct console *c = &g->console;
	const char *name = g->config.name;

	if (c->shared) {
		console_write("[", 1);
		console_write(name, strlen(name));
		console_write("] ", 2);
		console_write(c->line, c->line_ended ? 0 : c->line_size);
		console_write("\n", 1);
	}
	c->line_ended = true;
}

static void add_to_line(struct guest *g, char byte)
{
	struct console *c = &g->console;

	if (byte == '\r')
		return;
	if (byte != '\n') {
		if (c->line_ended)
			c->line_size = 0;
		c->line_ended = false;
		c->line[c->line_size++] = byte;
	}
	if (byte == '\n' || c->line_size == CONSOLE_LINE)
		end_line(g);
}

void guest_console_write(struct guest *g, const char *text, size_t size)
{
	if (!g->console.shared)
		console_write(text, size);
	for (size_t i = 0; i < size; i++)
		add_to_line(g, text[i]);
}

void guest_console_flush(struct guest *g)
{
	if (!g->console.line_ended && g->console.line_size)
		end_line(g);
}

size_t guest_console_read(struct guest *g, char *to, size_t size)
{
	struct console *c = &g->console;
	size_t n = 0;

	while (n < size && c->head != c->tail)
		to[n++] = c->input[c->head++ % CONSOLE_INPUT];
	return n;
}

void guest_console_type(struct guest *g, char key)
{
	struct console *c = &g->console;

	if (guest_console_is_full(c))
		return;
	c->input[c->tail++ % CONSOLE_INPUT] = key;
	port_raise(g, GN_PORT_CONSOLE);
}
