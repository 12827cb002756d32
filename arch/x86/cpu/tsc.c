// SPDX-License-Identifier: MIT
/*
 * tsc.c - the PIT's second channel counts down while the TSC and the APIC timer run; its gate and
 * output are bits of port 0x61, so nothing interrupts. All three are read at two moments. A
 * hypervisor may take the CPU away at any time, so each moment is the quickest of several readings.
 */
#include "arch/x86/cpu/apic.h"
#include "arch/x86/cpu/insn.h"
#include "arch/x86/cpu/panic.h"
#include "arch/x86/cpu/tsc.h"
#include "lib/compiler.h"

#define PIT_HZ		1193182ul
#define PIT_CHANNEL2	0x42
#define PIT_COMMAND	0x43
#define PIT_ONCE	0xb0   /* channel 2, both bytes, mode 0: output rises at zero */
#define PIT_LATCH	0x80   /* keep channel 2's count until it is read */
#define PIT_START	0xffff /* 55 ms */
#define PIT_MEASURED	11932  /* 10 ms at least */
#define CONTROL		0x61
#define CONTROL_GATE	0x01
#define CONTROL_SPEAKER 0x02
#define CONTROL_OUTPUT	0x20
#define READINGS	8
#define ROUNDS		3
#define TRIES		10	/* rounds in all: one that took 55 ms is void */
#define POLL_MAX	1000000 /* no PIT: seconds, then refuse */
#define KHZ_MIN		1000	/* emulators may count instructions, slowly */

struct tsc_scale tsc_scale;

struct moment {
	u64 tsc, took; /* ticks of the TSC between the first and the last of the three */
	u32 apic;
	u16 pit;
};

static __init struct moment read_once(void)
{
	struct moment m = {.tsc = rdtsc()};

	outb(PIT_COMMAND, PIT_LATCH);
	m.apic = apic_timer_elapsed();
	m.took = rdtsc() - m.tsc;
	m.pit = inb(PIT_CHANNEL2);
	m.pit |= (u16)(inb(PIT_CHANNEL2) << 8);
	return m;
}

static __init struct moment read_moment(void)
{
	struct moment best = read_once();

	for (int i = 1; i < READINGS; i++) {
		struct moment m = read_once();

		if (m.took < best.took)
			best = m;
	}
	return best;
}

/* Between two moments; the better, the less took. False: the PIT does not count, or came to its
 * end. */
static __init bool measure(struct moment *between)
{
	u8 control = inb(CONTROL) & (u8) ~(CONTROL_GATE | CONTROL_SPEAKER);
	struct moment start, end;
	u32 polls = 0;

	outb(CONTROL, control | CONTROL_GATE);
	outb(PIT_COMMAND, PIT_ONCE);
	outb(PIT_CHANNEL2, PIT_START & 0xff);
	outb(PIT_CHANNEL2, PIT_START >> 8);
	apic_timer_run();
	/* The count is loaded with the PIT's next clock. */
	while (read_once().pit > PIT_START - 16 && polls < POLL_MAX)
		polls++;
	start = read_moment();
	while (read_once().pit + PIT_MEASURED > start.pit && polls < POLL_MAX)
		polls++;
	end = read_moment();
	*between = (struct moment){
		.tsc = end.tsc - start.tsc,
		.took = start.took + end.took,
		.apic = end.apic - start.apic,
		.pit = start.pit - end.pit,
	};
	polls = inb(CONTROL) & CONTROL_OUTPUT ? POLL_MAX : polls;
	outb(CONTROL, control);
	return polls < POLL_MAX;
}

/* mul < 2^32, as large as may be: bring ns per tick to 1/2 ... 1 by doubling either side. */
static __init void make_scale(struct tsc_scale *scale)
{
	u64 numerator = 1000000, denominator = scale->khz; /* ns per tick */

	scale->shift = 0;
	for (; numerator >= denominator; scale->shift++)
		denominator *= 2;
	for (; numerator * 2 < denominator; scale->shift--)
		numerator *= 2;
	scale->mul = (u32)((numerator << 32) / denominator);
}

static __init u32 khz_of(u64 ticks, const struct moment *m)
{
	return (u32)(ticks * PIT_HZ / (m->pit * 1000ul));
}

__init void tsc_init(void)
{
	struct moment best = {.took = ~0ul}, m;
	int good = 0;

	for (int i = 0; i < TRIES && good < ROUNDS; i++) {
		if (!measure(&m))
			continue;
		good++;
		if (m.took < best.took)
			best = m;
	}
	if (!good)
		panic_refuse("no timer: the PIT's channel 2 does not count");
	tsc_scale.khz = khz_of(best.tsc, &best);
	if (tsc_scale.khz < KHZ_MIN || best.apic == 0)
		panic_refuse("no timer: the TSC or the APIC timer does not count");
	apic_timer_set_khz(MAX(1u, khz_of(best.apic, &best)));
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

__init void tsc_wait(u64 ns)
{
	u64 start = tsc_ns();

	while (tsc_ns() - start < ns)
		cpu_pause();
}
