// SPDX-License-Identifier: MIT
/*
 * nmi-storm.c - see nmi-storm.h. PIT channel 0 counts down again and again (mode 2), its IO-APIC
 * input has the delivery mode NMI. Each NMI sets another count for the next but one, by chance: at
 * a steady pace NMIs and what a guest repeats would fall into step, and some instructions never
 * meet one.
 */
#include "arch/x86/cpu/apic.h"
#include "arch/x86/cpu/insn.h"
#include "arch/x86/cpu/ioapic.h"
#include "arch/x86/cpu/nmi-storm.h"
#include "arch/x86/cpu/tsc.h"
#include "arch/x86/switcher/area.h"
#include "lib/compiler.h"
#include "lib/log.h"
#include "lib/print.h"

#define PIT_IRQ	     0
#define PIT_CHANNEL0 0x40
#define PIT_COMMAND  0x43
#define PIT_RATE     0x34 /* channel 0, both bytes, mode 2 */
#define PIT_HZ	     1193182ul
#define PERIOD	     2500 /* ticks of the TSC: a few thousand instructions */
#define TEXT_MAX     0x4000
#define A_LINE	     12

/* Written by NMIs on the CPU that the PIT is sent to, read when they are off. */
static u64 came, in_switcher;
static u8 hit[TEXT_MAX / 8];
static u32 chance;   /* the next of a pseudo-random row */
static u64 shortest; /* (c) after nmi_storm_start(): the least count */
static bool running; /* likewise */

static void set_count(u64 count)
{
	outb(PIT_CHANNEL0, count & 0xff);
	outb(PIT_CHANNEL0, count >> 8);
}

void nmi_storm_start(const struct boot_acpi *acpi)
{
	u64 count = PERIOD * PIT_HZ / (tsc_scale.khz * 1000ul) + 1;

	shortest = MIN(MAX(count, 2ul), 0x7ffful); /* mode 2 does not count 1 */
	if (!ioapic_route_nmi(acpi, PIT_IRQ, apic_id())) {
		log_warn("no NMIs: the machine names no IO-APIC for the PIT");
		return;
	}
	running = true;
	outb(PIT_COMMAND, PIT_RATE);
	set_count(shortest);
}

void nmi_storm_note(u64 rip)
{
	u64 offset = rip - (u64)switcher_text;

	if (!running)
		return;
	came++;
	chance = chance * 1103515245 + 12345;
	set_count(shortest + (chance >> 16) % shortest);
	if (rip < (u64)switcher_text || rip >= (u64)switcher_text_end || offset >= TEXT_MAX)
		return;
	in_switcher++;
	hit[offset / 8] |= (u8)(1 << offset % 8);
}

void nmi_storm_end(void)
{
	char line[A_LINE * 8 + 1];
	int length = 0, count = 0;

	if (!running)
		return;
	ioapic_mask_irqs();
	running = false;
	log_info("nmi: %lu came, %lu in the switcher, at these offsets:", came, in_switcher);
	for (u32 offset = 0; offset < TEXT_MAX; offset++) {
		if (!(hit[offset / 8] >> offset % 8 & 1))
			continue;
		length += print_format(line + length, sizeof(line) - (size_t)length, " %x", offset);
		if (++count % A_LINE == 0) {
			log_info("nmi:%s", line);
			length = 0;
		}
	}
	if (length)
		log_info("nmi:%s", line);
}
