/* SPDX-License-Identifier: MIT */
/* scenes.h - numbers and names that main.c and scenes.S share. C11 and assembler. */
#ifndef TESTS_GUEST_BOUNDARIES_SCENES_H
#define TESTS_GUEST_BOUNDARIES_SCENES_H

#define TIMER_VECTOR 0x40
#define SELF_VECTOR  0x41
#define NMI_VECTOR   2 /* the timer's instead */
#define NEST_VECTOR  0x50 /* INT: a scene within a handler */

#define STACK_SIZE 8192
/* Where ring 3 enters the kernel, below the end of the scenes' stack. */
#define FROM_USER 1024

/* Where the user finds the count of timer events, and its three programs. */
#define USER_COUNTS    0x0000000050020000
#define USER_CALL      0x0000000050000000
#define USER_EXCEPTION 0x0000000050000040
#define USER_WAIT      0x0000000050000080
#define USER_RSP       0x000000005000ffc0

/* struct ways, by word. */
#define WAY_CLI	   0
#define WAY_STI	   8
#define WAY_IRET   16
#define WAY_SYSRET 24
#define WAY_HALT   32
#define WAY_REFUSED 40
#define WAY_FAULT  48

#define IRETQ_SIZE 2

#ifndef __ASSEMBLER__
#include "tests/guest/lib/test.h"

/* Code that does what one of the sensitive instructions does, in one of the ways to write it. */
struct ways {
	u64 cli, sti, iret, sysret, halt;
	u64 refused, fault; /* an iret that faults, and where that is reported */
};

extern struct ways way;
extern const u8 raw_cli[], raw_sti[], raw_iret[], raw_sysret[], raw_halt[];
extern const u8 raw_sti_iret[], raw_sti_sysret[];
extern const u8 site_iret[], site_refused[], site_refused_end[];

/* Run it on the scenes' stack, perhaps within a handler, then let events come. What it answers, and
 * more if a register has not been kept: 0 is right. */
u64 scene_run(u64 (*scene)(void), bool nested, bool vif);

u64 scene_flags(void), scene_iret_on(void), scene_iret_off(void), scene_iret_user(void);
u64 scene_iret_user_wait(void), scene_sysret(void), scene_sysret_wait(void);
u64 scene_user_exception(void), scene_invalid(void), scene_page_fault(void), scene_halt(void);
u64 scene_call(void), scene_raise(void), scene_no_stack(void), scene_refused(void);
u64 scene_defer(void), scene_swap(void), scene_set_vif(void), scene_set_flags(void);
u64 scene_iret_refused(void), scene_iret_refused_at_site(void), scene_sysret_refused(void);
u64 scene_store_tables(void), scene_invalid_wait(void);
u64 scene_invalid_pending(void), scene_page_fault_pending(void);

void timer_handler(void), nmi_handler(void), self_handler(void), nest_handler(void);
void invalid_handler(void), waiting_handler(void);
void fault_handler(void), leave_handler(void), refusal_handler(void), scene_syscall_entry(void);
void defer_in_handler(void), swap_in_handler(void), no_entry_handler(void);
void return_fault_handler(void);

extern volatile u64 timer_events, self_events, exceptions;
extern u64 deepest;    /* bytes of the scenes' stack below the scene's own RSP, at most */
extern u64 event_rip;  /* where the last timer event came */
extern u64 wait_limit; /* TSC: the user gives up */
extern void (*handler_call)(void); /* what events' handlers do, or NULL */
extern u64
    *swapped; /* page-table entries of nothing: the scene's, and from the third the handlers' */
extern u8 scene_stack[STACK_SIZE];
#endif

#endif
