/* SPDX-License-Identifier: MIT */
/*
 * attack.h - what the attacks share: chance, a pool of pages to do harm with, and calls to the
 * monitor. Tame attacks harm only the pool, so that a guest lives through many of them; wild ones
 * may harm anything of the guest, and end it sooner or later.
 */
#ifndef DEBIAN_HOSTILE_ATTACK_H
#define DEBIAN_HOSTILE_ATTACK_H

#include <linux/types.h>

#define TABLES	  16 /* pages that serve as page tables; the first as root */
#define PAGES	  48 /* all that entries lead to: tables, then data */
#define POOL	  56 /* with pages for calls' arguments, which no entry leads to */
#define WINDOW	  0x0000200000000000ul /* PML4 slot 64: no process has anything there */
#define FIRST_SLOT 64  /* the slots of the root that are ours */
#define SLOTS_END 80
#define POOL_MARK 0x600d /* private data of the pool's pages */
#define PUBLISHED (1ul << 18) /* frames from the end of RAM to what the monitor publishes */

extern u64 pool[POOL]; /* addresses in the kernel's map of all memory */
extern u64 ram_pages; /* frames of its own end there */
extern bool wild;

/* main.c */
u64 chance(void);			/* 64 random bits */
u64 below(u64 limit);			/* 0 to limit - 1 */
u64 number(void);			/* one that is likely to be at an edge */
u64 frame(void);			/* a frame number */
u64 pool_address(void);			/* in the pool but its root; 512 bytes from a page's end */
u64 window_address(void);		/* somewhere in the window */
u64 pointer(void);			/* an argument that is likely to be read or written */
bool try_read(u64 address, u64 *value); /* false: it faulted */
bool try_write(u64 address, u64 value);

/* tables.c: page tables of random entries, changed in every way and used */
void attack_tables(void);
u64 entry(void); /* a random page table entry */

/* calls.c: hypercalls */
long call(u64 nr, u64 a, u64 b, u64 c, u64 d, u64 e);
void attack_calls(void);

/* processor.c: registers, ports, privileged instructions; a page of random bytes, executed */
void attack_processor(void);
void attack_code(void);

#endif
