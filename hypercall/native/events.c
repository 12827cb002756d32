// SPDX-License-Identifier: MIT
/* events.c - calls about ports, the timer, and sleeping until an event comes. */
#include "hypercall/native/native.h"
#include "lib/errno.h"

static struct call_result set_timer(struct guest *g, u64 deadline, u64 period)
{
	g->timer = deadline;
	g->timer_period = period;
	/* The scheduler looks at deadlines when it is asked for the next guest. */
	return (struct call_result){0, CALL_YIELD};
}

struct call_result native_timer_set(struct guest *g, struct gn_args_timer_set *a)
{
	return set_timer(g, a->deadline, 0);
}

/* Each beat interrupts whoever runs: so they may not be too near. And sums must not wrap. */
struct call_result native_timer_periodic(struct guest *g, struct gn_args_timer_periodic *a)
{
	if (a->period < GN_TIMER_PERIOD || a->period > 1ul << 62)
		return call_done(-EINVAL);
	return set_timer(g, MAX(a->deadline, 1), a->period); /* 0 would be none */
}

struct call_result native_port_bind(struct guest *g, struct gn_args_port_bind *a)
{
	bool is_nmi = a->vector == VECTOR_NMI;

	if (a->port >= GN_PORT_COUNT || a->vector > 255 || (a->vector && a->vector < 32 && !is_nmi))
		return call_done(-EINVAL);
	port_bind(g, a->port, a->vector);
	return call_done(0);
}

struct call_result native_port_mask(struct guest *g, struct gn_args_port_mask *a)
{
	if (a->port >= GN_PORT_COUNT || a->masked > 1)
		return call_done(-EINVAL);
	port_mask(g, a->port, a->masked);
	return call_done(0);
}

struct call_result native_port_poll(struct guest *g, struct gn_args_port_poll *a)
{
	if (a->port >= GN_PORT_COUNT)
		return call_done(-EINVAL);
	return call_done(port_poll(g, a->port));
}

struct call_result native_port_raise(struct guest *g, struct gn_args_port_raise *a)
{
	if (a->port != GN_PORT_SELF)
		return call_done(-EPERM);
	port_raise(g, a->port);
	return call_done(0);
}

struct call_result native_yield(struct guest *g, struct gn_args_yield *a)
{
	(void)g, (void)a;
	return (struct call_result){0, CALL_YIELD};
}

/* The monitor runs with interrupts off: nothing can become pending between the test and the sleep.
 * */
/* tour: a handler */
struct call_result native_block(struct guest *g, struct gn_args_block *a)
{
	(void)a;
	if (g->vcpu.event_pending)
		return call_done(0);
	g->blocked = true;
	return (struct call_result){0, CALL_YIELD};
}
/* tour ends */

struct call_result native_halt(struct guest *g, struct gn_args_halt *a)
{
	(void)a;
	vcpu_set_vif(&g->vcpu, true);
	return native_block(g, NULL);
}
