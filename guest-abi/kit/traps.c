// SPDX-License-Identifier: MIT
/*
 * traps.c - see traps.h. Only ticks ask which machine this is: on Gnomon a port raises them, on the
 * bare machine the PIT through the PIC.
 */
#include "guest-abi/kit/traps.h"
#include <stddef.h>
#include "guest-abi/kit/calls.h"
#include "guest-abi/kit/clock.h"
#include "guest-abi/kit/cpu.h"
#include "guest-abi/kit/start.h"

#define VECTORS	     48 /* exceptions, and those of the PIC */
#define GATE	     (0x8eul << 40)
#define TSS_SELECTOR 0x38
#define TSS_TYPE     (0x89ul << 40)
#define MSR_STAR     0xc0000081
#define MSR_LSTAR    0xc0000082
#define MSR_FMASK    0xc0000084
#define FLAGS_OFF    0x57700 /* TF IF DF IOPL NT RF AC */
#define SYSRET_BASE  (GN_USER_CS - 16ul)
#define PIT_HZ	     1193182ul

extern const uint8_t gn_trap_stubs[VECTORS][16];

/* SDM 3A 8.7; the I/O map base lies past the limit: no port for ring 3. */
static struct {
	uint32_t reserved0;
	uint64_t rsp[3], reserved1, ist[7], reserved2;
	uint16_t reserved3, io_map;
} __attribute__((packed)) tss = {.io_map = sizeof(tss)};

/* The selectors are those of guest-abi/layout.h, and then the TSS. */
static uint64_t gdt[] = {
    0,
    0,
    0x00af9b000000ffff,
    0x00cf93000000ffff,
    0x00cffb000000ffff,
    0x00cff3000000ffff,
    0x00affb000000ffff,
    0,
    0,
};
static uint64_t idt[VECTORS][2];
static uint64_t tick; /* ns; 0: the PIT's */

struct table {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed));

void gn_traps_init(void (*system_call)(void))
{
	const struct table gdtr = {sizeof(gdt) - 1, (uint64_t)gdt};
	const struct table idtr = {sizeof(idt) - 1, (uint64_t)idt};
	const uint64_t base = (uint64_t)&tss;

	gdt[7] = (sizeof(tss) - 1) | (base & 0xffffff) << 16 | TSS_TYPE | (base & 0xff000000) << 32;
	gdt[8] = base >> 32;
	for (unsigned v = 0; v < VECTORS; v++) {
		uint64_t stub = (uint64_t)gn_trap_stubs[v];

		idt[v][0] =
		    (stub & 0xffff) | GN_GUEST_KERNEL_CS << 16 | GATE | (stub & 0xffff0000) << 32;
		idt[v][1] = stub >> 32;
	}
	__asm__ volatile("lgdt %0; lidt %1; ltr %w2" : : "m"(gdtr), "m"(idtr), "r"(TSS_SELECTOR));
	gn_cpu_wrmsr(MSR_STAR, SYSRET_BASE << 48 | (uint64_t)GN_GUEST_KERNEL_CS << 32);
	gn_cpu_wrmsr(MSR_LSTAR, (uint64_t)system_call);
	gn_cpu_wrmsr(MSR_FMASK, FLAGS_OFF);
}

void gn_traps_set_stack(uint64_t rsp)
{
	tss.rsp[0] = rsp;
}

static void out(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

/* Both PICs: vectors from 32 on, only IRQ 0; then the PIT's channel 0, over and over. */
static void start_pit(uint64_t count)
{
	const uint8_t setup[][2] = {
	    {0x20, 0x11},
	    {0xa0, 0x11},
	    {0x21, GN_TICK_VECTOR},
	    {0xa1, GN_TICK_VECTOR + 8},
	    {0x21, 0x04},
	    {0xa1, 0x02},
	    {0x21, 0x01},
	    {0xa1, 0x01},
	    {0x21, 0xfe},
	    {0xa1, 0xff},
	    {0x43, 0x34},
	    {0x40, count & 0xff},
	    {0x40, count >> 8 & 0xff},
	};

	for (unsigned i = 0; i < sizeof(setup) / sizeof(setup[0]); i++)
		out(setup[i][0], setup[i][1]);
}

void gn_ticks_start(uint64_t nanoseconds)
{
	if (gn_boot.on_gnomon) {
		tick = nanoseconds;
		gn_port_bind(GN_PORT_TIMER, GN_TICK_VECTOR);
		gn_tick_done();
	} else {
		start_pit(nanoseconds * PIT_HZ / 1000000000);
	}
}

void gn_tick_done(void)
{
	if (tick) {
		gn_port_poll(GN_PORT_TIMER);
		gn_timer_set(gn_clock_ns() + tick);
	} else {
		out(0x20, 0x20); /* end of interrupt */
	}
}
