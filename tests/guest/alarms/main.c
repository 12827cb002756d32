// SPDX-License-Identifier: MIT
/*
 * alarms - time as a guest is told it: the timer once and periodically, cancelled, refused; the
 * frequency of the TSC, the wall clock, and the time that other guests took.
 *
 * The bystander spins beside it, so about half of the time is stolen while this test is awake, and
 * next to none while it sleeps. Bounds are wide where the emulator's own speed counts; order and
 * what must never happen are exact.
 */
#include "guest-abi/kit/clock.h"
#include "tests/guest/lib/test.h"

const char test_name[] = "alarms";

#define EVENT	  0x40
#define MS	  1000000ul
#define PERIOD	  (20 * MS)
#define BEATS	  10
#define YEAR_2020 1577836800ul
#define EINVAL	  (-22)

static volatile u64 beats __attribute__((used));

/* Counts, and forgets the event: port_poll(GN_PORT_TIMER) by INT keeps all but RAX and RDI. */
void count_beat(void);
__asm__(".text\n"
	"count_beat: incq beats(%rip)\n"
	"push %rax; push %rdi; mov $16, %eax; xor %edi, %edi; int $0x82; pop %rdi; pop %rax\n"
	"iretq");

static void wait_until(u64 ns)
{
	while (gn_clock_ns() < ns)
		__asm__ volatile("pause");
}

static u64 stolen(void)
{
	struct gn_stats stats = {0};
	s64 size = CALL(get_stats, &stats, sizeof(stats));

	check(size == sizeof(stats), "get_stats: %ld", size);
	return stats.stolen_ns;
}

static void once(void)
{
	u64 due = gn_clock_ns() + 5 * MS;

	beats = 0;
	CALL(timer_set, due);
	while (!beats && gn_clock_ns() < due + 1000 * MS)
		;
	check(beats == 1 && gn_clock_ns() >= due, "one shot: %lu events, %ld ns late", beats,
	      (s64)(gn_clock_ns() - due));
	wait_until(gn_clock_ns() + 30 * MS);
	check(beats == 1, "one shot came %lu times", beats);

	/* The call itself may take a turn of the bystander. */
	CALL(timer_set, gn_clock_ns() + 150 * MS);
	CALL(timer_set, 0);
	wait_until(gn_clock_ns() + 200 * MS);
	check(beats == 1, "a cancelled alarm came");
}

/* Each event belongs to a beat of its own, and from the first on the beat is kept: how late each
 * comes does not add up. */
static void periodic(void)
{
	u64 first = gn_clock_ns() + PERIOD, end = first + BEATS * PERIOD + PERIOD / 2, seen, due;

	beats = 0;
	check(!CALL(timer_periodic, first, PERIOD), "timer_periodic is refused");
	for (seen = 0; gn_clock_ns() < end;) {
		u64 now = beats;

		check(!now || gn_clock_ns() >= first + (now - 1) * PERIOD, "beat %lu is early",
		      now);
		check(now - seen < 2, "%lu beats at once", now - seen);
		seen = now;
	}
	seen = beats;
	due = (gn_clock_ns() - first) / PERIOD + 1; /* more, if the machine stood still */
	check(seen > BEATS / 2 && seen <= due, "%lu events in %lu beats", seen, due);

	__asm__ volatile("cli");
	wait_until(gn_clock_ns() + 4 * PERIOD);
	seen = beats;
	CALL(timer_set, 0);
	__asm__ volatile("sti; nop");
	check(beats == seen + 1, "%lu events of beats that passed with vif 0", beats - seen);
	seen = beats;
	wait_until(gn_clock_ns() + 3 * PERIOD);
	check(beats == seen, "%lu beats after the end", beats - seen);

	CALL(timer_periodic, gn_clock_ns() + PERIOD, PERIOD);
	CALL(timer_set, gn_clock_ns() + PERIOD);
	wait_until(gn_clock_ns() + 4 * PERIOD);
	check(beats == seen + 1, "%lu events: timer_set keeps a period", beats - seen);
}

static void refused(void)
{
	static const u64 bad[] = {0, 1, GN_TIMER_PERIOD - 1, (1ul << 62) + 1, ~0ul};
	u64 seen = beats;

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		check(CALL(timer_periodic, 1, bad[i]) == EINVAL, "a period of %lx ns", bad[i]);
	wait_until(gn_clock_ns() + 20 * MS);
	check(beats == seen, "a refused period beats");
	/* Due at once, and then in 146 years; never. */
	CALL(timer_periodic, 0, 1ul << 62);
	wait_until(gn_clock_ns() + 50 * MS);
	check(beats == seen + 1, "a period of 2^62 ns: %lu events", beats - seen);
	CALL(timer_periodic, ~0ul, 1ul << 62);
	wait_until(gn_clock_ns() + 20 * MS);
	check(beats == seen + 1, "a deadline at the end of time has come");
	CALL(timer_set, 0);
}

static void clocks(void)
{
	u64 ns = gn_clock_ns(), ticks = __builtin_ia32_rdtsc(), khz = VCPU_PAGE->clock.tsc_khz;
	u64 wall = gn_clock_wall_seconds();

	wait_until(ns + 200 * MS);
	ns = gn_clock_ns() - ns;
	ticks = __builtin_ia32_rdtsc() - ticks;
	check(ticks / (ns / MS) > khz - khz / 50 && ticks / (ns / MS) < khz + khz / 50,
	      "%lu ticks in %lu ns, and tsc_khz is %lu", ticks, ns, khz);
	check(wall > YEAR_2020, "it is second %lu", wall);
	check(gn_clock_wall_seconds() - wall <= ns / (1000 * MS) + 1, "the wall clock jumps");
}

static void stolen_time(void)
{
	u64 start = gn_clock_ns(), before = stolen(), awake, asleep;

	wait_until(start + 300 * MS);
	awake = stolen() - before;
	check(awake > 60 * MS && awake <= gn_clock_ns() - start, "awake: %lu us of 300000 stolen",
	      awake / 1000);

	before = stolen();
	__asm__ volatile("cli");
	CALL(timer_set, gn_clock_ns() + 300 * MS);
	CALL(halt);
	asleep = stolen() - before;
	check(asleep < 100 * MS, "asleep: %lu us of 300000 stolen", asleep / 1000);
}

void test_main(void)
{
	gate_set_handler(EVENT, (u64)count_beat, 0, 0);
	CALL(port_bind, GN_PORT_TIMER, EVENT);
	__asm__ volatile("sti");
	once();
	periodic();
	refused();
	clocks();
	stolen_time();
	__asm__ volatile("cli");
}
