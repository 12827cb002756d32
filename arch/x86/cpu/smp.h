/* SPDX-License-Identifier: MIT */
/* smp.h - starts the machine's other CPUs. Each gets its struct cpu, root and stacks, and parks. */
#ifndef CPU_SMP_H
#define CPU_SMP_H

#include "boot/boot-info.h"

/* A page of RAM below 1 MiB for their first instructions, or 0. Before that RAM is used otherwise.
 * */
u64 smp_find_page(const struct boot_info *info);
/* On the first CPU, when its APIC and the TSC work. */
void smp_start(const struct boot_acpi *acpi, u64 page);

#endif
