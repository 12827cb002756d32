// SPDX-License-Identifier: MIT
/* hello32.c - a 32-bit program without a library: system calls by INT 0x80, a write and an exit. */

static long call(long number, long a, long b, long c)
{
	__asm__ volatile("int $0x80" : "+a"(number) : "b"(a), "c"(b), "d"(c) : "memory");
	return number;
}

void _start(void)
{
	static const char text[] = "hello from 32 bits\n";

	call(1, call(4, 1, (long)text, sizeof(text) - 1) != sizeof(text) - 1, 0, 0);
}
