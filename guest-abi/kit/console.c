// SPDX-License-Identifier: MIT
/* console.c - see console.h. A text goes out as one hypercall, so that lines stay whole. */
#include "guest-abi/kit/console.h"
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include "guest-abi/kit/calls.h"
#include "guest-abi/kit/patch.h"

/* A 16550, by offset from COM1. */
#define COM1	      0x3f8
#define DIVISOR_LOW   0
#define DIVISOR_HIGH  1
#define LINE_CONTROL  3
#define LINE_STATUS   5
#define DIVISOR_LATCH 0x80
#define EIGHT_BITS    0x03
#define TRANSMIT_FREE 0x20
#define ALL_SENT      0x40

struct text {
	char bytes[256];
	unsigned size;
};

static bool is_guest;

static void out(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static uint8_t in(uint16_t port)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

void gn_console_init(bool on_gnomon)
{
	is_guest = on_gnomon;
	if (on_gnomon)
		return;
	out(COM1 + LINE_CONTROL, DIVISOR_LATCH);
	out(COM1 + DIVISOR_LOW, 1); /* 115200 bits a second */
	out(COM1 + DIVISOR_HIGH, 0);
	out(COM1 + LINE_CONTROL, EIGHT_BITS);
}

static void put(struct text *to, char c)
{
	if (to->size < sizeof(to->bytes))
		to->bytes[to->size++] = c;
}

static void put_number(struct text *to, uint64_t value, unsigned base, unsigned width, char pad)
{
	char digits[20];
	unsigned n = 0;

	do {
		digits[n++] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	for (unsigned i = n; i < width; i++)
		put(to, pad);
	while (n)
		put(to, digits[--n]);
}

/* One conversion, from behind its '%'; returns its last character's place. */
static const char *convert(struct text *to, const char *f, va_list *args)
{
	char pad = *f == '0' ? '0' : ' ';
	unsigned width = 0;
	int64_t value;
	bool is_long;

	for (; *f >= '0' && *f <= '9'; f++)
		width = width * 10 + (unsigned)(*f - '0');
	is_long = *f == 'l';
	f += is_long;
	if (*f == 's') {
		for (const char *s = va_arg(*args, const char *); *s; s++)
			put(to, *s);
		return f;
	}
	if (*f != 'd' && *f != 'u' && *f != 'x' && *f != 'c') {
		put(to, *f);
		return f;
	}
	value = is_long ? va_arg(*args, int64_t) : va_arg(*args, int);
	if (*f == 'c') {
		put(to, (char)value);
		return f;
	}
	if (*f == 'd' && value < 0) {
		put(to, '-');
		value = -value;
	} else if (!is_long) {
		value = (uint32_t)value;
	}
	put_number(to, (uint64_t)value, *f == 'x' ? 16 : 10, width, pad);
	return f;
}

static void format_text(struct text *to, const char *format, va_list *args)
{
	for (const char *f = format; *f; f++) {
		if (*f == '%')
			f = convert(to, f + 1, args);
		else
			put(to, *f);
	}
}

static void send(const struct text *text)
{
	if (is_guest) {
		for (unsigned i = 0; i < text->size;) {
			int64_t taken = gn_console_write((uint64_t)text->bytes + i, text->size - i);

			if (taken < 0)
				return;
			i += (unsigned)taken;
		}
		return;
	}
	for (unsigned i = 0; i < text->size; i++) {
		while (!(in(COM1 + LINE_STATUS) & TRANSMIT_FREE))
			;
		out(COM1, (uint8_t)text->bytes[i]);
	}
	while (!(in(COM1 + LINE_STATUS) & ALL_SENT)) /* the machine may be switched off next */
		;
}

static void add(struct text *to, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	format_text(to, format, &args);
	va_end(args);
}

void gn_print(const char *format, ...)
{
	struct text text = {.size = 0};
	va_list args;

	va_start(args, format);
	format_text(&text, format, &args);
	va_end(args);
	send(&text);
}

static void stand_still(void) __attribute__((noreturn));
static void stand_still(void)
{
	for (;;)
		__asm__ volatile("cli; hlt");
}

void gn_panic(const char *format, ...)
{
	struct text text = {.size = 0};
	va_list args;

	va_start(args, format);
	format_text(&text, format, &args);
	va_end(args);
	text.bytes[text.size < sizeof(text.bytes) ? text.size : sizeof(text.bytes) - 1] = 0;
	gn_print("panic: %s\n", text.bytes);
	if (is_guest)
		gn_shutdown(GN_SHUTDOWN_CRASH, (uint64_t)text.bytes,
			    text.size < GN_SHUTDOWN_TEXT ? text.size : GN_SHUTDOWN_TEXT);
	stand_still();
}

void gn_power_off(void)
{
	if (is_guest)
		gn_shutdown(GN_SHUTDOWN_POWEROFF, 0, 0);
	stand_still();
}

extern const struct gn_site gn_site_table[], gn_site_table_end[];

void gn_print_sites(void)
{
	for (const struct gn_site *site = gn_site_table; site < gn_site_table_end; site++) {
		const uint8_t *bytes = (const uint8_t *)gn_site_start(site);
		struct text line = {.size = 0};

		add(&line, "site %d %lx %s:", (int)(site - gn_site_table), (uint64_t)bytes,
		    gn_site_name(site->operation));
		for (unsigned i = 0; i < site->room; i++)
			add(&line, " %02x", bytes[i]);
		add(&line, "\n");
		send(&line);
	}
}
