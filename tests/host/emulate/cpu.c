// SPDX-License-Identifier: MIT
/* cpu.c - see cpu.h. ptrace() does the work: SETREGS, SINGLESTEP, wait, GETREGS, GETSIGINFO. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>
#include "tests/host/emulate/cpu.h"

#define PAGE	   4096ul
#define USER_CS_64 0x33
#define USER_CS_32 0x23
#define USER_SS	   0x2b

static void fail(const char *what)
{
	fprintf(stderr, "cpu oracle: %s: %s\n", what, strerror(errno));
	exit(2);
}

static void refuse_system_calls(void)
{
	struct sock_filter refuse = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS);
	struct sock_fprog program = {.len = 1, .filter = &refuse};

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

/* The child maps the pages where they belong, a page to either side reserved, and stops for
 * ever. */
static void child(int code, int data)
{
	void *no_page = mmap((void *)(CPU_CODE - PAGE), 3 * PAGE, PROT_NONE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	void *no_data = mmap((void *)(CPU_DATA - PAGE), CPU_DATA_SIZE + 2 * PAGE, PROT_NONE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	if (no_page == MAP_FAILED || no_data == MAP_FAILED ||
	    mprotect((void *)(CPU_CODE + PAGE), PAGE, PROT_READ | PROT_WRITE) ||
	    mmap((void *)CPU_CODE, PAGE, PROT_READ | PROT_EXEC, MAP_SHARED | MAP_FIXED, code, 0) ==
		MAP_FAILED ||
	    mmap((void *)CPU_DATA, CPU_DATA_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
		 data, 0) == MAP_FAILED)
		_exit(1);
	ptrace(PTRACE_TRACEME, 0, 0, 0);
	raise(SIGSTOP);
	refuse_system_calls();
	__asm__ volatile("int3");
	_exit(1);
}

static u8 *share(int *fd, size_t size)
{
	void *p;

	*fd = memfd_create("oracle", MFD_CLOEXEC);
	if (*fd < 0 || ftruncate(*fd, size))
		fail("memfd_create");
	p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
	if (p == MAP_FAILED)
		fail("mmap");
	return p;
}

/* Parent and child take turns, so they are fastest on one processor. */
static void stay_on_one_processor(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(sched_getcpu(), &set);
	sched_setaffinity(0, sizeof(set), &set);
}

void cpu_stop(struct cpu *c)
{
	kill(c->pid, SIGKILL);
	waitpid(c->pid, NULL, 0);
	munmap(c->code, PAGE);
	munmap(c->data, CPU_DATA_SIZE);
}

/* The general registers in the order of their numbers. */
#define EACH_REGISTER(X)                                                                           \
	X(0, rax)                                                                                  \
	X(1, rcx) X(2, rdx) X(3, rbx) X(4, rsp) X(5, rbp) X(6, rsi) X(7, rdi) X(8, r8) X(9, r9)    \
	    X(10, r10) X(11, r11) X(12, r12) X(13, r13) X(14, r14) X(15, r15)

static void set_registers(struct cpu *c, const struct cpu_state *s)
{
	struct user_regs_struct u;
	struct user_fpregs_struct f;

	memset(&u, 0, sizeof(u));
#define SET(number, name) u.name = s->gpr[number];
	EACH_REGISTER(SET)
#undef SET
	u.rip = s->rip;
	u.eflags = s->rflags;
	u.cs = s->is_32 ? USER_CS_32 : USER_CS_64;
	u.ss = USER_SS;
	u.ds = u.es = s->is_32 ? USER_SS : 0;
	u.orig_rax = (unsigned long)-1;
	if (ptrace(PTRACE_SETREGS, c->pid, 0, &u))
		fail("PTRACE_SETREGS");
	if (!s->with_vectors)
		return;
	if (ptrace(PTRACE_GETFPREGS, c->pid, 0, &f))
		fail("PTRACE_GETFPREGS");
	memcpy(f.xmm_space, s->xmm, sizeof(s->xmm));
	if (ptrace(PTRACE_SETFPREGS, c->pid, 0, &f))
		fail("PTRACE_SETFPREGS");
}

void cpu_step(struct cpu *c, struct cpu_state *s, struct cpu_result *r)
{
	struct user_regs_struct u;
	siginfo_t info;
	int status;

	set_registers(c, s);
	if (ptrace(PTRACE_SINGLESTEP, c->pid, 0, 0) || waitpid(c->pid, &status, 0) < 0)
		fail("PTRACE_SINGLESTEP");
	if (!WIFSTOPPED(status))
		fail("the child has died");
	if (ptrace(PTRACE_GETREGS, c->pid, 0, &u) || ptrace(PTRACE_GETSIGINFO, c->pid, 0, &info))
		fail("PTRACE_GETREGS");
#define GET(number, name) s->gpr[number] = u.name;
	EACH_REGISTER(GET)
#undef GET
	s->rip = u.rip;
	s->rflags = u.eflags;
	*r = (struct cpu_result){.signal = WSTOPSIG(status),
				 .code = info.si_code,
				 .cs = u.cs,
				 .ss = u.ss,
				 .ds = u.ds,
				 .es = u.es,
				 .fs = u.fs,
				 .gs = u.gs};
	if (r->signal == SIGSEGV && info.si_code > 0 && info.si_code != SI_KERNEL)
		r->address = (u64)info.si_addr;
}

/* Does one byte of code do something, begun like this? */
static bool executes(struct cpu *c, u8 code, struct cpu_state s)
{
	struct cpu_result r;

	c->code[0] = code;
	s.rip = CPU_CODE;
	cpu_step(c, &s, &r);
	return r.signal == SIGTRAP && s.rip == CPU_CODE + 1;
}

static void probe(struct cpu *c)
{
	/* INC EAX, which would be a REX prefix in 64-bit code; and a NOP. */
	c->has_32 = executes(c, 0x40, (struct cpu_state){.is_32 = true});
	c->any_stack = executes(c, 0x90, (struct cpu_state){.gpr = {[4] = 1ul << 63}});
	if (!c->has_32)
		printf("cpu oracle: this machine executes no 32-bit code\n");
	if (!c->any_stack)
		printf("cpu oracle: this machine wants RSP canonical\n");
}

void cpu_start(struct cpu *c)
{
	int code, data, status;

	stay_on_one_processor();
	c->code = share(&code, PAGE);
	c->data = share(&data, CPU_DATA_SIZE);
	c->pid = fork();
	if (c->pid < 0)
		fail("fork");
	if (!c->pid)
		child(code, data);
	close(code);
	close(data);
	if (waitpid(c->pid, &status, 0) < 0 || !WIFSTOPPED(status))
		fail("the child did not start");
	ptrace(PTRACE_SETOPTIONS, c->pid, 0, PTRACE_O_EXITKILL);
	if (ptrace(PTRACE_CONT, c->pid, 0, 0) || waitpid(c->pid, &status, 0) < 0 ||
	    !WIFSTOPPED(status) || WSTOPSIG(status) != SIGTRAP)
		fail("the child did not come to rest");
	probe(c);
}

bool cpu_wants_more(struct cpu *c, const u8 *bytes, size_t count, bool is_32)
{
	struct cpu_state s = {.is_32 = is_32};
	struct cpu_result r;

	for (unsigned i = 0; i < 16; i++)
		s.gpr[i] = CPU_DATA + 0x800;
	memcpy(c->code + PAGE - count, bytes, count);
	s.rip = CPU_CODE + PAGE - count;
	cpu_step(c, &s, &r);
	return r.signal == SIGSEGV && r.address == CPU_CODE + PAGE &&
	       s.rip == CPU_CODE + PAGE - count;
}
