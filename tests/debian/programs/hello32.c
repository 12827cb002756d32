// SPDX-License-Identifier: MIT
/*
 * hello32.c - a 32-bit program without a library. It writes a line by INT 0x80, and one by what the
 * kernel recommends: the entry in its vDSO, which uses SYSENTER, SYSCALL or INT as the kernel can.
 * (Other code cannot use the first two at all: the kernel returns to its vDSO.)
 */

#define AT_SYSINFO 32 /* of the auxiliary vector: that entry's address */

static unsigned long entry;

static long by_int(long number, long a, long b, long c)
{
	__asm__ volatile("int $0x80" : "+a"(number) : "b"(a), "c"(b), "d"(c) : "memory");
	return number;
}

static long by_entry(long number, long a, long b, long c)
{
	__asm__ volatile("call *%1"
			 : "+a"(number) : "m"(entry), "b"(a), "c"(b), "d"(c) : "memory");
	return number;
}

/* The stack at the start: count, arguments, 0, environment, 0, auxiliary vector. */
static unsigned long find_entry(const unsigned long *stack)
{
	const unsigned long *word = stack + 1 + stack[0] + 1;

	while (*word++)
		;
	for (; word[0]; word += 2)
		if (word[0] == AT_SYSINFO)
			return word[1];
	return 0;
}

__attribute__((noreturn, used)) static void run(const unsigned long *stack)
{
	static const char first[] = "hello from 32 bits\n", second[] = "and by the vDSO\n";
	int good = by_int(4, 1, (long)first, sizeof(first) - 1) == sizeof(first) - 1;

	entry = find_entry(stack);
	good = good && entry &&
	       by_entry(4, 1, (long)second, sizeof(second) - 1) == sizeof(second) - 1;
	for (;;)
		by_int(1, !good, 0, 0);
}

__asm__(".globl _start\n_start: mov %esp, %eax\n and $-16, %esp\n push %eax\n call run\n");
