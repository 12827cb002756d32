// SPDX-License-Identifier: MIT
/*
 * dispatch.c - from a number to a handler: one call, or a ring of them. The number is the guest's;
 * the index made of it is masked, so that no load goes past the table even in speculation.
 */
#include "hypercall/hypercall.h"
#include "guest-abi/hypercalls.h"
#include "lib/errno.h"

const struct personality *personality_of(u64 abi)
{
	switch (abi) {
	case GN_ABI_NATIVE:
		return &personality_native;
	case GN_ABI_XEN:
		return &personality_xen;
	default:
		return NULL;
	}
}

/* One deferred call. Its entry may change while it is judged, so each word is read once. */
static bool defer(struct guest *g, const struct personality *p, const struct gn_ring_entry *at)
{
	u64 call = READ_ONCE(at->call), mask = index_mask(call, p->count), arguments[5] = {0};

	for (unsigned i = 0; i < ARRAY_SIZE(at->argument); i++)
		arguments[i] = READ_ONCE(at->argument[i]);
	return call < p->count && p->flags[call & mask] & GN_DEFER &&
	       p->call[call & mask](g, arguments).value >= 0;
}

/* How many notices stand from the head on, one behind the other; they are carried out as one. */
static unsigned notices(const struct personality *p, const struct gn_ring_entry *at, unsigned most)
{
	const struct gn_ring_entry *first = at, *end = at + most;
	u64 notice = p->notice;

	while (at != end && READ_ONCE(at->call) == notice)
		at++;
	return at - first;
}

/* tour: the ring */
unsigned hypercall_drain(struct guest *g)
{
	const struct personality *p = g->personality;
	struct gn_vcpu_page *page = g->vcpu.page;
	u32 head = READ_ONCE(page->ring_head), tail = READ_ONCE(page->ring_tail), step;
	unsigned failed = 0;

	if (g->draining)
		return 0; /* a call in the ring would drain it */
	g->draining = true;
	if (tail - head > GN_RING_ENTRIES)
		head = tail - GN_RING_ENTRIES; /* the guest lies: at most a ring full */
	for (; head != tail; head += step) {
		u32 first = head % GN_RING_ENTRIES;
		struct gn_ring_entry *at = &page->ring[first];

		step = notices(p, at, MIN(tail - head, GN_RING_ENTRIES - first));
		if (step) {
			failed += shadow_notify(&g->shadow, at->argument,
						sizeof(*at) / sizeof(u64), step);
		} else {
			step = 1;
			failed += !defer(g, p, at);
		}
	}
	WRITE_ONCE(page->ring_head, tail);
	g->draining = false;
	return failed;
}
/* tour ends */
