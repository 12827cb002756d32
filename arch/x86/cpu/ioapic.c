// SPDX-License-Identifier: MIT
/* ioapic.c - the IO-APICs that the MADT names (82093AA data sheet), and the two 8259s of old. */
#include "arch/x86/cpu/apic.h"
#include "arch/x86/cpu/insn.h"
#include "arch/x86/cpu/ioapic.h"
#include "arch/x86/cpu/paging.h"
#include "lib/compiler.h"

#define REG_VERSION	1
#define REG_REDIRECTION 0x10 /* two for each input */
#define MASKED		(1u << 16)
#define DELIVER_NMI	(4u << 8) /* edge, to one CPU */

#define PIC1 0x20
#define PIC2 0xa0

static struct ioapic {
	volatile u32 *regs;
	u32 gsi_base, inputs;
} ioapics[BOOT_IOAPIC_MAX]; /* (c) after ioapic_init() */
static u32 ioapic_count;    /* (c) likewise */

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

__init void ioapic_init(const struct boot_acpi *acpi)
{
	mask_pics();
	for (u32 i = 0; i < acpi->ioapic_count; i++) {
		struct ioapic *io = &ioapics[ioapic_count];

		io->regs = paging_map_device(acpi->ioapic[i].maddr, 0x20);
		if (!io->regs)
			continue;
		io->gsi_base = acpi->ioapic[i].gsi_base;
		io->inputs = (read(io->regs, REG_VERSION) >> 16 & 0xff) + 1;
		ioapic_count++;
	}
	ioapic_mask_irqs();
}

void ioapic_mask_irqs(void)
{
	for (u32 i = 0; i < ioapic_count; i++)
		for (u32 input = 0; input < ioapics[i].inputs; input++)
			write(ioapics[i].regs, REG_REDIRECTION + 2 * input, MASKED);
}

/* The ISA bus's interrupts are the first inputs of all, but where the MADT overrides it. */
static u32 gsi_of(const struct boot_acpi *acpi, u8 irq)
{
	for (u32 i = 0; i < acpi->override_count; i++)
		if (acpi->override[i].irq == irq)
			return acpi->override[i].gsi;
	return irq;
}

__init bool ioapic_route_nmi(const struct boot_acpi *acpi, u8 irq, u32 apic_id)
{
	u32 gsi = gsi_of(acpi, irq);

	for (u32 i = 0; i < ioapic_count; i++) {
		const struct ioapic *io = &ioapics[i];
		u32 input = gsi - io->gsi_base;

		if (gsi < io->gsi_base || input >= io->inputs)
			continue;
		write(io->regs, REG_REDIRECTION + 2 * input + 1, apic_id << 24);
		write(io->regs, REG_REDIRECTION + 2 * input, DELIVER_NMI);
		return true;
	}
	return false;
}
