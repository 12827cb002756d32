// SPDX-License-Identifier: MIT
/*
 * flush-test.c - no CPU reaches a frame after machine_flush_guests() has said so: the real
 * machine.c and machine.h (D14's generations) on CPUs that are coroutines, over a model of x86's
 * memory (SDM volume 3, 9.2): each CPU's stores wait in a buffer of its own, in order; its loads
 * pass them by; a locked instruction empties it first. Every atomic operation of the real code is
 * one step of the model; before each, chance decides which CPU goes on and which stores become
 * visible. A seed decides chance, so what fails once fails again.
 *
 * One CPU, in the monitor, gives a frame to the guest, takes it away and flushes. The others are in
 * and out of the guest and keep what they have read of the entry, as a TLB would, till they enter
 * the next time; what empties the TLB orders nothing here, so nothing may lean on CR3 writes being
 * serializing. Some stay in the guest till they are kicked, and some in the monitor till the flush
 * is over.
 */
#include <setjmp.h>
#include <string.h>
#include <ucontext.h>
#include "arch/x86/cpu/apic.h"
#include "arch/x86/cpu/cpu.h"
#include "arch/x86/cpu/insn.h"
#include "mm/machine.h"
#include "lib/compiler.h"
#include "tests/host/mm/host.h"

#define CPUS	   3
#define BUFFER	   8
#define STEPS_MOST 20000 /* of a trial: more means that somebody waits for ever */
#define STACK	   65536
#define FRAMES	   4 /* given and taken in a trial */

static struct buffered {
	void *at;
	u64 value;
	unsigned size;
} buffer[CPUS][BUFFER];
static unsigned buffered[CPUS];

static ucontext_t context[CPUS], scheduler;
static char stack[CPUS][STACK];
static unsigned me; /* the CPU that runs */
static unsigned steps;
static bool ended[CPUS];
static const char *wrong; /* what was seen; NULL: nothing yet */

/* ---- the memory ---- */

static u64 get(const void *at, unsigned size)
{
	u64 value = 0;

	memcpy(&value, at, size);
	return value;
}

/* The oldest store of a CPU becomes visible. */
static void emerge(unsigned cpu)
{
	struct buffered *b = buffer[cpu];

	memcpy(b->at, &b->value, b->size);
	memmove(b, b + 1, --buffered[cpu] * sizeof(*b));
}

/* Others go on for as long as chance wants. */
static void step(void)
{
	swapcontext(&context[me], &scheduler);
}

static void drain(void)
{
	while (buffered[me])
		emerge(me);
}

static u64 model_load(const void *at, unsigned size)
{
	step();
	for (unsigned i = buffered[me]; i--;)
		if (buffer[me][i].at == at)
			return buffer[me][i].value;
	return get(at, size);
}

static void model_store(void *at, unsigned size, u64 value, int order)
{
	step();
	if (buffered[me] == BUFFER)
		emerge(me);
	buffer[me][buffered[me]++] = (struct buffered){at, value, size};
	if (order == __ATOMIC_SEQ_CST) /* compiled to XCHG */
		drain();
}

static u64 model_exchange(void *at, unsigned size, u64 value)
{
	u64 old;

	step();
	drain();
	old = get(at, size);
	memcpy(at, &value, size);
	return old;
}

static u64 model_add(void *at, unsigned size, u64 value)
{
	step();
	drain();
	value += get(at, size);
	memcpy(at, &value, size);
	return value;
}

/* clang-format off */
#define AS_TYPE_AT(at, value) ({ __typeof__(*(at)) value_ = value; value_; })
#define __atomic_load_n(at, order)	   AS_TYPE_AT(at, model_load(at, sizeof(*(at))))
#define __atomic_store_n(at, value, order) model_store(at, sizeof(*(at)), value, order)
#define __atomic_exchange_n(at, value, order) \
	AS_TYPE_AT(at, model_exchange(at, sizeof(*(at)), value))
#define __atomic_add_fetch(at, value, order) \
	AS_TYPE_AT(at, model_add(at, sizeof(*(at)), value))
