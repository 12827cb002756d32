// SPDX-License-Identifier: MIT
/* vcpu.c - the vCPU of a Xen guest: its information page, time, sleep, and the end of the guest. */
#include "hypercall/xen/xen.h"
#include "mm/frame.h"
#include "mm/machine.h"

/* The information moves to a page of the guest's RAM, once; all ports count as raised, so that
 * nothing is lost on the way. The page is no page table, as the shadows would hear of no store to
 * it: neither of ours, nor of the guest's by way of the window. */
static int register_info(struct guest *g, u64 argument)
{
	struct xen *x = xen_of(g);
	struct xen_vcpu_info *info;
	enum p2m_answer answer;
	struct {
		u64 gfn;
		u32 offset, reserved;
	} where;
	mfn_t mfn;

	if (!xen_get(g, argument, &where, sizeof(where)))
		return -EFAULT;
	if (x->info_registered || where.offset % 8 ||
	    where.offset > PAGE_SIZE - sizeof(*info))
		return -EINVAL;
	answer = p2m_resolve(&g->p2m, GFN(where.gfn), P2M_R | P2M_W, &mfn);
	if (answer != P2M_GRANTED || p2m_publish(&g->p2m, GFN(where.gfn)))
		return -EINVAL;
	shadow_forget_table(&g->shadow, GFN(where.gfn));
	info = (void *)((char *)machine_map(mfn) + where.offset);
	*info = *x->info;
	info->pending_sel = ~0ul;
	info->upcall_pending = 1;
	x->info = info;
	x->info_registered = true;
	vcpu_set_info(&g->vcpu, mfn, &info->upcall_mask, &info->upcall_pending, &info->cr2);
	g->vcpu.event_pending = true;
	return 0;
}

/* A copy of the time for the guest's users, so that theirs read it without a call. Once is enough:
 * its scale never changes. */
static int register_time(struct guest *g, u64 argument)
{
	u64 address;

	if (!xen_get(g, argument, &address, sizeof(address)))
		return -EFAULT;
	if (!address)
		return 0;
	return xen_put(g, address, &xen_of(g)->shared->vcpu_info[0].time, sizeof(struct xen_time))
		   ? 0 : -EFAULT;
}

static int set_singleshot(struct guest *g, u64 argument)
{
	u64 timeout;

	if (!xen_get(g, argument, &timeout, sizeof(timeout)))
		return -EFAULT;
	g->timer = MAX(timeout, 1); /* 0 would be none; a past one fires at once */
	return 0;
}

struct call_result xen_vcpu_op(struct guest *g, u64 *a)
{
	if (a[1] != 0)
		return call_done(-ENOENT);
	switch (a[0]) {
	case XEN_VCPU_IS_UP:
		return call_done(1);
	case XEN_VCPU_REGISTER_RUNSTATE: /* nobody steals time that the guest could be told of */
	case XEN_VCPU_STOP_PERIODIC:
		return call_done(0);
	case XEN_VCPU_STOP_SINGLESHOT:
		g->timer = 0;
		return call_done(0);
	case XEN_VCPU_SET_SINGLESHOT:
		return (struct call_result){set_singleshot(g, a[2]), CALL_YIELD};
	case XEN_VCPU_REGISTER_TIME:
		return call_done(register_time(g, a[2]));
	case XEN_VCPU_REGISTER_INFO:
		return call_done(register_info(g, a[2]));
	default:
		return call_done(-ENOSYS);
	}
}

struct call_result xen_set_timer_op(struct guest *g, u64 *a)
{
	g->timer = a[0];
	return (struct call_result){0, CALL_YIELD};
}

static struct call_result shut_down(struct guest *g, u64 argument)
{
	u32 reason;

	if (!xen_get(g, argument, &reason, sizeof(reason)))
		return call_done(-EFAULT);
	xen_console_drain(g);
	if (reason == XEN_SHUTDOWN_POWEROFF)
		guest_shut_down(g, GUEST_POWEROFF);
	else if (reason == XEN_SHUTDOWN_REBOOT)
		guest_shut_down(g, GUEST_REBOOT);
	else
		guest_crash(g, "shutdown(%u)", reason);
	return (struct call_result){0, CALL_YIELD};
}

struct call_result xen_sched_op(struct guest *g, u64 *a)
{
	switch (a[0]) {
	case XEN_SCHED_YIELD:
		return (struct call_result){0, CALL_YIELD};
	case XEN_SCHED_POLL: /* one vCPU: whom it waits for can only be an event */
	case XEN_SCHED_BLOCK:
		if (a[0] == XEN_SCHED_BLOCK)
			vcpu_set_vif(&g->vcpu, true);
		if (READ_ONCE(xen_of(g)->info->upcall_pending))
			return call_done(0);
		g->blocked = true;
		return (struct call_result){0, CALL_YIELD};
	case XEN_SCHED_SHUTDOWN:
		return shut_down(g, a[1]);
	default:
		return call_done(-ENOSYS);
	}
}

struct call_result xen_xen_version(struct guest *g, u64 *a)
{
	static const char extra[16] = ".gnomon";
	u32 features[2];

	switch (a[0]) {
	case XEN_VERSION:
		return call_done(4 << 16 | 17);
	case XEN_EXTRAVERSION:
		return call_done(xen_put(g, a[1], extra, sizeof(extra)) ? 0 : -EFAULT);
	case XEN_GET_FEATURES:
		if (!xen_get(g, a[1], features, sizeof(features)))
			return call_done(-EFAULT);
		features[1] = features[0] == 0 ? XEN_FEATURES : 0;
		return call_done(xen_put(g, a[1], features, sizeof(features)) ? 0 : -EFAULT);
	case XEN_PAGESIZE:
		return call_done(PAGE_SIZE);
	default:
		return call_done(-ENOSYS);
	}
}
