// SPDX-License-Identifier: MIT
/* console.c - the log's sinks, and the guests' way to COM1 and the screen. */
#include "arch/x86/cpu/console.h"
#include "arch/x86/cpu/screen.h"
#include "arch/x86/cpu/serial.h"
#include "lib/compiler.h"
#include "lib/log.h"

static u32 outputs; /* (c) after console_init() */

static void com1_write(const char *text, size_t size)
{
	serial_write(SERIAL_COM1, text, size);
}

static void com2_write(const char *text, size_t size)
{
	serial_write(SERIAL_COM2, text, size);
}

struct output {
	struct log_sink sink;
	void (*write)(const char *text, size_t size);
	bool in_line; /* the last byte shown was no newline; wrong only for looks */
};

static void output_write(struct output *out, const char *text, size_t size)
{
	if (!size)
		return;
	out->in_line = text[size - 1] != '\n';
	out->write(text, size);
}

/* A guest's prompt may stand there: the log begins a line of its own. */
static void output_log(struct log_sink *sink, const char *text, size_t size)
{
	struct output *out = container_of(sink, struct output, sink);

	if (out->in_line && size)
		output_write(out, "\n", 1);
	output_write(out, text, size);
}

static struct output com1 = {.sink.write = output_log, .write = com1_write};
static struct output com2 = {.sink.write = output_log, .write = com2_write};
static struct output screen = {.sink.write = output_log, .write = screen_write};

__init void console_init(u32 wanted)
{
	outputs = wanted;
	serial_init();
	if (outputs & CONSOLE_COM1)
		log_add_sink(&com1.sink);
	if (outputs & CONSOLE_LOG_COM2)
		log_add_sink(&com2.sink);
}

__init void console_add_screen(const struct boot_screen *device)
{
	if (!(outputs & CONSOLE_SCREEN))
		return;
	if (screen_init(device))
		log_add_sink(&screen.sink);
	else
		outputs &= ~CONSOLE_SCREEN;
}

void console_write(const char *text, size_t size)
{
	if (outputs & CONSOLE_COM1)
		output_write(&com1, text, size);
	if (outputs & CONSOLE_SCREEN)
		output_write(&screen, text, size);
}

int console_read(void)
{
	return outputs & CONSOLE_COM1 ? serial_read(SERIAL_COM1) : -1;
}
