/* SPDX-License-Identifier: MIT */
/*
 * nmi-storm.h - debug=nmi: the PIT raises an NMI every few thousand instructions, and where in the
 * switcher each one came is noted. The switcher must survive one at any of its instructions.
 * debug=events: where in the code area the timer's interrupts came is noted.
 */
#ifndef CPU_NMI_STORM_H
#define CPU_NMI_STORM_H

#include "boot/boot-info.h"
#include "lib/types.h"

/* Needs an IO-APIC; without one the log says so. */
void nmi_storm_start(const struct boot_acpi *acpi);
/* From cpu_nmi(), with the address where the NMI came. */
void nmi_storm_note(u64 rip);
/* From now on nmi_storm_note_event() notes where a guest was when the timer's interrupt came. */
void nmi_storm_note_events(void);
void nmi_storm_note_event(u64 rip);
/* Stop both, and print how many came and the offsets that were hit. */
void nmi_storm_end(void);

#endif
