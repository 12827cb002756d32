// SPDX-License-Identifier: MIT
/*
 * events.c - event channels, the two-level ABI: a bit for each port in the shared page, a selector
 * word and an upcall byte in the vcpu_info. The guest may write all of these; only itself is misled
 * by it.
 */
#include "hypercall/xen/xen.h"

static bool test_and_set(u64 *word, unsigned bit)
{
	return __atomic_fetch_or(word, 1ul << bit, __ATOMIC_SEQ_CST) >> bit & 1;
}

static void notify(struct xen *x, unsigned port)
{
	if (!test_and_set(&x->info->pending_sel, port / 64))
		WRITE_ONCE(x->info->upcall_pending, 1);
}

void xen_raise(struct guest *g, unsigned port)
{
	struct xen *x = xen_of(g);

	if (test_and_set(&x->shared->pending[port / 64], port % 64))
		return;
	if (READ_ONCE(x->shared->mask[port / 64]) >> port % 64 & 1)
		return;
	notify(x, port);
	g->vcpu.event_pending = true;
	g->blocked = false;
}

void xen_raise_object(struct guest *g, unsigned object_port)
{
	struct xen *x = xen_of(g);

	if (object_port == GN_PORT_TIMER && x->virq_port[XEN_VIRQ_TIMER])
		xen_raise(g, x->virq_port[XEN_VIRQ_TIMER]);
	else if (object_port == GN_PORT_CONSOLE)
		xen_console_fill(g);
}

static int take_port(struct xen *x, enum xen_port kind)
{
	for (unsigned i = XEN_CONSOLE_PORT + 1; i < XEN_PORTS_USED; i++)
		if (x->port[i] == XEN_PORT_FREE) {
			x->port[i] = kind;
			return i;
		}
	return -ENOSPC;
}

static struct call_result answer(struct guest *g, u64 at, int port)
{
	u32 value = port;

	if (port < 0)
		return call_done(port);
	return call_done(xen_put(g, at, &value, sizeof(value)) ? 0 : -EFAULT);
}

static struct call_result bind_virq(struct guest *g, u64 argument)
{
	struct xen *x = xen_of(g);
	u32 virq[2];
	int port;

	if (!xen_get(g, argument, virq, sizeof(virq)))
		return call_done(-EFAULT);
	if (virq[0] >= XEN_VIRQS || virq[1] != 0)
		return call_done(-EINVAL);
	if (x->virq_port[virq[0]])
		return call_done(-EEXIST);
	port = take_port(x, XEN_PORT_VIRQ);
	if (port > 0)
		x->virq_port[virq[0]] = port;
	return answer(g, argument + 8, port);
}

static struct call_result bind_ipi(struct guest *g, u64 argument)
{
	u32 vcpu;

	if (!xen_get(g, argument, &vcpu, sizeof(vcpu)))
		return call_done(-EFAULT);
	if (vcpu != 0)
		return call_done(-ENOENT);
	return answer(g, argument + 4, take_port(xen_of(g), XEN_PORT_IPI));
}

static int close_port(struct xen *x, u32 port)
{
	for (unsigned i = 0; i < XEN_VIRQS; i++)
		if (x->virq_port[i] == port)
			x->virq_port[i] = 0;
	x->port[port] = XEN_PORT_FREE;
	__atomic_fetch_and(&x->shared->pending[port / 64], ~(1ul << port % 64), __ATOMIC_SEQ_CST);
	return 0;
}

static int send(struct guest *g, u32 port)
{
	switch (xen_of(g)->port[port]) {
	case XEN_PORT_IPI:
		xen_raise(g, port);
		return 0;
	case XEN_PORT_CONSOLE:
		xen_console_drain(g);
		xen_console_fill(g);
		return 0;
	case XEN_PORT_FREE:
		return -EINVAL;
	default:
		return 0; /* nobody listens */
	}
}

static int unmask(struct guest *g, u32 port)
{
	struct xen *x = xen_of(g);

	__atomic_fetch_and(&x->shared->mask[port / 64], ~(1ul << port % 64), __ATOMIC_SEQ_CST);
	if (READ_ONCE(x->shared->pending[port / 64]) >> port % 64 & 1) {
		notify(x, port);
		g->vcpu.event_pending = true;
	}
	return 0;
}

/* The operations whose argument begins with a port. */
static struct call_result of_port(struct guest *g, u64 operation, u64 argument)
{
	struct xen *x = xen_of(g);
	u32 port;

	if (!xen_get(g, argument, &port, sizeof(port)))
		return call_done(-EFAULT);
	if (port == 0 || port >= XEN_PORTS_USED)
		return call_done(-EINVAL);
	if (x->port[port] == XEN_PORT_FREE && operation != XEN_EVTCHN_UNMASK)
		return call_done(-EINVAL);
	switch (operation) {
	case XEN_EVTCHN_CLOSE:
		return call_done(port == XEN_CONSOLE_PORT ? 0 : close_port(x, port));
	case XEN_EVTCHN_SEND:
		return call_done(send(g, port));
	case XEN_EVTCHN_UNMASK:
		return call_done(unmask(g, port));
	default: /* BIND_VCPU: there is one */
		return call_done(0);
	}
}

struct call_result xen_event_channel_op(struct guest *g, u64 *a)
{
	switch (a[0]) {
	case XEN_EVTCHN_BIND_VIRQ:
		return bind_virq(g, a[1]);
	case XEN_EVTCHN_BIND_IPI:
		return bind_ipi(g, a[1]);
	case XEN_EVTCHN_ALLOC_UNBOUND:
		return answer(g, a[1] + 4, take_port(xen_of(g), XEN_PORT_UNBOUND));
	case XEN_EVTCHN_CLOSE:
	case XEN_EVTCHN_SEND:
	case XEN_EVTCHN_BIND_VCPU:
	case XEN_EVTCHN_UNMASK:
		return of_port(g, a[0], a[1]);
	default:
		return call_done(-ENOSYS);
	}
}
