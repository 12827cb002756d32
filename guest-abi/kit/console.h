/* SPDX-License-Identifier: MIT */
/*
 * console.h - lines of text out: to COM1 on the bare machine, by hypercall on Gnomon; and the end
 * of a kernel that cannot go on.
 */
#ifndef GUEST_ABI_KIT_CONSOLE_H
#define GUEST_ABI_KIT_CONSOLE_H

#include <stdbool.h>

void gn_console_init(bool on_gnomon);

/* Conversions: %d %u %x, with l for long and with a width (%08lx), %s %c %%. 256 bytes at most. */
void gn_print(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Say why and stop: the guest has crashed, the bare machine stands still. */
void gn_panic(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/* The work is done: Gnomon ends the guest, the bare machine stands still. */
void gn_power_off(void) __attribute__((noreturn));

/* A line "site NUMBER ADDRESS NAME: BYTES" for each of the kernel's sites, as it is now. */
void gn_print_sites(void);

#endif
