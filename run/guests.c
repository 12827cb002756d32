// SPDX-License-Identifier: MIT
/* guests.c - see guests.h. */
#include "run/guests.h"
#include "arch/x86/cpu/cpu.h"
#include "arch/x86/emulate/emulate.h"
#include "hypercall/hypercall.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/print.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "mm/machine.h"
#include "run/loader.h"
#include "run/sched.h"

/* Of the instructions that trapped so many are told at the end, each only if it did so often. */
#define TRAPS_TOLD	    5
#define TRAPS_WORTH_TELLING 1000

#define RECORDED 8 /* how many of its last exits are printed for a guest that died */

static const struct options *options; /* (c) */
static struct list dying = {&dying, &dying};
static struct guest *rising; /* the one that is being made, or NULL */
static unsigned failed; /* (v) of the CPU that runs guests, as all here */

unsigned guests_failed(void)
{
	return failed;
}

void guests_refuse(const char *name, const char *why)
{
	failed++;
	log_error("guest '%s' refused: %s", *name ? name : "?", why);
}

static unsigned order_of(size_t size)
{
	unsigned order = 0;

	while (PAGE_SIZE << order < size)
		order++;
	return order;
}

static struct guest *take_guest(mfn_t *memory)
{
	*memory =
	    frame_alloc_run(order_of(sizeof(struct guest)), FRAME_MONITOR, FRAME_OWNER_MONITOR);
	return mfn_is_none(*memory) ? NULL : machine_map(*memory);
}

static void put_guest(struct guest *g)
{
	mfn_t first = g->memory;

	for (u64 i = 0; i < 1ul << order_of(sizeof(*g)); i++)
		frame_put(MFN(first.v + i));
}

/* Memory is asked for in pieces, so what is plainly too little is refused before. */
static struct guest *make(const struct guest_config *config, char *why, size_t size)
{
	const char *what = "not enough memory";
	u64 frames = loader_frames(config);
	mfn_t memory = MFN_NONE;
	struct guest *g;

	g = frames < frame_count_free() ? take_guest(&memory) : NULL;
	if (!g) {
		print_format(why, size, "not enough memory: it needs %lu MiB, and %lu MiB are free",
			     (frames >> 8) + 1, frame_count_free() >> 8);
		return NULL;
	}
	if (guest_create(g, config, &what))
		print_format(why, size, "%s", what);
	g->memory = memory;
	g->personality = &personality_native; /* the loader's */
	return g;
}

static void bury(struct guest *g)
{
	g->personality->end(g);
	list_add_tail(&dying, &g->link);
}

void guests_make(const struct guest_config *config, bool shared_console)
{
	char why[GUEST_DEATH_MAX] = "";
	struct guest *g = make(config, why, sizeof(why));

	if (*why)
		guests_refuse(config->name, why);
	if (!g)
		return;
	g->console.shared = shared_console;
	if (*why) {
		bury(g);
		return;
	}
	rising = g;
	loader_begin(g);
}

/* A bounded piece of making the guest that is being made. */
static void raise(void)
{
	struct guest *g = rising;
	int error = loader_continue();

	if (error == -EAGAIN)
		return;
	rising = NULL;
	if (!error) {
		sched_add(g);
		return;
	}
	guests_refuse(g->config.name, "not enough memory for its RAM, its loader and their tables");
	bury(g);
}

static void say_crash(const struct guest *g)
{
	const struct console *c = &g->console;
	char quoted[CONSOLE_LINE];

	if (c->line_size)
		log_error("guest '%s' ended: crashed: %s; the last it wrote: '%s'", g->config.name,
			  g->death, log_quote(quoted, sizeof(quoted), c->line, c->line_size));
	else
		log_error("guest '%s' ended: crashed: %s", g->config.name, g->death);
}

static void say_end(const struct guest *g)
{
	const char *name = g->config.name;

	switch (g->end) {
	case GUEST_POWEROFF:
		log_info("guest '%s' ended: poweroff", name);
		break;
	case GUEST_REBOOT:
		if (g->config.restart)
			log_info("guest '%s' rebooted", name);
		else
			log_info("guest '%s' ended: reboot", name);
		break;
	case GUEST_CRASHED:
		failed++;
		if (g->loading)
			log_error("guest '%s' refused: %s", name, g->death);
		else
			say_crash(g);
		break;
	default:
		failed++;
		log_error("guest '%s' ended: killed: %s", name, g->death);
	}
}

/* Which of its instructions trapped most: what to annotate next. */
static void print_traps(struct guest *g)
{
	for (unsigned n = 0; n < TRAPS_TOLD; n++) {
		struct vcpu_trap *most = g->vcpu.trap;

		for (unsigned i = 1; i < VCPU_TRAPS; i++)
			if (g->vcpu.trap[i].count > most->count)
				most = &g->vcpu.trap[i];
		if (most->count < TRAPS_WORTH_TELLING)
			return;
		log_info("guest '%s': %u traps at %#lx (%s)", g->config.name, most->count,
			 most->rip, emulate_action_name(most->action));
		most->count = 0;
	}
}

static void print_stats(const struct guest *g)
{
	struct gn_stats s;

	guest_get_stats(g, &s);
	log_info("guest '%s' stats: exits=%lu hypercalls=%lu fills=%lu cr3=%lu events=%lu "
		 "reflections=%lu shadow=%lu",
		 g->config.name, s.exits, s.hypercalls, s.fills, s.cr3_writes, s.events,
		 s.reflections, s.shadow_frames);
}

void guests_finish(struct cpu *cpu, struct guest *g)
{
	guest_console_flush(g);
	sched_remove(g);
	say_end(g);
	print_traps(g);
	if (options->stats)
		print_stats(g);
	if (g->end == GUEST_KILLED || (g->end == GUEST_CRASHED && !g->loading))
		recorder_print(&cpu->recorder, g->owner, RECORDED);
	bury(g);
}

bool guests_work(void)
{
	struct guest *g;
	struct guest_config config;
	bool again, shared;

	if (rising) {
		raise();
		return true;
	}
	if (list_is_empty(&dying))
		return false;
	g = list_entry(dying.next, struct guest, link);
	if (guest_destroy(g) == -EAGAIN)
		return true;
	config = g->config;
	again = g->end == GUEST_REBOOT && config.restart;
	shared = g->console.shared;
	list_remove(&g->link);
	put_guest(g);
	log_info("free frames %lu", frame_count_free());
	if (again)
		guests_make(&config, shared);
	return true;
}

void guests_start(const struct guests_asked *asked, const struct options *monitor_options)
{
	options = monitor_options;
	for (unsigned i = 0; i < asked->count; i++) {
		guests_make(&asked->config[i], asked->count > 1);
		while (guests_work())
			;
	}
}
