/* SPDX-License-Identifier: MIT */
/* private.h - what the library's files share and no test needs. */
#ifndef TESTS_GUEST_LIB_PRIVATE_H
#define TESTS_GUEST_LIB_PRIVATE_H

#include "tests/guest/lib/test.h"
#include <stdarg.h>

static inline void out8(u16 port, u8 value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline u8 in8(u16 port)
{
	u8 value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

/* entry.S */
void enter_state(struct state *s);
void enter_by_iretq(void);
void enter_by_sysretq(void);
void enter_by_sysret_slot(void);
void syscall_entry(void);
extern u64 enter_by;

/* Vector, error code and frame of an exception that nobody expected; ends the test. */
void unexpected(const u64 *frame) __attribute__((noreturn));

void kernel_main(const struct gn_start_info *info) __attribute__((noreturn));
void paging_init(void);
void stage_init(void);
/* The bare machine's COM1: before the first line, and after the last. */
void console_init(void);
void console_drain(void);
void print_v(const char *format, va_list *args);

#endif
