/* SPDX-License-Identifier: MIT */
/*
 * desc.h - a CPU's switcher area filled and loaded: GDT, IDT, TSS with its interrupt stacks, and
 * the MSRs by which SYSCALL arrives. What is where: arch/x86/switcher/area.h.
 */
#ifndef CPU_DESC_H
#define CPU_DESC_H

#include "arch/x86/cpu/paging.h"
#include "arch/x86/switcher/area.h"
#include "mm/types.h"

struct cpu;

/* The pages of one CPU's area that the monitor writes, through the direct map. */
struct cpu_area {
	struct area_constants *constants;
	struct area_tss *tss;
	u64 *gdt;
	struct area_scratch *scratch;
};

/* Fill the entries of its tables that map it. this_cpu, its root and NMI stack become its
 * constants. */
void desc_make_area(struct cpu_area *area, const struct paging_root *paging, struct cpu *cpu,
		    u64 nmi_stack);

/* On the CPU itself, its root loaded: never again after this. */
void desc_load(const struct cpu_area *area);

/* Load an LDT of so many entries there; 0: none. Whoever loads a segment from it is under a CR3
 * that maps it. */
void desc_load_ldt(const struct cpu_area *area, u64 base, unsigned count);

#endif
