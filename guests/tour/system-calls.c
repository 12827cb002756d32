// SPDX-License-Identifier: MIT
/*
 * system-calls.c - what a process asks of the kernel. The way here from SYSCALL enters the monitor
 * not at all: its switcher sends the processor straight to system_call_entry (entry.S).
 */
#include "guests/tour/system-calls.h"
#include "guests/tour/console.h"
#include "guests/tour/process.h"

void system_call_handle(struct frame *f);

static int64_t write(uint64_t address, uint64_t size)
{
	char text[128];

	for (uint64_t done = 0; done < size;) {
		uint64_t piece = size - done < sizeof(text) ? size - done : sizeof(text);

		if (!process_read(address + done, text, piece))
			return -1;
		console_write(text, piece);
		done += piece;
	}
	return size;
}

static int64_t handle(const struct frame *f)
{
	switch (f->rax) {
	case SYSTEM_EXIT:
		process_exit(f->rdi);
	case SYSTEM_WRITE:
		return write(f->rdi, f->rsi);
	case SYSTEM_NUMBER:
		return process_number_of(process_current());
	case SYSTEM_YIELD:
		process_yield();
		return 0;
	case SYSTEM_SLEEP:
		process_sleep(f->rdi * 1000000);
		return 0;
	default:
		return -1;
	}
}

/* Called by entry.S, vif 0. */
void system_call_handle(struct frame *f)
{
	f->rax = handle(f);
}
