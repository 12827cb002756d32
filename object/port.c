// SPDX-License-Identifier: MIT
/* port.c - see port.h. Several ports may share a vector: it waits while any of them has an event.
 * */
#include "object/port.h"
#include "object/guest.h"

static bool is_waiting(const struct port *p)
{
	return p->pending && !p->masked && p->vector;
}

/* A port has stopped waiting: does its vector still? */
static void lower(struct guest *g, u8 vector)
{
	if (!vector)
		return;
	for (unsigned i = 0; i < GN_PORT_COUNT; i++)
		if (is_waiting(&g->port[i]) && g->port[i].vector == vector)
			return;
	vcpu_lower(&g->vcpu, vector);
}

/* tour: a port is raised */
void port_raise(struct guest *g, unsigned port)
{
	struct port *p = &g->port[port];

	if (g->raise) {
		g->raise(g, port);
		return;
	}
	p->pending = true;
	if (is_waiting(p)) {
		vcpu_raise(&g->vcpu, p->vector);
		g->blocked = false;
	}
}
/* tour ends */

void port_bind(struct guest *g, unsigned port, u8 vector)
{
	struct port *p = &g->port[port];
	u8 old = p->vector;

	p->vector = 0;
	lower(g, old);
	p->vector = vector;
	if (is_waiting(p))
		vcpu_raise(&g->vcpu, vector);
}

void port_mask(struct guest *g, unsigned port, bool masked)
{
	struct port *p = &g->port[port];

	p->masked = masked;
	if (masked)
		lower(g, p->vector);
	else if (is_waiting(p))
		vcpu_raise(&g->vcpu, p->vector);
}

bool port_poll(struct guest *g, unsigned port)
{
	struct port *p = &g->port[port];
	bool pending = p->pending;

	p->pending = false;
	lower(g, p->vector);
	return pending;
}
