// SPDX-License-Identifier: MIT
/* ioapic.c - the IO-APICs that the MADT names (82093AA data sheet), and the two 8259s of old. */
#include "arch/x86/cpu/apic.h"
#include "arch/x86/cpu/insn.h"
#include "arch/x86/cpu/ioapic.h"
#include "arch/x86/cpu/paging.h"

#define REG_VERSION	1
#define REG_REDIRECTION 0x10 /* two for each input */
#define MASKED		(1u << 16)

#define PIC1 0x20
#define PIC2 0xa0

static u32 read(volatile u32 *ioapic, u32 reg)
{
	ioapic[0] = reg;
	return ioapic[4];
}

static void write(volatile u32 *ioapic, u32 reg, u32 value)
{
	ioapic[0] = reg;
	ioapic[4] = value;
}

/* 8259A data sheet: four initialisation words, then the mask. Moved off the exceptions' vectors, as
 * a masked 8259 can still raise its input 7. */
static void mask_pics(void)
{
	outb(PIC1, 0x11);
	outb(PIC2, 0x11);
	outb(PIC1 + 1, VECTOR_PIC);
	outb(PIC2 + 1, VECTOR_PIC + 8);
	outb(PIC1 + 1, 4);
	outb(PIC2 + 1, 2);
	outb(PIC1 + 1, 1);
	outb(PIC2 + 1, 1);
	outb(PIC1 + 1, 0xff);
	outb(PIC2 + 1, 0xff);
}

void ioapic_mask_all(const struct boot_acpi *acpi)
{
	mask_pics();
	for (u32 i = 0; i < acpi->ioapic_count; i++) {
		volatile u32 *ioapic = paging_map_device(acpi->ioapic[i].maddr, 0x20);
		u32 last;

		if (!ioapic)
			continue;
		last = read(ioapic, REG_VERSION) >> 16 & 0xff;
		for (u32 input = 0; input <= last; input++)
			write(ioapic, REG_REDIRECTION + 2 * input, MASKED);
	}
}
