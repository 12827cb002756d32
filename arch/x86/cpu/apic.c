// SPDX-License-Identifier: MIT
/*
 * apic.c - SDM 3A chapter 11. Registers are named by their xAPIC offset; as an MSR it is 0x800 +
 * offset / 16.
 */
#include "arch/x86/cpu/apic.h"
#include "arch/x86/cpu/features.h"
#include "arch/x86/cpu/insn.h"
#include "arch/x86/cpu/paging.h"
#include "arch/x86/cpu/panic.h"
#include "lib/compiler.h"

enum {
	REG_ID = 0x20,
	REG_VERSION = 0x30,
	REG_TASK_PRIORITY = 0x80,
	REG_EOI = 0xb0,
	REG_SPURIOUS = 0xf0,
	REG_ERROR = 0x280,
	REG_LVT_CMCI = 0x2f0,
	REG_ICR = 0x300,
	REG_ICR_HIGH = 0x310,
	REG_LVT_TIMER = 0x320,
	REG_LVT_THERMAL = 0x330,
	REG_LVT_PERFORMANCE = 0x340,
	REG_LVT_LINT0 = 0x350,
	REG_LVT_LINT1 = 0x360,
	REG_LVT_ERROR = 0x370,
	REG_TIMER_INITIAL = 0x380,
	REG_TIMER_CURRENT = 0x390,
	REG_TIMER_DIVIDE = 0x3e0,
};

#define BASE_X2APIC	 (1ul << 10)
#define BASE_ENABLE	 (1ul << 11)
#define SPURIOUS_ENABLE	 (1 << 8)
#define LVT_MASKED	 (1 << 16)
#define DIVIDE_BY_1	 0xb
#define ICR_INIT	 0x4500 /* asserted */
#define ICR_STARTUP	 0x4600
#define ICR_FIXED	 0x4000
#define ICR_ALL_BUT_SELF (3 << 18)
#define ICR_PENDING	 (1 << 12)
#define SEND_TRIES	 1000000
#define TIMER_MAX	 0xffffffffu
#define TIMER_NS_MAX	 (60ul * 1000000000)

static volatile u32 *xapic; /* (c) NULL: not mapped, or x2APIC */
static bool x2apic;	    /* (c) */
static bool ready;	    /* (c) after apic_init() */
static u32 timer_khz = 1;   /* (c) after the measurement */

static u32 read(u32 reg)
{
	return x2apic ? (u32)rdmsr(0x800 + reg / 16) : xapic[reg / 4];
}

static void write(u32 reg, u32 value)
{
	if (x2apic)
		wrmsr(0x800 + reg / 16, value);
	else
		xapic[reg / 4] = value;
}

__init void apic_init(void)
{
	u64 base = rdmsr(MSR_APIC_BASE);

	/* Firmware that has switched to x2APIC cannot be brought back without a reset. */
	x2apic = cpu_features.x2apic || (base & BASE_X2APIC);
	if (!x2apic)
		xapic = paging_map_device(base & PTE_FRAME, PAGE_SIZE);
	if (!x2apic && !xapic)
		panic_refuse("the local APIC cannot be mapped");
	ready = true;
}

void apic_init_cpu(void)
{
	static const u32 lvts[] = {REG_LVT_TIMER, REG_LVT_LINT0,       REG_LVT_LINT1,
				   REG_LVT_ERROR, REG_LVT_PERFORMANCE, REG_LVT_THERMAL};
	u32 last;

	/* Through plain enabled: from off straight to x2APIC is a fault (SDM 3A 11.12.5). */
	wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | BASE_ENABLE);
	if (x2apic)
		wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | BASE_ENABLE | BASE_X2APIC);
	write(REG_SPURIOUS, SPURIOUS_ENABLE | VECTOR_SPURIOUS);
	write(REG_TASK_PRIORITY, 0);
	last = read(REG_VERSION) >> 16 & 0xff; /* number of the last LVT entry */
	for (u32 i = 0; i < ARRAY_SIZE(lvts) && i <= last; i++)
		write(lvts[i], LVT_MASKED | VECTOR_SPURIOUS);
	if (last >= 6)
		write(REG_LVT_CMCI, LVT_MASKED | VECTOR_SPURIOUS);
	write(REG_TIMER_DIVIDE, DIVIDE_BY_1);
	write(REG_TIMER_INITIAL, 0);
	write(REG_ERROR, 0);
	/* An interrupt that firmware left in service would block ours of lower priority. */
	for (int i = 0; i < 8; i++)
		apic_end_of_interrupt();
}

__init bool apic_is_x2apic(void)
{
	return x2apic;
}

__init u32 apic_id(void)
{
	return x2apic ? read(REG_ID) : read(REG_ID) >> 24;
}

void apic_end_of_interrupt(void)
{
	write(REG_EOI, 0);
}

static void send(u32 id, u32 command)
{
	if (x2apic) {
		/* Such a WRMSR waits for no earlier store (SDM 3A 11.12.3): the other CPU must
		 * find in memory what it is called for. */
		__asm__ volatile("mfence; lfence" : : : "memory");
		wrmsr(0x800 + REG_ICR / 16, (u64)id << 32 | command);
		return;
	}
	write(REG_ICR_HIGH, id << 24);
	write(REG_ICR, command);
	for (int i = 0; i < SEND_TRIES && (read(REG_ICR) & ICR_PENDING); i++)
		cpu_pause();
}

void apic_send(u32 id, u8 vector)
{
	send(id, ICR_FIXED | vector);
}

__init void apic_send_init(u32 id)
{
	send(id, ICR_INIT);
}

__init void apic_send_startup(u32 id, u8 page)
{
	send(id, ICR_STARTUP | page);
}

/* INIT stops a CPU wherever it is, interrupts masked or not; only a startup would wake it. */
void apic_stop_other_cpus(void)
{
	if (ready)
		send(0, ICR_INIT | ICR_ALL_BUT_SELF);
}

__init void apic_timer_set_khz(u32 khz)
{
	timer_khz = khz;
}

void apic_timer_set(u64 ns)
{
	u64 ticks = MIN(ns, TIMER_NS_MAX) * timer_khz / 1000000; /* fits: 2^36 * 2^24 */

	if (ns == 0) {
		write(REG_LVT_TIMER, LVT_MASKED | VECTOR_TIMER);
		write(REG_TIMER_INITIAL, 0);
		return;
	}
	write(REG_LVT_TIMER, VECTOR_TIMER); /* one-shot */
	write(REG_TIMER_INITIAL, ticks >= TIMER_MAX ? TIMER_MAX : (u32)ticks + 1);
}

__init void apic_timer_run(void)
{
	write(REG_LVT_TIMER, LVT_MASKED | VECTOR_TIMER);
	write(REG_TIMER_INITIAL, TIMER_MAX);
}

__init u32 apic_timer_elapsed(void)
{
	return TIMER_MAX - read(REG_TIMER_CURRENT);
}
