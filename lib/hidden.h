/* SPDX-License-Identifier: MIT */
/*
 * hidden.h - included before every file of the monitor and of the guests: no symbol, declared or
 * defined, is visible to another image, so that the compiler reaches all of them relative to RIP
 * and not through a table.
 */
#pragma GCC visibility push(hidden)
