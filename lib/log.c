// SPDX-License-Identifier: MIT
/*
 * log.c - the ring that keeps the log's last bytes, and the sinks that follow it. Lines of several
 * CPUs are kept apart by a gate that a CPU waits at for a bounded time only: a line may come from a
 * panic or an NMI that interrupted the gate's holder, and a mixed line is better than none.
 */
#include "lib/compiler.h"
#include "lib/log.h"
#include "lib/print.h"
#include "lib/string.h"

#define RING_SIZE  16384u /* a power of two */
#define LINE_MAX   400
#define GATE_TRIES 1000000

static char ring[RING_SIZE];		    /* (gate) */
static size_t ring_end;			    /* (gate) bytes ever written */
static struct log_sink *sinks;		    /* (gate) newest first */
static enum log_level log_level = LOG_INFO; /* (c) after the options are read */
static bool gate;			    /* (a) */

static bool gate_enter(void)
{
	for (int i = 0; i < GATE_TRIES; i++) {
		if (!__atomic_exchange_n(&gate, true, __ATOMIC_ACQUIRE))
			return true;
		__builtin_ia32_pause();
	}
	return false;
}

static void gate_leave(bool entered)
{
	if (entered)
		__atomic_store_n(&gate, false, __ATOMIC_RELEASE);
}

static void ring_write(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		ring[(ring_end + i) % RING_SIZE] = text[i];
	ring_end += size;
}

/* The ring's bytes lie in two pieces once it has wrapped; the oldest line may have lost its head.
 * */
static void ring_replay(struct log_sink *sink)
{
	size_t start = ring_end > RING_SIZE ? ring_end - RING_SIZE : 0;
	size_t first = MIN(ring_end - start, RING_SIZE - start % RING_SIZE);

	sink->write(sink, ring + start % RING_SIZE, first);
	sink->write(sink, ring, ring_end - start - first);
}

__init void log_add_sink(struct log_sink *sink)
{
	bool entered = gate_enter();

	ring_replay(sink);
	sink->next = sinks;
	sinks = sink;
	gate_leave(entered);
}

__init void log_set_level(enum log_level level)
{
	log_level = level;
}

void log_print(enum log_level level, const char *format, ...)
{
	char line[LINE_MAX + 1] = "gnomon: ";
	size_t size = strlen(line);
	va_list args;
	bool entered;

	if (level > log_level)
		return;
	va_start(args, format);
	size += (size_t)print_format_v(line + size, sizeof(line) - size, format, args);
	va_end(args);
	size = MIN(size, (size_t)LINE_MAX - 1);
	line[size++] = '\n';

	entered = gate_enter();
	ring_write(line, size);
	for (struct log_sink *sink = sinks; sink; sink = sink->next)
		sink->write(sink, line, size);
	gate_leave(entered);
}

char *log_quote(char *to, size_t to_size, const char *text, size_t size)
{
	size_t length = MIN(size, to_size - 1);

	for (size_t i = 0; i < length; i++)
		to[i] = text[i] >= ' ' && text[i] <= '~' ? text[i] : '.';
	to[length] = 0;
	return to;
}
