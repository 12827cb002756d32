// SPDX-License-Identifier: MIT
/*
 * tsc.c - the PIT's second channel counts 10 ms down while the TSC and the APIC timer run. Its gate
 * and output are bits of port 0x61, so nothing interrupts. Whatever else happens can only lengthen
 * a measurement, so the shortest of three counts.
 */
#include "arch/x86/cpu/apic.h"
#include "arch/x86/cpu/insn.h"
#include "arch/x86/cpu/panic.h"
#include "arch/x86/cpu/tsc.h"
#include "lib/compiler.h"

#define PIT_HZ		1193182ul
#define PIT_CHANNEL2	0x42
#define PIT_COMMAND	0x43
#define PIT_ONCE	0xb0  /* channel 2, both bytes, mode 0: output rises at zero */
#define PIT_COUNT	11932 /* 10 ms */
#define CONTROL		0x61
#define CONTROL_GATE	0x01
#define CONTROL_SPEAKER 0x02
#define CONTROL_OUTPUT	0x20
#define POLL_MAX	100000000 /* no PIT: seconds, then refuse */
#define ROUNDS		3
#define KHZ_MIN		1000 /* emulators may count instructions, slowly */

struct tsc_scale tsc_scale;

/* Returns false if the PIT never came to its end. */
static bool measure(u64 *tsc, u32 *apic)
{
	u8 control = inb(CONTROL) & (u8) ~(CONTROL_GATE | CONTROL_SPEAKER);
	u64 start;
	u32 polls;

	outb(CONTROL, control | CONTROL_GATE);
	outb(PIT_COMMAND, PIT_ONCE);
	outb(PIT_CHANNEL2, PIT_COUNT & 0xff);
	apic_timer_run();
	start = rdtsc();
	outb(PIT_CHANNEL2, PIT_COUNT >> 8);
	for (polls = 0; polls < POLL_MAX && !(inb(CONTROL) & CONTROL_OUTPUT); polls++)
		;
	*tsc = rdtsc() - start;
	*apic = apic_timer_elapsed();
	outb(CONTROL, control);
	return polls < POLL_MAX;
}

/* mul < 2^32, as large as may be: bring ns per tick to 1/2 ... 1 by doubling either side. */
static void make_scale(struct tsc_scale *scale)
{
	u64 numerator = 1000000, denominator = scale->khz; /* ns per tick */

	scale->shift = 0;
	for (; numerator >= denominator; scale->shift++)
		denominator *= 2;
	for (; numerator * 2 < denominator; scale->shift--)
		numerator *= 2;
	scale->mul = (u32)((numerator << 32) / denominator);
}

void tsc_init(void)
{
	u64 best_tsc = ~0ul;
	u32 best_apic = 0;

	for (int i = 0; i < ROUNDS; i++) {
		u64 tsc;
		u32 apic;

		if (!measure(&tsc, &apic))
			panic_refuse("no timer: the PIT's channel 2 does not count");
		if (tsc < best_tsc) {
			best_tsc = tsc;
			best_apic = apic;
		}
	}
	tsc_scale.khz = (u32)(best_tsc * PIT_HZ / (PIT_COUNT * 1000ul));
	if (tsc_scale.khz < KHZ_MIN || best_apic == 0)
		panic_refuse("no timer: the TSC or the APIC timer does not count");
	apic_timer_set_khz((u32)MAX(1ul, best_apic * PIT_HZ / (PIT_COUNT * 1000ul)));
	apic_timer_set(0);
	make_scale(&tsc_scale);
	tsc_scale.base = rdtsc();
}

u64 tsc_ns(void)
{
	u64 ticks = rdtsc() - tsc_scale.base;

	ticks = tsc_scale.shift >= 0 ? ticks << tsc_scale.shift : ticks >> -tsc_scale.shift;
	return (u64)((unsigned __int128)ticks * tsc_scale.mul >> 32);
}

void tsc_wait(u64 ns)
{
	u64 start = tsc_ns();

	while (tsc_ns() - start < ns)
		cpu_pause();
}
