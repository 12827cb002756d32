// SPDX-License-Identifier: MIT
/*
 * rows.c - the rows: system calls, signals, processes, memory, in this order. An operation does
 * one thing as a C library would do it; what it needs is made before.
 *
 *   (i)   system calls
 *   (ii)  signals and faults that are caught
 *   (iii) processes and threads
 *   (iv)  memory
 */
#define _GNU_SOURCE
#include "tests/bench/debian/ubench.h"
#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#define PAGE	   4096
#define PAGES	   17408 /* of the area that memory's rows work on: 64 runs of 256, warmed up */
#define SHARED	   2048	 /* of it, for copies on write */

static char *area, byte;
static unsigned next_page;
static int file, ping[2], pong[2];
static pid_t partner;

static inline long call0(long number)
{
	__asm__ volatile("syscall" : "+a"(number) : : "rcx", "r11", "memory");
	return number;
}

static void must(bool good, const char *what)
{
	if (!good)
		fail(what);
}

static void nothing(void)
{
}

/* ---- (i) ---- */

static void open_zero(void)
{
	file = open("/dev/zero", O_RDWR);
	must(file >= 0, "/dev/zero");
}

static void close_file(void)
{
	close(file);
}

static void getppid_call(void)
{
	call0(SYS_getppid);
}

static void read_byte(void)
{
	must(read(file, &byte, 1) == 1, "read");
}

static void yield(void)
{
	call0(SYS_sched_yield);
}

static void clock_by_vdso(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
}

static void clock_by_call(void)
{
	struct timespec t;

	syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &t);
}

static void file_life(void)
{
	static char text[PAGE];
	int fd = open("/a-file", O_RDWR | O_CREAT | O_TRUNC, 0600);

	must(write(fd, text, PAGE) == PAGE && pread(fd, text, PAGE, 0) == PAGE, "a file");
	close(fd);
	unlink("/a-file");
}

static void count_to_1000(void)
{
	for (volatile int i = 0; i < 1000; i++)
		;
}

/* ---- (ii) ---- */

static void ignore(int number)
{
	(void)number;
}

/* The faulting instruction has left the address behind it in RCX. */
static void step_over(int number, siginfo_t *info, void *context)
{
	greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;

	(void)number;
	(void)info;
	registers[REG_RIP] = registers[REG_RCX];
}

static void install_handler(void)
{
	signal(SIGUSR1, ignore);
}

static void signal_self(void)
{
	syscall(SYS_tgkill, getpid(), getpid(), SIGUSR1);
}

static void catch_faults(void)
{
	struct sigaction action = {.sa_sigaction = step_over, .sa_flags = SA_SIGINFO};

	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGILL, &action, NULL);
	area = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must(area != MAP_FAILED, "mmap");
}

static void release_faults(void)
{
	munmap(area, PAGE);
	signal(SIGSEGV, SIG_DFL);
	signal(SIGILL, SIG_DFL);
}

static void fault_by_load(void)
{
	__asm__ volatile("lea 1f(%%rip), %%rcx\n mov (%0), %%al\n1:" : : "r"(area)
			 : "rax", "rcx", "memory");
}

static void fault_by_ud2(void)
{
	__asm__ volatile("lea 1f(%%rip), %%rcx\n ud2\n1:" : : : "rcx", "memory");
}

/* ---- (iii) ---- */

static void one_pipe(void)
{
	must(!pipe(ping), "pipe");
}

static void close_pipe(void)
{
	close(ping[0]);
	close(ping[1]);
}

static void write_and_read(void)
{
	must(write(ping[1], &byte, 1) == 1 && read(ping[0], &byte, 1) == 1, "a pipe");
}

static void two_pipes(void)
{
	must(!pipe(ping) && !pipe(pong), "pipes");
	partner = fork();
	must(partner >= 0, "fork");
	if (partner == 0) {
		close(ping[1]);
		while (read(ping[0], &byte, 1) == 1)
			if (write(pong[1], &byte, 1) != 1)
				break;
		_exit(0);
	}
}

static void end_partner(void)
{
	close_pipe();
	close(pong[0]);
	close(pong[1]);
	waitpid(partner, NULL, 0);
}

static void ping_pong(void)
{
	must(write(ping[1], &byte, 1) == 1 && read(pong[0], &byte, 1) == 1, "ping-pong");
}

static void fork_exit(void)
{
	pid_t child = fork();

	if (child == 0)
		_exit(0);
	must(waitpid(child, NULL, 0) == child, "fork");
}

static void fork_exec(void)
{
	static char *const words[] = {"true", NULL}, *const environment[] = {NULL};
	pid_t child = fork();
	int status = 0;

	if (child == 0) {
		execve("/true", words, environment);
		_exit(1);
	}
	must(waitpid(child, &status, 0) == child && !status, "fork and exec");
}

static volatile int turn;
static volatile bool thread_ends;

static void futex(int operation, int value)
{
	syscall(SYS_futex, &turn, operation | FUTEX_PRIVATE_FLAG, value, NULL, NULL, 0);
}

