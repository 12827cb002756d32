// SPDX-License-Identifier: MIT
/*
 * console.c - formatted lines to COM1 on the bare machine, to the guest's console on Gnomon. A
 * line goes out as one hypercall, so that lines of two guests do not mix.
 */
#include "tests/guest/lib/test.h"
#include "tests/guest/lib/private.h"
#include <stdarg.h>

/* 16550, by offset from COM1. */
#define COM1	      0x3f8
#define DIVISOR_LOW   0
#define DIVISOR_HIGH  1
#define LINE_CONTROL  3
#define LINE_STATUS   5
#define DIVISOR_LATCH 0x80
#define EIGHT_BITS    0x03
#define TRANSMIT_FREE 0x20
#define ALL_SENT      0x40

struct line {
	char text[240];
	unsigned size;
};

static void put(struct line *to, char c)
{
	if (to->size < sizeof(to->text))
		to->text[to->size++] = c;
}

static void put_number(struct line *to, u64 value, unsigned base, unsigned width, char pad)
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

static u64 argument(va_list *args, bool is_long)
{
	return is_long ? va_arg(*args, u64) : va_arg(*args, unsigned);
}

/* One conversion, from behind its '%'; returns its last character's place. */
static const char *convert(struct line *to, const char *f, va_list *args)
{
	char pad = *f == '0' ? '0' : ' ';
	unsigned width = 0;
	bool is_long = false;
	s64 number;

	for (; *f >= '0' && *f <= '9'; f++)
		width = width * 10 + (*f - '0');
	for (; *f == 'l'; f++)
		is_long = true;
	switch (*f) {
	case 'd':
		number = is_long ? va_arg(*args, s64) : va_arg(*args, int);
		if (number < 0)
			put(to, '-');
		put_number(to, number < 0 ? -(u64)number : (u64)number, 10, width, pad);
		break;
	case 'u':
		put_number(to, argument(args, is_long), 10, width, pad);
		break;
	case 'x':
		put_number(to, argument(args, is_long), 16, width, pad);
		break;
	case 's':
		for (const char *s = va_arg(*args, const char *); *s; s++)
			put(to, *s);
		break;
	case 'c':
		put(to, va_arg(*args, int));
		break;
	default:
		put(to, *f);
	}
	return f;
}

void console_init(void)
{
	out8(COM1 + LINE_CONTROL, DIVISOR_LATCH);
	out8(COM1 + DIVISOR_LOW, 1); /* 115200 bits a second */
	out8(COM1 + DIVISOR_HIGH, 0);
	out8(COM1 + LINE_CONTROL, EIGHT_BITS);
}

void console_drain(void)
{
	while (!(in8(COM1 + LINE_STATUS) & ALL_SENT))
		;
}

static void send(const struct line *line)
{
	for (unsigned i = 0; i < line->size && !on_gnomon; i++) {
		while (!(in8(COM1 + LINE_STATUS) & TRANSMIT_FREE))
			;
		out8(COM1, line->text[i]);
	}
	for (unsigned i = 0; i < line->size && on_gnomon;) {
		s64 taken = console_call(line->text + i, line->size - i);

		if (taken <= 0)
			return;
		i += taken;
	}
}

void print_v(const char *format, va_list *args)
{
	struct line line = {.size = 0};

	for (const char *f = format; *f; f++) {
		if (*f == '%')
			f = convert(&line, f + 1, args);
		else
			put(&line, *f);
	}
	send(&line);
}

void print(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print_v(format, &args);
	va_end(args);
}
