// SPDX-License-Identifier: MIT
/*
 * copy.c - accesses of the monitor that the shadows grant already, so that nothing is to be walked,
 * marked or asked: most of what a guest hands over by address it has just written there. The way is
 * that of a CPU with an empty TLB; what needs a decision is left to shadow_translate().
 */
#include "lib/string.h"
#include "mm/shadow/private.h"

/* An spte that grants the access; 0: something is to be found out first. */
static u64 find_spte(const struct shadow_vcpu *sv, gva_t gva, u64 need, u64 never)
{
	const struct shadow *s = sv->shadow;
	const u64 *table = sv->root->sptes;
	u64 spte;

	if (is_reserved_slot(s, slot_of(gva, 4)))
		return 0;
	for (unsigned level = 4; level > 1; level--) {
		spte = table[slot_of(gva, level)];
		if ((spte & (PTE_P | PTE_PS)) != PTE_P)
			return 0;
		table = machine_map(MFN((spte & PTE_FRAME) >> PAGE_SHIFT));
	}
	spte = table[slot_of(gva, 1)]; /* what the levels above take away is in its page's role */
	return (spte & (need | never)) == need ? spte : 0;
}

bool shadow_copy(const struct shadow_vcpu *sv, gva_t gva, struct shadow_access access, void *bytes,
		 size_t size)
{
	u64 need = PTE_P, never = SPTE_KERNEL_VIEW, offset = gva.v & ~PAGE_MASK, spte;
	const struct shadow *s = sv->shadow;
	char *page;

	if (offset + size > PAGE_SIZE || *sv->root_generation != s->generation ||
	    s->config.without & SHADOW_COPY)
		return false;
	if (access.write) {
		if (s->config.policy != SHADOW_TRAPPED)
			return false; /* it may be a table of which we are to hear */
		need |= PTE_W;
		never |= SPTE_LOOSE;
	}
	if (access.fetch)
		never |= PTE_NX;
	if (access.user)
		need |= PTE_U;
	else if (access.fetch || (sv->mode & MODE_SMAP && !access.ac))
		never |= PTE_U; /* whose answer depends on more than the spte */
	spte = find_spte(sv, gva, need, never);
	if (!spte)
		return false;
	page = machine_map(MFN((spte & PTE_FRAME) >> PAGE_SHIFT));
	if (access.write)
		memcpy(page + offset, bytes, size);
	else
		memcpy(bytes, page + offset, size);
	return true;
}
