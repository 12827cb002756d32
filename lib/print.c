// SPDX-License-Identifier: MIT
/* print.c - the formatter behind every line that the monitor prints. It allocates nothing. */
#include "lib/print.h"
#include "lib/string.h"

struct output {
	char *to;
	size_t size;
	size_t length; /* of the whole text, also of what did not fit */
};

struct directive {
	bool left, zero, prefix;
	unsigned width;
	int precision; /* -1: none */
	unsigned longs;
};

static void put(struct output *out, char c)
{
	if (out->length + 1 < out->size)
		out->to[out->length] = c;
	out->length++;
}

static void put_field(struct output *out, const struct directive *d, const char *text, size_t size)
{
	size_t pad = d->width > size ? d->width - size : 0;

	/* A sign or 0x stays in front of zeros: numbers ask for zeros through put_number(). */
	for (; pad && !d->left; pad--)
		put(out, ' ');
	while (size--)
		put(out, *text++);
	for (; pad; pad--)
		put(out, ' ');
}

static void put_number(struct output *out, const struct directive *d, u64 value, unsigned base,
		       const char *prefix)
{
	char text[72];
	size_t start = sizeof(text), prefix_size = strlen(prefix);
	size_t wanted = d->zero && !d->left ? MIN(d->width, 64u) : 0;

	do {
		text[--start] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	while (sizeof(text) - start + prefix_size < wanted)
		text[--start] = '0';
	start -= prefix_size;
	memcpy(text + start, prefix, prefix_size);
	put_field(out, d, text + start, sizeof(text) - start);
}

static u64 next_unsigned(const struct directive *d, va_list *args)
{
	return d->longs ? va_arg(*args, unsigned long) : va_arg(*args, unsigned);
}

static s64 next_signed(const struct directive *d, va_list *args)
{
	return d->longs ? va_arg(*args, long) : va_arg(*args, int);
}

static void put_value(struct output *out, const struct directive *d, char conversion, va_list *args)
{
	const char *text;
	s64 value;
	char c;

	switch (conversion) {
	case 's':
		text = va_arg(*args, const char *);
		if (!text)
			text = "(null)";
		put_field(out, d, text,
			  d->precision < 0 ? strlen(text) : strnlen(text, (size_t)d->precision));
		break;
	case 'c':
		c = (char)va_arg(*args, int);
		put_field(out, d, &c, 1);
		break;
	case 'd':
	case 'i':
		value = next_signed(d, args);
		put_number(out, d, value < 0 ? -(u64)value : (u64)value, 10, value < 0 ? "-" : "");
		break;
	case 'u':
		put_number(out, d, next_unsigned(d, args), 10, "");
		break;
	case 'x':
		put_number(out, d, next_unsigned(d, args), 16, d->prefix ? "0x" : "");
		break;
	case 'p':
		put_number(out, d, (u64)va_arg(*args, void *), 16, "0x");
		break;
	default:
		put(out, conversion);
	}
}

static unsigned parse_number(const char **format, va_list *args)
{
	unsigned n = 0;

	if (**format == '*') {
		int value = va_arg(*args, int);

		++*format;
		return value < 0 ? 0 : (unsigned)value;
	}
	while (**format >= '0' && **format <= '9')
		n = n * 10 + (unsigned)(*(*format)++ - '0');
	return n;
}

static void parse_directive(struct directive *d, const char **format, va_list *args)
{
	*d = (struct directive){.precision = -1};
	for (;; ++*format) {
		if (**format == '-')
			d->left = true;
		else if (**format == '0')
			d->zero = true;
		else if (**format == '#')
			d->prefix = true;
		else
			break;
	}
	d->width = parse_number(format, args);
	if (**format == '.') {
		++*format;
		d->precision = (int)parse_number(format, args);
	}
	for (; **format == 'l' || **format == 'z'; ++*format)
		d->longs++;
}

int print_format_v(char *to, size_t size, const char *format, va_list args)
{
	struct output out = {.to = to, .size = size};
	struct directive d;
	va_list copy;

	va_copy(copy, args);
	for (; *format; format++) {
		if (*format != '%') {
			put(&out, *format);
			continue;
		}
		format++;
		parse_directive(&d, &format, &copy);
		if (!*format)
			break;
		put_value(&out, &d, *format, &copy);
	}
	va_end(copy);
	if (size)
		to[MIN(out.length, size - 1)] = 0;
	return (int)out.length;
}

int print_format(char *to, size_t size, const char *format, ...)
{
	va_list args;
	int length;

	va_start(args, format);
	length = print_format_v(to, size, format, args);
	va_end(args);
	return length;
}
