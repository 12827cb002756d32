// SPDX-License-Identifier: MIT
/*
 * main.c - the tour: a small kernel for Gnomon, to be read from here. It has what every kernel has
 * (its own page tables, an IDT, processes in ring 3, a timer that preempts them, memory on demand)
 * and shows by it what the native ABI asks of a kernel and what it gives.
 *
 * It began at start.S. Read on in space.c (page tables), trap.c and entry.S (exceptions, events,
 * system calls), process.c; then the show- files, which use it all.
 */
#include <stdbool.h>
#include "guest-abi/kit/calls.h"
#include "guests/tour/console.h"
#include "guests/tour/memory.h"
#include "guests/tour/process.h"
#include "guests/tour/prompt.h"
#include "guests/tour/space.h"
#include "guests/tour/timer.h"

#define DOZE_MS 1000

void tour_main(const struct gn_start_info *info);

/* Is the word one of the command line's? */
static bool asked_for(const char *line, const char *word)
{
	while (*line) {
		size_t i = 0;

		while (*line == ' ')
			line++;
		while (word[i] && line[i] == word[i])
			i++;
		if (!word[i] && (!line[i] || line[i] == ' '))
			return true;
		while (*line && *line != ' ')
			line++;
	}
	return false;
}

void tour_main(const struct gn_start_info *info)
{
	uint64_t free = info->free_start;

	if (info->magic != GN_START_MAGIC)
		shut_down(GN_SHUTDOWN_CRASH, "the tour was started without struct gn_start_info");
	print("tour: %u MiB of memory, command line '%s'\n", info->memory_size >> 20,
	      (const char *)info->command_line);

	/* From here on physical addresses are reached at DIRECT_MAP, and info is one. */
	space_init(info, &free);
	info = memory_at((uint64_t)info);
	memory_init(free, info->free_end);
	process_init();

	trap_load_tables();
	timer_init();
	gn_port_bind(GN_PORT_CONSOLE, VECTOR_CONSOLE);
	process_start("doze", PROGRAM_DOZE, DOZE_MS);

	print("tour: ready\n");
	if (asked_for(memory_at(info->command_line), "auto"))
		prompt_run_all();
	prompt_run();
}
