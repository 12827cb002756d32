// SPDX-License-Identifier: MIT
/*
 * spte.c - what an spte may grant, derived from the guest's entry, the role of the page it stands
 * in, and the p2m entry of its target. No side effects: a fault fills by these functions, a resync
 * and the audit compare with them.
 *
 * The views. A page of the guest's user (U=1 at all levels) is normally mapped as it is: the "user
 * view". Where the guest's kernel may do more with it than the CPU would let it (write to a
 * read-only page with CR0.WP=0), it is mapped U=0 for the kernel alone until its user comes again:
 * the "kernel view".
 */
#include "mm/shadow/private.h"

/* An entry with PS above level 1: bit 12 is PAT, then the frame's bits up to the page's size. */
bool large_is_reserved(const struct shadow *s, unsigned level, u64 gpte)
{
	if (level == 4 || (level == 3 && !s->config.has_1g_pages))
		return true;
	return gpte & ((1ul << (PAGE_SHIFT + 9 * (level - 1))) - 1) & ~((1ul << 13) - 1);
}

/* The shadow page that belongs under a slot. gpte is not looked at in a split page. */
struct page_key child_key(const struct shadow *s, const struct shadow_page *page, unsigned slot,
			  u64 gpte)
{
	u32 role = page->key.role, level = role_level(role);
	u32 below = (role & ~ROLE_VCPU) - 1; /* one level down */
	unsigned taken = ~gpte_access(gpte) & ACCESS_ALL;
	u64 gfn = (gpte & PTE_FRAME) >> PAGE_SHIFT;

	if (unlikely(role & ROLE_SPLIT))
		return (struct page_key){GFN(page->key.gfn.v + ((u64)slot << 9 * (level - 1))),
					 below};
	if (level == 4 && slot >= s->config.supervisor_from_slot)
		taken |= ACCESS_U;
	below &= ~(taken << ROLE_ACCESS_SHIFT);
	if (unlikely(gpte & PTE_PS)) {
		below |= gpte & PTE_D ? ROLE_SPLIT | ROLE_DIRTY : ROLE_SPLIT;
		gfn &= ~((1ul << 9 * (level - 1)) - 1);
	}
	return (struct page_key){GFN(gfn), below};
}

/* tour: what an spte may grant */
/* Everything that the guest and p2m grant; 0 if that is nothing. */
u64 leaf_spte(const struct shadow *s, u32 role, u64 gpte, const struct p2m_entry *target,
	      bool kernel_view)
{
	bool split = role & ROLE_SPLIT, dirty = split ? role & ROLE_DIRTY : gpte & PTE_D;
	unsigned access = role_access(role) & (split ? ACCESS_ALL : gpte_access(gpte));
	u64 word = target->word, spte = (word & PTE_FRAME) | PTE_P | PTE_A;

	if (!(word & P2M_R))
		return 0;
	if (unlikely(kernel_view)) {
		access &= ~(ACCESS_U | (role_mode(role) & MODE_SMEP ? ACCESS_X : 0));
		spte |= SPTE_KERNEL_VIEW;
	}
	if (!(access & ACCESS_U) && (!(role_mode(role) & MODE_WP) || word & P2M_TABLE))
		access |= ACCESS_W;
	if (access & ACCESS_W && dirty && word & P2M_W && !table_is_protected(s, target))
		spte |= target->loose ? PTE_W | SPTE_LOOSE : PTE_W | PTE_D;
	if (access & ACCESS_U)
		spte |= PTE_U;
	if (!(access & ACCESS_X && word & P2M_X))
		spte |= PTE_NX;
	return spte;
}
/* tour ends */

/* Of a table, and of what grants nothing, nothing is learnt. */
__noinline u64 leaf_grant_learn(struct shadow *s, u32 role, u64 gpte,
				const struct p2m_entry *target)
{
	u64 spte = gpte_is_reserved(s, role_mode(role), 1, gpte)
		       ? 0
		       : leaf_spte(s, role, gpte, target, false);

	if (spte && !target->tables)
		s->grant = (struct shadow_grant){gpte & ~PTE_FRAME, target->word & ~PTE_FRAME,
						 spte & ~PTE_FRAME, role};
	return spte;
}

/*
 * One spte of 2 MiB instead of a split page of this name, if the guest's frames there are together
 * in the machine, with the same rights, and none is a protected table; or 0.
 */
u64 large_spte(const struct shadow *s, struct page_key block)
{
	const struct p2m_entry *first = p2m_lookup(s->config.p2m, block.gfn), *e = first;
	u64 spte;

	if (!first || p2m_entry_mfn(first).v & (LARGE_GFNS - 1))
		return 0;
	for (u64 i = 0; i < LARGE_GFNS; i++, e++) {
		if (!(i & ((1 << P2M_LEAF_BITS) - 1))) /* entries of a leaf lie side by side */
			e = p2m_lookup(s->config.p2m, GFN(block.gfn.v + i));
		if (!e || e->word != first->word + (i << PAGE_SHIFT) || e->loose ||
		    table_is_protected(s, e))
			return 0;
	}
	spte = leaf_spte(s, block.role, 0, first, false);
	return spte ? spte | PTE_PS : 0;
}

static bool grants_no_more(u64 spte, u64 most)
{
	return most && !((spte ^ most) & PTE_FRAME) && !(spte & ~most & (PTE_W | PTE_U)) &&
	       !(most & ~spte & PTE_NX);
}

/* Whether the guest's entry, as it is now, supports all that the spte grants. */
__cold bool spte_is_justified(const struct shadow *s, const struct shadow_page *page, unsigned slot,
			      u64 spte, u64 gpte)
{
	u32 role = page->key.role;
	const struct p2m_entry *e;
	struct page_key want, have;

	if (!(role & ROLE_SPLIT)) {
		if ((gpte & (PTE_P | PTE_A)) != (PTE_P | PTE_A) ||
		    gpte_is_reserved(s, role_mode(role), role_level(role), gpte))
			return false;
	}
	if (role_level(role) == 1) {
		e = p2m_lookup(s->config.p2m, leaf_gfn(page, slot, gpte));
		return e &&
		       grants_no_more(spte, leaf_spte(s, role, gpte, e, spte & SPTE_KERNEL_VIEW));
	}
	want = child_key(s, page, slot, gpte);
	if (spte & PTE_PS) {
		e = p2m_lookup(s->config.p2m, want.gfn);
		return e && want.role & ROLE_SPLIT &&
		       grants_no_more(spte, leaf_spte(s, want.role, 0, e, false));
	}
	have = spte_child(s, spte)->key;
	if (!(have.role & ROLE_DIRTY))
		want.role &= ~ROLE_DIRTY; /* D may have been set since: that takes nothing away */
	return key_equal(have, want);
}
