/* SPDX-License-Identifier: MIT */
/*
 * scene.h - one guest of 64 frames with one vCPU and one address space that maps page i < 32 to gfn
 * DATA + i, for the tests that play a scene on it: its tables, the CPU that runs it, and the
 * oracle's view of both.
 */
#ifndef TESTS_HOST_SHADOW_SCENE_H
#define TESTS_HOST_SHADOW_SCENE_H

#include "tests/host/mm/host.h"
#include "tests/host/shadow/hardware.h"
#include "tests/host/shadow/oracle.h"

#define GUEST_FRAMES 64
#define L4	     0 /* gfns of the first address space's tables */
#define L3	     1
#define L2	     2
#define L1	     3
#define DATA	     8
#define SPACES	     0x28ul /* gfns of further tables */

#define ALL_BITS 0x67ul /* P W U A D */
#define NX	 (1ul << 63)

extern struct p2m p2m;
extern struct shadow shadow;
extern struct shadow_vcpu sv;
extern struct oracle_memory memory;
extern struct oracle_cpu cpu;
extern struct hardware hw;
extern u64 free_before; /* the scene: frames */
extern unsigned faults; /* by the last access */

void scene_begin(enum shadow_policy policy, u32 limit);
void scene_end(void); /* audits, and sees that no frame is lost */

u64 *word(u64 gfn, unsigned slot);
u64 entry(u64 gfn, u64 bits);

/* The guest's entry changes, and the policy hears of it as it should. */
void set_entry(u64 table, unsigned slot, u64 entry);
void map_first(void);

/* SHADOW_TRAPPED: the leaf table is loose and written through page 16; page 17 shows it, too. */
void scene_begin_loose(u32 limit);

/* Access until it succeeds (FIXED) or is answered otherwise; KILL: it faults for ever. */
enum shadow_verdict scene_try(gva_t gva, struct shadow_access access, struct shadow_result *r,
			      mfn_t *mfn);
enum shadow_verdict scene_touch(u64 gva, bool write);

/* Does the access, repeated as above, reach this frame? Is it the guest's own fault? */
static const struct shadow_access load, store = {.write = true}, fetch = {.fetch = true},
					user = {.user = true};

bool is_reached(u64 gva, struct shadow_access access, u64 gfn);
bool is_refused(u64 gva, struct shadow_access access);

#endif
