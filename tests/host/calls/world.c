// SPDX-License-Identifier: MIT
/*
 * world.c - see world.h. The run loop, the scheduler and the making and burying of guests are the
 * monitor's (run/); a guest's body is test_enter_guest(), where the switcher would enter it.
 */
#include <string.h>
#include "lib/bug.h"
#include "lib/errno.h"
#include "mm/machine.h"
#include "run/guests.h"
#include "run/run.h"
#include "guest-abi/loader.h"
#include "tests/host/calls/attacker.h"
#include "tests/host/calls/cpu.h"
#include "tests/host/calls/draw.h"
#include "tests/host/calls/judge.h"
#include "tests/host/calls/victim.h"
#include "tests/host/calls/world.h"

#define ATTACKERS     2
#define IDLE_MAX      100 /* times that the CPU sleeps, or the victim wakes, and nobody attacks */
#define MODULE_FRAMES 2
#define PLENTY	      1200 /* frames, for three guests; and what is not enough for them */
#define SCARCE	      100
#define ENTRY_NS      10000

struct world_counts *world_counts;
bool world_is_told;
unsigned world_judge_interval = 96;

static struct world {
	const u64 *steps;
	u64 count, next;
	struct attacker attacker[ATTACKERS];
	struct victim victim;
	struct guests_asked asked;
	unsigned idle;
	mfn_t module;
} w;

/* The loader's pages: its header is all that the monitor reads of them. */
const struct {
	struct gn_loader_header header;
	u8 rest[3 * PAGE_SIZE - sizeof(struct gn_loader_header)];
} loader_image __aligned(4096) = {
    .header = {.magic = GN_LOADER_MAGIC,
	       .text_pages = 1,
	       .rodata_pages = 1,
	       .data_pages = 1,
	       .zero_pages = 1,
	       .entry = GN_LOADER_BASE + 64},
};
__asm__(".globl loader_image_end\n.set loader_image_end, loader_image + 3 * 4096");

bool world_step(void)
{
	if (w.next == w.count)
		return false;
	world_counts->step = w.next;
	host_seed = w.steps[w.next++] | 1;
	for (unsigned i = 0; i < 4; i++)
		host_random();
	if (world_is_told)
		printf("step %lu\n", w.next - 1);
	return true;
}

/* ---- where the monitor meets the test ---- */

static bool is_attacker(const struct guest *g)
{
	return g->owner <= ATTACKERS;
}

/* The operator's way to end guests: nobody of them is running. */
static void end_attackers(const char *why)
{
	for (unsigned i = 0; i < ATTACKERS; i++)
		if (w.attacker[i].is_alive)
			guest_kill(w.attacker[i].memory.g, "%s", why);
}

void test_enter_guest(struct guest_regs *regs)
{
	static u64 entries;
	struct vcpu *v = container_of(regs, struct vcpu, regs);
	struct guest *g = v->guest;

	judge_work_end();
	test_cpu.now += ENTRY_NS;
	world_counts->exits++;
	judge_entry(v);
	if (is_attacker(g)) {
		struct attacker *a = &w.attacker[g->owner - 1];

		if (!a->is_alive)
			*a = (struct attacker){.is_alive = true};
		a->memory = (struct memory){g, g->config.memory_size >> PAGE_SHIFT};
		w.idle = 0;
		if (w.next == w.count)
			guest_kill(g, "there are no steps left");
		if (++entries % world_judge_interval == 0) {
			judge_guest(g);
			if (w.victim.memory.g)
				victim_judge(&w.victim);
		}
		attacker_run(a);
	} else {
		w.victim.memory = (struct memory){g, g->config.memory_size >> PAGE_SHIFT};
		w.victim.is_to_end = w.next == w.count || ++w.idle > IDLE_MAX;
		if (w.victim.is_to_end)
			end_attackers("its life is over");
		victim_run(&w.victim);
	}
	judge_work_begin(regs->vector, regs->rax);
}

/* All guests sleep. A key may wake one; nobody would wake those that have no alarm. */
void test_wait_for_interrupt(void)
{
	test_cpu.now += 5000000;
	test_cpu.key = 'k';
	if (++w.idle > IDLE_MAX)
		end_attackers("it sleeps for ever");
}

void __real_guests_finish(struct cpu *cpu, struct guest *g);
void __wrap_guests_finish(struct cpu *cpu, struct guest *g);
bool __real_guests_work(void);
bool __wrap_guests_work(void);

void __wrap_guests_finish(struct cpu *cpu, struct guest *g)
{
	judge_work_end();
	if (is_attacker(g)) {
		struct shadow_stats stats;

		shadow_get_stats(&g->shadow, &stats);
		world_counts->reclaimed += stats.reclaimed;
		w.attacker[g->owner - 1].is_alive = false;
		world_counts->deaths++;
		if (world_is_told)
			printf("  %s ended %d: %s\n", g->config.name, g->end, g->death);
	} else {
		w.victim.memory.g = NULL;
	}
	__real_guests_finish(cpu, g);
}

bool __wrap_guests_work(void)
{
	judge_work_end();
	return __real_guests_work();
}

/* ---- lives ---- */

static void ask(struct guest_config *config, unsigned owner, u64 frames)
{
	static const enum shadow_policy policies[] = {SHADOW_TRAPPED, SHADOW_TRAPPED,
						      SHADOW_NOTIFIED, SHADOW_FORGETFUL};

	*config = (struct guest_config){
	    .owner = owner,
	    .memory_size = frames << PAGE_SHIFT,
	    .policy = policies[host_random() % ARRAY_SIZE(policies)],
	    .shadow_frames = SHADOW_FRAMES_MIN + (one_in(2) ? 0 : host_random() % 128),
	    .restart = one_in(2),
	    .kernel = mfn_to_maddr(w.module),
	    .kernel_size = MODULE_FRAMES * PAGE_SIZE - 100,
	    .append = "quiet",
	    .append_size = 5,
	};
	snprintf(config->name, sizeof(config->name), "guest-%u", owner);
}

/* Leave so many frames, or let go of what was taken: a guest can want for memory anywhere. */
static void starve(u64 frames)
{
	static mfn_t taken[RAM_FRAMES];
	static unsigned count;

	while (frames && frame_count_free() > frames)
		taken[count++] = frame_alloc(FRAME_MONITOR, FRAME_OWNER_MONITOR);
	while (!frames && count)
		frame_put(taken[--count]);
}

static void live(void)
{
	static const struct options options;
	u64 before = frame_count_free(), first = w.next;

	host_seed = w.steps[w.next] | 1; /* so that a life without those before it is the same */
	world_counts->life = w.next;
	w.idle = 0;
	w.victim = (struct victim){0};
	w.asked.count = ATTACKERS + 1;
	for (unsigned i = 0; i < ATTACKERS; i++)
		ask(&w.asked.config[i], i + 1, MEMORY_LEAST + host_random() % 64);
	ask(&w.asked.config[ATTACKERS], ATTACKERS + 1, MEMORY_LEAST);
	if (one_in(4))
		starve(PLENTY - host_random() % (PLENTY - SCARCE));
	guests_start(&w.asked, &options);
	run_guests(&test_cpu_structure, &options);
	starve(0);
	if (w.next == first) /* no attacker could be made */
		w.next++;
	BUG_ON(frame_count_free() != before);
	world_counts->lives++;
}

void world_run(const u64 *steps, u64 count)
{
	w.steps = steps;
	w.count = count;
	test_machine_make();
	w.module = frame_alloc_run(1, FRAME_PUBLISHED, FRAME_OWNER_MONITOR);
	while (w.next < count)
		live();
}
