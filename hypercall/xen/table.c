// SPDX-License-Identifier: MIT
/* table.c - Xen's ABI as a table of calls, and how a guest of it begins and ends. */
#include "arch/x86/vcpu/clock.h"
#include "hypercall/xen/xen.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "mm/machine.h"

static struct call_result not_there(struct guest *g, u64 *a)
{
	(void)g, (void)a;
	return call_done(-ENOSYS);
}

const call_fn xen_calls[XEN_CALL_COUNT] = {
    [4] = not_there, [6 ... 7] = not_there, [11] = not_there, [16] = not_there,
    [19 ... 22] = not_there, [27 ... 28] = not_there, [31] = not_there,
    [33 ... XEN_CALL_COUNT - 1] = not_there,
#define X(number, name) [number] = xen_##name,
    XEN_HYPERCALLS(X)
#undef X
};

static const u8 flags[XEN_CALL_COUNT];

/* The guest computes ns = (((tsc - stamp) << shift) * mul) >> 32, as ours do. */
static void publish_time(struct xen_shared_info *shared)
{
	struct xen_time *time = &shared->vcpu_info[0].time;
	struct gn_clock clock;

	clock_publish(&clock);
	time->tsc_timestamp = clock.tsc_base;
	time->system_time = clock.ns_base;
	time->tsc_to_system_mul = clock.mul;
	time->tsc_shift = clock.shift;
	time->flags = 1; /* the counter is stable: one CPU runs guests */
	time->version = 2;
	shared->wc_sec = clock.wall_seconds;
	shared->wc_sec_hi = clock.wall_seconds >> 32;
	shared->wc_version = 2;
}

static int make_shared_info(struct guest *g, struct xen *x)
{
	x->shared_mfn = frame_alloc(FRAME_PUBLISHED, g->owner);
	if (mfn_is_none(x->shared_mfn))
		return -ENOMEM;
	x->shared = machine_map(x->shared_mfn);
	x->info = &x->shared->vcpu_info[0];
	x->info->upcall_mask = 1;
	publish_time(x->shared);
	return p2m_insert(&g->p2m, guest_shared_info_gfn(g), x->shared_mfn, P2M_R | P2M_W);
}

/* The loader has chosen the page of the console ring; a wrong one is the guest's own loss. */
static gpa_t console_of(struct guest *g, u64 start_info)
{
	u64 gfn;

	if (!xen_get(g, start_info + XEN_START_INFO_CONSOLE, &gfn, sizeof(gfn)) ||
	    gfn >= g->config.memory_size >> PAGE_SHIFT)
		return GPA(~0ul);
	return GPA(gfn << PAGE_SHIFT);
}

static int begin(struct guest *g, u64 start_info)
{
	mfn_t self = frame_alloc(FRAME_MONITOR, g->owner);
	struct vcpu *v = &g->vcpu;
	struct xen *x;
	u64 tables;

	if (mfn_is_none(self))
		return -ENOMEM;
	x = machine_map(self);
	x->self = self;
	x->shared_mfn = x->m2p_top[0] = x->m2p_top[1] = MFN_NONE;
	x->port[XEN_CONSOLE_PORT] = XEN_PORT_CONSOLE;
	x->console = console_of(g, start_info);
	x->gdt = GPA(~0ul);
	g->personality_state = x;
	shadow_set_upper_half(&g->shadow, XEN_FIRST_SLOT, XEN_LAST_SLOT, XEN_FIRST_SLOT);
	if (make_shared_info(g, x) || xen_m2p_make(g))
		return -ENOMEM;
	if (xen_get(g, start_info + XEN_START_INFO_TABLES, &tables, sizeof(tables)))
		xen_pin_boot_tables(g, tables);
	g->raise = xen_raise_object;
	v->cpuid = xen_cpuid;
	vcpu_use_xen_frames(v);
	vcpu_set_info(v, x->shared_mfn, &x->info->upcall_mask, &x->info->upcall_pending,
		      &x->info->cr2);
	return 0;
}

static void end(struct guest *g)
{
	struct xen *x = xen_of(g);

	if (!x)
		return;
	xen_m2p_free(g);
	if (!mfn_is_none(x->shared_mfn))
		frame_put(x->shared_mfn);
	g->personality_state = NULL;
	frame_put(x->self);
}

const struct personality personality_xen = {
    .name = "xen",
    .count = XEN_CALL_COUNT,
    .call = xen_calls,
    .flags = flags,
    .notice = ~0ul,
    .begin = begin,
    .end = end,
};
