// SPDX-License-Identifier: MIT
/*
 * guest.c - a guest's life: made, given memory, ended, taken apart in bounded pieces. What it was
 * asked to be is in config; who runs it is in run/.
 */
#include "object/guest.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/print.h"
#include "lib/string.h"
#include "mm/frame.h"

#define PIECE 64 /* frames handled by one call of a long operation */

static gfn_t end_of_ram(const struct guest *g)
{
	return GFN(g->config.memory_size >> PAGE_SHIFT);
}

/* A hole of 1 GiB between RAM and what is special: no arithmetic on RAM reaches it by accident. */
gfn_t guest_vcpu_page_gfn(const struct guest *g)
{
	return GFN(end_of_ram(g).v + (1ul << 18));
}

gfn_t guest_shared_info_gfn(const struct guest *g)
{
	return GFN(guest_vcpu_page_gfn(g).v + 1);
}

gfn_t guest_scratch_gfn(const struct guest *g)
{
	return GFN(guest_vcpu_page_gfn(g).v + 512);
}

int guest_add_frame(struct guest *g, gfn_t gfn)
{
	mfn_t mfn = frame_alloc(FRAME_GUEST, g->owner);
	int error;

	if (mfn_is_none(mfn))
		return -ENOMEM;
	error = p2m_insert(&g->p2m, gfn, mfn, P2M_R | P2M_W | P2M_X);
	frame_put(mfn); /* the p2m has its own reference */
	return error;
}

static int add_vcpu(struct guest *g)
{
	mfn_t page = frame_alloc(FRAME_PUBLISHED, g->owner);
	int error;

	if (mfn_is_none(page))
		return -ENOMEM;
	error = p2m_insert(&g->p2m, guest_vcpu_page_gfn(g), page, P2M_R | P2M_W);
	if (!error)
		error = vcpu_init(&g->vcpu, g, &g->shadow, g->owner, page);
	frame_put(page);
	return error;
}

int guest_create(struct guest *g, const struct guest_config *config, const char **why)
{
	struct shadow_config shadow = {
	    .p2m = &g->p2m,
	    .policy = config->policy,
	    .limit = config->shadow_frames,
	    .reserved_first = GN_RESERVED_FIRST_SLOT,
	    .reserved_last = GN_RESERVED_LAST_SLOT,
	    .supervisor_from_slot = SHADOW_SLOTS,
	};
	int error;

	memset(g, 0, sizeof(*g));
	g->config = *config;
	g->owner = config->owner;
	list_init(&g->link);
	*why = "not enough memory for its tables";
	error = p2m_init(&g->p2m, g->owner);
	if (error)
		return error;
	vcpu_describe_paging(&shadow);
	*why = "its limit of shadow frames is out of range";
	error = shadow_init(&g->shadow, &shadow);
	if (error)
		return error;
	*why = "not enough memory for its vCPU";
	return add_vcpu(g);
}

int guest_free_scratch(struct guest *g)
{
	for (unsigned i = 0; g->scratch_pages && i < PIECE; i++) {
		int error = p2m_remove(&g->p2m, GFN(guest_scratch_gfn(g).v + g->scratch_pages - 1));

		if (error == -EAGAIN)
			return error;
		g->scratch_pages--;
	}
	return g->scratch_pages ? -EAGAIN : 0;
}

/* Each step is a state that can be entered again: what has never been made is destroyed at once. */
int guest_destroy(struct guest *g)
{
	int error;

	switch (g->destroy_step) {
	case 0:
		if (g->vcpu.guest)
			vcpu_exit(&g->vcpu);
		g->destroy_step = 1;
		return -EAGAIN;
	case 1:
		error = g->shadow.config.p2m ? shadow_destroy(&g->shadow) : 0;
		if (!error)
			g->destroy_step = 2;
		return -EAGAIN;
	default:
		return g->p2m.owner ? p2m_destroy(&g->p2m) : 0;
	}
}

static void end(struct guest *g, enum guest_end how, const char *format, va_list args)
{
	if (g->end != GUEST_LIVES)
		return;
	g->end = how;
	g->vcpu.has_ended = true;
	g->blocked = false;
	if (format)
		print_format_v(g->death, sizeof(g->death), format, args);
}

void guest_kill(struct guest *g, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	end(g, GUEST_KILLED, format, args);
	va_end(args);
}

void guest_crash(struct guest *g, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	end(g, GUEST_CRASHED, format, args);
	va_end(args);
}

void guest_shut_down(struct guest *g, enum guest_end how)
{
	if (g->end == GUEST_LIVES)
		g->end = how;
	g->vcpu.has_ended = true;
}

void guest_die_of_vcpu(struct guest *g)
{
	const char *why = g->vcpu.death;

	if (!strncmp(why, "crashed: ", 9))
		guest_crash(g, "%s", why + 9);
	else
		guest_kill(g, "%s", strncmp(why, "killed: ", 8) ? why : why + 8);
}

void guest_get_stats(const struct guest *g, struct gn_stats *stats)
{
	struct shadow_stats shadow;

	shadow_get_stats(&g->shadow, &shadow);
	*stats = (struct gn_stats){
	    .exits = g->vcpu.entries,
	    .hypercalls = g->hypercalls,
	    .fills = shadow.fills,
	    .cr3_writes = 2 * g->vcpu.entries, /* one into the guest, one out of it, and no other */
	    .events = g->vcpu.events,
	    .reflections = g->vcpu.reflections,
	    .shadow_frames = shadow.frames,
	    .stolen_ns = g->stolen,
	};
}
