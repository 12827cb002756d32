/* SPDX-License-Identifier: MIT */
/*
 * nmi-storm.h - debug=nmi: the PIT raises an NMI every few thousand instructions, and where in the
 * switcher each one came is noted. The switcher must survive one at any of its instructions.
 */
#ifndef CPU_NMI_STORM_H
#define CPU_NMI_STORM_H

#include "boot/boot-info.h"
#include "lib/types.h"

/* Needs an IO-APIC; without one the log says so. */
void nmi_storm_start(const struct boot_acpi *acpi);
/* From cpu_nmi(), with the address where the NMI came. */
void nmi_storm_note(u64 rip);
/* Stop it, and print how many came and the switcher's offsets that were hit. */
void nmi_storm_end(void);

#endif
