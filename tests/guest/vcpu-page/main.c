// SPDX-License-Identifier: MIT
/*
 * vcpu-page - the page that guest and monitor share, full of lies (R1, and every byte of a
 * guest's is hostile).
 *
 * The guest may write all of its vcpu page: the flags, the frames that are about to be pushed or
 * popped by the code area, the clock, the ring of deferred calls with its two indices. The
 * monitor reads some of it at each exit. So the page is filled with garbage of many kinds between
 * faults, calls, system calls, returns to ring 3 and drains. What the guest gets from that is its
 * own doing: it may lose itself and be ended. The monitor and the bystander may not notice.
 */
#include "tests/guest/lib/test.h"

const char test_name[] = "vcpu-page";

#define ROUNDS 3000

static u64 seed = 0x9e3779b97f4a7c15;

static u64 random(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

/* Words that have a meaning somewhere, and some that have none. */
static u64 garbage(void)
{
	static const u64 words[] = {0,
				    1,
				    ~0ul,
				    0x8000000000000000,
				    GN_CODE_AREA,
				    GN_VCPU_PAGE,
				    SWITCHER_TEXT,
				    SWITCHER_STACK + 0x1000,
				    MONITOR_IMAGE,
				    MONITOR_MEMORY,
				    MONITOR_CS,
				    GN_KERNEL_CS,
				    USER_CS,
				    0x3302,
				    KERNEL_CODE,
				    USER_CODE};

	return random() & 1 ? random() : words[random() % (sizeof(words) / sizeof(words[0]))];
}

SNIPPET(fault, "ud2");
SNIPPET(system_call, "syscall");
SNIPPET(call_monitor, "int $0x82");

/* vif and pending are left at 0 or 1: no other value means anything to the guest's own side. */
static void spoil(void)
{
	volatile u64 *words = (volatile u64 *)GN_VCPU_PAGE;

	for (unsigned i = 1; i < 512; i++)
		if (random() % 4 == 0)
			words[i] = garbage();
	VCPU_PAGE->pending = random() & 1;
	VCPU_PAGE->ring_head = random() & 1 ? random() : 0;
	VCPU_PAGE->ring_tail = random() & 1 ? random() : VCPU_PAGE->ring_head + random() % 100;
}

static void deferred_calls(void)
{
	for (unsigned i = 0; i < GN_RING_ENTRIES; i++) {
		volatile struct gn_ring_entry *entry = &VCPU_PAGE->ring[i];

		entry->call = random() & 1 ? random() % 40 : garbage();
		for (unsigned j = 0; j < 4; j++)
			entry->argument[j] = garbage();
	}
	VCPU_PAGE->ring_head = random();
	VCPU_PAGE->ring_tail = VCPU_PAGE->ring_head + random() % 200;
	CALL(drain);
}

static void one_round(unsigned round)
{
	static const struct snippet *const codes[] = {&fault, &system_call, &call_monitor};
	enum ring ring = random() & 1 ? USER : KERNEL;
	struct state s = state_for(ring);

	s.rax = GN_CALL_version;
	spoil();
	run_state(&s, ring, codes[random() % 3]);
	if (round % 16 == 0)
		deferred_calls();
	if (round % 64 == 0) {
		CALL(port_bind, GN_PORT_SELF, 0x90);
		CALL(port_raise, GN_PORT_SELF);
		CALL(port_bind, GN_PORT_SELF, 0);
	}
}

void test_main(void)
{
	for (unsigned round = 0; round < ROUNDS; round++)
		one_round(round);
	check(true, "it has come through");
}
