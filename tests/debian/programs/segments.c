// SPDX-License-Identifier: MIT
/*
 * segments.c - what a kernel must see to when a user's segments are unusual: a local descriptor
 * table that another process does not have, and a return to selectors that cannot be: SIGSEGV.
 */
#define _GNU_SOURCE
#include <asm/ldt.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#define ENTRY	 5
#define SELECTOR (ENTRY << 3 | 7)

static uint32_t *low; /* below 4 GiB, where a descriptor's base can point */
static sigjmp_buf back;

static int set_entry(uint32_t base)
{
	struct user_desc d = {.entry_number = ENTRY,
			      .base_addr = base,
			      .limit = 0xfffff,
			      .seg_32bit = 1,
			      .limit_in_pages = 1,
			      .useable = 1};

	return syscall(SYS_modify_ldt, 1, &d, sizeof(d));
}

static uint32_t read_through(unsigned selector)
{
	uint32_t value;

	__asm__ volatile("mov %%gs, %%ecx\n\tmov %1, %%gs\n\tmov %%gs:0, %0\n\tmov %%ecx, %%gs"
			 : "=&r"(value)
			 : "r"(selector)
			 : "ecx", "memory");
	return value;
}

/* Each of two processes has its own word behind the same selector, also after the other ran. */
static int two_tables(void)
{
	int bad = 0, status;
	pid_t child;

	if (set_entry((uint32_t)(uintptr_t)low))
		return 1;
	child = fork();
	if (!child && set_entry((uint32_t)(uintptr_t)(low + 1)))
		_exit(1);
	for (int i = 0; i < 1000; i++) {
		bad |= read_through(SELECTOR) != (child ? 0x1111u : 0x2222u);
		sched_yield();
	}
	if (!child)
		_exit(bad);
	return waitpid(child, &status, 0) != child || status || bad;
}

static void crash(int number)
{
	(void)number;
	siglongjmp(back, 1);
}

static volatile uint16_t wanted;

static void change_cs(int number, siginfo_t *info, void *context)
{
	greg_t *selectors = &((ucontext_t *)context)->uc_mcontext.gregs[REG_CSGSFS];

	(void)number, (void)info;
	*selectors = (*selectors & ~0xffffll) | wanted;
}

/* Return from a signal to a CS that nobody has. */
static int bad_return(uint16_t cs)
{
	wanted = cs;
	if (sigsetjmp(back, 1))
		return 0;
	raise(SIGUSR1);
	return 1;
}

int main(void)
{
	static char alternate[65536];
	static uint32_t words[2] = {0x1111, 0x2222};
	struct sigaction crashed = {.sa_handler = crash, .sa_flags = SA_ONSTACK | SA_NODEFER};
	struct sigaction changed = {.sa_sigaction = change_cs, .sa_flags = SA_SIGINFO};
	stack_t stack = {.ss_sp = alternate, .ss_size = sizeof(alternate)};
	int bad;

	low = words;
	sigaltstack(&stack, NULL);
	sigaction(SIGSEGV, &crashed, NULL);
	sigaction(SIGUSR1, &changed, NULL);
	bad = two_tables();
	bad |= bad_return(0x53) | bad_return(7 << 3 | 7) | bad_return(0xfff7);
	bad |= read_through(SELECTOR) != 0x1111;
	puts(bad ? "segments: wrong" : "segments: right");
	return bad;
}
