/* SPDX-License-Identifier: MIT */
/*
 * ioapic.h - the interrupt controllers of devices: all masked, as no device interrupts us so far.
 */
#ifndef CPU_IOAPIC_H
#define CPU_IOAPIC_H

#include "boot/boot-info.h"

void ioapic_mask_all(const struct boot_acpi *acpi);

#endif
