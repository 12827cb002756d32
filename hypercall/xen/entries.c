// SPDX-License-Identifier: MIT
/*
 * entries.c - entries of a Xen guest's page tables: changed by plain copies into its memory, of
 * which guest-copy tells the shadows. Every page that a guest maps comes through here, mostly by
 * itself, so one update is what must be fast.
 */
#include "hypercall/xen/xen.h"
#include "mm/guest-copy.h"
#include "mm/pte.h"

#define PIECE 128 /* updates done by one call before it starts again */
#define CHUNK 16  /* of them read at once, from one page */

static int set_entry_but_ad(struct guest *g, u64 gpa, u64 value)
{
	u64 old, now;

	if (guest_copy_read(&g->p2m, GPA(gpa), &old, sizeof(old), NULL))
		return -EINVAL;
	do {
		now = old;
		if (guest_copy_cmpxchg(&g->p2m, GPA(gpa), 8, &old, value | (now & (PTE_A | PTE_D)),
				       NULL))
			return -EINVAL;
	} while (old != now);
	return 0;
}

static inline int update(struct guest *g, const struct xen_mmu_update *u)
{
	u64 at = u->ptr & ~7ul;

	switch (u->ptr & 3) {
	case XEN_MMU_NORMAL:
		return guest_copy_store(&g->p2m, GPA(at), u->val) ? -EINVAL : 0;
	case XEN_MMU_PRESERVE_AD:
		return set_entry_but_ad(g, at, u->val);
	case XEN_MMU_MACHPHYS:
		return at >> PAGE_SHIFT == u->val ? 0 : -EINVAL;
	default:
		return -ENOSYS;
	}
}

/* The first of count updates at this address; returns how many, 0 if they cannot be read. */
static unsigned get_updates(struct guest *g, u64 at, u64 count, struct xen_mmu_update *u)
{
	u64 in_page = (PAGE_SIZE - (at & ~PAGE_MASK)) / sizeof(*u);
	unsigned n = MIN(MIN(count, CHUNK), MAX(in_page, 1)); /* one may cross the page's end */

	return xen_get(g, at, u, n * sizeof(*u)) ? n : 0;
}

static __noinline struct call_result update_all(struct guest *g, u64 *a, u64 count)
{
	struct xen_mmu_update requests[CHUNK] __uninitialized;

	for (unsigned done = 0, n; count && done < PIECE; done += n) {
		n = get_updates(g, a[0], count, requests);
		if (!n)
			return call_done(-EFAULT);
		for (unsigned i = 0; i < n; i++) {
			int error = update(g, &requests[i]);

			if (unlikely(error))
				return call_done(error);
		}
		a[0] += n * sizeof(requests[0]);
		count -= n;
	}
	a[1] = count;
	return count ? (struct call_result){0, CALL_AGAIN} : call_done(0);
}

/* (requests, count, done, domain): RDI and RSI advance while it works in pieces. */
struct call_result xen_mmu_update(struct guest *g, u64 *a)
{
	u64 count = a[1] & XEN_COUNT_MASK;
	struct xen_mmu_update request __uninitialized;

	if (unlikely(count != 1))
		return update_all(g, a, count);
	if (!xen_get(g, a[0], &request, sizeof(request)))
		return call_done(-EFAULT);
	return call_done(update(g, &request));
}

/* Where the level-1 entry of a linear address is; the guest has no large pages. */
static bool find_entry(struct guest *g, u64 address, gpa_t *gpa)
{
	u64 table = g->vcpu.cr3 & PTE_FRAME;

	if (shadow_find_entry(&g->vcpu.shadow, GVA(address), gpa))
		return true;
	for (unsigned level = 4; level > 1; level--) {
		u64 entry, at = table + (address >> (3 + 9 * level) & 511) * 8;

		if (guest_copy_read(&g->p2m, GPA(at), &entry, sizeof(entry), NULL) ||
		    !(entry & PTE_P))
			return false;
		table = entry & PTE_FRAME;
	}
	*gpa = GPA(table + (address >> PAGE_SHIFT & 511) * 8);
	return true;
}

struct call_result xen_update_va_mapping(struct guest *g, u64 *a)
{
	gpa_t gpa;

	if (!find_entry(g, a[0], &gpa) || guest_copy_store(&g->p2m, gpa, a[1]))
		return call_done(-EINVAL);
	if ((a[2] & XEN_UVMF_KIND) == XEN_UVMF_TLB_FLUSH)
		shadow_flush(&g->vcpu.shadow);
	else if ((a[2] & XEN_UVMF_KIND) == XEN_UVMF_INVLPG)
		shadow_invlpg(&g->vcpu.shadow, GVA(a[0]));
	return call_done(0);
}
