// SPDX-License-Identifier: MIT
/*
 * console.c - see console.h. A guest that has the machine to itself writes byte by byte; several
 * share it by whole lines.
 */
#include "object/console.h"
#include "arch/x86/cpu/console.h"
#include "lib/string.h"
#include "object/guest.h"

static void put_line(struct guest *g)
{
	struct console *c = &g->console;
	const char *name = g->config.name;

	console_write("[", 1);
	console_write(name, strlen(name));
	console_write("] ", 2);
	console_write(c->line, c->line_size);
	console_write("\n", 1);
	c->line_size = 0;
}

static void write_shared(struct guest *g, char c)
{
	struct console *console = &g->console;

	if (c == '\r')
		return;
	if (c != '\n')
		console->line[console->line_size++] = c;
	if (c == '\n' || console->line_size == CONSOLE_LINE)
		put_line(g);
}

void guest_console_write(struct guest *g, const char *text, size_t size)
{
	if (!g->console.shared) {
		console_write(text, size);
		return;
	}
	for (size_t i = 0; i < size; i++)
		write_shared(g, text[i]);
}

void guest_console_flush(struct guest *g)
{
	if (g->console.line_size)
		put_line(g);
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

	if (c->tail - c->head == CONSOLE_INPUT)
		return;
	c->input[c->tail++ % CONSOLE_INPUT] = key;
	port_raise(g, GN_PORT_CONSOLE);
}
