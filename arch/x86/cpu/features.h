/* SPDX-License-Identifier: MIT */
/* features.h - what this CPU is and has, by CPUID; the same for all CPUs of the machine. */
#ifndef CPU_FEATURES_H
#define CPU_FEATURES_H

#include "lib/types.h"

enum cpu_vendor { CPU_INTEL, CPU_AMD, CPU_OTHER }; /* Hygon counts as AMD */

struct cpu_features {
	enum cpu_vendor vendor;
	u32 family, model, stepping;
	u32 physical_bits;
	char name[49]; /* printable, terminated */

	bool smep, smap, umip, pages_1g, mce;
	bool xsave, x2apic;
	bool tsc_invariant, hypervisor;
	bool ibpb, md_clear, srso_no;
	u64 arch_capabilities; /* the MSR, or 0 */
};

extern struct cpu_features cpu_features; /* (c) after features_init() */

/* Read them on the first CPU. Returns NULL, or the name of a feature without which we cannot run.
 * */
const char *features_init(void);
/* Is the CPU that asks one of the same kind as the first? */
bool features_is_same(void);

#endif
