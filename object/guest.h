/* SPDX-License-Identifier: MIT */
/*
 * guest.h - a guest: its memory, its vCPU, its ports, timer and console, and how it ends. Whoever
 * runs it (run/) holds it; nothing here reaches up.
 */
#ifndef OBJECT_GUEST_H
#define OBJECT_GUEST_H

#include "arch/x86/vcpu/vcpu.h"
#include "lib/list.h"
#include "object/console.h"
#include "object/port.h"

#define GUEST_NAME_MAX	31 /* of [A-Za-z0-9_-] */
#define GUEST_DEATH_MAX 160

enum guest_end { GUEST_LIVES, GUEST_POWEROFF, GUEST_REBOOT, GUEST_CRASHED, GUEST_KILLED };

/* What the user asked for; addresses are of boot modules, which stay the monitor's. */
struct guest_config {
	char name[GUEST_NAME_MAX + 1];
	u16 owner; /* its number in mm/frame, from 1: kept over reboots, as nothing is left of it */
	u64 memory_size; /* bytes, whole pages */
	u32 abi;	 /* as struct gn_loader_info has it */
	enum shadow_policy policy;
	u32 shadow_frames;
	bool restart; /* on_reboot=restart */
	maddr_t kernel, initrd;
	u64 kernel_size, initrd_size;
	const char *append; /* the kernel's command line */
	u32 append_size;
};

struct personality;

/* What most calls ask for stands first, where an instruction's displacement is one byte. */
struct guest {
	const struct personality *personality; /* (v) whose calls it makes: hypercall/ */
	void *personality_state;	       /* (v) that one's */
	u64 hypercalls;			       /* (v) */
	struct list link;		       /* the scheduler's */
	enum guest_end end;		       /* (v) sticky: the first reason wins */
	bool blocked;			       /* (v) sleeps until an event is pending */
	bool draining;			       /* (v) the ring's calls are being carried out */
	bool told_late_event;		       /* (v) that one waited long, once */
	bool loading;			       /* (v) the loader runs: no start_kernel yet */
	struct vcpu vcpu;
	struct shadow shadow;
	struct p2m p2m;
	/* (v) how an object's port reaches it; NULL: by the port's vector */
	void (*raise)(struct guest *g, unsigned port);
	struct port port[GN_PORT_COUNT]; /* (v) */
	struct console console;		 /* (v) */
	u64 timer;	   /* (v) ns since boot at which GN_PORT_TIMER is raised; 0: not set */
	u64 timer_period;  /* (v) ns from one to the next; 0: it is raised once */
	u64 stolen;	   /* (v) ns in which it was awake and did not run */
	u64 scratch_pages; /* (v) the loader's frames from guest_scratch_gfn(), 0 when freed */
	u64 destroy_step;  /* (v) */
	struct guest_config config;  /* (c) */
	u16 owner;		     /* (c) as in config */
	mfn_t memory;		     /* (c) the frames this structure lies in */
	char death[GUEST_DEATH_MAX]; /* (v) why, for GUEST_CRASHED and GUEST_KILLED */
};

/* gfns above RAM: the vcpu page, then the loader's scratch frames and the modules it reads. */
gfn_t guest_vcpu_page_gfn(const struct guest *g);
gfn_t guest_shared_info_gfn(const struct guest *g);
gfn_t guest_scratch_gfn(const struct guest *g);

/*
 * Make a guest that has no RAM yet. 0, or -E with *why saying what is missing in words; on failure
 * the caller goes on to guest_destroy().
 */
int guest_create(struct guest *g, const struct guest_config *config, const char **why) __must_check;

/* A frame of RAM, or of those that the loader needs above it: from guest_scratch_gfn() on. */
int guest_add_frame(struct guest *g, gfn_t gfn) __must_check;
/* The loader has done its work. -EAGAIN: a bounded piece is done, call again. */
int guest_free_scratch(struct guest *g) __must_check;

/* Give everything back, a bounded piece a call: -EAGAIN while there is more. */
int guest_destroy(struct guest *g) __must_check;

/* End it. The text after the colon is ours; quoted text of the guest is marked by the caller. */
void guest_kill(struct guest *g, const char *format, ...) __printf(2, 3);
void guest_crash(struct guest *g, const char *format, ...) __printf(2, 3);
void guest_shut_down(struct guest *g, enum guest_end end); /* poweroff or reboot */

void guest_get_stats(const struct guest *g, struct gn_stats *stats);

/* Take over what the vCPU died of. */
void guest_die_of_vcpu(struct guest *g);

static inline bool guest_has_ended(struct guest *g)
{
	if (unlikely(g->vcpu.death))
		guest_die_of_vcpu(g);
	return unlikely(g->end != GUEST_LIVES);
}

static inline struct guest *guest_of(struct vcpu *v)
{
	return v->guest;
}

#endif
