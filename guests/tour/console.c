// SPDX-License-Identifier: MIT
/* console.c - see console.h. */
#include "guests/tour/console.h"
#include <stdarg.h>
#include <stdbool.h>
#include "guest-abi/kit/calls.h"
#include "guests/tour/process.h"

struct text {
	char *to;
	size_t size, used;
};

static void add(struct text *t, char c)
{
	if (t->used + 1 < t->size)
		t->to[t->used++] = c;
}

static void add_padded(struct text *t, const char *s, size_t size, size_t width, bool left)
{
	size_t padding = width > size ? width - size : 0;

	for (size_t i = 0; !left && i < padding; i++)
		add(t, ' ');
	while (size--)
		add(t, *s++);
	for (size_t i = 0; left && i < padding; i++)
		add(t, ' ');
}

/* The digits of value; returns where they begin in buffer, which they fill up to its end. */
static const char *digits(char buffer[24], uint64_t value, unsigned base, bool negative)
{
	char *at = buffer + 24;

	do
		*--at = "0123456789abcdef"[value % base];
	while (value /= base);
	if (base == 16) {
		*--at = 'x';
		*--at = '0';
	}
	if (negative)
		*--at = '-';
	return at;
}

static void add_item(struct text *t, char kind, size_t width, bool left, va_list *args)
{
	char buffer[24];
	const char *s = buffer;
	size_t size = 0;
	int64_t value;

	switch (kind) {
	case 's':
		s = va_arg(*args, const char *);
		while (s[size])
			size++;
		break;
	case 'c':
		buffer[0] = va_arg(*args, int);
		size = 1;
		break;
	case 'd':
		value = va_arg(*args, int64_t);
		s = digits(buffer, value < 0 ? -(uint64_t)value : (uint64_t)value, 10, value < 0);
		size = buffer + sizeof(buffer) - s;
		break;
	default:
		s = digits(buffer, va_arg(*args, uint64_t), kind == 'x' ? 16 : 10, false);
		size = buffer + sizeof(buffer) - s;
	}
	add_padded(t, s, size, width, left);
}

static size_t format_list(char *to, size_t size, const char *f, va_list *args)
{
	struct text t = {to, size, 0};

	for (; *f; f++) {
		bool left = false;
		size_t width = 0;

		if (*f != '%') {
			add(&t, *f);
			continue;
		}
		if (f[1] == '-') {
			left = true;
			f++;
		}
		while (f[1] >= '0' && f[1] <= '9')
			width = 10 * width + *++f - '0';
		add_item(&t, *++f, width, left, args);
	}
	to[t.used] = 0;
	return t.used;
}

void format(char *to, size_t size, const char *f, ...)
{
	va_list args;

	va_start(args, f);
	format_list(to, size, f, &args);
	va_end(args);
}

void print(const char *f, ...)
{
	char line[256];
	va_list args;

	va_start(args, f);
	console_write(line, format_list(line, sizeof(line), f, &args));
	va_end(args);
}

/* The monitor may take less than it is offered. */
void console_write(const char *text, size_t size)
{
	while (size) {
		int64_t taken = gn_console_write((uint64_t)text, size);

		if (taken < 0)
			return;
		text += taken;
		size -= taken;
	}
}

/* ---- keys ---- */

static char keys[64];
static size_t key_head, key_tail; /* tail - head keys wait */

void console_event(void)
{
	char key;

	while (key_tail - key_head < sizeof(keys) && gn_console_read((uint64_t)&key, 1) == 1)
		keys[key_tail++ % sizeof(keys)] = key;
	process_wake(process_kernel());
}

char console_key(void)
{
	for (;;) {
		console_event(); /* what came while the ring was full raises no second event */
		if (key_head != key_tail)
			return keys[key_head++ % sizeof(keys)];
		process_wait_for_event();
	}
}

_Noreturn void shut_down(uint64_t kind, const char *text)
{
	size_t size = 0;

	while (text[size])
		size++;
	gn_shutdown(kind, (uint64_t)text, size);
	for (;;) /* shutdown does not return */
		gn_block();
}
