// SPDX-License-Identifier: MIT
/* count.c - see count.h. Up to the first mark the child runs at full speed, to a breakpoint. */
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>
#include "tests/bench/shadow/count.h"

#define RIP offsetof(struct user_regs_struct, rip)

__attribute__((noinline)) void count_mark(void)
{
	__asm__ volatile("");
}

/* Let the child go on, and answer whether it stopped by a trap. */
static int resume(pid_t child, int how)
{
	int status;

	ptrace(how, child, 0, 0);
	waitpid(child, &status, 0);
	return WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP;
}

static int run_to_mark(pid_t child)
{
	long text = ptrace(PTRACE_PEEKTEXT, child, count_mark, 0);

	ptrace(PTRACE_POKETEXT, child, count_mark, (text & ~0xffl) | 0xcc);
	if (!resume(child, PTRACE_CONT))
		return 0;
	ptrace(PTRACE_POKETEXT, child, count_mark, text);
	ptrace(PTRACE_POKEUSER, child, RIP, count_mark);
	return 1;
}

unsigned long count_instructions(void (*run)(void))
{
	unsigned long steps = 0;
	int good, status;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (!child) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		run();
		_exit(0);
	}
	waitpid(child, &status, 0);
	good = run_to_mark(child);
	while (good) {
		good = resume(child, PTRACE_SINGLESTEP);
		if ((void *)ptrace(PTRACE_PEEKUSER, child, RIP, 0) == (void *)count_mark)
			break;
		steps++;
	}
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	return good ? steps : 0;
}
