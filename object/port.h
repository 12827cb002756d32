/* SPDX-License-Identifier: MIT */
/*
 * port.h - a source of events, bound to a vector of the guest's own IDT. Raising it again before
 * the guest has seen it makes no second event; port_poll() tells whether it was raised and forgets
 * it.
 */
#ifndef OBJECT_PORT_H
#define OBJECT_PORT_H

#include "lib/types.h"

struct guest;

struct port {
	u8 vector; /* 0: not bound */
	bool masked, pending;
};

void port_raise(struct guest *g, unsigned port);
void port_bind(struct guest *g, unsigned port, u8 vector);
void port_mask(struct guest *g, unsigned port, bool masked);
bool port_poll(struct guest *g, unsigned port);

#endif
