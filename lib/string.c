// SPDX-License-Identifier: MIT
/*
 * string.c - memory and string functions, plain. REP MOVSB and REP STOSB are what processors since
 * 2013 do best (ERMS), and they keep the monitor's text small.
 */
#include "lib/string.h"

void *memcpy(void *to, const void *from, size_t size)
{
	void *start = to;

	if ((size & 7) == 0) {
		size /= 8;
		__asm__ volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
	} else {
		__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
	}
	return start;
}

void *memmove(void *to, const void *from, size_t size)
{
	unsigned char *t = to;
	const unsigned char *f = from;

	if (t <= f || t >= f + size)
		return memcpy(to, from, size);
	while (size--)
		t[size] = f[size];
	return to;
}

void *memset(void *to, int byte, size_t size)
{
	void *start = to;

	if ((size & 7) == 0) {
		unsigned long pattern = (unsigned char)byte * 0x0101010101010101ul;

		size /= 8;
		__asm__ volatile("rep stosq" : "+D"(to), "+c"(size) : "a"(pattern) : "memory");
	} else {
		__asm__ volatile("rep stosb" : "+D"(to), "+c"(size) : "a"(byte) : "memory");
	}
	return start;
}

int memcmp(const void *a, const void *b, size_t size)
{
	const unsigned char *x = a, *y = b;

	for (; size--; x++, y++)
		if (*x != *y)
			return *x - *y;
	return 0;
}

size_t strlen(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

size_t strnlen(const char *s, size_t max)
{
	size_t n = 0;

	while (n < max && s[n])
		n++;
	return n;
}

int strcmp(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return (unsigned char)*a - (unsigned char)*b;
}

int strncmp(const char *a, const char *b, size_t max)
{
	for (; max; max--, a++, b++)
		if (*a != *b || !*a)
			return (unsigned char)*a - (unsigned char)*b;
	return 0;
}

char *strchr(const char *s, int c)
{
	for (;; s++) {
		if (*s == (char)c)
			return (char *)s;
		if (!*s)
			return NULL;
	}
}
