// SPDX-License-Identifier: MIT
/* show-processes.c - processes with their system calls, and the kernel with its own: hypercalls. */
#include <stddef.h>
#include "guest-abi/kit/calls.h"
#include "guest-abi/kit/operations.h"
#include "guests/tour/check.h"
#include "guests/tour/console.h"
#include "guests/tour/process.h"

#define CALLS 1000

static uint64_t count_exits(void)
{
	struct gn_stats stats = {0};

	gn_get_stats((uint64_t)&stats, sizeof(stats));
	return stats.exits;
}

static bool run(const char *name, enum program program, uint64_t argument)
{
	struct process record = process_wait(process_start(name, program, argument));

	return record.vector < 0 && record.status == 0;
}

static uint64_t number_of_next(void)
{
	uint64_t n = 1;

	while (process_number(n) && process_number(n)->state != PROCESS_NONE)
		n++;
	return n;
}

static void system_calls(void)
{
	char how[64];
	uint64_t before, exits;
	bool good;

	check(run("hello", PROGRAM_HELLO, number_of_next()), "a process makes system calls", "");
	before = count_exits();
	good = run("calls", PROGRAM_CALLS, CALLS);
	exits = count_exits() - before;
	format(how, sizeof(how), "%u calls, the monitor was entered %u times", (uint64_t)CALLS,
	       exits);
	check(good && exits < CALLS / 2, "system calls do not enter the monitor", how);
}

static void hypercall_errors(void)
{
	int64_t result = -1000000;

	__asm__ volatile("int %1"
			 : "=a"(result)
			 : "i"(GN_HYPERCALL_VECTOR), "a"(100000)
			 : "memory");
	check(result == -GN_ENOSYS, "a call of no number", "-ENOSYS");
	check(gn_version() == (GN_ABI_MAJOR << 16 | GN_ABI_MINOR), "the ABI's version", "");
	check(gn_start_kernel(0, 0, 0, 0, GN_ABI_NATIVE) == -GN_EPERM,
	      "only a loader may start a kernel", "-EPERM");
	check(gn_console_write(0, 1) == -GN_EFAULT, "a call with an address that is not mapped",
	      "-EFAULT");
	check(gn_console_write(1ul << 63, 1) == -GN_EFAULT, "a call with an address that cannot be",
	      "-EFAULT");
	check(gn_set_kernel_stack(GN_VCPU_PAGE) == -GN_EINVAL, "a kernel stack in the window",
	      "-EINVAL");
	check(gn_port_bind(GN_PORT_COUNT, 40) == -GN_EINVAL, "a port that does not exist",
	      "-EINVAL");
	check(gn_port_bind(GN_PORT_SELF, 31) == -GN_EINVAL, "a port bound to an exception",
	      "-EINVAL");
}

/* Two deferred calls: one that may be, one that may not. */
static void ring(void)
{
	volatile struct gn_vcpu_page *page = gn_vcpu_page();
	uint32_t tail = page->ring_tail;

	page->ring[tail++ % GN_RING_ENTRIES].call = GN_CALL_flush_tlb;
	page->ring[tail++ % GN_RING_ENTRIES].call = GN_CALL_shutdown;
	page->ring_tail = tail;
	check(gn_drain() == 1 && page->ring_head == tail, "of two deferred calls one is refused",
	      "");
}

void show_processes(void)
{
	system_calls();
	hypercall_errors();
	ring();
}
