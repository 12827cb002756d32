/* SPDX-License-Identifier: MIT */
/*
 * cpu.h - struct cpu: what belongs to one processor. Its address is unique in the machine and goes
 * from function to function as an argument; only the switcher's constants page points back to it.
 */
#ifndef CPU_CPU_H
#define CPU_CPU_H

#include "arch/x86/cpu/desc.h"
#include "arch/x86/cpu/paging.h"
#include "arch/x86/cpu/recorder.h"
#include "boot/boot-info.h"
#include "lib/compiler.h"

struct vcpu;

enum cpu_mode { CPU_IN_MONITOR, CPU_IN_GUEST };

struct cpu {
	u32 number;		   /* (c) 0 is the one that booted, and that runs guests */
	u32 apic_id;		   /* (c) */
	struct paging_root paging; /* (c) */
	u64 stack_top; /* (c) 16 KiB below it, then a guard page; likewise the NMI's, 4 KiB */
	u64 nmi_stack_top;
	struct cpu_area area; /* (c) the pages of its switcher that the monitor writes */
	struct vcpu *vcpu;    /* whose registers the area and the FPU hold, or NULL; its own */
	u64 nmis;	      /* how many came; its own */
	struct recorder recorder;
	u32 online;	      /* (a) set by the CPU itself */
	u32 mode;	      /* (a) enum cpu_mode, written by the CPU itself */
	u64 flush_seen; /* (a) machine.c's generation when it last went to a guest; likewise */
};

/* Memory, stacks and page tables for one more CPU, with the next number. Boot only. NULL: there are
 * BOOT_CPU_MAX. */
struct cpu *cpu_create(u32 apic_id);

extern struct cpu *cpu_table[BOOT_CPU_MAX]; /* by number: boot writes, (c) then */
extern u32 cpu_table_count;		    /* likewise */

static inline u32 cpu_count(void)
{
	return cpu_table_count;
}

static inline struct cpu *cpu_get(u32 number)
{
	return cpu_table[number];
}

/* Is this address in the per-CPU GiB outside every stack, where nothing may be mapped? */
bool cpu_is_guard_page(u64 address);

/* The control registers and EFER as the monitor wants them, from whatever they were. */
void cpu_set_controls(void);

/* Leave the boot's tables and stack for the CPU's own, and call function(cpu) there. */
__noreturn void cpu_continue(struct cpu *cpu, void (*function)(struct cpu *cpu));

/* Idle for good: the other CPUs, until guests run on them. */
__noreturn void cpu_park(struct cpu *cpu);

#endif
