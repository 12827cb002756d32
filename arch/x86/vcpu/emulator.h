/* SPDX-License-Identifier: MIT */
/*
 * emulator.h - within this room: the emulator (arch/x86/emulate) put to a vCPU. emulator.c runs one
 * instruction; operations-*.c are what the emulator asks of the vCPU, by subject.
 */
#ifndef ARCH_X86_VCPU_EMULATOR_H
#define ARCH_X86_VCPU_EMULATOR_H

#include "arch/x86/emulate/emulate.h"
#include "arch/x86/vcpu/vcpu.h"

/* What e->owner points to. */
struct emulator {
	struct vcpu *vcpu;
	const struct vcpu_store *store; /* NULL: nothing is known */
	struct vcpu_copy_result stop; /* why it ended with EMULATE_SHUTDOWN */
};

static inline struct vcpu *emulator_vcpu(struct emulate *e)
{
	return ((struct emulator *)e->owner)->vcpu;
}

/* Of two that want the same place the one that traps more often will have it. */
void emulator_count_trap(struct vcpu *v, u64 rip, u8 action);

/* stores.c. What was just emulated, with RIP as it was then. */
void stores_learn(struct vcpu *v, u64 rip, const struct emulate *e);

/* operations-memory.c */
enum emulate_verdict memory_fetch(struct emulate *e, u64 linear, u8 *to, size_t size);
enum emulate_verdict memory_read(struct emulate *e, u64 linear, void *to, size_t size,
				 enum emulate_access access);
enum emulate_verdict memory_write(struct emulate *e, u64 linear, const void *from, size_t size);
enum emulate_verdict memory_compare_exchange(struct emulate *e, u64 linear, const void *from,
					     const void *to, size_t size);
enum emulate_verdict memory_read_vector(struct emulate *e, unsigned number, u8 to[16]);

/* operations-segment.c */
enum emulate_verdict segment_get(struct emulate *e, enum segment segment,
				 struct emulate_segment *to);
enum emulate_verdict segment_set_stack(struct emulate *e, u16 selector, u64 descriptor);
enum emulate_verdict segment_read_descriptor(struct emulate *e, u16 selector, u64 *descriptor);
enum emulate_verdict segment_transfer(struct emulate *e, const struct emulate_transfer *to);
enum emulate_verdict segment_swapgs(struct emulate *e);
enum emulate_verdict segment_get_table(struct emulate *e, enum emulate_table table,
				       struct emulate_table_register *to);
enum emulate_verdict segment_set_table(struct emulate *e, enum emulate_table table,
				       const struct emulate_table_register *from);
enum emulate_verdict segment_get_selector(struct emulate *e, enum emulate_selector which, u16 *to);
enum emulate_verdict segment_set_selector(struct emulate *e, enum emulate_selector which,
					  u16 selector);

/* operations-control.c */
enum emulate_verdict control_read_cr(struct emulate *e, unsigned number, u64 *value);
enum emulate_verdict control_write_cr(struct emulate *e, unsigned number, u64 value);
enum emulate_verdict control_read_dr(struct emulate *e, unsigned number, u64 *value);
enum emulate_verdict control_write_dr(struct emulate *e, unsigned number, u64 value);
enum emulate_verdict control_set_xcr(struct emulate *e, u32 index, u64 value);
enum emulate_verdict control_invalidate(struct emulate *e, const struct emulate_invalidation *what);

/* operations-msr.c */
enum emulate_verdict msr_read(struct emulate *e, u32 index, u64 *value);
enum emulate_verdict msr_write(struct emulate *e, u32 index, u64 value);

#endif
