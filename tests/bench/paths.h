/* SPDX-License-Identifier: MIT */
/* paths.h - what paths.S offers to main.c, and numbers that both use. */
#ifndef TESTS_BENCH_PATHS_H
#define TESTS_BENCH_PATHS_H

#define APIC	      0xfee00000 /* registers of the local APIC: SDM 3A 10.4.1 */
#define ICR_SELF      0x44000	 /* fixed, assert, to oneself */
#define EVENT_VECTOR  0x40
#define GN_RING_BATCH 64
#define COW_PAGES     1000
#define PTE_WRITABLE  2

#ifndef __ASSEMBLER__
#include "tests/guest/lib/test.h"

/* (i) */
u64 nothing(void), null_hypercall(void), null_int(void);
u64 bare_cli_sti(void), gnomon_cli_sti(void), gnomon_inline_cli_sti(void);
u64 bare_invlpg(void), gnomon_invlpg(void), bare_load_cr3(void), gnomon_load_cr3(void);
u64 bare_event(void), gnomon_event(void), bare_ring(void), gnomon_ring(void);
u64 store_entry(void), bare_mark_cow(void), gnomon_mark_cow(void);
extern u64 next_root, invlpg_address, entry_address, entry_value, events;
u64 bare_pte_write(void), gnomon_pte_write(void), bare_pte_swap(void), gnomon_pte_swap(void);
u64 gnomon_drain(void), bare_cow(void), gnomon_cow(void);
extern u64 pte_linear, pte_physical, pte_value;

/* (ii) */
#define USER_PATH(name)                                                                            \
	extern const u8 name##_start[], name##_end[];                                              \
	static const struct snippet name = {name##_start, name##_end}
USER_PATH(user_nothing);
USER_PATH(user_syscall);
USER_PATH(user_touch);
USER_PATH(user_undefined);
USER_PATH(user_arrived);

/* (iii) */
void bare_syscall(void), gnomon_syscall(void), bare_iret(void), gnomon_iret(void);
void undefined_handler(void), page_fault_handler(void);
void bare_demand_handler(void), gnomon_demand_handler(void);
void bare_event_handler(void), gnomon_event_handler(void);
extern u64 demand_entry, demand_value;
#endif

#endif
