/* SPDX-License-Identifier: MIT */
/*
 * ioapic.h - the interrupt controllers of devices. All inputs are masked, as no device interrupts
 * us so far; only a test (nmi-storm.h) asks for one.
 */
#ifndef CPU_IOAPIC_H
#define CPU_IOAPIC_H

#include "boot/boot-info.h"

void ioapic_init(const struct boot_acpi *acpi); /* finds and masks all */
void ioapic_mask_irqs(void);			/* masks all again */

/* Let this interrupt of the ISA bus reach the CPU as an NMI. False: no IO-APIC has it. */
bool ioapic_route_nmi(const struct boot_acpi *acpi, u8 irq, u32 apic_id);

#endif
