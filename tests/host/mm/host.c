// SPDX-License-Identifier: MIT
/* host.c - see host.h. */
#include <stdarg.h>
#include <string.h>
#include "lib/log.h"
#include "mm/machine.h"
#include "tests/host/mm/host.h"

void (*host_on_flush)(void);
unsigned host_passed, host_failed;
u64 host_seed = 1;

static char *ram;
static void *table;
static u64 ram_first, ram_count;

void *machine_map(mfn_t mfn)
{
	if (mfn.v < ram_first || mfn.v >= ram_first + ram_count)
		bug_panic("machine_map(%lx): no RAM there", mfn.v);
	return ram + (mfn.v - ram_first) * PAGE_SIZE;
}

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

void log_print(enum log_level level, const char *format, ...)
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

	ram = aligned_alloc(PAGE_SIZE, count * PAGE_SIZE);
	memset(ram, 0xa5, count * PAGE_SIZE);
	ram_first = first;
	ram_count = count;
	table = aligned_alloc(16, frame_table_size(&range, 1));
	frame_init(table, &range, 1);
	frame_add_free(MFN(first + 1), count - 1);
}

void host_machine_end(void)
{
	free(ram);
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
