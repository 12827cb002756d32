// SPDX-License-Identifier: MIT
/*
 * nmi-storm.c - see nmi-storm.h. PIT channel 0 counts down again and again (mode 2), its IO-APIC
 * input has the delivery mode NMI. Each NMI sets another count for the next but one, by chance: at
 * a steady pace NMIs and what a guest repeats would fall into step, and some instructions never
 * meet one.
 *
 * The same is noted of the timer's interrupts in the code area, which a guest brings about.
 */
#include "arch/x86/cpu/apic.h"
#include "arch/x86/cpu/insn.h"
#include "arch/x86/cpu/ioapic.h"
#include "arch/x86/cpu/nmi-storm.h"
#include "arch/x86/cpu/tsc.h"
#include "arch/x86/switcher/area.h"
#include "guest-abi/layout.h"
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

/* Where interrupts of one kind came within some code. Written by the CPU that has them, on which
 * guests run; read when they are off. */
struct hits {
	const char *what, *where;
	const u8 *start;
	bool noted;
	u64 came, inside;
	u8 hit[TEXT_MAX / 8];
};

static struct hits nmis = {.what = "nmi", .where = "switcher", .start = switcher_text};
static struct hits events = {
    .what = "event", .where = "code area", .start = (const u8 *)GN_CODE_AREA};
static u32 chance;   /* the next of a pseudo-random row */
static u64 shortest; /* (c) after nmi_storm_start(): the least count */

static void set_count(u64 count)
{
	outb(PIT_CHANNEL0, count & 0xff);
	outb(PIT_CHANNEL0, count >> 8);
}

__init void nmi_storm_start(const struct boot_acpi *acpi)
{
	u64 count = PERIOD * PIT_HZ / (tsc_scale.khz * 1000ul) + 1;

	shortest = MIN(MAX(count, 2ul), 0x7ffful); /* mode 2 does not count 1 */
	if (!ioapic_route_nmi(acpi, PIT_IRQ, apic_id())) {
		log_warn("no NMIs: the machine names no IO-APIC for the PIT");
		return;
	}
	nmis.noted = true;
	outb(PIT_COMMAND, PIT_RATE);
	set_count(shortest);
}

static void note(struct hits *h, u64 rip)
{
	u64 offset = rip - (u64)h->start;

	h->came++;
	if (offset >= TEXT_MAX)
		return;
	h->inside++;
	h->hit[offset / 8] |= (u8)(1 << offset % 8);
}

void nmi_storm_note(u64 rip)
{
	if (!nmis.noted)
		return;
	chance = chance * 1103515245 + 12345;
	set_count(shortest + (chance >> 16) % shortest);
	note(&nmis, rip);
}

__init void nmi_storm_note_events(void)
{
	events.noted = true;
}

void nmi_storm_note_event(u64 rip)
{
	if (unlikely(events.noted))
		note(&events, rip);
}

static void print(struct hits *h)
{
	char line[A_LINE * 8 + 1];
	int length = 0, count = 0;

	if (!h->noted)
		return;
	h->noted = false;
	log_info("%s: %lu came, %lu in the %s, at these offsets:", h->what, h->came, h->inside,
		 h->where);
	for (u32 offset = 0; offset < TEXT_MAX; offset++) {
		if (!(h->hit[offset / 8] >> offset % 8 & 1))
			continue;
		length += print_format(line + length, sizeof(line) - (size_t)length, " %x", offset);
		if (++count % A_LINE == 0) {
			log_info("%s:%s", h->what, line);
			length = 0;
		}
	}
	if (length)
		log_info("%s:%s", h->what, line);
}

void nmi_storm_end(void)
{
	if (nmis.noted)
		ioapic_mask_irqs();
	print(&nmis);
	print(&events);
}
