// SPDX-License-Identifier: MIT
/*
 * console.c - the console of a Xen guest: a page of its RAM with a ring each way. Indices are the
 * guest's, so each is read once and what it leads to is bounded by the ring's size.
 */
#include "hypercall/xen/xen.h"
#include "mm/guest-copy.h"

#define IN_CONS	 offsetof(struct xen_console_ring, in_cons)
#define IN_PROD	 offsetof(struct xen_console_ring, in_prod)
#define OUT_CONS offsetof(struct xen_console_ring, out_cons)
#define OUT_PROD offsetof(struct xen_console_ring, out_prod)

#define PIECE 256

static bool get(struct guest *g, u64 offset, void *to, size_t size)
{
	return !guest_copy_read(&g->p2m, GPA(xen_of(g)->console.v + offset), to, size, NULL);
}

static bool put(struct guest *g, u64 offset, const void *from, size_t size)
{
	return !guest_copy_write(&g->p2m, GPA(xen_of(g)->console.v + offset), from, size, NULL);
}

void xen_console_drain(struct guest *g)
{
	u32 cons, prod, left;
	char text[PIECE];

	if (!get(g, OUT_CONS, &cons, 4) || !get(g, OUT_PROD, &prod, 4))
		return;
	left = MIN(prod - cons, XEN_CONSOLE_OUT);
	while (left) {
		u32 at = cons % XEN_CONSOLE_OUT;
		u32 piece = MIN(MIN(left, PIECE), XEN_CONSOLE_OUT - at);

		if (!get(g, offsetof(struct xen_console_ring, out) + at, text, piece))
			return;
		guest_console_write(g, text, piece);
		cons += piece;
		left -= piece;
	}
	put(g, OUT_CONS, &cons, 4);
	xen_raise(g, XEN_CONSOLE_PORT); /* there is room again */
}

void xen_console_fill(struct guest *g)
{
	u32 cons, prod, room;
	bool any = false;
	char key;

	if (!get(g, IN_CONS, &cons, 4) || !get(g, IN_PROD, &prod, 4))
		return;
	room = XEN_CONSOLE_IN - MIN(prod - cons, XEN_CONSOLE_IN);
	while (room && guest_console_read(g, &key, 1)) {
		if (!put(g, offsetof(struct xen_console_ring, in) + prod % XEN_CONSOLE_IN, &key, 1))
			return;
		prod++;
		room--;
		any = true;
	}
	if (any && put(g, IN_PROD, &prod, 4))
		xen_raise(g, XEN_CONSOLE_PORT);
}

/* (command, count, buffer): what is printed before the ring is in use. */
struct call_result xen_console_io(struct guest *g, u64 *a)
{
	u64 size = MIN(a[1] & 0x7fffffff, PIECE);
	char text[PIECE];

	if (a[0] != 0)
		return call_done(-ENOSYS);
	if (!xen_get(g, a[2], text, size))
		return call_done(-EFAULT);
	guest_console_write(g, text, size);
	a[1] -= size;
	a[2] += size;
	return a[1] & 0x7fffffff ? (struct call_result){0, CALL_AGAIN} : call_done(0);
}