static void give_turn(int to)
{
	__atomic_store_n(&turn, to, __ATOMIC_SEQ_CST);
	futex(FUTEX_WAKE, 1);
}

static void await_turn(int own)
{
	while (__atomic_load_n(&turn, __ATOMIC_SEQ_CST) != own)
		futex(FUTEX_WAIT, !own);
}

static int thread(void *unused)
{
	(void)unused;
	for (;;) {
		await_turn(1);
		call0(SYS_getpid);
		if (thread_ends)
			return 0;
		give_turn(0);
	}
}

static void start_thread(void)
{
	static char stack[64 << 10] __attribute__((aligned(16)));

	must(clone(thread, stack + sizeof(stack), CLONE_VM | CLONE_FS | CLONE_FILES |
		   CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM, NULL) > 0, "clone");
}

static void end_thread(void)
{
	thread_ends = true;
	give_turn(1);
	usleep(1000);
}

static void futex_ping_pong(void)
{
	call0(SYS_getpid);
	give_turn(1);
	await_turn(0);
}

/* ---- (iv) ---- */

static char *map(unsigned pages)
{
	char *at = mmap(NULL, (size_t)pages * PAGE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	must(at != MAP_FAILED, "mmap");
	return at;
}

static void map_area(void)
{
	area = map(PAGES);
	next_page = 0;
}

static void unmap_area(void)
{
	munmap(area, (size_t)PAGES * PAGE);
}

static void touch_next(void)
{
	((volatile char *)area)[(size_t)next_page++ * PAGE] = 1;
}

static void touch_256(void)
{
	for (unsigned i = 0; i < 256; i++)
		touch_next();
}

/* A sleeping child has the other reference to each page. */
static void share_area(void)
{
	map_area();
	for (unsigned i = 0; i < SHARED; i++)
		area[i * PAGE] = 1;
	one_pipe();
	partner = fork();
	if (partner == 0) {
		close(ping[1]);
		_exit(read(ping[0], &byte, 1));
	}
}

static void unshare_area(void)
{
	close_pipe();
	waitpid(partner, NULL, 0);
	unmap_area();
}

static void map_unmap(void)
{
	munmap(map(256), 256 * PAGE);
}

static void map_touch_unmap(void)
{
	char *at = map(256);

	for (unsigned i = 0; i < 256; i++)
		((volatile char *)at)[i * PAGE] = 1;
	munmap(at, 256 * PAGE);
}

static void protect_and_touch(void)
{
	mprotect(area, PAGE, PROT_READ);
	mprotect(area, PAGE, PROT_READ | PROT_WRITE);
	*(volatile char *)area = 2;
}

const struct row rows[] = {
    [ROW_NOTHING] = {"nothing", 2000, 10, nothing, NULL, NULL, 0},
    {"getppid", 2000, 50, getppid_call, NULL, NULL, 0},
    {"read_zero_1", 2000, 50, read_byte, open_zero, close_file, 0},
    {"sig_install", 1000, 20, install_handler, NULL, NULL, 0},
    {"sig_deliver", 1000, 20, signal_self, install_handler, NULL, 0},
    {"pipe_pingpong_rt", 1000, 50, ping_pong, two_pipes, end_partner, 0},
    {"pipe_self_wr_rd", 1000, 50, write_and_read, one_pipe, close_pipe, 0},
    {"fork_exit_wait", 100, 10, fork_exit, NULL, NULL, 0},
    {"fork_exec_wait", 100, 5, fork_exec, NULL, NULL, 0},
    {"mmap_touch256_munmap", 64, 4, map_touch_unmap, NULL, NULL, 0},
    {"anon_fault_per_page", 64, 4, touch_256, map_area, unmap_area, .per = 256},
    {"anon_fault", 2000, 20, touch_next, map_area, unmap_area, 0},
    {"mmap_munmap", 1000, 20, map_unmap, NULL, NULL, 0},
    {"mprotect_toggle_touch", 500, 20, protect_and_touch, map_area, unmap_area, 0},
    {"cow_fault", 1000, 20, touch_next, share_area, unshare_area, 0},
    {"futex_pingpong_rt", 1000, 50, futex_ping_pong, start_thread, end_thread, 0},
    {"sigsegv_caught", 1000, 20, fault_by_load, catch_faults, release_faults, 0},
    {"sigill_caught", 1000, 20, fault_by_ud2, catch_faults, release_faults, 0},
    {"clock_gettime", 2000, 50, clock_by_vdso, NULL, NULL, 0},
    {"clock_gettime_sys", 1000, 50, clock_by_call, NULL, NULL, 0},
    {"sched_yield", 1000, 20, yield, NULL, NULL, 0},
    {"file_create_rw_unlink", 300, 10, file_life, NULL, NULL, 0},
    {"user_loop_1000", 500, 5, count_to_1000, NULL, NULL, 0},
};

const unsigned row_count = sizeof(rows) / sizeof(rows[0]);
