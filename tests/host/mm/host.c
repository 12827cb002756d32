// SPDX-License-Identifier: MIT
/* host.c - see host.h. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include "lib/log.h"
#include "mm/machine.h"
#include "tests/host/mm/host.h"

void (*host_on_flush)(void);
unsigned host_passed, host_failed;
u64 host_seed = 1;

/* Nothing else is near, so that a frame which is no RAM is a crash. */
char *const machine_ram = (char *)0x200000000000;

static void *ram, *table;
static size_t ram_size;

__attribute__((weak)) void machine_flush_guests(void) /* or of the test */
{
	if (host_on_flush)
		host_on_flush();
}

__noreturn void bug_panic(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
	abort();
}

__attribute__((weak)) void log_print(enum log_level level, const char *format, ...) /* likewise */
{
	va_list args;

	(void)level;
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
}

void host_machine_init(u64 first, u64 count)
{
	struct frame_range range = {MFN(first), count};

	ram_size = count * PAGE_SIZE;
	ram = mmap(machine_map(MFN(first)), ram_size, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	if (ram != machine_map(MFN(first)))
		bug_panic("no room for the machine's RAM");
	memset(ram, 0xa5, ram_size);
	table = aligned_alloc(16, frame_table_size(&range, 1));
	frame_init(table, &range, 1);
	frame_add_free(MFN(first + 1), count - 1);
}

void host_machine_end(void)
{
	munmap(ram, ram_size);
	free(table);
}

int host_finish(void)
{
	printf("%u passed, %u failed\n", host_passed, host_failed);
	return host_failed != 0;
}

u64 host_random(void)
{
	host_seed ^= host_seed << 13;
	host_seed ^= host_seed >> 7;
	host_seed ^= host_seed << 17;
	return host_seed;
}
