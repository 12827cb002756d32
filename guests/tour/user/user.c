// SPDX-License-Identifier: MIT
/*
 * user.c - the programs that run in ring 3. They know the kernel's system calls and nothing of the
 * monitor, which is not in their way: SYSCALL, page faults and preemption are the processor's own.
 */
#include <stddef.h>
#include <stdint.h>
#include "guests/tour/layout.h"
#include "guests/tour/system-calls.h"
#include "guests/tour/user/programs.h"

int64_t user_main(enum program program, uint64_t argument);
void user_offend(enum offence offence);

static int64_t system_call(enum system_call number, uint64_t a, uint64_t b)
{
	int64_t rax = number;

	__asm__ volatile("syscall" : "+a"(rax) : "D"(a), "S"(b) : "rcx", "r11", "memory");
	return rax;
}

static int64_t hello(uint64_t number)
{
	static const char text[] = "  hello from ring 3\n";

	if (system_call(SYSTEM_WRITE, (uint64_t)text, sizeof(text) - 1) != sizeof(text) - 1)
		return 1;
	if (system_call(SYSTEM_NUMBER, 0, 0) != (int64_t)number)
		return 2;
	if (system_call(SYSTEM_YIELD, 0, 0))
		return 3;
	if (system_call(SYSTEM_WRITE, 0xffffffff80100000, 1) >= 0)
		return 4; /* the kernel must not read itself for us */
	return system_call(9999, 0, 0) == -1 ? 0 : 5;
}

static int64_t calls(uint64_t count)
{
	while (count--)
		if (system_call(SYSTEM_NUMBER, 0, 0) <= 0)
			return 1;
	return 0;
}

static int64_t own_page(uint64_t mine)
{
	volatile uint64_t *heap = (uint64_t *)USER_HEAP;

	for (unsigned i = 0; i < 20; i++) {
		*heap = mine + i;
		system_call(SYSTEM_YIELD, 0, 0);
		if (*heap != mine + i)
			return 1;
	}
	return 0;
}

static int64_t touch(uint64_t pages)
{
	volatile uint64_t *heap = (uint64_t *)USER_HEAP;
	const size_t words = PAGE_SIZE / sizeof(*heap);

	for (uint64_t i = 0; i < pages; i++) {
		if (heap[i * words])
			return 1; /* a new page is all zero */
		heap[i * words] = i + 1;
	}
	for (uint64_t i = 0; i < pages; i++)
		if (heap[i * words] != i + 1)
			return 2;
	return 0;
}

static _Noreturn void spin(void)
{
	volatile uint64_t *count = (uint64_t *)USER_HEAP;

	for (;;)
		++*count;
}

static _Noreturn void doze(uint64_t ms)
{
	for (;;)
		system_call(SYSTEM_SLEEP, ms, 0);
}

int64_t user_main(enum program program, uint64_t argument)
{
	switch (program) {
	case PROGRAM_HELLO:
		return hello(argument);
	case PROGRAM_CALLS:
		return calls(argument);
	case PROGRAM_OWN_PAGE:
		return own_page(argument);
	case PROGRAM_TOUCH:
		return touch(argument);
	case PROGRAM_SPIN:
		spin();
	case PROGRAM_DOZE:
		doze(argument);
	case PROGRAM_NAP:
		return system_call(SYSTEM_SLEEP, argument, 0);
	case PROGRAM_OFFEND:
		user_offend(argument);
		return 1; /* it was let */
	}
	return 1;
}
