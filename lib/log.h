/* SPDX-License-Identifier: MIT */
/*
 * log.h - the monitor's log: a ring of text that sinks (serial port, screen) follow. Text that a
 * guest supplied goes through log_quote(), which leaves printable ASCII only, so no guest can forge
 * a line.
 */
#ifndef LIB_LOG_H
#define LIB_LOG_H

#include "lib/compiler.h"
#include "lib/types.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/* A sink gets each line's bytes as they come, newline included. It may be called at any time, also
 * from a panic, so it takes no lock and waits for no other CPU. */
struct log_sink {
	void (*write)(struct log_sink *sink, const char *text, size_t size);
	struct log_sink *next; /* (c) */
};

void log_add_sink(struct log_sink *sink); /* replays what the ring still holds */
void log_set_level(enum log_level level);

/* Print one line: "gnomon: " is put before it and a newline after it. At most 400 bytes. */
void log_print(enum log_level level, const char *format, ...) __printf(2, 3);

#define log_error(...) log_print(LOG_ERROR, __VA_ARGS__)
#define log_warn(...)  log_print(LOG_WARN, __VA_ARGS__)
#define log_info(...)  log_print(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_print(LOG_DEBUG, __VA_ARGS__)

/* Copy text of at most size bytes, others than printable ASCII replaced by '.', terminated; to has
 * room for to_size bytes. Returns to. */
char *log_quote(char *to, size_t to_size, const char *text, size_t size);

#endif