/* clang-format on */

#define machine_ram monitor_ram /* the direct map is not here */
#include "arch/x86/cpu/machine.c"

/* ---- the machine ---- */

static struct cpu cpus[CPUS];
static bool kicked[CPUS];
static u64 entry;		/* the guest's translation: a frame's number, or 0 */
static bool reused[FRAMES + 1]; /* by somebody else */
static bool revoking;		/* not all are taken away yet */

struct cpu *cpu_table[BOOT_CPU_MAX];
u32 cpu_table_count = CPUS;

/* An interrupt is not a store: it may overtake all that waits. */
void apic_send(u32 apic_id, u8 vector)
{
	(void)vector;
	step();
	kicked[apic_id] = true;
}

static void in_guest(bool stays)
{
	u64 tlb = 0;

	for (unsigned i = host_random() % 6; i || (stays && revoking); i -= !!i) {
		step();
		if (kicked[me])
			return;
		if (!tlb)
			tlb = model_load(&entry, sizeof(entry));
		step();
		if (tlb && reused[tlb])
			wrong = "a frame is reached that is another's already";
	}
}

static void run_guests(void)
{
	while (revoking) {
		machine_enter_guest(&cpus[me]);
		in_guest(host_random() & 1);
		kicked[me] = false;
		machine_leave_guest(&cpus[me]);
		while (revoking && !(host_random() % 8)) /* at work in the monitor */
			for (unsigned i = 50; i; i--)
				step();
	}
}

static void revoke(void)
{
	for (u64 frame = 1; frame <= FRAMES; frame++) {
		model_store(&entry, sizeof(entry), frame, __ATOMIC_RELAXED);
		for (unsigned i = host_random() % 30; i; i--)
			step();
		model_store(&entry, sizeof(entry), 0, __ATOMIC_RELAXED);
		machine_flush_guests();
		reused[frame] = true;
		for (unsigned i = host_random() % 20; i; i--)
			step();
	}
	revoking = false;
}

/* ---- trials ---- */

static void begin(void)
{
	if (me)
		run_guests();
	else
		revoke();
	drain();
	ended[me] = true;
	step();
}

static bool all_ended(void)
{
	for (unsigned i = 0; i < CPUS; i++)
		if (!ended[i])
			return false;
	return true;
}

static void start(unsigned cpu)
{
	cpus[cpu] = (struct cpu){.number = cpu, .apic_id = cpu};
	cpu_table[cpu] = &cpus[cpu];
	kicked[cpu] = ended[cpu] = false;
	buffered[cpu] = 0;
	getcontext(&context[cpu]);
	context[cpu].uc_stack.ss_sp = stack[cpu];
	context[cpu].uc_stack.ss_size = STACK;
	makecontext(&context[cpu], begin, 0);
}

static void one_step(void)
{
	unsigned emerging = host_random() % CPUS;

	if (buffered[emerging] && !(host_random() % 4))
		emerge(emerging);
	me = host_random() % CPUS;
	if (!ended[me])
		swapcontext(&scheduler, &context[me]);
	if (++steps == STEPS_MOST)
		wrong = "somebody waits for ever";
}

static void trial(void)
{
	for (unsigned i = 0; i < CPUS; i++)
		start(i);
	memset(reused, 0, sizeof(reused));
	machine_flush_generation = entry = steps = 0;
	revoking = true;
	wrong = NULL;
	while (!wrong && !all_ended())
		one_step();
}

int main(int argc, char **argv)
{
	unsigned trials = argc > 1 ? strtoul(argv[1], NULL, 0) : 5000, failed = 0;
	u64 all_steps = 0;

	host_seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 20261121;
	printf("flush-test: %u trials, seed %lu\n", trials, host_seed);
	for (unsigned i = 0; i < trials && !failed; i++) {
		trial();
		all_steps += steps;
		if (wrong) {
			failed++;
			printf("trial %u: %s\n", i, wrong);
		}
		CHECK(!wrong);
	}
	printf("  %lu steps\n", all_steps);
	return host_finish();
}
